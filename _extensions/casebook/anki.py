"""The chapters' cards as ``mixtures.apkg``, a package for Anki, beside the pages.

A package is a zip with an SQLite file in it. It is the same, byte for byte, whenever the same cards
are packed with the same versions of SQLite and genanki: times are those of the edition, and the
zip's own clock stands still.

A note is known by its chapter and the id of its card, so who imports a later edition keeps what
they have learned, and has no card twice. Anki takes over a changed text only if it is newer than
what it has: move ``EDITION`` forward when cards were changed.
"""

from __future__ import annotations

import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .links import download
from .numbering import chapter_number

EDITION = datetime(2026, 11, 23, tzinfo=UTC)
FILE = "mixtures.apkg"

# By these Anki knows the deck and the kind of note again; they must never change.
_DECK, _MODEL = 1_784_310_517, 1_784_310_518
_NAME = "Gaussian mixtures and EM (The Cake-Shop Detective)"
_CSS = """.card { font-family: sans-serif; font-size: 20px; text-align: center; }
.source { margin-top: 2em; font-size: 14px; opacity: 0.7; }"""
_FRONT = "{{Front}}"
_BACK = '{{FrontSide}}<hr id="answer">{{Back}}<div class="source">{{Source}}</div>'


@dataclass(frozen=True)
class Note:
    """A card as Anki gets it: HTML, with formulas as Anki's MathJax wants them."""

    id: str
    front: str
    back: str
    source: str
    tag: str


def to_anki(text: str, inline: bool = False) -> str:
    r"""HTML of a card's Markdown, formulas within ``\(...\)`` and ``\[...\]``.

    Parameters
    ----------
    text : Markdown with ``$math$``, as in a chapter's YAML
    inline : whether it is a part of one line, without a paragraph around it
    """
    from gmmlib.show.markup import to_html  # here, for it imports matplotlib

    def written(match: re.Match) -> str:
        if match["display"]:
            return rf"\[{match['display'].strip()}\]"
        return rf"\({match['inline'].strip()}\)" if match["inline"] else "$"

    return to_html(text, inline, written).strip()


def notes(folder: Path) -> Iterator[Note]:
    """The cards of every chapter in a folder, in order."""
    from gmmlib.show.progress import title  # here, for it imports matplotlib
    from gmmlib.show.review import chapter_files

    for page, content in chapter_files(folder).items():
        number, name = chapter_number(page.stem), title(page).partition(" ")[2]
        source = f"The Cake-Shop Detective, chapter {number}: {name}"
        for card in content.cards:
            yield Note(
                id=f"{page.stem}/{card.id}",
                front=to_anki(card.front, inline=True),
                back=to_anki(card.back),
                source=to_anki(source, inline=True),
                tag=f"mixtures::chapter-{number:02}",
            )


def write(folder: Path, target: Path) -> int:
    """Write the package of a folder's cards; how many there are (no file is written for none)."""
    import genanki  # here, because only a build of pages needs it

    fields = [{"name": name} for name in ("Front", "Back", "Source")]
    templates = [{"name": "Card", "qfmt": _FRONT, "afmt": _BACK}]
    model = genanki.Model(_MODEL, "Mixtures", fields=fields, templates=templates, css=_CSS)
    deck = genanki.Deck(_DECK, _NAME)
    for note in notes(folder):
        deck.add_note(
            genanki.Note(
                model=model,
                fields=[note.front, note.back, note.source],
                guid=genanki.guid_for("cake-shop-detective", note.id),
                tags=[note.tag],
            )
        )
    if deck.notes:
        with tempfile.TemporaryDirectory() as scratch:
            package = Path(scratch) / FILE
            genanki.Package(deck).write_to_file(package, timestamp=EDITION.timestamp())
            _copy_without_clock(package, target)
    return len(deck.notes)


def _copy_without_clock(source: Path, target: Path) -> None:
    """The same zip, with every file of the same early date."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # or Windows would write another number than the others
            new.writestr(entry, old.read(name))


class AnkiPackage(SphinxDirective):
    """A link to the package."""

    def run(self) -> list[nodes.Node]:
        return [download(self.env.docname, FILE)]


def _write(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    target = Path(app.outdir) / FILE
    if target.exists() and not app.env.casebook_read_something:
        return  # a changed card makes its chapter read again
    sys.path.insert(0, str(app.confdir))
    write(Path(app.confdir) / "chapters", target)


def setup(app: Sphinx) -> None:
    """Register the directive ``anki-package``, and write the package with the pages."""
    app.add_directive("anki-package", AnkiPackage)
    app.connect("build-finished", _write)
