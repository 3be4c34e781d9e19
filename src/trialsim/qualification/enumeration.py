"""A slow, obvious oracle: every outcome of every patient in turn, in rational arithmetic.

Nothing here merges states, vectorises or approximates. Speed is bought only by skipping impossible cells. It shares no
code with the engines.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from trialsim.codes import CONSIDER, FUTILE, GO, NEW_DOSE_ONLY, POOLED, REDUCE, RESTART, STOP
from trialsim.designs.rules import Rules
from trialsim.qualification.planned import ends_at_the_planned_n

Inevaluable = Literal["independent", "nonresponders"]

Cells = Mapping[tuple[int, int, int], float]
"""(evaluable, response, toxicity) -> probability; (0, 0, t) collects every inevaluable patient."""


# --- one patient -------------------------------------------------------------------------------------------


class Dose(NamedTuple):
    """What is true at one dose level."""

    response: float
    toxicity: float
    odds_ratio: float = 1.0
    evaluable: float = 1.0
    inevaluable: Inevaluable = "independent"


def plackett(p_response: float, p_toxicity: float, psi: float) -> float:
    """P(response and toxicity) at the odds ratio psi."""
    if {p_response, p_toxicity} & {0.0, 1.0}:
        return p_response * p_toxicity  # a sure event is independent of everything, whatever the odds ratio
    s = 1 + (p_response + p_toxicity) * (psi - 1)
    both = 2 * psi * p_response * p_toxicity
    both /= s + math.sqrt(s * s - 4 * psi * (psi - 1) * p_response * p_toxicity)
    # Rounding may leave the last digit outside what the margins allow.
    return min(max(both, 0.0, p_response + p_toxicity - 1), p_response, p_toxicity)


def cell_probabilities(
    p_response: float, p_toxicity: float, psi: float, evaluable: float, inevaluable: Inevaluable
) -> dict[tuple[int, int, int], float]:
    """Probability of each (evaluable, response, toxicity); the inevaluable are under (0, 0, toxicity)."""
    p11 = plackett(p_response, p_toxicity, psi)
    joint = {
        (1, 1): p11,
        (1, 0): p_response - p11,
        (0, 1): p_toxicity - p11,
        (0, 0): max(0.0, 1 - p_response - p_toxicity + p11),
    }
    if inevaluable == "independent":
        evaluable_given = {1: evaluable, 0: evaluable}
    elif p_response > evaluable:
        raise ValueError("every responder is evaluable, so at least as many are evaluable as respond")
    elif p_response == 1:
        evaluable_given = {1: 1.0, 0: 1.0}  # there are no non-responders
    else:
        evaluable_given = {1: 1.0, 0: (evaluable - p_response) / (1 - p_response)}

    cells = {(1, 1, 1): 0.0, (1, 1, 0): 0.0, (1, 0, 1): 0.0, (1, 0, 0): 0.0, (0, 0, 1): 0.0, (0, 0, 0): 0.0}
    for (response, toxicity), p in joint.items():
        cells[1, response, toxicity] += p * evaluable_given[response]
        cells[0, 0, toxicity] += p * (1 - evaluable_given[response])
    return cells


def cells_of(truth: Sequence[Dose]) -> list[dict[tuple[int, int, int], float]]:
    """The cells of every dose level."""
    return [cell_probabilities(*dose) for dose in truth]


# --- one trial ---------------------------------------------------------------------------------------------


class State(NamedTuple):
    """All that is known after some patients; counts are kept per dose level, starting level first."""

    level: int
    look: int
    evaluable: tuple[int, ...]
    patients: tuple[int, ...]
    responses: tuple[int, ...]
    toxicities: tuple[int, ...]
    triggered: bool
    reduction_patient: int  # last patient treated at the starting dose; 0 = not reduced


class Outcome(NamedTuple):
    """How a trial ended, and its state then."""

    reason: str
    state: State


def add_at(counts: tuple[int, ...], level: int, amount: int) -> tuple[int, ...]:
    """The counts with `amount` more at one level."""
    return tuple(c + amount * (d == level) for d, c in enumerate(counts))


def after_patient(rules: Rules, before: State, cell: tuple[int, int, int]) -> tuple[State, str | None]:
    """Treat one more patient: the state then, and the reason the trial ended if it did."""
    evaluable, response, toxicity = cell
    looks, monitor, level = rules.looks, rules.monitor, before.level
    narrowed = rules.on_dose_change == NEW_DOSE_ONLY and level > 0
    first = 0 if rules.on_dose_change == POOLED else level  # patients from this level on are analysed

    # 1. Record.
    now = before._replace(
        evaluable=add_at(before.evaluable, level, evaluable),
        patients=add_at(before.patients, level, 1),
        responses=add_at(before.responses, level, response if evaluable else 0),
        toxicities=add_at(before.toxicities, level, toxicity),
    )
    treated = sum(now.patients)
    if narrowed:
        due = treated == looks.planned_n
    elif rules.replaced:
        due = evaluable == 1 and sum(now.evaluable[first:]) == looks.n[now.look]
    else:
        due = sum(now.patients[first:]) == looks.n[now.look]
    final = narrowed or ends_at_the_planned_n(looks, now.look)

    # 2. Toxicity. Levels are never returned to, so the counts at the level are those since it was entered.
    m, toxicities = now.patients[level], now.toxicities[level]
    crossed = toxicities >= monitor.act_ge[level][m]
    amended = monitor.at_enrolled[level] > 0 and treated >= monitor.at_enrolled[level]
    stops = monitor.action[level] == REDUCE and monitor.stop_ge and toxicities >= monitor.stop_ge[level][m]
    if crossed and (monitor.action[level] == STOP or stops):
        return now, "toxicity_at_n" if due and final else "toxicity"
    reduce = amended or (crossed and monitor.action[level] == REDUCE)
    if reduce:
        if level + 1 == rules.levels:
            raise ValueError("there is no dose below the last level")
        now = now._replace(triggered=True)

    # 3. Look.
    if due:
        x = sum(now.responses[first:])
        if looks.toxic_ge and sum(now.toxicities[first:]) >= looks.toxic_ge[now.look]:
            return now, "toxicity_at_n" if final else "toxicity"
        if narrowed:
            decision = GO if x >= rules.attained_ge[sum(now.patients[first:])] else FUTILE
        else:
            decision = looks.next[now.look][x]
        if decision == FUTILE:
            return now, "final_no_go" if final else "futility"
        if decision == GO:
            return now, "final_go" if final else "go_early"
        if decision == CONSIDER:
            return now, "final_consider"
        now = now._replace(look=decision)

    # 4. No more patients may be treated.
    if (m if rules.on_dose_change == RESTART else treated) == rules.max_treated:
        return now, "accrual_cap"

    # There will be a next patient: this is where a triggered reduction becomes a reduction.
    if reduce:
        look = now.look if rules.on_dose_change == POOLED else 0
        now = now._replace(level=level + 1, look=look, reduction_patient=now.reduction_patient or treated)
    return now, None


def enumerate_outcomes(rules: Rules, *cells: Sequence[Cells]) -> dict[Outcome, Fraction]:
    """Exact probability of every way the trial can end, by walking through every sequence of patients.

    ``cells`` by level of the first patient, the second, ..., the last ones of everybody after.

    Doubles are fractions with a power of two below the line, so every cell is a whole number of 1/unit and
    the walk multiplies whole numbers; a trial of n patients is divided by unit**n at the end.
    """
    unit = max(Fraction(p).denominator for patient in cells for level in patient for p in level.values())
    parts = [
        [[(cell, int(Fraction(p) * unit)) for cell, p in level.items() if p > 0] for level in patient]
        for patient in cells
    ]
    ends: dict[Outcome, int] = defaultdict(int)

    def walk(state: State, weight: int) -> None:
        treated = sum(state.patients)
        for cell, part in parts[min(treated, len(parts) - 1)][state.level]:
            then, reason = after_patient(rules, state, cell)
            if reason is None:
                walk(then, weight * part)
            else:
                ends[Outcome(reason, then)] += weight * part

    zeros = (0,) * rules.levels
    walk(State(0, 0, zeros, zeros, zeros, zeros, False, 0), 1)
    return {end: Fraction(weight, unit ** sum(end.state.patients)) for end, weight in ends.items()}


def summarise(rules: Rules, outcomes: Mapping[Outcome, Fraction]) -> dict[str, Any]:
    """Every operating characteristic from the probabilities (or frequencies) of the ways to end."""

    def chance(*reasons: str) -> Fraction:
        return sum((p for end, p in outcomes.items() if end.reason in reasons), Fraction(0))

    exact: dict[str, Fraction] = {
        "p_go": chance("go_early", "final_go"),
        "p_no_go": chance("final_no_go", "accrual_cap"),
        "p_consider": chance("final_consider"),
        "pet": chance("futility", "toxicity", "go_early"),
        "p_stop_futility": chance("futility"),
        "p_stop_toxicity": chance("toxicity"),
        "p_go_early": chance("go_early"),
        "p_stop_toxicity_at_n": chance("toxicity_at_n"),
    }
    means = ["p_dose_reduction_triggered", "p_dose_reduced", "en", "en_evaluable", "responses", "toxicities"]
    for d in range(1, rules.levels + 1):
        means += [f"patients_dose_{d}", f"responses_dose_{d}", f"toxicities_dose_{d}"]
    exact.update(dict.fromkeys(means, Fraction(0)))

    size = rules.max_treated * (rules.levels if rules.on_dose_change == RESTART else 1) + 1
    names = ("n", "responses", "toxicities", "reduction_patient")
    distributions = {name: [Fraction(0)] * size for name in names}
    joint = [[Fraction(0)] * size for _ in range(size)]
    joint_toxicities = [[Fraction(0)] * size for _ in range(size)]
    treated_at = [[Fraction(0)] * size for _ in range(rules.levels)]

    for (_, state), p in outcomes.items():
        n, x, t = sum(state.patients), sum(state.responses), sum(state.toxicities)
        exact["p_dose_reduction_triggered"] += p * state.triggered
        exact["en"] += p * n
        exact["en_evaluable"] += p * sum(state.evaluable)
        exact["responses"] += p * x
        exact["toxicities"] += p * t
        for d in range(rules.levels):
            exact[f"patients_dose_{d + 1}"] += p * state.patients[d]
            exact[f"responses_dose_{d + 1}"] += p * state.responses[d]
            exact[f"toxicities_dose_{d + 1}"] += p * state.toxicities[d]
        distributions["n"][n] += p
        distributions["responses"][x] += p
        distributions["toxicities"][t] += p
        joint[n][x] += p
        joint_toxicities[n][t] += p
        for d in range(rules.levels):
            for i in range(sum(state.patients[:d]), sum(state.patients[: d + 1])):
                treated_at[d][i + 1] += p
        if state.reduction_patient:
            exact["p_dose_reduced"] += p
            distributions["reduction_patient"][state.reduction_patient] += p

    return {
        **{name: float(value) for name, value in exact.items()},
        "distributions": {name: [float(p) for p in row] for name, row in distributions.items()},
        "joint_n_responses": [[float(p) for p in row] for row in joint],
        "joint_n_toxicities": [[float(p) for p in row] for row in joint_toxicities],
        "treated_at": [[float(p) for p in row] for row in treated_at],
    }


def enumerate_trial(rules: Rules, *cells: Sequence[Cells]) -> dict[str, Any]:
    """Exact operating characteristics: scalars by name, "distributions" by name, "joint_n_responses"[n][x],
    "joint_n_toxicities"[n][t], "treated_at"[level][i] (the i-th patient of the trial is treated at the level).

    The distributions are one floor down because "responses" and "toxicities" are also names of means.
    Feasible for 8 patients with 4 cells, 7 with 6 cells.
    """
    return summarise(rules, enumerate_outcomes(rules, *cells))
