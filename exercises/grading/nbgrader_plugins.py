"""The course's parts in nbgrader's commands. `exercises/nbgrader_config.py` puts them in place.

`nbgrader zip_collect` takes every layout, `nbgrader autograde` mends what it reads and stores what
the comparison in the sandbox gave, `nbgrader generate_feedback` writes pages that nothing a student
wrote can run in. All else is nbgrader's own.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.plugins import BasePlugin, ExtractorPlugin, FileNameCollectorPlugin
from nbgrader.preprocessors import ClearSolutions, GetGrades, NbGraderPreprocessor
from traitlets import Bool, Unicode

from exercises.grading import master
from exercises.grading.collect import Collected, collect
from exercises.grading.course import Course
from exercises.grading.mend import defuse, known_cells, mend
from exercises.grading.results import Results, isolation
from exercises.grading.unpack import unpack


class ClearCode(ClearSolutions):
    """Cut the solutions out of code; a written question keeps its own words."""

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type != "code":
            return cell, resources
        return super().preprocess_cell(cell, resources, cell_index)


class Unpack(ExtractorPlugin):
    """Take notebooks out of folders and archives, safely."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        notes = unpack(Path(archive_path), Path(extracted_path))
        for note in notes:
            self.log.warning(note)
        _course(self).say({}, notes)


class Collect(FileNameCollectorPlugin):
    """Find the student of each notebook by its path, and of several notebooks the one that counts.

    nbgrader asks file by file; the answer depends on all of them.
    """

    @cached_property
    def _found(self) -> Collected:
        problem_set = self.parent.coursedir.assignment_id
        folder = Path(self.parent._format_collect_path(self.parent.extracted_directory))
        release = nbformat.read(_course(self).notebook("release"), as_version=4)
        found = collect(folder, problem_set, lambda raw: known_cells(raw, release))
        unnamed = [
            f"{path.as_posix()}: whose is it? No name in its path." for path in found.unnamed
        ]
        for note in unnamed:
            self.log.warning(note)
        course = _course(self)
        course.say(found.notes, [*course.collected()[1], *unnamed])
        return found

    def collect(self, submitted_file: str) -> dict[str, Any] | None:
        path = Path(submitted_file)
        for student, notebook in self._found.notebooks.items():
            if notebook == path:
                at = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
                return {
                    "student_id": student,
                    "file_id": self.parent.coursedir.assignment_id,
                    "timestamp": at.replace(tzinfo=None),
                }
        return None


def _course(plugin: BasePlugin) -> Course:
    folder = plugin.parent.coursedir
    return Course(Path(folder.root), folder.assignment_id)


class MendedNotebook(NotebookExporter):
    """Read what was handed in, whatever it is, as a sound notebook.

    Autograding exports twice: first the submission, then what came of it.
    """

    def from_filename(self, filename: str, resources: dict | None = None, **kw: Any):
        names = (resources or {}).get("nbgrader")
        if names is None or not self.parent._sanitizing:
            return super().from_filename(filename, resources=resources, **kw)
        course = Course(Path(self.parent.coursedir.root), names["assignment"])
        results = Compare(parent=self.parent).results(course)
        mended = mend(Path(filename).read_bytes(), results.problem_set.release())
        notes = course.collected()[0].get(names["student"], [])
        mended.notebook.metadata["grading"] = NotebookNode(
            title=results.problem_set.title,
            stamp=stamp(results, mended.notebook, notes),
            notes=[*notes, *mended.notes],
        )
        return self.from_notebook_node(mended.notebook, resources=resources, **kw)


def stamp(results: Results, notebook: NotebookNode, notes: list[str]) -> str:
    """Changes when a notebook must be autograded again."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type != "code"]
    return f"{results.key(notebook)} {hash_of(json.dumps([texts, notes]))}"


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


class Compare(NbGraderPreprocessor):
    """In the place of nbgrader's Execute: outputs and scores come from the sandbox's result.

    nbgrader reads a score off the value that a check cell shows.
    """

    private = Unicode("", help="A folder with tests of your own").tag(config=True)
    unsafe = Bool(False, help="Run answers without isolation").tag(config=True)

    _sets: dict[tuple[str, str], Any] = {}

    def results(self, course: Course) -> Results:
        """The results of a problem set in a course folder."""
        name = course.name
        if (name, self.private) not in self._sets:
            private = Path(self.private) if self.private else None
            self._sets[name, self.private] = master.load(name, private)
        return Results(self._sets[name, self.private], course.results, self.unsafe)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        results = self.results(Course(Path.cwd(), resources["nbgrader"]["assignment"]))
        result = results.known(results.key(nb))
        if result is None:
            isolation(self.unsafe)
            result = results.compare(nb)
        marks = {f"{mark.question}-check": mark for mark in result.marks}
        number = 0
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            number += 1
            cell.execution_count = number
            if cell.id in marks:
                cell.outputs = [*_shown(marks[cell.id], number)]
            else:
                cell.outputs = [nbformat.from_dict(out) for out in result.cells.get(cell.id, [])]
        grading = nb.metadata.setdefault("grading", NotebookNode(notes=[]))
        grading.notes = [*grading.notes, *result.notes]
        grading.seconds, grading.memory = result.seconds, result.memory
        return nb, resources


def _shown(mark, number: int):
    """The feedback, and the score: always, since nbgrader gives full points where there is none."""
    feedback = defuse(mark.feedback)  # it may quote an error message of the learner's
    yield new_output("display_data", {"text/markdown": feedback, "text/plain": feedback})
    points = repr(float(mark.points))
    yield new_output("execute_result", {"text/plain": points}, execution_count=number)


class Grades(GetGrades):
    """nbgrader's scores for the feedback, and which of them a human has still to give."""

    def _get_score(self, cell: NotebookNode, resources: dict) -> None:
        super()._get_score(cell, resources)
        grade = self.gradebook.find_grade(
            cell.metadata["nbgrader"]["grade_id"],
            self.notebook_id, self.assignment_id, self.student_id,
        )  # fmt: skip
        cell.metadata.nbgrader["waiting"] = grade.manual_score is None and grade.auto_score is None
