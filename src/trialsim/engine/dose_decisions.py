"""What the dose decision of a scenario comes to in each case, exactly: every outcome known before the next patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

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
from trialsim.engine import randomised
from trialsim.engine.dose_law import Decided, decided, unknown_law
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


def cells_of(trial: Compiled, truth: Rates | Cells) -> Float64:
    """(2, M, 4) what patient 1..M amounts to at each dose, as ``dose_law.law`` takes it."""
    table = truth.cells(replaced=False)[..., 2:]
    whose = np.minimum(np.arange(trial.rules.max_treated), table.shape[1] - 1)
    return np.ascontiguousarray(table[:, whose])
