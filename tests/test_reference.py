"""The reference page holds every public name, as it is, with links that lead somewhere."""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path

import pytest

import gmmlib
from _extensions.casebook import reference
from tests.pages import article

ROOT = Path(__file__).parents[1]
PAGE = "chapters/reference"
TEXT = (ROOT / f"{PAGE}.md").read_text(encoding="utf-8")
DIRECTIVES = re.findall(r"^```\{gmmlib\} (\S+)\n(.*?)^```$", TEXT, flags=re.M | re.S)

#: What readers do not import by themselves.
INNER = {
    "blocks",
    "init_params",
    "mixture",  # gmmlib.Mixture
    "products",
    "runs",
    "saved",
    "validation",
}


def shown():
    """(module, name, full name) of everything on the page."""
    for module, wanted in DIRECTIVES:
        for name in wanted.split() or reference.load(ROOT, module).public:
            yield module, name, reference.full_name(ROOT, module, name)


SHOWN = list(shown())
NAMES = {full for _, _, full in SHOWN}


def entry(module, name):
    where, node = reference.find(ROOT, module, name)
    full = reference.full_name(ROOT, module, name)
    return reference.Entry(ROOT, where, node, full).text()


def test_every_name_of_the_package_is_on_the_page():
    assert {f"gmmlib.{name}" for name in gmmlib.__all__} <= NAMES


def test_every_module_is_on_the_page_or_an_inner_one():
    modules = {module.name for module in pkgutil.iter_modules(gmmlib.__path__)}
    whole = {module.split(".")[1] for module, wanted in DIRECTIVES if "." in module and not wanted}
    assert modules == whole | INNER
    assert not whole & INNER


def test_no_name_stands_on_the_page_twice():
    everything = [full for _, _, full in SHOWN]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize("full", sorted(NAMES))
def test_a_name_can_be_imported_and_takes_what_the_page_says(full):
    module, _, name = full.rpartition(".")
    thing = getattr(importlib.import_module(module), name)
    text = entry(module, name)
    if callable(thing):
        first_words = re.split(r"[`{]", inspect.getdoc(thing))[0].split("\n")[0]
        assert first_words in text
    if inspect.isfunction(thing):
        head = re.match(r":+\{py:function\} [\w.]+(\(.*\)(?: -> .*)?)\n", text)[1]
        written = ast.parse(f"def f{head}: ...").body[0].args
        names = [a.arg for a in (*written.posonlyargs, *written.args, *written.kwonlyargs)]
        names += [a.arg for a in (written.vararg, written.kwarg) if a]
        assert sorted(names) == sorted(inspect.signature(thing).parameters)


def test_equations_and_papers_named_in_docstrings_are_in_the_book():
    chapters = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "chapters").glob("*.md"))
    bibliography = (ROOT / "chapters" / "references.bib").read_text(encoding="utf-8")
    text = "".join(entry(module, name) for module, name, _ in SHOWN)
    text += "".join(
        reference.module_text(ROOT, reference.load(ROOT, m))
        for m, wanted in DIRECTIVES
        if not wanted
    )
    labels = set(re.findall(r"\{eq\}`([^`]+)`", text))
    assert len(labels) > 20
    missing = {label for label in labels if f'"{label}"' not in chapters}
    keys = {key for found in re.findall(r"\{cite\S*\}`([^`]+)`", text) for key in found.split(",")}
    missing |= {key for key in keys if f"{{{key}," not in bibliography}
    assert not missing


# ---- What the directive does with a docstring ----------------------------------------------------

SOURCE = '''
"""A module.

    Bell    a class

`ring` is a function of it.
"""

import nowhere_at_all
from gmmlib.base import Base


class Bell(Base):
    """One.

    Parameters
    ----------
    a, b, \\\\
    c : float
        Three numbers.

    It is made like this::

        Bell(1, 2, 3)
    """

    def __init__(self, a, b: "Bell", c=1e-3):
        pass

    @property
    def height(self) -> float:
        """How high it is, by `swing`."""

    def swing(self, *, by: int = 2) -> "Bell":
        """Swing it: {eq}`swing`."""

    def _hidden(self):
        """Nobody sees it."""


def ring(bell: Bell, times: int = 10_000) -> tuple[Bell, int]:
    """Ring a bell.

    Returns
    -------
    the bell, and how often
    it rang
    """


def _unseen():
    """Not public."""
'''

BASE = '''
class Base:
    """What bells are."""

    def melt(self):
        """Melt it."""

    def swing(self):
        """Not this one."""
'''


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "gmmlib"
    folder.mkdir()
    (folder / "__init__.py").write_text('from gmmlib.bells import Bell\n__all__ = ["Bell"]\n')
    (folder / "bells.py").write_text(SOURCE)
    (folder / "base.py").write_text(BASE)
    return tmp_path


def text_of(root, name):
    where, node = reference.find(root, "gmmlib.bells", name)
    full = reference.full_name(root, "gmmlib.bells", name)
    return reference.Entry(root, where, node, full).text()


def test_reading_a_module_imports_nothing(root):
    assert reference.load(root, "gmmlib.bells").public == ("Bell", "ring")
    assert "nowhere_at_all" not in sys.modules


def test_a_name_is_called_as_readers_import_it(root):
    assert reference.full_name(root, "gmmlib.bells", "Bell") == "gmmlib.Bell"
    assert reference.full_name(root, "gmmlib.bells", "ring") == "gmmlib.bells.ring"


def test_a_signature_is_what_was_written_with_the_packages_types_in_full(root):
    assert "gmmlib.Bell(a, b: gmmlib.Bell, c=0.001)" in text_of(root, "Bell")
    head = "gmmlib.bells.ring(bell: gmmlib.Bell, times: int=10000) -> tuple[gmmlib.Bell, int]"
    assert head in text_of(root, "ring")


def test_a_class_shows_its_public_methods_and_those_it_inherits(root):
    text = text_of(root, "Bell")
    assert "{py:property} gmmlib.Bell.height" in text
    assert "{py:method} gmmlib.Bell.swing(*, by: int=2) -> gmmlib.Bell" in text
    assert "{py:method} gmmlib.Bell.melt()" in text
    assert "Not this one" not in text
    assert "Nobody sees it" not in text


def test_lists_of_names_and_sentences_in_a_docstring_stay_what_they_are(root):
    text = text_of(root, "Bell")
    assert "[`a`, `b`, `c`]{.names}\n: float" in text
    assert "Three numbers." in text
    assert "It is made like this:\n" in text
    assert "the bell, and how often it rang" in text_of(root, "ring")


def test_names_of_the_package_in_code_become_links(root):
    assert "{py:obj}`swing <gmmlib.Bell.swing>`" in text_of(root, "Bell")
    module = reference.load(root, "gmmlib.bells")
    assert "{py:obj}`ring <gmmlib.bells.ring>` is a function" in reference.module_text(root, module)


def test_a_contents_list_at_the_top_of_a_module_is_left_out(root):
    module = reference.load(root, "gmmlib.bells")
    assert "a class" not in reference.module_text(root, module)


@pytest.mark.parametrize(("module", "name"), [("gmmlib.bells", "gong"), ("gmmlib.gongs", "gong")])
def test_what_is_not_there_is_refused_by_name(root, module, name):
    with pytest.raises(ValueError, match=r"has no (module )?'(gmmlib\.gongs|gong)'"):
        reference.find(root, module, name)


# ---- The built page ------------------------------------------------------------------------------


@pytest.mark.site
def test_every_name_has_its_place_on_the_built_page():
    ids = {tag["id"] for tag in article(PAGE).select("[id]")}
    assert ids >= NAMES


@pytest.mark.site
def test_no_role_is_left_unread_on_the_built_page():
    assert not re.findall(r"\{(?:eq|cite\S*|py:\w+|ref|doc)\}`", article(PAGE).get_text())
    assert len(article(PAGE).select("dl.py a[href*='#equation-']")) > 40
