"""Is the forecast of a trial under way calibrated? Whole trials are simulated, cut, forecast, set beside their end.

The forecast draws the rate of accrual from its posterior. It can be calibrated only over trials whose own rate is drawn
from the prior of that posterior: so each trial here has a rate from Gamma(k, k / planned), the planned rate worth k
patients, and is forecast with that prior. At one fixed rate the same forecasts would be too wide early in a trial, for
they allow for rates that the trials do not have, and right only late, when the dates say more than the prior.

Cut days are drawn before the trial is looked at; trials that have ended, or have no patient, by then are left out. A
file has whole days: everything is dated by the day at whose end it is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from tests.published.reference import rows as table
from trialsim.codes import DAYS_PER_MONTH, FINAL_GO, GO_EARLY, TICKS_PER_DAY
from trialsim.engine.timed import Timed
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import patient as field
from trialsim.kernels.conduct import simulate
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import RESPONSE, Float64, Int64, threshold
from trialsim.ongoing.accrual import AccrualPosterior
from trialsim.ongoing.forecast import BANDS, Spread, _at_rate, _Rest
from trialsim.ongoing.p_go import predictive
from trialsim.ongoing.pending import Nature
from trialsim.ongoing.posterior import posterior
from trialsim.ongoing.prospects import closed_periods
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.seen import Seen
from trialsim.ongoing.state import state
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario

PLANNED, WORTH = 4.0, 6.0
"""Patients a month, and how many patients that plan is worth."""

FIRST = date(2026, 1, 5)
REPLICATES = 200


def scenario(**stated: Any) -> Scenario:
    conduct = {"accrual": {"per_month": PLANNED}, "confirmed": False, "assessment_weeks": [8]}
    return Scenario.model_validate(
        {
            "schema": 1,
            "name": "A trial",
            "endpoint": "response",
            "truth": {"true": {"response": 0.2, "toxicity": [0.4, 0.25][: len(stated.get("doses", "1"))]}},
            **stated,
            "conduct": {**conduct, "toxicity_window_weeks": 8, **stated["conduct"]},
        }
    )


SIMON = {"kind": "simon", "n1": 10, "r1": 1, "n": 29, "r": 5, "p0": 0.1, "p1": 0.3}
LATE = {
    "assessment_weeks": [9, 17, 25],
    "confirmed": True,
    "first_seen": [0.7, 0.3],
    "progression_median_weeks": 7.8,
    "disease_control_week": 16,
}
RULE = {"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1}, "at_lowest_dose": "stop"}
TRIALS: dict[str, dict[str, Any]] = {
    "pause": {"design": SIMON, "conduct": {"interim": "pause"}},
    "dose reduction, confirmed at 9, 17, 25 weeks": {
        "design": SIMON,
        "doses": ["100", "70"],
        "dose_reduction": RULE,
        "conduct": {
            **LATE,
            "interim": "continue",
            "amendment_lag_weeks": 4,
            "toxicity_known": "as_it_happens",
        },
    },
    "replaced, certain decisions early": {
        "design": SIMON,
        "evaluability": {"probability": 0.85, "replaced": True},
        "conduct": {"interim": "early_decision", "review_lag_weeks": 1},
    },
    "held, known only when complete": {
        "design": SIMON,
        "doses": ["100", "70"],
        "dose_reduction": RULE,
        "conduct": {**LATE, "interim": "pause", "amendment_lag_weeks": 6, "during_amendment": "hold"},
    },
}


@cache
def compiled(name: str) -> Compiled:
    return Compiled.of(scenario(**TRIALS[name]))


@dataclass
class Lived:
    """A whole trial: its patients in ticks, its end in days after the first patient's, its n, whether a go."""

    patients: Int64
    end: int
    n: int
    went: bool


def live(
    trial: Compiled,
    rate: float,
    key: tuple[np.uint64, np.uint64],
    replicate: int,
    response: float | None = None,
) -> Lived:
    """A trial of the engine at a rate of accrual, patients a day, and a response rate of its own if stated."""
    trials = Timed.of_case(trial, "true")
    thresholds = trials.thresholds.copy()
    if response is not None:
        thresholds[..., RESPONSE] = threshold(response)
    calendar = _at_rate(trials.calendar, rate)
    out = np.zeros((1, trials.width), dtype=np.int32)
    kept = np.zeros((1, calendar.max_arrivals, field.FIELDS), dtype=np.int64)
    simulate(trials.tables, calendar, thresholds, False, *key, replicate, out, kept)
    row = out[0].astype(np.int64)
    patients = kept[0, : row[column.TREATED]]
    first = patients[0, field.STARTED]
    end = ends(first + row[column.DECIDED_AT]) - ends(first)
    return Lived(patients, end, int(row[column.TREATED]), row[column.END] in (FINAL_GO, GO_EARLY))


def ends(ticks: int) -> int:
    """The day at whose end a tick is over."""
    return -(-int(ticks) // TICKS_PER_DAY)


def cut(trial: Compiled, lived: Lived, day: int) -> list[Seen]:
    """The patients as a file has them at the end of a day after the first patient's."""
    seen, start = [], ends(lived.patients[0, field.STARTED])
    today, confirmed = FIRST + timedelta(days=day), trial.scenario.conduct.confirmed
    for k, p in enumerate(lived.patients):
        enrolled = FIRST + timedelta(days=ends(p[field.STARTED]) - start)

        def by(tick: int, p: Int64 = p, enrolled: date = enrolled) -> date | None:
            then = enrolled + timedelta(days=int(tick - p[field.STARTED]) // TICKS_PER_DAY)
            return then if then <= today else None

        if enrolled > today:
            break
        known, toxicity = by(p[field.KNOWN]), by(p[field.TOXICITY_KNOWN])
        gone = known is not None and not p[field.IS_EVALUABLE]
        sight = by(p[field.FIRST_SIGHT]) if confirmed and p[field.IS_RESPONSE] and known is None else None
        seen.append(
            Seen(
                id=str(k + 1),
                row=k + 2,
                enrolled=enrolled,
                level=int(p[field.LEVEL]),
                responded=None
                if known is None or (gone and trial.rules.replaced)
                else bool(p[field.IS_RESPONSE]),
                response_known=known,
                inevaluable=gone,
                unconfirmed=sight,
                toxic=None if toxicity is None else bool(p[field.IS_TOXIC]),
                toxicity_known=toxicity,
            )
        )
    return seen


def forecasts(name: str, cuts: int, seed: int) -> Iterator[tuple[Lived, Float64]]:
    """So many trials of a kind that were cut while under way, and the rows of their forecasts."""
    trial, rng = compiled(name), np.random.default_rng(seed)
    protocol, number = InDays.of(trial), 0
    planned = PLANNED / DAYS_PER_MONTH
    while cuts > 0:
        number += 1
        rate, day = rng.gamma(WORTH, planned / WORTH), int(rng.integers(10, 400))
        lived = live(trial, rate, stream_key(seed), number)
        if lived.end <= day:
            continue
        today, seen = FIRST + timedelta(days=day), cut(trial, lived, day)
        stands = state(trial, seen, today)
        if stands.end is not None:
            continue
        closed = tuple(closed_periods(protocol, seen, stands))
        accrual = AccrualPosterior.seen(
            [p.enrolled for p in seen], today, closed, planned_per_month=PLANNED, worth=WORTH
        )
        rest = _Rest(trial, "true", seen, today, accrual, None, None, seed + 1000 * number, None)
        rows = rest.rows(0, REPLICATES)
        assert (rows[:, 1] > day).all()  # nothing ends by the cut-off that has not
        yield lived, rows
        cuts -= 1


def study(name: str, cuts: int, seed: int) -> dict[str, Any]:
    """Randomised probability integral transforms of final n and end, and how often bands hold what came."""
    rng = np.random.default_rng(seed + 1)
    pit: dict[str, list[float]] = {"n": [], "end": []}
    held = {(what, width): 0 for what in pit for width in BANDS}
    for lived, rows in forecasts(name, cuts, seed):
        for what, came, told in (("n", lived.n, rows[:, 2]), ("end", lived.end, np.ceil(rows[:, 1]))):
            below, same = int((told < came).sum()), int((told == came).sum())
            pit[what].append((below + rng.random() * (same + 1)) / (len(told) + 1))
            spread = Spread.of(told)
            assert spread is not None
            for width, (low, high) in spread.band.items():
                held[what, width] += low <= came <= high
    return {
        "p": {what: float(kstest(values, "uniform").pvalue) for what, values in pit.items()},
        "inside": {
            (what, width): float(np.mean(np.abs(2 * np.array(values) - 1) <= width / 100))
            for what, values in pit.items()
            for width in BANDS
        },
        "held": {key: count / cuts for key, count in held.items()},
    }


def agrees(found: dict[str, Any], cuts: int) -> None:
    """Transforms are uniform, and bands hold what they say: at least so much of what falls on few whole numbers."""
    assert min(found["p"].values()) > 0.001, found
    for (what, width), share in found["inside"].items():
        error = math.sqrt(width / 100 * (1 - width / 100) / cuts)
        assert abs(share - width / 100) <= 4 * error, (what, width, found)
        # the ends of a band of REPLICATES draws are a little uncertain themselves
        assert found["held"][what, width] >= width / 100 - 4 * error - 2 / REPLICATES, (what, width, found)


@pytest.mark.parametrize("name", list(TRIALS))
def test_forecasts_of_a_few_cut_trials_hold_what_came(name: str) -> None:
    cuts = 80
    agrees(study(name, cuts, seed=11), cuts)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(TRIALS))
def test_forecasts_of_many_cut_trials_hold_what_came(name: str) -> None:
    cuts = 2000
    agrees(study(name, cuts, seed=12), cuts)


@pytest.mark.slow
@pytest.mark.parametrize("row", table("running/calibration.csv"), ids=lambda row: row["cut_off_day"])
def test_the_predictive_probability_is_calibrated_with_pending_patients_only(row: dict[str, str]) -> None:
    """Means and Brier scores of the reference, by trials of our own: P(go) by the known patients alone is too low.

    The days run from the first patient.
    """
    trials, day, prior = 800, int(row["cut_off_day"]), (1.0, 9.0)
    design = {"kind": "simon", "n1": 25, "r1": 1, "n": 70, "r": 6, "p0": 0.05, "p1": 0.15}
    trial = Compiled.of(scenario(design=design, conduct={**LATE, "interim": "continue"}))
    nature, looks, rng = Nature.of(trial, "true"), trial.rules.looks, np.random.default_rng(day)
    told = np.zeros((trials, 3))
    for k in range(trials):
        lived = live(trial, 4.5 / DAYS_PER_MONTH, stream_key(day), k, response=rng.beta(*prior))
        seen, today = cut(trial, lived, day), FIRST + timedelta(days=day)
        beliefs = (
            posterior(nature, seen, today, prior, known_only=known, planned_n=looks.planned_n)
            for known in (True, False)
        )
        told[k] = lived.went, *(predictive(nature, looks, seen, today, belief) for belief in beliefs)
    went, known_only, follow_up = told.T

    def error(values: Float64) -> float:
        return float(values.std(ddof=1)) / math.sqrt(trials)

    assert abs((follow_up - went).mean()) <= 4 * error(follow_up - went)
    assert (went - known_only).mean() > 6 * error(went - known_only)
    more = math.sqrt(1 + trials / int(row["trials"]))  # theirs is uncertain too
    for values, theirs in (
        (went, "mean_p_go_truth"),
        (known_only, "mean_known_only"),
        (follow_up, "mean_follow_up"),
        ((known_only - went) ** 2, "brier_known"),
        ((follow_up - went) ** 2, "brier_follow"),
    ):
        assert abs(values.mean() - float(row[theirs])) <= 4 * more * error(values), theirs
