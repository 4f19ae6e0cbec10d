"""Execute again what changed, and never trust what a failed build left behind.

The execution cache of myst-nb knows a notebook by the text of its code cells alone, and Sphinx
knows a page by its source file alone. A page of this book also shows what ``gmmlib``, its data,
the chapter's YAML and the numeric packages computed. All of these go into a stamp: the cache
folder of a page is named after it, and Sphinx reads a page again when its stamp has changed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import shutil
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)

# What executes the cells, beside the packages that gmmlib itself asks for.
_EXECUTES = ("hmmlearn", "ipykernel", "ipywidgets")

#: Pages that show the questions and cards of every chapter.
_GATHERING = ("index", "17-the-final-case")


def data_files(source: Path, docname: str, docnames: Iterable[str]) -> list[Path]:
    """YAML files that a page depends on: its own, and those that belong to no other page.

    ``chapters/06-ascent.yml`` and ``chapters/06-ascent.quiz.yml`` belong to
    ``chapters/06-ascent.md``; ``chapters/shared.yml`` belongs to every page of the folder. The
    pages of ``_GATHERING`` show what the others ask, and depend on all.
    """
    folder = source / Path(docname).parent
    if Path(docname).name in _GATHERING:
        return sorted(folder.glob("*.yml"))
    others = [name for name in docnames if name != docname]

    def belongs_to(path: Path, name: str) -> bool:
        stem = (source / name).name
        return path.parent == (source / name).parent and path.name.startswith(stem + ".")

    return [
        path
        for path in sorted(folder.glob("*.yml"))
        if belongs_to(path, docname) or not any(belongs_to(path, name) for name in others)
    ]


@cache
def _package_versions() -> str:
    """The interpreter and the packages whose version can change a number on a page."""
    try:
        wanted = importlib.metadata.requires("gmmlib") or []
    except importlib.metadata.PackageNotFoundError:
        raise ExtensionError(
            "gmmlib is not installed in this environment: run `make book`, "
            "or `pip install -r requirements.txt` in the folder of the book"
        ) from None
    names = {re.split(r"[^\w.-]", wish, maxsplit=1)[0] for wish in wanted if "extra ==" not in wish}
    versions = [f"{name}=={importlib.metadata.version(name)}" for name in names.union(_EXECUTES)]
    return "\n".join([sys.version, *sorted(versions)])


@cache
def _package_source(source: Path) -> str:
    """Hash of gmmlib's code and data, and of the measurements that chapter 11 shows."""
    folder = source / "gmmlib"
    files = [*folder.glob("**/*.py"), source / "benchmarks" / "em.md"]
    files += [path for path in (folder / "data").glob("**/*") if path.suffix != ".pyc"]
    return _hash_files(source, sorted({path for path in files if path.is_file()}))


def _hash_files(source: Path, paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(source).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def stamp(app: Sphinx, docname: str) -> str:
    """Short hash of everything that a page's cells depend on, beside the cells themselves."""
    source = Path(app.srcdir)
    parts = [
        _package_versions(),
        _package_source(source),
        _hash_files(source, data_files(source, docname, app.env.found_docs)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _cache_root(app: Sphinx) -> Path:
    return Path(app.outdir).parent / ".jupyter_cache"


def _page_caches(app: Sphinx, docname: str) -> Path:
    return _cache_root(app) / docname.replace("/", "--")


def page_cache(app: Sphinx, docname: str) -> Path:
    """Where the executed cells of a page lie as long as nothing they depend on changes."""
    return _page_caches(app, docname) / stamp(app, docname)


def _stamps(env: BuildEnvironment) -> dict[str, str]:
    """Stamp with which each page was last read, kept in Sphinx's pickled environment."""
    if not hasattr(env, "casebook_stamps"):
        env.casebook_stamps = {}
    return env.casebook_stamps


def _outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    known = _stamps(env)
    return [name for name in env.found_docs if known.get(name) != stamp(app, name)]


def _use_stamped_cache(app: Sphinx, docname: str, content: list[str]) -> None:
    """Point myst-nb at the cache folder of this page and stamp, just before it parses the page."""
    _stamps(app.env)[docname] = stamp(app, docname)
    app.env.mystnb_config = app.env.mystnb_config.copy(
        execution_cache_path=str(page_cache(app, docname))
    )


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _stamps(env).pop(docname, None)


def _forget_changed(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Forget all changed pages before the first is read: a label may move from one to another."""
    for docname in docnames:
        app.emit("env-purge-doc", env, docname)
        env.clear_doc(docname)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment):
    for docname in docnames:
        _stamps(env)[docname] = _stamps(other)[docname]


def _remove_old_caches(app: Sphinx) -> None:
    """Keep one execution cache per page of the book: the one that this build used."""
    keep = {_page_caches(app, name): now for name, now in _stamps(app.env).items()}
    for page in _cache_root(app).glob("*"):
        if not page.is_dir() or page not in keep:
            shutil.rmtree(page) if page.is_dir() else page.unlink()
            continue
        for folder in page.iterdir():
            if folder.name != keep[page]:
                shutil.rmtree(folder)


# Sphinx reports a warning when it reads the page and never again, so an unchanged second run of
# a failed strict build would succeed. A marker stands while a build is under way and falls only
# when it ended without a warning; where it still stands, everything is read afresh (from the
# execution cache, so that this costs seconds).


def _marker(app: Sphinx) -> Path:
    return Path(app.doctreedir).parent / ".unfinished"


def _forget_unfinished_build(app: Sphinx, config: object) -> None:
    marker = _marker(app)
    if marker.exists():
        logger.info("the last build did not end well: reading every page again")
        shutil.rmtree(app.doctreedir, ignore_errors=True)
        Path(app.doctreedir).mkdir(parents=True, exist_ok=True)
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()


def _finish(app: Sphinx, exception: Exception | None) -> None:
    if exception is None:
        _remove_old_caches(app)
        if not app._warncount:  # Sphinx keeps the number of warnings nowhere else
            _marker(app).unlink(missing_ok=True)


def setup(app: Sphinx) -> None:
    """Connect the stamps, the cache folders and the marker of an unfinished build."""
    app.connect("config-inited", _forget_unfinished_build)
    app.connect("env-get-outdated", _outdated)
    app.connect("env-before-read-docs", _forget_changed)
    app.connect("source-read", _use_stamped_cache)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("build-finished", _finish, priority=1000)
