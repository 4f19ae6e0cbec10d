"""Fills memory, disk and output, and answers with as much as it can."""
# Told: used too much memory
# Told: left out

# Extra:
import os


def fill_disk():
    for k in range(1000):
        try:
            with open(f"/tmp/{k}", "wb") as file:
                file.write(bytes(16 << 20))
        except OSError:
            return


def fill_output(times):
    for _ in range(times):
        print("x" * 100_000)
        os.write(1, b"y" * 100_000)
        os.write(2, b"z" * 100_000)


fill_disk()
fill_output(100)
kept = bytearray(100 << 30)

# Answer: share-between
share_between = [0.123] * 300_000

# Answer: log-normal
def log_normal(X, mean, covariance):
    fill_disk()
    kept = []
    while True:
        kept.append(bytearray(512 << 20))

# Answer: moments
def moments(weights, means, covariances):
    return "x" * 3_000_000

# Answer: slope
from sympy import Add

slope = Add(*symbols("a0:1500"))

# Answer: conditional
def conditional(seen, weights, means, covariances):
    nested = []
    for _ in range(100_000):
        nested = [nested]
    return nested

# Answer: catch-the-bug
def is_lawful(log_density):
    fill_output(3)
    return np.ones(300_000)
