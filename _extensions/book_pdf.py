"""The whole book as one PDF: `make pdf`.

The built pages become one document, which Chromium prints: formulas, figures and fonts are those of
the book, and links between chapters lead to pages of the PDF. A question keeps its options; its
answers stand at the end of the document. Steps of derivations and the backs of cards are open. What
paper does not need is left out: code that pages fold away, the bank and the deck of the last
chapter as far as they repeat the chapters, the ledger's table, and the pages that are not for
reading from end to end.
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

#: A sheet of A4 without its margins of 17 mm, in the pixels of a style sheet.
WIDTH = 665

#: Pages to look things up beside the code, which `help` prints too, or for who maintains the book.
LEFT_OUT = {"chapters/reference", "chapters/jupyter-book"}

#: What needs a browser or repeats the chapters, and what is said in its place.
STANDS_IN = {
    "script, noscript, #your-progress, #what-you-have-done, [data-casebook=finish]": "",
    "table.ledger": "On paper this table is left out: each equation stands in its chapter, "
    "with its evidence beside it.",
    "#the-question-bank > p": "The questions of the other chapters stand in them, and their "
    "answers at the end. Here are those that cut across the chapters.",
    "#the-deck > p": "The cards of the other chapters stand in them. Here are those of this one.",
}

#: What a live element says of itself where it cannot run.
ON_PAPER = {
    "This moves only with JavaScript": "On the page this moves",
    "This is a game with JavaScript": "On the page this is a game",
}

#: Only what paper needs: the rest is the book's own style sheet.
STYLE = """
html { font-size: 12.5px; scroll-padding: 0; --pst-font-size-h1: 1.9rem;
  --pst-font-size-h2: 1.5rem; --pst-font-size-h3: 1.25rem; --pst-font-size-h4: 1.1rem; }
body { margin: 0; background: white; line-height: 1.45; }
* { content-visibility: visible !important; animation: none !important; }
article { break-before: page; max-width: none; }
article:first-of-type { break-before: auto; }
h1, h2, h3, h4 { margin: 1.6rem 0 0.7rem; }
p { margin-bottom: 0.7rem; }
pre { margin: 0.5rem 0; padding: 0.5rem 0.8rem; }
.headerlink, .copybtn, button, .admonition.hide, .toctree-wrapper, .sd-summary-state-marker,
.gmm-map-rail, .gmm-map-curves,
.cell.tag_hide-input .cell_input, .cell.tag_hide-cell .cell_input { display: none !important; }
h1, h2, h3, h4, legend, summary, .derivation-claim > p, .derivation-step > p {
  break-after: avoid; }
figure, img, svg, tr, .katex-display, .derivation-claim, .derivation-step, .gmm-question,
.gmm-card, .gmm-map-card, .answer li { break-inside: avoid; }
.cell_output, pre, .math-wrapper, .sd-card, .table-wrapper { overflow: visible !important; }
pre { white-space: pre-wrap !important; overflow-wrap: anywhere; font-size: 0.82em; }
details > summary { list-style: none !important; }
details.gmm-card > summary { min-height: 0 !important; font-weight: 600; }
.gmm-question, .gmm-card { margin: 0.6rem 0; padding: 0.5rem 0.8rem; }
.gmm-question label { padding-block: 0 !important; min-height: 0 !important; }
.gmm-question p { margin: 0.2rem 0 0; font-size: 0.9em; }
.gmm-live { max-width: none; margin: 0.6rem 0; }
.gmm-map { container-type: normal; }
.gmm-map-grid > ol { columns: 2; }
.gmm-map-part { break-after: avoid; }
.katex-display { overflow: visible !important; background: none !important; }
table { font-size: 0.88em; }
.answer { margin: 0.7rem 0; }
.answer > p:first-child { break-after: avoid; }
.gmm-live table { break-inside: avoid; }
pre, .highlight, .cell, .cell_input, .cell_output { break-inside: auto !important; }
pre { orphans: 4; widows: 4; }
a:not([href]) { color: inherit !important; text-decoration: none !important; }
.answer p { margin: 0; }
.answer ul { margin: 0; padding-left: 1.2rem; list-style: none; }
.answer li > p, .answer li > div, .answer li > div > p:first-child { display: inline; }
.front { font-size: 1.1em; }
.front > p:first-child { font-size: 2.6em; font-weight: 700; margin: 3rem 0 0; }
.front ul { list-style: none; margin: 0.2rem 0 0.7rem; padding-left: 1.5rem; }
"""

#: Scale down what is wider than its place: a formula that is cut is worse than a small one. What
#: is still too wide after that is counted.
SHRINK = """
() => {
  const wanted = item => {
    if (!item.matches('.katex-display')) return item.scrollWidth;
    const left = item.getBoundingClientRect().left;
    const right = Math.max(...[...item.querySelectorAll('.base')].map(base => {
      const range = document.createRange();
      range.selectNodeContents(base);
      return range.getBoundingClientRect().right;
    }));
    const tag = item.querySelector('.tag');
    // A number at the right edge needs as much room at the left of a formula in the middle.
    return right - left + (tag ? tag.getBoundingClientRect().width + 6 : 0);
  };
  const place = item => {
    const box = item.matches('.katex-display') ? item : item.parentElement;
    const style = getComputedStyle(box);
    return box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  };
  const found = [...document.querySelectorAll('.katex-display, table, svg, img, .gmm-live')]
    .filter(item => item.checkVisibility() && !item.closest('.katex svg'));
  let small = 0, left = 0;
  const sizes = found.map(item => [item, wanted(item), place(item)]);
  const wide = sizes.filter(([item, needs, room]) => needs > room + 1 && room > 50);
  for (const [item, needs, room] of wide) {
    const inner = item.matches('.katex-display') ? item.querySelector('.katex') : item;
    inner.style.zoom = String(Math.max(0.4, room / needs * 0.97));
    small += 1;
  }
  for (const [item, , room] of wide) if (wanted(item) > room + 2) left += 1;
  return [small, left];
}
"""


def document(html: Path, pages: list[str] | None = None) -> str:
    """One HTML document from built pages, or from all of them in the order of ``_toc.yml``."""
    parts = _parts()
    pages = pages or [page for _, chapters in parts for page in chapters]
    known = {f"{name}.html" for name in pages}
    articles, answers, titles = [], [], {}
    number = 0
    for name in pages:
        text = (html / f"{name}.html").read_text(encoding="utf-8")
        article = BeautifulSoup(text, "html.parser").find("article")
        titles[name] = article.find("h1").get_text().rstrip("#¶ \n")
        _leave_out(article, name)
        _link(article, name, known)
        number = _take_answers(article, titles[name], answers, number)
        for details in article("details"):
            details["open"] = ""
        article["id"] = _anchor(name)
        articles.append(article)
    # Clips, markers and glyphs of drawings are named in attributes of many kinds.
    body = "".join(
        re.sub(r"url\(#", f"url(#{article['id']}--", str(article)) for article in articles
    )
    return (
        '<!doctype html><html lang="en" data-theme="light" data-mode="light"><meta charset="utf-8">'
        "<title>The Cake-Shop Detective</title>"
        f'<base href="{html.as_uri()}/">'
        '<link rel="stylesheet" href="_static/casebook-page.css">'
        f"<style>{STYLE}</style><main>{_front(parts, titles)}{body}"
        '<article class="bd-article" id="answers"><h1>Answers</h1>'
        f"{''.join(map(str, answers))}</article></main></html>"
    )


def _parts() -> list[tuple[str, list[str]]]:
    """The parts of the book with their pages, as far as paper needs them."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = [("", [toc["root"]])]
    for part in toc["parts"]:
        chapters = [entry["file"] for entry in part["chapters"]]
        parts.append((part["caption"], [page for page in chapters if page not in LEFT_OUT]))
    return parts


def _front(parts: list[tuple[str, list[str]]], titles: dict[str, str]) -> str:
    """The title page, with the contents."""
    book = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    title, _, subtitle = book["title"].partition(": ")
    authors = ", ".join(author["name"] for author in book["authors"])
    listed = ""
    for caption, pages in parts:
        links = "".join(
            f'<li><a href="#{_anchor(page)}">{titles[page]}</a></li>'
            for page in pages
            if page in titles
        )
        listed += f"<strong>{caption}</strong><ul>{links}</ul>" if links else ""
    return (
        f'<article class="bd-article front" id="contents"><p>{title}</p><p>{subtitle}</p>'
        f"<p>{authors}<br>Edition {book['version']}, for paper. Text: CC BY 4.0; code: MIT.</p>"
        f"<p>What moves and what answers is on the pages of the book.</p>"
        f'{listed}<ul><li><a href="#answers">Answers</a></li></ul></article>'
    )


def _leave_out(article: Tag, name: str) -> None:
    for selector, words in STANDS_IN.items():
        for item in article.select(selector):
            if words:
                new = BeautifulSoup(f"<p>{words}</p>", "html.parser")
                item.replace_with(new)
            else:
                item.decompose()
    for chapter in article.select("[data-casebook=review] > [data-chapter]"):
        if chapter["data-chapter"] == name.rsplit("/", 1)[-1]:
            chapter.h4.decompose()
            chapter.details.summary.decompose()
            chapter.details.unwrap()
        else:
            chapter.decompose()
    for words, instead in ON_PAPER.items():
        for text in article.find_all(string=re.compile(words)):
            text.replace_with(text.replace(words, instead))


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


def _take_answers(article: Tag, title: str, answers: list[Tag], number: int) -> int:
    """Number the questions of a page and move their answers to the end of the document."""
    taken = BeautifulSoup(f"<section><h2>{title}</h2></section>", "html.parser").section
    for question in article.select(".gmm-question"):
        if not question.find("details"):
            continue
        number += 1
        question["id"] = f"question-{number}"
        answer = BeautifulSoup(
            f'<div class="answer" id="answer-{number}">'
            f'<p><strong><a href="#question-{number}">Question {number}</a></strong></p></div>',
            "html.parser",
        ).div
        for details in question("details"):
            details.extract()
            if details.select("[data-verdict]"):
                details.summary.decompose()
            else:  # not the options but a text to compare with
                details.summary.name = "p"
            answer.extend(list(details.children))
        for option in answer.select("[data-verdict]"):
            right = option["data-verdict"] == "right"
            option.strong.string = "✓" if right else "✗"
            if not right:  # its letter is enough: the option stands with the question
                option.span.string = f" {option.span.get_text().strip()[:2]}"
            option.p.append(" ")
        for letter in question.select("input"):
            letter.decompose()
        mark = f'<p><a href="#answer-{number}">Question {number}: answer at the end</a></p>'
        question.append(BeautifulSoup(mark, "html.parser"))
        taken.append(answer)
    if taken(class_="answer"):
        answers.append(taken)
    return number


def mend_outline(path: Path, headings: list[str]) -> None:
    """Give the outline of a PDF the titles as they stand in the book.

    Chromium loses spaces where a heading wraps, and doubles lines that moved to the next page.
    """
    import pikepdf  # here, because only printing needs it

    spelled = {"".join(heading.split()): " ".join(heading.split()) for heading in headings}

    def mend(items: list[pikepdf.OutlineItem]) -> None:
        for item in items:
            found = [key for key in spelled if "".join(item.title.split()).startswith(key)]
            if found:
                item.title = spelled[max(found, key=len)]
            mend(item.children)

    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        with pdf.open_outline() as outline:
            mend(outline.root)
        pdf.save(path)


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
            page = browser.new_page(offline=True, viewport={"width": WIDTH, "height": 960})
            page.emulate_media(media="print", color_scheme="light", reduced_motion="reduce")
            page.goto(scratch.as_uri(), timeout=300_000)
            page.evaluate("document.fonts.ready")
            small, wide = page.evaluate(SHRINK)
            print(f"{small} wide formulas, tables and figures made smaller; {wide} still too wide")
            headings = page.locator("h1, h2, h3, h4, h5, h6").all_inner_texts()
            page.pdf(
                path=str(options.target), format="A4", outline=True, tagged=True,
                print_background=True, display_header_footer=True, header_template="<span></span>",
                footer_template='<div style="width:100%;text-align:center;font-size:8px">'
                '<span class="pageNumber"></span></div>',
                margin={"top": "16mm", "bottom": "16mm", "left": "17mm", "right": "17mm"},
            )  # fmt: skip
    finally:
        scratch.unlink()
    mend_outline(options.target, headings)
    size = options.target.stat().st_size / 1e6
    print(f"The book as a PDF ({size:.1f} MB): {options.target}")


if __name__ == "__main__":
    main()
