"""Toxicity rules: when a dose level is left because too many of its patients had toxicity (act if >= b)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from trialsim.codes import NEVER
from trialsim.designs.spec import AsTuple, OpenProbability, Patients, Prior, Spec, impossible

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64

ROUNDING = 1e-10
"""Relative difference below which two tail probabilities are the same number computed in two ways."""


class Pocock(Spec):
    """Constant-tail boundary of Ivanova, Qaqish & Schell, Biometrics 2005;61:540-545: after each patient."""

    kind: Literal["pocock"]
    limit: OpenProbability = Field(description="highest acceptable toxicity rate", title="toxicity limit")
    phi: OpenProbability = Field(
        description="largest probability of ever crossing when the rate is the limit",
        title="phi of the toxicity rule",
    )

    def compile(self, planned_n: int, most: int) -> tuple[int, ...]:
        """Cut-offs b_m = min{b: P(Bin(m, limit) >= b) <= a} for m = 0..most patients at the dose.

        a is the largest attainable tail probability that keeps P(ever crossing | limit, m <= planned_n) <= phi.
        """
        import numpy as np

        from trialsim.designs.binomial import upper_tail

        tails = [upper_tail(m, self.limit) for m in range(planned_n + 1)]
        levels = np.unique(np.concatenate(tails[1:]))
        levels = levels[levels < 1]

        def bounds(a: float) -> tuple[int, ...]:
            return tuple(_first_below(tail, a) for tail in tails)

        keeps = 0  # levels[:keeps] are known to keep phi
        exceeds = len(levels)
        while keeps < exceeds:
            middle = (keeps + exceeds) // 2
            if crossing_probability(bounds(float(levels[middle])), self.limit, planned_n) <= self.phi:
                keeps = middle + 1
            else:
                exceeds = middle
        if keeps == 0:
            return (NEVER,) * (most + 1)
        a = float(levels[keeps - 1])
        return bounds(a) + tuple(
            _first_below(upper_tail(m, self.limit), a) for m in range(planned_n + 1, most + 1)
        )


class Posterior(Spec):
    """Act when P(toxicity rate > limit | data) > cutoff under a Beta prior, from ``min_n`` patients on."""

    kind: Literal["posterior"]
    limit: OpenProbability = Field(description="highest acceptable toxicity rate", title="toxicity limit")
    cutoff: OpenProbability = Field(
        description="posterior probability of exceeding the limit that triggers action",
        title="cut-off of the toxicity rule",
    )
    prior: Prior = Field(description="[a, b] of the Beta prior", title="prior of the toxicity rule")
    min_n: Patients = Field(
        1,
        description="first patient after which the rule applies",
        title="first patient at whom the toxicity rule can act",
    )

    def compile(self, planned_n: int, most: int) -> tuple[int, ...]:  # noqa: ARG002 - one signature for all rules
        """Least toxicities among m = 0..most patients with P(rate > limit | data) > cutoff, from min_n on."""
        import numpy as np
        from scipy.special import betaincc

        a, b = self.prior
        bounds = [NEVER] * (most + 1)
        for m in range(self.min_n, most + 1):
            t = np.arange(m + 1)
            acts = betaincc(a + t, b + m - t, self.limit) > self.cutoff
            if acts.any():
                bounds[m] = int(acts.argmax())
        return tuple(bounds)


class KOfFirstM(Spec):
    """Act when k of the first m patients at the dose had toxicity, e.g. 6 of the first 12."""

    kind: Literal["k_of_first_m"]
    k: Patients = Field(
        description="toxicities that trigger action", title="toxicities at which the rule acts"
    )
    m: Patients = Field(
        description="patients at the dose that are watched", title="patients watched by the toxicity rule"
    )

    @model_validator(mode="after")
    def _possible(self) -> KOfFirstM:
        if self.k > self.m:
            raise impossible("k", f"k = {self.k} toxicities cannot occur among m = {self.m} patients")
        return self

    def compile(self, planned_n: int, most: int) -> tuple[int, ...]:  # noqa: ARG002
        """Cut-off k for the first m patients at the dose, none after."""
        return tuple(self.k if 1 <= m <= self.m else NEVER for m in range(most + 1))


Month = Annotated[float, Field(ge=0.1, le=600)]


class Amendment(Spec):
    """Leave the dose after a stated patient or month of the trial whatever was seen, as a protocol amendment does."""

    kind: Literal["amendment"]
    after_patient: Patients | Annotated[tuple[Patients, ...], AsTuple, Field(min_length=1)] | None = Field(
        None,
        description="last patient at the starting dose (a list: at each dose but the last)",
        title="patient after whom the dose is lowered",
    )
    after_month: Month | Annotated[tuple[Month, ...], AsTuple, Field(min_length=1)] | None = Field(
        None,
        description="months since accrual opened after which the starting dose is left, in place of `after_patient` "
        "(a list: each dose but the last); needs `conduct`",
        title="month from which the dose is lowered",
    )

    @model_validator(mode="after")
    def _possible(self) -> Amendment:
        if (self.after_patient is None) == (self.after_month is None):
            raise impossible("", "state either `after_patient` or `after_month`")
        return self

    def patients(self) -> tuple[int, ...]:
        """Patients of the trial after which each dose in turn is left; none where a month is stated."""
        after = self.after_patient
        return after if isinstance(after, tuple) else () if after is None else (after,)

    def months(self) -> tuple[float, ...]:
        """Months after which each dose in turn is left; none where a patient is stated."""
        after = self.after_month
        return after if isinstance(after, tuple) else () if after is None else (after,)


class NoRule(Spec):
    """Toxicity changes nothing."""

    kind: Literal["none"]


def crossing_probability(bounds: tuple[int, ...], rate: float, n: int) -> float:
    """P(the toxicities among the first m reach bounds[m] for some m <= n) at a true toxicity rate."""
    import numpy as np

    below: Float64 = np.zeros(n + 2)
    below[0] = 1.0
    crossed = 0.0
    for m in range(1, n + 1):
        below[1 : m + 1] = below[1 : m + 1] * (1 - rate) + below[:m] * rate
        below[0] *= 1 - rate
        if bounds[m] <= m:
            crossed += float(below[bounds[m] : m + 1].sum())
            below[bounds[m] : m + 1] = 0.0
    return crossed


def _first_below(tail: Float64, a: float) -> int:
    """Smallest count whose tail probability is at most a; NEVER if even all patients toxic is more likely."""
    below = tail <= a * (1 + ROUNDING)
    return int(below.argmax()) if below.any() else NEVER
