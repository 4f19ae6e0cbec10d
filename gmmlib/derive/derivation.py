"""Derivation: a chain of rows, each tried at random numbers and then proved by exact residual."""

from dataclasses import replace

import mpmath as mp
import sympy as sp
from sympy import Derivative, Dummy, Indexed, Integral, Limit, Sum, oo

from .chain import Chain, step
from .notation import Partial
from .proof import PATIENCE, Context, base, take_derivatives, time_limit
from .steps import Claim, Definition, Step, StepError
from .sums import SumNormalForm, rewrite_rule
from .trial import DIGITS, Point, evaluate, try_at

TRIALS = 6
HUNT = 25  # downhill steps in the search for a point that violates an inequality


class Derivation(Chain):
    """A chain of equalities and inequalities about scalars, for symbolic sizes such as N and K.

    Parameters
    ----------
    name, title, start : see `Chain`
    given : definitions and earlier claims to argue from; a claim brings its own definitions along,
        and an equality whose left side is a sum is used as a rewrite

    Every row method returns the checked `Step`, which a notebook shows as mathematics, and raises
    `StepError` where the row fails at a random point (with the point, both values and, where one
    fits, a hint) or holds at all of them and is not proved.
    """

    def __init__(self, name: str, title: str, start, given=()):
        super().__init__(name, title, start)
        self.context = Context()
        self.ranges: dict[tuple[str, int], sp.Expr] = {}
        self.given = tuple(given)
        self.grounds = tuple(item.evidence for item in self.given if isinstance(item, Claim))
        for item in self.given:
            self._take(item)
        self._check_ranges(start, "the start")

    def _take(self, item):
        if isinstance(item, Claim):
            for definition in item.definitions:
                if definition not in self.context.definitions:
                    self._take(definition)
            if item.relation == "=" and isinstance(item.lhs, Sum):
                self.context = self.context.assume(rewrite_rule(item.lhs, item.rhs))
            return
        if item in self.context.definitions:
            return
        self.context = self.context.define(item)
        self._check_ranges(item.body, f"the definition of {item.head}")
        self._check_sign(item)

    # ---- rows ------------------------------------------------------------------------------------

    @step
    def eq(self, rhs, why: str, lhs=None, numeric_only: bool = False) -> Step:
        """``lhs = rhs``; lhs is the end of the chain unless given, and then proved equal to it.

        `numeric_only` accepts a row on trial alone; its evidence is then "tested", and the book
        lists such rows by name.
        """
        opening = lhs is not None or self._opens()
        lhs = self.current if lhs is None else sp.sympify(lhs)
        if lhs != self.current:
            self._prove_equal(self.current, lhs, f"the row starts from the chain's end ({why})")
        row = self._equality(lhs, sp.sympify(rhs), why, numeric_only)
        self.current = row.rhs
        return replace(row, opens=opening)

    @step
    def lemma(self, lhs, rhs, why: str) -> Step:
        """A side equality ``lhs = rhs`` (lhs a sum) which later rows use as a rewrite."""
        lhs = sp.sympify(lhs)
        row = self._equality(lhs, sp.sympify(rhs), why)
        self.context = self.context.assume(rewrite_rule(lhs, row.rhs))
        return replace(row, note="lemma")

    @step
    def ge(self, rhs, why: str, by=(), equality=None) -> Step:
        """``current >= rhs``, by one rule or several; `equality` is the condition of equality."""
        return self._inequality(">=", rhs, why, by, equality)

    @step
    def le(self, rhs, why: str, by=(), equality=None) -> Step:
        """``current <= rhs``, by one rule or several; `equality` is the condition of equality."""
        return self._inequality("<=", rhs, why, by, equality)

    @step
    def limit(self, variable, point, value, why: str, direction: str = "+") -> Step:
        """``lim current = value`` as the variable goes to the point, from the given side."""
        lhs = Limit(self.current, variable, point, direction)
        value = sp.sympify(value)
        f, target = self.context.unfold(self.current), self.context.unfold(value)
        self._watch_limit(lhs, f, target, why)
        try:
            with time_limit(PATIENCE):
                found = sp.limit(f.doit(), variable, point, direction)
        except Exception as error:  # sympy's limit fails in many ways; none of them is a proof
            found = error
        finite = not isinstance(found, Exception) and found.is_finite and target.is_finite
        if not (found == target or (finite and self.context.prove_zero(found - target))):
            self._fail(lhs, "->", value, why, f"sympy's limit is {found!r}: not proved")
        opening = self._opens()
        self.current = value
        return Step(lhs, "->", value, why, "proved", "sympy.limit", points=3, opens=opening)

    @step
    def solve(self, variable, solution, why: str) -> Step:
        """``current = 0`` exactly at ``variable = solution``.

        Proved: the residual at the solution is zero, and current times a power of the (positive)
        variable is affine in it with a slope that is not zero, so there is no other solution. The
        solution, written out, is free of the variable.
        """
        solution, lhs = sp.sympify(solution), self.current
        unknown = Dummy("v", positive=variable.is_positive or None, real=variable.is_real or None)
        equation = self._in_terms_of(variable, unknown)
        for part, name in ((equation, "the equation"), (solution, "the solution")):
            hidden = self._occurrence(variable, part)
            if hidden is not None:
                trouble = f"{name} holds {hidden}, which may be {variable}"
                self._fail(lhs, "zero at", sp.Eq(variable, solution), why, trouble)
        residual = equation.xreplace({unknown: solution})
        for point, (value,) in try_at(TRIALS, self.context.unfold(residual)):
            if abs(value) > mp.mpf(10) ** -9:
                trouble = f"is not zero there: {mp.nstr(value, 8)} at {point}"
                self._fail(lhs, "zero at", sp.Eq(variable, solution), why, trouble)
        if not self.context.prove_zero(residual):
            self._fail(
                lhs, "zero at", sp.Eq(variable, solution), why, "the residual is not proved 0"
            )
        note = self._unique(equation, unknown)
        if note is None:
            self._fail(lhs, "zero at", sp.Eq(variable, solution), why, "uniqueness is not proved")
        opening = self._opens()
        self.current = sp.Eq(variable, solution)
        row = Step(lhs, "zero at", self.current, why, "proved", "substitution", TRIALS, note)
        return replace(row, opens=opening)

    def _finish(self, claim: Claim) -> Claim:
        return replace(claim, definitions=self.context.definitions)

    def _snapshot(self):
        twin = super()._snapshot()
        twin.ranges = dict(self.ranges)
        return twin

    # ---- checks ----------------------------------------------------------------------------------

    def _equality(self, lhs, rhs, why, numeric_only=False):
        self._refuse_padding(lhs, rhs, why)
        return self._prove_equal(lhs, rhs, why, numeric_only)

    def _prove_equal(self, lhs, rhs, why, numeric_only=False):
        self._check_ranges(sp.Tuple(lhs, rhs), why)
        self._compare(lhs, rhs, why)
        how = self.context.prove_zero(lhs - rhs)
        if how:
            return Step(lhs, "=", rhs, why, "proved", how, TRIALS)
        if numeric_only:
            return Step(lhs, "=", rhs, why, "tested", "trial only", TRIALS)
        return self._fail(lhs, "=", rhs, why, "holds at every trial point, but is not proved")

    def _compare(self, lhs, rhs, why):
        """Both sides at random points; a mismatch raises with the point and a hint."""
        left, right = self.context.unfold(lhs), self.context.unfold(rhs)
        calculus = any(side.has(Derivative, Integral) for side in (left, right))
        tolerance = mp.mpf(10) ** (-7 if calculus else -12)
        pairs, worst = [], None
        for point, (a, b) in try_at(TRIALS, left, right):
            pairs.append((a, b))
            if not abs(a - b) <= tolerance * (1 + abs(a) + abs(b)):
                worst = worst or (point, a, b)
        if worst:
            point, a, b = worst
            trouble = (
                f"fails at {point}\n    left  = {mp.nstr(a, 12)}\n    right = {mp.nstr(b, 12)}"
            )
            self._fail(lhs, "=", rhs, why, trouble + _hint(pairs))

    def _inequality(self, relation, rhs, why, by, equality):
        lhs, rhs = self.current, sp.sympify(rhs)
        self._refuse_padding(lhs, rhs, why)
        self._check_ranges(sp.Tuple(lhs, rhs), why)
        gap = lhs - rhs if relation == ">=" else rhs - lhs
        lowest, where = self._lowest(gap)
        if not lowest >= -(mp.mpf(10) ** -10):
            short = "no real number" if mp.isinf(lowest) else f"short by {mp.nstr(-lowest, 8)}"
            trouble = f"fails at {where}\n    {short}"
            self._fail(lhs, relation, rhs, why, trouble)
        rules = tuple(by) if isinstance(by, (tuple, list)) else (by,)
        if not rules:
            self._fail(lhs, relation, rhs, why, "holds at every trial point, but no rule is given")
        try:
            instances = [rule.instance(self.context) for rule in rules]
        except StepError as refusal:
            self._fail(lhs, relation, rhs, why, str(refusal))
        if not self.context.prove_zero(gap - sum(instance.expr for instance in instances)):
            self._fail(lhs, relation, rhs, why, "the gap is not what the rules show to be >= 0")
        note = ""
        if equality is not None:
            self._check_equality_case(gap, instances, equality, (lhs, relation, rhs, why))
            note = "equality"
        opening = self._opens()
        self.current = rhs
        how = " + ".join(dict.fromkeys(instance.how for instance in instances))
        row = Step(lhs, relation, rhs, why, "proved", how, TRIALS + 4 + HUNT, note, opens=opening)
        return replace(row, equality=equality)

    def _lowest(self, gap):
        """The smallest gap found: random points, then downhill from the worst of them.

        A gap that is no real number (the logarithm of a negative one, say) counts as the lowest.
        """
        unfolded = self.context.unfold(gap)
        tried = try_at(TRIALS, unfolded) + try_at(4, unfolded, seed=1, spread=3.0)
        for where, (value,) in tried:
            if not isinstance(value, mp.mpf) or mp.isnan(value):
                return mp.ninf, where
        where, (lowest,) = min(tried, key=lambda pair: pair[1])
        for _ in range(HUNT):
            near = where.nearby()
            value = evaluate(unfolded, near)
            if value < lowest:
                lowest, where = value, near
        return lowest, where

    def _check_equality_case(self, gap, instances, equality, row):
        """The stated condition must be the rules' own, and make the gap vanish in numbers."""
        lhs, relation, rhs, why = row
        if not isinstance(equality, sp.Equality):
            self._fail(lhs, relation, rhs, why, f"{equality} is no equation: equality holds where?")
        for instance in instances:
            for condition in instance.zero_when:
                if condition == sp.false or not self._equivalent(condition, equality):
                    trouble = f"equality holds where {condition}, not shown to be {equality}"
                    self._fail(lhs, relation, rhs, why, trouble)
        there = self._where(equality, gap)
        for point, (value,) in try_at(3, there):
            if abs(value) > mp.mpf(10) ** -10:
                trouble = f"the gap is {mp.nstr(value, 8)}, not 0, where {equality}, at {point}"
                self._fail(lhs, relation, rhs, why, trouble)

    def _where(self, equality, gap):
        """The gap under the condition, written out.

        A defined head is redefined, and another head becomes the condition's other side. Where that
        side is made of the head's own array (each number equals the average of all), the array is
        constant.
        """
        definition = Definition(equality.lhs, equality.rhs)  # refuses all but a plain symbol
        head, definitions = definition.head, self.context.definitions
        if not any(base(d.head) == base(head) for d in definitions):
            if isinstance(head, Indexed) and self.context.unfold(equality.rhs).has(head.base):
                definition = Definition(head, Dummy("t", positive=True))
            return Context((*definitions, definition)).unfold(gap)
        redefined = (definition if base(d.head) == base(head) else d for d in definitions)
        return Context(tuple(redefined)).unfold(gap)

    def _equivalent(self, condition, stated):
        """One equation is the other times a factor of definite sign, so they hold together."""
        others = tuple(d for d in self.context.definitions if d.head != stated.lhs)
        form = SumNormalForm()
        for definitions in ((), others, self.context.definitions):
            sides = (
                form(self.context.unfold(e.lhs - e.rhs, definitions)) for e in (condition, stated)
            )
            factor = sp.cancel(next(sides) / next(sides))
            if factor.is_positive or factor.is_negative:
                return True
        return False

    def _watch_limit(self, lhs, f, target, why):
        """Numbers on the way to the limit must be seen to arrive (or to run away)."""
        _, variable, end, direction = lhs.args
        for seed in range(3):
            point, seen = Point(seed), []
            for i in (2, 4, 8, 16, 32):
                with mp.workdps(2 * DIGITS):
                    small = mp.mpf(10) ** -i * (1 if str(direction) == "+" else -1)
                    far = 1 / abs(small) if end == oo else -1 / abs(small)
                    point[variable] = far if end in (oo, -oo) else evaluate(end, point) + small
                seen.append(evaluate(f, point, 2 * DIGITS))
            point.pop(variable)
            goal = evaluate(target, point)
            if mp.isinf(goal):
                rising = [value * mp.sign(goal) for value in seen]
                arrived = rising[-1] > 20 and rising[1:] == sorted(rising[1:])
            else:
                arrived = abs(seen[-1] - goal) < mp.mpf(10) ** -6 * (1 + abs(goal))
            if not arrived:
                numbers = ", ".join(mp.nstr(value, 6) for value in seen)
                trouble = f"is not seen at {point}\n    on the way: {numbers}; claimed: {goal}"
                self._fail(lhs, "->", target, why, trouble)

    def _in_terms_of(self, variable, unknown):
        """The current expression with the variable replaced by an unknown, derivatives taken."""
        context, current = self.context, self.current
        hiding = [d for d in context.definitions if context.unfold(d.head).has(base(variable))]
        if current.has(Partial, *(base(d.head) for d in hiding)):
            current = context.unfold(current)
        current = take_derivatives(current)
        return current.xreplace({variable: unknown})

    def _occurrence(self, variable, expr):
        """The variable in an expression, written out, or an entry of its array that may be it."""

        def distinct(entry):
            pairs = zip(entry.indices, variable.indices, strict=True)
            return any(a != b and a.is_Integer and b.is_Integer for a, b in pairs)

        unfolded = self.context.unfold(expr)
        if not isinstance(variable, Indexed):
            return variable if unfolded.has(variable) else None
        entries = (e for e in unfolded.atoms(Indexed) if e.base == variable.base)
        return next((entry for entry in entries if not distinct(entry)), None)

    def _unique(self, equation, unknown):
        """Times a power of a positive unknown: affine, with a slope that can't be zero."""
        form = SumNormalForm(self.context.rules)
        for power in range(4 if unknown.is_positive else 1):
            affine = form(sp.expand(form(equation * unknown**power)))
            slope = sp.diff(affine, unknown)
            bend = sp.diff(slope, unknown)
            seen = try_at(2, self.context.unfold(bend))
            if any(abs(value) > 1e-9 for _, (value,) in seen) or not self.context.prove_zero(bend):
                continue
            return "the only solution" if slope.is_negative or slope.is_positive else None
        return None

    def _check_ranges(self, expr, why):
        """An array's slot runs over one range in the whole derivation: catches gamma[k, n]."""

        def walk(node, ranges):
            if isinstance(node, Sum):
                ranges = ranges | {limit[0]: limit[2] for limit in node.limits}
            if isinstance(node, Indexed):
                for slot, index in enumerate(node.indices):
                    if index not in ranges:
                        continue
                    known = self.ranges.setdefault((str(node.base), slot), ranges[index])
                    if known != ranges[index]:
                        raise StepError(
                            f"\n  derivation '{self.name}': {why}\n  index {slot + 1} of "
                            f"{node.base} runs to {known} elsewhere, to {ranges[index]} in {node}"
                        )
            for arg in node.args:
                walk(arg, ranges)

        walk(sp.sympify(expr), {})

    def _check_sign(self, definition: Definition):
        """A sign declared for a head is a claim: it follows from the body or is assumed aloud."""
        head, body = definition.head, self.context.unfold(definition.head)
        signs = ("positive", "negative", "nonnegative", "nonpositive", "nonzero", "integer", "real")
        for sign in signs:
            declared = getattr(head, f"is_{sign}")
            follows = any(getattr(form, f"is_{sign}") for form in (definition.body, body))
            if declared and not follows and not definition.assuming:
                raise StepError(
                    f"\n  derivation '{self.name}': {head} is declared {sign}, which does not "
                    f"follow from its definition {definition.body}; say assuming=..."
                )
        seen = [value for _, (value,) in try_at(TRIALS, body)] if head.is_positive else []
        if any(value < 0 or (value == 0 and not definition.assuming) for value in seen):
            raise StepError(f"\n  derivation '{self.name}': {head} is declared positive but is not")

    def _fail(self, lhs, relation, rhs, why, trouble):
        raise StepError(self._message(lhs, relation, rhs, why, trouble))


def _hint(pairs) -> str:
    """What a constant ratio or difference of the two sides suggests."""

    def constant(values):
        return all(abs(v - values[0]) < 1e-9 * (1 + abs(values[0])) for v in values)

    if all(b != 0 for _, b in pairs):
        ratios = [a / b for a, b in pairs]
        if constant(ratios):
            if ratios[0] == 0:
                return "\n  hint: the left side is zero at every point"
            factor = mp.nstr(ratios[0], 6)
            return f"\n  hint: left = {factor} x right at every point: a missing factor or sign"
    differences = [a - b for a, b in pairs]
    if constant(differences):
        term = mp.nstr(differences[0], 6)
        return f"\n  hint: left - right = {term} at every point: a missing constant"
    return ""
