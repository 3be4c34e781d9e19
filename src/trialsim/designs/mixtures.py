"""Beta distributions and mixtures of them: what is believed of a response rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64

JEFFREYS = (0.5, 0.5)


@dataclass(frozen=True)
class Mixture:
    """A mixture of Beta distributions; one of a single part is that Beta distribution.

    Attributes:
        parts: (weight, a, b) of each part; the weights add up to 1.
    """

    parts: tuple[tuple[float, float, float], ...]

    @classmethod
    def of(cls, *parts: tuple[float, float, float]) -> Mixture:
        """The mixture with these parts, their weights scaled so that they add up to 1 to the last digit."""
        total = sum(weight for weight, _, _ in parts)
        return cls(tuple((weight / total, float(a), float(b)) for weight, a, b in parts))

    @property
    def mean(self) -> float:
        """The expected rate."""
        return sum(weight * a / (a + b) for weight, a, b in self.parts)

    def below(self, rate: float) -> float:
        """P(the rate is at most this)."""
        from scipy.special import betainc

        return float(sum(weight * betainc(a, b, rate) for weight, a, b in self.parts))

    def above(self, rate: float) -> float:
        """P(the rate is above this); summed by itself, so that a small one keeps its digits."""
        from scipy.special import betaincc

        return float(sum(weight * betaincc(a, b, rate) for weight, a, b in self.parts))

    def quantile(self, u: float) -> float:
        """The rate below which the probability is u (0 < u < 1)."""
        from scipy.optimize import brentq
        from scipy.special import betaincinv

        ends = [float(betaincinv(a, b, u)) for _, a, b in self.parts]
        low, high = min(ends), max(ends)
        if low == high:
            return low
        return float(brentq(lambda rate: self.below(rate) - u, low, high, xtol=1e-300, rtol=1e-14))

    def __str__(self) -> str:
        words = [f"Beta({a:g}, {b:g})" for _, a, b in self.parts]
        if len(words) == 1:
            return words[0]
        return " + ".join(
            f"{weight:g} {word}" for (weight, _, _), word in zip(self.parts, words, strict=True)
        )


def beta_binomial(n: int, a: float, b: float) -> Float64:
    """P(X = 0..n) of n patients whose common response rate has a Beta(a, b) distribution, shape (n + 1,).

    Ratios of neighbours added up as logarithms and normalised: no gamma function, no overflow.
    """
    import numpy as np

    x = np.arange(n)
    steps = np.log((n - x) / (x + 1) * ((a + x) / (b + n - 1 - x)))
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    mass = np.exp(logs - logs.max())
    return np.asarray(mass / mass.sum())
