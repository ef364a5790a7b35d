/* Keeps an open page current: one event stream, the panels it brings, the clock, the ages, and what
   the page itself has to say when the server cannot.

   The html element names the stream (data-live), the build the page came from (data-build); the
   shell's root (#pendopo) brings the texts, the time zone and the speed of the city's clock. The first
   such root came with the document itself; Dash draws the same once its scripts run, and from then on
   the stream keeps it current. A page that the service worker kept (data-saved, since when) has no stream:
   it says how old it is, and is asked for again until the server answers. Nothing here grows: one stream, one timer, one click listener, at most
   one held copy of each panel. */
(function () {
  "use strict";

  const QUIET_MS = 25000;    // heartbeats come every 10 s; after this long without any, the stream is dead
  const GRACE_MS = 3000;     // a stream that is back sooner was never worth a word
  const LINE_MS = 10000;     // a screen reader is told of changes at most this often
  const FIRST_MS = 500;      // the first wait before a lost stream is opened again; it doubles …
  const LONGEST_MS = 10000;  // … up to this, each a little random so that all screens do not come at once
  const UPGRADE_MS = 5000;   // screens reload after an upgrade spread over this long, or …
  const RELOAD_COST = 10;    // … this many times as long as their streams take to come back
  const EMPTY_MS = 20000;    // a page that is still empty after this long is fetched again
  const AGED_MS = 60000;     // figures that nobody has renewed for this long are dressed as stale
  const KEEP_MS = 60000;     // how often what is shown is kept for when the server is away
  const RELOADED = "pendopo-reloaded";

  const steady = window.pendopo.steady;
  const html = document.documentElement;
  const saved = Number(html.dataset.saved) || 0;
  let root = null;
  let drawn = false;         // whether Dash has drawn the page and its panels can be set
  let met = false;           // whether the stream has ever said anything
  let source = null;
  let reopening = 0;
  let tries = 0;
  let spread = 0;            // in how many ms all open pages come back, as the server said last
  let heard = 0;             // when the stream last said anything, in this machine's time
  let kept = 0;              // as of when the service worker has what is shown
  let lost = 0;              // when it broke off, 0 while it stands
  let anchor = null;         // the city's time at one moment of this machine's
  let paused = false;
  let held = new Map();      // panels that wait: for the pause to end, or for the live line's turn
  let lineAt = 0;

  // --- the city's time -------------------------------------------------------------------------

  function cityNow() {
    return anchor.city + (steady() - anchor.here) * anchor.speed;
  }

  function setClock(city) {
    anchor = { city: city, here: steady(), speed: Number(root.dataset.clockSpeed) || 1 };
  }

  /* For the scripts beside this one: the city's time in ms, and the time of day as the page writes it. */
  (window.pendopo = window.pendopo || {}).city = { now: cityNow, timeOfDay: timeOfDay };

  const formats = {};

  function format(name, options) {
    if (!formats[name]) {
      options.timeZone = root.dataset.timezone;
      formats[name] = new Intl.DateTimeFormat(root.dataset.locale, options);
    }
    return formats[name];
  }

  function timeOfDay(ms) {
    return format("time", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);
  }

  function age(ms) {
    const minutes = Math.floor(ms / 60000);
    const words = root.dataset;
    if (minutes < 1) return words.ageNow;
    if (minutes < 60) return words.ageMinutes.replace("{n}", minutes);
    if (minutes < 1440) return words.ageHours.replace("{n}", Math.floor(minutes / 60));
    return words.ageDays.replace("{n}", new Intl.NumberFormat(words.locale).format(Math.floor(minutes / 1440)));
  }

  /* Writes into the text node that is there, so that React still finds its own. */
  function write(element, text) {
    const node = element.firstChild;
    if (node && node.nodeType === Node.TEXT_NODE) {
      if (node.nodeValue !== text) node.nodeValue = text;
    } else if (!node) {
      element.textContent = text;
    }
  }

  function tickClock() {
    const clock = document.getElementById("clock");
    if (!clock) return;
    const now = cityNow();
    write(clock, format("day", { weekday: "long" }).format(now) + " " + timeOfDay(now) + " " + root.dataset.zone);
  }

  function tickAges() {
    const now = cityNow();
    root.querySelectorAll("[data-since],[data-observed]").forEach(function (element) {
      const at = Number(element.dataset.since || element.dataset.observed);
      if (at) write(element, (element.dataset.ageForm || "{age}").replace("{age}", age(now - at)));
    });
  }

  // --- the connection --------------------------------------------------------------------------

  function showConnection() {
    const place = document.getElementById("connection");
    if (!place) return;
    const away = saved || (lost && steady() - lost > GRACE_MS);
    const since = away ? timeOfDay(anchor.city + (lost - anchor.here) * anchor.speed) : "";
    const fine = met ? root.dataset.connected : root.dataset.connecting;
    write(place, away ? root.dataset.disconnected.replace("{time}", since) : fine);
    place.dataset.state = away ? "lost" : met ? "ok" : "waiting";
    root.classList.toggle("disconnected", Boolean(away));
    if (saved || (lost && steady() - lost > AGED_MS)) grow();
  }

  /* Figures that nobody renews say so, each of them; a full state takes all of it back. */
  function grow() {
    const since = anchor.city + (lost - anchor.here) * anchor.speed;
    const old = age(Math.max(0, cityNow() - since));
    window.pendopo.grow(root, old);
    if (!saved) return;
    let band = root.querySelector(".aged-band");
    if (!band) {
      band = document.createElement("div");
      band.className = "aged-band";
      band.setAttribute("role", "status");
      band.append(document.createElement("span"), document.createElement("span"));
      band.lastChild.className = "aged-note";
      band.lastChild.textContent = root.dataset.agedNote;
      root.prepend(band);
    }
    const day = format("date", { weekday: "long", day: "numeric", month: "long" }).format(since);
    band.firstChild.textContent = root.dataset.agedForm
      .replace("{when}", day + " " + timeOfDay(since) + " " + root.dataset.zone)
      .replace("{age}", old);
  }

  /* Hands the service worker what is shown, as of when the stream last said that it is so. */
  function keep() {
    if (!met || paused || heard <= kept || root.classList.contains("aged")) return;
    kept = heard;
    window.pendopo.keep(root, anchor.city + (heard - anchor.here) * anchor.speed, steady() - heard);
  }

  function open() {
    clearTimeout(reopening);
    reopening = 0;
    if (source) source.close();
    heard = steady();
    source = new EventSource(html.dataset.live);
    ["state", "patch", "beat"].forEach(function (name) { source.addEventListener(name, onEvent); });
    source.onerror = onBroken;
  }

  /* For the scripts beside this one: pendopo:heard, pendopo:change with the city's time, pendopo:lost. */
  function say(what, detail) {
    document.dispatchEvent(new CustomEvent("pendopo:" + what, { detail: detail }));
  }

  /* The browser's own reopening gives up on some errors; this one never does. */
  function onBroken() {
    if (source) source.close();
    source = null;
    if (!lost) lost = heard;
    say("lost");
    keep();
    if (reopening) return;
    const wait = Math.min(LONGEST_MS, FIRST_MS * Math.pow(2, tries)) * (0.5 + Math.random());
    tries = Math.min(tries + 1, 10);
    reopening = setTimeout(open, Math.max(wait, Math.random() * spread));
  }

  function onEvent(message) {
    const said = JSON.parse(message.data);
    heard = steady();
    lost = 0;
    tries = 0;
    spread = said.spread || 0;
    setClock(said.now);
    say("heard");
    if (said.build !== html.dataset.build) {
      reloadFor(said.build);
    } else if (said.panels) {
      if (met || !isShown(said)) apply(said.panels);
      say("change", { at: said.now });
    }
    met = true;
    if (!paused) root.classList.remove("aged");
    showConnection();
  }

  /* Whether the page was drawn from the very state the stream begins with, so that nothing is to be done. */
  function isShown(said) {
    return said.store_ok && root.dataset.store === "ok" && Date.parse(said.at) === Number(root.dataset.at);
  }

  /* Once for each build: should two servers of different builds take turns, the page stays as it is. */
  function reloadFor(build) {
    if (reloadFor.due || sessionStorage.getItem(RELOADED) === build) return;
    reloadFor.due = true;
    setTimeout(function () {
      reload(function () { sessionStorage.setItem(RELOADED, build); });
    }, Math.random() * Math.max(UPGRADE_MS, spread * RELOAD_COST));
  }

  /* Only when the page is there to be had: a screen that reloads into nothing never comes back. */
  function reload(before) {
    fetch(location.href, { method: "HEAD", cache: "no-store" })
      .then(function (reply) {
        if (!reply.ok) throw new Error(String(reply.status));
        before();
        location.reload();
      })
      .catch(function () { setTimeout(reload, UPGRADE_MS, before); });
  }

  // --- the panels ------------------------------------------------------------------------------

  function apply(panels) {
    Object.keys(panels).forEach(function (id) {
      const early = id === "live-line" && steady() - lineAt < LINE_MS;
      if (paused || early) {
        held.set(id, panels[id]);
      } else {
        held.delete(id);
        place(id, panels[id]);
      }
    });
    tickAges();
  }

  /* Only the children of a panel's own place are set: no callback takes them as its input, and what
     one does take would be kept in Dash's history for ever. */
  function place(id, content) {
    const box = document.getElementById(id);
    if (!box) return;
    if (id === "live-line") lineAt = steady();
    window.pendopo.keepPlace(box);
    window.dash_clientside.set_props(id, { children: content });
  }

  function release() {
    const waiting = held;
    held = new Map();
    apply(Object.fromEntries(waiting));
  }

  function togglePause(button) {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    write(button, paused ? root.dataset.resume : root.dataset.pause);
    root.classList.toggle("paused", paused);
    if (!paused) release();
  }

  // --- once a second ---------------------------------------------------------------------------

  function tick() {
    if (!document.contains(root)) root = document.getElementById("pendopo") || root;
    if (source && steady() - heard > QUIET_MS) onBroken();
    if (heard - kept > KEEP_MS) keep();
    if (!paused && held.size) release();
    tickClock();
    tickAges();
    showConnection();
  }

  function begin() {
    setClock(Number(root.dataset.at));
    if (saved) {
      anchor.here = Math.min(saved, steady());
      lost = anchor.here;
    }
    document.addEventListener("click", function (event) {
      const button = event.target.closest("#pause");
      if (button && drawn) togglePause(button);
    });
    setInterval(tick, 1000);
    tick();
  }

  /* Dash's page takes the place of the first paint, and of its focus, before anything is painted again. */
  function takeOver(page) {
    const first = document.getElementById("first");
    const at = first ? focusable(first).indexOf(document.activeElement) : -1;
    if (first) first.remove();
    root = page;
    drawn = true;
    if (at >= 0) (focusable(root)[at] || root).focus({ preventScroll: true });
    window.addEventListener("online", function () { if (!source) open(); });
    // After a sleep, or when this machine's clock was set: what time it is, and what is, has to be heard anew.
    document.addEventListener("pendopo:jump", open);
    document.addEventListener("visibilitychange", keep);
    window.addEventListener("pagehide", function () { keep(); if (source) source.close(); source = null; });
    window.addEventListener("pageshow", function (event) { if (event.persisted) open(); });
    tick();
    open();
  }

  function focusable(within) {
    return Array.from(within.querySelectorAll("a[href],button,summary,input,select,[tabindex]"));
  }

  /* Should Dash never draw the page, it is asked for again. */
  function awaitPage() {
    const again = setTimeout(reload, EMPTY_MS, function () {});
    const stage = document.getElementById("react-entry-point");
    const waiting = new MutationObserver(function () {
      const page = stage.querySelector("#pendopo");
      if (!page) return;
      waiting.disconnect();
      clearTimeout(again);
      takeOver(page);
    });
    waiting.observe(stage, { childList: true, subtree: true });
  }

  function awaitServer() {
    const soon = function () { reload(function () {}); };
    setTimeout(soon, UPGRADE_MS * (0.5 + Math.random()));
    window.addEventListener("online", soon);
  }

  root = document.getElementById("pendopo");
  if (saved) awaitServer();
  else awaitPage();
  begin();
})();
