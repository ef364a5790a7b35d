/* Asks whether this screen's code was assigned, shows the next code when it ran out, and goes on to
   the screen's page once it is one. It never gives up: somebody may come tomorrow. */
(function () {
  "use strict";

  const EVERY_MS = 2000;
  const LONGEST_MS = 10000;
  const build = document.documentElement.dataset.build;
  let wait = EVERY_MS;

  function show(code) {
    document.getElementById("code").textContent = code;
    document.querySelectorAll(".typed").forEach(function (place) {
      place.textContent = code.replace(" ", "");
    });
  }

  function heard(said) {
    if (said.home) {
      location.replace(said.home);
      return;
    }
    if (said.build !== build) {
      location.reload();
      return;
    }
    show(said.code);
  }

  function ask() {
    fetch("/screen/wait", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
      cache: "no-store",
    })
      .then(function (reply) {
        if (!reply.ok) throw new Error(String(reply.status));
        return reply.json();
      })
      .then(function (said) {
        wait = EVERY_MS;
        document.getElementById("away").hidden = true;
        heard(said);
      })
      .catch(function () {
        wait = Math.min(LONGEST_MS, wait * 2);
        document.getElementById("away").hidden = false;
      })
      .finally(function () { setTimeout(ask, wait); });
  }

  show(document.getElementById("code").textContent);
  setTimeout(ask, EVERY_MS);
})();
