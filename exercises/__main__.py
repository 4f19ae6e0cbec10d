"""Write the students' notebooks: ``python -m exercises [FOLDER]``.

A notebook that is already there stays as it is: somebody may have answered in it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import nbformat

from exercises.grading import master


def main(folder: Path) -> None:
    """Write the notebook of every problem set that the folder does not have yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for text in sorted(master.FOLDER.glob("ps*.md")):
        path = folder / f"{text.stem}.ipynb"
        if path.exists():
            print(f"{path} is there and stays as it is; delete it to begin again")
        else:
            path.write_text(
                nbformat.writes(master.load(text.stem).release()), encoding="utf-8", newline="\n"
            )
            print(f"{path} written")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m exercises", description="Write the students' notebooks."
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=master.FOLDER / "notebooks",
        help="where to write them; a notebook that is there stays as it is",
    )  # fmt: skip
    main(parser.parse_args().folder)
