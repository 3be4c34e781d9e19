"""How many patients have started on each dose, month by month, averaged over simulated trials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialsim.designs.binomial import Float64
from trialsim.engine.timed import TICKS_PER_MONTH, Timed

TRIALS = 2_000
"""Simulated trials of a case, the first of its run."""

BLOCK = 250


@dataclass(frozen=True)
class OverTime:
    """Patients so far by dose: ``mean``, ``low`` and ``high`` (10% and 90% of trials), each (K, months)."""

    months: Float64
    mean: Float64
    low: Float64
    high: Float64
    trials: int


def patients_over_time(trials: Timed, seed: int, count: int = TRIALS) -> OverTime:
    """Count the treated patients of the first ``count`` trials at points a quarter of a month apart.

    The axis ends where nine trials of ten have enrolled their last patient.
    """
    from trialsim.kernels.conduct_columns import TREATED
    from trialsim.kernels.patient import LEVEL, STARTED
    from trialsim.kernels.streams import stream_key

    levels = len(trials.tables.action)
    starts: list[list[Float64]] = []
    last: list[float] = []
    for first in range(0, count, BLOCK):
        rows, patients = trials.treated(stream_key(seed), first, min(BLOCK, count - first))
        for row, trial in zip(rows, patients, strict=True):
            treated = trial[: row[TREATED]]
            month = (treated[:, STARTED] - treated[0, STARTED]) / TICKS_PER_MONTH
            starts.append([month[treated[:, LEVEL] == level] for level in range(levels)])
            last.append(float(month[-1]))
    end = max(float(np.quantile(last, 0.9)), 1.0)
    months = np.arange(0, np.ceil(end * 4) + 1) / 4
    so_far = np.array([[np.searchsorted(by, months, side="right") for by in trial] for trial in starts])
    return OverTime(
        months,
        so_far.mean(axis=0),
        np.quantile(so_far, 0.1, axis=0),
        np.quantile(so_far, 0.9, axis=0),
        count,
    )
