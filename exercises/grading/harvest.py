"""The cells of a notebook file, however badly the file was treated on its way.

Any version of the format, and only what is needed of it: kind, text and names of each cell. Nothing
here trusts the file: a value of the wrong type counts as absent.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, replace
from typing import Any

#: A larger file is not read at all; notebooks with many plots reach a tenth of it.
LARGEST = 64 * 2**20

#: A longer cell, and what follows after so much text, is left out: both could tire the grader.
LONGEST_CELL, MOST_TEXT = 100_000, 1_000_000

LINE_END_NOTE = "Windows line ends were converted."
MARKER = re.compile(r"\s*(?:#+|<!--)\s*Answer:\s*([\w.-]+)")
PICTURES = ("image/png", "image/jpeg", "image/gif")
CONFLICT = re.compile(
    r"^<{7}[^\n]*\n(.*?)^(?:\|{7}[^\n]*\n.*?^)?={7}\n(.*?)^>{7}[^\n]*(?:\n|\Z)",
    re.MULTILINE | re.DOTALL,
)


class Unreadable(ValueError):
    """The file is no notebook; the message says why, in a sentence for its author."""


@dataclass(frozen=True)
class Cell:
    """A cell as its file has it: its kind (code, markdown, raw), its text, and its names."""

    kind: str
    source: str
    id: str | None = None
    grade_id: str | None = None
    pictures: tuple[tuple[str, str, str], ...] = ()  # name, type, base64

    @property
    def marker(self) -> str | None:
        """The question that the cell's first line names."""
        found = MARKER.match(self.source)
        return found[1] if found else None


def harvest(raw: bytes) -> tuple[list[Cell], tuple[str, ...]]:
    """The cells in ``raw``, and what had to be put right to read them.

    Raises
    ------
    Unreadable
        If ``raw`` is no notebook.
    """
    if len(raw) > LARGEST:
        raise Unreadable(
            f"The file is larger than {LARGEST >> 20} MB and was not read: clear the outputs."
        )
    if not raw.strip(b"\0 \t\r\n"):
        raise Unreadable("The file is empty.")
    text, notes = _text(raw)
    data = _json(text)
    if data is None:
        data, side = _unconflicted(text)
        notes += (f"The file was an unfinished merge; {side} of each conflict counts.",)
    cells = [_cell(item) for item in _items(data) if isinstance(item, dict)]
    if any("\r" in cell.source for cell in cells):
        notes += (LINE_END_NOTE,)
    cells, long = _short_enough(cells)
    if long:
        notes += (f"Text was left out, since there is too much of it: {long} cells.",)
    return [_with_plain_ends(cell) for cell in cells], notes


def _short_enough(cells: list[Cell]) -> tuple[list[Cell], int]:
    """The cells, emptied where there is too much text; how many were."""
    kept, total, emptied = [], 0, 0
    for cell in cells:
        total += len(cell.source)
        if len(cell.source) > LONGEST_CELL or total > MOST_TEXT:
            cell = replace(cell, source="")
            emptied += 1
        kept.append(cell)
    return kept, emptied


def _text(raw: bytes) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if raw.startswith(mark):
            text = raw.decode(encoding, "replace")
            return text, ("The byte order mark at the file's beginning was removed.",)
    try:
        return raw.decode("utf-8"), ()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace"), (
            "The file was not in UTF-8; it was read as Windows text, so look at its accents.",
        )


def _json(text: str) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _unconflicted(text: str) -> tuple[dict[str, Any], str]:
    """The file with one side of a merge taken throughout: the first one that is a notebook."""
    text = text.replace("\r\n", "\n")
    if CONFLICT.search(text):
        for group, side in ((1, "the upper side"), (2, "the lower side")):
            data = _json(CONFLICT.sub(lambda found, group=group: found[group], text))
            if data is not None:
                return data, side
    raise Unreadable(_what_it_is(text))


def _what_it_is(text: str) -> str:
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<html")):
        return "The file is a web page, not a notebook: download the notebook itself."
    if start.startswith("pk"):
        return "The file is a zip archive, not a notebook: hand in the notebook in it."
    if start.startswith("{"):
        return "The file is a damaged notebook (no valid JSON)."
    return "The file is not a notebook."


def _items(data: dict[str, Any]) -> list[Any]:
    """The raw cells, of format 4 or of the older ones with worksheets."""
    if isinstance(data.get("cells"), list):
        return data["cells"]
    sheets = data.get("worksheets")
    if not isinstance(sheets, list):
        raise Unreadable("The file holds no cells, so it is not a notebook.")
    cells: list[Any] = []
    for sheet in sheets:
        if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list):
            cells += sheet["cells"]
    return cells


def _cell(item: dict[str, Any]) -> Cell:
    kind = item.get("cell_type")
    source = _joined(item.get("source", item.get("input")))
    if kind == "heading":  # format 3
        level = item.get("level")
        source = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " " + source
    metadata = item.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    nbgrader = metadata.get("nbgrader")
    nbgrader = nbgrader if isinstance(nbgrader, dict) else {}
    return Cell(
        kind if kind in ("code", "raw") else "markdown",
        source,
        _name(item.get("id")) or _name(metadata.get("id")),  # Colab puts it into the metadata
        _name(nbgrader.get("grade_id")),
        tuple(_pictures(item.get("attachments"))),
    )


def _joined(source: Any) -> str:
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return ""
    # JSON can hold halves of characters, which no file can.
    return source.encode("utf-8", "replace").decode("utf-8")


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _pictures(attachments: Any) -> list[tuple[str, str, str]]:
    """Pasted pictures, such as photographs of handwriting; nothing but pictures."""
    pictures = []
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        for kind in PICTURES:
            data = bundle.get(kind) if isinstance(bundle, dict) else None
            try:
                encoded = base64.b64encode(base64.b64decode(_joined(data), validate=False))
            except (binascii.Error, ValueError):
                continue
            if encoded:
                pictures.append((name, kind, encoded.decode("ascii")))
                break
    return pictures


def _with_plain_ends(cell: Cell) -> Cell:
    source = cell.source.replace("\r\n", "\n").replace("\r", "\n")
    return Cell(cell.kind, source, cell.id, cell.grade_id, cell.pictures)
