"""Three and more stages: at each stop if responses are too few, and, if asked, go if they are enough.

Chen TT. Optimal three-stage designs for phase II cancer clinical trials. Stat Med 1997;16:2701-2711.
Ensign LG et al. An optimal three-stage design for phase II clinical trials. Stat Med 1994;13:1727-1736.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.alone import at_both
from trialsim.designs.error_rates import Candidates, ErrorRates
from trialsim.designs.exactly import best_by_value, en_at, p_go_at, settled
from trialsim.designs.front import Front
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import AsTuple, CutOff, Patients, growing, impossible
from trialsim.designs.target import Target, widening

SEARCH_LIMIT, SEARCH_LIMIT_BOTH_WAYS = 120, 60
"""Largest n of a search for three stages where no nmax is stated; a search that ends there says so."""


class Multistage(ErrorRates):
    """K stages, stated by n, stop_le (and go_gt); or three stages found from the error rates."""

    default_criterion: ClassVar[str] = "optimal"
    outright: ClassVar[tuple[str, ...]] = ("n", "stop_le")
    searched: ClassVar[str] = "three stages, all sizes and cut-offs of 0 or more"

    kind: Literal["multistage"]
    criterion: Literal["optimal", "minimax", "h1_optimal"] | None = Field(
        None,
        description="optimal: least EN(p0); minimax: least n, then least EN(p0); h1_optimal: least EN(p1)",
    )
    efficacy_stop: bool = Field(False, description="search designs that may also go after stage 1 or 2")
    shape: Literal["free", "equal", "ensign"] | None = Field(
        None, description="stages searched: free (default); equal: of one size; ensign: r1 = 0"
    )
    n: (
        Annotated[tuple[Patients, ...], AsTuple, Field(min_length=2, max_length=50), growing("stages")] | None
    ) = Field(None, description="patients by the end of each stage", title="planned n")
    stop_le: Annotated[tuple[CutOff | None, ...], AsTuple] | None = Field(
        None,
        description="stop after the stage if responses <= this (null: no stop); the last also decides no go",
    )
    go_gt: Annotated[tuple[CutOff | None, ...], AsTuple] | None = Field(
        None, description="go after the stage if responses > this, for each stage but the last (null: no go)"
    )

    @model_validator(mode="after")
    def _possible(self) -> Multistage:
        if not self.stated_outright():
            if self.go_gt is not None:
                raise impossible("go_gt", "`go_gt` belongs to a design stated by n and stop_le")
            return self
        for key in ("efficacy_stop", "shape"):
            if getattr(self, key):
                raise impossible(key, f"`{key}` belongs to a search; this design is stated outright")
        n, stop, go = self._cuts()
        if len(stop) != len(n):
            raise impossible("stop_le", f"{len(stop)} cut-offs for {len(n)} stages")
        if self.go_gt is not None and len(self.go_gt) != len(n) - 1:
            raise impossible(
                "go_gt", f"{len(self.go_gt)} cut-offs for the {len(n) - 1} stages before the last"
            )
        if self.stop_le is not None and self.stop_le[-1] is None:
            raise impossible("stop_le", "the last stage needs its cut-off")
        for size, low, high in zip(n, stop, go, strict=True):
            if low >= size:
                raise impossible("stop_le", f"{low} of {size}: no count of responses would pass")
            if high is not None and not max(low, 0) <= high:
                raise impossible("go_gt", f"a go above {high} responses of {size}, but a stop up to {low}")
        return self

    def _cuts(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int | None, ...]]:
        assert self.n is not None and self.stop_le is not None
        stop = tuple(-1 if cut is None else cut for cut in self.stop_le)
        early = self.go_gt if self.go_gt is not None else (None,) * (len(self.n) - 1)
        return self.n, stop, (*early, stop[-1] if stop else None)

    def compile(self) -> Looks:
        """One look a stage."""
        if self.n is not None:
            return two_way(*self._cuts())
        return self.best()

    def held(self) -> dict[str, Any]:
        """A go after stage 1 or 2 is searched only where it is asked for."""
        return super().held() | {"efficacy_stop": self.efficacy_stop}

    def candidates(self) -> Candidates:
        """The designs that a search finds, and whether it ended at its bound."""
        best, early = self.criterion or "optimal", self.efficacy_stop
        found = search(self.target, criterion=best, efficacy_stop=early, shape=self.shape or "free")
        return Candidates.of(self.criterion, found, _limit(self.nmax, early), best)


def _limit(nmax: int | None, efficacy_stop: bool) -> int:
    return nmax or (SEARCH_LIMIT_BOTH_WAYS if efficacy_stop else SEARCH_LIMIT)


@dataclass(frozen=True)
class Stages:
    """A design of several stages and its exact operating characteristics; ``go_gt`` is None where no go is possible."""

    n: tuple[int, ...]
    stop_le: tuple[int, ...]
    go_gt: tuple[int | None, ...]
    en_p0: float
    en_p1: float
    pet_p0: float
    type_i_error: float
    power: float
    weights: tuple[float, float] | None = None

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return two_way(self.n, self.stop_le, self.go_gt)


def search(
    target: Target, *, criterion: str = "optimal", efficacy_stop: bool = False, shape: str = "free"
) -> Front[Stages]:
    """Three stages: optimal, minimax and every admissible design among all sizes and all cut-offs >= 0.

    Without ``nmax`` the search ends when no larger n can be better, or at SEARCH_LIMIT (60 with an efficacy stop). With
    an efficacy stop the cut-offs for a go are searched too. Raises DesignError when no design keeps both error rates.
    """
    from trialsim.kernels.stages import AT_P0, AT_P1, ENSIGN, EQUAL, FREE, three_stages

    least = AT_P1 if criterion == "h1_optimal" else AT_P0
    form = {"free": FREE, "equal": EQUAL, "ensign": ENSIGN}[shape]
    limit = _limit(target.nmax, efficacy_stop)
    target.check_reach("three-stage design", limit)

    def en(design: Stages) -> float:
        return design.en_p1 if least == AT_P1 else design.en_p0

    exact_en = en_at(target.p1 if least == AT_P1 else target.p0)

    def up_to(nmax: int) -> tuple[list[Stages], bool]:
        rows, complete = settled(
            lambda book: three_stages(target.rates, target.errors, nmax, book, efficacy_stop, least, form),
            8, lambda what, row: target.decide(what, two_way(*_cuts(row, efficacy_stop))),
        )  # fmt: skip
        designs = (_design(row[:8], efficacy_stop, target) for row in rows.tolist())
        power = (lambda d: d.power), p_go_at(target.p1)
        return best_by_value(designs, lambda d: d.n[-1], (en, exact_en), power), complete

    designs, complete = widening(up_to, 40, limit, any_will_do=criterion == "minimax")
    if not designs:
        raise target.none_found("three-stage design", limit)
    return Front.of(designs, [(d.n[-1], en(d)) for d in designs], complete, exact_en)


Cuts = tuple[tuple[int, ...], tuple[int, ...], tuple[int | None, ...]]


def _cuts(row: Sequence[float], efficacy_stop: bool) -> Cuts:
    """n, stop_le and go_gt of what the search found."""
    n1, n2, n3, r1, r2, r3, a1, a2 = map(int, row)
    go = (a1 if a1 < n1 else None, a2 if a2 < n2 else None, r3) if efficacy_stop else (None, None, r3)
    return (n1, n2, n3), (r1, r2, r3), go


def _design(row: Sequence[float], efficacy_stop: bool, target: Target) -> Stages:
    cuts = _cuts(row, efficacy_stop)
    return Stages(*cuts, *at_both(two_way(*cuts), target.rates))
