"""Messages to and from a program that is not to be trusted.

A message is one line of JSON. The other side may be silent, talk too much, talk nonsense or die;
each of these ends the conversation in time, and none of them blocks or harms this side.
"""

from __future__ import annotations

import json
import os
import select
from time import monotonic
from typing import Any

#: The longest message: room for the largest answer (200,000 numbers) and for figures.
MOST_BYTES = 8 * 2**20


class Lost(Exception):
    """The conversation is over."""


class Late(Lost):
    """The other side did not answer in time."""


class Ended(Lost):
    """The other side closed its end: its program ended."""


class Garbled(Lost):
    """What came is no message, or nobody had asked for it."""


class Channel:
    """Two pipes: one to the other side, one from it. Closes them both."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._received = bytearray()
        for descriptor in (to, back):
            os.set_blocking(descriptor, False)

    def send(self, message: dict[str, Any], deadline: float) -> None:
        """Write one message before ``deadline`` (of `time.monotonic`).

        Raises
        ------
        Late, Ended
        Garbled
            If something arrived already that answers nothing.
        """
        if self._received or self._ready(self._back, select.POLLIN, 0):
            # The end of the stream is readable, too.
            self._received += self._read()
            raise Garbled("it spoke without being asked")
        rest = memoryview(json.dumps(message).encode() + b"\n")
        while rest:
            if not self._ready(self._to, select.POLLOUT, deadline - monotonic()):
                raise Late
            try:
                rest = rest[os.write(self._to, rest) :]
            except BlockingIOError:
                continue
            except OSError as broken:
                raise Ended from broken

    def receive(self, deadline: float) -> dict[str, Any]:
        """The next message, if it comes before ``deadline`` and is one.

        Raises
        ------
        Late, Ended, Garbled
        """
        # Someone who always has something to say must not get past the deadline.
        if monotonic() >= deadline:
            raise Late
        while b"\n" not in self._received:
            if len(self._received) > MOST_BYTES:
                raise Garbled("its message is too long")
            if not self._ready(self._back, select.POLLIN, deadline - monotonic()):
                raise Late
            self._received += self._read()
        line, _, self._received = self._received.partition(b"\n")
        return _parse(bytes(line))

    def close(self) -> None:
        """Close this side's ends of the pipes."""
        os.close(self._to)
        os.close(self._back)

    def gone(self, seconds: float) -> bool:
        """Whether the other end closes within ``seconds``; what it still says is thrown away."""
        deadline = monotonic() + seconds
        while (left := deadline - monotonic()) > 0:
            self._ready(self._back, select.POLLIN, left)
            try:
                self._read()
            except Ended:
                return True
        return False

    def _read(self) -> bytes:
        try:
            data = os.read(self._back, 2**16)
        except BlockingIOError:
            return b""
        if not data:
            raise Ended
        return data

    @staticmethod
    def _ready(descriptor: int, event: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(descriptor, event)
        # A closed end (POLLHUP, POLLERR) counts as ready: reading or writing tells it.
        return bool(poll.poll(max(0.0, seconds) * 1000))


def _parse(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line.decode("utf-8"), parse_constant=_refuse)
        # Half a surrogate pair passes JSON and breaks every later write of the text.
        json.dumps(message, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Garbled("it wrote no message") from error
    if not isinstance(message, dict):
        raise Garbled("it wrote no message")
    return message


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
