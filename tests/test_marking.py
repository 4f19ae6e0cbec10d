"""Every question as it is graded: in the sandbox, on hidden inputs, compared outside."""

from __future__ import annotations

import pytest

from exercises.grading import marking, sandbox
from tests.problem_sets import NAMES, ROUNDS, SETS, rounds

pytestmark = pytest.mark.skipif(
    sandbox.available() is not None, reason=f"grading: {sandbox.available()}"
)


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_gets_all_points_and_the_blank_none(name):
    solved = marking.mark(SETS[name], SETS[name].solution())
    assert {m.question: m.points for m in solved.marks} == {m.question: m.of for m in solved.marks}
    assert solved.points == pytest.approx(10)
    assert solved.notes == ()
    blank = marking.mark(SETS[name], SETS[name].release())
    assert [m.points for m in blank.marks] == [0] * len(solved.marks)
    assert all("Not answered yet" in m.feedback for m in blank.marks)


@pytest.mark.parametrize(("name", "number"), ROUNDS)
def test_known_mistakes_get_their_points_and_their_hints(name, number):
    problem_set, wrong = SETS[name], rounds(name)[number]
    known = {question: problem_set.mistakes(question)[m] for question, m in wrong.items()}
    notebook = problem_set.answered({question: code for question, (_, code) in known.items()})
    for mark in marking.mark(problem_set, notebook).marks:
        if mark.question in known:
            assert mark.points == known[mark.question][0].points, mark
            assert known[mark.question][0].hint in mark.feedback
        else:
            assert mark.points == mark.of, mark


def test_a_result_survives_its_json():
    problem_set = SETS["ps1"]
    result = marking.mark(problem_set, problem_set.release())
    assert marking.Result.from_json(result.to_json()) == result


def test_a_refused_import_is_named():
    problem_set = SETS["ps1"]
    wrong = "from sklearn.mixture import GaussianMixture\nslope = 0\n"
    result = marking.mark(problem_set, problem_set.answered({"slope": wrong}))
    mark = next(m for m in result.marks if m.question == "slope")
    assert mark.points == 0
    assert "asks you to write this yourself" in mark.feedback
    assert any("sklearn.mixture" in note for note in result.notes)
