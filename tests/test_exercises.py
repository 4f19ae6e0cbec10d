"""Every question of every problem set: the solution, the blank and each known mistake."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from exercises.grading import master
from gmmlib.exercises.check import VERDICT_TYPE
from tests.problem_sets import NAMES, ROUNDS, SETS, rounds


def checked(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """Run a notebook's cells as its learner would; what each check shows."""
    space: dict[str, Any] = {}
    shown = {}
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.id == "certificate":
            continue
        if cell.id.endswith("-check"):
            shown[cell.id.removesuffix("-check")] = eval(cell.source, space)
        else:
            exec(cell.source, space)
    return shown


@pytest.fixture(scope="module", params=NAMES)
def problem_set(request) -> master.ProblemSet:
    return SETS[request.param]


def test_a_set_has_ten_points_and_what_each_set_has(problem_set):
    questions = problem_set.questions
    assert sum(question.points for question in questions) == pytest.approx(10)
    kinds = {question.kind for question in questions}
    assert {"function", "formula", "invariant"} <= kinds
    assert any(cell.id == "open" for cell in problem_set.release().cells)
    assert "You show that you can" in problem_set.text


def test_the_notebooks_are_valid_and_the_same_each_time(problem_set):
    again = master.load(problem_set.name)
    for make in ("release", "source", "solution"):
        notebook = getattr(problem_set, make)()
        nbformat.validate(notebook)
        assert nbformat.writes(notebook) == nbformat.writes(getattr(again, make)())
    assert problem_set.tests() == again.tests()


def test_the_students_notebook_holds_no_solution_and_no_hidden_test(problem_set):
    text = nbformat.writes(problem_set.release())
    for marker in ("BEGIN SOLUTION", "HIDDEN TESTS", "Slip(", "Suspect("):
        assert marker not in text
    code = [cell.source for cell in problem_set.release().cells if cell.cell_type == "code"]
    assert sum(master.STUB in source for source in code) == len(problem_set.ids)


def test_hidden_inputs_are_not_the_visible_ones(problem_set):
    for seen, hidden in zip(problem_set.visible, problem_set.questions, strict=True):
        if seen.kind in ("function", "formula"):
            assert str(seen.cases) != str(hidden.cases), seen.id


def test_the_solution_gets_all_points(problem_set):
    for shown in checked(problem_set.solution()).values():
        assert shown.verdict.points == shown.verdict.of, repr(shown)
        assert shown.borrowed is None


def test_the_blank_gets_none_and_is_told_so(problem_set):
    for shown in checked(problem_set.release()).values():
        assert shown.verdict.points == 0
        assert "Not answered yet" in shown.verdict.feedback or "None" in shown.verdict.feedback


@pytest.mark.parametrize(("name", "number"), ROUNDS)
def test_known_mistakes_get_their_own_hints_and_their_points(name, number):
    problem_set, wrong = SETS[name], rounds(name)[number]
    known = {question: problem_set.mistakes(question)[m] for question, m in wrong.items()}
    notebook = problem_set.answered({question: code for question, (_, code) in known.items()})
    for question, shown in checked(notebook).items():
        verdict = shown.verdict
        if question not in known:
            assert verdict.solved, repr(shown)  # no answer depends on another one
            continue
        mistake = known[question][0]
        assert mistake.hint in verdict.feedback, verdict.feedback
        assert verdict.points == mistake.points < verdict.of
        data = shown._repr_mimebundle_()
        assert mistake.hint in data["text/markdown"]
        assert data[VERDICT_TYPE]["points"] == mistake.points
