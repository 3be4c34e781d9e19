"""What may be written under ``history`` (what is known of the control's rate) and ``prior`` (what the drug may be)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from trialsim.designs.exactly import decimal
from trialsim.designs.mixtures import JEFFREYS, Mixture
from trialsim.designs.spec import AsTuple, OpenProbability, Probability, Spec, impossible
from trialsim.designs.spec import Prior as Beta
from trialsim.scenario.cases import OddsRatio
from trialsim.scenario.values import Count, Rates, Text, listed

if TYPE_CHECKING:
    from trialsim.scenario.model import Scenario

NEAR_ONE = 1e-9
"""How far from 1 the sum of stated weights may be."""

MAX_PARTS, MAX_POINTS = 20, 100

Weight = Annotated[float, Field(gt=0, le=1)]


class Part(Spec):
    """One Beta distribution of a mixture."""

    weight: Weight = Field(
        description="its share; the weights of all parts add up to 1", title="weight of a part of the mixture"
    )
    beta: Beta = Field(
        description="[a, b]: the belief left by a responses and b non-responses",
        title="Beta distribution of a part",
    )


Parts = Annotated[tuple[Part, ...], AsTuple, Field(min_length=2, max_length=MAX_PARTS)]


def check_weights(key: str, weights: Sequence[float]) -> None:
    """Refuse weights that do not add up to 1."""
    total = float(sum(decimal(weight) for weight in weights))
    if abs(total - 1) > NEAR_ONE:
        raise impossible(key, f"the weights add up to {total:.12g}, not 1")


def check_one_of(spec: Spec, keys: Sequence[str], what: str) -> str:
    """The one key of these that is stated; refuses none and several."""
    stated = [key for key in keys if getattr(spec, key) is not None]
    if len(stated) != 1:
        several = f"{', '.join(stated)} are stated" if stated else "none is"
        raise impossible("", f"one of {', '.join(keys)} states {what}; {several}")
    return stated[0]


class History(Spec):
    """What is known of the control: counts, or a Beta distribution, or a mixture of them. Never p0 and a size."""

    responses: Count | None = Field(
        None,
        description="responses among earlier patients on the control treatment: a count, not a rate",
        title="responses of the control's patients",
    )
    patients: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="how many earlier patients those were", title="patients on the control"
    )
    before: Beta | None = Field(
        None,
        description="[a, b] of the Beta prior that the counts are added to (default Jeffreys: [0.5, 0.5])",
        title="Beta prior of the control before its patients",
    )
    beta: Beta | None = Field(
        None,
        description="[a, b]: the Beta distribution of the control's rate, in place of counts",
        title="Beta distribution of the control's rate",
    )
    mixture: Parts | None = Field(
        None,
        description="a mixture of Beta distributions with weights, in place of counts",
        title="mixture of Beta distributions of the control's rate",
    )

    @model_validator(mode="after")
    def _possible(self) -> History:
        stated = check_one_of(self, ("responses", "beta", "mixture"), "what is known of the control")
        if stated != "responses":
            for key in ("patients", "before"):
                if getattr(self, key) is not None:
                    raise impossible(key, f"belongs to counts; here `{stated}` is stated")
        elif self.patients is None:
            raise impossible("patients", "missing: among how many patients were the responses seen?")
        elif self.responses is not None and self.responses > self.patients:
            raise impossible("responses", f"{self.responses} responses among {self.patients} patients")
        if self.mixture is not None:
            check_weights("mixture", [part.weight for part in self.mixture])
        return self

    @property
    def distribution(self) -> Mixture:
        """The distribution of the control's rate."""
        if self.responses is None or self.patients is None:
            return _mixture(self.beta, self.mixture)
        a, b = self.before or JEFFREYS
        return Mixture.of((1, a + self.responses, b + self.patients - self.responses))

    @property
    def of_the_same_mean(self) -> Mixture | None:
        """Of counts, the Beta distribution worth as many patients whose mean is the rate that was seen; else None."""
        if self.responses is None or self.patients is None or not 0 < self.responses < self.patients:
            return None
        return Mixture.of((1, self.responses, self.patients - self.responses))


class Above(Spec):
    """Active: better than a stated rate."""

    above: Probability = Field(
        description="a drug is active if its true response rate is above this",
        title="rate above which a drug is active",
    )


class Point(Spec):
    """One thing that the drug may be, and how probable that is."""

    weight: Weight = Field(
        description="its probability; the weights of all points add up to 1", title="prior weight"
    )
    response: Rates = Field(
        description="true response rate, one for all doses or one a dose", title="response rate of a point"
    )
    toxicity: Rates | None = Field(
        None,
        description="true toxicity rate, one for all doses or one a dose",
        title="toxicity rate of a point",
    )
    odds_ratio: OddsRatio = Field(
        1.0,
        description="association of response and toxicity (Plackett's global cross ratio); 1 = none",
        title="odds ratio of response and toxicity of a point",
    )
    note: Text | None = None

    def by_dose(self, key: str, levels: int) -> tuple[float, ...] | None:
        """The rates ``key`` as one number a dose level, or None where they are not stated."""
        value: float | tuple[float, ...] | None = getattr(self, key)
        return value if value is None or isinstance(value, tuple) else (value,) * levels


class Utility(Spec):
    """Utility = right_go P(go, active) - wrong_go P(go, not active) - patient E[N] - toxicity E[toxicities]."""

    right_go: Annotated[float, Field(ge=0, le=1e9)] = Field(
        description="gained by a go of an active drug", title="worth of a right go"
    )
    wrong_go: Annotated[float, Field(ge=0, le=1e9)] = Field(
        description="lost by a go of an inactive drug", title="loss of a wrong go"
    )
    patient: Annotated[float, Field(ge=0, le=1e9)] = Field(
        description="what each treated patient costs", title="cost of a patient"
    )
    toxicity: Annotated[float, Field(ge=0, le=1e9)] = Field(
        description="what each patient with toxicity costs besides", title="cost of a patient with toxicity"
    )


class DrugPrior(Spec):
    """What the drug may be: points with weights, or a distribution of one response rate at every dose."""

    points: Annotated[tuple[Point, ...], AsTuple, Field(min_length=1, max_length=MAX_POINTS)] | None = Field(
        None,
        description="what the drug may be, one by one, each with its weight",
        title="points of the prior",
    )
    beta: Beta | None = Field(
        None,
        description="[a, b]: Beta distribution of a response rate that is the same at every dose; toxicity as each "
        "case states it",
        title="Beta distribution of the drug's rate",
    )
    mixture: Parts | None = Field(
        None,
        description="a mixture of Beta distributions of that rate, in place of one",
        title="mixture of Beta distributions of the drug's rate",
    )
    active: Literal["at_least_p1", "above_p0"] | Above = Field(
        description="when a drug counts as active. at_least_p1: true response rate >= p1; above_p0: > p0; "
        "{above: c}: > c",
        title="definition of an active drug",
    )
    dose: Literal["start", "both", "last"] = Field(
        "start",
        description="the dose at which it must be so: the starting dose, both (all that are listed), or the last",
        title="dose at which a drug must be active",
    )
    tolerable: OpenProbability | None = Field(
        None,
        description="a drug must also have a true toxicity rate of at most this there to count as active",
        title="highest toxicity rate of an active drug",
    )
    utility: Utility | None = Field(
        None,
        description="what a go is worth, and what patients and harm cost; all four weights are stated",
        title="utility",
    )

    @model_validator(mode="after")
    def _possible(self) -> DrugPrior:
        check_one_of(self, ("points", "beta", "mixture"), "what the drug may be")
        if self.points is not None:
            check_weights("points", [point.weight for point in self.points])
        if self.mixture is not None:
            check_weights("mixture", [part.weight for part in self.mixture])
        return self

    @property
    def distribution(self) -> Mixture | None:
        """The distribution of the common response rate; None of points."""
        return None if self.points is not None else _mixture(self.beta, self.mixture)

    def cut(self, p0: float | None, p1: float | None) -> float:
        """The response rate that decides whether a drug is active."""
        stated = self.active.above if isinstance(self.active, Above) else None
        found = {"at_least_p1": p1, "above_p0": p0}.get(str(self.active), stated)
        assert found is not None
        return found

    def at_doses(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """The rates at the doses that count."""
        return {"start": rates[:1], "both": rates, "last": rates[-1:]}[self.dose]

    def is_active(self, response: tuple[float, ...], toxicity: tuple[float, ...] | None, cut: float) -> bool:
        """Whether a drug with these rates by dose is active; compared as the decimals that were written."""
        reached = self.active == "at_least_p1"
        for rate in map(decimal, self.at_doses(response)):
            if rate < decimal(cut) or (rate == decimal(cut) and not reached):
                return False
        return self.is_tolerable(toxicity)

    def is_tolerable(self, toxicity: tuple[float, ...] | None) -> bool:
        """Whether the toxicity rates at the doses that count allow a drug to be active."""
        if self.tolerable is None:
            return True
        assert toxicity is not None
        return all(decimal(rate) <= decimal(self.tolerable) for rate in self.at_doses(toxicity))

    def active_words(self, doses: tuple[str, ...], cut: float) -> str:
        """When a drug counts as active, in words."""
        relation = "is at least p1 =" if self.active == "at_least_p1" else "is above"
        named = " p0 =" if self.active == "above_p0" else ""
        place = ""
        if len(doses) > 1:
            every = "at both doses" if len(doses) == 2 else "at every dose"
            place = {"start": f" at {doses[0]}, the starting dose,", "both": f" {every}"}.get(
                self.dose, f" at {doses[-1]}, the last dose,"
            )
        harm = ""
        if self.tolerable is not None:
            there = {"start": "there ", "last": "there "}.get(self.dose, "at each ") if place else ""
            harm = f" and whose true toxicity rate {there}is at most {self.tolerable:g}"
        return f"a drug whose true response rate{place} {relation}{named} {cut:g}{harm}"


def _mixture(beta: tuple[float, float] | None, mixture: tuple[Part, ...] | None) -> Mixture:
    if mixture is not None:
        return Mixture.of(*((part.weight, *part.beta) for part in mixture))
    assert beta is not None
    return Mixture.of((1, *beta))


def check_prior(scenario: Scenario) -> None:
    """Refuse a prior that does not fit the rest of its scenario."""
    prior, design = scenario.prior, scenario.design
    if prior is None:
        return
    for meaning, rate in (("at_least_p1", "p1"), ("above_p0", "p0")):
        if prior.active == meaning and getattr(design, rate, None) is None:
            raise impossible("prior.active", f"`{meaning}` needs {rate}, which the design does not state")
    levels = len(scenario.doses)
    for k, point in enumerate(prior.points or ()):
        _check_point(scenario, point, f"prior.points.{k}")
    if prior.tolerable is not None and prior.points is None:
        for name, case in scenario.truth.items():
            if case.by_dose("toxicity", levels) is None:
                raise impossible("prior.tolerable", f"needs a toxicity rate in every case; `{name}` has none")


def _check_point(scenario: Scenario, point: Point, at: str) -> None:
    doses, prior, who = scenario.doses, scenario.prior, scenario.evaluability
    for key in ("response", "toxicity"):
        rates = getattr(point, key)
        if isinstance(rates, tuple) and len(rates) != len(doses):
            raise impossible(f"{at}.{key}", f"{len(rates)} rates for {len(doses)} doses ({listed(doses)})")
    rule = scenario.dose_reduction.kind if scenario.dose_reduction else "none"
    if point.toxicity is None:
        needed = {
            f"the toxicity rule `{rule}`": rule not in ("none", "amendment"),
            f"the design `{scenario.design.kind}`": getattr(scenario.design, "watches_toxicity", False),
            "an odds ratio": point.odds_ratio != 1,
            "`tolerable`": prior is not None and prior.tolerable is not None,
        }
        if why := next((what for what, needs in needed.items() if needs), ""):
            raise impossible(at, f"{why} needs a toxicity rate in every point")
    highest = max(point.by_dose("response", len(doses)) or (0.0,))
    if who.inevaluable == "nonresponders" and highest > who.probability:
        raise impossible(
            f"{at}.response",
            f"response rate {highest:g} exceeds the evaluable share {who.probability:g}, although inevaluable patients "
            "are all non-responders",
        )
