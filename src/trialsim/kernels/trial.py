"""Simulated trials: patients in enrolment order, every outcome known before the next one.

The order after patient i: record, toxicity boundary, look; a toxicity stop outranks the look; a dose reduction
takes effect from patient i + 1, and with it another analysis set if the rules say so. In calendar time: ``conduct.py``,
over the same tables and streams.

Trials know nothing of each other, so a block of them advances abreast, one to a lane: dose level by dose level,
and at a level all of them through its first patient, then its second, ... . Boundary and rates are then the same
in all lanes, and the processor draws and counts for 8 or 16 at once. What becomes of a trial is decided one at a
time, and only where something is due. Measurements and what was rejected: benchmarks/NOTES.md.
"""

from __future__ import annotations

import numpy as np

from trialsim.codes import (
    ACCRUAL,
    CONTINUE,
    FUTILE,
    GO,
    NEVER,
    NEW_DOSE_ONLY,
    POOLED,
    REDUCE,
    RESTART,
    TOO_TOXIC,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.kernels.ends import end_of
from trialsim.kernels.jit import inline, kernel
from trialsim.kernels.streams import DOMAIN_TRIAL, GROUP_OUTCOME, philox

END, N, EVALUABLE, REDUCED_AFTER, TRIGGERED, LEVELS = range(6)
"""Columns of a replicate; from LEVELS on, patients, responses and toxicities of each level in turn."""

LANES = 1008
"""Trials that advance abreast, a multiple of VECTOR. No result depends on it.

Not a power of two, where the rows of state would crowd into the same sets of the cache.
"""

VECTOR = 16
"""Lanes are drawn in multiples of so many; those beyond the running trials hold rubbish that nobody reads."""

TRIAL, BEFORE, LOOK, DUE_AT, RESPONSES, EVALUABLE_N, TOXIC_N, FIELDS = range(8)
"""State of a lane: row of ``out``, patients before this level, pending look and the number of patients (evaluable ones
where they are replaced) it is due at, responses that are analysed, evaluable patients, toxicities at the level."""

_ADDRESS = np.uint64((DOMAIN_TRIAL << 16) | GROUP_OUTCOME)
_LOW = np.uint64(0xFFFFFFFF)


def columns(levels: int) -> int:
    """Number of columns of a replicate with this many dose levels."""
    return LEVELS + 3 * levels


@inline
def _draw(patients, width, trial, before, first, m, thresholds, k0, k1):  # type: ignore[no-untyped-def]
    """Draw one patient of every lane, as evaluable * 4 + response * 2 + toxicity."""
    responds, toxic_if_not, toxic_if_so = thresholds[0], thresholds[1], thresholds[2]
    evaluable_if_not, evaluable_if_so = thresholds[3], thresholds[4]
    for lane in range(width):
        replicate = np.uint64(first + trial[lane])
        index = np.uint64(before[lane] + m)
        w0, w1, w2, _ = philox(replicate & _LOW, replicate >> np.uint64(32), index, _ADDRESS, k0, k1)
        response = np.int64(w0) < responds
        toxic = np.int64(w1) < (toxic_if_so if response else toxic_if_not)
        evaluable = np.int64(w2) < (evaluable_if_so if response else evaluable_if_not)
        patients[lane] = evaluable * 4 + (response & evaluable) * 2 + toxic


@inline
def _draw_drifting(patients, width, trial, before, first, m, thresholds, k0, k1):  # type: ignore[no-untyped-def]
    """The same where each patient in enrolment order has thresholds of its own, (I, 5)."""
    last = thresholds.shape[0] - 1
    for lane in range(width):
        replicate = np.uint64(first + trial[lane])
        index = before[lane] + m
        own = thresholds[min(max(index, 0), last)]  # a lane beyond the running trials may hold any number
        w0, w1, w2, _ = philox(
            replicate & _LOW, replicate >> np.uint64(32), np.uint64(index), _ADDRESS, k0, k1
        )
        response = np.int64(w0) < own[0]
        toxic = np.int64(w1) < (own[2] if response else own[1])
        evaluable = np.int64(w2) < (own[4] if response else own[3])
        patients[lane] = evaluable * 4 + (response & evaluable) * 2 + toxic


@inline
def _toxicities(tables, counts, toxic_n, own):  # type: ignore[no-untyped-def]
    """Toxicities among the patients of a look: those at the level and, if pooled, at the levels above it."""
    if tables.on_dose_change == POOLED:
        for above in range(LEVELS, own, 3):
            toxic_n += counts[above + 2]
    return toxic_n


@kernel
def simulate(tables, thresholds, k0, k1, first, out, paths):  # type: ignore[no-untyped-def]
    """Fill ``out`` (replicates, columns) with replicates ``first``, ``first + 1``, ... .

    ``thresholds`` is (K I, 5) int64: response; toxicity given no response, given response; evaluable given no response,
    given response; I rows a level, for each patient in enrolment order, or one for everybody.
    ``paths`` (replicates, M), if not empty, receives for each patient
    1 + level * 8 + evaluable * 4 + response * 2 + toxicity (0: not enrolled);
    M is the largest number of treated patients, all levels together.
    """
    max_treated = tables.act_ge.shape[1] - 1
    most = NEVER if tables.on_dose_change == RESTART else max_treated  # patients of the trial
    levels = tables.action.shape[0]
    times = thresholds.shape[0] // levels
    lanes = np.empty((FIELDS, LANES), dtype=np.int32)
    trial, before, look, due_at = lanes[TRIAL], lanes[BEFORE], lanes[LOOK], lanes[DUE_AT]
    responses, evaluable_n, toxic_n = lanes[RESPONSES], lanes[EVALUABLE_N], lanes[TOXIC_N]
    arriving = np.empty((FIELDS, LANES), dtype=np.int32)  # trials that start at the next level
    patients = np.empty(LANES, dtype=np.int32)
    event = np.empty(LANES, dtype=np.uint8)
    where = np.empty(LANES + 1, dtype=np.int32)

    for start in range(0, out.shape[0], LANES):
        arrivals = min(LANES, out.shape[0] - start)
        for lane in range(arrivals):
            for column in range(out.shape[1]):
                out[start + lane, column] = 0
            for field in range(FIELDS):
                arriving[field, lane] = 0
            arriving[TRIAL, lane] = start + lane
            arriving[DUE_AT, lane] = tables.look_n[0]

        for level in range(levels):
            for field in range(FIELDS):
                for lane in range(arrivals):
                    lanes[field, lane] = arriving[field, lane]
            running, arrivals = arrivals, 0
            action, leave_at = tables.action[level], tables.at_enrolled[level]
            last = min(leave_at, most) if leave_at > 0 else most
            new_dose_only = level > 0 and tables.on_dose_change == NEW_DOSE_ONLY
            own = LEVELS + 3 * level  # columns of this level
            m = 0
            while running > 0:
                width = (running + VECTOR - 1) // VECTOR * VECTOR
                if times == 1:
                    _draw(patients, width, trial, before, first, m, thresholds[level], k0, k1)
                else:
                    own_rates = thresholds[level * times : (level + 1) * times]
                    _draw_drifting(patients, width, trial, before, first, m, own_rates, k0, k1)
                if paths.shape[0] > 0:
                    for lane in range(running):
                        paths[trial[lane], before[lane] + m] = 1 + level * 8 + patients[lane]
                m += 1
                bound = tables.act_ge[level, m] if action != CONTINUE else NEVER
                stop_from = tables.stop_ge[level, m]
                if m == max_treated:
                    last = m  # nobody follows at this level

                events = 0
                for lane in range(width):
                    evaluable_n[lane] += patients[lane] >> 2
                    responses[lane] += (patients[lane] >> 1) & 1
                    toxic_n[lane] += patients[lane] & 1
                    i = before[lane] + m
                    known = evaluable_n[lane] if tables.replaced else i
                    event[lane] = (toxic_n[lane] >= bound) | (known == due_at[lane]) | (i >= last)
                    events += event[lane]
                if events == 0:
                    continue

                events = 0
                for lane in range(running):
                    where[events] = lane  # without a branch, which the processor could not foresee
                    events += event[lane]
                # downwards, because the last trial takes the lane of one that ends or leaves the level
                for e in range(events - 1, -1, -1):
                    lane = where[e]
                    i = before[lane] + m
                    known = evaluable_n[lane] if tables.replaced else i
                    due = known == due_at[lane]
                    at_n = tables.at_n[look[lane]]
                    crossed = toxic_n[lane] >= bound
                    lowered = (crossed and action == REDUCE) or 0 < leave_at <= i
                    end = -1
                    if crossed and toxic_n[lane] >= stop_from:
                        end = TOXICITY_AT_N if due and at_n else TOXICITY
                        lowered = False
                    elif due:
                        too_toxic = tables.toxic_ge[look[lane]]
                        if new_dose_only:
                            decision = GO if responses[lane] >= tables.attained_ge[m] else FUTILE
                        elif too_toxic < NEVER and too_toxic <= _toxicities(
                            tables, out[trial[lane]], toxic_n[lane], own
                        ):
                            decision = TOO_TOXIC
                        else:
                            decision = tables.look_next[look[lane], responses[lane]]
                        if decision >= 0:
                            due_at[lane] += tables.look_n[decision] - tables.look_n[look[lane]]
                            look[lane] = decision
                        else:
                            end = end_of(decision, at_n)
                    if end < 0 and (i == most or m == max_treated):
                        end = ACCRUAL
                    if end < 0 and not lowered:
                        continue

                    counts = out[trial[lane]]
                    counts[own] = m
                    counts[own + 1] = responses[lane]
                    if tables.on_dose_change == POOLED:
                        for above in range(LEVELS, own, 3):
                            counts[own + 1] -= counts[above + 1]
                    counts[own + 2] = toxic_n[lane]
                    if lowered:
                        counts[TRIGGERED] = 1
                    if end >= 0:
                        counts[END] = end
                        counts[N] = i
                        counts[EVALUABLE] = evaluable_n[lane]
                    else:
                        # triggered is not reduced: the switch must reach at least one patient
                        if level == 0:
                            counts[REDUCED_AFTER] = i
                        for field in range(FIELDS):
                            arriving[field, arrivals] = lanes[field, lane]
                        arriving[BEFORE, arrivals] = i
                        arriving[TOXIC_N, arrivals] = 0
                        if tables.on_dose_change == RESTART:
                            arriving[RESPONSES, arrivals] = 0
                            arriving[LOOK, arrivals] = 0
                            arriving[DUE_AT, arrivals] = known + tables.look_n[0]
                        elif tables.on_dose_change == NEW_DOSE_ONLY:
                            arriving[RESPONSES, arrivals] = 0
                            arriving[LOOK, arrivals] = tables.look_n.shape[0] - 1
                            arriving[DUE_AT, arrivals] = tables.look_n[-1]
                        arrivals += 1
                    running -= 1
                    for field in range(FIELDS):
                        lanes[field, lane] = lanes[field, running]
