"""Which rates the figures show: where axes end, and where trials are simulated beside the exact curves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from trialsim.designs.binomial import clopper_pearson
from trialsim.engine.curves import design_alone
from trialsim.engine.exact import distribution
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario

ENDS = (0.02, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 1.0)
"""Where an axis of rates may end."""

AS_GOOD_AS_NEVER, AS_GOOD_AS_SURE = 0.002, 0.99


@dataclass(frozen=True)
class Observed:
    """The observed response rate with its 95% Clopper-Pearson interval."""

    count: int
    denominator: int
    unit: str
    low: float
    high: float

    @property
    def rate(self) -> float:
        """Responses over patients."""
        return self.count / self.denominator


@dataclass(frozen=True)
class Ranges:
    """The axes' ends, the rates the design speaks of (None where it states none) and the observed one.

    ``response`` is where that axis begins and ends, ``toxicity`` where the other ends.
    """

    response: tuple[float, float]
    toxicity: float
    p0: float | None
    p1: float | None
    observed: Observed | None

    @property
    def marked(self) -> list[float]:
        """Rates whose exact values are named in a figure or in its words."""
        observed = self.observed.rate if self.observed else None
        return [p for p in (self.p0, self.p1, observed) if p is not None and self.shows(p)]

    def shows(self, rate: float | None) -> bool:
        """Whether a rate is within the axis of response rates."""
        return rate is not None and self.response[0] <= rate <= self.response[1]

    @property
    def simulated(self) -> list[float]:
        """Rates to simulate: at p0 and p1 and between and about them, or spread evenly."""
        low, high = self.response
        if self.p0 is None or self.p1 is None:
            return [low + (high - low) * k / 6 for k in range(1, 6)]
        rates = {(low + self.p0) / 2, self.p0, (self.p0 + self.p1) / 2, self.p1, (self.p1 + high) / 2}
        return sorted(filter(self.shows, rates))

    @property
    def finely(self) -> list[float]:
        """Nine rates to simulate: below p0, at p0, three between, at p1 and above, or spread evenly."""
        low, high = self.response
        if self.p0 is None or self.p1 is None:
            return [low + (high - low) * k / 10 for k in range(1, 10)]
        between = {self.p0 + (self.p1 - self.p0) * k / 4 for k in range(5)}
        above = {self.p1 + (high - self.p1) * k / 4 for k in range(1, 4)}
        return sorted(filter(self.shows, between | above | {(low + self.p0) / 2}))


def ranges(trial: Compiled) -> Ranges:
    """The ranges that show every rate a scenario speaks of, and the design from almost never to almost always go."""
    scenario = trial.scenario
    p0, p1 = (getattr(scenario.design, key, None) for key in ("p0", "p1"))
    observed = _observed(scenario)
    alone = design_alone(trial.rules)

    def p_go(rate: float) -> float:
        return distribution(alone.rules, alone.at(rate)).values["p_go"]

    surely = (p for p in ENDS if p_go(p) >= AS_GOOD_AS_SURE)
    top = max(
        next(surely, 1.0),
        1.15 * (p1 or 0.0),
        1.1 * _rate(scenario, "response", max),
        1.02 * observed.high if observed else 0.0,
    )
    top = _end(top)
    if scenario.evaluability.inevaluable == "nonresponders":
        # patients who would not have responded leave room for no higher rate
        top = min(top, scenario.evaluability.probability)
    of_interest = [p0, observed.low if observed else None, _rate(scenario, "response", min)]
    lowest = 0.9 * min(p for p in of_interest if p is not None)
    # an axis that begins at 0 is easier to read: it begins later only if a third of it would show nothing
    starts = [p for p in ENDS if top / 3 <= p <= lowest and p_go(p) <= AS_GOOD_AS_NEVER]
    return Ranges(
        (max(starts, default=0.0), top), _end(1.25 * _rate(scenario, "toxicity", max)), p0, p1, observed
    )


def _observed(scenario: Scenario) -> Observed | None:
    """Responses among the patients whom the assumed rate speaks of, as far as both are known."""
    seen = scenario.observed
    if seen is None or seen.responses is None:
        return None
    if scenario.evaluability.inevaluable == "nonresponders" and seen.treated:
        denominator, unit = seen.treated, "treated"
    elif seen.evaluable:
        denominator, unit = seen.evaluable, "evaluable"
    else:
        return None
    return Observed(seen.responses, denominator, unit, *clopper_pearson(seen.responses, denominator))


def _rate(scenario: Scenario, key: str, which: Callable[[Iterable[float]], float]) -> float:
    """The highest or lowest rate that any case assumes at any dose."""
    return which(which(case.by_dose(key, len(scenario.doses)) or (0.0,)) for case in scenario.truth.values())


def _end(rate: float) -> float:
    return next((end for end in ENDS if end >= rate - 1e-9), 1.0)
