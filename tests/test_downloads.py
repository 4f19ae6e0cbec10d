"""The chapters as notebooks and gmmlib's wheel, as they lie beside the built pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from tests.pages import CHAPTERS, HTML, every_chapter, page_file, soup

pytestmark = pytest.mark.site

FOLDER = HTML / "notebooks"


def notebook_of(page: str) -> Path:
    return FOLDER / f"{page.rsplit('/', 1)[-1]}.ipynb"


def wheel() -> Path:
    (path,) = FOLDER.glob("*.whl")
    return path


@every_chapter
def test_a_chapter_has_its_notebook_and_a_button_for_it(page: str) -> None:
    notebook = nbformat.read(notebook_of(page), as_version=4)
    nbformat.validate(notebook)
    assert wheel().name in notebook.cells[1].source
    assert notebook.cells[1].source.startswith("%pip install")
    addresses = [
        link["href"] for link in soup(page_file(page)).select(".bd-header-article a[href]")
    ]
    assert f"../notebooks/{notebook_of(page).name}" in addresses


@every_chapter
def test_a_notebook_shows_what_the_page_shows(page: str) -> None:
    cells = nbformat.read(notebook_of(page), as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    shown = "".join("".join(output.get("data", {}).get("text/html", "")) for output in outputs)
    assert shown.count("data-question=") == len(soup(page_file(page)).select("[data-question]"))
    printed = [output.text for output in outputs if output.output_type == "stream"]
    words = " ".join(soup(page_file(page)).find("article").get_text().split())
    assert printed
    assert all(" ".join(text.split()) in words for text in printed)


@every_chapter
def test_a_notebook_is_plain_markdown(page: str) -> None:
    for cell in nbformat.read(notebook_of(page), as_version=4).cells:
        if cell.cell_type == "markdown":
            left = re.search(
                r"\{[a-z:]+\}`|^:::|^`{3,}\{|^\([\w-]+\)=|\]\{\.|^>\n>$",
                cell.source, flags=re.M,
            )  # fmt: skip
            assert not left, left


@every_chapter
def test_a_notebook_opens_without_a_kernel(page: str) -> None:
    """Each output is there in one form that needs nothing: no widget of a kernel that has gone."""
    for cell in nbformat.read(notebook_of(page), as_version=4).cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            assert not {"text/markdown", "application/vnd.jupyter.widget-view+json"} & set(data)
            html = BeautifulSoup(data.get("text/html", ""), "html.parser")
            assert not re.search(r"\{(?:eq|doc|ref|cite:[pt])\}`", html.get_text())
            for link in html.select("a[href]"):
                if not link["href"].startswith(("#", "https://")):
                    assert (FOLDER / link["href"]).exists(), link["href"]


def test_there_is_no_notebook_without_a_chapter() -> None:
    assert sorted(FOLDER.glob("*.ipynb")) == sorted(map(notebook_of, CHAPTERS))


@pytest.mark.parametrize("number", ["03", "17"])
def test_a_notebook_runs_with_nothing_but_the_wheel(number: str, tmp_path: Path) -> None:
    """In a folder of its own: questions, and the other chapters' headings, come from the wheel."""
    with zipfile.ZipFile(wheel()) as packed:
        packed.extractall(tmp_path / "installed")
    page = next(page for page in CHAPTERS if f"/{number}-" in page)
    notebook = nbformat.read(notebook_of(page), as_version=4)
    del notebook.cells[1]  # the installation: no test downloads anything
    nbformat.write(notebook, tmp_path / "alone.ipynb")
    run = (
        "import nbformat, nbclient; "
        "notebook = nbformat.read('alone.ipynb', as_version=4); "
        "nbclient.NotebookClient(notebook, timeout=300).execute()"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
