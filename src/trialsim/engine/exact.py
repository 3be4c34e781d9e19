"""Exact operating characteristics, wherever calendar time does not decide: one pass of a Markov chain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from trialsim.codes import CONTINUE, ENDS, NEVER, POOLED, RESTART
from trialsim.designs.rules import Monitor, Rules
from trialsim.engine.compiled import tables_of
from trialsim.kernels.tables import (
    CARRY_BOTH,
    CARRY_NOTHING,
    CARRY_RESPONSES,
    CARRY_TOXICITIES,
    Float64,
    Int32,
)
from trialsim.quantities import by_end, is_probability
from trialsim.results import Exact
from trialsim.scenario.compiling import of_a_cohort
from trialsim.scenario.truth import Cells, Rates
from trialsim.timing import long_work

MAX_STATES = 40_000_000
"""Largest work space of the chain, in doubles (320 MB); beyond it there is no exact answer beside the simulated."""

MAX_WORK = 5_000_000_000
"""Most that the chain computes, states times patients: some 20 seconds; beyond it there is no exact answer either."""

SLICE = 20_000_000
"""States times patients between two looks at whether somebody wants to stop: a tenth of a second."""


def states(rules: Rules, carried: bool = False) -> int:
    """Doubles of work space that the chain needs for these rules; with ``carried`` also for the totals."""
    modes = (CARRY_RESPONSES, CARRY_TOXICITIES) if carried else (CARRY_NOTHING,)
    return max(math.prod(_shape(rules, carry)) for carry in modes)


def out_of_reach(rules: Rules, carried: bool = False) -> bool:
    """Whether the chain would need more memory or time than is spent on it; with ``carried`` also for the totals."""
    if rules.randomise is not None:
        return True  # two doses at a time are another chain: engine/randomised.py
    needed = states(rules, carried)
    return needed > MAX_STATES or needed * rules.most_treated > MAX_WORK


def too_large(rules: Rules) -> str:
    """In words, what the chain would need for rules that are out of reach."""
    if rules.randomise is not None:
        return "the doses are allocated after a trigger"
    needed = states(rules)
    if needed > MAX_STATES:
        return f"the exact chain would need {needed:,} states, more than {MAX_STATES:,}"
    return f"the exact chain would go through {needed:,} states for each of {rules.most_treated:,} patients"


def distribution(rules: Rules, rates: Rates | Cells, totals: bool = False) -> Exact:
    """Run the chain; with ``totals`` also for the joint distributions of n and the totals.

    Raises MemoryError when the rules need more than MAX_STATES (ask ``out_of_reach`` first).
    """
    if totals:
        return _with_totals(rules, rates)
    ends, _, patients, moved, triggered = _run(rules, rates, CARRY_NOTHING)
    return _trial(rules, rates, ends, patients, moved, triggered)


@lru_cache(maxsize=16)
def _with_totals(rules: Rules, rates: Rates | Cells) -> Exact:
    """The slow answer, kept: a run asks for it once for the results and once for the check."""
    _, responses, *_ = _run(rules, rates, CARRY_RESPONSES)
    ends, toxicities, patients, moved, triggered = _run(rules, rates, CARRY_TOXICITIES)
    return _trial(rules, rates, ends, patients, moved, triggered, responses, toxicities)


def _across_levels(rules: Rules) -> bool:
    """Whether looks ask for toxicities at several doses together, which the chain then has to carry."""
    return rules.looks.too_toxic > 0 and rules.levels > 1 and rules.on_dose_change == POOLED


def _shape(rules: Rules, carry: int) -> tuple[int, ...]:
    most, each, looks = rules.most_treated, rules.max_treated, rules.looks
    across = _across_levels(rules)
    total = most if carry != CARRY_NOTHING else 0
    if across and carry != CARRY_TOXICITIES:
        total = looks.too_toxic
    # patients before the last level begins; where looks begin again that level may still see a whole trial
    before = most - each if rules.on_dose_change == RESTART else most
    return (
        rules.levels,
        before + 1 if rules.levels > 1 else 1,
        1 if len(_pending(rules)) else len(looks.n),
        # beyond this many inevaluable patients no look can be reached any more
        each - looks.n[0] + 2 if rules.replaced else 1,
        total + 1,
        max(rules.monitor.saturation, 0 if across else looks.too_toxic) + 1,
        most + 1 if across and carry == CARRY_RESPONSES else rules.saturation + 1,
    )


def _pending(rules: Rules) -> Int32:
    """The look due at or after each number of counted patients; empty when a decision can skip a look."""
    looks = rules.looks
    if any(d > k + 1 for k, row in enumerate(looks.next) for d in row):
        return np.zeros(0, dtype=np.int32)
    return np.searchsorted(looks.n, np.arange(looks.planned_n + 1)).astype(np.int32)


def _run(rules: Rules, rates: Rates | Cells, carry: int) -> tuple[Float64, Float64, Float64, Float64, float]:
    from trialsim.kernels.chain import propagate

    shape = _shape(rules, carry)
    size = math.prod(shape)
    if size > MAX_STATES:
        raise MemoryError("too many states for an exact answer")
    most, levels = rules.most_treated, rules.levels
    by = shape[4]
    if _across_levels(rules):
        by = shape[6] if carry == CARRY_RESPONSES else by
        carry = CARRY_BOTH if carry == CARRY_RESPONSES else CARRY_TOXICITIES
    ends = np.zeros((most + 1, ENDS))
    carried = np.zeros((most + 1, by))
    patients = np.zeros((levels, most + 1))
    moved = np.zeros((levels, most + 1))
    triggered = np.zeros(1)
    state, work = np.zeros(shape), np.empty(shape[3:])
    state[(0,) * state.ndim] = 1.0
    before = np.full((*shape[:2], 2), (most + 1, -1), dtype=np.int32)
    before[0, 0] = 0
    given = tables_of(rules), _pending(rules), rates.cells(rules.replaced), carry
    at_once = max(SLICE // size, 1)
    with long_work("exact answer", most) as done:
        for first in range(1, most + 1, at_once):
            last = min(first + at_once - 1, most)
            propagate(*given, first, last, state, work, before, ends, carried, patients, moved, triggered)
            done(last)
    return ends, carried, patients, moved, float(triggered[0])


def _trial(
    rules: Rules,
    rates: Rates | Cells,
    ends: Float64,
    patients: Float64,
    moved: Float64,
    triggered: float,
    responses: Float64 | None = None,
    toxicities: Float64 | None = None,
) -> Exact:
    why = ends.sum(axis=0).tolist()
    by_n = ends.sum(axis=1)
    at_level = patients.sum(axis=1)
    # whether patient i is treated is decided before patient i, so expected counts are patients times rates
    responders = responders_by_level(patients, rates)
    toxic = at_level * np.array(rates.toxicity)
    values = {
        **by_end(why),
        "p_dose_reduction_triggered": triggered,
        "p_dose_reduced": moved[0].sum(),
        "en": at_level.sum(),
        "en_evaluable": (at_level * np.array(rates.evaluable)).sum(),
        "responses": responders.sum(),
        "toxicities": toxic.sum(),
    }
    for level in range(rules.levels):
        values[f"patients_dose_{level + 1}"] = at_level[level]
        values[f"responses_dose_{level + 1}"] = responders[level]
        values[f"toxicities_dose_{level + 1}"] = toxic[level]
    return Exact(
        values={name: _clipped(name, float(value)) for name, value in values.items()},
        n=by_n,
        reduction_patient=moved[0],
        patients=patients,
        joint_responses=responses,
        joint_toxicities=toxicities,
    )


def responders_by_level(patients: Float64, rates: Rates | Cells) -> Float64:
    """(K,) expected responders at each level, from (K, M + 1) P(patient i is treated there)."""
    counted = rates.counted_response()
    if counted.shape[1] == 1:
        return np.asarray(patients.sum(axis=1) * counted[:, 0])
    whose = np.minimum(np.arange(patients.shape[1] - 1), counted.shape[1] - 1)
    return np.asarray((patients[:, 1:] * counted[:, whose]).sum(axis=1))


def independent_cohorts(
    rules: Rules, cohorts: Sequence[Cells], false_go: int, by_dose: bool = False
) -> Exact:
    """Cohorts with rules of their own that share no toxicity boundary, and know nothing of each other.

    ``rules`` are those of all together, ``cohorts`` what a patient of each amounts to, ``false_go`` the set of cohorts
    (bit c for cohort c) where a go is false; ``by_dose``: cohort c has dose c, else all have the first. The trial's end
    is the best of the cohorts' (docs/conduct.md).
    """
    from trialsim.kernels.groups import BEST_LAST

    by_cohort = [of_a_cohort(rules, len(cohorts), c) for c in range(len(cohorts))]
    if inert(rules.monitor):
        by_cohort = list(map(_one_dose, by_cohort))
    known: dict[tuple[Rules, Cells], tuple[Float64, Exact]] = {}  # cohorts that are alike are worked out once
    ends, n, found = np.ones(len(BEST_LAST)), np.ones(1), []
    for one, cells in zip(by_cohort, cohorts, strict=True):
        doses = Cells(cells.table[: one.levels])
        if (one, doses) not in known:
            by_n, _, patients, moved, triggered = _run(one, doses, CARRY_NOTHING)
            reached = by_n.sum(axis=0)[list(BEST_LAST)]
            known[one, doses] = reached, _trial(one, doses, by_n, patients, moved, triggered)
        reached, itself = known[one, doses]
        found.append(itself)
        ends *= np.cumsum(reached)
        n = np.convolve(n, itself.n)
    why = np.zeros(ENDS)
    why[list(BEST_LAST)] = np.diff(ends, prepend=0)
    go = [each.values["p_go"] for each in found]
    values = by_end(why.tolist())
    for name in ("p_dose_reduction_triggered", "p_dose_reduced"):  # in some cohort
        values[name] = 1 - math.prod(1 - each.values[name] for each in found)
    for name in ("en", "en_evaluable", "responses", "toxicities"):
        values[name] = sum(each.values[name] for each in found)
    for name in ("patients", "responses", "toxicities"):
        for level in range(rules.levels):
            here = found[level : level + 1] if by_dose else found
            key = f"{name}_dose_{1 if by_dose else level + 1}"
            values[f"{name}_dose_{level + 1}"] = sum((each.values.get(key, 0.0) for each in here), 0.0)
    values["p_go_all"] = math.prod(go)
    if false_go:
        values["p_false_go"] = 1 - math.prod(1 - p for c, p in enumerate(go) if false_go >> c & 1)
    for c, each in enumerate(found, start=1):
        values[f"p_go_cohort_{c}"] = go[c - 1]
        for what, name in (("patients", "en"), ("evaluable", "en_evaluable"), ("responses", "responses")):
            values[f"{what}_cohort_{c}"] = each.values[name]
    treated = np.zeros((rules.levels, rules.max_treated + 1))
    treated[0, 1:] = 1 - np.cumsum(n)[:-1]
    if by_dose:
        treated[:] = np.nan  # whose turn it is at the i-th patient hangs on the allocation
    return Exact(
        values={name: _clipped(name, float(value)) for name, value in values.items()},
        n=n,
        reduction_patient=np.zeros(rules.max_treated + 1),
        patients=treated,
    )


def _one_dose(rules: Rules) -> Rules:
    """The same looks without a toxicity rule, at one dose."""
    never = ((NEVER,) * (rules.max_treated + 1),)
    return Rules(rules.looks, Monitor(never, (0,), (CONTINUE,)), rules.replaced, rules.max_treated)


def inert(monitor: Monitor) -> bool:
    """Whether toxicity and amendments change nothing."""
    return not any(monitor.at_enrolled) and all(action == CONTINUE for action in monitor.action)


def _clipped(name: str, value: float) -> float:
    """A probability without the rounding that puts it a hair below 0 or above 1."""
    return min(max(value, 0.0), 1.0) if is_probability(name) else value
