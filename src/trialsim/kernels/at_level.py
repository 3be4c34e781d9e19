"""The toxicity boundary of a dose level as patients enter it: when what is seen among them reaches it."""

from __future__ import annotations

import numpy as np

from trialsim.codes import CONTINUE
from trialsim.kernels import patient as field
from trialsim.kernels.clock import NEVER_TICK
from trialsim.kernels.jit import part, plain


@part
def _insert_onset(onsets, toxic_n, onset):  # type: ignore[no-untyped-def]
    """Put the onset of the ``toxic_n``-th toxicity at a level among those before it, in order of time."""
    j = toxic_n - 1
    while j > 0 and onsets[j - 1] > onset:
        onsets[j] = onsets[j - 1]
        j -= 1
    onsets[j] = onset


@part
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
def crossing_patient(calendar, bounds, m, patients, at_level, now):  # type: ignore[no-untyped-def]
    """The least number of treated patients of the trial on which a boundary is reached at a tick."""
    seen = 0
    for i in range(m):
        patient = patients[at_level[i]]
        if patient[field.IS_TOXIC] and (not calendar.as_it_happens or patient[field.ONSET] <= now):
            seen += 1
        if seen >= bounds[i + 1]:
            return at_level[i] + 1
    return at_level[m - 1] + 1


@part
def watch(  # type: ignore[no-untyped-def]
    tables, calendar, patients, at_level, onsets, own_dose, index, level, m, toxic_n, crossing, stopping
):
    """Enter a patient at the dose level that is given now: (patients at it, toxicities, when it is left, stopped)."""
    patient = patients[index]
    at_level[m] = index
    m += 1
    toxic_n += patient[field.IS_TOXIC]
    own_dose[0] = m
    own_dose[1] += patient[field.IS_RESPONSE]
    own_dose[2] = max(own_dose[2], patient[field.KNOWN])
    if tables.action[level] != CONTINUE and m < tables.act_ge.shape[1]:
        if patient[field.IS_TOXIC]:
            _insert_onset(onsets, toxic_n, patient[field.ONSET])
        act, stop = tables.act_ge[level, m], tables.stop_ge[level, m]
        crossing = _crossing(calendar, act, m, toxic_n, patients, at_level, onsets, crossing)
        stopping = _crossing(calendar, stop, m, toxic_n, patients, at_level, onsets, stopping)
    return m, toxic_n, crossing, stopping
