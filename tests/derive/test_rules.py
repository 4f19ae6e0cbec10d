"""The rules that prove inequalities: each premise is refused when it is broken."""

from itertools import pairwise

import mpmath as mp
import pytest
import sympy as sp
from sympy import Eq, Sum, Symbol, exp, log, sqrt

from gmmlib.derive import Definition, Jensen, LogBound, Positive, Square, StepError
from gmmlib.derive.notation import K, N, free, joint, k, l, means, n, q, weights, x
from gmmlib.derive.proof import Context
from gmmlib.derive.trial import try_at

over, rows = (k, 1, K), (n, 1, N)
X = Symbol("x", real=True)
share = Definition(q[n, k], free[n, k] / Sum(free[n, l], (l, 1, K)))
CONTEXT = Context().define(share)
RIGHT = {
    "Jensen": Jensen(log, q[n, k], joint[n, k] / q[n, k], over, (rows,)),
    "Jensen, square root": Jensen(sqrt, q[n, k], joint[n, k], over),
    "LogBound": LogBound(q[n, k], joint[n, k] / q[n, k], (over, rows)),
    "LogBound, one term": LogBound(2, exp(X)),
    "Square": Square(weights[k], x[n] - means[k], (over, rows)),
    "Square, one term": Square(1, X),
    "Positive": Positive(exp(x[n]), (rows,)),
}


@pytest.mark.parametrize("rule", RIGHT.values(), ids=RIGHT)
def test_an_instance_is_never_negative(rule):
    instance = CONTEXT.unfold(rule.instance(CONTEXT).expr)
    values = [value for _, (value,) in try_at(8, instance, spread=2.0)]
    assert min(values) >= -1e-12
    assert all(a != b for a, b in pairwise(values))


@pytest.mark.parametrize(
    ("rule", "premise"),
    [
        (Jensen(exp, q[n, k], joint[n, k], over), "strictly concave"),
        (Jensen(lambda t: 2 * t, q[n, k], joint[n, k], over), "strictly concave"),
        (Jensen(lambda t: t**3 - t**2, q[n, k], joint[n, k], over), "strictly concave"),
        (Jensen(lambda t: weights[k] * log(t), q[n, k], joint[n, k], over), "the same at every k"),
        (Jensen(log, joint[n, k], joint[n, k], over), "sum to one"),
        (Jensen(log, q[n, k], joint[n, k], (k, 1, N)), "sum to one"),
        (Jensen(log, q[n, k] ** 2, joint[n, k], over), "sum to one"),
        (Jensen(log, x[k] / Sum(x[l], (l, 1, K)), joint[n, k], over), "are positive"),
        (Jensen(log, q[n, k], x[k], over), "points .* are positive"),
        (LogBound(x[n], q[n, k]), "weight x.n. is positive"),
        (LogBound(-1, q[n, k]), "weight -1 is positive"),
        (LogBound(q[n, k], x[n] ** 2), "is positive"),
        (LogBound(1, q[n, k] - 1), "is positive"),
        (Square(x[n], x[n]), "weight x.n. is positive"),
        (Square(1, sp.I * X), "is real"),
        (Square(1, log(X)), "is real"),
        (Positive(X), "is positive"),
        (Positive(X**2), "is positive"),
    ],
)
def test_each_broken_premise_is_refused(rule, premise):
    with pytest.raises(StepError, match=premise):
        rule.instance(CONTEXT)


def test_a_premise_may_be_seen_through_a_definition():
    y = Symbol("y", real=True)
    above = Context().define(Definition(y, X**2 + 1))
    assert Square(y, X).instance(above).expr == y * X**2
    with pytest.raises(StepError, match="is positive"):
        Square(y, X).instance(Context())


def test_each_rule_says_where_it_is_an_equality():
    conditions = {name: rule.instance(CONTEXT).zero_when for name, rule in RIGHT.items()}
    assert conditions["LogBound"] == (Eq(joint[n, k] / q[n, k], 1),)
    assert conditions["Square"] == (Eq(x[n] - means[k], 0),)
    assert conditions["Positive"] == (sp.false,)
    (constant,) = conditions["Jensen, square root"]
    assert constant == Eq(joint[n, k], Sum(q[n, k] * joint[n, k], over))


def test_a_square_is_zero_at_its_root_only():
    instance = Square(3, X - 2).instance(CONTEXT).expr
    assert instance.subs(X, 2) == 0
    assert [mp.mpf(instance.subs(X, at)) for at in (1, 4)] == [3, 12]
