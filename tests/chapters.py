"""Run a chapter's code cells as a notebook would, and keep what they show.

The derivations stand in the chapters and nowhere else; every test about them starts here.
"""

import ast
import contextlib
import functools
import io
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from gmmlib.derive import Claim
from gmmlib.derive.chain import Chain

FOLDER = Path(__file__).parents[1] / "chapters"
CELL = re.compile(r"^```\{code-cell\} ipython3\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Run:
    """What the cells of one chapter left behind."""

    stem: str
    shown: list = field(default_factory=list)  # the last value of each cell that has one
    derivations: list[Chain] = field(default_factory=list)  # in the order of their claims
    printed: str = ""

    def of(self, *kinds) -> list:
        """The shown objects of the given kinds."""
        return [item for item in self.shown if isinstance(item, kinds)]

    @property
    def claims(self) -> list[Claim]:
        return self.of(Claim)


def stems() -> list[str]:
    """The numbered chapters, without extension."""
    return sorted(path.stem for path in FOLDER.glob("[0-9][0-9]-*.md"))


def prose(stem: str) -> str:
    """The chapter's Markdown without its code cells and its header."""
    text = (FOLDER / f"{stem}.md").read_text(encoding="utf-8")
    return CELL.sub("", text.split("---\n", 2)[2])


def cells(stem: str) -> list[str]:
    """The chapter's code cells, without their tags."""
    text = (FOLDER / f"{stem}.md").read_text(encoding="utf-8")
    return [re.sub(r"\A(:[^\n]*\n)+", "", source) for source in CELL.findall(text)]


@functools.cache
def run(stem: str) -> Run:
    """Run all cells from the chapter's own folder; one run serves every test of a session."""
    result, namespace, printed = Run(stem), {"__name__": "__main__"}, io.StringIO()
    with _in_folder(FOLDER), _recorded(result.derivations), contextlib.redirect_stdout(printed):
        for number, source in enumerate(cells(stem), start=1):
            tree = ast.parse(source, filename=f"{stem}, cell {number}")
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, f"{stem}, cell {number}", "exec"), namespace)
            if last is not None:
                code = compile(ast.Expression(last.value), f"{stem}, cell {number}", "eval")
                result.shown.append(eval(code, namespace))
    result.printed = printed.getvalue()
    return result


@contextlib.contextmanager
def _in_folder(folder):
    here = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)


@contextlib.contextmanager
def _recorded(derivations):
    """Collect every derivation that reaches its claim."""
    original = Chain.qed

    def qed(self, *args, **kwargs):
        derivations.append(self)
        return original(self, *args, **kwargs)

    Chain.qed = qed
    try:
        yield
    finally:
        Chain.qed = original
