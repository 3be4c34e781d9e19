"""Simon's two-stage design: stop after stage 1 if responses <= r1, go at the end if responses > r.

Simon R. Optimal two-stage designs for phase II clinical trials. Control Clin Trials 1989;10:1-10.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import NormalDist
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.error_rates import (
    SEARCH_KEYS,
    Candidates,
    ErrorRates,
    check_stages,
    refuse_search_keys,
    require_error_rates,
)
from trialsim.designs.exactly import (
    best_by_value,
    beta_binomial,
    decimal,
    en_at,
    p_go_at,
    settled,
    upper_tail,
)
from trialsim.designs.front import Front, TwoStages
from trialsim.designs.infeasible import Reached, most_power, power_at
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import AsTuple, CutOff, Patients, Prior, Probability, impossible
from trialsim.designs.target import NoDesign, Target, widening

SMALL = 150
"""A search up to so many patients is over before numba would be imported."""

SEARCH_LIMIT = 2000
"""Largest n the search looks at; reached only when p1 - p0 is a few percent, and then said."""


class Simon(ErrorRates):
    """Two stages, stopping early only for futility: found from p0, p1, alpha, beta, or stated as n1, r1, n, r."""

    default_criterion: ClassVar[str] = "optimal"
    outright: ClassVar[tuple[str, ...]] = ("n1", "r1", "n", "r")
    searched: ClassVar[str] = "all n1, r1 of 0 or more, r and n; stage 1 stops for futility only"
    written_as: ClassVar[str] = "written r1/n1 r/n: stop stage 1 if responses <= r1; go if responses > r"

    kind: Literal["simon"]
    criterion: Literal["optimal", "minimax", "admissible"] | None = Field(
        None,
        description="optimal: least EN(p0); minimax: least n, then least EN(p0); "
        "admissible: least weight * n + (1 - weight) * EN(p0)",
    )
    weight: float | None = Field(None, ge=0, le=1, description="weight of n, for criterion admissible")
    nmax: Patients | None = Field(None, description="largest n to search (default: none needed)")
    n1: Patients | None = Field(
        None, description="patients in stage 1 (beside alpha and beta: the search keeps it)"
    )
    r1: CutOff | None = Field(
        None,
        description="stop after stage 1 if responses <= r1 (beside alpha and beta: the search keeps it)",
    )
    n: Patients | None = Field(
        None,
        description="patients in both stages (beside alpha and beta: the search keeps it)",
        title="planned n",
    )
    r: CutOff | None = Field(
        None, description="go if responses > r of n (beside alpha and beta: the search keeps it)"
    )
    balanced: bool = Field(False, description="search only designs with two stages of equal size")
    stage1_share: Annotated[tuple[Probability, Probability], AsTuple] | None = Field(
        None, description="search only designs with n1 / n from the first to the second number"
    )
    min_pet: Probability | None = Field(None, description="search only designs with at least this PET at p0")
    en_weight_p1: Probability | None = Field(
        None, description="the EN that criteria speak of is (1 - this) * EN(p0) + this * EN(p1) (default 0)"
    )
    en_prior: Prior | None = Field(
        None, description="[a, b]: the EN that criteria speak of is the mean of EN(p) over a Beta prior of p"
    )

    @model_validator(mode="after")
    def _possible(self) -> Simon:
        stated = {"n1": self.n1, "r1": self.r1, "n": self.n, "r": self.r}
        missing = [key for key, value in stated.items() if value is None]
        if len(missing) == 4 or (missing and (self.alpha is not None or self.beta is not None)):
            self._searchable()
            return self
        if missing:
            raise impossible(
                "", f"a design stated outright needs n1, r1, n and r; missing: {', '.join(missing)}"
            )
        only = (*SEARCH_KEYS, "balanced", "stage1_share", "min_pet", "en_weight_p1", "en_prior")
        refuse_search_keys(self, "n1, r1, n and r", only)
        assert self.n1 is not None and self.r1 is not None and self.n is not None and self.r is not None
        check_stages(self.n1, self.n)
        if self.r1 > self.n1:
            raise impossible(
                "r1", f"r1 = {self.r1} cannot exceed n1 = {self.n1}: no count of responses would pass"
            )
        if self.r > self.n:
            raise impossible("r", f"r = {self.r} cannot exceed n = {self.n}")
        if self.r1 > self.r:
            raise impossible(
                "r1", f"r1 = {self.r1} cannot exceed r = {self.r}: stage 1 would ask more than the end"
            )
        return self

    def _searchable(self) -> None:
        require_error_rates(self, "n1, r1, n and r")
        if self.criterion == "admissible" and self.weight is None:
            raise impossible("criterion", "an admissible design needs `weight`, the weight of n, from 0 to 1")
        if self.criterion != "admissible" and self.weight is not None:
            raise impossible("weight", "only `criterion: admissible` takes a weight")
        if self.n1 is not None and self.n is not None:
            check_stages(self.n1, self.n)
        if self.r1 is not None and self.n1 is not None and self.r1 >= self.n1:
            raise impossible(
                "r1", f"r1 = {self.r1} must be below n1 = {self.n1} for anybody to reach stage 2"
            )
        if self.r1 is not None and self.r is not None and self.r1 > self.r:
            raise impossible("r1", f"r1 = {self.r1} cannot exceed r = {self.r}")
        if self.balanced and self.stage1_share is not None:
            raise impossible("stage1_share", "`balanced` is a share of one half: state one of them")
        if self.stage1_share is not None and self.stage1_share[0] > self.stage1_share[1]:
            raise impossible("stage1_share", "the smaller share comes first")
        if self.en_prior is not None and self.en_weight_p1 is not None:
            raise impossible("en_prior", "state `en_prior` or `en_weight_p1`, not both")

    @property
    def en_words(self) -> str:
        """What EN a criterion speaks of where it is not EN(p0)."""
        if self.en_weight_p1:
            return f"EN is {1 - self.en_weight_p1:g} EN(p0) + {self.en_weight_p1:g} EN(p1)"
        if self.en_prior:
            a, b = self.en_prior
            return f"EN is its mean over a Beta({a:g}, {b:g}) prior of the response rate"
        return ""

    def limits(self) -> Limits:
        """What a search keeps to."""
        share = (0.5, 0.5) if self.balanced else self.stage1_share
        return Limits(share, self.n1, self.r1, self.n, self.r, self.min_pet)

    def compile(self) -> Looks:
        """Two looks: stop at n1 if responses <= r1; at n go if responses > r, else stop."""
        n1, r1, n, r = self.n1, self.r1, self.n, self.r
        if n1 is None or r1 is None or n is None or r is None:
            return self.best()
        return two_way((n1, n), (r1, r), (None, r))

    def search(self) -> Front[SimonDesign]:
        """Every admissible design of the error rates and limits that are stated."""
        weight = self.en_weight_p1 or 0.0
        return search(self.target, limits=self.limits(), weight_p1=weight, prior=self.en_prior)

    def candidates(self) -> Candidates:
        """The designs that a search finds, and whether it ended at its bound."""
        found = self.search()
        if self.criterion == "admissible" and self.weight is not None:
            return Candidates((("admissible", found.choose("admissible", self.weight)),))
        return Candidates.of(self.criterion, found, self.nmax or SEARCH_LIMIT)


@dataclass(frozen=True)
class Limits:
    """What a searched design must respect: share of n in stage 1, n1, r1, n, r, least PET(p0); None: free."""

    share: tuple[float, float] | None = None
    n1: int | None = None
    r1: int | None = None
    n: int | None = None
    r: int | None = None
    min_pet: float | None = None

    def allowed(self) -> tuple[int, int, int, int, float]:
        """As the kernel takes them."""
        n1, r1, n, r = (-1 if cut is None else cut for cut in (self.n1, self.r1, self.n, self.r))
        return n1, r1, n, r, self.min_pet or 0.0

    def stage1(self, n: int) -> tuple[int, int]:
        """The least and the largest n1 that the share allows."""
        if self.share is None:
            return 1, n
        low, high = map(decimal, self.share)
        return max(1, math.ceil(low * n)), math.floor(high * n)

    def __str__(self) -> str:
        words = {
            "n1 / n from {0[0]:g} to {0[1]:g}": self.share,
            "n1 = {0}": self.n1,
            "r1 = {0}": self.r1,
            "n = {0}": self.n,
            "r = {0}": self.r,
            "PET >= {0:g}": self.min_pet,
        }
        return ", ".join(text.format(value) for text, value in words.items() if value is not None)


@dataclass(frozen=True)
class SimonDesign(TwoStages):
    """A two-stage design, exact at p0 and p1.

    ``en`` is the expected n of the criterion: EN(p0) unless another was asked for. ``weights`` as in ``Front``.
    """

    en: float
    weights: tuple[float, float] | None = None


def operating_characteristics(r1: int, n1: int, r: int, n: int, p: float) -> tuple[float, float, float]:
    """P(go), PET and EN of r1/n1, r/n at response rate p (Simon 1989, section 2)."""
    import numpy as np

    from trialsim.designs.binomial import binomial_pmf, upper_tail

    first = binomial_pmf(n1, p)
    rest = upper_tail(n - n1, p)
    needed = np.clip(r + 1 - np.arange(n1 + 1), 0, n - n1 + 1)
    p_go = float((first * np.append(rest, 0.0)[needed])[r1 + 1 :].sum())
    pet = float(first[: r1 + 1].sum())
    return p_go, pet, n1 + (1 - pet) * (n - n1)


def search(
    target: Target,
    *,
    limits: Limits = Limits(),
    weight_p1: float = 0.0,
    prior: tuple[float, float] | None = None,
) -> Front[SimonDesign]:
    """Optimal, minimax and every admissible design in one exact pass (Simon 1989; Jung et al., Stat Med 2004;23:561).

    Without ``nmax`` the search goes on until no larger n can have a smaller EN. EN is EN(p0), or
    (1 - weight_p1) EN(p0) + weight_p1 EN(p1), or the mean of EN(p) over a Beta prior. (EN(p) of these designs grows
    with p: its largest value is EN(p1) between the two rates, and n over all.) Raises DesignError when no design
    with n <= nmax keeps both error rates and the limits.
    """
    limit = _limit(target, limits)
    what = f"two-stage design{f' with {limits}' if str(limits) else ''}"
    # stage 1 alone must pass p1 often enough, and p0 no more often than a PET allows
    pet = limits.min_pet
    if pet and (pet == 1 or not replace(target, alpha=1 - pet).within_reach(limit)):
        raise target.none_found(what, limit, f"no stage 1 has a PET of {pet:g} at p0 and this power at p1")
    asked = _Search(target, limits, weight_p1, prior)
    designs, complete = asked.up_to(limit)
    if not designs:
        raise target.none_found(what, None if limits.n else limit, _instead(target, limits))
    return Front.of(designs, [(design.n, design.en) for design in designs], complete, asked.en)


def best_by_n(
    target: Target,
    nmax: int,
    *,
    limits: Limits = Limits(),
    weight_p1: float = 0.0,
    prior: tuple[float, float] | None = None,
) -> list[SimonDesign]:
    """The design with the least EN of every n <= nmax at which there is one, whether admissible or not."""
    return _Search(target, limits, weight_p1, prior).once(nmax, every_n=True)[0]


@dataclass(frozen=True)
class _Search:
    """A search, and the fractions that decide where rounding leaves it open."""

    target: Target
    limits: Limits
    weight_p1: float
    prior: tuple[float, float] | None

    def up_to(self, limit: int) -> tuple[list[SimonDesign], bool]:
        """The designs of falling EN, and whether no larger n has less."""
        return widening(self.once, self.limits.n or _likely_enough(self.target), limit)

    def once(self, nmax: int, every_n: bool = False) -> tuple[list[SimonDesign], bool]:
        """The same with n <= nmax; ``every_n``: the best of every n."""
        import numpy as np

        from trialsim.kernels.jit import plainly
        from trialsim.kernels.search import two_stage

        share = None
        if self.limits.share is not None:
            share = np.array([self.limits.stage1(n) for n in range(nmax + 1)]).T.copy()
        with plainly(nmax <= SMALL):
            rows, complete = settled(
                lambda book: two_stage(
                    self.target.rates, self.target.errors, nmax, book, self.limits.allowed(), share,
                    self.weight_p1, self.prior, every_n,
                ),
                4, self._keeps,
            )  # fmt: skip
        found = best_by_value(
            map(_read, rows.tolist()), lambda d: d.n, (lambda d: d.en, self.en),
            (lambda d: d.power, p_go_at(self.target.p1)), falling=not every_n,
        )  # fmt: skip
        return found, complete

    def en(self, design: SimonDesign) -> Fraction:
        """The EN of the criterion, as a fraction."""
        if self.prior is not None:
            goes_on = 1 - beta_binomial(design.n1, self.prior, design.r1)
            return design.n1 + goes_on * (design.n - design.n1)
        weight = decimal(self.weight_p1)
        null, alternative = (en_at(p)(design) for p in self.target.rates)
        return (1 - weight) * null + weight * alternative

    def _keeps(self, what: int, design: tuple[int, ...]) -> bool:
        """Whether a type I error, a power or a PET at p0 keeps to what is asked."""
        from trialsim.kernels.doubts import PET

        r1, n1, r, n = design
        if what != PET:
            return self.target.decide(what, two_way((n1, n), (r1, r), (None, r)))
        return 1 - upper_tail(n1, r1 + 1, decimal(self.target.p0)) >= decimal(self.limits.min_pet or 0.0)


def _limit(target: Target, limits: Limits) -> int:
    """The largest n of a search: what is asked for, else SEARCH_LIMIT."""
    return min((n for n in (target.nmax, limits.n) if n is not None), default=SEARCH_LIMIT)


def _likely_enough(target: Target) -> int:
    """An n to search to first: the normal approximation of one stage, and some more for the second."""
    spread = -sum(
        NormalDist().inv_cdf(error) * math.sqrt(rate * (1 - rate))
        for error, rate in zip(target.errors, target.rates, strict=True)
    )
    return 30 + int(1.5 * (spread / (target.p1 - target.p0)) ** 2)


def _instead(target: Target, limits: Limits) -> str:
    """What would be feasible without one of the limits, and the power there is with n as stated; "" if neither."""
    found = []
    if limits.n is not None and str(limits) == f"n = {limits.n}":
        two = most_power(lambda other: _reached(other, limits), target)
        found.append(power_at(limits.n, target, two))
    named = {"share": "n1 / n", "min_pet": "PET", **{key: key for key in ("n1", "r1", "n", "r")}}
    for free, name in named.items():
        if getattr(limits, free) is not None:
            wider = replace(limits, **{free: None})
            designs, _ = _Search(target, wider, 0.0, None).up_to(_limit(target, wider))
            if designs:
                d = designs[0]
                found.append(f"without the limit on {name}, {d.r1}/{d.n1} {d.r}/{d.n} is possible")
    return "; ".join(found)


def _reached(target: Target, limits: Limits) -> Reached:
    designs, _ = _Search(target, limits, 0.0, None).up_to(_limit(target, limits))
    if not designs:
        raise NoDesign("none")
    return Reached(limits.n or 0, max(d.power for d in designs), min(d.type_i_error for d in designs))


def _read(row: Sequence[float]) -> SimonDesign:
    r1, n1, r, n = (int(cut) for cut in row[:4])
    alpha, power, pet, en_p0, en_p1, en = row[4:]
    return SimonDesign(r1, n1, r, n, en_p0, en_p1, pet, alpha, power, en)
