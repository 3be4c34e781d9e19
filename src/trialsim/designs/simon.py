"""Simon's two-stage design: stop after stage 1 if responses <= r1, go at the end if responses > r.

Simon R. Optimal two-stage designs for phase II clinical trials. Control Clin Trials 1989;10:1-10.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field, model_validator

from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import CutOff, OpenProbability, Patients, Spec, impossible
from trialsim.errors import DesignError

SEARCH_LIMIT = 2000
"""Largest n the search looks at; reached only when p1 - p0 is a few percent, and then said."""

ROUNDING = 1e-12
"""Difference below which two weights are the same weight."""


class Simon(Spec):
    """Two stages, stopping early only for futility: found from p0, p1, alpha, beta, or stated as n1, r1, n, r."""

    kind: Literal["simon"]
    p0: OpenProbability | None = Field(None, description="unacceptable response rate (H0)")
    p1: OpenProbability | None = Field(None, description="desirable response rate (H1)")
    alpha: OpenProbability | None = Field(None, description="largest type I error to accept")
    beta: OpenProbability | None = Field(None, description="largest type II error to accept")
    criterion: Literal["optimal", "minimax", "admissible"] | None = Field(
        None,
        description="optimal: least EN(p0); minimax: least n, then least EN(p0); "
        "admissible: least weight * n + (1 - weight) * EN(p0)",
    )
    weight: float | None = Field(None, ge=0, le=1, description="weight of n, for criterion admissible")
    nmax: Patients | None = Field(None, description="largest n to search (default: none needed)")
    n1: Patients | None = Field(None, description="patients in stage 1")
    r1: CutOff | None = Field(None, description="stop after stage 1 if responses <= r1")
    n: Patients | None = Field(None, description="patients in both stages")
    r: CutOff | None = Field(None, description="go if responses > r of n")

    @model_validator(mode="after")
    def _possible(self) -> Simon:
        check_rates(self.p0, self.p1)
        stated = {"n1": self.n1, "r1": self.r1, "n": self.n, "r": self.r}
        if all(value is None for value in stated.values()):
            require_error_rates(self, "n1, r1, n and r")
            if self.criterion == "admissible" and self.weight is None:
                raise impossible(
                    "criterion", "an admissible design needs `weight`, the weight of n, from 0 to 1"
                )
            if self.criterion != "admissible" and self.weight is not None:
                raise impossible("weight", "only `criterion: admissible` takes a weight")
            return self
        missing = [key for key, value in stated.items() if value is None]
        if missing:
            raise impossible(
                "", f"a design stated outright needs n1, r1, n and r; missing: {', '.join(missing)}"
            )
        refuse_search_keys(self, "n1, r1, n and r")
        assert self.n1 is not None and self.r1 is not None and self.n is not None and self.r is not None
        if self.n1 >= self.n:
            raise impossible(
                "n1", f"stage 1 must be smaller than the whole trial: n1 = {self.n1}, n = {self.n}"
            )
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

    def compile(self) -> Looks:
        """Two looks: stop at n1 if responses <= r1; at n go if responses > r, else stop."""
        n1, r1, n, r = self.n1, self.r1, self.n, self.r
        if n1 is None or r1 is None or n is None or r is None:
            assert (
                self.p0 is not None
                and self.p1 is not None
                and self.alpha is not None
                and self.beta is not None
            )
            found = search(self.p0, self.p1, self.alpha, self.beta, self.nmax)
            design = found.choose(self.criterion or "optimal", self.weight)
            n1, r1, n, r = design.n1, design.r1, design.n, design.r
        return two_way((n1, n), (r1, r), (None, r))


@dataclass(frozen=True)
class SimonDesign:
    """A two-stage design and its exact operating characteristics at p0 and p1.

    ``weights`` is the range of w for which the design minimises w n + (1 - w) EN(p0), None if there is none.
    """

    r1: int
    n1: int
    r: int
    n: int
    en_p0: float
    pet_p0: float
    type_i_error: float
    power: float
    weights: tuple[float, float] | None = None


@dataclass(frozen=True)
class SimonSearch:
    """What one pass finds: every admissible design, from minimax (least n) to optimal (least EN(p0)).

    ``complete`` is False when the search ended at nmax before it was certain that no larger n has a smaller EN(p0).
    """

    admissible: tuple[SimonDesign, ...]
    complete: bool

    @property
    def minimax(self) -> SimonDesign:
        """Least n, then least EN(p0)."""
        return self.admissible[0]

    @property
    def optimal(self) -> SimonDesign:
        """Least EN(p0)."""
        return self.admissible[-1]

    def choose(self, criterion: str, weight: float | None = None) -> SimonDesign:
        """The design that a criterion names: optimal, minimax, or admissible with its weight of n."""
        if criterion == "minimax":
            return self.minimax
        if criterion == "optimal":
            return self.optimal
        if weight is None:
            raise DesignError("an admissible design needs the weight of n, from 0 to 1")
        w = weight
        return min(self.admissible, key=lambda design: w * design.n + (1 - w) * design.en_p0)


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


def search(p0: float, p1: float, alpha: float, beta: float, nmax: int | None = None) -> SimonSearch:
    """Optimal, minimax and every admissible design in one exact pass (Simon 1989; Jung et al., Stat Med 2004;23:561).

    Without ``nmax`` the search goes on until no larger n can have a smaller EN(p0). Raises DesignError when no
    design with n <= nmax keeps both error rates.
    """
    from trialsim.kernels.search import two_stage

    limit = nmax or SEARCH_LIMIT
    size = min(limit, 128)
    while True:
        rows, complete = two_stage(p0, p1, alpha, beta, size)
        if complete or size >= limit:
            break
        size = min(limit, 2 * size)
    if not len(rows):
        raise DesignError(
            f"no two-stage design with n <= {limit} keeps alpha = {alpha:g} and beta = {beta:g} "
            f"for p0 = {p0:g}, p1 = {p1:g}"
        )
    return SimonSearch(
        _hull([_design(*(int(cut) for cut in row), p0=p0, p1=p1) for row in rows]), bool(complete)
    )


def _design(r1: int, n1: int, r: int, n: int, *, p0: float, p1: float) -> SimonDesign:
    type_i_error, pet, en = operating_characteristics(r1, n1, r, n, p0)
    return SimonDesign(r1, n1, r, n, en, pet, type_i_error, operating_characteristics(r1, n1, r, n, p1)[0])


def _hull(designs: list[SimonDesign]) -> tuple[SimonDesign, ...]:
    """The lower convex hull of (n, EN) among designs of growing n and falling EN, each with its range of weights."""

    def weight(a: SimonDesign, b: SimonDesign) -> float:
        """The weight of n at which a (smaller n) and b (smaller EN) are equally good."""
        gain = (a.en_p0 - b.en_p0) / (b.n - a.n)
        return gain / (1 + gain)

    hull: list[SimonDesign] = []
    for design in designs:
        # three designs in line (all best at one weight) are all kept
        while len(hull) > 1 and weight(hull[-2], hull[-1]) < weight(hull[-1], design) - ROUNDING:
            hull.pop()
        hull.append(design)
    edges = [1.0, *(weight(a, b) for a, b in zip(hull, hull[1:], strict=False)), 0.0]
    return tuple(
        replace(design, weights=(low, high))
        for design, high, low in zip(hull, edges, edges[1:], strict=False)
    )


def check_rates(p0: float | None, p1: float | None) -> None:
    """Refuse p1 <= p0: the desirable rate must be the higher one."""
    if p0 is not None and p1 is not None and p1 <= p0:
        raise impossible(
            "p1", f"the desirable rate p1 = {p1:g} must be above the unacceptable rate p0 = {p0:g}"
        )


def require_error_rates(spec: Spec, alternative: str) -> None:
    """A search needs p0, p1, alpha and beta."""
    missing = [key for key in ("p0", "p1", "alpha", "beta") if getattr(spec, key) is None]
    if missing:
        raise impossible(
            "",
            f"to find a design, state p0, p1, alpha and beta (missing: {', '.join(missing)}); or state {alternative}",
        )


def refuse_search_keys(spec: Spec, stated: str) -> None:
    """A design stated outright is not searched for."""
    for key in ("alpha", "beta", "criterion", "weight", "nmax"):
        if getattr(spec, key, None) is not None:
            raise impossible(key, f"`{key}` belongs to a search; this design is stated outright by {stated}")
