"""Take the notebooks out of a folder or a zip archive, and nothing else.

What students hand in may point outside the folder, be a link, or swell to any size when unpacked.
So no path is taken as it stands, links are left alone, and every reading has a bound.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from exercises.grading.harvest import LARGEST

#: An archive inside the folder or archive that was handed over, and one more inside of it.
DEEPEST = 2
#: Bytes and files in all, and in one inner archive.
MOST_BYTES, MOST_FILES = 16 * 2**30, 100_000
INNER_BYTES, INNER_FILES = 512 * 2**20, 5_000

HIDDEN = ("__MACOSX", "__pycache__", "node_modules")


class Refused(ValueError):
    """Something is not unpacked; the message says what and why."""


@dataclass
class _Budget:
    """What may still be read; an inner archive spends its own and that of all."""

    bytes: int = MOST_BYTES
    files: int = MOST_FILES
    outer: _Budget | None = None

    def spend(self, size: int) -> None:
        self.bytes -= size
        self.files -= 1
        if self.bytes < 0 or self.files < 0:
            raise Refused("holds too much; the rest of it was left out")
        if self.outer:
            self.outer.spend(size)


@dataclass
class _Unpacking:
    target: Path
    notes: list[str] = field(default_factory=list)

    def folder(self, folder: Path, budget: _Budget) -> None:
        paths = []
        for root, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if not _hidden(name))
            paths += [Path(root, name) for name in sorted(files) if _wanted(name)]
        paths = [path for path in paths if path.is_file() and not path.is_symlink()]
        for path in paths:
            where = PurePosixPath(path.relative_to(folder).as_posix())
            with path.open("rb") as file:
                if where.suffix.lower() == ".zip":
                    # An archive alone is that of the whole class; of several, each is a student's.
                    own = budget if len(paths) == 1 else _Budget(INNER_BYTES, INNER_FILES, budget)
                    self.archive(where.with_suffix(""), file, own, 1)
                else:
                    self.take(where, file, path.stat().st_mtime, budget, 0)

    def archive(self, where: PurePosixPath, file: BinaryIO, budget: _Budget, depth: int) -> None:
        try:
            with zipfile.ZipFile(file) as archive:
                for entry in archive.infolist():
                    self.entry(where, archive, entry, budget, depth)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            reason = str(error) if isinstance(error, Refused) else f"cannot be unpacked ({error})"
            self.notes.append(f"{where}: the archive {reason}.")

    def entry(
        self,
        where: PurePosixPath,
        archive: zipfile.ZipFile,
        entry: zipfile.ZipInfo,
        budget: _Budget,
        depth: int,
    ) -> None:
        budget.spend(0)
        inside = PurePosixPath(_name(entry).replace("\\", "/"))
        if entry.is_dir() or not _wanted(inside.name) or any(map(_hidden, inside.parts)):
            return
        if stat.S_ISLNK(entry.external_attr >> 16):
            self.notes.append(f"{where / inside.name}: a link, left out.")
            return
        if inside.is_absolute() or ".." in inside.parts or ":" in inside.parts[0]:
            self.notes.append(
                f"{where / inside.name}: its path leads out of the archive; left out."
            )
            return
        try:
            with archive.open(entry) as file:
                self.take(where / inside, file, _time(entry), budget, depth)
        except (Refused, OSError):
            raise
        except Exception as error:  # a password, or whatever a decompressor raises of damaged data
            self.notes.append(f"{where / inside}: cannot be unpacked ({error}).")

    def take(
        self, where: PurePosixPath, file: BinaryIO, at: float, budget: _Budget, depth: int
    ) -> None:
        if where.suffix.lower() == ".zip":
            if depth == DEEPEST:
                self.notes.append(f"{where}: an archive in an archive in an archive, left out.")
                return
            with _bounded_copy(file, INNER_BYTES, budget) as copy:
                inner = _Budget(INNER_BYTES, INNER_FILES, budget)
                self.archive(where.with_suffix(""), copy, inner, depth + 1)
            return
        with _bounded_copy(file, LARGEST + 1, budget) as copy:
            path = self.free(where)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as out:
                shutil.copyfileobj(copy, out)
            os.utime(path, (at, at))

    def free(self, where: PurePosixPath) -> Path:
        """A path for a notebook that is safe on every system, and not yet taken."""
        parts = [_safe(part) for part in where.with_suffix("").parts]
        stem, number = parts[-1], 1
        while (path := self.target.joinpath(*parts[:-1], f"{parts[-1]}.ipynb")).exists():
            number += 1
            parts[-1] = f"{stem} ({number})"
        return path


def unpack(source: Path, target: Path) -> tuple[str, ...]:
    """Copy every notebook in ``source`` into ``target``, each under the folders it lay in.

    Parameters
    ----------
    source : Path
        A folder or a zip archive. Archives in it count as folders, down to two inside each other.
    target : Path
        A folder.

    Returns
    -------
    tuple of str
        What was left out, and why.

    Raises
    ------
    ValueError
        If ``source`` is neither a folder nor a zip archive.
    """
    unpacking = _Unpacking(target)
    budget = _Budget()
    if source.is_dir():
        try:
            unpacking.folder(source, budget)
        except Refused as reason:
            unpacking.notes.append(f"{source.name} {reason}.")
    elif source.is_file() and zipfile.is_zipfile(source):
        with source.open("rb") as file:
            unpacking.archive(PurePosixPath(), file, budget, 1)
    else:
        raise ValueError(f"{source} is neither a folder nor a zip archive with submissions")
    return tuple(unpacking.notes)


def _wanted(name: str) -> bool:
    return name.lower().endswith((".ipynb", ".zip")) and not _hidden(name)


def _hidden(name: str) -> bool:
    return name in HIDDEN or (name.startswith(".") and name != "..")


def _safe(part: str) -> str:
    """One part of a path without what any system forbids in names."""
    part = unicodedata.normalize("NFC", part.encode("utf-8", "replace").decode("utf-8"))
    part = "".join(c if c not in '<>:"|?*\\/' and c.isprintable() else "_" for c in part)
    return part.strip(" ")[:100].rstrip(" .") or "_"


def _name(entry: zipfile.ZipInfo) -> str:
    """The name in UTF-8, which many programs write without saying so."""
    if not entry.flag_bits & 0x800:
        try:
            return entry.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return entry.filename


def _time(entry: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*entry.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


@contextmanager
def _bounded_copy(file: BinaryIO, most: int, budget: _Budget) -> Iterator[BinaryIO]:
    """The first ``most`` bytes as a file of its own: the reader can see that there are more."""
    with tempfile.SpooledTemporaryFile(2**20) as copy:
        left = most
        while left and (block := file.read(min(left, 2**20))):
            copy.write(block)
            left -= len(block)
        budget.spend(most - left)
        copy.seek(0)
        yield copy
