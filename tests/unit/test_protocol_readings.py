"""Sentences and tables of the protocol that a reader stumbled over: what is missing, ambiguous or said of nobody."""

from __future__ import annotations

from typing import Any

import pytest

import trialsim
from tests.unit.test_protocol_as_simulated import (
    CONDUCT,
    POCOCK,
    REDUCED,
    SIMON,
    TIMED,
    printed,
    stated,
    told,
)
from trialsim.facts.protocol import facts
from trialsim.reporting.protocol_toxicity import boundary
from trialsim.reporting.protocol_truth import as_written
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario


def test_a_case_has_the_probability_of_further_study_to_be_considered_where_a_look_can_end_so():
    sargent = {"kind": "sargent", "n1": 14, "r1": 1, "n": 28, "r": 4, "s": 6, "p0": 0.1, "p1": 0.3}
    assert trialsim.protocol(stated()).cases[0].p_consider is None
    assert "P(consider)" not in printed(stated())
    exact = trialsim.protocol(stated(sargent, doses=["100 mg"], truth={"active": {"response": 0.3}}))
    alone = exact.facts.attained[1]
    assert exact.cases[0].p_consider == pytest.approx(alone.p_consider, abs=1e-12)
    assert alone.p_consider > 0.01
    text = " ".join(str(exact).split())
    assert "P(consider)" in text.rsplit("The trial as it is written", 1)[1]
    strata = {"rules": "own", "strata": [{"name": "A", "share": 0.4}, {"name": "B", "share": 0.6}]}
    columns = as_written(trialsim.protocol(stated(sargent, cohorts=strata))).blocks[-1].columns
    assert "P(no go, but consider in at least one cohort)" in columns


# -- the boundary, and the doses at which it holds


def rows_of(block: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    scenario = stated(dose_reduction=block)
    table = boundary(facts(Compiled.of(scenario)).toxicity)
    cells = {
        str(group.title): [tuple(cell.text for cell in row) for row in group.rows] for group in table.groups
    }
    return cells | {"notes": [tuple(table.notes)]}


def test_the_boundary_that_lowers_the_dose_has_no_number_where_only_the_other_rule_holds():
    lead_in = {"kind": "k_of_first_m", "k": 3, "m": 4, "action": "stop", "levels": ["100 mg"]}
    late = {"kind": "pasted", "boundary": {6: 4, 10: 6}, "levels": ["100 mg"]}
    told = rows_of({"rules": [lead_in, late]})
    lowers = told["100 mg (lower the dose, unless what stops the trial is reached too)"]
    assert lowers[:5] == [
        ("3–4", "stop only"),
        ("5", "no action"),
        ("6", "≥ 4"),
        ("7–9", "no action"),
        ("10", "≥ 6"),
    ]
    assert told["100 mg (stop the trial)"][0] == ("3–4", "≥ 3")
    assert "Stop only: whatever is reached there stops the trial." in told["notes"][0]
    plain = rows_of({"rule": {"kind": "k_of_first_m", "k": 3, "m": 4}})
    assert not any("top only" in note for note in plain["notes"][0])


STOPS = {"dose_reduction": {"rule": POCOCK | {"action": "stop"}}}


def test_a_dose_at_which_nobody_starts_has_no_boundary():
    reductions = {"patient_reductions": {"hold_weeks": 2, "max_reductions": 1}}
    amounts = {"dose_amounts": [100, 70]}
    own = told(conduct=CONDUCT | reductions, **amounts, **STOPS)
    assert "Nobody starts at 70 mg: such doses are only for patients whose own dose is reduced." in own
    assert "Nobody starts at 70 mg: no rule leads there." in told(**STOPS)
    for text in (own, told(**STOPS)):
        assert "If the boundary is reached the trial stops" in text
        assert "reached at 70 mg" not in text
        assert "70 mg (stop the trial)" not in text
        assert "afresh at each dose" not in text
    assert "Nobody starts" not in told(**REDUCED)
    assert "reached at 70 mg, the lowest dose, the trial stops" in told(**REDUCED)
    arms = {"rule": {"kind": "always_lower"}, "from_start": {"ratio": [1, 1]}}
    assert "Nobody starts" not in told(dose_decision=arms)


def test_rules_to_which_no_change_of_dose_leads_change_nothing():
    first = {"kind": "k_of_first_m", "k": 3, "m": 6, "action": "stop", "levels": ["100 mg"]}
    second = {"kind": "k_of_first_m", "k": 4, "m": 9, "levels": ["70 mg"]}
    text = told(
        doses=["100 mg", "70 mg", "50 mg"],
        truth={"active": {"response": 0.3, "toxicity": 0.4}},
        dose_reduction={"rules": [first, second]},
    )
    assert "Nobody starts at 70 mg or 50 mg: no rule leads there." in text
    assert "Rule 2 (only at 70 mg, where nobody starts):" in text
    assert "After a change of dose" not in text


def test_a_rule_tells_doses_where_it_does_the_same_together():
    stop = {"kind": "posterior", "limit": 0.3, "cutoff": 0.9, "prior": [0.6, 1.4], "action": "stop"}
    text = told(
        doses=["120 mg", "100 mg", "70 mg"],
        truth={"active": {"response": 0.3, "toxicity": 0.4}},
        dose_reduction={"rules": [POCOCK, stop], "at_lowest_dose": "continue"},
    )
    assert "Rule 1 (at 120 mg and 100 mg it lowers the dose; at 70 mg it is only watched):" in text
    assert "Rule 2 (at every dose it stops the trial):" in text


# -- what a reader stumbles over


@pytest.mark.parametrize(
    "design",
    [
        SIMON,
        {"kind": "bop2", "p0": 0.2, "looks": [10, 20], "lambda": 0.85, "gamma": 0.9},
        {"kind": "curtailed", "p0": 0.1, "p1": 0.3, "n": 20, "r": 3},
        {"kind": "posterior_probability", "p0": 0.1, "prior": [1, 1], "n": 20, "p_l": 0.1, "p_u": 0.9},
        {
            "kind": "predictive_probability",
            "p0": 0.1,
            "prior": [1, 1],
            "n": 20,
            "theta_l": 0.1,
            "theta_t": 0.9,
        },
        {"kind": "bryant_day", "n1": 12, "r1": 1, "b1": 5, "n": 31, "r": 5, "b": 11, "toxicity": [0.4, 0.2]},
    ],
)
def test_a_look_of_a_cohort_stops_the_cohort(design):
    strata = {"rules": "own", "strata": [{"name": "A", "share": 0.4}, {"name": "B", "share": 0.6}]}

    def about(scenario: Scenario) -> str:
        return printed(scenario).split("PATIENTS AND ANALYSIS SET")[0].lower()

    assert "the trial" not in about(stated(design, cohorts=strata))
    assert "the cohort" in about(stated(design, cohorts=strata))
    assert "the trial" in about(stated(design))


def test_what_is_known_of_control_and_drug_is_told_to_the_author_only():
    points = [
        {"weight": 0.5, "response": 0.1, "toxicity": 0.3},
        {"weight": 0.5, "response": 0.3, "toxicity": 0.3},
    ]
    blocks = {
        "history": {"responses": 8, "patients": 90},
        "prior": {"points": points, "active": "at_least_p1"},
    }
    control = "what is known of the response rate of the control (history)"
    drug = "how likely each true rate is taken to be (prior)"
    section, notes = printed(stated(**blocks)).split("NOTES TO THE AUTHOR")
    assert f"The scenario also states {control} and {drug}. No decision above uses that" in notes
    assert "history" not in section
    one = printed(stated(history=blocks["history"]))
    assert control in one
    assert drug not in one
    assert "The scenario also states" not in printed(stated())


def test_a_gain_over_the_standard_has_a_unit():
    posterior = {"kind": "posterior_probability", "p0": 0.1, "prior": [1, 1], "n": 20, "p_l": 0.1, "p_u": 0.9}
    assert "exceeding it by more than 10 percentage points is below 0.1" in told(posterior | {"delta": 0.1})
    assert "exceeding it by more than 1 percentage point is below 0.1" in told(posterior | {"delta": 0.01})


def test_a_success_by_a_search_is_a_posterior_probability_that_is_high_enough():
    found = {
        "kind": "predictive_probability",
        "p0": 0.1,
        "p1": 0.4,
        "alpha": 0.1,
        "beta": 0.2,
        "prior": [1, 1],
    }
    success = "Success at the end is a high enough posterior probability that the response rate exceeds p0"
    assert success in told(found | {"nmax": 25, "min_n": 5, "every": 5})


def test_the_size_of_gehans_second_stage_is_told_step_by_step():
    text = told({"kind": "gehan", "p1": 0.2, "miss": 0.05, "standard_error": 0.1})
    assert (
        "the least with which the response rate, estimated from both stages, has a standard error of at most 0.1. For "
        "this the response rate is taken to be the upper limit of its one-sided exact confidence interval after the "
        "first stage, with a confidence of three quarters, or one half where that limit is higher." in text
    )


def test_numbers_of_one_and_two_read_as_english():
    amounts = {"dose_amounts": [100, 70, 50], "doses": ["100 mg", "70 mg", "50 mg"]}
    case = {"truth": {"active": {"response": 0.3, "toxicity": 0.4}}}
    reductions = {"patient_reductions": {"hold_weeks": 2, "max_reductions": 2}}
    assert "a hold of 2 weeks, at most twice;" in told(conduct=CONDUCT | reductions, **amounts, **case)
    assert "1 patient a month is screened" in told(conduct=CONDUCT | {"accrual": {"per_month": 1}})
    sites = {"accrual": {"sites": {"number": 4, "over_months": 6, "per_site_per_month": 1}}}
    assert "each screening 1 patient a month" in told(conduct=CONDUCT | sites)
    assert "4 patients a month are screened" in told(**TIMED)


def test_the_length_of_a_month_is_told_where_time_passes():
    assert "A month has 30.4375 days." in told(**TIMED)
    assert "30.4375" not in told()
