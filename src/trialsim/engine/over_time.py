"""How many patients have started on each dose, month by month, averaged over simulated trials."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trialsim.designs.binomial import Float64
from trialsim.engine.timed import TICKS_PER_MONTH, Timed

TRIALS = 2_000
"""Simulated trials of a case, the first of its run."""

BLOCK, POINTS = 250, 240
"""Trials simulated at once, and most points in time."""


@dataclass(frozen=True, eq=False)
class OverTime:
    """Patients so far by dose: ``mean``, ``low`` and ``high`` (10% and 90% of trials), each (K, months).

    ``until`` is the month by which nine trials of ten have enrolled their last patient; ``months`` go on to the last
    patient of all.
    """

    months: Float64
    mean: Float64
    low: Float64
    high: Float64
    until: float
    trials: int


def patients_over_time(trials: Timed, seed: int, count: int = TRIALS) -> OverTime:
    """Count the patients, overrun ones included, who have started in the first ``count`` trials of a case.

    The points are a quarter of a month apart, or so many quarters that there are at most ``POINTS``.
    """
    from trialsim.kernels.conduct_columns import TREATED
    from trialsim.kernels.patient import LEVEL, STARTED
    from trialsim.kernels.streams import stream_key

    levels = len(trials.tables.action)
    starts: list[list[Float64]] = []
    last: list[float] = []
    for first in range(0, count, BLOCK):
        # of a block only the months of the starts are kept
        rows, patients = trials.treated(stream_key(seed), first, min(BLOCK, count - first))
        for row, trial in zip(rows, patients, strict=True):
            treated = trial[: row[TREATED]]
            month = (treated[:, STARTED] - treated[0, STARTED]) / TICKS_PER_MONTH
            starts.append([month[treated[:, LEVEL] == level] for level in range(levels)])
            last.append(float(month[-1]))
    quarters = math.ceil(max(last) * 4)
    step = max(math.ceil(quarters / (POINTS - 1)), 1)
    months = np.arange(0, quarters + step, step) / 4
    mean, low, high = (np.empty((levels, len(months))) for _ in range(3))
    for level in range(levels):
        so_far = np.array([np.searchsorted(trial[level], months, side="right") for trial in starts])
        mean[level] = so_far.mean(axis=0)
        low[level], high[level] = np.quantile(so_far, (0.1, 0.9), axis=0)
    return OverTime(months, mean, low, high, max(float(np.quantile(last, 0.9)), 1.0), count)
