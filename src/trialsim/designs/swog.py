"""The two-stage test of the Southwest Oncology Group: test p1 after stage 1, test p0 at the end.

Green SJ, Dahlberg S. Planned versus attained design in phase II clinical trials. Stat Med 1992;11:853-862.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.alone import alone
from trialsim.designs.error_rates import Candidates, ErrorRates, none_found
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import OpenProbability, Patients, impossible
from trialsim.errors import DesignError

FIRST, FINAL = 0.02, 0.055
"""Levels of the two tests as published: stop if P(X1 <= x | p1) <= .02, go if P(X >= x | p0) <= .055."""

SEARCH_LIMIT = 400


class Swog(ErrorRates):
    """Stop after stage 1 if p1 is rejected at .02, go at the end if p0 is rejected at .055."""

    default_criterion: ClassVar[str] = "smallest"

    kind: Literal["swog"]
    criterion: Literal["smallest"] | None = Field(
        None, description="smallest: least n, stage 1 its half rounded up, that keeps alpha and beta"
    )
    n1: Patients | None = Field(None, description="patients in stage 1")
    n: Patients | None = Field(None, description="patients in both stages")
    first_level: OpenProbability = Field(FIRST, description="level of the test of p1 after stage 1")
    final_level: OpenProbability = Field(FINAL, description="level of the test of p0 at the end")

    @model_validator(mode="after")
    def _possible(self) -> Swog:
        if self.stated_outright(("n1", "n")):
            assert self.n1 is not None and self.n is not None
            if self.p0 is None or self.p1 is None:
                raise impossible("", "the cut-offs come from p0 and p1: state both")
            if self.n1 >= self.n:
                raise impossible(
                    "n1", f"stage 1 must be smaller than the whole trial: n1 = {self.n1}, n = {self.n}"
                )
        return self

    def compile(self) -> Looks:
        """Two looks with the cut-offs of the two tests."""
        if self.n1 is None or self.n is None:
            return search(*self.four(), self.nmax, levels=(self.first_level, self.final_level)).looks()
        assert self.p0 is not None and self.p1 is not None
        r1, r = cut_offs(self.n1, self.n, self.p0, self.p1, self.first_level, self.final_level)
        if r >= self.n:
            raise DesignError(
                f"no count of {self.n} patients rejects p0 = {self.p0:g} at {self.final_level:g}"
            )
        return two_way((self.n1, self.n), (r1, r), (None, r))

    def candidates(self) -> Candidates:
        """The smallest design."""
        found = search(*self.four(), self.nmax, levels=(self.first_level, self.final_level))
        return Candidates((("smallest", found),))


@dataclass(frozen=True)
class SwogDesign:
    """A design and its exact operating characteristics."""

    r1: int
    n1: int
    r: int
    n: int
    en_p0: float
    en_p1: float
    pet_p0: float
    type_i_error: float
    power: float

    def looks(self) -> Looks:
        """The design as Rules take it; r1 = -1 where no count rejects p1."""
        return two_way((self.n1, self.n), (self.r1, self.r), (None, self.r))


def cut_offs(
    n1: int, n: int, p0: float, p1: float, first: float = FIRST, final: float = FINAL
) -> tuple[int, int]:
    """r1, the largest x with P(X1 <= x | p1) <= first (-1: none); r, the least x with P(X > x | p0) <= final."""
    from scipy.special import bdtr, bdtrc

    r1, r = -1, 0
    while bdtr(r1 + 1, n1, p1) <= first:
        r1 += 1
    while r < n and bdtrc(r, n, p0) > final:
        r += 1
    return r1, r


def search(
    p0: float,
    p1: float,
    alpha: float,
    beta: float,
    nmax: int | None = None,
    *,
    levels: tuple[float, float] = (FIRST, FINAL),
) -> SwogDesign:
    """The least n, stage 1 its half rounded up, whose two tests keep alpha and beta exactly."""
    limit = nmax or SEARCH_LIMIT
    for n in range(2, limit + 1):
        n1 = (n + 1) // 2
        r1, r = cut_offs(n1, n, p0, p1, *levels)
        if r1 > r or r >= n:
            continue
        looks = two_way((n1, n), (r1, r), (None, r))
        alternative = alone(looks, p1)
        if alternative.p_go < 1 - beta - 1e-12:
            continue
        null = alone(looks, p0)
        if null.p_go <= alpha + 1e-12:
            return SwogDesign(r1, n1, r, n, null.en, alternative.en, null.pet, null.p_go, alternative.p_go)
    raise none_found(f"design of the tests at {levels[0]:g} and {levels[1]:g}", limit, p0, p1, alpha, beta)
