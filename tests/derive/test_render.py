"""What a notebook and the book get to see."""

import json
import re

import pytest
import sympy as sp
from sympy import Eq, Symbol, log

from gmmlib.derive import Agreement, Cited, Definition, Derivation, Square
from gmmlib.derive.notation import elbo, log_likelihood, n, sum_n, x
from gmmlib.derive.render import html, myst, record

X, Y = sp.symbols("x y", real=True)
HEIGHTS = Definition(log_likelihood, sum_n(log(x[n] ** 2)), "the log-likelihood", "loglik")


def chain(title="A square"):
    D = Derivation("square", title, X**2 - 2 * X * Y + Y**2)
    D.eq((X - Y) ** 2, "binomial")
    D.ge(0, "it is a square", by=Square(1, X - Y), equality=Eq(X, Y))
    return D


AGREEMENT = Agreement("square", "on the 128 heights <cm>", 2.5e-13, 1e-10)
CITED = Cited("closed-form", "There is **no** closed form & none < is known.", "mclachlan")


def displayed(markdown):
    return re.findall(r"\$\$\n(.*?)\n\$\$", markdown, flags=re.S)


def records(markdown):
    found = re.findall(r"```\{derivation-record\}\n(.*?)\n```", markdown, flags=re.S)
    return [json.loads(text) for text in found]


class TestMyst:
    def test_a_definition_carries_its_label(self):
        text = myst(HEIGHTS)
        assert text.startswith("::::{div} derivation-step\n[definition]{.evidence")
        assert displayed(text) == [r"\log L := \sum_{n=1}^{N} \log\left(x_{n}^{2}\right)"]
        assert "\n$$ (loglik)\n::::" in text

    def test_one_without_a_label_is_not_numbered(self):
        assert "\n$$\n::::" in myst(Definition(elbo, X))

    def test_an_assumption_is_said_aloud(self):
        assumed = Definition(Symbol("h", positive=True), X**2, "a width", assuming="x is not 0")
        assert "a width (assuming x is not 0)" in myst(assumed)

    def test_a_step_shows_evidence_reason_and_row(self):
        first, second = chain().steps
        assert "[proved]{.evidence .evidence-proved} binomial" in myst(first)
        assert displayed(myst(first)) == [r"x^{2} + y^{2} - 2 x y = \left(x - y\right)^{2}"]
        assert displayed(myst(second)) == [r"\ge 0"]
        assert "it is a square; equality exactly where $x = y$" in myst(second)

    def test_a_solution_says_that_it_is_the_only_one(self):
        D = Derivation("half", "", 2 * X - Y)
        assert "solve (the only solution)" in myst(D.solve(X, Y / 2, "solve"))

    def test_a_claim_is_labelled_by_its_name_and_carries_its_record(self):
        claim = chain().qed()
        text = myst(claim)
        assert "**A square**; equality exactly where $x = y$" in text
        assert "$$ (square)" in text
        assert records(text) == [record(claim)]

    def test_a_claim_of_one_row_gives_its_reason_and_needs_no_fold(self):
        D = Derivation("binomial", "A square", X**2 - 2 * X * Y + Y**2)
        D.eq((X - Y) ** 2, "binomial formula")
        text = myst(D.qed())
        assert "**A square**: binomial formula" in text
        assert "dropdown" not in text
        assert "<details" not in html(D.qed())

    def test_folded_steps_stand_under_their_claim(self):
        text = myst(chain().qed())
        assert ":::::{dropdown} The 2 steps" in text
        assert len(displayed(text)) == 3
        assert text.index("$$ (square)") < text.index("dropdown")
        # a fence closes at the first line with as many colons: the outer one needs more of them
        inner = text[text.index(":::::{dropdown}") :]
        assert re.findall(r"^:{5}(?!:)", inner, flags=re.M) == [":::::", ":::::"]
        assert re.findall(r"^(:{4})(?!:)", inner, flags=re.M) == ["::::"] * 4

    def test_a_chain_shows_its_steps(self):
        assert displayed(myst(chain())) == [displayed(myst(step))[0] for step in chain().steps]

    def test_agreement_and_citation(self):
        assert "largest relative difference 2.5e-13 (allowed 1e-10)" in myst(AGREEMENT)
        assert myst(CITED).startswith("[cited]{.evidence .evidence-cited}")
        assert "{cite}`mclachlan`" in myst(CITED)
        assert records(myst(AGREEMENT) + myst(CITED)) == [record(AGREEMENT), record(CITED)]


class TestHtml:
    def test_mathematics_is_escaped_for_the_page(self):
        bound = Symbol(r"a<b", real=True)
        text = html(Definition(bound, X, "where p < q & r"))
        assert "<b" not in text
        assert "a&lt;b" in text
        assert "where p &lt; q &amp; r" in text

    def test_words_with_stars_are_emphasised_and_formulas_are_left_alone(self):
        text = html(Definition(elbo, X, "the *old* mean, $a*b*c$ and *two words*"))
        assert "the <em>old</em> mean, $a*b*c$ and <em>two words</em>" in text

    def test_titles_are_bold_and_steps_fold(self):
        text = html(chain("<i>A</i> square").qed())
        assert "<strong>&lt;i&gt;A&lt;/i&gt; square</strong>" in text
        assert "<details><summary>The 2 steps" in text
        assert text.count("$$") == 6

    def test_alignment_survives(self):
        wide = sum(Symbol(f"{letter}_1") for letter in "abcdefghijklmnopqrst")
        assert r"&amp;" in html(Definition(elbo, wide))

    def test_agreement_and_citation_are_escaped(self):
        assert "heights &lt;cm&gt;" in html(AGREEMENT)
        assert "closed form &amp; none &lt; is" in html(CITED)
        assert "<script" not in html(Cited("c", "s", "<script>"))


class TestBundle:
    @pytest.mark.parametrize(
        "shown", [HEIGHTS, chain(), chain().steps[0], chain().qed(), AGREEMENT, CITED]
    )
    def test_every_object_shows_itself_both_ways(self, shown):
        bundle = shown._repr_mimebundle_()
        assert bundle == {"text/markdown": myst(shown), "text/html": html(shown)}
        assert all(bundle.values())

    @pytest.mark.parametrize("show", [myst, html, record])
    def test_anything_else_is_refused_by_name(self, show):
        with pytest.raises(TypeError, match="int"):
            show(3)


class TestRecord:
    def test_of_a_claim(self):
        claim = chain().qed()
        entry = record(claim)
        assert json.loads(json.dumps(entry)) == entry
        assert (entry["kind"], entry["name"], entry["label"]) == ("derivation", "square", "square")
        assert (entry["title"], entry["evidence"]) == ("A square", "proved")
        assert entry["claim"] == r"x^{2} + y^{2} - 2 x y \ge 0"
        assert [step["why"] for step in entry["steps"]] == ["binomial", "it is a square"]
        assert [step["relation"] for step in entry["steps"]] == ["=", ">="]
        assert all(step["evidence"] == "proved" and step["how"] for step in entry["steps"])

    def test_of_the_others(self):
        assert record(AGREEMENT) == {
            "kind": "agreement",
            "name": "square",
            "what": "on the 128 heights <cm>",
            "largest": 2.5e-13,
            "tolerance": 1e-10,
        }
        assert record(CITED)["kind"] == "cited"
        assert record(CITED)["source"] == "mclachlan"
