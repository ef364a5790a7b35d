/* An enrolled screen (data-screen on the html element) tells the server every half minute how it is:
   what it has received and what of that is on the glass, its memory, its size. A screen that is told
   that it is none any more goes to where it can be enrolled anew. Other pages do nothing here. */
(function () {
  "use strict";

  const EVERY_MS = 30000;
  const FIRST_MS = 5000;     // a page that has not shown anything by then says that
  const SOON_MS = 1000;      // a stream that broke off may have been cut: asked at once, and then …
  const LEAST_MS = 12000;    // … at most this often, which is what the server takes
  const html = document.documentElement;
  if (!html.dataset.screen) return;

  let due = null;            // when the newest change that came was made, in the city's time
  let painted = null;        // when the newest that shows was made
  let connection = "open";
  let timer = 0;
  let asked = -LEAST_MS;     // when a broken stream last made it ask

  function root() { return document.getElementById("pendopo"); }

  /* Two frames after a change the first of them has been shown; a page that is gone shows nothing. */
  function whenPainted(at) {
    requestAnimationFrame(function () {
      requestAnimationFrame(function () {
        const page = root();
        if (!page || page.getBoundingClientRect().height === 0) return;
        if (painted === null) next(SOON_MS);
        painted = Math.max(painted || 0, at);
      });
    });
  }

  function onChange(event) {
    connection = "open";
    due = Math.max(due || 0, event.detail.at);
    whenPainted(event.detail.at);
  }

  function onLost() {
    connection = "lost";
    const now = performance.now();
    if (now < asked) return; // it is about to ask
    asked = Math.max(now + SOON_MS, asked + LEAST_MS);
    next(asked - now);
  }

  function report() {
    const page = document.querySelector("[data-shown]");
    const memory = performance.memory;
    return {
      connection: connection,
      build: html.dataset.build,
      page: page ? page.dataset.shown : "",
      width: window.innerWidth,
      height: window.innerHeight,
      scale: window.devicePixelRatio,
      nodes: document.getElementsByTagName("*").length,
      heap: memory ? memory.usedJSHeapSize : null,
      due: due,
      painted: painted,
    };
  }

  function tell() {
    next(EVERY_MS);
    fetch("/screen/health", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(report()),
      cache: "no-store",
    })
      .then(function (reply) {
        if (reply.status === 403) location.replace("/screen");
      })
      .catch(function () { /* the server is away; the page itself says so */ });
  }

  function next(wait) {
    clearTimeout(timer);
    timer = setTimeout(tell, wait);
  }

  document.addEventListener("pendopo:change", onChange);
  document.addEventListener("pendopo:heard", function () { connection = "open"; });
  document.addEventListener("pendopo:lost", onLost);
  next(FIRST_MS);
})();
