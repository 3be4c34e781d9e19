"""The exact law of a trial whose doses are given in turn once the first was left, every outcome known at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trialsim.codes import ALTERNATE, ENDS, TOXICITY, TOXICITY_AT_N
from trialsim.designs.dose_choice import NO_GO, OUTCOMES, DoseChoice, Seen
from trialsim.designs.rules import Randomise, Rules
from trialsim.engine.compiled import tables_of
from trialsim.engine.dose_law import Decided, at_higher, classes, decisions, is_go, last_toxic, start
from trialsim.engine.exact import responders_by_level
from trialsim.kernels.tables import Bool, Float64
from trialsim.quantities import by_end
from trialsim.results import Exact
from trialsim.scenario.truth import Cells, Rates
from trialsim.timing import long_work

MOST_WORK = 20_000_000_000
"""Most that the chain computes, states times patients: some 20 seconds; beyond it there is no exact answer."""


@dataclass(frozen=True)
class Law:
    """The law of the trial.

    Attributes:
        ends: (M + 1, 8) P(end after n treated, why).
        patients: (2, M + 1) P(patient i is treated, at this dose).
        left: (M + 1,) P(the first dose is left after n1 patients, and patients follow).
        triggered: P(a reduction is triggered).
        decided: what each rule decides.
    """

    ends: Float64
    patients: Float64
    left: Float64
    triggered: float
    decided: tuple[Decided, ...]


def unknown(rules: Rules, choices: Sequence[DoseChoice]) -> str:
    """Why there is no exact law of allocated doses; "" where there is one. Asked after ``dose_law.unknown_law``."""
    assert rules.randomise is not None
    if rules.randomise.how != ALTERNATE:
        return "patients are allocated to the doses by chance"
    if any(choice.counts_toxicities for choice in choices):
        return "the dose rule counts toxicities at doses that are given in turn"
    most = rules.looks.planned_n
    states = (most / 2) ** 2 * (last_toxic(rules, 1, ()) + 1)
    if sum(classes(rules, begun) + 1 for begun in range(1, most)) * most * states > MOST_WORK:
        return "the joint law of the two doses would take more time than is spent on it"
    return ""


def in_turn(randomise: Randomise, count: int) -> Bool:
    """(count,) whether each of the patients since the trigger gets the lower dose."""
    found, n = np.zeros(count, dtype=bool), [0, 0]
    for j in range(count):
        each, lower = randomise.per_dose, j % (randomise.lower + randomise.higher) < randomise.lower
        if each and max(n) >= each:
            lower = n[1] < each or n[0] >= each
        found[j] = lower
        n[int(lower)] += 1
    return found


def law(rules: Rules, cells: Float64, choices: Sequence[DoseChoice]) -> Law:
    """The law, and what rules make of it; arguments as for ``dose_law.law``."""
    from trialsim.kernels.dose_law import higher_dose
    from trialsim.kernels.randomised import both_doses

    assert rules.randomise is not None
    tables, most, looks = tables_of(rules), rules.looks.planned_n, rules.looks
    last, lower_last = last_toxic(rules, 0, ()), last_toxic(rules, 1, ())
    left, at_end = np.zeros((most + 1, most + 1, last + 1)), np.zeros((most + 1, most + 1, last + 1, 4))
    higher_dose(tables, cells[0], *start(most, last), left, at_end)
    ends, patients = np.zeros((most + 1, ENDS)), np.zeros((2, most + 1))
    (first,) = at_higher(rules, at_end, all_ends=True)
    np.add.at(ends, (first.seen.n1, first.end), first.p)
    gone = at_end.sum(axis=(1, 2, 3)) + left.sum(axis=(1, 2))
    patients[0, 1:] = 1 - np.concatenate([[0.0], np.cumsum(gone)[1:-1]])
    outcomes, rates = np.zeros((len(choices), len(OUTCOMES))), np.zeros((len(choices), 3))
    went = is_go(first.end)
    verdicts = [decisions(rules, look) for look in range(len(looks.n))]
    for k, choice in enumerate(choices):
        found = choice.outcomes(_part(first.seen, went), np.ones(went.sum(), dtype=bool))
        outcomes[k] += np.bincount(found, weights=first.p[went], minlength=len(OUTCOMES))
    with long_work("joint law of the two doses", most) as done:
        for begun in range(1, most):
            done(begun)
            if not left[begun].any():
                continue
            before = left[begun].sum(axis=1)
            lowers = in_turn(rules.randomise, most - begun)
            split = looks.n[-2] if len(looks.n) > 1 else 0
            early = int((~lowers[: max(split - begun, 0)]).sum())
            size = (early + 1, int(lowers.sum()) + 1, lower_last + 1)
            late = 1 + np.maximum(split, begun) + np.flatnonzero(~lowers[max(split - begun, 0) :])
            later = responders(cells[0, late - 1, 2:].sum(axis=1))
            top = classes(rules, begun)
            for carried in range(top + 1):
                x1 = (
                    np.flatnonzero(before[carried:] if carried == top else before[carried : carried + 1])
                    + carried
                )
                if not len(x1):
                    continue
                weight = before[x1]
                state, by_look, stops = (
                    np.zeros(size),
                    np.zeros((len(looks.n), *size[:2])),
                    np.zeros(most + 1),
                )
                treated = np.zeros_like(patients)
                state[0, 0, 0] = 1.0
                both_doses(
                    tables,
                    cells,
                    begun,
                    carried,
                    lowers,
                    split,
                    state,
                    np.zeros(size),
                    by_look,
                    stops,
                    treated,
                )
                at_last = convolved(by_look[-1], later)
                patients += weight.sum() * treated
                ends[:most, TOXICITY] += weight.sum() * stops[:most]
                ends[most, TOXICITY_AT_N] += weight.sum() * stops[most]
                for look, n in enumerate(looks.n):
                    seen_at = at_last if look == len(looks.n) - 1 else by_look[look]
                    y, x = np.nonzero(seen_at)
                    if not len(y):
                        continue
                    end = verdicts[look][np.add.outer(x1, y + x)]
                    p = np.multiply.outer(weight, seen_at[y, x])
                    np.add.at(ends[n], end.ravel(), p.ravel())
                    go = is_go(end)
                    if not go.any():
                        continue
                    lower_n = int(lowers[: n - begun].sum())
                    rows, columns = np.nonzero(go)
                    p = p[rows, columns]
                    for k, choice in enumerate(choices):
                        extra = (0, np.zeros_like(rows)) if choice.concurrent else (begun, x1[rows])
                        n1 = np.full(len(p), n - begun - lower_n + extra[0])
                        seen = Seen(n1, y[columns] + extra[1], n1 * 0, n1 * 0 + lower_n, x[columns], n1 * 0)
                        all_went = np.ones(len(p), dtype=bool)
                        both = all_went & (0 < lower_n < n - begun)
                        found = choice.outcomes(seen, all_went, both)
                        outcomes[k] += np.bincount(found, weights=p, minlength=len(OUTCOMES))
                        if both.any():
                            rates[k] += (p @ seen.x1 / n1[0], p @ seen.x2 / lower_n, p.sum())
    outcomes[:, NO_GO] = np.maximum(1 - outcomes[:, NO_GO + 1 :].sum(axis=1), 0.0)
    moved = left.sum(axis=(1, 2))
    decided = tuple(
        Decided(tuple(each), (higher, lower, p))
        for each, (higher, lower, p) in zip(outcomes.tolist(), rates.tolist(), strict=True)
    )
    return Law(ends, patients, moved, float(moved.sum() + at_end[..., 3].sum()), decided)


def responders(rates: Float64) -> Float64:
    """(count + 1,) the distribution of the responders among patients with these response rates."""
    found = np.ones(1)
    for p in rates:
        found = np.convolve(found, (1 - p, p))
    return found


def convolved(first: Float64, later: Float64) -> Float64:
    """(Y + later responders, X) the law of ``first`` (Y, X) with independent later responders on its first axis."""
    found = np.zeros((first.shape[0] + len(later) - 1, first.shape[1]))
    for y, p in enumerate(later):
        found[y : y + first.shape[0]] += p * first
    return found


def _part(seen: Seen, keep: Bool) -> Seen:
    return Seen(*(axis[keep] for axis in (seen.n1, seen.x1, seen.t1, seen.n2, seen.x2, seen.t2)))


def exact(rules: Rules, truth: Rates | Cells, found: Law) -> Exact:
    """Every operating characteristic of the law under a truth."""
    by_n = found.ends.sum(axis=1)
    at_level = found.patients.sum(axis=1)
    responders = responders_by_level(found.patients, truth)
    toxic = at_level * np.array(truth.toxicity)
    values = {
        **by_end(found.ends.sum(axis=0).tolist()),
        "p_dose_reduction_triggered": found.triggered,
        "p_dose_reduced": found.left.sum(),
        "en": at_level.sum(),
        "en_evaluable": (at_level * np.array(truth.evaluable)).sum(),
        "responses": responders.sum(),
        "toxicities": toxic.sum(),
    }
    for level in range(rules.levels):
        values[f"patients_dose_{level + 1}"] = at_level[level]
        values[f"responses_dose_{level + 1}"] = responders[level]
        values[f"toxicities_dose_{level + 1}"] = toxic[level]
    return Exact({name: float(value) for name, value in values.items()}, by_n, found.left, found.patients)
