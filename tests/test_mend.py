"""Notebooks as they come in, and what becomes of them."""

from __future__ import annotations

import json
from copy import deepcopy

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell

from exercises.grading.harvest import LONGEST_CELL
from exercises.grading.mend import known_cells, mend
from tests.grading_set import MEAN, named, raw, release, solved


def ids(notebook):
    return [cell.id for cell in notebook.cells]


def code_of(mended):
    return {cell.id: cell.source for cell in mended.notebook.cells if cell.cell_type == "code"}


def same(mended, notebook):
    return [(c.id, c.cell_type, c.source) for c in mended.notebook.cells] == [
        (c.id, c.cell_type, c.source) for c in notebook.cells
    ]


def sound(mended):
    nbformat.validate(mended.notebook)
    assert [i for i in ids(mended.notebook) if not i.startswith("extra")] == ids(release())
    for cell in release().cells:
        if not cell.metadata.get("nbgrader", {}).get("solution"):
            assert named(mended.notebook, cell.id) == cell
    return True


def test_a_good_notebook_stays_as_it_is():
    mended = mend(raw(solved()), release())
    assert sound(mended)
    assert same(mended, solved())
    assert mended.notes == ()


def test_the_release_itself_is_not_touched():
    before = release()
    after = deepcopy(before)
    mended = mend(raw(solved()), after)
    for cell in mended.notebook.cells:
        cell.metadata["seen"] = True
    assert after == before


def test_outputs_counts_and_metadata_are_dropped():
    notebook = solved()
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    cell = named(notebook, "mean")
    cell.execution_count = 7
    cell.outputs = [{"output_type": "display_data", "data": {"text/html": "<script>"}}]
    cell.metadata["trusted"] = True
    mended = mend(raw(notebook), release())
    assert same(mended, solved())
    assert mended.notebook.metadata == release().metadata
    assert named(mended.notebook, "mean").outputs == []
    assert "trusted" not in named(mended.notebook, "mean").metadata


@pytest.mark.parametrize(
    ("file", "word"),
    [
        (b"", "empty"),
        (b"\0\0\0", "empty"),
        (b"not a notebook", "not a notebook"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"PK\x03\x04rest", "zip"),
        (b'{"cells": [', "damaged"),
        (b'{"cells": 3}', "no cells"),
        (b"[1, 2]", "not a notebook"),
        (b"[" * 100_000, "not a notebook"),
        (b'{"a":' * 100_000, "damaged"),
        (b"\xff\xfe\x00\xd8", "not a notebook"),
    ],
)
def test_an_unreadable_file_counts_as_blank_and_the_note_says_why(file, word):
    mended = mend(file, release())
    assert sound(mended)
    assert same(mended, release())
    assert word in mended.notes[0]
    assert known_cells(file, release()) == 0


def test_a_huge_file_is_not_read():
    mended = mend(b" " * (64 * 2**20 + 1), release())
    assert "larger than 64 MB" in mended.notes[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b"\xef\xbb\xbf" + b,
        lambda b: b.decode().encode("utf-16"),
        lambda b: b.replace(b"\\n", b"\\r\\n"),
    ],
)
def test_byte_order_marks_and_windows_line_ends(change):
    mended = mend(change(raw(solved())), release())
    assert same(mended, solved())
    assert len(mended.notes) == 1


def test_text_that_is_not_utf_8():
    notebook = solved()
    notebook.cells.append(new_markdown_cell("déjà"))
    file = json.dumps(notebook, ensure_ascii=False).encode("cp1252")
    mended = mend(file, release())
    assert mended.notebook.cells[-1].source == "déjà"
    assert "UTF-8" in mended.notes[0]


def test_half_characters_and_lists_of_lines():
    notebook = json.loads(raw(solved()))
    notebook["cells"][2]["source"] = [MEAN + "\n", "    return '\ud800'"]
    mended = mend(json.dumps(notebook).encode(), release())
    assert code_of(mended)["mean"].endswith("return '?'")
    nbformat.writes(mended.notebook).encode("utf-8")


def test_format_3():
    old = nbformat.convert(nbformat.from_dict(json.loads(raw(solved()))), 3)
    mended = mend(json.dumps(old).encode(), release())
    assert sound(mended)
    assert code_of(mended)["mean"] == code_of(mend(raw(solved()), release()))["mean"]


@pytest.mark.parametrize("lost", [["id"], ["metadata"], ["id", "metadata"]])
def test_lost_names(lost):
    notebook = json.loads(raw(solved()))
    notebook["nbformat_minor"] = 0
    notebook["cells"][-1]["source"] = "Because."
    for cell in notebook["cells"]:
        for key in lost:
            del cell[key]
    mended = mend(json.dumps(notebook).encode(), release())
    assert sound(mended)
    wanted = solved()
    named(wanted, "open").source = "Because."
    assert same(mended, wanted)


def test_colab_renames_the_ids():
    notebook = json.loads(raw(solved()))
    for number, cell in enumerate(notebook["cells"]):
        del cell["id"]
        cell["metadata"] = {"id": f"Xy{number}", "colab": {"base_uri": "https://localhost/"}}
    mended = mend(json.dumps(notebook).encode(), release())
    assert same(mended, solved())


def test_an_answer_that_lost_every_mark_is_known_by_its_name():
    notebook = json.loads(raw(solved()))
    for cell in notebook["cells"]:
        del cell["id"], cell["metadata"]
    notebook["cells"][2]["source"] = "def mean(x):\n    return sum(x) / len(x)"
    mended = mend(json.dumps(notebook).encode(), release())
    assert code_of(mended)["mean"] == "def mean(x):\n    return sum(x) / len(x)"
    assert any("known by its contents" in note for note in mended.notes)


def test_of_duplicates_the_last_changed_one_counts():
    notebook = solved()
    again = deepcopy(named(notebook, "mean"))
    again.id, again.source = "copy", MEAN.replace("# Your code here", "return 3")
    blank = deepcopy(again)
    blank.id, blank.source = "copy-2", MEAN
    notebook.cells[3:3] = [again]
    notebook.cells.append(blank)
    mended = mend(raw(notebook), release())
    assert sound(mended)
    assert code_of(mended)["mean"] == again.source
    # The first one stays, before it: a learner may have split the cell in two.
    assert ids(mended.notebook)[2:4] == ["extra-1", "mean"]
    assert any("`mean` was there 3 times; the last one that you changed" in n for n in mended.notes)


def test_a_blank_duplicate_does_not_hide_the_answer():
    notebook = solved()
    blank = deepcopy(named(release(), "mean"))
    blank.id = "copy"
    notebook.cells.append(blank)
    mended = mend(raw(notebook), release())
    assert same(mended, solved())
    assert any("the one with your answer counts" in note for note in mended.notes)


def test_a_copied_cell_that_answers_another_question():
    notebook = solved()
    answer = named(notebook, "spread")
    answer.metadata = deepcopy(named(notebook, "mean").metadata)
    answer.id = "copy"
    assert same(mend(raw(notebook), release()), solved())


def test_a_deleted_answer_counts_as_blank():
    notebook = solved()
    notebook.cells = [cell for cell in notebook.cells if cell.id != "mean"]
    mended = mend(raw(notebook), release())
    assert sound(mended)
    assert code_of(mended)["mean"] == MEAN
    assert any("`mean` is missing" in note for note in mended.notes)


def test_given_cells_come_from_the_release():
    notebook = solved()
    named(notebook, "mean-check").source = "1 + 1"
    named(notebook, "given-1").source = "x = [0]"
    notebook.cells = [cell for cell in notebook.cells if cell.id != "text-2"]
    mended = mend(raw(notebook), release())
    assert same(mended, solved())
    assert any("`given-1`, `mean-check`" in note for note in mended.notes)
    assert any("missing and are back: `text-2`" in note for note in mended.notes)


def test_a_cell_that_became_another_kind():
    notebook = solved()
    cell = named(notebook, "mean")
    notebook.cells[2] = new_markdown_cell(cell.source, id=cell.id, metadata=cell.metadata)
    mended = mend(raw(notebook), release())
    assert same(mended, solved())
    assert any("become a markdown cell" in note for note in mended.notes)


def test_reordered_cells():
    notebook = solved()
    notebook.cells.reverse()
    mended = mend(raw(notebook), release())
    assert same(mended, solved())
    assert any("another order" in note for note in mended.notes)


def test_own_cells_keep_their_place():
    notebook = solved()
    notebook.cells[2:2] = [new_code_cell("import math", metadata={"nbgrader": {"grade": True}})]
    notebook.cells.insert(0, new_markdown_cell("My name"))
    mended = mend(raw(notebook), release())
    assert sound(mended)
    assert ids(mended.notebook)[:5] == ["extra-1", "text-1", "given-1", "extra-2", "mean"]
    assert mended.notebook.cells[3].metadata == {}
    assert mended.notes == ()


@pytest.mark.parametrize("style", ["<<<<<<< HEAD\n", "<<<<<<< HEAD\r\n"])
def test_an_unfinished_merge(style):
    lines = json.dumps(solved(), indent=1).split("\n")
    place = next(i for i, line in enumerate(lines) if "sum(x)" in line)
    lines[place] = f"{style}{lines[place]}\n=======\nbroken\n>>>>>>> other"
    mended = mend("\n".join(lines).encode(), release())
    assert same(mended, solved())
    assert "upper side" in mended.notes[0]


def test_conflict_markers_inside_an_answer():
    notebook = solved("<<<<<<< local\n    return 1\n=======\n    return 2\n>>>>>>> remote")
    mended = mend(raw(notebook), release())
    assert same(mended, notebook)
    assert any("`mean` holds conflict markers" in note for note in mended.notes)


def test_the_wrong_notebook():
    notebook = nbformat.v4.new_notebook(cells=[new_code_cell("print(1)")])
    mended = mend(raw(notebook), release())
    assert sound(mended)
    assert any("right file" in note for note in mended.notes)
    assert known_cells(raw(notebook), release()) == 0
    assert known_cells(raw(solved()), release()) == len(release().cells)


def test_html_of_a_learner_is_defused():
    notebook = solved()
    named(notebook, "open").source = "<img src=x onerror=alert(1)> and $a <b$, 1 < 2"
    notebook.cells.append(new_markdown_cell("<script>alert(1)</script>"))
    mended = mend(raw(notebook), release())
    assert named(mended.notebook, "open").source.startswith("< img src=x")
    assert mended.notebook.cells[-1].source == "< script>alert(1)< /script>"
    assert any("HTML" in note for note in mended.notes)


def test_only_pictures_stay_attached():
    notebook = solved()
    cell = named(notebook, "open")
    cell.source = "![page](attachment:a.png)"
    cell.attachments = {
        "a.png": {"image/png": "iVBORw0KGgo="},
        "b.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"},
        'c"><script>': {"image/png": '"><script>alert(1)</script>'},
        "d": 3,
    }
    mended = mend(raw(notebook), release())
    kept = named(mended.notebook, "open").attachments
    assert kept["a.png"] == {"image/png": "iVBORw0KGgo="}
    assert "script" not in json.dumps(list(kept.values()))
    assert "b.svg" not in kept


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("code"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["cells", "cell_type", "source", "metadata", "nbgrader", "grade_id", "id"]
            )
            | st.text(max_size=3),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JUNK, max_size=5))
def test_junk_in_the_place_of_cells(cells):
    assert sound(mend(json.dumps({"cells": cells}).encode(), release()))


@given(st.binary(max_size=60) | JUNK.map(lambda data: json.dumps(data).encode()))
def test_any_bytes_give_a_sound_notebook(file):
    assert sound(mend(file, release()))


@given(st.data())
def test_a_broken_byte_anywhere_gives_a_sound_notebook(data):
    file = bytearray(raw(solved()))
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    assert sound(mend(bytes(file), release()))


def test_too_much_text_is_left_out_and_told():
    notebook = solved()
    notebook.cells.append(new_code_cell("x = [" + "1, " * LONGEST_CELL + "]"))
    mended = mend(raw(notebook), release())
    assert sound(mended)
    assert all(len(cell.source) <= LONGEST_CELL for cell in mended.notebook.cells)
    assert "Text was left out, since there is too much of it: 1 cells." in mended.notes
