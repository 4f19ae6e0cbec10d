"""How definitions, steps and claims look: MyST Markdown for the book, HTML for JupyterLab.

Claims, agreements and citations also carry a machine-readable record; in the book a
``derivation-record`` directive hands it to the build, which gathers the records into the ledger.
"""

import html as html_text
import json
import re
from functools import singledispatch

from .chain import Chain
from .latex import NUMBERED_ROW, ROW, latex, row
from .steps import Agreement, Cited, Claim, Definition, Step


@singledispatch
def myst(shown) -> str:
    """MyST Markdown of a definition, step, claim, derivation, agreement or citation."""
    raise TypeError(f"nothing says how to show a {type(shown).__name__}")


@singledispatch
def html(shown) -> str:
    """HTML of the same, with the mathematics left to the notebook's own renderer."""
    raise TypeError(f"nothing says how to show a {type(shown).__name__}")


@myst.register
def _(definition: Definition) -> str:
    block = definition.evidence, _phrase(definition), _tex(definition), definition.label
    return _myst_block("step", *block)


@myst.register
def _(step: Step) -> str:
    return _myst_block("step", step.evidence, _phrase(step), _tex(step))


@myst.register
def _(claim: Claim) -> str:
    block = _myst_block("claim", claim.evidence, _headline(claim), _tex(claim), claim.name)
    if len(claim.steps) > 1:
        steps = "\n\n".join(myst(step) for step in claim.steps)
        block += f"\n:::::{{dropdown}} {_count(claim)}\n{steps}\n:::::\n"
    return f"{block}\n{_myst_record(record(claim))}"


@myst.register
def _(chain: Chain) -> str:
    return "\n\n".join(myst(step) for step in chain.steps)


@myst.register
def _(agreement: Agreement) -> str:
    return f"{_sentence(agreement)}\n\n{_myst_record(record(agreement))}"


@myst.register
def _(cited: Cited) -> str:
    source = f"{{cite}}`{cited.source}`"
    return f"{_myst_badge('cited')} {cited.statement} {source}\n\n{_myst_record(record(cited))}"


@html.register
def _(definition: Definition) -> str:
    return _html_block(definition.evidence, _phrase(definition), _tex(definition))


@html.register
def _(step: Step) -> str:
    return _html_block(step.evidence, _phrase(step), _tex(step))


@html.register
def _(claim: Claim) -> str:
    block = _html_block(claim.evidence, _headline(claim), _tex(claim))
    if len(claim.steps) > 1:
        steps = "".join(html(step) for step in claim.steps)
        block += f"<details><summary>{_count(claim)}</summary>{steps}</details>"
    return block


@html.register
def _(chain: Chain) -> str:
    return "".join(html(step) for step in chain.steps)


@html.register
def _(agreement: Agreement) -> str:
    return f"<p>{html_text.escape(_sentence(agreement))}</p>"


@html.register
def _(cited: Cited) -> str:
    text = html_text.escape(f"{cited.statement} ({cited.source})")
    return f"<p><small>[cited]</small> {text}</p>"


@singledispatch
def record(shown) -> dict:
    """The machine-readable record that the ledger is made of."""
    raise TypeError(f"a {type(shown).__name__} has no record")


@record.register
def _(claim: Claim) -> dict:
    parts = ("why", "relation", "evidence", "how", "points", "seconds")
    return {
        "kind": "derivation",
        "name": claim.name,
        "label": claim.name,
        "title": claim.title,
        "claim": _tex(claim),
        "evidence": claim.evidence,
        "seconds": round(claim.seconds, 2),
        "steps": [{part: getattr(step, part) for part in parts} for step in claim.steps],
    }


@record.register
def _(agreement: Agreement) -> dict:
    return {"kind": "agreement", **vars(agreement)}


@record.register
def _(cited: Cited) -> dict:
    return {"kind": "cited", "name": cited.name, "claim": cited.statement, "source": cited.source}


def _tex(shown) -> str:
    if isinstance(shown, Definition):
        room = NUMBERED_ROW if shown.label else ROW
        return row(shown.head, ":=", shown.body, room=room)
    if isinstance(shown, Claim):
        return row(shown.lhs, shown.relation, shown.rhs, room=NUMBERED_ROW)
    return row(shown.lhs, shown.relation, shown.rhs, shown.opens)


def _phrase(shown) -> str:
    phrase = shown.why
    if isinstance(shown, Definition):
        return f"{phrase} (assuming {shown.assuming})" if shown.assuming else phrase
    phrase += _equality(shown)
    return f"{phrase} ({shown.note})" if shown.relation == "zero at" else phrase


def _headline(claim: Claim) -> str:
    """The title; with it the reason, if there is one row, since several stand in the fold."""
    reason = f": {claim.steps[0].why}" if len(claim.steps) == 1 else ""
    return f"**{claim.title}**{reason}{_equality(claim)}"


def _equality(shown) -> str:
    if shown.equality is None:
        return ""
    condition = f"{latex(shown.equality.lhs)} = {latex(shown.equality.rhs)}"
    return f"; equality exactly where ${condition}$"


def _sentence(agreement: Agreement) -> str:
    largest, allowed = f"{agreement.largest:.1e}", f"{agreement.tolerance:.0e}"
    return f"✓ {agreement.what}: largest relative difference {largest} (allowed {allowed})"


def _count(claim: Claim) -> str:
    return f"The {len(claim.steps)} steps, one under the other"


def _myst_badge(evidence) -> str:
    return f"[{evidence}]{{.evidence .evidence-{evidence}}}"


def _myst_block(kind, evidence, phrase, tex, label="") -> str:
    number = f" ({label})" if label else ""
    head = f"::::{{div}} derivation-{kind}\n{_myst_badge(evidence)} {phrase}"
    return f"{head}\n\n$$\n{tex}\n$${number}\n::::\n"


def _myst_record(entry: dict) -> str:
    return f"```{{derivation-record}}\n{json.dumps(entry, sort_keys=True)}\n```\n"


def _html_block(evidence, phrase, tex) -> str:
    phrase = html_text.escape(phrase, quote=False)
    phrase = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", phrase)
    # A star of a formula stands in or beside its dollars.
    phrase = re.sub(r"(?<![\w*$])\*([^*$]+)\*(?![\w*$])", r"<em>\1</em>", phrase)
    tex = html_text.escape(tex, quote=False)
    return f"<div><p><small>[{evidence}]</small> {phrase}</p>$$\n{tex}\n$$</div>"
