"""Every way a trial can end, as (look, responses), with its exact distribution at any response rate.

Where a trial ended and with how many responses is the sufficient statistic. Given x responses among n patients every
order of them is equally likely, whatever the response rate: ``share`` is the part of those orders that leads to the
outcome. Then P(outcome) = share x Binomial(n, p)(x), and every estimator that conditions on the sufficient statistic
is a ratio of shares. Shares come from one recursion, a patient at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from trialsim.codes import CONSIDER, FUTILE
from trialsim.designs.binomial import Float64
from trialsim.designs.rules import Looks
from trialsim.errors import DesignError

Int64 = NDArray[np.int64]

MOST_PATIENTS = 1000
"""Up to here no share is too small for a double: at least 1 / C(1000, 500)."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Every outcome of a design, from least to most in favour of the treatment.

    Attributes:
        looks: the design.
        look, n, x: where the trial ended, with how many patients and responses; in stagewise order: stops for futility
            first (earlier before later), then those at the last look, then early goes (later before earlier); within a
            look by responses.
        share: the share of the orders of x responses among n patients that lead to this outcome.
        first_rate: mean response rate of the patients of the first look over those orders (the UMVUE).
        last_rate: the same of the patients between the last look before and this one.
    """

    looks: Looks
    look: Int64
    n: Int64
    x: Int64
    share: Float64
    first_rate: Float64
    last_rate: Float64

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def _log_orders(self) -> Float64:
        orders = [math.comb(n, x) for n, x in zip(self.n.tolist(), self.x.tolist(), strict=True)]
        return np.array([math.log(number) for number in orders]) + np.log(self.share)

    def pmf(self, p: Float64 | float) -> Float64:
        """P(outcome) at each response rate, shape (rates, outcomes)."""
        rate = np.atleast_1d(np.asarray(p, dtype=np.float64))
        inner = np.clip(rate, np.finfo(float).tiny, np.nextafter(1.0, 0.0))
        logged = (
            self._log_orders + np.outer(np.log(inner), self.x) + np.outer(np.log1p(-inner), self.n - self.x)
        )
        found = np.exp(logged)
        found[rate <= 0] = self.x == 0
        found[rate >= 1] = self.x == self.n
        return np.asarray(found, dtype=np.float64)

    def find(self, look: int, responses: int) -> int:
        """The position of an outcome; -1 where the design cannot end like that."""
        found = np.flatnonzero((self.look == look) & (self.x == responses))
        return int(found[0]) if len(found) else -1


@lru_cache(maxsize=64)
def outcomes_of(looks: Looks) -> Outcomes:
    """All outcomes of a design given by cut-offs, or of any whose looks each have one way in."""
    if looks.planned_n > MOST_PATIENTS:
        raise DesignError(
            f"exact inference is for up to {MOST_PATIENTS} patients; this design has {looks.planned_n}"
        )
    arriving = _shares(looks)
    reading = [(k, x) for k, x in stagewise(looks) if k in arriving and arriving[k][0, x] > 0]
    columns = np.array([arriving[k][:, x] for k, x in reading]).T
    look, x = np.array(reading, dtype=np.int64).T
    return Outcomes(
        looks,
        look,
        np.array([looks.n[k] for k in look], dtype=np.int64),
        x,
        columns[0],
        columns[1] / columns[0],
        columns[2] / columns[0],
    )


def _shares(looks: Looks) -> dict[int, Float64]:
    """(3, n + 1) for each look: the share of orders that get there with x responses; times the rates at the first
    look, and since the look before."""
    rate = np.arange(looks.n[0] + 1) / looks.n[0]
    arriving = {0: np.stack([np.ones_like(rate), rate, rate])}
    for k, (n, row) in enumerate(zip(looks.n, looks.next, strict=True)):
        if k not in arriving:
            continue
        decision = np.array(row)
        for later in {d for d in row if d >= 0}:
            here = np.where(decision == later, arriving[k], 0.0)
            size = looks.n[later]
            # the third row carries the responses so far, from which those since then follow
            grown = _grow(np.stack([here[0], here[1], here[0] * np.arange(n + 1)]), n, size)
            since = (grown[0] * np.arange(size + 1) - grown[2]) / (size - n)
            more = np.stack([grown[0], grown[1], since])
            arriving[later] = arriving[later] + more if later in arriving else more
    return arriving


def _grow(rows: Float64, n: int, size: int) -> Float64:
    """From n to more patients: given x responses among m patients the last one responded with probability x / m."""
    for m in range(n + 1, size + 1):
        wider = np.zeros((len(rows), m + 1))
        x = np.arange(m + 1)
        wider[:, :-1] = rows * ((m - x[:-1]) / m)
        wider[:, 1:] += rows * (x[1:] / m)
        rows = wider
    return rows


def stagewise(looks: Looks) -> Iterator[tuple[int, int]]:
    """(look, responses) in stagewise order: each look is read from few to many responses, and where it leads on, the
    later look is read in its place."""
    ways_in = [0] * len(looks.n)
    for k, row in enumerate(looks.next):
        favour = [0 if d == FUTILE else 1 if d >= 0 or d == CONSIDER else 2 for d in row]
        if favour != sorted(favour):
            raise DesignError(f"look at {looks.n[k]} patients: more responses lead to a worse decision")
        for _, _, decision in looks.ranges(k):
            if decision >= 0:
                ways_in[decision] += 1
    if max(ways_in) > 1:
        k = ways_in.index(max(ways_in))
        raise DesignError(
            f"the look at {looks.n[k]} patients has more than one way in: the stagewise ordering is not defined"
        )
    yield from _read(looks, 0)


def _read(looks: Looks, k: int) -> Iterator[tuple[int, int]]:
    for start, end, decision in looks.ranges(k):
        if decision >= 0:
            yield from _read(looks, decision)
        else:
            yield from ((k, x) for x in range(start, end + 1))
