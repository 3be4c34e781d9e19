"""The trials behind the steps of a power ledger: what each of them leaves out, and its exact answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from trialsim.codes import CONTINUE, NEVER, POOLED, REDUCE
from trialsim.designs.rules import Monitor, Rules
from trialsim.engine.exact import distribution, inert, out_of_reach
from trialsim.engine.timed import Timed, at_once
from trialsim.engine.trials import Untimed
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import groups_of, of_a_cohort
from trialsim.scenario.model import Evaluability
from trialsim.scenario.truth import Strata


@dataclass(frozen=True)
class Stage:
    """The trial of a step with every outcome known at once, or, of the step ``calendar``, as it runs.

    ``strata`` are everybody's, or those of the cohort of this number.
    """

    step: str
    trial: Compiled
    strata: Strata
    cohort: int = 0

    def repeats(self, before: Stage) -> bool:
        """Whether it is the trial of the stage before under another name."""
        same = (self.trial.rules, self.strata) == (before.trial.rules, before.strata)
        return same and self.step != "calendar"


def steps_of(trial: Compiled) -> dict[str, Compiled]:
    """The trial of every step after the design by itself; that of ``toxicity_stop`` with the first dose's response."""
    scenario, rules, monitor = trial.scenario, trial.rules, trial.rules.monitor
    found = {}
    looks = replace(rules.looks, toxic_ge=())
    if any(case.change and not case.dated for case in scenario.truth.values()):
        n = looks.planned_n
        everybody = scenario.model_copy(update={"conduct": None, "evaluability": Evaluability()})
        found["drift"] = Compiled(everybody, Rules(looks, _still(rules, n), False, n))
    if scenario.evaluability.probability < 1 or trial.withdraws:
        found["evaluability"] = Compiled(scenario, rules.changed(_looks_alone))
    if monitor.may_stop or any(one.looks.too_toxic for one in (rules, *rules.each)):
        found["toxicity_stop"] = Compiled(scenario, replace(rules, on_dose_change=POOLED, attained_ge=()))
    if REDUCE in monitor.action or any(monitor.at_enrolled) or any(trial.calendar.amended_at):
        found["dose_change"] = trial
    if trial.dated:
        found["calendar"] = trial
    return found


def stages_of(trials: Mapping[str, Compiled], strata: Strata, cohort: int = 0) -> list[Stage]:
    """Every step after the design by itself, under one truth: everybody's, or that of a cohort."""
    levels = len(strata.rates[0].response)
    # a change by date has no place before there are dates
    by_patient = strata.steady if strata.daily else strata

    rates = by_patient.rates
    everybody = tuple(replace(r, evaluable=1.0, nonresponders=False) for r in rates)
    flat = tuple(replace(r, response=r.response[:1] * levels) for r in rates)
    others = {
        "drift": replace(by_patient, rates=everybody),
        "toxicity_stop": replace(by_patient, rates=flat),
        "calendar": strata,
    }
    return [Stage(step, trial, others.get(step, by_patient), cohort) for step, trial in trials.items()]


def _looks_alone(rules: Rules) -> Rules:
    """The same looks at responses, with no toxicity rule and one dose."""
    looks = replace(rules.looks, toxic_ge=())
    attained = rules.attained_ge if rules.on_dose_change == POOLED else ()
    return Rules(looks, _still(rules), rules.replaced, rules.max_treated, attained_ge=attained)


def _still(rules: Rules, patients: int | None = None) -> Monitor:
    """No toxicity rule and one dose, for so many patients (default: those of the rules)."""
    never = (NEVER,) * ((rules.max_treated if patients is None else patients) + 1)
    return Monitor((never,), (0,), (CONTINUE,))


def exact_of(stage: Stage) -> float | None:
    """P(go) of a stage, of one cohort where each has rules of its own; None where there is no exact answer."""
    rules, groups = stage.trial.rules, groups_of(stage.trial.scenario)
    if stage.step == "calendar":
        return None
    if rules.each:
        rules, groups = rules.each[stage.cohort], 1
    flat = all(len(set(rate.response)) == 1 for rate in stage.strata.rates)
    stops = rules.monitor.may_stop or rules.looks.too_toxic
    if flat and not stops and rules.on_dose_change == POOLED:
        # which dose a patient has then changes nothing, so that no date and no other cohort does
        rules = replace(rules, monitor=_still(rules))
    if rules.levels > 1 and any(stage.trial.calendar.amended_at):
        return None
    if groups > 1 and stage.trial.scenario.apart and not inert(rules.monitor):
        rules = of_a_cohort(rules, groups)
    elif groups > 1:
        if not inert(rules.monitor):
            return None
        each = rules.max_treated // groups
        rules = replace(rules, monitor=_still(rules, each), max_treated=each)
    if out_of_reach(rules):
        return None
    cells = stage.strata.effective(stage.trial.calendar)
    first = replace(cells, table=cells.table[: rules.levels])
    return distribution(rules, first).values["p_go"]


def trials_of(stage: Stage) -> Timed | Untimed:
    rules, truth = stage.trial.rules, stage.strata
    # a step before the dose changes has the starting dose alone
    thresholds = truth.thresholds()[: rules.levels]
    as_it_runs = Timed.of(rules, stage.trial.calendar, thresholds, daily=truth.daily)
    return as_it_runs if stage.step == "calendar" else at_once(stage.trial, as_it_runs)
