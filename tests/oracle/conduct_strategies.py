"""Random small trials in calendar time: every option of the conduct in any combination, often on the same days."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tests.oracle.naive import WORD, threshold
from tests.oracle.strategies import random_rules
from trialsim.codes import NEVER
from trialsim.designs.rules import Rules
from trialsim.kernels.tables import (
    CONTINUE_ACCRUAL,
    EARLY_DECISION,
    HOLD,
    NEW_DOSE_ONLY,
    OLD_DOSE,
    PAUSE,
    POOLED,
    RESTART,
    SWITCH,
    Calendar,
    Int64,
    Weighing,
)

RATES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
SCALES = (1, 1, 3, 100, 7168)
"""Ticks in a unit of a scenario: at one tick almost everything falls on the same days."""


def whole(numbers: Sequence[int]) -> Int64:
    return np.array(numbers, dtype=np.int64)


def shares(rng: random.Random, steps: int, certain_from: int | None = None) -> Int64:
    """Cumulated shares as thresholds; certain from one step on, if any."""
    cumulated = sorted(threshold(rng.choice((0.0, 0.1, 0.3, 0.6, 0.8, 1.0))) for _ in range(steps))
    if certain_from is not None:
        cumulated[certain_from:] = [WORD] * (steps - certain_from)
    return whole(cumulated)


def random_thresholds(rng: random.Random, levels: int, strata: int) -> Int64:
    """Thresholds (levels, strata, 8) from extreme and middle rates."""

    def one() -> list[int]:
        response, if_not, if_so = (rng.choice(RATES) for _ in range(3))
        evaluable = rng.choice((1.0, 1.0, 0.8, 0.5, 0.0))
        rates = (
            response,
            if_not,
            if_so,
            evaluable,
            rng.choice((evaluable, 1.0)),
            rng.choice(RATES),
            rng.choice(RATES),
            response * if_so + (1 - response) * if_not,
        )
        return [threshold(p) for p in rates]

    return np.array([[one() for _ in range(strata)] for _ in range(levels)], dtype=np.int64)


def random_accrual(rng: random.Random, scale: int) -> tuple[Int64, Int64, Int64, Int64]:
    """An accrual curve of one to three pieces: where each starts in ticks and units, and its rate both ways."""
    pieces = rng.randint(1, 3)
    ticks = [0, *sorted(rng.sample(range(1, 30), pieces - 1))]
    ticks = [tick * scale for tick in ticks]
    pace = rng.choice((0.3, 1.0, 4.0, 12.0))
    per_patient = [scale * pace * rng.choice((0.5, 1.0, 2.3)) for _ in ticks]
    units_per_tick = [round(2**36 / x) for x in per_patient]
    units = [0]
    for j in range(1, pieces):
        units.append(units[-1] + ((ticks[j] - ticks[j - 1]) * units_per_tick[j - 1] >> 16))
    return whole(ticks), whole(units), whole([round(256 * x) for x in per_patient]), whole(units_per_tick)


def onset_scale(window: int, early: int) -> Int64:
    """A and B of docs/conduct.md; 0 where the half of the window has no share."""
    half = window >> 1
    return whole(
        [
            half * WORD // early if early else 0,
            (window - half) * WORD // (WORD - early) if early < WORD else 0,
        ]
    )


def room_for(rules: Rules, patients: int) -> Rules:
    """The same rules for a trial of that many patients; boundaries end as they ended."""
    monitor = rules.monitor
    rows, stops = (
        tuple((*row, *[row[-1]] * (patients + 1 - len(row))) for row in table)
        for table in (monitor.act_ge, monitor.stop_ge)
    )
    return replace(rules, monitor=replace(monitor, act_ge=rows, stop_ge=stops), max_treated=patients)


def random_conduct(rng: random.Random) -> tuple[Rules, Calendar, Int64]:
    """Rules, calendar and thresholds of a small trial."""
    rules = random_rules(rng, max_n=rng.randint(2, 10), levels=rng.randint(1, 3), max_extra=4)
    while rules.looks.planned_n < 2:
        rules = random_rules(rng, max_n=10, levels=rules.levels, max_extra=4)
    levels, planned_n = rules.levels, rules.looks.planned_n

    strata = rng.randint(1, 3)
    cohorts = min(strata, rng.randint(1, 2))
    own = cohorts > 1 and rng.random() < 0.5
    after_change = (
        POOLED if own else rng.choice((POOLED, RESTART, POOLED if rules.replaced else NEW_DOSE_ONLY))
    )
    if after_change == NEW_DOSE_ONLY:
        rules = replace(rules, looks=replace(rules.looks, toxic_ge=()))
    max_arrivals = rules.max_treated
    if own:
        # So many that only arrivals run out: who is counted towards the largest number of treated does not matter.
        max_arrivals = 4 * planned_n * cohorts
        rules = room_for(rules, max_arrivals)
    elif after_change == RESTART:
        max_arrivals *= levels

    scale = rng.choice(SCALES)

    def time(*choices: float) -> int:
        """A length of time, not always a whole number of units."""
        length = rng.choice(choices) * scale
        return int(length) + (rng.randint(0, scale - 1) if length and scale > 1 and rng.random() < 0.5 else 0)

    piece_tick, piece_unit, ticks_per_unit, units_per_tick = random_accrual(rng, scale)
    visits = rng.randint(1, 4)
    confirmation = rng.randint(0, 1) if visits > 1 else 0
    spacing = time(1, 3, 10)
    visit = [time(1, 3, 10)]
    for _ in range(visits - 1):
        visit.append(visit[-1] + spacing)
    window, early = time(0, 1, 2, 5, 12, 40), threshold(rng.choice((0.0, 0.3, 0.5, 0.8, 1.0)))
    failing = rng.choice((0.0, 0.0, 0.3, 0.7))
    attained = sorted(rng.randint(0, planned_n + 1) for _ in range(planned_n + 1))
    attained = [NEVER if r > planned_n else r for r in attained]
    rules = replace(rules, on_dose_change=after_change, attained_ge=tuple(attained))

    calendar = Calendar(
        piece_tick=piece_tick,
        piece_unit=piece_unit,
        ticks_per_unit=ticks_per_unit,
        units_per_tick=units_per_tick,
        screening=whole([threshold(failing**k) for k in range(1, 65)]),
        visit=whole(visit),
        seen_by=shares(rng, visits, certain_from=visits - 1 - confirmation),
        confirmation=confirmation,
        missed_by=shares(rng, visits) if rng.random() < 0.5 else whole([0] * visits),
        progressed_by=np.stack([shares(rng, visits), shares(rng, visits)]),
        control_visit=rng.randint(0, visits),
        window=window,
        early=early,
        onset_scale=onset_scale(window, early),
        interim=rng.choice((CONTINUE_ACCRUAL, PAUSE, EARLY_DECISION)),
        review_lag=time(0, 0, 1, 4, 15),
        as_it_happens=rng.random() < 0.5,
        lag=time(0, 1, 5, 30),
        during_lag=rng.choice((OLD_DOSE, HOLD, SWITCH)),
        amended_at=whole(
            [time(1, 5, 20, 60) if d < levels - 1 and rng.random() < 0.25 else 0 for d in range(levels)]
        ),
        exclude=rng.random() < 0.5,
        after_change=after_change,
        attained_ge=np.array(attained, dtype=np.int32),
        stratum_by=shares(rng, strata, certain_from=strata - 1),
        cohort_of=np.array([g % cohorts for g in range(strata)], dtype=np.int32),
        cohorts=cohorts,
        own=own,
        max_arrivals=max_arrivals,
        max_reductions=rng.choice((-1, 0, 1, 2)),
        hold=time(0, 1, 4),
        amounts=whole([100_000, 70_000, 50_000][:levels]),
        exposure=threshold(rng.choice((0.0, 0.5, 1.0))),
    )
    return rules, calendar, random_thresholds(rng, levels, strata)


def immediate(calendar: Calendar) -> Calendar:
    """The same calendar with every outcome known at once and every decision in force at once."""
    return calendar._replace(
        visit=np.zeros_like(calendar.visit),
        window=0,
        onset_scale=np.zeros_like(calendar.onset_scale),
        interim=CONTINUE_ACCRUAL,
        review_lag=0,
        lag=0,
        during_lag=OLD_DOSE,
        max_reductions=-1,
    )


def random_weighing(rng: random.Random, rules: Rules, calendar: Calendar) -> Calendar:
    """The same conduct with interim looks that weigh pending patients, by thresholds at random."""
    looks, n = len(rules.looks.n), rules.looks.planned_n
    visits = [int(v) for v in calendar.visit]
    window = max(rng.choice((1, visits[0], visits[-1], 2 * visits[-1])), 1)
    credit = sorted(rng.randint(0, window) for _ in visits) if rng.random() < 0.4 else []
    rows = rng.randint(1, n)
    nodes = 5 if rng.random() < 0.3 else 0
    table = [
        [sorted(rng.randint(0, n * window) for _ in range(n + 1)) for _ in range(rows)] for _ in range(looks)
    ]
    return calendar._replace(
        interim=min(calendar.interim, PAUSE),
        weighing=Weighing(
            on=True,
            allowed=whole([rng.randint(0, m) for m in rules.looks.n]),
            minimum=rng.choice((0, 0, visits[0] // 2, visits[-1])),
            window=window,
            credit=whole(credit),
            doubt=rng.randint(0, window),
            futile_from=np.array(table, dtype=np.int64),
            node=np.array([rng.random() for _ in range(nodes)]),
            gain=np.array([[rng.uniform(-1, 1) for _ in range(nodes)] for _ in range(looks)]).reshape(
                looks, nodes
            ),
            unconfirmed=np.array([[rng.random() for _ in range(nodes)] for _ in range(n + 1)]).reshape(
                n + 1, nodes
            ),
        ),
    )
