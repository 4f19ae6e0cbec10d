"""Matrix steps: right ones stand, wrong ones are refused, in every dimension that is tried."""

import pytest
import sympy as sp
from sympy import Determinant, Identity, MatrixSymbol, Symbol, Trace, ZeroMatrix, log

from gmmlib.derive import Definition, MatrixDerivation, StepError
from gmmlib.derive.matrices import TRIED
from gmmlib.derive.notation import Form, d

S, dS = MatrixSymbol("Sigma", d, d), MatrixSymbol(r"\mathrm{d}\Sigma", d, d)
C, M, L = MatrixSymbol("C", d, d), MatrixSymbol("M", d, d), MatrixSymbol("L", d, d)
x, mu, dmu = (MatrixSymbol(name, d, 1) for name in ("x", "mu", r"\mathrm{d}\mu"))
c = Symbol("c", positive=True)
r = Symbol("r", real=True)


def derivation(start):
    return MatrixDerivation("trial", "", start, positive_definite=[S, C], symmetric=[dS])


# start: (what changes, the right differential, wrong ones)
DIFFERENTIALS = {
    "log det": (
        log(Determinant(S)),
        {S: dS},
        Trace(S.I * dS),
        [Trace(S * dS), 2 * Trace(S.I * dS)],
    ),
    "inverse": (S.I, {S: dS}, -S.I * dS * S.I, [S.I * dS * S.I, -S.I * S.I * dS]),
    "trace": (
        Trace(S.I * C) / 2,
        {S: dS},
        -Trace(S.I * dS * S.I * C) / 2,
        [-Trace(S.I * dS * S.I * C), -Trace(S.I * dS * C) / 2],
    ),
    "quadratic form": (
        Form(x - mu, S.I, x - mu),
        {mu: dmu},
        -2 * Form(x - mu, S.I, dmu),
        [-Form(x - mu, S.I, dmu), 2 * Form(x - mu, S.I, dmu), -2 * Form(x - mu, S, dmu)],
    ),
    "square": (Trace(S * S), {S: dS}, 2 * Trace(S * dS), [Trace(S * dS), 2 * Trace(dS)]),
    "both at once": (
        c * Form(mu, S, mu),
        {S: dS, mu: dmu},
        c * Form(mu, dS, mu) + 2 * c * Form(mu, S, dmu),
        [c * Form(mu, dS, mu), c * Form(mu, dS, mu) + c * Form(mu, S, dmu)],
    ),
}


@pytest.mark.parametrize("case", DIFFERENTIALS.values(), ids=DIFFERENTIALS)
def test_differentials(case):
    function, change, right, wrongs = case
    row = derivation(function).differential(change, right, "differentiate")
    assert (row.relation, row.evidence) == ("d=", "instances")
    for wrong in (*wrongs, -right, sp.S.Zero * right):
        with pytest.raises(StepError, match="derivation 'trial', step 1: differentiate"):
            derivation(function).differential(change, wrong, "differentiate")


EQUALITIES = {
    "trace is cyclic": (Trace(S * M * C), Trace(C * S * M), Trace(S * C * M)),
    "transpose of a product": (Trace((M * L).T * S), Trace(S * M * L), Trace(S * L * M)),
    "brackets": (S * (M + L), S * M + S * L, S * M + L * S),
    "determinant of a product": (
        log(Determinant(S * C)),
        log(Determinant(S)) + log(Determinant(C)),
        log(Determinant(S)) - log(Determinant(C)),
    ),
    "scaling": (log(Determinant(c * S)), d * log(c) + log(Determinant(S)), log(c * Determinant(S))),
    "form as a trace": (Form(x, S, x), Trace(S * x * x.T), Form(x, S.I, x)),
    "symmetric": (Form(x, S, mu), Form(mu, S, x), Form(mu, S, mu)),
    "power": ((S + C) ** 2, S**2 + S * C + C * S + C**2, S**2 + 2 * S * C + C**2),
    "power of an inverse": (S**-2 * x + x, S.I * S.I * (x + S * S * x), S.I * x + x),
    "identity": (M * (Identity(d) + L), M + M * L, M + L),
    "zero": (S - S.T, ZeroMatrix(d, d), S),
    "number zero": (Trace(M) - Trace(M.T), 0, 1),
    "outer product": ((x + mu) * x.T, x * x.T + mu * x.T, x * x.T + x * mu.T),
}


@pytest.mark.parametrize("case", EQUALITIES.values(), ids=EQUALITIES)
def test_equalities(case):
    start, right, wrong = case
    assert derivation(start).eq(right, "rewrite").evidence == "instances"
    with pytest.raises(StepError, match="fails for d = "):
        derivation(start).eq(wrong, "rewrite")


def test_no_symmetry_is_assumed_that_was_not_declared():
    with pytest.raises(StepError, match="fails for d = 2"):
        derivation(Form(x, M, mu)).eq(Form(mu, M, x), "not symmetric")


def test_a_missing_factor_is_hinted_at():
    with pytest.raises(StepError, match=r"hint: left = 0\.5 x right: a missing factor"):
        derivation(Trace(S * M) / 2).eq(Trace(M * S), "turn round")


def test_shapes_that_differ_are_refused():
    with pytest.raises(StepError, match=r"shapes \(2, 1\) and \(2, 2\) for d = 2"):
        derivation(x - x * Trace(S) / Trace(S)).eq(S - S.T, "both zero")
    with pytest.raises(StepError, match=r"shapes \(\) and \(1, 1\) for d = 1"):
        derivation(Form(x, S, x)).eq(x.T * (S + C) * x, "a number is no matrix")


@pytest.mark.parametrize(
    "wrong", [sp.tanh(Trace(S)), S ** sp.Rational(1, 2), x.T * S * x + Identity(1), sp.Eq(S, C)]
)
def test_what_can_not_be_evaluated_is_refused(wrong):
    with pytest.raises(StepError, match="derivation 'trial', step 1: why"):
        derivation(S).eq(wrong, "why")


def test_a_singular_matrix_is_refused():
    with pytest.raises(StepError, match="can't be checked: LinAlgError"):
        derivation((S - S.T).I).eq(S, "no inverse")


def test_four_dimensions_refuse_what_holds_in_three():
    """e4 of Cayley and Hamilton: no 3 x 3 matrix has a product of four eigenvalues."""
    one, two, three, four = (Trace(M**power) for power in (1, 2, 3, 4))
    fourth = one**4 - 6 * one**2 * two + 3 * two**2 + 8 * one * three - 6 * four
    assert TRIED == (1, 2, 3, 4, 5)
    with pytest.raises(StepError, match="fails for d = 4"):
        derivation(fourth).eq(0, "true for d = 1, 2, 3 only")


def test_a_number_that_is_none_is_no_agreement():
    """Both sides are the logarithm of a negative number at some random points."""
    with pytest.raises(StepError, match="nan"):
        derivation(log(Determinant(M * L))).eq(
            log(Determinant(M)) + log(Determinant(L)), "determinants may be negative"
        )


def test_a_real_number_may_be_negative():
    with pytest.raises(StepError, match="fails for d = "):
        derivation(log(r**2 * Determinant(S))).eq(2 * log(r) + log(Determinant(S)), "r may be < 0")
    row = derivation(log(c**2 * Determinant(S))).eq(2 * log(c) + log(Determinant(S)), "c is not")
    assert row.evidence == "instances"


class TestChain:
    def test_a_claim_is_of_the_start(self):
        D = derivation(Trace(S * S) / 2 - Trace(S * C))
        D.differential({S: dS}, Trace(S * dS) - Trace(dS * C), "both")
        D.eq(Trace(dS * (S - C)), "gather")
        claim = D.qed()
        assert (claim.lhs, claim.relation) == (D.start, "d=")
        assert claim.rhs == Trace(dS * (S - C))
        assert claim.evidence == "instances"

    def test_padding_is_refused(self):
        with pytest.raises(StepError, match="both sides are the same"):
            derivation(S + C).eq(C + S, "look")

    def test_a_row_may_not_start_from_something_else(self):
        D = derivation(Trace(M))
        with pytest.raises(StepError, match="fails for d = "):
            D.eq(Trace(M * L), "true, of another product", lhs=Trace(L * M))
        D.eq(Trace(M.T) + 0 * c, "another way", lhs=Trace(M * S * S.I))

    def test_the_differential_of_something_else_is_a_lemma(self):
        D = derivation(Trace(S * S * C))
        D.differential({S: dS}, S * dS + dS * S, "first", of=S * S)
        assert D.current == D.start
        with pytest.raises(StepError, match="no step"):
            D.qed()
        D.differential({S: dS}, Trace(S * dS * C) + Trace(dS * S * C), "then")
        assert (D.qed().lhs, len(D.qed().steps)) == (Trace(S * S * C), 2)

    def test_a_differential_of_a_differential_is_not_claimed_to_be_the_first(self):
        D = derivation(Trace(S * S))
        D.differential({S: dS}, 2 * Trace(S * dS), "once")
        D.differential({S: dS}, 2 * Trace(dS * dS), "twice")
        with pytest.raises(StepError, match="2 rows 'd='"):
            D.qed()

    def test_definitions_are_checked_unfolded(self):
        cost = Symbol("Q", real=True)
        given = [Definition(cost, log(Determinant(S)) + Trace(S * C))]
        D = MatrixDerivation("t", "", cost, positive_definite=[S, C], symmetric=[dS], given=given)
        D.differential({S: dS}, Trace(S.I * dS) + Trace(dS * C), "both terms")
        assert D.qed().lhs == cost
        D = MatrixDerivation("t", "", cost, positive_definite=[S, C], symmetric=[dS], given=given)
        with pytest.raises(StepError, match="fails for d = 1"):
            D.differential({S: dS}, 0 * Trace(S), "a symbol depends on nothing")


@pytest.mark.parametrize("function", [log(Determinant(S)), c * Trace(S.I * C) + Trace(S)])
def test_the_silent_wrong_zeros_of_sympy_are_refused(function):
    wrong = sp.diff(function, S)
    assert wrong == ZeroMatrix(d, d)
    with pytest.raises(StepError, match="fails for d = 1"):
        derivation(function).differential({S: dS}, Trace(wrong.T * dS), "as sympy says")
