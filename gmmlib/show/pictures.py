"""Photographs, their segmentations and colours, and the place where a criterion is lowest."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from gmmlib.mixture import Mixture
from gmmlib.show.ellipses import ellipse
from gmmlib.show.figure import Figure, canvas, check_alt, in_page, legend_above
from gmmlib.show.palette import DATA, TEXT, component_color

_WIDTH, _GAP, _LINE, _TEXT = 360, 8, 18, 12  # of the drawing, in its own units; as in `Figure`
_FEW = 64  # a picture of so few colours is stored exactly; one of more as a photograph


def shrink(photo: ArrayLike, factor: int) -> NDArray:
    """Replace each block of factor x factor pixels by its mean colour.

    Parameters
    ----------
    photo : array (height, width, 3); what does not fill a block at the right and the bottom is cut
    factor : side of a block, in pixels

    Raises
    ------
    ValueError
        If the photo has another shape, or is smaller than one block.
    """
    photo = np.asarray(photo, float)
    if photo.ndim != 3 or photo.shape[2] != 3:
        raise ValueError(f"photo has shape {photo.shape}; it must be (height, width, 3)")
    if not 1 <= factor <= min(photo.shape[:2]):
        raise ValueError(f"factor is {factor}; choose one from 1 to {min(photo.shape[:2])}")
    height, width = (side // factor for side in photo.shape[:2])
    blocks = photo[: height * factor, : width * factor]
    return blocks.reshape(height, factor, width, factor, 3).mean(axis=(1, 3))


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures side by side, two in a line, each under its name.

    They stand in the page itself, as small PNG or JPEG files inside one SVG, so that they need no
    network. Names are in the page's own text colour; the pictures are the same in both themes.

    Attributes
    ----------
    panels : name -> array (height, width, 3), colours from 0 to 255, all of one shape
    name : unique on its page
    alt : what the pictures *show*, for who cannot see them; never empty
    caption : plain text under the figure, may be empty

    Raises
    ------
    ValueError
        If there is no picture, their shapes differ, or alt does not end as a sentence does.
    """

    panels: Mapping[str, ArrayLike] = field(repr=False)
    name: str
    alt: str
    caption: str = ""

    def __post_init__(self) -> None:
        shapes = {np.shape(picture) for picture in self.panels.values()}
        if len(shapes) != 1 or len(shape := shapes.pop()) != 3 or shape[2] != 3:
            raise ValueError(
                "pictures must be arrays (height, width, 3), at least one, of one shape"
            )
        check_alt(self.name, self.alt)

    @property
    def svg(self) -> str:
        """All pictures as one ``<svg>`` element, the same bytes each time."""
        rows, columns, _ = np.shape(next(iter(self.panels.values())))
        in_line = min(2, len(self.panels))
        width = (_WIDTH - _GAP * (in_line - 1)) / in_line
        height = width * rows / columns
        parts = []
        for place, (label, picture) in enumerate(self.panels.items()):
            left = (place % in_line) * (width + _GAP)
            top = (place // in_line) * (height + _LINE + _GAP)
            parts.append(
                f'<text x="{left:.1f}" y="{top + _TEXT:.1f}" fill="currentColor" '
                f'style="font-size: {_TEXT}px">{html.escape(label)}</text>'
                f'<image x="{left:.1f}" y="{top + _LINE:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}" {_embedded(picture)}/>'
            )
        lines = -(-len(self.panels) // in_line)
        total = lines * (height + _LINE) + (lines - 1) * _GAP
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" id="{self.name}" '
            f'aria-label="{html.escape(self.alt, quote=True)}" '
            f'viewBox="0 0 {_WIDTH} {total:.1f}" style="max-width:100%;height:auto">\n'
            + "\n".join(parts)
            + "\n</svg>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return in_page(self.svg, self.caption)


def _embedded(picture: ArrayLike) -> str:
    """The picture as a data address: exact where it has few colours, else as a JPEG."""
    pixels = np.rint(np.clip(np.asarray(picture, float), 0, 255)).astype(np.uint8)
    colors, which = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    buffer = io.BytesIO()
    if len(colors) <= _FEW:
        flat = Image.fromarray(which.reshape(pixels.shape[:2]).astype(np.uint8), mode="P")
        flat.putpalette(colors.tobytes())
        flat.save(buffer, "PNG", optimize=True)
        kind, rendering = "png", ' style="image-rendering:pixelated"'
    else:
        Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
        kind, rendering = "jpeg", ""
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'href="data:image/{kind};base64,{data}"{rendering}'


def painted(labels: ArrayLike, colors: ArrayLike, shape: Sequence[int]) -> NDArray:
    """A picture in which each pixel has the colour of its label, or a blend of several.

    Parameters
    ----------
    labels : array (N,), labels from 0; or (N, K), shares that sum to one in each row
    colors : array (K, 3), a colour for each label
    shape : (height, width) of the picture, with N pixels
    """
    labels, colors = np.asarray(labels), np.asarray(colors, float)
    rows = labels @ colors if labels.ndim == 2 else colors[labels]
    return rows.reshape(*shape, 3)


def cloud_figure(
    X: ArrayLike,
    colors: ArrayLike,
    mixture: Mixture,
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str,
    labels: Sequence[str],
    centres: ArrayLike | None = None,
    centres_label: str = "K-means",
    levels: int = 6,
    caption: str = "",
) -> Figure:
    """Pixels in the plane of two features, each in its own colour, with the 2 sd ellipses.

    Parameters
    ----------
    X : array (N, 2), some of the pixels
    colors : array (N, 3), their colours from 0 to 255
    mixture : two-dimensional, K components: the marginal of the fitted one
    labels : K names; each ellipse gets its number, from 1, and the legend the name
    centres : array (L, 2), crosses to draw beside the ellipses
    levels : colours are rounded to so many levels a channel, so that the file stays small
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If X or the mixture is not two-dimensional, or the labels are not K.
    """
    X, colors = np.asarray(X, float), np.asarray(colors, float)
    if X.ndim != 2 or X.shape[1] != 2 or mixture.n_features != 2:
        raise ValueError("cloud_figure draws two features: X must be (N, 2), the mixture too")
    if len(labels) != mixture.n_components:
        raise ValueError(f"got {len(labels)} labels for {mixture.n_components} components")
    coarse = np.rint(colors / 255 * (levels - 1)) / (levels - 1)
    with canvas(height=4.2) as (drawing, ax):
        for color in np.unique(coarse, axis=0):
            chosen = X[(coarse == color).all(axis=1)]
            ax.plot(*chosen.T, "o", color=tuple(color), ms=4, mew=0.7, mec=DATA)
        for k, label in enumerate(labels):
            shape = ellipse(mixture.full_covariances[k])
            outline = mixture.means[k] + 2 * shape
            ax.plot(*outline.T, color=component_color(k), lw=2.5, label=f"{k + 1} {label}")
            ax.annotate(
                str(k + 1), outline[outline[:, 1].argmax()], (0, 3), textcoords="offset points",
                ha="center", color=component_color(k), weight="bold",
            )  # fmt: skip
        if centres is not None:
            ax.plot(*np.asarray(centres, float).T, "X", color=TEXT, ms=9, label=centres_label)
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.locator_params(nbins=6)
        legend_above(drawing, handlelength=1.4, ncols=2)
    return Figure(drawing, name, alt, caption)


def lowest_figure(
    panels: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]],
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str,
    caption: str = "",
) -> Figure:
    """A panel for each group of curves, one above the other; each curve's lowest point is ringed.

    Parameters
    ----------
    panels : title -> label -> (x, y); the same colour for the same place in each panel
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If a panel has no curve, or more than six.
    """
    for title, curves in panels.items():
        if not 1 <= len(curves) <= 6:
            raise ValueError(f"{title!r} has {len(curves)} curves; draw 1 to 6")
    height = 0.5 + 2.1 * len(panels)
    with canvas(height=height, nrows=len(panels), sharex=True, squeeze=False) as (drawing, axes):
        for ax, (title, curves) in zip(axes[:, 0], panels.items(), strict=True):
            for k, (x, y) in enumerate(curves.values()):
                x, y = np.asarray(x), np.asarray(y, float)
                low = int(y.argmin())
                ax.plot(x, y, color=component_color(k), marker=".", lw=1.5)
                ax.plot(x[low], y[low], "o", color=TEXT, mfc="none", ms=12, mew=1.5)
            ax.set(ylabel=ylabel)
            ax.set_title(title)
            ax.margins(y=0.12)  # room for the ring at the lowest point
            ax.locator_params(axis="y", nbins=5)
            if len(curves) > 1:
                labels = [
                    ax.plot([], [], color=component_color(k), marker=".", label=label)[0]
                    for k, label in enumerate(curves)
                ]
                ax.legend(handles=labels, frameon=False)
        axes[-1, 0].set(xlabel=xlabel)
        axes[-1, 0].xaxis.set_major_locator(MaxNLocator(integer=True))
    return Figure(drawing, name, alt, caption)
