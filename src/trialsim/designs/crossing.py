"""How often toxicity boundaries are reached, and which of several first: from patient to patient."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from trialsim.designs.exactly import at_most, decimal

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64


def lowest(rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The boundary of several together: at each number of patients the least cut-off."""
    return tuple(map(min, zip(*rows, strict=True)))


def crossing_probability(bounds: tuple[int, ...], rate: float, n: int) -> float:
    """P(the toxicities among the first m reach bounds[m] for some m <= n) at a true toxicity rate."""
    import numpy as np

    below: Float64 = np.zeros(n + 2)
    below[0] = 1.0
    crossed = 0.0
    for m in range(1, n + 1):
        below[1 : m + 1] = below[1 : m + 1] * (1 - rate) + below[:m] * rate
        below[0] *= 1 - rate
        if bounds[m] <= m:
            crossed += float(below[bounds[m] : m + 1].sum())
            below[bounds[m] : m + 1] = 0.0
    return crossed


def crosses_rarely(bounds: tuple[int, ...], rate: float, n: int, phi: float) -> bool:
    """Whether the probability of ever crossing is at most phi; by fractions where the two are close."""
    return at_most(
        crossing_probability(bounds, rate, n), phi, lambda: _crossing_exactly(bounds, decimal(rate), n)
    )


def _crossing_exactly(bounds: tuple[int, ...], rate: Fraction, n: int) -> Fraction:
    a, b, whole = rate.numerator, rate.denominator - rate.numerator, rate.denominator
    below, crossed = [1], 0
    for m in range(1, n + 1):
        below = [x * b + y * a for x, y in zip([*below, 0], [0, *below], strict=True)]
        # of m patients at most bounds[m] - 1 go on: one more than before
        crossed = crossed * whole + sum(below[bounds[m] :])
        below = below[: bounds[m]]
    return Fraction(crossed, whole**n)


def first_met(rows: Sequence[tuple[int, ...]], rate: float, n: int) -> dict[tuple[int, ...], float]:
    """P(the first of several boundaries to be reached within n patients are just these), by which those are.

    Boundaries that are reached at the same patient for the first time are told together; none within n: ``()``.
    """
    import numpy as np

    below: Float64 = np.zeros(n + 2)
    below[0] = 1.0
    found: dict[tuple[int, ...], float] = {}
    for m in range(1, n + 1):
        below[1 : m + 1] = below[1 : m + 1] * (1 - rate) + below[:m] * rate
        below[0] *= 1 - rate
        cuts = sorted({row[m] for row in rows if row[m] <= m})
        for cut, onward in pairwise((*cuts, m + 1)):
            which = tuple(k for k, row in enumerate(rows) if row[m] <= cut)
            found[which] = found.get(which, 0.0) + float(below[cut:onward].sum())
        if cuts:
            below[cuts[0] : m + 1] = 0.0
    return {**found, (): float(below.sum())}
