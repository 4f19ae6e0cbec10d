// Mixtures of Gaussians in one dimension, as in gmmlib: the same names, the same order of steps,
// held to its numbers by tests. A mixture is { weights, means, variances }, each of length K.
// sampleWeight counts how often each row occurs; left out, every row counts once.
casebook.density = (() => {
  const EPS = Number.EPSILON;
  const sum = (values) => values.reduce((total, value) => total + value, 0);

  // log sum exp, with the largest term taken out: far from every mean each density underflows.
  const logSumExp = (terms) => {
    const largest = Math.max(...terms);
    return largest + Math.log(sum(terms.map((term) => Math.exp(term - largest))));
  };

  const logJoint = (x, { weights, means, variances }) =>
    weights.map((weight, k) => {
      const distance = (x - means[k]) ** 2 / variances[k];
      return Math.log(weight) - 0.5 * (Math.log(2 * Math.PI) + Math.log(variances[k]) + distance);
    });

  const logDensity = (X, mixture) => X.map((x) => logSumExp(logJoint(x, mixture)));

  const responsibilities = (X, mixture) =>
    X.map((x) => {
      const terms = logJoint(x, mixture);
      const total = logSumExp(terms);
      return terms.map((term) => Math.exp(term - total));
    });

  const logLikelihood = (X, mixture, sampleWeight) =>
    sum(logDensity(X, mixture).map((value, n) => value * (sampleWeight?.[n] ?? 1)));

  const mStep = (X, gamma, sampleWeight) => {
    const w = X.map((_, n) => sampleWeight?.[n] ?? 1);
    const N = sum(w);
    const centre = sum(X.map((x, n) => w[n] * x)) / N;
    const spread = sum(X.map((x, n) => w[n] * (x - centre) ** 2)) / N;
    const floor = EPS * spread + (4 * EPS * Math.max(...X.map(Math.abs))) ** 2;
    const mixture = { weights: [], means: [], variances: [] };
    for (let k = 0; k < gamma[0].length; k++) {
      const share = gamma.map((row, n) => row[k] * w[n]);
      const count = sum(share);
      if (count <= EPS * N) throw new RangeError(`component ${k} is empty`);
      const mean = sum(X.map((x, n) => share[n] * x)) / count;
      // Far from the origin the line above loses digits; the mean residual brings them back.
      const exact = mean + sum(X.map((x, n) => share[n] * (x - mean))) / count;
      const variance = sum(X.map((x, n) => share[n] * (x - exact) ** 2)) / count;
      if (!(variance > floor)) throw new RangeError(`component ${k} has collapsed`);
      mixture.weights.push(count / N);
      mixture.means.push(exact);
      mixture.variances.push(variance);
    }
    return mixture;
  };

  const emStep = (X, mixture, sampleWeight) =>
    mStep(X, responsibilities(X, mixture), sampleWeight);

  // Where the density is higher than at both neighbours on the grid. The log would give the same
  // places; a flat top of two equal points counts once.
  const modes = (grid, mixture) => {
    const height = logDensity(grid, mixture);
    return grid.filter(
      (_, i) =>
        i > 0 && i < grid.length - 1 && height[i] > height[i - 1] && height[i] >= height[i + 1]
    );
  };

  const linspace = (low, high, count) =>
    Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

  return {
    logJoint: (X, mixture) => X.map((x) => logJoint(x, mixture)),
    logDensity,
    responsibilities,
    logLikelihood,
    mStep,
    emStep,
    modes,
    linspace,
  };
})();
