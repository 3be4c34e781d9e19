"""Simulated trials as integers that add: any number of blocks, in any order, on any machine, give the same sum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from trialsim.codes import ENDS, TICKS_PER_DAY
from trialsim.designs.binomial import clopper_pearson
from trialsim.kernels.tables import Int32
from trialsim.results import Estimate

Z95 = 1.959963984540054


@dataclass(frozen=True)
class Tally:
    """Counts and sums over replicates, as Python integers (sums of squares outgrow 64 bits).

    Attributes:
        replicates: trials counted.
        counts: by name, what ``fold`` of a kernel says it counts: replicates by value, or sums. A tuple ends where the
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


def fold(
    rows: Int32, most: int, first: int, levels: int, cohorts: int = 0, false_go: int = 0, *, own: bool = False
) -> Tally:
    """The tally of a block of replicates (rows), ``most`` being the largest number of treated patients.

    Counted are replicates by why the trial ended (``ends``), by patients (``n``), ``responses`` and ``toxicities``, by
    the patient after whom the dose was reduced (``reduction_patient``, 0 for not reduced); in calendar time by whole
    ``days``; under own rules by how many cohorts ended in a go (``goes``), in how many of them a go is false
    (``false_goes``), and for each cohort those in which it ended in a go (``went``). ``sums`` and ``squares`` are of
    every column, and of what is derived from them (``kernels.counting``).

    Args:
        first: where the columns by dose begin (LEVELS of ``kernels.trial`` or of ``kernels.conduct_columns``).
        cohorts: 0 in trials without a calendar.
        false_go: the set of cohorts (bit c for cohort c) in which a go is false.
    """
    from trialsim.kernels import conduct_columns as column
    from trialsim.kernels import counting

    width = rows.shape[1] + counting.DERIVED
    longest = int(rows[:, column.DURATION].max()) // TICKS_PER_DAY if cohorts else 0
    ends, went = np.zeros(ENDS, dtype=np.int64), np.zeros(cohorts, dtype=np.int64)
    goes = np.zeros((2, cohorts + 1), dtype=np.int64)
    histograms = np.zeros((counting.HISTOGRAMS, most + 1), dtype=np.int64)
    days, sums = np.zeros(longest + 1, dtype=np.int64), np.zeros(width, dtype=np.int64)
    parts = np.zeros((3, width), dtype=np.int64)
    counting.add_up(rows, first, levels, cohorts, false_go, ends, histograms, days, went, goes, sums, parts)
    counts = {
        "ends": tuple(ends.tolist()),
        "n": tuple(histograms[counting.BY_N].tolist()),
        "responses": tuple(histograms[counting.BY_RESPONSES].tolist()),
        "toxicities": tuple(histograms[counting.BY_TOXICITIES].tolist()),
        "reduction_patient": tuple(histograms[counting.BY_REDUCED_AFTER].tolist()),
        "sums": tuple(sums.tolist()),
        "squares": tuple((hh << 32) + (hl << 17) + ll for hh, hl, ll in zip(*parts.tolist(), strict=True)),
    }
    if cohorts:
        counts["days"] = tuple(days.tolist())
    if own:
        counts |= {
            "goes": tuple(goes[0].tolist()),
            "false_goes": tuple(goes[1].tolist()),
            "went": tuple(went.tolist()),
        }
    return Tally(len(rows), counts)


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


def scaled(estimate: Estimate, scale: float) -> Estimate:
    """An estimate in another unit."""
    return Estimate(
        estimate.estimate * scale, estimate.mcse * scale, estimate.low * scale, estimate.high * scale
    )


def quantile(counts: tuple[int, ...], q: float) -> Estimate:
    """A quantile of whole numbers counted by value, with an interval between order statistics.

    The interval has the ranks R q -+ 1.96 sqrt(R q (1 - q)); its width over 2 x 1.96 stands for the error.
    """
    below = np.cumsum(counts)
    replicates = int(below[-1])
    spread = Z95 * math.sqrt(replicates * q * (1 - q))
    ranks = (replicates * q, replicates * q - spread, replicates * q + spread)
    middle, low, high = (
        float(np.searchsorted(below, min(max(math.ceil(rank), 1), replicates))) for rank in ranks
    )
    return Estimate(middle, (high - low) / (2 * Z95), low, high)
