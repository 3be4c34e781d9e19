"""Simulated trials in calendar time, one after another, event by event: the readable reference (docs/conduct.md).

Within a tick: outcomes, toxicity rule, looks, amendment, arrival. A group is what has looks of its own: the whole
trial, or each cohort under its own rules. Outcomes are drawn when a patient arrives; what is not known yet at a
tick is never used at it.
"""

from __future__ import annotations

import numpy as np

from trialsim.codes import (
    ACCRUAL,
    CONTINUE,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    GO_EARLY,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import patient as field
from trialsim.kernels.clock import NEVER_TICK, ticks_of, unit_gap, units_of
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
    REACH,
    RUN_OUT,
    RUNNING,
    SERIES,
    SINCE,
    UP_TO_EVALUABLE,
    UP_TO_PATIENT,
    UP_TO_RESPONSES,
    complete,
    count_patient,
    has_place,
    next_decision,
)
from trialsim.kernels.jit import kernel, plain
from trialsim.kernels.patient import screened_for, stratum_of, treat, words_of
from trialsim.kernels.streams import GROUP_OUTCOME
from trialsim.kernels.tables import HOLD, NEW_DOSE_ONLY, RESTART, SWITCH


@plain
def _insert_onset(onsets, toxic_n, onset):  # type: ignore[no-untyped-def]
    """Put the onset of the ``toxic_n``-th toxicity at a level among those before it, in order of time."""
    j = toxic_n - 1
    while j > 0 and onsets[j - 1] > onset:
        onsets[j] = onsets[j - 1]
        j -= 1
    onsets[j] = onset


@plain
def _crossing(  # type: ignore[no-untyped-def]
    calendar, bound, m, toxic_n, patients, at_level, onsets, before
):
    """When toxicities among the first m patients at a level or fewer reach a boundary, given when among m - 1."""
    if toxic_n < bound:
        return before
    if calendar.as_it_happens:
        seen = onsets[bound - 1] if bound > 0 else np.int64(0)
        return min(before, max(seen, patients[at_level[m - 1], field.STARTED]))
    if before < NEVER_TICK:
        return before
    known = np.int64(0)
    for i in range(m):
        known = max(known, patients[at_level[i], field.TOXICITY_KNOWN])
    return known


@plain
def _crossing_patient(calendar, bounds, m, patients, at_level, now):  # type: ignore[no-untyped-def]
    """The least number of treated patients of the trial on which a boundary is reached at a tick."""
    seen = 0
    for i in range(m):
        patient = patients[at_level[i]]
        if patient[field.IS_TOXIC] and (not calendar.as_it_happens or patient[field.ONSET] <= now):
            seen += 1
        if seen >= bounds[i + 1]:
            return at_level[i] + 1
    return at_level[m - 1] + 1


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
def simulate(tables, calendar, thresholds, k0, k1, first, out, kept):  # type: ignore[no-untyped-def]
    """Fill ``out`` (replicates, columns) with replicates ``first``, ``first + 1``, ... (``conduct_columns``).

    ``thresholds`` is (K, S, 8) int64 (``tables.RESPONSE`` ...). ``kept`` (replicates, max_arrivals, FIELDS), if not
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

    _simulate(
        tables,
        calendar,
        thresholds,
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
    )


@plain
def _simulate(  # type: ignore[no-untyped-def]
    tables,
    calendar,
    thresholds,
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
):
    """The trials one after another, in work space that is given."""
    most, count = calendar.max_arrivals, groups.shape[0]
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
        crossing, stopping, amendment, switch = NEVER_TICK, NEVER_TICK, NEVER_TICK, NEVER_TICK
        if calendar.amended_at[0] > 0:
            amendment = calendar.amended_at[0]
        _, _, _, gap = words_of(replicate, 0, 0, GROUP_OUTCOME, k0, k1)
        unit = unit_gap(gap)

        while end == RUNNING:
            # whether accrual is open, and when it will open by itself
            is_open, opens = False, NEVER_TICK
            all_in = True
            for a in range(count):
                place, reopens = has_place(tables, calendar, groups, series, a, narrow, now)
                is_open = is_open or place or calendar.own  # cohorts turn their patients away themselves
                opens = min(opens, reopens if reopens > now else NEVER_TICK)
                all_in = all_in and (groups[a, GROUP_END] != RUNNING or complete(tables, groups, a, narrow))
            # a cohort by itself turns patients away while the others' arrive
            is_open = is_open and (not held or calendar.only >= 0)
            if not is_open and closed_at < 0:
                closed_at = now
            elif is_open and closed_at >= 0:
                unit += units_of(calendar, now) - units_of(calendar, closed_at)
                closures[closed_n, 0], closures[closed_n, 1] = closed_at, now
                closed_n += 1
                closed_at, not_before = np.int64(-1), now
            more = is_open and arrived < most and not all_in
            arrival = max(ticks_of(calendar, unit), not_before) if more else NEVER_TICK

            decides, decision, group = NEVER_TICK, 0, 0
            for a in range(count):
                tick, what = next_decision(
                    tables,
                    calendar,
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
                    cut = _crossing_patient(calendar, tables.stop_ge[level], m, patients, at_level, now)
                    for a in range(count):
                        if groups[a, GROUP_END] == RUNNING:
                            look = groups[a, LOOK]
                            # all are in, but where the trial always ends before the planned n
                            at_n = all_in and (narrow or tables.at_n[look] or not tables.final[look])
                            groups[a, GROUP_END] = TOXICITY_AT_N if at_n else TOXICITY
                            groups[a, CUT], groups[a, DECIDED] = cut, now
                    end = _end_of(groups)
                else:
                    if first_trigger < 0:
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
                if decision != RUN_OUT and not final and state[COUNTED] >= n:
                    state[CUT] = series[group, UP_TO_PATIENT, n]
                end = _end_of(groups)
            elif now == switch:
                switch, held = NEVER_TICK, False
                if all_in:
                    continue
                level += 1
                m, toxic_n, crossing, stopping, triggered = 0, 0, NEVER_TICK, NEVER_TICK, False
                own_dose[:] = 0
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
                place, _ = has_place(tables, calendar, groups, series, a, narrow, now)
                if place and (calendar.only < 0 or (cohort == calendar.only and not held)):
                    screened += screened_for(calendar, replicate, index, k0, k1)
                    treat(calendar, thresholds, patient, replicate, index, k0, k1)
                    if level > 0 and reduced_after < 0:
                        reduced_after = treated
                    at_level[m] = treated
                    m += 1
                    treated += 1
                    toxic_n += patient[field.IS_TOXIC]
                    own_dose[0] = m
                    own_dose[1] += patient[field.IS_RESPONSE]
                    own_dose[2] = max(own_dose[2], patient[field.KNOWN])
                    count_patient(tables, groups, series, a, patient, treated)
                    if tables.action[level] != CONTINUE:
                        if patient[field.IS_TOXIC]:
                            _insert_onset(onsets, toxic_n, patient[field.ONSET])
                        act, stop = tables.act_ge[level, m], tables.stop_ge[level, m]
                        crossing = _crossing(calendar, act, m, toxic_n, patients, at_level, onsets, crossing)
                        stopping = _crossing(calendar, stop, m, toxic_n, patients, at_level, onsets, stopping)
                    if 0 < tables.at_enrolled[level] <= treated:
                        amendment = min(amendment, now)
                if arrived < most:
                    _, _, _, gap = words_of(replicate, arrived, 0, GROUP_OUTCOME, k0, k1)
                    unit += unit_gap(gap)

        if closed_at >= 0:
            closures[closed_n, 0], closures[closed_n, 1] = closed_at, now
            closed_n += 1
        _report(tables, calendar, groups, series, patients, closures[:closed_n], treated, narrow, out[row])
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


@plain
def _report(  # type: ignore[no-untyped-def]
    tables, calendar, groups, series, patients, closures, treated, narrow, out
):
    """Fill in the columns that count patients and measure time."""
    levels = tables.act_ge.shape[0]
    by_cohort = column.LEVELS + 3 * levels
    out[:] = 0
    out[column.TREATED] = treated
    last = np.int64(0)
    for i in range(treated):
        patient = patients[i]
        last = max(last, max(patient[field.KNOWN], patient[field.TOXICITY_KNOWN]))
        cohort = calendar.cohort_of[patient[field.STRATUM]]
        reported = i < groups[cohort if groups.shape[0] > 1 else 0, CUT]
        patient[field.REPORTED] = reported or not calendar.exclude
        if not reported:
            out[column.OVERRUN] += 1
            if calendar.exclude:
                continue
        out[column.N] += 1
        out[column.EVALUABLE] += patient[field.IS_EVALUABLE]
        out[column.CONTROLLED] += patient[field.IS_CONTROLLED]
        out[column.SERIOUS_N] += patient[field.IS_SERIOUS]
        out[column.REDUCED_N] += patient[field.REDUCTIONS] > 0
        out[column.OFF_N] += patient[field.OFF]
        out[column.INTENSITY] += patient[field.RELATIVE_INTENSITY]
        own = column.LEVELS + 3 * patient[field.LEVEL]
        out[own] += 1
        out[own + 1] += patient[field.IS_RESPONSE]
        out[own + 2] += patient[field.IS_TOXIC]
        own = by_cohort + 4 * cohort
        out[own + 1] += 1
        out[own + 2] += patient[field.IS_EVALUABLE]
        out[own + 3] += patient[field.IS_RESPONSE]

    start, accrual_end = patients[0, field.STARTED] if calendar.only < 0 else np.int64(0), np.int64(0)
    for a in range(groups.shape[0]):
        last = max(last, groups[a, DECIDED])
        end, look = groups[a, GROUP_END], groups[a, LOOK]
        all_in = complete(tables, groups, a, narrow)
        accrual_end = max(accrual_end, groups[a, LAST_IN] if all_in else groups[a, DECIDED])
        go = end in (GO_EARLY, FINAL_GO)
        if end in (FINAL_GO, FINAL_NO_GO, FINAL_CONSIDER) and not (
            tables.replaced or calendar.after_change == NEW_DOSE_ONLY
        ):
            n = tables.look_n[look]
            go = series[a, UP_TO_RESPONSES, n] >= calendar.attained_ge[series[a, UP_TO_EVALUABLE, n]]
        if go:
            out[column.GO_EVALUABLE] = 1
        if calendar.own:
            out[by_cohort + 4 * max(a, calendar.only)] = end
    out[column.DURATION] = last - start
    out[column.WAITING] = last - accrual_end
    for i in range(closures.shape[0]):
        out[column.PAUSED] += max(min(closures[i, 1], accrual_end) - max(closures[i, 0], start), 0)
    if calendar.only >= 0:
        out[column.PAUSED] = patients[0, field.STARTED]
