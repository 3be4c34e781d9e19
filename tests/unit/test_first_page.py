"""Page one of a run: what must stand on it, in 415 words at most."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import trialsim
from tests.helpers import CONFIGS, FILES, Seen
from trialsim.figures import as_conducted, power_ledger
from trialsim.figures.drawn import Drawn
from trialsim.reporting.run.report import document, in_brief
from trialsim.running.plain import cases_in_brief
from trialsim.scenario.files import load, parse
from trialsim.writing.html import html
from trialsim.writing.markdown import markdown
from trialsim.writing.report import Pictures, Table, Terms, Words

MOST = 400
"""Words of the page, tables and captions included."""

QUICK = ("dasatinib", "two-cohorts", "gehan")
WHAT_IFS = [path for w in ("w05", "w15", "w22") for path in CONFIGS.glob(f"what-ifs/{w}*.yaml")]
PATHS = [
    pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.slow)
    for path in (*FILES, *WHAT_IFS)
]


@pytest.fixture(autouse=True)
def _two_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the figures of this page are drawn, and none is rendered."""
    monkeypatch.setattr("trialsim.figures.FIGURES", (as_conducted.draw, power_ledger.draw))
    monkeypatch.setattr(Drawn, "svg", lambda _: b'<svg xmlns="http://www.w3.org/2000/svg" width="480pt"/>')


@pytest.mark.parametrize(
    ("replicates", "page", "section"),
    [(100, "", ""), (1000, "; some adjusted, see Results", ", in part adjusted by the exact answer")],
)
def test_numbers_are_called_adjusted_where_they_are(replicates: int, page: str, section: str) -> None:
    """Few trials of an inactive drug end in a go: that number stands as it was counted."""
    text = """schema: 1
name: A small trial
endpoint: response
design: {kind: simon, n1: 10, r1: 1, n: 29, r: 5, p0: 0.1, p1: 0.3}
doses: [high, low]
dose_reduction: {rule: {kind: pocock, limit: 0.3, phi: 0.1}, at_lowest_dose: stop}
conduct: {accrual: {per_month: 3}, assessment_weeks: [8], confirmed: false, toxicity_window_weeks: 6}
truth: {inactive: {response: 0.1, toxicity: 0.4}, active: {response: 0.3, toxicity: 0.4}}
"""
    said = markdown(trialsim.run(parse(text), replicates=replicates).report())
    assert ("adjusted, see Results" in said) is bool(page) and page in said
    assert ("adjusted by the exact answer for" in said) is bool(section) and section in said


@pytest.mark.parametrize("path", PATHS)
def test_page_one_has_everything_in_few_words(path: Path) -> None:
    found = trialsim.run(load(path), replicates=500)
    doc, brief = document(found), in_brief(found)
    page = html(brief)
    (part,) = re.findall(r'<section id="first-page".*?</section>', page, re.DOTALL)
    assert len(Seen(re.sub(r"(?=</(td|th|p|dt|dd|caption|figcaption)>)", " ", part)).text.split()) <= MOST
    *asked, rule, table, pictures, terms = brief.sections[0].blocks
    question = load(path).question  # what it asks stands first
    assert [block.text.lower() for block in asked] == ([question.lower()] if question else [])
    assert isinstance(rule, Words) and rule.mark == "box" and rule.lead == "The decision rule."
    assert isinstance(table, Table) and isinstance(pictures, Pictures) and isinstance(terms, Terms)
    if "The design is assumed" in rule.text:
        known = {key for key, said in load(path).sources.items() if said.source and not said.assumed}
        assert (", but for " in rule.text) is any(key.startswith("design.") for key in known)
    names = cases_in_brief(doc)[0]
    assert [row[0].text for row in table.groups[0].rows] == names
    for name, row in zip(names, table.groups[0].rows, strict=True):
        numbers = [cell.text for cell in row if cell.value is not None]
        assert len(numbers) == len(table.columns) - 1 - len(table.words)
        # exact, or with the standard error in brackets
        assert all(bool(doc["cases"][name]["exact"]) or "(" in text for text in numbers)
    drawn = {picture.name: picture for picture in pictures.pictures}
    assert "as_conducted" in drawn and len(drawn) <= 2
    assert ("power_ledger" in drawn) is (len(found.power.ledgers[0].steps) > 1)
    said = dict(terms.rows)
    assert "design" in said["Why P(go) is what it is"]
    if load(path).from_start:
        assert all(name in said["Which dose goes forward"] for name in names)
    assert said["How far to trust the numbers"].endswith("are assumed, defaults or unsourced.")
    assert ("Against the observed trial" in said) is bool(doc["headline"])
    if doc["headline"]:
        assert "95% interval" in said["Against the observed trial"]
        assert "95% interval" in drawn["as_conducted"].alt
