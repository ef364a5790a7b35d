/* Tells what one day of a heartbeat says: under the pointer, under a finger, or with the arrow keys on
   the row's link. The words come with the page; here is only the place and the date. Nothing grows:
   one tip for the page, and listeners on the document alone. */
(function () {
  "use strict";

  let tip = null;
  let shown = null;          // the heartbeat that is told of
  let place = 0;             // which of its days
  const forms = {};

  function day(first, language, back) {
    forms[language] = forms[language] || new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
      weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC",
    });
    return forms[language].format(Date.parse(first + "T00:00:00Z") + back * 86400000);
  }

  function said(beats, at) {
    const found = (beats.dataset.said || "").split("|").find(function (one) {
      return one.startsWith(at + ":");
    });
    return found ? found.slice(String(at).length + 1) : "";
  }

  function holder() {
    const root = document.getElementById("pendopo");
    if (!tip || !root.contains(tip)) {
      tip = document.createElement("div");
      tip.className = "beat-tip";
      tip.setAttribute("role", "status");
      root.appendChild(tip);
    }
    return tip;
  }

  function show(beats, at) {
    const table = beats.closest("[data-first]");
    const days = Number(beats.dataset.days);
    if (!table || !table.dataset.first || !days) return;
    shown = beats;
    place = Math.max(0, Math.min(days - 1, at));
    const language = document.getElementById("pendopo").lang || "id";
    const text = day(table.dataset.first, language, place) + ": " + (said(beats, place) || table.dataset.plain);
    const box = beats.getBoundingClientRect();
    const element = holder();
    if (element.textContent !== text) element.textContent = text;
    element.hidden = false;
    const x = box.left + (place + 0.5) / days * box.width;
    const wide = element.offsetWidth;
    element.style.left = Math.max(8, Math.min(window.innerWidth - wide - 8, x - wide / 2)) + "px";
    const above = box.top - element.offsetHeight - 8;
    element.style.top = (above > 0 ? above : box.bottom + 8) + "px";
    beats.style.setProperty("--beat", ((place + 0.5) / days * 100).toFixed(2) + "%");
    beats.classList.add("told");
  }

  function hide() {
    if (tip) tip.hidden = true;
    if (shown) shown.classList.remove("told");
    shown = null;
  }

  function under(event) {
    const beats = event.target.closest && event.target.closest(".beats[data-days]");
    if (!beats) return false;
    if (shown && shown !== beats) hide();
    const box = beats.getBoundingClientRect();
    show(beats, Math.floor((event.clientX - box.left) / box.width * Number(beats.dataset.days)));
    return true;
  }

  function ofRow(element) {
    const row = element && element.closest && element.closest("tr, .beat-wide");
    return row ? row.querySelector(".beats[data-days]") : null;
  }

  function onKey(event) {
    if (event.key === "Escape") return hide();
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const beats = step && ofRow(document.activeElement);
    if (!beats || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const from = shown === beats ? place : Number(beats.dataset.days) - 1;
    if (shown !== beats) {
      hide();
      show(beats, from);
    } else {
      show(beats, from + step);
    }
  }

  document.addEventListener("pointermove", function (event) {
    if (event.pointerType !== "touch" && !under(event) && shown && !ofRow(document.activeElement)) hide();
  }, { passive: true });
  document.addEventListener("pointerdown", function (event) {
    if (!under(event)) hide();
  }, { passive: true });
  document.addEventListener("focusout", function (event) {
    if (shown && ofRow(event.target) === shown) hide();
  });
  document.addEventListener("scroll", hide, { passive: true, capture: true });
  document.addEventListener("keydown", onKey);
})();
