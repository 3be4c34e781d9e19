"""Three outcomes: stop early if responses <= r1; at the end no go if <= r, go if >= s, and in between "consider".

Sargent DJ, Chan V, Goldberg RM. A three-outcome design for phase II clinical trials. Control Clin Trials
2001;22:117-125.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.codes import CONSIDER, FUTILE, GO
from trialsim.designs.alone import alone
from trialsim.designs.error_rates import Candidates, ErrorRates, check_stages
from trialsim.designs.exactly import alone as alone_exactly
from trialsim.designs.exactly import best_by_value, decimal, en_at, p_go_at, settled
from trialsim.designs.front import Front
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import CutOff, OpenProbability, Patients, impossible
from trialsim.designs.target import Target, widening

SEARCH_LIMIT = 300


class Sargent(ErrorRates):
    """Two stages with three outcomes: found from four error rates, or stated as n1, r1, n, r, s."""

    default_criterion: ClassVar[str] = "optimal"
    outright: ClassVar[tuple[str, ...]] = ("n1", "r1", "n", "r", "s")
    written_as: ClassVar[str] = (
        "written r1/n1 r:a/n: stop stage 1 if responses <= r1; at the end no go if <= r, go if > a, between the two "
        "consider"
    )
    searched: ClassVar[str] = "all n1, r1, r, s and n"

    kind: Literal["sargent"]
    criterion: Literal["optimal", "minimax"] | None = Field(
        None, description="optimal: least EN(p0); minimax: least n, then least EN(p0)"
    )
    eta: OpenProbability | None = Field(
        None, description="least probability of no go at p0 (default 1 - alpha)"
    )
    pi: OpenProbability | None = Field(None, description="least probability of a go at p1 (default 1 - beta)")
    n1: Patients | None = Field(None, description="patients in stage 1")
    r1: CutOff | None = Field(None, description="stop after stage 1 if responses <= r1")
    n: Patients | None = Field(None, description="patients in both stages", title="planned n")
    r: CutOff | None = Field(None, description="no go if responses <= r of n")
    s: CutOff | None = Field(None, description="go if responses >= s of n")

    @model_validator(mode="after")
    def _possible(self) -> Sargent:
        if self.stated_outright():
            n1, r1, n, r, s = self._cuts()
            for key in ("eta", "pi"):
                if getattr(self, key) is not None:
                    raise impossible(key, f"`{key}` belongs to a search; this design is stated outright")
            check_stages(n1, n)
            if not r1 <= r < s <= n or r1 >= n1:
                raise impossible("s", f"cut-offs must grow: r1 = {r1} <= r = {r} < s = {s} <= n = {n}")
        return self

    def _cuts(self) -> tuple[int, int, int, int, int]:
        n1, r1, n, r, s = self.n1, self.r1, self.n, self.r, self.s
        assert n1 is not None and r1 is not None and n is not None and r is not None and s is not None
        return n1, r1, n, r, s

    def _least(self) -> tuple[float, float]:
        """Least P(no go | p0) and P(go | p1) of a search."""
        alpha, beta = map(decimal, self.target.errors)
        return self.eta or float(1 - alpha), self.pi or float(1 - beta)

    def held(self) -> dict[str, Any]:
        """The two further error rates."""
        return dict(zip(("eta", "pi"), self._least(), strict=True))

    def compile(self) -> Looks:
        """Two looks, the last with three outcomes."""
        if self.n is not None:
            return looks_of(*self._cuts())
        return self.best()

    def candidates(self) -> Candidates:
        """The designs that a search finds, and whether it ended at its bound."""
        found = search(self.target, *self._least())
        return Candidates.of(self.criterion, found, self.nmax or SEARCH_LIMIT)


@dataclass(frozen=True)
class ThreeOutcomes:
    """A design and its exact operating characteristics.

    ``type_i_error`` is P(go | p0), ``eta`` P(no go | p0), ``consider_p0`` the rest; ``power`` (pi) is P(go | p1),
    ``beta`` P(no go | p1), ``consider_p1`` the rest.
    """

    r1: int
    n1: int
    r: int
    s: int
    n: int
    en_p0: float
    en_p1: float
    pet_p0: float
    type_i_error: float
    power: float
    eta: float
    beta: float
    consider_p0: float
    consider_p1: float
    weights: tuple[float, float] | None = None

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return looks_of(self.n1, self.r1, self.n, self.r, self.s)


def looks_of(n1: int, r1: int, n: int, r: int, s: int) -> Looks:
    """Stop at n1 up to r1; at n no go up to r, go from s."""
    first = tuple(FUTILE if x <= r1 else 1 for x in range(n1 + 1))
    last = tuple(FUTILE if x <= r else GO if x >= s else CONSIDER for x in range(n + 1))
    return Looks((n1, n), (first, last))


def search(target: Target, eta: float, pi: float) -> Front[ThreeOutcomes]:
    """Designs with P(go | p0) <= alpha, P(no go | p1) <= beta, P(no go | p0) >= eta, P(go | p1) >= pi.

    From minimax (least n, then least EN(p0)) to optimal (least EN(p0)), EN falling as n grows; exact over all n1, r1,
    r < s. The search ends when no larger n can have a smaller EN(p0).
    """
    from trialsim.kernels.doubts import NO_GO, POWER
    from trialsim.kernels.stages import three_outcomes

    limit = target.nmax or SEARCH_LIMIT
    replace(target, beta=1 - pi).check_reach(f"design with eta = {eta:g} and pi = {pi:g}", limit)
    en = (lambda d: d.en_p0), en_at(target.p0)

    def decide(what: int, cuts: tuple[int, ...]) -> bool:
        r1, n1, cut, n = cuts
        above = two_way((n1, n), (r1, cut), (None, cut))
        if what == POWER:
            return alone_exactly(above, decimal(target.p1)).p_go >= decimal(pi)
        if what == NO_GO:
            return 1 - alone_exactly(above, decimal(target.p0)).p_go >= decimal(eta)
        return target.decide(what, above)

    def up_to(nmax: int) -> tuple[list[ThreeOutcomes], bool]:
        rows, complete = settled(
            lambda book: three_outcomes(target.rates, (*target.errors, eta, pi), nmax, book), 4, decide
        )
        designs = (_design(*map(int, row[:5]), target=target) for row in rows.tolist())
        power = (lambda d: d.power), p_go_at(target.p1)
        return best_by_value(designs, lambda d: d.n, en, power), complete

    designs, complete = widening(up_to, 64, limit)
    if not designs:
        raise target.none_found(f"design with eta = {eta:g} and pi = {pi:g}", limit)
    return Front.of(designs, [(d.n, d.en_p0) for d in designs], complete, en[1])


def _design(r1: int, n1: int, r: int, s: int, n: int, *, target: Target) -> ThreeOutcomes:
    null, alternative = (alone(looks_of(n1, r1, n, r, s), p) for p in target.rates)
    return ThreeOutcomes(
        r1, n1, r, s, n, null.en, alternative.en, null.pet, null.p_go, alternative.p_go,
        null.p_no_go, alternative.p_no_go, null.p_consider, alternative.p_consider,
    )  # fmt: skip
