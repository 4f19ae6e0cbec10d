"""The built pages: which there are, and where they lie."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html"


def toc_pages() -> list[str]:
    """Document names of ``_toc.yml``, such as ``chapters/notation``, in reading order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [toc["root"], *chapters]


PAGES = toc_pages()
CHAPTERS = [page for page in PAGES if re.match(r"chapters/\d", page)]

every_page = pytest.mark.parametrize("page", PAGES)
every_chapter = pytest.mark.parametrize("page", CHAPTERS)


def page_file(page: str) -> Path:
    path = HTML / f"{page}.html"
    assert path.exists(), f"{path.relative_to(ROOT)} is missing: run `make book` first"
    return path


@cache
def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def article(page: str) -> Tag:
    return soup(page_file(page)).select_one("article.bd-article")


#: What gmmlib's wheel needs beside gmmlib; a scratch book copies it from the repository.
PACKED = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT", "benchmarks/em.md")
