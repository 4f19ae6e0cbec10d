"""The page that shows what was solved, from notebooks as a learner saves them."""

from __future__ import annotations

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_output

from exercises.grading import master
from gmmlib.exercises import certificate
from tests.test_exercises import checked


def save(folder, name, notebook) -> None:
    """Save a notebook with what its checks show, as JupyterLab does."""
    shown = checked(notebook)
    for cell in notebook.cells:
        if cell.id.endswith("-check"):
            data = shown[cell.id.removesuffix("-check")]._repr_mimebundle_()
            cell.outputs = [new_output("execute_result", data, execution_count=1)]
    nbformat.write(notebook, folder / name)


@pytest.fixture(scope="module")
def problem_set():
    return master.load("ps1")


def page(folder, *name) -> BeautifulSoup:
    return BeautifulSoup(certificate(*name, folder=folder).read_text("utf-8"), "html.parser")


def test_it_shows_what_was_solved_and_that_nobody_verified_it(tmp_path, problem_set):
    wrong = problem_set.mistakes("moments")["Only the spread within"][1]
    save(tmp_path, "ps1.ipynb", problem_set.answered({"moments": wrong}))
    made = page(tmp_path, "Zoë <O'Neil>")
    assert made.h1.text == "What Zoë <O'Neil> solved"
    rows = {row.td.text: row.find_all("td")[1].text for row in made.select("tbody tr")}
    assert rows["2. The logarithm of a normal density"] == "✓ 2 of 2"
    assert rows["3. Where a mixture stands, and how wide it is"] == "0.5 of 1.5"
    assert made.h2.text == problem_set.title
    assert "9 of 10 points" in made.main.p.text
    assert "Not verified" in made.text
    assert not made.select("script, link, img")


def test_what_was_not_checked_was_not_tried(tmp_path, problem_set):
    nbformat.write(problem_set.release(), tmp_path / "renamed by hand.ipynb")
    (tmp_path / "other.ipynb").write_text("not a notebook")
    made = page(tmp_path)
    assert {row.find_all("td")[1].text for row in made.select("tbody tr")} == {"not tried"}


def test_the_better_of_two_copies_counts(tmp_path, problem_set):
    save(tmp_path, "a.ipynb", problem_set.release())
    save(tmp_path, "b.ipynb", problem_set.solution())
    made = page(tmp_path)
    assert len(made.select("h2")) == 1
    assert "10 of 10 points" in made.main.p.text


def test_an_empty_folder_is_told_to_save_first(tmp_path):
    with pytest.raises(FileNotFoundError, match="save the notebook"):
        certificate(folder=tmp_path)
