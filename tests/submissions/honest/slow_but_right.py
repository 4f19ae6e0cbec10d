"""Right after a while, in its cell and in its calls."""
# Earns: 10

# Answer: share-between
import time

time.sleep(2)
a = np.array([heights[sex == k].mean() for k in (0, 1)])
share_between = np.var(a[sex]) / heights.var()

# Answer: moments
def moments(weights, means, covariances):
    time.sleep(1)
    mean = weights @ means
    gaps = means - mean
    return mean, np.einsum("k,kij->ij", weights, covariances) + (weights * gaps.T) @ gaps
