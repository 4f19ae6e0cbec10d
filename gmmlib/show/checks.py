"""What the figures ask of a mixture before they draw it."""

from __future__ import annotations

from collections.abc import Sequence

from gmmlib.mixture import Mixture


def check_features(mixture: Mixture, n_features: int) -> None:
    """ValueError unless the mixture has so many features."""
    if mixture.n_features != n_features:
        raise ValueError(
            f"this is for {n_features} feature(s); the mixture has {mixture.n_features}"
        )


def check_labels(mixture: Mixture, labels: Sequence[str]) -> None:
    """ValueError unless there is one label for each component."""
    if len(labels) != mixture.n_components:
        raise ValueError(f"{mixture.n_components} components need as many labels, got {labels}")
