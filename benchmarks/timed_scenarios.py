"""The trials in calendar time that the kernels and the yardsticks are timed on.

The first is like the dasatinib trial: about 70 patients, 4.5 a month, two doses under a Pocock boundary, visits every
two months. The others change one thing each, or its size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from trialsim.codes import NEVER, POOLED, REDUCE, STOP
from trialsim.designs.binomial import upper_tail
from trialsim.designs.rules import Monitor, Rules, two_way
from trialsim.designs.toxicity import Pocock
from trialsim.kernels.tables import CONTINUE_ACCRUAL, OLD_DOSE, PAUSE, Calendar, Int64, threshold
from trialsim.scenario.truth import CERTAIN, Rates, Strata

WEEK, MONTH = 7168, 31168
VISITS = (9, 17, 25)
FIRST_SEEN = (0.7, 0.3)
PER_MONTH = 4.5
PROGRESSION_MEDIAN, CONTROL_WEEK = 7.8, 16
WINDOW, EARLY_SHARE, AMENDMENT_LAG = 8, 0.5, 6
TOXICITY, SERIOUS_RATE, STABLE_SHARE, EVALUABLE = (0.45, 0.32), 0.20, 0.09, 0.9857
SHARES = (0.348, 0.652)
"""Weeks, patients a month and rates of the dasatinib-like trial."""


class Timed(NamedTuple):
    """A trial to race, what nature does in it, and how many replicates take about as long as the others."""

    rules: Rules
    calendar: Calendar
    thresholds: Int64
    replicates: int


class Design(NamedTuple):
    """Simon's design: stop if responses <= r1 of n1, go if > r of n; null response rate and level."""

    n1: int
    r1: int
    n: int
    r: int
    p0: float
    alpha: float = 0.05

    def rules(self) -> Rules:
        """Two doses under a Pocock boundary that reduces the first and stops at the second."""
        bounds = Pocock(kind="pocock", limit=0.30, phi=0.10).compile(self.n, self.n)
        looks = two_way((self.n1, self.n), (self.r1, self.r), (None, self.r))
        return Rules(looks, Monitor((bounds, bounds), (0, 0), (REDUCE, STOP)), False, self.n)

    def attained_ge(self) -> list[int]:
        """Least responses for a go by number of patients, at the null rate and level."""
        tails = [upper_tail(m, self.p0) <= self.alpha for m in range(self.n + 1)]
        return [int(enough.argmax()) if enough.any() else NEVER for enough in tails]


SEVENTY = Design(25, 1, 70, 6, p0=0.05)
FIFTY_FOUR = Design(19, 3, 54, 12, p0=0.15)
TWENTY_NINE = Design(10, 1, 29, 5, p0=0.10)


def _thresholds(probabilities: Iterable[float]) -> Int64:
    return np.array([threshold(p) for p in probabilities], dtype=np.int64)


def calendar_of(design: Design, strata: int) -> Calendar:
    """The conduct of the dasatinib-like trial in ticks, by docs/conduct.md."""
    window, half = WINDOW * WEEK, WINDOW * WEEK >> 1
    early = threshold(EARLY_SHARE)
    hazard = math.log(2) / PROGRESSION_MEDIAN
    by_control = -math.expm1(-hazard * CONTROL_WEEK)
    without = [-math.expm1(-hazard * min(week, CONTROL_WEEK)) / by_control for week in VISITS]
    within = [-math.expm1(-hazard * max(week - CONTROL_WEEK, 0)) for week in VISITS]
    seen = [*accumulate(FIRST_SEEN[:-1]), *[1.0] * (len(VISITS) - len(FIRST_SEEN) + 1)]
    ticks_per_patient = MONTH / PER_MONTH
    return Calendar(
        piece_tick=np.zeros(1, dtype=np.int64),
        piece_unit=np.zeros(1, dtype=np.int64),
        ticks_per_unit=np.array([round(256 * ticks_per_patient)], dtype=np.int64),
        units_per_tick=np.array([round(2**36 / ticks_per_patient)], dtype=np.int64),
        screening=np.zeros(64, dtype=np.int64),
        visit=np.array([week * WEEK for week in VISITS], dtype=np.int64),
        seen_by=_thresholds(seen),
        confirmation=1,
        missed_by=np.zeros(len(VISITS), dtype=np.int64),
        progressed_by=np.stack([_thresholds(without), _thresholds(within)]),
        control_visit=sum(week < CONTROL_WEEK for week in VISITS),
        window=window,
        early=early,
        onset_scale=np.array([(half << 32) // early, ((window - half) << 32) // (CERTAIN - early)]),
        interim=CONTINUE_ACCRUAL,
        review_lag=0,
        as_it_happens=False,
        lag=AMENDMENT_LAG * WEEK,
        during_lag=OLD_DOSE,
        amended_at=np.zeros(2, dtype=np.int64),
        exclude=False,
        after_change=POOLED,
        attained_ge=np.array(design.attained_ge(), dtype=np.int32),
        stratum_by=_thresholds([*accumulate(SHARES[: strata - 1]), 1.0]),
        cohort_of=np.arange(strata, dtype=np.int32),
        cohorts=strata,
        own=False,
        max_arrivals=design.n,
        max_reductions=-1,
        hold=0,
        amounts=np.array([100_000, 70_000], dtype=np.int64),
        exposure=0,
    )


def timed(
    *response: tuple[float, float],
    odds_ratio: float = 2.0,
    design: Design = SEVENTY,
    strata: int = 1,
    interim: int = CONTINUE_ACCRUAL,
    as_it_happens: bool = False,
    replicates: int = 65_536,
) -> Timed:
    """A trial from its response rates by dose: one pair for all patients, or one a stratum."""
    rates = [Rates(pair, TOXICITY, odds_ratio, EVALUABLE) for pair in response]
    truth = Strata(
        shares=SHARES if strata == 2 else (1.0,),
        rates=tuple(rates * (strata // len(rates))),
        stable=((STABLE_SHARE,) * 2,) * strata,
        serious=((SERIOUS_RATE,) * 2,) * strata,
    )
    calendar = calendar_of(design, strata)._replace(interim=interim, as_it_happens=as_it_happens)
    return Timed(design.rules(), calendar, truth.thresholds(), replicates)


AT_P1, AT_P0 = (0.15, 0.11), (0.05, 0.05)

TRIALS = {
    "dasatinib-like, 1/25 6/70": timed(AT_P1),
    "at p0, odds ratio 1": timed(AT_P0, odds_ratio=1.0),
    "two cohorts, same rates": timed(AT_P1, strata=2),
    "two cohorts, different rates": timed((0.22, 0.18), (0.11, 0.07), strata=2),
    "accrual paused at the interim look": timed(AT_P1, interim=PAUSE),
    "toxicity as it happens": timed(AT_P1, as_it_happens=True),
    "3/19 12/54": timed((0.30, 0.25), design=FIFTY_FOUR),
    "1/10 5/29": timed((0.30, 0.25), design=TWENTY_NINE, replicates=131_072),
}
"""Trials by name; the first is the one to beat."""


def refuse_others(rules: Rules, calendar: Calendar) -> None:
    """Raise ValueError where a trial asks for what the yardsticks leave out."""
    others = {
        "replaced patients": rules.replaced,
        "a final look before the last": any(rules.looks.is_final(k) for k in range(len(rules.looks.n) - 1)),
        "an analysis set that changes with the dose": rules.on_dose_change != POOLED
        or calendar.after_change != POOLED,
        "amendments by patient or month": any(rules.monitor.at_enrolled) or bool(calendar.amended_at.any()),
        "accrual whose rate changes": len(calendar.piece_tick) > 1,
        "screening failures": bool(calendar.screening.any()),
        "withdrawal": bool(calendar.missed_by.any()),
        "decisions before the outcomes": calendar.interim not in (CONTINUE_ACCRUAL, PAUSE),
        "a review lag": calendar.review_lag != 0,
        "a hold or a switch at once": calendar.during_lag != OLD_DOSE,
        "overrun left out": calendar.exclude,
        "rules by cohort": calendar.own,
        "dose reductions of single patients": calendar.max_reductions >= 0,
        "no toxicity window": calendar.window == 0,
        # 4 times the expected length, beyond which a count of ticks in 32 bits could overflow
        "such slow accrual": 4 * rules.max_treated * int(calendar.ticks_per_unit[0]) >> 8 > 1 << 29,
    }
    if asked := [what for what, here in others.items() if here]:
        raise ValueError(f"the yardsticks simulate no {', '.join(asked)}")
