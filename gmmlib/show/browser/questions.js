// Questions and cards. The elements stand in the page already, with every feedback in one closed
// <details>; here they get their buttons, and the feedback of what was chosen is said.
{
  const TEXT = {
    check: "Check",
    choose: "Choose an answer first.",
    right: "✓ right",
    wrong: "✗ not this one",
    allRight: "✓ Right: these, and no others.",
    missing: "Right so far, but not all of them: something that holds is not chosen.",
    notYet: "Not yet: look at what was said of each, and try again.",
    before: "✓ You have answered this one right.",
    knew: "I knew it",
    notYetKnown: "Not yet",
    cardKnown: "✓ known",
    cardAgain: "↻ not yet",
  };

  // A wrong answer invites another try. The whole list opens up after the right one, or after a
  // second wrong one for who is stuck.
  const TRIES = 2;

  // Copies for the page: an id may not occur twice.
  const copy = (element) => {
    const made = element.cloneNode(true);
    for (const inner of made.querySelectorAll("[id]")) inner.removeAttribute("id");
    return made;
  };

  casebook.define("question", ({ el }) => {
    const id = el.dataset.question;
    const inputs = [...el.querySelectorAll("fieldset input")];
    const several = inputs[0].type === "checkbox";
    const reasons = el.querySelector(":scope > details");
    const items = [...reasons.querySelectorAll(":scope > ul > li")];
    const marks = inputs.map((input) => {
      const mark = node("span", { class: "gmm-mark" });
      input.nextElementSibling.append(" ", mark);
      return mark;
    });
    const before = node("span", { class: "gmm-before" });
    const status = node("div", { class: "gmm-status", role: "status" });
    let wrongTries = 0;
    let solved = false;

    const isRight = (index) => items[index].dataset.verdict === "right";
    const mark = (index) => {
      marks[index].textContent = isRight(index) ? TEXT.right : TEXT.wrong;
      marks[index].dataset.verdict = items[index].dataset.verdict;
    };
    const say = (...what) => status.replaceChildren(...what);

    const check = () => {
      const chosen = inputs.flatMap((input, index) => (input.checked ? [index] : []));
      if (!chosen.length) return say(node("p", {}, TEXT.choose));
      if (several) marks.forEach((other) => (other.textContent = ""));
      chosen.forEach(mark);
      const allGood = chosen.every(isRight);
      const nowRight = allGood && items.every((_, i) => !isRight(i) || inputs[i].checked);
      const verdict = nowRight ? TEXT.allRight : allGood ? TEXT.missing : TEXT.notYet;
      const list = node("ul", {}, ...chosen.map((index) => copy(items[index])));
      say(...(several ? [node("p", {}, node("strong", {}, verdict))] : []), list);
      if (nowRight) solved = true;
      else wrongTries += 1;
      // What was once answered right stays so: who looks at a wrong option afterwards is curious.
      progress.answer(id, solved || progress.read().answers[id] === true);
      casebook.tabStops?.();
    };

    el.querySelector("fieldset").after(
      node(
        "div",
        { class: "gmm-buttons" },
        node("button", { type: "button", onclick: check }, TEXT.check),
        before,
      ),
      status,
    );
    progress.watch((state) => {
      const was = state.answers[id] === true;
      before.textContent = was && !solved ? TEXT.before : "";
      reasons.hidden = !(was || solved || wrongTries >= TRIES);
    });
  });

  casebook.define("card", ({ el }) => {
    const id = el.dataset.card;
    const front = el.querySelector("summary");
    const sign = node("span", { class: "gmm-mark" });
    front.append(" ", sign);
    const button = (text, known) =>
      node("button", { type: "button", onclick: () => put(known) }, text);
    const knew = button(TEXT.knew, true);
    const notYet = button(TEXT.notYetKnown, false);
    // The card turns back, and the keyboard stays on it: its front now says what was put.
    const put = (known) => {
      progress.card(id, known);
      el.open = false;
      front.focus();
    };
    el.append(node("div", { class: "gmm-buttons" }, knew, notYet));
    progress.watch(({ cards }) => {
      const known = cards[id];
      sign.textContent = known === undefined ? "" : known ? TEXT.cardKnown : TEXT.cardAgain;
      sign.dataset.verdict = known === undefined ? "" : known ? "right" : "again";
      knew.setAttribute("aria-pressed", String(known === true));
      notYet.setAttribute("aria-pressed", String(known === false));
    });
  });
}
