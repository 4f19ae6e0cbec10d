// Beat EM: a race to the highest log L, hand and eye against the algorithm. EM's states come from
// gmmlib in the payload; the player's log L is density.js. Payload: gmmlib/show/games.py.
{
  const BEAT_TEXT = {
    title: "Beat EM.",
    rule: (rounds, what) =>
      `You and EM start from the same poor mixture; in each of ${rounds} rounds EM makes one ` +
      "iteration, while you move as many sliders as you like and press Done; the higher log L " +
      `after round ${rounds} wins.`,
    help: (helps) =>
      `The picture follows your sliders at once, log L is told when the move is done. ${helps} ` +
      "times you may let EM make your move: one iteration, from your mixture.",
    round: (round, rounds) => `Round ${round} of ${rounds}`,
    over: "The race is over",
    sliders: [
      ["mean of bell 1, μ₁", "mean of bell 2, μ₂"],
      ["spread of bell 1, σ₁", "spread of bell 2, σ₂"],
      "weight of bell 1, π₁",
    ],
    done: "Done",
    ask: (left) => `Let EM move me (${left} left)`,
    run: "Let it run to the end",
    again: "Play again",
    names: ["bell 1", "bell 2"],
    sum: "thin line: your mixture",
    axis: (what, unit) => `${what} (${unit})`,
    picture: (m, unit) =>
      `Histogram of the data and your two bells: bell 1 at ${m.means[0]} ${unit}, spread ` +
      `${m.sds[0]} ${unit}, weight ${m.weights[0]}; bell 2 at ${m.means[1]} ${unit}, spread ` +
      `${m.sds[1]} ${unit}.`,
    race: "round",
    raceTitle: "log L (nats)",
    you: "you",
    em: "EM",
    end: "EM’s end",
    racePicture: (yours, ems) => `log L by round. You: ${yours}. EM: ${ems}.`,
    begin: (logL) => `You and EM both start at log L = ${logL} nats.`,
    told: (round, yours, change, ems, lead) =>
      `Round ${round}: you ${yours} (${change}), EM ${ems}. ${lead}`,
    up: (nats) => `up ${nats}`,
    down: (nats) => `down ${nats}`,
    level: "unchanged",
    leads: (nats) => `You lead by ${nats} nats.`,
    trails: (nats) => `EM leads by ${nats} nats.`,
    equal: "You are level.",
    held: (k, sd, unit) =>
      ` EM wanted bell ${k} narrower than ${sd} ${unit}, towards a spike on a few rows where log L ` +
      "grows without end; the referee holds it there.",
    refused: "EM finds no next step from here: one bell has next to no data. Move it first.",
    won: (nats, yours, ems) => `You win by ${nats} nats: ${yours} against EM’s ${ems}.`,
    lost: (nats, yours, ems) => `EM wins by ${nats} nats: ${ems} against your ${yours}.`,
    draw: (yours) => `A draw at ${yours} nats.`,
    creep: ({ rounds, ems, end, left, iterations, slow }) =>
      "EM’s log L never falls, but nothing promises that it rises fast. " +
      `After its first step it needed ${slow} more to gain half of what was still missing. After ` +
      `${rounds} it is ${left} nats below the ${end} where it ends, and it comes within 0.1 of that after ` +
      `${iterations} iterations.`,
    fell: (times) =>
      times
        ? ` Yours fell ${times === 1 ? "once" : `${times} times`}: a move by hand promises nothing.`
        : "",
    eye: {
      above:
        "What eye and hand do better is the big move: you saw the humps, and put a bell on each " +
        "without crossing the valley step by step.",
      below:
        "What eye and hand do better is the big move. Try it: in the first round put one bell on " +
        "each hump of the histogram, as wide as the hump, and set the weight by their areas.",
    },
    digits: (gain, left) =>
      "What EM does better is the last digits: one iteration from your mixture would gain " +
      `${gain} nats more${left > 0 ? ", and you had calls left" : ""}.`,
    more: (gain, left) =>
      `${left > 0 ? "And you had help at hand: one" : "One"} iteration of EM from your mixture ` +
      `would gain ${gain} nats.`,
    finished:
      "One more iteration from your mixture would gain less than 0.01 nats: nothing is left to " +
      "polish.",
    both:
      "So the best player is both: a good start by eye, then EM. Starts from K-means do the same " +
      "without an eye.",
    passed:
      "Your mixture even lies above EM’s end. No mistake: EM climbs to the top of its own hill " +
      "only.",
  };

  const LITTLE = 1; // nats: below it, only the last digits are missing

  casebook.define("beat-em", ({ el, payload, fallback }) => {
    const { bellsPlot, histogram, slider } = casebook.bells;
    const { emStep, logLikelihood } = casebook.density;
    const { values, counts, rounds, helps, trace, unit, ranges } = payload;
    const top = 1.35 * Math.max(...histogramOf().map((bar) => bar.density));
    let mine, round, left, traceOfMine, falls;

    function histogramOf() {
      return histogram(values, counts, ...payload.bars);
    }
    const nats = (value) => fixed(value, Math.abs(value) < 0.095 ? 2 : 1);
    const logL = (value) => fixed(value, 2);
    const digits = (step) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

    const now = node("p", { class: "gmm-game-now" });
    const status = node("p", { class: "gmm-game-answer", "aria-live": "polite" });
    const done = node("button", { type: "submit" }, BEAT_TEXT.done);
    const ask = node("button", { type: "button", onclick: () => letEM() });
    const run = node("button", { type: "button", onclick: () => finish() }, BEAT_TEXT.run);
    const again = node(
      "button",
      { type: "button", hidden: true, onclick: () => start(true) },
      BEAT_TEXT.again
    );
    const verdict = node("div", { class: "gmm-game-verdict", tabindex: "-1", hidden: true });
    const picture = bellsPlot({
      low: ranges.mean[0],
      high: ranges.mean[1],
      axis: BEAT_TEXT.axis(payload.what, unit),
      height: 190,
      names: BEAT_TEXT.names,
      sumName: BEAT_TEXT.sum,
      bars: histogramOf(),
    });
    const race = racePlot(payload);

    // One slider for each number of the mixture: how it is read and written.
    const knob = (label, [min, max, step], unit, read, write) => {
      const words = (value) => fixed(value, digits(step)) + unit;
      const one = slider({
        label, min, max, step, value: min, words,
        oninput: (value) => {
          write(value);
          draw();
        },
      });
      return { ...one, refresh: () => one.set(read()) };
    };
    const sd = (k) => Math.sqrt(mine.variances[k]);
    const [meanWords, sdWords, weightWords] = BEAT_TEXT.sliders;
    const inUnit = ` ${unit}`;
    const setMean = (k) => (value) => (mine.means[k] = value);
    const setSd = (k) => (value) => (mine.variances[k] = value ** 2);
    const setWeight = (value) => (mine.weights = [value, 1 - value]);
    const knobs = [
      ...[0, 1].map((k) => knob(meanWords[k], ranges.mean, inUnit, () => mine.means[k], setMean(k))),
      ...[0, 1].map((k) => knob(sdWords[k], ranges.sd, inUnit, () => sd(k), setSd(k))),
      knob(weightWords, ranges.weight, "", () => mine.weights[0], setWeight),
    ];

    const draw = () => {
      picture.draw(mine, { top });
      picture.describe(
        BEAT_TEXT.picture(
          {
            means: mine.means.map((value) => fixed(value, 1)),
            sds: [0, 1].map((k) => fixed(sd(k), 1)),
            weights: mine.weights.map((value) => fixed(value, 2)),
          },
          unit
        )
      );
    };

    const drawRace = (end) => {
      race.draw(traceOfMine, trace.slice(0, round + 1), end);
      const list = (numbers) => numbers.map((value) => fixed(value, 1)).join(", ");
      race.element.setAttribute(
        "aria-label",
        BEAT_TEXT.racePicture(list(traceOfMine), list(trace.slice(0, round + 1)))
      );
    };

    const move = (note = "") => {
      const before = traceOfMine.at(-1);
      const after = logLikelihood(values, mine, counts);
      const ems = trace[++round];
      traceOfMine.push(after);
      if (after < before) falls += 1;
      const change =
        after > before
          ? BEAT_TEXT.up(nats(after - before))
          : after < before
            ? BEAT_TEXT.down(nats(before - after))
            : BEAT_TEXT.level;
      const lead =
        logL(after) === logL(ems)
          ? BEAT_TEXT.equal
          : after > ems
            ? BEAT_TEXT.leads(nats(after - ems))
            : BEAT_TEXT.trails(nats(ems - after));
      status.textContent = BEAT_TEXT.told(round, logL(after), change, logL(ems), lead) + note;
      drawRace(null);
      tell();
      if (round === rounds) judge();
    };

    // The mixture stays as it is, EM goes on.
    const finish = () => {
      while (round < rounds) move();
    };

    const letEM = () => {
      let next;
      try {
        next = emStep(values, mine, counts);
      } catch {
        status.textContent = BEAT_TEXT.refused;
        return;
      }
      let note = "";
      next.variances = next.variances.map((variance, k) => {
        const lowest = ranges.sd[0];
        if (variance >= lowest ** 2) return variance;
        note = BEAT_TEXT.held(k + 1, lowest, unit);
        return lowest ** 2;
      });
      left -= 1;
      mine = next;
      knobs.forEach((one) => one.refresh());
      draw();
      move(note);
      if (!left && round < rounds) done.focus();
    };

    const tell = () => {
      now.textContent = round < rounds ? BEAT_TEXT.round(round + 1, rounds) : BEAT_TEXT.over;
      ask.textContent = BEAT_TEXT.ask(left);
      ask.hidden = left === 0 || round === rounds;
      run.hidden = round === 0 || round >= rounds - 1; // before: no move yet; after: Done does it
    };

    const judge = () => {
      const [yours, ems] = [traceOfMine.at(-1), trace[rounds]];
      const margin = nats(Math.abs(yours - ems));
      const won = yours > ems;
      const say = (words) => node("p", {}, words);
      let gain = 0;
      try {
        gain = logLikelihood(values, emStep(values, mine, counts), counts) - yours;
      } catch {
        // EM has no step from there: nothing to say about it
      }
      verdict.replaceChildren(
        node(
          "p",
          { class: "gmm-game-result" },
          logL(yours) === logL(ems)
            ? BEAT_TEXT.draw(logL(yours))
            : BEAT_TEXT[won ? "won" : "lost"](margin, logL(yours), logL(ems))
        ),
        say(
          BEAT_TEXT.creep({
            rounds,
            ems: logL(ems),
            end: logL(payload.end),
            left: nats(payload.end - ems),
            iterations: payload.near,
            slow: payload.half,
          }) + BEAT_TEXT.fell(falls)
        ),
        say(
          (won ? BEAT_TEXT.eye.above : BEAT_TEXT.eye.below) +
            " " +
            (gain < 0.01
              ? BEAT_TEXT.finished
              : BEAT_TEXT[gain < LITTLE ? "digits" : "more"](nats(gain), left))
        ),
        say(yours > payload.end + 0.005 ? BEAT_TEXT.passed : BEAT_TEXT.both)
      );
      knobs.forEach((one) => (one.input.disabled = true));
      done.hidden = ask.hidden = true;
      verdict.hidden = again.hidden = false;
      drawRace(payload.end);
      verdict.focus();
    };

    const start = (byHand) => {
      const { weights, means, variances } = payload.start;
      mine = { weights: [...weights], means: [...means], variances: [...variances] };
      [round, left, falls, traceOfMine] = [0, helps, 0, [trace[0]]];
      status.textContent = BEAT_TEXT.begin(logL(trace[0]));
      knobs.forEach((one) => {
        one.input.disabled = false;
        one.refresh();
      });
      done.hidden = false;
      verdict.hidden = again.hidden = true;
      tell();
      draw();
      drawRace(null);
      if (byHand) knobs[0].input.focus();
    };

    fallback.remove();
    el.classList.add("gmm-game");
    el.append(
      node("p", {}, node("strong", {}, BEAT_TEXT.title), " ", BEAT_TEXT.rule(rounds)),
      node("p", {}, BEAT_TEXT.help(helps)),
      node(
        "form",
        {
          onsubmit: (event) => {
            event.preventDefault();
            if (round < rounds) move();
          },
        },
        now,
        picture.element,
        node("div", { class: "gmm-game-knobs" }, ...knobs.map((one) => one.element)),
        node("div", { class: "gmm-game-buttons" }, done, ask, run)
      ),
      status,
      race.element,
      verdict,
      again
    );
    start(false);
  });

  // log L against the round: the player solid with dots, EM dashed with squares.
  const racePlot = ({ rounds, trace, end }) => {
    const { plot, text } = casebook.bells;
    const height = 150;
    const { root, x, floor, head } = plot({
      low: 0, high: 1.34 * rounds, axis: BEAT_TEXT.race, height, head: 34, last: rounds,
    });
    const low = trace[0] - 0.24 * (end - trace[0]);
    const high = end + 0.06 * (end - trace[0]);
    const y = (value) =>
      floor - ((Math.min(Math.max(value, low), high) - low) / (high - low)) * (floor - head);
    const front = svg("g", {});
    root.append(text(10, 12, BEAT_TEXT.raceTitle, "start"), front);
    const line = (numbers, mark, dash, color) => {
      const points = numbers.map((value, i) => [x(i), y(value)]);
      return svg(
        "g",
        { class: "gmm-game-race", style: `color:${color}` },
        svg("path", { d: pathThrough(points), "stroke-dasharray": dash }),
        ...points.map(([px, py]) =>
          mark === "dot"
            ? svg("circle", { cx: px.toFixed(1), cy: py.toFixed(1), r: 3 })
            : svg("rect", { x: (px - 3).toFixed(1), y: (py - 3).toFixed(1), width: 6, height: 6 })
        )
      );
    };
    const name = (who, numbers, at) =>
      text(x(numbers.length - 1) + 8, at + 4, `${who} ${fixed(numbers.at(-1), 1)}`, "start");
    const draw = (mine, ems, finish) => {
      const [mineAt, emAt] = [y(mine.at(-1)), y(ems.at(-1))];
      // Names at the ends of both lines, kept apart.
      const near = Math.abs(mineAt - emAt) < 13;
      const shift = near ? (13 - Math.abs(mineAt - emAt)) / 2 : 0;
      const up = mineAt <= emAt;
      front.replaceChildren(
        line(ems, "square", "4 3", "var(--gmm-data)"),
        line(mine, "dot", "none", "var(--gmm-accent)"),
        name(BEAT_TEXT.em, ems, emAt + (up ? shift : -shift)),
        name(BEAT_TEXT.you, mine, mineAt + (up ? -shift : shift))
      );
      if (finish != null) {
        const ends = { x1: x(0), x2: x(rounds), y1: y(finish), y2: y(finish) };
        front.append(
          svg("line", { ...ends, class: "gmm-game-mark" }),
          text(x(0), y(finish) - 4, BEAT_TEXT.end, "start")
        );
      }
    };
    return { element: root, draw };
  };
}
