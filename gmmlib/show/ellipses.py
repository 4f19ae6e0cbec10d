"""The ellipse of a covariance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ellipse(covariance: NDArray, n_points: int = 61) -> NDArray:
    """Points (n_points, 2) at one standard deviation around zero, the last equal to the first."""
    angle = np.linspace(0, 2 * np.pi, n_points)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    return circle @ np.linalg.cholesky(covariance).T
