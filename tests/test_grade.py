"""From submissions to grades and feedback: the machinery in parts, then the whole way once."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook

from exercises.grading import master, report, sandbox
from exercises.grading.__main__ import main
from exercises.grading.course import OWN, REPOSITORY, Course
from exercises.grading.feedback import to_html
from exercises.grading.marking import Result
from exercises.grading.parallel import Progress, compare_all
from exercises.grading.results import LOOK, Results
from gmmlib.exercises.judge import Verdict
from tests.grading_set import TinySet, named, solved

# --- Results on file


def full_marks(problem_set, notebook, *, unsafe):
    return Result(
        (Verdict("mean", 2, 2, "Right."), Verdict("spread", 3, 3, "Right.")), {}, (), 0.1, None
    )


def marker(problem_set, notebook, *, unsafe):
    """Does what the notebook says."""
    source = named(notebook, "mean").source
    if "die" in source:
        os._exit(1)
    if "raise" in source:
        raise OverflowError("too much")
    if "wait" in source:
        time.sleep(60)
    return full_marks(problem_set, notebook, unsafe=unsafe)


def results_in(folder, marker=marker):
    return Results(TinySet(), folder, marker=marker)


def test_the_key_is_that_of_the_code_and_the_tests(tmp_path):
    results, notebook = results_in(tmp_path), solved()
    key = results.key(notebook)
    named(notebook, "open").source = "Other words."
    named(notebook, "mean").outputs = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    assert results.key(notebook) == key
    named(notebook, "mean").source += " # changed"
    assert results.key(notebook) != key
    assert replace(results, problem_set=TinySet(fingerprint="2")).key(solved()) != key


def test_a_result_is_kept_and_read_again(tmp_path):
    results = results_in(tmp_path)
    key = results.key(solved())
    assert not results.is_done(key)
    result = results.compare(solved())
    assert results.known(key) == result
    assert results.is_done(key)


def test_a_half_written_result_does_not_count(tmp_path):
    results = results_in(tmp_path)
    results.compare(solved())
    file = next(tmp_path.glob("*.json"))
    file.write_text(file.read_text()[:50])
    assert not results.is_done(results.key(solved()))


def test_a_failure_of_the_comparison_is_zero_points_and_tried_again(tmp_path):
    results = results_in(tmp_path)
    notebook = solved("    raise")
    result = results.compare(notebook)
    assert [(mark.points, mark.of) for mark in result.marks] == [(0, 2), (0, 3)]
    assert LOOK in result.notes[0]
    assert "OverflowError: too much" in result.notes[0]
    assert results.known(results.key(notebook)) == result
    assert not results.is_done(results.key(notebook))
    repaired = replace(results, marker=full_marks)
    repaired.compare(notebook)
    assert repaired.is_done(results.key(notebook))
    assert sum(mark.points for mark in repaired.known(results.key(notebook)).marks) == 5


@pytest.mark.parametrize(
    "marks",
    [
        (Verdict("mean", 2, 2, ""),),
        (Verdict("mean", 2.5, 2, ""), Verdict("spread", 3, 3, "")),
        (Verdict("mean", float("nan"), 2, ""), Verdict("spread", 3, 3, "")),
        (Verdict("mean", -1, 2, ""), Verdict("spread", 3, 3, "")),
        (Verdict("mean", 2, 4, ""), Verdict("spread", 3, 3, "")),
    ],
)
def test_odd_marks_are_refused(tmp_path, marks):
    results = results_in(tmp_path, lambda *_, **__: Result(marks, {}, (), 0, None))
    assert LOOK in results.compare(solved()).notes[0]


# --- Many at a time


def test_a_notebook_that_kills_its_process_fails_alone(tmp_path):
    results = results_in(tmp_path)
    answers = [f"    return {n}" for n in range(6)]
    answers[1] = "    die"
    notebooks = {results.key(nb): nb for nb in map(solved, answers)}
    done, lines = {}, []
    progress = Progress(6, lines.append)

    def step(key, result):
        done[key] = result.points
        progress.step(key[:4], result)

    compare_all(results, notebooks, 2, step)
    assert list(done) != []
    assert [done[key] for key in notebooks] == [5, 0, 5, 5, 5, 5]
    assert [results.is_done(key) for key in notebooks] == [True, False, True, True, True, True]
    assert lines[0].startswith("  1/6")
    assert "left)" in lines[0]
    assert "left" not in lines[-1]


STOPPED = """
import signal, sys
from pathlib import Path
from exercises.grading.parallel import compare_all
from tests.grading_set import solved
from tests.test_grade import results_in

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
results = results_in(Path(sys.argv[1]))
answers = ["    return 1", *(f"    return {n}  # wait" for n in range(9))]
notebooks = {results.key(nb): nb for nb in map(solved, answers)}
try:
    compare_all(results, notebooks, 2, lambda key, result: print("done", flush=True))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_a_stop_ends_everything_and_keeps_what_is_done(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(tmp_path)],
        cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as program:  # fmt: skip
        assert program.stdout.readline() == "done\n"
        time.sleep(0.3)
        start = time.monotonic()
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=30)
    assert program.returncode == 130, errors
    assert time.monotonic() - start < 20
    assert len(list(tmp_path.glob("*.json"))) == 1
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.killpg(program.pid, 0)


# --- Feedback is harmless

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a <b onclick=alert(1)>b</b>",
    "<!-- --!><svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    '[x](http://a "\\" onmouseover=alert(1) x=\\"")',
    "<javascript:alert(1)>",
    "![x](http://elsewhere.example/spy.png)",
    "![x](javascript:alert(1))",
    '![x" onerror="alert(1)](attachment:a.png)',
    "![x](attachment:missing.png)",
    "```mermaid\n</pre><script>alert(1)</script>\n```",
    "```<script>\nalert(1)\n```",
    "$<script>alert(1)</script>$",
    "$$\\href{javascript:alert(1)}{x} \\includegraphics{http://elsewhere.example/spy.png}$$",
    "\\begin{x}<script>alert(1)</script>\\end{x}",
    "$\\def\\a{\\a\\a}\\a$",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "# <script>alert(1)</script>",
    "\ue0000\ue001 \ue00099\ue001 $x$",
    "`<script>alert(1)</script>`",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


def harmless(html):
    page = BeautifulSoup(html, "html.parser")
    for tag in page.find_all(True):
        assert tag.name not in ("script", "iframe", "object", "embed", "form", "svg", "base")
        assert not [name for name in tag.attrs if name.startswith("on")]
        if tag.name in ("img", "source", "link"):
            assert tag.get("src", "").startswith("data:image/")
        assert not re.match(r"\s*(javascript|data|vbscript):", tag.get("href", ""), re.IGNORECASE)
        assert "url(" not in tag.get("style", "")
    return page


@pytest.mark.parametrize("source", HOSTILE)
def test_nothing_in_markdown_can_run(source):
    attachments = {"a.png": {"image/png": "iVBORw0KGgo="}}
    harmless(to_html(source, attachments))


def test_markdown_still_works():
    page = harmless(to_html("**b** `c` [l](https://a.example) $x^2$\n\n- one\n\n$$y$$\n\n1 < 2"))
    assert page.strong.text == "b"
    assert page.a["href"] == "https://a.example"
    assert page.li.text.strip() == "one"
    assert "x" in page.text
    assert "1 < 2" in page.text
    picture = harmless(to_html("![p](attachment:a)", {"a": {"image/png": "iVBORw0KGgo="}}))
    assert picture.img["src"].endswith("iVBORw0KGgo=")


# --- Reports

ROWS = (
    report.Row("Zoë O'Neil", 5.0, {"mean": 2.0, "spread": 3.0}, {"open": None}, (), 1.26),
    report.Row("=cmd|' /C calc'!A0", 0.5, {"mean": 0.5, "spread": 0.0}, {"open": 1.0},
               ("A note, with a comma.", "<script>alert(1)</script>"), 2.0),
    report.Row("李", None, {}, {}, (f"{LOOK}.",), None),
)  # fmt: skip
POINTS = {"mean": 2.0, "spread": 3.0}


def test_the_table():
    lines = list(csv.DictReader(report.grades_csv(ROWS, POINTS, ("open",)).splitlines()))
    assert lines[0] == {
        "student": "Zoë O'Neil", "score": "5", "mean": "2", "spread": "3", "open": "", "notes": "",
    }  # fmt: skip
    assert lines[1]["student"].startswith("'=cmd")
    assert lines[1]["open"] == "1"
    assert (lines[2]["student"], lines[2]["score"]) == ("李", "")


def test_the_summary_page(tmp_path):
    html = report.summary_html(
        Course(tmp_path, "ps1"), "A <set>", ROWS, POINTS, ("open",), ["<b>.ipynb: whose is it?"]
    )
    page = BeautifulSoup(html, "html.parser")
    assert not page.find_all(["script", "img", "link", "iframe", "b"])
    assert "http" not in re.sub(r"http-equiv", "", html)
    assert page.title.text == "A <set>: summary"
    rows = [[cell.text for cell in row.find_all(["th", "td"])] for row in page.tbody.find_all("tr")]
    assert rows[0] == ["Zoë O'Neil", "5", "2", "3", "", "1.3", ""]
    assert rows[2][:3] == ["李", "", ""]
    assert page.svg["aria-label"].endswith("0 to 1 points: 1; 4 to 5 points: 1.")
    assert page.svg["role"] == "img"
    assert "<b>.ipynb: whose is it?" in page.text
    assert "color-scheme: light dark" in html


def test_the_steps_of_the_histogram():
    assert [count for _, count in report.bins([0, 0.99, 1, 9.5, 10], 10)] == [2, 1, *[0] * 7, 2]
    assert report.bins([], 10)[-1] == (9.0, 0)


def test_no_row_gives_a_page(tmp_path):
    assert "none could be graded" in report.summary_html(
        Course(tmp_path, "ps1"), "Set", (), POINTS, (), []
    )


# --- The whole way, with nbgrader

UNSAFE = ["--unsafe"] if sandbox.available() else []
SPY = "A reason. <script>alert(1)</script> ![x](http://elsewhere.example/spy.png) $x_k$"


def grade(course, *more):
    return main(["ps1", *map(str, more), "--course", str(course.root), *UNSAFE])


def table(course):
    with (course.reports / "grades.csv").open(encoding="utf-8-sig") as file:
        return {line["student"]: line for line in csv.DictReader(file)}


def feedback(course, student):
    path = course.root / "feedback" / student / "ps1" / "ps1.html"
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def hand_in(folder, name, notebook):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = notebook if isinstance(notebook, bytes) else nbformat.writes(notebook).encode("utf-8")
    path.write_bytes(raw)


def nbgrader(course, *command):
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *command],
        cwd=course.root, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip


@pytest.fixture(scope="module")
def ps1():
    return master.load("ps1")


@pytest.fixture(scope="module")
def graded(ps1, tmp_path_factory):
    """A course folder after the first `make grade`."""
    base = tmp_path_factory.mktemp("course with spaces")
    submissions, course = base / "handed in", Course(base / "kurs ö", "ps1")
    written = ps1.solution()
    named(written, "open").source = SPY
    named(written, ps1.ids[0]).source += "\nprint('<script>alert(2)</script>')"
    hand_in(submissions, "Zoë O'Neil/ps1.ipynb", written)
    hand_in(submissions, "ps1_blank.ipynb", ps1.release())
    wrong = ps1.answered({ps1.ids[0]: "    raise ValueError('<script>alert(3)</script>')\n"})
    hand_in(submissions, "李 雷_12345_assignsubmission_file_/ps1 (1).ipynb", wrong)
    hand_in(submissions, "junk.ipynb", b"this is no notebook")
    hand_in(submissions, "ps1.ipynb", ps1.release())
    code = grade(course, submissions)
    return SimpleNamespace(course=course, submissions=submissions, code=code)


def test_the_release_is_nbgraders(graded, ps1):
    made = nbformat.read(graded.course.notebook("release"), as_version=4)
    ours = ps1.release()
    assert made.metadata == ours.metadata
    for theirs, own in zip(made.cells, ours.cells, strict=True):
        assert (theirs.id, theirs.cell_type, theirs.source) == (own.id, own.cell_type, own.source)
        known = own.metadata.get("nbgrader", {})
        assert {key: theirs.metadata.nbgrader[key] for key in known} == known
    assert "BEGIN" not in nbformat.writes(made)


def test_scores_are_those_of_the_comparison(graded, ps1):
    lines = table(graded.course)
    assert set(lines) == {"Zoë O'Neil", "blank", "李 雷", "junk"}
    first, *others = ps1.ids
    assert lines["Zoë O'Neil"]["score"] == "10"
    assert lines["blank"]["score"] == lines["junk"]["score"] == "0"
    assert lines["李 雷"][first] == "0"
    for question in others:
        assert lines["李 雷"][question] == lines["Zoë O'Neil"][question] != "0"
    assert "not a notebook" in lines["junk"]["notes"]


def test_what_was_written_waits_for_a_human(graded):
    assert table(graded.course)["Zoë O'Neil"]["open"] == ""
    assert "not graded yet (of 3)" in feedback(graded.course, "Zoë O'Neil").text


def test_a_file_of_nobody_is_told_and_changes_the_exit_code(graded):
    assert graded.code == 1
    page = (graded.course.reports / "summary.html").read_text(encoding="utf-8")
    assert "ps1.ipynb: whose is it?" in page


@pytest.mark.parametrize("student", ["Zoë O'Neil", "blank", "李 雷", "junk"])
def test_feedback_pages_are_alone_and_harmless(graded, student):
    page = feedback(graded.course, student)
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'")
    for style in page.find_all("style"):
        assert "@import" not in style.text
        assert "url(" not in style.text
    harmless(str(page))


def test_feedback_shows_scores_hints_and_outputs(graded, ps1):
    text = feedback(graded.course, "Zoë O'Neil").text
    assert "10 of 10 points" in text
    assert "<script>alert(2)</script>" in text
    assert "A reason. < script>" in text
    assert f"{ps1.ids[0]}: 0 of" in feedback(graded.course, "blank").text
    assert "not a notebook" in feedback(graded.course, "junk").text


def test_the_summary_links_to_the_feedback(graded):
    page = (graded.course.reports / "summary.html").read_text(encoding="utf-8")
    links = [a["href"] for a in BeautifulSoup(page, "html.parser").find_all("a")]
    from urllib.parse import unquote

    assert len(links) == 4
    for link in links:
        assert (graded.course.reports / unquote(link)).exists()


def test_a_rerun_goes_on_and_keeps_what_a_human_graded(graded, ps1, capsys):
    course = graded.course
    with closing(Gradebook(f"sqlite:///{course.root / 'gradebook.db'}")) as gradebook:
        grade_of_open = gradebook.find_grade("open", "ps1", "ps1", "Zoë O'Neil")
        grade_of_open.manual_score, grade_of_open.needs_manual_grade = 2.5, False
        comment = gradebook.find_comment("open", "ps1", "ps1", "Zoë O'Neil")
        comment.manual_comment = "Well **said**. <script>alert(4)</script>"
        gradebook.db.commit()
    untouched = course.notebook("autograded", "Zoë O'Neil").stat().st_mtime_ns
    hand_in(graded.submissions, "ps1_blank.ipynb", ps1.solution())
    (graded.submissions / "ps1.ipynb").unlink()
    assert grade(course, graded.submissions) == 0
    assert "4 submissions, 3 of them compared before" in capsys.readouterr().out
    lines = table(course)
    assert lines["blank"]["score"] == "10"
    assert lines["Zoë O'Neil"]["open"] == "2.5"
    assert course.notebook("autograded", "Zoë O'Neil").stat().st_mtime_ns == untouched
    page = feedback(course, "Zoë O'Neil")
    assert "open: 2.5 of 3" in page.text
    assert page.find(class_="comment").strong
    harmless(str(page))
    # The hand's grade also survives when the notebook is autograded again.
    again = ps1.solution()
    named(again, "open").source = "Another reason."
    hand_in(graded.submissions, "Zoë O'Neil/ps1.ipynb", again)
    assert grade(course, graded.submissions) == 0
    line = table(course)["Zoë O'Neil"]
    assert line["open"] == "2.5"
    assert "graded by hand before" in line["notes"]


def test_nbgraders_plain_commands_do_the_same(graded):
    course = graded.course
    before = table(course)["李 雷"]["score"]
    for path in course.results.glob("*.json"):
        path.unlink()
    command = ["autograde", "ps1", "--force", "--student=李*"]
    ran = nbgrader(course, *command, *(["--Compare.unsafe=True"] if UNSAFE else []))
    assert ran.returncode == 0, ran.stderr
    assert len(list(course.results.glob("*.json"))) == 1
    with closing(Gradebook(f"sqlite:///{course.root / 'gradebook.db'}")) as gradebook:
        assert f"{gradebook.find_submission('ps1', '李 雷').score:g}" == before
    assert nbgrader(course, "zip_collect", "ps1", "--force").returncode == 0
    assert nbgrader(course, "generate_feedback", "ps1").returncode == 0


def test_own_settings_stay(graded, ps1):
    path = graded.course.root / "nbgrader_config.py"
    path.write_text(path.read_text(encoding="utf-8") + "c.CourseDirectory.course_id = 'x'\n")
    graded.course._write_settings(graded.submissions)
    text = path.read_text(encoding="utf-8")
    assert text.endswith(f"{OWN}c.CourseDirectory.course_id = 'x'\n")
    assert str(graded.submissions) in text
    path.write_text(text.partition(OWN)[0] + OWN, encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["ps99"], "there is no problem set"),
        (["ps1", "/nowhere/at/all"], "no folder or archive"),
        (["ps1", "--private", "/nowhere"], "holds neither"),
    ],
)
def test_grading_that_cannot_begin_says_why(tmp_path, capsys, arguments, word):
    assert main([*arguments, "--course", str(tmp_path / "course")]) == 2
    assert word in capsys.readouterr().err


def test_collected_notes_without_collecting(tmp_path):
    assert Course(tmp_path, "ps1").collected() == ({}, [])


def test_text_that_would_take_minutes_to_set_is_shown_as_it_is():
    assert to_html("\\[<b>" * 10_000).startswith("<pre>\\[&lt;b&gt;")
