"""How P(go) gets from the design by itself to the trial as it runs, one step at a time.

Each step adds one part of the protocol and keeps all before it; ``docs/methods.md`` ("The power ledger") says what each
has and has not:

    design_alone    the response rate of the starting dose; everybody evaluable; nobody has toxicity
    drift           that rate as it changes from patient to patient; a change by date comes with the dates
    evaluability    patients who cannot be evaluated, or withdraw
    toxicity_stop   stops for toxicity; the dose is lowered as stated but costs no response, and all patients are pooled
    dose_change     response by dose, and the analysis set as stated: the trial with every outcome known at once
    calendar        dates: the trial as it runs

P(go) of the last step is that of the run. A change is the difference of two numbers that are shown, and its error that
of this very difference: paired, on the same patients, where both are simulated; where the earlier one is exact, it adds
no error, and the error is that of the later. What a simulated step does is read from the paired difference, in which
the chance of the simulation cancels: both trials on the same patients, also where the earlier one has an exact answer.
Where the trial as it runs is adjusted by that answer, its change is such a difference already.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from trialsim.codes import NEW_DOSE_ONLY, RESTART
from trialsim.designs.alone import alone
from trialsim.engine.montecarlo import tallies
from trialsim.engine.paired import Together, against, estimates
from trialsim.engine.power_stages import Stage, exact_of, stages_of, steps_of, trials_of
from trialsim.engine.quantities import Side
from trialsim.engine.timed import Timed
from trialsim.results import Estimate, OperatingCharacteristics, Results, digits12
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.truth import Strata

LABELS = {
    "design_alone": "the design by itself",
    "drift": "response rates that drift",
    "evaluability": "patients who cannot be evaluated",
    "toxicity_stop": "stops for toxicity",
    "dose_change": "response by dose, and who is analysed",
    "calendar": "calendar time",
}
"""The steps in this order, each with its words; a scenario without such a part has no such step."""

ROUNDING = 1e-9
"""A change that is smaller is none."""


@dataclass(frozen=True)
class Reason:
    """Why a step is positive or says nothing, and the number behind it before and after the step, where it has one.

    ``what`` is response_grows (with patients, or dates), within_error, nonresponders_replaced, fresh_start,
    new_dose_only, response_rises (at a lower dose),
    decisions_not_monotone (more responses may cost the go), fewer_toxicity_stops (their probability),
    more_at_starting_dose (expected patients there, where response is higher), or later_decisions.
    """

    what: str
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True)
class Step:
    """P(go) with everything up to this step, to the 12 digits of ``results.json``; None where it was not simulated.

    ``mcse`` and ``change_mcse`` are None where p_go, or both ends of the change, are exact. ``same_patients`` is the
    change with both trials simulated on the same patients; None where the step is exact. ``reasons`` is () unless the
    effect is positive, or no larger than two of its standard errors.
    """

    step: str
    p_go: float | None
    change: float | None = None
    mcse: float | None = None
    change_mcse: float | None = None
    same_patients: float | None = None
    same_patients_mcse: float | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def effect(self) -> float | None:
        """What the step changes: on the same patients where it is simulated, else by the exact answers."""
        return self.change if self.same_patients is None else self.same_patients

    @property
    def chance(self) -> float | None:
        """What is left of the change: the chance of the simulation; None where the step is exact."""
        if self.change is None or self.same_patients is None:
            return None
        return self.change - self.same_patients

    @property
    def effect_mcse(self) -> float | None:
        """The standard error of ``effect``; None where it is exact."""
        return self.change_mcse if self.same_patients is None else self.same_patients_mcse

    def to_dict(self) -> dict[str, Any]:
        """The step as it stands in ``results.json``."""
        stated = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "reasons"}
        return {**stated, "chance": self.chance}


@dataclass(frozen=True)
class PowerLedger:
    """The steps of one case; of one of its cohorts where those have rules of their own (else ``cohort`` is "").

    ``response`` is the true response rate at the starting dose, averaged over strata, of the first patient where it
    drifts; ``watched`` whether the looks of the design watch toxicity too, which its first step leaves out; ``dated``
    whether response rates of the scenario change by date, which comes with its last step.
    """

    case: str
    cohort: str
    response: float
    watched: bool
    steps: tuple[Step, ...]
    dated: bool = False

    def label(self, step: Step) -> str:
        """A step in words."""
        if self.watched and step.step == "design_alone":
            return "the design’s response cut-offs by themselves"
        if self.dated and step.step == "calendar":
            return "calendar time, and drift by date"
        return LABELS[step.step]

    def __getitem__(self, step: str) -> Step:
        """The step of this name; KeyError where the scenario has no such part."""
        for found in self.steps:
            if found.step == step:
                return found
        raise KeyError(step)


@dataclass(frozen=True)
class PowerLedgers:
    """The ledgers of every case of a scenario.

    ``of_time`` is, by case, what calendar time changes in every quantity that both trials have, on the same patients.
    """

    ledgers: tuple[PowerLedger, ...]
    of_time: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)

    def of(self, case: str) -> tuple[PowerLedger, ...]:
        """Those of a case: one, or one a cohort."""
        return tuple(ledger for ledger in self.ledgers if ledger.case == case)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict a step: the case, the cohort, and what ``Step.to_dict`` has."""
        for ledger in self.ledgers:
            for step in ledger.steps:
                yield {"case": ledger.case, "cohort": ledger.cohort, **step.to_dict()}

    def to_dict(self) -> dict[str, Any]:
        """By case the list of its steps; by case and cohort where cohorts have rules of their own."""
        found: dict[str, Any] = {}
        for ledger in self.ledgers:
            steps = [step.to_dict() for step in ledger.steps]
            if ledger.cohort:
                found.setdefault(ledger.case, {})[ledger.cohort] = steps
            else:
                found[ledger.case] = steps
        return found


def power_ledgers(trial: Compiled, results: Results, *, jobs: int | None = None) -> PowerLedgers:
    """The ledger of every case of ``results``.

    Simulates only steps without an exact answer, each beside the step before it on the same patients.
    """
    found: list[PowerLedger] = []
    of_time: dict[str, Mapping[str, Estimate]] = {}
    trials = steps_of(trial)
    for oc in results.cases:
        ledgers, apart = _of_case(trial, trials, oc, results, jobs)
        found.extend(ledgers)
        of_time |= {oc.case: apart} if trial.dated and apart else {}
    return PowerLedgers(tuple(found), of_time)


def _of_case(
    trial: Compiled,
    trials: Mapping[str, Compiled],
    oc: OperatingCharacteristics,
    results: Results,
    jobs: int | None,
) -> tuple[list[PowerLedger], Mapping[str, Estimate]]:
    """The ledgers of a case, and what its last step changes in every quantity if it is simulated."""
    scenario, strata = trial.scenario, trial.strata[oc.case]
    cohorts = trial.cohorts if scenario.own_rules else ("",)
    names = [f"p_go_cohort_{c}" if cohort else "p_go" for c, cohort in enumerate(cohorts, start=1)]
    parts = [
        strata.only([s.cohort_name == cohort for s in scenario.strata]) if cohort else strata
        for cohort in cohorts
    ]
    if trial.arms:  # a cohort is a dose
        parts = [part.at_dose(dose) for dose, part in enumerate(parts)]
    by_part = [stages_of(trials, part, c) for c, part in enumerate(parts)]
    looks = [one.looks for one in trial.rules.each] or [trial.rules.looks] * len(parts)
    exact = [[exact_of(stage) for stage in stages] for stages in by_part]
    last = len(by_part[0]) - 1
    open_ends = sorted({k for values in exact for k, p in enumerate(values) if p is None})
    drawn = _Drawn({}, {})
    twin = _is_twin(oc, names[0], exact[0][last - 1] if last > 0 else None)
    if twin and oc.by_time:
        # the run has simulated both already
        open_ends.remove(last)
        drawn.changes[last] = oc.by_time
    if open_ends and results.replicates and results.seed is not None:
        drawn = _simulated(stages_of(trials, strata), open_ends, results.replicates, results.seed, jobs)
    if oc.simulated:
        drawn.values[last] = oc.told
    if twin:
        drawn.changes[last] = {**drawn.changes.get(last, {}), **_from_known(oc)}
    ledgers = []
    for cohort, name, part, stages, values, table in zip(
        cohorts, names, parts, by_part, exact, looks, strict=True
    ):
        p = alone(table, _at_start(part)).p_go
        steps = [Step("design_alone", digits12(p))]
        for k, (stage, known) in enumerate(zip(stages, values, strict=True)):
            here = drawn.values.get(k, {}).get(name) if known is None else None
            p_go = here.estimate if here else known
            step = Step(
                stage.step, None if p_go is None else digits12(p_go), mcse=here.mcse if here else None
            )
            same = k > 0 and stage.repeats(stages[k - 1])
            step = _changed(steps[-1], step, None if same else drawn.changes.get(k, {}).get(name))
            steps.append(replace(step, reasons=_reasons(stage, step, oc, drawn.values.get(k - 1))))
        watched = bool(table.too_toxic)
        dated = any(case.dated for case in scenario.truth.values())
        ledgers.append(PowerLedger(oc.case, cohort, _at_start(part), watched, tuple(steps), dated))
    return ledgers, drawn.changes.get(last, {})


def _is_twin(oc: OperatingCharacteristics, name: str, before: float | None) -> bool:
    """Whether the step before the last is the twin of the trial, with every outcome known at once."""
    twin = oc.at_once.exact.values if oc.at_once and oc.at_once.exact else {}
    return before is not None and abs(twin.get(name, math.inf) - before) < ROUNDING


def _from_known(oc: OperatingCharacteristics) -> dict[str, Estimate]:
    """What the last step changes by adjusted numbers, where the step before it is their twin.

    The regression of the difference of both trials on the controls is that of the trial less the twin's known mean.
    """
    twin = oc.at_once.exact.values if oc.at_once and oc.at_once.exact else {}
    return {
        q: Estimate(a.estimate - twin[q], a.mcse, a.low - twin[q], a.high - twin[q])
        for q, a in oc.adjusted.items()
        if a.controls and q in twin
    }


def _changed(before: Step, step: Step, paired: Estimate | None) -> Step:
    """The step with its change, the error of it, and the same on the same patients."""
    if before.p_go is None or step.p_go is None:
        return step
    step = replace(step, change=step.p_go - before.p_go)
    if before.mcse is None and step.mcse is None:
        return step
    if paired is not None:
        step = replace(step, same_patients=digits12(paired.estimate), same_patients_mcse=paired.mcse)
    both = None if paired is None else paired.mcse
    error = step.mcse if before.mcse is None else before.mcse if step.mcse is None else both
    return replace(step, change_mcse=error)


def _at_start(strata: Strata) -> float:
    """The response rate at the starting dose, averaged over strata."""
    rates = {rate.response[0] for rate in strata.rates}
    if len(rates) == 1:
        return rates.pop()
    return sum(share * rate.response[0] for share, rate in zip(strata.shares, strata.rates, strict=True))


@dataclass(frozen=True)
class _Drawn:
    """What was simulated by stage: every quantity, and its change from the stage before on the same patients."""

    values: dict[int, Mapping[str, Estimate]]
    changes: dict[int, Mapping[str, Estimate]]


def _simulated(stages: list[Stage], which: list[int], replicates: int, seed: int, jobs: int | None) -> _Drawn:
    """The stages of these numbers, each beside the stage before it."""
    found = _Drawn({}, {})
    for k in which:
        here = trials_of(stages[k])
        sides = [Side.of(here)]
        if k:
            sides.insert(0, Side.of(trials_of(stages[k - 1])))
        elif isinstance(here, Timed) and stages[k].step == "calendar":
            # without dates this is the design by itself
            undated = replace(stages[k], step="design_alone", strata=stages[k].strata.steady)
            sides.insert(0, Side.of(trials_of(undated)))
        tally = tallies({"": Together(sides[0], tuple(sides[1:]))}, replicates, seed, jobs=jobs)[""]
        found.values[k] = estimates(tally, len(sides) - 1)
        if len(sides) > 1:
            found.values.setdefault(k - 1, estimates(tally, 0))
            found.changes[k] = {name: pair.difference for name, pair in against(tally, 1).items()}
    return found


def _reasons(
    stage: Stage,
    step: Step,
    oc: OperatingCharacteristics,
    simulated_before: Mapping[str, Estimate] | None,
) -> tuple[Reason, ...]:
    """Why an effect is positive, or that it is within its error; () of any other."""
    effect, error = step.effect, step.effect_mcse
    if effect is None or abs(effect) <= ROUNDING:
        return ()
    if error and (abs(effect) <= 2 * error or (effect > 0 and step.step == "toxicity_stop")):
        return (Reason("within_error"),)
    if effect < 0:
        return ()
    if step.step == "calendar":
        return _reasons_of_time(stage, oc, simulated_before)
    evaluability, what = stage.trial.scenario.evaluability, []
    if step.step == "drift":
        what += ["response_grows"] * _grows(stage.strata)
    elif step.step == "evaluability":
        if evaluability.replaced and evaluability.inevaluable == "nonresponders":
            what.append("nonresponders_replaced")
    elif stage.trial.rules.on_dose_change == RESTART:
        what.append("fresh_start")
    elif stage.trial.rules.on_dose_change == NEW_DOSE_ONLY:
        what.append("new_dose_only")
    if step.step == "dose_change" and any(max(r.response) > r.response[0] for r in stage.strata.rates):
        what.append("response_rises")
    # where more responses never hurt, nothing else can raise P(go)
    return tuple(map(Reason, what)) or (Reason("decisions_not_monotone"),)


def _grows(strata: Strata) -> bool:
    """Whether a drift raises response rates."""
    return any(rates.drift is not None and rates.drift.change > 0 for rates in strata.rates)


def _reasons_of_time(
    stage: Stage, oc: OperatingCharacteristics, simulated_before: Mapping[str, Estimate] | None
) -> tuple[Reason, ...]:
    """What dates change in the trial's favour, by the numbers of the trial with outcomes known at once."""
    twin = oc.at_once.exact if oc.at_once else None
    before = dict(twin.values) if twin else {k: e.estimate for k, e in (simulated_before or {}).items()}
    after = {name: e.estimate for name, e in oc.told.items()}
    for values in (before, after):
        values["stops"] = values.get("p_stop_toxicity", 0.0) + values.get("p_stop_toxicity_at_n", 0.0)
    falls = any(min(r.response) < r.response[0] for r in stage.strata.rates)
    first, found = "patients_dose_1", []
    if stage.strata.daily and _grows(stage.strata):
        found.append(Reason("response_grows"))
    replicates = oc.simulated.replicates if oc.simulated else 1
    if before["stops"] - after["stops"] > 2 * (before["stops"] / replicates) ** 0.5:
        found.append(Reason("fewer_toxicity_stops", before["stops"], after["stops"]))
    if falls and first in before and before[first] < after.get(first, 0.0):
        found.append(Reason("more_at_starting_dose", before[first], after[first]))
    return tuple(found) or (Reason("later_decisions"),)
