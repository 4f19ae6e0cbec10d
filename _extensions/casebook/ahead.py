"""Execute the pages' cells side by side before Sphinx reads one page after the other.

Each execution ends in the page's own cache (``freshness``), from which reading then takes it. A
cell that fails is executed once more when its page is read, and reported there.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from types import SimpleNamespace

from myst_nb.core.config import NbParserConfig
from myst_nb.core.execute import create_client
from myst_nb.core.read import create_nb_reader
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from .freshness import page_cache

logger = logging.getLogger(__name__)


def _silent(*args: object, **kwargs: object) -> None: ...


def _execute(path: str, app: Sphinx, nb_config: NbParserConfig) -> bool:
    """Execute a page's cells into its cache, unless they are there; whether it has any."""
    text = Path(path).read_text(encoding="utf-8")
    reader = create_nb_reader(path, app.env.myst_config, nb_config, text)
    if reader is None:  # a page without cells
        return False
    quiet = SimpleNamespace(info=_silent, warning=_silent, debug=_silent)
    with create_client(reader.read(text), path, nb_config, quiet, reader.read_fmt):
        return True


def _execute_ahead(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    if len(docnames) < 2:
        return
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {}
        for name in docnames:
            nb_config = env.mystnb_config.copy(execution_cache_path=str(page_cache(app, name)))
            runs[pool.submit(_execute, env.doc2path(name), app, nb_config)] = name
        for run in as_completed(runs):
            if run.result():
                logger.info("the cells of %s are in the cache", runs[run])


def setup(app: Sphinx) -> None:
    """Execute when all changed pages are known, after ``freshness`` has forgotten them."""
    app.connect("env-before-read-docs", _execute_ahead, priority=600)
