"""Two variants of a trial on the same patients: differences with their own Monte Carlo standard error.

Random numbers are keyed by replicate, patient and purpose, so that a patient of one variant is the same person in the
other; what differs between the two trials is what was changed. The variance of a difference is then that of the
differences, not the sum of two variances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trialsim.codes import FINAL_GO, GO_EARLY, TOXICITY, TOXICITY_AT_N
from trialsim.engine.montecarlo import Progress, tallies
from trialsim.engine.tally import Tally, mean
from trialsim.engine.timed import TICKS_PER_MONTH, Timed, scaled
from trialsim.engine.trials import Key, Untimed
from trialsim.kernels.tables import Int64
from trialsim.results import Estimate

_UNITS = {"duration_months": TICKS_PER_MONTH}
"""What a whole number counts, where it is not one."""


@dataclass(frozen=True, eq=False)
class Paired:
    """Two trials that are simulated side by side, replicate by replicate."""

    one: Timed | Untimed
    other: Timed | Untimed

    @property
    def patients(self) -> int:
        """Largest number of patients both trials can treat together."""
        return self.one.patients + self.other.patients

    def tally(self, key: Key, first: int, count: int) -> Tally:
        """For each quantity, sums and sums of squares of the one, of the other, and of other - one."""
        a, b = (_values(trials, key, first, count) for trials in (self.one, self.other))
        counts = {}
        for name in a.keys() & b.keys():
            each = (a[name], b[name], b[name] - a[name])
            # ticks of a block, squared and summed, stay below 2**63 for trials of up to 80 years
            counts[name] = tuple(int(x) for values in each for x in (values.sum(), values @ values))
        return Tally(count, counts)


@dataclass(frozen=True)
class Difference:
    """A quantity in two variants of a trial, and other - one.

    ``variance_factor`` is how many times smaller the variance of the difference is than with independent patients.
    """

    one: Estimate
    other: Estimate
    difference: Estimate
    variance_factor: float


def differences(
    one: Mapping[str, Timed | Untimed],
    other: Mapping[str, Timed | Untimed],
    replicates: int,
    seed: int,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> dict[str, dict[str, Difference]]:
    """For every case in both, every quantity that both simulate: p_go, p_stop_toxicity, en, responses, toxicities, and
    duration_months in calendar time."""
    pairs = {name: Paired(one[name], other[name]) for name in one if name in other}
    drawn = tallies(pairs, replicates, seed, jobs=jobs, progress=progress)
    return {
        case: {name: _difference(name, tally.counts[name], replicates) for name in sorted(tally.counts)}
        for case, tally in drawn.items()
    }


def _difference(name: str, sums: tuple[int, ...], replicates: int) -> Difference:
    unit = 1 / _UNITS.get(name, 1)
    a, b, d = (scaled(mean(sums[k], sums[k + 1], replicates), unit) for k in (0, 2, 4))
    factor = (a.mcse**2 + b.mcse**2) / d.mcse**2 if d.mcse > 0 else float("inf")
    return Difference(a, b, d, factor)


def _values(trials: Timed | Untimed, key: Key, first: int, count: int) -> dict[str, Int64]:
    """Whole numbers of each replicate."""
    from trialsim.kernels import conduct_columns as dated
    from trialsim.kernels import trial as plain

    rows = np.ascontiguousarray(trials.rows(key, first, count).T, dtype=np.int64)
    levels = len(trials.tables.action)
    start = dated.LEVELS if isinstance(trials, Timed) else plain.LEVELS
    end, by_level = rows[plain.END], rows[start : start + 3 * levels]
    values = {
        "p_go": np.isin(end, (GO_EARLY, FINAL_GO)).astype(np.int64),
        "p_stop_toxicity": np.isin(end, (TOXICITY, TOXICITY_AT_N)).astype(np.int64),
        "en": rows[plain.N],
        "responses": by_level[1::3].sum(axis=0),
        "toxicities": by_level[2::3].sum(axis=0),
    }
    if isinstance(trials, Timed):
        values["duration_months"] = rows[dated.DURATION]
    return values
