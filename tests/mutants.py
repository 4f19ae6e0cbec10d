"""Spoil every row of every derivation in the chapters: `make mutants`.

A spoiled row that the engine accepts is a survivor. It must be no spoiling at all: a true identity,
the same value as the original at random points, and listed with a reason in true_spoilings.yml.
"""

import random
import sys
import time
from pathlib import Path

import yaml

from gmmlib.derive import Derivation
from gmmlib.derive.spoil import Spoiled, spoiled_attempts
from gmmlib.derive.trial import try_at
from tests.chapters import run, stems

LIST = Path(__file__).with_name("true_spoilings.yml")
POINTS = 30


def true_spoilings() -> dict[str, str]:
    """Survivor -> why it is a true identity."""
    return yaml.safe_load(LIST.read_text(encoding="utf-8")) or {}


def is_true_identity(spoiled: Spoiled) -> bool:
    """Whether the spoiled side has the original's value at every random point."""
    before = spoiled.attempt.before
    if spoiled.original is None or not isinstance(before, Derivation):
        return False
    difference = before.context.unfold(spoiled.original - spoiled.spoiled)
    return all(abs(value) < 1e-12 for _, (value,) in try_at(POINTS, difference, seed=7))


def every_spoiling(stem: str) -> list[Spoiled]:
    """All spoiled rows of a chapter."""
    return [spoiled for d in run(stem).derivations for spoiled in spoiled_attempts(d)]


def sample(stem: str, size: int) -> list[Spoiled]:
    """A seeded sample: at least one spoiling of each derivation, then any."""
    chance = random.Random(stem)
    groups = [list(spoiled_attempts(d)) for d in run(stem).derivations]
    first = [chance.choice(group) for group in groups]
    rest = [spoiled for group in groups for spoiled in group if spoiled not in first]
    return first + chance.sample(rest, min(len(rest), max(0, size - len(first))))


def unexplained(spoiled: Spoiled) -> str:
    """Why a spoiled row is a fault of the engine; empty where it is refused or a true identity."""
    if spoiled.refused():
        return ""
    if not is_true_identity(spoiled):
        return f"accepted, and not a true identity: {spoiled}"
    if str(spoiled) not in true_spoilings():
        return f"a true identity, but not listed in {LIST.name}: {spoiled}"
    return ""


def main() -> int:
    began, faults, count, listed = time.process_time(), [], 0, set(true_spoilings())
    for stem in stems():
        spoilings = every_spoiling(stem)
        count += len(spoilings)
        listed -= set(map(str, spoilings))
        for number, spoiled in enumerate(spoilings, start=1):
            if sys.stdout.isatty():
                print(f"\r{stem}: {number}/{len(spoilings)}", end="", flush=True)
            fault = unexplained(spoiled)
            if fault:
                faults.append(fault)
                print(f"\n  {fault}")
        print(f"\r{stem}: {len(spoilings)} spoiled rows")
    for name in sorted(listed):
        faults.append(f"listed in {LIST.name}, but no such spoiling: {name}")
        print(f"  {faults[-1]}")
    seconds = time.process_time() - began
    print(f"{count} spoiled rows, {len(true_spoilings())} true identities, {len(faults)} faults")
    print(f"{seconds:.0f} s CPU")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
