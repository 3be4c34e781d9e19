"""Single stage: n patients, go if responses > r, with r the least cut-off that keeps the type I error.

Fleming TR. Biometrics 1982;38:143-151. A'Hern RP. Stat Med 2001;20:859-866.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.error_rates import (
    Candidates,
    check_rates,
    none_found,
    refuse_search_keys,
    require_error_rates,
)
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import MAX_PATIENTS, CutOff, OpenProbability, Patients, Spec, impossible
from trialsim.errors import DesignError


class SingleStage(Spec):
    """One stage: found from p0, p1, alpha, beta, or stated as n and r."""

    default_criterion: ClassVar[str] = "first"
    written_as: ClassVar[str] = "written r/n: go if responses > r"

    kind: Literal["single_stage"]
    p0: OpenProbability | None = Field(None, description="unacceptable response rate (H0)")
    p1: OpenProbability | None = Field(None, description="desirable response rate (H1)")
    alpha: OpenProbability | None = Field(None, description="largest type I error to accept")
    beta: OpenProbability | None = Field(None, description="largest type II error to accept")
    criterion: Literal["first", "stable"] | None = Field(
        None,
        description="first (default): smallest n that works; stable: smallest n from which every larger n works too",
    )
    nmax: Patients | None = Field(None, description="largest n to search (default: none needed)")
    n: Patients | None = Field(None, description="patients")
    r: CutOff | None = Field(None, description="go if responses > r of n")

    @property
    def en_words(self) -> str:
        """EN is n."""
        return ""

    @model_validator(mode="after")
    def _possible(self) -> SingleStage:
        check_rates(self.p0, self.p1)
        if self.n is None and self.r is None:
            require_error_rates(self, "n and r")
            return self
        if self.n is None or self.r is None:
            raise impossible("", "a design stated outright needs both n and r")
        refuse_search_keys(self, "n and r")
        if self.r > self.n:
            raise impossible("r", f"r = {self.r} cannot exceed n = {self.n}")
        return self

    def compile(self) -> Looks:
        """One look at n: go if responses > r, else stop."""
        n, r = self.n, self.r
        if n is None or r is None:
            assert (
                self.p0 is not None
                and self.p1 is not None
                and self.alpha is not None
                and self.beta is not None
            )
            found = search(self.p0, self.p1, self.alpha, self.beta, self.nmax)
            if (criterion := self.criterion or "first") not in found:
                raise DesignError(f"no n up to nmax = {self.nmax} is safe for every larger n: raise nmax")
            design = found[criterion]
            n, r = design.n, design.r
        return two_way((n,), (r,), (r,))

    def candidates(self) -> Candidates:
        """The designs that a search finds, each under its definition."""
        assert (
            self.p0 is not None and self.p1 is not None and self.alpha is not None and self.beta is not None
        )
        found = search(self.p0, self.p1, self.alpha, self.beta, self.nmax)
        if self.criterion and self.criterion not in found:
            raise DesignError(f"no n up to nmax = {self.nmax} is safe for every larger n: raise nmax")
        return Candidates(
            tuple(found.items() if self.criterion is None else [(self.criterion, found[self.criterion])])
        )


@dataclass(frozen=True)
class SingleStageDesign:
    """A single-stage design and its exact error rates: go if responses > r of n."""

    criterion: str
    r: int
    n: int
    type_i_error: float
    power: float

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return two_way((self.n,), (self.r,), (self.r,))


def search(
    p0: float, p1: float, alpha: float, beta: float, nmax: int | None = None
) -> dict[str, SingleStageDesign]:
    """The ``first`` and the ``stable`` design: r(n) is the least cut-off with P(X > r | p0) <= alpha; ``first`` is
    the smallest n with P(X > r(n) | p1) >= 1 - beta, ``stable`` the smallest n from which every larger n has it.

    No cap on n is needed: Hoeffding's inequality gives an n beyond which every n works. Raises DesignError when
    ``nmax`` (or the largest trial that may be stated) is reached first.
    """
    from scipy.special import bdtrc

    certain = _always_enough(p1 - p0, alpha, beta)
    last = min(nmax or certain, certain, MAX_PATIENTS)
    first, stable, r = 0, 0, 0
    cut_offs = [0]
    for n in range(1, last + 1):
        while bdtrc(r, n, p0) > alpha:
            r += 1
        cut_offs.append(r)
        if bdtrc(r, n, p1) >= 1 - beta:
            first = first or n
            stable = stable or n
        else:
            stable = 0
    if not first:
        raise none_found("single-stage design", last, p0, p1, alpha, beta)
    chosen = {"first": first, "stable": stable} if stable else {"first": first}
    return {
        name: SingleStageDesign(
            name, cut_offs[n], n, float(bdtrc(cut_offs[n], n, p0)), float(bdtrc(cut_offs[n], n, p1))
        )
        for name, n in chosen.items()
    }


def _always_enough(difference: float, alpha: float, beta: float) -> int:
    """An n from which on a cut-off halfway, in Hoeffding's sense, keeps both error rates (Hoeffding 1963, eq. 2.3)."""
    spread = math.sqrt(-math.log(alpha) / 2) + math.sqrt(-math.log(beta) / 2)
    # need spread / sqrt(n) + 1 / n <= difference: one count of slack, because cut-offs are whole numbers
    root = (spread + math.sqrt(spread**2 + 4 * difference)) / (2 * difference)
    return math.ceil(min(root, 1e6) ** 2) + 1
