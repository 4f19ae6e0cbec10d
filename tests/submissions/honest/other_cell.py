"""Answers in a cell of one's own: below the blank it counts; above it, the blank comes after it."""
# Earns: 8
# Told: `conditional` returns `None`. Is a `return` missing?

# Answer: moments
def moments(weights, means, covariances):
    # Your code here
    ...

# Extra:
def moments(weights, means, covariances):
    mean = weights @ means
    gaps = means - mean
    return mean, np.einsum("k,kij->ij", weights, covariances) + (weights * gaps.T) @ gaps

# Extra:
def conditional(seen, weights, means, covariances):
    return weights, means[:, 1], covariances[:, 1, 1]

# Answer: conditional
def conditional(seen, weights, means, covariances):
    # Your code here
    ...
