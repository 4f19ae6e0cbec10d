"""The cases of the game *guess K*: data whose number of groups is known, easy for BIC and hard.

Every claim of a remark about other data (ten times the rows, no outliers) is tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmlib.data import adult_heights
from gmmlib.mixture import Mixture

#: The label of a row that belongs to no group.
NO_GROUP = -1


@dataclass(frozen=True, eq=False)
class Case:
    """Data, the truth about them, and the words around a bet.

    Attributes
    ----------
    story : what the player knows before the bet
    X : array (n_samples, n_features) of one or two features, rounded as the page shows them
    labels : int array (n_samples,): 0, 1, ... for the group of a row, NO_GROUP for an outlier
    remark : what the case teaches, after the bet
    features : a name for each column of X, with its unit
    """

    story: str
    X: NDArray
    labels: NDArray
    remark: str
    features: tuple[str, ...] = ("x", "y")

    @property
    def truth(self) -> int:
        """Number of groups."""
        return len(set(self.labels.tolist()) - {NO_GROUP})


def _tilted(long: float, short: float, angle: float) -> NDArray:
    """Covariance (2, 2) of an ellipse with these standard deviations; angle in radians."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn @ np.diag([long**2, short**2]) @ turn.T


FOUR = Mixture(
    [0.3, 0.25, 0.25, 0.2],
    [[-6, -4], [6, -3], [-3, 5], [5, 6]],
    [_tilted(2, 1, 0.4), _tilted(1.5, 1.5, 0), _tilted(2, 1, -0.6), _tilted(1.8, 0.9, 1)],
)
ONE = Mixture([1.0], [[170.0]], [[[100.0]]])
NEAR = Mixture([0.34, 0.33, 0.33], [[-3.2, 0], [0, 0], [6, 4]], [np.eye(2)] * 3)
TWO = Mixture([0.5, 0.5], [[-5, 0], [5, 0]], [_tilted(2, 1.2, 0.5), _tilted(2, 1.2, -0.5)])
CROSS = Mixture([0.5, 0.5], [[0, 0], [0, 0]], [_tilted(5, 0.8, 0.7), _tilted(5, 0.8, -0.7)])
SAME_CENTRE = Mixture([0.6, 0.4], [[0.0], [0.0]], [[[1.0]], [[25.0]]])


def outliers(n: int, rng: np.random.Generator) -> NDArray:
    """n rows (n, 2) that belong to no group, far around the two groups of TWO."""
    return rng.normal(0, 10, (n, 2))


def crescents(n: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Two crescents, each hooked into the other: X (n, 2) and labels (n,)."""
    angle, labels = rng.uniform(0, np.pi, n), np.arange(n) % 2
    x = np.where(labels, 1 - np.cos(angle), np.cos(angle))
    y = np.where(labels, 0.5 - np.sin(angle), np.sin(angle))
    return 10 * np.column_stack([x, y]) + rng.normal(0, 1.5, (n, 2)), labels


def waits(n: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Waiting times in minutes, log-normal: one skewed group; X (n, 1) and labels (n,)."""
    return np.exp(rng.normal(1, 0.6, (n, 1))), np.zeros(n, int)


def cases() -> tuple[Case, ...]:
    """Two games of five cases; in each BIC is right, chooses too few, and chooses too many."""
    return (
        _drawn(
            "200 rows from an unknown number of groups.",
            FOUR.sample(200, np.random.default_rng(1)),
            "Gaussian groups, far apart, with rows enough: nothing goes wrong for BIC here. AIC "
            "asks a lower price for a parameter and often takes a component too many.",
        ),
        _drawn(
            "Heights of 60 customers, simulated.",
            ONE.sample(60, np.random.default_rng(0)),
            "One group, and yet the bars have several humps: with 60 rows that is what chance "
            "does. A second component would gain less log L than it costs.",
            ("height (cm)",),
        ),
        _drawn(
            "60 rows from an unknown number of groups.",
            NEAR.sample(60, np.random.default_rng(0)),
            "Near components and few rows: two of the three groups are one ellipse to BIC, because "
            "splitting it gains less log L than six more parameters cost. With ten times the rows "
            "of the same mixture BIC chooses 3. Too few here means: not enough evidence yet.",
        ),
        _with_outliers(),
        _drawn(
            "150 rows from groups that need not be Gaussian.",
            crescents(150, np.random.default_rng(0)),
            "A crescent is no ellipse, so BIC lays several ellipses along it. It does not count "
            "groups; it counts Gaussians that are worth their price. More rows make this worse: "
            "with ten times as many it takes as many components as it may.",
        ),
        _drawn(
            "160 rows from an unknown number of groups.",
            CROSS.sample(160, np.random.default_rng(1)),
            "Two groups with the same mean: no gap anywhere, but their covariances differ, and "
            "that is enough. Components need not be clusters that stand apart.",
        ),
        _drawn(
            "150 numbers, simulated.",
            SAME_CENTRE.sample(150, np.random.default_rng(1)),
            "A narrow group inside a wide one with the same mean: one hump, two components. The "
            "eye counts humps; log L sees that the middle is too sharp and the tails too long for "
            "one Gaussian.",
            ("x",),
        ),
        _adults(),
        _drawn(
            "How long 120 customers waited, simulated. Groups need not be Gaussian.",
            waits(120, np.random.default_rng(1)),
            "One group, but skewed: a log-normal distribution. BIC builds the long tail from a "
            "second Gaussian. On the logarithms of the same times it chooses 1.",
            ("minutes",),
        ),
        _iris(),
    )


def _drawn(
    story: str,
    sample: tuple[NDArray, NDArray],
    remark: str,
    features: tuple[str, ...] = ("x", "y"),
) -> Case:
    X, labels = sample
    return Case(story, X.round(2), labels, remark, features)


def _with_outliers() -> Case:
    rng = np.random.default_rng(1)
    X, labels = TWO.sample(150, rng)
    return _drawn(
        "158 rows: some groups, and eight rows that somebody mistyped and that belong to no group.",
        (np.vstack([X, outliers(8, rng)]), np.append(labels, [NO_GROUP] * 8)),
        "Eight outliers are enough: BIC pays for one more component, wide and nearly empty, to "
        "hold them. Without them it chooses 2. Look at the smallest components before you "
        "believe in them.",
    )


def _adults() -> Case:
    adults = adult_heights()
    rows = np.random.default_rng(2).choice(len(adults.X), 150, replace=False)
    return Case(
        "Real heights of 150 adults. How many groups are they from?",
        adults.X[rows].round(1),
        adults.labels[rows],
        "Women and men: real groups, but so near that 150 heights are explained by one Gaussian "
        "well enough. BIC does not say that there is one group; it says that these rows do not pay "
        "for two. All 1,629 heights of the same study do: there it chooses 2.",
        ("height (cm)",),
    )


def _iris() -> Case:
    from sklearn.datasets import load_iris  # here, for it takes longer to import than all the rest

    iris = load_iris()
    return Case(
        "Real flowers: two lengths of 150 irises. How many species?",
        iris.data[:, [0, 2]],
        iris.target,
        "Three species, fifty flowers of each. Two of them overlap in these two lengths, and BIC "
        "takes them for one. The label of a botanist is not a number of Gaussians.",
        ("sepal length (cm)", "petal length (cm)"),
    )
