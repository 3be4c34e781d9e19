"""How many patients have started on each dose, month by month, averaged over simulated trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trialsim.codes import TICKS_PER_MONTH
from trialsim.designs.binomial import Float64
from trialsim.engine.timed import Timed, timed
from trialsim.kernels.tables import Int64
from trialsim.scenario.compiled import Compiled

TRIALS, PATIENTS = 2_000, 2_000_000
"""Simulated trials of a case, the first of its run, and patients that they may have together at most."""

MOST_CASES = 4
"""Cases that are followed, the first of a scenario."""

AT_ONCE, POINTS = 250_000, 240
"""Patients simulated at once, and most points in time."""


@dataclass(frozen=True, eq=False)
class OverTime:
    """Patients so far by dose: ``mean``, ``low`` and ``high`` (10% and 90% of trials), each (K, months).

    ``until`` is the month by which nine trials of ten have enrolled their last patient, 1 at least; ``months`` go on to
    the last patient of all.
    """

    months: Float64
    mean: Float64
    low: Float64
    high: Float64
    until: float
    trials: int

    def rows(self, case: str, doses: Sequence[str]) -> list[dict[str, Any]]:
        """Tidy rows, one a dose and month."""
        return [
            {"case": case, "dose": dose, "month": month, "mean": mean, "low": low, "high": high}
            for dose, *lines in zip(doses, self.mean, self.low, self.high, strict=True)
            for month, mean, low, high in zip(
                self.months.tolist(), *map(np.ndarray.tolist, lines), strict=True
            )
        ]


def over_time(trial: Compiled, seed: int) -> dict[str, OverTime]:
    """The first cases of a scenario with dates, by name; empty without dates."""
    if not trial.dated:
        return {}
    every = list(timed(trial).items())[:MOST_CASES]
    return {case: patients_over_time(trials, seed) for case, trials in every}


def followed(patients: int) -> int:
    """How many trials are followed of a case in which each may treat so many patients."""
    return max(min(TRIALS, PATIENTS // patients), 1)


def patients_over_time(trials: Timed, seed: int, count: int | None = None) -> OverTime:
    """Count the patients who have started, overrun ones included, in the first ``count`` trials (default ``followed``).

    The points are a quarter of a month apart, or so many quarters that there are at most ``POINTS``.
    """
    from trialsim.kernels.conduct_columns import TREATED
    from trialsim.kernels.patient import LEVEL, STARTED
    from trialsim.kernels.streams import stream_key

    levels, count = len(trials.tables.action), count or followed(trials.patients)
    block = max(AT_ONCE // trials.patients, 1)
    parts: list[tuple[Int64, Int64, Float64]] = []
    for first in range(0, count, block):
        # of a block only the months of the starts are kept: trial, level and month of each patient
        rows, patients = trials.treated(stream_key(seed), first, min(block, count - first))
        there = np.arange(patients.shape[1]) < rows[:, [TREATED]]
        month = (patients[:, :, STARTED] - patients[:, :1, STARTED]) / TICKS_PER_MONTH
        parts.append((first + np.nonzero(there)[0], patients[there][:, LEVEL], month[there]))
    trial, at_level, month = (np.concatenate(part) for part in zip(*parts, strict=True))
    last = np.zeros(count)
    np.maximum.at(last, trial, month)
    until = max(float(np.quantile(last, 0.9)), 1.0)
    quarters = math.ceil(max(last.max(), until) * 4)  # accrual may be over within days
    step = max(math.ceil(quarters / (POINTS - 1)), 1)
    months = np.arange(0, quarters + step, step) / 4
    # a patient counts from the first point in time that is not before the start
    cell = trial * len(months) + np.searchsorted(months, month, side="left")
    mean, low, high = (np.empty((levels, len(months))) for _ in range(3))
    for level in range(levels):
        started = np.bincount(cell[at_level == level], minlength=count * len(months))
        so_far = started.reshape(count, len(months)).cumsum(axis=1)
        mean[level] = so_far.mean(axis=0)
        low[level], high[level] = np.quantile(so_far, (0.1, 0.9), axis=0)
    return OverTime(months, mean, low, high, until, count)
