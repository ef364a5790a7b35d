/* The side of a page that talks with the service worker, and the looks of figures that nobody renews.

   `window.pendopo.keep(root, at, ago)` hands the worker what the page shows as of `at`, the city's time in
   ms, which was `ago` ms ago;
   `window.pendopo.forget()` removes every snapshot from this device, for whoever signs somebody out;
   `window.pendopo.grow(root, age)` dresses every state as stale, `age` being how long ago it was heard. */
(function () {
  "use strict";

  const library = (window.pendopo = window.pendopo || {});
  const KINDS = ["act", "watch", "late", "on_target", "no_target"];
  // Only where the browser allows it: on localhost, or behind TLS.
  const workers = window.isSecureContext ? navigator.serviceWorker : undefined;

  function tell(message) {
    if (workers && workers.controller) workers.controller.postMessage(message);
  }

  library.keep = function (root, at, ago) {
    if (!workers || !workers.controller) return;
    const copy = root.cloneNode(true);
    copy.dataset.at = String(Math.round(at));
    tell({ type: "snapshot", address: location.href, content: copy.outerHTML, at: Date.now() - ago });
  };

  library.forget = function () {
    tell({ type: "forget" });
    return window.caches ? window.caches.delete("pendopo-pages") : Promise.resolve(false);
  };

  library.grow = function (root, age) {
    root.classList.add("aged");
    root.querySelectorAll(".state").forEach(function (state) {
      const kind = KINDS.find(function (name) { return state.classList.contains(name); });
      if (kind) dress(root, state, kind);
    });
    root.querySelectorAll(".aged-text").forEach(function (text) {
      text.textContent = root.dataset.stale + " " + age;
    });
  };

  /* "was ACT, now STALE": severity and freshness are two things. A tile has room to say both; in a list
     the state stays, as what it was, with the duration it had. */
  function dress(root, state, kind) {
    const box = state.closest(".tile,li,td");
    if (box && box.classList.contains(kind)) {
      box.classList.replace(kind, "stale");
      box.classList.add("was-" + kind);
    }
    state.classList.replace(kind, "stale");
    state.querySelectorAll("[data-since]").forEach(function (one) { one.removeAttribute("data-since"); });
    if (state.closest(".tile")) {
      state.replaceChildren(span("aged-text", ""));
      const was = { act: root.dataset.wasAct, watch: root.dataset.wasWatch }[kind];
      if (was) state.append(span("was", was));
    } else {
      state.classList.add("aged-was");
      state.dataset.before = root.dataset.was.split("{state}")[0];
    }
  }

  function span(name, text) {
    const made = document.createElement("span");
    made.className = name;
    made.textContent = text;
    return made;
  }

  // After everything a first visit waits for.
  window.addEventListener("load", function () {
    if (workers) workers.register("/worker.js").catch(function () {});
  });
})();
