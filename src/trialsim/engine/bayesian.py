"""Bayesian operating characteristics: how far to believe a go, given how probable it was that the drug works.

G is a go, A that the drug is active as the scenario defines it, "no go" every other end. Sums over points, or averages
of the exact chain over Beta distributions; by the design alone, and as conducted with every outcome known at once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from trialsim.designs.alone import alone as design_alone
from trialsim.designs.by_rate import en_by_rate, go_by_rate, too_many_counts
from trialsim.designs.mixtures import Mixture
from trialsim.engine.along_rates import (
    Curve,
    Group,
    curves,
    go_along,
    groups_of,
    no_chain,
    values_of,
    why_not,
)
from trialsim.scenario.believed import DrugPrior, Point
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.truth import Rates, Strata

ROUNDING = 1e-13
"""A probability found as a difference that is smaller than this is none."""


@dataclass(frozen=True)
class Numbers:
    """The Bayesian operating characteristics of one trial; None is a conditional on what has probability 0.

    Attributes:
        assurance: P(go); p_go_and_active is another number.
        average_type_i_error: P(go | not active): a mean over the prior, no bound.
        error, error_of_means: numerical error of the probabilities, and of EN and toxicities; 0 in closed form.
    """

    p_active: float
    assurance: float
    p_go_and_active: float
    p_go_and_inactive: float
    p_active_given_go: float | None
    p_inactive_given_go: float | None
    p_active_given_no_go: float | None
    average_type_i_error: float | None
    average_power: float | None
    en: float
    toxicities: float | None
    utility: float | None = None
    error: float = 0.0
    error_of_means: float = 0.0


@dataclass(frozen=True)
class OverPrior:
    """What the prior of the drug makes of a go.

    Attributes:
        cut: the response rate that decides whether a drug is active.
        active: the definition in words.
        conducted: as conducted; for each toxicity that cases assume (points state their own: no group).
    """

    prior: DrugPrior
    cut: float
    active: str
    alone: Numbers | None
    conducted: tuple[tuple[Group | None, Numbers], ...]
    not_conducted: str

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        stated = self.prior.distribution
        return {
            "points": None
            if stated
            else [point.model_dump(mode="json") for point in self.prior.points or ()],
            "distribution": str(stated) if stated else None,
            "active": {
                "definition": self.prior.active if isinstance(self.prior.active, str) else "above",
                "cut": self.cut,
                "dose": self.prior.dose,
                "tolerable": self.prior.tolerable,
                "words": self.active,
            },
            "utility": self.prior.utility and self.prior.utility.model_dump(mode="json"),
            "alone": self.alone and asdict(self.alone),
            "conducted": [
                {**(asdict(group) if group else {"cases": None}), **asdict(found)}
                for group, found in self.conducted
            ],
            "not_conducted": self.not_conducted or None,
        }


def over_prior(trial: Compiled, prior: DrugPrior | None = None) -> OverPrior | None:
    """What a prior of the drug, by default the scenario's, makes of a go; None where it states none."""
    scenario = trial.scenario
    prior = prior or scenario.prior
    if prior is None:
        return None
    cut = prior.cut(scenario.design.p0, getattr(scenario.design, "p1", None))
    words = prior.active_words(scenario.doses, cut)
    if prior.points is not None:
        reason = no_chain(trial)
        alone = _points(trial, prior, cut, alone=True)
        found = () if reason else ((None, _points(trial, prior, cut, alone=False)),)
        return OverPrior(prior, cut, words, alone, found, reason)
    reason = why_not(trial)
    groups = () if reason else groups_of(trial)
    conducted = tuple((group, _conducted(trial, prior, cut, group)) for group in groups)
    return OverPrior(prior, cut, words, _alone(trial, prior, cut), conducted, reason)


def _points(trial: Compiled, prior: DrugPrior, cut: float, *, alone: bool) -> Numbers:
    """Sums over points; the design alone has one response rate, that of the starting dose."""
    assert prior.points is not None
    looks, levels = trial.rules.looks, len(trial.scenario.doses)
    total = sum(point.weight for point in prior.points)
    active = go_active = go_inactive = en = toxicities = 0.0
    for point in prior.points:
        response, toxicity = point.by_dose("response", levels), point.by_dose("toxicity", levels)
        assert response is not None
        weight = point.weight / total
        if alone:
            itself = design_alone(looks, response[0])
            go, n, harmed = itself.p_go, itself.en, 0.0
        else:
            values = values_of(trial, _strata(trial, point))
            go, n, harmed = values["p_go"], values["en"], values["toxicities"]
        if prior.is_active(response, toxicity, cut):
            active, go_active = active + weight, go_active + weight * go
        else:
            go_inactive += weight * go
        en, toxicities = en + weight * n, toxicities + weight * harmed
    known = not alone and any(point.toxicity is not None for point in prior.points)
    return _numbers(prior, active, go_active, go_inactive, en, toxicities if known else None)


def _strata(trial: Compiled, point: Point) -> Strata:
    """A point as the truth of every stratum."""
    scenario, levels = trial.scenario, len(trial.scenario.doses)
    base = next(iter(trial.strata.values()))
    response = point.by_dose("response", levels)
    assert response is not None
    rates = Rates(
        response,
        point.by_dose("toxicity", levels) or (0.0,) * levels,
        point.odds_ratio,
        scenario.evaluability.probability,
        scenario.evaluability.inevaluable == "nonresponders",
    )
    return replace(base, rates=(rates,) * len(base.rates))


def _alone(trial: Compiled, prior: DrugPrior, cut: float) -> Numbers | None:
    """By the design alone, in closed form; None where its looks are too many, or it takes toxicity to be active."""
    looks, stated = trial.rules.looks, prior.distribution
    assert stated is not None
    if too_many_counts(looks) or prior.tolerable is not None:
        return None
    return _cut(prior, stated, cut, go_by_rate(looks), en_by_rate(looks).mean(stated), None)


def _conducted(trial: Compiled, prior: DrugPrior, cut: float, group: Group) -> Numbers:
    """As conducted, with the toxicity that these cases assume."""
    stated = prior.distribution
    assert stated is not None
    go, error, _ = go_along(trial, group)
    means = curves(trial, group)
    toxicities = means["toxicities"].mean(stated) if group.toxicity is not None else None
    tolerable = prior.is_tolerable(group.toxicity)
    found = _cut(prior, stated, cut, go, means["en"].mean(stated), toxicities, tolerable=tolerable)
    return replace(found, error=error, error_of_means=max(means["en"].error, means["toxicities"].error))


def _cut(
    prior: DrugPrior,
    stated: Mixture,
    cut: float,
    go: Curve,
    en: float,
    toxicities: float | None,
    *,
    tolerable: bool = True,
) -> Numbers:
    """From P(go) along response rates, split at the rate above which a drug is active."""
    above, below = go.mean_above(stated, cut), go.mean_below(stated, cut)
    if not tolerable:
        return _numbers(prior, 0.0, 0.0, above + below, en, toxicities)
    return _numbers(prior, stated.above(cut), above, below, en, toxicities)


def _numbers(
    prior: DrugPrior, active: float, go_active: float, go_inactive: float, en: float, toxicities: float | None
) -> Numbers:
    go = go_active + go_inactive

    def given(part: float, whole: float) -> float | None:
        return min(max(part / whole, 0.0), 1.0) if whole > ROUNDING else None

    utility = None
    if (worth := prior.utility) is not None and (toxicities is not None or worth.toxicity == 0):
        gained = worth.right_go * go_active - worth.wrong_go * go_inactive
        utility = gained - worth.patient * en - worth.toxicity * (toxicities or 0.0)
    return Numbers(
        p_active=active,
        assurance=go,
        p_go_and_active=go_active,
        p_go_and_inactive=go_inactive,
        p_active_given_go=go_active / go if go > 0 else None,
        p_inactive_given_go=go_inactive / go if go > 0 else None,
        p_active_given_no_go=given(active - go_active, 1 - go),
        average_type_i_error=given(go_inactive, 1 - active),
        average_power=go_active / active if active > 0 else None,
        en=en,
        toxicities=toxicities,
        utility=utility,
    )
