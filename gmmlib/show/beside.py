"""Files that a chapter reads: beside it in the book, in gmmlib where it was downloaded alone."""

from importlib.resources import files
from pathlib import Path

_COPIES = Path(str(files("gmmlib"))) / "beside"


def beside(name: str | Path) -> Path:
    """The file of this name from the current folder, or the copy that the book's wheel brings.

    Parameters
    ----------
    name : as a chapter names it: ``04-responsibilities.yml``, ``../benchmarks/em.md``

    Returns
    -------
    Path; where neither is there, the first, so that an error names it
    """
    path = Path(name)
    copy = _COPIES / path.name
    return copy if copy.exists() and not path.exists() else path


def chapter_pages(folder: str | Path) -> list[Path]:
    """The chapters ``NN-name.md`` of a folder, in order, or the headings that the wheel brings.

    Parameters
    ----------
    folder : where the chapters lie in the book

    Returns
    -------
    list of Path; for the current folder without a chapter, those of the wheel, each of which holds
    its chapter's heading only
    """
    pages = sorted(Path(folder).glob("[0-9][0-9]-*.md"))
    if pages or Path(folder) != Path():
        return pages
    return sorted(_COPIES.glob("[0-9][0-9]-*.md"))
