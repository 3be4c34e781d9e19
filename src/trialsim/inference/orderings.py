"""Which outcomes are at least as much in favour of the treatment as the one observed: an ordering, always named."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trialsim.designs.binomial import Float64
from trialsim.errors import DesignError
from trialsim.inference.outcomes import Int64, Outcomes

STAGEWISE, BY_MLE, BY_UMVUE = "stagewise", "mle", "umvue"

ORDERINGS = {
    STAGEWISE: "stagewise: futility stops first, early goes last, within a look by responses",
    BY_MLE: "by the observed proportion (MLE), whatever the look",
    BY_UMVUE: "by the UMVUE, whatever the look",
}
"""The orderings by name; the first is the default everywhere."""

GRID = 1024
HALVINGS = 44
"""Roots are looked for between 1,025 rates, and then halved down to 1e-16."""


def ranks(outcomes: Outcomes, ordering: str = STAGEWISE) -> Int64:
    """The place of each outcome under an ordering; equal places are ties."""
    if ordering == STAGEWISE:
        return np.arange(len(outcomes))
    if ordering == BY_MLE:
        return np.asarray(np.unique(outcomes.x / outcomes.n, return_inverse=True)[1], dtype=np.int64)
    if ordering == BY_UMVUE:
        rounded = np.round(outcomes.first_rate, 12)
        return np.asarray(np.unique(rounded, return_inverse=True)[1], dtype=np.int64)
    raise DesignError(f"ordering {ordering!r} is not known; there are {', '.join(ORDERINGS)}")


def tied(pmf: Float64, place: Int64) -> Float64:
    """P(an outcome of the same place), shape of ``pmf``."""
    total = np.zeros((len(pmf), int(place.max()) + 1))
    for j, rank in enumerate(place):
        total[:, rank] += pmf[:, j]
    return total[:, place]


def at_least(pmf: Float64, place: Int64) -> Float64:
    """P(an outcome at least as much in favour), for each rate (row) and outcome (column)."""
    order = np.argsort(place, kind="stable")
    above = np.cumsum(pmf[:, order[::-1]], axis=1)[:, ::-1]
    return np.minimum(above[:, np.searchsorted(place[order], place, side="left")], 1.0)


def at_most(pmf: Float64, place: Int64) -> Float64:
    """P(an outcome at most as much in favour), for each rate (row) and outcome (column)."""
    return at_least(pmf, place.max() - place)


def first_rate(f: Callable[[Float64], Float64]) -> Float64:
    """The least response rate at which each column of f is >= 0, nan where there is none."""
    return _edge(f, last=False)


def last_rate(f: Callable[[Float64], Float64]) -> Float64:
    """The greatest response rate at which each column of f is >= 0, nan where there is none."""
    return _edge(f, last=True)


def _edge(f: Callable[[Float64], Float64], last: bool) -> Float64:
    grid = np.linspace(1, 0, GRID + 1) if last else np.linspace(0, 1, GRID + 1)
    holds = f(grid) >= 0
    first = np.argmax(holds, axis=0)
    column = np.arange(holds.shape[1])
    inside, outside = grid[first], grid[np.maximum(first - 1, 0)]
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        good = f(middle)[column, column] >= 0
        inside, outside = np.where(good, middle, inside), np.where(good, outside, middle)
    return np.where(holds.any(axis=0), inside, np.nan)
