"""What a design is searched for: two rates, two error rates and the largest n, checked once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from trialsim.designs.exactly import NEAR, alone, at_least, at_most, decimal
from trialsim.designs.rules import Looks
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

    Raises:
        DesignError: rates or errors outside 0 to 1, p1 <= p0, an empty range of n.
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
            if not (name == "p1" and value == 1):
                check_probability(name, value)
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

    def keeps(self, level: float, looks: Looks | Callable[[], Looks]) -> bool:
        """Whether the type I error of a design is at most alpha; its looks decide where rounding leaves that open."""
        if abs(level - self.alpha) > NEAR:  # searches ask this of every design: at once, without a fraction
            return level < self.alpha
        return at_most(level, self.alpha, lambda: _p_go(looks, self.p0))

    def has(self, power: float, looks: Looks | Callable[[], Looks]) -> bool:
        """Whether the power of a design is 1 - beta or more; its looks decide where rounding leaves that open."""
        if abs(power - (1 - self.beta)) > NEAR:
            return power > 1 - self.beta
        return at_least(power, 1 - decimal(self.beta), lambda: _p_go(looks, self.p1))

    def decide(self, what: int, looks: Looks) -> bool:
        """A doubt about the type I error or the power of a design (``kernels.doubts``)."""
        from trialsim.kernels.doubts import LEVEL

        if what == LEVEL:
            return alone(looks, decimal(self.p0)).p_go <= decimal(self.alpha)
        return alone(looks, decimal(self.p1)).p_go >= 1 - decimal(self.beta)

    def within_reach(self, limit: int) -> bool:
        """Whether any test at all of n <= limit patients keeps both error rates: the most powerful one, at random
        between two cut-offs (Neyman and Pearson 1933); stops and early decisions only choose among such tests."""
        from trialsim.designs.binomial import upper_tail

        null, good = ([*upper_tail(limit, p).tolist(), 0.0] for p in self.rates)
        at = next(x for x, level in enumerate(null) if level <= self.alpha)
        share = (self.alpha - null[at]) / (null[at - 1] - null[at])
        return bool(good[at] + share * (good[at - 1] - good[at]) >= 1 - self.beta - 1e-9)

    def check_reach(self, what: str, limit: int) -> None:
        """Raise at once where no test of so many patients can keep both error rates."""
        if not self.within_reach(limit):
            raise self.none_found(what, limit)

    def setting(self) -> dict[str, float]:
        """The rates and errors by name."""
        return {"p0": self.p0, "p1": self.p1, "alpha": self.alpha, "beta": self.beta}

    def none_found(self, what: str, limit: int | None, instead: str = "") -> NoDesign:
        """No design within the limit (None: n is stated): which bound failed, and what would be feasible."""
        within = "" if limit is None else f"{',' if ' with ' in what else ''} with n <= {limit}"
        bound = f"no {what}{within} keeps alpha = {self.alpha:g} and beta = {self.beta:g}"
        return NoDesign(f"{bound} for p0 = {self.p0:g}, p1 = {self.p1:g}", instead)


def _p_go(looks: Looks | Callable[[], Looks], p: float) -> Fraction:
    return alone(looks() if callable(looks) else looks, decimal(p)).p_go


def not_above(p0: float, p1: float) -> str:
    """Why two rates are no target, and how one that is to fall becomes one."""
    said = f"the desirable rate p1 = {p1:g} must be above the unacceptable rate p0 = {p0:g}"
    if p1 == p0:
        return said
    return f"{said}; of an event that is to be rare count those without it: p0 = {1 - p0:g}, p1 = {1 - p1:g}"


def check_probability(name: str, value: float) -> None:
    """Refuse what is not between 0 and 1."""
    if not 0 < value < 1:
        hint = f"; did you mean {value / 100:g}?" if 1 < value < 100 else ""
        raise DesignError(f"{name} = {value:g} must lie between 0 and 1{hint}")


def doubtful(name: str, value: float) -> str:
    """What is asked of an error rate, or a power, that must be the other one; "" of any that can be meant."""
    other = f"{1 - value:.12g}"
    if name == "alpha" and value > 0.5:
        return (
            f"alpha = {value:g} lets more than half of the useless treatments pass: is alpha {other} meant?"
        )
    if name == "beta" and value > 0.5:
        return f"beta = {value:g} is a power of {other}: power {value:g} is beta {other}; which one is meant?"
    if name == "power" and value < 0.5:
        return f"power = {value:g} is a beta of {other}: beta {value:g} is power {other}; which one is meant?"
    return ""


def beta_of(power: float, beta: float | None) -> float:
    """The type II error of a power; DesignError where another is stated beside it."""
    found = float(f"{1 - power:.12g}")
    if beta is not None and found != beta:
        raise DesignError(f"power = {power:g} and beta = {beta:g} do not agree: state one of them")
    return found


def widening(
    search: Callable[[int], tuple[Any, bool]], first: int, limit: int, *, any_will_do: bool = False
) -> tuple[Any, bool]:
    """What a search up to some n finds: tried to ``first``, then to twice that, until no larger n can be better.

    Args:
        search: largest n -> designs of growing n, and whether no larger n can be better.
        limit: where it ends in any case.
        any_will_do: whether it may end with the first designs found, as where the least n is wanted.
    """
    size = min(first, limit)
    while True:
        rows, complete = search(size)
        if complete or size >= limit or (any_will_do and len(rows)):
            return rows, bool(complete)
        size = min(limit, 2 * size)
