"""The report of a trial in calendar time: what it says of conduct, cohorts and analysis sets, and what it computes."""

from __future__ import annotations

import copy
import csv
import io
import json
import math
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

import trialsim
import trialsim.figures
from tests.helpers import Seen, numbers_in
from tests.unit.test_reporting import small
from trialsim.reporting.rerun import reproduce
from trialsim.reporting.run.folder import report
from trialsim.reporting.run.report import csv_tables, document, report_of
from trialsim.reporting.run.summary import agreement, changed_words, trust
from trialsim.running.plain import chance_of_largest, compared
from trialsim.running.run import Run
from trialsim.scenario.model import Scenario
from trialsim.writing.html import html

POCOCK = {"kind": "pocock", "limit": 0.3, "phi": 0.1}
CONDUCT: dict[str, Any] = {
    "interim": "continue",
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


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trialsim.figures, "draw_all", lambda *_: ())


_RAN: dict[str, Run] = {}


def ran(scenario: Scenario) -> Run:
    """The run of a scenario, once for all that is asked about it."""
    key = scenario.model_dump_json(by_alias=True)
    if key not in _RAN:
        _RAN[key] = trialsim.run(scenario)
    return _RAN[key]


def built(scenario: Scenario) -> dict[str, Any]:
    return document(ran(scenario))


def text_of(scenario: Scenario) -> str:
    return Seen(html(report_of(ran(scenario)))).text.replace("\u00a0", " ")


@cache
def plain() -> dict[str, Any]:
    return built(timed())


# -- what calendar time changes


def test_what_calendar_time_changes_is_the_difference_from_outcomes_at_once() -> None:
    doc = plain()
    for name, case in doc["cases"].items():
        for quantity, row in doc["calendar_time_changes"][name].items():
            assert row["at_once"] == case["at_once"]["exact"][quantity]
            drawn = case["adjusted"][quantity]
            assert row["difference"] == pytest.approx(drawn["estimate"] - row["at_once"], abs=1e-9)
            assert row["mcse"] == drawn["mcse"]
    (inactive, active) = changed_words(doc)
    en = doc["calendar_time_changes"]["inactive"]["en"]
    assert (
        f"treats {en['in_calendar_time']:.1f} patients on average instead of {en['at_once']:.1f}" in inactive
    )
    assert f"on the same patients {en['same_patients']:+.2f}, mcse {en['same_patients_mcse']:.2f}" in inactive
    assert "months in the median" in active
    assert not changed_words(built(small()))


def test_the_page_holds_every_number_and_says_what_z_tests(tmp_path: Path) -> None:
    folder = report(timed(cohorts={"strata": STRATA}), tmp_path / "run").parent
    known = numbers_in(json.loads((folder / "results.json").read_text()))
    seen = Seen((folder / "report.html").read_text(encoding="utf-8"))
    assert all(json.loads(value) in known for value, _ in seen.data)
    assert "it tests the engine, and says nothing about what calendar time does" in seen.text
    for words in ("Conduct", "What calendar time changes", "How long it takes", "By cohort"):
        assert words in seen.text
    assert {"conduct.csv", "calendar_time_changes.csv"} <= {p.name for p in (folder / "tables").iterdir()}
    assert reproduce(folder) == (True, ())


def test_the_csv_has_the_quantities_of_calendar_time() -> None:
    scenario = timed(cohorts={"strata": STRATA})
    doc = built(scenario)
    text = csv_tables(trialsim.run(scenario))["operating_characteristics"]
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


@pytest.mark.parametrize("replicates", [20_000, 400])
def test_a_difference_that_chance_seldom_gives_is_not_called_chance(replicates: int) -> None:
    """One P(go) of a document is moved by 4.4 standard errors; the chance by hand, from the binomial distribution."""
    doc = copy.deepcopy(plain()) | {"replicates": replicates}
    calm = trust(doc | {"disagreements": []})
    assert ", within chance." in calm and "has a probability" not in calm
    twin = doc["cases"]["active"]["at_once"]
    p = twin["exact"]["p_go"]
    drawn = round(replicates * p + 4.4 * (replicates * p * (1 - p)) ** 0.5)
    for case in doc["cases"].values():
        # nothing else differs
        for name, value in case["at_once"]["exact"].items():
            if name in case["at_once"]["simulated"]:
                case["at_once"]["simulated"][name]["estimate"] = value
        case["at_once"]["z"] = dict.fromkeys(case["at_once"]["z"], 0.0)
    twin["simulated"]["p_go"]["estimate"], twin["z"]["p_go"] = drawn / replicates, 4.4
    found = compared(doc)
    tail = stats.binom.sf(drawn - 1, replicates, p)
    if replicates < 1000:
        q = Fraction(p)
        upper = range(drawn, replicates + 1)
        tail = float(sum(math.comb(replicates, k) * q**k * (1 - q) ** (replicates - k) for k in upper))
    expected = 2 * tail * len(found)
    assert chance_of_largest(doc) == pytest.approx(expected, rel=1e-9)
    for said in (trust(doc), agreement(doc)):
        assert f"among {len(found)} comparisons has a probability of about {expected:.1g} at most" in said
        assert "another seed or more replicates will tell" in said
        assert "within chance" not in said and "no more than chance" not in said


def test_cohorts_with_rules_of_their_own_have_their_verdicts() -> None:
    scenario = timed(cohorts={"rules": "own", "strata": STRATA})
    doc = built(scenario)
    values = doc["cases"]["inactive"]["simulated"]
    assert {"p_go_cohort_1", "p_go_cohort_2", "p_go_all", "p_false_go"} <= set(values)
    text = text_of(scenario)
    assert "All cohorts (P(go): in at least one)" in text
    assert "Go in a cohort at or below p0" in text
    assert "Each cohort follows this design by itself" in text
    assert "ends in a go in at least one cohort with probability" in text
    assert (
        "stand alone, without an exact answer: calendar time decides; cohorts with rules of their own" in text
    )
    assert doc["calendar_time_changes"] is None


def test_what_is_excluded_is_said_where_patients_are_counted() -> None:
    assert "Overrun patients are left out of all counts." in text_of(timed({"overrun": "exclude"}))
    assert "Overrun patients are left out of all counts." not in text_of(timed())


# -- which question is answered


@pytest.mark.parametrize(
    ("changes", "because", "question"),
    [
        ({}, None, "works on average over the patients as they were treated"),
        (
            {"dose_reduction": with_rule(on_dose_change="restart")},
            "second chance of a go",
            "A go is about the dose at which it is reached",
        ),
        (
            {"dose_reduction": with_rule(on_dose_change="new_dose_only"),
             "design": {"kind": "simon", "p0": 0.1, "p1": 0.4, "alpha": 0.1, "beta": 0.2}},
            "only the patients at the new dose are analysed",
            "the cut-off for the number of patients at the new dose",
        ),
        ({"cohorts": {"rules": "own", "strata": STRATA}}, "in at least one cohort", "runs the design by itself"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dated", [True, False])
def test_the_bound_is_claimed_only_where_the_theorem_holds(
    changes: dict[str, Any], because: str | None, question: str, dated: bool
) -> None:
    scenario = timed(**changes) if dated else small(**changes)
    doc, text = built(scenario), text_of(scenario)
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
        values = doc["cases"][name]["adjusted"]
        assert row["p_go_evaluable"] == values["p_go_evaluable"]["estimate"]
        assert row["responses_per_evaluable"] == pytest.approx(
            values["responses"]["estimate"] / values["en_evaluable"]["estimate"]
        )
        assert row["responses_per_treated"] < row["responses_per_evaluable"]
    assert "leaves such patients out of the final look" in text_of(scenario)
    assert "leaves such patients out of the final look" not in text_of(timed())


def test_rates_that_differ_by_stratum_are_shown_and_averaged() -> None:
    truth = {"mixed": {"response": 0.1, "toxicity": 0.3, "cohorts": {"A": {"response": [0.4, 0.3]}}}}
    scenario = timed(cohorts={"strata": STRATA}, truth=truth, sources=None)
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
    assert "month 2" in text
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
    cells = csv_tables(trialsim.run(scenario))["cells"]
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
