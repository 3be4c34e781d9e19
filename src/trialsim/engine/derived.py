"""Exact numbers that only the report asks for: the design alone, what the toxicity rule costs, how often it acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trialsim.codes import CONSIDER, CONTINUE, FUTILE, GO, NEVER, STOP
from trialsim.designs.crossing import crossing_probability
from trialsim.designs.rules import Looks, Monitor, Rules
from trialsim.engine.exact import distribution, out_of_reach
from trialsim.engine.operating import not_exact
from trialsim.engine.patients import rates_by_dose
from trialsim.results import Estimate, OperatingCharacteristics
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import of_a_cohort, watched_groups
from trialsim.scenario.model import Scenario
from trialsim.scenario.truth import Cells, Rates

AROUND_LIMIT = (-0.10, -0.05, 0.0, 0.05, 0.10, 0.15)
"""Where, relative to its limit, the crossing probability of a toxicity rule is printed."""

WITHOUT_LIMIT = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
"""Where it is printed for a rule that names no limit."""


def alone(looks: Looks, p: float) -> dict[str, float]:
    """What the table of looks does alone: every patient evaluable, the same response rate, no toxicity rule."""
    never = (NEVER,) * (looks.planned_n + 1)
    rules = Rules(looks, Monitor((never,), (0,), (CONTINUE,)), False, looks.planned_n)
    return distribution(rules, Rates((p,), (0.0,))).values


def more_responses_never_hurt(looks: Looks) -> bool:
    """Whether turning any non-response into a response can only help a go, shown look by look.

    True where no decision skips a look and the decisions of every look go up with the responses, from futile over
    the next look to go. False means only that this argument does not apply.
    """
    order = {FUTILE: 0, CONSIDER: 1, GO: 3}
    for k, row in enumerate(looks.next):
        if any(decision > k + 1 for decision in row):
            return False
        ranks = [order.get(decision, 2) for decision in row]
        if ranks != sorted(ranks):
            return False
    return True


def no_bound_because(scenario: Scenario, rules: Rules, *, in_a_cohort: bool = False) -> str:
    """Why P(go) is not known to stay below the attained type I error; "" where it does (docs/pooled-test.md).

    ``in_a_cohort``: the same of a go in one cohort with rules of its own.
    """
    if scenario.design.p0 is None:
        return "the scenario states no p0"
    if not more_responses_never_hurt(rules.looks):
        return "in this table of decisions more responses do not plainly make a go more likely"
    if scenario.conduct is not None and scenario.conduct.pending == "weigh_follow_up":
        return (
            "interim looks weigh pending patients, and may let a trial go on that a look at every outcome would have "
            "stopped"
        )
    if scenario.on_dose_change == "new_dose_only":
        return (
            "after a dose change only the patients at the new dose are analysed, and how many they are depends on what "
            "was seen before"
        )
    if scenario.on_dose_change == "restart":
        return (
            "looks may begin again at a new dose, a second chance of a go: P(go) is that of a go at any dose"
        )
    if scenario.own_rules and not in_a_cohort:
        each, of = ("dose", "for") if scenario.from_start else ("cohort", "in")
        return (
            f"each {each} has looks of its own, so there are several chances of a go: P(go) is that of a go {of} at "
            f"least one {each}"
        )
    evaluability = scenario.evaluability
    if evaluability.replaced and evaluability.inevaluable == "nonresponders" and evaluability.probability < 1:
        return (
            "inevaluable patients, none of whom would have responded, are replaced: the patients who are counted "
            "are then a selection in favour of responders"
        )
    return ""


def costs(trial: Compiled) -> dict[str, dict[str, float | None]]:
    """By case: P(go), EN and toxicities with the toxicity rule as stated, and without parts of it, outcomes at once.

    ``continued`` goes on when the rule would stop the trial; ``without`` leaves every patient at the
    starting dose. None where there is no exact answer.
    """
    found = {}
    for name in trial.scenario.truth:
        # where each cohort is a trial there is no chain of all together
        known = not trial.scenario.apart and not not_exact(trial, name)
        found[name] = _costs(trial.rules, trial.truth(name) if known else None)
    return found


def costs_by_cohort(trial: Compiled) -> dict[str, list[dict[str, Any]]]:
    """The same of each cohort, where cohorts share nothing; those that are alike together, by their names."""
    count, found = len(trial.cohorts), {}
    for name in trial.scenario.truth:
        known = not not_exact(trial, name)
        alike: dict[tuple[Rules, Rates | Cells], list[str]] = {}
        for c, (cohort, truth) in enumerate(zip(trial.cohorts, trial.by_cohort(name), strict=True)):
            alike.setdefault((of_a_cohort(trial.rules, count, c), truth), []).append(cohort)
        found[name] = [
            {"cohorts": cohorts, **_costs(rules, truth if known else None)}
            for (rules, truth), cohorts in alike.items()
        ]
    return found


def _costs(rules: Rules, truth: Rates | Cells | None) -> dict[str, float | None]:
    """Those of one trial under one truth; None everywhere without it."""
    monitor = rules.monitor
    never = (NEVER,) * (rules.max_treated + 1)
    # a boundary that only stops is only watched; one that lowers the dose or stops lowers it
    watched = [CONTINUE if action == STOP else action for action in monitor.action]
    act_ge = tuple(never if a == STOP else b for a, b in zip(monitor.action, monitor.act_ge, strict=True))
    continued = replace(
        rules,
        monitor=Monitor((*act_ge[:-1], never), monitor.at_enrolled, (*watched[:-1], CONTINUE)),
    )
    without = replace(rules, monitor=Monitor((never,), (0,), (CONTINUE,)))
    row: dict[str, float | None] = {}
    for label, twin in (("stated", rules), ("continued", continued), ("without", without)):
        values = None
        if truth is not None and not out_of_reach(twin):
            values = distribution(twin, _at_start(truth) if twin is without else truth).values
        for quantity in ("p_go", "en", "toxicities"):
            row[f"{quantity}_{label}"] = values[quantity] if values else None
        if label == "stated":
            both = ("p_stop_toxicity", "p_stop_toxicity_at_n")
            row["p_stop_toxicity"] = sum(values[q] for q in both) if values else None
            row["p_dose_reduced"] = values["p_dose_reduced"] if values else None
    return row


def _at_start(truth: Rates | Cells) -> Rates | Cells:
    """The same truth with nothing but the starting dose."""
    if isinstance(truth, Cells):
        return Cells(truth.table[:1])
    return replace(truth, response=truth.response[:1], toxicity=truth.toxicity[:1])


CHANGED = (
    "p_go",
    "pet",
    "p_stop_futility",
    "p_stop_toxicity",
    "p_stop_toxicity_at_n",
    "p_dose_reduced",
    "en",
    "responses",
    "toxicities",
)
"""What is held against the same trial with outcomes known at once."""


def changed_by_time(
    oc: OperatingCharacteristics, paired: Mapping[str, Estimate]
) -> dict[str, dict[str, float]] | None:
    """Calendar time against outcomes known at once: both values, their difference, and its standard error.

    The answer at once is exact, so the error of the difference is that of the simulated trial, adjusted where it is.
    ``paired`` is the difference on the same patients, in which chance cancels. None where there are no two answers to
    compare.
    """
    if oc.at_once is None or oc.at_once.exact is None or oc.simulated is None:
        return None
    exact, simulated = oc.at_once.exact.values, oc.told
    return {
        name: {
            "at_once": exact[name],
            "in_calendar_time": simulated[name].estimate,
            "difference": simulated[name].estimate - exact[name],
            "mcse": simulated[name].mcse,
            "same_patients": paired[name].estimate,
            "same_patients_mcse": paired[name].mcse,
        }
        for name in CHANGED
    }


def analysis_sets(oc: OperatingCharacteristics) -> dict[str, float | None]:
    """All treated and evaluable patients side by side: P(go) by each, and responses over each."""

    def value(name: str) -> float | None:
        if oc.exact is not None:
            return oc.exact.values.get(name)
        estimate = oc.told.get(name)
        return estimate.estimate if estimate else None

    evaluable = oc.told.get("p_go_evaluable")
    treated, assessed, responses = value("en"), value("en_evaluable"), value("responses")
    return {
        "p_go_treated": value("p_go"),
        "p_go_evaluable": evaluable.estimate if evaluable else None,
        "p_go_evaluable_mcse": evaluable.mcse if evaluable else None,
        "responses": responses,
        "treated": treated,
        "evaluable": assessed,
        "responses_per_treated": responses / treated if treated and responses is not None else None,
        "responses_per_evaluable": responses / assessed if assessed and responses is not None else None,
    }


def crossing_patients(scenario: Scenario, rules: Rules) -> int:
    """Patients within whom the probability of crossing the toxicity boundary is told: all cohorts share it."""
    return watched_groups(scenario) * rules.looks.planned_n


def crossing(scenario: Scenario, rules: Rules) -> list[dict[str, Any]]:
    """P(the toxicity boundary is ever crossed) among the planned n patients at one dose, by true toxicity rate."""
    boundary = rules.monitor.act_ge[0]
    if all(b >= NEVER for b in boundary):
        return []
    assert scenario.dose_reduction is not None
    limit = scenario.dose_reduction.limit
    grid = WITHOUT_LIMIT if limit is None else tuple(limit + step for step in AROUND_LIMIT)
    where: dict[float, list[dict[str, str]]] = {round(rate, 10): [] for rate in grid if 0 < rate < 1}
    for name, case in scenario.truth.items():
        rates = rates_by_dose(scenario, case).get("toxicities", ())
        for level, rate in enumerate(rates):
            dose = scenario.doses[level]
            if rules.monitor.action[level] == CONTINUE:
                continue
            where.setdefault(round(rate, 10), []).append({"case": name, "dose": dose})
    return [
        {
            "rate": rate,
            "probability": crossing_probability(boundary, rate, crossing_patients(scenario, rules)),
            "is_limit": limit is not None and abs(rate - limit) < 1e-9,
            "true_rate_of": where[rate],
        }
        for rate in sorted(where)
    ]
