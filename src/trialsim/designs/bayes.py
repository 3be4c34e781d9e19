"""Posterior and predictive probabilities of Bayesian designs under Beta priors, and comparisons that survive ties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from trialsim.designs.exactly import NEAR, SAME, decimal
from trialsim.designs.spec import AsTuple, growing

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64

LookSizes = Annotated[
    tuple[Annotated[int, Field(ge=1, le=10_000)], ...],
    AsTuple,
    Field(min_length=1, max_length=2000),
    growing("looks"),
]


def looks_at(n: int, min_n: int, every: int) -> tuple[int, ...]:
    """Looks after min_n patients, then every so many, and at n."""
    return tuple(sorted({*range(min(min_n, n), n, every), n}))


def posterior_above(m: int, prior: tuple[float, float], rate: float) -> Float64:
    """P(p > rate | x responses of m) for x = 0..m."""
    import numpy as np
    from scipy.special import betaincc

    x = np.arange(m + 1)
    return np.asarray(betaincc(prior[0] + x, prior[1] + m - x, rate))


def posterior_above_standard(
    m: int, prior: tuple[float, float], standard: tuple[float, float], delta: float
) -> Float64:
    """P(p > p_standard + delta | x of m), x = 0..m, where p_standard has a Beta distribution of its own."""
    import numpy as np
    from scipy.special import betaincc, betainccinv, betaincinv, betaln

    # Gauss-Legendre in t, s = sin^2(t), which takes the ends of the density apart; tails below 1e-16 are left out
    a, b = standard
    ends = np.array([betaincinv(a, b, 1e-16), min(float(betainccinv(a, b, 1e-16)), 1 - delta)])
    low, high = np.arcsin(np.sqrt(np.clip(ends, 0.0, 1.0)))
    node, weight = _gauss(96)
    t = low + (node + 1) / 2 * (high - low)
    s = np.sin(t) ** 2
    density = np.exp((a - 1) * np.log(s) + (b - 1) * np.log1p(-s) - betaln(a, b))
    mass = density * np.sin(2 * t) * weight * (high - low) / 2
    x = np.arange(m + 1)[:, None]
    return np.asarray(betaincc(prior[0] + x, prior[1] + m - x, np.minimum(s + delta, 1.0)) @ mass)


@lru_cache(maxsize=4)
def _gauss(nodes: int) -> tuple[Float64, Float64]:
    import numpy as np

    node, weight = np.polynomial.legendre.leggauss(nodes)
    return node, weight


def predictive(n: int, r: int, prior: tuple[float, float]) -> list[Float64]:
    """P(more than r responses of n | x of m) for m = 0..n and x = 0..m: an urn, one patient back at a time."""
    import numpy as np

    a, b = prior
    table = [np.zeros(0)] * (n + 1)
    table[n] = (np.arange(n + 1) > r).astype(float)
    for m in range(n - 1, -1, -1):
        response = (a + np.arange(m + 1)) / (a + b + m)
        table[m] = response * table[m + 1][1:] + (1 - response) * table[m + 1][:-1]
    return table


def predictive_is(x: int, m: int, n: int, r: int, prior: tuple[float, float]) -> Fraction:
    """The same probability for one x of m, as a fraction; the prior is taken as it is written in decimals."""
    a, b = (decimal(value) for value in prior)
    chance = [Fraction(int(total > r)) for total in range(x, x + n - m + 1)]
    for size in range(n - 1, m - 1, -1):
        chance = [
            ((a + x + k) * chance[k + 1] + (b + size - x - k) * chance[k]) / (a + b + size)
            for k in range(len(chance) - 1)
        ]
    return chance[0]


def posterior_is(x: int, m: int, prior: tuple[float, float], rate: Fraction) -> Fraction | None:
    """P(p > rate | x of m) as a fraction; None where it is none, or not known to be one."""
    a, b = decimal(prior[0]) + x, decimal(prior[1]) + m - x
    if a == b and 2 * rate == 1:
        return Fraction(1, 2)
    if a.denominator == 1:
        return _beta_above(a, b, rate)
    less = _beta_above(b, a, 1 - rate)
    return None if less is None else 1 - less


def _beta_above(whole: Fraction, other: Fraction, q: Fraction) -> Fraction | None:
    """P(Beta(whole, other) > q) for a whole first parameter: a finite sum times (1 - q)^other."""
    last = power(1 - q, other)
    if whole.denominator > 1 or last is None:
        return None
    term, total = Fraction(1), Fraction(0)
    for k in range(int(whole)):
        total += term
        term *= q * (other + k) / (k + 1)
    return last * total


def power(base: Fraction, exponent: Fraction) -> Fraction | None:
    """base^exponent for a base > 0, where that is a fraction; None where it is none."""
    if exponent.denominator == 1:
        return base ** int(exponent)
    top, bottom = (_root(part, exponent.denominator) for part in (base.numerator, base.denominator))
    return None if top is None or bottom is None else Fraction(top, bottom) ** exponent.numerator


def _root(number: int, degree: int) -> int | None:
    """The whole root of a whole number; None where there is none."""
    if degree > number.bit_length():
        return 1 if number == 1 else None
    low, high = 1, 1 << (number.bit_length() // degree + 1)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**degree < number else (low, middle)
    return low if low**degree == number else None


def above(value: float, threshold: float | Fraction, exact: Callable[[], Fraction | None]) -> bool:
    """value > threshold, decided by fractions where the two are close and both are fractions."""
    fraction = exact() if abs(value - float(threshold)) <= NEAR else None
    if fraction is None:
        return value > float(threshold)
    return fraction > (threshold if isinstance(threshold, Fraction) else decimal(threshold))


def below(value: float, threshold: float | Fraction, exact: Callable[[], Fraction | None]) -> bool:
    """value < threshold, decided by fractions where the two are close and both are fractions."""
    return above(-value, -threshold, lambda: None if (fraction := exact()) is None else -fraction)


def same_where_equal(
    values: Mapping[int, Float64], near: float, exact: Callable[[int, int], Fraction | None]
) -> bool:
    """Write equal values of ``values[m][x]`` around ``near`` as one float; whether any was changed.

    Thresholds are tried among values, and one number that was worked out in two ways must not be two thresholds.
    """
    import numpy as np

    changed = False
    for m, row in values.items():
        for x in np.flatnonzero(np.abs(row - near) <= SAME * near).tolist():
            if (fraction := exact(x, m)) is not None and row[x] != float(fraction):
                row[x], changed = float(fraction), True
    return changed
