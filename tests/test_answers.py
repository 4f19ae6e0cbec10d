"""Answers as data: what travels, what agrees, what a formula is worth, what feedback says."""

from __future__ import annotations

import json
import math
from contextlib import suppress

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from gmmlib.exercises import Checks
from gmmlib.exercises.formulas import FormulaError, evaluate
from gmmlib.exercises.judge import Answer, judge
from gmmlib.exercises.questions import Case, Group, Mistake, Question, pack, unpack
from gmmlib.exercises.values import Formula, Raised, agree, decode, encode

numbers = st.floats(allow_nan=True, allow_infinity=True)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | numbers
    | st.text(max_size=20)
    | arrays(float, array_shapes(max_dims=3, max_side=4), elements=numbers)
    | arrays(int, array_shapes(max_dims=2, max_side=4), elements=st.integers(-99, 99)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(values)
def test_a_value_survives_the_way_there_and_back(value):
    back = decode(json.loads(json.dumps(encode(value))))
    assert agree(back, decode(encode(value)), 0, 0)
    assert encode(back) == encode(value)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["number", "shape", "numbers", "list", "formula"]), inner),
    max_leaves=10,
))  # fmt: skip
def test_any_data_is_read_or_refused(data):
    with suppress(ValueError):
        decode(data)


def test_labels_stay_whole_numbers():
    back = decode(encode(np.array([0, 2, 1])))
    assert np.array(["a", "b", "c"])[back].tolist() == ["a", "c", "b"]


def test_a_shape_that_promises_too_much_is_refused():
    with pytest.raises(ValueError, match="too many"):
        decode({"shape": [1000, 1000], "numbers": ""})


def test_numbers_without_end_and_lists_without_bottom_are_refused():
    with pytest.raises(ValueError, match="not a number"):
        decode(10**400)
    nested = 1
    for _ in range(100):
        nested = {"list": [nested]}
    with pytest.raises(ValueError, match="nested"):
        decode(nested)


class Sneaky:
    def __eq__(self, other):
        return True

    def __array__(self, dtype=None, copy=None):
        return np.array([1.0])


@pytest.mark.parametrize("value", [Sneaky(), object(), {1: 2}, np.array(["a"]), np.array([1j])])
def test_what_is_not_data_is_refused_by_name(value):
    with pytest.raises(TypeError, match=r"answer|keys"):
        encode(value)


def test_too_many_numbers_are_refused():
    with pytest.raises(ValueError, match="too large"):
        encode(np.zeros(300_000))


@pytest.mark.parametrize(("yours", "right", "same"), [
    (1.0, 1.0 + 1e-9, True),
    (1.0, 1.001, False),
    (math.nan, math.nan, True),
    (1, True, False),
    ("1", 1, False),
    ([1, 2], np.array([1.0, 2.0]), True),
    (np.array([[1.0, 2.0]]), np.array([1.0, 2.0]), False),
    (np.array([3.0]), 3.0, True),
    ([1.0, [2.0]], [1.0, [2.0]], True),
    ({"a": 1.0}, {"b": 1.0}, False),
    (None, 0.0, False),
    ("ValueError", Raised("ValueError"), False),
])  # fmt: skip
def test_values_agree_as_numbers_not_as_objects(yours, right, same):
    assert agree(yours, right) is same


# --- Formulas

x, gamma = sympy.IndexedBase("x"), sympy.IndexedBase("gamma")
n, k, N = sympy.symbols("n k N", integer=True, positive=True)
mu, sigma = sympy.symbols("mu sigma", positive=True)
POINT = {
    "x": np.array([1.0, -2.0, 0.5]), "gamma": np.array([[0.1, 0.9], [0.6, 0.4], [1.0, 0.0]]),
    "N": 3, "k": 2, "mu": 0.7, "sigma": 1.3,
}  # fmt: skip


@pytest.mark.parametrize(("formula", "value"), [
    (sympy.Sum(x[n], (n, 1, N)), -0.5),
    (sympy.Sum(gamma[n, k] * x[n], (n, 1, N)) / sympy.Sum(gamma[n, k], (n, 1, N)), 0.1 / 1.3),
    (sympy.log(mu) - sympy.sqrt(2 * sympy.pi) * sigma**-2 + sympy.E,
     math.log(0.7) - math.sqrt(2 * math.pi) / 1.69 + math.e),
    (sympy.Sum(sympy.KroneckerDelta(n, k) * x[n], (n, 1, N)), -2.0),
    (sympy.Sum(sympy.Sum(gamma[n, k], (k, 1, 2)) * n, (n, 1, N)), 6.0),
    (sympy.Rational(3, 4) + sympy.Float("0.5"), 1.25),
    (sympy.Sum(sigma / n, (n, 1, N)).doit(), 1.3 * 11 / 6),
    (sympy.harmonic(mu) - sympy.harmonic(mu - 1), 1 / 0.7),
])  # fmt: skip
def test_a_formula_has_its_value(formula, value):
    assert evaluate(sympy.srepr(formula), POINT) == pytest.approx(value)


@given(st.floats(0.1, 5), st.floats(0.1, 5))
def test_equivalent_formulas_have_equal_values(a, b):
    point = {"mu": a, "sigma": b}
    one = sympy.log(mu**2 / sigma) + (mu + sigma) ** 2
    other = sympy.expand(2 * sympy.log(mu) - sympy.log(sigma) + (mu + sigma) ** 2)
    assert evaluate(sympy.srepr(one), point) == pytest.approx(evaluate(sympy.srepr(other), point))


@pytest.mark.parametrize(("text", "words"), [
    ("__import__('os').system('true')", "not a formula"),
    ("Lambda(Symbol('x'), Symbol('x'))", "not expected"),
    ("Derivative(Symbol('mu'))", "carry it out"),
    ("Symbol('q')", "q, which is not one of"),
    ("Symbol('x')", "needs an index"),
    ("Indexed(IndexedBase(Symbol('x')), Integer(9))", "no entry"),
    ("Indexed(IndexedBase(Symbol('gamma')), Integer(1))", "takes 2 indices"),
    ("Sum(Integer(1), Tuple(Symbol('n'), Integer(1), Integer(100000)))", "finite range"),
    ("Integer(1" + "1" * 30_000 + ")", "too long"),
    ("Add(" * 3000 + ")" * 3000, "not a formula"),
    ("(", "not a formula"),
    ("zoo", "has no value here"),
    ("Float('abc', precision=53)", "not a formula"),
    ("Indexed(IndexedBase(Symbol('x')), Pow(Integer(-1), Rational(1, 2)))", "not a formula"),
])  # fmt: skip
def test_what_is_no_formula_is_refused_in_words(text, words):
    with pytest.raises(FormulaError, match=words):
        evaluate(text, POINT)


def test_formulas_cost_little_whatever_they_say():
    powers = "Pow(Symbol('n'), Pow(Symbol('n'), Symbol('n')))"
    assert (
        evaluate(f"Sum({powers}, Tuple(Symbol('n'), Integer(999), Integer(999)))", {}) == math.inf
    )
    tower = "Pow(Integer(10), Pow(Integer(10), Integer(99)))"
    assert evaluate(tower, {}) == math.inf
    nested = "Integer(1)"
    for name in "abcdef":
        nested = f"Sum({nested}, Tuple(Symbol('{name}'), Integer(1), Integer(900)))"
    with pytest.raises(FormulaError, match="too many steps"):
        evaluate(nested, {})
    assert math.isnan(evaluate("log(Integer(-1))", {}))
    assert math.isnan(evaluate("Pow(Integer(-1), Rational(1, 2))", {}))


# --- Feedback


def question(kind="function", right=(2.0, 4.0), wrong=(), groups=None) -> Question:
    cases = tuple(Case((float(i),), value, (), None) for i, value in enumerate(right))
    mistakes = tuple(Mistake(f"slip {i}", f"hint {i}", 0.5) for i in range(len(wrong)))
    cases = tuple(
        Case(c.arguments, c.right, tuple(values[i] for values in wrong))
        for i, c in enumerate(cases)
    )
    groups = groups or (Group("ordinary", 1, cases[:1]), Group("extreme", 1, cases[1:]))
    return Question("q", "f", kind, groups, mistakes)


def said(asked: Question, *values) -> tuple[float, str]:
    verdict = judge(asked, [v if isinstance(v, Answer) else Answer(v) for v in values])
    return verdict.points, verdict.feedback


def test_groups_earn_their_points_one_by_one():
    assert said(question(), 2.0, 4.0) == (2, "Right.")
    points, words = said(question(), 2.0, 5.0)
    assert points == 1
    assert "✓ ordinary" in words
    assert "✗ extreme" in words


def test_a_required_group_blocks_the_others():
    cases = question().cases
    groups = (Group("base", 0, cases[:1], required=True), Group("more", 2, cases[1:]))
    assert said(question(groups=groups), 3.0, 4.0)[0] == 0


def test_a_known_mistake_gets_its_stated_points():
    asked = question(wrong=[(2.0, 5.0), (1.0, 2.0)])
    assert said(asked, 2.0, 5.0)[0] == 0.5  # and not the point of the group that it passes
    assert "hint 1" in said(asked, 1.0, 2.0)[1]


@pytest.mark.parametrize(("yours", "words"), [
    (None, "Is a `return` missing"),
    (-2.0, "sign is turned round"),
    (4.0, "2 times the right value"),
    (math.exp(2.0), "exponential of the right value"),
    (math.nan, "not finite"),
    (np.zeros((3, 2)), "The shape is (3, 2)"),
    ("two", "Yours is"),
    (Answer(error="TypeError: no"), "TypeError: no"),
    (Answer(2.0, changed=True), "changed its own arguments"),
])  # fmt: skip
def test_an_unknown_mistake_is_still_described(yours, words):
    points, feedback = said(question(), yours, 4.0)
    assert points == 1
    assert words in feedback


def test_swapped_axes_are_named():
    asked = question(right=(np.zeros((2, 3)), 4.0))
    assert "axes are swapped" in said(asked, np.ones((3, 2)), 4.0)[1]


def test_a_mistake_that_ends_in_an_error_is_known_by_its_type():
    asked = question(wrong=[(2.0, Raised("ValueError"))])
    assert said(asked, 2.0, Answer(error="ValueError: bad"))[0] == 0.5
    assert "hint 0" not in said(asked, 2.0, Answer(error="TypeError: bad"))[1]


def test_an_empty_answer_has_no_pattern():
    asked = question(right=(np.zeros(0), 4.0))
    assert said(asked, np.array([1.0]), 4.0)[1].endswith("right is `[]`.")


def test_close_numbers_are_told_apart():
    assert "`2.000004` for" in said(question(), 2.000004, 4.0)[1]


def test_a_value_that_is_asked_for_is_not_given_away():
    asked = Question("q", "f", "value", (Group("it", 1, (Case(None, 0.4321),)),))
    assert "0.4321" not in said(asked, 0.5)[1]


def test_a_wrong_formula_is_refuted_at_a_point():
    cases = tuple(Case({"mu": m, "sigma": 2.0}, m * 2.0) for m in (1.0, 3.0))
    asked = Question("q", "f", "formula", (Group("points", 1, cases),))
    assert said(asked, Formula(sympy.srepr(mu * sigma)))[0] == 1
    points, words = said(asked, Formula(sympy.srepr(mu + sigma)))
    assert points == 0
    assert "Yours is `3` at mu = 1, sigma = 2; right is `2`" in words


def test_questions_survive_their_packing():
    asked = question(wrong=[(2.0, 5.0)])
    assert pack(unpack(pack((asked,)))) == pack((asked,))
    assert said(unpack(pack((asked,)))[0], 2.0, 5.0) == said(asked, 2.0, 5.0)


def test_a_check_of_an_unknown_question_names_the_known_ones():
    check = Checks("ps9", pack((question(),)))
    with pytest.raises(ValueError, match="no question 'p'; it has q"):
        check("p", None)
    assert "is not a function" in repr(check("q", 3))


def test_a_check_hands_out_copies_and_notices_changes():
    def f(a):
        a[0] = 9.0
        return 1.0

    case = Case((np.array([1.0]),), 1.0)
    check = Checks("ps9", pack((Question("q", "f", "function", (Group("g", 1, (case,)),)),)))
    assert "changed its own arguments" in repr(check("q", f))
    assert "changed its own arguments" in repr(check("q", f))


def test_a_borrowed_answer_is_told_so():
    from gmmlib import Mixture

    space = {"Mixture": Mixture}
    exec("def f(a):\n    Mixture\n    return 2.0 + 2.0 * a", space)
    check = Checks("ps9", pack((question(),)), refused=["gmmlib"])
    assert "asks you to write" in repr(check("q", space["f"]))
    exec("def f(a):\n    from gmmlib.em import fit\n    return 2.0 + 2.0 * a", space)
    assert "asks you to write" in repr(check("q", space["f"]))
