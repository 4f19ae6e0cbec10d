"""A class in which most try to cheat and some have bad luck, graded with the instructor's command.

`tests/submissions/hostile` and `tests/submissions/honest` hold a file for each. Its docstring says
what is tried; then follow lines such as ``# Earns: 8`` (hostile ones earn nothing) and ``# Told:
words`` that stand on the feedback page; then cells under headings:

- ``# Answer: log-normal``: what replaces that answer (of a blank notebook if hostile, of a solved
  one if honest)
- ``# Extra:`` and ``# Text:``: a cell of code, or of Markdown behind ``#``, after the answer before
  it, or at the top; ``# Text: open`` is the open question's
- ``# File:``: what happened to the file: Python that may change ``notebook``, ``raw`` and ``path``
"""

from __future__ import annotations

import ast
import csv
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from multiprocessing import active_children
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook

import exercises.grading.__main__ as command
from exercises.grading import marking, master, parallel, sandbox
from exercises.grading.course import REPOSITORY, Course
from exercises.grading.marking import Result
from exercises.grading.results import LOOK, Results
from tests.grading_set import named
from tests.test_grade import harmless

pytestmark = pytest.mark.skipif(
    sandbox.available() is not None, reason=f"NO ISOLATION HERE: {sandbox.available()}"
)

FOLDER = Path(__file__).parent / "submissions"
HEADING = re.compile(r"^# (Answer|Extra|Text|File):[ ]*([\w-]*)\n", re.MULTILINE)
FACT = re.compile(r"^# (Earns|Told): (.*)$", re.MULTILINE)
INTRUDER = "cake-shop-intruder"
SECRET = "the-secret-of-the-environment"

#: The acts are the same as with the true limits, only sooner over.
LIMITS = sandbox.Limits(
    seconds_per_cell=6, seconds_per_call=3, seconds=30, memory=2**30, disk=16 * 2**20,
    output=2**20,
)  # fmt: skip


def mark_quickly(problem_set, notebook, *, unsafe: bool) -> Result:
    return marking.mark(problem_set, notebook, limits=LIMITS, unsafe=unsafe)


@dataclass(frozen=True)
class Submission:
    """One file of the two folders."""

    name: str
    earns: float
    told: tuple[str, ...]
    sections: tuple[tuple[str, str, str], ...]
    hostile: bool


def submission(path: Path) -> Submission:
    head, *parts = HEADING.split(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(ast.parse(head)), path
    facts = FACT.findall(head)
    earns = next((float(value) for name, value in facts if name == "Earns"), 0.0)
    told = tuple(value for name, value in facts if name == "Told")
    sections = tuple(zip(parts[::3], parts[1::3], map(str.rstrip, parts[2::3]), strict=True))
    return Submission(path.stem, earns, told, sections, path.parent.name == "hostile")


SUBMISSIONS = tuple(map(submission, sorted(FOLDER.glob("*/*.py"))))
HOSTILE = tuple(one for one in SUBMISSIONS if one.hostile)


def each(submissions: tuple[Submission, ...]):
    return pytest.mark.parametrize("one", submissions, ids=lambda one: one.name)


def hand_in(one: Submission, problem_set, folder: Path, knows: dict[str, str]) -> str:
    """Write the submission's file into ``folder`` and return its path there."""
    notebook = problem_set.release() if one.hostile else problem_set.solution()
    place, number = 0, 0
    for kind, name, text in one.sections:
        for word, meaning in knows.items():
            text = text.replace(word, meaning)
        if kind == "Answer":
            cell = named(notebook, name)
            cell.source = f"# Answer: {name}\n{text}"
            place = notebook.cells.index(cell) + 1
        elif kind == "Extra":
            number += 1
            notebook.cells.insert(place, new_code_cell(text, id=f"own-{number}"))
            place += 1
        elif kind == "Text" and name:
            named(notebook, name).source = _uncommented(text)
        elif kind == "Text":
            number += 1
            cell = new_markdown_cell(_uncommented(text), id=f"own-{number}")
            notebook.cells.insert(place, cell)
            place += 1
    space = {"notebook": json.loads(json.dumps(notebook)), "path": f"{one.name}/ps1.ipynb",
             "release": problem_set.release(), "json": json}  # fmt: skip
    for kind, _, text in one.sections:
        if kind == "File":
            exec(text, space)
    # So that two notebooks alike can be told apart; it changes nothing else.
    space["notebook"]["metadata"]["whose"] = one.name
    path = folder / space["path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(space.get("raw") or json.dumps(space["notebook"]).encode())
    return space["path"]


def _uncommented(text: str) -> str:
    return re.sub(r"^# ?", "", text, flags=re.MULTILINE)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def programs(*marks: str) -> list[str]:
    """Command lines of running programs that hold one of ``marks``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        found += [line] if any(mark in line for mark in marks) else []
    return found


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """The class, after one command."""
    base = tmp_path_factory.mktemp("class")
    folder, scratch, course = base / "handed in", base / "scratch", Course(base / "course", "ps1")
    scratch.mkdir()
    problem_set = master.load("ps1")
    places = [
        course.root, course.root / "feedback", folder, scratch, base, REPOSITORY,
        REPOSITORY / "exercises", REPOSITORY / "tests", Path.home(), Path("/tmp"),
        Path("/var/tmp"), Path("/dev/shm"), Path("/"), Path("/etc"),
    ]  # fmt: skip
    knows = {
        "PLACES": repr(list(map(str, places))), "COURSE_FOLDER": str(course.root),
        "REPOSITORY_FOLDER": str(REPOSITORY), "SUBMISSIONS_FOLDER": str(folder),
    }  # fmt: skip
    paths = {one.name: hand_in(one, problem_set, folder, knows) for one in SUBMISSIONS}
    texts = [*REPOSITORY.glob("exercises/*.md"), *REPOSITORY.glob("gmmlib/exercises/*.py")]
    before = [contents(folder), [path.read_bytes() for path in texts]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAKE_SHOP_SECRET", SECRET)
        patch.setenv("TMPDIR", str(scratch))
        patch.setattr(tempfile, "tempdir", str(scratch))
        patch.setattr(command, "Results", partial(Results, marker=mark_quickly))
        patch.setattr(parallel, "MOST_SECONDS", 60)
        environment, here = dict(os.environ), os.getcwd()
        code = command.main(["ps1", str(folder), "--course", str(course.root), "--jobs", "2"])
        unchanged = (dict(os.environ), os.getcwd()) == (environment, here)
    with (course.reports / "grades.csv").open(encoding="utf-8-sig") as file:
        table = {line["student"]: line for line in csv.DictReader(file)}
    # The student of each submission, as the collected folder tells it.
    notebooks = {
        hashlib.sha256(course.notebook("submitted", student).read_bytes()).hexdigest(): student
        for student in course.students()
    }
    hashes = before[0]
    return SimpleNamespace(
        course=course, folder=folder, scratch=scratch, places=places, code=code, table=table,
        students={name: notebooks[hashes[path]] for name, path in paths.items()},
        unchanged=unchanged and before == [contents(folder), [p.read_bytes() for p in texts]],
    )  # fmt: skip


def page_of(graded, student: str) -> BeautifulSoup:
    path = graded.course.root / "feedback" / student / "ps1" / "ps1.html"
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@each(SUBMISSIONS)
def test_everybody_earns_what_the_answers_deserve(graded, one):
    line = graded.table[graded.students[one.name]]
    assert float(line["score"]) == one.earns, line


@each(SUBMISSIONS)
def test_everybody_is_told_why(graded, one):
    student = graded.students[one.name]
    text = " ".join(page_of(graded, student).text.split())
    for words in (*one.told, f"{one.earns:g} of 10 points for {student}"):
        assert words.replace("`", "") in text


def test_everybody_is_in_the_table(graded):
    assert len(graded.table) == len(set(graded.students.values())) == len(SUBMISSIONS)
    assert set(graded.table) == set(graded.students.values())


def test_nobody_needs_a_look(graded):
    """A submission must not stop its own comparison either."""
    assert [line for line in graded.table.values() if LOOK in line["notes"]] == []
    assert graded.code == 0


def test_the_gradebook_has_the_scores_of_the_comparison(graded):
    assert (graded.course.root / "gradebook.db").exists()
    with closing(Gradebook(f"sqlite:///{graded.course.root / 'gradebook.db'}")) as gradebook:
        assert gradebook.find_assignment("ps1").max_code_score == pytest.approx(10)
        for student, line in graded.table.items():
            found = gradebook.find_submission("ps1", student)
            assert found.code_score == pytest.approx(float(line["score"]))
            for grade in found.notebooks[0].grades:
                assert grade.manual_score is None
                assert grade.extra_credit in (None, 0)


def test_nothing_is_left_behind(graded):
    assert graded.unchanged
    assert active_children() == []
    assert programs(str(graded.scratch), INTRUDER, "86399") == []
    assert list(graded.scratch.iterdir()) == []
    assert [place for place in graded.places if (place / INTRUDER).exists()] == []
    assert list(graded.course.root.rglob(f"*{INTRUDER}*")) == []


@each(HOSTILE)
def test_nothing_is_found(graded, one):
    """What a hostile submission gets at, it prints."""
    page = page_of(graded, graded.students[one.name])
    said = "\n".join(output.text for output in page.select(".output"))
    assert "FOUND" not in said
    assert SECRET not in str(page)


@each(SUBMISSIONS)
def test_pages_are_harmless(graded, one):
    page = page_of(graded, graded.students[one.name])
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'")
    harmless(str(page))
    assert "FORGED" not in page.text


def test_the_summary_is_harmless(graded):
    html = (graded.course.reports / "summary.html").read_text(encoding="utf-8")
    page = BeautifulSoup(html, "html.parser")
    assert not page.find_all(["script", "img", "link", "iframe", "object", "form"])
    assert not [tag for tag in page.find_all(True) if any(a.startswith("on") for a in tag.attrs)]
    assert len(page.tbody.find_all("tr")) == len(SUBMISSIONS)


def test_saved_notebooks_hold_no_forgery(graded):
    """Whoever opens an autograded notebook, in nbgrader's formgrader too, is safe."""
    for student in graded.students.values():
        text = graded.course.notebook("autograded", student).read_text(encoding="utf-8")
        for cell in json.loads(text)["cells"]:
            for output in cell.get("outputs", ()):
                kinds = {"text/plain", "image/png", "text/markdown"}
                assert set(output.get("data", ())) <= kinds
            if cell["cell_type"] != "code":
                assert "<script" not in "".join(cell["source"])
            assert "score" not in cell["metadata"].get("nbgrader", {})
