"""The book's symbols, once: what the chapters write and what the notation page lists.

Indices run from 1: n over the N rows, k, l and j over the K components.
"""

import sympy as sp
from sympy import IndexedBase, Symbol

n, k, j, l, i, m = sp.symbols("n k j l i m", integer=True, positive=True)
N, K, d = sp.symbols("N K d", integer=True, positive=True)

x = IndexedBase("x", real=True)  # x[n], a height; x[n, i], coordinate i of row n
component = IndexedBase("c", integer=True, positive=True)  # c[n], the component row n came from
z = IndexedBase("z", real=True)  # z[n, k] = 1 where c[n] = k, else 0
weights = IndexedBase(r"\pi", positive=True)
means = IndexedBase(r"\mu", real=True)
variances = IndexedBase(r"\sigma^2", positive=True)
joint = IndexedBase("p", positive=True)  # p[n, k] = pi_k N(x_n | mu_k, sigma_k^2)
responsibilities = IndexedBase(r"\gamma", positive=True)
counts = IndexedBase("N", positive=True)  # N[k], the effective number of rows of component k
density = IndexedBase("p(x)", positive=True)  # p[n], the mixture density at row n
q = IndexedBase("q", positive=True)  # q[n, k], any weights of row n
free = IndexedBase("a", positive=True)  # positive numbers that parametrise a simplex

log_likelihood = Symbol(r"\log L", real=True)
complete_log_likelihood = Symbol(r"\log L_c", real=True)
elbo = Symbol(r"\mathrm{ELBO}", real=True)
theta = Symbol(r"\theta", real=True)  # any one parameter


def hat(array: IndexedBase) -> IndexedBase:
    """The array's maximiser, written with a hat."""
    name, _, power = str(array.label).partition("^")
    return IndexedBase(rf"\hat{{{name}}}" + (f"^{power}" if power else ""), **_sign(array))


def old(array: IndexedBase) -> IndexedBase:
    """The array at the parameters of the iteration before."""
    name, _, power = str(array.label).partition("^")
    power = rf"{power}\," if power else ""
    return IndexedBase(rf"{name}^{{{power}\mathrm{{old}}}}", **_sign(array))


def _sign(array):
    return {"positive": True} if array.is_positive else {"real": True}


class Normal(sp.Function):
    """The normal density N(x | mean, variance) in one dimension, shown folded."""

    nargs = 3

    def unfolded(self):
        """The density written out."""
        point, mean, variance = self.args
        return sp.exp(-((point - mean) ** 2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)

    def _eval_is_positive(self):
        return True if self.args[2].is_positive and self.args[0].is_real else None

    def _eval_is_real(self):
        return self._eval_is_positive()

    def fdiff(self, argindex=1):
        raise NotImplementedError("write the normal density out before differentiating it")


class Partial(sp.Expr):
    """A partial derivative that sympy leaves alone until the definitions in it are written out.

    ``Derivative(log_likelihood, means[j])`` would be 0 at once: to sympy a defined symbol depends
    on nothing.
    """

    def __new__(cls, expr, *variables):
        return super().__new__(cls, sp.sympify(expr), *map(sp.sympify, variables))

    def unfolded(self):
        """The derivative of what the definitions left."""
        return sp.Derivative(self.args[0], *self.args[1:])

    is_commutative = True
    is_real = True


class Form(sp.Expr):
    """The scalar ``left^T matrix right`` of two column vectors and a square matrix."""

    def __new__(cls, left, matrix, right):
        return super().__new__(cls, left, matrix, right)

    is_commutative = True
    is_real = True


def sum_n(expr):
    """Sum over the rows, n = 1 ... N."""
    return sp.Sum(expr, (n, 1, N))


def sum_k(expr):
    """Sum over the components, k = 1 ... K."""
    return sp.Sum(expr, (k, 1, K))


def sum_l(expr):
    """Sum over the components, l = 1 ... K; for use where k is taken."""
    return sp.Sum(expr, (l, 1, K))


def sum_nk(expr):
    """Sum over rows and components."""
    return sp.Sum(expr, (k, 1, K), (n, 1, N))
