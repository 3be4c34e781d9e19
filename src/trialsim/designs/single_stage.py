"""Single stage: n patients, go if responses > r, with r the least cut-off that keeps the type I error.

Fleming TR. Biometrics 1982;38:143-151. A'Hern RP. Stat Med 2001;20:859-866.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.error_rates import Candidates, ErrorRates
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import MAX_PATIENTS, CutOff, Patients, impossible
from trialsim.designs.target import Target
from trialsim.errors import DesignError


class SingleStage(ErrorRates):
    """One stage: found from p0, p1, alpha, beta, or stated as n and r."""

    default_criterion: ClassVar[str] = "first"
    searched: ClassVar[str] = "every n, with the least r that keeps alpha"
    written_as: ClassVar[str] = "written r/n: go if responses > r"

    kind: Literal["single_stage"]
    criterion: Literal["first", "stable"] | None = Field(
        None,
        description="first (default): smallest n that works; stable: smallest n from which every larger n works too",
    )
    nmax: Patients | None = Field(None, description="largest n to search (default: none needed)")
    n: Patients | None = Field(None, description="patients", title="planned n")
    r: CutOff | None = Field(None, description="go if responses > r of n")

    @property
    def en_words(self) -> str:
        """EN is n."""
        return ""

    @model_validator(mode="after")
    def _possible(self) -> SingleStage:
        if self.stated_outright(("n", "r")) and self.r > self.n:  # type: ignore[operator]
            raise impossible("r", f"r = {self.r} cannot exceed n = {self.n}")
        return self

    def compile(self) -> Looks:
        """One look at n: go if responses > r, else stop."""
        if self.n is None or self.r is None:
            return self.best()
        return two_way((self.n,), (self.r,), (self.r,))

    def candidates(self) -> Candidates:
        """The designs that a search finds, each under its definition."""
        found = search(self.target)
        if self.criterion is None:
            return Candidates(tuple(found.items()))
        if self.criterion not in found:
            raise DesignError(f"no n up to nmax = {self.nmax} is safe for every larger n: raise nmax")
        return Candidates(((self.criterion, found[self.criterion]),))


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


def search(target: Target) -> dict[str, SingleStageDesign]:
    """The ``first`` and the ``stable`` design: r(n) is the least cut-off with P(X > r | p0) <= alpha; ``first`` is
    the smallest n with P(X > r(n) | p1) >= 1 - beta, ``stable`` the smallest n from which every larger n has it.

    No cap on n is needed: Hoeffding's inequality gives an n beyond which every n works. Raises DesignError when
    ``nmax`` (or the largest trial that may be stated) is reached first.
    """
    from scipy.special import bdtrc

    p0, p1 = target.rates
    certain = _always_enough(target)
    last = min(target.nmax or certain, certain, MAX_PATIENTS)
    first, stable, r = 0, 0, 0
    cut_offs = [0]
    for n in range(1, last + 1):
        while bdtrc(r, n, p0) > target.alpha:
            r += 1
        cut_offs.append(r)
        if bdtrc(r, n, p1) >= 1 - target.beta:
            first = first or n
            stable = stable or n
        else:
            stable = 0
    if not first:
        raise target.none_found("single-stage design", last)
    chosen = {"first": first, "stable": stable} if stable else {"first": first}
    return {
        name: SingleStageDesign(
            name, cut_offs[n], n, float(bdtrc(cut_offs[n], n, p0)), float(bdtrc(cut_offs[n], n, p1))
        )
        for name, n in chosen.items()
    }


def _always_enough(target: Target) -> int:
    """An n from which on a cut-off halfway, in Hoeffding's sense, keeps both error rates (Hoeffding 1963, eq. 2.3)."""
    difference = target.p1 - target.p0
    spread = math.sqrt(-math.log(target.alpha) / 2) + math.sqrt(-math.log(target.beta) / 2)
    # need spread / sqrt(n) + 1 / n <= difference: one count of slack, because cut-offs are whole numbers
    root = (spread + math.sqrt(spread**2 + 4 * difference)) / (2 * difference)
    return math.ceil(min(root, 1e6) ** 2) + 1
