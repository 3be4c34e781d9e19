"""Two criteria at the end: go if the result is significant and relevant, no go if neither, consider if only one.

Roychoudhury S, Scheuer N, Neuenschwander B. Beyond p-values: a phase II dual-criterion design with statistical
significance and clinical relevance. Clin Trials 2018;15:452-461.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.codes import CONSIDER, FUTILE, GO
from trialsim.designs.alone import alone
from trialsim.designs.bayes import below, posterior_above, posterior_is
from trialsim.designs.error_rates import Candidates, ErrorRates
from trialsim.designs.exactly import at_most, decimal, upper_tail
from trialsim.designs.rules import Looks
from trialsim.designs.spec import CutOff, OpenProbability, Patients, Prior, impossible
from trialsim.designs.target import Target

SEARCH_LIMIT = 500


class DualCriterion(ErrorRates):
    """Significant: p0 is rejected at the level stated. Relevant: the estimate reaches the decision value."""

    default_criterion: ClassVar[str] = "smallest"
    searched: ClassVar[str] = "every n"
    written_as: ClassVar[str] = (
        "written r/n: go if responses > r; to be considered if only one criterion holds"
    )

    outright: ClassVar[tuple[str, ...]] = ("n",)

    kind: Literal["dual_criterion"]
    criterion: Literal["smallest"] | None = Field(
        None, description="smallest: least n whose P(go) keeps alpha at p0 and beta at p1"
    )
    decision_value: OpenProbability = Field(description="least estimate that is clinically relevant")
    significance: OpenProbability = Field(
        0.05, description="significant if P(X >= x | p0), or with a prior P(p <= p0 | data), is at most this"
    )
    prior: Prior | None = Field(
        None,
        description="[a, b] of a Beta prior: the estimate is then the posterior median (default none: an exact test "
        "and the observed rate)",
    )
    n: Patients | None = Field(
        None, description="patients; with alpha and beta instead, n is searched for", title="planned n"
    )
    n1: Patients | None = Field(None, description="patients at an interim look (default: none)")
    r1: CutOff | None = Field(None, description="stop at the interim look if responses <= r1")

    @model_validator(mode="after")
    def _possible(self) -> DualCriterion:
        outright = self.stated_outright()
        if self.p0 is None:
            raise impossible("p0", "the result is significant if it rejects p0, the null value: state it")
        if self.decision_value <= self.p0:
            raise impossible(
                "decision_value", f"the decision value must be above the null value p0 = {self.p0:g}"
            )
        if not outright and self.p1 is not None and self.p1 <= self.decision_value:
            raise impossible(
                "p1",
                f"p1 = {self.p1:g} must be above the decision value {self.decision_value:g}: at the decision value "
                "itself P(go) is about one half for every n",
            )
        if (self.n1 is None) != (self.r1 is None):
            raise impossible("n1", "an interim look needs both n1 and r1")
        if self.n1 is not None and self.r1 is not None:
            if self.n is None:
                raise impossible("n1", "an interim look belongs to a design with n stated")
            if self.n1 >= self.n or self.r1 >= self.n1:
                raise impossible(
                    "n1", f"r1 = {self.r1} < n1 = {self.n1} < n = {self.n} must hold for an interim look"
                )
        return self

    def compile(self) -> Looks:
        """An interim look for futility where one is stated, and the verdict at n."""
        n = self.n if self.n is not None else self._found().n
        last = verdicts(n, *self._cuts(n))
        if self.n1 is None or self.r1 is None:
            return Looks((n,), (last,))
        return Looks((self.n1, n), (tuple(FUTILE if x <= self.r1 else 1 for x in range(self.n1 + 1)), last))

    def candidates(self) -> Candidates:
        """The smallest design."""
        return Candidates((("smallest", self._found()),))

    def _cuts(self, n: int) -> tuple[int, int]:
        assert self.p0 is not None
        return cut_offs(n, self.p0, self.decision_value, self.significance, self.prior)

    def _found(self) -> DualCriterionDesign:
        return search(self.target, self.decision_value, self.significance, self.prior)


def cut_offs(
    n: int, p0: float, decision_value: float, significance: float, prior: tuple[float, float] | None = None
) -> tuple[int, int]:
    """Least responses of n that are relevant, and that are significant; n + 1 where no count is."""
    from scipy.special import bdtrc

    null, value = decimal(p0), decimal(decision_value)
    if prior is None:
        significant = 1
        while significant <= n and not at_most(
            float(bdtrc(significant - 1, n, p0)),
            significance,
            lambda: upper_tail(n, significant, null),  # noqa: B023 - asked at once
        ):
            significant += 1
        return math.ceil(value * n), significant
    found = []
    # the median reaches a value where half of the posterior lies above it
    for rate, least in ((value, Fraction(1, 2)), (null, 1 - decimal(significance))):
        above, x = posterior_above(n, prior, float(rate)).tolist(), 0
        while x <= n and below(above[x], least, lambda: posterior_is(x, n, prior, rate)):  # noqa: B023
            x += 1
        found.append(x)
    return found[0], found[1]


def verdicts(n: int, relevant: int, significant: int) -> tuple[int, ...]:
    """The decision for each count of responses of n."""
    go, consider = max(relevant, significant), min(relevant, significant)
    return tuple(GO if x >= go else CONSIDER if x >= consider else FUTILE for x in range(n + 1))


@dataclass(frozen=True)
class DualCriterionDesign:
    """A design and its exact operating characteristics: go if responses > r, consider from ``consider_ge`` on."""

    n: int
    relevant: int
    significant: int
    type_i_error: float
    power: float
    consider_p0: float
    consider_p1: float

    @property
    def r(self) -> int:
        """Go if responses > r."""
        return max(self.relevant, self.significant) - 1

    def __str__(self) -> str:
        """The cut-offs, with the counts that are to be considered."""
        least = min(self.relevant, self.significant)
        between = f" (consider {least} to {self.r})" if least < self.r else ""
        between = f" (consider {least})" if least == self.r else between
        return f"{self.r}/{self.n}{between}"

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return Looks((self.n,), (verdicts(self.n, self.relevant, self.significant),))


def search(
    target: Target,
    decision_value: float,
    significance: float = 0.05,
    prior: tuple[float, float] | None = None,
) -> DualCriterionDesign:
    """The least n at which P(go | p0) <= alpha and P(go | p1) >= 1 - beta."""
    from scipy.special import bdtrc

    limit = target.nmax or SEARCH_LIMIT
    for n in range(1, limit + 1):
        relevant, significant = cut_offs(n, target.p0, decision_value, significance, prior)
        r = max(relevant, significant) - 1
        if r >= n:
            continue
        looks = Looks((n,), (verdicts(n, relevant, significant),))
        level, power = (float(bdtrc(r, n, p)) for p in target.rates)
        if not (target.keeps(level, looks) and target.has(power, looks)):
            continue
        null, good = (alone(looks, p) for p in target.rates)
        return DualCriterionDesign(
            n, relevant, significant, null.p_go, good.p_go, null.p_consider, good.p_consider
        )
    raise target.none_found("dual-criterion design", limit)
