"""Zero or not, for rational functions: against sympy's own cancel."""

import pytest
import sympy as sp

from gmmlib.derive.rational import is_zero

a, b, c = sp.symbols("a b c", positive=True)

ZEROS = {
    "nothing": sp.S.Zero,
    "a square multiplied out": (a + b) ** 2 - a**2 - 2 * a * b - b**2,
    "a common denominator": 1 / a + 1 / b - (a + b) / (a * b),
    "powers of one denominator": 1 / (a + b) - (a + b) / (a + b) ** 2,
    "a fraction in a fraction": 1 / (1 + 1 / a) - a / (a + 1),
    "a negative power of a product": (a * b) ** -2 - 1 / (a**2 * b**2),
    "logarithms are letters": sp.log(a) / 2 + sp.log(a) / 2 - sp.log(a),
    "rational coefficients": a / 3 + a / 6 - a / 2,
}
OTHERS = {
    "a number": sp.Rational(1, 7),
    "a letter": a,
    "pi": sp.pi,
    "a lost term": (a + b) ** 2 - a**2 - b**2,
    "a lost half": 1 / a + 1 / b - (a + b) / (2 * a * b),
    "another logarithm": sp.log(a) - sp.log(b),
}


@pytest.mark.parametrize("expr", ZEROS.values(), ids=ZEROS)
def test_zeros_are_seen(expr):
    assert is_zero(expr)


@pytest.mark.parametrize("expr", OTHERS.values(), ids=OTHERS)
def test_others_are_not_taken_for_zero(expr):
    assert not is_zero(expr)


def test_the_inverse_of_a_symbolic_matrix():
    matrix = sp.Matrix(3, 3, sp.symbols("m:9"))
    inverse = matrix.adjugate() / matrix.det(method="berkowitz")
    residual = inverse * matrix - sp.eye(3)
    assert all(map(is_zero, residual))
    assert not is_zero((inverse * matrix.T - sp.eye(3))[0, 1])


def test_a_hidden_division_by_zero_is_no_zero():
    nothing = (a + b) ** 2 - a**2 - 2 * a * b - b**2
    with pytest.raises(ZeroDivisionError):
        is_zero(c / nothing)
