"""Toxicity rules: when a dose level is left because too many of its patients had toxicity (act if >= b)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from trialsim.codes import NEVER
from trialsim.designs.crossing import crosses_rarely as crosses_rarely
from trialsim.designs.crossing import crossing_probability as crossing_probability
from trialsim.designs.crossing import lowest
from trialsim.designs.exactly import NEAR, SAME, decimal
from trialsim.designs.exactly import upper_tail as exact_tail
from trialsim.designs.spec import AsTuple, OpenProbability, Patients, Prior, Spec, impossible
from trialsim.errors import DesignError
from trialsim.timing import tell

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64
    from trialsim.designs.posterior_phi import Found


MANY = 5000
"""Patients from which on a boundary of constant level takes so long that it is said."""


Action = Annotated[
    Literal["reduce", "stop"] | None,
    Field(
        description="what the rule does where it is met: reduce (default; at the last dose what `at_lowest_dose` "
        "says), or stop the trial",
        title="what the toxicity rule does",
    ),
]
Levels = Annotated[
    Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=300)], ...],
        AsTuple,
        Field(min_length=1, max_length=8),
    ]
    | None,
    Field(
        description="names of the doses at which the rule holds (default: at every dose)",
        title="doses at which the toxicity rule holds",
    ),
]
"""What every rule with a boundary may state: what it does where it is met, and at which doses it holds."""

FIRST = "first patient at whom the toxicity rule can act"


class Pocock(Spec):
    """Constant-tail boundary of Ivanova, Qaqish & Schell, Biometrics 2005;61:540-545: after each patient."""

    kind: Literal["pocock"]
    limit: OpenProbability = Field(description="highest acceptable toxicity rate", title="toxicity limit")
    phi: OpenProbability | None = Field(
        None,
        description="largest probability of ever crossing when the rate is the limit",
        title="phi of the toxicity rule",
    )
    combined_phi: OpenProbability | None = Field(
        None,
        description="in place of `phi`, among several `rules`: largest probability that any of those that hold at the "
        "dose is ever met when the rate is the limit; the others are kept as stated",
        title="phi of all toxicity rules together",
    )
    min_n: Patients | None = Field(
        None,
        description="first patient after whom the rule applies; the boundary is searched for from there on "
        "(default: the first)",
        title=FIRST,
    )
    action: Action = None
    levels: Levels = None

    @model_validator(mode="after")
    def _possible(self) -> Pocock:
        if self.phi is None and self.combined_phi is None:
            raise impossible(
                "phi",
                "missing; expected here: largest probability of ever crossing when the rate is the limit",
            )
        if self.phi is not None and self.combined_phi is not None:
            raise impossible("combined_phi", "state `phi` or `combined_phi`, not both")
        return self

    def compile(self, planned_n: int, most: int, kept: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Cut-offs b_m = min{b: P(Bin(m, limit) >= b) <= a} for m = min_n..most patients at the dose, NEVER before.

        a is the largest attainable tail probability that keeps P(ever crossing | limit, m <= planned_n) <= phi; under
        ``combined_phi`` that of crossing this boundary or the one that is ``kept``, the other rules of the dose.

        Raises:
            DesignError: ``min_n`` is beyond the planned n, or what is kept crosses with more than ``combined_phi``.
        """
        first = self.min_n or 1
        if first > planned_n:
            raise DesignError(f"no look comes after patient {first} (`min_n`) of {planned_n} at a dose")
        phi, left = self.phi, self.phi
        if phi is None:
            phi = self.combined_phi or 0.0
            beside = crossing_probability(kept, self.limit, planned_n) if kept else 0.0
            if kept and not crosses_rarely(kept, self.limit, planned_n, phi):
                raise DesignError(
                    f"combined_phi = {phi:g} leaves nothing for this rule: at a toxicity rate of {self.limit:g} the "
                    f"other rules of the dose alone are met with probability {beside:.4f}"
                )
            left = max(phi - beside, 0.0) * (1 - NEAR)
        if planned_n >= MANY:
            tell(
                f"toxicity boundary for {planned_n:,} patients: about {30 * (planned_n / 10_000) ** 2:.0f} s"
            )
        # each look crosses with probability a at most, and the one that attains a with just that
        known, least = (left or 0.0) / planned_n * (1 - SAME), (left or 0.0) / planned_n / 2
        tails = Tails(self.limit, range(first, planned_n + 1), least)
        before = (NEVER,) * first

        def keeps(a: Level) -> bool:
            row = (*before, *tails.first_below(a))
            if self.phi is None and kept:
                row = lowest((row, kept[: planned_n + 1]))
            return crosses_rarely(row, self.limit, planned_n, phi)

        a = tails.largest(keeps, known, phi * (1 + SAME))
        if a is None:
            return (NEVER,) * (most + 1)
        later = Tails(self.limit, range(planned_n + 1, most + 1), least)
        return (*before, *tails.first_below(a), *later.first_below(a))


class Posterior(Spec):
    """Act when P(toxicity rate > limit | data) > cutoff under a Beta prior, from ``min_n`` patients on.

    With ``phi`` in place of ``cutoff`` that is found: the most vigilant rule that keeps phi (``posterior_phi``).
    """

    kind: Literal["posterior"]
    limit: OpenProbability = Field(description="highest acceptable toxicity rate", title="toxicity limit")
    cutoff: OpenProbability | None = Field(
        None,
        description="posterior probability of exceeding the limit that triggers action",
        title="cut-off of the toxicity rule",
    )
    phi: OpenProbability | None = Field(
        None,
        description="in place of `cutoff`, which is then found: largest probability of ever acting when the rate is "
        "the limit",
        title="phi of the toxicity rule",
    )
    prior: Prior = Field(description="[a, b] of the Beta prior", title="prior of the toxicity rule")
    min_n: Patients = Field(1, description="first patient after which the rule applies", title=FIRST)
    action: Action = None
    levels: Levels = None

    @model_validator(mode="after")
    def _possible(self) -> Posterior:
        if self.cutoff is None and self.phi is None:
            raise impossible(
                "cutoff",
                "missing; expected here: posterior probability of exceeding the limit that triggers action "
                "(or `phi`, from which it is found)",
            )
        if self.cutoff is not None and self.phi is not None:
            raise impossible("phi", "state `cutoff` or `phi`, not both")
        return self

    def found(self, planned_n: int) -> Found | None:
        """The cut-off that keeps ``phi`` in a trial of so many patients at the dose; None where it is stated.

        Raises:
            DesignError: ``min_n`` is beyond the planned n.
        """
        if self.phi is None:
            return None
        from trialsim.designs.posterior_phi import cut_off

        if self.min_n > planned_n:
            raise DesignError(f"no look comes after patient {self.min_n} (`min_n`) of {planned_n} at a dose")
        return cut_off(self.limit, self.prior, self.phi, self.min_n, planned_n)

    def compile(self, planned_n: int, most: int) -> tuple[int, ...]:
        """Least toxicities among m = 0..most patients with P(rate > limit | data) > cutoff, from min_n on."""
        from trialsim.designs.posterior_phi import bounds

        found = self.found(planned_n)
        cutoff = found.cutoff if found else self.cutoff or 0.0
        return bounds(self.limit, self.prior, cutoff, range(self.min_n, most + 1), most)


class KOfFirstM(Spec):
    """Act when k of the first m patients at the dose had toxicity, e.g. 6 of the first 12."""

    kind: Literal["k_of_first_m"]
    k: Patients = Field(
        description="toxicities that trigger action", title="toxicities at which the rule acts"
    )
    m: Patients = Field(
        description="patients at the dose that are watched", title="patients watched by the toxicity rule"
    )
    min_n: Patients | None = Field(
        None, description="first patient after whom the rule applies (default: the first)", title=FIRST
    )
    action: Action = None
    levels: Levels = None

    @model_validator(mode="after")
    def _possible(self) -> KOfFirstM:
        if self.k > self.m:
            raise impossible("k", f"k = {self.k} toxicities cannot occur among m = {self.m} patients")
        if self.min_n is not None and self.min_n > self.m:
            raise impossible("min_n", f"patient {self.min_n} is not among the first m = {self.m} patients")
        return self

    def compile(self, planned_n: int, most: int) -> tuple[int, ...]:  # noqa: ARG002
        """Cut-off k for the patients from min_n to m at the dose, none before and after."""
        return tuple(self.k if (self.min_n or 1) <= m <= self.m else NEVER for m in range(most + 1))


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


class Tails:
    """P(X >= b) for X ~ Binomial(m, rate) at some m: the levels at which a boundary of constant level changes.

    Of each size those are kept that are not below ``least``, and one more.
    """

    def __init__(self, rate: float, sizes: Sequence[int], least: float = 0.0) -> None:
        self.sizes, self.rate, self._rate = sizes, decimal(rate), rate
        self.values = [self._tail(m, least) for m in sizes]

    def _tail(self, m: int, least: float) -> Float64:
        from trialsim.designs.binomial import upper_tail

        tail = upper_tail(m, self._rate)
        return tail[: int((tail >= least).sum()) + 1].copy()

    def exact(self, m: int, b: int) -> Fraction:
        """P(X >= b) as a fraction."""
        return exact_tail(m, b, self.rate)

    def first_below(self, a: Level) -> tuple[int, ...]:
        """By size the smallest count whose tail probability is at most a; NEVER if that of all patients is not."""
        found = []
        for m, tail in zip(self.sizes, self.values, strict=True):
            whole = tail if tail[-1] < a.value * (1 - SAME) else self._tail(m, 0.0)
            b = int((whole > a.value * (1 + SAME)).sum())  # tails fall: those before are above a for certain
            while b <= m and whole[b] > a.value * (1 - SAME) and (m, b) != a.place:
                if self.exact(m, b) <= a.exact:
                    break
                b += 1
            found.append(b if b <= m else NEVER)
        return tuple(found)

    def largest(self, keeps: Callable[[Level], bool], known: float, never: float) -> Level | None:
        """The largest attained level below 1 that ``keeps``, as all smaller ones do; None if none does.

        Levels up to ``known`` are known to keep, and levels above ``never`` not to: of those the largest of each size
        is enough, of these none is looked at.
        """
        import numpy as np

        first = [max(int((tail > never).sum()), 1) for tail in self.values]
        last = [int((tail > known).sum()) + 1 for tail in self.values]
        size = np.repeat(self.sizes, [len(t[i:j]) for t, i, j in zip(self.values, first, last, strict=True)])
        count = np.concatenate(
            [np.arange(len(t))[i:j] for t, i, j in zip(self.values, first, last, strict=True)]
        )
        value = np.concatenate([t[i:j] for t, i, j in zip(self.values, first, last, strict=True)])
        order = np.argsort(value, kind="stable")

        def level(k: int) -> Level:
            m, b = int(size[order[k]]), int(count[order[k]])
            return Level(float(value[order[k]]), lambda: self.exact(m, b), (m, b))

        low, high = 0, len(order)  # order[:low] are known to keep
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if keeps(level(middle)) else (low, middle)
        if low == 0:
            return None
        # rounding may have put levels that are close in a wrong order
        close = np.flatnonzero(np.abs(value[order] - value[order[low - 1]]) <= SAME * value[order[low - 1]])
        if len(close) == 1:
            return level(low - 1)
        return max((a for a in map(level, close.tolist()) if keeps(a)), key=lambda a: a.exact)


class Level:
    """A level, and the fraction that it is; ``place`` is the size and the count that attain it."""

    def __init__(
        self, value: float, exact: Callable[[], Fraction], place: tuple[int, int] | None = None
    ) -> None:
        self.value, self._exact, self.place = value, exact, place

    @cached_property
    def exact(self) -> Fraction:
        """The level as a fraction."""
        return self._exact()
