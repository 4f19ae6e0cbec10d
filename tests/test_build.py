"""What the build promises, tried on a scratch book of two small pages.

The scratch book has the real configuration and the real extension; its ``gmmlib`` is one line.
The tests share it and run in the order in which they stand, because each build takes seconds:
a build that is meant to fail comes after those that are meant to succeed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from tests.pages import PACKED

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.build

HEAD = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  name: python3
---

"""

# Prints a number that differs at every execution, and what it found in gmmlib and in its YAML.
CHAPTER = """\
# {number}. A page

By {{eq}}`{other}`, and {{cite:t}}`someone2000` agrees that $x^2 \\ge 0$.

```{{code-cell}} ipython3
import random, yaml
from pathlib import Path
import gmmlib
card = yaml.safe_load(Path("{stem}.yml").read_text())["cards"][0]
print("execution", random.SystemRandom().getrandbits(64))
print("gmmlib", gmmlib.VALUE, "yaml", card["back"])
```

````{{code-cell}} ipython3
from IPython.display import Markdown
Markdown({output!r})
````
"""

CARD = "cards: [{{id: a-card, front: Front, back: '{}'}}]\n"

OUTPUT = """\
::::{{div}} derivation-step
[proved]{{.evidence .evidence-proved}} because

$$ 1 + {number} = {after} $$ ({label})
::::

```{{derivation-record}}
{record}
```

```{{derivation-record}}
{agreement}
```
"""


@dataclass(frozen=True)
class Result:
    ok: bool
    log: str


@dataclass(frozen=True)
class Book:
    """A scratch book and what its pages say."""

    root: Path

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def build(self, *options: str) -> Result:
        """Build as ``make book`` does."""
        programs = Path(sys.executable).parent
        command = [programs / "jupyter-book", "build", ".", "-W", "-n", "--keep-going"]
        command += options
        # The scratch gmmlib stands before the installed one; Node may stand in the environment.
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        env = {**os.environ, "PYTHONPATH": str(self.root), "PATH": path}
        run = subprocess.run(
            command, cwd=self.root, env=env, capture_output=True, encoding="utf-8", timeout=120
        )
        log = re.sub(r"\x1b\[[0-9;]*m", "", run.stdout + run.stderr)
        return Result(run.returncode == 0, log)

    def page(self, name: str) -> str:
        return (self.root / "_build" / "html" / "chapters" / f"{name}.html").read_text("utf-8")

    def button(self, name: str, text: str) -> str | None:
        """Where a button in the header of a page leads."""
        page = BeautifulSoup(self.page(name), "html.parser")
        found = [link["href"] for link in page.select(".bd-header-article a[href]")
                 if link.get_text(strip=True) == text]  # fmt: skip
        return found[0] if found else None

    def notebook(self, name: str) -> nbformat.NotebookNode:
        path = self.root / "_build" / "html" / "notebooks" / f"{name}.ipynb"
        return nbformat.read(path, as_version=4)

    def execution(self, name: str) -> str:
        return re.search(r"execution (\d+)", self.page(name))[1]


def write_chapter(book: Book, number: int, other: str, extra: str = "") -> None:
    label = f"sum-{number}"
    step = {"why": "because", "relation": "=", "evidence": "proved", "how": "by hand"}
    record = {
        "kind": "derivation",
        "name": label,
        "label": label,
        "title": "A sum",
        "claim": f"1 + {number}",
        "evidence": "proved",
        "seconds": 0.1,
        "steps": [{**step, "points": 6, "seconds": 0.1}],
    }
    agreement = {
        "kind": "agreement",
        "name": label,
        "what": "fingers",
        "largest": 2e-16,
        "tolerance": 1e-10,
    }
    output = OUTPUT.format(
        number=number,
        after=1 + number,
        label=label,
        record=json.dumps(record),
        agreement=json.dumps(agreement),
    )
    stem = f"{number:02}-page"
    text = CHAPTER.format(number=number, other=other, stem=stem, output=output)
    book.write(f"chapters/{stem}.md", HEAD + text + extra)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    book = Book(tmp_path_factory.mktemp("book"))
    for name in ("_config.yml", "package-lock.json", *PACKED):
        book.write(name, (ROOT / name).read_text(encoding="utf-8"))
    for name in ("_extensions", "_assets"):
        shutil.copytree(ROOT / name, book.root / name)
    (book.root / "node_modules").symlink_to(ROOT / "node_modules")
    pages = ["07-page", "08-page", "ledger", "bibliography"]
    toc = {
        "format": "jb-book",
        "root": "chapters/index",
        "chapters": [{"file": f"chapters/{page}"} for page in pages],
    }
    book.write("_toc.yml", yaml.safe_dump(toc, sort_keys=False))
    book.write("gmmlib/__init__.py", "VALUE = 1\n")
    book.write("chapters/index.md", "# Start\n\n$$ a = b $$ (plain)\n\nSee {eq}`sum-8`.\n")
    book.write("chapters/ledger.md", "# Ledger\n\n```{ledger}\n```\n\n```{ledger-unproved}\n```\n")
    book.write("chapters/bibliography.md", "# Sources\n\n```{bibliography}\n```\n")
    book.write(
        "chapters/references.bib",
        "@book{someone2000, author={Someone, A.}, title={B}, publisher={C}, year={2000}}\n",
    )
    for number, other in ((7, "sum-8"), (8, "sum-7")):
        write_chapter(book, number, other)
        book.write(f"chapters/{number:02}-page.yml", CARD.format(1))
    result = book.build()
    assert result.ok, result.log
    return book


def test_equations_that_cells_print_are_numbered_and_linked_across_pages(book: Book) -> None:
    assert '<span class="eqno">(7.1)' in book.page("07-page")
    assert 'href="08-page.html#equation-sum-8">(8.1)</a>' in book.page("07-page")
    assert 'href="08-page.html#equation-sum-8">(8.1)</a>' in book.page("index")
    assert '<span class="eqno">(1)' in book.page("index")


def test_the_ledger_gathers_the_records_of_all_pages(book: Book) -> None:
    page = book.page("ledger")
    assert 'href="07-page.html#equation-sum-7">(7.1)</a>' in page
    assert 'href="08-page.html#equation-sum-8">(8.1)</a>' in page
    assert page.count("fingers: <span>2.0e-16</span>") == 2
    assert "2 derivations in 2 steps (2 proved)" in page


def test_an_unchanged_book_is_not_executed_again(book: Book) -> None:
    before = [book.execution("07-page"), book.execution("08-page")]
    assert book.build().ok
    assert [book.execution("07-page"), book.execution("08-page")] == before


def test_a_chapters_yaml_executes_that_chapter_again_and_no_other(book: Book) -> None:
    before = [book.execution("07-page"), book.execution("08-page")]
    book.write("chapters/07-page.yml", CARD.format(2))
    assert book.build().ok
    assert "yaml 2" in book.page("07-page")
    assert book.execution("07-page") != before[0]
    assert book.execution("08-page") == before[1]


def test_gmmlib_executes_every_chapter_again_and_old_caches_go(book: Book) -> None:
    before = [book.execution("07-page"), book.execution("08-page")]
    book.write("gmmlib/__init__.py", "VALUE = 5\n")
    assert book.build().ok
    for page, execution in zip(("07-page", "08-page"), before, strict=True):
        assert "gmmlib 5" in book.page(page)
        assert book.execution(page) != execution
        caches = book.root / "_build" / ".jupyter_cache" / f"chapters--{page}"
        assert len(list(caches.iterdir())) == 1


def test_a_label_may_move_to_another_page(book: Book) -> None:
    book.write("chapters/index.md", "# Start\n\nSee {eq}`plain`.\n")
    write_chapter(book, 7, "sum-8", extra="\n$$ a = b $$ (plain)\n")
    result = book.build()
    assert result.ok, result.log
    assert 'href="07-page.html#equation-plain">(7.2)</a>' in book.page("index")


def test_no_button_points_to_a_server_before_there_is_one(book: Book) -> None:
    assert book.button("07-page", "Binder") is None
    assert book.button("07-page", "Colab") is None
    source = book.button("07-page", "Source")
    copy = (book.root / "_build" / "html" / "chapters" / source).read_text(encoding="utf-8")
    assert copy == (book.root / "chapters" / "07-page.md").read_text(encoding="utf-8")
    assert book.button("07-page", ".ipynb") == "../notebooks/07-page.ipynb"
    assert book.notebook("07-page").cells[1].source.startswith('%pip install --quiet "./gmmlib-')


def test_with_public_addresses_there_are_buttons_for_servers(book: Book) -> None:
    settings = (book.root / "_config.yml").read_text(encoding="utf-8")
    site, repository = "https://someone.github.io/cakes", "https://github.com/someone/cakes"
    with_addresses = settings.replace('casebook_site: ""', f"casebook_site: {site}").replace(
        'casebook_repository: ""', f"casebook_repository: {repository}/"
    )
    book.write("_config.yml", with_addresses)
    result = book.build()
    assert result.ok, result.log
    assert book.button("07-page", "Binder") == (
        "https://mybinder.org/v2/gh/someone/cakes/main?urlpath=lab%2Ftree%2Fchapters%2F07-page.md"
    )
    assert book.button("07-page", "Colab") == (
        "https://colab.research.google.com/github/someone/cakes/blob/gh-pages/notebooks/07-page.ipynb"
    )
    assert book.button("07-page", "Source") == f"{repository}/blob/main/chapters/07-page.md"
    assert book.button("07-page", ".ipynb") == "../notebooks/07-page.ipynb"
    assert book.button("index", "Binder") is None  # it has nothing to run
    explanation, installation = book.notebook("07-page").cells[:2]
    assert f"({site}/chapters/07-page.html)" in explanation.source
    (wheel,) = (book.root / "_build" / "html" / "notebooks").glob("*.whl")
    assert f"@ {site}/notebooks/{wheel.name}" in installation.source
    book.write("_config.yml", settings)


def test_a_failing_cell_fails_the_build_and_its_message_ends_the_log(book: Book) -> None:
    cell = '```{code-cell} ipython3\nraise ValueError("step 3 (Jensen)\\nhint: a factor 2")\n```\n'
    write_chapter(book, 7, "sum-8", extra=f"\n{cell}")
    result = book.build()
    assert not result.ok
    last_lines = result.log.rstrip().splitlines()[-8:]
    assert "chapters/07-page.md, in the cell" in last_lines
    assert last_lines[-2:] == ["ValueError: step 3 (Jensen)", "hint: a factor 2"]


def test_what_cannot_be_shown_fails_the_build_with_its_place(book: Book) -> None:
    write_chapter(book, 7, "sum-8", extra="\nA sum $\\frac{1$ that TeX cannot set.\n")
    write_chapter(book, 8, "nowhere")
    record = '{"kind": "agreement", "name": "x", "what": "y", "largest": 1}'
    book.write("chapters/index.md", f"# Start\n\n```{{derivation-record}}\n{record}\n```\n")
    result = book.build()
    assert not result.ok
    assert re.search(r"07-page\.md:\d+: WARNING: cannot set the formula \\frac\{1", result.log)
    assert re.search(r"08-page\.md:\d+: WARNING: equation not found: nowhere", result.log)
    assert re.search(r"index\.md:\d+: WARNING: derivation-record 'x': 'tolerance'", result.log)


def test_a_failed_build_fails_again_when_nothing_was_mended(book: Book) -> None:
    result = book.build()
    assert not result.ok
    assert "cannot set the formula" in result.log


def test_a_mended_book_is_built(book: Book) -> None:
    for number, other in ((7, "sum-8"), (8, "sum-7")):
        write_chapter(book, number, other)
    book.write("chapters/index.md", "# Start\n")
    result = book.build()
    assert result.ok, result.log
