"""The map of the course: its data are checked, and what it draws is what they say."""

import json
import re
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from gmmlib.show.course_map import MISSING, course_map, load_map

ROOT = Path(__file__).parents[1]
PATH = ROOT / "chapters" / "index.map.yml"
INDEX = ROOT / "_build" / "html" / "chapters" / "index.html"

SMALL = """
- part: I. First
  chapters:
    - {number: 1, builds_on: [], place: [1, 1], idea: "Why?"}
    - {number: 2, title: Second, builds_on: [1], place: [1, 2], idea: "How?"}
- part: II. Last
  chapters:
    - {number: 3, title: Third, builds_on: [2], place: [2, 2], idea: "And then?"}
    - {number: 4, title: Fourth, builds_on: [1, 3], place: [3, 1], idea: "Both?"}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "01-first-page.md").write_text("---\na: b\n---\n\n# 01 The first page\n")
    (tmp_path / "index.map.yml").write_text(SMALL)
    return tmp_path


def in_notebook(path):
    shown = course_map(path)._repr_mimebundle_()["text/html"]
    return BeautifulSoup(shown, "html.parser").select_one("nav.gmm-map")


def in_book(path):
    return json.loads(course_map(path)._repr_mimebundle_()["text/markdown"].splitlines()[1])


def test_a_chapter_with_a_file_is_a_link_named_by_its_heading(folder):
    (link,) = in_notebook(folder / "index.map.yml").select("a")
    assert (link["href"], link.text) == ("01-first-page.md", "01 The first page")
    assert '"{doc}`01-first-page`"' in json.dumps(in_book(folder / "index.map.yml"))


def test_a_chapter_without_a_file_is_no_link_and_says_so(folder):
    nav = in_notebook(folder / "index.map.yml")
    second = nav.select("li.gmm-map-chapter")[1]
    assert "02 Second" in second.text
    assert MISSING in second.text
    assert MISSING not in nav.select("li.gmm-map-chapter")[0].text
    assert not second.has_attr("data-chapter")


def test_the_map_is_a_list_of_parts_of_chapters_in_their_order(folder):
    nav = in_notebook(folder / "index.map.yml")
    assert nav["aria-label"]
    parts = nav.select(":scope > div > ol > li")
    assert [part.select_one("p").text for part in parts] == ["I. First", "II. Last"]
    titles = [[p.text for p in part.select(".gmm-map-title")] for part in parts]
    assert titles == [["01 The first page", "02 Second"], ["03 Third", "04 Fourth"]]
    assert "builds on 1 and 3" in nav.select("li.gmm-map-chapter")[3].text
    assert all(drawing["aria-hidden"] == "true" for drawing in nav.select("svg"))


def test_the_wide_map_has_one_curve_per_line_of_the_data(folder):
    curves = in_notebook(folder / "index.map.yml").select(".gmm-map-curves path")
    ends = [[float(n) for n in re.findall(r"-?\d+\.?\d*", path["d"])] for path in curves]
    # In units of one cell: from the middle of the card or its right edge (92 %), to the middle of
    # the next or its left edge (8 %).
    assert ends[0] == [0.5, 0.5, 1.5]  # 1 to 2, straight down
    assert (ends[1][:2], ends[1][-1]) == ([0.92, 1.5], 1.08)  # 2 to 3, to the right
    assert (ends[2][:2], ends[2][-2:]) == ([0.92, 0.5], [0.5, 2.08])  # 1 to 4, past a column
    assert (ends[3][:2], ends[3][-2:]) == ([1.92, 1.5], [0.5, 2.08])  # 3 to 4
    assert len(ends) == 4


def test_the_narrow_map_leads_every_line_from_its_source_to_its_target(folder):
    """From 1 a lane leaves to the left, passes 2, the second part and 3, and comes in at 4."""
    nav = in_notebook(folder / "index.map.yml")
    rails = nav.select("svg.gmm-map-rail")
    assert len(rails) == 2 + 4  # parts and chapters, in the order of the page
    dot = rails[1].circle["cx"]

    def lines(rail, x):
        return [(line["y1"], line["y2"]) for line in rail.select("line") if line["x1"] == x]

    lane = str(int(dot) - 9)
    assert [lines(rail, lane) for rail in rails] == [
        [],  # the first part
        [("38", "100%")],  # 1: goes out below the dot
        [("0", "100%")],  # 2
        [("0", "100%")],  # the second part
        [("0", "100%")],  # 3
        [("0", "12")],  # 4: comes in above the dot
    ]
    assert [bool(rail.select("path")) for rail in rails] == [False, True, False, False, False, True]
    assert [lines(rail, dot) for rail in rails] == [
        [],
        [("25", "100%")],
        [("0", "25"), ("25", "100%")],
        [("0", "100%")],
        [("0", "25"), ("25", "100%")],
        [("0", "25")],
    ]


def change(**entry):
    """Set keys of chapter 3."""
    return lambda parts: parts[1]["chapters"][0].update(entry)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (change(colour="red"), "chapter 3: unknown or missing keys: colour"),
        (lambda parts: parts[1]["chapters"][0].pop("idea"), "chapter 3: .* missing keys: idea"),
        (lambda parts: parts[0].pop("part"), "part 1: unknown or missing keys: part"),
        (change(idea=" "), "chapter 3: the idea is empty"),
        (change(builds_on=[9]), "chapter 3 builds on 9, which is not on the map"),
        (change(builds_on=[4]), "chapter 3 builds on 4, which does not come before it"),
        (change(builds_on=[3]), "chapter 3 builds on 3, which does not come before it"),
        (change(number=2), "chapter 2 stands after chapter 2"),
        (change(place=[1, 1]), "chapters 1 and 3 have the same place"),
        (change(place=[1, 3]), "chapter 3 stands in a column of another part"),
        (change(place=[2, 1]), "from chapter 1 to 4 would run behind 3"),
        (change(place=[4, 2]), "chapter 4 must stand right below 3"),
        (lambda parts: parts[0]["chapters"][0].update(title="x"), "01-first-page.md is there"),
        (lambda parts: parts[1]["chapters"][0].pop("title"), "chapter 3: no file 03-"),
    ],
)
def test_a_spoiled_map_is_refused(folder, spoil, complaint):
    parts = yaml.safe_load(SMALL)
    spoil(parts)
    (folder / "index.map.yml").write_text(yaml.safe_dump(parts))
    with pytest.raises(ValueError, match=rf"index\.map\.yml: .*{complaint}"):
        load_map(folder / "index.map.yml")


def test_text_that_is_no_yaml_is_refused_by_its_name(folder):
    (folder / "index.map.yml").write_text("- {idea: Why?, number: 1}")
    with pytest.raises(ValueError, match=r"index\.map\.yml: not valid YAML"):
        load_map(folder / "index.map.yml")


def test_the_books_own_map_holds_every_chapter_of_the_course():
    course = load_map(PATH)
    shown = [chapter.file for chapter in course.chapters if chapter.file]
    written = sorted(PATH.parent.glob("[0-9][0-9]-*.md"))
    missing = [path.stem for path in written if path not in shown]
    assert not missing, f"{PATH.name} has no entry for these chapters"
    assert shown == written
    assert [chapter.number for chapter in course.chapters] == list(range(1, len(written) + 1))


@pytest.mark.site
def test_the_built_map_links_the_chapters_of_the_book_and_no_others():
    if not INDEX.exists():
        pytest.fail("the book is not built: run `make book` first")
    nav = BeautifulSoup(INDEX.read_text(encoding="utf-8"), "html.parser").select_one("nav.gmm-map")
    links = {link["href"]: link.text.strip() for link in nav.select("a")}
    pages = sorted(INDEX.parent.glob("[0-9][0-9]-*.html"))
    assert list(links) == [page.name for page in pages]
    for page in pages:
        heading = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").h1
        assert heading.text.startswith(links[page.name])
