"""The cut-off of a posterior toxicity rule from how often it may act at the limit: the most vigilant that keeps phi.

Only values that P(rate > limit | t of m) attains tell rules apart. The cut-off is the smallest of them with
P(ever acting | limit) <= phi; every number from there up to the next one gives the same boundary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from trialsim.codes import NEVER
from trialsim.designs.bayes import above, posterior_above, posterior_is
from trialsim.designs.binomial import upper_tail
from trialsim.designs.crossing import crosses_rarely, crossing_probability
from trialsim.designs.exactly import NEAR, decimal

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64

ONE_VALUE = 1e-10
"""Relative difference up to which two posterior probabilities are one value."""


@dataclass(frozen=True)
class Found:
    """A cut-off that keeps phi.

    Attributes:
        cutoff: the shortest decimal from ``low`` to before ``next``; the rule acts above it.
        low, next: the attained values around it; next is 1 where the rule never acts.
        crossing, laxer: P(ever acting | limit) of this boundary and of the next laxer one.
    """

    cutoff: float
    low: float
    next: float
    crossing: float
    laxer: float


def bounds(
    limit: float, prior: tuple[float, float], cutoff: float, sizes: range, most: int
) -> tuple[int, ...]:
    """Least toxicities among m = 0..most patients with P(rate > limit | data) > cutoff, for m among the sizes."""
    found, exact = [NEVER] * (most + 1), decimal(limit)
    for m in sizes:
        values = posterior_above(m, prior, limit)
        t = int((values <= cutoff - NEAR).sum())  # fewer are below the cut-off for certain
        while t <= m and not above(
            float(values[t]),
            cutoff,
            lambda: posterior_is(t, m, prior, exact),  # noqa: B023 - asked at once
        ):
            t += 1
        found[m] = t if t <= m else NEVER
    return tuple(found)


@lru_cache(maxsize=32)
def cut_off(limit: float, prior: tuple[float, float], phi: float, min_n: int, planned_n: int) -> Found:
    """The smallest attained value with P(ever acting | limit, min_n <= m <= planned_n) <= phi, and its neighbours."""
    sizes = range(min_n, planned_n + 1)
    values = {m: posterior_above(m, prior, limit) for m in sizes}
    tails = {m: upper_tail(m, limit)[: m + 1] for m in sizes}
    # a count that is reached with more than phi may not act; counts reached with phi/N at most may all act
    floor = max(float(values[m][_last_above(tails[m], phi)]) for m in sizes)
    ceiling = max(float(values[m][_last_above(tails[m], phi / planned_n)]) for m in sizes)

    def keeps(row: tuple[int, ...]) -> bool:
        return crosses_rarely(row, limit, planned_n, phi)

    def acting(at: float) -> tuple[int, ...]:
        row = [NEVER] * (planned_n + 1)
        for m in sizes:
            t = int((values[m] <= at * (1 + ONE_VALUE)).sum())
            row[m] = t if t <= m else NEVER
        return tuple(row)

    tried = np.sort(
        np.concatenate([v[(v >= floor * (1 - ONE_VALUE)) & (v <= ceiling)] for v in values.values()])
    )
    tried = tried[np.append(np.diff(tried) > ONE_VALUE * tried[1:], True)]  # of one value the largest
    low, high = 0, len(tried) - 1  # the last keeps phi
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(acting(float(tried[middle]))) else (middle + 1, high)
    least = float(tried[low])
    row = acting(least)
    onward = min((float(values[m][row[m]]) for m in sizes if row[m] <= m), default=1.0)
    laxer = [NEVER] * (planned_n + 1)
    for m in sizes:
        laxer[m] = int((values[m] < least * (1 - ONE_VALUE)).sum())
    return Found(
        _shortest(least, onward, lambda cut: bounds(limit, prior, cut, sizes, planned_n) == row),
        least,
        onward,
        crossing_probability(row, limit, planned_n),
        crossing_probability(tuple(laxer), limit, planned_n),
    )


def _last_above(tail: Float64, level: float) -> int:
    """The largest count that is reached with a probability above a level; 0 always is."""
    return int((tail > level).sum()) - 1


def _shortest(low: float, before: float, same: Callable[[float], bool]) -> float:
    """The decimal with the fewest digits from ``low`` to below ``before`` that gives the same boundary."""
    for digits in range(1, 17):
        scale = 10**digits
        lowest = Fraction(low) * (1 - Fraction(ONE_VALUE))
        cut = Fraction(-(-lowest.numerator * scale // lowest.denominator), scale)
        if cut < Fraction(before) and same(float(cut)):
            return float(cut)
    return low
