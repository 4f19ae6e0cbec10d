"""Runs a learner's cells where they can harm nothing, and asks their answers for values.

The cells run in a process of their own (`exercises.grading.worker`, started by
`exercises.grading.bubble`). It is told what to call and returns data (`gmmlib.exercises.values`),
never objects: whatever the cells do to their own process, all they can change is what they answer.
What should be right stays on this side.
"""

from __future__ import annotations

import base64
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

from exercises.grading import bubble
from exercises.grading.channel import Channel, Ended, Garbled, Late, Lost
from gmmlib.exercises.judge import Answer
from gmmlib.exercises.values import decode, encode

#: A question that lost this many programs gets no other: the rest of the time is for the others.
MOST_LOST = 2

#: A stand-in answers this many calls in one ask.
MOST_ORACLE_CALLS = 10_000

#: Outputs of one cell (the worker stops a little earlier, and says so).
MOST_OUTPUTS = 500

#: A worker starts within half a second; a busy machine may take longer.
START_SECONDS = 60


@dataclass(frozen=True)
class Limits:
    """What one notebook may use: seconds of the clock, and bytes.

    ``seconds`` and ``output`` are for all cells and calls together; ``output`` counts what is kept
    of the outputs, and more may be written.
    """

    seconds_per_cell: float = 60
    seconds_per_call: float = 20
    seconds: float = 300
    memory: int = 2 * 2**30
    disk: int = 64 * 2**20
    output: int = 4 * 2**20


@dataclass(frozen=True)
class Cell:
    """A code cell."""

    id: str
    source: str


@dataclass(frozen=True)
class Ask:
    """One value to ask for, after all cells ran.

    Attributes
    ----------
    question : its id; a question that keeps losing its program is given up
    name : a variable of the notebook
    arguments : what to call it with; None asks for the variable itself
    suspect : call it with a stand-in first, whose calls ``oracle(suspect, arguments)`` answers
    """

    question: str
    name: str
    arguments: tuple[Any, ...] | None = None
    suspect: str | None = None


@dataclass(frozen=True)
class CellRun:
    """What one cell showed (outputs of a notebook: text, PNG and errors), and why it failed."""

    id: str
    outputs: list[dict[str, Any]]
    error: str | None = None


@dataclass(frozen=True)
class Run:
    """A notebook's run: one `CellRun` for each cell and one `Answer` for each ask, in order.

    ``notes`` are sentences for the learner and the instructor; ``memory`` is the largest use in
    MiB, as far as the program told.
    """

    cells: tuple[CellRun, ...]
    answers: tuple[Answer, ...]
    notes: tuple[str, ...]
    seconds: float
    memory: float | None


@cache
def available() -> str | None:
    """None when programs can be isolated on this machine, else why not and what to do."""
    if words := bubble.missing():
        return words
    try:
        with _folder(()) as folder, _program(folder, (), Limits(), unsafe=False):
            return None
    except _NotStarted as failure:
        return bubble.advice(str(failure))


def run(
    cells: Sequence[Cell],
    asks: Sequence[Ask],
    *,
    oracle: Callable[[str, tuple[Any, ...]], Any] | None = None,
    refused: Sequence[str] = (),
    limits: Limits = Limits(),
    unsafe: bool = False,
) -> Run:
    """Run ``cells`` in one interpreter, then answer ``asks`` in it.

    A cell that raises does not stop the later ones. A cell or a call that never ends, or ends the
    program, is lost; the program starts again, runs the other cells and goes on.

    Parameters
    ----------
    oracle : answers the calls of stand-ins; runs on this side, so it must be quick for any value
    refused : dotted names of modules that are absent; "gmmlib" leaves its exercises and data
    unsafe : run without isolation, for programs that you trust

    Raises
    ------
    RuntimeError
        If this machine cannot isolate programs and ``unsafe`` is False, with what to do.
    TypeError, ValueError
        If an argument of an ask, or what ``oracle`` returns, cannot be encoded.
    """
    if not unsafe and (words := available()):
        raise RuntimeError(words)
    begin = monotonic()
    record = _Record(tuple(cells), tuple(asks), oracle, limits, begin + limits.seconds)
    with _folder(refused) as folder:
        while record.open:
            try:
                with _program(folder, refused, limits, unsafe) as program:
                    record.go_on(program)
            except _NotStarted as failure:
                raise RuntimeError(bubble.advice(str(failure))) from failure
    return record.result(monotonic() - begin)


class _NotStarted(Exception):
    """The worker did not start, with what it or bubblewrap said."""


class _Insistent(Lost):
    """The worker asks and asks."""


class _Program:
    """A running worker: one request, one reply."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.peak = 0

    def exchange(
        self,
        request: dict[str, Any],
        deadline: float,
        reply_to: Callable[[Any], dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """The reply to ``request``; ``reply_to`` answers what the worker asks in between.

        Raises
        ------
        Lost
            If there is no reply before ``deadline``, or none that belongs to the request.
        """
        # Nobody can have written the reply before, since nobody knew the key.
        key = secrets.token_hex(8)
        self._channel.send(request | {"key": key}, deadline)
        for _ in range(MOST_ORACLE_CALLS + 1):
            reply = self._channel.receive(deadline)
            if reply.get("key") != key:
                raise Garbled("it answered what nobody asked")
            if "oracle" not in reply or reply_to is None:
                peak = reply.get("peak")
                self.peak = peak if type(peak) is int and 0 <= peak < 2**40 else 0
                return reply
            self._channel.send(reply_to(reply["oracle"]), deadline)
        raise _Insistent


@contextmanager
def _folder(refused: Sequence[str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="grading-") as name:
        bubble.build(Path(name), refused)
        yield Path(name)


@contextmanager
def _program(
    folder: Path, refused: Sequence[str], limits: Limits, unsafe: bool
) -> Iterator[_Program]:
    """A worker that is ready, and is gone afterwards with all its processes."""
    theirs, ours = [], []
    try:
        requests, to = os.pipe()
        back, replies = os.pipe()
        theirs, ours = [requests, replies], [to, back]
        rules = None
        if not unsafe:
            rules, write = os.pipe()
            theirs.append(rules)
            # Much shorter than what a pipe holds.
            os.write(write, bubble.system_call_filter())
            os.close(write)
        bounds = {"memory": limits.memory, "disk": limits.disk, "seconds": limits.seconds}
        line, environment = bubble.command(folder, refused, bounds, (requests, replies), rules)
        process = bubble.start(line, environment, theirs, folder)
    except BaseException:
        _close(ours)
        raise
    finally:
        _close(theirs)
    channel = Channel(to, back)
    try:
        try:
            ready = channel.receive(monotonic() + START_SECONDS)
        except Lost as failure:
            _end(process, channel)
            said = process.stderr.read(4000).decode("utf-8", "replace").strip()
            raise _NotStarted(said) from failure
        if ready != {"ready": True}:
            raise _NotStarted("the worker does not say that it is ready")
        yield _Program(channel)
    finally:
        _end(process, channel)
        process.stderr.close()
        channel.close()


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _end(process, channel: Channel) -> None:
    if process.returncode is None:
        # In the sandbox this ends bubblewrap, with it the first process inside, with it all.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    channel.gone(5)


class _Record:
    """What is known so far of a notebook's run, over all the programs it takes."""

    def __init__(self, cells, asks, oracle, limits: Limits, deadline: float) -> None:
        self._cells, self._asks, self._oracle = cells, asks, oracle
        self._limits, self._deadline = limits, deadline
        self._runs: list[CellRun | None] = [None] * len(cells)
        self._answers: list[Answer | None] = [None] * len(asks)
        self._lost_cells: set[int] = set()
        self._lost_calls: dict[str, int] = {}
        self._notes: list[str] = []
        self._room = limits.output
        self._peak = 0
        self.open = bool(cells or asks)

    def go_on(self, program: _Program) -> None:
        """Run what is still to be run, until the end or the end of the program."""
        for k, cell in enumerate(self._cells):
            if k not in self._lost_cells and not (self._late() or self._cell(program, k, cell)):
                return
        for k, ask in enumerate(self._asks):
            if self._answers[k] is None and not (self._late() or self._ask(program, k, ask)):
                return
        self.open = False

    def result(self, seconds: float) -> Run:
        """All that is known, with words for what was not reached."""
        words = f"not run: the notebook took longer than {self._limits.seconds:g} s"
        runs = [
            found or CellRun(cell.id, _words(words), words)
            for found, cell in zip(self._runs, self._cells, strict=True)
        ]
        answers = [found or Answer(error=words) for found in self._answers]
        return Run(
            tuple(runs),
            tuple(answers),
            tuple(self._notes),
            seconds,
            self._peak / self._mebi or None,
        )

    # ru_maxrss counts KiB, but bytes on macOS.
    _mebi = 2**20 if sys.platform == "darwin" else 2**10

    def _late(self) -> bool:
        if self.open and monotonic() >= self._deadline:
            self._notes.append(
                f"The notebook took longer than {self._limits.seconds:g} s; the rest was not run."
            )
            self.open = False
        return not self.open

    def _cell(self, program: _Program, k: int, cell: Cell) -> bool:
        """Whether the program lives on after the cell."""
        seconds = self._limits.seconds_per_cell
        room = self._room if self._runs[k] is None else 0
        try:
            reply = program.exchange({"cell": cell.source, "room": room}, self._before(seconds))
        except Lost as lost:
            words = self._why(lost, seconds)
            self._lost_cells.add(k)
            self._runs[k] = CellRun(cell.id, _words(words), words)
            self._notes.append(f"Cell {k + 1} ({cell.id}) {words} and was skipped.")
            return False
        self._peak = max(self._peak, program.peak)
        if self._runs[k] is None:
            outputs, size = _outputs(reply.get("outputs"), self._room)
            self._room -= size
            self._runs[k] = CellRun(cell.id, outputs, _error(reply))
        return True

    def _ask(self, program: _Program, k: int, ask: Ask) -> bool:
        """Whether the program lives on after the ask."""
        if self._lost_calls.get(ask.question, 0) >= MOST_LOST:
            self._answers[k] = Answer(error="not run: earlier calls ended the program")
            return True
        seconds = self._limits.seconds_per_call
        arguments = None if ask.arguments is None else [encode(a) for a in ask.arguments]
        request = {
            "ask": ask.name,
            "arguments": None if arguments is None else {"list": arguments},
            "suspect": ask.suspect is not None,
        }
        if ask.suspect is not None and arguments is None:
            request["arguments"] = {"list": []}
        try:
            reply = program.exchange(
                request, self._before(seconds), ask.suspect and self._stand_in(ask.suspect)
            )
        except Lost as lost:
            words = self._why(lost, seconds)
            self._lost_calls[ask.question] = self._lost_calls.get(ask.question, 0) + 1
            self._answers[k] = Answer(error=words)
            self._notes.append(f"A call of {ask.name} ({ask.question}) {words}.")
            return False
        self._peak = max(self._peak, program.peak)
        self._answers[k] = _answer(reply)
        return True

    def _stand_in(self, suspect: str) -> Callable[[Any], dict[str, Any]]:
        if self._oracle is None:
            raise ValueError("an ask with a suspect needs an oracle")

        def reply_to(data: Any) -> dict[str, Any]:
            try:
                arguments = tuple(decode(data))
                value = self._oracle(suspect, arguments)
            except Exception as error:
                return {"error": f"{type(error).__name__}: {error}"[:200]}
            return {"value": encode(value)}

        return reply_to

    def _before(self, seconds: float) -> float:
        return min(monotonic() + seconds, self._deadline)

    def _why(self, lost: Lost, seconds: float) -> str:
        match lost:
            case Late() if monotonic() >= self._deadline:
                return f"took the notebook beyond {self._limits.seconds:g} s"
            case Late():
                return f"took longer than {seconds:g} s"
            case Ended():
                return "ended the program"
            case _Insistent():
                return f"called the function it was given more than {MOST_ORACLE_CALLS} times"
        return f"broke the program: {lost}"


def _words(words: str) -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": "stderr", "text": f"[{words}]\n"}]


def _error(reply: dict[str, Any]) -> str | None:
    error = reply.get("error")
    if error is None:
        return None
    if not isinstance(error, str):
        return "an error without words"
    # Such words are printed, too: no signs that command a terminal.
    return "".join(letter if letter.isprintable() else "?" for letter in error[:320])


def _answer(reply: dict[str, Any]) -> Answer:
    if (error := _error(reply)) is not None:
        return Answer(error=error)
    try:
        return Answer(decode(reply.get("value")), None, reply.get("changed") is True)
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        return Answer(error=f"not an answer: {error}"[:200])


def _outputs(data: Any, room: int) -> tuple[list[dict[str, Any]], int]:
    """Outputs of a notebook from what the worker says they are, and the bytes they take.

    Built anew of texts and checked images: nothing else of ``data`` goes on.
    """
    outputs: list[dict[str, Any]] = []
    left = room
    for item in data[:MOST_OUTPUTS] if isinstance(data, list) else ():
        match item:
            case {"output_type": "stream", "name": "stdout" | "stderr" as name, "text": str(text)}:
                size = len(text)
                output = {"output_type": "stream", "name": name, "text": text}
            case {"output_type": "display_data" | "execute_result" as kind, "data": dict(bundle)}:
                bundle = _bundle(bundle)
                size = sum(map(len, bundle.values()))
                output = {"output_type": kind, "data": bundle, "metadata": {}}
                if kind == "execute_result":
                    count = item.get("execution_count")
                    output["execution_count"] = count if type(count) is int else None
            case {
                "output_type": "error",
                "ename": str(name),
                "evalue": str(value),
                "traceback": list(lines),
            }:
                lines = [line for line in lines if isinstance(line, str)]
                size = len(name) + len(value) + sum(map(len, lines))
                output = {
                    "output_type": "error",
                    "ename": name,
                    "evalue": value,
                    "traceback": lines,
                }
            case _:
                continue
        # The worker keeps to the room itself; this is for one that does not.
        if size > left + 10_000:
            break
        left -= size
        outputs.append(output)
    return outputs, room - left


def _bundle(data: dict[str, Any]) -> dict[str, str]:
    bundle = {}
    if isinstance(text := data.get("text/plain"), str):
        bundle["text/plain"] = text
    if isinstance(image := data.get("image/png"), str):
        try:
            raw = base64.b64decode(image, validate=True)
        except ValueError:
            raw = b""
        if raw.startswith(b"\x89PNG\r\n\x1a\n"):
            bundle["image/png"] = base64.b64encode(raw).decode()
    return bundle
