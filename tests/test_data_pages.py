"""The page of data sources and the map of the dialogue on the instructors' page stay true."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from sklearn import datasets

from _extensions.casebook import data_sources, seed_map
from gmmlib import data
from tests.pages import article

ROOT = Path(__file__).parents[1]
CHAPTERS = ROOT / "chapters"
BORROWED = yaml.safe_load((CHAPTERS / "data-sources.yml").read_text(encoding="utf-8"))
MAP = seed_map.load(CHAPTERS / "for-instructors.map.yml")


@pytest.fixture
def book(tmp_path):
    chapters, exercises = tmp_path / "chapters", tmp_path / "exercises"
    chapters.mkdir()
    exercises.mkdir()
    (chapters / "02-second.md").write_text(
        "# 02 Second\n\nNot `geyser()` here.\n\n```{code-cell} ipython3\n:tags: [hide-input]\n\n"
        "X = geyser().X\nphoto = load_image('b.jpg')\n```\n\n## 🕵️ The case\n\n## Cards and quiz\n"
    )
    (chapters / "02-second.yml").write_text(
        "guess_first: {id: first}\nquestions: [{id: asked}]\ncards: [{id: card}]\n"
    )
    (chapters / "03-third.md").write_text("# 03 Third\n\nThe data of geyser() are old.\n")
    (exercises / "ps1.md").write_text("X = geyser().X\n")
    return tmp_path


# ---- Data ----------------------------------------------------------------------------------------


def test_a_set_is_used_where_code_calls_it(book):
    found = data_sources.used_in(book, "geyser")
    assert found == ["{doc}`2 <02-second>`", "{ref}`ps1 <ps1>`"]
    assert data_sources.used_in(book, "load_image") == ["{doc}`2 <02-second>`"]
    assert data_sources.used_in(book, "geys") == []


def test_the_page_holds_all_that_is_written_about_each_set():
    sets = data.sources()
    table, text = data_sources.table(sets, ROOT), data_sources.own_sets(sets, ROOT)
    for name, facts in sets.items():
        (row,) = (line for line in table.splitlines() if f"[{facts['title']}](" in line)
        assert f"{facts['rows']:,} × {len(facts['features'])}" in row
        for unit in facts["features"].values():
            assert unit in row
        assert facts["good_for"] in row
        assert ("| no |" in row) == ("labels" not in facts)
        section = text.split(f"\n## {facts['title']}\n")[1].split("\n## ")[0]
        assert f"gmmlib.data.{name}" in section
        for key in ("description", "licence", "oddities"):
            assert facts[key] in section
        assert facts["source"].rstrip(".") in section
        assert all(key in section for key in facts["citation"])


def test_every_set_is_used_and_every_borrowed_one_is_listed():
    for name in (*data.sources(), *BORROWED):
        assert data_sources.used_in(ROOT, name), f"no page uses {name}"
    pages = [*CHAPTERS.glob("[0-9]*.md"), *(ROOT / "exercises").glob("ps*.md")]
    code = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    called = set(re.findall(r"\b((?:load|fetch)_\w+)\(", code))
    called = {name for name in called if hasattr(datasets, name)}
    assert called == set(BORROWED)


@pytest.mark.parametrize("call", BORROWED)
def test_a_borrowed_set_has_the_shape_that_the_page_says(call):
    load = getattr(datasets, call)
    pictures = re.findall(r'\("(.+?)"\)', BORROWED[call]["loader"])
    shapes = {load(name).shape[:2] for name in pictures} or {load().data.shape}
    said = re.match(r"([\d,]+) × (\d+)", BORROWED[call]["shape"])
    assert shapes == {tuple(int(n.replace(",", "")) for n in said.groups())}


def test_the_groups_of_borrowed_sets_are_counted_right():
    lines = data_sources.borrowed_sets(BORROWED, ROOT).splitlines()
    rows = [line for line in lines if line.startswith("|")][2:]
    for (call, facts), row in zip(BORROWED.items(), rows, strict=True):
        loaded = {} if call == "load_sample_image" else getattr(datasets, call)()
        assert facts["groups"] == len(set(loaded.get("target", ())))
        assert facts["good_for"] in row


def test_the_example_of_loading_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (CHAPTERS / "data-sources.md").read_text(encoding="utf-8")
    scope = {}
    exec(re.search(r"^```python\n(.*?)^```$", text, flags=re.M | re.S)[1], scope)
    assert (scope["d"].columns, scope["d"].labels) == (("eruptions", "waiting"), None)
    first = (tmp_path / "geyser.csv").read_text(encoding="utf-8").splitlines()
    assert (first[0], len(first)) == ("eruptions,waiting", 273)


def test_borrowed_sets_cite_what_the_bibliography_holds():
    bibliography = (CHAPTERS / "references.bib").read_text(encoding="utf-8")
    for facts in BORROWED.values():
        assert all(f"{{{key}," in bibliography for key in facts["citation"])


# ---- The map of the dialogue ---------------------------------------------------------------------


@pytest.mark.parametrize("place", sorted(set(seed_map.places(MAP))))
def test_every_place_of_the_map_is_in_the_book(place):
    assert seed_map.link(CHAPTERS, place).startswith("[")


def test_the_map_holds_every_kind_of_thing_that_the_dialogue_has():
    kinds = Counter(row["kind"] for section in MAP for row in section["rows"])
    assert [section["section"][:1] for section in MAP[1:]] == list("12345678")
    assert kinds["question"] == 7  # one after each of six sections, and the last one
    assert kinds["card"] == 6
    assert kinds["table"] == 2  # K-means and mixtures; covariance types
    assert kinds["quotation"] == 3
    assert kinds["flow chart"] == 1
    assert kinds["picture"] == 6  # knowledge tree, two figures told in words, three drawn ones
    assert kinds["story"] == 3


def test_a_place_becomes_a_link(book):
    folder = book / "chapters"
    assert seed_map.link(folder, "02-second") == "[chapter 2: Second](02-second.md)"
    case = "[chapter 2: The case](02-second.md#-the-case)"
    assert seed_map.link(folder, "02-second > The case") == case
    quiz = "[chapter 2: quiz](02-second.md#cards-and-quiz)"
    assert seed_map.link(folder, "02-second @ asked") == quiz
    assert seed_map.link(folder, "02-second @ first") == "[chapter 2: guess first](02-second.md)"


@pytest.mark.parametrize(
    "place", ["04-fourth", "02-second > The cases", "02-second @ asks", "03-third @ asked"]
)
def test_a_place_that_is_not_there_is_refused(book, place):
    with pytest.raises(ValueError, match=re.escape(place)):
        seed_map.link(book / "chapters", place)


# ---- The built pages -----------------------------------------------------------------------------


@pytest.mark.site
def test_the_built_map_has_a_link_for_every_place():
    tables = article("chapters/for-instructors").find_all("table")[-len(MAP) :]
    links = [a for table in tables for a in table.select("td:last-child a")]
    assert len(links) == len(list(seed_map.places(MAP)))


@pytest.mark.site
def test_the_built_page_has_a_section_for_every_set():
    headings = article("chapters/data-sources").find_all("h2")
    titles = [heading.get_text().strip(" #").replace("’", "'") for heading in headings]
    assert titles[:-1] == [facts["title"] for facts in data.sources().values()]
