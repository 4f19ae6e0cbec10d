"""Notes, plots, warnings and tries of one's own between the answers."""
# Earns: 10
# Told: careful, this is only a warning
# Told: An idea before the start

# Extra:
import warnings

print("An idea before the start")

# Text:
# What I think: $x < y$, and *so on*.

# Answer: log-normal
warnings.warn("careful, this is only a warning")


def log_normal(X, mean, covariance):
    warnings.warn("again and again")
    print("called with", X.shape)
    d = len(mean)
    sign, log_det = np.linalg.slogdet(covariance)
    gap = X - mean
    squares = (gap * np.linalg.solve(covariance, gap.T).T).sum(axis=1)
    return -(squares + log_det + d * np.log(2 * np.pi)) / 2

# Extra:
import matplotlib.pyplot as plt

plt.hist(heights)
plt.title("身高")
plt.show()
check("log-normal", log_normal)

# Extra:
check.suspect("catch-the-bug", "A")
