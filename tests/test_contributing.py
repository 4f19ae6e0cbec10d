"""The recipes in CONTRIBUTING.md, followed to the letter."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from gmmlib import derive
from gmmlib.derive import Claim
from gmmlib.derive.spoil import spoiled_attempts
from gmmlib.derive.steps import Agreement
from tests.chapters import cells, stems

TEXT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def recipe() -> tuple[dict, list]:
    """What the cells of "Add a derivation" leave behind, and what they show."""
    part = re.search(r"^## Add a derivation$(.*?)^## ", TEXT, flags=re.M | re.S)[1]
    names, shown = {}, []
    for block in re.findall(r"^ {3}```python\n(.*?)^ {3}```$", part, flags=re.M | re.S):
        tree = ast.parse(re.sub(r"^ {3}", "", block, flags=re.M))
        last = tree.body.pop()
        exec(compile(tree, "recipe", "exec"), names)
        shown.append(eval(compile(ast.Expression(last.value), "recipe", "eval"), names))
    return names, shown


def test_the_printed_derivation_is_proved_and_meets_the_code(recipe) -> None:
    _, (claim, agreement) = recipe
    assert isinstance(claim, Claim)
    assert claim.evidence == "proved"
    assert isinstance(agreement, Agreement)
    assert agreement.name == claim.name


def test_each_spoiled_row_of_it_is_refused(recipe) -> None:
    spoiled = list(spoiled_attempts(recipe[0]["about_mean"]))
    assert spoiled
    assert [str(row) for row in spoiled if not row.refused()] == []


def test_it_can_be_pasted_into_any_chapter(recipe) -> None:
    names, (claim, _) = recipe
    imported = {"Symbol", "shop_customers", "N", "n", "sum_n", "x"}
    own = {name for name in names if not name.startswith("__")} - imported - set(derive.__all__)
    assert own == {"row_mean", "about_mean", "customer_heights", "from_derivation"}
    code = "\n".join(cell for stem in stems() for cell in cells(stem))
    assert not re.findall(rf"\b(?:{'|'.join(own)})\b", code)
    assert f'"{claim.name}"' not in code
