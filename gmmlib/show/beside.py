"""Files that a chapter reads: beside it in the book, in gmmlib where it was downloaded alone."""

from importlib.resources import files
from pathlib import Path


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
    copy = Path(str(files("gmmlib"))) / "beside" / path.name
    return copy if copy.exists() and not path.exists() else path
