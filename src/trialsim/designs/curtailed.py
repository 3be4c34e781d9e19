"""Curtailed designs: stop as soon as the end is certain (non-stochastic), or likely enough (stochastic).

Non-stochastic: Chi Y, Chen CM. Curtailed two-stage designs in phase II clinical trials. Stat Med 2008;27:6175-6189.
Stochastic: Law M et al. A stochastically curtailed single-arm phase II trial design for binary outcomes. J Biopharm
Stat 2022;32:671-691.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.alone import cut_off_looks
from trialsim.designs.error_rates import Candidates, ErrorRates, check_stages
from trialsim.designs.exactly import NEAR, compared, decimal, en_at, settled
from trialsim.designs.front import TwoStages
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import CutOff, Patients, Probability, impossible
from trialsim.designs.target import Target

SEARCH_LIMIT = 60


class Curtailed(ErrorRates):
    """Simon's or a single stage, ended early where the rest cannot change much: stated, or found from error rates."""

    default_criterion: ClassVar[str] = "optimal"
    searched: ClassVar[str] = "all n1, r1, r and n, ended only where the outcome is certain"
    written_as: ClassVar[str] = (
        "written r1/n1 r/n, ended as soon as the outcome is certain: go if responses > r"
    )

    outright: ClassVar[tuple[str, ...]] = ("n", "r")

    kind: Literal["curtailed"]
    criterion: Literal["optimal", "minimax", "h1_optimal"] | None = Field(
        None,
        description="of the curtailed designs of all n1, r1, r. optimal: least EN(p0); minimax: least n, then least "
        "EN(p0); h1_optimal: least EN(p1). Not for stochastic curtailment",
    )
    n: Patients | None = Field(None, description="patients at most", title="planned n")
    r: CutOff | None = Field(None, description="go if responses > r of n")
    n1: Patients | None = Field(None, description="patients in stage 1 (default: no stage 1)")
    r1: CutOff | None = Field(None, description="stop after stage 1 if responses <= r1")
    futility_below: Probability = Field(
        0.0, description="stop when the conditional power at p1 is this or less (0: when no go is possible)"
    )
    go_above: Probability = Field(
        1.0, description="go when the conditional power at p1 is this or more (1: when a go is certain)"
    )
    every: Patients = Field(1, description="patients between looks; n must be a multiple where it is above 1")

    @model_validator(mode="after")
    def _possible(self) -> Curtailed:
        stochastic = self.futility_below > 0 or self.go_above < 1
        if not self.stated_outright():
            if self.n1 is not None or self.r1 is not None:
                raise impossible("n1", "stage 1 belongs to a design stated by n and r")
            if stochastic or self.every > 1:
                raise impossible(
                    "criterion", "with thresholds or groups state n and r: only full curtailment is searched"
                )
            return self
        assert self.n is not None and self.r is not None
        if self.r >= self.n:
            raise impossible("r", f"r = {self.r} must be below n = {self.n}")
        if (self.n1 is None) != (self.r1 is None):
            raise impossible("n1", "stage 1 needs both n1 and r1")
        if self.n1 is not None and self.r1 is not None:
            check_stages(self.n1, self.n)
            if self.r1 >= self.n1 or self.r1 > self.r:
                raise impossible(
                    "r1", f"r1 = {self.r1} must be below n1 = {self.n1} and at most r = {self.r}"
                )
        if self.n % self.every or (self.n1 or 0) % self.every:
            raise impossible("every", f"looks every {self.every} patients must fall on the end of each stage")
        if self.futility_below >= self.go_above:
            raise impossible("futility_below", "`futility_below` must be less than `go_above`")
        if stochastic and self.p1 is None:
            raise impossible("p1", "conditional power is computed at p1: state it")
        return self

    def compile(self) -> Looks:
        """A look every so many patients: stop, go or continue by the conditional power at p1."""
        if self.n is None or self.r is None:
            return self.best()
        thresholds = (self.futility_below, self.go_above)
        return looks_of(self.n, self.r, self.n1, self.r1, self.p1 or 0.5, thresholds, self.every)

    def candidates(self) -> Candidates:
        """The best designs, or all that no other beats in n, EN(p0) and EN(p1) at once."""
        found = search(self.target)
        within = self.nmax or SEARCH_LIMIT
        if self.criterion is None:
            return Candidates(tuple(("undominated", design) for design in found), within)
        least: dict[str, Callable[[CurtailedDesign], Any]] = {
            "optimal": lambda d: (d.en_p0, d.n),
            "minimax": lambda d: (d.n, d.en_p0),
            "h1_optimal": lambda d: (d.en_p1, d.n),
        }
        return Candidates(((self.criterion, min(found, key=least[self.criterion])),), within)


def looks_of(
    n: int,
    r: int,
    n1: int | None = None,
    r1: int | None = None,
    p1: float = 0.5,
    thresholds: tuple[float, float] = (0.0, 1.0),
    every: int = 1,
) -> Looks:
    """Looks by backward induction: the conditional power at p1, given that later looks act on it too.

    In floating point, and again in whole numbers if a conditional power may be at its threshold.
    """
    found, doubt = _induced(n, r, n1, r1, (p1, 1.0, 1 - p1, 1.0), thresholds, every)
    if doubt:
        rate, exact = decimal(p1), (decimal(thresholds[0]), decimal(thresholds[1]))
        whole = rate.denominator
        found, _ = _induced(n, r, n1, r1, (rate.numerator, whole, whole - rate.numerator, 1), exact, every)
    return found


def _induced(
    n: int,
    r: int,
    n1: int | None,
    r1: int | None,
    rate: tuple[Any, ...],
    thresholds: tuple[Any, Any],
    every: int,
) -> tuple[Looks, bool]:
    """The looks, and whether rounding leaves one open.

    ``rate``: P(response), what is certain, P(no response), and what is certain at the end: a conditional power with m
    patients to come is worked out times the second to the power m.
    """
    response, whole, none, certain = rate
    low, high = thresholds
    near, doubt = NEAR if isinstance(whole, float) else 0, False
    # whether a go, and no go, can still come: what is certain is told by counting, not by small numbers
    can_go, can_fail = [x > r for x in range(n + 1)], [x <= r for x in range(n + 1)]
    power = [certain * go for go in can_go]
    sizes, stop, go = [n], [r], [r + 1]
    for m in range(n - 1, 0, -1):
        power = [none * power[x] + response * power[x + 1] for x in range(m + 1)]
        certain *= whole
        futile_to, go_from = low * certain, high * certain
        can_go = [can_go[x] or can_go[x + 1] for x in range(m + 1)]
        can_fail = [can_fail[x] or can_fail[x + 1] for x in range(m + 1)]
        if m % every:
            continue
        for x in range(m + 1):
            if (m == n1 and r1 is not None and x <= r1) or (low > 0 and power[x] <= futile_to):
                can_go[x] = False
            elif high < 1 and power[x] >= go_from:
                can_fail[x] = False
            doubt = doubt or (low > 0 and abs(power[x] - futile_to) < near)
            doubt = doubt or (high < 1 and abs(power[x] - go_from) < near)
            if not can_go[x]:
                power[x], can_fail[x] = 0 * certain, True
            elif not can_fail[x]:
                power[x] = certain
        sizes.append(m)
        stop.append(max((x for x in range(m + 1) if not can_go[x]), default=-1))
        go.append(min((x for x in range(m + 1) if not can_fail[x]), default=m + 1))
    go_ge = tuple(None if cut > size else cut for cut, size in zip(go, sizes, strict=True))
    return cut_off_looks(tuple(sizes[::-1]), tuple(stop[::-1]), go_ge[::-1]), doubt


@dataclass(frozen=True)
class CurtailedDesign(TwoStages):
    """A two-stage design that is curtailed, and its exact operating characteristics."""

    def __str__(self) -> str:
        """The design that is curtailed."""
        return f"{self.r1}/{self.n1} {self.r}/{self.n}"

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return looks_of(self.n, self.r, self.n1, self.r1)


@lru_cache(maxsize=8)  # a scenario is compiled for every variant and value that it is tried with
def search(target: Target) -> tuple[CurtailedDesign, ...]:
    """Two-stage designs under non-stochastic curtailment that no other beats in n, EN(p0) and EN(p1) at once.

    Error rates are those without curtailment. Exact over all n1, r1, r and n <= nmax (SEARCH_LIMIT where none is
    stated; least EN only among those).
    """
    from trialsim.kernels.curtailed import feasible

    limit = target.nmax or SEARCH_LIMIT
    target.check_reach("two-stage design", limit)
    rows = settled(
        lambda book: feasible(target.rates, target.errors, limit, book),
        4, lambda what, cuts: target.decide(what, _uncurtailed(*cuts)),
    )  # fmt: skip
    if not len(rows):
        raise target.none_found("two-stage design", limit)
    found = [CurtailedDesign(*map(int, row[:4]), *map(float, row[4:])) for row in rows]
    return tuple(_undominated(found, target))


def _uncurtailed(r1: int, n1: int, r: int, n: int) -> Looks:
    return two_way((n1, n), (r1, r), (None, r))


def _undominated(found: list[CurtailedDesign], target: Target) -> Iterator[CurtailedDesign]:
    """Designs than which none is at least as good in n, EN(p0) and EN(p1)."""
    kept: list[CurtailedDesign] = []

    def no_more(k: CurtailedDesign, d: CurtailedDesign) -> bool:
        return (
            compared(k, d, lambda x: x.en_p0, en_at(target.p0)) <= 0
            and compared(k, d, lambda x: x.en_p1, en_at(target.p1)) <= 0
        )

    for d in sorted(found, key=lambda d: (d.n, d.en_p0, d.en_p1)):
        if not any(no_more(k, d) for k in kept):
            kept.append(d)
            yield d
