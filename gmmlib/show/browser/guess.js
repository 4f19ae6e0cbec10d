// Guess K: how many groups did these rows come from? Bets of the player against those of BIC and
// AIC, which gmmlib made when the page was built. Payload: gmmlib/show/arcade.py.
{
  const GUESS_TEXT = {
    title: "Guess K.",
    rule: (rounds, most) =>
      `${rounds} cases; in each, the rows came from some number of groups, 1 to ${most}. You say ` +
      "how many. BIC and AIC bet too: each names the K whose mixture it likes best. Every " +
      "component too many or too few costs one cake. You play against BIC.",
    now: (round, rounds, story) => `Case ${round} of ${rounds}. ${story}`,
    legend: "How many groups?",
    missing: "Choose a number first.",
    bet: "Bet",
    next: "Next case",
    last: "See the verdict",
    again: "Play again",
    others: (rounds) => `${rounds} other cases`,
    axis: (name, other) => (other ? `${name} across, ${other} upwards` : name),
    hiddenPicture: (N, what) => `${N} rows, ${what}; the groups come after your bet.`,
    points: (axes) => `${axes[0]} across and ${axes[1]} upwards`,
    bars: (axes) => `a histogram of ${axes[0]}`,
    shownPicture: (sizes, strangers, bic, places) =>
      `The groups have ${sizes} rows${strangers ? `, ${strangers} belong to none` : ""}. BIC’s ` +
      `mixture has ${bic === 1 ? "one component" : `${bic} components`}, at ${places}.`,
    pointsKey: (strangers) =>
      `Each true group has its own mark${strangers ? ", a plus is a row of no group" : ""}; the ` +
      "dashed ellipses are BIC’s components, two standard deviations to every side.",
    barsKey:
      "The bells are BIC’s components, the thin line their sum; below, a row of ticks for each true " +
      "group.",
    group: (g) => `group ${g}`,
    sum: "thin line: BIC’s mixture",
    truth: (truth) => `The truth is ${truth}.`,
    yours: (k, pay) => `You said ${k} and pay ${pay}.`,
    theirs: (bic, bicPay, aic, aicPay) =>
      `BIC chose ${bic} and pays ${bicPay}, AIC chose ${aic} and pays ${aicPay}.`,
    cakes: (n) => (n === 0 ? "nothing" : n === 1 ? "1 cake" : `${n} cakes`),
    total: (n) => (n === 1 ? "1 cake" : `${n} cakes`),
    totals: "Cakes paid so far",
    players: ["you", "BIC", "AIC"],
    fits: "log L, BIC and AIC for each K",
    columns: ["K", "log L", "BIC", "AIC"],
    chosen: (value) => `${value} ←`,
    none: "–",
    note: (starts) =>
      `Full covariances; for each K the best of ${starts} runs of EM. An arrow marks the smallest ` +
      "value, which is the choice.",
    collapsed: " A dash: all runs collapsed.",
    won: (yours, bics) => `You win: you paid ${yours}, BIC ${bics}.`,
    lost: (yours, bics) => `BIC wins: it paid ${bics}, you ${yours}.`,
    draw: (yours) => `A draw: you and BIC paid ${yours} each.`,
    bic: ({ right, few, many, rounds }) =>
      `BIC was right in ${right} of ${rounds} cases, chose too few in ${few} and too many in ${many}.`,
    few:
      "Too few, where groups lie near one another and rows are few: then another component gains " +
      "less log L than it costs. That is caution; where the groups are Gaussian, more rows cure it.",
    many:
      "Too many, where the groups are no Gaussians or some rows belong to none: then the extra " +
      "components are real, as parts of a shape, but they are not groups. More rows of the same kind do not cure that.",
    yourself: ({ right, few, many }) =>
      few + many === 0
        ? "You were right every time."
        : `You were right in ${right}, chose too few in ${few} and too many in ${many}.`,
    picked:
      "The cases are picked, some of them to lead BIC astray. One game says little about BIC on your " +
      "data, and as little about your eye.",
    all: "All bets of this game",
    bets: ["case", "truth", "you", "BIC", "AIC"],
    rounds: (won, played) => `Games won: ${won} of ${played}.`,
  };
  const BINS = 24;
  const HEIGHT = 260;

  casebook.define("guess-k", ({ el, payload, fallback }) => {
    const { table } = casebook.bells;
    const { cases, rounds, most, starts } = payload;
    const games = cases.length / rounds;
    let game = 0;
    let [won, played] = [0, 0];
    let bets, revealed, picture;

    const now = node("p", { class: "gmm-game-now", "aria-live": "polite" });
    const stand = node("div", {});
    const key = node("p", { class: "gmm-game-key", hidden: true });
    const name = `guess-${document.querySelectorAll("[data-drawn][data-casebook=guess-k]").length}`;
    const radios = Array.from({ length: most }, (_, i) =>
      node("input", {
        type: "radio", name, value: i + 1, required: true,
        onchange: () => (answer.textContent = ""),
      })
    );
    const choice = node(
      "fieldset",
      { class: "gmm-guess-choice" },
      node("legend", {}, GUESS_TEXT.legend),
      node(
        "div",
        {},
        ...radios.map((radio) => node("label", {}, radio, node("span", {}, radio.value)))
      )
    );
    const button = node("button", { type: "submit" }, GUESS_TEXT.bet);
    const answer = node("p", { class: "gmm-game-answer", "aria-live": "polite" });
    const details = node("details", { hidden: true });
    const scores = GUESS_TEXT.players.map(() => node("td", {}, "0"));
    const totals = node(
      "table",
      { class: "gmm-game-table gmm-game-totals" },
      node("caption", {}, GUESS_TEXT.totals),
      node(
        "tbody",
        {},
        node("tr", {}, ...GUESS_TEXT.players.map((who) => node("th", { scope: "col" }, who))),
        node("tr", {}, ...scores)
      )
    );
    const stage = node(
      "form",
      {
        novalidate: true, // the browser's own bubble would not be heard by everybody
        onsubmit: (event) => {
          event.preventDefault();
          advance();
        },
      },
      now, stand, key, choice, button, answer, details
    );
    const verdict = node("div", { class: "gmm-game-verdict", tabindex: "-1", hidden: true });
    const again = node("button", { type: "button", hidden: true, onclick: () => start(true) });

    const pay = (k, truth) => Math.abs(k - truth);
    const total = (who) => bets.reduce((sum, bet) => sum + pay(bet[who], bet.truth), 0);
    const current = () => cases[game * rounds + bets.length];

    const show = () => {
      const one = current();
      revealed = false;
      now.textContent = GUESS_TEXT.now(bets.length + 1, rounds, one.story);
      answer.textContent = "";
      radios.forEach((radio) => (radio.checked = radio.disabled = false));
      button.textContent = GUESS_TEXT.bet;
      picture = (one.axes.length === 1 ? barsOf : pointsOf)(one);
      stand.replaceChildren(picture.element);
      key.hidden = details.hidden = true;
      details.open = false;
    };

    const reveal = (k) => {
      const one = current();
      const { truth, bic, aic } = one;
      const cakes = (bet) => GUESS_TEXT.cakes(pay(bet, truth));
      bets.push({ one, truth, you: k, bic, aic });
      revealed = true;
      radios.forEach((radio) => (radio.disabled = true));
      picture.reveal();
      key.textContent =
        one.axes.length === 2 ? GUESS_TEXT.pointsKey(one.labels.includes(-1)) : GUESS_TEXT.barsKey;
      key.hidden = details.hidden = false;
      answer.replaceChildren(
        node("strong", {}, GUESS_TEXT.truth(truth)),
        ` ${GUESS_TEXT.yours(k, cakes(k))} ${GUESS_TEXT.theirs(bic, cakes(bic), aic, cakes(aic))} `,
        one.remark
      );
      details.replaceChildren(
        node("summary", {}, GUESS_TEXT.fits),
        table(
          GUESS_TEXT.columns,
          one.fits.map((fit, i) => {
            if (!fit) return [i + 1, GUESS_TEXT.none, GUESS_TEXT.none, GUESS_TEXT.none];
            const mark = (value, best) =>
              best === i + 1 ? GUESS_TEXT.chosen(fixed(value, 1)) : fixed(value, 1);
            return [i + 1, fixed(fit[0], 1), mark(fit[1], bic), mark(fit[2], aic)];
          })
        ),
        node(
          "p",
          {},
          GUESS_TEXT.note(starts) + (one.fits.includes(null) ? GUESS_TEXT.collapsed : "")
        )
      );
      tally();
      button.textContent = bets.length < rounds ? GUESS_TEXT.next : GUESS_TEXT.last;
      button.focus({ preventScroll: true }); // the radio, which may have had the focus, sleeps now
    };

    const tally = () => {
      ["you", "bic", "aic"].forEach((who, i) => (scores[i].textContent = total(who)));
    };

    const judge = () => {
      const [yours, bics] = [total("you"), total("bic")];
      const count = (who, test) => bets.filter((bet) => test(bet[who] - bet.truth)).length;
      const faults = (who) => ({
        right: count(who, (gap) => gap === 0),
        few: count(who, (gap) => gap < 0),
        many: count(who, (gap) => gap > 0),
      });
      const theirs = faults("bic");
      const words = [yours, bics].map(GUESS_TEXT.total);
      played += 1;
      if (yours < bics) won += 1;
      const say = (text) => node("p", {}, text);
      verdict.replaceChildren(
        node(
          "p",
          { class: "gmm-game-result" },
          yours === bics
            ? GUESS_TEXT.draw(words[0])
            : GUESS_TEXT[yours < bics ? "won" : "lost"](...words)
        ),
        say(`${GUESS_TEXT.bic({ ...theirs, rounds })} ${GUESS_TEXT.yourself(faults("you"))}`),
        ...(theirs.few ? [say(GUESS_TEXT.few)] : []),
        ...(theirs.many ? [say(GUESS_TEXT.many)] : []),
        ...(theirs.right < rounds ? [say(GUESS_TEXT.picked)] : []),
        node(
          "details",
          {},
          node("summary", {}, GUESS_TEXT.all),
          table(
            GUESS_TEXT.bets,
            bets.map((bet, i) => [i + 1, bet.truth, bet.you, bet.bic, bet.aic])
          )
        ),
        say(GUESS_TEXT.rounds(won, played))
      );
      game = (game + 1) % games;
      again.textContent = games > 1 ? GUESS_TEXT.others(rounds) : GUESS_TEXT.again;
      stage.hidden = true;
      verdict.hidden = again.hidden = false;
      verdict.focus();
    };

    const advance = () => {
      if (!revealed) {
        const chosen = radios.find((radio) => radio.checked);
        if (chosen) reveal(Number(chosen.value));
        else {
          answer.textContent = GUESS_TEXT.missing;
          radios[0].focus();
        }
      } else if (bets.length < rounds) {
        show();
        radios[0].focus({ preventScroll: true });
      } else judge();
    };

    const start = (byHand) => {
      bets = [];
      stage.hidden = false;
      verdict.hidden = again.hidden = true;
      tally();
      show();
      if (byHand) radios[0].focus({ preventScroll: true });
    };

    fallback.remove();
    el.classList.add("gmm-game");
    el.append(
      node("p", {}, node("strong", {}, GUESS_TEXT.title), " ", GUESS_TEXT.rule(rounds, most)),
      stage,
      verdict,
      again,
      totals
    );
    start(false);
  });

  // Rows of each group, in the order of the groups; the last are those of none.
  const grouped = ({ rows, labels, truth }) =>
    [...Array.from({ length: truth }, (_, g) => g), -1].map((g) =>
      rows.filter((_, n) => labels[n] === g)
    );

  const described = (one) => {
    const groups = grouped(one);
    const strangers = groups.pop().length;
    const places = one.mixture.means.map((mean) =>
      [mean].flat().map((value) => fixed(value, 1)).join(" and ")
    );
    const sizes = groups.map((rows) => rows.length).join(", ");
    return GUESS_TEXT.shownPicture(sizes, strangers, one.bic, places.join("; "));
  };

  // One feature: a histogram, and after the bet BIC's bells over it and a rug for each group.
  const barsOf = (one) => {
    const { bellsPlot, histogram, WIDTH, EDGE } = casebook.bells;
    const [low, high] = one.ranges[0];
    const values = one.rows.flat();
    const bars = histogram(values, values.map(() => 1), low, high, BINS);
    const plot = bellsPlot({
      low, high, bars, axis: one.axes[0], height: 180,
      names: one.mixture.means.map(() => ""), sumName: GUESS_TEXT.sum,
    });
    const top = 1.2 * Math.max(...bars.map((bar) => bar.density));
    plot.draw(null, { top });
    plot.describe(GUESS_TEXT.hiddenPicture(values.length, GUESS_TEXT.bars(one.axes)));
    const element = node("div", {}, plot.element);
    const reveal = () => {
      plot.draw(one.mixture, { top });
      plot.describe(described(one));
      const groups = grouped(one).filter((rows) => rows.length);
      const rug = svg("svg", {
        class: "gmm-game-plot", viewBox: `0 0 ${WIDTH} ${28 * groups.length}`, "aria-hidden": "true",
      });
      groups.forEach((rows, g) => {
        const ticks = rows.map(([value]) => {
          const x = EDGE + ((value - low) / (high - low)) * (WIDTH - 2 * EDGE);
          return `M${x.toFixed(1)} ${28 * g + 15}v9`;
        });
        rug.append(
          casebook.bells.text(EDGE, 28 * g + 11, GUESS_TEXT.group(g + 1), "start"),
          svg("path", { d: ticks.join(""), class: "gmm-game-axis" })
        );
      });
      element.append(rug);
    };
    return { element, reveal };
  };

  // Marks of the groups around a place: a colour alone would not tell them apart for everybody.
  const MARKS = [
    (x, y) => `M${x - 3} ${y}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z`,
    (x, y) => `M${x - 3} ${y - 3}h6v6h-6z`,
    (x, y) => `M${x} ${y - 4}l4 7h-8z`,
    (x, y) => `M${x} ${y - 4.5}l4 4.5l-4 4.5l-4 -4.5z`,
    (x, y) => `M${x - 4} ${y - 3}h8l-4 7z`,
    (x, y) => `M${x - 4} ${y - 1.5}h8v3h-8z`,
  ];
  const NO_GROUP = (x, y) => `M${x - 4.5} ${y}h9M${x} ${y - 4.5}v9`;
  const paths = (rows, mark, x, y) =>
    rows
      .map(([a, b]) => mark(Math.round(10 * x(a)) / 10, Math.round(10 * y(b)) / 10))
      .join("");

  // Two features: a scatter plot, and after the bet the groups' marks and BIC's ellipses.
  const pointsOf = (one) => {
    const { plot, text, EDGE, WIDTH } = casebook.bells;
    const [[left, right], [low, high]] = one.ranges;
    const { root, x, floor, head } = plot({
      low: left, high: right, axis: one.axes[0], height: HEIGHT, head: 22,
    });
    root.classList.add("gmm-guess-points");
    const y = (value) => floor - 6 - ((value - low) / (high - low)) * (floor - 6 - head);
    // An inner svg cuts off what leaves it: the ellipse that holds outliers may be huge.
    const front = svg("svg", { width: WIDTH, height: floor, "aria-hidden": "true" });
    root.append(text(EDGE, 12, `↑ ${one.axes[1]}`, "start"), front);
    front.append(svg("path", { d: paths(one.rows, MARKS[0], x, y), class: "gmm-guess-rows" }));
    const what = GUESS_TEXT.points(one.axes);
    root.setAttribute("aria-label", GUESS_TEXT.hiddenPicture(one.rows.length, what));
    const reveal = () => {
      const groups = grouped(one);
      const strangers = groups.pop();
      front.replaceChildren(
        ...groups.map((rows, g) => svg("path", { d: paths(rows, MARKS[g], x, y), fill: PALETTE[g] })),
        svg("path", { d: paths(strangers, NO_GROUP, x, y), class: "gmm-game-axis" }),
        ...one.mixture.means.map((mean, k) =>
          svg("path", {
            d: pathThrough(
              ellipse(mean, one.mixture.variances[k]).map(([a, b]) => [x(a), y(b)])
            ),
            class: "gmm-guess-ellipse",
          })
        )
      );
      root.setAttribute("aria-label", described(one));
    };
    return { element: root, reveal };
  };

  // Two standard deviations from the mean in every direction: the Cholesky factor of the covariance
  // turns a circle into the ellipse.
  const ellipse = ([a, b], [[xx, xy], [, yy]]) => {
    const first = Math.sqrt(xx);
    const second = Math.sqrt(yy - xy ** 2 / xx);
    return Array.from({ length: 73 }, (_, i) => {
      const [cos, sin] = [Math.cos((i * Math.PI) / 36), Math.sin((i * Math.PI) / 36)];
      return [a + 2 * first * cos, b + 2 * ((xy / first) * cos + second * sin)];
    });
  };
}
