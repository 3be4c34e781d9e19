"""What one set of patients says of the response rate: estimates, p-values, intervals, posterior."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from trialsim.designs.exactly import decimal
from trialsim.designs.rules import DECISION_WORDS, Looks
from trialsim.designs.spec import prior_fault
from trialsim.errors import DesignError
from trialsim.inference.anytime import Anytime, Test, after_counts
from trialsim.inference.attained import Reading, TwoStage
from trialsim.inference.design_text import design_words
from trialsim.inference.estimators import ESTIMATORS
from trialsim.inference.intervals import (
    BETWEEN,
    INTERVAL_WORDS,
    INTERVALS,
    LIMITS,
    coverage,
    least_coverage,
    one_sided,
)
from trialsim.inference.orderings import ORDERINGS, STAGEWISE, at_least, at_most, ranks, tied
from trialsim.inference.outcomes import Outcomes, outcomes_of
from trialsim.inference.posterior import JEFFREYS, Posterior, posterior


@dataclass(frozen=True)
class AnalysisPlan:
    """What is asked of an analysis, and which numbers are the primary ones.

    Attributes:
        p0, p1: unacceptable and desirable rate; without p0 there is no p-value.
        confidence, prior: of the intervals; a and b of the Beta prior.
        estimate, interval, ordering: the primary estimate and interval, and the ordering of the primary p-value
            (docs/decisions/0012-primary-analysis.md).
        two_sided: whether two-sided p-values are worked out, and the primary one is two-sided.
        one_sided: "lower" or "upper": intervals with that limit only, at the whole level; "" for both limits.
    """

    p0: float | None = None
    p1: float | None = None
    confidence: float = 0.95
    estimate: str = "umvue"
    interval: str = "stagewise"
    ordering: str = STAGEWISE
    prior: tuple[float, float] = JEFFREYS
    two_sided: bool = False
    one_sided: str = ""

    def __post_init__(self) -> None:
        for name, rate in (("p0", self.p0), ("p1", self.p1)):
            if rate is not None and not 0 < rate < 1:
                raise DesignError(f"{name} = {rate:g} must lie between 0 and 1 (a rate, not a percentage)")
        if self.p0 is not None and self.p1 is not None and self.p1 <= self.p0:
            raise DesignError(
                f"the desirable rate p1 = {self.p1:g} must be above the unacceptable rate p0 = {self.p0:g}"
            )
        if not 0 < self.confidence < 1:
            raise DesignError(f"confidence = {self.confidence:g} must lie between 0 and 1, such as 0.95")
        if self.one_sided not in ("", *LIMITS):
            raise DesignError(
                f"one_sided = {self.one_sided!r} is not known; there are {', '.join(LIMITS)}: the limit that is kept"
            )
        if self.one_sided and self.confidence <= 0.5:
            raise DesignError(
                f"confidence = {self.confidence:g}: a one-sided interval needs more than 0.5, such as 0.95"
            )
        if self.two_sided and self.p0 is None:
            raise DesignError("a two-sided p-value needs p0, which is not stated: --p0")
        if fault := prior_fault(self.prior):
            raise DesignError(fault)
        for what, there_are in (("estimate", ESTIMATORS), ("interval", INTERVALS), ("ordering", ORDERINGS)):
            if (name := getattr(self, what)) not in there_are:
                raise DesignError(f"{what} {name!r} is not known; there are {', '.join(there_are)}")


UNDECIDED = "no decision by the planned cut-off"
"""Of a trial that ended with another n than its last cut-off was planned for."""


@dataclass(frozen=True)
class Planned:
    """A design as it was planned."""

    looks: Looks


@dataclass(frozen=True)
class Interval:
    """A confidence interval, and the coverage that the method really has at p0, at p1 and at least.

    A one-sided one ends at 1 or begins at 0.
    """

    name: str
    words: str
    low: float | None
    high: float | None
    coverage_p0: float | None
    coverage_p1: float | None
    least_coverage: float


@dataclass(frozen=True)
class PValue:
    """P(an outcome at least as much in favour, if the rate is p0) under a named ordering; and its mid-p.

    ``two_sided``: twice the smaller of this and of P(an outcome at most as much in favour), at most 1; None where it is
    not asked for.
    """

    ordering: str
    p: float
    mid_p: float
    two_sided: float | None = None

    @property
    def asked(self) -> float:
        """The two-sided one where that is asked for, else the one-sided one."""
        return self.p if self.two_sided is None else self.two_sided

    def to_dict(self) -> dict[str, Any]:
        """As plain data; without what was not asked for."""
        return {key: value for key, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class PatientsAnalysis:
    """One set of patients, analysed with its design; each number is worked out when it is asked for.

    Attributes:
        patients: which patients these are.
        looks, look: the design at the attained sizes, and the look (from 0) at which the trial ended.
        n, x, x1: patients, responses, and responses at the first look (None: unreported).
        planned: sizes and cut-offs as planned, where the attained sizes differ.
        cut_off: what the last planned cut-off is worth at the attained n, where that differs.
        enrolled: whether these are the first n patients in enrolment order, none left out.
        fixed: of a number of patients that no look decided.
    """

    patients: str
    looks: Looks
    look: int
    n: int
    x: int
    x1: int | None
    plan: AnalysisPlan
    decision: str
    planned: TwoStage | Planned | None = None
    readings: tuple[Reading, ...] = ()
    notes: tuple[str, ...] = ()
    cut_off: str = ""
    enrolled: bool = True
    fixed: bool = False

    @cached_property
    def _outcomes(self) -> tuple[Outcomes, int]:
        outcomes = outcomes_of(self.looks)
        return outcomes, outcomes.find(self.look, self.x)

    @cached_property
    def estimates(self) -> dict[str, float]:
        """Every estimate of the response rate by name."""
        outcomes, here = self._outcomes
        return {name: float(estimate(outcomes)[here]) for name, estimate in ESTIMATORS.items()}

    @cached_property
    def p_values(self) -> tuple[PValue, ...]:
        """P-values, the primary ordering first; none where p0 is not stated."""
        return tuple(_p_values(*self._outcomes, self.plan))

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """Every interval, with the coverage that its method has."""
        return tuple(_interval(*self._outcomes, self.plan, name) for name in INTERVALS)

    @cached_property
    def posterior(self) -> Posterior:
        """What the prior and the counts say."""
        plan = self.plan
        return posterior(self.n, self.x, prior=plan.prior, confidence=plan.confidence, p0=plan.p0, p1=plan.p1)

    @property
    def design(self) -> str:
        """The design that the analysis counts the ends of, in words."""
        return f"{self.n} patients, a fixed number" if self.fixed else design_words(self.looks)

    @property
    def estimate(self) -> float:
        """The primary estimate."""
        return self.estimates[self.plan.estimate]

    @cached_property
    def interval(self) -> Interval:
        """The primary interval."""
        return _interval(*self._outcomes, self.plan, self.plan.interval)

    @property
    def p_value(self) -> float | None:
        """The primary p-value, two-sided where that is asked for; None where p0 is not stated."""
        return self.p_values[0].asked if self.p_values else None

    @cached_property
    def anytime_test(self) -> Test | None:
        """A test without planned looks, at a level of 1 - confidence; None without p0, or with patients left out."""
        plan = self.plan
        if plan.p0 is None or not self.enrolled:
            return None
        p1 = None if plan.p1 is None else decimal(plan.p1)
        return Test(decimal(plan.p0), p1, 1 - decimal(plan.confidence))

    @cached_property
    def anytime(self) -> Anytime | None:
        """What it says of these counts."""
        test = self.anytime_test
        return None if test is None else after_counts(test, self.n, self.x)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a number: patients, kind, name, ordering, value, low, high, and what is known of its coverage."""
        head = {"patients": self.patients, "n": self.n, "responses": self.x}
        rows: list[dict[str, Any]] = [
            {"kind": "estimate", "name": name, "value": value} for name, value in self.estimates.items()
        ]
        for p in self.p_values:
            rows.append({"kind": "p_value", "name": "p", "ordering": p.ordering, "value": p.p})
            rows.append({"kind": "p_value", "name": "mid_p", "ordering": p.ordering, "value": p.mid_p})
            if p.two_sided is not None:
                row = {"name": "two_sided", "ordering": p.ordering, "value": p.two_sided}
                rows.append({"kind": "p_value", **row})
        for i in self.intervals:
            rows.append(
                {"kind": "interval", **{key: value for key, value in vars(i).items() if key != "words"}}
            )
        post = vars(self.posterior)
        for name in ("mean", "median", "equal_tail", "hpd", "above_p0", "above_p1"):
            found = post[name]
            known = (
                dict(zip(("low", "high"), found, strict=True))
                if isinstance(found, tuple)
                else {"value": found}
            )
            rows.append({"kind": "posterior", "name": name, **known})
        for r in self.readings:
            rows.append(
                {"kind": "attained_sizes", "name": r.method, "ordering": r.ordering, "value": r.p_value}
            )
        return [head | row for row in rows]

    def to_dict(self) -> dict[str, Any]:
        """The analysis, ready for JSON."""
        return {
            "patients": self.patients,
            "design": self.design,
            "looks": list(self.looks.n),
            "planned": design_words(self.planned.looks) if self.planned else None,
            "n": self.n,
            "responses": self.x,
            "stage1_responses": self.x1,
            "ended_at_look": self.look + 1,
            "decision": self.decision,
            **{key: getattr(self.plan, key) for key in ("p0", "p1", "confidence", "ordering")},
            "primary": {
                "estimate": {"name": self.plan.estimate, "value": self.estimate},
                "interval": {key: getattr(self.interval, key) for key in ("name", "low", "high")},
                "p_value": {
                    "ordering": self.plan.ordering,
                    "value": self.p_value,
                    **({"two_sided": True} if self.plan.two_sided else {}),
                },
            },
            "estimates": self.estimates,
            "p_values": [p.to_dict() for p in self.p_values],
            "intervals": [vars(i) for i in self.intervals],
            "posterior": vars(self.posterior),
            "attained_sizes": [vars(r) for r in self.readings],
            "anytime": self.anytime and self.anytime.to_dict(),
            "notes": list(self.notes),
            **({"planned_cut_off": self.cut_off} if self.cut_off else {}),
            **({"one_sided": self.plan.one_sided} if self.plan.one_sided else {}),
        }


def ended(looks: Looks, n: int | None, x: int, look: int | None) -> int:
    """The look (from 0) at which a trial with x responses ended."""
    if x < 0 or x > (n if n is not None else looks.planned_n):
        raise DesignError(f"{counted(x)} among {n if n is not None else looks.planned_n} patients cannot be")
    outcomes = outcomes_of(looks)
    if look is None and n is not None:
        look = looks.n.index(n)
    ways = [k for k in range(len(looks.n)) if outcomes.find(k, x) >= 0]
    if look is not None:
        if look in ways:
            return look
        raise DesignError(_impossible(looks, look, x))
    if len(ways) != 1:
        where = " or ".join(str(looks.n[k]) for k in ways)
        raise DesignError(
            f"a trial of this design may end with {counted(x)} among {where} patients: state the number analysed"
            if ways
            else f"no trial of this design ends with {counted(x)}"
        )
    return ways[0]


def _impossible(looks: Looks, look: int, x: int) -> str:
    n = looks.n[look]
    said = f"a trial of this design does not end with {counted(x)} among {n} patients"
    if x <= n and looks.next[look][x] >= 0:
        return f"{said}: it goes on to {looks.n[looks.next[look][x]]}"
    if x > n:
        return f"{said}: there are too few"
    more = ""
    if look == 1 and x < len(looks.next[0]) and looks.next[0][x] < 0:
        more = (
            f". If stage 1 was decided at another number than {looks.n[0]}, state --stage1-n; if it stopped with more "
            "patients enrolled, --overrun and --stage1"
        )
    return f"{said}: it would have ended at an earlier look{more}"


def analysis(
    looks: Looks, look: int, plan: AnalysisPlan, patients: str, x: int, x1: int | None
) -> PatientsAnalysis:
    """The analysis of x responses at the look at which the trial ended."""
    return PatientsAnalysis(
        patients, looks, look, looks.n[look], x, x if look == 0 else x1, plan, _decision(looks, look, x)
    )


def _decision(looks: Looks, look: int, x: int) -> str:
    word = DECISION_WORDS[looks.next[look][x]]
    if word == "futile":
        return "no go" if look == len(looks.n) - 1 else "stop for futility"
    return word


def _p_values(outcomes: Outcomes, here: int, plan: AnalysisPlan) -> Sequence[PValue]:
    if plan.p0 is None:
        return []
    pmf = outcomes.pmf(plan.p0)
    names = [plan.ordering, *(name for name in ORDERINGS if name != plan.ordering)]
    found = []
    for name in names:
        place = ranks(outcomes, name)
        p = float(at_least(pmf, place)[0, here])
        both = min(2 * min(p, float(at_most(pmf, place)[0, here])), 1.0) if plan.two_sided else None
        found.append(PValue(name, p, p - float(tied(pmf, place)[0, here]) / 2, both))
    return found


def _interval(outcomes: Outcomes, here: int, plan: AnalysisPlan, name: str) -> Interval:
    limits = one_sided(INTERVALS[name], plan.one_sided)(outcomes, plan.confidence)
    low, high = (None if math.isnan(end[here]) else float(end[here]) for end in limits)
    at = [
        None if p is None else float(coverage(outcomes, limits, np.array([p]))[0]) for p in (plan.p0, plan.p1)
    ]
    least = least_coverage(outcomes, limits, BETWEEN)
    return Interval(name, INTERVAL_WORDS[name], low, high, at[0], at[1], least)


def counted(x: int) -> str:
    """1 response, 2 responses."""
    return f"{x} response" if x == 1 else f"{x} responses"
