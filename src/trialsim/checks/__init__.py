"""Would the published result be surprising if a scenario were true? Compatibility, never confirmation.

The headline needs no design: the rates compatible with each observed count. Then each case is asked for the counts
it predicts with the observed numbers of patients held fixed (``given_sizes``), which no stopping rule can distort.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from trialsim.checks.by_design import (
    TRIALS,
    How,
    checks_by_design,
    external,
    is_simulated,
    planned_size_says,
    simulates,
)
from trialsim.checks.cells import cell_checks
from trialsim.checks.given_sizes import checks_given_sizes, counts_of
from trialsim.checks.predictive import Sizes, joint_pmf
from trialsim.checks.rows import CaseCheck, CellCheck, Checks, Curve, Headline, LikelihoodRatio, label
from trialsim.designs.binomial import clopper_pearson
from trialsim.engine.exact import out_of_reach
from trialsim.engine.montecarlo import Progress
from trialsim.engine.patients import cells_by_dose, rates_by_dose
from trialsim.engine.threads import side_by_side
from trialsim.given import takes
from trialsim.inference.observed import questions_of
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Observed, Scenario
from trialsim.scenario.values import listed

__all__ = [
    "CaseCheck",
    "CellCheck",
    "Checks",
    "Curve",
    "Headline",
    "LikelihoodRatio",
    "check",
    "label",
]


@takes
def check(
    scenario: Scenario | Compiled,
    *,
    seed: int | None = None,
    replicates: int | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Checks:
    """Hold the observed trial of a scenario against each of its cases.

    Args:
        scenario: a scenario, or the path of its file.
        seed: default the scenario's; drives the joint draws behind multiplicity-adjusted p-values, and what is
            simulated.
        replicates: trials of each case behind what the design adds where that is simulated, 20,000 at most; default the
            scenario's.
        jobs, progress: as for ``simulate``.

    Returns:
        Each observed count under each case: its tail probabilities, and what other trials would have predicted.

    Raises:
        DesignError: replicates, seed or jobs that cannot be.

    Examples:
        >>> path = trialsim.examples("dasatinib")
        >>> found = trialsim.check(path, replicates=200)
        >>> found.headline[0].observed, found.headline[0].denominator
        (3, 69)
    """
    trial = Compiled.of(scenario)
    stated = scenario = trial.scenario
    seed = scenario.simulation.seed if seed is None else seed
    observed = scenario.observed
    if observed is None:
        return Checks(scenario, notes=("The scenario has no `observed` block: nothing to check against.",))
    drifting = [name for name, case in scenario.truth.items() if case.change]
    if drifting:
        steady = {name: case for name, case in scenario.truth.items() if name not in drifting}
        scenario = scenario.model_copy(update={"truth": steady})
        trial = Compiled(scenario, trial.rules)
    counts = counts_of(observed)
    how = How(seed, trials_of(scenario, replicates), jobs, progress)

    def of_case(name: str) -> tuple[Sizes | None, list[CaseCheck]]:
        sizes, given = checks_given_sizes(scenario, name, scenario.truth[name], observed, counts, seed)
        return sizes, given + checks_by_design(trial, name, observed, how)

    found = side_by_side([partial(of_case, name) for name in scenario.truth], jobs)
    splits = {
        name: sizes for name, (sizes, _) in zip(scenario.truth, found, strict=True) if sizes is not None
    }
    rows = [row for _, of_one in found for row in of_one]
    rows += external(scenario, observed)
    return Checks(
        stated,
        headline=_headlines(scenario, observed, counts, splits),
        by_case=tuple(rows),
        curves=tuple(_curve(q, y, n) for q, (y, n) in counts.items()),
        likelihood_ratios=_likelihood_ratios(scenario, counts, splits),
        notes=(*_left_out(drifting), *_notes(trial, observed, how.trials)),
        cells=tuple(cell_checks(scenario, observed)),
        questions=questions_of(trial),
    )


def trials_of(scenario: Scenario, replicates: int | None = None) -> int:
    """Trials of a case that a check simulates where it does: those of the run, or ``TRIALS`` where they are more."""
    return min(TRIALS, replicates or scenario.simulation.replicates)


def expected(trial: Compiled, replicates: int | None = None) -> int:
    """How many trials a check simulates in all."""
    scenario = trial.scenario
    cases = sum(not case.change for case in scenario.truth.values())
    return cases * trials_of(scenario, replicates) if simulates(trial, scenario.observed) else 0


def _headlines(
    scenario: Scenario, observed: Observed, counts: dict[str, tuple[int, int]], splits: dict[str, Sizes]
) -> tuple[Headline, ...]:
    found = []
    for quantity, (count, n) in counts.items():
        low, high = clopper_pearson(count, n)
        rates = {}
        for name, sizes in splits.items():
            by_dose = rates_by_dose(scenario, scenario.truth[name]).get(quantity)
            if by_dose is not None:
                unit = sizes.treated if quantity in ("toxicities", "serious") else sizes.evaluable
                rates[name] = sum(k * p for k, p in zip(unit, by_dose, strict=True)) / sum(unit)
        position = {k: "below" if p < low else "above" if p > high else "inside" for k, p in rates.items()}
        candidates = observed.toxicity_candidates() if quantity == "toxicities" else (count,)
        unit_word = "treated" if quantity in ("toxicities", "serious") else "evaluable"
        found.append(Headline(quantity, count, n, unit_word, low, high, candidates, rates, position))
    return tuple(found)


def _curve(quantity: str, count: int, n: int) -> Curve:
    from scipy.special import bdtr, bdtrc

    rate = np.linspace(0, 1, 1001)
    below = bdtr(count - 1, n, rate) if count else np.zeros_like(rate)
    lower = below + (1 - bdtrc(count, n, rate) - below) / 2
    return Curve(quantity, rate, np.clip(2 * np.minimum(lower, 1 - lower), 0, 1))


def _likelihood_ratios(
    scenario: Scenario, counts: dict[str, tuple[int, int]], splits: dict[str, Sizes]
) -> tuple[LikelihoodRatio, ...]:
    """Every case against the first, on (responses, toxicities) where both are known, else on responses."""
    names = [name for name in scenario.truth if name in splits]
    if "responses" not in counts or len(names) < 2 or not any(sum(s.evaluable) for s in splits.values()):
        return ()
    with_toxicity = "toxicities" in counts and all(
        "toxicities" in rates_by_dose(scenario, scenario.truth[name]) for name in names
    )
    vector = ("responses", "toxicities") if with_toxicity else ("responses",)
    likelihood = {}
    for name in names:
        table = cells_by_dose(scenario, scenario.truth[name])
        cells = [{(r, t): float(row[2 * r + t]) for r in (0, 1) for t in (0, 1)} for row in table]
        joint = joint_pmf(splits[name], cells)
        y = counts["responses"][0]
        likelihood[name] = float(joint[y, counts["toxicities"][0]] if with_toxicity else joint[y].sum())
    first = names[0]
    return tuple(
        LikelihoodRatio(
            vector, name, first, likelihood[name] / likelihood[first] if likelihood[first] > 0 else None
        )
        for name in names[1:]
    )


def _left_out(cases: list[str]) -> tuple[str, ...]:
    """The sentence on cases that are not checked."""
    if not cases:
        return ()
    which = listed(tuple(f"“{name}”" for name in cases))
    return (
        f"Not checked: {which}. Response rates that change during a trial predict counts only together with the order "
        "or the dates of enrolment.",
    )


def _notes(trial: Compiled, observed: Observed, trials: int) -> tuple[str, ...]:
    """What the check cannot say, and what was assumed, in sentences."""
    scenario = trial.scenario
    notes = [
        "The check asks whether the observed counts would be surprising if a case were true. Compatibility does not "
        "confirm a case: many other assumptions are as compatible.",
        "Sizes are fixed as observed, so no stopping rule enters the verdicts.",
    ]
    candidates = observed.toxicity_candidates()
    if observed.toxicity_percent is not None and len(candidates) == 1:
        notes.append(
            f"{observed.toxicity_percent}% of {observed.treated} treated patients is {candidates[0]} patients, the "
            "only count that rounds to it."
        )
    elif len(candidates) > 1:
        notes.append(
            f"{observed.toxicity_percent}% of {observed.treated} treated patients could be "
            f"{', '.join(map(str, candidates))}: state `observed.toxicities` to have it checked."
        )
    source = scenario.sources.get("design")
    if source is not None and source.assumed:
        notes.append(
            "The design is assumed, not taken from the publication: what depends on it is shown without a verdict."
        )
    if is_simulated(scenario):
        how = "in calendar time" if scenario.conduct else "with looks of its own for each cohort"
        notes.append(
            f"What depends on the design comes from {trials:,} trials of each case, simulated {how}, with the seed of "
            "the run."
        )
    elif out_of_reach(trial.rules):
        notes.append(
            "What depends on the design (reaching the planned n, whether the dose was reduced) is not shown: the exact "
            "answer is too large to compute."
        )
    elif out_of_reach(trial.rules, carried=True):
        notes.append(
            "How many responses trials have that reach the planned n is not shown: the exact answer is too large to "
            "compute."
        )
    if scenario.conduct:
        notes.append("Dates and durations are not among what was observed, so they are not checked.")
    if not planned_size_says(scenario):
        why = "looks may begin again at a new dose" if not scenario.own_rules else "each cohort has its own"
        notes.append(
            f"The planned n is not the size of a complete trial here ({why}), so how often a trial gets as far as this "
            "one did is not shown."
        )
    if any(case.cohorts for case in scenario.truth.values()):
        notes.append(
            "Totals are predicted for patients who belong to each stratum with its stated share, not for the observed "
            "numbers by cohort; the cells are."
        )
    if observed.cells:
        notes.append(
            "Cells by cohort and dose are parts of the totals and overlap with one another. Their p-values are not "
            "adjusted, and they carry no verdict: among so many, some will look unusual."
        )
    reductions = scenario.conduct.patient_reductions if scenario.conduct else None
    if reductions is not None and reductions.exposure_weight > 0:
        notes.append(
            "Responses lost because a patient’s own dose was reduced are in the trials in calendar time, but not in "
            "the predictions with numbers of patients fixed."
        )
    return tuple(notes)
