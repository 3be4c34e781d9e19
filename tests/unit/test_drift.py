"""``truth.CASE.drift``: what may be stated, and what is said and worked out where a response rate drifts."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import trialsim
from tests.unit.test_reporting import small
from trialsim.engine.exact import distribution
from trialsim.engine.operating import AT_ONCE, trials_of
from trialsim.engine.power_ledger import power_ledgers
from trialsim.engine.quantities import Side
from trialsim.engine.trials import fingerprint
from trialsim.errors import DesignError, ScenarioError
from trialsim.kernels.streams import stream_key
from trialsim.scenario import files
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.digest import digest
from trialsim.scenario.drift import Drift
from trialsim.scenario.model import Scenario

CONDUCT = {
    "accrual": {"per_month": 4},
    "assessment_weeks": [8],
    "confirmed": False,
    "toxicity_window_weeks": 8,
    "interim": "continue",
}
FIRST = {"response": [0.4, 0.3], "toxicity": [0.5, 0.3], "odds_ratio": 2.0}


def drifting(drift: Any, **changes: Any) -> Scenario:
    """The small trial whose active case drifts."""
    inactive = {"response": 0.1, "toxicity": [0.5, 0.3]}
    return small(truth={"inactive": inactive, "active": {**FIRST, "drift": drift}}, **changes)


TEXT = """\
schema: 1
name: A drift
endpoint: response
design: {kind: simon, n1: 6, r1: 0, n: 12, r: 3, p0: 0.1, p1: 0.4}
doses: [high, low]
dose_reduction: {rule: {kind: k_of_first_m, k: 2, m: 4}}
truth:
  active:
    response: [0.2, 0.1]
    toxicity: [0.5, 0.3]
    drift: -0.05
"""
COHORTS = "cohorts: {strata: [{name: a, share: 0.5}, {name: b, share: 0.5}]}\ntruth:"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("-0.05", "-0.11", 11, "takes the response rate 0.1 at low to -0.01; a rate is a number from 0 to 1"),
        ("-0.05", "0.81", 11, "takes the response rate 0.2 at high to 1.01"),
        ("-0.05", "2", 11, "2 is outside -1 to 1"),
        ("-0.05", "much", 11, "truth.active.drift"),
        ("-0.05", "{change: -0.05}", 11, "missing"),
        ("-0.05", "{change: -0.05, months: 0}", 11, "truth.active.drift.months"),
        ("-0.05", "{change: -0.05, months: 24}", 11, "months need the `conduct` block"),
        ("truth:", "evaluability: {replaced: true, probability: 0.9}\ntruth:", 12, "evaluability.replaced"),
        ("m: 4}}", "m: 4}, on_dose_change: restart}", 11, "on_dose_change: restart"),
        ("truth:", COHORTS, 12, "not defined with `cohorts`"),
        (
            "-0.05\n",
            "0.15\nevaluability: {probability: 0.3, inevaluable: nonresponders}\n",
            11,
            "0.35, above the",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_line(old: str, new: str, line: int, said: str) -> None:
    assert files.parse(TEXT, "drift.yaml").truth["active"].change == -0.05
    with pytest.raises(ScenarioError) as caught:
        files.parse(TEXT.replace(old, new, 1), "drift.yaml")
    assert f"drift.yaml:{line}: truth.active.drift" in str(caught.value)
    assert said in str(caught.value)


def test_rates_are_exact_in_the_decimals_stated() -> None:
    assert Drift(-0.05, Fraction(2), daily=False).rates(0.05) == (0.05, 0.025, 0.0)
    assert Drift(0.2, Fraction(2), daily=False).rates(0.1) == (
        0.1,
        0.2,
        0.3,
    )  # 0.1 + 0.2 is not 0.3 in doubles
    months = Drift.of(drifting({"change": 0.1, "months": 0.1}, conduct=CONDUCT).truth["active"], None)
    assert months is not None and months.daily
    # 0.1 months are 3.04375 days: four steps, the last of them a part
    assert months.rates(0.4) == pytest.approx([0.4 + 0.1 * min(d / 3.04375, 1) for d in range(5)], abs=1e-15)
    one = drifting(0.1, design={"kind": "single_stage", "n": 1, "r": 0})
    assert Compiled.of(one).rates["active"].responses() == ((0.4,), (0.3,))


def test_no_drift_is_the_scenario_without_one() -> None:
    for conduct in (None, CONDUCT):
        plain = drifting(0.0, conduct=conduct)
        stated = [plain, drifting({"change": 0.0, "months": 5}, conduct=CONDUCT)][: 2 if conduct else 1]
        unstated = small(conduct=conduct)
        trials = [trials_of(Compiled.of(each)) for each in (*stated, unstated)]
        assert {len({fingerprint(of[name]) for of in trials}) for name in trials[0]} == {1}
    assert digest(drifting(0.0)) == digest(small()) != digest(drifting(0.1))


def poisson_binomial(rates: list[float]) -> np.ndarray:
    law = np.ones(1)
    for p in rates:
        law = np.convolve(law, (1 - p, p))
    return law


def test_one_stage_is_a_sum_of_patients_who_differ() -> None:
    scenario = small(
        design={"kind": "single_stage", "n": 7, "r": 2}, doses=["high"], dose_reduction=None,
        evaluability=None, truth={"active": {"response": 0.5, "drift": -0.3}}, observed=None,
    )  # fmt: skip
    rates = [0.5 - 0.3 * i / 6 for i in range(7)]
    values = trialsim.exact(scenario)["active"].exact.values
    assert values["p_go"] == pytest.approx(poisson_binomial(rates)[3:].sum(), abs=1e-14)
    assert values["responses"] == pytest.approx(sum(rates), abs=1e-14)
    # from patient 4 on with one response: two or more of patients 4 to 7
    ahead = trialsim.monitor(scenario, now=[3, 1]).present
    assert ahead is not None
    assert ahead.cases["active"].p_go == pytest.approx(poisson_binomial(rates[3:])[2:].sum(), abs=1e-14)


def test_by_date_there_is_no_exact_answer() -> None:
    """The change comes within two days, and patients come about once in twenty: all but the first have all of it."""
    conduct = CONDUCT | {
        "accrual": {"per_month": 1.5},
        "assessment_weeks": [0.1],
        "toxicity_window_weeks": 0.1,
    }
    trial = Compiled.of(drifting({"change": -0.3, "months": 0.001}, conduct=conduct))
    mains = trials_of(trial)
    assert f"inactive{AT_ONCE}" in mains and f"active{AT_ONCE}" not in mains
    found = trialsim.simulate(trial, replicates=4000, seed=3)
    assert found["active"].exact is None and found["active"].at_once is None
    assert "the response rate changes by date" in found["active"].not_exact
    assert found["inactive"].at_once is not None
    # outcomes are known before the next patient nearly always, so that patients decide
    rates = replace(trial.rates["active"], drift=Drift(-0.3, Fraction(1), daily=False))
    known = distribution(trial.rules, rates).values
    values = found["active"].simulated.values
    for name in ("p_go", "pet", "responses"):
        assert abs(values[name].estimate - known[name]) < 4.5 * values[name].mcse, name
    with pytest.raises(ValueError, match="no cells by patient"):
        trial.truth("active")


def test_simulated_is_exact_on_a_dozen_random_drifts() -> None:
    rng, largest = random.Random("a dozen drifts"), 0.0
    for seed in range(12):
        response = [rng.choice([0.2, 0.3, 0.5]), rng.choice([0.2, 0.3, 0.4])]
        case = {"response": response, "toxicity": [0.5, 0.3], "odds_ratio": rng.choice([0.25, 1, 4])}
        scenario = small(
            truth={"active": {**case, "drift": rng.choice([-0.2, -0.1, 0.15, 0.3])}},
            evaluability=rng.choice(
                [None, {"probability": 0.9}, {"probability": 0.9, "inevaluable": "nonresponders"}]
            ),
            conduct=rng.choice([None, CONDUCT | {"withdrawal_per_month": 0.1}]),
            observed=None,
        )
        trial = Compiled.of(scenario)
        known = trialsim.exact(trial)["active"]
        exact = (known.at_once or known).exact.values
        trials = trials_of(trial)
        twin = trials.get(f"active{AT_ONCE}", trials["active"])
        drawn = Side.of(twin, dated=False).simulated(twin.tally(stream_key(seed), 0, 20_000)).values
        for name in ("p_go", "pet", "p_dose_reduced", "en", "responses", "responses_dose_2"):
            if drawn[name].mcse > 0:
                largest = max(largest, abs(drawn[name].estimate - exact[name]) / drawn[name].mcse)
    assert largest < 4.2  # 72 numbers: P = .002 with nothing wrong


def test_the_ledger_has_a_step_for_it() -> None:
    trial = Compiled.of(drifting(-0.2))
    active = power_ledgers(trial, trialsim.exact(trial)).of("active")[0]
    assert [step.step for step in active.steps][:3] == ["design_alone", "drift", "evaluability"]
    alone = small(
        truth={"active": {"response": 0.4, "drift": -0.2}}, doses=["high"], dose_reduction=None,
        evaluability=None, observed=None,
    )  # fmt: skip
    assert active["drift"].p_go == pytest.approx(
        trialsim.exact(alone)["active"].exact.values["p_go"], abs=1e-12
    )
    assert active.steps[-1].p_go == pytest.approx(
        trialsim.exact(trial)["active"].exact.values["p_go"], abs=1e-12
    )
    other = power_ledgers(trial, trialsim.exact(trial)).of("inactive")[0]
    assert other["drift"].change == pytest.approx(0, abs=1e-12)
    up = Compiled.of(drifting(0.2))
    (reason,) = power_ledgers(up, trialsim.exact(up)).of("active")[0]["drift"].reasons
    assert reason.what == "response_grows"


def test_a_change_by_date_comes_with_the_dates() -> None:
    trial = Compiled.of(drifting({"change": -0.3, "months": 2}, conduct=CONDUCT))
    results = trialsim.simulate(trial, replicates=2000, seed=1)
    steady = Compiled.of(drifting(0.0, conduct=CONDUCT))
    ledger, other = (
        power_ledgers(of, found).of("active")[0]
        for of, found in ((trial, results), (steady, trialsim.simulate(steady, replicates=2000, seed=1)))
    )
    assert [step.to_dict() for step in ledger.steps[:-1]] == [step.to_dict() for step in other.steps[:-1]]
    assert ledger["calendar"].effect < other["calendar"].effect - 0.1
    assert ledger.label(ledger.steps[-1]) == "calendar time, and drift by date"


def test_the_report_says_it() -> None:
    text = str(trialsim.run(drifting(-0.2), replicates=400))
    assert (
        "active: the response rate changes by -20 percentage points from the first to the last planned"
        in (" ".join(text.split()))
    )
    assert "Not checked: “active”." in str(trialsim.check(drifting(-0.2)).notes)
    rows = {row.case for row in trialsim.check(drifting(-0.2)).by_case}
    assert "inactive" in rows and "active" not in rows


def test_what_ifs_and_thresholds_move_it() -> None:
    said = str(trialsim.whatif(small(), {"truth.active.drift": -0.2}))
    assert 'drift of the response rate in "active" from 0 to -0.2' in " ".join(said.split())
    asked = {"case": "active", "input": "truth.active.drift", "from": -0.29, "to": 0.2, "below": 0.6}
    found = trialsim.sensitivity(small(sensitivity={"thresholds": {"overturned": asked}}))
    (crossing,) = found["overturned"].crossings
    at = trialsim.exact(drifting(crossing.at))["active"].exact.values["p_go"]
    assert at == pytest.approx(0.6, abs=1e-6)
    with pytest.raises(DesignError, match=r"truth.active.drift: a robust search"):
        trialsim.find_robust(drifting(-0.1), nmax=20, alpha=0.1, beta=0.2)
