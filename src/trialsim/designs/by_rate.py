"""P(go) as a polynomial of the response rate: at one rate, and on average over Beta distributions, without quadrature.

Given x responses among the first n patients every order of them is equally likely, whatever the rate. So P(go) is
the sum over looks and counts of P(x of n) times the share of those orders that reach the look and go there; averaged
over a Beta distribution P(x of n) becomes beta-binomial, and above a rate it is cut by the posterior given x of n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from trialsim.codes import GO
from trialsim.designs.binomial import Float64, binomial_pmf
from trialsim.designs.mixtures import Mixture, beta_binomial
from trialsim.designs.rules import Looks

MAX_COUNTS = 3_000_000
"""Counts of responses, over all looks, up to which this is worked out."""


@dataclass(frozen=True, eq=False)
class ByRate:
    """A quantity that is the sum over looks of E[share at the responses seen there].

    Attributes:
        parts: (n, shares by responses 0..n) of each look.
    """

    parts: tuple[tuple[int, Float64], ...]

    def at(self, rate: float) -> float:
        """The quantity at one response rate."""
        return float(sum(binomial_pmf(n, rate) @ shares for n, shares in self.parts))

    def mean(self, prior: Mixture) -> float:
        """Its average over a prior of the rate."""
        return float(
            sum(
                weight * float(beta_binomial(n, a, b) @ shares)
                for weight, a, b in prior.parts
                for n, shares in self.parts
            )
        )

    def mean_above(self, prior: Mixture, cut: float) -> float:
        """E[quantity; rate above ``cut``]: the average with nothing counted at rates up to the cut."""
        return self._cut(prior, cut, above=True)

    def mean_below(self, prior: Mixture, cut: float) -> float:
        """E[quantity; rate at most ``cut``]."""
        return self._cut(prior, cut, above=False)

    def _cut(self, prior: Mixture, cut: float, *, above: bool) -> float:
        from scipy.special import betainc, betaincc

        tail, total = betaincc if above else betainc, 0.0
        for weight, a, b in prior.parts:
            for n, shares in self.parts:
                x = np.arange(n + 1)
                total += weight * float((beta_binomial(n, a, b) * shares) @ tail(a + x, b + n - x, cut))
        return total

    def thinned(self, evaluable: float) -> ByRate:
        """The same where each response is counted with probability ``evaluable`` only, by the rate of all responses."""
        if evaluable == 1:
            return self
        found = []
        for n, shares in self.parts:
            counted = [binomial_pmf(y, evaluable) @ shares[: y + 1] for y in range(n + 1)]
            found.append((n, np.array(counted)))
        return ByRate(tuple(found))

    def times(self, factors: Sequence[float]) -> ByRate:
        """The same with a factor a look."""
        return ByRate(tuple((n, s * f) for (n, s), f in zip(self.parts, factors, strict=True)))


@lru_cache(maxsize=64)
def go_by_rate(looks: Looks) -> ByRate:
    """P(go) of a design alone: one response rate, everybody evaluable, nobody with toxicity."""
    return _shares(looks)[0]


@lru_cache(maxsize=64)
def en_by_rate(looks: Looks) -> ByRate:
    """EN of a design alone."""
    return _shares(looks)[1]


def too_many_counts(looks: Looks) -> bool:
    """Whether there are too many looks of too many patients for this."""
    return sum(n + 1 for n in looks.n) > MAX_COUNTS


@lru_cache(maxsize=8)
def _shares(looks: Looks) -> tuple[ByRate, ByRate]:
    arriving = {0: np.ones(looks.n[0] + 1)}
    go, ended = [], []
    for k, n in enumerate(looks.n):
        here = arriving.pop(k, np.zeros(n + 1))
        decisions = np.array(looks.next[k])
        go.append((n, np.where(decisions == GO, here, 0.0)))
        ended.append((n, n * np.where(decisions < 0, here, 0.0)))
        for later in np.unique(decisions[decisions >= 0]).tolist():
            moved = _later(np.where(decisions == later, here, 0.0), looks.n[later])
            arriving[later] = arriving.get(later, 0.0) + moved
    return ByRate(tuple(go)), ByRate(tuple(ended))


def _later(shares: Float64, n: int) -> Float64:
    """Shares of orders by the responses among n patients, from those by the responses among fewer.

    P(x of the first m are responses | y of n are) is hypergeometric.
    """
    m = len(shares) - 1
    found = np.zeros(n + 1)
    ways, more, all_ways = _log_ways(m), _log_ways(n - m), _log_ways(n)
    for x in np.flatnonzero(shares):
        y = np.arange(x, x + n - m + 1)
        found[y] += shares[x] * np.exp(ways[x] + more - all_ways[y])
    return found


def _log_ways(n: int) -> Float64:
    """log of n choose 0..n."""
    x = np.arange(n)
    return np.concatenate([[0.0], np.cumsum(np.log((n - x) / (x + 1)))])
