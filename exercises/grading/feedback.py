"""The feedback page: one file that opens without the network, and in which nothing can run.

HTML of a student shows as text, pictures from elsewhere become links, and the page's own rules for
the browser (a content security policy) forbid scripts and every other host. Formulas become MathML,
which browsers set by themselves, with the KaTeX that `make book` brought; without it, or where
KaTeX cannot read one, they stay TeX.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter

TEMPLATES = Path(__file__).with_name("templates")
KATEX = TEMPLATES.parents[2] / "node_modules" / "katex" / "dist" / "katex.js"
SET = """
const katex = require(process.argv[1]);
const tex = JSON.parse(require("fs").readFileSync(0, "utf-8"));
console.log(JSON.stringify(tex.map(([source, displayMode]) => {
  try { return katex.renderToString(source, { displayMode, output: "mathml", maxExpand: 200 }); }
  catch { return null; }
})));
"""
#: Where a formula stands until all of a text are set together; no text can hold these characters.
PLACE = "\ue000{}\ue001"


class SafeRenderer(IPythonRenderer):
    """Markdown to HTML that holds no HTML of its author's."""

    def __init__(self, attachments: dict[str, Any]) -> None:
        super().__init__(
            escape=True,
            allow_harmful_protocols=False,
            exclude_anchor_links=True,
            attachments=attachments,
        )
        self.formulas: list[tuple[str, bool]] = []

    def block_mermaidjs(self, code: str) -> str:
        return f"<pre>{escape(code)}</pre>"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        for kind, data in self.attachments.get(url.removeprefix("attachment:"), {}).items():
            if url.startswith("attachment:"):
                return f'<img alt="{escape(text)}" src="data:{escape(kind)};base64,{escape(data)}">'
        return f"[{escape(text or 'a picture')}: {escape(url)}]"

    def block_math(self, body: str) -> str:
        return f"<p>{self._formula(body, True)}</p>"

    def inline_math(self, body: str) -> str:
        return self._formula(body, False)

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")

    def _formula(self, tex: str, display: bool) -> str:
        self.formulas.append((tex, display))
        return PLACE.format(len(self.formulas) - 1)


#: What is longer is no text of a few paragraphs, and Markdown can be made to take minutes.
LONGEST_MARKDOWN = 5_000


def to_html(source: str, attachments: dict[str, Any] | None = None) -> str:
    """Markdown from anyone as HTML that harms nobody; a very long text is shown as it is."""
    if len(source) > LONGEST_MARKDOWN:
        return f"<pre>{escape(source)}</pre>"
    source = re.sub("[\ue000\ue001]", "", source)
    renderer = SafeRenderer(attachments or {})
    html = MarkdownWithMath(renderer=renderer).render(source)
    formulas = set_formulas(tuple(renderer.formulas))
    return re.sub(PLACE.format("(\\d+)"), lambda place: formulas[int(place[1])], html)


@cache
def set_formulas(formulas: tuple[tuple[str, bool], ...]) -> tuple[str, ...]:
    """HTML of each formula (TeX, whether displayed)."""
    as_text = [f"<code>{escape(tex.strip())}</code>" for tex, _ in formulas]
    node = shutil.which("node")
    if not formulas or node is None or not KATEX.exists():
        return tuple(as_text)
    try:
        ran = subprocess.run(
            [node, "-e", SET, str(KATEX)],
            input=json.dumps(formulas), capture_output=True, encoding="utf-8", timeout=30,
            check=True,
        )  # fmt: skip
        found = json.loads(ran.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return tuple(as_text)
    return tuple(html or text for html, text in zip(found, as_text, strict=True))


class FeedbackPage(HTMLExporter):
    """nbconvert's HTML, with the template `feedback_page` and without what a page could load."""

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        cell = context.get("cell", {})
        return to_html(source, cell.get("attachments"))

    def _init_resources(self, resources: dict | None) -> dict:
        resources = super()._init_resources(resources)
        resources["page_css"] = (TEMPLATES / "page.css").read_text(encoding="utf-8")
        resources["code_styles"] = {
            name: HtmlFormatter(style=f"a11y-high-contrast-{name}").get_style_defs(".highlight")
            for name in ("light", "dark")
        }
        return resources
