/* A panel that is drawn anew keeps what a person did in it: where the focus is, which tables are unfolded,
   how far a box is scrolled. Dash puts a new panel in place of the old one and would drop all three. */
(function () {
  "use strict";
  const STOPS = "a[href], button, summary, input, select, textarea, [tabindex]";
  const SETTLED_MS = 1000;  // by then a change has long been drawn
  const library = (window.pendopo = window.pendopo || {});

  function all(box, what) {
    return Array.from(box.querySelectorAll(what));
  }

  /* What a stop is known by when its neighbours change: its own name, else where it leads, else its kind. */
  function key(stop) {
    return stop.id || stop.dataset.key || stop.getAttribute("href") || stop.tagName;
  }

  function alike(stops, name) {
    return stops.filter(function (one) { return key(one) === name; });
  }

  function focusIn(box) {
    const stop = document.activeElement;
    if (!stop || stop === box || !box.contains(stop)) return null;
    const stops = all(box, STOPS);
    return { key: key(stop), nth: alike(stops, key(stop)).indexOf(stop), place: stops.indexOf(stop) };
  }

  function scrolledIn(box) {
    return all(box, ".scroll, .scroll-x").map(function (one) { return [one.scrollLeft, one.scrollTop]; });
  }

  /* The same stop; when it is gone the one that took its place. */
  function giveFocus(box, held) {
    const stops = all(box, STOPS);
    const same = alike(stops, held.key);
    const found = same[Math.min(held.nth, same.length - 1)] || stops[Math.min(held.place, stops.length - 1)];
    if (found) found.focus({ preventScroll: true });
  }

  function give(box, held) {
    all(box, "details").forEach(function (one, n) { if (held.open[n]) one.open = true; });
    all(box, ".scroll, .scroll-x").forEach(function (one, n) {
      if (held.scrolled[n]) one.scrollTo(held.scrolled[n][0], held.scrolled[n][1]);
    });
    if (held.focus && document.activeElement === document.body) giveFocus(box, held.focus);
  }

  /* Called just before a panel's content is set. Where nobody did anything in it, as on a wall, nothing is kept. */
  library.keepPlace = function (box) {
    const held = {
      focus: focusIn(box),
      open: all(box, "details").map(function (one) { return one.open; }),
      scrolled: scrolledIn(box),
    };
    const moved = held.scrolled.some(function (one) { return one[0] || one[1]; });
    if (!held.focus && !moved && !held.open.includes(true)) return;
    const watch = new MutationObserver(function () { give(box, held); });
    watch.observe(box, { childList: true, subtree: true });
    setTimeout(function () { watch.disconnect(); }, SETTLED_MS);
  };
})();
