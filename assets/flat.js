// Draws the markup of layouts/flat.py. The markup is made and escaped on the server.
(function () {
  "use strict";
  var library = (window.pendopo = window.pendopo || {});
  library.Flat = function Flat(props) {
    var inside = props.markup ? { dangerouslySetInnerHTML: { __html: props.markup } } : {};
    return window.React.createElement(props.tag || "div", Object.assign({ id: props.id }, props.attributes, inside));
  };
})();
