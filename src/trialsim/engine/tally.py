"""Simulated trials as integers that add: any number of blocks, in any order, on any machine, give the same sum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

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
    replicates : trials counted.
    counts : by name, what ``fold`` of a kernel says it counts: replicates by value, or sums. A tuple ends where the
        block's largest value was, so the shorter of two is continued with zeros.
    """

    replicates: int
    counts: Mapping[str, tuple[int, ...]]

    def __add__(self, other: Tally) -> Tally:
        if self.counts.keys() != other.counts.keys():
            raise ValueError("tallies of different kernels do not add")
        both = (
            (name, zip_longest(mine, other.counts[name], fillvalue=0)) for name, mine in self.counts.items()
        )
        return Tally(
            self.replicates + other.replicates,
            {name: tuple(x + y for x, y in pairs) for name, pairs in both},
        )

    def to_dict(self) -> dict[str, Any]:
        """The tally in the types of JSON, exactly."""
        return {
            "replicates": self.replicates,
            "counts": {name: list(counts) for name, counts in self.counts.items()},
        }

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> Tally:
        """The tally that ``to_dict`` has written."""
        return Tally(
            content["replicates"], {name: tuple(counts) for name, counts in content["counts"].items()}
        )


def fold(columns: Int32, most: int) -> Tally:
    """The tally of a block of untimed replicates (rows), ``most`` being the largest number of treated patients.

    Counted are replicates by why the trial ended (``ends``), by patients (``n``), ``responses`` and ``toxicities``, by
    the patient after whom the dose was reduced (``reduction_patient``, 0 for not reduced), those with a reduction
    ``triggered``; then ``sums`` and ``squares`` of the evaluable patients and of patients, responses and toxicities
    of each level.
    """
    from trialsim.kernels.trial import END, EVALUABLE, LEVELS, REDUCED_AFTER, TRIGGERED, N

    by = np.ascontiguousarray(columns.T, dtype=np.int64)

    def histogram(values: Int64, size: int = most + 1) -> tuple[int, ...]:
        return tuple(np.bincount(values, minlength=size).tolist())

    summed = np.concatenate([by[EVALUABLE : EVALUABLE + 1], by[LEVELS:]])
    return Tally(
        len(columns),
        {
            "ends": histogram(by[END], ENDS),
            "n": histogram(by[N]),
            "responses": histogram(by[LEVELS + 1 :: 3].sum(axis=0)),
            "toxicities": histogram(by[LEVELS + 2 :: 3].sum(axis=0)),
            "reduction_patient": histogram(by[REDUCED_AFTER]),
            "triggered": (int(by[TRIGGERED].sum()),),
            "sums": tuple(summed.sum(axis=1).tolist()),
            "squares": tuple(np.einsum("ij,ij->i", summed, summed).tolist()),
        },
    )


def simulated(tally: Tally) -> Simulated:
    """Every operating characteristic of a tally with its Monte Carlo standard error and 95% interval."""
    replicates, counts = tally.replicates, tally.counts
    events = {
        **by_end(counts["ends"]),
        "p_dose_reduction_triggered": counts["triggered"][0],
        "p_dose_reduced": replicates - counts["reduction_patient"][0],
    }
    values = {name: proportion(count, replicates) for name, count in events.items()}
    sums, squares = counts["sums"], counts["squares"]
    values["en"] = _mean_of(counts["n"])
    values["en_evaluable"] = mean(sums[0], squares[0], replicates)
    values["responses"] = _mean_of(counts["responses"])
    values["toxicities"] = _mean_of(counts["toxicities"])
    for column in range(1, len(sums)):
        level, what = divmod(column - 1, len(BY_DOSE))
        name = f"{list(BY_DOSE)[what]}_dose_{level + 1}"
        values[name] = mean(sums[column], squares[column], replicates)
    return Simulated(
        replicates=replicates,
        values=values,
        n=counts["n"],
        responses=counts["responses"],
        toxicities=counts["toxicities"],
        reduction_patient=(0, *counts["reduction_patient"][1:]),
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
