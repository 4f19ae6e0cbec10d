// The EM player. The states come from gmmlib as numbers; here they are only drawn, and between two
// of them moved along a straight line. A half-step h is: 0 the start; 2t + 1 the E-step after t
// M-steps; 2t the t-th M-step.
const PLAYER_TEXT = {
  figure: "EM player. With the focus here, the left and right arrow keys go one half-step back or " +
    "on, and the space bar plays or pauses.",
  reset: "Reset",
  back: "Back",
  play: "Play",
  pause: "Pause",
  step: "Step",
  speed: "Speed",
  half: (h, last) => [`Half-step `, h, ` of ${last}`],
  numbers: "The numbers of this run",
  mixture: "mixture",
  density: (unit) => (unit ? `density (per ${unit})` : "density"),
  iteration: "iteration",
  and: " and ",
  name: (h) => (h === 0 ? "Start" : `${h % 2 ? "E" : "M"}-step ${Math.ceil(h / 2)}`),
  start: (means, logL) =>
    `Start: the means stand at ${means}, and nobody has bet yet; log L = ${logL} nats.`,
  firstE: (t, counts, logL) =>
    `E-step ${t}: every row places its first bets; they add up to ${counts} rows; log L stays at ` +
    `${logL} nats.`,
  eStep: (t, counts, logL) =>
    `E-step ${t}: every row bets anew; the bets add up to ${counts} rows; log L stays at ${logL} nats.`,
  mStep: (t, means, rise, logL) =>
    `M-step ${t}: the means moved to ${means}; log L rose by ${rise} to ${logL} nats.`,
  // The same where the bound is shown.
  firstTouch: (t, counts, logL) =>
    `E-step ${t}: the first bets; they add up to ${counts} rows. The ELBO touches log L = ${logL} nats.`,
  touch: (t, logL, gap) =>
    `E-step ${t}: the bets follow; log L stays at ${logL}; the gap of ${gap} nats is closed.`,
  lift: (t, means, rise, elbo, logL) =>
    `M-step ${t}: the means moved to ${means}; the ELBO rose by ${rise} to ${elbo} nats, and log L ` +
    `with it, to ${logL}.`,
  below: (value) => `↓ from ${value}`,
  trace: (elbo) => `log L${elbo ? " and ELBO" : ""}, half-step by half-step (nats)`,
  traceAlt: (from, to, n, elbo) =>
    `log L goes from ${from} to ${to} nats in ${n} iterations. It rises in the M-steps and stays ` +
    "where it is in the E-steps." +
    (elbo ? " After an M-step the ELBO is lower; the next E-step lifts it to log L again." : ""),
  ellipses: "Ellipses at one and two standard deviations",
  bound: "The bound on the way to the new parameters (nats above log L at the old parameters)",
  boundAlt: (t, rise, gain) =>
    `Iteration ${t}: the bound touches log L at the old parameters. Its top, ${rise} nats higher, ` +
    `is at the new parameters, where log L is ${gain} nats higher.`,
  live: "Change the run",
  handle: (name) => `Starting mean of ${name}`,
  drag: "At the start, drag a mean, or focus it and use the arrow keys.",
  draw: "New start",
  add: "Add points",
  addHint: "Click in the figure, or type a point:",
  addOne: "Add",
  original: "Original run",
  working: "gmmlib computes the new run …",
  refused: (why) => `Nothing is changed: ${why}.`,
  silent: "No answer from the kernel. Run the cell again; the run shown here is the last one.",
};

{
  const T = PLAYER_TEXT;
  const LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

  // Arithmetic: held to scipy and numpy by tests/test_show_player.py.

  const density = (x, mean, variance) =>
    Math.exp((-0.5 * (x - mean) ** 2) / variance) / Math.sqrt(2 * Math.PI * variance);

  // Points of the ellipse at r standard deviations: mean + r L (cos, sin), covariance = L L'.
  const ellipse = (mean, [[a, b], [, c]], r, n = 48) => {
    const l11 = Math.sqrt(a), l21 = b / l11, l22 = Math.sqrt(Math.max(0, c - l21 ** 2));
    return Array.from({ length: n }, (_, i) => {
      const u = r * Math.cos((2 * Math.PI * i) / n), v = r * Math.sin((2 * Math.PI * i) / n);
      return [mean[0] + l11 * u, mean[1] + l21 * u + l22 * v];
    });
  };

  // Rows of K responsibilities from one character a row and component but the last.
  const decode = (bets, K) => {
    const rows = K === 1 ? [] : Array.from({ length: bets.length / (K - 1) }, (_, n) => {
      const row = [...bets.slice(n * (K - 1), (n + 1) * (K - 1))].map((c) => LEVELS.indexOf(c) / 63);
      return [...row, Math.max(0, 1 - row.reduce((sum, g) => sum + g, 0))];
    });
    return rows;
  };

  // A mixture on the straight line between two, s in [0, 1].
  const between = (from, to, s) => {
    const mix = (a, b) => (Array.isArray(a) ? a.map((x, i) => mix(x, b[i])) : a + s * (b - a));
    return Object.fromEntries(
      ["weights", "means", "covariances"].map((key) => [key, mix(from[key], to[key])])
    );
  };

  casebook.player = { density, ellipse, decode, between };

  const niceStep = (raw) => {
    const ten = 10 ** Math.floor(Math.log10(raw));
    return ten * [1, 2, 2.5, 5, 10].find((m) => m * ten >= raw * 0.999);
  };
  const ticks = (low, high, count) => {
    const step = niceStep((high - low) / count);
    const first = Math.ceil(low / step - 1e-9);
    const values = [];
    for (let i = first; i * step <= high + 1e-9 * step; i++) values.push(i * step);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const more = Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6 ? 1 : 0;
    return values.map((value) => [value, fixed(value, digits + more)]);
  };
  // Nats with two decimals; a small gain with two significant digits, so that it does not read 0.
  const nats = (value) =>
    value !== 0 && Math.abs(value) < 0.1 ? String(Number(value.toPrecision(2))) : fixed(value, 2);
  const list = (items) =>
    items.length < 2 ? items.join("") : items.slice(0, -1).join(", ") + T.and + items.at(-1);
  const linear = (low, high, from, to) => {
    const scale = (value) => from + ((value - low) / (high - low)) * (to - from);
    scale.invert = (place) => low + ((place - from) / (to - from)) * (high - low);
    return scale;
  };
  const rgb = casebook.palette.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  const blend = (row) =>
    `rgb(${[0, 1, 2].map((c) => Math.round(row.reduce((sum, g, k) => sum + g * rgb[k][c], 0)))})`;

  let clips = 0; // makes the ids of clip paths unique on the page

  // A frame with axes; what is drawn into `inside` is cut at its edges.
  const frame = (root, { width, height, left = 46, right = 8, top = 8, bottom = 34, label }) => {
    const id = `player-clip-${++clips}`;
    root.setAttribute("viewBox", `0 0 ${width} ${height}`);
    root.setAttribute("width", width);
    root.setAttribute("height", height);
    if (label) root.setAttribute("aria-label", label);
    const box = { left, right: width - right, top, bottom: height - bottom };
    const behind = svg("g"), inside = svg("g", { "clip-path": `url(#${id})` }), front = svg("g");
    root.replaceChildren(
      svg("clipPath", { id }, svg("rect", {
        x: left, y: 0, width: box.right - left, height: box.bottom,
      })),
      behind, inside, front
    );
    return { box, behind, inside, front };
  };
  const write = (x, y, text, attributes = {}) => svg("text", { x, y, ...attributes }, text);
  const axisX = ({ behind, box }, x, marks, title) => {
    behind.append(svg("path", { class: "player-axis", d: `M${box.left} ${box.bottom}H${box.right}` }));
    for (const [value, text] of marks) {
      behind.append(
        svg("path", { class: "player-axis", d: `M${x(value)} ${box.bottom}v4` }),
        write(x(value), box.bottom + 16, text, { "text-anchor": "middle" })
      );
    }
    behind.append(write((box.left + box.right) / 2, box.bottom + 31, title, { "text-anchor": "middle" }));
  };
  const axisY = ({ behind, box }, y, marks, title) => {
    behind.append(svg("path", { class: "player-axis", d: `M${box.left} ${box.top}V${box.bottom}` }));
    for (const [value, text] of marks) {
      behind.append(
        svg("path", { class: "player-axis", d: `M${box.left - 4} ${y(value)}h4` }),
        write(box.left - 6, y(value) + 4, text, { "text-anchor": "end" })
      );
    }
    if (title) {
      behind.append(write(0, 0, title, {
        "text-anchor": "middle",
        transform: `translate(11 ${(box.top + box.bottom) / 2}) rotate(-90)`,
      }));
    }
  };
  const axisTitle = ({ name, unit }) => (unit ? `${name} (${unit})` : name);

  // Lowest and highest of the data and of where the means go, with some room on both sides.
  const extent = (data, j) => {
    const values = [...data.points[j], ...data.states.flatMap((s) => s.means.map((m) => m[j]))];
    const low = Math.min(...values), high = Math.max(...values);
    const room = 0.08 * (high - low) || 1;
    return [low - room, high + room];
  };

  // One feature: rows as bricks, stacked to a histogram of area one; bells weighted by pi on top.
  const drawLine = (root, data, width) => {
    const height = width < 420 ? 250 : 280;
    const [axis] = data.axes, points = data.points[0], K = data.labels.length;
    const [low, high] = extent(data, 0);
    const N = data.counts.reduce((sum, c) => sum + c, 0);
    const bin = niceStep((high - low) / Math.min(32, Math.max(10, 2 * Math.sqrt(N))));
    const stacks = new Map();
    for (const [n, x] of points.entries()) {
      const column = Math.floor(x / bin + 1e-9);
      stacks.set(column, [...(stacks.get(column) ?? []), n]);
    }
    const brick = 1 / (N * bin);
    const tallest = brick * Math.max(...[...stacks.values()].map((rows) =>
      rows.reduce((sum, n) => sum + data.counts[n], 0)));
    const even = Array.from({ length: 161 }, (_, i) => low + ((high - low) * i) / 160);
    // Close around each mean, or a thin bell would be missed.
    const gridOf = ({ means, covariances }) => [
      ...even,
      ...means.flatMap(([mean], k) => Array.from({ length: 25 }, (_, i) =>
        mean + ((i - 12) / 4) * Math.sqrt(covariances[k][0][0]))),
    ].filter((value) => value >= low && value <= high).sort((a, b) => a - b);
    const mixture = ({ weights, means, covariances }, x) =>
      weights.map((w, k) => w * density(x, means[k][0], covariances[k][0][0]));
    const total = (parts) => parts.reduce((sum, p) => sum + p, 0);
    const peak = Math.max(...data.states.flatMap((s) => gridOf(s).map((x) => total(mixture(s, x)))));
    const top = 1.12 * Math.max(tallest, Math.min(peak, 2 * tallest)); // a spike may leave the frame
    const panel = frame(root, { width, height, top: 20, left: 52, label: data.alt });
    const { box, inside, front } = panel;
    const x = linear(low, high, box.left, box.right), y = linear(0, top, box.bottom, box.top);
    axisX(panel, x, ticks(low, high, width < 420 ? 5 : 8), axisTitle(axis));
    axisY(panel, y, ticks(0, top, 4), T.density(axis.unit));
    const bricks = new Array(points.length);
    const many = N > 400; // then bricks are too flat for a gap between two
    for (const [column, rows] of stacks) {
      let from = 0;
      for (const n of rows) {
        const to = from + brick * data.counts[n];
        const inset = many ? 0 : 0.5;
        bricks[n] = svg("rect", {
          x: x(column * bin) + 0.5,
          width: Math.max(0.5, x(bin) - x(0) - 1),
          y: y(to) + inset,
          height: Math.max(0.5, y(from) - y(to) - inset),
        });
        from = to;
      }
    }
    inside.append(svg("g", { class: many ? "player-data player-many" : "player-data" }, ...bricks));
    const curve = (name, style) => svg("path", { class: `player-curve ${name}`, style });
    const bells = data.labels.map((_, k) => curve("", `stroke:${casebook.palette[k]}`));
    const sum = curve("player-mixture");
    inside.append(sum, ...bells);
    const names = data.labels.map((label, k) => svg("g", { class: "player-label" },
      svg("rect", { x: -4, y: -9, width: 8, height: 8, fill: casebook.palette[k] }),
      write(8, -1, label)));
    const sumName = write(0, 0, T.mixture, { class: "player-label" });
    front.append(sumName, ...names);
    return {
      box,
      plane: { toData: (px) => [x.invert(px)], toPlace: ([value]) => [x(value), box.bottom], steps: [(high - low) / 100] },
      colour: (bets) => bricks.forEach((b, n) => (b.style.color = bets ? blend(bets[n]) : "")),
      mixture: (state) => {
        const grid = gridOf(state);
        const parts = grid.map((value) => mixture(state, value));
        bells.forEach((bell, k) => bell.setAttribute("d", pathThrough(grid.map((value, i) => [x(value), y(parts[i][k])]))));
        const sums = parts.map(total);
        sum.setAttribute("d", pathThrough(grid.map((value, i) => [x(value), y(sums[i])])));
        // The mixture's name stands on its right shoulder, or over its end where there is no room.
        const highest = Math.max(...sums);
        const shoulder = sums.findLastIndex((value) => value > 0.4 * highest);
        const right = x(grid[shoulder]) + 8;
        const room = right + 52 < box.right;
        const below = room ? sums[shoulder] : Math.max(...sums.filter((_, i) => x(grid[i]) > box.right - 54));
        sumName.setAttribute("x", room ? right : box.right);
        sumName.setAttribute("text-anchor", room ? "start" : "end");
        sumName.setAttribute("y", Math.max(12, y(below) - 5));
        const reach = 28, middle = room ? right + reach : box.right - reach;
        const taken = [{ place: middle - reach, half: reach, level: Math.max(12, y(below) - 5) }];
        // The names stand over the tops, and above each other where two would overlap.
        names.forEach((name, k) => {
          const half = data.labels[k].length * 3.4 + 10;
          const mean = state.means[k][0];
          const place = Math.min(box.right - 2 * half + 12, Math.max(box.left + 6, x(mean) - half + 6));
          let level = Math.max(12, y(mixture(state, mean)[k]) - 5);
          for (const other of [...taken].sort((a, b) => b.level - a.level)) {
            const apart = place + 2 * half < other.place || place > other.place + 2 * other.half;
            if (!apart && Math.abs(level - other.level) < 15) level = other.level - 15;
          }
          taken.push({ place, half, level });
          name.setAttribute("transform", `translate(${place} ${Math.max(12, level)})`);
        });
      },
    };
  };

  // Two features: rows as dots, components as ellipses at one and two standard deviations.
  const drawPlane = (root, data, width) => {
    const height = Math.min(400, Math.round(0.8 * width));
    const panel = frame(root, { width, height, left: 52, label: data.alt });
    const { box, inside } = panel;
    const [lowX, highX] = extent(data, 0), [lowY, highY] = extent(data, 1);
    const x = linear(lowX, highX, box.left, box.right), y = linear(lowY, highY, box.bottom, box.top);
    axisX(panel, x, ticks(lowX, highX, width < 420 ? 5 : 8), axisTitle(data.axes[0]));
    axisY(panel, y, ticks(lowY, highY, 5), axisTitle(data.axes[1]));
    const [xs, ys] = data.points;
    const dots = xs.map((value, n) => svg("circle", {
      cx: x(value).toFixed(1),
      cy: y(ys[n]).toFixed(1),
      r: (xs.length > 600 ? 2 : 3) * Math.min(2, Math.sqrt(data.counts[n])),
    }));
    inside.append(svg("g", { class: "player-data" }, ...dots));
    const rings = data.labels.map((_, k) => [1, 2].map((r) =>
      svg("path", { class: `player-curve player-ring-${r}`, style: `stroke:${casebook.palette[k]}` })));
    const names = data.labels.map((_, k) => svg("g", { class: "player-centre" },
      svg("circle", { r: 10, stroke: casebook.palette[k] }),
      write(0, 4.5, k + 1, { "text-anchor": "middle" }),
      data.named ? write(14, 4.5, data.labels[k], { class: "player-label" }) : ""));
    inside.append(...rings.flat(), ...names);
    return {
      box,
      plane: {
        toData: (px, py) => [x.invert(px), y.invert(py)],
        toPlace: ([a, b]) => [x(a), y(b)],
        steps: [(highX - lowX) / 100, (highY - lowY) / 100],
      },
      colour: (bets) => dots.forEach((dot, n) => (dot.style.color = bets ? blend(bets[n]) : "")),
      mixture: ({ means, covariances }) => means.forEach((mean, k) => {
        rings[k].forEach((ring, i) => ring.setAttribute("d",
          pathThrough(ellipse(mean, covariances[k], i + 1).map(([a, b]) => [x(a), y(b)])) + "Z"));
        names[k].setAttribute("transform", `translate(${x(mean[0])} ${y(mean[1])})`);
      }),
    };
  };

  // Two staircases, one column a half-step; the gap between them after an M-step is shaded.
  const drawTrace = (root, data, width, last, jump) => {
    const { states } = data;
    const first = states[0].log_likelihood, end = states.at(-1).log_likelihood;
    const panel = frame(root, {
      width, height: 170, left: 62,
      label: T.traceAlt(nats(first), nats(end), states.length - 1, data.bounds),
    });
    const { box, behind, inside } = panel;
    // A poor start would press all that follows into one line: then it stays below the frame.
    const deep = states.length > 3 && states[1].log_likelihood - first > 0.6 * (end - first);
    const values = states.slice(deep ? 1 : 0)
      .flatMap((s) => (data.bounds ? [s.log_likelihood, s.elbo] : [s.log_likelihood]));
    const low = Math.min(...values), high = Math.max(...values), room = 0.12 * (high - low) || 1;
    const floor = low - (deep ? 2.6 : 1) * room; // the start's value is written on the floor
    const x = linear(0, last + 1, box.left, box.right);
    const y = linear(floor, high + room, box.bottom, box.top);
    const every = niceStep(Math.max(1, (states.length - 1) / 6));
    const marks = states.map((_, t) => t).filter((t) => t % Math.max(1, Math.round(every)) === 0);
    axisX(panel, x, marks.map((t) => [2 * t + (t ? 0 : 0.5), String(t)]), T.iteration);
    axisY(panel, y, ticks(floor, high + room, 4));
    const stairs = (value, from) => {
      let d = `M${x(from)} ${y(value(from))}`;
      for (let h = from; h <= last; h++) d += `V${y(value(h)).toFixed(1)}H${x(h + 1).toFixed(1)}`;
      return d;
    };
    const logL = (h) => states[Math.floor(h / 2)].log_likelihood;
    const elbo = (h) => (h % 2 ? logL(h) : states[h / 2].elbo);
    const here = svg("rect", { class: "player-here", y: box.top, height: box.bottom - box.top, width: Math.max(3, x(1) - x(0)) });
    const dot = svg("circle", { class: "player-dot", r: 4 });
    const below = svg("path", { class: "player-dot", d: "M-6 -11h12l-6 10z" });
    inside.append(
      here,
      ...(data.bounds ? states.slice(1) : []).map((s, i) => svg("rect", {
        class: "player-gap", x: x(2 * i + 2), width: x(1) - x(0),
        y: y(s.log_likelihood), height: Math.max(0, y(s.elbo) - y(s.log_likelihood)),
      })),
      svg("path", { class: "player-curve player-mixture", d: stairs(logL, 0) }),
      data.bounds ? svg("path", { class: "player-curve player-bound", d: stairs(elbo, 1) }) : "",
      dot, below
    );
    if (deep) behind.append(write(x(2) + 6, box.bottom - 6, T.below(fixed(first, 2))));
    // Both curves climb and flatten, so the lower right corner is free for their names.
    if (data.bounds) [["player-mixture", "log L"], ["player-bound", "ELBO"]].forEach(([style, text], i) => {
      const level = box.bottom - (deep ? 44 : 28) + 18 * i;
      behind.append(
        svg("path", { class: `player-curve ${style}`, d: `M${box.right - 84} ${level - 4}h30` }),
        write(box.right - 48, level, text)
      );
    });
    root.onclick = (event) => {
      const place = event.clientX - root.getBoundingClientRect().left;
      jump(Math.min(last, Math.max(0, Math.floor(x.invert(place * (width / root.clientWidth))))));
    };
    return (h) => {
      const place = x(h + 0.5), level = y(h && data.bounds ? elbo(h) : logL(h));
      const outside = level > box.bottom; // an arrow says so, a dot on the floor would lie
      here.setAttribute("x", x(h));
      dot.setAttribute("cx", place);
      dot.setAttribute("cy", level);
      dot.style.display = outside ? "none" : "";
      below.setAttribute("transform", `translate(${place} ${box.bottom})`);
      below.style.display = outside ? "" : "none";
    };
  };

  // log L and the bound along the line from the old to the new parameters.
  const drawBound = (root, data, width) => {
    const build = (t) => {
      const { s, log_likelihood: curve, bound } = data.bounds[t];
      const at = (values, place) => {
        const i = Math.max(1, s.findIndex((value) => value >= place - 1e-9));
        return values[i - 1] + ((place - s[i - 1]) / (s[i] - s[i - 1])) * (values[i] - values[i - 1]);
      };
      const rise = at(bound, 1), gain = at(curve, 1);
      const panel = frame(root, {
        width, height: 170, left: 62, bottom: 22, label: T.boundAlt(t + 1, nats(rise), nats(gain)),
      });
      const { box, behind, inside, front } = panel;
      const top = Math.max(...curve, 1e-9);
      const x = linear(-0.5, 2, box.left, box.right);
      const y = linear(-0.6 * top, 1.05 * top, box.bottom, box.top + 16);
      axisX(panel, x, [[0, T.name(2 * t)], [1, T.name(2 * t + 2)]], "");
      axisY(panel, y, ticks(-0.6 * top, 1.05 * top, 4));
      const points = (values) => s.map((value, i) => [x(value), y(values[i])]);
      const line = (values, style) => svg("path", {
        class: `player-curve ${style}`, d: pathThrough(points(values)),
      });
      const upper = line(curve, "player-mixture"), lower = line(bound, "player-bound");
      const gap = svg("path", {
        class: "player-gap", d: pathThrough([...points(curve), ...points(bound).reverse()]) + "Z",
      });
      const dot = svg("circle", { class: "player-dot", r: 5 });
      behind.append(...[0, 1].map((value) =>
        svg("path", { class: "player-guide", d: `M${x(value)} ${box.bottom}V${box.top}` })));
      inside.append(gap, upper, lower, dot);
      // The names: log L over its top, the bound under its end or where it leaves the frame.
      const highest = curve.indexOf(Math.max(...curve));
      const end = Math.max(0, bound.findLastIndex((value) => y(value) < box.bottom - 18));
      const name = (text, place, level) => front.append(write(
        Math.min(box.right - 18, Math.max(box.left + 20, x(place))), level, text,
        { "text-anchor": "middle", class: "player-label" }
      ));
      name("log L", s[highest], y(curve[highest]) - 8);
      const elbo = svg("g");
      front.append(elbo);
      name("ELBO", s[end] - 0.12, y(bound[end]) + 17);
      elbo.append(front.lastChild);
      // The M-step has gone the part `place` of its way; without a bound the dot is on log L.
      return (place, onBound) => {
        for (const part of [gap, lower, elbo]) part.style.display = onBound ? "" : "none";
        dot.setAttribute("cx", x(place));
        dot.setAttribute("cy", y(at(onBound ? bound : curve, place)));
      };
    };
    let shown = -1, update;
    return (h, progress) => {
      const last = data.bounds.length - 1, t = Math.min(last, Math.max(0, Math.ceil(h / 2) - 1));
      if (shown !== t) {
        update = build(t);
        shown = t;
      }
      // The very last E-step has no M-step after it: the dot rises to log L where it stands.
      if (h > 2 * last + 2) update(1, false);
      else update(h > 0 && h % 2 === 0 ? progress : 0, h > 0);
    };
  };

  casebook.define("player", ({ el, payload, fallback, model }) => {
    let data = payload, half = 0, last, bets, playing = false, timer = 0, animation = 0;
    let main, trace, bound, width = 0;
    // Only with a kernel: a start that is being dragged, and what was asked.
    let draft = null, waiting = false, adding = false, asks = 0, asked = "", patience = 0, typing = 0;
    let addButton, addForm, inputs;
    const handles = [];
    const K = () => data.labels.length;

    // What stands in the element

    const button = (text, action) => node("button", { type: "button", onclick: action }, text);
    const figure = svg("svg", { class: "player-main", role: model ? "group" : "img" });
    const stage = node("div", {
      class: "player-stage", tabindex: 0, role: "group", "aria-label": T.figure, onkeydown: onKey,
    }, figure);
    const status = node("p", { class: "player-status", role: "status", "aria-live": "polite" });
    const [halfBefore, , halfAfter] = T.half(0, "");
    // Not <output>: the label would name that instead of the range.
    const count = node("span", {}, "0"), of = node("span", {}, halfAfter);
    const range = node("input", { type: "range", min: 0, step: 1, value: 0, oninput: () => jump(+range.value) });
    const playButton = button(T.play, () => (playing ? pause() : play()));
    const resetButton = button(T.reset, () => jump(0));
    const backButton = button(T.back, () => jump(half - 1));
    const stepButton = button(T.step, () => jump(half + 1, true));
    const speed = node("select", {}, ...[0.5, 1, 2, 4].map((value) =>
      node("option", { value, selected: value === 1 }, `${value}×`)));
    const controls = node("div", { class: "player-controls" },
      resetButton, backButton, playButton, stepButton,
      node("label", { class: "player-speed" }, `${T.speed} `, speed),
      node("label", { class: "player-jump" }, node("span", {}, halfBefore, count, of), range));
    const traceImage = svg("svg", { class: "player-trace", role: "img" });
    const boundImage = svg("svg", { role: "img" });
    const panels = node("div", { class: "player-panels" },
      node("div", {}, node("p", { class: "player-title" }, T.trace(data.bounds)), traceImage),
      data.bounds ? node("div", { class: "player-lower-bound" }, node("p", { class: "player-title" }, T.bound), boundImage) : "");
    const details = node("details", {}, node("summary", {}, T.numbers));
    if (fallback) details.append(fallback);
    el.classList.add("gmm-live", "player");
    if (data.name && !document.getElementById(data.name)) el.id = data.name;
    const live = model ? liveControls() : [];
    const note = data.axes.length > 1 ? node("p", { class: "player-title" }, T.ellipses) : "";
    el.append(stage, note, status, controls, ...live, panels, details);

    // Drawing

    function prepare() {
      last = 2 * (data.states.length - 1) + 1;
      bets = data.states.map((state) => decode(state.bets, K()));
      if (K() === 1) bets = data.states.map(() => data.points[0].map(() => [1]));
      half = Math.min(half, last);
      range.max = last;
      of.textContent = T.half(0, last)[2];
      layout();
    }
    function layout() {
      width = Math.max(260, Math.round(stage.clientWidth || 560));
      main = (data.axes.length === 1 ? drawLine : drawPlane)(figure, data, width);
      const room = Math.max(240, Math.round(traceImage.parentNode.clientWidth || width));
      trace = drawTrace(traceImage, data, room, last, (h) => jump(h));
      boundImage.replaceChildren();
      bound = data.bounds?.length ? drawBound(boundImage, data, room) : () => {};
      show(true);
    }
    const mixtureAt = (h) => data.states[Math.floor(h / 2)];

    // Everything but what moves within an M-step.
    function show(redraw = false) {
      main.colour(half === 0 ? null : bets[Math.floor((half - 1) / 2)]);
      trace(half);
      range.value = half;
      count.textContent = half;
      range.setAttribute("aria-valuetext", T.name(half));
      for (const [control, dead] of [[backButton, half === 0], [resetButton, half === 0], [stepButton, half === last]]) {
        // Not `disabled`: that would throw the keyboard's focus off the button just pressed.
        control.setAttribute("aria-disabled", dead);
      }
      if (!waiting) status.textContent = describe(half);
      if (redraw) place(1);
      placeHandles();
    }
    // The mixture at a part of the way of the current M-step, 1 being there.
    function place(progress) {
      const moving = half > 0 && half % 2 === 0;
      const to = mixtureAt(half);
      main.mixture(moving && progress < 1 ? between(mixtureAt(half - 1), to, progress) : draft ?? to);
      bound(half, progress);
    }

    function vectors(means) {
      const texts = means.map((mean) => {
        const numbers = mean.map((value, j) => fixed(value, data.axes[j].digits));
        return numbers.length === 1 ? numbers[0] : `(${numbers.join(", ")})`;
      });
      const units = [...new Set(data.axes.map((axis) => axis.unit))].join(T.and);
      return list(texts) + (units ? ` ${units}` : "");
    }
    function describe(h) {
      const state = mixtureAt(h), t = Math.ceil(h / 2), { bounds } = data;
      const logL = fixed(state.log_likelihood, 2);
      const counts = list(state.effective.map((value) => fixed(value, 1)));
      const end = h === last ? ` ${data.ending}` : "";
      if (h === 0) return T.start(vectors(state.means), logL);
      if (h === 1) return T[bounds ? "firstTouch" : "firstE"](t, counts, logL) + end;
      if (h % 2 && bounds) return T.touch(t, logL, nats(state.log_likelihood - state.elbo)) + end;
      if (h % 2) return T.eStep(t, counts, logL) + end;
      const means = vectors(state.means), before = data.states[t - 1].log_likelihood;
      if (!bounds) return T.mStep(t, means, nats(state.log_likelihood - before), logL);
      return T.lift(t, means, nats(state.elbo - before), fixed(state.elbo, 2), logL);
    }

    // Moving

    function jump(h, animated = false) {
      if (!animated) pause();
      h = Math.min(last, Math.max(0, h));
      cancelAnimationFrame(animation);
      const moves = animated && h === half + 1 && h % 2 === 0 && !prefersStillness();
      draft = null;
      half = h;
      show();
      if (!moves) { place(1); return; }
      const length = 500 / Math.max(1, Number(speed.value));
      const begin = performance.now();
      const tick = (now) => {
        const s = Math.min(1, Math.max(0, (now - begin) / length));
        place(s * s * (3 - 2 * s)); // slow at both ends
        if (s < 1) animation = requestAnimationFrame(tick);
      };
      place(0);
      animation = requestAnimationFrame(tick);
    }
    function play() {
      status.setAttribute("aria-live", "off"); // or a screen reader would talk without end
      playing = true;
      playButton.textContent = T.pause;
      if (half === last) jumpPlaying(0);
      else jumpPlaying(half + 1);
    }
    function jumpPlaying(h) {
      jump(h, true);
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (!el.isConnected) return;
        if (half < last) jumpPlaying(half + 1);
        else pause();
      }, 1200 / Number(speed.value));
    }
    function pause() {
      clearTimeout(timer);
      if (!playing) return;
      playing = false;
      playButton.textContent = T.play;
      status.setAttribute("aria-live", "polite");
      const said = status.textContent; // say where it stopped
      status.textContent = "";
      status.textContent = said;
    }
    function onKey(event) {
      if (event.target !== stage || event.altKey || event.ctrlKey || event.metaKey) return;
      const action = {
        ArrowRight: () => { pause(); jump(half + 1, true); },
        ArrowLeft: () => jump(half - 1),
        " ": () => (playing ? pause() : play()),
      }[event.key];
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      action();
    }
    stepButton.addEventListener("click", pause, { capture: true });

    // With a kernel

    function liveControls() {
      el.dataset.lmSuppressShortcuts = "true"; // or JupyterLab takes the arrow keys for its cells
      details.append((fallback = node("div")));
      addButton = button(T.add, () => setAdding(!adding));
      addButton.setAttribute("aria-pressed", "false");
      inputs = data.axes.map(() => node("input", { type: "number", step: "any", required: true }));
      addForm = node("form", { class: "player-add", hidden: true, onsubmit: (event) => {
        event.preventDefault();
        ask("add", { points: [inputs.map((input) => input.valueAsNumber)] });
      } },
      node("span", {}, T.addHint),
      ...data.axes.map((axis, j) => node("label", {}, `${axisTitle(axis)} `, inputs[j])),
      node("button", { type: "submit" }, T.addOne));
      figure.addEventListener("click", (event) => {
        if (!adding) return;
        const point = toData(event);
        ask("add", { points: [point.map((value, j) => Number(value.toFixed(data.axes[j].digits + 1)))] });
      });
      return [node("fieldset", { class: "player-live" },
        node("legend", {}, T.live),
        node("p", {}, T.drag),
        node("div", { class: "player-controls" },
          button(T.draw, () => ask("draw")), addButton, button(T.original, () => ask("reset"))),
        addForm)];
    }
    function setAdding(on) {
      adding = on;
      addButton.setAttribute("aria-pressed", String(on));
      addForm.hidden = !on;
      stage.classList.toggle("player-adding", on);
      placeHandles();
    }
    function toData(event) {
      const box = figure.getBoundingClientRect();
      return main.plane.toData(event.clientX - box.left, event.clientY - box.top);
    }

    // One handle a component, at its mean; there only before the first half-step.
    function placeHandles() {
      if (!model) return;
      while (handles.length > K()) handles.pop().remove();
      while (handles.length < K()) addHandle(handles.length);
      const taken = [];
      handles.forEach((handle, k) => {
        handle.hidden = half !== 0 || adding;
        const mean = (draft ?? data.states[0]).means[k];
        let [left, top] = main.plane.toPlace(mean);
        if (mean.length === 1) {
          top -= 15; // on the axis, and above each other where two means nearly agree
          while (taken.some(([x, y]) => Math.abs(x - left) < 28 && Math.abs(y - top) < 28)) top -= 29;
          taken.push([left, top]);
        }
        handle.style.left = `${left}px`;
        handle.style.top = `${top}px`;
        handle.setAttribute("aria-label", T.handle(data.labels[k]));
        const [low, high] = extent(data, 0);
        handle.setAttribute("aria-valuemin", Math.min(low, mean[0]));
        handle.setAttribute("aria-valuemax", Math.max(high, mean[0]));
        handle.setAttribute("aria-valuenow", mean[0]);
        handle.setAttribute("aria-valuetext", vectors([mean]));
      });
    }
    function addHandle(k) {
      const moveTo = (mean) => {
        const start = data.states[0];
        const means = (draft ?? start).means.map((old, j) => (j === k ? mean : old));
        draft = { ...start, means };
        place(1);
        placeHandles();
      };
      const handle = node("div", {
        class: "player-handle",
        role: "slider",
        tabindex: 0,
        style: `border-color:${casebook.palette[k]}`,
        onpointerdown: (event) => {
          handle.setPointerCapture(event.pointerId);
          handle.focus();
          pause();
          event.preventDefault();
        },
        onpointermove: (event) => {
          if (handle.hasPointerCapture(event.pointerId)) moveTo(toData(event));
        },
        onlostpointercapture: sendDraft,
        onkeydown: (event) => {
          const j = { ArrowLeft: 0, ArrowRight: 0, ArrowDown: 1, ArrowUp: 1 }[event.key];
          if (j === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          const mean = [...(draft ?? data.states[0]).means[k]];
          const axis = Math.min(j, mean.length - 1); // with one feature, up and down move it too
          const sign = event.key === "ArrowRight" || event.key === "ArrowUp" ? 1 : -1;
          mean[axis] += sign * main.plane.steps[axis] * (event.shiftKey ? 10 : 1);
          moveTo(mean);
          clearTimeout(typing); // a held key sends one request, not fifty
          typing = setTimeout(sendDraft, 400);
        },
      }, String(k + 1));
      handles.push(handle);
      stage.append(handle);
    }
    function sendDraft() {
      if (draft) ask("means", { means: draft.means });
    }

    // Ask the kernel; until it answers, the run on the screen stays.
    function ask(kind, more = {}) {
      pause();
      waiting = true;
      status.textContent = T.working;
      clearTimeout(patience);
      patience = setTimeout(() => settle(T.silent), 20000);
      asked = kind;
      model.set("request", { id: ++asks, kind, ...more });
      model.save_changes();
    }
    function settle(text) {
      clearTimeout(patience);
      waiting = false;
      draft = null;
      show(true);
      if (text) status.textContent = text;
    }
    const onPayload = () => {
      data = model.get("payload");
      fallback.innerHTML = model.get("fallback");
      draft = null;
      if (asked !== "add") half = 0; // a longer table of rows is the same story: stay where you are
      prepare();
    };
    const onAnswer = () => {
      const { id, error } = model.get("answer");
      if (id === asks) settle(error && T.refused(error));
    };
    if (model) {
      fallback.innerHTML = model.get("fallback");
      model.on("change:payload", onPayload);
      model.on("change:answer", onAnswer);
    }

    prepare();
    const watcher = new ResizeObserver(() => {
      if (Math.abs(stage.clientWidth - width) > 1 && stage.clientWidth > 0) layout();
    });
    watcher.observe(stage);
    return () => {
      pause();
      watcher.disconnect();
      clearTimeout(patience);
      model?.off("change:payload", onPayload);
      model?.off("change:answer", onAnswer);
    };
  });
}
