/* Arrow keys lead from link to link in a table that asks for it: up and down within a column, left and
   right within a row. Tab still goes through all of them. */
(function () {
  "use strict";

  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  document.addEventListener("keydown", function (event) {
    const step = STEPS[event.key];
    const cell = step && document.activeElement.closest("table[data-arrows] :is(td, th)");
    if (!cell || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const rows = Array.from(cell.closest("table").rows);
    let row = rows.indexOf(cell.parentElement) + step[0];
    let column = cell.cellIndex + step[1];
    while (rows[row] && rows[row].cells[column]) {
      const link = rows[row].cells[column].querySelector("a");
      if (link) {
        event.preventDefault();
        link.focus();
        return;
      }
      row += step[0];
      column += step[1];
    }
  });
})();
