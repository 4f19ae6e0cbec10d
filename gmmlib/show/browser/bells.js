// What the games draw and ask with: one-dimensional bells over a histogram, and labelled sliders.
casebook.bells = (() => {
  const WIDTH = 360; // of the viewBox: on a phone one unit is about one pixel
  const EDGE = 14;
  let count = 0;

  // A range with its label and its value in words. The words are in aria-valuetext, so the visible
  // copy is hidden from a screen reader.
  const slider = ({ label, min, max, step, value, words, oninput }) => {
    const id = `gmm-slider-${++count}`;
    const shown = node("span", { class: "gmm-game-slider-value", "aria-hidden": "true" });
    const input = node("input", { type: "range", id, min, max, step, value });
    const tell = (value) => {
      shown.textContent = words(value);
      input.setAttribute("aria-valuetext", words(value));
    };
    input.addEventListener("input", () => {
      tell(input.valueAsNumber);
      oninput?.(input.valueAsNumber);
    });
    tell(value);
    return {
      element: node(
        "div",
        { class: "gmm-game-slider" },
        node("label", { for: id }, label),
        shown,
        input
      ),
      input,
      // value may lie between two steps: the thumb takes the nearest, the words say what it is
      set: (value) => {
        input.value = value;
        tell(value);
      },
    };
  };

  // Places of round numbers, about `wanted` of them.
  const ticks = (low, high, wanted = 8) => {
    const rough = (high - low) / wanted;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  };

  const tickWords = (value) => String(Math.round(value * 100) / 100).replace("-", "−");

  const text = (x, y, words, anchor = "middle") =>
    svg("text", { x: x.toFixed(1), y: y.toFixed(1), "text-anchor": anchor }, words);

  // An empty plot with a horizontal axis; x and y turn numbers into places.
  const plot = ({ low, high, axis, last = high, height = 190, head = 18 }) => {
    const floor = height - 36;
    const x = (value) => EDGE + ((value - low) / (high - low)) * (WIDTH - 2 * EDGE);
    const root = svg("svg", {
      class: "gmm-game-plot",
      viewBox: `0 0 ${WIDTH} ${height}`,
      role: "img",
      "aria-label": axis,
    });
    const line = { x1: EDGE, x2: WIDTH - EDGE, y1: floor, y2: floor, class: "gmm-game-axis" };
    root.append(svg("line", line), text(WIDTH / 2, height - 4, axis));
    for (const value of ticks(low, last)) {
      const at = x(value).toFixed(1);
      const tick = { x1: at, x2: at, y1: floor, y2: floor + 4, class: "gmm-game-axis" };
      root.append(svg("line", tick));
      root.append(text(x(value), floor + 17, tickWords(value)));
    }
    return { root, x, floor, head, low, high };
  };

  // Weighted bells and their sum in a plot. `bars` is a histogram: { from, to, density }.
  const bellsPlot = ({ bars = [], names, sumName, ...rest }) => {
    const { density } = casebook;
    const { root, x, floor, head, low, high } = plot(rest);
    const grid = density.linspace(low, high, 241);
    const back = svg("g", { class: "gmm-game-bars" });
    const front = svg("g", {});
    root.append(back, front);
    // A mark with words is a line up to them, one without stands below the sum. Without a mixture
    // there are only the bars and the marks; without a top the sum fills the plot.
    const draw = (mixture, { top, marks = [] } = {}) => {
      const parts = mixture && density.logJoint(grid, mixture).map((row) => row.map(Math.exp));
      const whole = parts?.map((row) => row.reduce((a, b) => a + b)) ?? [1];
      top ??= 1.05 * Math.max(...whole);
      const y = (value) => floor - (Math.min(value / top, 1.02) * (floor - head));
      back.replaceChildren(
        ...bars.map(({ from, to, density: value }) =>
          svg("rect", {
            x: (x(from) + 0.5).toFixed(1),
            width: Math.max(x(to) - x(from) - 1, 0.5).toFixed(1),
            y: y(value).toFixed(1),
            height: (floor - y(value)).toFixed(1),
          })
        )
      );
      front.replaceChildren();
      if (mixture) {
        mixture.means.forEach((_, k) =>
          front.append(
            svg("path", {
              d: pathThrough(grid.map((value, i) => [x(value), y(parts[i][k])])),
              class: "gmm-game-bell",
              stroke: PALETTE[k],
              "stroke-dasharray": k ? "7 3" : "none",
            })
          )
        );
        const sumPath = pathThrough(grid.map((value, i) => [x(value), y(whole[i])]));
        front.append(svg("path", { d: sumPath, class: "gmm-game-sum" }));
        const taken = marks.filter(({ words }) => words).map(({ at }) => x(at));
        front.append(...labels(mixture, x, y, taken));
        if (sumName) front.append(text(WIDTH - EDGE, 12, sumName, "end"));
      }
      for (const { at, words } of marks) {
        const place = x(Math.min(Math.max(at, low), high));
        const tip = words ? 16 : y(Math.exp(density.logDensity([at], mixture)[0]));
        const line = { x1: place, x2: place, y1: tip, y2: floor, class: "gmm-game-mark" };
        front.append(svg("line", line));
        if (words) front.append(text(Math.min(Math.max(place, 40), WIDTH - 40), 12, words));
      }
    };

    // A name over each bell, clear of the sum; where two are close the names move apart.
    const labels = (mixture, x, y, taken) => {
      const tops = mixture.means.map((mean, k) => {
        const [log] = casebook.density.logDensity([mean], mixture);
        return { k, x: x(mean), y: Math.max(y(Math.exp(log)) - 6, head - 4) };
      });
      tops.sort((a, b) => a.x - b.x);
      const crowded =
        tops.length === 2 && tops[1].x - tops[0].x < 70 && Math.abs(tops[1].y - tops[0].y) < 16;
      return tops.map((top, i) => {
        const mark = taken.find((place) => Math.abs(place - top.x) < 28);
        const aside = mark === undefined ? top.x : mark + (mark < top.x ? 28 : -28);
        const at = Math.min(Math.max(aside, 30), WIDTH - 30);
        if (!crowded) return text(at, top.y, names[top.k]);
        const both = (tops[0].x + tops[1].x) / 2;
        return text(both + (i ? 5 : -5), top.y, names[top.k], i ? "start" : "end");
      });
    };

    return { element: root, draw, describe: (words) => root.setAttribute("aria-label", words) };
  };

  // Density of a sample in bars of equal width.
  const histogram = (values, counts, low, high, bins) => {
    const width = (high - low) / bins;
    const total = counts.reduce((a, b) => a + b);
    const bars = Array.from({ length: bins }, (_, i) => ({
      from: low + i * width,
      to: low + (i + 1) * width,
      density: 0,
    }));
    values.forEach((value, n) => {
      const i = Math.min(Math.max(Math.floor((value - low) / width), 0), bins - 1);
      bars[i].density += counts[n] / total / width;
    });
    return bars.filter((bar) => bar.density > 0);
  };

  const row = (cell, ...entries) =>
    node(
      "tr",
      {},
      ...entries.map((entry) => node(cell, cell === "th" ? { scope: "col" } : {}, entry))
    );

  const table = (head, rows) =>
    node(
      "table",
      { class: "gmm-game-table" },
      node("thead", {}, row("th", ...head)),
      node("tbody", {}, ...rows.map((entries) => row("td", ...entries)))
    );

  return { WIDTH, EDGE, slider, plot, text, bellsPlot, histogram, table };
})();
