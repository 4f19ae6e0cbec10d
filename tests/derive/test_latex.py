"""The printer writes as a mathematician would, what was meant, and so that KaTeX reads it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import mpmath as mp
import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st
from sympy import (
    Determinant,
    Eq,
    Function,
    KroneckerDelta,
    Limit,
    MatrixSymbol,
    Rational,
    Sum,
    Symbol,
    Trace,
    UnevaluatedExpr,
    exp,
    log,
    oo,
    sqrt,
)

from gmmlib.derive.latex import ROW, latex, row, width
from gmmlib.derive.notation import (
    Form,
    N,
    Normal,
    Partial,
    component,
    counts,
    d,
    density,
    elbo,
    hat,
    i,
    j,
    joint,
    k,
    l,
    log_likelihood,
    m,
    means,
    n,
    old,
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
    z,
)
from gmmlib.derive.trial import Point, evaluate

X, MU = Symbol("x", real=True), Symbol("mu", real=True)
S2, A = Symbol("sigma^2", positive=True), Symbol("a", positive=True)
S, dS = MatrixSymbol("Sigma", d, d), MatrixSymbol(r"\mathrm{d}\Sigma", d, d)
v, mu = MatrixSymbol("x", d, 1), MatrixSymbol("mu", d, 1)
h = sp.IndexedBase("h", real=True)
f = Function("p", positive=True)
density_at = Normal(x[n], means[k], variances[k])

GOLDEN = [
    (x[n] - means[k], r"x_{n} - \mu_{k}"),
    (x[n] - means[k] - 1, r"x_{n} - \mu_{k} - 1"),
    (1 - X, "1 - x"),
    (-X - 1, "-x - 1"),
    (X - (X - MU) ** 2, r"x - \left(x - \mu\right)^{2}"),
    (x[n] * responsibilities[n, k], r"\gamma_{nk} x_{n}"),
    (counts[k] * hat(means)[k], r"N_{k} \hat{\mu}_{k}"),
    (variances[k] ** 2, r"\sigma_{k}^{4}"),
    (hat(variances)[k], r"\hat{\sigma}_{k}^2"),
    (hat(variances)[k] ** 2, r"\hat{\sigma}_{k}^{4}"),
    (sqrt(variances[k]), r"\sigma_{k}"),
    (S2**2, r"\sigma^{4}"),
    (1 / S2**2, r"\frac{1}{\sigma^{4}}"),
    (hat(means)[k] ** 2, r"\hat{\mu}_{k}^{2}"),
    (old(responsibilities)[n, k], r"\gamma_{nk}^{\mathrm{old}}"),
    (old(means)[k] ** 2, r"\left(\mu_{k}^{\mathrm{old}}\right)^{2}"),
    (old(variances)[k], r"\sigma_{k}^{2\,\mathrm{old}}"),
    (old(variances)[k] ** 2, r"\left(\sigma_{k}^{2\,\mathrm{old}}\right)^{2}"),
    (x[10, 1], "x_{10,1}"),
    (x[n + 1], "x_{n + 1}"),
    (density[n] ** 2, "p(x_{n})^{2}"),
    (f(n, k, theta), r"p_{nk}(\theta)"),
    (f(n, k, theta) ** 2, r"p_{nk}(\theta)^{2}"),
    (density_at, r"\mathcal{N}(x_{n} \mid \mu_{k}, \sigma_{k}^{2})"),
    (density_at**2, r"\mathcal{N}(x_{n} \mid \mu_{k}, \sigma_{k}^{2})^{2}"),
    (log(density_at), r"\log \mathcal{N}(x_{n} \mid \mu_{k}, \sigma_{k}^{2})"),
    (KroneckerDelta(component[n], k), r"\delta_{k c_{n}}"),
    # logarithms
    (log(weights[k]), r"\log \pi_{k}"),
    (log(sum_k(joint[n, k])), r"\log \sum_{k=1}^{K} p_{nk}"),
    (log(Determinant(S)), r"\log \left|\Sigma\right|"),
    (log(2 * sp.pi), r"\log\left(2 \pi\right)"),
    (log(q[n, k] / weights[k]), r"\log\left(\frac{q_{nk}}{\pi_{k}}\right)"),
    (log(log(X)), r"\log\left(\log x\right)"),
    (log(X) ** 2, r"\log^{2} x"),
    (q[n, k] * log(joint[n, k]), r"q_{nk} \, \log p_{nk}"),
    (log(X) / 2, r"\frac{1}{2}\, \log x"),
    (-log(X), r"-\log x"),
    (log_likelihood / N, r"\frac{1}{N}\, \log L"),
    (X * log_likelihood**2, r"x \left(\log L\right)^{2}"),
    (log_likelihood - elbo, r"\log L - \mathrm{ELBO}"),
    # fractions
    (-x[n] / 2, r"-\frac{x_{n}}{2}"),
    (Rational(-3, 2) * x[n], r"-\frac{3 x_{n}}{2}"),
    ((x[n] - means[k]) ** 2 / (2 * S2), r"\frac{\left(x_{n} - \mu_{k}\right)^{2}}{2 \sigma^{2}}"),
    (1 / (1 + exp(-X)), r"\frac{1}{1 + e^{-x}}"),
    (sum_n(x[n]) / N, r"\frac{\sum_{n=1}^{N} x_{n}}{N}"),
    (joint[n, k] / sum_l(joint[n, l]), r"\frac{p_{nk}}{\sum_{l=1}^{K} p_{nl}}"),
    # sums
    (sum_nk(joint[n, k]), r"\sum_{n=1}^{N} \sum_{k=1}^{K} p_{nk}"),
    (Sum(h[i, m], (m, 1, i - 1), (i, 1, d)), r"\sum_{i=1}^{d} \sum_{m=1}^{i - 1} h_{im}"),
    (sum_n(x[n] - MU), r"\sum_{n=1}^{N} \left(x_{n} - \mu\right)"),
    (sum_n(-x[n]), r"\sum_{n=1}^{N} \left(-x_{n}\right)"),
    (-sum_n(x[n]), r"-\sum_{n=1}^{N} x_{n}"),
    (sum_n(x[n]) ** 2, r"\left(\sum_{n=1}^{N} x_{n}\right)^{2}"),
    (
        sum_n(x[n]) * sum_k(weights[k]),
        r"\left(\sum_{k=1}^{K} \pi_{k}\right) \, \sum_{n=1}^{N} x_{n}",
    ),
    (
        sum_k(q[n, k] * UnevaluatedExpr(joint[n, k] / q[n, k])),
        r"\sum_{k=1}^{K} q_{nk} \frac{p_{nk}}{q_{nk}}",
    ),
    # derivatives
    (Partial(log_likelihood, means[j]), r"\frac{\partial \log L}{\partial \mu_{j}}"),
    (
        Partial(log_likelihood, variances[j], variances[j]),
        r"\frac{\partial^2 \log L}{\partial (\sigma_{j}^{2})^2}",
    ),
    (
        Partial(log_likelihood + theta, theta),
        r"\frac{\partial}{\partial \theta} \left(\log L + \theta\right)",
    ),
    (
        Partial(log(f(n, k, theta)), theta) * z[n, k],
        r"z_{nk} \, \frac{\partial}{\partial \theta} \log p_{nk}(\theta)",
    ),
    # matrices
    (S.T, r"\Sigma^{\mathsf{T}}"),
    ((v - mu).T, r"x^{\mathsf{T}} - \mu^{\mathsf{T}}"),
    (S.I * dS * S.I, r"\Sigma^{-1} \mathrm{d}\Sigma \Sigma^{-1}"),
    (2 * Trace(S.I * dS), r"2 \, \operatorname{tr}\left(\Sigma^{-1} \mathrm{d}\Sigma\right)"),
    (
        Form(v - mu, S.I, v - mu),
        r"\left(x - \mu\right)^{\mathsf{T}} \Sigma^{-1} \left(x - \mu\right)",
    ),
    (-Form(v, S, v) / 2, r"-\frac{x^{\mathsf{T}} \Sigma x}{2}"),
]
EXPRESSIONS = [expr for expr, _ in GOLDEN]


@pytest.mark.parametrize(("expr", "expected"), GOLDEN, ids=[tex for _, tex in GOLDEN])
def test_golden(expr, expected):
    assert latex(expr) == expected


letters = [sp.IndexedBase("h", real=True)[index] for index in "abcdefghij"]
LONG = sp.Add(*[responsibilities[n, index] * x[index] for index in range(1, 9)])
DIFFERENCE = sum_n(log(sum_k(joint[n, k]) + x[n] ** 2 + 1)) - sum_nk(
    q[n, k] * log(joint[n, k] / q[n, k])
)
ROWS = {
    "short": ((X, "=", MU + 1), r"x = \mu + 1"),
    "going on": ((X, ">=", 0, False), r"\ge 0"),
    "definition": ((elbo, ":=", X), r"\mathrm{ELBO} := x"),
    "solution": (
        (2 * X - MU, "zero at", Eq(X, MU / 2)),
        r"2 x - \mu = 0 \iff x = \frac{\mu}{2}",
    ),
    "long solution": (
        (
            sum_nk(q[n, k] * (x[n] - MU - x[1] - x[2]) / S2**2),
            "zero at",
            Eq(MU, sum_nk(q[n, k] * (x[n] - x[1] - x[2])) / N),
        ),
        "\\begin{aligned}\n"
        r"&\sum_{n=1}^{N} \sum_{k=1}^{K} "
        r"\frac{q_{nk} \left(x_{n} - \mu - x_{1} - x_{2}\right)}{\sigma^{4}} = 0 \\"
        "\n"
        r"&\quad \iff \mu = "
        r"\frac{\sum_{n=1}^{N} \sum_{k=1}^{K} q_{nk} \left(x_{n} - x_{1} - x_{2}\right)}{N}"
        "\n\\end{aligned}",
    ),
    "limit": (
        (Limit(exp(-X), X, oo), "->", sp.S.Zero),
        r"\lim_{x \to \infty} e^{-x} = 0",
    ),
    "limit of a sum": (
        (Limit(exp(-X) + 1, X, oo), "->", sp.S.One),
        r"\lim_{x \to \infty} \left(1 + e^{-x}\right) = 1",
    ),
    "limit of a negative": (
        (Limit(-log(X), X, 0), "->", oo),
        r"\lim_{x \to 0} \left(-\log x\right) = \infty",
    ),
    "differential": (
        (log(Determinant(S)), "d=", Trace(S.I * dS)),
        r"\mathrm{d} \log \left|\Sigma\right| = "
        r"\operatorname{tr}\left(\Sigma^{-1} \mathrm{d}\Sigma\right)",
    ),
    "differential of a product": ((S * S, "d=", S * dS), r"\mathrm{d}\left(\Sigma^{2}\right) = "),
    "broken": (
        (log_likelihood - elbo, "=", DIFFERENCE),
        "\\begin{aligned}\n"
        r"\log L - \mathrm{ELBO} "
        r"&= \sum_{n=1}^{N} \log\left(x_{n}^{2} + \sum_{k=1}^{K} p_{nk} + 1\right) \\"
        "\n"
        r"&\quad - \sum_{n=1}^{N} \sum_{k=1}^{K} q_{nk} \, \log\left(\frac{p_{nk}}{q_{nk}}\right)"
        "\n\\end{aligned}",
    ),
}


@pytest.mark.parametrize("case", ROWS.values(), ids=ROWS)
def test_golden_rows(case):
    arguments, expected = case
    assert row(*arguments).startswith(expected)


def test_a_wide_row_is_broken_into_lines_that_fit():
    text = row(X, "=", LONG)
    lines = text.splitlines()[1:-1]
    assert len(lines) > 1
    assert all(width(line.replace("&", "").replace(r"\\", "")) <= ROW for line in lines)
    assert [line.count("&") for line in lines] == [1] * len(lines)
    assert lines[0].startswith("x &= ")
    assert all(re.match(r"&\\quad [+-] ", line) for line in lines[1:])
    assert "".join(lines).count(r"\gamma") == 8


def test_breaking_keeps_the_signs_of_the_terms():
    text = row(X, "=", sum(letters[:4]) - sum(letters[4:]) - 5)
    flat = re.sub(r"\s|&|\\\\|\\quad|\\begin\{aligned\}|\\end\{aligned\}", "", text)
    assert flat == "x=h_{a}+h_{b}+h_{c}+h_{d}-h_{e}-h_{f}-h_{g}-h_{h}-h_{i}-h_{j}-5"


@pytest.mark.parametrize(
    ("tex", "wide"), [("x + y", 4), (r"\frac{abc}{d}", 3), (r"\frac{a}{bcde}", 4), (r"\log \pi", 4)]
)
def test_width_counts_what_is_seen(tex, wide):
    assert width(tex) == wide


class Reader:
    """Reads printed LaTeX by the usual conventions: a sum or a log reaches to the next + or -."""

    token = re.compile(
        r"\\(?:left|right)[()|]|\\frac|\\sum|\\log|\\[a-z]+|[a-zA-Z]|\d+|[-+^_{}=]|\\,"
    )

    def __init__(self, text, values):
        self.tokens = [t for t in self.token.findall(text) if t != r"\,"]
        self.values = dict(values)

    def peek(self):
        return self.tokens[0] if self.tokens else ""

    def take(self, expected=None):
        found = self.tokens.pop(0)
        assert expected is None or found == expected, (found, expected)
        return found

    def group(self):
        self.take("{")
        inside = self.expression()
        self.take("}")
        return inside

    def expression(self):
        sign = self.take() if self.peek() == "-" else "+"
        total = self.product() * (1 if sign == "+" else -1)
        while self.peek() in ("+", "-"):
            sign = self.take()
            total += self.product() * (1 if sign == "+" else -1)
        return total

    def product(self):
        out = mp.mpf(1)
        while self.peek() not in ("", "+", "-", "}", r"\right)"):
            out *= self.factor()
        return out

    def factor(self):
        first = self.take()
        if first == r"\sum":
            return self.sum()
        if first == r"\log":
            power = self.power()
            return mp.log(self.factor()) ** power
        if first == r"\frac":
            value = self.group() / self.group()
        elif first == r"\left(":
            value = self.expression()
            self.take(r"\right)")
        elif first.isdigit():
            value = mp.mpf(first)
        else:
            value = self.values[first]
            if self.peek() == "_":
                self.take("_")
                value = value[int(self.group())]
        return value ** self.power()

    def power(self):
        if self.peek() != "^":
            return 1
        self.take("^")
        return self.group()

    def sum(self):
        self.take("_")
        self.take("{")
        index = self.take()
        self.take("=")
        low = int(self.expression())
        self.take("}")
        self.take("^")
        high, rest, total = int(self.group()), self.tokens, mp.mpf(0)
        for number in range(low, high + 1):
            self.tokens = list(rest)
            self.values[index] = mp.mpf(number)
            total += self.product()
        return total


_values = {"a": 1.7, "b": 0.6, "N": 3}
_array = {1: 0.4, 2: 1.3, 3: 2.2}
_a, _b = sp.symbols("a b", positive=True)
_t = sp.IndexedBase("t", positive=True)


@st.composite
def printable(draw, depth=3):
    if depth == 0:
        return draw(st.sampled_from([_a, _b, _t[1], sp.Integer(1), sp.Integer(-2), Rational(2, 3)]))
    part = printable(depth=depth - 1)
    kind = draw(st.sampled_from(["+", "-", "*", "/", "^", "log", "sum", "leaf"]))
    one, two = draw(part), draw(part)
    if kind == "leaf":
        return one
    if kind == "^":
        return one ** draw(st.sampled_from([-2, -1, 2, 3]))
    if kind == "log":
        return log(1 + one**2) * two
    if kind == "sum":
        return (
            Sum(_t[n] * one + two, (n, 1, N))
            if draw(st.booleans())
            else Sum(_t[n] * one, (n, 1, N))
        )
    return {"+": one + two, "-": one - two, "*": one * two, "/": one / (two**2 + 1)}[kind]


@given(printable())
def test_what_is_printed_has_the_value_of_what_was_meant(expr):
    known = {_a: _values["a"], _b: _values["b"], N: 3} | {("t", at): t for at, t in _array.items()}
    assume(not expr.has(sp.zoo, sp.nan))
    try:
        meant = evaluate(expr, Point(0, values={key: mp.mpf(t) for key, t in known.items()}))
    except ZeroDivisionError:
        return
    letters_ = {name: mp.mpf(number) for name, number in _values.items()}
    letters_["t"] = {at: mp.mpf(t) for at, t in _array.items()}
    reader = Reader(latex(expr), letters_)
    read = reader.expression()
    assert not reader.tokens
    assert abs(read - meant) <= 1e-9 * (1 + abs(meant))


KATEX = Path(__file__).parents[2] / "node_modules" / "katex" / "dist" / "katex.min.js"


@pytest.mark.skipif(
    not (KATEX.exists() and shutil.which("node")), reason="needs node and KaTeX: `make book` first"
)
def test_katex_reads_everything_that_is_printed():
    printed = [latex(expr) for expr in EXPRESSIONS] + [row(*case[0]) for case in ROWS.values()]
    printed.append(row(X, "=", LONG))
    program = """
        const katex = require(process.argv[1]);
        const options = {throwOnError: true, strict: 'error', displayMode: true};
        for (const tex of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {
          try { katex.renderToString(tex, options) }
          catch (error) { console.log(tex + ': ' + error.message) }
        }
    """
    command = [shutil.which("node"), "-e", program, str(KATEX)]
    complaints = subprocess.run(
        command, input=json.dumps([*printed, r"\frac{"]), capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(complaints) == 1, complaints  # the one that is wrong on purpose
    assert complaints[0].startswith(r"\frac{: KaTeX parse error")
