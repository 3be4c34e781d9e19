"""What a Beta prior and the counts say of the response rate; the stopping rule does not enter."""

from __future__ import annotations

from dataclasses import dataclass

JEFFREYS = (0.5, 0.5)
"""The default prior, Beta(0.5, 0.5); printed with every posterior."""


@dataclass(frozen=True)
class Posterior:
    """The posterior of the response rate; ``above_p0`` is P(p > p0 | data), None where p0 is not stated."""

    prior: tuple[float, float]
    n: int
    x: int
    confidence: float
    mean: float
    median: float
    equal_tail: tuple[float, float]
    hpd: tuple[float, float]
    above_p0: float | None
    above_p1: float | None


def posterior(
    n: int,
    x: int,
    *,
    prior: tuple[float, float] = JEFFREYS,
    confidence: float = 0.95,
    p0: float | None = None,
    p1: float | None = None,
) -> Posterior:
    """The posterior after x responses among n patients."""
    from scipy.special import betaincinv

    a, b = prior[0] + x, prior[1] + n - x
    tail = (1 - confidence) / 2
    return Posterior(
        prior,
        n,
        x,
        confidence,
        a / (a + b),
        float(betaincinv(a, b, 0.5)),
        (float(betaincinv(a, b, tail)), float(betaincinv(a, b, 1 - tail))),
        _shortest(a, b, confidence),
        None if p0 is None else above(p0, n, x, prior),
        None if p1 is None else above(p1, n, x, prior),
    )


def above(rate: float, n: int, x: int, prior: tuple[float, float] = JEFFREYS) -> float:
    """P(response rate > rate | x responses among n patients)."""
    from scipy.special import betainc

    return float(betainc(prior[1] + n - x, prior[0] + x, 1 - rate))


def _shortest(a: float, b: float, confidence: float) -> tuple[float, float]:
    """The shortest interval: as dense at one end as at the other, or up to 0 or 1 where the density rises to it."""
    from scipy.optimize import brentq
    from scipy.special import betaincinv, xlog1py, xlogy

    if a <= 1:
        return 0.0, float(betaincinv(a, b, confidence))
    if b <= 1:
        return float(betaincinv(a, b, 1 - confidence)), 1.0

    def ends(below: float) -> tuple[float, float]:
        return float(betaincinv(a, b, below)), float(betaincinv(a, b, below + confidence))

    def denser_above(below: float) -> float:
        low, high = ends(below)
        # densities compared as ratios to the mode: no logarithm of 0 at the ends
        if low <= 0:
            return 1.0
        if high >= 1:
            return -1.0
        return float(xlogy(a - 1, high / low) + xlog1py(b - 1, -high) - xlog1py(b - 1, -low))

    return ends(brentq(denser_above, 0.0, 1 - confidence, xtol=1e-15))
