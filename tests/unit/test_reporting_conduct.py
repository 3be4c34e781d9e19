"""The report of a trial in calendar time: what it says of conduct, cohorts and analysis sets, and what it computes."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from trialsim.reporting.run.page import page

import trialsim.figures
from tests.helpers import Seen, numbers_in
from tests.unit.test_reporting import small
from trialsim.checks import check
from trialsim.engine.operating import simulate
from trialsim.reporting import report, reproduce
from trialsim.reporting.run import conduct as conduct_words
from trialsim.reporting.run import inputs
from trialsim.reporting.run.summary import agreement, changed_words, in_short
from trialsim.reporting.run.tables import tables
from trialsim.running.content import document
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.model import Scenario

POCOCK = {"kind": "pocock", "limit": 0.3, "phi": 0.1}
CONDUCT: dict[str, Any] = {
    "accrual": {"per_month": 2},
    "assessment_weeks": [8, 16, 24],
    "toxicity_window_weeks": 4,
    "amendment_lag_weeks": 3,
}
STRATA = [{"name": "A", "share": 0.25}, {"name": "B", "share": 0.75}]


def timed(conduct: dict[str, Any] | None = None, **changes: Any) -> Scenario:
    """The small two-dose trial in calendar time."""
    return small(conduct=CONDUCT | (conduct or {}), **changes)


def with_rule(**keys: Any) -> dict[str, Any]:
    return {"rule": POCOCK, **keys}


def built(scenario: Scenario) -> dict[str, Any]:
    return document(scenario, compile_rules(scenario), simulate(scenario), check(scenario))


def text_of(scenario: Scenario) -> str:
    return Seen(page(scenario, compile_rules(scenario), built(scenario), ())).text.replace("\u00a0", " ")


@cache
def plain() -> dict[str, Any]:
    return built(timed())


def said(**changes: Any) -> str:
    return " ".join(conduct_words.sentences(timed(**changes)))


# -- the conduct in words


@pytest.mark.parametrize(
    ("conduct", "sentence"),
    [
        ({}, "2 patients a month are screened on average, at random times (a Poisson process); all of them are"),
        (
            {"accrual": {"per_month": [2, 5], "from_month": [0, 6], "screening_failure": 0.2}},
            "a rate that changes: 2 a month from month 0 and 5 a month from month 6, at random times (a Poisson "
            "process); 20% of them are never treated",
        ),
        (
            {"accrual": {"sites": {"number": 4, "over_months": 6, "per_site_per_month": 0.5}}},
            "4 sites open one after another over 6 months, each screening 0.5 patients a month",
        ),
        ({"interim": "pause"}, "Accrual pauses when the patients of an interim look are enrolled"),
        ({"interim": "early_decision"}, "decided as soon as every way in which the open outcomes can turn out"),
        ({"review_lag_weeks": 2}, "is decided 2 weeks after the last outcome it needs"),
        ({}, "is decided as soon as the outcomes it needs are known"),
        ({"first_seen": [0.6, 0.4]}, "60% at visit 1 and 40% at visit 2; a response counts when it is confirmed"),
        ({"confirmed": False}, "Every response is first seen at the first visit; a response counts when it is first"),
        ({"withdrawal_per_month": 0.03}, "Patients withdraw from assessments at a hazard of 0.03 a month"),
        ({}, "Nobody withdraws"),
        ({}, "The toxicity rule waits for complete outcomes"),
        ({"toxicity_known": "as_it_happens"}, "The toxicity rule does not wait"),
        ({}, "A dose reduction takes effect 3 weeks after its trigger; until then patients go on arriving"),
        ({"during_amendment": "hold"}, "3 weeks after its trigger; until then accrual is closed"),
        ({"during_amendment": "switch", "amendment_lag_weeks": 0}, "takes effect with the next patient"),
        ({}, "(the overrun) are counted in everything that is reported"),
        ({"overrun": "exclude"}, "(the overrun) are left out of what is reported"),
    ],
)  # fmt: skip
def test_the_conduct_is_said_in_words(conduct: dict[str, Any], sentence: str) -> None:
    assert sentence in said(conduct=conduct)


def test_reductions_of_single_patients_are_said() -> None:
    reductions = {"hold_weeks": 1, "max_reductions": 2, "exposure_weight": 0.5}
    words = said(conduct={"patient_reductions": reductions}, dose_amounts=[200, 140])
    assert "is held 1 week and goes on at the next dose, at most 2 times" in words
    assert "50% of the chance of a response is lost" in words
    assert "The dose of a patient on treatment never changes" in said()


def test_what_becomes_of_accrual_when_a_cohort_stops_is_said() -> None:
    words = said(cohorts={"rules": "own", "strata": STRATA})
    assert "its patients are turned away; those of the other cohorts arrive as before, no faster" in words
    assert "The dose and its toxicity boundary are shared" in words
    assert "Their rules are pooled" in said(cohorts={"strata": STRATA})


def test_every_default_that_applies_is_printed_and_marked() -> None:
    rows = {row["path"]: row for row in inputs.inputs(timed(cohorts={"strata": STRATA}), 5, 400)}
    for path, value in {
        "conduct.accrual.screening_failure": 0.0,
        "conduct.confirmed": True,
        "conduct.first_seen": "all at the first visit",
        "conduct.progression_median_weeks": 8.0,
        "conduct.disease_control_week": 16.0,
        "conduct.withdrawal_per_month": 0.0,
        "conduct.early_onset": 0.5,
        "conduct.toxicity_known": "complete_only",
        "conduct.interim": "continue",
        "conduct.review_lag_weeks": 0.0,
        "conduct.overrun": "count",
        "conduct.during_amendment": "old_dose",
        "conduct.patient_reductions": "none",
        "dose_reduction.on_dose_change": "pooled",
        "cohorts.rules": "pooled",
        "cohorts.strata[0].cohort": "A",
        "evaluability.replaced": False,
    }.items():
        assert (rows[path]["value"], rows[path]["default"]) == (value, True), path
    assert not rows["conduct.amendment_lag_weeks"]["default"]
    untimed = {row["path"]: row for row in inputs.inputs(small(dose_reduction=None), 5, 400)}
    assert {"conduct", "cohorts", "dose_reduction"} <= set(untimed)
    marked = {row["what"]: row["default"] for row in conduct_words.rows(timed())}
    assert marked["Overrun"] and marked["Review lag"] and marked["Withdrawal"] and marked["Cohorts"]
    assert not marked["Accrual"] and not marked["Amendment lag"]


# -- numbers of calendar time


def test_what_calendar_time_changes_is_the_difference_from_outcomes_at_once() -> None:
    doc = plain()
    for name, case in doc["cases"].items():
        for quantity, row in doc["calendar_time_changes"][name].items():
            assert row["at_once"] == case["at_once"]["exact"][quantity]
            drawn = case["simulated"][quantity]
            assert row["difference"] == pytest.approx(drawn["estimate"] - row["at_once"], abs=1e-9)
            assert row["mcse"] == drawn["mcse"]
    (inactive, active) = changed_words(doc)
    en = doc["calendar_time_changes"]["inactive"]["en"]
    assert (
        f"treats {en['in_calendar_time']:.1f} patients on average instead of {en['at_once']:.1f}" in inactive
    )
    assert f"difference {en['difference']:+.2f}" in inactive
    assert "months in the median" in active
    assert not changed_words(built(small()))


def test_the_page_holds_every_number_and_says_what_z_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trialsim.figures, "draw_all", lambda *_, **__: ())
    folder = report(timed(cohorts={"strata": STRATA}), tmp_path / "run").parent
    known = numbers_in(json.loads((folder / "results.json").read_text()))
    seen = Seen((folder / "report.html").read_text(encoding="utf-8"))
    assert all(json.loads(value) in known for value, _ in seen.data)
    assert "it tests the engine, and says nothing about what calendar time does" in seen.text
    for words in ("How the trial runs", "What calendar time changes", "How long it takes", "By cohort"):
        assert words in seen.text
    assert {"conduct.csv", "calendar_time_changes.csv"} <= {p.name for p in (folder / "tables").iterdir()}
    assert reproduce(folder) == (True, ())


def test_the_csv_has_the_quantities_of_calendar_time() -> None:
    scenario = timed(cohorts={"strata": STRATA})
    doc = built(scenario)
    text = tables(compile_rules(scenario), doc)["operating_characteristics.csv"]
    rows = {(r["case"], r["quantity"]): r for r in csv.DictReader(io.StringIO(text))}
    case = doc["cases"]["active"]
    assert (
        float(rows["active", "duration_months"]["estimate"])
        == case["simulated"]["duration_months"]["estimate"]
    )
    assert float(rows["active", "p_go"]["exact_at_once"]) == case["at_once"]["exact"]["p_go"]
    assert rows["active", "p_go"]["exact"] == ""
    assert rows["active", "patients_cohort_1"]["label"] == "Expected patients in A"


def test_agreement_is_that_of_the_trial_at_once() -> None:
    words = agreement(plain())
    assert words.startswith(
        "With every outcome known at once, exact calculation and 400 simulated trials a case agree"
    )
    assert "In calendar time there is no exact answer" in words
    short = dict(in_short(plain()))["If the drug is active (case “active”)"]
    values = plain()["cases"]["active"]["simulated"]
    assert f"It lasts {values['duration_months']['estimate']:.1f} months on average" in short
    assert f"{values['overrun']['estimate']:.1f} patients are enrolled while" in short


def test_cohorts_with_rules_of_their_own_have_their_verdicts() -> None:
    scenario = timed(cohorts={"rules": "own", "strata": STRATA})
    doc = built(scenario)
    values = doc["cases"]["inactive"]["simulated"]
    assert {"p_go_cohort_1", "p_go_cohort_2", "p_go_all", "p_false_go"} <= set(values)
    text = text_of(scenario)
    assert "All cohorts (P(go): in at least one)" in text
    assert "Go in a cohort at or below p0" in text
    assert "Each cohort follows the rules below by itself" in text
    assert "ends in a go in at least one cohort with probability" in text
    assert (
        "stand alone, without an exact answer: calendar time decides; cohorts with rules of their own" in text
    )
    assert doc["calendar_time_changes"] is None


def test_what_is_excluded_is_said_where_patients_are_counted() -> None:
    doc = built(timed({"overrun": "exclude"}))
    values = doc["cases"]["inactive"]["simulated"]
    words = dict(in_short(doc))["If the drug is inactive (case “inactive”)"]
    assert f"treats {values['treated']['estimate']:.1f} patients on average" in words
    assert f"({values['en']['estimate']:.1f} without the overrun" in words


# -- which question is answered


@pytest.mark.parametrize(
    ("changes", "because", "question"),
    [
        ({}, None, "works on average over the patients as they were treated"),
        (
            {"dose_reduction": with_rule(on_dose_change="restart")},
            "second chance of a go",
            "whether the dose that goes forward works",
        ),
        (
            {"dose_reduction": with_rule(on_dose_change="new_dose_only"),
             "design": {"kind": "simon", "p0": 0.1, "p1": 0.4, "alpha": 0.1, "beta": 0.2}},
            "only the patients at the new dose are analysed",
            "with the cut-off for the number of them",
        ),
        ({"cohorts": {"rules": "own", "strata": STRATA}}, "in at least one cohort", "runs the design by itself"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dated", [True, False])
def test_the_bound_is_claimed_only_where_the_theorem_holds(
    changes: dict[str, Any], because: str | None, question: str, dated: bool
) -> None:
    scenario = timed(**changes) if dated else small(**changes)
    doc = built(scenario)
    text = Seen(page(scenario, compile_rules(scenario), doc, ())).text.replace("\u00a0", " ")
    assert question in text
    assert doc["question"]["p_go_at_most_type_i_error"] is (because is None)
    assert ("with any lag, hold, pause or early decision" in text) is (dated and because is None)
    if because is not None:
        assert because in doc["question"]["why_not"]
        assert "is not claimed here, because" in text
    assert ("For each cohort by itself the bound holds" in text) is scenario.own_rules
    assert not any(word in text for word in ("nan", "None", "validated"))


def test_treated_and_evaluable_stand_side_by_side() -> None:
    scenario = timed(design={"kind": "simon", "p0": 0.1, "p1": 0.4, "alpha": 0.1, "beta": 0.2})
    doc = built(scenario)
    for name, row in doc["analysis_sets"].items():
        values = doc["cases"][name]["simulated"]
        assert row["p_go_evaluable"] == values["p_go_evaluable"]["estimate"]
        assert row["responses_per_evaluable"] == pytest.approx(
            values["responses"]["estimate"] / values["en_evaluable"]["estimate"]
        )
        assert row["responses_per_treated"] < row["responses_per_evaluable"]
    assert "leaves such patients out of the final look" in text_of(scenario)
    assert "leaves such patients out of the final look" not in text_of(timed())


def test_rates_that_differ_by_stratum_are_shown_and_averaged() -> None:
    truth = {"mixed": {"response": 0.1, "toxicity": 0.3, "cohorts": {"A": {"response": [0.4, 0.3]}}}}
    scenario = timed(cohorts={"strata": STRATA}, truth=truth)
    doc = built(scenario)
    rates = doc["cases"]["mixed"]["truth"]
    assert rates["response"] == pytest.approx([0.25 * 0.4 + 0.75 * 0.1, 0.25 * 0.3 + 0.75 * 0.1])
    assert rates["highest_response"] == 0.4
    assert [row["response"] for row in rates["strata"]] == [[0.4, 0.3], [0.1, 0.1]]
    assert doc["toxicity_rule_cost"]["mixed"]["p_go_stated"] == pytest.approx(
        doc["cases"]["mixed"]["at_once"]["exact"]["p_go"]
    )
    assert "The rates by stratum" in text_of(scenario)
    # A responds better than p0: no claim may be made from the average
    assert "In the cases with no response rate above p0" not in text_of(scenario)


def test_an_amendment_at_a_month_has_its_sentence() -> None:
    scenario = timed(dose_reduction={"rule": {"kind": "amendment", "after_month": 2}})
    text = text_of(scenario)
    assert "From month 2 after accrual opened on, new patients start at low instead of high" in text
    assert "the dose is lowered at a date" in text
    assert built(scenario)["toxicity_rule_cost"]["active"]["p_go_stated"] is None


# -- observed cells


def test_observed_cells_have_a_table_with_their_source() -> None:
    observed = {
        "treated": 12, "evaluable": 11, "responses": 4, "evaluable_by_dose": [6, 5],
        "cells": [
            {"cohort": "A", "dose": "high", "evaluable": 3, "responses": 2},
            {"cohort": "B", "evaluable": 8},
        ],
    }  # fmt: skip
    sources = {"observed.cells": {"source": "a registry (second-hand)"}}
    scenario = timed(cohorts={"strata": STRATA}, observed=observed, sources=sources)
    text = text_of(scenario)
    assert "A, high: 2 of 3 evaluable (compatible rates" in text
    assert "B, all doses: unreported responses of 8 evaluable" in text
    assert "A registry (second-hand)." in text
    assert "p-values are not adjusted, and there is no verdict" in text
    cells = tables(compile_rules(scenario), built(scenario))["cells.csv"]
    rows = list(csv.DictReader(io.StringIO(cells)))
    assert [row["responses"] for row in rows] == ["2", "2", "unreported", "unreported"]
    # the active case responds differently by dose, and the doses of cohort B are unreported
    assert [row["rate"] == "" for row in rows] == [False, False, False, True]


def test_a_planned_run_says_so_and_is_reproduced(tmp_path: Path) -> None:
    scenario = timed(simulation={"seed": 3, "precision": {"p_go": 0.004}})
    folder = tmp_path / "run"
    report(scenario, folder)
    content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    replicates = content["replicates"]
    assert content["planned"] == {"wanted": {"p_go": 0.004}, "pilot": 20_000, "replicates": replicates}
    assert reproduce(folder) == (True, ())
