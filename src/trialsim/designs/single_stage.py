"""Single stage: n patients, go if responses > r, with r the least cut-off that keeps the type I error.

Fleming TR. Biometrics 1982;38:143-151. A'Hern RP. Stat Med 2001;20:859-866.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
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
    outright: ClassVar[tuple[str, ...]] = ("n", "r")

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
        if self.stated_outright() and self.r > self.n:  # type: ignore[operator]
            raise impossible("r", f"r = {self.r} cannot exceed n = {self.n}")
        return self

    def compile(self) -> Looks:
        """One look at n: go if responses > r, else stop."""
        if self.n is None or self.r is None:
            return self.best()
        return _looks(self.r, self.n)

    def candidates(self) -> Candidates:
        """The designs that a search finds, each under its definition."""
        found = search(self.target)
        if self.criterion is None:
            none = f"up to n = {self.nmax or MAX_PATIENTS} no n is found from which on every larger one works (stable)"
            return Candidates(tuple(found.items()), lacking="" if "stable" in found else none)
        if self.criterion not in found:
            raise DesignError(
                f"no n up to {self.nmax or MAX_PATIENTS} is safe for every larger n"
                + (": raise nmax" if self.nmax else "")
            )
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
        return _looks(self.r, self.n)


def _looks(r: int, n: int) -> Looks:
    return two_way((n,), (r,), (r,))


def search(target: Target) -> dict[str, SingleStageDesign]:
    """The ``first`` and the ``stable`` design: r(n) is the least cut-off with P(X > r | p0) <= alpha; ``first`` is
    the smallest n with P(X > r(n) | p1) >= 1 - beta, ``stable`` the smallest n from which every larger n has it.

    No cap on n is needed: Chernoff's inequality gives an n beyond which every n works. Raises DesignError when ``nmax``
    (or the largest trial that may be stated) is reached first; a stable n beyond it is left out.
    """
    from scipy.special import bdtrc

    p0, p1 = target.rates
    last, certain = target.nmax or MAX_PATIENTS, _always_enough(target)
    first, stable, r = 0, 0, 0
    cut_offs = [0]
    for n in range(1, max(certain, 1) + 1):
        while not target.keeps(float(bdtrc(r, n, p0)), partial(_looks, r, n)):
            r += 1
        cut_offs.append(r)
        if target.has(float(bdtrc(r, n, p1)), partial(_looks, r, n)):
            first = first or n
            stable = stable or n
        else:
            stable = 0
        if n >= last and (not first or not stable or stable > last):
            break  # none, or a stable one only beyond the bound
    if not first or first > last:
        raise target.none_found("single-stage design", last)
    chosen = {"first": first, "stable": stable} if 0 < stable <= last else {"first": first}
    return {
        name: SingleStageDesign(
            name, cut_offs[n], n, float(bdtrc(cut_offs[n], n, p0)), float(bdtrc(cut_offs[n], n, p1))
        )
        for name, n in chosen.items()
    }


def _always_enough(target: Target) -> int:
    """An n from which on the cut-off c n keeps both error rates, for the best c (Chernoff, Ann Math Stat 1952;23:493).

    P(X >= c n | p0) <= exp(-n D(c, p0)) for c > p0 and P(X <= c n | p1) <= exp(-n D(c, p1)) for c < p1, where D is the
    relative entropy; the least cut-off that keeps alpha is not larger, and its power not less.
    """

    def entropy(c: float, p: float) -> float:
        if p == 1.0:
            return math.inf
        return c * math.log(c / p) + (1 - c) * math.log((1 - c) / (1 - p))

    def enough(c: float) -> tuple[float, float]:
        return math.log(1 / target.alpha) / entropy(c, target.p0), math.log(1 / target.beta) / entropy(
            c, target.p1
        )

    low, high = target.rates
    least = 1e12
    for _ in range(60):
        c = (low + high) / 2
        if not low < c < high:
            break
        level, power = enough(c)
        least = min(least, max(level, power))
        low, high = (c, high) if level > power else (low, c)
    return math.ceil(least) + 1
