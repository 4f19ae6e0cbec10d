"""LaTeX as a mathematician writes it, in rows that fit a phone."""

import re

import sympy as sp
from sympy import Add, Indexed, IndexedBase, Mul, Pow, Sum, log
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter

from .notation import Partial

#: Characters of typeset mathematics that fit one row of a phone, about; with a number beside it.
ROW, NUMBERED_ROW = 34, 27


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
        if (not early and len(late) == 1 and isinstance(late[0], Sum)) or Mul(*below).has(Sum):
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
            held = factor.args[0] if isinstance(factor, sp.UnevaluatedExpr) else factor
            if held.is_Add or open_ended:
                text = rf"\left({text}\right)"
            texts.append((r"\, " if _comes_last(factor) and texts else "") + text)
        return " ".join(texts)

    def _print_Pow(self, expr):
        base, exponent = expr.base, expr.exp
        if (2 * exponent).is_Integer and exponent > 0 and _name(base).endswith("^2"):
            power = 2 * exponent  # (sigma^2)^2 is written sigma^4, and its square root sigma
            plain = _name(base).removesuffix("^2")
            plain = IndexedBase(plain)[base.indices] if base.is_Indexed else sp.Symbol(plain)
            return self._print(plain) + (f"^{{{self._print(power)}}}" if power != 1 else "")
        root = exponent.is_Rational and not exponent.is_Integer
        if root or exponent.could_extract_minus_sign():
            return super()._print_Pow(expr)
        if isinstance(base, Indexed):
            return self._print_Indexed(base, self._print(exponent))
        if _is_logarithm(base):
            return rf"\left({self._print(base)}\right)^{{{self._print(exponent)}}}"
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
        return sums + self._operand(expr.function)

    def _operand(self, expr):
        """What stands behind a sum or a limit: in brackets if it is a sum or opens with a minus."""
        body = self._print(expr)
        return rf"\left({body}\right)" if expr.is_Add or body.startswith("-") else body

    def _print_log(self, expr, exp=None):
        name = r"\log" if exp is None else rf"\log^{{{exp}}}"
        argument = expr.args[0]
        text = self._print(argument)
        simple = argument.is_Symbol or argument.is_Integer
        simple = simple or isinstance(argument, (Indexed, sp.Function, Sum, sp.Determinant))
        if simple and not isinstance(argument, log):
            return f"{name} {text}"
        return rf"{name}\left({text}\right)"

    def _print_ExpBase(self, expr, exp=None):
        exponent = self._print(expr.exp)
        if r"\frac" not in exponent:
            return super()._print_ExpBase(expr, exp)
        out = rf"\exp\left({exponent}\right)"  # a fraction in an exponent is too small to read
        return out if exp is None else rf"{out}^{{{exp}}}"

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
    late = isinstance(factor, opaque) or _is_logarithm(factor)
    return late or (factor.is_Add and factor.has(*opaque))


def _is_logarithm(factor):
    r"""A symbol such as \log L, or an entry of an array: its name would swallow what follows."""
    return _name(factor).startswith(r"\log")


def _name(factor):
    """The name of a symbol or of an entry's array; anything else has none."""
    if isinstance(factor, Indexed):
        return str(factor.base.label)
    return factor.name if factor.is_Symbol else ""


def _place(factor):
    """Where a factor stands in a product, left to right."""
    base = factor.base if isinstance(factor, Pow) else factor
    if factor.is_number:
        rank = 0
    elif not _is_logarithm(base) and (base.is_Symbol or isinstance(base, Indexed)):
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


def row(lhs, relation: str, rhs, opens: bool = True, room: int = ROW) -> str:
    """LaTeX of ``lhs relation rhs``, broken into lines where it is wider than the room there is.

    With ``opens=False`` the left side is left out: the row continues the one above.
    """
    if relation == "zero at":
        return _two_parts(f"{latex(lhs)} = 0", rf"\iff {latex(rhs.lhs)} = {latex(rhs.rhs)}", room)
    if isinstance(lhs, sp.Limit):
        function, variable, point, _ = lhs.args
        below = rf"\lim_{{{latex(variable)} \to {latex(point)}}}"
        return _two_parts(f"{below} {BookPrinter()._operand(function)}", f"= {latex(rhs)}", room)
    left = latex(lhs) if opens else ""
    if relation == "d=":
        alone = _stands_alone(lhs)
        left = rf"\mathrm{{d}} {left}" if alone else rf"\mathrm{{d}}\left({left}\right)"
    sign = _SIGN[relation]
    whole = f"{left} {sign} {latex(rhs)}".strip()
    if width(whole) <= room:
        return whole
    beside = _lines(rhs, room, indent=width(left) + 3)
    if width(left) > 4 and width(left) + 3 + width(beside[0]) > room:
        first = [rf"&{left}"]
        lines = _lines(rhs, room, indent=5)
        rest = [rf"&\quad {sign} {lines[0]}", *(rf"&\qquad {line}" for line in lines[1:])]
    else:
        first = [rf"{left} &{sign} {beside[0]}"]
        rest = [rf"&\quad {line}" for line in beside[1:]]
    if not left and not rest:
        return whole
    return _aligned(first + rest)


def _two_parts(left, right, room):
    """Both parts in one row, or the second one below the first."""
    if width(f"{left} {right}") <= room:
        return f"{left} {right}"
    return _aligned([rf"&{left}", rf"&\quad {right}"])


def _aligned(lines):
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _stands_alone(expr):
    return expr.is_Symbol or isinstance(expr, (sp.MatrixSymbol, log))


def _lines(expr, room, indent):
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
        if lines[-1] and width(f"{lines[-1]} {text}") + indent > room:
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
    tex = re.sub(r"\\(sum|prod|lim)_\{[^}]*\}(\^\{[^}]*\})?", "SSS", tex)
    tex = re.sub(r"\\iff", "xxxxxx", tex)
    tex = re.sub(r":=|=|\\(ge|le|to)\b", "xxx", tex)
    tex = re.sub(r" [+-] ", "xx", tex)
    tex = re.sub(r"\\(left|right|mathrm|mathcal|mathsf|operatorname|quad|,|;|!)", "", tex)
    tex = re.sub(r"\\(log|exp|lim)\b", "lll", tex)
    tex = re.sub(r"\\[a-zA-Z]+", "x", tex)
    scripts = sum(len(s) for s in re.findall(r"[_^](?:\{([^}]*)\}|\w)", tex))
    return len(re.sub(r"[{}_^\s]", "", tex)) - scripts // 3
