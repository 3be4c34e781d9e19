"""Trials in calendar time, many abreast: the same rows as ``conduct.py``, bit for bit, for what is common.

Trials know nothing of each other, so a block advances in lanes, dose level by dose level: everybody draws the first
patient at the level, then the second, ... . A lane has an alarm, the tick of the next thing that its trial is waiting
for; a patient who arrives before it, is nobody's cut-off and fills no look needs no decision at all. What becomes of
a trial is decided one at a time, where an alarm rings or something is due. What is rare goes to ``conduct.py``
(``engine.trials`` chooses). Measurements: benchmarks/NOTES.md.
"""

from __future__ import annotations

import numpy as np

from trialsim.codes import (
    CONTINUE,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILE,
    FUTILITY,
    GO,
    GO_EARLY,
    NEVER,
    STOP,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.abreast_draw import (
    BITS,
    COHORT,
    CONTROLLED_SHIFT,
    COUNTS_BIT,
    DRAWN,
    GAP,
    KNOWN,
    SCRATCH,
    SCREENED,
    SERIOUS_SHIFT,
    TOXICITY_KNOWN,
    WORDS,
    draw,
    draw_words,
)
from trialsim.kernels.clock import ticks_of, units_of
from trialsim.kernels.jit import kernel
from trialsim.kernels.patient import FULL_INTENSITY
from trialsim.kernels.tables import HOLD, PAUSE, SWITCH

LANES = 1008
"""Trials that advance abreast, a multiple of VECTOR. No result depends on it."""

VECTOR = 16
"""Lanes are drawn in multiples of so many; those beyond the running trials hold rubbish that nobody reads."""

MOST_PATIENTS = 1000
"""Counts of patients are packed ten bits each."""

FAR = 1 << 30
"""A tick that no trial in the lanes reaches: 2,870 years."""

SPENT = 1 << 20
"""Taken off TOXIC_N when the rule has acted at a level, so that it reaches no further cut-off."""

(
    TRIAL,
    BEFORE,
    LOOK,
    DUE_AT,
    RESPONSES,
    TOXIC_N,
    COUNTS,
    SCREENED_N,
    REACH,
    TOXIC_REACH,
    EARLIER_REACH,
    ALARM,
    CROSSING,
    AMENDMENT,
    SWITCH_AT,
    STOP_AT,
    STOP_CODE,
    DECIDED,
    REOPENED,
    PAUSED_N,
    START,
    LAST_IN,
    CROSSED_BY,
    STATE,
) = range(24)
"""State of a lane. TRIAL: row of ``out``; BEFORE: patients before this level; LOOK, DUE_AT: pending look and the patient
that fills it; RESPONSES; TOXIC_N: toxicities at the level (far below zero once the rule has acted); COUNTS: evaluable,
controlled and serious patients, ten bits each; REACH, TOXIC_REACH: tick by which all responses, and all toxicities at the
level, are known, EARLIER_REACH: those of the levels before; ALARM: the least of the four after it; STOP_CODE, DECIDED:
end that STOP_AT brings, last decision; REOPENED: tick to which accrual was closed; START, LAST_IN: first and last
arrival; CROSSED_BY: patients of the trial when the cut-off was reached."""


@kernel
def _advance(  # type: ignore[no-untyped-def]
    calendar, lanes, unit, counts, drawn, event, width, m, bound, last
):
    """Let the m-th patient at the level of every lane arrive; mark the lanes where something is to be decided.

    A patient who arrives at or after the alarm is not entered. ``counts`` (C, lanes) are patients, evaluable patients
    and responses of each cohort, ten bits each.
    """
    due_at, before, alarm = lanes[DUE_AT], lanes[BEFORE], lanes[ALARM]
    responses, toxic_n, packed, screened_n = (
        lanes[RESPONSES],
        lanes[TOXIC_N],
        lanes[COUNTS],
        lanes[SCREENED_N],
    )
    reach, toxic_reach, last_in = lanes[REACH], lanes[TOXIC_REACH], lanes[LAST_IN]
    reopened = lanes[REOPENED]
    bits, gap, known, toxicity_known = drawn[BITS], drawn[GAP], drawn[KNOWN], drawn[TOXICITY_KNOWN]
    screened, cohort = drawn[SCREENED], drawn[COHORT]
    arrival = drawn[SCRATCH]

    for lane in range(width):
        unit[lane] += gap[lane]
    if calendar.piece_unit.shape[0] == 1:
        scale = calendar.ticks_per_unit[0]
        for lane in range(width):
            arrival[lane] = max(unit[lane] * scale >> 28, reopened[lane])
    else:
        for lane in range(width):
            arrival[lane] = max(ticks_of(calendar, unit[lane]), reopened[lane])
    for lane in range(width):
        t = arrival[lane]
        enters = np.int32(t < alarm[lane])
        mask = -enters
        b = bits[lane] & mask
        toxic_n[lane] += b & 1
        responses[lane] += (b >> 1) & 1
        packed[lane] += b >> COUNTS_BIT
        screened_n[lane] += screened[lane] & mask
        reach[lane] = max(reach[lane], (t + known[lane]) & mask)
        toxic_reach[lane] = max(toxic_reach[lane], (t + toxicity_known[lane]) & mask)
        last_in[lane] = max(last_in[lane], t & mask)
        i = before[lane] + m
        event[lane] = (1 - enters) | (toxic_n[lane] >= bound) | (i == due_at[lane]) | (i >= last)
    for c in range(1, counts.shape[0]):
        own = counts[c]
        for lane in range(width):
            b = bits[lane]
            # patients, evaluable, responses, where the patient entered and is of this cohort
            one = 1 | (b >> COUNTS_BIT & 1) << 10 | (b >> 1 & 1) << 20
            own[lane] += one if (arrival[lane] < alarm[lane]) & (cohort[lane] == c) else 0


@kernel
def _enter(lanes, counts, drawn, lane, t):  # type: ignore[no-untyped-def]
    """Enter one patient who arrives at tick t, as ``_advance`` does."""
    b = drawn[BITS, lane]
    lanes[TOXIC_N, lane] += b & 1
    lanes[RESPONSES, lane] += (b >> 1) & 1
    lanes[COUNTS, lane] += b >> COUNTS_BIT
    lanes[SCREENED_N, lane] += drawn[SCREENED, lane]
    lanes[REACH, lane] = max(lanes[REACH, lane], t + drawn[KNOWN, lane])
    lanes[TOXIC_REACH, lane] = max(lanes[TOXIC_REACH, lane], t + drawn[TOXICITY_KNOWN, lane])
    lanes[LAST_IN, lane] = t
    c = drawn[COHORT, lane]
    if 0 < c < counts.shape[0]:
        counts[c, lane] += 1 | (b >> COUNTS_BIT & 1) << 10 | (b >> 1 & 1) << 20


@kernel
def _close(calendar, lanes, unit, lane, start, end):  # type: ignore[no-untyped-def]
    """Close accrual from one tick to another; what is closed already counts once."""
    start = max(start, lanes[REOPENED, lane])
    if end > start:
        unit[lane] += units_of(calendar, end) - units_of(calendar, start)
        lanes[PAUSED_N, lane] += end - start
        lanes[REOPENED, lane] = end


@kernel
def _trigger(lanes, lane, now, row):  # type: ignore[no-untyped-def]
    """A dose reduction is triggered: the rule has acted at this level."""
    if row[column.TRIGGERED] == 0:
        row[column.TRIGGERED] = 1
        row[column.TRIGGERED_AT] = now - lanes[START, lane]
    lanes[CROSSING, lane] = lanes[AMENDMENT, lane] = FAR
    if lanes[TOXIC_N, lane] >= 0:
        lanes[TOXIC_N, lane] -= SPENT


@kernel
def _wait(tables, calendar, lanes, unit, lane, level, t, row):  # type: ignore[no-untyped-def]
    """Let happen what happens up to an arrival at tick t.

    Returns the tick at which the patient arrives after all, the end of the trial (-1: none) with its tick, and whether
    the dose is lowered before.
    """
    while True:
        trigger = min(lanes[CROSSING, lane], lanes[AMENDMENT, lane])
        stop, switch = lanes[STOP_AT, lane], lanes[SWITCH_AT, lane]
        now = min(min(trigger, stop), switch)
        if now > t:
            return t, -1, now, False
        if now == trigger:
            if now == lanes[CROSSING, lane] and tables.action[level] == STOP:
                return t, TOXICITY, now, False
            _trigger(lanes, lane, now, row)
            lanes[SWITCH_AT, lane] = now + (0 if calendar.during_lag == SWITCH else calendar.lag)
            if calendar.during_lag == HOLD:
                _close(calendar, lanes, unit, lane, now, lanes[SWITCH_AT, lane])
                t = max(ticks_of(calendar, unit[lane]), np.int64(lanes[REOPENED, lane]))
        elif now == stop:
            return t, lanes[STOP_CODE, lane], now, False
        else:
            return t, -1, now, True


@kernel
def _look(tables, calendar, lanes, unit, lane, t):  # type: ignore[no-untyped-def]
    """The patients of the pending look are all in: what it will decide, and when. Returns the end if it is final."""
    look = lanes[LOOK, lane]
    decision = tables.look_next[look, lanes[RESPONSES, lane]]
    decided = max(lanes[REACH, lane] + calendar.review_lag, lanes[DECIDED, lane])
    lanes[DECIDED, lane] = decided
    if tables.final[look]:
        return FINAL_GO if decision == GO else FINAL_NO_GO if decision == FUTILE else FINAL_CONSIDER
    if decision >= 0:
        lanes[LOOK, lane], lanes[DUE_AT, lane] = decision, tables.look_n[decision]
    else:
        lanes[STOP_AT, lane], lanes[DUE_AT, lane] = decided, FAR
        lanes[STOP_CODE, lane] = FUTILITY if decision == FUTILE else GO_EARLY
    if calendar.interim == PAUSE:
        _close(calendar, lanes, unit, lane, t, decided)
    return -1


@kernel
def _finish(  # type: ignore[no-untyped-def]
    tables, calendar, lanes, counts, lane, treated, end, now, all_in, row, levels
):
    """Write the row of a trial that ends at a tick."""
    packed = lanes[COUNTS, lane]
    row[column.END] = end
    row[column.N] = row[column.TREATED] = treated
    row[column.EVALUABLE] = packed & 1023
    row[column.CONTROLLED] = (packed >> CONTROLLED_SHIFT) & 1023
    row[column.SERIOUS_N] = packed >> SERIOUS_SHIFT
    row[column.SCREENED] = lanes[SCREENED_N, lane]
    row[column.INTENSITY] = treated * FULL_INTENSITY
    early = end in (FUTILITY, GO_EARLY)
    if early:
        row[column.OVERRUN] = treated - tables.look_n[lanes[LOOK, lane]]
    elif end in (TOXICITY, TOXICITY_AT_N):
        row[column.OVERRUN] = treated - lanes[CROSSED_BY, lane]
    elif lanes[RESPONSES, lane] >= calendar.attained_ge[row[column.EVALUABLE]]:
        row[column.GO_EVALUABLE] = 1
    if end == GO_EARLY:
        row[column.GO_EVALUABLE] = 1
    last = max(max(lanes[REACH, lane], lanes[TOXIC_REACH, lane]), max(lanes[EARLIER_REACH, lane], now))
    accrual_end = lanes[LAST_IN, lane] if all_in else now
    row[column.DURATION] = last - lanes[START, lane]
    row[column.WAITING] = last - accrual_end
    row[column.PAUSED] = lanes[PAUSED_N, lane] - max(lanes[REOPENED, lane] - accrual_end, 0)
    row[column.DECIDED_AT] = now - lanes[START, lane]
    first = column.LEVELS + 3 * levels
    row[first + 1], row[first + 2], row[first + 3] = treated, packed & 1023, lanes[RESPONSES, lane]
    for c in range(1, counts.shape[0]):
        own, mine = first + 4 * c, counts[c, lane]
        row[own + 1], row[own + 2], row[own + 3] = mine & 1023, (mine >> 10) & 1023, mine >> 20
        for k in range(1, 4):
            row[first + k] -= row[own + k]


@kernel
def simulate(tables, calendar, thresholds, k0, k1, first, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (replicates, columns) with replicates ``first``, ``first + 1``, ... (``conduct_columns``).

    For trials in one arm without replacement, patient-level reductions, early decisions, amendments by month, excluded
    overrun or a change of the analysis set, which count only complete toxicity outcomes.
    """
    levels, cohorts = thresholds.shape[0], calendar.cohorts
    planned = tables.act_ge.shape[1] - 1
    lanes = np.empty((STATE, LANES), dtype=np.int32)
    arriving = np.empty((STATE, LANES), dtype=np.int32)
    unit, unit_arriving = np.empty(LANES, dtype=np.int64), np.empty(LANES, dtype=np.int64)
    counts, counts_arriving = (
        np.empty((cohorts, LANES), dtype=np.int32),
        np.empty((cohorts, LANES), dtype=np.int32),
    )
    words = np.empty((WORDS, LANES), dtype=np.uint32)
    drawn = np.zeros((DRAWN, LANES), dtype=np.int32)
    event = np.empty(LANES, dtype=np.uint8)
    where = np.empty(LANES + 1, dtype=np.int32)

    for start in range(0, out.shape[0], LANES):
        arrivals = min(LANES, out.shape[0] - start)
        arriving[:] = 0
        counts_arriving[:] = 0
        for lane in range(arrivals):
            out[start + lane] = 0
            arriving[TRIAL, lane] = start + lane
            arriving[DUE_AT, lane] = tables.look_n[0]
            arriving[ALARM, lane] = arriving[STOP_AT, lane] = FAR
            unit_arriving[lane] = 0

        for level in range(levels):
            lanes[:] = arriving
            unit[:] = unit_arriving
            counts[:] = counts_arriving
            running, arrivals = arrivals, 0
            for lane in range(running):
                lanes[CROSSING, lane] = lanes[AMENDMENT, lane] = lanes[SWITCH_AT, lane] = FAR
            p = thresholds[level]
            varied = False
            for s in range(1, p.shape[0]):
                for k in range(p.shape[1]):
                    varied = varied or p[s, k] != p[0, k]
            action, leave_at = tables.action[level], tables.at_enrolled[level]
            last = min(leave_at, planned) if leave_at > 0 else planned
            own = column.LEVELS + 3 * level
            m = 0
            while running > 0:
                width = (running + VECTOR - 1) // VECTOR * VECTOR
                draw_words(words, width, lanes[TRIAL], lanes[BEFORE], first, m, k0, k1)
                draw(calendar, p, varied, words, drawn, width)
                m += 1
                bound = tables.act_ge[level, m] if action != CONTINUE else NEVER
                _advance(calendar, lanes, unit, counts, drawn, event, width, m, bound, last)
                if level == 0 and m == 1:
                    for lane in range(running):
                        lanes[START, lane] = lanes[LAST_IN, lane]

                events = 0
                for lane in range(running):
                    where[events] = lane  # without a branch, which the processor could not foresee
                    events += event[lane]
                # downwards, because the last trial takes the lane of one that ends or leaves the level
                for e in range(events - 1, -1, -1):
                    lane = where[e]
                    row = out[lanes[TRIAL, lane]]
                    i = lanes[BEFORE, lane] + m
                    t = np.int64(drawn[SCRATCH, lane])
                    end, now, lowered, entered = -1, np.int64(0), False, True
                    if t >= lanes[ALARM, lane]:
                        t, end, now, lowered = _wait(tables, calendar, lanes, unit, lane, level, t, row)
                        entered = end < 0 and not lowered
                        if entered:
                            _enter(lanes, counts, drawn, lane, t)
                    if entered:
                        if lanes[TOXIC_N, lane] >= bound:
                            lanes[CROSSING, lane] = lanes[TOXIC_REACH, lane]
                            lanes[CROSSED_BY, lane] = i
                            lanes[TOXIC_N, lane] -= SPENT
                        if 0 < leave_at <= i and lanes[SWITCH_AT, lane] == FAR:
                            lanes[AMENDMENT, lane] = min(lanes[AMENDMENT, lane], t)
                        verdict = -1
                        if i == lanes[DUE_AT, lane]:
                            verdict = _look(tables, calendar, lanes, unit, lane, t)
                        if i == planned:
                            # the last patient: only outcomes are still to come
                            end, now = verdict, np.int64(lanes[DECIDED, lane])
                            if verdict < 0:
                                end, now = lanes[STOP_CODE, lane], np.int64(lanes[STOP_AT, lane])
                            trigger = min(lanes[CROSSING, lane], lanes[AMENDMENT, lane])
                            if trigger <= now:
                                if trigger == lanes[CROSSING, lane] and action == STOP:
                                    end, now = TOXICITY_AT_N, np.int64(trigger)
                                else:
                                    _trigger(lanes, lane, trigger, row)
                        lanes[ALARM, lane] = min(
                            min(lanes[CROSSING, lane], lanes[AMENDMENT, lane]),
                            min(lanes[SWITCH_AT, lane], lanes[STOP_AT, lane]),
                        )
                        if end < 0:
                            continue

                    here = m if entered else m - 1
                    row[own] = here
                    row[own + 1] = lanes[RESPONSES, lane]
                    for above in range(column.LEVELS, own, 3):
                        row[own + 1] -= row[above + 1]
                    toxic_n = lanes[TOXIC_N, lane]
                    row[own + 2] = toxic_n + (SPENT if toxic_n < 0 else 0)
                    if level > 0 and here > 0 and row[column.REDUCED_AFTER] == 0:
                        row[column.REDUCED_AFTER] = lanes[BEFORE, lane]
                    if lowered:
                        unit_arriving[arrivals] = unit[lane] - drawn[GAP, lane]
                        for f in range(STATE):
                            arriving[f, arrivals] = lanes[f, lane]
                        for c in range(cohorts):
                            counts_arriving[c, arrivals] = counts[c, lane]
                        arriving[BEFORE, arrivals] = i - 1
                        arriving[TOXIC_N, arrivals] = arriving[TOXIC_REACH, arrivals] = 0
                        arriving[EARLIER_REACH, arrivals] = max(
                            lanes[EARLIER_REACH, lane], lanes[TOXIC_REACH, lane]
                        )
                        arriving[ALARM, arrivals] = lanes[STOP_AT, lane]
                        arrivals += 1
                    else:
                        treated = i if entered else i - 1
                        all_in = entered and i == planned
                        _finish(tables, calendar, lanes, counts, lane, treated, end, now, all_in, row, levels)
                    running -= 1
                    unit[lane] = unit[running]
                    for f in range(STATE):
                        lanes[f, lane] = lanes[f, running]
                    for c in range(cohorts):
                        counts[c, lane] = counts[c, running]
