"""The power ledger: its steps against enumeration, what they add up to, and what is said of them."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scipy import stats

import trialsim
from tests.oracle.brute_force import Dose, cells_of, enumerate_trial
from tests.unit.test_reporting import POCOCK, small
from tests.unit.test_reporting_conduct import CONDUCT, STRATA
from trialsim.codes import POOLED
from trialsim.engine.operating import exact, simulate
from trialsim.engine.power_ledger import (
    LABELS,
    PowerLedger,
    PowerLedgers,
    Step,
    _reasons,
    power_ledgers,
)
from trialsim.engine.power_stages import Stage
from trialsim.engine.quantities import Side
from trialsim.engine.timed import at_once, timed
from trialsim.figures import power_ledger as figure
from trialsim.figures.drawn import Drawn
from trialsim.kernels.streams import stream_key
from trialsim.reporting.power_ledger import sentence, table
from trialsim.reporting.run.summary import changed_words
from trialsim.scenario import compiling
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import load
from trialsim.scenario.model import Scenario
from trialsim.writing.numbers import probability

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
TINY = {"kind": "simon", "n1": 3, "r1": 0, "n": 6, "r": 2, "p0": 0.1, "p1": 0.4}
SEARCHED = {"kind": "simon", "p0": 0.1, "p1": 0.6, "alpha": 0.1, "beta": 0.2}
TWO_OF_3 = {"kind": "k_of_first_m", "k": 2, "m": 3}
FIELDS = {"step", "p_go", "change", "mcse", "change_mcse", "same_patients", "same_patients_mcse", "chance"}
OWN = {"rules": "own", "strata": STRATA}


def tiny(**changes: Any) -> Scenario:
    """Small enough to enumerate."""
    content = {"design": TINY, "dose_reduction": {"rule": TWO_OF_3}, "observed": None, "related_trials": ()}
    return small(**content | changes)


def ledgers(scenario: Scenario, **run: Any) -> PowerLedgers:
    return power_ledgers(Compiled.of(scenario), simulate(scenario, totals=False, **run))


def of(scenario: Scenario, case: str = "active", **run: Any) -> PowerLedger:
    (found,) = ledgers(scenario, **run).of(case)
    return found


def enumerated(scenario: Scenario) -> dict[str, float]:
    """P(go) of the case ``active`` step by step, every sequence of outcomes in turn.

    Nothing but the truth and what it is analysed by are changed: nobody has toxicity up to the second step, response is
    that of the starting dose and all patients are pooled up to the third.
    """
    rules, case, evaluability = (
        compile_rules(scenario),
        scenario.truth["active"],
        scenario.evaluability,
    )
    response, toxicity = (case.by_dose(key, rules.levels) for key in ("response", "toxicity"))
    assert response is not None
    assert toxicity is not None
    pooled = replace(
        rules,
        on_dose_change=POOLED,
        attained_ge=(),
        monitor=replace(rules.monitor, at_enrolled=(0,) * rules.levels),
    )
    alone = replace(
        pooled,
        replaced=False,
        max_treated=rules.looks.planned_n,
        monitor=replace(
            pooled.monitor,
            act_ge=tuple(row[: rules.looks.planned_n + 1] for row in rules.monitor.act_ge),
        ),
    )
    start = (response[0],) * rules.levels
    none = (0.0,) * rules.levels

    def p_go(which: Any, responses: Any, toxicities: Any, evaluable: float) -> float:
        truth = [
            Dose(r, t, case.odds_ratio if t else 1.0, evaluable, evaluability.inevaluable)
            for r, t in zip(responses, toxicities, strict=True)
        ]
        return float(enumerate_trial(which, cells_of(truth))["p_go"])

    share = evaluability.probability
    return {
        "design_alone": p_go(alone, start, none, 1.0),
        "evaluability": p_go(pooled, start, none, share),
        "toxicity_stop": p_go(pooled, start, toxicity, share),
        "dose_change": p_go(rules, response, toxicity, share),
    }


ASSOCIATED = {"active": {"response": [0.4, 0.2], "toxicity": [0.5, 0.3], "odds_ratio": 4.0}}
TOXIC_LOOKS = {
    "kind": "rules",
    "looks": [
        {"n": 3, "next": {0: "futile", 1: 6}, "toxic_ge": 2},
        {"n": 6, "next": {0: "futile", 3: "go"}, "toxic_ge": 4},
    ],
}
BRYANT_DAY = {"kind": "bryant_day", "p0": 0.1, "p1": 0.7, "toxicity": [0.7, 0.1], "alpha": 0.2, "beta": 0.3}


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({}, "evaluability toxicity_stop dose_change"),
        ({"truth": ASSOCIATED}, "evaluability toxicity_stop dose_change"),
        ({"truth": ASSOCIATED, "evaluability": None}, "toxicity_stop dose_change"),
        (
            {"evaluability": {"probability": 0.8, "inevaluable": "nonresponders"}, "truth": ASSOCIATED},
            "evaluability toxicity_stop dose_change",
        ),
        *(
            (
                {
                    "design": SEARCHED,
                    "dose_reduction": {"rule": TWO_OF_3, "on_dose_change": after},
                    "truth": ASSOCIATED,
                },
                "evaluability toxicity_stop dose_change",
            )
            for after in ("restart", "new_dose_only")
        ),
        (
            {"dose_reduction": {"rule": TWO_OF_3, "at_lowest_dose": "continue"}},
            "evaluability dose_change",
        ),
        ({"dose_reduction": {"rule": {"kind": "amendment", "after_patient": 2}}}, "evaluability dose_change"),
        (
            {"doses": None, "truth": {"active": {"response": 0.4, "toxicity": 0.5}}},
            "evaluability toxicity_stop",
        ),
        ({"design": TOXIC_LOOKS, "truth": ASSOCIATED}, "evaluability toxicity_stop dose_change"),
        ({"design": TOXIC_LOOKS, "dose_reduction": None}, "evaluability toxicity_stop"),
        ({"design": BRYANT_DAY, "evaluability": None, "dose_reduction": None}, "toxicity_stop"),
        ({"dose_reduction": None, "evaluability": None}, ""),
    ],
)
def test_exact_steps_are_those_of_an_enumeration(changes: dict[str, Any], steps: str) -> None:
    scenario = tiny(**changes)
    found, expected = of(scenario), enumerated(scenario)
    assert [step.step for step in found.steps] == ["design_alone", *steps.split()]
    for step in found.steps:
        assert step.p_go == pytest.approx(expected[step.step], abs=1e-11)
        assert step.mcse is None
        assert step.change_mcse is None


@pytest.mark.parametrize("inevaluable", ["independent", "nonresponders"])
def test_replaced_patients_against_an_enumeration(inevaluable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial that may run out of patients, so that enumeration ends."""
    monkeypatch.setattr(compiling, "SHORTFALL", 0.1)
    design = TINY | {"n1": 2, "n": 4, "r": 1}
    evaluability = {"probability": 0.8, "replaced": True, "inevaluable": inevaluable}
    scenario = tiny(design=design, evaluability=evaluability, truth=ASSOCIATED)
    assert 4 < compile_rules(scenario).max_treated < 8
    found, expected = of(scenario), enumerated(scenario)
    assert {step.step: step.p_go for step in found.steps} == pytest.approx(expected, abs=1e-11)


def test_patients_who_withdraw_are_not_evaluable() -> None:
    """One stage, so that P(go) is a binomial tail: an evaluable responder stays until the confirmation."""
    conduct = CONDUCT | {"withdrawal_per_month": 0.05}
    design = {"kind": "simon", "n1": 6, "r1": 0, "n": 12, "r": 3, "p0": 0.1, "p1": 0.4}
    scenario = small(conduct=conduct, evaluability=None, design=design)
    stays = math.exp(-0.05 * 16 * 7 / 30.4375)
    p = 0.4 * stays
    expected = sum(stats.binom.pmf(x, 6, p) * stats.binom.sf(3 - x, 6, p) for x in range(1, 7))
    assert of(scenario)["evaluability"].p_go == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_scenario_goes_from_its_design_to_its_run(path: Path) -> None:
    scenario = load(path)
    results = simulate(scenario, replicates=2000, totals=False)
    found = power_ledgers(Compiled.of(scenario), results)
    for oc in results.cases:
        for c, ledger in enumerate(found.of(oc.case), start=1):
            values = oc.exact.values if oc.exact else oc.told
            last = values[f"p_go_cohort_{c}" if ledger.cohort else "p_go"]
            last = getattr(last, "estimate", last)
            assert ledger.steps[-1].p_go == pytest.approx(last, abs=1e-12)
            assert_holds(ledger)
            if oc.at_once and oc.at_once.exact and not ledger.cohort:
                assert ledger.steps[-2].p_go == pytest.approx(oc.at_once.exact.values["p_go"], abs=1e-11)
            said = sentence(scenario, ledger)
            assert all(probability(step.p_go) in said for step in ledger.steps if step.p_go is not None)


def assert_holds(ledger: PowerLedger) -> None:
    """First no change, then differences of what is shown; an error where, and only where, one is simulated."""
    order = list(LABELS)
    names = [step.step for step in ledger.steps]
    assert names == sorted(names, key=order.index)
    assert ledger.steps[0].step == "design_alone"
    assert ledger.steps[0].change is None
    assert ledger.steps[0].mcse is None
    for before, step in zip(ledger.steps, ledger.steps[1:], strict=False):
        assert step.p_go is not None
        assert before.p_go is not None
        assert step.change == step.p_go - before.p_go
        simulated = before.mcse is not None or step.mcse is not None
        if step.change:
            assert (step.change_mcse is not None) == simulated
        if before.mcse is None and step.mcse is not None:
            assert step.change_mcse == step.mcse
        assert (step.same_patients is not None) == (simulated and bool(step.effect_mcse is not None))
        effect, error = step.effect or 0.0, step.effect_mcse or 0.0
        assert bool(step.reasons) == (effect > 1e-9 or 1e-9 < -effect <= 2 * error)
    total = sum(step.change or 0.0 for step in ledger.steps)
    last = ledger.steps[-1].p_go
    assert last is not None
    assert last - (ledger.steps[0].p_go or 0.0) == pytest.approx(total, abs=1e-15)


def test_results_json_has_it_and_it_adds_up_to_the_last_digit() -> None:
    doc = trialsim.run(small()).to_dict()
    for case in json.loads(json.dumps(doc))["cases"].values():
        steps = case["power_ledger"]
        assert all(set(step) == FIELDS for step in steps)
        assert steps[-1]["p_go"] == case["exact"]["p_go"]
        for before, step in zip(steps, steps[1:], strict=False):
            assert f"{step['change']:.11f}" == f"{step['p_go'] - before['p_go']:.11f}"


def test_each_cohort_with_rules_of_its_own_has_a_ledger() -> None:
    truth = {
        "active": {
            "response": [0.4, 0.2],
            "toxicity": [0.5, 0.3],
            "cohorts": {"B": {"response": 0.1}},
        }
    }
    scenario = tiny(conduct=CONDUCT, cohorts=OWN, truth=truth)
    results = simulate(scenario, replicates=2000)
    found = power_ledgers(Compiled.of(scenario), results)
    doc = found.to_dict()["active"]
    assert list(doc) == ["A", "B"]
    for c, ledger in enumerate(found.ledgers, start=1):
        assert_holds(ledger)
        assert [step.step for step in ledger.steps] == [step for step in LABELS if step != "drift"]
        simulated = results["active"].simulated
        assert simulated is not None
        assert ledger.steps[-1].p_go == simulated.values[f"p_go_cohort_{c}"].estimate
    # response of B does not depend on the dose, so that this step is exactly nothing to it
    assert found.ledgers[1]["dose_change"].change == 0
    assert found.ledgers[0]["dose_change"].change < -0.05  # type: ignore[operator]
    # paired, and the trial as it runs is the one of the run: differences trial by trial
    trial, key = Compiled.of(scenario), stream_key(scenario.simulation.seed)
    dated = timed(trial)["active"]
    sides = [Side.of(each).paired(key, 0, 2000) for each in (at_once(trial, dated), dated)]
    for c, ledger in enumerate(found.ledgers, start=1):
        apart = sides[1][f"p_go_cohort_{c}"].values - sides[0][f"p_go_cohort_{c}"].values
        assert ledger["calendar"].change == pytest.approx(apart.mean(), abs=1e-12)
        assert ledger["calendar"].change_mcse == pytest.approx(apart.std(ddof=1) / 2000**0.5)


def test_cohorts_whose_dose_changes_nothing_are_exact() -> None:
    """A shared boundary that never stops and a response that is the same at both doses."""
    truth = {"active": {"response": 0.4, "toxicity": [0.5, 0.3], "cohorts": {"B": {"response": 0.1}}}}
    rule = {"rule": POCOCK, "at_lowest_dose": "continue"}
    scenario = tiny(cohorts=OWN, truth=truth, dose_reduction=rule, conduct=CONDUCT)
    for ledger in ledgers(scenario).ledgers:
        assert ledger["dose_change"].mcse is None
        assert ledger["dose_change"].change == 0


def test_an_amendment_at_a_date_is_simulated_on_the_same_patients() -> None:
    rule = {"rule": {"kind": "amendment", "after_month": 3}}
    scenario = small(conduct=CONDUCT, dose_reduction=rule)
    found = of(scenario, replicates=4000)
    assert_holds(found)
    assert [step.step for step in found.steps] == ["design_alone", "evaluability", "dose_change", "calendar"]
    step, last = found["dose_change"], found["calendar"]
    assert step.mcse is not None
    assert last.mcse is not None
    assert last.change_mcse is not None
    assert step.change_mcse == step.mcse
    assert 0 < last.change_mcse < math.hypot(step.mcse, last.mcse)


def test_where_no_chain_is_small_enough_the_calendar_step_is_still_paired_with_the_trial_as_it_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trialsim.engine.exact.MAX_STATES", 1)
    scenario = small(conduct=CONDUCT | {"interim": "continue"})
    step, trial = of(scenario, replicates=2000)["calendar"], Compiled.of(scenario)
    dated, key = timed(trial)["active"], stream_key(scenario.simulation.seed)
    two, one = (Side.of(each).paired(key, 0, 2000)["p_go"].values for each in (dated, at_once(trial, dated)))
    assert step.change == pytest.approx((two - one).mean(), abs=1e-12)
    assert step.change_mcse == pytest.approx((two - one).std(ddof=1) / 2000**0.5)


def test_calendar_time_is_not_blamed_for_the_chance_of_a_simulation() -> None:
    """No toxicity rule, one dose, nobody in doubt: dates then cannot change P(go), whatever is simulated."""
    design = {"kind": "simon", "n1": 10, "r1": 1, "n": 29, "r": 5, "p0": 0.1, "p1": 0.3}
    scenario = small(
        design=design,
        doses=None,
        dose_reduction=None,
        evaluability=None,
        truth={"active": {"response": 0.3}},
        conduct=CONDUCT,
    )
    told = set()
    for seed in range(1, 5):
        ledger = of(scenario, replicates=1000, seed=seed)
        step = ledger["calendar"]
        assert step.change and step.change_mcse
        assert step.same_patients == step.same_patients_mcse == 0
        assert step.reasons == ()
        told.add(abs(step.change) > 0.00005)
        said = sentence(scenario, ledger)
        assert "(no change on the same patients" in said
        assert ("is chance)" in said) is (abs(step.change) > 0.00005)
    assert True in told
    drawn = drawn_of(scenario, replicates=1000)
    assert drawn is not None
    assert [bar.get_width() for bar in drawn.figure.axes[0].patches] == [0]
    assert "(±0)" in drawn.alt
    doc = trialsim.run(scenario, replicates=1000).to_dict()
    row = doc["calendar_time_changes"]["active"]["p_go"]
    assert row["difference"] == pytest.approx(doc["cases"]["active"]["power_ledger"][-1]["change"])
    assert (row["same_patients"], row["same_patients_mcse"]) == (0, 0)
    assert "on the same patients no difference" in changed_words(doc)[0]


def test_what_a_step_does_is_the_difference_of_trials_on_the_same_patients() -> None:
    truth = {"active": {"response": [0.4, 0.2], "toxicity": [0.5, 0.3]}}
    scenario = small(conduct=CONDUCT, truth=truth)
    trial, results = Compiled.of(scenario), simulate(scenario, replicates=2000, totals=False)
    plain = replace(results, cases=tuple(replace(oc, adjusted={}) for oc in results.cases))
    again = replace(plain, cases=tuple(replace(oc, by_time={}) for oc in plain.cases))
    found, key = power_ledgers(trial, plain), stream_key(scenario.simulation.seed)
    # what the run has simulated, or simulated again
    assert found.to_dict() == power_ledgers(trial, again).to_dict()
    dated = timed(trial)["active"]
    one, two = (Side.of(each).paired(key, 0, 2000) for each in (at_once(trial, dated), dated))
    step = found.ledgers[0]["calendar"]
    apart = two["p_go"].values - one["p_go"].values
    assert apart.any()
    assert step.same_patients == pytest.approx(apart.mean(), abs=1e-12)
    assert step.same_patients_mcse == pytest.approx(apart.std(ddof=1) / 2000**0.5)
    assert step.same_patients_mcse < 0.8 * (step.change_mcse or 0.0)
    for name in ("en", "toxicities"):
        expected = (two[name].values - one[name].values).mean()
        assert found.of_time["active"][name].estimate == pytest.approx(expected, abs=1e-12)


def test_an_adjusted_step_is_its_difference_from_the_exact_step_before() -> None:
    truth = {"active": {"response": [0.4, 0.2], "toxicity": [0.5, 0.3]}}
    scenario = small(conduct=CONDUCT, truth=truth)
    results = simulate(scenario, replicates=2000, totals=False)
    found, oc = power_ledgers(Compiled.of(scenario), results), results["active"]
    step, twin = found.ledgers[0]["calendar"], oc.at_once.exact.values  # type: ignore[union-attr]
    adjusted = oc.adjusted["p_go"]
    assert adjusted.controls
    assert step.same_patients == pytest.approx(adjusted.estimate - twin["p_go"], abs=1e-11)
    assert step.same_patients_mcse == step.change_mcse == adjusted.mcse
    assert adjusted.mcse < oc.simulated.values["p_go"].mcse  # type: ignore[union-attr]
    changed = found.of_time["active"]
    for name in ("en", "toxicities"):
        assert changed[name].estimate == pytest.approx(oc.adjusted[name].estimate - twin[name])


@pytest.mark.parametrize(
    "changes",
    [
        {"cohorts": OWN, "truth": {"active": {"response": [0.4, 0.2], "toxicity": [0.5, 0.3]}}},
        {"dose_reduction": {"rule": {"kind": "amendment", "after_month": 3}}},
        {"dose_reduction": {"rule": {"kind": "amendment", "after_month": 3}}, "withdraws": 0.03},
    ],
)
def test_the_step_before_a_simulated_one_is_simulated_as_its_exact_answer_says(
    changes: dict[str, Any],
) -> None:
    withdraws = changes.pop("withdraws", 0.0)
    scenario = small(conduct=CONDUCT | {"withdrawal_per_month": withdraws}, **changes)
    for ledger in ledgers(scenario, replicates=20_000).ledgers:
        for before, step in zip(ledger.steps, ledger.steps[1:], strict=False):
            if before.mcse is None and step.mcse is not None:
                assert step.p_go is not None and step.same_patients is not None and before.p_go is not None
                drawn = step.p_go - step.same_patients
                assert abs(drawn - before.p_go) < 4.5 * (before.p_go * (1 - before.p_go) / 20_000) ** 0.5
                break
        else:
            raise AssertionError("no simulated step follows an exact one")


@pytest.mark.parametrize("sign", [1, -1])
def test_an_effect_within_two_standard_errors_says_so_of_both_signs(sign: int) -> None:
    scenario = small(conduct=CONDUCT)
    before = Step("design_alone", 0.8)
    step = Step("calendar", 0.8 + sign * 0.004, sign * 0.004, 0.003, 0.003, sign * 0.001, 0.0008)
    ledger = PowerLedger("active", "", 0.4, False, (before, with_reasons(scenario, step)))
    assert sentence(scenario, ledger).endswith("in calendar time, within simulation error.")
    clear = replace(step, same_patients=-0.0017)
    ledger = PowerLedger("active", "", 0.4, False, (before, with_reasons(scenario, clear)))
    assert sentence(scenario, ledger).endswith("in calendar time.")


def test_panels_that_show_nearly_the_same_share_a_scale() -> None:
    """And only of others the caption says that scales differ."""

    def ledger(p: float) -> PowerLedger:
        return PowerLedger(
            "active", f"{p}", 0.4, False, (Step("design_alone", p), Step("calendar", p - 0.009, -0.009))
        )

    assert figure._caption([ledger(0.855), ledger(0.8545)]).endswith("(active, 0.8545).")
    assert figure._caption([ledger(0.855), ledger(0.05)]).endswith("; scales differ.")
    one, other = (figure._scale([ledger(p)], 5.0) for p in (0.855, 0.8545))
    low, high, _ = figure._scale([ledger(0.855), ledger(0.8545)], 5.0)
    assert low <= min(one[0], other[0]) and high >= max(one[1], other[1])


def with_reasons(scenario: Scenario, step: Step) -> Step:
    """The step with what the ledger would say of it."""
    trial = Compiled.of(scenario)
    (oc,) = (oc for oc in exact(scenario, totals=False).cases if oc.case == "active")
    return replace(step, reasons=_reasons(Stage("calendar", trial, trial.strata["active"]), step, oc, None))


@pytest.mark.parametrize("own", [False, True])
def test_the_error_of_the_calendar_step_is_its_spread_over_seeds(own: bool) -> None:
    truth = {"active": {"response": [0.4, 0.2], "toxicity": [0.5, 0.3]}}
    scenario = small(conduct=CONDUCT | {"interim": "continue"}, truth=truth, cohorts=OWN if own else None)
    steps = [
        ledgers(scenario, replicates=200, seed=seed, jobs=1).ledgers[0]["calendar"] for seed in range(1, 61)
    ]
    changes = [step.change for step in steps if step.change is not None]
    mean = sum(changes) / 60
    spread = sum((change - mean) ** 2 for change in changes)
    error = sum((step.change_mcse or 0.0) ** 2 for step in steps) / 60
    low, high = stats.chi2.ppf([1e-4, 1 - 1e-4], 59)
    assert low < spread / error < high


def test_without_simulation_the_calendar_is_not_known() -> None:
    scenario = small(conduct=CONDUCT)
    found = power_ledgers(Compiled.of(scenario), exact(scenario, totals=False))
    (ledger,) = found.of("active")
    assert ledger.steps[-1].to_dict() == dict.fromkeys(FIELDS) | {"step": "calendar"}
    assert "not simulated in calendar time" in sentence(scenario, ledger)


NOT_MONOTONE = {
    "kind": "rules",
    "p0": 0.1,
    "looks": [{"n": 6, "next": {0: "futile", 3: "go", 6: "futile"}}],
}
SELECTED = {"probability": 0.7, "replaced": True, "inevaluable": "nonresponders"}


@pytest.mark.parametrize(
    ("step", "what", "words", "changes"),
    [
        ("evaluability", "nonresponders_replaced", "selects responders", {"evaluability": SELECTED}),
        (
            "evaluability",
            "decisions_not_monotone",
            "more responses can cost the go",
            {"design": NOT_MONOTONE, "truth": {"active": {"response": 0.95, "toxicity": 0.1}}},
        ),
        (
            "dose_change",
            "response_rises",
            "more likely at a lower dose",
            {"truth": {"active": {"response": [0.2, 0.4], "toxicity": [0.5, 0.3]}}},
        ),
        (
            "dose_change",
            "fresh_start",
            "second chance",
            {
                "truth": {"active": {"response": 0.4, "toxicity": [0.9, 0.1], "odds_ratio": 0.01}},
                "dose_reduction": {
                    "rule": TWO_OF_3,
                    "on_dose_change": "restart",
                    "at_lowest_dose": "continue",
                },
                "evaluability": None,
            },
        ),
        (
            "dose_change",
            "new_dose_only",
            "cut-off of its own",
            {
                "design": SEARCHED | {"p1": 0.4},
                "truth": {"active": {"response": 0.4}},
                "dose_reduction": {
                    "rule": {"kind": "amendment", "after_patient": 1},
                    "on_dose_change": "new_dose_only",
                },
            },
        ),
        (
            "calendar",
            "fewer_toxicity_stops",
            "fewer stop for toxicity",
            {"conduct": CONDUCT, "truth": {"active": {"response": 0.4, "toxicity": [0.8, 0.6]}}},
        ),
        (
            "calendar",
            "more_at_starting_dose",
            "more patients are treated at the starting dose",
            {
                "conduct": CONDUCT,
                "truth": {"active": {"response": [0.5, 0.1], "toxicity": [0.8, 0.6]}},
                "dose_reduction": {"rule": TWO_OF_3, "at_lowest_dose": "continue"},
            },
        ),
    ],
)
def test_a_step_may_be_positive_and_then_says_why(
    step: str, what: str, words: str, changes: dict[str, Any]
) -> None:
    scenario = tiny(**changes)
    ledger = of(scenario, replicates=4000)
    change = ledger[step].change
    assert change is not None
    assert change > 1e-4
    assert what in [reason.what for reason in ledger[step].reasons]
    said = sentence(scenario, ledger)
    assert ": higher, because" in said
    assert words in said


def test_sentence_and_table_of_a_trial_in_calendar_time() -> None:
    scenario = small(conduct=CONDUCT)
    (ledger,) = ledgers(scenario, replicates=4000).of("active")
    said = sentence(scenario, ledger)
    start = (
        f"active: the design by itself has a power of {ledger.steps[0].p_go:.4f} at a response rate of 40% "
    )
    assert said.startswith(start)
    assert "when the 10% not evaluable count as non-responders" in said
    assert "when the toxicity rule can stop the trial" in said
    step = ledger["calendar"]
    assert f"on the same patients, standard error {step.same_patients_mcse:.5f}" in said
    assert step.same_patients == pytest.approx(step.change)  # adjusted: chance is left out already
    assert f"{step.same_patients_mcse:.5f}) in calendar time" in said
    (group,) = table([ledger]).groups
    assert [row[1].value for row in group.rows] == [step.p_go for step in ledger.steps]
    assert [row[3].value for row in group.rows] == [step.change for step in ledger.steps]
    assert [row[5].value for row in group.rows] == [step.effect for step in ledger.steps]
    assert [row[2].text == "exact" for row in group.rows] == [True, True, True, True, False]


def drawn_of(scenario: Scenario, **run: Any) -> Drawn | None:
    """The figure, which asks for nothing but the ledgers and the design."""
    material: Any = SimpleNamespace(scenario=scenario, power=ledgers(scenario, **run))
    return figure.draw(material)


def test_the_figure_draws_the_ledger() -> None:
    scenario = small(conduct=CONDUCT, cohorts=OWN)
    drawn = drawn_of(scenario, replicates=2000)
    assert drawn is not None
    assert len(drawn.figure.axes) == 2
    assert set(drawn.frame["case"]) == {"active"}
    assert set(drawn.frame["cohort"]) == {"A", "B"}
    assert "calendar time" in drawn.alt
    for axes, (_, rows) in zip(
        drawn.figure.axes, drawn.frame.groupby(["case", "cohort"], sort=False), strict=True
    ):
        bars = [bar.get_width() for bar in axes.patches]
        effects = rows["same_patients"].fillna(rows["change"])
        assert bars == pytest.approx(effects.iloc[1:].tolist(), abs=1e-12)


def test_nothing_is_drawn_where_nothing_follows_the_design() -> None:
    assert drawn_of(tiny(dose_reduction=None, evaluability=None)) is None


def test_calendar_time_names_the_looks_that_weigh_pending_patients() -> None:
    for pending, said in (("weigh_follow_up", True), ("wait", False)):
        conduct = {**CONDUCT, "interim": "pause", "pending": pending}
        scenario = tiny(conduct=conduct)
        words = sentence(scenario, ledgers(scenario, replicates=200).ledgers[0])
        assert ("in calendar time, with looks that weigh pending patients" in words) == said, words
