// One hump or two: an explorer of the sum of two bells. The left bell stands at 0 and is one wide.
{
  const HUMPS_TEXT = {
    gap: "gap between the means, in sds of bell 1",
    ratio: "sd of bell 2, in sds of bell 1",
    weight: "weight of bell 1",
    names: ["bell 1", "bell 2"],
    sum: "thin line: the sum",
    axis: "distance from the mean of bell 1, in its sds",
    one: "one",
    two: "two humps",
    here: "here",
    oneHump: (at) => `One hump, at ${at}`,
    twoHumps: (a, b) => `Two humps, at ${a} and ${b}`,
    borderEqual: "Equal bells: the border is a gap of exactly 2 standard deviations.",
    border: (at) => `For these sds and weights the second hump appears at a gap of about ${at}.`,
    borders: (at) => `For these sds and weights the number of humps changes at gaps of about ${at}.`,
    never: (high) => `For these sds and weights there is one hump up to a gap of ${high}.`,
    and: " and ",
    examples: "Set to:",
  };

  casebook.define("two-humps", ({ el, payload, fallback }) => {
    const { bellsPlot, slider } = casebook.bells;
    const { density } = casebook;
    const { ranges } = payload;
    const state = { ...payload.start };
    let picture, reach;
    // The axis stays, and grows only where bell 2 would leave it.
    const fit = ({ gap, ratio }) => {
      const [low, high] = [Math.min(-4, gap - 3 * ratio), Math.max(10, gap + 3 * ratio)];
      if (reach === `${low} ${high}`) return;
      reach = `${low} ${high}`;
      const next = bellsPlot({
        low, high, axis: HUMPS_TEXT.axis, height: 190, names: HUMPS_TEXT.names,
        sumName: HUMPS_TEXT.sum,
      });
      picture?.element.replaceWith(next.element);
      picture = next;
    };
    const answer = node("p", { class: "gmm-game-result" });
    const spoken = node("p", { class: "gmm-game-unseen", "aria-live": "polite" });
    const border = node("p", {});
    const strip = stripPlot(ranges.gap[1]);
    let timer, changes;

    const mixture = ({ gap, ratio, weight }) => ({
      weights: [weight, 1 - weight],
      means: [0, gap],
      variances: [1, ratio ** 2],
    });
    // The grid is finer than what the words say: two decimals.
    const humps = (values, points) =>
      density.modes(
        density.linspace(-0.5, values.gap + 0.5, points), mixture(values)
      );

    // Gaps at which the number of humps changes; a mixture of two bells never has a third hump.
    const findChanges = () => {
      const gaps = density.linspace(0, ranges.gap[1], 8 * ranges.gap[1] + 1);
      const two = (gap) => humps({ ...state, gap }, 241).length > 1;
      const isTwo = gaps.map(two);
      return gaps.flatMap((gap, i) => {
        if (!i || isTwo[i] === isTwo[i - 1]) return [];
        let [low, high] = [gaps[i - 1], gap];
        while (high - low > 0.01) {
          const middle = (low + high) / 2;
          if (two(middle) === isTwo[i]) high = middle;
          else low = middle;
        }
        return [(low + high) / 2];
      });
    };

    const draw = () => {
      const m = mixture(state);
      const found = humps(state, 1201);
      fit(state);
      picture.draw(m, { marks: found.map((at) => ({ at })) });
      const places = found.map((at) => fixed(at, 2));
      const words = HUMPS_TEXT[found.length > 1 ? "twoHumps" : "oneHump"](...places);
      answer.textContent = `${words}.`;
      picture.describe(`${words}.`);
      strip.draw(changes, state.gap);
    };

    // A screen reader hears the result when the slider rests, not at each step.
    const tell = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        spoken.textContent = `${answer.textContent} ${border.textContent}`;
      }, 700);
    };

    const map = () => {
      changes = findChanges();
      const places = changes.map((at) => fixed(at, 1)).join(HUMPS_TEXT.and);
      border.textContent =
        state.ratio === 1 && state.weight === 0.5
          ? HUMPS_TEXT.borderEqual
          : changes.length === 0
            ? HUMPS_TEXT.never(ranges.gap[1])
            : changes.length === 1
              ? HUMPS_TEXT.border(places)
              : HUMPS_TEXT.borders(places);
    };

    const knob = (key, decimals) => {
      const [min, max, step] = ranges[key];
      return slider({
        label: HUMPS_TEXT[key], min, max, step, value: state[key],
        words: (value) => fixed(value, decimals),
        oninput: (value) => {
          state[key] = value;
          if (key !== "gap") map();
          draw();
          tell();
        },
      });
    };
    const knobs = { gap: knob("gap", 2), ratio: knob("ratio", 2), weight: knob("weight", 2) };
    const set = (values) => {
      Object.assign(state, values);
      for (const [key, one] of Object.entries(knobs)) one.set(state[key]);
      map();
      draw();
      tell();
    };

    fit(state);
    fallback.remove();
    el.classList.add("gmm-game");
    const examples = payload.examples.map(({ name, ...values }) =>
      node("button", { type: "button", onclick: () => set(values) }, name)
    );
    el.append(
      picture.element,
      answer,
      node("div", { class: "gmm-game-knobs gmm-game-first-wide" }, ...Object.values(knobs).map((one) => one.element)),
      strip.element,
      border,
      ...(examples.length
        ? [node("div", { class: "gmm-game-buttons" }, HUMPS_TEXT.examples, ...examples)]
        : []),
      spoken
    );
    map();
    draw();
  });

  // Which gaps make two humps, for the spread and weight as they stand, and where the slider is.
  const stripPlot = (high) => {
    const { plot, text } = casebook.bells;
    const { root, x, floor, head } = plot({
      low: 0, high, axis: HUMPS_TEXT.gap, height: 84, head: 22,
    });
    root.setAttribute("aria-hidden", "true"); // the words below say the same
    const front = svg("g", {});
    root.append(front);
    const draw = (changes, gap) => {
      const ends = [0, ...changes, high];
      front.replaceChildren();
      for (let i = 0; i + 1 < ends.length; i++) {
        const [from, to] = [x(ends[i]), x(ends[i + 1])];
        const two = i % 2 === 1;
        const box = { x: from, y: head, width: to - from, height: floor - head };
        front.append(svg("rect", { ...box, class: two ? "gmm-game-two" : "gmm-game-one" }));
        const words = two ? HUMPS_TEXT.two : HUMPS_TEXT.one;
        if (to - from > 60) front.append(text((from + to) / 2, floor - 8, words));
      }
      const at = x(gap);
      front.append(svg("path", { d: `M${at} ${head}l-6 -9h12z`, class: "gmm-game-here" }));
      front.append(text(Math.min(Math.max(at, 24), 336), 10, HUMPS_TEXT.here));
    };
    return { element: root, draw };
  };
}
