"""A figure that belongs to its page: inline SVG in the page's own font and text colour."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from gmmlib.show import palette

#: Drawn for a phone first: 5 inches wide with text of 11 to 12 points, so that the text is still
#: ten pixels high when the whole figure is 340 pixels wide.
WIDTH = 5.0
_STYLE = {
    "axes.edgecolor": palette.TEXT,
    "axes.facecolor": "none",
    "axes.labelcolor": palette.TEXT,
    "axes.labelsize": 12,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 12,
    "figure.facecolor": "none",
    "font.size": 12,
    "lines.linewidth": 2.0,
    "svg.fonttype": "none",
    "text.color": palette.TEXT,
    "xtick.color": palette.TEXT,
    "xtick.labelsize": 11,
    "ytick.color": palette.TEXT,
    "ytick.labelsize": 11,
}


@contextmanager
def canvas(height: float = 3.0, **subplots) -> Iterator[tuple]:
    """Axes in the book's style; leaves matplotlib's global state as it was.

    Parameters
    ----------
    height : in inches; the width is always the same
    subplots : as for ``matplotlib.figure.Figure.subplots``

    Yields
    ------
    (matplotlib figure, axes)
    """
    with mpl.rc_context(_STYLE):
        drawing = Canvas(figsize=(WIDTH, height), layout="constrained")
        yield drawing, drawing.subplots(**subplots)
        # Each further draw would move the axes a little: lay out once, then hold still.
        drawing.draw_without_rendering()
        drawing.draw_without_rendering()
        drawing.set_layout_engine("none")


def legend_above(drawing: Canvas, handlelength: float, ncols: int) -> None:
    """One legend of all axes, over them, without a frame; ``handlelength`` in sizes of its font."""
    place = "outside upper center"
    drawing.legend(frameon=False, loc=place, handlelength=handlelength, ncols=ncols)


def check_alt(name: str, alt: str) -> None:
    """ValueError unless alt ends as a sentence does."""
    if not alt.strip().endswith((".", "!", "?")):
        raise ValueError(
            f"figure {name!r} needs an alt text: one sentence that says what it shows (got {alt!r})"
        )


def in_page(svg: str, caption: str) -> dict[str, str]:
    """What a notebook shows of a drawing, with its caption if it has one."""
    words = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return {"text/html": f'<figure class="gmm-figure">{svg}{words}</figure>'}


@dataclass(frozen=True, eq=False)
class Figure:
    """A finished drawing, shown as inline SVG with a text that says what it shows.

    Attributes
    ----------
    drawing : the matplotlib figure, made with ``canvas``
    name : unique on its page, of letters, digits and hyphens; makes the ids in the SVG unique
    alt : what the figure *shows*, for who cannot see it; never empty
    caption : plain text under the figure, may be empty

    Raises
    ------
    ValueError
        If the name is not of that form, or alt is empty or does not end as a sentence does.
    """

    drawing: Canvas = field(repr=False)
    name: str
    alt: str
    caption: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.name):
            raise ValueError(
                f"figure name {self.name!r} must be lower-case letters, digits and hyphens, "
                "starting with a letter"
            )
        check_alt(self.name, self.alt)

    @property
    def svg(self) -> str:
        """The drawing as one ``<svg>`` element, the same bytes each time."""
        return _inline_svg(self.drawing, self.name, self.alt)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return in_page(self.svg, self.caption)

    def save_png(self, path: str | Path, dpi: int = 200) -> None:
        """Write the figure as PNG, dark text on white, for places that cannot show SVG."""
        with mpl.rc_context(_STYLE):
            FigureCanvasAgg(self.drawing)
            self.drawing.savefig(path, format="png", dpi=dpi, facecolor="white")


def _inline_svg(drawing: Canvas, name: str, alt: str) -> str:
    buffer = io.StringIO()
    # The salt makes matplotlib's ids depend on the name alone; the date would change each build.
    with mpl.rc_context(_STYLE | {"svg.hashsalt": name}):
        drawing.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # matplotlib's style sheet would apply to the whole page; its one rule moves to the root.
    for element in ("metadata", "style"):
        text = re.sub(rf"<{element}.*?</{element}>", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(palette.TEXT, "currentColor", text, flags=re.I)
    text = _lean(_page_font(_short_numbers(text)))
    # Ids repeat from figure to figure: the name keeps two figures of a page apart.
    text = re.sub(r'( id="| href="#|url\(#)', rf"\g<1>{name}-", text)
    body = text[text.index(">") + 1 :].strip()
    width, height = drawing.get_size_inches()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'aria-label="{html.escape(alt, quote=True)}" '
        f'viewBox="0 0 {72 * width:g} {72 * height:g}" '
        f'width="{96 * width:g}" height="{96 * height:g}" '
        f'style="max-width:100%;height:auto" stroke-linejoin="round">\n{body}'
    )


def _short_numbers(text: str) -> str:
    """Coordinates to a tenth of a point; the numbers that a reader sees are not touched."""

    def short(number: re.Match) -> str:
        rounded = f"{float(number[0]):.1f}".removesuffix(".0")
        return "0" if rounded == "-0" else rounded

    def attribute(match: re.Match) -> str:
        numbers = re.sub(r"-?\d+\.\d+", short, match[2])
        return match[1] + re.sub(r"\s+", " ", numbers.strip()) + '"'

    return re.sub(r'(\s(?:d|x|y|transform)=")([^"]*)"', attribute, text)


def _page_font(text: str) -> str:
    """Drop matplotlib's font family: the text inherits the page's."""
    return re.sub(r"font-family: [^;\"]+(; )?", "", text)


def _lean(text: str) -> str:
    """Short ids, only where one is referred to; one style for a run of equal markers."""
    used = dict.fromkeys(re.findall(r'(?:href="|url\()#([^")]+)', text))
    short = {old: f"r{number}" for number, old in enumerate(used)}
    text = re.sub(r' id="([^"]+)"', lambda m: f' id="{short[m[1]]}"' if m[1] in short else "", text)
    text = re.sub(r'(?:xlink:)?(href="|url\()#([^")]+)', lambda m: f"{m[1]}#{short[m[2]]}", text)
    run = r'(<use [^>]*?)( style="[^"]*")/>(?:\s*<use [^>]*?\2/>)+'
    text = re.sub(run, lambda m: f"<g{m[2]}>" + re.sub(re.escape(m[2]), "", m[0]) + "</g>", text)
    previous = None
    while text != previous:  # groups that no longer say anything, from the inside out
        previous, text = text, re.sub(r"<g>\s*((?:(?!</?g\b).)*?)\s*</g>", r"\1", text, flags=re.S)
    return re.sub(r"\s*\n\s*", "\n", text)
