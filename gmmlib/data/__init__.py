"""The book's data sets: small tables of facts, each with where it came from.

Loading needs no network and no other package. What a data set is, its source, licence and known
oddities are written once, in ``sources.yml``; ``README.md`` is printed from it by
``python -m gmmlib.data``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
import yaml

__all__ = [
    "SHOP_MEANS",
    "SHOP_SDS",
    "SHOP_SEED",
    "SHOP_WEIGHTS",
    "Dataset",
    "adult_heights",
    "clinic_heights",
    "galaxies",
    "old_faithful",
    "shop_customers",
    "simulate_customers",
    "sources",
    "sp500",
    "vowels",
]

#: The truth behind the shop's customers, children first: probabilities, then centimetres.
SHOP_WEIGHTS = (0.4, 0.6)
SHOP_MEANS = (140.0, 170.0)
SHOP_SDS = (5.0, 8.0)
SHOP_SEED = 3


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table of measurements, ready for a mixture.

    Attributes
    ----------
    name : the name of the function that loads it
    title : what a figure or a table calls it
    X : array (n_samples, n_features), float64, read-only
    columns, units : one name and one unit for each column of X
    labels : integer array (n_samples,), read-only, or None when the groups are not known
    label_names : what label 0, 1, ... mean; the group with the smaller mean stands first
    other : further columns by name, each an array (n_samples,), read-only
    source, licence, description, oddities : as in ``sources.yml``
    citation : keys of the book's bibliography
    """

    name: str
    title: str
    X: np.ndarray
    columns: tuple[str, ...]
    units: tuple[str, ...]
    labels: np.ndarray | None
    label_names: tuple[str, ...]
    other: Mapping[str, np.ndarray]
    source: str
    licence: str
    description: str
    oddities: str
    citation: tuple[str, ...]

    def __repr__(self) -> str:
        columns = ", ".join(f"{c} [{u}]" for c, u in zip(self.columns, self.units, strict=True))
        return f"{self.title}: {len(self.X)} rows of {columns}"


@cache
def sources() -> Mapping[str, Mapping]:
    """Everything that is written about each data set, by name, in the order of ``sources.yml``."""
    text = files(__name__).joinpath("sources.yml").read_text(encoding="utf-8")
    return MappingProxyType({k: MappingProxyType(v) for k, v in yaml.safe_load(text).items()})


@cache
def adult_heights() -> Dataset:
    """Heights of adult smokers: X (1629, 1) in cm, as measured in the NHANES I survey, 1971-75.

    Labels: 0 for the 830 women, 1 for the 799 men. A public-use file of the United States
    government, in the form used by {cite}`hernan2020`. Stored truncated to 1/32 cm. Two
    components fit better than one, and still the fitted density has a single hump.
    """
    return _load("adult_heights")


@cache
def clinic_heights() -> Dataset:
    """Heights of children and adults: X (128, 1) in cm, patients of a clinical trial.

    Labels: 0 for the 83 patients under 18, 1 for the 45 others; ``other`` holds age (years) and
    sex. Printed in {cite}`fleming1991`, appendix D.2. Children of all ages are one wide group.
    """
    return _load("clinic_heights")


@cache
def galaxies() -> Dataset:
    """Velocities of galaxies: X (82, 1) in 1000 km/s, from the Corona Borealis region.

    No labels: how many clumps there are is the question. Printed in {cite}`roeder1990`; the file
    keeps the typing error of the R package MASS in row 78, 26.690 for 26.960.
    """
    return _load("galaxies")


@cache
def old_faithful() -> Dataset:
    """Eruptions of the Old Faithful geyser: X (272, 2), duration and waiting time in minutes.

    No labels: nobody knows how many kinds of eruption there are. The version of Härdle
    {cite}`haerdle1991`; {cite}`azzalini1990` analyse a longer record. Durations are rounded to
    seconds, waiting times to minutes.
    """
    return _load("old_faithful")


@cache
def shop_customers() -> Dataset:
    """Heights of the cake shop's customers: X (200, 1) in cm, simulated, rounded to 0.1 cm.

    Labels: 0 for a child, 1 for an adult. The truth is ``SHOP_WEIGHTS``, ``SHOP_MEANS`` and
    ``SHOP_SDS``; ``simulate_customers`` with ``SHOP_SEED`` gives exactly these rows.
    """
    return _load("shop_customers")


def simulate_customers(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Let n customers walk into the shop: two rolls of the dice for each.

    Parameters
    ----------
    n : number of customers
    rng : source of all randomness

    Returns
    -------
    heights : array (n, 1), in cm, rounded to 0.1
    labels : integer array (n,), 0 for a child and 1 for an adult
    """
    labels = rng.choice(2, size=n, p=SHOP_WEIGHTS)
    heights = rng.normal(np.take(SHOP_MEANS, labels), np.take(SHOP_SDS, labels))
    return np.round(heights, 1)[:, None], labels


@cache
def sp500() -> Dataset:
    """Daily closes of the S&P 500 index: X (12347, 1) in index points, 1969-12-31 to 2018-12-07.

    No labels; ``other`` holds the date, in ISO form. Dividends are not part of it. One day, 19
    October 1987, carries much of the fourth moment of the returns.
    """
    return _load("sp500")


@cache
def vowels() -> Dataset:
    """Pitch and formants of ten vowels: X (1520, 4) in Hz, each said twice by 76 speakers.

    Labels: the vowel, ``uw`` to ``iy``; ``other`` holds the speaker's number, the group (man,
    woman or child) and sex. Measured by {cite}`peterson1952`; read from spectrograms by eye, most
    to 10 Hz.
    """
    return _load("vowels")


def _load(name: str) -> Dataset:
    facts = sources()[name]
    table = _read_csv(name, facts["columns"], facts["rows"])
    features = facts["features"]
    X = np.array([table[column] for column in features], dtype=np.float64).T.copy()
    if not np.isfinite(X).all():
        raise ValueError(f"{name}.csv holds a value that is not a finite number")
    labels, label_names = _labels(table, facts.get("labels"))
    other = {c: np.array(v) for c, v in table.items() if c not in features}
    for whole in {"age", "speaker"} & set(other):
        other[whole] = other[whole].astype(int)
    for array in (X, *other.values(), *([] if labels is None else [labels])):
        array.setflags(write=False)  # shared by everyone who loads it
    return Dataset(
        name=name,
        title=facts["title"],
        X=X,
        columns=tuple(features),
        units=tuple(features.values()),
        labels=labels,
        label_names=label_names,
        other=MappingProxyType(other),
        source=facts["source"],
        licence=facts["licence"],
        description=facts["description"],
        oddities=facts["oddities"],
        citation=tuple(facts["citation"]),
    )


def _read_csv(name: str, columns: list[str], rows: int) -> dict[str, list[str]]:
    with files(__name__).joinpath(f"{name}.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        records = list(reader)
    if reader.fieldnames != columns or len(records) != rows:
        raise ValueError(
            f"{name}.csv holds {len(records)} rows of {reader.fieldnames}, not {rows} rows of "
            f"{columns}: the file is damaged; take a fresh copy of gmmlib"
        )
    return {column: [record[column] for record in records] for column in columns}


def _labels(table: dict, spec: Mapping | None) -> tuple[np.ndarray | None, tuple[str, ...]]:
    if spec is None:
        return None, ()
    names, values = tuple(spec["names"]), table[spec["column"]]
    if spec["column"] == "age":
        return np.array([int(age) >= 18 for age in values], dtype=int), names
    return np.array([names.index(value) for value in values]), names


def readme() -> str:
    """``README.md`` of this folder, printed from ``sources.yml``."""
    lines = [
        "# Data",
        "",
        "Small tables of facts, loaded by `gmmlib.data` without network or further packages.",
        "Printed from `sources.yml` by `python -m gmmlib.data > gmmlib/data/README.md`;",
        "edit that file, not this one. Citations are keys of `chapters/references.bib`.",
        "",
        "| file | shape of X | units | groups |",
        "|---|---|---|---|",
    ]
    for name, facts in sources().items():
        units = ", ".join(f"{c}: {u}" for c, u in facts["features"].items())
        groups = ", ".join(facts.get("labels", {}).get("names", ["not known"]))
        shape = f"({facts['rows']}, {len(facts['features'])})"
        lines.append(f"| [`{name}.csv`]({name}.csv) | {shape} | {units} | {groups} |")
    for name, facts in sources().items():
        lines += ["", f"## {facts['title']} (`{name}`)", "", facts["description"]]
        for key in ("source", "licence", "oddities"):
            lines += ["", f"**{key.capitalize()}.** {facts[key]}"]
        if facts["citation"]:
            lines[-5] += " " + " ".join(f"[{key}]" for key in facts["citation"])
    return "\n".join(lines) + "\n"
