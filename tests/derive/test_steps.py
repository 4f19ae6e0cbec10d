"""What derivations are made of: evidence levels, definitions, citations, agreements."""

import numpy as np
import pytest
import sympy as sp
from sympy import Symbol

from gmmlib.derive import Cited, Claim, Definition, Step, StepError, agree
from gmmlib.derive.notation import counts, k, n, responsibilities, x
from gmmlib.derive.steps import EVIDENCE, weakest

CLAIM = Claim("mean", "A mean", x[n], "=", x[k], "proved")


def test_weakest_follows_the_order_of_the_levels():
    for position, level in enumerate(EVIDENCE):
        assert weakest(EVIDENCE[: position + 1]) == level
        assert weakest(reversed(EVIDENCE[: position + 1])) == level
    assert weakest(["proved", "definition"]) == "proved"
    assert weakest([]) == "proved"


@pytest.mark.parametrize("head", [counts[k + 1], counts[1], sp.Symbol("a") + 1, sp.log(x[n])])
def test_only_a_symbol_or_an_array_at_symbols_can_be_defined(head):
    with pytest.raises(StepError, match="can't be defined"):
        Definition(head, 1)


def test_a_definition_takes_plain_numbers_as_its_body():
    assert Definition(Symbol("a"), 1).body is sp.S.One


def test_what_is_shown_can_not_be_changed():
    for shown in (Definition(Symbol("a"), 1), Step(x[n], "=", x[k], "why"), CLAIM):
        with pytest.raises(AttributeError):
            shown.why = "another reason"


def test_a_claim_takes_as_long_as_its_steps():
    rows = [Step(x[n], "=", x[k], "why", seconds=seconds) for seconds in (0.5, 0.25)]
    assert Claim("c", "", x[n], "=", x[k], "proved", steps=tuple(rows)).seconds == 0.75


def test_a_citation_is_evidence_of_its_own_kind():
    assert Cited("no-closed-form", "There is no closed form.", "mclachlan").evidence == "cited"


class TestAgree:
    def test_accepts_equal_numbers_and_reports_the_largest_difference(self):
        met = agree(CLAIM, [1.0, 2.0, 4.0], [1.0, 2.0 + 4e-11, 4.0], "on the heights")
        assert (met.name, met.what, met.tolerance) == ("mean", "on the heights", 1e-10)
        assert met.largest == pytest.approx(1e-11, rel=1e-4)

    def test_names_a_definition_by_its_label(self):
        share = Definition(responsibilities[n, k], 1, label="share")
        assert agree(share, 0.25, 0.25, "one number").name == "share"

    @pytest.mark.parametrize(
        ("derived", "trouble"),
        [
            ([1.0, 2.0 + 1e-9], "differ by 5e-10 relative, allowed 1e-10"),
            ([1.0, np.nan], "differ by nan"),
            ([1.0, 2.0, 3.0], r"shapes \(3,\) and \(2,\)"),
            (1.0, r"shapes \(\) and \(2,\)"),
            ([[1.0, 2.0]], r"shapes \(1, 2\) and \(2,\)"),
        ],
    )
    def test_refuses_what_differs(self, derived, trouble):
        with pytest.raises(StepError, match=trouble):
            agree(CLAIM, derived, [1.0, 2.0], "on the heights")

    def test_refuses_to_compare_nothing(self):
        with pytest.raises(StepError, match="nothing to compare"):
            agree(CLAIM, [], [], "on no data")

    def test_zero_is_compared_absolutely(self):
        assert agree(CLAIM, np.zeros(2), np.zeros(2), "zeros").largest == 0
        with pytest.raises(StepError):
            agree(CLAIM, np.full(2, 1e-9), np.zeros(2), "zeros")

    def test_says_that_zeros_up_to_rounding_cannot_be_compared(self):
        with pytest.raises(StepError, match="a zero has no relative difference"):
            agree(CLAIM, [1e-15, 0.0], [2e-15, -1e-15], "zeros but for rounding")
