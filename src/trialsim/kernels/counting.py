"""Rows of simulated trials in calendar time added up, in one pass."""

from __future__ import annotations

import numpy as np

from trialsim.codes import FINAL_GO, GO_EARLY
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.jit import kernel

TICKS_PER_DAY = 1024

BY_N, BY_RESPONSES, BY_TOXICITIES, BY_REDUCED_AFTER, HISTOGRAMS = range(5)

ACCRUING, MEAN_INTENSITY, DERIVED = range(3)
"""What is summed beside the columns, after the last of them: ticks accruing, mean intensity of a trial's patients."""


@kernel
def add_up(rows, levels, cohorts, ends, histograms, days, go_sets, sums, squares):  # type: ignore[no-untyped-def]
    """Count and sum ``rows`` (replicates, columns of ``conduct_columns``).

    ``ends`` (8,), ``histograms`` (HISTOGRAMS, most + 1), ``days`` (longest day + 1,) and ``go_sets`` (2**cohorts,; the
    set of cohorts that ended in a go, under own rules) are replicates by value. ``sums`` (columns + DERIVED,) and
    ``squares`` (3, columns + DERIVED): v**2 summed as high**2, high * low and low**2 with v = 2**16 high + low, so that
    64 bits hold a block of squared ticks.
    """
    width = rows.shape[1]
    values = np.zeros(width + DERIVED, dtype=np.int64)
    by_cohort = column.LEVELS + 3 * levels
    for r in range(rows.shape[0]):
        for c in range(width):
            values[c] = rows[r, c]
        values[width + ACCRUING] = values[column.DURATION] - values[column.PAUSED] - values[column.WAITING]
        values[width + MEAN_INTENSITY] = values[column.INTENSITY] // max(values[column.N], 1)
        for c in range(width + DERIVED):
            high, low = values[c] >> 16, values[c] & 0xFFFF
            sums[c] += values[c]
            squares[0, c] += high * high
            squares[1, c] += high * low
            squares[2, c] += low * low
        responses = toxicities = 0
        for level in range(levels):
            responses += values[column.LEVELS + 3 * level + 1]
            toxicities += values[column.LEVELS + 3 * level + 2]
        ends[values[column.END]] += 1
        histograms[BY_N, values[column.N]] += 1
        histograms[BY_RESPONSES, responses] += 1
        histograms[BY_TOXICITIES, toxicities] += 1
        histograms[BY_REDUCED_AFTER, values[column.REDUCED_AFTER]] += 1
        days[values[column.DURATION] // TICKS_PER_DAY] += 1
        members = 0
        for c in range(cohorts):
            end = values[by_cohort + 4 * c]
            if end in (GO_EARLY, FINAL_GO):
                members |= 1 << c
        go_sets[members] += 1
