// Draws the markup of layouts/flat.py. The markup is made and escaped on the server.
(function () {
  "use strict";
  var library = (window.pendopo = window.pendopo || {});
  library.Flat = function Flat(props) {
    var region = props.label ? { role: "region", "aria-label": props.label, tabIndex: 0 } : {};
    return window.React.createElement("div", Object.assign({
      id: props.id,
      className: props.className || undefined,
      dangerouslySetInnerHTML: { __html: props.markup || "" },
    }, region));
  };
})();
