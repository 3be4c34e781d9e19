"""Sentences of the protocol that a simulator written from them alone needs: what they leave open, it gets wrong."""

from __future__ import annotations

from typing import Any

import pytest

import trialsim
from tests.unit.protocol_cases import text_of
from trialsim.facts.protocol import facts
from trialsim.facts.truth import truth
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario

SIMON = {"kind": "simon", "n1": 10, "r1": 1, "n": 29, "r": 5, "p0": 0.1, "p1": 0.3}
POCOCK = {"kind": "pocock", "limit": 0.3, "phi": 0.1}
CONDUCT = {
    "accrual": {"per_month": 4},
    "assessment_weeks": [8, 16, 24],
    "confirmed": False,
    "toxicity_window_weeks": 6,
}
TIMED = {"conduct": CONDUCT}
REDUCED = {"dose_reduction": {"rule": POCOCK}}


def stated(design: dict[str, Any] | None = None, **blocks: Any) -> Scenario:
    content = {
        "schema": 1,
        "name": "made for a test",
        "endpoint": "objective response",
        "design": design or SIMON,
        "doses": ["100 mg", "70 mg"],
        "truth": {"active": {"response": [0.3, 0.2], "toxicity": [0.4, 0.25]}},
        "simulation": {"replicates": 200, "seed": 1},
    }
    return Scenario.model_validate(content | blocks)


def told(design: dict[str, Any] | None = None, **blocks: Any) -> str:
    return text_of(facts(Compiled.of(stated(design, **blocks))))


def printed(scenario: Scenario) -> str:
    return " ".join(str(trialsim.protocol(scenario)).split())


def test_an_early_go_that_is_stated_has_its_formula():
    bop2 = {"kind": "bop2", "p0": 0.2, "looks": [10, 20], "lambda": 0.85, "gamma": 0.9}
    early = "an early go more than 1 - (1 - λ) (m/N)^η, with η = 0.7"
    assert early in told(bop2 | {"eta": 0.7})
    assert "an early go" not in told(bop2)


def test_a_rule_that_waits_knows_a_toxicity_at_its_onset():
    text = told(**TIMED, **REDUCED)
    assert "a toxicity is known at its onset, its absence at the end of the window" in text
    assert "followed through the window" not in text
    first = told(dose_reduction={"rule": {"kind": "k_of_first_m", "k": 4, "m": 8}})
    assert "Toxicity will be monitored after every patient at a dose. The rule acts as soon as 4 of" in first


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "that finds progression, at the latest at that of week 24, the last one."),
        ({"confirmed": True}, "that finds progression, at the latest at that of week 16, the last but one."),
        (
            {"withdrawal_per_month": 0.1},
            "finds progression or that is missed after withdrawal, at the latest",
        ),
        ({"assessment_weeks": [8]}, "A non-response is known at the assessment."),
    ],
)
def test_it_is_told_when_a_non_response_is_known(keys, said):
    assert said in told(conduct=CONDUCT | keys)


def test_it_is_told_when_a_patient_is_known_not_to_be_evaluable():
    words = "That a patient is not evaluable is known at the first assessment."
    assert words in told(**TIMED, evaluability={"probability": 0.9})
    assert words not in told(**TIMED)
    accrual = "For accrual a patient counts as evaluable until known not to be."
    replaced = {"evaluability": {"probability": 0.9, "replaced": True}}
    assert accrual in told(**TIMED, **replaced)
    assert accrual not in told(**replaced)
    assert accrual not in told(**TIMED, evaluability={"probability": 0.9})


def test_onsets_and_sites_are_spread_as_told():
    text = told(
        conduct=CONDUCT | {"accrual": {"sites": {"number": 4, "over_months": 6, "per_site_per_month": 1}}}
    )
    assert "in the first half of the window, evenly within each half" in text
    assert "the first with the opening of accrual and the last one interval before month 6" in text


def test_a_second_toxicity_of_a_patient_has_a_rate_and_a_window():
    reductions = {"hold_weeks": 2, "max_reductions": 1}
    amounts = {"dose_amounts": [100, 70]}
    words = "a patient has toxicity again with the toxicity rate of that dose"
    assert words in told(conduct=CONDUCT | {"patient_reductions": reductions}, **amounts)
    never = {"patient_reductions": reductions | {"max_reductions": 0}}
    assert words not in told(conduct=CONDUCT | never, **amounts)


@pytest.mark.parametrize("when", [{"after_month": 3}, {"after_patient": 12}])
def test_an_amendment_with_a_lag_is_a_trigger(when):
    rule = {"dose_reduction": {"rule": {"kind": "amendment", **when}}}
    late = told(conduct=CONDUCT | {"amendment_lag_weeks": 4}, **rule)
    assert "The change from 100 mg to 70 mg is triggered" in late
    assert "takes effect 4 weeks after its trigger" in late
    assert "new patients start at 70 mg instead" not in late
    assert "new patients start at 70 mg instead of 100 mg" in told(**TIMED, **rule)


def test_without_time_a_look_comes_before_the_change_that_its_last_patient_triggers():
    first = "a look that is due at the patient who triggers it comes first"
    for analysis, dropped in (("restart", True), ("new_dose_only", True), ("pooled", False)):
        block = {"dose_reduction": {"rule": POCOCK, "on_dose_change": analysis}}
        design = SIMON | {"alpha": 0.05}
        at_once, timed = told(design, **block), told(design, **TIMED, **block)
        assert first in at_once
        assert first not in timed
        assert "look that is pending is dropped" not in at_once
        assert ("look that is pending is dropped" in timed) is dropped


def test_patients_who_are_randomised_do_not_all_start_at_the_lower_dose():
    decision = {
        "rule": {"kind": "utility", "response": 1, "toxicity": 0.3},
        "after_trigger": {"allocation": "blocks"},
        "higher_selectable": True,
        "reason": "it may suit some patients",
    }
    text = told(**TIMED, **REDUCED, dose_decision=decision)
    assert "later patients are given 70 mg or 100 mg, as the part on which dose goes forward says" in text
    assert "later patients start at 70 mg" not in text
    assert "it may suit some patients." in text
    assert "unless the observed response rate minus 0.3 times the observed toxicity rate" in text
    assert "later patients start at 70 mg" in told(**TIMED, **REDUCED)


def test_a_boundary_of_a_cohort_stops_the_cohort():
    rules = [
        {"kind": "k_of_first_m", "k": 4, "m": 6, "action": "stop", "levels": ["100 mg"]},
        POCOCK | {"min_n": 7},
    ]
    strata = {"strata": [{"name": "A", "share": 0.4}, {"name": "B"}]}
    block = {"dose_reduction": {"rules": rules}, **TIMED}
    own = told(**block, cohorts={"rules": "own", "monitor": "own", **strata})
    assert "100 mg (stop the cohort)" in own
    assert "at 100 mg it stops the cohort" in own
    assert "stop the trial" not in own
    pooled = told(**block, cohorts=strata)
    assert "at 100 mg it stops the trial" in pooled
    assert "At a dose the rules act once, all together, and only while" in pooled
    assert "The shares are equal parts of what the stated ones leave, where none is stated." in pooled


def test_only_cohorts_whose_design_counts_toxicities_wait_for_them():
    day = {"kind": "bryant_day", "n1": 12, "r1": 1, "b1": 5, "n": 31, "r": 5, "b": 11}
    cohorts = {"rules": "own", "monitor": "own", "strata": [{"name": "A"}, {"name": "B"}]}
    some = "those of toxicity included where the design of the cohort has a cut-off for toxicities"
    every = "those of toxicity included, whose absence"
    mixed = told(**TIMED, cohorts=cohorts | {"designs": {"B": day}})
    assert some in mixed
    assert every not in mixed
    assert every in told(day, **TIMED)
    assert "those of toxicity" not in told(**TIMED)


def test_patients_left_out_of_what_is_reported_are_not_among_those_expected():
    conduct = CONDUCT | {"interim": "continue", "accrual": {"per_month": 12}}
    counted, excluded = (stated(conduct=conduct | {"overrun": how}) for how in ("count", "exclude"))
    assert trialsim.protocol(excluded).cases[0].en < trialsim.protocol(counted).cases[0].en
    words = (
        "Expected patients are without those enrolled while the decision that ended the trial was pending."
    )
    assert words in printed(excluded)
    assert "left out of what is reported, of the expected number of patients too" in printed(excluded)
    assert words not in printed(counted)


def test_an_early_decision_keeps_the_two_reasons_to_stop_apart():
    day = {"kind": "bryant_day", "n1": 12, "r1": 1, "b1": 5, "n": 31, "r": 5, "b": 11}
    words = "A stop for futility and one for toxicity are two decisions."
    early = {"conduct": CONDUCT | {"interim": "early_decision"}}
    assert words in told(day, **early)
    assert words not in told(**early)
    assert words not in told(day, **TIMED)


def test_a_go_at_a_look_with_pending_patients_is_never_taken_on_a_probability():
    looks = {"kind": "bop2", "p0": 0.2, "looks": [10, 20], "lambda": 0.85, "gamma": 0.9}
    weighs = {"conduct": CONDUCT | {"pending": "weigh_follow_up"}}
    words = "A go at an interim look is taken only so, never on a probability."
    assert words in told(looks | {"eta": 0.9}, **weighs)
    assert words not in told(looks, **weighs)


# -- what the cases are


def test_every_case_is_told_with_its_rates():
    cases = {
        "inactive": {"response": 0.1, "toxicity": [0.4, 0.25]},
        "active": {"response": [0.3, 0.2], "toxicity": 0.4, "odds_ratio": 2, "stable_disease": 0.3},
    }
    text = printed(stated(truth=cases, **TIMED))
    assert (
        "inactive: response rate 10%, toxicity rate 40% at 100 mg and 25% at 70 mg, response and toxicity "
        "independent, no stable disease." in text
    )
    assert (
        "active: response rate 30% at 100 mg and 20% at 70 mg, toxicity rate 40%, odds ratio of response and "
        "toxicity 2, stable disease in 30% of those without a response." in text
    )
    assert "evaluable or not" not in text
    at_once = printed(stated(truth=cases, evaluability={"probability": 0.9}))
    assert "stable disease" not in at_once
    assert "Response rates are those of all treated patients, evaluable or not." in at_once


def test_a_case_that_differs_by_stratum_or_drifts_says_so():
    strata = [{"name": "A", "share": 0.4}, {"name": "B", "share": 0.6, "cohort": "late"}]
    case = {"response": 0.3, "toxicity": 0.4}
    differs = {"active": case | {"cohorts": {"late": {"response": 0.2}}}}
    text = printed(stated(truth=differs, cohorts={"strata": strata}, **TIMED))
    tail = "toxicity rate 40%, response and toxicity independent, no stable disease"
    assert f"active: in A: response rate 30%, {tail}; in B: response rate 20%, {tail}." in text
    drifts = {"active": case | {"drift": {"change": -0.05, "months": 12}}}
    text = printed(stated(truth=drifts, **TIMED))
    assert (
        f"{tail}; the response rate changes by -5 percentage points over 12 months from the start of the "
        "first patient on, evenly." in text
    )
    by_patient = printed(stated(truth={"active": case | {"drift": -0.05}}))
    assert "-5 percentage points from the first to the last planned patient, evenly." in by_patient
    alike = truth(stated(cohorts={"strata": strata}), "active")
    assert [rates.stratum for rates in alike.rates] == [None]
