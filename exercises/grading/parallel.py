"""Compare many notebooks at a time, in processes, and say how long it will take."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import active_children, parent_process

from nbformat import NotebookNode

from exercises.grading.marking import Result
from exercises.grading.results import Results

#: More than any sandbox run takes with its own limits: then the comparison itself hangs.
MOST_SECONDS = 900


class _Worker:
    """What a process of the pool keeps between its notebooks."""

    results: Results
    running = False
    stopped = False


def _begin(results: Results) -> None:
    # A forked process has its parent's results, with the problem set's values already computed.
    if not hasattr(_Worker, "results"):
        _Worker.results = results
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)


def _stop(*_: object) -> None:
    """End the notebook at hand, once, so that its sandbox is cleared away; begin no other."""
    if _Worker.running and not _Worker.stopped:
        _Worker.stopped = True
        raise KeyboardInterrupt
    _Worker.stopped = True


def _end_with_parent() -> None:
    parent_process().join()
    os._exit(1)


def _late(*_: object) -> None:
    raise TimeoutError(f"took longer than {MOST_SECONDS} s")


def _compare(notebook: NotebookNode) -> Result:
    if _Worker.stopped:
        raise KeyboardInterrupt
    _Worker.running = True
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(MOST_SECONDS)
    try:
        return _Worker.results.compare(notebook)
    finally:
        signal.alarm(0)
        _Worker.running = False


@contextmanager
def _pool(results: Results, jobs: int) -> Iterator[ProcessPoolExecutor]:
    # What a problem set computed cannot travel to a process that starts from nothing.
    bare = replace(results, problem_set=replace(results.problem_set))
    _Worker.results = results
    pool = ProcessPoolExecutor(jobs, initializer=_begin, initargs=(bare,))
    try:
        yield pool
    except BaseException:
        for child in active_children():
            os.kill(child.pid, signal.SIGINT)
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def compare_all(
    results: Results,
    notebooks: dict[str, NotebookNode],
    jobs: int,
    done: Callable[[str, Result], None],
) -> None:
    """Compare notebooks (key -> mended notebook) and keep their results.

    ``done`` is called with the key and the result of each as it is finished. A process that dies
    takes others with it, so those are compared again, each alone: the one at fault fails alone.
    """
    left = dict(notebooks)
    if not left:
        return
    with _pool(results, min(jobs, len(left))) as pool:
        futures = {pool.submit(_compare, notebook): key for key, notebook in left.items()}
        for future in as_completed(futures):
            try:
                result = future.result()
            except BrokenProcessPool:
                continue
            done(futures[future], result)
            del left[futures[future]]
    for key, notebook in left.items():
        with _pool(results, 1) as pool:
            try:
                result = pool.submit(_compare, notebook).result()
            except BrokenProcessPool:
                result = results.fail(key, "the process that compared it died")
        done(key, result)


class Progress:
    """A line per finished notebook: what it earned, and about how long the rest takes."""

    def __init__(self, total: int, say: Callable[[str], None] = print) -> None:
        self.total, self.say = total, say
        self.number = 0
        self.start = time.monotonic()

    def step(self, name: str, result: Result) -> None:
        self.number += 1
        spent = time.monotonic() - self.start
        left = spent / self.number * (self.total - self.number)
        of = sum(mark.of for mark in result.marks)
        rest = f"  (about {in_words(left)} left)" if self.number < self.total else ""
        width = len(str(self.total))
        self.say(
            f"  {self.number:>{width}}/{self.total}  {result.seconds:5.1f} s  {name}: "
            f"{result.points:g} of {of:g}{rest}"
        )


def in_words(seconds: float) -> str:
    """A length of time, as one says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
