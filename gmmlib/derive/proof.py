"""Drive a residual to exactly zero: what a step may unfold, and the strategies tried."""

import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace

import sympy as sp
from sympy import Derivative, Indexed, IndexedBase, Integral, Symbol

from .notation import Normal, Partial
from .steps import Definition, Rewrite, StepError
from .sums import (
    SumNormalForm,
    as_rational,
    combine_sums,
    evaluate_integrals,
    expand_logs,
    fresh,
    rewrite_rule,
    with_range_inside,
    with_range_outside,
)
from .trial import try_at

#: Seconds after which one strategy gives up on one residual, and all of them together.
PATIENCE, TOTAL_PATIENCE = 5.0, 40.0


@contextmanager
def time_limit(seconds):
    """Raise TimeoutError after so many seconds, where there are signals (not on Windows)."""
    possible = hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    if not possible:
        yield
        return

    def stop(*_):
        raise TimeoutError(f"not decided within {seconds:g} seconds")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@dataclass(frozen=True)
class Context:
    """The definitions that stand and the equalities already proved, from which steps argue."""

    definitions: tuple[Definition, ...] = ()
    rules: tuple[Rewrite, ...] = ()

    def define(self, definition: Definition) -> "Context":
        """The context with one more definition; one whose body is a sum also folds that sum."""
        if any(base(d.head) == base(definition.head) for d in self.definitions):
            raise StepError(f"{definition.head} is defined twice")
        rules = self.rules
        if isinstance(definition.body, sp.Sum):
            rules += (rewrite_rule(definition.body, definition.head),)
        return replace(self, definitions=(*self.definitions, definition), rules=rules)

    def assume(self, rule: Rewrite) -> "Context":
        """The context with one more proved equality."""
        return replace(self, rules=(*self.rules, rule))

    def unfold(self, expr, definitions=None):
        """Write out definitions (all of them unless told which) until none is left.

        The normal density is written out with the first definition, and a `Partial` becomes a
        derivative once all of them are.
        """
        expr = fresh(sp.sympify(expr))
        expr = expr.replace(lambda e: isinstance(e, sp.UnevaluatedExpr), lambda e: e.args[0])
        chosen = self.definitions if definitions is None else definitions
        for _ in range(len(chosen) + 1):
            before = expr
            for definition in chosen:
                expr = _write_out(expr, definition)
            if expr == before:
                break
        else:
            raise StepError("the definitions are circular")
        if definitions is None:
            expr = expr.replace(lambda e: isinstance(e, Partial), lambda e: e.unfolded())
        if definitions != ():
            expr = expr.replace(lambda e: isinstance(e, Normal), lambda e: e.unfolded())
        return expr

    def prove_zero(self, expr) -> str | None:
        """The name of the strategy that turns the expression into exactly 0, or None.

        A number that is not small ends it at once: no strategy is tried on what is not zero.
        """
        if any(abs(value) > 1e-6 for _, (value,) in try_at(2, self.unfold(expr))):
            return None
        deadline = time.monotonic() + TOTAL_PATIENCE
        candidates = self._readings(sp.sympify(expr))
        quick, slow = self._strategies()
        for strategies in (quick, slow):
            for candidate in candidates:
                for name, strategy in strategies:
                    if time.monotonic() > deadline:
                        return None
                    try:
                        with time_limit(PATIENCE):
                            if strategy(candidate) == 0:
                                return name
                    except Exception:  # sympy crashes on some sums: then another strategy must do
                        continue
        return None

    def _readings(self, expr):
        """The expression with none, some and all definitions written out, derivatives taken."""
        unfolded = self.unfold(expr)
        if unfolded.has(Integral):
            variables = {limit[0] for node in unfolded.atoms(Integral) for limit in node.limits}
            inside = any(d.body.has(*variables) for d in self.definitions)
            expr = evaluate_integrals(unfolded if inside or expr.has(Normal) else expr)
            unfolded = self.unfold(expr)
        readings = [unfolded]
        # a folded reading is faster, but must not hide a variable that a derivative is taken by
        varied = {
            base(variable) for node in unfolded.atoms(Derivative) for variable in node.variables
        }
        hidden = {base(d.head) for d in self.definitions}
        for d in self.definitions:
            hidden |= d.body.atoms(IndexedBase, Symbol)
        if not varied & hidden and not (varied and expr.has(Normal)):
            every = self.definitions
            chosen = [every[i:] for i in range(len(every), -1, -1)]
            chosen += [tuple(d for d in every if d is not kept) for kept in every]
            readings = [*(self.unfold(expr, some) for some in chosen), unfolded]
        return list(dict.fromkeys(map(take_derivatives, readings)))

    def _strategies(self):
        quick = [
            ("structural", lambda e: e),
            ("expand", lambda e: sp.expand(e, log=False)),
        ]
        for order in (with_range_outside, with_range_inside):
            form = SumNormalForm(self.rules, order)
            quick += [
                ("sum normal form", lambda e, form=form: as_rational(form(e))),
                ("logarithms and sum normal form", lambda e, form=form: _through_logs(e, form)),
            ]
        quick.append(("sums combined", combine_sums))
        form = SumNormalForm(self.rules)
        slow = [
            ("evaluated, sum normal form", lambda e: _through_logs(e.doit(), form)),
            ("simplify", lambda e: sp.simplify(sp.expand_log(e.doit()))),
        ]
        return quick, slow


def take_derivatives(expr):
    """Evaluate every Derivative; those of unknown functions stay as they are."""

    def differentiate(node):
        # log of a product first becomes a sum: else exp(-a) meets exp(a) inside a sum, unsimplified
        spread = node.expr.replace(lambda e: isinstance(e, sp.log), sp.expand_log)
        return sp.diff(spread, *node.variable_count)

    return expr.replace(lambda e: isinstance(e, Derivative), differentiate)


def _through_logs(expr, form):
    return as_rational(form(expand_logs(form(expand_logs(expr)))))


def base(symbol):
    """The array of an entry; a plain symbol is its own."""
    return symbol.base if isinstance(symbol, Indexed) else symbol


def _write_out(expr, definition):
    head, body = definition.head, definition.body
    if not isinstance(head, Indexed):
        return expr.subs(head, fresh(body)) if expr.has(head) else expr

    def write_out(entry):
        if len(entry.indices) != len(head.indices):
            raise StepError(f"{entry} has another number of indices than the defined {head}")
        return fresh(body).xreplace(dict(zip(head.indices, entry.indices, strict=True)))

    return expr.replace(lambda e: isinstance(e, Indexed) and e.base == head.base, write_out)
