"""The course folder: nbgrader's own layout, and nbgrader's own commands run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from exercises.grading.unpack import unpack

REPOSITORY = Path(__file__).parents[2]
OWN = (
    "# Your own settings for nbgrader go below this line; it stays when the rest is written anew.\n"
)


class CommandFailed(RuntimeError):
    """An nbgrader command ended with an error; the message is nbgrader's.

    Attributes
    ----------
    output : str
        All that the command said.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True)
class Course:
    """A course folder and one problem set in it."""

    root: Path
    name: str

    @property
    def log(self) -> Path:
        return self.root / "nbgrader.log"

    @property
    def reports(self) -> Path:
        return self.root / "reports" / self.name

    @property
    def results(self) -> Path:
        return self.root / "results" / self.name

    def notebook(self, step: str, student: str = ".") -> Path:
        """Where nbgrader keeps a notebook: ``step`` is source, release, submitted, autograded."""
        return self.root / step / student / self.name / f"{self.name}.ipynb"

    def students(self) -> tuple[str, ...]:
        """Everybody whose notebook is in ``submitted``."""
        found = (self.root / "submitted").glob(f"*/{self.name}/{self.name}.ipynb")
        return tuple(sorted(path.parents[1].name for path in found))

    def prepare(self, source: NotebookNode, private: Path | None) -> None:
        """Write settings and source notebook, and release it if it is new."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._write_settings(private)
        path, text = self.notebook("source"), nbformat.writes(source) + "\n"
        if _read(path) == text and self.notebook("release").exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        try:
            self.nbgrader("generate_assignment", self.name, "--force")
        except BaseException as error:
            path.unlink()  # so that the next run tries again
            if (
                not isinstance(error, CommandFailed)
                or "there are submissions associated" not in error.output
            ):
                raise
            raise CommandFailed(
                f"{self.name} has other cells now than when its first submissions were graded, and "
                "nbgrader keeps their scores by cell. Grade with the old text, or begin a new "
                "course folder: add --course and a folder's name"
            ) from error

    def collect(self, submissions: Path) -> None:
        """Put a folder's or a zip archive's notebooks into ``submitted``."""
        archive = self.root / "downloaded" / self.name / "archive"
        if archive.exists():
            shutil.rmtree(archive)
        archive.mkdir(parents=True)
        notes: tuple[str, ...] = ()
        if submissions.is_dir():
            # Not a copy of the folder as it stands: it may be large, and hold links.
            notes = unpack(submissions, archive)
        else:
            shutil.copy2(submissions, archive / submissions.name)
        self.nbgrader("zip_collect", self.name, "--force")
        students, files = self.collected()
        self.say(students, [*notes, *files])

    def say(self, students: Mapping[str, Iterable[str]], files: Iterable[str]) -> None:
        """Keep what was noticed while collecting: by student, and about files of nobody."""
        data = {"students": {name: [*notes] for name, notes in students.items()}, "files": [*files]}
        path = self.root / "downloaded" / self.name / "collected.json"
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False), encoding="utf-8")

    def collected(self) -> tuple[dict[str, list[str]], list[str]]:
        """What `say` kept last; nothing where the instructor filled the folder by hand."""
        text = _read(self.root / "downloaded" / self.name / "collected.json")
        data = json.loads(text) if text else {"students": {}, "files": []}
        return data["students"], data["files"]

    def nbgrader(self, *command: str) -> None:
        """Run an nbgrader command in this folder; what it says goes into ``nbgrader.log``.

        Raises
        ------
        CommandFailed
            With nbgrader's errors.
        """
        ran = subprocess.run(
            [sys.executable, "-m", "nbgrader", *command],
            cwd=self.root,
            env=os.environ | {"PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ nbgrader {' '.join(command)}\n{ran.stdout}\n")
        if ran.returncode:
            errors = [line for line in ran.stdout.splitlines() if "ERROR" in line]
            raise CommandFailed("\n".join(errors[-5:]) or ran.stdout[-1000:], ran.stdout)

    def _write_settings(self, private: Path | None) -> None:
        path = self.root / "nbgrader_config.py"
        own = (_read(path) or "").partition(OWN)[2]
        chosen = str(private.resolve()) if private else ""
        text = (
            '"""Settings of the nbgrader commands in this folder, written by `make grade`."""\n\n'
            "import sys\n\n"
            f"repository = {str(REPOSITORY)!r}\n"
            "if repository not in sys.path:\n"
            "    sys.path.insert(0, repository)\n"
            'load_subconfig("exercises/nbgrader_config.py", path=repository)\n'
            "c = get_config()\n"
            f"c.Compare.private = {chosen!r}\n\n{OWN}{own}"
        )
        if text != _read(path):
            path.write_text(text, encoding="utf-8")


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
