"""A forgotten print in a loop, and a large table."""
# Earns: 10
# Told: Output truncated

# Extra:
for k in range(50_000):
    print(k, "a line that nobody will read")

# Extra:
import numpy as np

np.set_printoptions(threshold=10**9)
np.arange(10_000.0)
