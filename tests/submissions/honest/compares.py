"""Imports scikit-learn's mixture in a cell of its own to compare: not there, and no harm."""
# Earns: 10
# Told: A cell imports sklearn.mixture, which ps1 asks you to write yourself
# Told: is not available while your answers run

# Answer: conditional
def conditional(seen, weights, means, covariances):
    variance = covariances[:, 0, 0]
    log_joint = np.log(weights) - np.log(variance) / 2 - (seen - means[:, 0]) ** 2 / variance / 2
    slope = covariances[:, 0, 1] / variance
    return (
        np.exp(log_joint - np.logaddexp.reduce(log_joint)),
        means[:, 1] + slope * (seen - means[:, 0]),
        covariances[:, 1, 1] - slope * covariances[:, 0, 1],
    )

# Extra:
from sklearn.mixture import GaussianMixture

theirs = GaussianMixture(2).fit(geyser)
assert np.allclose(theirs.weights_.sum(), 1)
