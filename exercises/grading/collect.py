"""Whose notebook is this, and which of a student's notebooks counts.

Learning platforms put the student's name into a folder or a file name, each in its own way. A name
is never guessed from the notebook's contents.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

#: How platforms name what a student handed in. `number` tells two students of one name apart.
PLATFORMS = (
    re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+(_.*)?"),  # Moodle
    re.compile(r"(?P<name>[^\W_]+)(_LATE)?_(?P<number>\d+)_\d+_.+"),  # Canvas
    re.compile(r".+?_(?P<name>[^_]+)_attempt_\d{4}-\d\d-\d\d[\d-]*(_.*)?"),  # Blackboard
)
#: Words that say nothing about the student, alone...
GENERIC = re.compile(
    r"(all|answers?|archive|assignments?|attempt|backup|class|colab|copy|course|downloads?"
    r"|downloaded|draft|exercises?|exports?|extracted|files?|final|folder|hand|handed|handins?|hw"
    r"|home|homework|ins?|jupyter|late|new|notebooks?|old|problem|sets?|solutions?|students"
    r"|submissions?|submitted|untitled|uploads?|v|version|work)?\d{0,2}"
)
#: ... and words that are taken off a name's end.
TAKEN_OFF = re.compile(r"answers?|attempt|backup|copy|draft|final|solutions?|submission|v\d{1,2}")


@dataclass(frozen=True)
class Collected:
    """Which notebook counts for each student, what is to be said about it, and whose is unknown."""

    notebooks: dict[str, Path]
    notes: dict[str, tuple[str, ...]]
    unnamed: tuple[Path, ...]


def collect(folder: Path, problem_set: str, count: Callable[[bytes], int]) -> Collected:
    """Find each student's notebook among those in ``folder``.

    Parameters
    ----------
    folder : Path
        What `unpack` made.
    problem_set : str
        Its name, such as ``ps1``.
    count : callable
        How many cells of the problem set a file holds. Of several notebooks the one with the most
        counts, of equal ones the newest.
    """
    paths = sorted(path for path in folder.rglob("*.ipynb") if path.is_file())
    whose = students([path.relative_to(folder) for path in paths], problem_set)
    belonging = defaultdict(list)
    for path, student in zip(paths, whose, strict=True):
        belonging[student].append(path)
    unnamed = tuple(path.relative_to(folder) for path in belonging.pop(None, ()))
    notebooks, notes = {}, {}
    for student, own in belonging.items():
        best = own[0]
        if len(own) > 1:
            ranks = {path: (count(path.read_bytes()), path.stat().st_mtime) for path in own}
            best = max(own, key=ranks.__getitem__)
            most = sum(rank[0] == ranks[best][0] for rank in ranks.values()) == 1
            why = "it holds the most cells of the problem set" if most else "it is the newest"
            notes[student] = (
                f"{len(own)} notebooks were handed in; "
                f"`{best.relative_to(folder).as_posix()}` counts, since {why}.",
            )
        notebooks[student] = best
    return Collected(notebooks, notes, unnamed)


def students(paths: Iterable[PurePath], problem_set: str) -> list[str | None]:
    """The student of each path, or None where the path names nobody.

    A path is seen together with the others: a folder around all of them is no student.
    """
    paths = list(paths)
    inner = _without_wrapper([(*path.parts[:-1], path.stem) for path in paths], problem_set)
    found = [_on_platform(parts) or (_own_name(parts, problem_set), None) for parts in inner]
    numbers = defaultdict(set)
    for name, number in found:
        numbers[_key(name)].add(number)
    shown: dict[str, str] = {}
    whose = []
    for name, number in found:
        if name is None:
            whose.append(None)
            continue
        if number is not None and len(numbers[_key(name)]) > 1:
            name = f"{name} ({number})"
        # One folder per student, also on systems that take Alice and alice for the same.
        whose.append(shown.setdefault(_key(name), name))
    return whose


def _key(name: str | None) -> str:
    return (name or "").casefold()


def _without_wrapper(paths: list[tuple[str, ...]], problem_set: str) -> list[tuple[str, ...]]:
    while paths and all(len(path) > 1 and path[0] == paths[0][0] for path in paths):
        inner = [path[1:] for path in paths]
        names = {_key(name) for path in inner if (name := _own_name(path, problem_set))}
        nobody = any(_own_name(path, problem_set) is None for path in inner)
        if nobody or len(names) < 2:
            break
        paths = inner
    return paths


def _on_platform(parts: tuple[str, ...]) -> tuple[str, str | None] | None:
    for part in reversed(parts):
        for pattern in PLATFORMS:
            match = pattern.fullmatch(part)
            name = _tidy(match["name"]) if match else ""
            if name:
                return name, match.groupdict().get("number")
    return None


def _own_name(parts: tuple[str, ...], problem_set: str) -> str | None:
    """The first folder that can be a name, else the file name."""
    named = _on_platform(parts)
    if named:
        return named[0]
    for part in parts:
        name = _name_in(part, problem_set)
        if name:
            return name
    return None


def _name_in(part: str, problem_set: str) -> str | None:
    part = re.sub(r"\s*\(\d{1,3}\)$", "", part)  # a browser's second download
    part = re.sub(r"^copy of\s+|\s*-\s*copy$", "", part, flags=re.IGNORECASE)
    around = rf"(?<![^\W_]){re.escape(problem_set)}(?![^\W_])"
    part = re.sub(around, " ", part, flags=re.IGNORECASE)
    words = re.findall(r"[^\s_.\-]+", part)
    while words and TAKEN_OFF.fullmatch(words[-1].casefold()):
        part = part[: part.rindex(words.pop())]
    if all(GENERIC.fullmatch(word.casefold()) for word in words):
        return None
    return _tidy(part) or None


def _tidy(name: str) -> str:
    """A name that can be a folder, on every system and in nbgrader's patterns."""
    name = unicodedata.normalize("NFC", name).translate(str.maketrans("[]{}", "()()"))
    name = "".join(c if c.isprintable() and c not in '<>:"|?*\\/+,' else " " for c in name)
    return re.sub(r"\s+", " ", name).strip(" ._-")[:80].strip(" ._-")
