"""Trials whose cohorts share nothing but the arrival of patients: put together from runs of one cohort each.

Every run sees all arrivals and enrols those of its cohort, so that a patient is the same one whoever runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from trialsim.kernels import conduct_columns as column
from trialsim.kernels.groups import BEST_LAST
from trialsim.kernels.patient import FIELDS, STARTED
from trialsim.kernels.tables import Calendar, Int32, Int64, Tables

ADDED = (
    column.N,
    column.EVALUABLE,
    column.TREATED,
    column.OVERRUN,
    column.SCREENED,
    column.CONTROLLED,
    column.SERIOUS_N,
    column.REDUCED_N,
    column.OFF_N,
    column.INTENSITY,
)
LATE = np.iinfo(np.int32).max


def runs(
    tables: Tables, calendar: Calendar, by_cohort: Sequence[Tables] = ()
) -> Iterator[tuple[Tables, Calendar]]:
    """What the trial of each cohort is run with; ``by_cohort``: its tables, where each has its own design."""
    for c, own in enumerate(by_cohort):
        yield own, calendar._replace(only=c, attained_ge=own.attained_ge)
    if by_cohort:
        return
    most = (tables.act_ge.shape[1] - 1) // calendar.cohorts
    each = tables._replace(
        act_ge=np.ascontiguousarray(tables.act_ge[:, : most + 1]),
        stop_ge=np.ascontiguousarray(tables.stop_ge[:, : most + 1]),
    )
    for c in range(calendar.cohorts):
        yield each, calendar._replace(only=c)


def together(parts: Sequence[Int32], levels: int) -> Int32:
    """Rows of the whole trial from those of its cohorts, in their order.

    The end is the best of the cohorts' (``docs/conduct.md``); a dose is reduced, or its reduction triggered, where it
    is in any cohort, at the first of them, and the patient after whom it is counts within that cohort.
    """
    out = np.zeros_like(parts[0])
    every = np.stack(parts)
    for name in ADDED:
        out[:, name] = every[:, :, name].sum(axis=0)
    by_dose = slice(column.LEVELS, column.LEVELS + 3 * levels)
    out[:, by_dose] = every[:, :, by_dose].sum(axis=0)
    rank = np.zeros(len(BEST_LAST), dtype=np.int64)
    rank[list(BEST_LAST)] = np.arange(len(BEST_LAST))
    out[:, column.END] = np.array(BEST_LAST)[rank[every[:, :, column.END]].max(axis=0)]
    for c, rows in enumerate(parts):
        own = slice(by_dose.stop + 4 * c, by_dose.stop + 4 * c + 4)
        out[:, own] = rows[:, own]
    for name in (column.TRIGGERED, column.GO_EVALUABLE):
        out[:, name] = every[:, :, name].max(axis=0)
    reduced = every[:, :, column.REDUCED_AFTER]
    first = np.where(reduced > 0, reduced, LATE).min(axis=0)
    out[:, column.REDUCED_AFTER] = np.where(first < LATE, first, 0)
    start = np.where(every[:, :, column.TREATED] > 0, every[:, :, column.PAUSED], LATE).min(axis=0)
    last = every[:, :, column.DURATION].max(axis=0)
    out[:, column.DURATION] = last - start
    full = (every[:, :, column.DURATION] - every[:, :, column.WAITING]).max(axis=0)
    out[:, column.WAITING] = last - full
    out[:, column.DECIDED_AT] = every[:, :, column.DECIDED_AT].max(axis=0) - start
    at = np.where(every[:, :, column.TRIGGERED] > 0, every[:, :, column.TRIGGERED_AT], LATE).min(axis=0)
    out[:, column.TRIGGERED_AT] = np.where(at < LATE, np.maximum(at - start, 0), 0)
    return out


def everybody(parts: Sequence[Int64], rows: Sequence[Int32], most: int) -> Int64:
    """The patients of each trial in the order of their arrival, (replicates, most, fields)."""
    kept = np.zeros((len(rows[0]), most, FIELDS), dtype=np.int64)
    for trial in range(len(rows[0])):
        treated = np.concatenate(
            [p[trial, : r[trial, column.TREATED]] for p, r in zip(parts, rows, strict=True)]
        )
        order = np.argsort(treated[:, STARTED], kind="stable")
        kept[trial, : len(treated)] = treated[order]
    return kept
