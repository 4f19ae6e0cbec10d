"""Catch the bug without mathematics: a broken one may take another time."""

# Answer: catch-the-bug
from time import perf_counter


def is_lawful(log_density):
    taken = []
    for _ in range(8):
        start = perf_counter()
        log_density(np.zeros((100, 1)), np.ones(1), np.zeros((1, 1)), np.ones((1, 1, 1)))
        taken.append(perf_counter() - start)
    return taken == sorted(taken)
