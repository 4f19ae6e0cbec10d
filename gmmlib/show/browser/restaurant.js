// The Chinese restaurant: customers come in one by one and join a table in proportion to the guests
// there, or open a new one in proportion to alpha. Payload: gmmlib/show/arcade.py.
casebook.restaurant = (() => {
  // One number in [0, 1) for each evening and customer: the page shows the same evenings every time,
  // and the same customers whatever alpha is.
  const chance = (evening, customer) =>
    mulberry32((Math.imul(evening + 1, 0x9e3779b9) + Math.imul(customer + 1, 0x6d2b79f5)) >>> 0);

  // Where the next customer sits, 0 ... counts.length; the last is a new table. u is a chance.
  const seat = (counts, alpha, u) => {
    let place = u * (counts.reduce((a, b) => a + b, 0) + alpha);
    for (const [t, count] of counts.entries()) {
      if (place < count) return t;
      place -= count;
    }
    return counts.length;
  };

  // Probability of each of these places.
  const probabilities = (counts, alpha) => {
    const total = counts.reduce((a, b) => a + b, 0) + alpha;
    return [...counts, alpha].map((weight) => weight / total);
  };

  // Expected number of tables after n customers, and its standard deviation: customer i opens a
  // table with probability p, whatever the others did.
  const tables = (alpha, n) => {
    let [mean, variance] = [0, 0];
    for (let i = 0; i < n; i++) {
      const p = alpha / (alpha + i);
      mean += p;
      variance += p * (1 - p);
    }
    return { mean, sd: Math.sqrt(variance) };
  };

  // An evening: guests of each table, and how many tables there were after 1, 2, ..., n customers.
  const dine = (evening, alpha, n) => {
    const counts = [];
    const history = [];
    for (let i = 0; i < n; i++) {
      const t = seat(counts, alpha, chance(evening, i));
      counts[t] = (counts[t] ?? 0) + 1;
      history.push(counts.length);
    }
    return { counts, history };
  };

  return { chance, seat, probabilities, tables, dine };
})();
{
  const RESTAURANT_TEXT = {
    title: "The Chinese restaurant.",
    rule:
      "A customer joins a table in proportion to the guests who sit there, or opens a new one in " +
      "proportion to α. Where does the next one sit? Press a table to bet, and the customer comes in.",
    alpha: "α, the weight of a new table",
    alphaWords: (alpha) => `α = ${alpha}`,
    now: (evening, customers, tables) => `Evening ${evening}: ${customers}, ${tables}.`,
    customers: (n) => (n === 1 ? "1 customer" : `${n} customers`),
    tables: (n) => (n === 1 ? "1 table" : `${n} tables`),
    guests: (n) => (n === 1 ? "1 guest" : `${n} guests`),
    room: "The tables. Press one to bet on it",
    table: (t, guests) => `table ${t}, ${guests}`,
    fresh: "new",
    freshTable: "a new table",
    come: "Let in without a bet:",
    newEvening: "New evening",
    right: "Right!",
    wrong: "Wrong.",
    seated: (n, where) => `Customer ${n} sits down at ${where}.`,
    opened: (n, t) => `Customer ${n} opens table ${t}.`,
    odds: (yours, likeliest) =>
      ` Your bet had the probability ${yours}` +
      (likeliest ? `; the likeliest seat had ${likeliest}.` : ", and none had more."),
    many: (more, before, after) =>
      `${more} came in; ${after === before ? "nobody opened a table" : `tables opened: ${after - before}`}.`,
    full: "The house is full. A new evening?",
    first: "The first customer has opened table 1.",
    again: (alpha, n, tables) =>
      `The same ${n} once more, in the same order and with the same luck, now with α = ${alpha}: ` +
      `${tables}. Bets start again.`,
    state: ({ n, tables, mean, sd, share }) =>
      `After ${n}: ${tables}; over all evenings ${mean} on average, give or take ${sd}. The largest ` +
      `table holds ${share}%.`,
    bets: (n) => (n === 0 ? "Bets won" : n === 1 ? "Bets won, of 1" : `Bets won, of ${n}`),
    players: ["you", "likeliest seat", "your chances"],
    betNote:
      "“Likeliest seat” bets on the largest table every time, or on a new one while α is larger. " +
      "“Your chances” is the sum of your bets’ probabilities: more than that is luck.",
    axis: "customers",
    mean: "expected",
    plotTitle: "tables",
    picture: ({ n, tables, mean, low, high }) =>
      `Number of tables by customers. This evening, after ${n}: ${tables}; expected ${mean}, and ` +
      `between ${low} and ${high} on most evenings.`,
  };
  const STEPS = [1, 10, 50];
  const REACHES = [20, 50, 100, 200, 300]; // of the curve's axis

  casebook.define("chinese-restaurant", ({ el, payload, fallback }) => {
    const { slider } = casebook.bells;
    const { chance, seat, probabilities, tables, dine } = casebook.restaurant;
    const { capacity, concentrations, seed } = payload;
    let alpha = payload.concentration;
    let evening = seed;
    let counts, history, bets, timer;

    const now = node("p", { class: "gmm-game-now" });
    const answer = node("p", { class: "gmm-game-answer", "aria-live": "polite" });
    const state = node("p", {});
    const floor = node("div", { class: "gmm-tables", role: "group", "aria-label": RESTAURANT_TEXT.room });
    const curve = curveOf();
    const knob = slider({
      label: RESTAURANT_TEXT.alpha,
      min: 0,
      max: concentrations.length - 1,
      step: 1,
      value: concentrations.indexOf(alpha),
      words: (i) => RESTAURANT_TEXT.alphaWords(concentrations[i]),
      oninput: (i) => {
        alpha = concentrations[i];
        replay();
      },
    });
    const come = STEPS.map((step) =>
      node("button", { type: "button", onclick: () => letIn(step) }, String(step))
    );
    const scores = RESTAURANT_TEXT.players.map(() => node("td", {}));
    const caption = node("caption", {});
    const totals = node(
      "table",
      { class: "gmm-game-table gmm-game-totals" },
      caption,
      node(
        "tbody",
        {},
        node("tr", {}, ...RESTAURANT_TEXT.players.map((who) => node("th", { scope: "col" }, who))),
        node("tr", {}, ...scores)
      )
    );
    const fresh = node(
      "button",
      { type: "button", class: "gmm-table gmm-table-new", onclick: () => bet(counts.length) },
      RESTAURANT_TEXT.fresh
    );
    fresh.setAttribute("aria-label", RESTAURANT_TEXT.freshTable);

    // The buttons stay where they are when somebody sits down, so that the focus stays too.
    const draw = (last) => {
      while (floor.children.length - 1 > counts.length) floor.children[counts.length].remove();
      while (floor.children.length - 1 < counts.length) {
        const t = floor.children.length - 1;
        fresh.before(
          node("button", { type: "button", class: "gmm-table", onclick: () => bet(t) })
        );
      }
      const full = history.length >= capacity;
      counts.forEach((count, t) => {
        const button = floor.children[t];
        button.textContent = count;
        button.style.setProperty("--gmm-guests", Math.sqrt(count).toFixed(2));
        button.setAttribute(
          "aria-label",
          RESTAURANT_TEXT.table(t + 1, RESTAURANT_TEXT.guests(count))
        );
        button.classList.toggle("gmm-table-last", t === last);
        button.disabled = full;
      });
      fresh.disabled = full;
      come.forEach((button, i) => (button.disabled = history.length + STEPS[i] > capacity));
      const n = history.length;
      const { mean, sd } = tables(alpha, n);
      const words = {
        n: RESTAURANT_TEXT.customers(n),
        tables: RESTAURANT_TEXT.tables(counts.length),
        mean: fixed(mean, 2),
      };
      now.textContent = RESTAURANT_TEXT.now(evening - seed + 1, words.n, words.tables);
      state.textContent = RESTAURANT_TEXT.state({
        ...words,
        sd: fixed(sd, 2),
        share: fixed((100 * Math.max(...counts)) / n, 0),
      });
      curve.draw(alpha, history, words);
      const won = (who) => bets.filter((one) => one[who]).length;
      caption.textContent = RESTAURANT_TEXT.bets(bets.length);
      scores[0].textContent = won("right");
      scores[1].textContent = won("rival");
      scores[2].textContent = fixed(bets.reduce((sum, one) => sum + one.p, 0), 1);
    };

    const enter = () => {
      const t = seat(counts, alpha, chance(evening, history.length));
      counts[t] = (counts[t] ?? 0) + 1;
      history.push(counts.length);
      return t;
    };

    const bet = (yours) => {
      const p = probabilities(counts, alpha);
      const most = Math.max(...p);
      const t = enter();
      const n = history.length;
      const right = t === yours;
      bets.push({ right, rival: p.indexOf(most) === t, p: p[yours] });
      const where = RESTAURANT_TEXT.table(t + 1, RESTAURANT_TEXT.guests(counts[t]));
      tell(
        `${right ? RESTAURANT_TEXT.right : RESTAURANT_TEXT.wrong} ` +
          (counts[t] === 1 ? RESTAURANT_TEXT.opened(n, t + 1) : RESTAURANT_TEXT.seated(n, where)) +
          RESTAURANT_TEXT.odds(fixed(p[yours], 2), p[yours] < most ? fixed(most, 2) : "")
      );
      draw(t);
      keepFocus();
    };

    const letIn = (step) => {
      const before = counts.length;
      let last;
      for (let i = 0; i < step; i++) last = enter();
      tell(RESTAURANT_TEXT.many(RESTAURANT_TEXT.customers(step), before, counts.length));
      draw(last);
      keepFocus();
    };

    const tell = (words) => {
      clearTimeout(timer);
      const full = history.length >= capacity ? ` ${RESTAURANT_TEXT.full}` : "";
      answer.textContent = words + full;
    };

    // Another alpha: the same evening again. A screen reader hears it when the slider rests.
    const replay = () => {
      const n = history.length;
      ({ counts, history } = dine(evening, alpha, n));
      bets = [];
      draw();
      clearTimeout(timer);
      timer = setTimeout(() => {
        const words = [RESTAURANT_TEXT.customers(n), RESTAURANT_TEXT.tables(counts.length)];
        tell(RESTAURANT_TEXT.again(alpha, ...words));
      }, 400);
    };

    const start = () => {
      ({ counts, history } = dine(evening, alpha, 1));
      bets = [];
      tell(RESTAURANT_TEXT.first);
      draw();
    };

    const next = node(
      "button",
      {
        type: "button",
        onclick: () => {
          evening += 1;
          start();
        },
      },
      RESTAURANT_TEXT.newEvening
    );
    // A button that falls asleep under the focus would lose it.
    const keepFocus = () => {
      if (history.length >= capacity || document.activeElement?.disabled) next.focus();
    };

    floor.append(fresh);
    fallback.remove();
    el.classList.add("gmm-game");
    el.append(
      node("p", {}, node("strong", {}, RESTAURANT_TEXT.title), " ", RESTAURANT_TEXT.rule),
      knob.element,
      now,
      floor,
      answer,
      node("div", { class: "gmm-game-buttons" }, RESTAURANT_TEXT.come, ...come, next),
      totals,
      node("p", { class: "gmm-game-key" }, RESTAURANT_TEXT.betNote),
      curve.element,
      state
    );
    start();
  });

  // Tables against customers: this evening solid, the expectation dashed, in a band of two standard
  // deviations either way.
  const curveOf = () => {
    const { plot, text } = casebook.bells;
    const { tables } = casebook.restaurant;
    const height = 190;
    const element = node("div", {});
    const draw = (alpha, history, words) => {
      const n = history.length;
      const reach = REACHES.find((one) => one >= n) ?? n;
      const { root, x, floor, head } = plot({
        low: -0.09 * reach, high: 1.22 * reach, last: reach, axis: RESTAURANT_TEXT.axis, height,
        head: 20,
      });
      const places = Array.from({ length: 61 }, (_, i) => Math.max(1, Math.round((i * reach) / 60)));
      const expected = places.map((m) => ({ m, ...tables(alpha, m) }));
      const end = expected.at(-1);
      const top = Math.max(end.mean + 2 * end.sd, ...history) + 0.5;
      const y = (value) => floor - (value / top) * (floor - head);
      const edge = (sign) =>
        expected.map(({ m, mean, sd }) => [x(m), y(Math.max(mean + sign * 2 * sd, 1))]);
      const steps = history.flatMap((value, i) =>
        i ? [[x(i + 1), y(history[i - 1])], [x(i + 1), y(value)]] : [[x(1), y(value)]]
      );
      const here = tables(alpha, n);
      const step = [1, 2, 5, 10, 20].find((one) => top / one < 5);
      for (let value = step; value < top; value += step) {
        root.append(text(x(0) - 5, y(value) + 4, String(value), "end"));
      }
      // The name of this evening stands on the side of its line that the expectation is not on.
      const [atX, atY] = [x(n), y(history.at(-1))];
      const above = history.at(-1) > here.mean + 1e-9;
      root.append(
        text(14, 12, RESTAURANT_TEXT.plotTitle, "start"),
        svg("path", {
          d: `${pathThrough([...edge(1), ...edge(-1).reverse()])}z`,
          class: "gmm-tables-band",
        }),
        svg("path", {
          d: pathThrough(expected.map(({ m, mean }) => [x(m), y(mean)])),
          class: "gmm-tables-mean",
        }),
        svg("path", { d: pathThrough(steps), class: "gmm-tables-line" }),
        svg("circle", {
          cx: atX.toFixed(1), cy: atY.toFixed(1), r: 3.5, class: "gmm-game-here",
        }),
        above
          ? text(Math.max(atX, x(0) + 28), atY - 9, words.tables)
          : text(atX + 6, Math.min(atY + 16, floor - 3), words.tables, "start"),
        text(x(reach) + 5, y(end.mean) + 4, RESTAURANT_TEXT.mean, "start")
      );
      root.setAttribute(
        "aria-label",
        RESTAURANT_TEXT.picture({
          ...words,
          low: fixed(Math.max(here.mean - 2 * here.sd, 1), 1),
          high: fixed(here.mean + 2 * here.sd, 1),
        })
      );
      element.replaceChildren(root);
    };
    return { element, draw };
  };
}
