"""A loop as a flow chart: steps from top to bottom, and the way back."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from gmmlib.show.figure import Figure, canvas
from gmmlib.show.palette import TEXT, component_color

# Boxes in the units of the axes: one step is one unit high. The text keeps away from the sides,
# since the page's own font may be wider than the one that was measured.
_LEFT, _RIGHT, _RETURN = 0.16, 0.98, 0.07
_MIDDLE = (_LEFT + _RIGHT) / 2


def flow_figure(
    steps: Sequence[str],
    *,
    decision: int,
    back_to: int,
    name: str,
    alt: str,
    again: str = "no",
    leave: str = "yes",
    caption: str = "",
) -> Figure:
    """Boxes joined by arrows; the step that decides leads on, or back to an earlier one.

    Parameters
    ----------
    steps : texts of the boxes, top to bottom, each of one or two lines
    decision : index of the step that decides, drawn in another colour
    back_to : index of the step that it leads back to, before it
    name, alt, caption : see ``Figure``
    again, leave : what is written at the way back and at the way on

    Raises
    ------
    ValueError
        If the loop does not lead back to a step before the decision, or nothing follows it.
    """
    if not 0 <= back_to < decision < len(steps) - 1:
        raise ValueError(
            f"decision {decision} must lead back to an earlier step and have one after it; "
            f"got back_to {back_to} and {len(steps)} steps"
        )
    halves = [0.21 + 0.11 * text.count("\n") for text in steps]
    with canvas(height=0.8 * len(steps)) as (drawing, ax):
        for k, (text, half) in enumerate(zip(steps, halves, strict=True)):
            color = component_color(1) if k == decision else TEXT
            corner, width = (_LEFT + 0.02, -k - half + 0.02), _RIGHT - _LEFT - 0.04
            style = "round,pad=0.02,rounding_size=0.04"
            box = FancyBboxPatch(corner, width, 2 * half - 0.04, style, fc="none", ec=color, lw=1.5)
            ax.add_patch(box)
            ax.text(_MIDDLE, -k, text, ha="center", va="center")
            if k:
                _arrow(ax, (_MIDDLE, 1 - k - halves[k - 1]), (_MIDDLE, half - k))
        ax.plot([_LEFT, _RETURN, _RETURN], [-decision, -decision, -back_to], color=TEXT, lw=1.5)
        _arrow(ax, (_RETURN, -back_to), (_LEFT, -back_to))
        ax.text(_RETURN - 0.015, -(decision + back_to) / 2, again, ha="right", va="center")
        ax.text(_MIDDLE + 0.03, -decision - 0.5, leave, va="center")
        ax.set(xlim=(0, 1), ylim=(0.6 - len(steps), 0.4))
        ax.axis("off")
    return Figure(drawing, name, alt, caption)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": TEXT, "lw": 1.5, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=style)
