"""One answer has a slip of the keyboard, another fails when called; the rest is untouched."""
# Earns: 6.5
# Told: SyntaxError
# Told: : NameError: name 'covarianse' is not defined

# Extra:
1 / 0

# Answer: log-normal
def log_normal(X, mean, covariance):
    return np.linalg.inv(covarianse)

# Answer: moments
def moments(weights, means, covariances)
    return weights @ means, covariances[0]

# Extra:
undefined
