"""Posterior and predictive probabilities of Bayesian designs under Beta priors, and comparisons that survive ties."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from trialsim.designs.spec import AsTuple, growing

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64

NEAR = 1e-9
"""Two probabilities closer than this are compared in rational arithmetic where that is possible."""

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
    from scipy.special import betaincc

    x = np.arange(m + 1)
    return np.asarray(betaincc(prior[0] + x, prior[1] + m - x, rate))


def posterior_above_standard(
    m: int, prior: tuple[float, float], standard: tuple[float, float], delta: float
) -> Float64:
    """P(p > p_standard + delta | x of m), x = 0..m, where p_standard has a Beta distribution of its own."""
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
    node, weight = np.polynomial.legendre.leggauss(nodes)
    return node, weight


def predictive(n: int, r: int, prior: tuple[float, float]) -> list[Float64]:
    """P(more than r responses of n | x of m) for m = 0..n and x = 0..m: an urn, one patient back at a time."""
    a, b = prior
    table = [np.zeros(0)] * (n + 1)
    table[n] = (np.arange(n + 1) > r).astype(float)
    for m in range(n - 1, -1, -1):
        response = (a + np.arange(m + 1)) / (a + b + m)
        table[m] = response * table[m + 1][1:] + (1 - response) * table[m + 1][:-1]
    return table


def predictive_is(x: int, m: int, n: int, r: int, prior: tuple[float, float]) -> Fraction:
    """The same probability for one x of m, as a fraction; the prior is taken as it is written in decimals."""
    a, b = (_decimal(value) for value in prior)
    chance = [Fraction(int(total > r)) for total in range(x, x + n - m + 1)]
    for size in range(n - 1, m - 1, -1):
        chance = [
            ((a + x + k) * chance[k + 1] + (b + size - x - k) * chance[k]) / (a + b + size)
            for k in range(len(chance) - 1)
        ]
    return chance[0]


def posterior_is(x: int, m: int, prior: tuple[float, float], rate: float) -> Fraction | None:
    """P(p > rate | x of m) as a fraction; None unless the prior's parameters are whole numbers."""
    a, b = (_decimal(value) for value in prior)
    if a.denominator > 1 or b.denominator > 1:
        return None
    # P(Beta(a, b) > p) = P(Bin(a + b - 1, p) <= a - 1)
    trials, p = int(a + b) + m - 1, _decimal(rate)
    term, total = (1 - p) ** trials, Fraction(0)
    for k in range(int(a) + x):
        total += term
        term *= Fraction(trials - k, k + 1) * p / (1 - p)
    return total


def above(value: float, exact: Fraction | None, threshold: float) -> bool:
    """value > threshold, decided by the fraction where there is one and the two are close."""
    if exact is None or abs(value - threshold) > NEAR:
        return value > threshold
    return exact > _decimal(threshold)


def below(value: float, exact: Fraction | None, threshold: float) -> bool:
    """value < threshold, decided by the fraction where there is one and the two are close."""
    if exact is None or abs(value - threshold) > NEAR:
        return value < threshold
    return exact < _decimal(threshold)


def _decimal(value: float) -> Fraction:
    """The number that was written: .1 is one tenth."""
    return Fraction(str(value))
