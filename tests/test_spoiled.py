"""A seeded sample of spoiled rows is refused; `make mutants` runs them all."""

import pytest

from tests.chapters import stems
from tests.mutants import sample, unexplained

SAMPLE = 80  # spoiled rows a chapter


@pytest.mark.parametrize("stem", stems())
def test_spoiled_rows_are_refused(stem):
    faults = [fault for fault in map(unexplained, sample(stem, SAMPLE)) if fault]
    assert not faults, "\n".join(faults)
