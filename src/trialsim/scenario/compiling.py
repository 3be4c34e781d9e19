"""From what a scenario states to the Rules that engines run."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

from trialsim.codes import CONTINUE, NEVER, NEW_DOSE_ONLY, POOLED, RESTART
from trialsim.designs.exactly import decimal
from trialsim.designs.rules import Looks, Monitor, Rules
from trialsim.designs.spec import MAX_PATIENTS
from trialsim.designs.toxicity import Amendment, Level, NoRule, Tails
from trialsim.errors import DesignError
from trialsim.scenario.boundaries import Boundary, boundaries, together
from trialsim.scenario.every_design import of_cohort
from trialsim.scenario.model import Scenario

SHORTFALL = 1e-12
"""Probability, accepted as never, that a trial runs out of patients before it is complete."""

MONTHS_A_WEEK = 7 / 30.4375

_AFTER_CHANGE = {"pooled": POOLED, "new_dose_only": NEW_DOSE_ONLY, "restart": RESTART}


def compile_rules(scenario: Scenario, looks: Looks | None = None) -> Rules:
    """The protocol of a scenario as Rules; a design that is only described by its error rates is searched for.

    ``looks`` are those of its design where they were found already.

    With own rules by cohort the looks are those of each cohort, the boundary and ``max_treated`` those of all together;
    with a boundary for each cohort that is the boundary of each (``of_a_cohort``). Where cohorts have designs of their
    own, ``each`` has the rules of every one.
    """
    if scenario.designs:
        return _by_design(scenario, looks)
    looks = looks or scenario.design.compile()
    replaced = scenario.evaluability.replaced
    most = looks.planned_n
    if replaced:
        most = treated_to_complete(looks.planned_n, scenario.evaluability.probability * assessed(scenario))
    most *= groups_of(scenario)
    after_change = _AFTER_CHANGE[scenario.on_dose_change]
    return Rules(
        looks,
        _monitor(scenario, looks.planned_n, most),
        replaced,
        most,
        after_change,
        attained_ge(scenario, looks.planned_n) if after_change == NEW_DOSE_ONLY else (),
        scenario.dose_decision.randomise() if scenario.dose_decision else None,
    )


def _by_design(scenario: Scenario, looks: Looks | None) -> Rules:
    """The rules of cohorts that have designs of their own and share nothing."""
    assert scenario.cohorts is not None
    known: dict[str, Rules] = {}
    each, common = [], None
    for name, design in scenario.designs.items():
        stated, key = name in scenario.cohorts.designs, design.model_dump_json()
        trial = of_cohort(scenario, name)
        if key not in known:
            try:
                one = compile_rules(trial, None if stated else looks)
            except DesignError as error:
                raise DesignError(f"cohorts.designs.{name}: {error}" if stated else str(error)) from None
            known[key] = replace(one, attained_ge=attained_ge(trial, one.looks.planned_n))
        each.append(known[key])
        common = common if stated else known[key]
    assert common is not None  # Cohorts sees to it that some cohort runs the scenario's own design
    most = sum(one.max_treated for one in each)
    beyond = (NEVER,) * (most - common.max_treated)
    monitor = common.monitor
    act, stop = (tuple((*row, *beyond) for row in table) for table in (monitor.act_ge, monitor.stop_ge))
    monitor = replace(monitor, act_ge=act, stop_ge=stop)
    return Rules(common.looks, monitor, common.replaced, most, each=tuple(each))


def of_a_cohort(rules: Rules, groups: int, cohort: int = 0) -> Rules:
    """The rules of one of so many cohorts that share nothing, from those of all together."""
    if rules.each:
        return rules.each[cohort]
    most, monitor = rules.max_treated // groups, rules.monitor
    rows, stops = (tuple(row[: most + 1] for row in table) for table in (monitor.act_ge, monitor.stop_ge))
    return replace(rules, monitor=replace(monitor, act_ge=rows, stop_ge=stops), max_treated=most)


def watched_patients(scenario: Scenario, rules: Rules) -> int:
    """The largest number of patients at a dose whom one toxicity boundary watches."""
    return rules.max_treated // groups_of(scenario) if scenario.apart else rules.max_treated


def watched_groups(scenario: Scenario) -> int:
    """How many sets of looks share a toxicity boundary: all, or one where each cohort has its own."""
    return 1 if scenario.apart else groups_of(scenario)


def groups_of(scenario: Scenario) -> int:
    """How many sets of looks there are: one, or one a cohort."""
    return len(scenario.cohorts.names) if scenario.cohorts and scenario.own_rules else 1


def assessed(scenario: Scenario) -> float:
    """P(a patient has not withdrawn before the first visit)."""
    if scenario.conduct is None:
        return 1.0
    months = scenario.conduct.assessment_weeks[0] * MONTHS_A_WEEK
    return math.exp(-scenario.conduct.withdrawal_per_month * months)


def treated_to_complete(n: int, evaluable: float) -> int:
    """Smallest number of treated patients among whom fewer than n are evaluable with probability <= SHORTFALL."""
    from scipy.special import bdtr

    most = n
    while evaluable < 1 and bdtr(n - 1, most, evaluable) > SHORTFALL:
        most += 1
        if most > MAX_PATIENTS:
            raise DesignError(
                f"evaluability.probability = {evaluable:g} with replacement would need more than {MAX_PATIENTS} "
                f"treated patients for {n} evaluable ones"
            )
    return most


def attained_ge(scenario: Scenario, planned_n: int) -> tuple[int, ...]:
    """Least responses for a go among m = 0..planned n patients: P(Bin(m, p0) >= it) <= alpha.

    NEVER where no count suffices, and everywhere if the design states no p0 or alpha.
    """
    p0, alpha = (getattr(scenario.design, key, None) for key in ("p0", "alpha"))
    if p0 is None or alpha is None:
        return (NEVER,) * (planned_n + 1)
    return _first_below(p0, alpha, planned_n)


@lru_cache(maxsize=256)  # most changes of a scenario leave these alone
def _first_below(p0: float, alpha: float, planned_n: int) -> tuple[int, ...]:
    return Tails(p0, range(planned_n + 1)).first_below(Level(alpha, lambda: decimal(alpha)))


def _monitor(scenario: Scenario, planned_n: int, most: int) -> Monitor:
    levels = len(scenario.doses)
    never = (NEVER,) * (most + 1)
    block = scenario.dose_reduction
    rule = block.rule if block else NoRule(kind="none")
    if isinstance(rule, NoRule):
        return Monitor((never,) * levels, (0,) * levels, (CONTINUE,) * levels)
    if isinstance(rule, Amendment):
        after = rule.patients()
        for k, patient in enumerate(after):
            possible = most * (k + 1 if scenario.on_dose_change == "restart" else 1)
            if patient >= possible:
                raise DesignError(
                    f"dose_reduction.rule.after_patient: no patient follows patient {patient} in a trial of {possible}"
                )
        at = tuple(after[k] if k < len(after) else 0 for k in range(levels))
        return Monitor((never,) * levels, at, (CONTINUE,) * levels)
    # cohorts with rules of their own share the dose and its boundary: it watches the patients of all
    every = together(rules_by_dose(scenario, planned_n, most), most)
    if not scenario.apart:
        return every
    # the boundary of a cohort ends with the patients of a cohort
    each, beyond = most // groups_of(scenario), most - most // groups_of(scenario)
    act, stop = (
        tuple((*row[: each + 1], *(NEVER,) * beyond) for row in table)
        for table in (every.act_ge, every.stop_ge)
    )
    return replace(every, act_ge=act, stop_ge=stop)


def rules_by_dose(scenario: Scenario, planned_n: int, most: int) -> tuple[tuple[Boundary, ...], ...]:
    """By dose the toxicity rules that hold there, each with its own boundary."""
    return boundaries(scenario.dose_reduction, scenario.doses, watched_groups(scenario) * planned_n, most)
