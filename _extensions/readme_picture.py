"""Draw the README's picture: `make picture`."""

from pathlib import Path

import numpy as np

from gmmlib import Mixture
from gmmlib.data import shop_customers
from gmmlib.show.bounds import bound_figure

TARGET = Path(__file__).parents[1] / "_assets" / "two-half-steps.png"


def main() -> None:
    start = Mixture([0.5, 0.5], [[156.0], [172.0]], [[[90.0]], [[90.0]]])
    figure = bound_figure(
        shop_customers().X,
        start,
        np.linspace(126, 164, 90),
        name="two-half-steps",
        alt="Two bounds touch log L from below, and the top of each is higher than the one before.",
    )
    figure.save_png(TARGET, dpi=110)


if __name__ == "__main__":
    main()
