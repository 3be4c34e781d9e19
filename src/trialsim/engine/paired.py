"""A trial and variants of it on the same patients: differences with their own Monte Carlo standard error.

Random numbers are keyed by replicate, patient and purpose, so that a patient of one variant is the same person in the
other; what differs between the two trials is what was changed. The variance of a difference is then that of the
differences, not the sum of two variances. The trial itself is simulated once beside all its variants.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from trialsim.engine.montecarlo import Progress, tallies
from trialsim.engine.quantities import Paired, Side, estimate_of, unit
from trialsim.engine.tally import Z95, Tally, mean, scaled
from trialsim.engine.timed import Timed
from trialsim.engine.trials import Key, Untimed
from trialsim.kernels.tables import Int64
from trialsim.results import Estimate


@dataclass(frozen=True, eq=False)
class Together:
    """One trial and others that are simulated beside it, replicate by replicate."""

    one: Side
    others: tuple[Side, ...]

    @property
    def patients(self) -> int:
        """Largest number of patients all trials can treat together."""
        return self.one.trials.patients + sum(side.trials.patients for side in self.others)

    def tally(self, key: Key, first: int, count: int) -> Tally:
        """``0 NAME``: moments of a quantity of the one; ``k NAME``: of the k-th other (from 1), then of both together.

        Moments of one side are the sum, the sum of squares and the number of trials that count; those of both the sum
        and the sum of squares of the differences (other - one). Of a mean over some trials the latter are the sums of
        products of a quantity of the other (its value; whether it counts) with one of the one (the same two).
        """
        one = self.one.paired(key, first, count)
        counts: dict[str, tuple[int, ...]] = {}
        for k, side in enumerate((self.one, *self.others)):
            counts |= moments(k, one, side.paired(key, first, count) if k else one)
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
    """For every case in both, every quantity that both simulate (``quantities.Side.paired``)."""
    pairs = {name: Together(Side.of(one[name]), (Side.of(other[name]),)) for name in one if name in other}
    drawn = tallies(pairs, replicates, seed, jobs=jobs, progress=progress)
    return {case: against(tally, 1) for case, tally in drawn.items()}


def moments(k: int, one: Mapping[str, Paired], read: Mapping[str, Paired]) -> dict[str, tuple[int, ...]]:
    """What ``Together.tally`` counts of the k-th trial, from what is read of it and of the one."""
    found = {}
    for name, each in read.items():
        both = _together(one[name], each) if k and name in one else ()
        found[f"{k} {name}"] = (*_moments(each), *both)
    return found


def estimates(tally: Tally, k: int) -> dict[str, Estimate]:
    """Every quantity of the k-th trial of a tally of ``Together``, 0 being the one itself."""
    return {name: estimate_of(name, *sums[:3]) for name, sums in totals_of(tally, k).items() if sums[2]}


def against(tally: Tally, k: int) -> dict[str, Difference]:
    """Every quantity that the k-th other trial of a tally of ``Together`` and the one have in common."""
    one, found = totals_of(tally, 0), {}
    for name, sums in totals_of(tally, k).items():
        if name in one and sums[2] and one[name][2]:
            a, b = (estimate_of(name, *each[:3]) for each in (one[name], sums))
            apart, free = _apart(one[name], sums, tally.replicates)
            factor = free / apart.mcse**2 if apart.mcse > 0 else float("inf")
            found[name] = Difference(a, b, scaled(apart, 1 / unit(name)), factor)
    return found


def totals_of(tally: Tally, k: int) -> dict[str, tuple[int, ...]]:
    """What a tally holds of the k-th trial, by quantity."""
    mark = f"{k} "
    return {name.removeprefix(mark): sums for name, sums in tally.counts.items() if name.startswith(mark)}


def _moments(read: Paired) -> tuple[int, int, int]:
    among = len(read.values) if read.among is None else int(read.among.sum())
    return int(read.values.sum()), products(read.values, read.values), among


def _together(one: Paired, other: Paired) -> tuple[int, ...]:
    if one.among is None or other.among is None:
        return _moments(Paired(other.values - one.values))[:2]
    return tuple(products(a, b) for a in other for b in one if a is not None and b is not None)


def products(one: Int64, other: Int64) -> int:
    """Sum of products, exact: the ticks of trials that last for a century, squared and summed, outgrow 64 bits."""
    largest = int(np.abs(one).max(initial=0)) * int(np.abs(other).max(initial=0))
    if largest * len(one) < 2**63:
        return int(one @ other)
    return sum(a * b for a, b in zip(one.tolist(), other.tolist(), strict=True))


def _apart(one: tuple[int, ...], other: tuple[int, ...], replicates: int) -> tuple[Estimate, float]:
    """other - one as they are read, and what its variance would be with other patients on either side.

    Of two means over some trials, x / m each, by the delta method: the variance of the mean over all trials of
    (x - r m) / E[m], other minus one, with r the ratio. Values are 0 in trials that do not count.
    """
    x, xx, m, *both = other
    if len(both) == 2:
        # the sides' errors as means have them, so that the factor compares like with like
        free = sum(mean(each[0], each[1], replicates).mcse ** 2 for each in (one, other))
        return mean(both[0], both[1], replicates), free
    y, yy, n, *_ = one
    xy, xn, my, mn = both
    r, q = Fraction(x, m), Fraction(y, n)
    alone = (xx - r * x) / m**2 + (yy - q * y) / n**2
    shared = (xy - r * my - q * xn + r * q * mn) / (m * n)
    if replicates < 2:
        return Estimate(float(r - q), math.nan, math.nan, math.nan), math.nan
    correction = Fraction(replicates, replicates - 1)
    d, mcse = float(r - q), math.sqrt((alone - 2 * shared) * correction)
    return Estimate(d, mcse, d - Z95 * mcse, d + Z95 * mcse), float(alone * correction)
