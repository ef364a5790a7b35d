/* Keeps this device's last look at the mayor's page, in a cookie of its own: `<since>.<seen>` in seconds.

   The server says since when the present look shows changes (data-look); this notes when the page was
   last in front of somebody. Only the server decides when a look has ended, by the rule of kpis/looks.py;
   a page that was put away for longer than that is therefore loaded again when it is picked up. */
(function () {
  "use strict";

  const html = document.documentElement;
  if (html.dataset.look === undefined) return;

  const NOTE_MS = 15000;     // how exactly the end of a look is known
  const loaded = Date.now();
  const start = Number(html.dataset.lookNow);
  const away = Number(html.dataset.lookAway);
  let seen = start;
  let asking = false;

  function cityNow() {
    const root = document.getElementById("pendopo");
    const speed = (root && Number(root.dataset.clockSpeed)) || 1;
    return Math.floor(start + ((Date.now() - loaded) / 1000) * speed);
  }

  function note() {
    const now = cityNow();
    if (document.visibilityState !== "visible" || asking) return;
    if (now - seen > away) {
      again();
      return;
    }
    seen = now;
    document.cookie = "look=" + html.dataset.look + "." + seen + "; Path=/mayor; Max-Age=31536000; SameSite=Lax";
  }

  /* Only when the page is there to be had: what was last seen is worth more than nothing. */
  function again() {
    asking = true;
    fetch(location.pathname + location.search, { method: "HEAD", cache: "no-store" })
      .then(function (reply) { if (reply.ok) location.reload(); else asking = false; })
      .catch(function () { asking = false; });
  }

  note();
  setInterval(note, NOTE_MS);
  document.addEventListener("visibilitychange", note);
  window.addEventListener("pagehide", note);
  window.addEventListener("pageshow", note);
})();
