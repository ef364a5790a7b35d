// A panel whose markup is set anew would drop the keyboard's place in it; this finds the place again.
(function () {
  "use strict";
  const STOPS = "a[href], button, summary, input, select, textarea, [tabindex]";
  const library = (window.pendopo = window.pendopo || {});

  /* What a stop is known by when its neighbours change: its own name, else where it leads, else its place. */
  function key(stop) {
    return stop.id || stop.dataset.key || stop.getAttribute("href") || stop.tagName;
  }

  /* The stop inside `box` that has the focus, or null; read while the old markup still stands. */
  library.heldFocus = function (box) {
    const stop = document.activeElement;
    if (!box || !stop || stop === box || !box.contains(stop)) return null;
    const stops = Array.from(box.querySelectorAll(STOPS));
    const alike = stops.filter(function (one) { return key(one) === key(stop); });
    return { key: key(stop), nth: alike.indexOf(stop), place: stops.indexOf(stop) };
  };

  /* The same stop in the new markup; when it is gone the one that took its place, else the box itself. */
  library.giveFocus = function (box, held) {
    if (!box || !held || box.contains(document.activeElement)) return;
    const stops = Array.from(box.querySelectorAll(STOPS));
    const alike = stops.filter(function (one) { return key(one) === held.key; });
    const found = alike[Math.min(held.nth, alike.length - 1)] || stops[Math.min(held.place, stops.length - 1)] || box;
    found.focus({ preventScroll: true });
  };

  /* A div or span of markup that keeps the focus over a change of it. */
  library.drawn = function (kind, markup, attributes) {
    const React = window.React;
    const box = React.useRef(null);
    const held = library.heldFocus(box.current);
    React.useLayoutEffect(function () { library.giveFocus(box.current, held); }, [markup]);
    return React.createElement(kind, Object.assign({ ref: box, dangerouslySetInnerHTML: { __html: markup || "" } }, attributes));
  };
})();
