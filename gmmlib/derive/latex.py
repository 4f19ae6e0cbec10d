"""LaTeX as a mathematician writes it, in rows that fit a phone."""

import re

import sympy as sp
from sympy import Add, Indexed, IndexedBase, Mul, Pow, Sum, log
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter

from .notation import Partial

#: Characters of typeset mathematics that fit one row of a phone, about.
ROW = 36


class BookPrinter(LatexPrinter):
    """x_n - mu_k (not -mu_k + x_n), q log p (not log(p) q), gamma_{nk}, nested sums."""

    def _print_Add(self, expr, order=None):
        out = ""
        for term in ordered_terms(expr):
            negative = term.could_extract_minus_sign() and out != ""
            text = self._print(-term if negative else term)
            if (-term if negative else term).is_Add:
                text = rf"\left({text}\right)"
            out += text if not out else (" - " if negative else " + ") + text
        return out

    def _print_Mul(self, expr):
        """Coefficient, letters, brackets, then logarithms and sums; one fraction bar."""
        above, below = [], []
        for factor in Mul.make_args(expr):
            if isinstance(factor, sp.Rational):
                above += [sp.Integer(factor.p)] if abs(factor.p) != 1 else []
                below += [sp.Integer(factor.q)] if factor.q != 1 else []
            elif isinstance(factor, Pow) and factor.exp.could_extract_minus_sign():
                below.append(1 / factor)
            else:
                above.append(factor)
        sign = "-" if expr.could_extract_minus_sign() and _leading(expr) < 0 else ""
        above = [abs(f) if f.is_Integer else f for f in above]
        late = [f for f in above if _comes_last(f)]
        early = [f for f in above if f not in late]
        if not below:
            return sign + self._product([*early, *late])
        if not early and len(late) == 1 and isinstance(late[0], Sum) or Mul(*below).has(Sum):
            early, late = [*early, *late], []
        over = rf"\frac{{{self._product(early)}}}{{{self._product(below)}}}"
        if len(late) == 1 and late[0].is_Add:
            return rf"{sign}{over} \left({self._print(late[0])}\right)"
        return sign + over + (rf"\, {self._product(late)}" if late else "")

    def _product(self, factors):
        if not factors:
            return "1"
        if len(factors) == 1:
            return self._print(factors[0])
        factors = sorted(factors, key=_place)
        texts = []
        for position, factor in enumerate(factors):
            last = position == len(factors) - 1
            text = self._print(factor)
            open_ended = isinstance(factor, (Sum, Partial)) and not last
            if factor.is_Add or open_ended:
                text = rf"\left({text}\right)"
            texts.append((r"\, " if _comes_last(factor) and texts else "") + text)
        return " ".join(texts)

    def _print_Pow(self, expr):
        base, exponent = expr.base, expr.exp
        squared = isinstance(base, Indexed) and str(base.base.label).endswith("^2")
        if squared and exponent.is_Integer and exponent > 1:  # (sigma^2)^2 is written sigma^4
            plain = IndexedBase(str(base.base.label)[: -len("^2")])[base.indices]
            return self._print_Indexed(plain, self._print(2 * exponent))
        return super()._print_Pow(expr)

    def _print_Indexed(self, expr, exp=None):
        base, _, power = self._print(expr.base.label).partition("^")
        indices = [self._print(i) for i in expr.indices]
        joined = ("" if all(len(i) == 1 for i in indices) else ",").join(indices)
        if base.endswith("(x)"):  # p(x)[n] is the function at row n
            return f"{base[:-2]}x_{{{joined}}})" + ("" if exp is None else f"^{{{exp}}}")
        out = f"{base}_{{{joined}}}" + (f"^{power}" if power else "")
        if exp is None:
            return out
        return (rf"\left({out}\right)" if power else out) + f"^{{{exp}}}"

    def _print_Sum(self, expr):
        sums = "".join(
            rf"\sum_{{{self._print(v)}={self._print(low)}}}^{{{self._print(high)}}} "
            for v, low, high in reversed(expr.limits)
        )
        body = self._print(expr.function)
        return sums + (rf"\left({body}\right)" if isinstance(expr.function, Add) else body)

    def _print_log(self, expr, exp=None):
        name = r"\log" if exp is None else rf"\log^{{{exp}}}"
        argument = expr.args[0]
        text = self._print(argument)
        simple = argument.is_Symbol or argument.is_Integer
        simple = simple or isinstance(argument, (Indexed, sp.Function, Sum, sp.Determinant))
        if simple and not isinstance(argument, log):
            return f"{name} {text}"
        return rf"{name}\left({text}\right)"

    def _print_Normal(self, expr, exp=None):
        point, mean, variance = map(self._print, expr.args)
        out = rf"\mathcal{{N}}({point} \mid {mean}, {variance})"
        return out if exp is None else rf"{out}^{{{exp}}}"

    def _print_Partial(self, expr, exp=None):
        function, *variables = expr.args
        order = len(variables)
        power = f"^{order}" if order > 1 else ""
        below = "".join(rf"\partial {self._print(v)}" for v in variables)
        if order == 2 and variables[0] == variables[1]:
            squared = self._print(variables[0])
            below = rf"\partial ({squared})^2" if "^" in squared else rf"\partial {squared}^2"
        if function.is_Symbol or isinstance(function, Indexed):
            return rf"\frac{{\partial{power} {self._print(function)}}}{{{below}}}"
        inside = self._print(function)
        inside = rf"\left({inside}\right)" if function.is_Add else inside
        return rf"\frac{{\partial{power}}}{{{below}}} {inside}"

    def _print_AppliedUndef(self, expr, exp=None):
        indices = [self._print(a) for a in expr.args if a.is_integer]
        rest = ", ".join(self._print(a) for a in expr.args if not a.is_integer)
        name = self._print(sp.Symbol(expr.func.__name__))
        out = f"{name}_{{{''.join(indices)}}}" if indices else name
        out += f"({rest})" if rest else ""
        return out if exp is None else rf"{out}^{{{exp}}}"

    def _print_UnevaluatedExpr(self, expr, exp=None):
        out = self._print(expr.args[0])
        return out if exp is None else rf"\left({out}\right)^{{{exp}}}"

    def _print_Function(self, expr, exp=None):
        if isinstance(expr, AppliedUndef):
            return self._print_AppliedUndef(expr, exp)
        return super()._print_Function(expr, exp)

    def _print_Determinant(self, expr, exp=None):
        out = rf"\left|{self._print(expr.arg)}\right|"
        return out if exp is None else rf"{out}^{{{exp}}}"

    def _print_Trace(self, expr, exp=None):
        return rf"\operatorname{{tr}}\left({self._print(expr.arg)}\right)"

    def _print_Form(self, expr):
        left, matrix, right = expr.args
        left = self.parenthesize(left, 1000, strict=True)
        right = self.parenthesize(right, 1000, strict=True)
        return rf"{left}^{{\mathsf{{T}}}} {self._print(matrix)} {right}"

    def _print_Transpose(self, expr):
        return self.parenthesize(expr.arg, 1000, strict=True) + r"^{\mathsf{T}}"


def ordered_terms(expr: Add):
    """Positive terms first, so that no row opens with a minus it could avoid."""
    terms = LatexPrinter()._as_ordered_terms(expr)
    return sorted(terms, key=lambda term: bool(term.could_extract_minus_sign()))


def _leading(expr):
    """The numeric coefficient of a product."""
    return expr.as_coeff_Mul()[0]


def _comes_last(factor):
    opaque = (log, Sum, sp.Derivative, Partial, sp.Trace)
    return isinstance(factor, opaque) or factor.is_Add and factor.has(*opaque)


def _place(factor):
    """Where a factor stands in a product, left to right."""
    base = factor.base if isinstance(factor, Pow) else factor
    if factor.is_number:
        rank = 0
    elif base.is_Symbol or isinstance(base, Indexed):
        rank = 1
    elif isinstance(factor, Sum):
        rank = 5
    elif _comes_last(factor):
        rank = 4
    else:
        rank = 3 if base.is_Add else 2
    entries = len(base.indices) if isinstance(base, Indexed) else 0
    return rank, -entries, str(base)  # gamma_nk before x_n


def latex(expr) -> str:
    """LaTeX of one expression."""
    return BookPrinter().doprint(sp.sympify(expr))


_SIGN = {"=": "=", ">=": r"\ge", "<=": r"\le", ":=": ":=", "->": "=", "d=": "="}


def row(lhs, relation: str, rhs, opens: bool = True) -> str:
    """LaTeX of ``lhs relation rhs``, broken into lines where it is wide.

    With ``opens=False`` the left side is left out: the row continues the one above.
    """
    if relation == "zero at":
        return _zero_at(lhs, rhs)
    if isinstance(lhs, sp.Limit):
        return _limit(lhs, rhs)
    left = latex(lhs) if opens else ""
    if relation == "d=":
        left = (
            rf"\mathrm{{d}} {left}" if _stands_alone(lhs) else rf"\mathrm{{d}}\left({left}\right)"
        )
    sign = _SIGN[relation]
    if width(left) + width(latex(rhs)) + 3 <= ROW:
        return f"{left} {sign} {latex(rhs)}".strip()
    lines = _lines(rhs)
    if left and width(left) > 8 and width(left) + width(lines[0]) + 3 > ROW:
        first = [rf"&{left}", rf"&\quad {sign} {lines[0]}"]
        rest = [rf"&\qquad {line}" for line in lines[1:]]
    else:
        first = [rf"{left} &{sign} {lines[0]}"]
        rest = [rf"&\quad {line}" for line in lines[1:]]
    return "\\begin{aligned}\n" + " \\\\\n".join(first + rest) + "\n\\end{aligned}"


def _zero_at(lhs, rhs):
    left, right = latex(lhs), f"{latex(rhs.lhs)} = {latex(rhs.rhs)}"
    if width(left) + width(right) + 8 <= ROW:
        return rf"{left} = 0 \iff {right}"
    return (
        "\\begin{aligned}\n"
        + rf"&{left} = 0 \\"
        + "\n"
        + rf"&\quad\iff {right}"
        + "\n\\end{aligned}"
    )


def _limit(lhs, rhs):
    function, variable, point, _ = lhs.args
    below = rf"\lim_{{{latex(variable)} \to {latex(point)}}}"
    body = latex(function)
    body = rf"\left({body}\right)" if function.is_Add else body
    if width(body) + width(latex(rhs)) + 8 <= ROW:
        return rf"{below} {body} = {latex(rhs)}"
    return (
        "\\begin{aligned}\n"
        + rf"&{below} {body} \\"
        + "\n"
        + rf"&\quad = {latex(rhs)}"
        + "\n\\end{aligned}"
    )


def _stands_alone(expr):
    return expr.is_Symbol or isinstance(expr, (sp.MatrixSymbol, log))


def _lines(expr):
    """The terms of a sum packed into lines that fit, each after the first opening with its sign."""
    if not isinstance(expr, (Add, sp.MatAdd)):
        return [latex(expr)]
    lines = [""]
    terms = ordered_terms(expr) if isinstance(expr, Add) else expr.args
    for position, term in enumerate(terms):
        negative = term.could_extract_minus_sign() and position > 0
        body = latex(-term if negative else term)
        if (-term if negative else term).is_Add:
            body = rf"\left({body}\right)"
        text = body if position == 0 else f"{'-' if negative else '+'} {body}"
        if lines[-1] and width(lines[-1]) + width(text) + 3 > ROW - 4:
            lines.append(text)
        else:
            lines[-1] = f"{lines[-1]} {text}".strip()
    return lines


def width(tex: str) -> int:
    """About how many characters wide the formula is when typeset."""
    while True:  # a fraction is as wide as its wider part
        match = re.search(
            r"\\frac\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}", tex
        )
        if not match:
            break
        wider = max(match.groups(), key=width)
        tex = tex[: match.start()] + wider + tex[match.end() :]
    tex = re.sub(r"\\sum_\{[^}]*\}\^\{[^}]*\}", "SS", tex)
    tex = re.sub(r"\\(left|right|mathrm|mathcal|mathsf|operatorname|quad|,|;|!)", "", tex)
    tex = re.sub(r"\\(log|exp|lim)\b", "lll", tex)
    tex = re.sub(r"\\[a-zA-Z]+", "x", tex)
    scripts = sum(len(s) for s in re.findall(r"[_^](?:\{([^}]*)\}|\w)", tex))
    return len(re.sub(r"[{}_^\s]", "", tex)) - scripts // 3
