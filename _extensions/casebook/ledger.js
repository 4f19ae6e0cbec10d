// The ledger's headings become buttons that sort, and two controls pick rows: made here, because
// without script they would be dead. sortable-tablesort does the sorting: it listens for clicks
// within a heading. (Its own accessibility script makes the heading a tab stop without a role and
// renames it "Click to sort table by ...", which is then read out with every cell.)
(() => {
  const TEXT = {
    find: "Find",
    evidence: "Evidence",
    any: "any",
    sort: "Sort by",
    count: (shown, all) => (shown === all ? `All ${all} equations` : `${shown} of ${all} equations`),
    sorted: (name, ascending) => `sorted by ${name}, ${ascending ? "ascending" : "descending"}`,
  };
  const { node } = casebook; // every page's own script, which comes before this one

  const table = document.querySelector("table.ledger");
  if (!table) return;
  const rows = [...table.tBodies[0].rows];
  const heads = [...table.tHead.rows[0].cells];
  for (const head of heads) {
    head.replaceChildren(node("button", { type: "button" }, head.textContent));
  }

  const find = node("input", { type: "search", autocomplete: "off" });
  const level = node("select", {}, node("option", { value: "" }, TEXT.any));
  const order = new Map(
    rows.map((row) => [+row.cells[3].dataset.sort, row.dataset.evidence]).sort((a, b) => a[0] - b[0]),
  );
  level.append(...[...order.values()].map((name) => node("option", { value: name }, name)));
  const count = node("output");
  const say = (sorted = "") => {
    const shown = rows.filter((row) => !row.hidden).length;
    count.value = [TEXT.count(shown, rows.length), sorted].filter(Boolean).join(", ");
  };
  const pick = () => {
    const words = find.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const { words: text, evidence } = row.dataset;
      row.hidden = (level.value && level.value !== evidence) || !words.every((w) => text.includes(w));
    }
    say();
  };
  find.addEventListener("input", pick);
  level.addEventListener("input", pick);
  table.addEventListener("sort-end", () => {
    const head = heads.find((candidate) => candidate.hasAttribute("aria-sort"));
    say(TEXT.sorted(head.textContent.toLowerCase(), head.getAttribute("aria-sort") === "ascending"));
  });

  table.parentElement.before(
    node("div", { class: "ledger-controls" },
      node("label", {}, `${TEXT.find} `, find),
      node("label", {}, `${TEXT.evidence} `, level),
      count),
  );
  table.tHead.dataset.sort = TEXT.sort;
  say();
})();
