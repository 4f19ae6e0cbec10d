"""Submissions in every layout, and archives that mean harm."""

from __future__ import annotations

import io
import os
import stat
import unicodedata
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from exercises.grading import unpack as unpacking
from exercises.grading.collect import collect, students
from exercises.grading.mend import known_cells
from exercises.grading.unpack import unpack
from tests.grading_set import raw, release, solved

GOOD = raw(solved())


def whose(*paths):
    return students([PurePosixPath(path) for path in paths], "ps1")


def packed(files, **attributes):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10))
            for key, value in attributes.items():
                setattr(entry, key, value)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return data.getvalue()


def unpacked(tmp_path, files, name="all.zip", **attributes):
    source, target = tmp_path / name, tmp_path / "out"
    source.write_bytes(packed(files, **attributes))
    notes = unpack(source, target)
    return sorted(p.relative_to(target).as_posix() for p in target.rglob("*.ipynb")), notes


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("alice/ps1.ipynb", "alice"),
        ("alice/ps1/ps1.ipynb", "alice"),
        ("submitted/alice/ps1/ps1.ipynb", "alice"),
        ("alice.ipynb", "alice"),
        ("ps1_alice.ipynb", "alice"),
        ("PS1-alice.ipynb", "alice"),
        ("alice_ps1.ipynb", "alice"),
        ("alice ps1 (1).ipynb", "alice"),
        ("alice_ps1_final_v2.ipynb", "alice"),
        ("Copy of alice.ipynb", "alice"),
        ("ps1/alice.ipynb", "alice"),
        ("ps1-alice/notebooks/ps1.ipynb", "alice"),
        ("alice/week 3/my try.ipynb", "alice"),
        ("s1234567/ps1.ipynb", "s1234567"),
        ("1234567/ps1.ipynb", "1234567"),
        ("student 12/ps1.ipynb", "student 12"),
        ("Alice Smith_12345_assignsubmission_file_/ps1 (1).ipynb", "Alice Smith"),
        ("Alice Smith_12345_assignsubmission_file_ps1.ipynb", "Alice Smith"),
        ("CS 101/Alice Smith_12345_assignsubmission_file/sub/ps1.ipynb", "Alice Smith"),
        ("smithalice_12345_678_ps1.ipynb", "smithalice"),
        ("smithalice_LATE_12345_678_ps1-1.ipynb", "smithalice"),
        ("ps1_alice_attempt_2024-01-30-15-00-00_work.ipynb", "alice"),
        ("Zoë O'Neil/ps1.ipynb", "Zoë O'Neil"),
        (unicodedata.normalize("NFD", "Zoë") + "/ps1.ipynb", "Zoë"),
        ("张伟/ps1.ipynb", "张伟"),
        ("张伟_ps1.ipynb", "张伟"),
        ("a[b]{c}*/ps1.ipynb", "a(b)(c)"),
        ("\u202egnp.exe/ps1.ipynb", "gnp.exe"),
        ("ps1.ipynb", None),
        ("ps1 (2).ipynb", None),
        ("Untitled1.ipynb", None),
        ("submissions/ps1_final.ipynb", None),
        ("../ps1.ipynb", None),
    ],
)
def test_the_student_of_a_path(path, student):
    assert whose(path) == [student]


def test_a_folder_around_everything_is_no_student():
    assert whose("export 7/alice/ps1.ipynb", "export 7/bob/ps1.ipynb") == ["alice", "bob"]
    assert whose("data/all7/alice.ipynb", "data/all7/bob_ps1.ipynb") == ["alice", "bob"]
    assert whose("alice/ps1.ipynb", "alice/ps1 (1).ipynb") == ["alice", "alice"]
    assert whose("alice/attempt1.ipynb", "alice/attempt2.ipynb") == ["alice", "alice"]


def test_two_students_of_one_name():
    names = whose(
        "Li Wei_11_assignsubmission_file_/ps1.ipynb", "Li Wei_12_assignsubmission_file_/ps1.ipynb"
    )
    assert names == ["Li Wei (11)", "Li Wei (12)"]
    # The same person, handing in again.
    assert whose("liwei_5_1_ps1.ipynb", "liwei_5_2_ps1-1.ipynb") == ["liwei", "liwei"]


def test_one_folder_per_student_where_case_does_not_matter():
    assert whose("Alice/ps1.ipynb", "alice/ps1.ipynb") == ["Alice", "Alice"]


def test_the_notebook_with_most_cells_counts_then_the_newest(tmp_path):
    part = release()
    part.cells = part.cells[:3]
    files = {"alice/new.ipynb": raw(part), "alice/old.ipynb": GOOD, "bob/a.ipynb": GOOD}
    files |= {"bob/b.ipynb": GOOD, "ps1.ipynb": GOOD, "carl/ps1.ipynb": b"junk"}
    for age, (name, data) in enumerate(files.items()):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (1e9 - age, 1e9 - age))
    found = collect(tmp_path, "ps1", lambda data: known_cells(data, release()))
    assert {student: path.name for student, path in found.notebooks.items()} == {
        "alice": "old.ipynb", "bob": "a.ipynb", "carl": "ps1.ipynb",
    }  # fmt: skip
    assert "`alice/old.ipynb` counts, since it holds the most" in found.notes["alice"][0]
    assert "`bob/a.ipynb` counts, since it is the newest" in found.notes["bob"][0]
    assert found.unnamed == (Path("ps1.ipynb"),)


def test_a_folder_with_archives(tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    (source / "bob").mkdir(parents=True)
    (source / "bob" / "ps1.ipynb").write_bytes(GOOD)
    (source / "bob" / "notes.pdf").write_bytes(b"%PDF")
    (source / "bob" / ".ipynb_checkpoints").mkdir()
    (source / "bob" / ".ipynb_checkpoints" / "ps1.ipynb").write_bytes(GOOD)
    (source / "link.ipynb").symlink_to("/etc/passwd")
    (source / "loop").symlink_to(source)
    (source / "alice.zip").write_bytes(packed({"ps1.ipynb": GOOD, "__MACOSX/._ps1.ipynb": b"x"}))
    assert unpack(source, target) == ()
    assert sorted(p.relative_to(target).as_posix() for p in target.rglob("*.ipynb")) == [
        "alice/ps1.ipynb", "bob/ps1.ipynb",
    ]  # fmt: skip
    assert (target / "alice/ps1.ipynb").read_bytes() == GOOD
    assert (target / "alice/ps1.ipynb").stat().st_mtime < 1.8e9  # the archive's, not now


def test_archives_in_archives(tmp_path):
    inner = packed({"ps1.ipynb": GOOD, "deeper.zip": packed({"ps1.ipynb": GOOD})})
    found, notes = unpacked(tmp_path, {"alice.zip": inner, "bob/ps1.ipynb": GOOD})
    assert found == ["alice/ps1.ipynb", "bob/ps1.ipynb"]
    assert "alice/deeper.zip" in notes[0]


def test_names_that_lead_out(tmp_path):
    evil = ["../evil.ipynb", "/evil.ipynb", "a/../../evil.ipynb", "C:\\evil.ipynb", "..\\e.ipynb"]
    found, notes = unpacked(tmp_path, dict.fromkeys(evil, GOOD) | {"alice/ps1.ipynb": GOOD})
    assert found == ["alice/ps1.ipynb"]
    assert len(notes) == len(evil)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["all.zip", "out"]


def test_links_in_an_archive(tmp_path):
    mode = (stat.S_IFLNK | 0o777) << 16
    found, notes = unpacked(tmp_path, {"alice.ipynb": b"/etc/passwd"}, external_attr=mode)
    assert found == []
    assert "a link" in notes[0]


def test_the_same_name_twice(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("alice/ps1.ipynb", b"one")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("alice/ps1.ipynb", b"two")
    (tmp_path / "all.zip").write_bytes(data.getvalue())
    unpack(tmp_path / "all.zip", tmp_path / "out")
    assert len(list((tmp_path / "out" / "alice").iterdir())) == 2


def test_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "LARGEST", 1000)
    monkeypatch.setattr(unpacking, "INNER_BYTES", 20_000)
    monkeypatch.setattr(unpacking, "INNER_FILES", 30)
    large = b" " * 10_000_000
    bomb = packed({f"{n}.ipynb": large for n in range(25)})
    many = packed({f"{n}.ipynb": b"" for n in range(50)})
    found, notes = unpacked(
        tmp_path,
        {"a.ipynb": large, "bomb.zip": bomb, "many.zip": many, "zoe/ps1.ipynb": GOOD[:900]},
    )
    # What is too large arrives with one byte too many, so that `mend` says so.
    assert (tmp_path / "out" / "a.ipynb").stat().st_size == 1001
    assert sum(name.startswith("bomb/") for name in found) < 20
    assert sum(name.startswith("many/") for name in found) <= 30
    assert "zoe/ps1.ipynb" in found
    assert [note.split(":")[0] for note in notes] == ["bomb", "many"]


def test_damaged_and_locked_archives(tmp_path):
    whole = bytearray(packed({"ps1.ipynb": os.urandom(3000)}))
    whole[500] ^= 255
    found, notes = unpacked(
        tmp_path, {"alice.zip": b"PK\x03\x04 nonsense", "bob.zip": bytes(whole), "c.ipynb": GOOD}
    )
    assert "c.ipynb" in found
    assert "alice/ps1.ipynb" not in found
    assert [note.split(":")[0] for note in notes] == ["alice", "bob/ps1.ipynb"]


def test_names_in_utf_8_that_do_not_say_so(tmp_path):
    data = packed({"Zo\u00eb/ps1.ipynb": GOOD})
    # Clear the flag that announces UTF-8, as some programs do.
    data = data.replace(b"PK\x03\x04\x14\x00\x00\x08", b"PK\x03\x04\x14\x00\x00\x00")
    data = data.replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00\x08", b"PK\x01\x02\x14\x03\x14\x00\x00\x00"
    )
    (tmp_path / "all.zip").write_bytes(data)
    unpack(tmp_path / "all.zip", tmp_path / "out")
    assert (tmp_path / "out" / "Zoë" / "ps1.ipynb").exists()


def test_neither_folder_nor_archive(tmp_path):
    with pytest.raises(ValueError, match="neither a folder nor a zip archive"):
        unpack(tmp_path / "nothing", tmp_path / "out")
