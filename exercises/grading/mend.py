"""Whatever was handed in becomes a sound notebook in the frame of the released one.

The frame is the release: its cells, in its order, with its given cells and checks word for word.
The learner's answers go into it, and the learner's own cells stay beside the cells they followed.
Nothing is dropped or put right in silence: each repair is a note in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import pairwise

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from exercises.grading.harvest import Cell, Unreadable, harvest

CONFLICT = re.compile(r"^(<{7}|>{7})( |$)", re.MULTILINE)
BOUND = re.compile(r"^(?:def|class)\s+(\w+)|^(\w+)\s*=(?!=)", re.MULTILINE)


@dataclass(frozen=True)
class Mended:
    """A sound notebook, and what had to be done for it."""

    notebook: NotebookNode
    notes: tuple[str, ...]


def mend(raw: bytes, release: NotebookNode) -> Mended:
    """The notebook that ``raw`` was meant to be, in the frame of ``release``.

    Parameters
    ----------
    raw : bytes
        The file as it was handed in. Anything at all.
    release : NotebookNode
        The notebook that the learner was given; its cell ids are those of nbgrader.

    Returns
    -------
    Mended
        Of an unreadable file: the blank release, and a note that says why.
    """
    try:
        cells, notes = harvest(raw)
    except Unreadable as reason:
        return Mended(_copy(release, {}, {}), (f"{reason} It counts as a blank notebook.",))
    frame = {cell.id: cell for cell in release.cells}
    claims = _claims(cells, frame)
    if not claims:
        notes += ("No cell of this problem set is in the notebook: was the right file handed in?",)
    answers, beside, more = _answers(cells, claims, frame)
    notes += more + _given(cells, claims, frame) + _order(claims, frame)
    notes += tuple(
        f"The cell `{id}` holds conflict markers (<<<<<<<, >>>>>>>) of a merge."
        for id, cell in answers.items()
        if CONFLICT.search(cell.source)
    )
    extra, harmful = _extra(cells, claims, beside, frame)
    answers, more_harmful = _defused(answers)
    if harmful or more_harmful:
        notes += ("HTML in your text cells is shown as text.",)
    return Mended(_copy(release, answers, extra), tuple(dict.fromkeys(notes)))


def known_cells(raw: bytes, release: NotebookNode) -> int:
    """How many cells of ``release`` the file ``raw`` holds: 0 if it cannot be read."""
    try:
        cells, _ = harvest(raw)
    except Unreadable:
        return 0
    return len(set(_claims(cells, {cell.id: cell for cell in release.cells}).values()))


# Which cell of the release is this?


def _claims(cells: list[Cell], frame: dict[str, NotebookNode]) -> dict[int, str]:
    """Index of a cell -> id of the release's cell that it is."""
    claims = _by_name(cells, frame)
    # Some tools keep no names.
    for id, released in frame.items():
        if id not in claims.values():
            free = [(index, cell) for index, cell in enumerate(cells) if index not in claims]
            found = _by_contents(released, free)
            if found is not None:
                claims[found] = id
    for before, id in pairwise(frame):
        if (
            frame[id].cell_type == "markdown"
            and _is_answer(frame[id])
            and id not in claims.values()
        ):
            after = next((i + 1 for i, claimed in claims.items() if claimed == before), len(cells))
            if after < len(cells) and after not in claims and cells[after].kind == "markdown":
                claims[after] = id
    return dict(sorted(claims.items()))


def _by_name(cells: list[Cell], frame: dict[str, NotebookNode]) -> dict[int, str]:
    """The cells that bear a name: nbgrader's, the notebook's, or that of the first line."""
    claims = {}
    for index, cell in enumerate(cells):
        names = (cell.grade_id, cell.id, cell.marker)
        named = next((name for name in names if name in frame), None)
        if named is not None:
            claims[index] = named
    # A copy of one answer cell may have become the answer to another question.
    for index, cell in enumerate(cells):
        if cell.marker in frame and cell.marker not in claims.values():
            claims[index] = cell.marker
    return claims


def _by_contents(released: NotebookNode, free: list[tuple[int, Cell]]) -> int | None:
    """The cell among ``free`` with the released text, or with code that defines the same names."""
    if _is_answer(released):
        names = _bound(released.source) if released.cell_type == "code" else frozenset()
        fits = [index for index, cell in free if names and names <= _bound(cell.source)]
        return fits[-1] if fits else None
    words = _plain(released.source)
    return next((index for index, cell in free if _plain(cell.source) == words), None)


def _is_answer(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def _plain(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _bound(source: str) -> frozenset[str]:
    """The names that the code defines at its top level; also of code with a mistake in it."""
    return frozenset(name for found in BOUND.findall(source) for name in found if name)


# Answers


def _answers(
    cells: list[Cell], claims: dict[int, str], frame: dict[str, NotebookNode]
) -> tuple[dict[str, Cell], dict[int, str], tuple[str, ...]]:
    """The answers; the other changed copies (index -> id), which run before them; notes."""
    answers, beside, notes = {}, {}, []
    for id, blank in frame.items():
        if not _is_answer(blank):
            continue
        copies = [index for index, claimed in claims.items() if claimed == id]
        changed = [i for i in copies if _plain(cells[i].source) != _plain(blank.source)]
        if not copies:
            notes.append(f"The answer cell `{id}` is missing; it counts as blank.")
            continue
        counts = changed[-1] if changed else copies[-1]
        if cells[counts].kind != blank.cell_type:
            notes.append(
                f"The answer cell `{id}` had become a {cells[counts].kind} cell; "
                f"it counts as {blank.cell_type} again."
            )
        if id not in (cells[counts].grade_id, cells[counts].id, cells[counts].marker):
            notes.append(
                f"The answer cell `{id}` had lost its marks; it was known by its contents."
            )
        if len(copies) > 1 and len(changed) < 2:
            which = "the one with your answer" if changed else "it is blank in all, so one"
            notes.append(f"The answer cell `{id}` was there {_times(copies)}; {which} counts.")
        elif len(changed) > 1:
            notes.append(
                f"The answer cell `{id}` was there {_times(copies)}; the last one that you changed "
                "counts, and the ones before it run before it."
            )
        answers[id] = cells[counts]
        beside.update(dict.fromkeys(changed[:-1], id))
    return answers, beside, tuple(notes)


def _times(copies: list[int]) -> str:
    return "twice" if len(copies) == 2 else f"{len(copies)} times"


# Given cells


def _given(
    cells: list[Cell], claims: dict[int, str], frame: dict[str, NotebookNode]
) -> tuple[str, ...]:
    """What is said about the cells that the release alone decides."""
    if not claims:
        return ()
    missing, edited = [], []
    for id, cell in frame.items():
        if _is_answer(cell):
            continue
        copies = [index for index, claimed in claims.items() if claimed == id]
        if not copies:
            missing.append(id)
        elif any(_plain(cells[index].source) != _plain(cell.source) for index in copies):
            edited.append(id)
    notes = ()
    if edited:
        notes += (f"Changes to given cells do not count; as released again: {_list(edited)}.",)
    if missing:
        notes += (f"Given cells were missing and are back: {_list(missing)}.",)
    return notes


def _list(ids: Iterable[str]) -> str:
    return ", ".join(f"`{id}`" for id in ids)


def _order(claims: dict[int, str], frame: dict[str, NotebookNode]) -> tuple[str, ...]:
    places = [list(frame).index(id) for id in dict.fromkeys(claims.values())]
    if places == sorted(places):
        return ()
    return ("The cells were in another order; they run in the order of the problem set.",)


# Cells of the learner's own


def _extra(
    cells: list[Cell],
    claims: dict[int, str],
    beside: dict[int, str],
    frame: dict[str, NotebookNode],
) -> tuple[dict[str | None, list[NotebookNode]], bool]:
    """Own cells by the id of the cell that they follow (None: at the top); whether one held HTML.

    A second copy of an answer runs before the copy that counts, so it follows the cell before that.
    """
    order: list[str | None] = [None, *frame]
    extra: dict[str | None, list[NotebookNode]] = {}
    follows: str | None = None
    harmful = False
    number = 0
    for index, cell in enumerate(cells):
        if index in claims and index not in beside:
            follows = claims[index]
            continue
        if not cell.source.strip():
            continue
        number += 1
        name = f"extra-{number}"
        while name in frame:
            name += "-own"
        if cell.kind == "code":
            own = new_code_cell(cell.source, id=name)
        elif cell.kind == "raw":
            own = new_raw_cell(cell.source, id=name)
        else:
            safe = defuse(cell.source)
            harmful |= safe != cell.source
            own = new_markdown_cell(safe, id=name)
            _attach(own, cell)
        place = order[order.index(beside[index]) - 1] if index in beside else follows
        extra.setdefault(place, []).append(own)
    return extra, harmful


def _defused(answers: dict[str, Cell]) -> tuple[dict[str, Cell], bool]:
    safe = {
        id: cell if cell.kind == "code" else replace(cell, source=defuse(cell.source))
        for id, cell in answers.items()
    }
    return safe, safe != answers


def defuse(source: str) -> str:
    """Markdown without HTML: a tag is ``<`` with a letter right after it, so a space undoes it.

    Whoever opens the notebook, in nbgrader's formgrader too, is then safe from scripts in it.
    """
    return re.sub(r"<(?=[A-Za-z/!?])", "< ", source)


def _attach(cell: NotebookNode, source: Cell) -> None:
    if source.pictures:
        cell.attachments = NotebookNode(
            {name: NotebookNode({kind: data}) for name, kind, data in source.pictures}
        )


def _copy(
    release: NotebookNode,
    answers: dict[str, Cell],
    extra: dict[str | None, list[NotebookNode]],
) -> NotebookNode:
    """The release with these answers and own cells, without outputs."""
    cells = list(extra.get(None, ()))
    for blank in release.cells:
        cell = deepcopy(blank)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if cell.id in answers:
            cell.source = answers[cell.id].source
            if cell.cell_type == "markdown":
                _attach(cell, answers[cell.id])
        cells += [cell, *extra.get(cell.id, ())]
    notebook = NotebookNode(release)
    notebook.metadata = deepcopy(release.metadata)
    notebook.cells = cells
    return notebook
