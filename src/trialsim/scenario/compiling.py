"""From what a scenario states to the Rules that engines run."""

from __future__ import annotations

from trialsim.codes import CONTINUE, NEVER, REDUCE, STOP
from trialsim.designs.rules import Monitor, Rules
from trialsim.designs.spec import MAX_PATIENTS
from trialsim.designs.toxicity import Amendment, NoRule
from trialsim.errors import DesignError
from trialsim.scenario.model import Scenario

SHORTFALL = 1e-12
"""Probability, accepted as never, that a trial with replacement runs out of patients before it is complete."""


def compile_rules(scenario: Scenario) -> Rules:
    """The protocol of a scenario as Rules; a design that is only described by its error rates is searched for."""
    looks = scenario.design.compile()
    replaced = scenario.evaluability.replaced
    most = looks.planned_n
    if replaced:
        most = treated_to_complete(looks.planned_n, scenario.evaluability.probability)
    return Rules(looks, _monitor(scenario, looks.planned_n, most), replaced, most)


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


def _monitor(scenario: Scenario, planned_n: int, most: int) -> Monitor:
    levels = len(scenario.doses)
    never = (NEVER,) * (most + 1)
    rule = scenario.dose_reduction.rule if scenario.dose_reduction else NoRule(kind="none")
    if isinstance(rule, NoRule):
        return Monitor((never,) * levels, (0,) * levels, (CONTINUE,) * levels)
    if isinstance(rule, Amendment):
        after = rule.after_patient if isinstance(rule.after_patient, tuple) else (rule.after_patient,)
        if after[-1] >= most:
            raise DesignError(
                f"dose_reduction.rule.after_patient: no patient follows patient {after[-1]} in a trial of {most}"
            )
        at = tuple(after[k] if k < len(after) else 0 for k in range(levels))
        return Monitor((never,) * levels, at, (CONTINUE,) * levels)
    bounds = rule.compile(planned_n, most)
    assert scenario.dose_reduction is not None
    stops = scenario.dose_reduction.at_lowest_dose == "stop"
    return Monitor(
        act_ge=(bounds,) * (levels - 1) + (bounds if stops else never,),
        at_enrolled=(0,) * levels,
        action=(REDUCE,) * (levels - 1) + (STOP if stops else CONTINUE,),
    )
