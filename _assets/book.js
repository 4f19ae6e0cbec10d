// A box that scrolls sideways must be reachable by keyboard, and only then be a stop for Tab.
(() => {
  const boxes = ".katex-display, .scrolls, div.highlight pre";
  const update = () => {
    for (const box of document.querySelectorAll(boxes)) {
      if (box.scrollWidth > box.clientWidth + 1) {
        box.tabIndex = 0;
      } else {
        box.removeAttribute("tabindex");
      }
    }
  };
  addEventListener("load", update);
  addEventListener("resize", update);
  document.addEventListener("toggle", update, true);
})();
