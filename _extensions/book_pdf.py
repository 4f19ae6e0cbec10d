"""The whole book as one PDF: `make pdf`.

The built pages become one document, which Chromium prints: formulas, figures and fonts are those of
the book, and links between chapters lead to pages of the PDF. A question keeps its options; its
answers stand at the end of the document. Steps of derivations and the backs of cards are open, code
that pages fold away is left out.
"""

from __future__ import annotations

import argparse
import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
TARGET = ROOT / "_build" / "cake-shop-detective.pdf"

#: Only what paper needs: the rest is the book's own style sheet.
STYLE = """
html { font-size: 13.5px; scroll-padding: 0; }
body { margin: 0; background: white; }
* { content-visibility: visible !important; animation: none !important; }
article { break-before: page; max-width: none; }
article:first-of-type { break-before: auto; }
.headerlink, .copybtn, button, .admonition.hide, .toctree-wrapper,
.cell.tag_hide-input .cell_input, .cell.tag_hide-cell .cell_input { display: none !important; }
h2, h3, h4, legend, summary { break-after: avoid; }
figure, img, svg, table, .katex-display, .gmm-question, .gmm-card, .admonition {
  break-inside: avoid; }
.cell_output, pre, .math-wrapper, .sd-card, .table-wrapper { overflow: visible !important; }
pre { white-space: pre-wrap !important; overflow-wrap: anywhere; font-size: 0.82em; }
details > summary { list-style: none; }
.katex-display { overflow: visible !important; }
table { font-size: 0.88em; }
"""

#: Scale down what is wider than the page: a formula that is cut is worse than a small one.
SHRINK = """
() => {
  const room = document.querySelector('article').getBoundingClientRect().width;
  let count = 0;
  for (const item of document.querySelectorAll('.katex-display, table, svg, .gmm-live')) {
    const inner = item.matches('.katex-display') ? item.querySelector('.katex') : item;
    const holder = item.parentElement.getBoundingClientRect();
    const wide = item.matches('.katex-display')
      ? Math.max(item.scrollWidth, ...[...item.querySelectorAll('.katex-html, .base, .tag')]
          .map(part => part.scrollWidth))
      : item.scrollWidth;
    const most = Math.min(room, holder.width);
    if (wide > most + 1 && most > 50) { inner.style.zoom = String(most / wide * 0.98); count += 1; }
  }
  return count;
}
"""


def document(html: Path) -> str:
    """One HTML document from the built pages, in the order of ``_toc.yml``."""
    pages = _pages()
    known = {f"{name}.html" for name in pages}
    articles, answers = [], []
    number = 0
    for name in pages:
        text = (html / f"{name}.html").read_text(encoding="utf-8")
        article = BeautifulSoup(text, "html.parser").find("article")
        title = article.find("h1").get_text().rstrip("#¶ \n")
        for useless in article.select("script, noscript, [data-casebook=progress]"):
            useless.decompose()
        _link(article, name, known)
        number = _take_answers(article, title, answers, number)
        for details in article("details"):
            details["open"] = ""
        article["id"] = _anchor(name)
        # Clips, markers and glyphs of drawings are named in attributes of many kinds.
        articles.append(re.sub(r"url\(#", f"url(#{_anchor(name)}--", str(article)))
    body = "".join(articles)
    listed = "".join(answers)
    return (
        '<!doctype html><html lang="en" data-theme="light" data-mode="light"><meta charset="utf-8">'
        "<title>The Cake-Shop Detective</title>"
        f'<base href="{html.as_uri()}/">'
        '<link rel="stylesheet" href="_static/casebook-page.css">'
        f"<style>{STYLE}</style><main>{body}"
        f'<article class="bd-article" id="answers"><h1>Answers</h1>{listed}</article></main></html>'
    )


def _pages() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = toc.get("parts", [toc])
    return [toc["root"], *(entry["file"] for part in parts for entry in part["chapters"])]


def _anchor(name: str, fragment: str = "") -> str:
    stem = name.rsplit("/", 1)[-1]
    return f"{stem}--{fragment}" if fragment else stem


def _link(article: Tag, name: str, known: set[str]) -> None:
    """Make ids and addresses hold in one document."""
    for item in article(id=True):
        item["id"] = _anchor(name, item["id"])
    for item in article(["use"]):
        for key in ("href", "xlink:href"):
            if item.get(key, "").startswith("#"):
                item[key] = f"#{_anchor(name, item[key][1:])}"
    for item in article("a", href=True):
        parts = urlsplit(item["href"])
        if parts.scheme or parts.netloc:
            continue
        page = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
        if not parts.path:
            item["href"] = f"#{_anchor(name, parts.fragment)}"
        elif page in known:
            item["href"] = f"#{_anchor(page.removesuffix('.html'), parts.fragment)}"
        else:  # a file beside the pages: it is not in the PDF
            del item["href"]
    for item in article(["img", "source"], src=True):
        if not item["src"].startswith("data:"):
            item["src"] = posixpath.normpath(posixpath.join(posixpath.dirname(name), item["src"]))


def _take_answers(article: Tag, title: str, answers: list[str], number: int) -> int:
    """Number the questions of a page and move their answers to the end of the document."""
    taken = []
    for question in article.select(".gmm-question"):
        details = question.find("details")
        if details is None:
            continue
        number += 1
        details.extract()
        details.summary.decompose()
        for letter in question.select("input"):
            letter.decompose()
        question["id"] = f"question-{number}"
        mark = BeautifulSoup(
            f'<p><a href="#answer-{number}">Question {number}: answer at the end</a></p>',
            "html.parser",
        )
        question.append(mark)
        taken.append(
            f'<div id="answer-{number}"><h3><a href="#question-{number}">{number}</a></h3>'
            f"{details.decode_contents()}</div>"
        )
    if taken:
        answers.append(f"<h2>{title}</h2>{''.join(taken)}")
    return number


def main() -> None:
    """Print the built book."""
    parser = argparse.ArgumentParser(prog="make pdf", description=__doc__.split("\n")[0])
    parser.add_argument("--html", type=Path, default=HTML)
    parser.add_argument("--target", type=Path, default=TARGET)
    options = parser.parse_args()
    from benchmarks.pages import chromium  # the browser that the tests use

    scratch = options.html / "print.html"
    scratch.write_text(document(options.html), encoding="utf-8")
    try:
        with chromium() as browser:
            page = browser.new_page(offline=True, viewport={"width": 680, "height": 960})
            page.emulate_media(media="print", color_scheme="light", reduced_motion="reduce")
            page.goto(scratch.as_uri(), timeout=300_000)
            page.evaluate("document.fonts.ready")
            print(f"{page.evaluate(SHRINK)} wide formulas, tables and figures made smaller")
            page.pdf(
                path=str(options.target), format="A4", outline=True, tagged=True,
                print_background=True, display_header_footer=True, header_template="<span></span>",
                footer_template='<div style="width:100%;text-align:center;font-size:8px">'
                '<span class="pageNumber"></span></div>',
                margin={"top": "16mm", "bottom": "16mm", "left": "17mm", "right": "17mm"},
            )  # fmt: skip
    finally:
        scratch.unlink()
    size = options.target.stat().st_size / 1e6
    print(f"The book as a PDF ({size:.1f} MB): {options.target}")


if __name__ == "__main__":
    main()
