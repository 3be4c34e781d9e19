"""Simulated trials in calendar time, one after another, event by event: the readable reference (docs/conduct.md).

Within a tick: outcomes, toxicity rule, looks, amendment, arrival. A group is what has looks of its own: the whole
trial, or each cohort under its own rules. Outcomes are drawn when a patient arrives; what is not known yet at a
tick is never used at it.
"""

from __future__ import annotations

import numpy as np

from trialsim.codes import (
    ACCRUAL,
    ALTERNATE,
    COIN,
    FROM_START,
    TICKS_PER_DAY,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import patient as field
from trialsim.kernels.at_level import crossing_patient, watch
from trialsim.kernels.clock import NEVER_TICK, ticks_of, unit_gap, units_of
from trialsim.kernels.conduct_report import report
from trialsim.kernels.ends import end_of
from trialsim.kernels.groups import (
    BEST_LAST,
    COUNTED,
    CUT,
    DECIDED,
    EARLIER,
    GROUP_END,
    GROUP_FIELDS,
    LAST_IN,
    LOOK,
    MEMBER,
    REACH,
    RUN_OUT,
    RUNNING,
    SERIES,
    SINCE,
    TREATED,
    UP_TO_PATIENT,
    complete,
    count_patient,
    has_place,
    next_decision,
)
from trialsim.kernels.jit import kernel, plain
from trialsim.kernels.patient import screened_for, stratum_of, treat, words_of
from trialsim.kernels.streams import GROUP_ALLOCATION, GROUP_OUTCOME
from trialsim.kernels.tables import HOLD, NEW_DOSE_ONLY, RESTART, SWITCH
from trialsim.kernels.weighing import look_taken


@plain
def _gets_lower(tables, replicate, index, since, lower_n, in_block, k0, k1):  # type: ignore[no-untyped-def]
    """Whether the next patient gets the lower dose; of ``since`` patients that were allocated ``lower_n`` did, of those
    of the block that is not full ``in_block``."""
    how, lower, higher, each = tables.randomise
    if each > 0 and (lower_n >= each or since - lower_n >= each):
        return lower_n < each or since - lower_n >= each
    place = since % (lower + higher)
    if how == ALTERNATE:
        return place < lower
    word, _, _, _ = words_of(replicate, index, 0, GROUP_ALLOCATION, k0, k1)
    left, size = (lower, lower + higher) if how == COIN else (lower - in_block, lower + higher - place)
    return np.int64(word) * size < np.int64(left) << 32


@plain
def _end_of(groups):  # type: ignore[no-untyped-def]
    """The end of the trial, which is the best of its groups'; RUNNING while one of them is."""
    best = -1
    for a in range(groups.shape[0]):
        if groups[a, GROUP_END] == RUNNING:
            return RUNNING
        for rank in range(len(BEST_LAST)):
            if BEST_LAST[rank] == groups[a, GROUP_END]:
                best = max(best, rank)
    return BEST_LAST[best]


@kernel
def simulate(tables, calendar, thresholds, daily, k0, k1, first, out, kept):  # type: ignore[no-untyped-def]
    """Fill ``out`` (replicates, columns) with replicates ``first``, ``first + 1``, ... (``conduct_columns``).

    ``thresholds`` is (K, I S, 8) int64 (``tables.RESPONSE`` ...): the strata of the first patient, those of the second,
    ... and the last ones for everybody after (``daily``: of the first day since the first patient started, ...).
    ``kept`` (replicates, max_arrivals, FIELDS), if not
    empty, receives the treated patients of each trial in enrolment order.
    """
    levels, most = thresholds.shape[0], calendar.max_arrivals
    count = calendar.cohorts if calendar.own and calendar.only < 0 else 1
    patients = np.zeros((most, field.FIELDS), dtype=np.int64)
    groups = np.zeros((count, GROUP_FIELDS), dtype=np.int64)
    series = np.zeros((count, SERIES, most + 1), dtype=np.int64)
    at_level, onsets = np.zeros(most, dtype=np.int64), np.zeros(most, dtype=np.int64)
    closures = np.zeros((2 * most + 2 * levels + tables.look_n.shape[0] + 2, 2), dtype=np.int64)
    own_dose = np.zeros(3, dtype=np.int64)

    run_each(
        tables,
        calendar,
        thresholds,
        daily,
        k0,
        k1,
        first,
        out,
        kept,
        patients,
        groups,
        series,
        at_level,
        onsets,
        closures,
        own_dose,
        patients[:0],
        np.int64(0),
    )


@plain
def run_each(  # type: ignore[no-untyped-def]
    tables,
    calendar,
    thresholds,
    daily,
    k0,
    k1,
    first,
    out,
    kept,
    patients,
    groups,
    series,
    at_level,
    onsets,
    closures,
    own_dose,
    given,
    opens_at,
):
    """The trials one after another, in work space that is given."""
    most, count = calendar.max_arrivals, groups.shape[0]
    strata = calendar.stratum_by.shape[0]
    last_time = thresholds.shape[1] // strata - 1
    for row in range(out.shape[0]):
        replicate = first + row
        groups[:] = 0
        groups[:, GROUP_END] = RUNNING
        groups[:, CUT] = most
        own_dose[:] = 0
        treated = arrived = level = m = toxic_n = screened = closed_n = 0
        narrow = held = triggered = False
        end = RUNNING
        now, closed_at, not_before, last_arrival = np.int64(0), np.int64(-1), np.int64(0), np.int64(0)
        first_trigger, reduced_after = np.int64(-1), np.int64(-1)
        switched, lower_n, in_block = most, 0, 0
        crossing, stopping, amendment, switch = NEVER_TICK, NEVER_TICK, NEVER_TICK, NEVER_TICK
        if calendar.amended_at[0] > 0:
            amendment = calendar.amended_at[0]
        _, _, _, gap = words_of(replicate, 0, 0, GROUP_OUTCOME, k0, k1)
        unit = unit_gap(gap)
        come = given.shape[0]  # so many patients came as they did; what follows them is drawn

        while end == RUNNING:
            # whether accrual is open, and when it will open by itself
            is_open, opens = False, NEVER_TICK
            all_in = True
            counted = 0
            for a in range(count):
                counted += groups[a, TREATED]
            for a in range(count):
                place, reopens = has_place(tables, calendar, groups, series, a, narrow, now, counted)
                is_open = is_open or place or calendar.own  # cohorts turn their patients away themselves
                opens = min(opens, reopens if reopens > now else NEVER_TICK)
                all_in = all_in and (groups[a, GROUP_END] != RUNNING or complete(tables, groups, a, narrow))
            # a cohort by itself turns patients away while the others' arrive
            is_open = is_open and (not held or calendar.only >= 0)
            if not is_open and closed_at < 0:
                closed_at = now
            elif is_open and closed_at >= 0:
                unit += units_of(calendar, max(now, opens_at)) - units_of(calendar, max(closed_at, opens_at))
                closures[closed_n, 0], closures[closed_n, 1] = closed_at, now
                closed_n += 1
                closed_at, not_before = np.int64(-1), now
            more = is_open and arrived < most and not all_in
            if more and calendar.only >= 0:
                # patients of other cohorts are passed over: nothing is decided when they arrive
                while calendar.cohort_of[stratum_of(calendar, replicate, arrived, k0, k1)] != calendar.only:
                    arrived += 1
                    if arrived == most:
                        last_arrival, more = ticks_of(calendar, unit), False
                        break
                    _, _, _, gap = words_of(replicate, arrived, 0, GROUP_OUTCOME, k0, k1)
                    unit += unit_gap(gap)
            arrival = max(ticks_of(calendar, unit), not_before) if more else NEVER_TICK
            if arrived < come:
                arrival = max(given[arrived, field.STARTED], now)

            decides, decision, group = NEVER_TICK, 0, 0
            for a in range(count):
                tick, what = next_decision(
                    tables,
                    calendar,
                    patients,
                    groups,
                    series,
                    a,
                    narrow,
                    own_dose,
                    last_arrival if arrived >= most else NEVER_TICK,
                )
                tick = max(tick, now)
                if tick < decides:
                    decides, decision, group = tick, what, a
            trigger = NEVER_TICK if triggered else min(crossing, amendment)
            now = min(min(min(opens, trigger), min(decides, switch)), arrival)

            if now == opens:
                continue
            if now == trigger:
                triggered = True
                if now == crossing and stopping <= now:
                    cut = crossing_patient(calendar, tables.stop_ge[level], m, patients, at_level, now)
                    for a in range(count):
                        if groups[a, GROUP_END] == RUNNING:
                            look = groups[a, LOOK]
                            # all are in, but where the trial always ends before the planned n
                            at_n = all_in and (narrow or tables.at_n[look] or not tables.final[look])
                            groups[a, GROUP_END] = TOXICITY_AT_N if at_n else TOXICITY
                            groups[a, CUT], groups[a, DECIDED] = cut, now
                    end = _end_of(groups)
                else:
                    if first_trigger < 0 or (come > 0 and first_trigger <= opens_at):
                        first_trigger = now
                    if not all_in:
                        switch = now + (0 if calendar.during_lag == SWITCH else calendar.lag)
                        held = calendar.during_lag == HOLD
            elif now == decides:
                state = groups[group]
                look = state[LOOK]
                state[DECIDED] = now
                if decision >= 0 and decision != RUN_OUT:
                    state[LOOK] = decision
                    continue
                final = narrow or tables.final[look]
                at_n = narrow or tables.at_n[look]
                state[GROUP_END] = ACCRUAL if decision == RUN_OUT else end_of(decision, at_n)
                n = tables.look_n[look]
                if decision != RUN_OUT and not final:
                    if calendar.weighing.on:
                        members = series[group, MEMBER]
                        _, last = look_taken(
                            tables, calendar.weighing, patients, members, state[TREATED], look
                        )
                        state[CUT] = members[last] + 1
                    elif state[COUNTED] >= n:
                        state[CUT] = series[group, UP_TO_PATIENT, n]
                end = _end_of(groups)
            elif now == switch:
                switch, held = NEVER_TICK, False
                if all_in:
                    continue
                if level == 0:
                    switched = treated
                level += 1
                m, toxic_n, crossing, stopping, triggered = 0, 0, NEVER_TICK, NEVER_TICK, False
                own_dose[:] = 0
                if come > 0:  # who was given the dose before its time counts at it
                    for i in range(treated):
                        if patients[i, field.LEVEL] == level:
                            m, toxic_n, crossing, stopping = watch(
                                tables,
                                calendar,
                                patients,
                                at_level,
                                onsets,
                                own_dose,
                                i,
                                level,
                                m,
                                toxic_n,
                                crossing,
                                stopping,
                            )
                    crossing, stopping = max(crossing, now), max(stopping, now)
                month = calendar.amended_at[level]
                amendment = max(month, now) if month > 0 else NEVER_TICK
                if calendar.after_change == NEW_DOSE_ONLY:
                    narrow = True
                elif calendar.after_change == RESTART:
                    state, last_in = groups[0], groups[0, LAST_IN]
                    earlier = max(state[REACH], state[EARLIER])
                    state[:] = 0
                    state[GROUP_END], state[CUT], state[LAST_IN], state[EARLIER] = (
                        RUNNING,
                        most,
                        last_in,
                        earlier,
                    )
                    state[DECIDED] = state[SINCE] = now
            else:
                index, last_arrival = arrived, now
                arrived += 1
                patient = patients[treated]
                patient[field.STARTED], patient[field.LEVEL] = now, level
                patient[field.STRATUM] = stratum_of(calendar, replicate, index, k0, k1)
                cohort = calendar.cohort_of[patient[field.STRATUM]]
                a = cohort if count > 1 else 0
                if tables.randomise[0] == FROM_START:
                    # a dose that needs no more patients leaves them to the other one
                    if groups[a, GROUP_END] != RUNNING or complete(tables, groups, a, narrow):
                        a = 1 - a
                    patient[field.STRATUM], patient[field.LEVEL] = a, a
                place, _ = has_place(tables, calendar, groups, series, a, narrow, now, counted)
                came = index < come
                if came or (place and (calendar.only < 0 or (cohort == calendar.only and not held))):
                    screened += screened_for(calendar, replicate, index, k0, k1)
                    if level > 0 and tables.randomise[0] > 0:
                        since = treated - switched
                        if since % (tables.randomise[1] + tables.randomise[2]) == 0:
                            in_block = 0
                        lowers = _gets_lower(tables, replicate, index, since, lower_n, in_block, k0, k1)
                        patient[field.LEVEL] = level if lowers else 0
                        lower_n += lowers
                        in_block += lowers
                    time = (now - patients[0, field.STARTED]) // TICKS_PER_DAY if daily else treated
                    at = min(time, last_time) * strata + patient[field.STRATUM]
                    if came:
                        for k in range(field.FIELDS):
                            patient[k] = given[index, k]
                    else:
                        treat(calendar, thresholds, patient, at, replicate, index, k0, k1)
                    treated += 1
                    if came and calendar.after_change == RESTART and patient[field.LEVEL] < level:
                        # the looks that began again do not count a patient who still got the old dose
                        groups[a, LAST_IN] = now
                        groups[a, EARLIER] = max(groups[a, EARLIER], patient[field.KNOWN])
                    else:
                        count_patient(tables, groups, series, a, patient, treated)
                    watched = patient[field.LEVEL] == level
                    if watched:
                        if level > 0 and reduced_after < 0:
                            reduced_after = treated - 1
                        m, toxic_n, crossing, stopping = watch(
                            tables,
                            calendar,
                            patients,
                            at_level,
                            onsets,
                            own_dose,
                            treated - 1,
                            level,
                            m,
                            toxic_n,
                            crossing,
                            stopping,
                        )
                    if 0 < tables.at_enrolled[level] <= treated:
                        amendment = min(amendment, now)
                if arrived < most:
                    _, _, _, gap = words_of(replicate, arrived, 0, GROUP_OUTCOME, k0, k1)
                    if arrived == come:
                        unit, not_before = units_of(calendar, opens_at), max(not_before, opens_at)
                    unit += unit_gap(gap)

        if closed_at >= 0:
            closures[closed_n, 0], closures[closed_n, 1] = closed_at, now
            closed_n += 1
        report(
            tables,
            calendar,
            groups,
            series,
            patients,
            closures[:closed_n],
            treated,
            switched,
            narrow,
            out[row],
        )
        out[row, column.END] = end
        out[row, column.REDUCED_AFTER] = max(reduced_after, 0)
        out[row, column.TRIGGERED] = first_trigger >= 0
        out[row, column.SCREENED] = screened
        began = patients[0, field.STARTED] if calendar.only < 0 else np.int64(0)
        if first_trigger >= 0:
            out[row, column.TRIGGERED_AT] = max(first_trigger - began, 0)
        out[row, column.DECIDED_AT] = now - began
        if kept.shape[0] > 0:
            for i in range(most):
                for k in range(field.FIELDS):
                    kept[row, i, k] = patients[i, k] if i < treated else 0
