"""The problem sets, and notebooks that hold all of their known mistakes."""

from __future__ import annotations

from itertools import zip_longest

from exercises.grading import master

NAMES = sorted(path.stem for path in master.FOLDER.glob("ps*.md"))
SETS = {name: master.load(name) for name in NAMES}


def rounds(name: str) -> list[dict[str, str]]:
    """Which mistake each question has in which notebook: all of them, in as few as it takes."""
    each = [[(q, mistake) for mistake in SETS[name].mistakes(q)] for q in SETS[name].ids]
    return [dict(filter(None, column)) for column in zip_longest(*each)]


ROUNDS = [(name, number) for name in NAMES for number in range(len(rounds(name)))]
