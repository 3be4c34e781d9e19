"""What is ahead of a running trial, against the reference tables."""

from __future__ import annotations

import math
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from tests.published.reference import printed
from tests.published.running import answers, compiled, patients
from trialsim.ongoing.accrual import AccrualPosterior, open_days
from trialsim.ongoing.forecast import forecast
from trialsim.ongoing.known import seen as known_on
from trialsim.ongoing.p_go import p_go_now, predictive, with_toxicity
from trialsim.ongoing.patients import read_patients
from trialsim.ongoing.pending import Nature
from trialsim.ongoing.posterior import posterior
from trialsim.ongoing.prospects import prospects
from trialsim.ongoing.seen import Seen
from trialsim.ongoing.state import State, state
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario

SETS = ("S1", "S3", "S6", "S7")


def agrees(value: float, text: str) -> bool:
    return math.isclose(value, float(text), abs_tol=max(printed(text), 5e-10 * abs(float(text))))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("case", ["p0", "p1"])
def test_p_go_now(name: str, case: str) -> None:
    trial, (seen, today), wanted = compiled(name), patients(name), answers(name)
    nature, looks = Nature.of(trial, case), trial.rules.looks
    level = max(s.level for s in seen)
    at_rate = p_go_now(nature, looks, seen, today, level=level, convention="at_rate")
    assert agrees(at_rate.go, wanted[f"p_go_design_{case}"])
    if f"p_pass_look1_{case}" in wanted:
        assert agrees(at_rate.passed[0], wanted[f"p_pass_look1_{case}"])
    assert agrees(
        p_go_now(nature, looks, seen, today, level=level).go, wanted[f"p_go_design_follow_up_{case}"]
    )
    twin = with_toxicity(nature, trial.rules, seen, today, level=level)
    assert agrees(twin.go, wanted[f"p_go_untimed_with_toxicity_{case}"])
    assert agrees(twin.reduced, wanted[f"p_reduced_from_now_untimed_{case}"])
    assert agrees(twin.toxicity, wanted[f"p_toxicity_stop_untimed_{case}"])
    assert math.isclose(twin.go + twin.consider + twin.futile + twin.toxicity, 1, abs_tol=1e-12)


@pytest.mark.parametrize("name", SETS)
def test_posterior_and_predictive(name: str) -> None:
    trial, (seen, today), wanted = compiled(name), patients(name), answers(name)
    nature, looks = Nature.of(trial, "p0"), trial.rules.looks
    known = posterior(nature, seen, today, known_only=True, planned_n=looks.planned_n)
    both = posterior(nature, seen, today, planned_n=looks.planned_n)
    assert agrees(both.mean, wanted["posterior_mean_jeffreys_follow_up"])
    assert agrees(
        predictive(nature, looks, seen, today, both), wanted["predictive_go_design_jeffreys_follow_up"]
    )
    assert agrees(
        predictive(nature, looks, seen, today, known), wanted["predictive_go_design_jeffreys_known_only"]
    )


@pytest.mark.parametrize("name", SETS)
def test_accrual(name: str) -> None:
    (seen, today), wanted = patients(name), answers(name)
    closed = closed_periods(name, seen)
    days = open_days(seen[0].enrolled, today, closed)
    assert days == int(wanted["accrual_open_days_since_first"])
    rate = AccrualPosterior.seen([s.enrolled for s in seen], today, closed)
    assert agrees(rate.shape, wanted["accrual_posterior_shape"])
    assert agrees(rate.per_month, wanted["accrual_mean_per_month"])
    more = int(wanted["patients_to_go"])
    assert agrees(rate.mean_days(more), wanted["days_to_last_patient_no_pause_mean"])
    for q, word in ((0.05, "q05"), (0.5, "q50"), (0.95, "q95")):
        assert agrees(rate.quantile(q), wanted[f"accrual_per_month_{word}"])
        assert agrees(rate.days(more, q), wanted[f"days_to_last_patient_no_pause_{word}"])


def closed_periods(name: str, seen: list[Seen]) -> list[tuple[date, date | None]]:
    """When accrual was paused: while look 1 was awaited (S7: the eleventh is the tenth who is evaluable)."""
    if name == "S1":
        return [(seen[9].enrolled, None)]
    return [(seen[10].enrolled, date(2026, 5, 10))] if name == "S7" else []


@pytest.mark.parametrize("name", ["S1", "S7"])
@pytest.mark.parametrize("case", ["p0", "p1"])
def test_forecast(name: str, case: str) -> None:
    trial, (seen, today), wanted = compiled(name), patients(name), answers(name)
    accrual = AccrualPosterior.seen([s.enrolled for s in seen], today, closed_periods(name, seen))
    look = {"S1": 0, "S7": 1}[name]
    ahead = forecast(trial, case, seen, today, accrual, next_look=look, replicates=3000, seed=3, workers=2)
    assert ahead is not None and ahead.end is not None and ahead.final_n is not None

    def near(value: float, mcse: float, word: str) -> None:
        theirs, error = (
            float(wanted[f"sim_{case}_{word}"]),
            float(wanted[f"sim_{case}_{word.removesuffix('_mean')}_mcse"]),
        )
        assert abs(value - theirs) <= 4 * math.hypot(mcse, error) + 1e-9, word

    near(ahead.p_go.value, ahead.p_go.mcse, "p_go")
    near(ahead.p_futility.value, ahead.p_futility.mcse, "p_futility")
    near(ahead.p_toxicity.value, ahead.p_toxicity.mcse, "p_toxicity_stop")
    near(ahead.p_reduced.value, ahead.p_reduced.mcse, "p_dose_reduced")
    near(ahead.end.mean, ahead.end.mcse, "days_to_end_mean")
    near(ahead.final_n.mean, ahead.final_n.mcse, "final_n_mean")
    assert ahead.next_look is not None
    for q, word in ((0.05, "q05"), (0.5, "q50"), (0.95, "q95")):
        assert abs(ahead.next_look.quantile[q] - float(wanted[f"sim_{case}_days_to_next_look_{word}"])) < 3
    exact = p_go_now(Nature.of(trial, case), trial.rules.looks, seen, today).go
    assert abs(ahead.p_go.value - exact) <= 4 * ahead.p_go.mcse + 1e-12


def test_the_forecast_does_not_depend_on_workers_and_there_is_none_of_what_is_over() -> None:
    trial, (seen, today) = compiled("S1"), patients("S1")
    accrual = AccrualPosterior.of(9, 68)
    one, two = (
        forecast(trial, "p1", seen, today, accrual, next_look=0, replicates=600, workers=w) for w in (1, 2)
    )
    assert one == two
    assert forecast(trial, "p1", seen, today, accrual, next_look=0, ended=True) is None


@cache
def s6_in_april() -> tuple[Compiled, list[Seen], State]:
    """The set S6 rolled back to a day on which its second dose has not been stopped: look 1 is awaited."""
    trial, on = compiled("S6"), date(2026, 4, 20)
    file = Path(__file__).parent / "data" / "running" / "patients_S6.csv"
    seen = known_on(read_patients(file, trial, cut_off=on, extracted=date(2026, 8, 12)), trial)
    return trial, seen, state(trial, seen, on)


def toxicity_stop(interim: str) -> tuple[float, float]:
    """Simulated P(stop for toxicity) of that set with another conduct at interim looks, and its standard error."""
    trial, seen, stands = s6_in_april()
    stated = trial.scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    stated["conduct"]["interim"] = interim
    other = Compiled(Scenario.model_validate(stated), trial.rules)
    accrual = AccrualPosterior.seen([s.enrolled for s in seen], stands.on)
    ahead = forecast(other, "p0", seen, stands.on, accrual, next_look=None, replicates=4000, seed=4)
    assert ahead is not None
    return ahead.p_toxicity.value, ahead.p_toxicity.mcse


def test_the_twin_is_the_forecast_but_for_patients_enrolled_while_a_look_is_awaited() -> None:
    """With accrual paused at the look they agree; with accrual going on more patients make more toxicity stops."""
    trial, seen, stands = s6_in_april()
    twin = with_toxicity(Nature.of(trial, "p0"), trial.rules, seen, stands.on, level=stands.course.level)
    paused, error = toxicity_stop("pause")
    assert abs(paused - twin.toxicity) <= 4 * error
    going_on, error = toxicity_stop("continue")
    assert going_on > twin.toxicity + 4 * error


def test_a_trial_that_went_on_past_a_futility_stop_is_forecast_as_if_it_had_not_been_one() -> None:
    trial, (seen, today) = compiled("S3"), patients("S3")
    stands = state(trial, seen, today)
    asked = {
        "prior": (0.5, 0.5),
        "opened": None,
        "forecasts": True,
        "replicates": 1000,
        "seed": 2,
        "jobs": 1,
    }
    assert not prospects(trial, seen, stands, went_on_anyway=False, **asked).forecasts
    ahead = prospects(trial, seen, stands, went_on_anyway=True, **asked)
    exact = next(chance for chance in ahead.chances if chance.case == "p1").looks_alone
    told = ahead.forecasts["p1"]
    assert told.end is not None and told.end.quantile[0.05] > 0
    assert 0 < exact < 1 and abs(told.p_go.value - exact) <= 4 * told.p_go.mcse


def test_a_reduction_from_the_second_dose_counts_from_now() -> None:
    """The first dose was left before the cut-off; leaving the second one is still ahead."""
    trial, seen, stands = s6_in_april()
    stated = trial.scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    stated["doses"] = [*stated["doses"], "50 mg BID"]
    for case in stated["truth"].values():
        case["toxicity"] = [0.45, 0.45, 0.45]
    three = Compiled.of(Scenario.model_validate(stated))
    accrual = AccrualPosterior.seen([s.enrolled for s in seen], stands.on)
    told = forecast(three, "p0", seen, stands.on, accrual, next_look=None, replicates=1000, seed=4)
    two = forecast(trial, "p0", seen, stands.on, accrual, next_look=None, replicates=1000, seed=4)
    assert told is not None and two is not None
    assert told.p_reduced == two.p_toxicity  # what stopped the trial at the second of two doses
    assert two.p_reduced.value == 0


def test_the_day_of_the_first_patient_says_something_of_accrual() -> None:
    day = date(2026, 1, 5)
    assert AccrualPosterior.seen([day], day).mean_days(3) > 0
    assert AccrualPosterior.seen([day], day).per_month > 0
