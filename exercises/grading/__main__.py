"""Grade a problem set's submissions: ``python -m exercises.grading ps1 SUBMISSIONS``."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path

from exercises.grading import master, report
from exercises.grading.course import REPOSITORY, CommandFailed, Course
from exercises.grading.mend import mend
from exercises.grading.nbgrader_plugins import stamp
from exercises.grading.parallel import Progress, compare_all, in_words
from exercises.grading.results import Results, isolation


def main(arguments: list[str] | None = None) -> int:
    """Release, collect, compare, autograde, feed back and report.

    Returns
    -------
    int
        0 if every submission was graded; 1 if something needs a look; 2 if grading could not begin;
        130 if it was stopped, and the same command goes on.
    """
    options = _options(arguments)
    start = time.monotonic()
    course = Course(options.course.resolve(), options.problem_set)
    try:
        if options.submissions and not options.submissions.exists():
            raise ValueError(f"there is no folder or archive {options.submissions}")
        problem_set = master.load(options.problem_set, options.private)
        results = Results(problem_set, course.results, options.unsafe)
        course.prepare(problem_set.source(), options.private)
        if options.submissions:
            course.collect(options.submissions)
        if not course.students():
            print("Nobody has handed in yet. The notebook to give out is")
            print(course.notebook("release"))
            return 0
        isolation(options.unsafe)
        compare(course, results, options.jobs)
        failed = autograde(course)
        look = write_reports(course, results)
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    except (ValueError, RuntimeError, OSError) as error:
        print(f"Grading could not begin: {error}", file=sys.stderr)
        return 2
    print(f"Done in {in_words(time.monotonic() - start)}.")
    return 1 if failed or look else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m exercises.grading", description=__doc__)
    parser.add_argument("problem_set", help="its name, such as ps1")
    add = parser.add_argument
    text = "a folder or a zip archive; without it, what was collected before"
    add("submissions", nargs="?", type=Path, help=text)
    text = "the folder that nbgrader works in (default: course)"
    add("--course", type=Path, default=REPOSITORY / "course", help=text)
    add("--private", type=Path, help="a folder with tests or a seed of your own")
    text = "run answers without isolation: they can do all that you can"
    add("--unsafe", action="store_true", help=text)
    text = "notebooks at a time (default: one per processor)"
    add("--jobs", type=int, default=_processors(), help=text)
    return parser.parse_args(arguments)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def compare(course: Course, results: Results, jobs: int) -> None:
    """Compare what has no result yet, and take back what nbgrader graded from other results."""
    release = results.problem_set.release()
    collected = course.collected()[0]
    notebooks, owners = {}, defaultdict(list)
    for student in course.students():
        notebook = mend(course.notebook("submitted", student).read_bytes(), release).notebook
        graded = course.notebook("autograded", student)
        current = stamp(results, notebook, collected.get(student, []))
        key = results.key(notebook)
        if not results.is_done(key):
            notebooks[key] = notebook
            owners[key].append(student)
        if key in notebooks or not (graded.exists() and current in graded.read_text("utf-8")):
            shutil.rmtree(graded.parent, ignore_errors=True)
    if notebooks:
        _ = results.problem_set.questions  # computed here once, not in every process
    known = len(course.students()) - sum(map(len, owners.values()))
    print(f"{len(course.students())} submissions, {known} of them compared before.")
    progress = Progress(len(notebooks))
    compare_all(
        results, notebooks, max(1, jobs), lambda key, r: progress.step(_names(owners[key]), r)
    )


def _names(students: list[str]) -> str:
    """Those who handed in the same answers."""
    more = len(students) - 3
    return ", ".join(students[:3]) + (f" and {more} more with the same" if more > 0 else "")


def autograde(course: Course) -> bool:
    """nbgrader stores the scores and writes the feedback; whether it failed for somebody."""
    failed = False
    commands = [["autograde", course.name], ["generate_feedback", course.name, "--force"]]
    if all(course.notebook("autograded", student).exists() for student in course.students()):
        del commands[0]
    for command in commands:
        print(f"nbgrader {' '.join(command)}")
        try:
            course.nbgrader(*command)
        except CommandFailed as error:
            failed = True
            print(f"{error}\nMore in {course.log}", file=sys.stderr)
    return failed


def write_reports(course: Course, results: Results) -> bool:
    """Write the table and the summary; whether something needs a look."""
    rows = report.rows(course)
    written = tuple(
        cell.metadata.nbgrader.grade_id
        for cell in results.problem_set.release().cells
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("grade")
    )
    files = course.collected()[1]
    course.reports.mkdir(parents=True, exist_ok=True)
    table, page = course.reports / "grades.csv", course.reports / "summary.html"
    # With a mark that tells spreadsheets the encoding: names have accents.
    table.write_text(report.grades_csv(rows, results.points, written), encoding="utf-8-sig")
    title = results.problem_set.title
    page.write_text(
        report.summary_html(course, title, rows, results.points, written, files), encoding="utf-8"
    )
    for note in files:
        print(f"  {note}", file=sys.stderr)
    for row in rows:
        if row.needs_a_look:
            print(f"  {row.student}: {' '.join(row.notes)}", file=sys.stderr)
    print(f"The grades are in {table}\nand {page}\nFeedback pages: {course.root / 'feedback'}")
    return bool(files) or any(row.needs_a_look for row in rows)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
