"""Gehan's design: stop if none of the first patients respond, else treat enough to estimate the response rate.

Gehan EA. The determination of the number of patients required in a preliminary and a follow-up trial of a new
chemotherapeutic agent. J Chronic Dis 1961;13:346-353.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

from pydantic import Field, model_validator

from trialsim.codes import FUTILE, GO
from trialsim.designs.error_rates import check_rates
from trialsim.designs.exactly import at_most, decimal
from trialsim.designs.rules import Looks
from trialsim.designs.spec import MAX_PATIENTS, OpenProbability, Spec, impossible
from trialsim.errors import DesignError


class Gehan(Spec):
    """Stage 1 misses a rate of p1 with probability beta at most; stage 2 has a size for each count of responses."""

    kind: Literal["gehan"]
    p0: OpenProbability | None = Field(None, description="unacceptable response rate, for the report")
    p1: OpenProbability = Field(description="response rate that stage 1 must not miss")
    miss: OpenProbability = Field(description="largest probability of no response in stage 1 at p1")
    standard_error: OpenProbability = Field(
        description="standard error wanted of the response rate; its size comes from the upper 75% limit of stage 1"
    )

    @model_validator(mode="after")
    def _possible(self) -> Gehan:
        check_rates(self.p0, self.p1)
        if 0.25 / self.standard_error**2 > MAX_PATIENTS:
            raise impossible("standard_error", f"would need more than {MAX_PATIENTS} patients")
        return self

    def compile(self) -> Looks:
        """One look at n1; then one at the n that the responses of stage 1 ask for, where the drug goes on.

        Stage 2 estimates and tests nothing: a go says that stage 1 was passed.
        """
        n1 = first_stage(self.p1, self.miss)
        if n1 > MAX_PATIENTS:
            raise DesignError(f"stage 1 would need {n1} patients")
        sizes = [n1 + n2 for n2 in second_stage(n1, self.standard_error)]
        n = tuple(sorted({n1, *sizes[1:]}))
        first = (FUTILE, *(GO if size == n1 else n.index(size) for size in sizes[1:]))
        return Looks(n, (first, *((GO,) * (size + 1) for size in n[1:])))


def first_stage(p1: float, miss: float) -> int:
    """Least n1 with P(no response | p1) <= miss."""
    n1 = max(1, math.ceil(math.log(miss) / math.log1p(-p1)) - 1)
    missed = 1 - decimal(p1)
    while not at_most((1 - p1) ** n1, miss, lambda: missed**n1):  # noqa: B023 - asked at once
        n1 += 1
    return n1


def second_stage(n1: int, standard_error: float) -> list[int]:
    """Patients to add after x = 0..n1 responses: p(1 - p) / n <= SE^2 at the upper 75% limit of p, .5 at most."""
    from scipy.special import betaincinv

    added = [0]
    for x in range(1, n1 + 1):
        upper = 1.0 if x == n1 else float(betaincinv(x + 1, n1 - x, 0.75))
        p = Fraction(min(upper, 0.5))  # where it is .5, a fraction that may fit exactly
        n = math.ceil(p * (1 - p) / decimal(standard_error) ** 2)
        added.append(max(0, n - n1))
    return added
