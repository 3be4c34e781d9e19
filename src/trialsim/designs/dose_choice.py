"""Which of two doses goes forward after a go: the rule, in whole numbers (docs/dose-decision.md)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import lcm
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from trialsim.designs.exactly import decimal
from trialsim.designs.spec import OpenProbability, Prior, Spec, impossible
from trialsim.errors import DesignError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trialsim.designs.binomial import Float64
    from trialsim.kernels.tables import Int64

NO_GO, NO_COMPARISON, UNDECIDED, LOWER, HIGHER = OUTCOMES = range(5)
"""What a trial says of the two doses; one of these each."""

DECIMALS = 6
"""Most decimals of what a rule compares: its products with two numbers of patients then fit 64 bits."""

MOST_COMPARED = 1000
"""Largest trial whose doses are compared by a posterior probability."""

TIED = 1e-9
"""A posterior probability closer to its cut-off than this cannot be told from it."""

NODES = 400
"""Points at which the posterior density of the higher dose is read."""


def _short(value: float) -> float:
    if (decimal(value) * 10**DECIMALS).denominator != 1:
        raise impossible("", f"at most {DECIMALS} decimals, not {value!r}")
    return value


Difference = Annotated[float, Field(ge=-1, le=1), AfterValidator(_short)]
Loss = Annotated[float, Field(ge=0, lt=1), AfterValidator(_short)]
Weight = Annotated[float, Field(ge=0, le=1000), AfterValidator(_short)]


class AlwaysLower(Spec):
    """The lower dose goes forward, whatever was seen: what a trial without a rule does."""

    kind: Literal["always_lower"]


class ObservedDifference(Spec):
    """The higher dose if its response rate is higher by more than lambda, else the lower."""

    kind: Literal["difference"]
    lambda_: Difference = Field(
        0.0,
        alias="lambda",
        description="by how much the observed response rate at the higher dose must be higher for it to be chosen; "
        "a tie chooses the lower",
        title="lambda, the cut-off of the observed difference",
    )


class NonInferiority(Spec):
    """The lower dose if P(its response rate is lower by at most delta | data) > cutoff, else the higher."""

    kind: Literal["posterior"]
    delta: Loss = Field(
        description="by how much the response rate at the lower dose may be lower",
        title="delta of the statement on the two response rates",
    )
    cutoff: OpenProbability = Field(
        description="posterior probability of that which chooses the lower dose",
        title="posterior probability that chooses the lower dose",
    )
    prior: Prior = Field(
        (0.5, 0.5),
        description="[a, b] of the Beta prior of the response rate at each dose, the two independent",
        title="prior of the response rate at each dose",
    )


class DoseUtility(Spec):
    """The higher dose if its utility is higher by more than lambda: response rate and toxicity rate, each weighed."""

    kind: Literal["utility"]
    response: Weight = Field(
        1.0, description="weight of the observed response rate", title="weight of response"
    )
    toxicity: Weight = Field(
        description="weight of the observed toxicity rate, which is taken away", title="weight of toxicity"
    )
    lambda_: Annotated[float, Field(ge=-1000, le=1000), AfterValidator(_short)] = Field(
        0.0,
        alias="lambda",
        description="by how much the utility at the higher dose must be higher for it to be chosen",
        title="lambda, the cut-off of the difference in utility",
    )


DoseRule = Annotated[
    AlwaysLower | ObservedDifference | NonInferiority | DoseUtility, Field(discriminator="kind")
]


Compared = Literal["", "all", "concurrent", "arms"]


@dataclass(frozen=True)
class Seen:
    """(count,) whole numbers each: patients, responses and toxicities at the higher and at the lower dose."""

    n1: Int64
    x1: Int64
    t1: Int64
    n2: Int64
    x2: Int64
    t2: Int64


@dataclass(frozen=True)
class DoseChoice:
    """A rule as whole numbers: higher iff response (x1 n2 - x2 n1) - toxicity (t1 n2 - t2 n1) > more_than n1 n2.

    Attributes:
        least: fewest patients at either dose for a decision.
        any_end: whether the rule is applied whatever the end (else after a go only).
        posterior: delta, cut-off, a and b where the rule is of that kind; the three numbers are then not used.
        compared: whose patients are: everybody's ("" where doses are not allocated after a trigger, "all" where they
            are), those of the patients since then ("concurrent"), or those of two doses each with a design of its own
            ("arms"): the rule is then asked where both pass, and a dose that passes alone goes forward.
        right: the outcome that is right in the case at hand.
        inactive: the outcomes that carry a dose forward which is no better than p0; None where there is no p0.
    """

    response: int
    toxicity: int
    more_than: int
    least: int = 1
    any_end: bool = False
    posterior: tuple[float, float, float, float] | None = None
    right: int = LOWER
    inactive: tuple[int, ...] | None = None
    compared: Compared = ""

    @classmethod
    def of(
        cls,
        rule: DoseRule,
        least: int = 1,
        any_end: bool = False,
        right: int = LOWER,
        inactive: tuple[int, ...] | None = None,
        compared: Compared = "",
    ) -> DoseChoice:
        """A rule, compiled."""
        numbers, posterior = (0, 0, 0), None
        match rule:
            case ObservedDifference():
                response, cut = _whole(1.0, rule.lambda_)
                numbers = (response, 0, cut)
            case DoseUtility():
                numbers = _whole(rule.response, rule.toxicity, rule.lambda_)
            case NonInferiority():
                posterior = (rule.delta, rule.cutoff, *rule.prior)
        return cls(*numbers, least, any_end, posterior, right, inactive, compared)

    @property
    def allocated(self) -> bool:
        """Whether doses are allocated after a trigger."""
        return self.compared in ("all", "concurrent")

    @property
    def arms(self) -> bool:
        """Whether each dose has a design of its own."""
        return self.compared == "arms"

    @property
    def concurrent(self) -> bool:
        """Whether only patients since the trigger are compared."""
        return self.compared == "concurrent"

    @property
    def counts_toxicities(self) -> bool:
        """Whether the rule asks for toxicities."""
        return self.toxicity != 0

    def outcomes(
        self, seen: Seen, went: NDArray[np.bool_], both: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int8]:
        """(count,) outcomes of trials.

        Args:
            went: whether each ended in a go.
            both: where doses were allocated, whether each had patients since; without them there is no comparison, of
                whichever patients.

        Raises:
            DesignError: a posterior probability equals its cut-off as far as it can be computed.
        """
        import numpy as np

        n1, n2 = seen.n1, seen.n2
        fewest = np.minimum(n1, n2)
        none = fewest == 0 if both is None else (fewest == 0) | ~both
        compared = (fewest >= self.least) & ~none
        if not self.any_end:
            compared &= went
        if self.posterior is not None:
            higher = np.zeros(len(n1), dtype=bool)
            higher[compared] = self._higher_by_posterior(
                *(part[compared] for part in (n1, seen.x1, n2, seen.x2))
            )
        else:
            gain = self.response * (seen.x1 * n2 - seen.x2 * n1)
            if self.toxicity:
                gain -= self.toxicity * (seen.t1 * n2 - seen.t2 * n1)
            higher = gain > self.more_than * n1 * n2
        found = np.where(higher, HIGHER, LOWER).astype(np.int8)
        found[~compared] = UNDECIDED
        found[none] = NO_COMPARISON
        if not self.any_end:
            found[~went] = NO_GO
        return found

    def outcomes_of_arms(
        self, seen: Seen, higher_passed: NDArray[np.bool_], lower_passed: NDArray[np.bool_]
    ) -> NDArray[np.int8]:
        """(count,) outcomes of trials in which each dose has a design of its own, by which designs were passed."""
        import numpy as np

        both = higher_passed & lower_passed
        found = np.where(higher_passed, HIGHER, np.where(lower_passed, LOWER, NO_GO)).astype(np.int8)
        found[both] = self.outcomes(seen, both)[both]
        return found

    def _higher_by_posterior(self, n1: Int64, x1: Int64, n2: Int64, x2: Int64) -> NDArray[np.bool_]:
        import numpy as np

        assert self.posterior is not None
        delta, cutoff, a, b = self.posterior
        most = int((n1 + n2).max(initial=0)) + 1
        if most > MOST_COMPARED + 1:
            raise DesignError(
                f"dose_decision.rule: posterior probabilities are compared for at most {MOST_COMPARED:,} patients"
            )
        pairs, which = np.unique(n1 * most + n2, return_inverse=True)
        higher = np.zeros(len(n1), dtype=bool)
        for k, pair in enumerate(pairs.tolist()):
            at = which == k
            least = lower_from(pair // most, pair % most, delta, cutoff, (a, b))
            higher[at] = x2[at] < least[x1[at]]
        return higher


def _whole(*numbers: float) -> Any:
    """Decimals times their least common denominator."""
    exact = [decimal(number) for number in numbers]
    scale = lcm(*(each.denominator for each in exact))
    return tuple(int(each * scale) for each in exact)


@lru_cache(maxsize=4096)
def lower_from(n1: int, n2: int, delta: float, cutoff: float, prior: tuple[float, float]) -> Int64:
    """(n1 + 1,) least responses of n2 at the lower dose that choose it, by responses of n1 at the higher.

    Raises:
        DesignError: a probability cannot be told from the cut-off.
    """
    import numpy as np

    chances = non_inferior(n1, n2, delta, prior)
    near = np.abs(chances - cutoff)
    if near.min() < TIED:
        x1, x2 = np.unravel_index(int(near.argmin()), near.shape)
        raise DesignError(
            f"dose_decision.rule.cutoff: {cutoff:g} cannot be told from the posterior probability at {x1} of {n1} and "
            f"{x2} of {n2} responses; state a cut-off a little higher or lower"
        )
    # more responses at the lower dose make it the likelier one
    return np.asarray((chances <= cutoff).sum(axis=1), dtype=np.int64)


def non_inferior(n1: int, n2: int, delta: float, prior: tuple[float, float]) -> Float64:
    """(n1 + 1, n2 + 1) P(p2 >= p1 - delta | x1 of n1, x2 of n2), p1 and p2 independent with Beta priors.

    The integral over p1 = delta + w of its density times P(p2 >= w), with w = (1 - delta) sin^2 u, which leaves no
    singularity for whole and half parameters; absolute error below 1e-10 for n up to 1,000 and parameters from 1/2.
    """
    import numpy as np
    from scipy.special import betainc, betaln, xlogy

    a, b = prior
    u, weight = _angles()
    w = (1 - delta) * np.sin(u) ** 2
    p1, rest = delta + w, (1 - delta) * np.cos(u) ** 2
    x1, x2 = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)[:, None]
    # d p1 = 2 (1 - delta) sin u cos u du
    step = np.log(2 * (1 - delta) * np.sin(u) * np.cos(u))
    log = xlogy(a + x1 - 1, p1) + xlogy(b + n1 - x1 - 1, rest) - betaln(a + x1, b + n1 - x1) + step
    density = np.exp(log) * weight
    above = 1 - betainc(a + x2, b + n2 - x2, w)
    at_most_delta = betainc(a + x1, b + n1 - x1, delta) if delta else np.zeros((n1 + 1, 1))
    return np.asarray(at_most_delta + density @ above.T)


@lru_cache(maxsize=1)
def _angles() -> tuple[Float64, Float64]:
    """Gauss-Legendre points and weights on (0, pi / 2)."""
    import numpy as np

    points, weights = np.polynomial.legendre.leggauss(NODES)
    return (points + 1) * np.pi / 4, weights * np.pi / 4


def lower_is_right(higher: float, lower: float, margin: float) -> bool:
    """Whether the lower dose is the correct one: response rates apart by at most the margin, in the decimals stated."""
    return decimal(higher) - decimal(lower) <= decimal(margin)
