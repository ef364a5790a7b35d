/* Every text of a page that shows: [what is wrong, where, the text] for those that are cut off, run into a
   neighbour, stand outside the screen or are smaller than they may be. */
(function (least) {
  const found = [];
  const wide = innerWidth, high = innerHeight;
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const unseen = ".visually-hidden, #live-line, .skip, svg, [hidden]";
  const boxes = ".tile, .wall-block, .attention, .strip, .head, td, th, .turns, .wall-page";

  function say(what, element) {
    found.push([what, element.className || element.tagName, element.textContent.trim().slice(0, 40)].join(" | "));
  }

  function rectOf(node) {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getBoundingClientRect();
  }

  const walker = document.createTreeWalker(document.getElementById("pendopo"), NodeFilter.SHOW_TEXT);
  const spots = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.nodeValue.trim() || element.closest(unseen) || !element.checkVisibility()) continue;
    if (getComputedStyle(element).clipPath !== "none") continue;
    const text = rectOf(node);
    const size = parseFloat(getComputedStyle(element).fontSize);
    // Letters reach as far as the font says; a line may be set closer than that.
    const slack = Math.max(0, (text.height - size) / 2);
    if (text.left < -1 || text.right > wide + 1 || text.top + slack < -1 || text.bottom - slack > high + 1) {
      say("off the screen", element);
    }
    const box = element.closest(boxes);
    const edge = box ? box.getBoundingClientRect() : { left: 0, right: wide, top: 0, bottom: high };
    if (text.left < edge.left - 1 || text.right > edge.right + 1) say("wider than its box", element);
    if (text.top + slack < edge.top - 1 || text.bottom - slack > edge.bottom + 1) say("higher than its box", element);
    if (size / rem < least - 0.01 && !element.closest(".demo-mark")) say("small: " + size / rem, element);
    spots.push([element, text, slack]);
  }
  spots.forEach(function (one, place) {
    spots.slice(place + 1).forEach(function (other) {
      const across = Math.min(one[1].right, other[1].right) - Math.max(one[1].left, other[1].left);
      const down = Math.min(one[1].bottom - one[2], other[1].bottom - other[2]) -
        Math.max(one[1].top + one[2], other[1].top + other[2]);
      if (across > 1 && down > 1) say("runs into '" + other[0].textContent.trim().slice(0, 30) + "'", one[0]);
    });
  });
  document.querySelectorAll("#pendopo *").forEach(function (element) {
    if (element.closest(unseen) || !element.checkVisibility() || !element.clientWidth) return;
    const style = getComputedStyle(element);
    if (style.clipPath !== "none") return;
    if (style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1) say("cut off sideways", element);
    if (style.overflowY !== "visible" && element.scrollHeight > element.clientHeight + 1) say("cut off below", element);
  });
  scrollTo(500, 500);
  if (scrollX || scrollY) found.push("the page scrolls");
  return found;
})
