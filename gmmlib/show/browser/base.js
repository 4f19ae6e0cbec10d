// What every live element shares. The files of this folder are joined into one classic script
// (gmmlib/show/live.py), this one first; PALETTE holds the components' colours.
const casebook = (globalThis.casebook = { kinds: {}, palette: PALETTE });

// render({ el, payload, fallback, model }) draws one element into el; model is the kernel's side in
// JupyterLab and null on a page.
casebook.define = (kind, render) => {
  casebook.kinds[kind] = render;
};

// Draw every element that is not drawn yet. One that fails keeps its fallback.
casebook.start = (root = document) => {
  for (const el of root.querySelectorAll("[data-casebook]:not([data-drawn])")) {
    const render = casebook.kinds[el.dataset.casebook];
    if (!render) continue;
    el.dataset.drawn = "";
    const data = el.querySelector(':scope > script[type="application/json"]');
    const fallback = el.querySelector(":scope > .gmm-fallback");
    try {
      render({ el, payload: data ? JSON.parse(data.textContent) : {}, fallback, model: null });
    } catch (error) {
      console.error(`${el.dataset.casebook}: ${error.message}`);
    }
  }
};

// node("button", { type: "button", onclick: f }, "Play"): an HTML element; svg(...) one of SVG.
// Attributes whose value is a function are listeners; true sets a bare attribute, false none.
const make = (create) => (tag, attributes = {}, ...children) => {
  const element = create(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};
const node = make((tag) => document.createElement(tag));
const svg = make((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
Object.assign(casebook, { node, svg });

// A number with so many decimals, a true minus sign, and none before a zero.
const fixed = (value, digits) =>
  value.toFixed(digits).replace(/^-(?=[0.]*$)/, "").replace("-", "−");

// The d of a path through points [x, y].
const pathThrough = (points) =>
  `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`;

// A number in [0, 1) that a whole number is mixed into (mulberry32): equal for equal states, and as
// good as random from one state to the next.
const mulberry32 = (state) => {
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// What a reader has done, kept in this browser and nowhere else. Where the browser keeps nothing
// (a private window, a blocked store), the page still works and forgets at the end.
const progress = (casebook.progress = (() => {
  const key = "cake-shop-detective";
  const empty = () => ({ answers: {}, cards: {}, finished: {}, texts: {} });
  let state = empty();
  const listeners = [];
  const load = () => {
    try {
      state = { ...empty(), ...JSON.parse(localStorage.getItem(key) ?? "{}") };
    } catch {
      // keep what is in memory
    }
  };
  const save = () => {
    try {
      localStorage.setItem(key, JSON.stringify(state));
    } catch {
      // in memory only
    }
    listeners.forEach((listener) => listener(state));
  };
  const change = (part) => (id, value) => {
    load();
    state[part][id] = value;
    save();
  };
  load();
  addEventListener("storage", (event) => {
    if (event.key !== key) return;
    load();
    listeners.forEach((listener) => listener(state));
  });
  return {
    read: () => state,
    answer: change("answers"), // id of a question -> was it ever answered right
    card: change("cards"), // id of a card -> known
    finish: change("finished"), // stem of a chapter -> finished
    text: change("texts"), // id of a text to write -> the text, and the numbers of its ideas
    reset: () => {
      state = empty();
      save();
    },
    watch: (listener) => {
      listeners.push(listener);
      listener(state);
    },
  };
})());
