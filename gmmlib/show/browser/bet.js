// The detective's bet: a probability for each customer, paid for with log loss once the truth is
// out, beside the posterior of a mixture. Payload: gmmlib/show/games.py.
{
  const BET_TEXT = {
    title: "The detective’s bet.",
    rule: ({ customers, who, what, target }) =>
      `For each of ${customers} ${who}s, say from the ${what} alone how likely it is that this is ` +
      `${target}; you pay −log of the probability that you gave to the truth, and whoever has ` +
      "paid less in the end, you or the posterior, wins.",
    known: ({ percent, target, lowest, highest, who }) =>
      `Of all ${who}s, ${percent}% are ${target}. Bets go from ${lowest}% to ${highest}%, ` +
      "the posterior’s too.",
    now: ({ who, turn, customers, value, unit }) =>
      `${capital(who)} ${turn} of ${customers}: ${value} ${unit}`,
    label: (target) => `Your bet that it is ${target}`,
    bet: "Bet",
    next: (who) => `Next ${who}`,
    last: "See the verdict",
    again: "Play again",
    truth: ({ truth, yours, pay, posterior, posteriorPay }) =>
      `${capital(truth)}! You bet ${yours} and pay ${pay}. The posterior bet ${posterior} and pays ` +
      `${posteriorPay}.`,
    marked: (value, unit) => `${value} ${unit}`,
    hidden: (value, unit) => `A mark at ${value} ${unit} on the axis; the bells come after your bet.`,
    shown: (value, unit, posterior, target) =>
      `The bells, and the mark at ${value} ${unit}, where the posterior bets ${posterior} on ` +
      `${target}.`,
    axis: (what, unit) => `${what} (${unit})`,
    totals: "Paid so far (nats)",
    players: ["you", "posterior", "always 50%"],
    won: (yours, theirs) => `You win: you paid ${yours} nats, the posterior ${theirs}.`,
    lost: (yours, theirs) => `The posterior wins: it paid ${theirs} nats, you ${yours}.`,
    draw: (yours) => `A draw: you and the posterior paid ${yours} nats each.`,
    even: (customers, even) =>
      `The yardstick: ${customers} bets of 50% cost ${customers}\u00a0·\u00a0log\u00a02 = ${even} nats, whatever ` +
      "the truth.",
    better: " You stayed below it: your bets held information.",
    worse: " You paid more: it would have been cheaper to say “I don’t know” every time.",
    worst: ({ turn, value, unit, truth, given, pay, total }) =>
      `Your most expensive bet was number ${turn}, at ${value} ${unit}: it was ${truth}, to which ` +
      `you gave ${given}, and that cost ${pay} of your ${total} nats.`,
    certainty:
      "Log loss punishes certainty in the wrong place: 20% for the truth costs 1.61 nats, 1% costs " +
      "4.61, and 0% would cost more than anybody can pay. It rewards certainty in the right place " +
      "with little: going from 90% to 99% saves 0.10.",
    lucky: ({ value, unit, yours, posterior }) =>
      ` At ${value} ${unit} you said ${yours}, the posterior ${posterior}. It went well this time.`,
    luck: ({ N, who, mean, customers, expected, remark }) =>
      `Over all ${N} ${who}s the posterior pays ${mean} nats each, so about ${expected} in a round ` +
      `of ${customers}. If the mixture is right, nobody who sees nothing else can pay less on ` +
      `average. ${remark ? `${remark} ` : ""}A single round, won or lost, may be luck.`,
    unlimited: ({ lowest, highest, unlimited, worse, even }) =>
      `Without the limits of ${lowest}% and ${highest}% the posterior would pay ${unlimited} nats ` +
      `each${worse ? `, more than betting 50% every time would cost (${even})` : ""}: it was all but certain about a few, and ` +
      "wrong.",
    rounds: (won, played) => `Rounds won: ${won} of ${played}.`,
    bets: "All bets of this round",
    columns: (unit) => [unit, "truth", "you", "pay", "posterior", "pays"],
  };
  const FAR = 0.4; // between two bets: then one of them was lucky
  const capital = (words) => words[0].toUpperCase() + words.slice(1);

  casebook.define("detectives-bet", ({ el, payload, fallback }) => {
    const { bellsPlot, slider, table } = casebook.bells;
    const { customers, who, target, other, unit, limits } = payload;
    const random = generator(payload.seed);
    const [lowest, highest] = limits.map((limit) => Math.round(100 * limit));
    const percent = (p) => `${fixed(100 * p, 1).replace(/\.0$/, "")}%`;
    const inWords = (value) => String(value).replace("-", "−");
    const even = Math.log(2);
    let drawn, bets, revealed;
    let [won, played] = [0, 0];

    const now = node("p", { class: "gmm-game-now", "aria-live": "polite" });
    const answer = node("p", { class: "gmm-game-answer", "aria-live": "polite" });
    const button = node("button", { type: "submit" }, BET_TEXT.bet);
    const bet = slider({
      label: BET_TEXT.label(target),
      min: lowest,
      max: highest,
      step: 1,
      value: 50,
      words: (value) => `${value}%`,
    });
    const picture = bellsPlot({
      low: payload.range[0],
      high: payload.range[1],
      axis: BET_TEXT.axis(payload.what, unit),
      height: 150,
      head: 30,
      names: payload.names,
    });
    const scores = BET_TEXT.players.map(() => node("td", {}, "0.00"));
    const totals = node(
      "table",
      { class: "gmm-game-table gmm-game-totals" },
      node("caption", {}, BET_TEXT.totals),
      node(
        "tbody",
        {},
        node("tr", {}, ...BET_TEXT.players.map((name) => node("th", { scope: "col" }, name))),
        node("tr", {}, ...scores)
      )
    );
    const stage = node(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          advance();
        },
      },
      now, picture.element, bet.element, button, answer
    );
    const verdict = node("div", { class: "gmm-game-verdict", tabindex: "-1", hidden: true });
    const again = node(
      "button",
      { type: "button", hidden: true, onclick: () => start(true) },
      BET_TEXT.again
    );

    const loss = (p) => -Math.log(p);
    const clip = (p) => Math.min(Math.max(p, limits[0]), limits[1]);
    const total = (key) => bets.reduce((sum, one) => sum + one[key], 0);

    const show = () => {
      const n = drawn[bets.length];
      const value = inWords(payload.values[n]);
      el.dataset.row = n; // of the payload: tests look here to know the truth
      revealed = false;
      now.textContent = BET_TEXT.now({ who, turn: bets.length + 1, customers, value, unit });
      answer.textContent = "";
      bet.set(50);
      bet.input.disabled = false;
      button.textContent = BET_TEXT.bet;
      picture.draw(null, { marks: [{ at: payload.values[n], words: BET_TEXT.marked(value, unit) }] });
      picture.describe(BET_TEXT.hidden(value, unit));
    };

    const reveal = () => {
      const n = drawn[bets.length];
      const value = inWords(payload.values[n]);
      const yours = bet.input.valueAsNumber / 100;
      const posterior = clip(payload.posterior[n]);
      const given = (p) => (payload.truth[n] ? p : 1 - p);
      const one = {
        n,
        value,
        yours,
        posterior,
        given: given(yours),
        truth: payload.truth[n] ? target : other,
        pay: loss(given(yours)),
        posteriorPay: loss(given(posterior)),
      };
      bets.push(one);
      revealed = true;
      bet.input.disabled = true;
      answer.textContent = BET_TEXT.truth({
        truth: one.truth,
        yours: percent(yours),
        pay: fixed(one.pay, 2),
        posterior: percent(posterior),
        posteriorPay: fixed(one.posteriorPay, 2),
      });
      tally();
      picture.draw(payload.mixture, {
        marks: [{ at: payload.values[n], words: BET_TEXT.marked(value, unit) }],
      });
      picture.describe(BET_TEXT.shown(value, unit, percent(posterior), target));
      button.textContent = bets.length < customers ? BET_TEXT.next(who) : BET_TEXT.last;
      button.focus({ preventScroll: true }); // the slider, which may have had the focus, sleeps now
    };

    const tally = () => {
      const sums = [total("pay"), total("posteriorPay"), bets.length * even];
      sums.forEach((sum, i) => (scores[i].textContent = fixed(sum, 2)));
    };

    const judge = () => {
      const [yours, theirs] = [total("pay"), total("posteriorPay")];
      const [a, b, evens] = [yours, theirs, customers * even].map((sum) => fixed(sum, 2));
      played += 1;
      if (a !== b && yours < theirs) won += 1;
      const comparison =
        a === evens ? "" : yours < customers * even ? BET_TEXT.better : BET_TEXT.worse;
      const worst = bets.reduce((one, another) => (another.pay > one.pay ? another : one));
      const { posterior: mean, unlimited } = payload.average;
      const result =
        a === b ? BET_TEXT.draw(a) : yours < theirs ? BET_TEXT.won(a, b) : BET_TEXT.lost(a, b);
      const alike = bets.every((one) => fixed(one.pay, 2) === fixed(worst.pay, 2));
      const expensive = BET_TEXT.worst({
        turn: bets.indexOf(worst) + 1,
        value: worst.value,
        unit,
        truth: worst.truth,
        given: percent(worst.given),
        pay: fixed(worst.pay, 2),
        total: a,
      });
      // What won the round, if one bet far from the posterior's did.
      const saved = (one) => one.posteriorPay - one.pay;
      const best = bets.reduce((one, another) => (saved(another) > saved(one) ? another : one));
      const lucky = a !== b && yours < theirs && Math.abs(best.yours - best.posterior) > FAR;
      const say = (words) => node("p", {}, words);
      verdict.replaceChildren(
        node("p", { class: "gmm-game-result" }, result),
        say(BET_TEXT.even(customers, evens) + comparison),
        say(alike ? BET_TEXT.certainty : `${expensive} ${BET_TEXT.certainty}`),
        say(
          BET_TEXT.luck({
            N: payload.values.length,
            who,
            mean: fixed(mean, 2),
            customers,
            expected: fixed(customers * mean, 1),
            remark: payload.remark,
          }) +
            (lucky
              ? BET_TEXT.lucky({
                  value: best.value,
                  unit,
                  yours: percent(best.yours),
                  posterior: percent(best.posterior),
                })
              : "")
        )
      );
      if (unlimited > mean + 0.01) {
        const worse = unlimited > even;
        const nats = { unlimited: fixed(unlimited, 2), even: fixed(even, 2) };
        verdict.append(say(BET_TEXT.unlimited({ lowest, highest, worse, ...nats })));
      }
      verdict.append(
        node(
          "details",
          {},
          node("summary", {}, BET_TEXT.bets),
          table(
            BET_TEXT.columns(unit),
            bets.map((one) => [
              one.value, one.truth, percent(one.yours), fixed(one.pay, 2),
              percent(one.posterior), fixed(one.posteriorPay, 2),
            ])
          )
        ),
        say(BET_TEXT.rounds(won, played))
      );
      stage.hidden = true;
      verdict.hidden = again.hidden = false;
      verdict.focus();
    };

    const advance = () => {
      if (!revealed) reveal();
      else if (bets.length < customers) {
        show();
        bet.input.focus({ preventScroll: true });
      } else judge();
    };

    const start = (byHand) => {
      drawn = sample(payload.values.length, customers, random);
      bets = [];
      stage.hidden = false;
      verdict.hidden = again.hidden = true;
      tally();
      show();
      if (byHand) bet.input.focus({ preventScroll: true });
    };

    fallback.remove();
    el.classList.add("gmm-game");
    el.append(
      node(
        "p",
        {},
        node("strong", {}, BET_TEXT.title),
        " ",
        BET_TEXT.rule({ customers, who, what: payload.what, target })
      ),
      node(
        "p",
        {},
        BET_TEXT.known({ percent: payload.percent, target: payload.targets, lowest, highest, who })
      ),
      stage,
      verdict,
      again,
      totals
    );
    start(false);
  });

  // Numbers in [0, 1): the same ones again for the same seed, so that a test can play.
  const generator = (seed) => {
    if (seed == null) return Math.random;
    let state = Number(seed) >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      return mulberry32(state);
    };
  };

  // `size` of the numbers 0 ... N - 1, without replacement: a Fisher-Yates shuffle, cut short.
  const sample = (N, size, random) => {
    const all = Array.from({ length: N }, (_, n) => n);
    for (let i = 0; i < size; i++) {
      const j = i + Math.floor(random() * (N - i));
      [all[i], all[j]] = [all[j], all[i]];
    }
    return all.slice(0, size);
  };
}
