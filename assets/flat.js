// Draws the markup of layouts/flat.py. The markup is made and escaped on the server.
(function () {
  "use strict";
  var library = (window.pendopo = window.pendopo || {});
  library.Flat = function Flat(props) {
    var region = props.label ? { role: "region", "aria-label": props.label, tabIndex: 0 } : {};
    var attributes = { id: props.id, className: props.className || undefined };
    return library.drawn("div", props.markup, Object.assign(attributes, region));
  };
})();
