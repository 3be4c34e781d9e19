"""What a design is searched for: two rates, two error rates and the largest n, checked once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trialsim.errors import DesignError


class NoDesign(DesignError):
    """A search found nothing; ``instead`` says what would be feasible, where that is known."""

    def __init__(self, what: str, instead: str = "") -> None:
        self.what, self.instead = what, instead
        super().__init__(f"{what}; {instead}" if instead else what)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.what, self.instead)


@dataclass(frozen=True)
class Target:
    """Type I error at p0 at most alpha, power at p1 at least 1 - beta, n at most nmax (None: as far as a search goes).

    Raises
    ------
    DesignError : rates or errors outside 0 to 1, p1 <= p0, an empty range of n.
    """

    p0: float
    p1: float
    alpha: float
    beta: float
    nmax: int | None = None

    def __post_init__(self) -> None:
        for name in ("p0", "p1", "alpha", "beta"):
            value = getattr(self, name)
            # published tables go up to a desirable rate of 1
            if not (0 < value < 1 or (name == "p1" and value == 1)):
                hint = f"; did you mean {value / 100:g}?" if 1 < value < 100 else ""
                raise DesignError(f"{name} = {value:g} must lie between 0 and 1{hint}")
        if self.p1 <= self.p0:
            raise DesignError(not_above(self.p0, self.p1))
        if self.nmax is not None and self.nmax < 1:
            raise DesignError(f"nmax = {self.nmax} must be 1 or more")

    @property
    def rates(self) -> tuple[float, float]:
        """p0, p1."""
        return self.p0, self.p1

    @property
    def errors(self) -> tuple[float, float]:
        """alpha, beta."""
        return self.alpha, self.beta

    def kept_by(self, level: float, power: float) -> bool:
        """Whether a type I error and a power keep both error rates; what exceeds its target by 1e-12 is at it."""
        return level <= self.alpha + 1e-12 and self.has(power)

    def has(self, power: float) -> bool:
        """Whether a power is enough."""
        return power >= 1 - self.beta - 1e-12

    def setting(self) -> dict[str, float]:
        """The rates and errors by name."""
        return {"p0": self.p0, "p1": self.p1, "alpha": self.alpha, "beta": self.beta}

    def none_found(self, what: str, limit: int, instead: str = "") -> NoDesign:
        """No design within the limit: which bound failed, and what would be feasible."""
        bound = f"no {what} with n <= {limit} keeps alpha = {self.alpha:g} and beta = {self.beta:g}"
        return NoDesign(f"{bound} for p0 = {self.p0:g}, p1 = {self.p1:g}", instead)


def not_above(p0: float, p1: float) -> str:
    """Why two rates are no target."""
    failures = f"; of a failure rate state 1 - p: p0 = {1 - p0:g}, p1 = {1 - p1:g}" if p1 < p0 else ""
    return f"the desirable rate p1 = {p1:g} must be above the unacceptable rate p0 = {p0:g}{failures}"


def widening(
    search: Callable[[int], tuple[Any, bool]], first: int, limit: int, *, any_will_do: bool = False
) -> tuple[Any, bool]:
    """What a search up to some n finds: tried to ``first``, then to twice that, until no larger n can be better.

    Parameters
    ----------
    search : largest n -> designs of growing n, and whether no larger n can be better.
    limit : where it ends in any case.
    any_will_do : whether it may end with the first designs found, as where the least n is wanted.
    """
    size = min(first, limit)
    while True:
        rows, complete = search(size)
        if complete or size >= limit or (any_will_do and len(rows)):
            return rows, bool(complete)
        size = min(limit, 2 * size)
