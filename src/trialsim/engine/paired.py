"""A trial and variants of it on the same patients: differences with their own Monte Carlo standard error.

Random numbers are keyed by replicate, patient and purpose, so that a patient of one variant is the same person in the
other; what differs between the two trials is what was changed. The variance of a difference is then that of the
differences, not the sum of two variances. The trial itself is simulated once beside all its variants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trialsim.engine.montecarlo import Progress, tallies
from trialsim.engine.tally import Tally, mean, proportion
from trialsim.engine.timed import Timed, scaled
from trialsim.engine.trial_numbers import Side, unit
from trialsim.engine.trials import Key, Untimed
from trialsim.kernels.tables import Int64
from trialsim.results import Estimate, is_probability


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
        """``0 NAME``: sum and sum of squares of a quantity of the one; ``k NAME``: those of the k-th other (from 1),
        then those of its differences (other - one)."""
        one = self.one.values(key, first, count)
        counts = {f"0 {name}": _moments(values) for name, values in one.items()}
        for k, side in enumerate(self.others, start=1):
            other = side.values(key, first, count)
            counts |= {
                f"{k} {name}": (
                    *_moments(values),
                    *(_moments(values - one[name]) if name in one else ()),
                )
                for name, values in other.items()
            }
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
    """For every case in both, every quantity that both simulate (``per_trial.Side.values``)."""
    pairs = {name: Together(Side.of(one[name]), (Side.of(other[name]),)) for name in one if name in other}
    drawn = tallies(pairs, replicates, seed, jobs=jobs, progress=progress)
    return {case: against(tally, 1) for case, tally in drawn.items()}


def estimates(tally: Tally, k: int) -> dict[str, Estimate]:
    """Every quantity of the k-th trial of a tally of ``Together``, 0 being the one itself."""
    return {name: _estimate(name, sums, tally.replicates) for name, sums in _of(tally, k).items()}


def against(tally: Tally, k: int) -> dict[str, Difference]:
    """Every quantity that the k-th other trial of a tally of ``Together`` and the one have in common."""
    one, found = _of(tally, 0), {}
    for name, sums in _of(tally, k).items():
        if name in one:
            a, b = (_estimate(name, each, tally.replicates) for each in (one[name], sums))
            # the sides' errors as means have them, so that the factor compares like with like
            apart = scaled(mean(sums[2], sums[3], tally.replicates), 1 / unit(name))
            free = sum(_mean(name, each, tally.replicates).mcse ** 2 for each in (one[name], sums))
            factor = free / apart.mcse**2 if apart.mcse > 0 else float("inf")
            found[name] = Difference(a, b, apart, factor)
    return found


def _of(tally: Tally, k: int) -> dict[str, tuple[int, ...]]:
    mark = f"{k} "
    return {name.removeprefix(mark): sums for name, sums in tally.counts.items() if name.startswith(mark)}


def _moments(values: Int64) -> tuple[int, int]:
    # ticks of a block, squared and summed, stay below 2**63 for trials of up to 80 years
    return int(values.sum()), int(values @ values)


def _mean(name: str, sums: tuple[int, ...], replicates: int) -> Estimate:
    return scaled(mean(sums[0], sums[1], replicates), 1 / unit(name))


def _estimate(name: str, sums: tuple[int, ...], replicates: int) -> Estimate:
    return proportion(sums[0], replicates) if is_probability(name) else _mean(name, sums, replicates)
