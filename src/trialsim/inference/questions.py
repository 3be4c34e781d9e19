"""Two questions about the same responses: would they surprise at p0 (the check), is the rate above p0 (the test)?"""

from __future__ import annotations

from dataclasses import dataclass

from trialsim.designs.binomial import binomial_pmf, mid_p, two_sided
from trialsim.inference.analysis import PatientsAnalysis


@dataclass(frozen=True)
class TwoQuestions:
    """What the check and the test of the design each say of the rate p0.

    Attributes:
        x, p0: responses, and the unacceptable rate.
        n_fixed, two_sided, upper: patients whose number the check holds fixed, its two-sided mid-p at p0 (twice the
            smaller tail), and the upper of the two tails.
        n_tested, one_sided, ordering, decision: patients of the test, its p-value with the stopping rule, and what it
            decides.
    """

    x: int
    p0: float
    n_fixed: int
    two_sided: float
    upper: float
    n_tested: int
    one_sided: float
    ordering: str
    decision: str


def two_questions(found: PatientsAnalysis, n_fixed: int | None = None) -> TwoQuestions | None:
    """Both answers; None where no p0 is stated. ``n_fixed``: default the patients analysed."""
    p0 = found.plan.p0
    if p0 is None or not found.p_values:
        return None
    p = found.p_values[0].p
    n = found.n if n_fixed is None else n_fixed
    pmf = binomial_pmf(n, p0)
    upper = mid_p(pmf[::-1], n - found.x)
    return TwoQuestions(
        found.x, p0, n, two_sided(pmf, found.x), upper, found.n, p, found.plan.ordering, found.decision
    )
