"""The flow chart: every step is readable, and the loop goes where it says."""

import re
from itertools import pairwise

import pytest

from gmmlib.show.flow import flow_figure

STEPS = ["Guess", "Bet on\nevery label", "Average", "Standing still?", "Done"]


def flow(decision=3, back_to=1, **options):
    options |= {"name": "loop", "alt": "Three steps in a loop."}
    return flow_figure(STEPS, decision=decision, back_to=back_to, **options)


def test_every_line_of_every_step_and_both_ways_out_can_be_read():
    svg = flow(again="not yet", leave="at last").svg
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert sorted(texts) == sorted(
        [line for step in STEPS for line in step.split("\n")] + ["not yet", "at last"]
    )


def test_one_box_a_step_and_none_on_top_of_another():
    (ax,) = flow().drawing.axes
    boxes = [patch.get_extents().transformed(ax.transData.inverted()) for patch in ax.patches]
    boxes = [box for box in boxes if box.width > 0.5]
    assert len(boxes) == len(STEPS)
    for above, below in pairwise(boxes):
        assert below.y1 < above.y0


def test_the_way_back_ends_at_the_step_it_names():
    for back_to in (0, 1, 2):
        (ax,) = flow(back_to=back_to).drawing.axes
        last = [text for text in ax.texts if getattr(text, "arrow_patch", None)][-1]
        boxes = [patch.get_extents().transformed(ax.transData.inverted()) for patch in ax.patches]
        target = [box for box in boxes if box.width > 0.5][back_to]
        assert target.y0 < last.xy[1] < target.y1


@pytest.mark.parametrize(("decision", "back_to"), [(3, 3), (1, 2), (4, 1), (3, -1)])
def test_a_loop_that_leads_nowhere_is_refused(decision, back_to):
    with pytest.raises(ValueError, match="back to an earlier step"):
        flow(decision, back_to)


def test_small_and_in_the_pages_own_colour():
    svg = flow().svg
    assert len(svg) < 60_000
    assert "currentColor" in svg
    assert 'aria-label="Three steps in a loop."' in svg
