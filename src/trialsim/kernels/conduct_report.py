"""What a simulated trial in calendar time leaves behind: patients counted, months measured (``conduct_columns``)."""

from __future__ import annotations

import numpy as np

from trialsim.codes import FINAL_CONSIDER, FINAL_GO, FINAL_NO_GO, FROM_START, GO_EARLY
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import patient as field
from trialsim.kernels.groups import (
    CUT,
    DECIDED,
    GROUP_END,
    LAST_IN,
    LOOK,
    UP_TO_EVALUABLE,
    UP_TO_RESPONSES,
    complete,
)
from trialsim.kernels.jit import plain
from trialsim.kernels.tables import NEW_DOSE_ONLY


@plain
def report(  # type: ignore[no-untyped-def]
    tables, calendar, groups, series, patients, closures, treated, switched, narrow, out
):
    """Fill in the columns that count patients and measure time; ``switched``: patients before the first switch."""
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
        if 0 < tables.randomise[0] < FROM_START and i >= switched and patient[field.LEVEL] == 0:
            own = out.shape[0] - 3
            out[own] += 1
            out[own + 1] += patient[field.IS_RESPONSE]
            out[own + 2] += patient[field.IS_TOXIC]

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
