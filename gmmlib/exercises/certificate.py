"""A page that shows what was solved, made from the learner's own notebooks."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from gmmlib.exercises.check import VERDICT_TYPE

_CHECK = "-check"
_HEADING = re.compile(r"^## (.*?)\s*(?:\([^()]*points?[^()]*\))?$", flags=re.M)


@dataclass(frozen=True)
class Solved:
    """One problem set as its saved notebook shows it.

    Attributes
    ----------
    problem_set : its name, such as ``ps1``
    title : the notebook's heading
    questions : the heading over a question to (points, of what); points are None where no check
        was run
    """

    problem_set: str
    title: str
    questions: Mapping[str, tuple[float | None, float]]

    @property
    def points(self) -> float:
        return sum(points or 0 for points, _ in self.questions.values())

    @property
    def of(self) -> float:
        return sum(of for _, of in self.questions.values())


def certificate(name: str = "", folder: str | Path = ".") -> Path:
    """Write ``certificate.html`` into a folder: what its saved notebooks say was solved.

    Parameters
    ----------
    name : the learner's, for the page's heading
    folder : where the notebooks ``ps1.ipynb``, ``ps2.ipynb``, ... are; names don't matter

    Returns
    -------
    Path : of the page, which opens in any browser

    Raises
    ------
    FileNotFoundError
        If no notebook of a problem set is in the folder.
    """
    folder = Path(folder)
    solved = [s for path in sorted(folder.glob("*.ipynb")) if (s := read(path))]
    if not solved:
        raise FileNotFoundError(
            f"no problem set is saved in {folder.resolve()}: save the notebook, then run this again"
        )
    best = {}
    for one in solved:  # a second copy of a set counts if more of it is solved
        if one.problem_set not in best or one.points > best[one.problem_set].points:
            best[one.problem_set] = one
    page = folder / "certificate.html"
    page.write_text(_page(name, [best[key] for key in sorted(best)]), encoding="utf-8")
    return page


def read(path: str | Path) -> Solved | None:
    """What a saved notebook shows, or None if it is not one of a problem set."""
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8"))
        cells = notebook["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    questions: dict[str, tuple[float | None, float]] = {}
    name = heading = ""
    for cell in cells:
        source = "".join(cell.get("source", ""))
        if cell.get("cell_type") == "markdown":
            heading = (_HEADING.findall(source) or [heading])[-1]
        data = cell.get("metadata", {}).get("nbgrader", {})
        if not data.get("grade_id", "").endswith(_CHECK):
            continue
        saved = next(
            (o["data"][VERDICT_TYPE] for o in cell["outputs"] if VERDICT_TYPE in o.get("data", {})),
            None,
        )
        questions[heading or data["grade_id"].removesuffix(_CHECK)] = (
            saved["points"] if saved else None,
            data["points"],
        )
        name = name or (saved["problem_set"] if saved else "")
    if not questions:
        return None
    title = "".join(cells[0]["source"]).splitlines()[0].lstrip("# ")
    return Solved(name or Path(path).stem, title, questions)


_STYLE = """
:root { color-scheme: light dark; --line: #8886; }
body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto;
       padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1.5rem; }
th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid var(--line); }
td:last-child, th:last-child { text-align: right; white-space: nowrap; }
.note { border: 2px dashed var(--line); padding: .8rem 1rem; }
"""


def _page(name: str, solved: list[Solved]) -> str:
    who = html.escape(name.strip() or "a detective")
    points, of = sum(s.points for s in solved), sum(s.of for s in solved)
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>The Cake-Shop Detective: what {who} solved</title>",
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
        f"<h1>What {who} solved</h1>",
        "<p>The Cake-Shop Detective, problem sets on Gaussian mixtures and EM. "
        f"{points:g} of {of:g} points on {date.today().isoformat()}.</p>",
    ]
    parts += [_table(one) for one in solved]
    parts += [
        '<p class="note"><strong>Not verified.</strong> This page was made on the learner\'s own '
        "computer from what the checks in the learner's own notebooks last showed. Anyone can edit "
        "a notebook, and the checks use inputs that everyone can see. Whoever needs to be sure "
        "grades the notebooks.</p>",
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _table(solved: Solved) -> str:
    rows = []
    for question, (points, of) in solved.questions.items():
        if points is None:
            state = "not tried"
        else:
            state = f"{'✓ ' if points == of else ''}{points:g} of {of:g}"
        rows.append(f"<tr><td>{html.escape(question)}</td><td>{state}</td></tr>")
    return (
        f"<h2>{html.escape(solved.title)}</h2>\n<table>\n<thead><tr><th>Question</th><th>"
        f"{solved.points:g} of {solved.of:g}</th></tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody>\n</table>"
    )
