"""What the stated design adds to the check, and what other trials alone would have predicted; never a verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trialsim.checks.predictive import beta_binomial_pmf
from trialsim.checks.rows import EXTERNAL, REACHED_N, UNCONDITIONAL, Check, row_of
from trialsim.designs.rules import Rules
from trialsim.engine.exact import MAX_STATES, distribution, states
from trialsim.engine.montecarlo import paths
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.model import Observed, Scenario
from trialsim.scenario.truth import Rates

TRIALS = 20_000
"""Simulated trials behind the distribution of patients at the starting dose."""


def checks_by_design(scenario: Scenario, name: str, observed: Observed, seed: int) -> list[Check]:
    """What the stated design adds: does the trial get as far as it did, and what is seen of those that do."""
    rules = compile_rules(scenario)
    rates = Rates.of(scenario.truth[name], scenario.evaluability, rules.levels)
    if states(rules) > MAX_STATES:
        return []
    trial = distribution(rules, rates, totals=states(rules, carried=True) <= MAX_STATES)
    rows = []
    if observed.dose_reduced is not None:
        chance = trial.values["p_dose_reduced"]
        rows.append(
            Check(
                name,
                "dose_reduced",
                UNCONDITIONAL,
                int(observed.dose_reduced),
                probability=chance if observed.dose_reduced else 1 - chance,
                note="the probability of what was observed; a single flag carries no verdict",
            )
        )
    size = observed.evaluable if rules.replaced else observed.treated or observed.evaluable
    if size != rules.looks.planned_n:
        return rows
    reaches = 1 - trial.values["pet"]
    rows.append(
        Check(
            name,
            "reaches_n",
            UNCONDITIONAL,
            size,
            probability=reaches,
            note=f"planned n = {rules.looks.planned_n}",
        )
    )
    if reaches < 1e-6:
        return rows
    if trial.joint_responses is not None and observed.responses is not None and not rules.replaced:
        given = trial.joint_responses[rules.looks.planned_n] / trial.n[rules.looks.planned_n]
        rows.append(row_of(name, "responses", REACHED_N, observed.responses, given))
    if rules.levels > 1 and observed.evaluable_by_dose is not None:
        rows += _start_dose(name, observed.evaluable_by_dose[0], rules, paths(rules, rates, seed, TRIALS))
    return rows


def _start_dose(
    name: str, observed: int, rules: Rules, trials: np.ndarray[tuple[int, int], np.dtype[np.int8]]
) -> list[Check]:
    """Evaluable patients at the starting dose among simulated trials that reached the planned n."""
    enrolled = trials > 0
    evaluable = enrolled & ((trials - 1) & 4 > 0)
    counted = evaluable if rules.replaced else enrolled
    reached = counted.sum(axis=1) >= rules.looks.planned_n
    if not reached.any():
        return []
    at_start = (evaluable & (trials - 1 < 8))[reached].sum(axis=1)
    pmf = np.bincount(at_start, minlength=trials.shape[1] + 1) / len(at_start)
    note = f"from {len(at_start):,} simulated trials that reached the planned n"
    return [replace(row_of(name, "patients_start_dose", REACHED_N, observed, pmf), note=note)]


def external(scenario: Scenario, observed: Observed) -> list[Check]:
    """The responses predicted from other trials alone, assuming one common rate (Jeffreys prior)."""
    if not scenario.related_trials or observed.responses is None or observed.evaluable is None:
        return []
    x = sum(trial.responses for trial in scenario.related_trials)
    m = sum(trial.evaluable for trial in scenario.related_trials)
    pmf = beta_binomial_pmf(observed.evaluable, x + 0.5, m - x + 0.5)
    names = ", ".join(f"{t.name} ({t.responses}/{t.evaluable})" for t in scenario.related_trials)
    row = row_of("related trials", "responses", EXTERNAL, observed.responses, pmf)
    return [replace(row, note=f"predicted from {names}, assuming one common response rate, Jeffreys prior")]
