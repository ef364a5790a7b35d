/* The foot of every printed page: city and page, the days it looks at, as of when, and its number. A paper
   outlives its ages, so the as-of time is written out. Made when printing begins, gone when it ends. */
(function () {
  "use strict";

  const made = document.createElement("style");

  function moment(ms, root) {
    return new Intl.DateTimeFormat(root.dataset.locale, {
      timeZone: root.dataset.timezone, weekday: "long", day: "numeric", month: "long", year: "numeric",
      hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    }).format(ms) + " " + root.dataset.zone;
  }

  function foot(root) {
    const newest = root.querySelector("#data-age [data-observed]");
    const days = root.querySelector(".range [aria-current]");
    const parts = [document.title];
    if (days) parts.push(days.textContent.trim());
    if (newest) {
      parts.push(root.dataset.asOf.replace("{when}", moment(Number(newest.dataset.observed), root)));
    }
    return parts.join(" · ");
  }

  function quoted(text) {
    return '"' + text.replace(/["\\\n]/g, " ") + '"';
  }

  window.addEventListener("beforeprint", function () {
    const root = document.getElementById("pendopo");
    if (!root) return;
    const face = "font: 8pt sans-serif; color: #000;";
    made.replaceChildren(
      "@media print { @page {",
      "@bottom-left { content: " + quoted(foot(root)) + ";" + face + "white-space: nowrap }",
      "@bottom-right { content: counter(page) ' / ' counter(pages);" + face + "} } }",
    );
    document.head.append(made);
  });
  window.addEventListener("afterprint", function () { made.remove(); });
})();
