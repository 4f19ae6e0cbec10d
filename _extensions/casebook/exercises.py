"""The problem sets: what each asks for, on the page; the students' notebooks, beside the pages."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .links import download

_FOLDER = "exercises"
_OBJECTIVES = re.compile(r"\*\*You show that you can\*\*\n\n(.*?)\n\n", flags=re.S)


class ProblemSet(SphinxDirective):
    """The objectives of a problem set, as its master states them, and a link to its notebook."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        master = Path(self.env.app.confdir) / _FOLDER / f"{name}.md"
        self.env.note_dependency(str(master))
        found = _OBJECTIVES.search(master.read_text(encoding="utf-8"))
        if not found:
            raise self.error(f'{master.name} has no list under "**You show that you can**"')
        holder = nodes.Element()
        self.state.nested_parse(StringList(found[1].splitlines()), self.content_offset, holder)
        return [*holder.children, download(self.env.docname, f"{_FOLDER}/{name}.ipynb")]


def _write_notebooks(app: Sphinx, error: Exception | None) -> None:
    """The students' notebooks; each is made again only when its master or its makers changed."""
    if error or app.builder.format != "html":
        return
    masters = sorted((Path(app.confdir) / _FOLDER).glob("ps*.md"))
    if not masters:
        return
    sys.path.insert(0, str(app.confdir))
    import nbformat

    from exercises.grading import master

    target = Path(app.outdir) / _FOLDER
    target.mkdir(exist_ok=True)
    for text in masters:
        problem_set = master.load(text.stem)
        stamp = Path(app.doctreedir) / f"{text.stem}.fingerprint"
        notebook = target / f"{text.stem}.ipynb"
        known = stamp.read_text(encoding="utf-8") if stamp.exists() else ""
        if notebook.exists() and known == problem_set.fingerprint:
            continue
        notebook.write_text(nbformat.writes(problem_set.release()), encoding="utf-8", newline="\n")
        stamp.write_text(problem_set.fingerprint, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Register the directive ``problem-set``, and write the notebooks with the pages."""
    app.add_directive("problem-set", ProblemSet)
    app.connect("build-finished", _write_notebooks)
