"""Distributions of the counts of a trial whose sizes are fixed, and how far an observed count lies in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trialsim.designs.binomial import Float64, binomial_pmf

DRAWS = 100_000
"""Joint draws for multiplicity-adjusted p-values: their standard error is at most .0016."""


def pooled_pmf(sizes: Sequence[int], rates: Sequence[float]) -> Float64:
    """P(total = 0..sum(sizes)) of independent binomial counts, one a dose."""
    pmf = np.ones(1)
    for n, p in zip(sizes, rates, strict=True):
        pmf = np.convolve(pmf, binomial_pmf(n, p))
    return pmf


def beta_binomial_pmf(n: int, a: float, b: float) -> Float64:
    """P(Y = 0..n) for n further patients whose rate has a Beta(a, b) distribution."""
    from scipy.special import betaln, gammaln

    y = np.arange(n + 1)
    log_choose = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)
    return np.asarray(np.exp(log_choose + betaln(a + y, b + n - y) - betaln(a, b)))


def interval(pmf: Float64, coverage: float) -> tuple[int, int]:
    """The central interval: the smallest counts whose cumulative probability reaches each tail's share."""
    cumulative = np.cumsum(pmf)
    tail = (1 - coverage) / 2
    low, high = (int(np.searchsorted(cumulative, q - 1e-12)) for q in (tail, 1 - tail))
    return low, min(high, len(pmf) - 1)


def compositions(total: int, parts: int) -> list[tuple[int, ...]]:
    """Every way to split ``total`` patients over ``parts`` doses."""
    if parts == 1:
        return [(total,)]
    return [(first, *rest) for first in range(total + 1) for rest in compositions(total - first, parts - 1)]


@dataclass(frozen=True)
class Sizes:
    """Patients at each dose, as far as response (evaluable) and toxicity (treated) are concerned."""

    evaluable: tuple[int, ...]
    treated: tuple[int, ...]


def joint_pmf(sizes: Sizes, cells: Sequence[dict[tuple[int, int], float]]) -> Float64:
    """P(total responses, total toxicities), shape (evaluable + 1, treated + 1).

    ``cells[level][response, toxicity]`` are the joint probabilities of one evaluable patient. Patients treated but
    not evaluable add their toxicity only.
    """
    joint = np.zeros((sum(sizes.evaluable) + 1, sum(sizes.treated) + 1))
    joint[0, 0] = 1.0
    for evaluable, treated, cell in zip(sizes.evaluable, sizes.treated, cells, strict=True):
        toxic = cell[0, 1] + cell[1, 1]
        for k in range(treated):
            new = np.zeros_like(joint)
            if k < evaluable:
                new += cell[0, 0] * joint
                new[:, 1:] += cell[0, 1] * joint[:, :-1]
                new[1:, :] += cell[1, 0] * joint[:-1, :]
                new[1:, 1:] += cell[1, 1] * joint[:-1, :-1]
            else:
                new += (1 - toxic) * joint
                new[:, 1:] += toxic * joint[:, :-1]
            joint = new
    return joint
