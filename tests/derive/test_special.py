"""log Gamma and its derivative: tried by mpmath, differentiated, printed and turned into numpy."""

import numpy as np
import sympy as sp

from gmmlib.derive import Derivation, numpy_function
from gmmlib.derive.latex import latex
from gmmlib.derive.notation import Partial
from gmmlib.derive.special import digamma, loggamma
from gmmlib.derive.trial import Point, evaluate

x = sp.Symbol("x", positive=True)


def test_values_are_those_of_scipy_and_of_mpmath():
    for function, value in ((loggamma(x), np.log(6)), (digamma(x), 11 / 6 - np.euler_gamma)):
        assert np.isclose(numpy_function(function, x)(4.0), value)
        assert np.isclose(float(evaluate(function, Point(0, values={x: 4}))), value)


def test_the_derivative_of_log_gamma_is_proved_to_be_digamma():
    derivation = Derivation("a", "A", Partial(2 * loggamma(x), x))
    assert derivation.eq(2 * digamma(x), "differentiate").evidence == "proved"
    assert sp.diff(digamma(x), x) == sp.polygamma(1, x)


def test_they_are_written_as_in_the_book():
    assert latex(digamma(x)) == r"\psi\left(x\right)"
    assert latex(loggamma(x) ** 2) == r"\log\Gamma^{2}\left(x\right)"
