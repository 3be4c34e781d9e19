"""How many patients at each of two doses choose the right one: a randomised comparison without rules to stop early.

With n patients at each dose the higher goes forward if it has more than k responses more than the lower. Right is the
lower where both respond at p, and the higher where the lower responds at p - delta. P(correct selection) is a saw-tooth
in n, because k is a whole number: the first n that does, and the n from which all do, are two answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import ceil, comb
from typing import Any, ClassVar

import numpy as np

from trialsim.answers import Answer
from trialsim.designs.binomial import Float64, binomial_pmf
from trialsim.designs.exactly import NEAR, at_least, decimal
from trialsim.designs.target import NoDesign, check_probability
from trialsim.errors import DesignError
from trialsim.given import number_in
from trialsim.results import digits12

KIND = "selection"
NEEDS = ("higher", "delta", "pcs")
LARGEST = 400
"""Patients at a dose up to which a search looks where nothing else is said."""

MOST = 1000


@dataclass(frozen=True)
class Size:
    """n patients at each dose, and what the best k does there.

    Attributes:
        name: first (the smallest n that will do), or stable (the smallest from which all n searched will do).
        k: the higher dose goes forward with more than k responses more; the smallest k with the best least PCS.
        lambda_: a cut-off of the difference of observed rates that comes to the same, in few decimals.
        pcs_equal, pcs_different: P(correct selection) where both doses respond alike, and where the lower does worse.
    """

    name: str
    n: int
    k: int
    lambda_: float
    pcs_equal: float
    pcs_different: float

    def row(self) -> dict[str, Any]:
        """The numbers by name; ``patients`` are those at both doses."""
        found = asdict(self)
        found["lambda"] = found.pop("lambda_")
        return found | {"patients": 2 * self.n}


@dataclass(frozen=True, repr=False)
class SelectionSizes(Answer):
    """The numbers of patients at each of two doses with which the right one is chosen often enough.

    Attributes:
        higher, delta, pcs: response rate at the higher dose, by how much that at the lower is lower where it is, and
            the least P(correct selection) wanted in both cases.
        nmax: largest n looked at.
        sizes: the first n, and the stable one where there is one.
    """

    kind: ClassVar[str] = "find"
    design_kind: ClassVar[str] = KIND

    higher: float
    delta: float
    pcs: float
    nmax: int
    sizes: tuple[Size, ...]

    @property
    def designs(self) -> tuple[Size, ...]:
        """The sizes: what every search hands back."""
        return self.sizes

    @property
    def called(self) -> str:
        """What was searched for."""
        return KIND

    def __iter__(self) -> Iterator[Size]:
        return iter(self.sizes)

    def __getitem__(self, name: str) -> Size:
        for size in self.sizes:
            if size.name == name:
                return size
        raise KeyError(f"{name!r} was not found; found: {', '.join(size.name for size in self.sizes)}")

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a size."""
        return (size.row() for size in self.sizes)

    def tables(self) -> dict[str, Iterator[dict[str, Any]]]:
        """``designs``."""
        return {"designs": self.rows()}

    def to_dict(self) -> dict[str, Any]:
        """What was asked, and the sizes; floats to 12 digits."""
        return {
            "setting": {"higher": self.higher, "delta": self.delta, "pcs": self.pcs},
            "designs": [digits12(row) for row in self.rows()],
            "searched": f"n <= {self.nmax}",
        }


def sizes(stated: Mapping[str, Any]) -> SelectionSizes:
    """The numbers of patients for ``higher``, ``delta``, ``pcs`` and ``nmax``.

    Raises:
        DesignError: another key, a value that cannot be, or no n up to nmax.
    """
    given = {key: value for key, value in stated.items() if value is not None}
    for key in given:
        if key not in (*NEEDS, "nmax"):
            raise DesignError(f"`{key}` is no key of {KIND}; allowed: {', '.join((*NEEDS, 'nmax'))}")
    if missing := [key for key in NEEDS if key not in given]:
        raise DesignError(f"a search of kind {KIND} needs {', '.join(NEEDS)}; missing: {', '.join(missing)}")
    higher, delta, pcs = (_rate(key, given[key]) for key in NEEDS)
    if delta >= higher:
        raise DesignError(f"delta = {delta:g} must be below higher = {higher:g}")
    if pcs <= 0.5:
        raise DesignError(f"pcs = {pcs:g} must be above 0.5, which a coin reaches")
    nmax = given.get("nmax", LARGEST)
    if isinstance(nmax, bool) or not isinstance(nmax, int) or not 1 <= nmax <= MOST:
        raise DesignError(f"nmax = {nmax!r} must be a whole number from 1 to {MOST}")
    found, stable = {}, nmax + 1
    for n in range(nmax, 0, -1):
        best = _best(n, higher, delta)
        if best.reaches(pcs):
            found[n] = best
            stable = n if stable == n + 1 else stable
    if not found:
        best = max((_best(n, higher, delta) for n in range(1, nmax + 1)), key=lambda each: min(each.pcs))
        raise NoDesign(
            f"no n up to {nmax} chooses rightly with probability {pcs:g}",
            f"the best is {min(best.pcs):.4f} at n = {best.at.n}; a larger nmax may do",
        )
    first = min(found)
    named = [found[first].named("first")]
    if stable in found:
        named.append(found[stable].named("stable"))
    return SelectionSizes(higher, delta, pcs, nmax, tuple(named))


def _rate(name: str, value: Any) -> float:
    number = (
        value if isinstance(value, int | float) and not isinstance(value, bool) else number_in(str(value))
    )
    if number is None:
        raise DesignError(f"{name} = {value!r} is not a number")
    check_probability(name, float(number))
    return float(number)


@dataclass(frozen=True)
class _At:
    """n patients at each dose."""

    n: int
    higher: float
    delta: float

    def exactly(self, k: int) -> tuple[Fraction, Fraction]:
        """P(correct selection) in both cases, as fractions."""
        p, q = decimal(self.higher), decimal(self.higher) - decimal(self.delta)
        return _at_most(self.n, k, p, p), 1 - _at_most(self.n, k, p, q)


@dataclass(frozen=True)
class _Best:
    at: _At
    k: int
    pcs: tuple[float, float]

    def reaches(self, wanted: float) -> bool:
        """Whether both PCS are as high as wanted."""
        return all(at_least(self.pcs[c], wanted, lambda c=c: self._exact[c]) for c in range(2))  # type: ignore[misc]

    @cached_property
    def _exact(self) -> tuple[Fraction, Fraction]:
        return self.at.exactly(self.k)

    def named(self, name: str) -> Size:
        """The size under a name."""
        return Size(name, self.at.n, self.k, _cut_off(self.k, self.at.n), *self.pcs)


@lru_cache(maxsize=4 * MOST)
def _best(n: int, higher: float, delta: float) -> _Best:
    """The smallest k whose least PCS is largest; fractions decide between two that rounding cannot tell apart."""
    at, lower = _At(n, higher, delta), float(decimal(higher) - decimal(delta))
    equal = np.cumsum(_apart(n, higher, higher))
    different = 1 - np.cumsum(_apart(n, higher, lower))
    least = np.minimum(equal, different)
    near = np.flatnonzero(least >= least.max() - NEAR)
    best = int(near[0])
    if len(near) > 1:
        exact = [min(at.exactly(int(each) - n)) for each in near]
        best = int(near[exact.index(max(exact))])
    return _Best(at, best - n, (float(equal[best]), float(different[best])))


def _apart(n: int, p: float, q: float) -> Float64:
    """(2 n + 1,) P(X1 - X2 = d), d = -n..n, of two independent binomial numbers."""
    return np.asarray(np.convolve(binomial_pmf(n, p), binomial_pmf(n, q)[::-1]))


def _at_most(n: int, k: int, p: Fraction, q: Fraction) -> Fraction:
    """P(X1 - X2 <= k), exactly."""
    first, second = ([comb(n, x) * r**x * (1 - r) ** (n - x) for x in range(n + 1)] for r in (p, q))
    below = [Fraction(0)]
    for chance in first:
        below.append(below[-1] + chance)
    return sum(
        (chance * below[min(max(x + k + 1, 0), n + 1)] for x, chance in enumerate(second)), Fraction(0)
    )


def _cut_off(k: int, n: int) -> float:
    """The shortest decimal from k / n to below (k + 1) / n: as a cut-off of the difference it decides as k does."""
    digits = 0
    while ceil(Fraction(k, n) * 10**digits) >= Fraction(k + 1, n) * 10**digits:
        digits += 1
    return float(Fraction(ceil(Fraction(k, n) * 10**digits), 10**digits))
