"""What becomes of a single trial among those abreast, where something is due: as in ``conduct.py``."""

from __future__ import annotations

import numpy as np

from trialsim.codes import (
    FUTILITY,
    GO_EARLY,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.abreast_draw import (
    BITS,
    COHORT,
    CONTROLLED_SHIFT,
    COUNTS,
    COUNTS_BIT,
    KNOWN,
    REACH,
    REOPENED,
    RESPONSES,
    SCREENED,
    SCREENED_N,
    SERIOUS_SHIFT,
    TOXIC_N,
    TOXIC_REACH,
    TOXICITY_KNOWN,
    Tick,
)
from trialsim.kernels.clock import ticks_of, units_of
from trialsim.kernels.ends import end_of
from trialsim.kernels.jit import part
from trialsim.kernels.patient import FULL_INTENSITY
from trialsim.kernels.tables import HOLD, PAUSE, SWITCH

FAR = 1 << 30
"""A tick that no trial in the lanes reaches: 2,870 years."""

SPENT = 1 << 20
"""Taken off TOXIC_N when the rule has acted at a level, so that it reaches no further cut-off."""

(
    LOOK,
    DUE_AT,
    CROSSING,
    AMENDMENT,
    SWITCH_AT,
    STOP_AT,
    STOP_CODE,
    DECIDED,
    PAUSED_N,
    START,
    EARLIER_REACH,
    CROSSED_BY,
    STOPPING,
    FIELDS,
) = range(14)
"""What a trial keeps where it is, whatever its lane: pending look and the patient that fills it; when the toxicity rule
acts, an amendment is triggered, the dose is switched and the trial ends (FAR: not in sight), and with which end; last
decision; ticks for which calendar was closed; arrival of the first patient; tick by which the toxicities of the levels
before are known; patients of the trial when the cut-off was reached; when the toxicity rule stops the trial."""


@part
def enter(state, counts, lane, t):  # type: ignore[no-untyped-def]
    """Enter one patient who arrives at tick t, as the lanes do."""
    b = state[BITS + lane]
    state[TOXIC_N + lane] += b & 1
    state[RESPONSES + lane] += (b >> 1) & 1
    state[COUNTS + lane] += b >> COUNTS_BIT
    state[SCREENED_N + lane] += state[SCREENED + lane]
    state[REACH + lane] = max(state[REACH + lane], t + state[KNOWN + lane])
    state[TOXIC_REACH + lane] = max(state[TOXIC_REACH + lane], t + state[TOXICITY_KNOWN + lane])
    c = state[COHORT + lane]
    if counts.shape[0] > 1 and c > 0:
        counts[c, lane] += 1 | (b >> COUNTS_BIT & 1) << 10 | (b >> 1 & 1) << 20


@part
def seen_by(onsets, slot, m, tick):  # type: ignore[no-untyped-def]
    """Toxicities seen up to a tick among the first m patients of a level."""
    seen, tick = Tick(0), Tick(tick)
    for j in range(m):
        seen = Tick(seen + Tick(onsets[slot, j] <= tick))
    return seen


@part
def crossing(onsets, slot, m, bound, t, before):  # type: ignore[no-untyped-def]
    """When a rule that acts as it happens does, given when it would without the m-th patient, who arrives at t: at
    the bound-th onset, not before t."""
    while before > t and seen_by(onsets, slot, m, before - 1) >= bound:
        latest, limit = Tick(t), Tick(before - 1)
        for j in range(m):
            onset = onsets[slot, j]
            latest = max(latest, onset if onset <= limit else latest)
        before = np.int64(latest)
    return before


@part
def crossed_by(onsets, slot, m, stop_ge, level, now):  # type: ignore[no-untyped-def]
    """The least number of patients of the level on which the rule stops the trial at a tick as it happens."""
    seen = 0
    for j in range(m):
        seen += onsets[slot, j] <= now
        if seen >= stop_ge[level, j + 1]:
            return j + 1
    return m


@part
def close(calendar, trials, slot, state, unit, lane, start, end):  # type: ignore[no-untyped-def]
    """Close calendar from one tick to another; what is closed already counts once."""
    start = max(start, np.int64(state[REOPENED + lane]))
    if end > start:
        unit[lane] += units_of(calendar, end) - units_of(calendar, start)
        trials[slot, PAUSED_N] += end - start
        state[REOPENED + lane] = end


@part
def trigger(trials, slot, state, lane, now, out, row):  # type: ignore[no-untyped-def]
    """A dose reduction is triggered: the rule has acted at this level."""
    if out[row, column.TRIGGERED] == 0:
        out[row, column.TRIGGERED] = 1
        out[row, column.TRIGGERED_AT] = now - trials[slot, START]
    trials[slot, CROSSING] = trials[slot, AMENDMENT] = FAR
    if state[TOXIC_N + lane] >= 0:
        state[TOXIC_N + lane] -= SPENT


@part
def wait(calendar, trials, slot, state, unit, lane, t, out, row):  # type: ignore[no-untyped-def]
    """Let happen what happens up to an arrival at tick t.

    Returns the tick at which the patient arrives after all, the end of the trial (-1: none) with its tick, and whether
    the dose is lowered before.
    """
    while True:
        triggered = np.int64(min(trials[slot, CROSSING], trials[slot, AMENDMENT]))
        stop, switch = np.int64(trials[slot, STOP_AT]), np.int64(trials[slot, SWITCH_AT])
        now = min(min(triggered, stop), switch)
        if now > t:
            return t, -1, now, False
        if now == triggered:
            if now == trials[slot, CROSSING] and trials[slot, STOPPING] <= now:
                return t, TOXICITY, now, False
            trigger(trials, slot, state, lane, now, out, row)
            trials[slot, SWITCH_AT] = now + (0 if calendar.during_lag == SWITCH else calendar.lag)
            if calendar.during_lag == HOLD:
                close(calendar, trials, slot, state, unit, lane, now, np.int64(trials[slot, SWITCH_AT]))
                t = max(ticks_of(calendar, unit[lane]), np.int64(state[REOPENED + lane]))
        elif now == stop:
            return t, np.int64(trials[slot, STOP_CODE]), now, False
        else:
            return t, -1, now, True


@part
def decide(tables, calendar, trials, slot, state, unit, lane, t):  # type: ignore[no-untyped-def]
    """The patients of the pending look are all in: what it will decide, and when. Returns the end if it is final."""
    look = trials[slot, LOOK]
    decision = tables.look_next[look, state[RESPONSES + lane]]
    decided = max(state[REACH + lane] + calendar.review_lag, np.int64(trials[slot, DECIDED]))
    trials[slot, DECIDED] = decided
    if tables.final[look]:
        return end_of(decision, True)
    if decision >= 0:
        trials[slot, LOOK], trials[slot, DUE_AT] = decision, tables.look_n[decision]
    else:
        trials[slot, STOP_AT], trials[slot, DUE_AT] = decided, FAR
        trials[slot, STOP_CODE] = end_of(decision, False)
    if calendar.interim == PAUSE:
        close(calendar, trials, slot, state, unit, lane, t, decided)
    return -1


@part
def finish(  # type: ignore[no-untyped-def]
    tables, calendar, trials, slot, state, counts, lane, treated, end, now, last_in, out, row, first
):
    """Write the row of a trial that ends at a tick; ``last_in``: the end of calendar; ``first``: columns of cohorts."""
    packed, responses = state[COUNTS + lane], state[RESPONSES + lane]
    start = trials[slot, START]
    out[row, column.END] = end
    out[row, column.N] = out[row, column.TREATED] = treated
    out[row, column.EVALUABLE] = packed & 1023
    out[row, column.CONTROLLED] = (packed >> CONTROLLED_SHIFT) & 1023
    out[row, column.SERIOUS_N] = packed >> SERIOUS_SHIFT
    out[row, column.SCREENED] = state[SCREENED_N + lane]
    out[row, column.INTENSITY] = treated * FULL_INTENSITY
    if end in (FUTILITY, GO_EARLY):
        out[row, column.OVERRUN] = treated - tables.look_n[trials[slot, LOOK]]
        out[row, column.GO_EVALUABLE] = end == GO_EARLY
    elif end in (TOXICITY, TOXICITY_AT_N):
        out[row, column.OVERRUN] = treated - trials[slot, CROSSED_BY]
    else:
        out[row, column.GO_EVALUABLE] = responses >= calendar.attained_ge[packed & 1023]
    reach = max(state[REACH + lane], max(state[TOXIC_REACH + lane], trials[slot, EARLIER_REACH]))
    last = max(np.int64(reach), now)
    out[row, column.DURATION] = last - start
    out[row, column.WAITING] = last - last_in
    out[row, column.PAUSED] = trials[slot, PAUSED_N] - max(state[REOPENED + lane] - last_in, 0)
    out[row, column.DECIDED_AT] = now - start
    out[row, first + 1], out[row, first + 2], out[row, first + 3] = treated, packed & 1023, responses
    for c in range(1, counts.shape[0]):
        own, mine = first + 4 * c, counts[c, lane]
        out[row, own + 1], out[row, own + 2], out[row, own + 3] = mine & 1023, (mine >> 10) & 1023, mine >> 20
        for k in range(1, 4):
            out[row, first + k] -= out[row, own + k]
