"""From the conduct and cohorts that a scenario states to whole ticks and thresholds (docs/conduct.md)."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from trialsim.codes import RESTART, TICKS_PER_MONTH
from trialsim.designs.rules import Rules
from trialsim.errors import DesignError
from trialsim.kernels.tables import (
    CONTINUE_ACCRUAL,
    EARLY_DECISION,
    HOLD,
    OLD_DOSE,
    PAUSE,
    SWITCH,
    WAIT,
    Calendar,
    Int64,
    threshold,
)
from trialsim.scenario.compiling import MONTHS_A_WEEK, SHORTFALL, attained_ge, of_a_cohort
from trialsim.scenario.conduct import Accrual, Conduct
from trialsim.scenario.model import Scenario
from trialsim.scenario.pending import weighed
from trialsim.scenario.truth import CERTAIN
from trialsim.scenario.values import ticks

MAX_ARRIVALS = 100_000
"""More patients than would ever be screened for one trial."""

AT_ONCE = Conduct(accrual=Accrual(per_month=1.0), assessment_weeks=(16.0,), confirmed=False)
"""Where time does not matter, a patient arrives a month."""

_INTERIM = {"continue": CONTINUE_ACCRUAL, "pause": PAUSE, "early_decision": EARLY_DECISION}
_DURING = {"old_dose": OLD_DOSE, "hold": HOLD, "switch": SWITCH}


def calendar(scenario: Scenario, rules: Rules) -> Calendar:
    """The conduct of a scenario in ticks; without a ``conduct`` block all outcomes are known at once."""
    conduct = scenario.conduct
    if conduct is None:
        # a stand-in, whose one visit is then moved to the start of treatment
        return immediate(_compiled(scenario, rules, AT_ONCE))
    compiled = _compiled(scenario, rules, conduct)
    if why := conduct.accrual.too_slow(compiled.max_arrivals):
        raise DesignError(f"conduct.accrual: {why}")
    return compiled


def immediate(calendar: Calendar) -> Calendar:
    """The same trial with all outcomes known at once, which an exact answer can be compared with."""
    return calendar._replace(
        visit=np.zeros_like(calendar.visit),
        window=0,
        onset_scale=np.zeros(2, dtype=np.int64),
        interim=CONTINUE_ACCRUAL,
        review_lag=0,
        lag=0,
        during_lag=OLD_DOSE,
        max_reductions=-1,
        weighing=WAIT,
    )


def _compiled(scenario: Scenario, rules: Rules, conduct: Conduct) -> Calendar:
    arrivals = _max_arrivals(scenario, rules)
    failures = conduct.accrual.screening_failure
    cohorts = scenario.cohorts.names if scenario.cohorts else (scenario.strata[0].cohort_name,)
    weeks = conduct.assessment_weeks
    window = ticks(conduct.toxicity_window_weeks or 0.0)
    early = min(max(threshold(conduct.early_onset), 1), CERTAIN - 1)
    half = window >> 1
    reductions = conduct.patient_reductions
    rule = scenario.dose_reduction.rule if scenario.dose_reduction else None
    months = rule.months() if rule is not None and rule.kind == "amendment" else ()
    curve = _accrual_curve(conduct.accrual)
    weighing = weighed(scenario, rules.looks)
    return Calendar(
        piece_tick=curve[0],
        piece_unit=curve[1],
        ticks_per_unit=curve[2],
        units_per_tick=curve[3],
        screening=_thresholds(failures**k for k in range(1, 65)),
        visit=_whole(ticks(week) for week in weeks),
        seen_by=_thresholds(conduct.seen_by()),
        confirmation=int(conduct.confirmed),
        missed_by=_thresholds(
            -math.expm1(-conduct.withdrawal_per_month * week * MONTHS_A_WEEK) for week in weeks
        ),
        progressed_by=_progressed_by(conduct),
        control_visit=sum(week < conduct.disease_control_week for week in weeks),
        window=window,
        early=early,
        onset_scale=_whole([(half << 32) // early, ((window - half) << 32) // (CERTAIN - early)]),
        interim=_INTERIM[conduct.interim],
        review_lag=ticks(conduct.review_lag_weeks),
        as_it_happens=conduct.toxicity_known == "as_it_happens",
        lag=ticks(conduct.amendment_lag_weeks),
        during_lag=_DURING[conduct.during_amendment],
        amended_at=_whole(
            # rules that leave out the dose reduction have no dose to amend to
            _nearest(months[k] * TICKS_PER_MONTH) if k < min(len(months), rules.levels - 1) else 0
            for k in range(rules.levels)
        ),
        exclude=conduct.overrun == "exclude",
        after_change=rules.on_dose_change,
        attained_ge=np.array(attained_ge(scenario, rules.looks.planned_n), dtype=np.int32),
        stratum_by=_thresholds(_cumulated([stratum.share for stratum in scenario.strata])),
        cohort_of=np.array([cohorts.index(s.cohort_name) for s in scenario.strata], dtype=np.int32),
        cohorts=len(cohorts),
        own=scenario.own_rules,
        max_arrivals=arrivals,
        max_reductions=reductions.max_reductions if reductions else -1,
        hold=ticks(reductions.hold_weeks) if reductions else 0,
        amounts=_whole(_nearest(1000 * amount) for amount in scenario.dose_amounts or (1.0,) * rules.levels),
        exposure=threshold(reductions.exposure_weight) if reductions else 0,
        apart=scenario.apart,
        only=-1,
        weighing=weighing.tables(len(rules.looks.n)) if weighing else WAIT,
    )


def _accrual_curve(accrual: Accrual) -> tuple[Int64, Int64, Int64, Int64]:
    """Start tick, unit-rate time there, ticks per unit and units per tick of each piece."""
    pieces = [(_nearest(month * TICKS_PER_MONTH), TICKS_PER_MONTH / rate) for month, rate in accrual.pieces()]
    tick = [start for start, _ in pieces]
    units_per_tick = [_nearest(2**36 / ticks) for _, ticks in pieces]
    unit = [0]
    for start, end, rate in zip(tick, tick[1:], units_per_tick, strict=False):
        unit.append(unit[-1] + ((end - start) * rate >> 16))
    return (
        _whole(tick),
        _whole(unit),
        _whole(_nearest(256 * ticks) for _, ticks in pieces),
        _whole(units_per_tick),
    )


def _progressed_by(conduct: Conduct) -> Int64:
    """(2, V) thresholds of progression found at a visit or before it, without and with disease control."""
    hazard, control = math.log(2) / conduct.progression_median_weeks, conduct.disease_control_week
    before_control = -math.expm1(-hazard * control)
    weeks = conduct.assessment_weeks
    return np.stack(
        [
            _thresholds(-math.expm1(-hazard * min(week, control)) / before_control for week in weeks),
            _thresholds(-math.expm1(-hazard * max(week - control, 0.0)) for week in weeks),
        ]
    )


def _max_arrivals(scenario: Scenario, rules: Rules) -> int:
    """Arrivals after which no further patient is needed; with own rules, except with probability <= SHORTFALL."""
    if scenario.cohorts is None or not scenario.own_rules:
        return rules.most_treated
    from scipy.special import bdtr

    share = {
        name: sum(s.share for s in scenario.strata if s.cohort_name == name)
        for name in scenario.cohorts.names
    }

    needed = [of_a_cohort(rules, len(share), c).most_treated for c in range(len(share))]

    lost = max(_turned_away(scenario, of_a_cohort(rules, len(share), c)) for c in range(len(share)))

    def suffices(arrivals: int) -> bool:
        came = max(arrivals - lost, 0)
        short = (bdtr(n - 1, came, min(q, 1.0)) for n, q in zip(needed, share.values(), strict=True))
        return bool(sum(short) <= SHORTFALL)

    if not suffices(MAX_ARRIVALS):
        raise DesignError(
            f"cohorts: more than {MAX_ARRIVALS} patients would have to be screened to complete the smallest cohort "
            f"({min(share, key=lambda name: share[name])})"
        )
    low, high = max(needed) - 1, MAX_ARRIVALS  # high suffices, low does not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


def _turned_away(scenario: Scenario, rules: Rules) -> int:
    """Arrivals while a cohort by itself is closed, its own or not: no more, except with probability <= SHORTFALL.

    The cohort is closed at most once an interim look, once a patient who is replaced, and once a dose that it leaves,
    each time until the last outcome that is awaited, which then lies no further away than the last visit or the end of
    the window.
    """
    from scipy.special import pdtrc

    conduct, looks = scenario.conduct, rules.looks
    if conduct is None:
        return 0
    awaited = conduct.assessment_weeks[-1]
    if looks.too_toxic:
        awaited = max(awaited, conduct.toxicity_window_weeks or 0.0)
    courses = rules.levels if rules.on_dose_change == RESTART else 1
    weeks = (rules.max_treated - looks.planned_n) * awaited * courses if rules.replaced else 0.0
    if conduct.interim != "continue":
        least = conduct.weighing.least_weeks if conduct.weighing else 0.0
        weeks += (len(looks.n) - 1) * courses * (awaited + least + conduct.review_lag_weeks)
    if conduct.during_amendment == "hold":
        weeks += (rules.levels - 1) * conduct.amendment_lag_weeks
    mean = weeks * MONTHS_A_WEEK * max(rate for _, rate in conduct.accrual.pieces())
    most = math.ceil(mean)
    while mean and pdtrc(most, mean) > SHORTFALL:
        most += 1
    return most


def _cumulated(shares: list[float]) -> tuple[float, ...]:
    """Cumulated shares; the last is 1 whatever the rounding."""
    return (*np.cumsum(shares)[:-1].tolist(), 1.0)


def _nearest(x: float) -> int:
    return math.floor(x + 0.5)


def _thresholds(probabilities: Iterable[float]) -> Int64:
    return _whole(threshold(min(p, 1.0)) for p in probabilities)


def _whole(values: Iterable[int]) -> Int64:
    return np.array(list(values), dtype=np.int64)
