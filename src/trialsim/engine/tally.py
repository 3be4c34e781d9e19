"""Simulated trials as integers that add: any number of blocks, in any order, on any machine, give the same sum."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trialsim.codes import ENDS
from trialsim.designs.binomial import clopper_pearson
from trialsim.kernels.tables import Int32, Int64
from trialsim.results import BY_DOSE, Estimate, Simulated, by_end

Z95 = 1.959963984540054


@dataclass(frozen=True)
class Tally:
    """Counts and sums over replicates, as Python integers (sums of squares outgrow 64 bits).

    Attributes
    ----------
    ends : replicates by why the trial ended. triggered : with a dose reduction triggered.
    n, responses, toxicities, reduction_patient : replicates by value; reduction_patient has 0 for not reduced.
    sums, squares : of the evaluable patients, then of patients, responses and toxicities of each level.
    """

    replicates: int
    triggered: int
    ends: tuple[int, ...]
    n: tuple[int, ...]
    responses: tuple[int, ...]
    toxicities: tuple[int, ...]
    reduction_patient: tuple[int, ...]
    sums: tuple[int, ...]
    squares: tuple[int, ...]

    def __add__(self, other: Tally) -> Tally:
        def add(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(x + y for x, y in zip(a, b, strict=True))

        return Tally(
            self.replicates + other.replicates,
            self.triggered + other.triggered,
            *(
                add(getattr(self, name), getattr(other, name))
                for name in ("ends", "n", "responses", "toxicities", "reduction_patient", "sums", "squares")
            ),
        )


def fold(columns: Int32, most: int) -> Tally:
    """The tally of a block of replicates (rows), ``most`` being the largest number of treated patients."""
    from trialsim.kernels.trial import END, EVALUABLE, LEVELS, REDUCED_AFTER, TRIGGERED, N

    by = np.ascontiguousarray(columns.T, dtype=np.int64)

    def histogram(values: Int64, size: int = most + 1) -> tuple[int, ...]:
        return tuple(np.bincount(values, minlength=size).tolist())

    summed = np.concatenate([by[EVALUABLE : EVALUABLE + 1], by[LEVELS:]])
    return Tally(
        replicates=len(columns),
        triggered=int(by[TRIGGERED].sum()),
        ends=histogram(by[END], ENDS),
        n=histogram(by[N]),
        responses=histogram(by[LEVELS + 1 :: 3].sum(axis=0)),
        toxicities=histogram(by[LEVELS + 2 :: 3].sum(axis=0)),
        reduction_patient=histogram(by[REDUCED_AFTER]),
        sums=tuple(summed.sum(axis=1).tolist()),
        squares=tuple(np.einsum("ij,ij->i", summed, summed).tolist()),
    )


def simulated(tally: Tally) -> Simulated:
    """Every operating characteristic of a tally with its Monte Carlo standard error and 95% interval."""
    replicates = tally.replicates
    events = {
        **by_end(tally.ends),
        "p_dose_reduction_triggered": tally.triggered,
        "p_dose_reduced": replicates - tally.reduction_patient[0],
    }
    values = {name: proportion(count, replicates) for name, count in events.items()}
    values["en"] = _mean_of(tally.n)
    values["en_evaluable"] = mean(tally.sums[0], tally.squares[0], replicates)
    values["responses"] = _mean_of(tally.responses)
    values["toxicities"] = _mean_of(tally.toxicities)
    for column in range(1, len(tally.sums)):
        level, what = divmod(column - 1, len(BY_DOSE))
        name = f"{list(BY_DOSE)[what]}_dose_{level + 1}"
        values[name] = mean(tally.sums[column], tally.squares[column], replicates)
    return Simulated(
        replicates=replicates,
        values=values,
        n=tally.n,
        responses=tally.responses,
        toxicities=tally.toxicities,
        reduction_patient=(0, *tally.reduction_patient[1:]),
    )


def proportion(count: int, replicates: int) -> Estimate:
    """A simulated probability: mcse sqrt(p (1 - p) / R), Clopper-Pearson 95% interval."""
    p = count / replicates
    return Estimate(p, math.sqrt(p * (1 - p) / replicates), *clopper_pearson(count, replicates))


def mean(total: int, squares: int, replicates: int) -> Estimate:
    """A simulated mean: mcse s / sqrt(R), normal 95% interval; the variance is computed in integers."""
    m = total / replicates
    if replicates < 2:
        return Estimate(m, math.nan, math.nan, math.nan)
    mcse = math.sqrt((replicates * squares - total * total) / (replicates * replicates * (replicates - 1)))
    return Estimate(m, mcse, m - Z95 * mcse, m + Z95 * mcse)


def _mean_of(counts: tuple[int, ...]) -> Estimate:
    total = sum(value * count for value, count in enumerate(counts))
    squares = sum(value * value * count for value, count in enumerate(counts))
    return mean(total, squares, sum(counts))
