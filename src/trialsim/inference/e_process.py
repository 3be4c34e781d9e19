"""Evidence against p <= p0 that may be looked at whenever one likes: e-processes, their boundaries and what they do.

An e-process M starts at 1 and, while no patient responds with a probability above p0 given the patients before, does
not grow on average. So P(M ever reaches 1/alpha) <= alpha (Ville), whatever made the trial look, stop or go on.

    ratio     M_n = (p1/p0)^x ((1 - p1)/(1 - p0))^(n - x), x responses among the first n patients in enrolment order
    mixture   the mean of that over p1 ~ Beta(a, b) restricted to (p0, 1)

Whether M reaches a level is decided in fractions where rounding could matter. A mixture whose a or b is no whole
number has no fraction: within a billionth of the level it counts as not reached, which keeps the bound.

Sources: Ville J. Étude critique de la notion de collectif. 1939; Wald A. Sequential Analysis. 1947; Robbins H. Ann Math
Stat 1970;41:1397-1409.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Protocol

import numpy as np

from trialsim.designs.exactly import decimal

NEAR = 1e-9
"""Relative distance from a level below which fractions decide."""

LARGEST = 690.0
"""Logarithm of the largest e-value that is told as it is; beyond it a float ends."""

Prior = tuple[float, float]


class Process(Protocol):
    """An e-process that depends on (n, x) alone, grows with x, and falls with each patient without a response."""

    def log(self, n: int, x: int) -> float:
        """Logarithm of M after n patients with x responses."""
        ...

    def exact(self, n: int, x: int) -> Fraction | None:
        """M as a fraction; None where it is none."""
        ...


@dataclass(frozen=True)
class Ratio:
    """The likelihood ratio of p1 against p0, p0 < p1."""

    p0: Fraction
    p1: Fraction

    @cached_property
    def _steps(self) -> tuple[float, float]:
        return math.log(self.p1 / self.p0), math.log((1 - self.p1) / (1 - self.p0))

    def log(self, n: int, x: int) -> float:
        """Logarithm of M."""
        response, none = self._steps
        return x * response + (n - x) * none

    def exact(self, n: int, x: int) -> Fraction:
        """M itself."""
        response: Fraction = (self.p1 / self.p0) ** x
        none: Fraction = ((1 - self.p1) / (1 - self.p0)) ** (n - x)
        return response * none


@dataclass(frozen=True)
class Mixture:
    """The mean likelihood ratio against p0 over a Beta(a, b) prior restricted to the rates above p0."""

    p0: Fraction
    prior: Prior = (1.0, 1.0)

    def log(self, n: int, x: int) -> float:
        """Logarithm of M."""
        from scipy.special import betaincc, betaln

        (a, b), p0 = self.prior, float(self.p0)
        above, before = (float(betaincc(a + y, b + m - y, p0)) for m, y in ((n, x), (0, 0)))
        if not above:
            return -math.inf
        likelihood = x * math.log(p0) + (n - x) * math.log1p(-p0)
        return float(
            betaln(a + x, b + n - x) - betaln(a, b) + math.log(above) - math.log(before) - likelihood
        )

    def exact(self, n: int, x: int) -> Fraction | None:
        """M itself, where a and b are whole numbers."""
        a, b = map(decimal, self.prior)
        if a.denominator > 1 or b.denominator > 1:
            return None
        top, bottom = _above(int(a) + x, int(b) + n - x, self.p0), _above(int(a), int(b), self.p0)
        likelihood: Fraction = self.p0**x * (1 - self.p0) ** (n - x)
        return top / bottom / likelihood


@lru_cache(maxsize=256)
def _above(a: int, b: int, p: Fraction) -> Fraction:
    """The integral of t^(a - 1) (1 - t)^(b - 1) from p to 1: by parts, P(Bin(a + b - 1, p) < a) B(a, b)."""
    n, hits, misses = a + b - 1, p.numerator, p.denominator - p.numerator
    below = sum(math.comb(n, x) * hits**x * misses ** (n - x) for x in range(a))
    beta = Fraction(math.factorial(a - 1) * math.factorial(b - 1), math.factorial(n))
    return beta * Fraction(below, p.denominator**n)


def value(process: Process, n: int, x: int) -> float:
    """M after n patients with x responses."""
    return math.exp(min(process.log(n, x), LARGEST))


def reaches(process: Process, n: int, x: int, level: Fraction) -> bool:
    """Whether M >= level."""
    gap = process.log(n, x) - math.log(level)
    if abs(gap) > NEAR:
        return gap > 0
    exact = process.exact(n, x)
    return exact is not None and exact >= level


def falls_to(process: Process, n: int, x: int, level: Fraction) -> bool:
    """Whether M <= level."""
    gap = process.log(n, x) - math.log(level)
    if abs(gap) > NEAR:
        return gap < 0
    exact = process.exact(n, x)
    return exact is None or exact <= level


@dataclass(frozen=True)
class Boundary:
    """A look after every patient.

    Attributes:
        reject: by n = 1..N the least responses that reject; n + 1 where none does.
        stop: by n the most responses at which the trial stops for want of evidence; -1 where none does.
    """

    reject: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def n(self) -> int:
        """Patients at most."""
        return len(self.reject)

    def runs(self) -> Iterator[tuple[int, int, int, int]]:
        """(first n, last n, reject, stop) where both are the same, n from where either is there."""
        both = list(enumerate(zip(self.reject, self.stop, strict=True), 1))
        able = [(n, (c, s)) for n, (c, s) in both if c <= n or s >= 0]
        for (reject, stop), run in groupby(able, key=lambda each: each[1]):
            sizes = [n for n, _ in run]
            yield sizes[0], sizes[-1], reject, stop


def boundary(process: Process, n: int, level: Fraction, futility: Fraction | None = None) -> Boundary:
    """When M reaches a level, and when it has fallen to ``futility``, up to n patients.

    Both cut-offs never fall from one patient to the next, since M falls with a patient who does not respond.
    """
    reject, stop, high, low = [], [], 0, -1
    for m in range(1, n + 1):
        while high <= m and not reaches(process, m, high, level):
            high += 1
        reject.append(high)
        while futility is not None and low < m and falls_to(process, m, low + 1, futility):
            low += 1
        stop.append(low)
    return Boundary(tuple(reject), tuple(stop))


@dataclass(frozen=True)
class Course:
    """What a look after every patient does at one true rate.

    Attributes:
        rejected: by n = 1..N, P(rejected by then).
        en: mean patients when the trial ends with a rejection, a stop, or N patients.
    """

    rejected: tuple[float, ...]
    en: float

    @property
    def p_reject(self) -> float:
        """P(rejected by the last patient)."""
        return self.rejected[-1]

    def first_with(self, power: float) -> int | None:
        """The least n by which P(rejected) is at least a power."""
        return next((n for n, done in enumerate(self.rejected, 1) if done >= power), None)


def course(bounds: Boundary, p: float) -> Course:
    """Patient by patient, exactly: P(x responses, not ended) is carried from each n to the next."""
    there = np.array([1.0])
    rejected, done, en = [], 0.0, 0.0
    for n, (high, low) in enumerate(zip(bounds.reject, bounds.stop, strict=True), 1):
        en += float(there.sum())
        grown = np.zeros(n + 1)
        grown[: len(there)] += (1 - p) * there
        grown[1 : len(there) + 1] += p * there
        done += float(grown[high:].sum())
        grown[high:] = 0
        grown[: low + 1] = 0
        rejected.append(done)
        # no more responses than just below the boundary are alive
        there = grown[: max(high, 1)]
    return Course(tuple(rejected), en)


def ends_at(process: Process, path: Sequence[int], level: Fraction) -> int | None:
    """The first patient of a path of 0 and 1, in enrolment order, with whom M has reached a level; None if none has."""
    x = 0
    for n, response in enumerate(path, 1):
        x += response
        if reaches(process, n, x, level):
            return n
    return None


# -- limits for the rate


def limits(n: int, x: int, alpha: Fraction) -> tuple[float, float]:
    """The rates at which the two-sided mixture, p ~ Beta(1, 1), has not reached 1/alpha: a confidence sequence.

    M_n(p) = 1 / ((n + 1) P(X = x)), X ~ Binomial(n, p): what is left is an interval around x/n.
    """
    whole, wanted = math.log(n + 1) + math.log(math.comb(n, x)), math.log(alpha)

    def log_share(p: float) -> float:
        hits = x * math.log(p) if x else 0.0
        return whole + hits + ((n - x) * math.log1p(-p) if n - x else 0.0) - wanted

    low = 0.0 if x == 0 else _crossing(log_share, 0.0, x / n, rising=True)
    high = 1.0 if x == n else _crossing(log_share, x / n, 1.0, rising=False)
    return low, high


def lower_limit(n: int, x: int, alpha: Fraction) -> float:
    """The one-sided lower limit: the largest p0 against which the mixture, p ~ Beta(1, 1) above p0, reaches 1/alpha.

    That mixture falls as p0 rises, so every rate below is rejected too.
    """
    from scipy.special import betaincc, betaln

    if x == 0:
        return 0.0
    wanted = -math.log(alpha)

    def gap(p: float) -> float:
        above = float(betaincc(x + 1, n - x + 1, p))
        if not above:
            return -math.inf
        likelihood = x * math.log(p) + (n - x) * math.log1p(-p)
        return float(betaln(x + 1, n - x + 1) + math.log(above) - math.log1p(-p) - likelihood - wanted)

    return _crossing(gap, 0.0, 1.0, rising=False)


def ratio_limit(n: int, x: int, p1: Fraction, alpha: Fraction) -> float:
    """The lower limit by the likelihood ratio of p1: the largest p0 below p1 against which it reaches 1/alpha.

    The ratio falls as p0 rises to x/n, and is below 1 from there to p1; so p0 is below the limit when the ratio
    rejects it.
    """
    if x == 0:
        return 0.0
    high = min(x / n, float(p1))
    top = x * math.log(p1) + (n - x) * math.log(1 - p1) + math.log(alpha)

    def gap(p: float) -> float:
        return top - x * math.log(p) - ((n - x) * math.log1p(-p) if n - x else 0.0)

    return _crossing(gap, 0.0, high, rising=False)


def _crossing(gap: Callable[[float], float], low: float, high: float, *, rising: bool) -> float:
    """Where a monotone function of p crosses 0 between two rates, to the last bit, on the side where it is negative."""
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if (gap(middle) < 0) == rising:
            low = middle
        else:
            high = middle
    return low if rising else high


def running(path_low: Sequence[int], path_high: Sequence[int], alpha: Fraction) -> tuple[float, float]:
    """The limits after a path, all earlier ones kept to; may be crossed, which has a probability of at most alpha.

    ``path_low`` has pending outcomes as 0, ``path_high`` as 1: both limits rise with every response.
    """
    low, high, x, y = 0.0, 1.0, 0, 0
    for n, (one, other) in enumerate(zip(path_low, path_high, strict=True), 1):
        x, y = x + one, y + other
        low = max(low, limits(n, x, alpha)[0])
        high = min(high, limits(n, y, alpha)[1])
    return low, high


def ever_outside(p: Fraction, n: int, alpha: Fraction) -> tuple[float, float]:
    """P(a true rate is ever outside by n patients): the two-sided sequence, and below the one-sided lower limit."""
    level = 1 / alpha
    two, one = np.array([1.0]), boundary(Mixture(p), n, level)
    missed, p_ = 0.0, float(p)
    for m in range(1, n + 1):
        grown = np.zeros(m + 1)
        grown[: len(two)] += (1 - p_) * two
        grown[1:] += p_ * two
        out = np.array([_outside(p, m, x, alpha) for x in range(m + 1)])
        missed += float(grown[out].sum())
        two = np.where(out, 0.0, grown)
    return missed, course(one, p_).p_reject


def _outside(p: Fraction, n: int, x: int, alpha: Fraction) -> bool:
    """Whether (n + 1) P(X = x) <= alpha; in fractions where rounding could matter."""
    p_ = float(p)
    log = math.log((n + 1) * math.comb(n, x)) + x * math.log(p_) + (n - x) * math.log1p(-p_)
    gap = log - math.log(alpha)
    if abs(gap) > NEAR:
        return gap < 0
    exact: Fraction = (n + 1) * math.comb(n, x) * p**x * (1 - p) ** (n - x)
    return exact <= alpha
