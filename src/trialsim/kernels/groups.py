"""What has looks of its own in a trial in calendar time: the whole trial, or each cohort under its own rules."""

from __future__ import annotations

from trialsim.codes import (
    ACCRUAL,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILE,
    FUTILITY,
    GO,
    GO_EARLY,
    NEVER,
    TOO_TOXIC,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.kernels import patient as field
from trialsim.kernels.clock import NEVER_TICK
from trialsim.kernels.jit import inline, part, plain
from trialsim.kernels.tables import CONTINUE_ACCRUAL, EARLY_DECISION
from trialsim.kernels.weighing import look_taken, weighed

RUNNING = -1
"""End of a group that has not ended."""

GROUP_END, LOOK, TREATED, COUNTED, REACH, INEVALUABLE, DECIDED, CUT, LAST_IN, SINCE, EARLIER, GROUP_FIELDS = (
    range(12)
)
"""State of a group: end; pending look; patients, and those that count, since looks began; the tick at which all their
outcomes are known; inevaluable ones; tick of the last decision; treated patients of the trial up to which the group's
are reported; arrival of its last patient; tick at which its looks began, and by which the outcomes
of those treated before are known."""

(
    UP_TO_KNOWN,
    UP_TO_RESPONSES,
    UP_TO_EVALUABLE,
    UP_TO_PATIENT,
    UNKNOWN_PLACE,
    IN_ORDER,
    IN_ORDER_HIT,
    UP_TO_TOXICITY_KNOWN,
    UP_TO_TOXICITIES,
    TOXIC_IN_ORDER,
    TOXIC_IN_ORDER_HIT,
    MEMBER,
    SERIES,
) = range(13)
"""Series of a group by number of counted patients: tick at which the first so many (and all enrolled between) are
known, their responses, evaluable ones, the last one's number in the trial; when the q-th inevaluable one becomes known;
outcomes of counted patients in order of time, each as twice the patient's number among them, and 1 more for a response;
tick at which the toxicities of the first so many are known, how many there are; toxicities of counted patients and
freedom from it in order of time, in the same way; and, by number of patients since looks began, counted or not, the
last one's place in the trial, from 0."""

BEST_LAST = (FUTILITY, ACCRUAL, FINAL_NO_GO, TOXICITY, TOXICITY_AT_N, FINAL_CONSIDER, GO_EARLY, FINAL_GO)
"""Ends of groups, best last."""


RUN_OUT = 1 << 20
"""The decision of a group for which no further patient comes."""


@inline
def target(tables, calendar, groups, a, narrow):  # type: ignore[no-untyped-def]
    """Counted patients at which a group's accrual has to wait, or is complete."""
    look = groups[a, LOOK]
    planned = tables.look_n[tables.look_n.shape[0] - 1]
    if not narrow and (tables.final[look] or calendar.interim != CONTINUE_ACCRUAL):
        return tables.look_n[look]
    return planned


@part
def complete(tables, groups, a, narrow):  # type: ignore[no-untyped-def]
    """Whether the patients of a group's final look are all enrolled."""
    planned = tables.look_n[tables.look_n.shape[0] - 1]
    if narrow:
        return groups[a, TREATED] >= planned
    look = groups[a, LOOK]
    return groups[a, COUNTED] >= (tables.look_n[look] if tables.final[look] else planned)


@part
def has_place(tables, calendar, groups, series, a, narrow, now, treated):  # type: ignore[no-untyped-def]
    """Whether a patient arriving now would be enrolled in a group, and when that changes by itself; ``treated``:
    patients of all groups since their looks began."""
    if groups[a, GROUP_END] != RUNNING or treated >= tables.act_ge.shape[1] - 1:
        return False, NEVER_TICK
    if complete(tables, groups, a, narrow):
        return False, NEVER_TICK
    over = groups[a, TREATED] - target(tables, calendar, groups, a, narrow)
    if over < 0:
        return True, NEVER_TICK
    if not tables.replaced or over >= groups[a, INEVALUABLE]:
        return False, NEVER_TICK
    reopens = series[a, UNKNOWN_PLACE, over]
    return reopens <= now, reopens


@plain
def certain(tables, groups, series, a):  # type: ignore[no-untyped-def]
    """The tick from which every completion of the pending look decides alike (NEVER_TICK if none yet), and how."""
    look = groups[a, LOOK]
    row, n = tables.look_next[look], tables.look_n[look]
    responses = others = 0
    alike_to = 0  # up to so many responses, at least, the decision is that of those seen
    tick = groups[a, SINCE]
    for j in range(groups[a, COUNTED] + 1):
        if j > 0:
            number, hit = series[a, IN_ORDER_HIT, j - 1] >> 1, series[a, IN_ORDER_HIT, j - 1] & 1
            if number > n:
                continue  # enrolled while accrual was to wait for this look
            tick = series[a, IN_ORDER, j - 1]
            responses += hit
            others += 1 - hit
        alike_to = max(alike_to, responses)
        while alike_to < n - others and row[alike_to + 1] == row[responses]:
            alike_to += 1
        if alike_to >= n - others:
            return tick, row[responses]
    return NEVER_TICK, row[0]


@plain
def certain_of_toxicity(tables, groups, series, a):  # type: ignore[no-untyped-def]
    """The tick from which it is certain whether the pending look stops for toxicity, and whether it does."""
    look = groups[a, LOOK]
    n, cut = tables.look_n[look], tables.toxic_ge[look]
    toxic = free = 0
    for j in range(groups[a, COUNTED]):
        number, hit = series[a, TOXIC_IN_ORDER_HIT, j] >> 1, series[a, TOXIC_IN_ORDER_HIT, j] & 1
        if number > n:
            continue
        toxic += hit
        free += 1 - hit
        if toxic >= cut or free > n - cut:
            return series[a, TOXIC_IN_ORDER, j], toxic >= cut
    return NEVER_TICK, False


@part
def next_decision(  # type: ignore[no-untyped-def]
    tables, calendar, patients, groups, series, a, narrow, own_dose, no_more
):
    """When a group decides, if no further patient arrives, and what: a decision of the look, or RUN_OUT.

    ``own_dose`` is (patients, responses, tick known) at the current dose; ``no_more`` the tick of the last
    possible arrival (NEVER_TICK while more may come).
    """
    if groups[a, GROUP_END] != RUNNING:
        return NEVER_TICK, 0
    look = groups[a, LOOK]
    if narrow:
        if not complete(tables, groups, a, narrow):
            return NEVER_TICK, 0
        tick = max(own_dose[2] + calendar.review_lag, groups[a, DECIDED])
        return tick, GO if own_dose[1] >= calendar.attained_ge[own_dose[0]] else FUTILE
    n, watched = tables.look_n[look], tables.toxic_ge[look] < NEVER
    if calendar.interim == EARLY_DECISION and not tables.final[look]:
        tick, decision = certain(tables, groups, series, a)
        if watched:
            known, too_toxic = certain_of_toxicity(tables, groups, series, a)
            tick = known if too_toxic else max(tick, known)
            decision = TOO_TOXIC if too_toxic else decision
        if tick < NEVER_TICK:
            return max(tick + calendar.review_lag, groups[a, DECIDED]), decision
    due, verdict = NEVER_TICK, 0
    if calendar.weighing.on and not tables.final[look]:
        members, treated = series[a, MEMBER], groups[a, TREATED]
        tick, last = look_taken(tables, calendar.weighing, patients, members, treated, look)
        if tick < NEVER_TICK:
            too_toxic = False
            if watched:
                known, too_toxic = certain_of_toxicity(tables, groups, series, a)
                tick = max(tick, known)
            verdict = TOO_TOXIC
            if not too_toxic:
                verdict = weighed(tables, calendar, patients, members, look, last, tick)
            due = max(tick + calendar.review_lag, groups[a, DECIDED])
    elif groups[a, COUNTED] >= n:
        decision = tables.look_next[look, series[a, UP_TO_RESPONSES, n]]
        tick = series[a, UP_TO_KNOWN, n]
        if watched:
            tick = max(tick, series[a, UP_TO_TOXICITY_KNOWN, n])
            decision = TOO_TOXIC if series[a, UP_TO_TOXICITIES, n] >= tables.toxic_ge[look] else decision
        return max(tick + calendar.review_lag, groups[a, DECIDED]), decision
    if groups[a, TREATED] >= tables.act_ge.shape[1] - 1:
        no_more = groups[a, LAST_IN]
    if no_more < NEVER_TICK and not complete(tables, groups, a, narrow):
        known = max(max(groups[a, REACH], groups[a, EARLIER]), no_more)
        for k in range(tables.toxic_ge.shape[0]):
            if tables.toxic_ge[k] < NEVER:
                known = max(known, series[a, UP_TO_TOXICITY_KNOWN, groups[a, COUNTED]])
        tick = max(known + calendar.review_lag, groups[a, DECIDED])
        if tick < due:
            return tick, RUN_OUT
    return due, verdict


@part
def count_patient(tables, groups, series, a, patient, number):  # type: ignore[no-untyped-def]
    """Enter a patient (the ``number``-th treated one) into the looks of a group."""
    group = groups[a]
    series[a, MEMBER, group[TREATED]] = number - 1
    group[TREATED] += 1
    group[LAST_IN] = patient[field.STARTED]
    group[REACH] = max(group[REACH], patient[field.KNOWN])
    if tables.replaced and not patient[field.IS_EVALUABLE]:
        places, q = series[a, UNKNOWN_PLACE], group[INEVALUABLE]
        while q > 0 and places[q - 1] > patient[field.KNOWN]:
            places[q] = places[q - 1]
            q -= 1
        places[q] = patient[field.KNOWN]
        group[INEVALUABLE] += 1
        return
    group[COUNTED] += 1
    c, hit = group[COUNTED], patient[field.IS_RESPONSE]
    series[a, UP_TO_KNOWN, c] = group[REACH]
    series[a, UP_TO_RESPONSES, c] = series[a, UP_TO_RESPONSES, c - 1] + hit
    series[a, UP_TO_EVALUABLE, c] = series[a, UP_TO_EVALUABLE, c - 1] + patient[field.IS_EVALUABLE]
    series[a, UP_TO_PATIENT, c] = number
    insert(series[a, IN_ORDER], series[a, IN_ORDER_HIT], c - 1, patient[field.KNOWN], 2 * c + hit)
    toxic, known = patient[field.IS_TOXIC], patient[field.TOXICITY_KNOWN]
    series[a, UP_TO_TOXICITY_KNOWN, c] = max(series[a, UP_TO_TOXICITY_KNOWN, c - 1], known)
    series[a, UP_TO_TOXICITIES, c] = series[a, UP_TO_TOXICITIES, c - 1] + toxic
    insert(series[a, TOXIC_IN_ORDER], series[a, TOXIC_IN_ORDER_HIT], c - 1, known, 2 * c + toxic)


@part
def insert(ticks, hits, j, tick, hit):  # type: ignore[no-untyped-def]
    """Put an outcome among the ``j`` that are in order of time."""
    while j > 0 and ticks[j - 1] > tick:
        ticks[j], hits[j] = ticks[j - 1], hits[j - 1]
        j -= 1
    ticks[j], hits[j] = tick, hit
