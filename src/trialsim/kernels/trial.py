"""One simulated trial after another: patients in enrolment order, every outcome known before the next one.

The order after patient i: record, toxicity boundary, look; a toxicity stop outranks the look; a dose reduction
takes effect from patient i + 1. Calendar time will enter here as a second kernel over the same tables and
streams. What was measured, kept and rejected: benchmarks/NOTES.md.
"""

from __future__ import annotations

import numpy as np

from trialsim.codes import (
    ACCRUAL,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILE,
    FUTILITY,
    GO,
    GO_EARLY,
    REDUCE,
    STOP,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.kernels.jit import inline, kernel
from trialsim.kernels.streams import DOMAIN_TRIAL, GROUP_OUTCOME, philox

END, N, EVALUABLE, REDUCED_AFTER, TRIGGERED, LEVELS = range(6)
"""Columns of a replicate; from LEVELS on, patients, responses and toxicities of each level in turn."""

BLOCK = 16
"""Patients drawn at a time, abreast in the lanes of the processor. No result depends on it."""

_ADDRESS = np.uint64((DOMAIN_TRIAL << 16) | GROUP_OUTCOME)
_LOW = np.uint64(0xFFFFFFFF)


def columns(levels: int) -> int:
    """Number of columns of a replicate with this many dose levels."""
    return LEVELS + 3 * levels


@inline
def _draw(patients, first, level, thresholds, c0, c1, k0, k1):  # type: ignore[no-untyped-def]
    """Set ``patients[first : first + BLOCK]`` as treated at ``level``, coded as ``paths`` of ``simulate``."""
    responds, toxic_if_not, toxic_if_so = thresholds[level, 0], thresholds[level, 1], thresholds[level, 2]
    evaluable_if_not, evaluable_if_so = thresholds[level, 3], thresholds[level, 4]
    for i in range(first, first + BLOCK):
        w0, w1, w2, _ = philox(c0, c1, np.uint64(i), _ADDRESS, k0, k1)
        response = np.int64(w0) < responds
        toxic = np.int64(w1) < (toxic_if_so if response else toxic_if_not)
        evaluable = np.int64(w2) < (evaluable_if_so if response else evaluable_if_not)
        patients[i] = 1 + level * 8 + evaluable * 4 + (response & evaluable) * 2 + toxic


@kernel
def simulate(tables, thresholds, k0, k1, first, out, paths):  # type: ignore[no-untyped-def]
    """Fill ``out`` (replicates, columns) with replicates ``first``, ``first + 1``, ... .

    ``thresholds`` is (K, 5) int64: response; toxicity given no response, given response; evaluable given no
    response, given response. ``paths`` (replicates, M), if not empty, receives for each patient
    1 + level * 8 + evaluable * 4 + response * 2 + toxicity (0: not enrolled).
    """
    max_treated = tables.act_ge.shape[1] - 1
    patients = np.empty(max_treated + BLOCK, dtype=np.int8)
    for row in range(out.shape[0]):
        replicate = np.uint64(first + row)
        c0 = replicate & _LOW
        c1 = replicate >> np.uint64(32)
        counts = out[row]
        counts[:] = 0
        level, look, i, drawn = 0, 0, 0, 0
        at_level, toxic_at_level, responses_above = 0, 0, 0
        evaluable_n, responses, reduced_after = 0, 0, 0
        triggered = False
        end = -1
        while end < 0:
            if i == drawn:
                _draw(patients, i, level, thresholds, c0, c1, k0, k1)
                drawn = i + BLOCK

            # before patient ``quiet`` only toxicity can act; inevaluable patients do no more than put a look off
            quiet = min(drawn, max_treated, tables.look_n[look] + (i - evaluable_n if tables.replaced else 0))
            if tables.at_enrolled[level] > 0:
                quiet = min(quiet, tables.at_enrolled[level])
            while True:
                patient = patients[i] - 1
                i += 1
                at_level += 1
                toxic_at_level += patient & 1
                responses += (patient >> 1) & 1
                evaluable_n += (patient >> 2) & 1
                crossed = toxic_at_level >= tables.act_ge[level, at_level]
                if crossed or i >= quiet:
                    break

            column = LEVELS + 3 * level
            counts[column] = at_level
            counts[column + 1] = responses - responses_above
            counts[column + 2] = toxic_at_level

            if tables.replaced:
                due = (patient >> 2) & 1 == 1 and evaluable_n == tables.look_n[look]
            else:
                due = i == tables.look_n[look]

            if crossed and tables.action[level] == STOP:
                end = TOXICITY_AT_N if due and tables.final[look] else TOXICITY
            elif (crossed and tables.action[level] == REDUCE) or 0 < tables.at_enrolled[level] <= i:
                triggered = True
                level += 1
                drawn = i  # whoever was drawn for the level above is drawn again
                at_level, toxic_at_level, responses_above = 0, 0, responses
                if level == 1:
                    reduced_after = i

            if due and end < 0:
                decision = tables.look_next[look, responses]
                if decision >= 0:
                    look = decision
                elif decision == FUTILE:
                    end = FINAL_NO_GO if tables.final[look] else FUTILITY
                elif decision == GO:
                    end = FINAL_GO if tables.final[look] else GO_EARLY
                else:
                    end = FINAL_CONSIDER
            if end < 0 and i == max_treated:
                end = ACCRUAL

        counts[END] = end
        counts[N] = i
        counts[EVALUABLE] = evaluable_n
        # triggered is not reduced: the switch must have reached at least one patient
        counts[REDUCED_AFTER] = reduced_after if reduced_after < i else 0
        counts[TRIGGERED] = triggered
        if paths.shape[0] > 0:
            for j in range(i):
                paths[row, j] = patients[j]
