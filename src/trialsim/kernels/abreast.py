"""Trials in calendar time, many abreast: the same rows as ``conduct.py``, bit for bit, for what is common.

Trials know nothing of each other, so a block advances in lanes, dose level by dose level: everybody draws the first
patient at the level, then the second, ... . A lane has an alarm, the tick of the next thing that its trial is waiting
for; a patient who arrives before it, is nobody's cut-off and fills no look needs no decision at all. What becomes of
a trial is decided one at a time, where an alarm rings or something is due. What is rare goes to ``conduct.py``
(``engine.timed`` chooses). Measurements: benchmarks/NOTES.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trialsim.codes import CONTINUE, NEVER, REDUCE, TOXICITY, TOXICITY_AT_N
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.abreast_decide import (
    AMENDMENT,
    CROSSED_BY,
    CROSSING,
    DECIDED,
    DUE_AT,
    EARLIER_REACH,
    FAR,
    FIELDS,
    SPENT,
    START,
    STOP_AT,
    STOP_CODE,
    STOPPING,
    SWITCH_AT,
    crossed_by,
    crossing,
    decide,
    enter,
    finish,
    trigger,
    wait,
)
from trialsim.kernels.abreast_draw import (
    ALARM,
    ARRIVAL,
    BEFORE,
    BITS,
    COHORT,
    COUNTS,
    COUNTS_BIT,
    GAP,
    KNOWN,
    MISSED,
    MOVED,
    NEXT,
    ONSET,
    REACH,
    RESPONSES,
    ROWS,
    SCREENED,
    SCREENED_N,
    STRATUM,
    TOXIC_N,
    TOXIC_REACH,
    TOXICITY_KNOWN,
    TRIAL,
    WORDS,
    Tick,
    draw_arrivals,
    draw_bits,
    draw_onsets,
    draw_outcomes,
    draw_screened,
    draw_strata,
    draw_visits,
    draw_words,
    needed_groups,
)
from trialsim.kernels.jit import inline, part, plain_kernel, widest_vectors
from trialsim.kernels.tables import Calendar, Int32, Int64, Tables
from trialsim.kernels.trial import LANES, VECTOR

MOST_PATIENTS = 1000
"""Counts of patients are packed ten bits each."""

_LINE = 64


@part
def advance(state, counts, event, width, m, bound):  # type: ignore[no-untyped-def]
    """Let the m-th patient at the level of every lane arrive; mark the lanes where something is to be decided.

    A patient who arrives at or after the alarm is not entered. ``counts`` (C, lanes) are patients, evaluable patients
    and responses of each cohort, ten bits each.
    """
    widest_vectors()
    m, bound = Tick(m), Tick(bound)
    nothing, one = Tick(0), Tick(1)
    for lane in range(width):
        t = state[ARRIVAL + lane]
        enters = t < state[ALARM + lane]
        b = state[BITS + lane] if enters else nothing
        toxic_n = Tick(state[TOXIC_N + lane] + (b & one))
        state[TOXIC_N + lane] = toxic_n
        state[RESPONSES + lane] += (b >> 1) & 1
        state[COUNTS + lane] += b >> COUNTS_BIT
        state[SCREENED_N + lane] += state[SCREENED + lane] if enters else nothing
        known, toxicity_known = Tick(t + state[KNOWN + lane]), Tick(t + state[TOXICITY_KNOWN + lane])
        state[REACH + lane] = max(state[REACH + lane], known if enters else nothing)
        state[TOXIC_REACH + lane] = max(state[TOXIC_REACH + lane], toxicity_known if enters else nothing)
        event[lane] = (not enters) | (toxic_n >= bound) | (m >= state[NEXT + lane])
    for c in range(1, counts.shape[0]):
        own = counts[c]
        for lane in range(width):
            b = state[BITS + lane]
            # patients, evaluable, responses, where the patient entered and is of this cohort
            more = Tick(one | Tick((b >> COUNTS_BIT & 1) << 10)) | Tick((b >> 1 & 1) << 20)
            mine = (state[ARRIVAL + lane] < state[ALARM + lane]) & (state[COHORT + lane] == c)
            own[lane] += more if mine else nothing


class Block(NamedTuple):
    """Room for trials abreast."""

    state: Int32
    """ROWS rows of LANES, one after another. With them go ``unit`` (unit-rate time) and ``counts`` (C, LANES):
    patients, evaluable patients and responses of each cohort but the first, ten bits each."""
    unit: Int64
    counts: Int32
    arriving: Int32
    """The same for the trials that start at the next level."""
    unit_arriving: Int64
    counts_arriving: Int32
    trials: Int32
    """(LANES, FIELDS) what a trial keeps whatever its lane."""
    onsets: Int32
    """(LANES, patients) ticks of toxicities by patient at the level, beyond FAR if none; empty unless the rule acts as
    they happen."""
    words: NDArray[np.uint32]
    event: NDArray[np.uint8]
    where: Int32


@inline
def _simulate(  # type: ignore[no-untyped-def]
    tables, calendar, thresholds, k0, k1, first, out, at_start, start, arrivals, block
):
    """Simulate the trials of the rows of ``out`` from ``start`` on, which are zero."""
    widest_vectors()
    levels, cohorts = thresholds.shape[0], calendar.cohorts
    planned = tables.act_ge.shape[1] - 1
    as_it_happens = calendar.as_it_happens
    needed = needed_groups(calendar, thresholds)
    shared = False  # whether a cohort is more, or another number, than a stratum
    for s in range(calendar.cohort_of.shape[0]):
        shared = shared or (cohorts > 1 and calendar.cohort_of[s] != s)
    state, unit, counts, trials, onsets = block.state, block.unit, block.counts, block.trials, block.onsets
    arriving, unit_arriving, counts_arriving = block.arriving, block.unit_arriving, block.counts_arriving
    words, event, where = block.words, block.event, block.where
    for lane in range(arrivals):
        arriving[TRIAL + lane] = start + lane
        arriving[ALARM + lane] = FAR
        trials[lane, DUE_AT] = tables.look_n[0]
        trials[lane, STOP_AT] = FAR

    for level in range(levels):
        for j in range(MOVED * LANES):
            state[j] = arriving[j]
        for lane in range(LANES):
            unit[lane] = unit_arriving[lane]
        for c in range(1, cohorts):
            for lane in range(LANES):
                counts[c, lane] = counts_arriving[c, lane]
        running, arrivals = arrivals, 0
        p = thresholds[level]
        varied = False
        for s in range(1, p.shape[0]):
            for k in range(p.shape[1]):
                varied = varied or p[s, k] != p[0, k]
        action, leave_at = tables.action[level], tables.at_enrolled[level]
        last = min(leave_at, planned) if leave_at > 0 else planned
        both = False  # whether some counts lower the dose and others stop the trial
        for j in range(planned + 1):
            both = both or (action == REDUCE and tables.stop_ge[level, j] < NEVER)
        own = column.LEVELS + 3 * level
        for lane in range(running):
            slot = state[TRIAL + lane] - start
            trials[slot, CROSSING] = trials[slot, AMENDMENT] = trials[slot, SWITCH_AT] = FAR
            trials[slot, STOPPING] = FAR
            state[NEXT + lane] = min(trials[slot, DUE_AT], last) - state[BEFORE + lane]
        m = 0
        while running > 0:
            width = (running + VECTOR - 1) // VECTOR * VECTOR
            draw_words(words, state, width, needed, first, m, k0, k1)
            draw_arrivals(calendar, words, state, unit, width)
            if varied or cohorts > 1:
                draw_strata(calendar, words, state, width)
            for s in range(p.shape[0] if varied else 1):
                draw_bits(words, state, width, p, s)
            if shared:
                for lane in range(width):
                    state[COHORT + lane] = calendar.cohort_of[state[STRATUM + lane]]
            draw_visits(calendar, words, state, width)
            draw_outcomes(calendar, state, width)
            draw_onsets(calendar, words, state, width)
            if calendar.screening[0] > 0:
                draw_screened(calendar, words, state, width)
            m += 1
            bound = tables.act_ge[level, m] if action != CONTINUE else NEVER
            stop_from = tables.stop_ge[level, m]
            advance(state, counts, event, width, m, bound)
            if level == 0 and m == 1:
                for lane in range(running):
                    trials[state[TRIAL + lane] - start, START] = state[ARRIVAL + lane]
            if as_it_happens:
                for lane in range(width):
                    onset = Tick(state[ARRIVAL + lane] + state[TOXICITY_KNOWN + lane])
                    state[ONSET + lane] = onset if state[BITS + lane] & Tick(1) != 0 else Tick(FAR + 1)
                for lane in range(running):
                    onsets[state[TRIAL + lane] - start, m - 1] = state[ONSET + lane]

            events = 0
            for lane in range(running):
                where[events] = lane  # without a branch, which the processor could not foresee
                events += event[lane]
            # downwards, because the last trial takes the lane of one that ends or leaves the level
            for e in range(events - 1, -1, -1):
                lane = where[e]
                slot = state[TRIAL + lane] - start
                row = start + slot
                i = state[BEFORE + lane] + m
                t = np.int64(state[ARRIVAL + lane])
                end, now, lowered, entered = -1, np.int64(0), False, True
                if t >= state[ALARM + lane]:
                    t, end, now, lowered = wait(calendar, trials, slot, state, unit, lane, t, out, row)
                    entered = end < 0 and not lowered
                    if entered:
                        enter(state, counts, lane, t)
                        if as_it_happens:
                            onsets[slot, m - 1] += t - state[ARRIVAL + lane]
                if entered:
                    if state[TOXIC_N + lane] >= bound:
                        reach = np.int64(state[TOXIC_REACH + lane])
                        stops = state[TOXIC_N + lane] >= stop_from
                        if as_it_happens:
                            before = min(np.int64(trials[slot, CROSSING]), reach)
                            trials[slot, CROSSING] = crossing(onsets, slot, m, bound, t, before)
                            if stops and not both:
                                trials[slot, STOPPING] = trials[slot, CROSSING]
                            elif stops:
                                before = min(np.int64(trials[slot, STOPPING]), reach)
                                trials[slot, STOPPING] = crossing(onsets, slot, m, stop_from, t, before)
                        else:
                            # what is reached later becomes known no earlier
                            trials[slot, CROSSING] = min(np.int64(trials[slot, CROSSING]), reach)
                            if stops:
                                trials[slot, STOPPING], trials[slot, CROSSED_BY] = reach, i
                            if stops or not both:
                                state[TOXIC_N + lane] -= SPENT
                    if 0 < leave_at <= i and trials[slot, SWITCH_AT] == FAR:
                        trials[slot, AMENDMENT] = min(np.int64(trials[slot, AMENDMENT]), t)
                    verdict = -1
                    if i == trials[slot, DUE_AT]:
                        verdict = decide(tables, calendar, trials, slot, state, unit, lane, t)
                    if i == planned:
                        # the last patient: only outcomes are still to come
                        end, now = verdict, np.int64(trials[slot, DECIDED])
                        if verdict < 0:
                            end, now = np.int64(trials[slot, STOP_CODE]), np.int64(trials[slot, STOP_AT])
                        triggered = np.int64(min(trials[slot, CROSSING], trials[slot, AMENDMENT]))
                        if triggered <= now:
                            if triggered == trials[slot, CROSSING] and trials[slot, STOPPING] <= triggered:
                                end, now = TOXICITY_AT_N, triggered
                            else:
                                trigger(trials, slot, state, lane, triggered, out, row)
                    state[NEXT + lane] = min(trials[slot, DUE_AT], last) - state[BEFORE + lane]
                    state[ALARM + lane] = min(
                        min(trials[slot, CROSSING], trials[slot, AMENDMENT]),
                        min(trials[slot, SWITCH_AT], trials[slot, STOP_AT]),
                    )
                    if end < 0:
                        continue

                here = m if entered else m - 1
                if as_it_happens and end in (TOXICITY, TOXICITY_AT_N):
                    trials[slot, CROSSED_BY] = state[BEFORE + lane] + crossed_by(
                        onsets, slot, here, tables.stop_ge, level, now
                    )
                out[row, own] = here
                if level == 0 and at_start.shape[0] > 0:
                    at_start[row] = state[COUNTS + lane] & 1023
                responses = state[RESPONSES + lane]
                for above in range(column.LEVELS, own, 3):
                    responses -= out[row, above + 1]
                out[row, own + 1] = responses
                toxic_n = state[TOXIC_N + lane]
                out[row, own + 2] = toxic_n + (SPENT if toxic_n < 0 else 0)
                if level > 0 and here > 0 and out[row, column.REDUCED_AFTER] == 0:
                    out[row, column.REDUCED_AFTER] = state[BEFORE + lane]
                if lowered:
                    unit_arriving[arrivals] = unit[lane] - state[GAP + lane]
                    for f in range(MOVED):
                        arriving[f * LANES + arrivals] = state[f * LANES + lane]
                    for c in range(1, cohorts):
                        counts_arriving[c, arrivals] = counts[c, lane]
                    trials[slot, EARLIER_REACH] = max(trials[slot, EARLIER_REACH], state[TOXIC_REACH + lane])
                    arriving[BEFORE + arrivals] = i - 1
                    arriving[TOXIC_N + arrivals] = arriving[TOXIC_REACH + arrivals] = 0
                    arriving[ALARM + arrivals] = trials[slot, STOP_AT]
                    arrivals += 1
                else:
                    last_in = t if entered and i == planned else now
                    finish(
                        tables,
                        calendar,
                        trials,
                        slot,
                        state,
                        counts,
                        lane,
                        state[BEFORE + lane] + here,
                        end,
                        now,
                        last_in,
                        out,
                        row,
                        column.LEVELS + 3 * levels,
                    )
                running -= 1
                unit[lane] = unit[running]
                for f in range(MOVED):
                    state[f * LANES + lane] = state[f * LANES + running]
                for c in range(1, cohorts):
                    counts[c, lane] = counts[c, running]


@plain_kernel
def fill(tables, calendar, thresholds, k0, k1, first, out, at_start, block):  # type: ignore[no-untyped-def]
    """As ``simulate``, in work space that is given."""
    widest_vectors()
    # what stays, unless it is drawn: nobody is screened in vain, nobody withdraws
    block.state[SCREENED : SCREENED + LANES] = 1
    block.state[MISSED : MISSED + LANES] = calendar.visit.shape[0]
    for start in range(0, out.shape[0], LANES):
        arrivals = min(LANES, out.shape[0] - start)
        out[start : start + arrivals] = 0
        block.arriving[:] = 0
        block.unit_arriving[:] = 0
        block.counts_arriving[:] = 0
        block.trials[:] = 0
        _simulate(tables, calendar, thresholds, k0, k1, first, out, at_start, start, arrivals, block)


def _room(dtype: type[np.generic], count: int) -> NDArray[Any]:
    """Zeros that begin with a line of the cache, so that no vector lies across two."""
    size = count * np.dtype(dtype).itemsize
    room = np.zeros(size + _LINE, dtype=np.uint8)
    begin = -room.ctypes.data % _LINE
    return room[begin : begin + size].view(dtype)


def simulate(
    tables: Tables,
    calendar: Calendar,
    thresholds: Int64,
    k0: np.uint64,
    k1: np.uint64,
    first: int,
    out: Int32,
    at_start: Int32,
) -> None:
    """Fill ``out`` (replicates, columns) with replicates ``first``, ``first + 1``, ... (``conduct_columns``).

    ``at_start`` (replicates,), if not empty, receives the evaluable patients at the starting dose.

    For trials in one group without replacement, patient-level reductions, early decisions, amendments by month,
    excluded overrun or a change of the analysis set.
    """
    cohorts, planned = calendar.cohorts, tables.act_ge.shape[1] - 1
    block = Block(
        state=_room(np.int32, ROWS * LANES),
        unit=_room(np.int64, LANES),
        counts=_room(np.int32, cohorts * LANES).reshape(cohorts, LANES),
        arriving=_room(np.int32, MOVED * LANES),
        unit_arriving=_room(np.int64, LANES),
        counts_arriving=_room(np.int32, cohorts * LANES).reshape(cohorts, LANES),
        trials=_room(np.int32, LANES * FIELDS).reshape(LANES, FIELDS),
        onsets=np.empty((LANES if calendar.as_it_happens else 0, planned), dtype=np.int32),
        words=_room(np.uint32, WORDS * LANES),
        event=_room(np.uint8, LANES),
        where=_room(np.int32, LANES + 1),
    )
    # compiled without the work space, the kernel is optimised once and not twice
    fill(tables, calendar, thresholds, k0, k1, first, out, at_start, block)
