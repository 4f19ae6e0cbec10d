"""Number equations (and figures and tables) after the chapter number in the file name.

``chapters/06-why-log-l-never-decreases.md`` holds equations (6.1), (6.2), ...; pages without a
number in front, such as the notation, share one plain count (1), (2), .... The same number
stands beside the equation and in every ``{eq}`` that points to it, because both read
``env.toc_fignumbers``, which is rewritten here after Sphinx has filled it.
"""

from __future__ import annotations

import re
from copy import deepcopy

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

# docname -> kind ("displaymath", "figure", ...) -> node id -> number
Numbers = dict[str, dict[str, dict[str, tuple[int, ...]]]]


def chapter_number(docname: str) -> int | None:
    """Chapter number in a page's file name; None for pages such as the notation."""
    match = re.match(r"(\d+)-", docname.rsplit("/", 1)[-1])
    return int(match.group(1)) if match else None


def renumber(numbers: Numbers) -> Numbers:
    """Sphinx's numbers of a whole book, rewritten per chapter; order within a page is kept."""
    plain: dict[str, int] = {}
    result: Numbers = {}
    for docname in sorted(numbers):
        chapter = chapter_number(docname)
        result[docname] = {}
        for kind, ids in numbers[docname].items():
            result[docname][kind] = {}
            for count, (node_id, _) in enumerate(sorted(ids.items(), key=lambda i: i[1]), start=1):
                if chapter is not None:
                    result[docname][kind][node_id] = (chapter, count)
                else:
                    plain[kind] = plain.get(kind, 0) + 1
                    result[docname][kind][node_id] = (plain[kind],)
    return result


def _restore(app: Sphinx, env: BuildEnvironment) -> list[str]:
    # Sphinx compares its new numbers with the old ones to see which pages must be written again;
    # it has to find its own there, not ours.
    env.toc_fignumbers = getattr(env, "casebook_plain_numbers", env.toc_fignumbers)
    return []


def _rewrite(app: Sphinx, env: BuildEnvironment) -> list[str]:
    env.casebook_plain_numbers = deepcopy(env.toc_fignumbers)
    env.toc_fignumbers = renumber(env.toc_fignumbers)
    return []


def _note_reading(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    env.casebook_read_something = bool(docnames)


def _write_everything(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Write all pages when one was read.

    A number, a title or a derivation that changed on one page shows on others; writing costs
    little next to reading, so nothing is kept that might be out of date.
    """
    return sorted(env.found_docs) if env.casebook_read_something else []


def setup(app: Sphinx) -> None:
    """Run around Sphinx's own numbering, which listens with the default priority of 500."""
    app.connect("env-before-read-docs", _note_reading)
    app.connect("env-updated", _write_everything)
    app.connect("env-get-updated", _restore, priority=100)
    app.connect("env-get-updated", _rewrite, priority=900)
