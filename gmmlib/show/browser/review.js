// The question bank and the deck: search, filters, a draw at random; and the text to write. Each
// question and card stands in the page already, under its chapter, and is moved while it is shown
// among what was found.
{
  const TEXT = {
    question: { name: "question", known: "answered right", not: "Not yet right" },
    card: { name: "card", known: "known", not: "Not yet known" },
    words: "Words",
    chapter: "Chapter",
    show: "Show",
    all: "All",
    ten: "Ten at random",
    shuffle: "Shuffle",
    backs: "Show backs",
    reset: "Start again",
    none: "Nothing found. Fewer words find more.",
    your: "Your text",
    kept: "Kept in this browser only, and sent to nobody.",
  };
  const TEN = 10;
  const QUIET = 300; // ms without a change, before it is said or kept

  // Small letters without accents, so that Jerome finds Jérôme.
  const fold = (text) =>
    text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[’‘]/g, "'").toLowerCase();

  const later = (task) => {
    let waiting = 0;
    return () => {
      clearTimeout(waiting);
      waiting = setTimeout(task, QUIET);
    };
  };

  const shuffled = (items) => {
    const order = [...items];
    for (let last = order.length - 1; last > 0; last -= 1) {
      const other = Math.floor(Math.random() * (last + 1));
      [order[last], order[other]] = [order[other], order[last]];
    }
    return order;
  };

  const plural = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;

  let reviews = 0;

  casebook.define("review", ({ el }) => {
    const kind = el.dataset.kind;
    const words = TEXT[kind];
    const prefix = `gmm-review-${kind}-${(reviews += 1)}`;
    const groups = [...el.querySelectorAll(":scope > [data-chapter]:not([data-casebook])")];
    const items = groups.flatMap((group) => {
      const link = group.querySelector("h4");
      const home = group.querySelector(":scope > details");
      const found = [...home.querySelectorAll(":scope > div, :scope > details")];
      return found.map((element) => {
        const source = node("p", { class: "gmm-source" }, "From ");
        source.append(...[...link.childNodes].map((child) => child.cloneNode(true)));
        for (const inner of source.querySelectorAll("[id]")) inner.removeAttribute("id");
        const holder = node("div", { class: "gmm-review-item" });
        element.before(holder);
        holder.append(source, element);
        return {
          element,
          holder,
          home,
          chapter: group.dataset.chapter,
          words: fold(`${link.textContent} ${element.textContent}`),
        };
      });
    });

    const isKnown = ({ element }) => {
      const { answers, cards } = progress.read();
      return (kind === "question" ? answers[element.dataset.question] : cards[element.dataset.card]) === true;
    };

    // Controls
    const field = (name, text, control) => {
      control.id = `${prefix}-${name}`;
      return node("div", {}, node("label", { for: control.id }, text), control);
    };
    const option = (value, text) => node("option", { value }, text);
    const search = node("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    const titles = groups.map((group) => option(group.dataset.chapter, group.querySelector("h4").textContent.trim()));
    const chapter = node("select", { autocomplete: "off" }, option("", TEXT.all), ...titles);
    const state = node("select", { autocomplete: "off" }, option("", TEXT.all), option("not", words.not));
    const status = node("p", { role: "status" });
    const found = node("div", { class: "gmm-review-found" });
    const backs = node("button", { type: "button", "aria-pressed": "false" }, TEXT.backs);
    const button = (text, onclick) => node("button", { type: "button", onclick }, text);

    const matching = () => {
      const wanted = fold(search.value).split(/\s+/).filter(Boolean);
      return items.filter(
        (item) =>
          (!chapter.value || item.chapter === chapter.value) &&
          (!state.value || !isKnown(item)) &&
          wanted.every((word) => item.words.includes(word)),
      );
    };

    let said = "";
    const say = () => {
      const known = items.filter(isKnown).length;
      const text = `${said} ${known} of ${items.length} ${words.known}.`;
      if (status.textContent !== text) status.textContent = text;
    };
    const sayLater = later(say);

    // Shows these in this order; without any choice, all of them under their chapters.
    const put = (chosen, what) => {
      const listed = new Set(chosen ?? []);
      for (const item of items) if (!listed.has(item)) item.home.append(item.holder);
      for (const group of groups) group.hidden = chosen !== null;
      found.replaceChildren(...(chosen ?? []).map((item) => item.holder));
      if (chosen && !chosen.length) found.append(node("p", {}, TEXT.none));
      said = what;
      sayLater();
      casebook.tabStops?.();
    };
    const update = () => {
      if (!search.value.trim() && !chapter.value && !state.value) {
        return put(null, `${plural(items.length, words.name)}.`);
      }
      const chosen = matching();
      put(chosen, `${plural(chosen.length, words.name)} found.`);
    };
    const ten = () => {
      // What is not known yet comes first.
      const chosen = shuffled(matching());
      const draw = [...chosen.filter((item) => !isKnown(item)), ...chosen.filter(isKnown)].slice(0, TEN);
      put(draw, `${plural(draw.length, words.name)} at random.`);
    };
    const shuffle = () => {
      const chosen = shuffled(matching());
      put(chosen, `${plural(chosen.length, words.name)}, shuffled.`);
    };
    const turn = (open) => {
      backs.setAttribute("aria-pressed", String(open));
      for (const { element } of items) element.open = open;
      // Or who has searched for nothing yet would see nothing happen.
      if (open) for (const group of groups) group.querySelector(":scope > details").open = true;
    };
    const reset = () => {
      search.value = chapter.value = state.value = "";
      if (kind === "card") turn(false);
      for (const { home } of items) home.open = false;
      update();
    };
    backs.addEventListener("click", () => turn(backs.getAttribute("aria-pressed") !== "true"));
    search.addEventListener("input", update);
    chapter.addEventListener("change", update);
    state.addEventListener("change", update);

    const buttons = kind === "question" ? [button(TEXT.ten, ten)] : [button(TEXT.shuffle, shuffle), backs];
    const bar = node(
      "div",
      { class: "gmm-review-bar", role: "search", "aria-label": `Search the ${words.name}s` },
      field("words", TEXT.words, search),
      field("chapter", TEXT.chapter, chapter),
      field("state", TEXT.show, state),
      node("div", { class: "gmm-buttons" }, ...buttons, button(TEXT.reset, reset)),
    );
    el.prepend(bar, status, found);
    update();
    say();
    progress.watch(sayLater);
  });

  const sentences = (text) => {
    const hasWords = (piece) => /[\p{L}\p{N}]/u.test(piece);
    if (!Intl.Segmenter) return text.split(/[.!?…。！？]+(?:\s|$)/).filter(hasWords).length;
    const pieces = new Intl.Segmenter("en", { granularity: "sentence" }).segment(text);
    return [...pieces].filter(({ segment }) => hasWords(segment)).length;
  };

  casebook.define("explain", ({ el, fallback }) => {
    const id = el.dataset.text;
    const boxes = [...el.querySelectorAll("fieldset input")];
    const area = node("textarea", { rows: "8", id: `gmm-explain-${id.replace(/\W/g, "-")}` });
    const status = node("p", { role: "status" });
    const count = () => {
      status.textContent = `${plural(sentences(area.value), "sentence")}. ${TEXT.kept}`;
    };
    const keep = () => {
      const ideas = boxes.flatMap((box, index) => (box.checked ? [index] : []));
      progress.text(id, { text: area.value, ideas });
      count();
    };
    const keepLater = later(keep);
    area.addEventListener("input", keepLater);
    area.addEventListener("change", keep);
    for (const box of boxes) box.addEventListener("change", keep);
    fallback.replaceWith(node("label", { for: area.id }, TEXT.your), area, status);
    progress.watch(({ texts }) => {
      if (document.activeElement === area) return; // somebody is writing
      area.value = texts[id]?.text ?? "";
      boxes.forEach((box, index) => (box.checked = texts[id]?.ideas.includes(index) ?? false));
      count();
    });
  });
}
