"""The results of a problem set, kept in files: what was compared once is not compared again.

A result belongs to the code of a notebook and to the tests, not to a student. So a rerun goes on
where the last run stopped, changed tests or answers are compared anew, and the blank notebooks of
many students take the time of one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from exercises.grading import sandbox
from exercises.grading.marking import Result, mark
from exercises.grading.master import ProblemSet
from gmmlib.exercises.judge import Verdict

LOOK = "needs a look"
SORRY = "This could not be judged. Your instructor was told."


@dataclass(frozen=True)
class Results:
    """The results of one problem set in a course folder.

    Attributes
    ----------
    problem_set : what is compared with
    folder : where the files lie
    unsafe : whether answers run without isolation
    marker : what compares; tests put something quicker here
    """

    problem_set: ProblemSet
    folder: Path
    unsafe: bool = False
    marker: Callable[..., Result] = mark

    def key(self, notebook: NotebookNode) -> str:
        """What the result depends on, in 24 digits: the code, in its order, and the tests."""
        code = [(cell.id, cell.source) for cell in notebook.cells if cell.cell_type == "code"]
        text = json.dumps([self.problem_set.fingerprint, self.unsafe, code])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]

    def known(self, key: str) -> Result | None:
        """The result on file; also that of a notebook which could not be judged."""
        for path in (self._file(key), self._failed(key)):
            try:
                return Result.from_json(path.read_text(encoding="utf-8"))
            except (OSError, ValueError, TypeError, KeyError):
                continue  # not there, or half written when the machine stopped
        return None

    def is_done(self, key: str) -> bool:
        """Whether there is nothing to do; a failure is tried again."""
        return self._file(key).exists() and self.known(key) is not None

    def compare(self, notebook: NotebookNode) -> Result:
        """Compare a mended notebook and keep the result.

        An error of the comparison itself becomes a result of zero points that says so: one odd
        notebook must not cost the others their marks.
        """
        key = self.key(notebook)
        try:
            result = self.marker(self.problem_set, notebook, unsafe=self.unsafe)
            self._check(result)
        except Exception as error:
            return self.fail(key, f"{type(error).__name__}: {error}")
        self._write(self._file(key), result)
        self._failed(key).unlink(missing_ok=True)
        return result

    def fail(self, key: str, reason: str) -> Result:
        """Keep a result of zero points for a notebook that could not be judged."""
        marks = tuple(Verdict(id, 0.0, of, SORRY) for id, of in self.points.items())
        notes = (f"The comparison itself failed ({reason[:300]}): {LOOK}.",)
        result = Result(marks, {}, notes, 0.0, None)
        self._write(self._failed(key), result)
        return result

    @cached_property
    def points(self) -> dict[str, float]:
        """Question -> its points, in the order of the set."""
        return {
            cell.id.removesuffix("-check"): float(cell.metadata.nbgrader.points)
            for cell in self.problem_set.release().cells
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
        }

    def _check(self, result: Result) -> None:
        """nbgrader takes a missing or an odd score for full points."""
        if {earned.question: earned.of for earned in result.marks} != self.points:
            raise ValueError("the marks are not those of the problem set's questions")
        for earned in result.marks:
            if not 0 <= earned.points <= earned.of:
                raise ValueError(f"{earned.question} got {earned.points} of {earned.of} points")

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def _failed(self, key: str) -> Path:
        return self.folder / f"{key}.failed.json"

    def _write(self, path: Path, result: Result) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(result.to_json(), encoding="utf-8")
        part.replace(path)


def isolation(unsafe: bool) -> None:
    """Make sure that answers can run here.

    Raises
    ------
    RuntimeError
        If they cannot be isolated and ``unsafe`` is False, with what to do.
    """
    missing = None if unsafe else sandbox.available()
    if missing:
        raise RuntimeError(missing)
