"""Set every formula with KaTeX when the book is built.

Pages then need a style sheet and fonts and no math script. Program, style sheet and fonts come
from the one version of KaTeX that ``package-lock.json`` names. TeX that KaTeX refuses is reported
with its page and line.

Why not sphinxcontrib-katex, which does much the same: it connects to its server before that
server listens, so that now and then a build fails for no reason of the book's.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

_PROGRAM = Path(__file__).with_name("formulas.js")


_STRUT = re.compile(r'class="strut" style="height:([\d.]+)em;(?:vertical-align:-([\d.]+)em)?')


class TeXError(ValueError):
    """KaTeX cannot set a formula; the message is KaTeX's."""


class _KaTeX:
    """A Node process that sets one formula per line."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        node = shutil.which("node")
        if node is None or not (folder / "katex.js").exists():
            raise ExtensionError(
                "setting formulas needs Node and KaTeX: run `make book`, which brings both"
            )
        self.process = subprocess.Popen(
            [node, str(_PROGRAM), str(folder / "katex.js"), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def set(self, tex: str, display: bool) -> str:
        """HTML of a formula; raises TeXError."""
        print(json.dumps({"tex": tex, "display": display}), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise ExtensionError("the program that sets formulas ended (its message is above)")
        answer = json.loads(answer)
        if "error" in answer:
            raise TeXError(answer["error"])
        return answer["html"]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def _folder(app: Sphinx) -> Path:
    return Path(app.confdir) / "node_modules" / "katex" / "dist"


def _start(app: Sphinx) -> None:
    katex = _KaTeX(_folder(app), {"macros": app.config.casebook_macros})
    app.casebook_katex = katex
    # A formula is checked when its page is read and set when the page is written: ask once.
    app.casebook_set_formula = cache(katex.set)


def _stop(app: Sphinx, exception: Exception | None) -> None:
    if hasattr(app, "casebook_katex"):
        app.casebook_katex.close()


def _check(app: Sphinx, doctree: nodes.document) -> None:
    """Report TeX that KaTeX refuses when the page is read, where page and line are known."""
    for node in list(doctree.findall(lambda n: isinstance(n, nodes.math | nodes.math_block))):
        try:
            app.casebook_set_formula(node.astext(), isinstance(node, nodes.math_block))
        except TeXError as error:
            logger.warning("cannot set the formula %s: %s", node.astext(), error, location=node)
            node.replace_self(nodes.literal("", node.astext()))


def _set(writer: HTML5Translator, node: nodes.Element, display: bool) -> str:
    try:
        return writer.builder.app.casebook_set_formula(node.astext(), display)
    except TeXError as error:  # a formula that was made after its page was read
        logger.warning("cannot set the formula %s: %s", node.astext(), error, location=node)
        return writer.encode(node.astext())


def visit_math(writer: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    writer.body.append(writer.starttag(node, "span", "", CLASS="math"))
    writer.body.append(_set(writer, node, display=False) + "</span>")
    raise nodes.SkipNode


def _height(formula: str) -> float:
    """Height of a displayed formula in its own em, from the struts that KaTeX puts into it.

    The browser keeps this room for a formula that it has not laid out yet (book.css).
    """
    struts = _STRUT.findall(formula)
    parts = [(float(height), float(depth or 0)) for height, depth in struts] or [(0.0, 0.0)]
    above = max(height - depth for height, depth in parts)
    return max(1.2, above + max(depth for _, depth in parts))  # 1.2 is the height of its line


def visit_math_block(writer: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula, then its number."""
    formula = _set(writer, node, display=True)
    height = f"--height: {_height(formula):.2f}"
    writer.body.append(writer.starttag(node, "div", CLASS="math", style=height))
    writer.body.append(formula)
    if node["number"]:
        number = get_node_equation_number(writer, node)
        writer.body.append(f'<span class="eqno">({number})')
        writer.add_permalink_ref(node, _("Link to this equation"))
        writer.body.append("</span>")
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def _copy_style(app: Sphinx) -> None:
    """Copy the style sheet and its fonts; every browser of the last years reads woff2."""
    source, target = _folder(app), Path(app.outdir) / "_static" / "katex"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    css = (source / "katex.min.css").read_text(encoding="utf-8")
    css = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)', "", css)
    (target / "katex.min.css").write_text(css, encoding="utf-8")
    for font in (source / "fonts").glob("*.woff2"):
        shutil.copy(font, target / "fonts")


def setup(app: Sphinx) -> None:
    """Register the renderer ``katex``; ``casebook_macros`` in the configuration holds macros."""
    app.add_config_value("casebook_macros", {}, "env", dict)
    app.add_html_math_renderer("katex", (visit_math, None), (visit_math_block, None))
    app.add_css_file("katex/katex.min.css")
    app.connect("builder-inited", _start)
    app.connect("builder-inited", _copy_style)
    app.connect("doctree-read", _check)
    app.connect("build-finished", _stop)
