"""The Sphinx extension that turns Jupyter Book 1 into this book.

What it does, one module each:

``failures``   a cell that fails ends the build, with its message last in the log
``freshness``  a page whose code, data or YAML changed is executed again; a failed build leaves
               nothing behind that could make the next one look clean
``ahead``      cells of many pages are executed side by side, as many as there are cores
``numbering``  equations are numbered (6.1), (6.2), ... after the chapter number in the file name
``ledger``     the records that derivations print are gathered into one page
``formulas``   KaTeX sets every formula when the book is built, and bad TeX fails the build
``markup``     questions, cards and progress: HTML elements whose words are MyST Markdown
``anki``       the chapters' cards lie beside the pages as a package for Anki
``exercises``  the students' notebooks of the problem sets lie beside the pages
``links``      the line on a page that offers such a file
``browser``    every page loads the script of the live elements, and no state of Jupyter's widgets
``downloads``  each chapter as a notebook with outputs, gmmlib's wheel, and the buttons for them
``reference``  the reference of gmmlib, from its docstrings
``data_sources``  where the data come from and who uses them, from YAML
``seed_map``   the map of the dialogue that the course grew from, from YAML
``offline``    the pages of ``_toc.yml`` came out, and none asks another host for anything
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx

from . import (
    ahead,
    anki,
    browser,
    data_sources,
    downloads,
    exercises,
    failures,
    formulas,
    freshness,
    ledger,
    markup,
    numbering,
    offline,
    reference,
    seed_map,
)


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def setup(app: Sphinx) -> dict[str, object]:
    """Register the parts with Sphinx."""
    # Sphinx compares configuration values with those of the last build. Pages are read again when
    # this package has changed, and written again (style sheets copied with them) when the assets
    # or the version of KaTeX have.
    own = [path for path in Path(__file__).parent.iterdir() if path.suffix in (".py", ".js")]
    book = Path(app.confdir)
    assets = [*(book / "_assets").glob("*"), book / "package-lock.json"]
    assets += (book / "gmmlib" / "show" / "browser").glob("*")
    app.add_config_value("casebook_source", _hash(own), "env", str)
    app.add_config_value("casebook_assets", _hash(assets), "html", str)
    failures.setup(app)
    formulas.setup(app)
    freshness.setup(app)
    ahead.setup(app)
    numbering.setup(app)
    ledger.setup(app)
    markup.setup(app)
    anki.setup(app)
    exercises.setup(app)
    browser.setup(app)
    downloads.setup(app)
    reference.setup(app)
    data_sources.setup(app)
    seed_map.setup(app)
    offline.setup(app)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
