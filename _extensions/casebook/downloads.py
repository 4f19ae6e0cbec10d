"""Each chapter as a notebook with its outputs, and gmmlib's wheel, beside the pages; the buttons.

``notebooks/NN-name.ipynb`` holds the cells as the book executed them. Its first cell installs
``gmmlib`` from the wheel in the same folder, or, once the book has a public address, from there.
What is written for this book's pages (references to equations, sources, pages; boxes) becomes plain
Markdown, because not every notebook program knows MyST.

What needs a public address is set in ``_config.yml``: ``casebook_site`` where the built book lies,
``casebook_repository`` where its source does. Without them no button points to a server.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import nbformat
from docutils import nodes
from jupyter_cache import get_cache
from myst_nb.core.read import create_nb_reader
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from .freshness import page_cache
from .numbering import chapter_number

_FOLDER = "notebooks"
_BINDER = "https://mybinder.org/v2/gh"
_COLAB = "https://colab.research.google.com"
_GITHUB = "https://github.com/"
#: Where .github/workflows/publish.yml puts the built book.
_PAGES_BRANCH = "gh-pages"


def _chapters(app: Sphinx) -> list[str]:
    return [name for name in app.env.found_docs if chapter_number(name) is not None]


# --- The notebooks ------------------------------------------------------------------------------


def _write(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html" or not _chapters(app):
        return
    folder = Path(app.outdir) / _FOLDER
    folder.mkdir(exist_ok=True)
    wheel = _wheel(app, folder)
    if not app.env.casebook_read_something and all(
        (folder / f"{Path(name).name}.ipynb").exists() for name in _chapters(app)
    ):
        return
    for path in folder.glob("*.ipynb"):
        path.unlink()  # a chapter may have another name now, or be gone
    for docname in _chapters(app):
        notebook = _executed(app, docname)
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number}"  # or two builds would differ
            if cell.cell_type == "markdown":
                cell.source = _plain(app, docname, cell.source)
        notebook.cells[:0] = _first_cells(app, docname, wheel)
        path = folder / f"{Path(docname).name}.ipynb"
        path.write_text(nbformat.writes(notebook), encoding="utf-8", newline="\n")


def _executed(app: Sphinx, docname: str) -> nbformat.NotebookNode:
    """The notebook of a page with the outputs that its page shows."""
    path = app.env.doc2path(docname)
    reader = create_nb_reader(
        path, app.env.myst_config, app.env.mystnb_config, Path(path).read_text(encoding="utf-8")
    )
    cache = get_cache(str(page_cache(app, docname)))
    notebook = cache.merge_match_into_notebook(reader.read(Path(path).read_text("utf-8")))[1]
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
    for cell in notebook.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k == "tags"}
        if "remove-input" in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                # The rest is MyST for the page, or a widget whose kernel has gone: notebook
                # programs that prefer it would show raw text, or an error in place of a figure.
                html = _linked(app, output["data"]["text/html"])
                html = _ROLE.sub(lambda match: _role(app, docname, match), html)
                output["data"] = {"text/html": html}
    return notebook


def _linked(app: Sphinx, html: str) -> str:
    """Links to chapters lead to their pages, or to the notebooks that lie beside this one."""
    site = app.config.casebook_site.rstrip("/")

    def link(match: re.Match) -> str:
        for docname in _chapters(app):
            if Path(docname).name == match[1]:
                return f'href="{site}/{docname}.html"' if site else f'href="{match[1]}.ipynb"'
        return match[0]

    return _CHAPTER_LINK.sub(link, html)


def _first_cells(app: Sphinx, docname: str, wheel: str) -> list[nbformat.NotebookNode]:
    site = app.config.casebook_site.rstrip("/")
    if site:
        where = f"Its page, with numbered equations, is [here]({site}/{docname}.html)."
        source = f"{site}/{_FOLDER}/{wheel}"
    else:
        where = f"Its page in the book's folder, with numbered equations, is `{docname}.html`."
        source = f"./{wheel}"
    text = (
        f"*A chapter of The Cake-Shop Detective, with the outputs of the book.* {where}"
        "\n\nTo run it, run the next cell once: it installs `gmmlib` and what the chapters use, in "
        "the versions of your Python (3.11 or newer)."
    )
    if not site:
        text += f" The file `{wheel}` has to lie beside this notebook, as it does in the book."
    lines = [
        nbformat.v4.new_markdown_cell(text),
        nbformat.v4.new_code_cell(f'%pip install --quiet "gmmlib[chapters] @ {source}"')
        if site
        else nbformat.v4.new_code_cell(f'%pip install --quiet "{source}[chapters]"'),
    ]
    for number, cell in enumerate(lines):
        cell.id = f"install-{number}"
    return lines


# --- MyST to what every notebook program shows ----------------------------------------------------

_ROLE = re.compile(r"\{(?P<role>[\w:]+)\}`(?P<text>[^`]+)`")
_SPAN = re.compile(r"\[(?P<words>[^][]+)\]\{\.[^{}]+\}")
_CHAPTER_LINK = re.compile(r'href="([\w-]+)\.md"')
_TARGET = re.compile(r"(?P<words>.+?)\s*<(?P<target>[^>]+)>", flags=re.S)
_BOX = re.compile(
    r"^(?P<fence>:{3,}|`{3,})\{(?P<kind>[\w-]+)\}(?P<title>[^\n]*)\n(?P<body>.*?)^(?P=fence)[ ]*$",
    flags=re.S | re.M,
)


def _plain(app: Sphinx, docname: str, text: str) -> str:
    """Markdown whose references are words and whose boxes are quotations."""

    def box(match: re.Match) -> str:
        title = match["title"].strip() or match["kind"].replace("-", " ").capitalize()
        body = re.sub(r"\A(?::[\w-]+:[^\n]*\n)+\n?", "", match["body"]).strip()
        if not body:  # the build makes what stands there, and only on the page
            return f"*({title}: on this chapter's page.)*"
        lines = [f"**{title}**", "", *body.split("\n")]
        return "\n".join(f"> {line}".rstrip() for line in lines)

    text = re.sub(r"^\([\w:-]+\)=\n", "", text, flags=re.M)  # labels of headings
    text = _SPAN.sub(r"*\g<words>*", _BOX.sub(box, text))
    return _ROLE.sub(lambda match: _role(app, docname, match), text)


def _role(app: Sphinx, docname: str, match: re.Match) -> str:
    role, text = match["role"], match["text"]
    named = _TARGET.fullmatch(text)
    words, target = (named["words"], named["target"]) if named else ("", text)
    if role == "eq":
        return f"({_equation_number(app, target)})"
    if role == "doc":
        title = app.env.titles.get(f"{Path(docname).parent}/{target}")
        return words or (title.astext() if title else target)
    if role == "ref":
        labels = app.env.get_domain("std").labels
        return words or (labels[target][2] if target in labels else target)
    if role.startswith("cite"):
        cited = [_source(app, key.strip()) for key in text.split(",")]
        if role == "cite:t":
            return " and ".join(f"{authors} ({year})" for authors, year in cited)
        return f"({'; '.join(f'{authors} {year}' for authors, year in cited)})"
    return match[0]


def _equation_number(app: Sphinx, label: str) -> str:
    equations = app.env.get_domain("math").equations
    if label not in equations:  # the page's own reference has warned, and failed the build
        return label
    numbers = app.env.toc_fignumbers[equations[label][0]]["displaymath"]
    return ".".join(map(str, numbers[nodes.make_id(f"equation-{label}")]))


def _source(app: Sphinx, key: str) -> tuple[str, str]:
    """Authors and year of an entry of the bibliography."""
    entry = app.env.get_domain("cite").bibdata.data.entries[key]
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join(person.last_names) for person in people]
    authors = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    return authors, entry.fields.get("year", "n.d.")


# --- The wheel ----------------------------------------------------------------------------------


def _wheel(app: Sphinx, folder: Path) -> str:
    """The name of gmmlib's wheel in the folder; it is made again when what goes into it changed."""
    parts = _parts(Path(app.confdir))
    digest = hashlib.sha256()
    for name, content in parts.items():
        digest.update(f"{name} {len(content)} ".encode())
        digest.update(content)
    stamp = Path(app.doctreedir) / "wheel.fingerprint"
    known = stamp.read_text(encoding="utf-8") if stamp.exists() else ""
    there = [path.name for path in folder.glob("*.whl")]
    if known == digest.hexdigest() and len(there) == 1:
        return there[0]
    for name in there:
        (folder / name).unlink()
    with TemporaryDirectory() as scratch:
        for name, content in parts.items():
            copy = Path(scratch) / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
        # The build must not download anything: setuptools comes with the requirements. A fixed date
        # makes two builds equal.
        done = subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
             "--wheel-dir", str(folder), scratch],
            env={**os.environ, "SOURCE_DATE_EPOCH": "1577836800"},
            capture_output=True, text=True,
        )  # fmt: skip
    if done.returncode:
        raise ExtensionError(f"gmmlib's wheel could not be built:\n{done.stderr}")
    stamp.write_text(digest.hexdigest(), encoding="utf-8")
    return next(path.name for path in folder.glob("*.whl"))


def _parts(book: Path) -> dict[str, bytes]:
    """What the wheel is made from, by its place: gmmlib, and what chapters read (``beside``)."""
    package = [path for path in sorted((book / "gmmlib").rglob("*")) if path.is_file()]
    parts = {
        path.relative_to(book).as_posix(): path.read_bytes()
        for path in [
            *(path for path in package if "__pycache__" not in path.parts),
            *(book / name for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT")),
        ]
    }
    for path in [*sorted((book / "chapters").glob("*.yml")), book / "benchmarks" / "em.md"]:
        parts[f"gmmlib/beside/{path.name}"] = path.read_bytes()
    # The last chapter lists all the others by their headings; no more of them goes into the wheel.
    for path in sorted((book / "chapters").glob("[0-9][0-9]-*.md")):
        heading = re.search(r"^# .+$", path.read_text(encoding="utf-8"), flags=re.M)
        if heading:
            parts[f"gmmlib/beside/{path.name}"] = f"{heading[0]}\n".encode()
    return parts


# --- The buttons --------------------------------------------------------------------------------


def _buttons(app: Sphinx, docname: str, template: str, context: dict, doctree: object) -> None:
    """Launch, download and source, in the header of each chapter."""
    if chapter_number(docname) is None:
        return
    name = Path(docname).name
    site = app.config.casebook_site.rstrip("/")
    repository = app.config.casebook_repository.rstrip("/")
    branch = app.config.casebook_branch
    place = repository.removeprefix(_GITHUB)
    on_github = repository.startswith(_GITHUB)
    buttons = []
    if on_github:
        path = quote(f"lab/tree/{docname}.md", safe="")
        buttons.append(
            _button(f"{_BINDER}/{place}/{branch}?urlpath={path}", "Binder", "rocket",
                    "Run this chapter on mybinder.org: free, slow to start, keeps nothing")
        )  # fmt: skip
    if on_github and site:
        # Colab opens no Markdown; it takes the notebooks from the branch that Pages shows.
        path = f"github/{place}/blob/{_PAGES_BRANCH}/{_FOLDER}/{name}.ipynb"
        buttons.append(
            _button(f"{_COLAB}/{path}", "Colab", "cloud",
                    "Run this chapter on Google Colab: needs a Google account")
        )  # fmt: skip
    buttons.append(
        _button(context["pathto"](f"{_FOLDER}/{name}.ipynb", 1), ".ipynb", "download",
                "Download this chapter as a notebook, with its outputs")
    )  # fmt: skip
    here = context["pathto"](f"_sources/{context['sourcename']}", 1)
    buttons.append(
        _button(f"{repository}/blob/{branch}/{docname}.md" if repository else here, "Source",
                "code", "The text and code of this page")
    )  # fmt: skip
    context["header_buttons"][:0] = [
        {"type": "group", "buttons": buttons, "icon": "fas fa-download",
         "tooltip": "Run it yourself", "label": "casebook-run"}
    ]  # fmt: skip


def _button(url: str, text: str, icon: str, tooltip: str) -> dict[str, str]:
    return {
        "type": "link", "url": url, "text": text, "icon": f"fas fa-{icon}", "tooltip": tooltip,
        "label": f"casebook-{text.strip('.').lower()}",
    }  # fmt: skip


def setup(app: Sphinx) -> None:
    """Write when the pages are written; add buttons after the theme has made its own."""
    # A new address makes Sphinx read the pages again, and the notebooks follow them.
    app.add_config_value("casebook_site", "", "env", str)
    app.add_config_value("casebook_repository", "", "html", str)
    app.add_config_value("casebook_branch", "main", "html", str)
    app.connect("html-page-context", _buttons, priority=600)
    app.connect("build-finished", _write)
