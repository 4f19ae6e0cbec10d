"""The notation page: rows of ``notation.yml``, as definitions that fit a phone."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path

import yaml

from gmmlib.show.questions import Shown, to_html


@dataclass(frozen=True)
class Row:
    """One symbol; the comment at the top of ``notation.yml`` says what each field holds."""

    group: str
    symbol: str
    meaning: str
    shape: str
    gmmlib: str
    scikit_learn: str
    bishop: str
    chapter: int


def load_notation(path: str | Path = "notation.yml") -> tuple[Row, ...]:
    """Read the rows of the notation page.

    Raises
    ------
    ValueError
        If a row's keys are not exactly the fields of ``Row``, a symbol stands twice, or the rows
        of a group do not follow one another.
    """
    rows = []
    wanted = {field.name for field in fields(Row)}
    for entry in yaml.safe_load(Path(path).read_text(encoding="utf-8")):
        if set(entry) != wanted:
            odd = ", ".join(sorted(set(entry) ^ wanted))
            raise ValueError(f"row {entry.get('symbol')!r}: unknown or missing keys: {odd}")
        rows.append(Row(**entry))
    for what in ([row.symbol for row in rows], [group for group, _ in groupby(rows, _group)]):
        for repeated in sorted({item for item in what if what.count(item) > 1}):
            raise ValueError(f"{repeated!r} stands in two places")
    return tuple(rows)


def notation_table(path: str | Path = "notation.yml") -> Shown:
    """The table of notation, read from the current folder; see ``load_notation``."""
    rows = load_notation(path)
    folder = Path(path).parent
    blocks, page = [], []
    for group, members in groupby(rows, _group):
        members = list(members)
        entries = [f"${r.symbol}$\n: {r.meaning}\\\n  {_where(r, folder)}" for r in members]
        blocks.append("\n\n".join([f"~~~{{rubric}} {group}\n~~~", *entries]))
        page.append(f"<h3>{group}</h3><dl>{''.join(map(_definition, members))}</dl>")
    return Shown("\n\n".join(blocks), "\n".join(page))


def _group(row: Row) -> str:
    return row.group


def _where(row: Row, folder: Path) -> str:
    parts = [f"`{row.gmmlib}`"] if row.gmmlib else []
    parts += [f"shape {row.shape}"] if row.shape else []
    parts += [f"scikit-learn `{row.scikit_learn}`"] if row.scikit_learn else []
    parts += [f"Bishop ${row.bishop}$"] if row.bishop else []
    page = next(iter(sorted(folder.glob(f"{row.chapter:02d}-*.md"))), None)
    chapter = f"chapter {row.chapter}"
    return " · ".join([*parts, f"[{chapter}]({page.name})" if page else chapter])


def _definition(row: Row) -> str:
    """The same for JupyterLab."""
    return f"<dt>${row.symbol}$</dt><dd>{to_html(row.meaning + ' · ' + _where(row, Path()))}</dd>"
