"""Interim looks that do not wait for everybody: when they are taken, what pending patients weigh (docs/conduct.md)."""

from __future__ import annotations

import numpy as np

from trialsim.codes import FUTILE
from trialsim.kernels import patient as field
from trialsim.kernels.clock import NEVER_TICK
from trialsim.kernels.jit import plain


@plain
def look_taken(tables, weighing, patients, members, treated, look):  # type: ignore[no-untyped-def]
    """The tick at which a look is taken, if no further patient arrives (NEVER_TICK if it is not), and which of the
    ``members`` (places in the trial of a group's ``treated`` patients) is the last it counts.

    It is the first tick at which so many patients are enrolled who are not known to be replaced, the last of them long
    enough ago, and few enough of them pending.
    """
    n = tables.look_n[look]
    if treated < n:
        return NEVER_TICK, 0
    tick = patients[members[n - 1], field.STARTED]
    while True:
        found, pending, last, next_known = 0, 0, -1, NEVER_TICK
        for i in range(treated):
            patient = patients[members[i]]
            known = patient[field.KNOWN]
            if patient[field.STARTED] > tick:
                break
            if tables.replaced and known <= tick and not patient[field.IS_EVALUABLE]:
                continue
            found += 1
            if known > tick:
                pending += 1
                next_known = min(next_known, known)
            if found == n:
                last = i
                break
        if last < 0:
            enrolled = NEVER_TICK  # the next who is enrolled, if anybody is
            for i in range(n, treated):
                if patients[members[i], field.STARTED] > tick:
                    enrolled = patients[members[i], field.STARTED]
                    break
            if enrolled == NEVER_TICK:
                return NEVER_TICK, 0
            tick = enrolled
            continue
        due = patients[members[last], field.STARTED] + weighing.minimum
        if due > tick:
            tick = due
        elif pending <= weighing.allowed[look]:
            return tick, last
        else:
            tick = next_known


@plain
def weighed(tables, calendar, patients, members, look, last, tick):  # type: ignore[no-untyped-def]
    """The decision of a look that is taken at a tick, on the ``members`` up to ``last``."""
    weighing = calendar.weighing
    responses = failures = unconfirmed = pending = 0
    followed = np.int64(0)
    for i in range(last + 1):
        patient = patients[members[i]]
        if patient[field.KNOWN] <= tick:
            if patient[field.IS_RESPONSE]:
                responses += 1
            elif patient[field.IS_EVALUABLE] or not tables.replaced:
                failures += 1
        elif 0 <= patient[field.SIGHTED] <= tick:
            unconfirmed += 1
        else:
            pending += 1
            followed += _followed(calendar, tick - patient[field.STARTED])

    row = tables.look_next[look]
    onward = alike = row[responses]
    for x in range(responses, responses + unconfirmed + pending + 1):
        onward = max(onward, row[x])
        if row[x] != row[responses]:
            alike = NEVER_TICK
    if alike != NEVER_TICK:
        return row[responses]
    if responses >= weighing.futile_from.shape[1]:
        return onward
    if weighing.node.shape[0] == 0:
        followed += failures * weighing.window + unconfirmed * weighing.doubt
        return FUTILE if followed >= weighing.futile_from[look, responses, unconfirmed] else onward
    gain = 0.0
    for q in range(weighing.node.shape[0]):
        rate = weighing.node[q]
        likelihood = weighing.gain[look, q] * weighing.unconfirmed[unconfirmed, q]
        for _ in range(responses):
            likelihood *= rate
        for _ in range(failures):
            likelihood *= 1.0 - rate
        for i in range(last + 1):
            patient = patients[members[i]]
            if patient[field.KNOWN] > tick and not 0 <= patient[field.SIGHTED] <= tick:
                weight = _followed(calendar, tick - patient[field.STARTED]) / weighing.window
                likelihood *= 1.0 - weight * rate
        gain += likelihood
    return FUTILE if gain < 0.0 else onward


@plain
def _followed(calendar, age):  # type: ignore[no-untyped-def]
    """Ticks of follow-up without response that count for a pending patient so long after enrolment."""
    weighing = calendar.weighing
    if weighing.credit.shape[0] == 0:
        return min(age, weighing.window)
    counts = np.int64(0)
    for v in range(calendar.visit.shape[0]):
        if calendar.visit[v] <= age:
            counts = weighing.credit[v]
    return counts
