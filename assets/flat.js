// Draws the markup of layouts/flat.py. The markup is made and escaped on the server.
(function () {
  "use strict";
  var library = (window.pendopo = window.pendopo || {});
  library.Flat = function Flat(props) {
    var attributes = Object.assign({ id: props.id }, props.attributes);
    return library.drawn(props.tag || "div", props.markup, attributes);
  };
})();
