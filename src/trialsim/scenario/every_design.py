"""What the designs of a scenario, its own and those of its cohorts, have to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialsim.designs.registry import Design
from trialsim.designs.spec import impossible

if TYPE_CHECKING:
    from trialsim.scenario.model import Scenario


def check_design(scenario: Scenario, place: str, design: Design) -> None:
    """Refuse a design, stated at this place, that does not fit the rest of its scenario."""
    _check_sizes(scenario, place, design)
    _check_toxic_looks(scenario, design)


def _check_sizes(scenario: Scenario, place: str, design: Design) -> None:
    """What would come after the last patient of a trial whose size is stated."""
    n = design.stated_size()
    if n is None:
        return
    first = getattr(design, "min_n", None)
    if first is not None and first > n and "min_n" in design.model_fields_set:
        raise impossible(f"{place}.min_n", f"no look comes after {first} of {n} patients; at most {n}")
    if scenario.dose_reduction is None or scenario.evaluability.replaced:
        return  # with replacement more than n may be treated
    scenario.dose_reduction.check_size(
        n
        * (
            len(scenario.cohorts.names)
            if scenario.cohorts and scenario.own_rules and not scenario.apart
            else 1
        )
    )


def _check_toxic_looks(scenario: Scenario, design: Design) -> None:
    """What does not go with looks that stop for toxicity (docs/design.md, "Who is counted")."""
    if not getattr(design, "watches_toxicity", False):
        return
    if scenario.evaluability.replaced:
        raise impossible(
            "evaluability.replaced",
            "not possible where looks count toxicities: those are of treated patients, whose number at a look "
            "would be left to chance",
        )
    if scenario.on_dose_change == "new_dose_only":
        raise impossible(
            "dose_reduction.on_dose_change",
            "`new_dose_only` is not possible where looks count toxicities: its verdict on the patients at the new "
            "dose has a cut-off for responses only",
        )


def check_designs(scenario: Scenario) -> None:
    """Refuse what speaks of one design where cohorts have their own."""
    if not scenario.designs:
        return
    weighs = scenario.conduct is not None and scenario.conduct.pending != "wait"
    for key, stated, what in (
        ("conduct.pending", weighs, "looks that weigh pending patients are made from one design"),
        ("prior", scenario.prior is not None, "what a prior makes of a go is worked out for one design"),
        ("history", scenario.history is not None, "doubt about p0 is worked out for one design"),
    ):
        if stated:
            raise impossible(key, f"not defined with `cohorts.designs`: {what}")


def of_cohort(scenario: Scenario, cohort: str) -> Scenario:
    """The trial of a cohort by itself, where cohorts share nothing: everybody who arrives belongs to it."""
    assert scenario.cohorts is not None and scenario.apart
    members = [s for s in scenario.strata if s.cohort_name == cohort]
    truth, cohorts = scenario.truth, None
    if len(members) == 1:
        truth = {name: case.within(members[0].name, cohort) for name, case in truth.items()}
    else:
        cohorts = scenario.cohorts.pooled(members)
    design, sources = scenario.designs.get(cohort, scenario.design), scenario.sources
    if cohort in scenario.cohorts.designs:
        place = f"cohorts.designs.{cohort}"
        sources = {k: v for k, v in sources.items() if k.partition(".")[0] != "design"}
        sources |= {k.replace(place, "design"): v for k, v in sources.items() if k.startswith(place)}
    known = {"design": design, "cohorts": cohorts, "truth": truth, "sources": sources}
    return scenario.model_copy(update=known)


def without_own(scenario: Scenario) -> str:
    """The first cohort that runs the scenario's own design."""
    assert scenario.cohorts is not None
    return next(name for name in scenario.cohorts.names if name not in scenario.cohorts.designs)


def design_alone(scenario: Scenario) -> str:
    """What a curve of the design by itself is called."""
    if not scenario.own_rules:
        return "design alone"
    if scenario.designs:
        return f"design alone, cohort {without_own(scenario)}"
    return f"design alone, one {'dose' if scenario.from_start else 'cohort'}"
