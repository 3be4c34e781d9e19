"""What is ahead of a running trial, against the reference tables."""

from __future__ import annotations

import math
from datetime import date

import pytest

from tests.published.reference import printed
from tests.published.running import answers, compiled, patients
from trialsim.ongoing.accrual import AccrualPosterior, open_days
from trialsim.ongoing.p_go import p_go_now, predictive, with_toxicity
from trialsim.ongoing.pending import Nature
from trialsim.ongoing.posterior import posterior

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
    closed = [(seen[9].enrolled, None)] if name == "S1" else []
    if name == "S7":  # look 1 filled by the tenth evaluable patient, decided on its day
        filled = seen[9].enrolled
        closed = [(filled, date(2026, 5, 10))]
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
