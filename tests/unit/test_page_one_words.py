"""Page one of a run answers by itself: the rule by its numbers, what is counted, how far to believe a go."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

import trialsim
from tests.helpers import CONFIGS
from trialsim.figures import as_conducted, power_ledger
from trialsim.reporting.power_ledger import sentence
from trialsim.reporting.run import (
    believed,
    conduct_tables,
    dose_decision,
    first_page,
    methods,
    question,
    summary,
)
from trialsim.reporting.run.report import document
from trialsim.reporting.run.rule_in_brief import rule
from trialsim.running.plain import Document
from trialsim.scenario.changes import changed
from trialsim.scenario.every_design import design_alone
from trialsim.scenario.files import load
from trialsim.writing.numbers import probability


@pytest.fixture(autouse=True)
def _few_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the figures of this page are drawn."""
    monkeypatch.setattr("trialsim.figures.FIGURES", (as_conducted.draw, power_ledger.draw))


@cache
def sample(name: str) -> Document:
    """What a shipped scenario says of itself, without trials where it can."""
    return document(trialsim.run(load(CONFIGS / f"{name}.yaml"), replicates=100))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "bop2",
            "Stop if at most 0 of 10, 2 of 20 or 4 of 30 patients respond; recommend further study (go) at once if at "
            "least 4 of 10, 6 of 20 or 7 of 30 respond, and at the end if at least 8 of 40 respond.",
        ),
        ("bop2-toxicity", "if at least 5 of 10, 8 of 20, 11 of 30 or 13 of 40 patients have had toxicity."),
        ("sargent", "at the end if at least 6 of 26 respond; with 4 or 5 of 26, it is to be considered."),
        (
            "gehan",
            "Stop after 14 patients if none responds; otherwise the number of responses decides how many more",
        ),
        (
            "group-sequential-toxicity",
            "When toxicities reach their boundary (6 of 10, 9 of 20 or 13 of 35 patients),",
        ),
        ("restart", "When toxicities at a dose reach their boundary (4 of 4 to 30 of 70 patients),"),
        (
            "curtailed",
            "at most 0 of 9 patients at first and 5 of 29 at last; recommend further study (go) at the first look with "
            "at least 6 (24 looks after 6 to 29,",
        ),
        (
            "posterior-probability",
            "with many, at least 7 of 10 at first and 15 of 30 at last; with 9 to 14 of 30, it is to be considered (21",
        ),
        (
            "dose-decision",
            "After a go, 70 mg BID is chosen unless the observed response rate at 100 mg BID is more than 5 percentage "
            "points higher.",
        ),
    ],
)
def test_the_rule_is_told_by_its_numbers(name: str, said: str) -> None:
    """A reader need not turn the page to learn when the trial stops."""
    assert said in " ".join(rule(sample(name)))


def test_columns_and_notes_say_what_is_counted() -> None:
    """An early go ends a trial early too; a third outcome has a column; counts over cohorts say so."""
    assert "early termination, by an early go too." in first_page.cases(sample("bop2")).notes[0]
    assert "go too" not in first_page.cases(sample("sargent")).notes[0]
    assert first_page.cases(sample("sargent")).columns[2:4] == ("P(go)", "P(consider)")
    assert "P(consider)" not in first_page.cases(sample("bop2")).columns
    notes = first_page.cases(sample("two-cohorts")).notes[0]
    assert "EN: expected patients treated, all cohorts. Toxicities: expected patients with toxicity." in notes
    by_stratum = "(HER2-amplified 5%, hormone-receptor positive 20%)"
    assert f"only_hormone_receptor_positive: mean over strata {by_stratum}." in notes


def test_months_that_are_not_there_are_explained() -> None:
    assert "No months: no calendar time is stated." in first_page.cases(sample("sargent")).notes[0]
    assert "No months" not in first_page.cases(sample("bop2-toxicity")).notes[0]


def test_overrun_is_told_only_where_there_is_any() -> None:
    assert "overrun" not in " ".join(summary.changed_words(sample("pending-looks")))
    assert "of whom 1" in " ".join(summary.changed_words(sample("dasatinib")))


def test_a_p_value_and_a_corrected_estimate_are_not_called_the_same() -> None:
    assert "(multiplicity-adjusted p 0.0" in " ".join(summary.verdict(sample("dasatinib")))


def test_counted_ends_say_how_they_go_with_an_adjusted_chance_of_a_go() -> None:
    """They add up to what was counted, and that is not the number of the table."""
    doc = document(trialsim.run(load(CONFIGS / "dose-decision.yaml"), replicates=1000))
    told, case = dose_decision.brief(doc), doc["cases"]["active"]
    assert f"Counted: P(go) {probability(case['simulated']['p_go']['estimate'])}, adjusted " in told
    assert told.endswith(f"{probability(case['adjusted']['p_go']['estimate'])}.")
    assert "(nobody had 70 mg BID)" in told
    assert "Counted" not in dose_decision.brief(sample("dose-decision"))  # too few trials to be adjusted


def test_doses_from_the_start_are_not_called_cohorts() -> None:
    """Numbers by dose are exact where they are known so."""
    doc = sample("two-doses-dreamm-2")
    table = conduct_tables.cohorts(doc)
    assert table.columns[0] == "Dose" and table.notes[0] == "All exact."
    assert table.groups[0].rows[2][-1].text == probability(doc["cases"]["neither"]["exact"]["p_go"])
    words = " ".join([*question.paragraphs(doc), *table.notes, str(table.groups[0].rows)])
    assert "cohort" not in words
    assert "Simulated; mcse" in conduct_tables.cohorts(sample("two-cohorts")).notes[0]
    assert "Cohort" in conduct_tables.cohorts(sample("two-cohorts")).columns


def test_how_far_to_believe_a_go_stands_on_the_page() -> None:
    doc = sample("dasatinib-history")
    (conducted,), (mean,) = doc["prior"]["conducted"], doc["history"]["conducted"]
    told = believed.brief(doc)
    assert told.startswith(
        "A drug whose true response rate at both doses is at least p1 = 0.15: probability 0.1500"
    )
    assert f"{probability(conducted['p_active_given_go'])} after a go" in told
    assert f"control’s rate Beta(5.5, 95.5): {probability(mean['mean'])} (as conducted)." in told
    assert believed.brief(sample("bop2")) == ""


def test_a_probability_of_a_go_names_the_toxicity_that_decides_it() -> None:
    """Once where the cases share it, by case where they do not, never where nobody acts on it."""
    assert (
        "0.8134 if the true response rate is 30%, with a true toxicity rate of 25%."
        in summary.characteristics(sample("group-sequential-toxicity"))
    )
    each = summary.characteristics(sample("bop2-toxicity"))
    assert "is 20% and the true toxicity rate 35% and 0." in each
    assert "is 40% and the true toxicity rate 20%." in each
    assert "toxicity" not in summary.characteristics(sample("bop2"))


def test_an_active_drug_that_harms_too_often_is_not_only_called_active() -> None:
    doc = sample("bop2-toxicity")
    assert "calls unacceptable (35% or more)" in methods.why_this_case(doc, "toxic")
    assert "unacceptable" not in methods.why_this_case(doc, "good")
    doc = sample("group-sequential-toxicity")
    assert "above the limit of the toxicity rule (25%)" in methods.why_this_case(doc, "too_toxic")
    assert "limit" not in methods.why_this_case(doc, "active")
    assert "response cut-offs by themselves" in " ".join(question.paragraphs(sample("bop2-toxicity")))


def test_two_doses_are_doses_and_the_correct_one_is_marked() -> None:
    doc = sample("two-doses-randomised")
    text = dose_decision.brief(doc)
    assert text.startswith("active: 70 mg BID with probability 0.") and " (correct), 100 mg BID 0." in text
    said = " ".join(rule(doc))
    assert "Each dose alone: Stop after 25 patients" in said
    assert "unless the observed response rate at 100 mg BID is more than 5 percentage points higher." in said
    assert "EN: expected patients treated, both doses." in first_page.cases(doc).notes[0]
    assert methods.why_this_case(doc, "lower_is_better").startswith("The drug is active at a lower dose")
    (figure,) = (each for each in doc["figures"] if each["name"] == "as_conducted")
    assert figure["caption"].startswith("P(go) of at least one dose against the true response rate")
    assert design_alone(load(CONFIGS / "two-doses-randomised.yaml")) == "design alone, one dose"
    assert design_alone(load(CONFIGS / "two-cohorts.yaml")) == "design alone, one cohort"


@pytest.mark.parametrize("weight", [0.5, 0])
def test_power_that_goes_with_dose_not_received_is_not_put_down_to_time_alone(weight: float) -> None:
    scenario = load(CONFIGS / "two-cohorts.yaml")
    found = trialsim.run(
        changed(scenario, {"conduct.patient_reductions.exposure_weight": weight}), replicates=100
    )
    told = " ".join(first_page.power_ledger(found, document(found)))
    assert "in calendar time" in told
    assert ("in calendar time, in which responses are lost with dose not received" in told) is bool(weight)


def test_steps_that_cohorts_share_are_told_once() -> None:
    found = trialsim.run(load(CONFIGS / "two-cohorts.yaml"), replicates=100)
    first, second = first_page.power_ledger(found, document(found))
    assert first.startswith("both, HER2-amplified: the design by itself has a power of 0.8501")
    assert second.startswith("both, hormone-receptor positive: the same down to 0.8501; 0.")
    scenario, (one, other) = found.scenario, found.power.of("both")
    assert sentence(scenario, one, one) == "both, HER2-amplified: the same."
    elsewhere = replace(other, response=0.25)  # another hypothesis: nothing is shared from the first words on
    assert sentence(scenario, elsewhere, one) == sentence(scenario, elsewhere)


def test_a_table_from_fewer_trials_says_from_how_many() -> None:
    """P(go) of a policy may differ from that of the page by chance."""
    found = trialsim.run(load(CONFIGS / "pending-looks.yaml"), replicates=100)
    (note,) = conduct_tables.pending(found.pictured.waiting).notes
    errors = [row.found["p_go"].other.mcse for row in found.pictured.waiting]
    assert (
        f"From 100 trials a case: P(go) may differ from other tables by chance (mcse at most {max(errors):.2g})."
        in note
    )
    assert conduct_tables.pending(()).is_empty
