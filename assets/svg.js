// Draws the markup of layouts/svg.py. The markup is made and escaped on the server.
(function () {
  "use strict";
  var library = (window.pendopo = window.pendopo || {});
  library.Svg = function Svg(props) {
    return window.React.createElement("span", {
      id: props.id,
      className: "svg " + (props.className || ""),
      dangerouslySetInnerHTML: { __html: props.markup || "" },
    });
  };
})();
