/* A machine's time that goes on evenly and never back: pendopo.steady(), in milliseconds.

   Of the two clocks a browser has, one may be set at any moment (a player without a battery starts in
   another year and is put right later), and the other may stand still while the machine sleeps. Where
   they part by more than a moment, the longer of the two spans is taken: an age is then said too long
   rather than too short, until the server tells its time again, which is asked for at once
   (pendopo:jump). */
(function () {
  "use strict";

  const APART_MS = 1000;
  let wall = Date.now();
  let even = performance.now();
  let shown = wall;

  function steady() {
    const byWall = Date.now() - wall;
    const byEven = performance.now() - even;
    wall += byWall;
    even += byEven;
    shown += byWall - byEven > APART_MS ? byWall : byEven;
    if (Math.abs(byWall - byEven) > APART_MS) {
      setTimeout(function () { document.dispatchEvent(new CustomEvent("pendopo:jump")); });
    }
    return shown;
  }

  (window.pendopo = window.pendopo || {}).steady = steady;
})();
