"""Rows of simulated trials added up, in one pass."""

from __future__ import annotations

import numpy as np

from trialsim.codes import FINAL_GO, GO_EARLY, TICKS_PER_DAY
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.jit import inline, kernel

BY_N, BY_RESPONSES, BY_TOXICITIES, BY_REDUCED_AFTER, HISTOGRAMS = range(5)

DERIVED = 7
GOES, FALSE_GOES, DAYS, MEAN_INTENSITY, ACCRUING, RESPONSES, TOXICITIES = range(-DERIVED, 0)
"""What is read from a trial beside its row and stands after the last column: how many cohorts ended in a go, and in how
many of them a go is false (under own rules); whole days, mean intensity of the trial's patients, ticks accruing;
responses and toxicities at all doses. Without dates and cohorts the first five are 0."""


@inline
def _read(row, first, levels, cohorts, false_go, values):  # type: ignore[no-untyped-def]
    """Fill ``values`` (columns + DERIVED,) with a row whose blocks begin at ``first``, and what is derived from it."""
    for c in range(row.shape[0]):
        values[c] = row[c]
    responses = toxicities = 0
    for level in range(levels):
        responses += values[first + 3 * level + 1]
        toxicities += values[first + 3 * level + 2]
    values[RESPONSES] = responses
    values[TOXICITIES] = toxicities
    if first == column.LEVELS:
        values[ACCRUING] = values[column.DURATION] - values[column.PAUSED] - values[column.WAITING]
        values[MEAN_INTENSITY] = values[column.INTENSITY] // max(values[column.N], 1)
        values[DAYS] = values[column.DURATION] // TICKS_PER_DAY
        values[GOES] = values[FALSE_GOES] = 0
        for c in range(cohorts):
            end = values[first + 3 * levels + 4 * c]
            if end in (GO_EARLY, FINAL_GO):
                values[GOES] += 1
                values[FALSE_GOES] += false_go >> c & 1


@kernel
def read(rows, first, levels, cohorts, false_go):  # type: ignore[no-untyped-def]
    """All numbers of every trial, (replicates, columns + DERIVED); arguments as for ``add_up``."""
    numbers = np.zeros((rows.shape[0], rows.shape[1] + DERIVED), dtype=np.int64)
    for r in range(rows.shape[0]):
        _read(rows[r], first, levels, cohorts, false_go, numbers[r])
    return numbers


@kernel
def add_up(  # type: ignore[no-untyped-def]
    rows, first, levels, cohorts, false_go, ends, histograms, days, went, goes, sums, squares
):
    """Count and sum ``rows`` (replicates, columns of ``trial``, or of ``conduct_columns`` with ``first`` = LEVELS).

    ``false_go``: the set of cohorts (bit c for cohort c) in which a go is false. ``ends`` (8,), ``histograms``
    (HISTOGRAMS, most + 1), ``days`` (longest day + 1,) and ``goes`` (2, cohorts + 1), by how many cohorts ended in a
    go and in a false one, are replicates by value; ``went`` (cohorts,) those in which the cohort did. ``sums`` (columns
    + DERIVED,) and ``squares`` (3, columns + DERIVED): v**2 summed as high**2, high * low and low**2 with v = 2**16
    high + low, so that 64 bits hold a block of squared ticks.
    """
    width = rows.shape[1] + DERIVED
    values = np.zeros(width, dtype=np.int64)
    for r in range(rows.shape[0]):
        _read(rows[r], first, levels, cohorts, false_go, values)
        for c in range(width):
            high, low = values[c] >> 16, values[c] & 0xFFFF
            sums[c] += values[c]
            squares[0, c] += high * high
            squares[1, c] += high * low
            squares[2, c] += low * low
        ends[values[column.END]] += 1
        histograms[BY_N, values[column.N]] += 1
        histograms[BY_RESPONSES, values[RESPONSES]] += 1
        histograms[BY_TOXICITIES, values[TOXICITIES]] += 1
        histograms[BY_REDUCED_AFTER, values[column.REDUCED_AFTER]] += 1
        days[values[DAYS]] += 1
        goes[0, values[GOES]] += 1
        goes[1, values[FALSE_GOES]] += 1
        for c in range(cohorts):
            went[c] += values[first + 3 * levels + 4 * c] in (GO_EARLY, FINAL_GO)


@kernel
def products(  # type: ignore[no-untyped-def]
    rows, first, levels, cohorts, false_go, twins, first_twin, chosen, direct, groups, tables, fixed, out
):
    """Sum, over replicates, products of quantities of a trial with those of its twin.

    Quantities y of the trial come in an order in which those that are a number of the trial stand first, then those
    that are events of one such number, then of another; x are the same of the twin, 0 where it has none. ``out`` is in
    floats, which multiply several times as fast as integers: the caller sees to it that all stay below 2**53.

    Args:
        rows, twins: of the trial and of its twin, whose blocks by dose begin at ``first`` and ``first_twin``.
        chosen: (replicates, 2) outcome of a dose rule in either, read as one number more of a trial.
        direct: (Q1, 2) of each number its column in the trial and in the twin (-1: none).
        groups: (G, 4) of each number with events the same two columns, its first quantity, and the one after its last.
        tables: (G, values, largest number of quantities of a group) 1 where the event holds at that value.
        fixed: (F,) quantities of the twin that go with all.
        out: (2 + 2 F, Q): sums of y x; replicates in which y is not x; then for each of F sums of y f, and of x f.
    """
    width, width_twin, count = rows.shape[1] + DERIVED, twins.shape[1] + DERIVED, out.shape[1]
    values, others = np.zeros(width, dtype=np.int64), np.zeros(width_twin, dtype=np.int64)
    y, x = np.zeros(count), np.zeros(count)
    for r in range(rows.shape[0]):
        _read(rows[r], first, levels, cohorts, false_go, values)
        _read(twins[r], first_twin, levels, cohorts, false_go, others)
        for q in range(direct.shape[0]):
            y[q] = values[direct[q, 0]]
            x[q] = others[direct[q, 1]] if direct[q, 1] >= 0 else 0
        for g in range(groups.shape[0]):
            here, there, start, stop = groups[g, 0], groups[g, 1], groups[g, 2], groups[g, 3]
            v = values[here] if here < width else chosen[r, 0]
            for q in range(start, stop):
                y[q] = tables[g, v, q - start]
            if there >= 0:
                v = others[there] if there < width_twin else chosen[r, 1]
                for q in range(start, stop):
                    x[q] = tables[g, v, q - start]
        for q in range(count):
            out[0, q] += y[q] * x[q]
            out[1, q] += 1.0 if y[q] != x[q] else 0.0
        for k in range(fixed.shape[0]):
            f = x[fixed[k]]
            if f == 0:  # a rare event most often is
                continue
            for q in range(count):
                out[2 + 2 * k, q] += y[q] * f
            for q in range(count):
                out[3 + 2 * k, q] += x[q] * f
