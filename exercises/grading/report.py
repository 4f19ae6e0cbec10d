"""What came out, for the instructor: ``grades.csv`` for the office, ``summary.html`` to look at."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from nbgrader.api import Gradebook, MissingEntry

from exercises.grading.course import Course
from exercises.grading.results import LOOK

STYLE = Path(__file__).with_name("templates") / "page.css"


@dataclass(frozen=True)
class Row:
    """One student.

    Attributes
    ----------
    scores : question -> points; None where a human has still to grade
    score : of the questions that are graded by the machine; None if nothing could be graded
    """

    student: str
    score: float | None
    scores: dict[str, float | None]
    written: dict[str, float | None]
    notes: tuple[str, ...]
    seconds: float | None

    @property
    def needs_a_look(self) -> bool:
        return any(LOOK in note for note in self.notes)


def rows(course: Course) -> tuple[Row, ...]:
    """Everybody who handed in, from nbgrader's gradebook and its autograded notebooks."""
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        return tuple(_row(gradebook, course, student) for student in course.students())


def _row(gradebook: Gradebook, course: Course, student: str) -> Row:
    try:
        grading = json.loads(course.notebook("autograded", student).read_text(encoding="utf-8"))
        grading = grading["metadata"]["grading"]
        notebook = gradebook.find_submission_notebook(course.name, course.name, student)
    except (OSError, ValueError, KeyError, MissingEntry):
        note = f"nbgrader could not grade this notebook, as nbgrader.log tells: {LOOK}."
        return Row(student, None, {}, {}, (note,), None)
    scores, written, notes = {}, {}, list(grading["notes"])
    for grade in notebook.grades:
        waiting = grade.auto_score is None and grade.manual_score is None
        value = None if waiting else float(grade.score)
        if grade.name.endswith("-check"):
            scores[grade.name.removesuffix("-check")] = value
        else:
            written[grade.name] = value
        if grade.needs_manual_grade and grade.manual_score is not None:
            notes.append(f"`{grade.name}` was graded by hand before; look whether it still fits.")
    total = sum(value or 0 for value in scores.values())
    return Row(student, total, scores, written, tuple(notes), grading.get("seconds"))


def grades_csv(rows: tuple[Row, ...], questions: dict[str, float], written: tuple[str, ...]) -> str:
    """The table as CSV; an empty field is still to be graded."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["student", "score", *questions, *written, "notes"])
    for row in rows:
        scores = [row.scores.get(question) for question in questions]
        marks = [row.written.get(question) for question in written]
        numbers = ["" if n is None else f"{n:g}" for n in (row.score, *scores, *marks)]
        table.writerow([_harmless(row.student), *numbers, _harmless(" ".join(row.notes))])
    return out.getvalue()


def _harmless(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def summary_html(
    course: Course,
    title: str,
    rows: tuple[Row, ...],
    questions: dict[str, float],
    written: tuple[str, ...],
    files: list[str],
) -> str:
    """The table and a histogram as one page that opens anywhere, light or dark."""
    most = sum(questions.values())
    scored = [row.score for row in rows if row.score is not None]
    heads = "".join(
        f'<th scope="col" class="number">{escape(q)}<br>of {of:g}</th>'
        for q, of in questions.items()
    ) + "".join(f'<th scope="col" class="number">{escape(q)}<br>by hand</th>' for q in written)
    body = "\n".join(_line(course, row, questions, written) for row in rows)
    style = STYLE.read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}: summary</title>
<style>
{style}
body {{ max-width: 90rem; }}
.scroll {{ overflow-x: auto; }}
tr.look td {{ background: var(--soft); }}
td:last-child {{ min-width: 20em; }}
td ul {{ margin: 0; padding-left: 1.2em; }}
svg text {{ fill: currentColor; font: 12px system-ui, sans-serif; }}
svg rect {{ fill: var(--accent); }}
</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p>{_in_words(scored, most, len(rows))}</p>
{_histogram(scored, most)}
{_files(files)}
<div class="scroll" role="region" aria-label="Scores" tabindex="0">
<table>
<thead><tr><th scope="col">Student</th><th scope="col" class="number">Score<br>of {most:g}</th>
{heads}<th scope="col" class="number">Seconds</th><th scope="col">Notes</th></tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>
</main>
</body>
</html>
"""


def _line(course: Course, row: Row, questions: dict[str, float], written: tuple[str, ...]) -> str:
    parts = ("feedback", row.student, course.name, f"{course.name}.html")
    name = escape(row.student)
    if course.root.joinpath(*parts).exists():
        name = f'<a href="../../{"/".join(quote(part) for part in parts)}">{name}</a>'
    numbers = [row.score, *map(row.scores.get, questions), *map(row.written.get, written)]
    cells = "".join(f'<td class="number">{"" if n is None else f"{n:g}"}</td>' for n in numbers)
    seconds = "" if row.seconds is None else f"{row.seconds:.1f}"
    notes = "".join(f"<li>{escape(note)}</li>" for note in row.notes)
    kind = ' class="look"' if row.needs_a_look else ""
    return (
        f'<tr{kind}><th scope="row">{name}</th>{cells}<td class="number">{seconds}</td>'
        f"<td>{f'<ul>{notes}</ul>' if notes else ''}</td></tr>"
    )


def _files(files: list[str]) -> str:
    if not files:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in files)
    return f"<h2>Files that count for nobody</h2>\n<ul>{items}</ul>"


def bins(scores: list[float], most: float) -> list[tuple[float, int]]:
    """How many scores lie in each step of one point; full marks belong to the last step."""
    steps = max(1, round(most))
    counts = [0] * steps
    for score in scores:
        counts[min(int(score * steps / most), steps - 1)] += 1
    return [(most * step / steps, count) for step, count in enumerate(counts)]


def _in_words(scores: list[float], most: float, submissions: int) -> str:
    if not scores:
        return f"{submissions} submissions; none could be graded."
    middle = sorted(scores)
    median = (middle[(len(middle) - 1) // 2] + middle[len(middle) // 2]) / 2
    return (
        f"{submissions} submissions. Median {median:g} of {most:g} points, mean "
        f"{sum(scores) / len(scores):.2f}, lowest {middle[0]:g}, highest {middle[-1]:g}."
    )


def _histogram(scores: list[float], most: float) -> str:
    columns = bins(scores, most)
    tallest = max(count for _, count in columns) or 1
    width, height = 44, 150
    bars, words = [], []
    for place, (low, count) in enumerate(columns):
        tall = height * count / tallest
        x, top = place * width + 20, height + 20 - tall
        high = low + most / len(columns)
        bars.append(
            f'<rect x="{x + 2}" y="{top:.1f}" width="{width - 4}" height="{tall:.1f}"/>'
            f'<text x="{x + width / 2}" y="{top - 4:.1f}" text-anchor="middle">{count or ""}</text>'
            f'<text x="{x}" y="{height + 36}" text-anchor="middle">{low:g}</text>'
        )
        if count:
            words.append(f"{low:g} to {high:g} points: {count}")
    end = len(columns) * width + 20
    bars.append(f'<text x="{end}" y="{height + 36}" text-anchor="middle">{most:g}</text>')
    text = "How many students earned how much. " + "; ".join(words) + "."
    return (
        f'<svg role="img" aria-label="{escape(text)}" viewBox="0 0 {end + 20} {height + 46}" '
        f'width="{end + 20}" style="max-width: 100%">{"".join(bars)}</svg>\n'
        f"<details><summary>The histogram in words</summary><p>{escape(text)}</p></details>"
    )
