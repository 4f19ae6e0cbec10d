"""Live elements: numbers in the page, and one script of the book's own that draws them.

A live element is a ``<div data-casebook="kind">`` that holds a fallback (what a reader without
script gets) and its payload as JSON. The files of the folder ``browser`` draw it: in the book as
one classic script for all pages, which also runs from ``file://``; in JupyterLab as a copy inside
the output. No library, no server, no kernel.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from gmmlib.show.palette import COMPONENTS

_FOLDER = Path(__file__).with_name("browser")

#: ``base`` defines what the others use; the order of these does not matter otherwise.
_FIRST = "base"


@cache
def script() -> str:
    """Everything that runs in the reader's browser, as one classic script.

    Running it a second time on the same page only starts the elements that are new.
    """
    parts = "\n".join(path.read_text(encoding="utf-8") for path in _parts("js"))
    return (
        "(() => {\nif (globalThis.casebook) { globalThis.casebook.start(); return; }\n"
        f"const PALETTE = {json.dumps(COMPONENTS)};\n{parts}\ncasebook.start();\n}})();\n"
    )


@cache
def style() -> str:
    """The style sheet that belongs to the script."""
    return "\n".join(path.read_text(encoding="utf-8") for path in _parts("css"))


def _parts(extension: str) -> list[Path]:
    return sorted(_FOLDER.glob(f"*.{extension}"), key=lambda path: (path.stem != _FIRST, path.name))


def in_jupyterlab(page: str) -> str:
    """HTML of live elements with script and style, for an output outside the book."""
    return f"<style>{style()}</style>{page}<script>{script()}</script>"


@dataclass(frozen=True)
class Live:
    """One live element.

    Attributes
    ----------
    kind : what draws it; lower-case letters, digits and hyphens
    payload : JSON-serialisable, numbers finite
    fallback : HTML that stands where no script runs, and that the script may keep

    Raises
    ------
    ValueError
        If the payload holds NaN or infinity: nothing could be drawn.
    """

    kind: str
    payload: Mapping[str, object] = field(repr=False)
    fallback: str = field(repr=False)

    def __post_init__(self) -> None:
        where = _not_finite(self.payload, self.kind)
        if where:
            raise ValueError(
                f"{where} is not a finite number; a page cannot draw it. Look for a collapsed or "
                "empty component in the run that made it"
            )

    @property
    def html(self) -> str:
        """The element alone, without script and style; no blank line in it."""
        data = json.dumps(self.payload, separators=(",", ":"), ensure_ascii=False)
        data = data.replace("</", "<\\/")  # or the text </script> would end the element
        page = (
            f'<div class="gmm-live" data-casebook="{html.escape(self.kind)}">'
            f'<script type="application/json">{data}</script>'
            f'<div class="gmm-fallback">{self.fallback}</div></div>'
        )
        return re.sub(r"\n\s*\n", "\n", page)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {
            "text/markdown": f"~~~{{raw}} html\n{self.html}\n~~~",
            "text/html": in_jupyterlab(self.html),
        }


def _not_finite(value: object, where: str) -> str:
    """Where in nested lists and mappings the first number stands that is not finite, or ''."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else where
    if isinstance(value, Mapping):
        found = (_not_finite(item, f"{where}: {key}") for key, item in value.items())
    elif isinstance(value, list | tuple):
        found = (_not_finite(item, f"{where}[{i}]") for i, item in enumerate(value))
    else:
        return ""
    return next(filter(None, found), "")
