/* Markup that is drawn anew keeps what a person did in it: where the focus is, which tables are unfolded,
   how far a box is scrolled. React sets the markup as a whole and would drop all three. */
(function () {
  "use strict";
  const STOPS = "a[href], button, summary, input, select, textarea, [tabindex]";
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

  /* Read while the old markup still stands. */
  function held(box) {
    const stop = document.activeElement;
    const inside = stop && stop !== box && box.contains(stop);
    const stops = inside ? all(box, STOPS) : [];
    return {
      key: inside ? key(stop) : null,
      nth: inside ? alike(stops, key(stop)).indexOf(stop) : 0,
      place: stops.indexOf(stop),
      open: all(box, "details").map(function (one) { return one.open; }),
      scrolled: all(box, ".scroll, .scroll-x").map(function (one) { return [one.scrollLeft, one.scrollTop]; }),
    };
  }

  function give(box, before) {
    all(box, "details").forEach(function (one, n) { if (before.open[n]) one.open = true; });
    all(box, ".scroll, .scroll-x").forEach(function (one, n) {
      if (before.scrolled[n]) one.scrollTo(before.scrolled[n][0], before.scrolled[n][1]);
    });
    if (before.key !== null && !box.contains(document.activeElement)) giveFocus(box, before);
  }

  /* The same stop; when it is gone the one that took its place, else the box itself. */
  function giveFocus(box, before) {
    const stops = all(box, STOPS);
    const same = alike(stops, before.key);
    const found = same[Math.min(before.nth, same.length - 1)] || stops[Math.min(before.place, stops.length - 1)];
    (found || box).focus({ preventScroll: true });
  }

  /* An element of markup. Called while React renders, so its box still holds what was drawn before. */
  library.drawn = function (kind, markup, attributes) {
    const React = window.React;
    const box = React.useRef(null);
    const last = React.useRef(markup);
    const before = box.current && last.current !== markup ? held(box.current) : null;
    React.useLayoutEffect(function () {
      last.current = markup;
      if (before) give(box.current, before);
    }, [markup]);
    const inside = markup ? { dangerouslySetInnerHTML: { __html: markup } } : {};
    return React.createElement(kind, Object.assign({ ref: box }, inside, attributes));
  };
})();
