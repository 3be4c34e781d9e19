"""Two stages that may end early either way: stop if responses <= r1, go if responses > a1, at the end go if > r.

Fleming TR. Biometrics 1982;38:143-151 (two stages); Mander AP, Thompson SG. Two-stage designs optimal under the
alternative hypothesis for phase II cancer clinical trials. Contemp Clin Trials 2010;31:572-578.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.alone import alone, at_both
from trialsim.designs.error_rates import Candidates, ErrorRates, check_stages
from trialsim.designs.exactly import best_by_value, en_at, p_go_at, settled
from trialsim.designs.front import Front
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.simon import SEARCH_LIMIT
from trialsim.designs.spec import CutOff, Patients, impossible
from trialsim.designs.target import Target, widening

CRITERIA = ("h0_optimal", "h1_optimal", "minimax", "least_largest_en")
"""Least EN(p0); least EN(p1); least n, then least EN(p0); least max of EN(p) over p0 <= p <= p1."""


class ManderThompson(ErrorRates):
    """Two stages with futility and efficacy stop: found from error rates, or stated as n1, r1, a1, n, r."""

    default_criterion: ClassVar[str] = "h0_optimal"
    outright: ClassVar[tuple[str, ...]] = ("n1", "r1", "a1", "n", "r")
    searched: ClassVar[str] = "all n1, r1 of 0 or more, a1, r and n"

    kind: Literal["mander_thompson"]
    criterion: Literal["h0_optimal", "h1_optimal", "minimax", "least_largest_en"] | None = Field(
        None,
        description="h0_optimal: least EN(p0); h1_optimal: least EN(p1); minimax: least n, then least EN(p0); "
        "least_largest_en: least of the largest EN(p) from p0 to p1",
    )
    n1: Patients | None = Field(None, description="patients in stage 1")
    r1: CutOff | None = Field(None, description="stop after stage 1 if responses <= r1")
    a1: CutOff | None = Field(None, description="go after stage 1 if responses > a1")
    n: Patients | None = Field(None, description="patients in both stages", title="planned n")
    r: CutOff | None = Field(None, description="go at the end if responses > r of n")

    @model_validator(mode="after")
    def _possible(self) -> ManderThompson:
        if self.stated_outright():
            n1, r1, a1, n, r = self._cuts()
            check_stages(n1, n)
            if not r1 <= a1 <= n1:
                raise impossible("a1", f"a1 = {a1} must lie from r1 = {r1} to n1 = {n1}")
            if not r1 <= r < n:
                raise impossible("r", f"r = {r} must lie from r1 = {r1} to n - 1 = {n - 1}")
        return self

    @property
    def en_words(self) -> str:
        """What EN a criterion speaks of where it is not EN(p0)."""
        return "EN: at p1 for h1_optimal, the largest from p0 to p1 for least_largest_en, else at p0"

    def _cuts(self) -> tuple[int, int, int, int, int]:
        n1, r1, a1, n, r = self.n1, self.r1, self.a1, self.n, self.r
        assert n1 is not None and r1 is not None and a1 is not None and n is not None and r is not None
        return n1, r1, a1, n, r

    def compile(self) -> Looks:
        """Two looks: at n1 stop, go or continue; at n go if responses > r, else stop."""
        if self.n is None:
            return self.best()
        n1, r1, a1, n, r = self._cuts()
        return two_way((n1, n), (r1, r), (a1, r))

    def candidates(self) -> Candidates:
        """The designs that a search finds, and whether it ended at its bound."""
        names = ("minimax", "h0_optimal", "h1_optimal", "least_largest_en")
        named, within = [], None
        for name in names if self.criterion is None else (self.criterion,):
            found = search(self.target, name)
            named.append((name, found.choose(name)))
            if not found.complete and name != "minimax":
                within = self.nmax or SEARCH_LIMIT // 10
        return Candidates(tuple(named), within)


@dataclass(frozen=True)
class BothWays:
    """A design and its exact operating characteristics; ``weights`` as for Simon's designs, None if not admissible.

    ``en`` is the largest EN(p) from p0 to p1 where the criterion speaks of that.
    """

    r1: int
    a1: int
    n1: int
    r: int
    n: int
    en_p0: float
    en_p1: float
    pet_p0: float
    type_i_error: float
    power: float
    weights: tuple[float, float] | None = None
    en: float | None = None

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return two_way((self.n1, self.n), (self.r1, self.r), (self.a1, self.r))


def search(target: Target, criterion: str = "h0_optimal") -> Front[BothWays]:
    """The design with the least EN of every n under a criterion, by exact search over all n1, r1, a1, r with r1 >= 0.

    Without ``nmax`` the search goes on until no larger n can have a smaller EN, or to SEARCH_LIMIT / 10. Raises
    DesignError when no design with n <= nmax keeps both error rates.
    """
    from trialsim.kernels.stages import AT_P0, AT_P1, LARGEST

    least = {"h1_optimal": AT_P1, "least_largest_en": LARGEST}.get(criterion, AT_P0)
    limit = target.nmax or SEARCH_LIMIT // 10
    target.check_reach("two-stage design", limit)
    designs, complete = widening(
        lambda nmax: _best_by_n(target, nmax, least), 64, limit, any_will_do=criterion == "minimax"
    )
    if not designs:
        raise target.none_found("two-stage design", limit)
    if least == LARGEST:
        designs[-1] = replace(designs[-1], en=largest_en(designs[-1].looks(), *target.rates))
        return Front(tuple(designs), complete)
    points = [(d.n, d.en_p1 if least == AT_P1 else d.en_p0) for d in designs]
    return Front.of(designs, points, complete, en_at(target.p1 if least == AT_P1 else target.p0))


def _best_by_n(target: Target, nmax: int, least: int, every_n: bool = False) -> tuple[list[BothWays], bool]:
    """The design with the least EN of every n at which EN falls (or of every n), and whether no larger n has less."""
    from trialsim.kernels.stages import AT_P1, LARGEST, two_stages_both_ways

    def looks(design: tuple[int, ...]) -> Looks:
        r1, a1, n1, r, n = design
        return two_way((n1, n), (r1, r), (a1, r))

    rows, complete = settled(
        lambda book: two_stages_both_ways(target.rates, target.errors, nmax, book, least, every_n),
        5, lambda what, design: target.decide(what, looks(design)),
    )  # fmt: skip
    # the largest EN between two rates is no fraction
    exact = en_at(target.p1 if least == AT_P1 else target.p0)
    candidates = [(_design(*map(int, cuts), target=target), en) for *cuts, en in rows.tolist()]
    best = best_by_value(
        candidates, lambda c: c[0].n,
        (lambda c: c[1], lambda c: Fraction(c[1]) if least == LARGEST else exact(c[0])),
        (lambda c: c[0].power, lambda c: p_go_at(target.p1)(c[0])), falling=not every_n,
    )  # fmt: skip
    return [design for design, _ in best], complete


def largest_en(looks: Looks, p0: float, p1: float) -> float:
    """The largest EN(p) for p0 <= p <= p1: the best of a grid, and what lies around it."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    grid = np.linspace(p0, p1, 41)
    at = int(np.argmax([alone(looks, float(p)).en for p in grid]))
    around = (float(grid[max(at - 1, 0)]), float(grid[min(at + 1, 40)]))
    peak = minimize_scalar(lambda p: -alone(looks, float(p)).en, bounds=around, method="bounded")
    return max(-float(peak.fun), *(alone(looks, float(grid[k])).en for k in (at, 0, 40)))


def best_by_n(target: Target, nmax: int) -> list[BothWays]:
    """The design with the least EN(p0) of every n <= nmax at which there is one."""
    from trialsim.kernels.stages import AT_P0

    return _best_by_n(target, nmax, AT_P0, every_n=True)[0]


def _design(r1: int, a1: int, n1: int, r: int, n: int, *, target: Target) -> BothWays:
    return BothWays(r1, a1, n1, r, n, *at_both(two_way((n1, n), (r1, r), (a1, r)), target.rates))
