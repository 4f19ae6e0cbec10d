"""One folder that works from ``file://`` with the network off, and holds the book's pages.

It also keeps a first visit small. The theme brings ten style sheets, 1,900 icons and a search index
for every page. Here the style sheets become one, only the icons that some page shows are kept, and
a page gets a script only if it holds something for it.
"""

from __future__ import annotations

import logging
import posixpath
import re
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

_TEMPLATES = Path(__file__).with_name("templates")

#: What a page must hold to get a script: each is dead weight without it.
_NEEDED_FOR = {
    "clipboard.min.js": 'class="highlight',
    "copybutton.js": 'class="highlight',
    "design-tabs.js": "sd-tab-set",
}

#: What the HTML that others write tells screen readers, and should not: a name that contradicts the
#: text beside it, a list whose items are none, a role that is no longer one.
_WRONG_FOR_SCREEN_READERS = (
    ' aria-label="Toggle hidden content"',
    ' role="list"',
    ' role="doc-biblioentry"',
)

#: The theme's template names these two; Sphinx's list holds the others.
_THEME_SHEETS = ("basic.css", "styles/pydata-sphinx-theme.css")

#: The joined style sheet. The template layout.html names it.
_SHEET = "casebook-page.css"

#: Font Awesome's icons are private characters of Unicode; a style sheet may write them escaped.
_ICONS = Path("vendor/fontawesome/webfonts")
_ICON_RULE = re.compile(r'(?:\.fa-[\w-]+:{1,2}before,?)+\{(?:--fa:)?content:"[^"]*"\}')
_ICON = re.compile(r"[\ue000-\uf8ff]|\\[ef][0-9a-f]{3}\b")


def _prepare(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document) -> None:
    """Take from one page what it does not need, and what is wrong there."""
    sheets = [str(sheet.filename) for sheet in context["css_files"]]
    app.casebook_sheets.update(dict.fromkeys(s.removeprefix("_static/") for s in sheets))
    context["casebook_version"] = app.config.casebook_assets[:8]
    body = context.get("body", "")
    for wrong in _WRONG_FOR_SCREEN_READERS:
        body = body.replace(wrong, "")
    if body:
        context["body"] = body
    context["script_files"] = [
        script
        for script in context["script_files"]
        if _NEEDED_FOR.get(posixpath.basename(script.filename or ""), "") in body
    ]


def _join_sheets(static: Path, sheets: list[str]) -> str:
    """One style sheet from many, with addresses that hold where it lies."""
    parts = []
    for name in sheets:
        text = (static / name).read_text(encoding="utf-8").removeprefix('@charset "UTF-8";')
        if "@import" in text:
            raise ExtensionError(f"{name} imports another style sheet, which cannot be joined")
        folder = posixpath.dirname(name)

        def moved(match: re.Match, folder: str = folder) -> str:
            address = match["address"]
            if not address.startswith(("data:", "#")):
                address = posixpath.normpath(posixpath.join(folder, address))
            return f"url({match['quote']}{address}{match['quote']})"

        parts.append(re.sub(r"url\((?P<quote>['\"]?)(?P<address>[^'\")]+)\1\)", moved, text))
    return '@charset "UTF-8";\n' + "\n".join(parts)


def _keep_icons(sheet: str, pages: str, static: Path) -> str:
    """The style sheet with rules for the icons that pages or scripts name, and a font of these."""
    named = set(re.findall(r"fa-[\w-]+", pages))

    def rule(match: re.Match) -> str:
        return match[0] if named & set(re.findall(r"fa-[\w-]+", match[0])) else ""

    sheet = _ICON_RULE.sub(rule, sheet)
    font = _ICONS / "fa-solid-900"
    icons = {int(i[1:], 16) if i[0] == "\\" else ord(i) for i in _ICON.findall(sheet)}
    _write_font((static / font).with_suffix(".ttf"), icons)
    solid = rf"url\({font}\.woff2\) format\(\"woff2\"\),url\({font}\.ttf\) format\(\"truetype\"\)"
    sheet, count = re.subn(solid, f'url({font}.woff) format("woff")', sheet)
    if count != 1:
        raise ExtensionError("the theme names its icon font in another way than it did")
    return sheet


def _write_font(source: Path, icons: set[int]) -> None:
    """Write the icons of a font as .woff beside it."""
    from fontTools import subset  # here, because only a build of pages needs it

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # or it tells every table
    options = subset.Options(flavor="woff", layout_features=[], name_IDs=[0, 1, 2, 13, 14])
    font = subset.load_font(str(source), options)
    choice = subset.Subsetter(options)
    choice.populate(unicodes=icons)
    choice.subset(font)
    font["head"].modified = font["head"].created  # or two builds would differ
    subset.save_font(font, str(source.with_suffix(".woff")), options)


def _tidy(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    static = out / "_static"
    # Font Awesome's script turns icon elements into drawings; the web fonts show the same icons,
    # and widgets whose buttons are such elements stop working under it.
    for script in [static / "scripts/fontawesome.js", *static.glob("vendor/fontawesome/**/*.js")]:
        script.unlink(missing_ok=True)
    for source_map in static.glob("**/*.map"):
        source_map.unlink()
    shutil.rmtree(out / "reports", ignore_errors=True)  # tracebacks of earlier builds
    _check_pages(app, out)
    if app.casebook_sheets:  # empty when every page is still good
        naming = [*out.glob("**/*.html"), *static.glob("**/*.js")]
        pages = "\n".join(path.read_text(encoding="utf-8") for path in naming)
        sheet = _join_sheets(static, [*_THEME_SHEETS, *app.casebook_sheets])
        sheet = _keep_icons(sheet, pages, static)
        (static / _SHEET).write_text(sheet, encoding="utf-8")


def _check_pages(app: Sphinx, out: Path) -> None:
    """The pages of ``_toc.yml``, all of them, and no page that an earlier build left behind."""
    wanted = {Path(f"{name}.html") for name in app.config.external_site_map}
    for stale in {path.relative_to(out) for path in (out / "chapters").glob("**/*.html")} - wanted:
        (out / stale).unlink()
    missing = sorted(page.as_posix() for page in wanted if not (out / page).exists())
    if missing:
        raise ExtensionError(f"_toc.yml names pages that did not come out: {', '.join(missing)}")


def _use_templates(app: Sphinx, config: object) -> None:
    config.templates_path = [str(_TEMPLATES), *config.templates_path]


def setup(app: Sphinx) -> None:
    """Clean up after the build."""
    # Jupyter Book sets it for an extension that this book leaves out.
    app.add_config_value("comments_config", {}, "", dict)
    app.casebook_sheets = {}
    app.connect("config-inited", _use_templates)
    # Late: the theme and other extensions have had their say about a page's files.
    app.connect("html-page-context", _prepare, priority=900)
    # Late, too: the theme writes the colours of code when the build is finished.
    app.connect("build-finished", _tidy, priority=900)
