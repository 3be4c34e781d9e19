"""Binomial probabilities, to the last digits a double can carry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


def binomial_pmf(n: int, p: float) -> Float64:
    """P(X = 0..n) for X ~ Binomial(n, p), shape (n + 1,).

    Ratios of neighbours multiplied outwards from the mode and normalised: no factorial, no overflow, and only
    products of positive numbers, so the relative error stays near n machine epsilons.
    """
    if p <= 0 or p >= 1:
        return np.asarray(np.eye(n + 1)[n if p >= 1 else 0])
    mode = min(int((n + 1) * p), n)
    x = np.arange(1, n + 1)
    ratio = (n - x + 1) / x * (p / (1 - p))
    pmf = np.ones(n + 1)
    pmf[mode + 1 :] = np.cumprod(ratio[mode:])
    pmf[:mode] = np.cumprod(1 / ratio[:mode][::-1])[::-1]
    return np.asarray(pmf / pmf.sum())


def upper_tail(n: int, p: float) -> Float64:
    """P(X >= 0..n) for X ~ Binomial(n, p), shape (n + 1,); summed from the small end."""
    return np.asarray(np.cumsum(binomial_pmf(n, p)[::-1])[::-1])


def clopper_pearson(count: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact two-sided interval for a proportion (Clopper & Pearson, Biometrika 1934;26:404-413)."""
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = float(betaincinv(count, n - count + 1, tail)) if count > 0 else 0.0
    high = float(betaincinv(count + 1, n - count, 1 - tail)) if count < n else 1.0
    return low, high


def mid_p(pmf: Float64, observed: int) -> float:
    """P(Y < y) + P(Y = y) / 2."""
    return float(pmf[:observed].sum() + pmf[observed] / 2)


def two_sided_tails(count: int, n: int, p: float) -> float:
    """2 min(P(X <= count), P(X >= count)) for X ~ Binomial(n, p); may be above 1."""
    from scipy.special import bdtr, bdtrc

    lower = float(bdtr(count, n, p))
    upper = float(bdtrc(count - 1, n, p)) if count else 1.0
    return 2 * min(lower, upper)


def two_sided(pmf: Float64, observed: int) -> float:
    """2 min(mid-p, 1 - mid-p), each tail summed on its own so that small ones keep their digits."""
    return float(two_sided_table(pmf)[observed])


def two_sided_table(pmf: Float64) -> Float64:
    """The two-sided mid-p of every possible count, same shape as ``pmf``."""
    lower = np.cumsum(pmf) - pmf / 2
    upper = np.cumsum(pmf[::-1])[::-1] - pmf / 2
    return np.asarray(np.minimum(2 * np.minimum(lower, upper), 1.0))
