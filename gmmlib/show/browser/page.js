// What belongs to a whole page, not to one element on it.
{
  const TEXT = { hide: "Hide code", show: "Show code" };
  const KEY = "cake-shop-detective-code";

  // A box that scrolls sideways must be reachable by keyboard, and only then be a stop for Tab.
  // Asking for its width has the browser lay it out: a few boxes at a time, when there is time,
  // and all answers of a turn before the first change.
  const BOXES = ".katex-display, .scrolls, div.highlight pre";
  const whenIdle = globalThis.requestIdleCallback ?? ((task) => setTimeout(task, 20));
  let waiting = [];
  const work = (turn) => {
    const answers = [];
    do {
      const box = waiting.shift();
      // A formula off the screen is laid out (and its fonts are fetched, which printing needs)
      // only when something within it is asked for its place.
      box.firstElementChild?.getBoundingClientRect();
      answers.push([box, box.scrollWidth > box.clientWidth + 1]);
    } while (waiting.length && turn?.timeRemaining() > 5);
    for (const [box, scrolls] of answers) {
      if (scrolls) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
    if (waiting.length) whenIdle(work);
  };
  casebook.tabStops = () => {
    const resting = waiting.length === 0;
    waiting = [...document.querySelectorAll(BOXES)];
    if (resting && waiting.length) whenIdle(work);
  };
  addEventListener("load", casebook.tabStops);
  addEventListener("resize", casebook.tabStops);
  document.addEventListener("toggle", casebook.tabStops, true);
  document.fonts.addEventListener("loadingdone", casebook.tabStops);

  // JupyterLab's shortcuts would take Enter and the arrow keys from buttons and options. They leave
  // alone what bears this mark itself; one on an element around it does not help.
  document.addEventListener("focusin", ({ target }) => {
    if (target.closest("[data-casebook]")) target.dataset.lmSuppressShortcuts = "true";
  });

  // A page to read without its code: the outputs stay. The choice holds for the whole book.
  const header = document.querySelector(".article-header-buttons");
  if (header && document.querySelector("div.cell_input")) {
    let hidden = false;
    try {
      hidden = localStorage.getItem(KEY) === "hidden";
    } catch {
      // forgotten at the end of the page
    }
    const button = node("button", { type: "button", class: "btn btn-sm gmm-code-switch" });
    const update = () => {
      document.documentElement.classList.toggle("gmm-no-code", hidden);
      button.textContent = hidden ? TEXT.show : TEXT.hide;
      casebook.tabStops();
    };
    button.addEventListener("click", () => {
      // The line that the reader is at stays where it is.
      const lines = document.querySelectorAll("article :is(h2, h3, p, li, .math)");
      const line = [...lines].find((each) => each.getBoundingClientRect().top > 60);
      const place = line?.getBoundingClientRect().top;
      hidden = !hidden;
      update();
      if (line) scrollBy({ top: line.getBoundingClientRect().top - place, behavior: "instant" });
      try {
        localStorage.setItem(KEY, hidden ? "hidden" : "shown");
      } catch {
        // as above
      }
    });
    header.prepend(button);
    update();
  }
}
