/* A wall screen's pages take turns: which one shows, what holds it, when the screen is dark.

   All pages are in the document and current; a turn only hides one and shows the next. The rule is that
   no active ACT is ever hidden: the strip of them stands on every page, the overview has its list, a new
   one brings its page forward for a whole turn, and lights a dark screen until it is over.
   Nothing here grows: one timer, two listeners, and what was seen of each ACT for an hour. */
(function () {
  "use strict";

  const HELD_MS = 15 * 60000;   // a hold by hand ends by itself: a wall nobody released would stand for ever
  const FLAP_MS = 5 * 60000;    // an ACT that was away for less than this is not a new one
  const FORGET_MS = 60 * 60000; // what was seen of an ACT is kept this long
  const BETWEEN_MS = 2000;      // later than this after a turn is due, a page came for another reason
  const SHIFT_MS = 120000;      // against burn-in everything moves by a few pixels, this often
  const SHIFTS = [[0, 0], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]];

  let root = null;
  let screen = null;
  let at = 0;                // which turn shows
  let began = 0;             // when it began
  let heldUntil = 0;
  let seen = null;           // ACT → when it was last there; null before the first look
  let lit = new Set();       // the ACT that lit a dark screen

  function every() { return Number(screen.dataset.every); }
  function turns() { return Array.from(screen.querySelectorAll(".turn")); }
  function count() { return Math.max(1, turns().length); }
  function held() { return Date.now() < heldUntil; }

  /* Where this turn ends: screens turn at whole multiples of their time, so that neighbours turn together;
     what was brought forward between two of them stands for a whole turn at least. */
  function ends() {
    const late = began % every();
    return began - late + every() * (late > BETWEEN_MS ? 2 : 1);
  }

  // --- turns -----------------------------------------------------------------------------------

  function show(turn) {
    at = ((turn % count()) + count()) % count();
    began = Date.now();
    draw();
  }

  function draw() {
    screen.querySelectorAll(".pane").forEach(function (field) {
      const pages = Array.from(field.children);
      pages.forEach(function (page, place) { page.hidden = place !== at % pages.length; });
    });
    turns().forEach(function (button, place) {
      if (place === at) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
    const first = screen.querySelector(".wall-page:not([hidden])");
    const single = screen.querySelectorAll(".pane").length === 1;
    if (single && first) write(root.querySelector("#heading"), first.dataset.title);
    screen.dataset.shown = first ? first.dataset.wall : "";
    fill();
  }

  function fill() {
    const share = held() ? 1 : Math.min(1, (Date.now() - began) / (ends() - began));
    turns().forEach(function (button, place) {
      const length = place === at ? share : 0;
      button.firstElementChild.style.transform = "scaleX(" + length.toFixed(3) + ")";
    });
  }

  function write(element, text) {
    const node = element && element.firstChild;
    if (node && node.nodeType === Node.TEXT_NODE && node.nodeValue !== text) node.nodeValue = text;
  }

  function hold(on) {
    heldUntil = on ? Date.now() + HELD_MS : 0;
    if (!on) began = Date.now();
    showHold();
  }

  function showHold() {
    const button = root.querySelector("#hold");
    if (button) button.setAttribute("aria-pressed", String(held()));
    root.classList.toggle("held", held());
    fill();
  }

  // --- what is at ACT --------------------------------------------------------------------------

  function active() {
    const strip = screen.querySelector("#act-strip [data-acts]");
    return strip ? strip.dataset.acts.split(" ").filter(Boolean) : [];
  }

  function look() {
    const now = Date.now();
    const found = active();
    const fresh = seen === null ? [] : found.filter(function (one) {
      return !seen.has(one) || now - seen.get(one) > FLAP_MS;
    });
    seen = seen || new Map();
    found.forEach(function (one) { seen.set(one, now); });
    seen.forEach(function (last, one) { if (now - last > FORGET_MS) seen.delete(one); });
    lit.forEach(function (one) { if (!found.includes(one)) lit.delete(one); });
    if (fresh.length) forward(fresh);
    showDark();
  }

  /* The page that tells of it: the overview where the list of all is, else the domain's own. */
  function forward(fresh) {
    if (inDarkHours()) fresh.forEach(function (one) { lit.add(one); });
    if (held()) return;
    const wanted = ["overview", fresh[0].split("@")[1], "opd"];
    for (const name of wanted) {
      const page = screen.querySelector('.wall-page[data-wall="' + name + '"]');
      if (page) return show(Array.from(page.parentElement.children).indexOf(page));
    }
  }

  // --- dark hours ------------------------------------------------------------------------------

  function city() {
    return window.pendopo && window.pendopo.city;
  }

  function cityMinute() {
    const parts = {};
    new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: root.dataset.timezone })
      .formatToParts(city() ? city().now() : Date.now())
      .forEach(function (part) { parts[part.type] = part.value; });
    return Number(parts.hour) * 60 + Number(parts.minute);
  }

  function inDarkHours() {
    if (!("darkFrom" in screen.dataset)) return false;
    const from = Number(screen.dataset.darkFrom);
    const to = Number(screen.dataset.darkTo);
    const now = cityMinute();
    return from < to ? from <= now && now < to : from <= now || now < to;
  }

  function showDark() {
    const wanted = inDarkHours();
    if (!wanted) lit.clear();
    const dark = screen.querySelector("#dark");
    const on = wanted && lit.size === 0;
    if (dark.hidden === on) {
      dark.hidden = !on;
      root.classList.toggle("dark-hours", on);
      if (!on) show(at);
    }
    if (on) drawDark(dark);
  }

  /* The clock wanders over the whole screen, so that no pixel is lit for long. */
  function drawDark(dark) {
    const minute = Math.floor(Date.now() / 60000);
    dark.style.setProperty("--x", (minute * 37) % 55 + "%");
    dark.style.setProperty("--y", (minute * 23) % 65 + "%");
    const clock = root.querySelector("#clock");
    dark.querySelector(".dark-clock").textContent = clock ? clock.textContent : "";
    const line = root.querySelector("#connection");
    const lost = line && line.dataset.state === "lost";
    dark.querySelector(".dark-line").textContent = lost ? line.textContent : "";
  }

  // --- once a second ---------------------------------------------------------------------------

  /* The screen that stands in the document. The first paint is taken away when Dash has drawn its own, and
     whatever draws the page anew begins with its first page: the turn goes on where it was. */
  function found() {
    const now = document.querySelector("#pendopo .screen");
    if (!now || !now.querySelector("#act-strip")) return false;
    if (now === screen) return true;
    screen = now;
    root = now.closest("#pendopo");
    draw();
    showHold();
    return true;
  }

  function tick() {
    if (!found()) return;
    const now = Date.now();
    if (now < began) began = now;  // the machine's clock was set back
    if (heldUntil > now + HELD_MS) heldUntil = now + HELD_MS;
    if (heldUntil && !held()) hold(false);
    look();
    if (!held() && count() > 1 && now >= ends()) show(at + 1);
    else fill();
    const shift = SHIFTS[Math.floor(now / SHIFT_MS) % SHIFTS.length];
    root.style.setProperty("--shift-x", shift[0] * 0.25 + "rem");
    root.style.setProperty("--shift-y", shift[1] * 0.25 + "rem");
  }

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !found()) return;
    const key = event.key;
    if (key === "ArrowRight" || key === "PageDown") show(at + 1);
    else if (key === "ArrowLeft" || key === "PageUp") show(at - 1);
    else if (key === "Home") show(0);
    else if (key === "End") show(count() - 1);
    else if (/^[1-9]$/.test(key) && Number(key) <= count()) show(Number(key) - 1);
    else if (key === "p" || key === "P" || (key === " " && !event.target.closest("button,a"))) hold(!held());
    else return;
    event.preventDefault();
  }

  function onClick(event) {
    if (!found()) return;
    const turn = event.target.closest(".turn");
    if (turn) show(turns().indexOf(turn));
    else if (event.target.closest("#hold")) hold(!held());
  }

  function begin() {
    began = Date.now();
    found();
    document.addEventListener("keydown", onKey);
    document.addEventListener("click", onClick);
    setInterval(tick, 1000);
    tick();
  }

  const waiting = new MutationObserver(function () {
    const page = document.getElementById("pendopo");
    if (page && !page.classList.contains("wall")) waiting.disconnect();
    if (!document.querySelector("#pendopo .screen #act-strip")) return;
    waiting.disconnect();
    begin();
  });
  waiting.observe(document.documentElement, { childList: true, subtree: true });
})();
