"""EM against scikit-learn's, in the same run: ratios of times, the floor, and memory.

``python -m benchmarks.em`` takes every size and covariance type in turn. It runs the same number of
iterations from the same start by scikit-learn's ``GaussianMixture`` and by ``gmmlib.statistics``,
in turn, several times over, and prints a table of ratios of medians. Beside them stands the floor:
what the bare matrix products and exponentials of that size take, in the same blocks on the same
threads. ``--quick`` takes a few small sizes; ``--write`` puts the tables into ``benchmarks/em.md``.

A busy machine spoils it: scikit-learn's products then wait for threads of their own, and ratios
come out too high. ``--peer-threads 1`` holds the BLAS of scikit-learn to one thread.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from statistics import geometric_mean, median
from tempfile import TemporaryDirectory

import numpy as np
import scipy
import sklearn
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from gmmlib import Mixture
from gmmlib.blocks import check_n_threads, in_order, one_blas_thread
from gmmlib.covariance import COVARIANCE_TYPES
from gmmlib.products import Features, Residuals, cheapest
from gmmlib.statistics import State, em, log_densities, responsibilities

SIZES = {"N": (1_000, 10_000, 100_000, 1_000_000), "d": (1, 2, 10, 50), "K": (2, 5, 20)}
QUICK = {"N": (1_000, 10_000), "d": (1, 10), "K": (2, 20)}
REG_COVAR = 1e-6

#: The goals: the geometric mean of the ratios for N from 10,000; each ratio; times the floor for N
#: from 100,000; memory beside the data for N = 1,000,000, d = 10, K = 20, in MB of a million bytes.
LEAST_MEAN, LEAST_RATIO, MOST_FLOORS, MOST_MB = 4.0, 1.0, 2.0, 200


@dataclass(frozen=True)
class Problem:
    """A size and a covariance type; data and start follow from them."""

    N: int
    d: int
    K: int
    covariance_type: str

    def data(self) -> NDArray:
        """(N, d): K overlapping clouds, each stretched in its own way."""
        rng = np.random.default_rng(self.N + 10 * self.d + self.K)
        labels = rng.integers(0, self.K, size=self.N)
        X = rng.normal(size=(self.N, self.d))
        maps = np.eye(self.d) + 0.3 * rng.normal(size=(self.K, self.d, self.d)) / self.d**0.5
        means = rng.normal(size=(self.K, self.d)) * 4 / self.d**0.25
        for k in range(self.K):
            X[labels == k] = X[labels == k] @ maps[k] + means[k]
        return X

    def start(self, X: NDArray) -> Mixture:
        """Rows of X as means, with a tenth of the covariance of all."""
        means = X[:: self.N // self.K][: self.K]
        sigma = np.atleast_2d(np.cov(X[:10_000].T)) / 10
        covariances = {
            "full": lambda: np.tile(sigma, (self.K, 1, 1)),
            "tied": lambda: sigma,
            "diag": lambda: np.tile(np.diag(sigma), (self.K, 1)),
            "spherical": lambda: np.full(self.K, np.diag(sigma).mean()),
        }[self.covariance_type]()
        return Mixture(np.full(self.K, 1 / self.K), means, covariances, self.covariance_type)

    @property
    def seconds(self) -> float:
        """What an iteration of scikit-learn may take, very roughly."""
        per_feature = {"full": 8, "tied": 5, "diag": 1, "spherical": 1}[self.covariance_type]
        per_row = self.K * (30 + per_feature * self.d * (1 + self.d / 50))
        return 4e-4 + 1e-9 * self.N * per_row


def peer(start: Mixture, iterations: int) -> GaussianMixture:
    """scikit-learn's estimator, set to do as many iterations from that start."""
    kind, sigma = start.covariance_type, start.covariances
    return GaussianMixture(
        start.n_components,
        covariance_type=kind,
        tol=0,
        max_iter=iterations,
        reg_covar=REG_COVAR,
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=np.linalg.inv(sigma) if kind in ("full", "tied") else 1 / sigma,
    )


def floor(mixture: Mixture, N: int) -> Callable[[], float]:
    """The products and exponentials of one iteration and nothing else: a function that takes its
    time, in seconds."""
    way, threads = cheapest(mixture), check_n_threads(None) if N >= 10_000 else 1
    (K, d), n = mixture.means.shape, min(way.block_rows, N)
    rng = np.random.default_rng(0)
    joint = -rng.random((K, n))
    whiten, z = way.frame.whiten.reshape(-1, way.frame.whiten.shape[-1]), rng.normal(size=(d, n))
    if isinstance(way, Residuals):
        factors = [(whiten, z), *[(z, z.T)] * K] if way.frame.whiten.ndim == 3 else []
    else:
        width = Features.width(mixture.covariance_type, d)
        phi = rng.normal(size=(width, n))
        factors = [(rng.normal(size=(K, width)), phi), (joint, phi.T)]
        if way.frame.kind == "tied":
            factors += [(whiten, z), (z, z.T)]
    blocks, per_task = N / n, max(1, round(N / n / 32))
    tasks = max(1, round(blocks / per_task))

    def task(_: int) -> None:
        outs = [np.empty((len(a), b.shape[1])) for a, b in factors]
        exponentials = np.empty_like(joint)
        for _ in range(per_task):
            for (a, b), out in zip(factors, outs, strict=True):
                np.matmul(a, b, out=out)
            np.exp(joint, out=exponentials)

    def run() -> float:
        with one_blas_thread():
            took = seconds(lambda: list(in_order(task, range(tasks), threads)))
        return took * blocks / (per_task * tasks)  # there are whole blocks only

    return run


def seconds(function: Callable[[], object]) -> float:
    """Of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Figures:
    """Medians of one problem. Ratios are scikit-learn's time over gmmlib's."""

    em: float
    predict_proba: float
    score_samples: float
    iteration_ms: float  # gmmlib's
    floors: float  # gmmlib's iteration over the floor
    way: str


def measure(problem: Problem, repeats: int, budget: float, peer_threads: int | None) -> Figures:
    """Run all in turn, `repeats` times; as many iterations as fit into `budget` seconds.

    Raises
    ------
    ArithmeticError
        If log L differs after the same iterations.
    """
    X = problem.data()
    start = problem.start(X)
    iterations = int(np.clip(budget / problem.seconds, 2, 30))
    theirs = peer(start, iterations)

    def ours() -> State:
        return next(islice(em(X, start, reg_covar=REG_COVAR), iterations, None))

    last = ours()
    log_L = theirs.fit(X).score(X) * problem.N
    if abs(last.log_likelihood - log_L) > 1e-8 * abs(log_L):
        raise ArithmeticError(f"{problem}: log L is {last.log_likelihood!r}, not {log_L!r}")
    mixture = last.mixture
    bare = floor(mixture, problem.N)
    calls = max(1, int(2e-3 / problem.seconds))  # short ones are timed several at a time

    def of_peer(function: Callable[[], object]) -> float:
        with threadpool_limits(peer_threads, "blas"):
            return seconds(function)

    def several(function: Callable[[], object]) -> Callable[[], object]:
        return lambda: [function() for _ in range(calls)]

    runs = {
        "theirs": lambda: of_peer(lambda: theirs.fit(X)),
        "ours": lambda: seconds(ours),
        "floor": lambda: median(bare() for _ in range(calls)),
        "their proba": lambda: of_peer(several(lambda: theirs.predict_proba(X))),
        "our proba": lambda: seconds(several(lambda: responsibilities(X, mixture))),
        "their scores": lambda: of_peer(several(lambda: theirs.score_samples(X))),
        "our scores": lambda: seconds(several(lambda: log_densities(X, mixture))),
    }
    times = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            times[name].append(run())
    t = {name: median(values) for name, values in times.items()}
    iteration = t["ours"] / (iterations + 1)  # the last state has been through an E-step too
    return Figures(
        em=t["theirs"] / t["ours"],
        predict_proba=t["their proba"] / t["our proba"],
        score_samples=t["their scores"] / t["our scores"],
        iteration_ms=1e3 * iteration,
        floors=iteration / t["floor"],
        way=type(cheapest(mixture)).__name__.lower(),
    )


# The peak of a process that has done nothing but load the data and run EM.
_MEMORY = """
import resource, sys, warnings
import numpy as np
from benchmarks.em import Problem, em, islice, peer
warnings.simplefilter("ignore")
problem = Problem({N}, {d}, {K}, {covariance_type!r})
X = np.load({path!r})
start = problem.start(X)
if {ours}:
    next(islice(em(X, start, reg_covar=1e-6), 2, None))
else:
    peer(start, 2).fit(X)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak if sys.platform == "darwin" else peak * 1024)
"""


def memory(problem: Problem) -> tuple[float, float]:
    """Peak memory of EM by gmmlib and by scikit-learn, beside the data, in MB: everything counts,
    Python and its modules too. Not on Windows."""
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "X.npy")
        X = problem.data()
        np.save(path, X)
        peaks = []
        for ours in (True, False):
            code = _MEMORY.format(path=path, ours=ours, **vars(problem))
            command = [sys.executable, "-c", code]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            peaks.append((int(done.stdout) - X.nbytes) / 1e6)
    return peaks[0], peaks[1]


HEAD = (
    "| type | N | d | K | EM | predict_proba | score_samples | ms an iteration | floors | way |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|"
)


def row(p: Problem, f: Figures) -> str:
    """A row of the Markdown table; bold misses its goal."""

    def cell(value: float, good: bool) -> str:
        return f"{value:.1f}" if good else f"**{value:.2f}**"

    ratios = [cell(r, r >= LEAST_RATIO) for r in (f.em, f.predict_proba, f.score_samples)]
    floors = cell(f.floors, p.N < 100_000 or f.floors <= MOST_FLOORS)
    cells = [p.covariance_type, f"{p.N:,}", p.d, p.K, *ratios, f"{f.iteration_ms:.3g}", floors]
    return f"| {' | '.join(map(str, cells))} | {f.way} |"


def summary(figures: dict[Problem, Figures]) -> str:
    """Geometric means over d, K and type, by N."""

    def means(kept: Iterable[Figures]) -> list[str]:
        names = ("em", "predict_proba", "score_samples", "floors")
        return [f"{geometric_mean(getattr(f, name) for f in kept):.1f}" for name in names]

    lines = [
        "| geometric mean | EM | predict_proba | score_samples | floors | lowest ratio of EM |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    sizes = sorted({p.N for p in figures})
    groups = {f"N = {N:,}": [f for p, f in figures.items() if p.N == N] for N in sizes}
    large = [f for p, f in figures.items() if p.N >= 10_000]
    groups[f"N from 10,000 (goal: {LEAST_MEAN:g})"] = large
    for name, kept in groups.items():
        if kept:
            lowest = min(f.em for f in kept)
            lines.append(f"| {name} | {' | '.join(means(kept))} | {lowest:.2f} |")
    return "\n".join(lines)


TITLE = """# EM against scikit-learn

`python -m benchmarks.em --write` measured what stands below. EM, predict_proba and score_samples
are ratios: scikit-learn's time over gmmlib's, for the same iterations from the same start, in turn.
"floors" is gmmlib's iteration over the bare matrix products and exponentials of its size. Bold
misses its goal: a ratio of 1, or 2 floors for N from 100,000.
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in SIZES:
        parser.add_argument(f"--{name}", type=int, nargs="+", help=f"values of {name}")
    parser.add_argument("--types", nargs="+", default=COVARIANCE_TYPES, choices=COVARIANCE_TYPES)
    parser.add_argument("--quick", action="store_true", help="a few small sizes")
    parser.add_argument("--repeats", type=int, default=5, help="the middle of so many counts")
    parser.add_argument("--budget", type=float, default=0.2, help="seconds for one of them")
    parser.add_argument("--most", type=float, default=4.0, help="skip slower iterations, seconds")
    parser.add_argument("--peer-threads", type=int, help="threads of BLAS under scikit-learn")
    parser.add_argument("--no-memory", action="store_true", help="leave out the peak memory")
    parser.add_argument("--write", action="store_true", help="put the tables into em.md")
    o = parser.parse_args()
    sizes = {name: getattr(o, name) or (QUICK if o.quick else SIZES)[name] for name in SIZES}
    warnings.simplefilter("ignore", ConvergenceWarning)

    where = (
        f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__} "
        f"(threads of its BLAS: {o.peer_threads or 'as it comes'}), {os.cpu_count()} cores, "
        f"{platform.system()}; middle of {o.repeats} runs"
    )
    print(f"{where}\n\n{HEAD}", flush=True)
    figures = {}
    for N, d, K, kind in product(*sizes.values(), o.types):
        problem = Problem(N, d, K, kind)
        if problem.seconds <= o.most:
            figures[problem] = measure(problem, o.repeats, o.budget, o.peer_threads)
            print(row(problem, figures[problem]), flush=True)
    text = summary(figures)
    print(f"\n{text}")
    if not o.no_memory:
        problem = Problem(100_000 if o.quick else 1_000_000, 10, 20, "full")
        ours, theirs = memory(problem)
        peak = (
            f"Peak memory beside the data, N = {problem.N:,}, d = 10, K = 20, full: {ours:.0f} MB "
            f"(goal: {MOST_MB}); scikit-learn {theirs:.0f} MB."
        )
        print(f"\n{peak}")
        text += f"\n\n{peak}"
    if o.write:
        rows = "\n".join(row(p, f) for p, f in figures.items())
        record, mark = Path(__file__).with_suffix(".md"), "<!-- measured -->\n"
        old = record.read_text(encoding="utf-8") if record.exists() else f"{TITLE}\n{mark}"
        head = old[: old.index(mark) + len(mark)]
        record.write_text(f"{head}\n{where}.\n\n{HEAD}\n{rows}\n\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
