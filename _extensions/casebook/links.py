"""Links to the files that the book writes beside its pages."""

from __future__ import annotations

import posixpath

from docutils import nodes


def download(docname: str, file: str) -> nodes.paragraph:
    """A line with a link from a page to a file, by its place in the built book."""
    address = posixpath.relpath(file, posixpath.dirname(docname))
    words = f"Download {posixpath.basename(file)}"
    return nodes.paragraph("", "", nodes.reference("", words, refuri=address, internal=False))
