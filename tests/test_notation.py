"""The notation page is the law: what stands on it exists, and what the book uses stands on it."""

import dataclasses
import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import sympy
import yaml
from bs4 import BeautifulSoup
from sklearn.mixture import GaussianMixture

from gmmlib import data
from gmmlib.derive import notation as derive_notation
from gmmlib.derive.latex import BookPrinter
from gmmlib.show import notation_table
from gmmlib.show.notation import load_notation

PATH = Path(__file__).parents[1] / "chapters" / "notation.yml"
ROWS = load_notation(PATH)


def resolve(dotted):
    """The object of a public name; a field of a dataclass counts as there."""
    parts = dotted.split(".")
    for split in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:split]))
        except ModuleNotFoundError:
            continue
        for part in parts[split:]:
            names = {f.name for f in dataclasses.fields(found)} if isinstance(found, type) else ()
            found = True if part in names else getattr(found, part)
        return found
    raise ModuleNotFoundError(dotted)


@pytest.mark.parametrize("row", [r for r in ROWS if r.gmmlib], ids=lambda r: r.gmmlib)
def test_gmmlib_names_import(row):
    assert resolve(row.gmmlib) is not None


def test_resolving_a_name_that_does_not_exist_fails():
    with pytest.raises(AttributeError):
        resolve("gmmlib.Mixture.wieghts")


def test_scikit_learn_names_exist_on_a_fitted_model():
    model = GaussianMixture(2, random_state=0).fit(data.shop_customers().X)
    names = {row.scikit_learn for row in ROWS if row.scikit_learn}
    assert names
    assert {name for name in names if not hasattr(model, name)} == set()


def test_shapes_are_those_of_the_arrays():
    from gmmlib import Mixture

    N, d, K = 5, 3, 2
    X = np.arange(N * d, dtype=float).reshape(N, d)
    mixture = Mixture(np.full(K, 0.5), np.zeros((K, d)), np.broadcast_to(np.eye(d), (K, d, d)))
    checked = 0
    for row in ROWS:
        owner, _, attribute = row.gmmlib.rpartition(".")
        # sigma_k^2 is the covariance in one dimension, not the array of this mixture
        if owner != "gmmlib.Mixture" or not row.shape or row.symbol == r"\sigma_k^2":
            continue
        value = getattr(mixture, attribute)
        value = value(X) if callable(value) else value
        sizes = {"N": N, "K": K, "d": d}
        assert value.shape == tuple(sizes[s] for s in row.shape.strip("(),").split(", ")), row
        checked += 1
    assert checked >= 6


def plain(tex):
    return tex.replace("{", "").replace("}", "").replace(" ", "")


def test_symbols_of_the_derivations_stand_on_the_page():
    listed = {plain(symbol) for row in ROWS for symbol in row.symbol.split(r",\ ")}
    listed |= {plain(formula) for row in ROWS for formula in row.meaning.split("$")[1::2]}
    tex = BookPrinter().doprint
    for value in vars(derive_notation).values():
        if isinstance(value, sympy.IndexedBase):
            n, k = derive_notation.n, derive_notation.k
            forms = {plain(tex(value[index])) for index in (n, k, (n, k))}
            assert forms & listed, f"none of {sorted(forms)} is on the notation page"
        elif isinstance(value, sympy.Symbol):
            assert plain(tex(value)) in listed, f"{value} is not on the notation page"


def test_braces_match_in_every_formula():
    for row in ROWS:
        for formula in (row.symbol, row.bishop, *row.meaning.split("$")[1::2]):
            assert formula.count("{") == formula.count("}"), formula
        assert row.meaning.count("$") % 2 == 0, row.meaning


def words(part):
    """The texts of a ``markup`` element in their order."""
    if "text" in part:
        return [part["text"]]
    return [text for child in part["children"] for text in words(child)]


def test_the_page_shows_every_row_and_links_chapters_that_exist(tmp_path):
    (tmp_path / "notation.yml").write_text(PATH.read_text("utf-8"), encoding="utf-8")
    (tmp_path / "04-responsibilities.md").touch()
    shown = notation_table(tmp_path / "notation.yml")._repr_mimebundle_()
    in_book = words(json.loads(shown["text/markdown"].splitlines()[1]))
    in_notebook = BeautifulSoup(shown["text/html"], "html.parser")
    for row in ROWS:
        place = in_book.index(f"[${row.symbol}$]{{#{row.id}}}")
        assert in_book[place + 1] == row.meaning
        assert in_notebook.find("th", id=row.id).text == f"${row.symbol}$"
    assert "[4](04-responsibilities.md)" in in_book
    assert "3" in in_book
    (target,) = {link["href"] for link in in_notebook.select("td[data-head=Chapter] a")}
    assert target == "04-responsibilities.md"


def test_every_row_of_the_table_has_a_cell_for_every_heading():
    table = BeautifulSoup(notation_table(PATH)._repr_mimebundle_()["text/html"], "html.parser")
    heads = [head.text for head in table.select("thead th")]
    rows = table.select("tbody tr:has(td)")
    assert len(rows) == len(ROWS)
    for row in rows:
        assert ["Symbol", *(cell["data-head"] for cell in row.select("td"))] == heads
    shown = {cell.text for cell in table.select("td[data-head=gmmlib]")}
    assert {"Mixture.weights", "m_step"} < shown


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda rows: rows[0].pop("bishop"), "unknown or missing keys: bishop"),
        (lambda rows: rows[0].update(colour="red"), "unknown or missing keys: colour"),
        (lambda rows: rows.append(dict(rows[-1])), "stands in two places"),
        (lambda rows: rows.append(rows.pop(0)), "stands in two places"),
        (lambda rows: rows[0].update(symbol=r"\pi^k"), "'notation-pi-k' stands in two places"),
    ],
)
def test_a_spoiled_table_is_refused(tmp_path, spoil, complaint):
    rows = yaml.safe_load(PATH.read_text("utf-8"))
    spoil(rows)
    path = tmp_path / "notation.yml"
    path.write_text(yaml.safe_dump(rows), encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        load_notation(path)
