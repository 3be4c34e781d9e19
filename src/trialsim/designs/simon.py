"""Simon's two-stage design: stop after stage 1 if responses <= r1, go at the end if responses > r.

Simon R. Optimal two-stage designs for phase II clinical trials. Control Clin Trials 1989;10:1-10.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import CutOff, OpenProbability, Patients, Spec, impossible


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
                raise impossible("criterion", "an admissible design needs `weight`, the weight of n, from 0 to 1")
            if self.criterion != "admissible" and self.weight is not None:
                raise impossible("weight", "only `criterion: admissible` takes a weight")
            return self
        missing = [key for key, value in stated.items() if value is None]
        if missing:
            raise impossible("", f"a design stated outright needs n1, r1, n and r; missing: {', '.join(missing)}")
        refuse_search_keys(self, "n1, r1, n and r")
        assert self.n1 is not None and self.r1 is not None and self.n is not None and self.r is not None
        if self.n1 >= self.n:
            raise impossible("n1", f"stage 1 must be smaller than the whole trial: n1 = {self.n1}, n = {self.n}")
        if self.r1 > self.n1:
            raise impossible("r1", f"r1 = {self.r1} cannot exceed n1 = {self.n1}: no count of responses would pass")
        if self.r > self.n:
            raise impossible("r", f"r = {self.r} cannot exceed n = {self.n}")
        if self.r1 > self.r:
            raise impossible("r1", f"r1 = {self.r1} cannot exceed r = {self.r}: stage 1 would ask more than the end")
        return self


def check_rates(p0: float | None, p1: float | None) -> None:
    """Refuse p1 <= p0: the desirable rate must be the higher one."""
    if p0 is not None and p1 is not None and p1 <= p0:
        raise impossible("p1", f"the desirable rate p1 = {p1:g} must be above the unacceptable rate p0 = {p0:g}")


def require_error_rates(spec: Spec, alternative: str) -> None:
    """A search needs p0, p1, alpha and beta."""
    missing = [key for key in ("p0", "p1", "alpha", "beta") if getattr(spec, key) is None]
    if missing:
        raise impossible(
            "", f"to find a design, state p0, p1, alpha and beta (missing: {', '.join(missing)}); or state {alternative}"
        )


def refuse_search_keys(spec: Spec, stated: str) -> None:
    """A design stated outright is not searched for."""
    for key in ("alpha", "beta", "criterion", "weight", "nmax"):
        if getattr(spec, key, None) is not None:
            raise impossible(key, f"`{key}` belongs to a search; this design is stated outright by {stated}")
