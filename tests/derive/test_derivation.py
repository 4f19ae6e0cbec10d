"""Each kind of step accepts what is right and refuses what is wrong, with a message that helps."""

from functools import partial

import pytest
import sympy as sp
from sympy import (
    Derivative,
    Eq,
    Function,
    Integral,
    KroneckerDelta,
    Rational,
    Sum,
    Symbol,
    UnevaluatedExpr,
    exp,
    log,
    oo,
)

from gmmlib.derive import (
    Definition,
    Derivation,
    Jensen,
    LogBound,
    Positive,
    Square,
    StepError,
)
from gmmlib.derive.notation import (
    K,
    N,
    Normal,
    Partial,
    component,
    counts,
    density,
    elbo,
    free,
    j,
    joint,
    k,
    l,
    log_likelihood,
    means,
    n,
    q,
    responsibilities,
    sum_k,
    sum_l,
    sum_n,
    sum_nk,
    theta,
    variances,
    weights,
    x,
)

p, gamma = joint, responsibilities
over, rows = (k, 1, K), (n, 1, N)
X, Y = sp.symbols("x y", real=True)
A, B, S = sp.symbols("a b s", positive=True)
Q = Symbol("Q", real=True)

evidence = Definition(log_likelihood, sum_n(log(sum_k(p[n, k]))))
any_weights = Definition(q[n, k], free[n, k] / sum_l(free[n, l]))
bayes = Definition(gamma[n, k], p[n, k] / sum_l(p[n, l]))
bound = Definition(elbo, sum_nk(q[n, k] * log(p[n, k] / q[n, k])))
normal = Definition(p[n, k], weights[k] * Normal(x[n], means[k], variances[k]))
fixed = Definition(gamma[n, k], free[n, k] / sum_l(free[n, l]))
members = Definition(counts[k], sum_n(gamma[n, k]))
objective = Definition(Q, sum_nk(gamma[n, k] * log(p[n, k])))


def derivation(start, *given, name="trial"):
    return Derivation(name, "A trial", start, given=given)


def e_step(start=log_likelihood):
    return derivation(start, evidence, any_weights, bayes, bound)


def m_step(start):
    return derivation(start, fixed, members, normal, objective)


def jensen(weight=q[n, k], f=log):
    return Jensen(f, weight, p[n, k] / weight, over, (rows,))


def score(of=gamma, row=n, mean=means[j]):
    return Sum(of[row, j] * (x[row] - mean) / variances[j], (row, 1, N))


def curvature(square=1, constant=1):
    v = variances[j]
    return sum_n(gamma[n, j] * (square * (x[n] - means[j]) ** 2 / v**2 - constant / v) / 2)


def spread(start=None):
    return derivation(log(A / S * exp(-1 / S**2) + B) if start is None else start)


mean_solution = sum_n(gamma[n, j] * x[n]) / counts[j]
map_objective = -B / 2 * log(S) - A / (2 * S) - Rational(3, 2) * log(S)

# name: (derivation, its right step, its wrong step, what the refusal says)
PAIRS = {
    "sign of the entropy": (
        partial(e_step, elbo),
        lambda D: D.eq(sum_nk(q[n, k] * log(p[n, k])) - sum_nk(q[n, k] * log(q[n, k])), "why"),
        lambda D: D.eq(sum_nk(q[n, k] * log(p[n, k])) + sum_nk(q[n, k] * log(q[n, k])), "why"),
        "fails at K = ",
    ),
    "weights indexed q[k, n]": (
        e_step,
        lambda D: D.ge(elbo, "why", by=jensen()),
        lambda D: D.ge(sum_nk(q[k, n] * log(p[n, k] / q[n, k])), "why", by=jensen()),
        "index . of q runs to . elsewhere, to . in q.[kn], [kn]",
    ),
    "Jensen the wrong way round": (
        e_step,
        None,  # as above
        lambda D: D.le(elbo, "why", by=jensen()),
        "short by",
    ),
    "weights that do not sum to one": (
        e_step,
        lambda D: D.ge(
            sum_nk(gamma[n, k] * log(p[n, k] / gamma[n, k])), "why", jensen(gamma[n, k])
        ),
        lambda D: D.ge(
            sum_nk(gamma[n, k] ** 2 * log(p[n, k] / gamma[n, k] ** 2)),
            "why",
            jensen(gamma[n, k] ** 2),
        ),
        "short by|sum to one",
    ),
    "divergence with its arguments swapped": (
        partial(e_step, log_likelihood - elbo),
        lambda D: D.eq(sum_nk(q[n, k] * log(q[n, k] / gamma[n, k])), "why"),
        lambda D: D.eq(sum_nk(gamma[n, k] * log(gamma[n, k] / q[n, k])), "why"),
        "left  = .*\n    right = ",
    ),
    "no rule": (
        e_step,
        None,  # as above
        lambda D: D.ge(elbo, "why"),
        "no rule is given",
    ),
    "a rule that does not match": (
        e_step,
        None,  # as above
        lambda D: D.ge(elbo, "why", by=jensen(gamma[n, k])),
        "the gap is not what the rules show",
    ),
    "a convex function called concave": (
        e_step,
        None,  # as above
        lambda D: D.ge(elbo, "why", by=jensen(f=exp)),
        "premise of the rule fails: .*strictly concave",
    ),
    "wrong equality case": (
        e_step,
        lambda D: D.ge(elbo, "why", jensen(), equality=Eq(q[n, k], gamma[n, k])),
        lambda D: D.ge(elbo, "why", jensen(), equality=Eq(q[n, k], gamma[n, k] ** 2)),
        "not shown to be",
    ),
    "equality at the unnormalised weights": (
        e_step,
        lambda D: D.ge(elbo, "why", jensen(), equality=Eq(q[n, k], p[n, k] / sum_l(p[n, l]))),
        lambda D: D.ge(elbo, "why", jensen(), equality=Eq(q[n, k], p[n, k])),
        "not shown to be",
    ),
    "missing factor 1/2": (
        partial(m_step, Partial(Q, variances[j])),
        lambda D: D.eq(curvature(), "why"),
        lambda D: D.eq(curvature(2, 2), "why"),
        "hint: left = 0.5 x right at every point: a missing factor",
    ),
    "1/2 missing in one term": (
        partial(m_step, Partial(Q, variances[j])),
        lambda D: D.eq(curvature(), "why"),
        lambda D: D.eq(curvature(2), "why"),
        "fails at",
    ),
    "sign of the score": (
        partial(m_step, Partial(Q, means[j])),
        lambda D: D.eq(score(), "why"),
        lambda D: D.eq(-score(), "why"),
        "hint: left = -1.0 x right at every point: a missing factor or sign",
    ),
    "a left side that is zero": (
        lambda: Derivation("trial", "Nothing", sum_n(x[n] - x[n])),
        lambda D: D.eq(0, "why"),
        lambda D: D.eq(N, "why"),
        "hint: the left side is zero at every point",
    ),
    "mu_k for mu_j": (
        partial(m_step, Partial(Q, means[j])),
        lambda D: D.eq(score(), "why"),
        lambda D: D.eq(score(mean=means[k]), "why"),
        "fails at",
    ),
    "gamma_jn for gamma_nj": (
        partial(m_step, Partial(Q, means[j])),
        lambda D: D.eq(score(), "why"),
        lambda D: D.eq(sum_n(gamma[j, n] * (x[n] - means[j]) / variances[j]), "why"),
        "runs to",
    ),
    "unweighted mean": (
        partial(m_step, score()),
        lambda D: D.solve(means[j], mean_solution, "why"),
        lambda D: D.solve(means[j], sum_n(x[n]) / N, "why"),
        "is not zero there",
    ),
    "N_j - 1 in the divisor": (
        partial(m_step, score()),
        lambda D: D.solve(means[j], mean_solution, "why"),
        lambda D: D.solve(means[j], sum_n(gamma[n, j] * x[n]) / (counts[j] - 1), "why"),
        "is not zero there",
    ),
    "multiplier K": (
        partial(m_step, sum_k(counts[k])),
        lambda D: D.eq(N, "why"),
        lambda D: D.eq(K, "why"),
        "fails at",
    ),
    "a missing constant": (
        partial(derivation, log(A * B)),
        lambda D: D.eq(log(A) + log(B), "why"),
        lambda D: D.eq(log(A) + log(B) + 1, "why"),
        "hint: left - right = -1.0 at every point: a missing constant",
    ),
    "limit -oo for oo": (
        partial(spread, -log(S)),
        lambda D: D.limit(S, 0, oo, "why"),
        lambda D: D.limit(S, 0, -oo, "why"),
        "is not seen at",
    ),
    "wrong finite limit": (
        spread,
        lambda D: D.limit(S, 0, log(B), "why"),
        lambda D: D.limit(S, 0, 0, "why"),
        "on the way: .*claimed",
    ),
    "limit from the wrong end": (
        partial(spread, exp(-X)),
        lambda D: D.limit(X, oo, 0, "why"),
        lambda D: D.limit(X, -oo, 0, "why"),
        "is not seen at",
    ),
    "dropped term, wrong direction": (
        partial(derivation, A + B),
        lambda D: D.ge(A, "why", by=Positive(B)),
        lambda D: D.le(A, "why", by=Positive(B)),
        "short by",
    ),
    "divisor without its prior": (
        partial(derivation, Derivative(map_objective, S)),
        lambda D: D.solve(S, A / (B + 3), "why"),
        lambda D: D.solve(S, A / B, "why"),
        "is not zero there",
    ),
}


@pytest.mark.parametrize("case", PAIRS.values(), ids=PAIRS)
def test_the_right_step_stands_and_the_wrong_one_is_refused(case):
    build, right, wrong, message = case
    if right is not None:
        step = right(build())
        assert step.evidence == "proved"
        assert step.how
    with pytest.raises(StepError, match=message) as refusal:
        wrong(build())
    assert "derivation 'trial'" in str(refusal.value)
    assert "why" in str(refusal.value)


class TestMessage:
    def test_it_names_derivation_step_reason_sides_point_and_values(self):
        D = derivation(sum_n(x[n] + 1), name="means")
        D.eq(sum_n(x[n]) + N, "split the sum")
        with pytest.raises(StepError) as refusal:
            D.eq(sum_n(x[n]), "drop the constant")
        lines = [line.strip() for line in str(refusal.value).strip().splitlines()]
        assert lines[0] == "derivation 'means', step 2: drop the constant"
        assert lines[1:3] == ["N + Sum(x[n], (n, 1, N))", "= Sum(x[n], (n, 1, N))"]
        assert lines[3].startswith("fails at N = 3.0, x[1] = ")
        assert [line.split("=")[0].strip() for line in lines[4:6]] == ["left", "right"]

    def test_what_can_not_be_evaluated_is_refused_by_name_too(self):
        for wrong in (Eq(X, Y), sp.Determinant(sp.MatrixSymbol("S", 2, 2)), sp.nan, sp.oo):
            with pytest.raises(StepError, match="derivation 'trial', step 1: why"):
                derivation(X).eq(wrong, "why")

    def test_a_forgotten_argument_is_the_callers_error(self):
        with pytest.raises(TypeError, match="why"):
            derivation(X).eq(Y)

    def test_a_refused_step_leaves_the_chain_as_it_was(self):
        D = derivation(2 * X)
        with pytest.raises(StepError):
            D.eq(X, "wrong")
        assert D.current == 2 * X
        assert D.steps == []


class TestEquality:
    @pytest.mark.parametrize(
        ("left", "right"),
        [(X + 1, 1 + X), (sum_n(x[n]), Sum(x[n], (n, 1, N))), (log(A), log(A))],
    )
    def test_padding_is_refused(self, left, right):
        with pytest.raises(StepError, match="both sides are the same"):
            derivation(left).eq(right, "look closely")

    def test_a_held_factor_is_a_step_that_shows_something(self):
        D = derivation(sum_k(p[n, k]), any_weights)
        row = D.eq(sum_k(q[n, k] * UnevaluatedExpr(p[n, k] / q[n, k])), "multiply and divide by q")
        assert row.evidence == "proved"

    def test_true_in_numbers_but_not_proved(self):
        unknown = Integral(exp(-(Y**4)), (Y, 0, 1))
        value = sp.Float("0.84483859475710")
        with pytest.raises(StepError, match="holds at every trial point, but is not proved"):
            derivation(unknown).eq(value, "numbers")
        row = derivation(unknown).eq(value, "numbers", numeric_only=True)
        assert (row.evidence, row.how) == ("tested", "trial only")

    def test_numeric_only_does_not_accept_what_is_wrong(self):
        with pytest.raises(StepError, match="fails at"):
            derivation(Integral(exp(-(Y**4)), (Y, 0, 1))).eq(0.845, "numbers", numeric_only=True)

    def test_a_proof_beats_the_permission_to_do_without(self):
        row = derivation(sum_n(x[n] + 1)).eq(sum_n(x[n]) + N, "why", numeric_only=True)
        assert row.evidence == "proved"

    def test_a_row_may_start_from_another_way_to_write_the_end(self):
        D = derivation((X + 1) ** 2)
        row = D.eq(X * (X + 2) + 1, "gather", lhs=X**2 + 2 * X + 1)
        assert row.opens
        assert (D.qed().lhs, D.qed().rhs) == ((X + 1) ** 2, X * (X + 2) + 1)

    def test_but_not_from_something_else(self):
        D = derivation(sum_n(x[n]))
        with pytest.raises(StepError, match="fails at"):
            D.eq(2 * sum_n(x[n] ** 2), "true, of another sum", lhs=sum_n(x[n] ** 2 + x[n] ** 2))

    def test_integrals_and_derivatives_of_unknown_functions(self):
        row = derivation(Integral(Normal(X, Y, A), (X, -oo, oo))).eq(1, "a density")
        assert row.evidence == "proved"
        f = Function("p", positive=True)
        D = derivation(Partial(sum_n(log(f(n, 1, theta))), theta))
        D.eq(sum_n(Partial(f(n, 1, theta), theta) / f(n, 1, theta)), "chain rule")
        with pytest.raises(StepError, match="fails at"):
            D.eq(sum_n(Partial(f(n, 1, theta), theta)), "wrong")

    def test_a_derivative_sees_through_every_definition(self):
        total = Definition(density[n], sum_l(p[n, l]))
        D = derivation(Partial(log(density[n]), means[j]), normal, total)
        D.eq(p[n, j] / density[n] * (x[n] - means[j]) / variances[j], "chain rule")
        with pytest.raises(StepError, match="fails at"):
            derivation(Partial(log(density[n]), means[j]), normal, total).eq(0, "blind")


class TestRanges:
    def test_a_slot_runs_over_one_range_in_the_whole_derivation(self):
        with pytest.raises(StepError, match="index 2 of q runs to N elsewhere, to K in"):
            derivation(sum_k(q[n, k]) + sum_k(q[l, k]) + sum_n(q[k, n]))

    def test_also_in_definitions(self):
        with pytest.raises(StepError, match=r"'trial': the start\n.*index 2 of q runs"):
            derivation(sum_k(q[n, k]), Definition(Q, sum_n(q[k, n])))

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (Sum(KroneckerDelta(n, k) * x[k], rows, over), sum_k(x[k])),
            (Sum(KroneckerDelta(n, k), rows, over), K),
        ],
    )
    def test_a_delta_between_two_ranges_picks_nothing_for_sure(self, start, end):
        """Both hold at the trial points where N >= K; they are false for N < K."""
        with pytest.raises(StepError):
            derivation(start).eq(end, "collapse")


class TestDefinitions:
    def test_twice(self):
        with pytest.raises(StepError, match="defined twice"):
            derivation(Q, objective, Definition(Q, X))

    def test_in_a_circle(self):
        with pytest.raises(StepError, match="circular"):
            derivation(Q, Definition(Q, elbo), Definition(elbo, Q + 1))

    @pytest.mark.parametrize(
        ("head", "body"),
        [
            (Symbol("h", positive=True), X - 1),
            (Symbol("h", positive=True), -A),
            (Symbol("h", negative=True), X**2 + 1),
            (Symbol("h", nonnegative=True), X),
            (Symbol("h", nonzero=True), X),
            (Symbol("h", integer=True), X),
            (counts[k], sum_n(x[n] * q[n, k])),
        ],
    )
    def test_a_declared_sign_must_follow(self, head, body):
        with pytest.raises(StepError, match="is declared"):
            derivation(A, Definition(head, body))

    @pytest.mark.parametrize(
        ("head", "body"),
        [
            (Symbol("h", positive=True), X**2 + 1),
            (Symbol("h", negative=True), -A),
            (Symbol("h", real=True), log(A)),
            (counts[k], sum_n(q[n, k])),
        ],
    )
    def test_one_that_follows_is_taken(self, head, body):
        assert derivation(A, Definition(head, body)).context.definitions[-1].head == head

    def test_one_may_be_assumed_aloud_unless_numbers_deny_it(self):
        derivation(A, Definition(Symbol("h", positive=True), (X - 1) ** 2, assuming="x is not 1"))
        with pytest.raises(StepError, match="is declared positive but is not"):
            derivation(A, Definition(Symbol("h", positive=True), X - 1, assuming="x is large"))

    def test_another_number_of_indices(self):
        share = Definition(weights[k], free[k] / sum_l(free[l]))
        with pytest.raises(StepError, match="another number of indices"):
            derivation(sum_k(weights[n, k]), share).eq(1, "why")


class TestInequality:
    def test_several_rules_add_up(self):
        D = derivation(X**2 + Y**2 + A)
        row = D.ge(A, "squares", by=(Square(1, X), Square(1, Y)))
        assert row.how == "a square is not negative"
        assert derivation(X**2 + A).ge(0, "both", by=[Square(1, X), Positive(A)]).how == (
            "a square is not negative + a positive term"
        )

    def test_padding_is_refused(self):
        with pytest.raises(StepError, match="both sides are the same"):
            derivation(X).ge(X, "nothing", by=Square(1, 0 * X))

    def test_a_violation_that_random_points_miss_is_hunted_down(self):
        """Negative only within a twentieth of a = 3: no random point is, the hunt goes there."""
        D = derivation(log(A / 3) ** 2 - Rational(1, 400))
        with pytest.raises(StepError, match="short by"):
            D.ge(0, "nearly", by=Square(1, log(A / 3)))

    def test_labels_stay_labels_in_the_hunt(self):
        start = sum_nk(KroneckerDelta(component[n], k)) + sum_n(x[n] ** 2)
        assert derivation(start).ge(N, "squares", by=Square(1, x[n], (rows,))).evidence == "proved"

    def test_a_gap_that_is_no_real_number_is_refused(self):
        with pytest.raises(StepError, match="no real number"):
            derivation(log(X)).ge(0, "nonsense", by=Square(1, X))


class TestEqualityCase:
    def test_two_numbers(self):
        row = derivation((X - Y) ** 2).ge(0, "square", by=Square(1, X - Y), equality=Eq(X, Y))
        assert (row.equality, row.note) == (Eq(X, Y), "equality")

    def test_every_entry_equals_the_average(self):
        t, mean = sp.IndexedBase("t", positive=True), Symbol("m", positive=True)
        share = Definition(weights[k], free[k] / sum_l(free[l]))
        D = derivation(log(mean), share, Definition(mean, sum_k(weights[k] * t[k])))
        by = Jensen(log, weights[k], t[k], over)
        end = sum_k(weights[k] * log(t[k]))
        assert D.ge(end, "Jensen", by=by, equality=Eq(t[k], mean)).equality == Eq(t[k], mean)

    def test_all_conditions_at_once_must_be_the_stated_one(self):
        by = (Square(1, X - Y), Square(1, X))
        with pytest.raises(StepError, match="not shown to be"):
            derivation((X - Y) ** 2 + X**2).ge(0, "why", by=by, equality=Eq(X, Y))

    @pytest.mark.parametrize(
        "equality", [Eq(X, Y + 1), Eq(X, -Y), Eq(X**2, Y**2), Eq(2 * X, Y), True, sp.false, X]
    )
    def test_another_condition_is_refused(self, equality):
        with pytest.raises(StepError):
            derivation((X - Y) ** 2).ge(0, "why", by=Square(1, X - Y), equality=equality)

    def test_a_positive_gap_has_none(self):
        with pytest.raises(StepError, match="not shown to be"):
            derivation(X**2 + A).ge(X**2, "why", by=Positive(A), equality=Eq(X, 0))

    def test_a_weighted_condition_is_the_same_condition(self):
        by = Square(A, 3 * X - 3 * Y)
        row = derivation(9 * A * (X - Y) ** 2).ge(0, "why", by=by, equality=Eq(X, Y))
        assert row.evidence == "proved"


class TestLimit:
    def test_the_claim_is_about_the_limit_of_the_start(self):
        D = derivation(exp(-S) * X + X**2 + X)
        D.limit(S, oo, X**2 + X, "the exponential vanishes")
        D.eq(X * (X + 1), "factor")
        claim = D.qed()
        assert (claim.relation, claim.rhs) == ("->", X * (X + 1))
        assert claim.lhs.args[:3] == (exp(-S) * X + X**2 + X, S, oo)

    def test_from_the_left(self):
        step = derivation(1 / X).limit(X, 0, -oo, "from the left", direction="-")
        assert step.evidence == "proved"
        with pytest.raises(StepError):
            derivation(1 / X).limit(X, 0, oo, "from the left", direction="-")

    def test_one_limit_a_derivation(self):
        D = derivation(exp(X + Y))
        D.limit(X, 0, exp(Y), "first")
        D.limit(Y, 0, 1, "second")
        with pytest.raises(StepError, match="2 rows '->'"):
            D.qed()

    def test_numbers_overrule_sympy(self, monkeypatch):
        monkeypatch.setattr(sp, "limit", lambda *_: sp.Integer(2))
        with pytest.raises(StepError, match="is not seen at"):
            derivation(exp(-X) + 1).limit(X, oo, 2, "wrong")

    def test_numbers_alone_are_not_enough(self, monkeypatch):
        monkeypatch.setattr(sp, "limit", lambda *_: sp.nan)
        with pytest.raises(StepError, match="not proved"):
            derivation(exp(-X) + 1).limit(X, oo, 1, "right")


class TestSolve:
    def test_the_only_solution(self):
        D = derivation(Partial(Q, means[j]), fixed, members, normal, objective)
        D.eq(score(), "differentiate")
        row = D.solve(means[j], mean_solution, "solve")
        assert (row.evidence, row.note) == ("proved", "the only solution")
        claim = D.qed()
        assert (claim.lhs, claim.relation) == (Partial(Q, means[j]), "zero at")
        assert claim.rhs == Eq(means[j], mean_solution)

    def test_after_a_power_of_a_positive_unknown(self):
        row = derivation(A / S**2 - B / S).solve(S, A / B, "solve")
        assert row.note == "the only solution"

    @pytest.mark.parametrize(
        ("equation", "variable", "solution"),
        [
            (X**2 - A, X, sp.sqrt(A)),
            (X**2 - X, X, 0),
            (X * (X - A), X, A),
            (sp.sin(X), X, 0),
            ((X - A) ** 2, X, A),
        ],
    )
    def test_a_solution_that_may_not_be_the_only_one_is_refused(self, equation, variable, solution):
        with pytest.raises(StepError, match="uniqueness is not proved"):
            derivation(equation).solve(variable, solution, "solve")

    @pytest.mark.parametrize(
        ("equation", "solution"),
        [
            (Y - Y * sum_k(q[n, k]), A),  # 0 = 0, whatever x is
            (Y * X - Y * A, A),  # y may be 0
            (X * (A - B) - (A - B), 1),  # a may be b
        ],
    )
    def test_a_slope_that_may_be_zero_is_refused(self, equation, solution):
        with pytest.raises(StepError, match="uniqueness is not proved"):
            derivation(equation, any_weights).solve(X, solution, "solve")

    def test_a_variable_hidden_in_a_definition_is_seen(self):
        square = sp.IndexedBase("s", real=True)
        D = derivation(means[j] - square[j], Definition(square[k], means[k] ** 2))
        with pytest.raises(StepError, match="holds"):
            D.solve(means[j], square[j], "a rearrangement is no solution")

    def test_a_variable_inside_a_sum_is_seen(self):
        with pytest.raises(StepError, match="the equation holds"):
            derivation(2 * means[j] - sum_k(means[k])).solve(means[j], sum_k(means[k]) / 2, "why")

    def test_other_entries_with_other_numbers_are_other_unknowns(self):
        row = derivation(means[1] - 2 * means[2]).solve(means[1], 2 * means[2], "why")
        assert row.note == "the only solution"
        with pytest.raises(StepError, match="may be"):
            derivation(means[1] - 2 * means[j]).solve(means[1], 2 * means[j], "why")

    def test_nothing_follows_a_solution(self):
        D = derivation(2 * X - A)
        D.solve(X, A / 2, "solve")
        with pytest.raises(StepError, match="step 2"):
            D.eq(A, "go on")


class TestLemma:
    def test_it_is_used_and_is_no_row_of_the_chain(self):
        hat = sp.IndexedBase("m", real=True)
        average = Definition(hat[k], sum_n(gamma[n, k] * x[n]) / counts[k])
        D = derivation(sum_n(gamma[n, k] * (x[n] - hat[k])), members, average)
        D.lemma(sum_n(gamma[n, k] * x[n]), counts[k] * hat[k], "by definition")
        with pytest.raises(StepError, match="no step"):
            D.qed()
        D.eq(0, "deviations sum to zero")
        claim = D.qed()
        assert (claim.lhs, claim.rhs) == (sum_n(gamma[n, k] * (x[n] - hat[k])), 0)
        assert len(claim.steps) == 2

    def test_a_wrong_one_is_refused(self):
        with pytest.raises(StepError, match="step 1: wrong"):
            derivation(X).lemma(sum_n(gamma[n, k] * x[n]), counts[k], "wrong")


class TestClaim:
    def test_relations(self):
        up = derivation(X**2 + Y**2)
        up.ge(X**2, "square", by=Square(1, Y))
        up.ge(0, "square", by=Square(1, X))
        down = derivation(-(X**2))
        down.le(0, "square", by=Square(1, X))
        level = derivation((X + 1) ** 2)
        level.eq(X**2 + 2 * X + 1, "expand")
        found = [(c.lhs, c.relation, c.rhs) for c in (up.qed(), down.qed(), level.qed())]
        assert found == [
            (X**2 + Y**2, ">=", 0),
            (-(X**2), "<=", 0),
            ((X + 1) ** 2, "=", X**2 + 2 * X + 1),
        ]

    def test_no_step(self):
        with pytest.raises(StepError, match="has no step"):
            derivation(X).qed()

    def test_mixed_directions(self):
        D = derivation(X**2)
        D.ge(0, "square", by=Square(1, X))
        D.le(A, "positive", by=Positive(A))
        with pytest.raises(StepError, match="mixes the relations"):
            D.qed()

    def test_evidence_is_that_of_the_weakest_row(self):
        integral = Integral(exp(-(Y**4)), (Y, 0, 1))
        D = derivation(2 * integral)
        D.eq(integral + integral * UnevaluatedExpr(1), "twice")
        assert D.qed().evidence == "proved"
        D.eq(sp.Float("1.6896771895142"), "numbers", numeric_only=True)
        assert D.qed().evidence == "tested"

    def test_evidence_is_no_stronger_than_that_of_a_claim_it_argues_from(self):
        series = Sum(1 / sp.factorial(n), (n, 0, 25))
        D = derivation(series, name="series")
        D.eq(sp.E, "numbers", numeric_only=True)
        tested = D.qed()
        assert tested.evidence == "tested"
        D = derivation(series + X, tested)
        assert D.eq(X + sp.E, "use it").evidence == "tested"
        assert D.qed().evidence == "tested"

    def test_it_brings_its_definitions_along(self):
        D = derivation(sum_k(counts[k]), fixed, members)
        D.eq(N, "sum")
        total = D.qed()
        assert total.definitions == (fixed, members)
        after = derivation(sum_k(counts[k]) / A, total)
        after.eq(N / A, "use it")
        assert after.qed().definitions == (fixed, members)

    def test_definitions_that_contradict_it_are_refused(self):
        D = derivation(sum_k(counts[k]), fixed, members)
        D.eq(N, "sum")
        with pytest.raises(StepError, match="defined twice"):
            derivation(X, Definition(counts[k], sum_n(x[n] ** 2) + 1), D.qed())

    def test_what_is_proved_is_not_proved_for_another_array(self):
        D = derivation(sum_k(q[n, k]), any_weights)
        D.eq(1, "they are shares")
        other = sp.IndexedBase("r", positive=True)
        with pytest.raises(StepError, match="fails at"):
            derivation(sum_k(other[n, k]), D.qed()).eq(1, "not these")


def test_each_step_is_journalled_with_its_arguments_and_the_state_before():
    D = derivation(X**2 + A)
    D.eq(A + X * X * UnevaluatedExpr(1), "one")
    D.ge(A, "two", by=Square(1, X))
    first, second = D.journal
    assert (first.method, first.arguments["why"]) == ("eq", "one")
    assert (second.method, second.arguments["rhs"]) == ("ge", A)
    assert (first.before.current, len(second.before.steps)) == (X**2 + A, 1)
    assert [row.seconds >= 0 for row in D.steps] == [True, True]


def test_log_bound_is_gibbs():
    D = derivation(sum_nk(q[n, k] * log(q[n, k] / gamma[n, k])), any_weights, bayes)
    row = D.ge(
        0,
        "Gibbs",
        by=LogBound(q[n, k], gamma[n, k] / q[n, k], (over, rows)),
        equality=Eq(q[n, k], gamma[n, k]),
    )
    assert row.evidence == "proved"
