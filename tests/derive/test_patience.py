"""A proof that takes too long ends in words, not in silence."""

import pytest
from sympy import MatrixSymbol, Trace

from gmmlib.derive import MatrixDerivation, StepError, matrices
from gmmlib.derive.notation import d


def test_a_matrix_row_that_takes_too_long_is_refused(monkeypatch):
    def for_ever(residual):
        while True:
            pass

    monkeypatch.setattr(matrices, "_all_zero", for_ever)
    monkeypatch.setattr(matrices, "TOTAL_PATIENCE", 0.1)
    A, B = MatrixSymbol("A", d, d), MatrixSymbol("B", d, d)
    derivation = MatrixDerivation("slow", "A slow one", Trace(A * B))
    with pytest.raises(StepError, match="not decided within"):
        derivation.eq(Trace(A.T * B.T), "the trace of a product of transposes")
