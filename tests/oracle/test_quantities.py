"""Every operating characteristic, alone and as a difference, against plain Python over the rows of single trials."""

from __future__ import annotations

import math
import random
import statistics
from dataclasses import replace

import numpy as np
import pytest

from tests.oracle.conduct_strategies import random_conduct, random_thresholds
from tests.oracle.events import of_trial
from trialsim.engine.paired import Together, against, estimates
from trialsim.engine.quantities import READINGS, Side
from trialsim.engine.timed import Timed
from trialsim.engine.trials import Untimed
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import SERIOUS
from trialsim.quantities import QUANTITIES, found
from trialsim.results import Estimate

MONTH_DAYS, DAY = 30.4375, 1024


def by_hand(values: list[float | None]) -> tuple[float, float]:
    """Mean over the trials that count, and its standard error."""
    there = [float(v) for v in values if v is not None]
    m = statistics.fmean(there)
    return m, math.nan if len(there) < 2 else statistics.stdev(there, m) / math.sqrt(len(there))


def apart_by_hand(one: list[float | None], other: list[float | None]) -> tuple[float, float]:
    """other - one of two such means with its standard error: what each trial adds to either, linearised."""
    sides = []
    for values in (one, other):
        m, share = by_hand(values)[0], sum(v is not None for v in values) / len(values)
        sides.append((m, [0.0 if v is None else (float(v) - m) / share for v in values]))
    moves = [b - a for a, b in zip(sides[0][1], sides[1][1], strict=True)]
    return sides[1][0] - sides[0][0], statistics.stdev(moves) / math.sqrt(len(moves))


def close(found: Estimate, wanted: tuple[float, float], *, chance: bool = False, count: int = 1) -> bool:
    """Whether an estimate is the one wanted; of a probability the error is that of a binomial share."""
    error = math.sqrt(wanted[0] * (1 - wanted[0]) / count) if chance else wanted[1]
    same = found.estimate == pytest.approx(wanted[0], rel=1e-12, abs=1e-12)
    return same and found.mcse == pytest.approx(error, rel=1e-7, abs=1e-9, nan_ok=True)


def values(name: str, rows: list[list[int]], side: Side) -> list[float | None]:
    """A quantity in every trial of a side."""
    cohorts = side.calendar.cohorts if side.calendar else None
    return [of_trial(name, row, len(side.doses), cohorts, side.false_go) for row in rows]


def assert_sides(one: Side, other: Side, seed: int, count: int) -> set[str]:
    """Both sides alone and their differences; returns the entries of the quantities that were seen."""
    key = stream_key(seed)
    rows = {side: side.trials.rows(key, 0, count).tolist() for side in (one, other)}
    tally = Together(one, (other,)).tally(key, 0, count)
    apart = against(tally, 1)
    alone = one.simulated(one.trials.tally(key, 0, count)).values
    numbers = estimates(tally, 0)
    assert {q for q in alone if not found(q)[0].not_paired} <= set(numbers)
    for name, estimate in numbers.items():
        a, b = (values(name, rows[side], side) for side in (one, other))
        chance = found(name)[0].kind == "probability"
        assert close(estimate, by_hand(a), chance=chance, count=count), name
        assert name not in alone or alone[name] == estimate
        if name in apart:
            assert close(apart[name].difference, apart_by_hand(a, b)), name
            assert close(apart[name].other, by_hand(b), chance=chance, count=count), name
        else:
            assert all(v is None for v in b) or found(name)[0].per == "trial", name
    days = sorted(row[column.DURATION] // DAY for row in rows[one]) if one.calendar else []
    for name, q in (("p10", 0.1), ("median", 0.5), ("p90", 0.9)):
        if days:
            value = alone[f"duration_{name}_months"].estimate
            assert value == pytest.approx(days[max(math.ceil(count * q), 1) - 1] / MONTH_DAYS)
    return {found(name)[0].name for name in (*alone, *apart)}


WITHOUT_DECISION = ("p_dose_reduced", "p_dose_reduction_triggered")
"""Quantities of every trial; the others of such names hang on a dose decision and have tests of their own."""


def test_random_trials_in_calendar_time() -> None:
    rng = random.Random("quantities")
    seen: set[str] = set()
    for seed in range(120):
        rules, calendar, thresholds = random_conduct(rng)
        other_rates = random_thresholds(rng, *thresholds.shape[:2])
        false_go = rng.randrange(1 << calendar.cohorts)
        one = replace(Timed.of(rules, calendar, thresholds), false_go=false_go)
        other = replace(one, thresholds=other_rates)
        seen |= assert_sides(Side.of(one, false_go), Side.of(other, false_go), seed, 60)
    assert seen == {name for name in READINGS if not name.startswith("p_dose_") or name in WITHOUT_DECISION}


def test_trials_without_a_calendar() -> None:
    rng = random.Random("plain quantities")
    for seed in range(30):
        rules, _, thresholds = random_conduct(rng)
        tables = Timed.of(rules, random_conduct(rng)[1], thresholds).tables
        one, other = (
            Untimed(tables, np.ascontiguousarray(random_thresholds(rng, rules.levels, 1)[:, 0, :SERIOUS]))
            for _ in range(2)
        )
        assert_sides(Side.of(one), Side.of(other), seed, 80)


def test_every_quantity_that_can_be_paired_has_a_reading() -> None:
    unread = {q.name for q in QUANTITIES} - set(READINGS)
    averaged = {q.name for q in QUANTITIES if q.needs in ("history", "prior")}
    assert unread == {"p_go_averaged", "better_dose"} | averaged
    for name, reading in READINGS.items():
        quantity = next(q for q in QUANTITIES if q.name == name)
        assert bool(quantity.not_paired) == (reading.quantile is not None), name


def test_the_error_of_a_difference_of_months_to_the_trigger_is_its_spread() -> None:
    """Over 400 seeds the differences vary as their standard errors say: a ratio of 0.9 to 1.1 leaves 2.8 of its own
    standard errors, 1 / sqrt(2 * 400), on either side."""
    rng = random.Random("trigger")
    while True:
        rules, calendar, thresholds = random_conduct(rng)
        one = Side.of(Timed.of(rules, calendar, thresholds))
        other = Side.of(Timed.of(rules, calendar, np.minimum(thresholds * 3 // 4, thresholds)))
        pair = Together(one, (other,))
        first = against(pair.tally(stream_key(0), 0, 300), 1).get("trigger_months")
        shares = [
            estimates(pair.tally(stream_key(0), 0, 300), k)["p_dose_reduction_triggered"] for k in (0, 1)
        ]
        if first and first.difference.mcse > 0 and all(0.2 < s.estimate < 0.8 for s in shares):
            break
    found_ = [
        against(pair.tally(stream_key(seed), 0, 300), 1)["trigger_months"].difference for seed in range(400)
    ]
    spread = statistics.stdev(d.estimate for d in found_)
    said = math.sqrt(statistics.fmean(d.mcse**2 for d in found_))
    assert 0.9 < spread / said < 1.1
