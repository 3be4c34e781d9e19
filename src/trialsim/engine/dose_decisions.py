"""What the dose decision of a scenario comes to in each case, exactly: every outcome known before the next patient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from trialsim.codes import ALTERNATE
from trialsim.designs.dose_choice import (
    HIGHER,
    LOWER,
    NO_COMPARISON,
    NO_GO,
    UNDECIDED,
    AlwaysLower,
    DoseChoice,
    DoseRule,
)
from trialsim.designs.exactly import decimal
from trialsim.designs.rules import Randomise, Rules
from trialsim.engine import dose_arms, randomised
from trialsim.engine.dose_law import Decided, decided, unknown_law, when_left
from trialsim.engine.exact import distribution
from trialsim.kernels.tables import Float64
from trialsim.results import Exact
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.truth import Cells, Rates


def dose_values(trial: Compiled, case: str, truth: Rates | Cells | None = None) -> dict[str, float]:
    """The quantities of the scenario's own dose rule in a case; none where there is no rule or no exact law."""
    choice = trial.choice(case)
    if choice is None or trial.rules.randomise is not None or unknown_law(trial.rules, [choice]):
        return {}
    (found,) = decided(trial.rules, cells_of(trial, truth or trial.truth(case)), [choice])
    return values_of(choice, found)


def arms_values(trial: Compiled, case: str) -> dict[str, float]:
    """The same where each dose has a design of its own; none where the law is out of reach."""
    choice = trial.choice(case)
    if choice is None or dose_arms.unknown(trial.rules, [choice]):
        return {}
    _, (found,) = dose_arms.decided(trial.rules, _cells_of_arms(trial, case), [choice])
    return values_of(choice, found)


def _cells_of_arms(trial: Compiled, case: str) -> Float64:
    return np.concatenate([cells.cells(replaced=False)[:, 0, 2:] for cells in trial.by_cohort(case)])


def no_exact_doses(trial: Compiled) -> str:
    """Why a trial whose doses are allocated after a trigger has no exact answer; "" where it has one."""
    choices = [choice] if (choice := trial.choice(next(iter(trial.scenario.truth)))) else []
    return unknown_law(trial.rules, choices) or randomised.unknown(trial.rules, choices)


def allocated(trial: Compiled, case: str, truth: Rates | Cells | None = None) -> Exact:
    """The exact answer of such a trial."""
    choice, truth = trial.choice(case), truth or trial.truth(case)
    assert choice is not None
    law = randomised.law(trial.rules, cells_of(trial, truth), [choice])
    found = randomised.exact(trial.rules, truth, law)
    return replace(found, values={**found.values, **values_of(choice, law.decided[0])})


def values_of(choice: DoseChoice, found: Decided) -> dict[str, float]:
    """What a rule decides, as quantities by name."""
    outcomes = found.outcomes
    values = {
        "p_dose_none": outcomes[NO_GO],
        "p_dose_no_comparison": outcomes[NO_COMPARISON],
        "p_dose_undecided": outcomes[UNDECIDED],
        "p_dose_lower": outcomes[LOWER],
        "p_dose_higher": outcomes[HIGHER],
        "p_dose_correct": outcomes[choice.right],
        "p_dose_wrong": outcomes[LOWER + HIGHER - choice.right],
    }
    if choice.inactive is not None:
        values["p_dose_inactive"] = sum((outcomes[k] for k in choice.inactive), 0.0)
    return values


@dataclass(frozen=True)
class RuleFound:
    """What a rule decides in a case: the quantities of ``values_of`` by name."""

    rule: DoseRule
    values: dict[str, float]


@dataclass(frozen=True)
class ConductFound:
    """The trial of a case with one way of going on after the trigger.

    Attributes:
        conduct: reduce, concurrent or all (allocated in turn, and whose patients are compared).
        values: P(go), the quantities of the dose rule, EN, patients at the higher dose, toxicities.
    """

    conduct: str
    values: dict[str, float]


@dataclass(frozen=True)
class DriftFound:
    """The rule's decision where the response rates change by so much from the first to the last patient planned."""

    change: float
    values: dict[str, float]


@dataclass(frozen=True)
class CaseFound:
    """What the dose decision comes to in a case, exactly, with every outcome known before the next patient.

    Attributes:
        rules: the scenario's rule, then those beside it, last that the lower dose always goes forward.
        left: E[observed response rate, observed toxicity rate at the higher dose; it is left], and P(it is left).
        forward: of a go after both doses were given: E[observed response rate] at each dose, and P(such a go).
        conducts: what allocating after the trigger changes; empty where it is not worked out.
        drifts: what the scenario's rule decides if the response rates of the case drifted; empty where they do.
        passed: which doses pass, where each has a design of its own; ``left`` and ``forward`` then say nothing.
    """

    case: str
    rules: tuple[RuleFound, ...]
    left: tuple[float, float, float]
    forward: tuple[float, float, float]
    conducts: tuple[ConductFound, ...]
    drifts: tuple[DriftFound, ...]
    passed: dose_arms.Passed | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        rules = [
            {"rule": found.rule.model_dump(mode="json", by_alias=True), **found.values}
            for found in self.rules
        ]
        if self.passed is not None:
            return {"rules": rules, "passed": asdict(self.passed), "conducts": [], "drifts": []}
        return {
            "rules": rules,
            "when_left": dict(zip(("response_rate", "toxicity_rate", "p"), _given(self.left), strict=True)),
            "when_forward": dict(zip(("rate_higher", "rate_lower", "p"), _given(self.forward), strict=True)),
            "conducts": [{"conduct": found.conduct, **found.values} for found in self.conducts],
            "drifts": [{"change": found.change, **found.values} for found in self.drifts],
        }


@dataclass(frozen=True)
class DoseDecisions:
    """The dose decision of a scenario in every case; ``not_exact`` says why there are no exact numbers."""

    not_exact: str
    cases: tuple[CaseFound, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, by case."""
        return {each.case: each.to_dict() for each in self.cases}


def _given(joint: tuple[float, float, float]) -> tuple[float | None, float | None, float]:
    """Means given an event, from means over it and its probability."""
    first, second, p = joint
    return (first / p, second / p, p) if p > 0 else (None, None, p)


def dose_decisions(trial: Compiled) -> DoseDecisions | None:
    """The dose decision in every case, by every rule of the scenario; None where it has none.

    The numbers of ``left``, ``forward`` and ``rules`` are those of the trial in which all later patients get the lower
    dose, whatever the scenario does after the trigger; where that is to allocate, ``rules`` are of the allocated trial.
    """
    stated = trial.scenario.dose_decision
    if stated is None:
        return None
    plain = Compiled(trial.scenario, replace(trial.rules, randomise=None))
    everything = (stated.rule, *stated.beside, AlwaysLower(kind="always_lower"))
    rules = tuple(rule for k, rule in enumerate(everything) if rule not in everything[:k])
    first = next(iter(trial.scenario.truth))
    choices = [choice for rule in rules if (choice := trial.choice(first, rule))]
    if trial.arms:
        if why := dose_arms.unknown(trial.rules, choices):
            return DoseDecisions(why, ())
        return DoseDecisions("", tuple(_case_of_arms(trial, case, rules) for case in trial.scenario.truth))
    why = unknown_law(plain.rules, choices)
    if not why and trial.rules.randomise is not None:
        why = randomised.unknown(trial.rules, choices)
    exact = [name for name, case in trial.scenario.truth.items() if not case.dated]
    if not why and not exact:
        why = "the response rate changes by date"
    return DoseDecisions(why, () if why else tuple(_case(trial, plain, case, rules) for case in exact))


def _case(trial: Compiled, plain: Compiled, case: str, rules: tuple[DoseRule, ...]) -> CaseFound:
    truth = plain.truth(case)
    cells = cells_of(plain, truth)
    choices = [choice for rule in rules if (choice := trial.choice(case, rule))]
    reduce = [replace(choice, compared="") for choice in choices]
    found = decided(plain.rules, cells, reduce)
    shown, conducts = found, []
    # what allocating changes is told of decisions after a go
    if not choices[0].any_end and not randomised.unknown(in_turn(trial), choices[:1]):
        base = {**distribution(plain.rules, truth).values, **values_of(reduce[0], found[0])}
        conducts.append(ConductFound("reduce", _kept(base)))
        pair = [replace(choices[0], compared=each) for each in ("concurrent", "all")]
        law = randomised.law(in_turn(trial), cells, [*pair, *choices] if trial.rules.randomise else pair)
        values = randomised.exact(in_turn(trial), truth, law).values
        for choice, each in zip(pair, law.decided, strict=False):
            conducts.append(ConductFound(choice.compared, _kept({**values, **values_of(choice, each)})))
        if trial.rules.randomise is not None:
            shown = list(law.decided[2:])
    return CaseFound(
        case,
        tuple(
            RuleFound(rule, values_of(choice, each))
            for rule, choice, each in zip(rules, choices, shown, strict=True)
        ),
        when_left(plain.rules, cells),
        found[0].rates,
        tuple(conducts),
        tuple(_drifts(trial, case, choices[0])),
    )


DRIFTS = (-0.1, -0.05, 0.05, 0.1)
"""Changes of the response rates that are tried."""


def _drifts(trial: Compiled, case: str, choice: DoseChoice) -> Iterator[DriftFound]:
    """The rule under each change that leaves the rates of the case between 0 and 1."""
    stated = trial.scenario.truth[case]
    rates = [decimal(rate) for rate in stated.by_dose("response", 2) or ()]
    for change in DRIFTS if stated.change == 0 else ():
        if not all(0 <= rate + decimal(change) <= 1 for rate in rates):
            continue
        truth = {case: stated.model_copy(update={"drift": change})}
        moved = Compiled(trial.scenario.model_copy(update={"truth": truth}), trial.rules)
        cells = cells_of(moved, moved.truth(case))
        if trial.rules.randomise is None:
            (found,) = decided(trial.rules, cells, [choice])
        else:
            (found,) = randomised.law(trial.rules, cells, [choice]).decided
        yield DriftFound(change, values_of(choice, found))


def _case_of_arms(trial: Compiled, case: str, rules: tuple[DoseRule, ...]) -> CaseFound:
    choices = [choice for rule in rules if (choice := trial.choice(case, rule))]
    passed, found = dose_arms.decided(trial.rules, _cells_of_arms(trial, case), choices)
    by_rule = (
        RuleFound(rule, values_of(choice, each))
        for rule, choice, each in zip(rules, choices, found, strict=True)
    )
    nothing = (0.0, 0.0, 0.0)
    return CaseFound(case, tuple(by_rule), nothing, nothing, (), (), passed)


KEPT = (
    "p_go",
    "p_dose_correct",
    "p_dose_wrong",
    "p_dose_lower",
    "p_dose_higher",
    "en",
    "patients_dose_1",
    "toxicities",
)
"""What is told of each way of going on after the trigger."""


def _kept(values: dict[str, float]) -> dict[str, float]:
    return {name: values[name] for name in KEPT}


def in_turn(trial: Compiled) -> Rules:
    """The rules with both doses in turn after the trigger, in the ratio stated or one to one."""
    stated = trial.rules.randomise
    allocation = replace(stated, how=ALTERNATE) if stated else Randomise(ALTERNATE)
    return replace(trial.rules, randomise=allocation)


def cells_of(trial: Compiled, truth: Rates | Cells) -> Float64:
    """(2, M, 4) what patient 1..M amounts to at each dose, as ``dose_law.law`` takes it."""
    table = truth.cells(replaced=False)[..., 2:]
    whose = np.minimum(np.arange(trial.rules.max_treated), table.shape[1] - 1)
    return np.ascontiguousarray(table[:, whose])
