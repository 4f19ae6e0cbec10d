// What a reader has done, in the index, and the button at a chapter's end. base.js keeps it, in
// this browser and nowhere else.
{
  const TEXT = {
    finished: "I have finished this chapter",
    done: (n, of) => `${n} of ${of}`,
    yes: "✓ yes",
    no: "not yet",
    kept: "Kept in this browser only, and sent to nobody.",
    forget: "Forget everything",
    sure: "Forget all answers, cards, texts and finished chapters of this book?",
    forgotten: "Everything is forgotten.",
  };

  casebook.define("finish", ({ el }) => {
    const chapter = el.dataset.chapter;
    el.classList.add("gmm-finish");
    const sign = node("span", { "aria-hidden": "true" });
    const isFinished = () => progress.read().finished[chapter] === true;
    const button = node(
      "button",
      { type: "button", onclick: () => progress.finish(chapter, !isFinished()) },
      sign,
      ` ${TEXT.finished}`,
    );
    el.append(button);
    progress.watch(() => {
      button.setAttribute("aria-pressed", String(isFinished()));
      sign.textContent = isFinished() ? "☑" : "☐";
    });
  });

  // "3 of 6" and a bar that says the same; nothing where there is nothing to do.
  const fill = (cell, ids, did) => {
    if (!ids.length) return;
    const count = ids.filter((id) => did[id] === true).length;
    cell.replaceChildren(
      TEXT.done(count, ids.length),
      node("progress", { max: ids.length, value: count, "aria-hidden": "true" }),
    );
  };

  casebook.define("progress", ({ el }) => {
    const rows = [...el.querySelectorAll("tr[data-chapter]")];
    const status = node("span", { role: "status" });
    const forget = () => {
      if (!confirm(TEXT.sure)) return;
      progress.reset();
      status.textContent = TEXT.forgotten;
    };
    el.querySelector(".gmm-fallback").replaceWith(node("p", {}, TEXT.kept));
    el.append(
      node(
        "p",
        { class: "gmm-buttons" },
        node("button", { type: "button", onclick: forget }, TEXT.forget),
        status,
      ),
    );
    progress.watch(({ answers, cards, finished }) => {
      for (const row of rows) {
        const [questions, deck, end] = row.querySelectorAll("td");
        const ids = (names) => names.split(" ").filter(Boolean);
        fill(questions, ids(row.dataset.questions), answers);
        fill(deck, ids(row.dataset.cards), cards);
        end.textContent = finished[row.dataset.chapter] === true ? TEXT.yes : TEXT.no;
      }
    });
  });
}
