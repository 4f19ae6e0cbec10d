r"""The gamma function's logarithm and its derivative, as the book writes them.

sympy's own derivative of log Gamma is ``polygamma(0, x)``; the book calls it $\psi(x)$.
"""

import sympy as sp
from scipy import special

from . import functions


class digamma(sp.Function):
    r"""$\psi(x)$, the derivative of $\log\Gamma(x)$, for positive x."""

    nargs = 1

    def _eval_is_real(self):
        return True if self.args[0].is_positive else None

    def fdiff(self, argindex=1):
        return sp.polygamma(1, self.args[0])

    def _latex(self, printer, exp=None):
        return _applied(r"\psi", self, printer, exp)


class loggamma(sp.Function):
    r"""$\log\Gamma(x)$ for positive x."""

    nargs = 1

    def _eval_is_real(self):
        return True if self.args[0].is_positive else None

    def fdiff(self, argindex=1):
        return digamma(self.args[0])

    def _latex(self, printer, exp=None):
        return _applied(r"\log\Gamma", self, printer, exp)


def _applied(name, function, printer, exp):
    power = "" if exp is None else f"^{{{exp}}}"
    return rf"{name}{power}\left({printer._print(function.args[0])}\right)"


functions._ELEMENTWISE |= {digamma: special.digamma, loggamma: special.gammaln}
