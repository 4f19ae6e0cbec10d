"""The book's own script and style sheet, and nothing of Jupyter's widgets beside them.

``gmmlib.show.live`` joins the files of ``gmmlib/show/browser``; every page loads the result once.
A widget's output carries its numbers for the page itself, so the notebook's widget state, which
would hold them a second time, is dropped.
"""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx


def _write(app: Sphinx) -> None:
    from gmmlib.show import live  # here, for it imports matplotlib

    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    (static / "casebook.js").write_text(live.script(), encoding="utf-8")
    (static / "casebook.css").write_text(live.style(), encoding="utf-8")


def _drop_widget_state(app: Sphinx, doctree: nodes.document) -> None:
    files = app.env.nb_metadata.get(app.env.docname, {}).get("js_files", {})
    files.pop("ipywidgets_state", None)


def setup(app: Sphinx) -> None:
    """Write both files and have every page load them."""
    app.add_js_file("casebook.js", loading_method="defer")
    app.add_css_file("casebook.css")
    app.connect("builder-inited", _write)
    app.connect("doctree-read", _drop_widget_state)
