"""The two-stage test of the Southwest Oncology Group: test p1 after stage 1, test p0 at the end.

Green SJ, Dahlberg S. Planned versus attained design in phase II clinical trials. Stat Med 1992;11:853-862.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.alone import at_both
from trialsim.designs.error_rates import Candidates, ErrorRates, check_stages
from trialsim.designs.exactly import at_most, decimal, upper_tail
from trialsim.designs.front import TwoStages
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import OpenProbability, Patients, impossible
from trialsim.designs.target import Target
from trialsim.errors import DesignError

FIRST, FINAL = 0.02, 0.055
"""Levels of the two tests as published: stop if P(X1 <= x | p1) <= .02, go if P(X >= x | p0) <= .055."""

SEARCH_LIMIT = 400


class Swog(ErrorRates):
    """Stop after stage 1 if p1 is rejected at .02, go at the end if p0 is rejected at .055."""

    default_criterion: ClassVar[str] = "smallest"
    outright: ClassVar[tuple[str, ...]] = ("n1", "n")
    searched: ClassVar[str] = "every n, stage 1 its half rounded up, with the cut-offs of the two tests"

    kind: Literal["swog"]
    criterion: Literal["smallest"] | None = Field(
        None, description="smallest: least n, stage 1 its half rounded up, that keeps alpha and beta"
    )
    n1: Patients | None = Field(None, description="patients in stage 1")
    n: Patients | None = Field(None, description="patients in both stages", title="planned n")
    first_level: OpenProbability = Field(FIRST, description="level of the test of p1 after stage 1")
    final_level: OpenProbability = Field(FINAL, description="level of the test of p0 at the end")

    @model_validator(mode="after")
    def _possible(self) -> Swog:
        if self.stated_outright():
            assert self.n1 is not None and self.n is not None
            if self.p0 is None or self.p1 is None:
                raise impossible("", "the cut-offs come from p0 and p1: state both")
            check_stages(self.n1, self.n)
        return self

    def compile(self) -> Looks:
        """Two looks with the cut-offs of the two tests."""
        if self.n1 is None or self.n is None:
            return self.best()
        assert self.p0 is not None and self.p1 is not None
        r1, r = cut_offs(self.n1, self.n, self.p0, self.p1, self.first_level, self.final_level)
        if r >= self.n:
            raise DesignError(
                f"no count of {self.n} patients rejects p0 = {self.p0:g} at {self.final_level:g}"
            )
        return two_way((self.n1, self.n), (r1, r), (None, r))

    def candidates(self) -> Candidates:
        """The smallest design."""
        found = search(self.target, levels=(self.first_level, self.final_level))
        return Candidates((("smallest", found),))


def cut_offs(
    n1: int, n: int, p0: float, p1: float, first: float = FIRST, final: float = FINAL
) -> tuple[int, int]:
    """r1, the largest x with P(X1 <= x | p1) <= first (-1: none); r, the least x with P(X > x | p0) <= final."""
    from scipy.special import bdtr, bdtrc

    low, high, r1, r = decimal(p0), decimal(p1), -1, 0

    def rejects_p1(x: int) -> bool:
        return at_most(float(bdtr(x, n1, p1)), first, lambda: 1 - upper_tail(n1, x + 1, high))

    def rejects_p0(x: int) -> bool:
        return at_most(float(bdtrc(x, n, p0)), final, lambda: upper_tail(n, x + 1, low))

    while r1 < n1 and rejects_p1(r1 + 1):
        r1 += 1
    while r < n and not rejects_p0(r):
        r += 1
    return r1, r


def search(target: Target, *, levels: tuple[float, float] = (FIRST, FINAL)) -> TwoStages:
    """The least n, stage 1 its half rounded up, whose two tests keep alpha and beta exactly."""
    limit = target.nmax or SEARCH_LIMIT
    for n in range(2, limit + 1):
        n1 = (n + 1) // 2
        r1, r = cut_offs(n1, n, *target.rates, *levels)
        if r1 > r or r >= n:
            continue
        looks = two_way((n1, n), (r1, r), (None, r))
        exact = at_both(looks, target.rates)
        level, power = exact[-2:]
        if target.keeps(level, looks) and target.has(power, looks):
            return TwoStages(r1, n1, r, n, *exact)
    raise target.none_found(f"design of the tests at {levels[0]:g} and {levels[1]:g}", limit)
