"""End the build when a cell failed, with the message that the cell gave.

myst-nb can stop at the first failing page, but then Sphinx's own traceback, of no interest to
anybody, buries the cell's. Here all pages are executed, the build ends before anything is
written, and the last lines of the log name each page, its cell and its error.
"""

from __future__ import annotations

import re
import sys

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_RULE = re.compile(r"^-{10,}$", re.MULTILINE)
_FRAME_LINE = re.compile(r"^(?:-+>|\s+)\s*\d+ ", re.MULTILINE)


def message(traceback: str) -> str:
    """The error, with all lines of its message, out of nbclient's report of a failed cell."""
    text = _ANSI.sub("", traceback).rstrip()
    frames = list(_FRAME_LINE.finditer(text))
    if not frames:
        return "\n".join(text.splitlines()[-15:])
    return text[frames[-1].start() :].partition("\n")[2].strip()


def cell_source(traceback: str) -> str:
    """The source of the failed cell, which nbclient puts between two rules."""
    parts = _RULE.split(_ANSI.sub("", traceback))
    return parts[1].strip("\n") if len(parts) > 2 else ""


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _stop(app: Sphinx, env: BuildEnvironment) -> list[str]:
    failed = {
        docname: data["exec_data"]["traceback"]
        for docname, data in sorted(getattr(env, "nb_metadata", {}).items())
        if data.get("exec_data") and not data["exec_data"]["succeeded"]
    }
    if not failed:
        return []
    lines = ["", f"The book was not built: {len(failed)} page(s) failed."]
    for docname, traceback in failed.items():
        lines += ["", f"{docname}.md, in the cell", "", _indent(cell_source(traceback))]
        lines += ["", message(traceback)]
    print("\n".join(lines), file=sys.stderr, flush=True)
    # Not an exception that Sphinx catches: it would print its own traceback after this.
    raise SystemExit(1)


def setup(app: Sphinx) -> None:
    """Look at the executed pages when Sphinx has read them all and shown its warnings."""
    app.connect("env-get-updated", _stop, priority=1)
