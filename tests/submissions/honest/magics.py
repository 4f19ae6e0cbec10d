"""Answers with IPython's magics, also in the first line."""
# Earns: 10
# Told: Shell commands such as !pip do not run

# Extra:
%matplotlib inline
!pip install numpy

# Answer: moments
%precision 3
def moments(weights, means, covariances):
    mean = weights @ means
    gaps = means - mean
    return mean, np.einsum("k,kij->ij", weights, covariances) + (weights * gaps.T) @ gaps

%timeit -n 1 -r 1 moments(np.ones(1), np.zeros((1, 2)), np.eye(2)[None])

# Answer: share-between
a = np.array([heights[sex == k].mean() for k in (0, 1)])
share_between = np.var(a[sex]) / heights.var()
share_between?

# File:
cell = next(cell for cell in notebook["cells"] if cell["id"] == "share-between")
cell["source"] = "%%time\n" + cell["source"].replace("share_between?", "")
