"""Two doses from the first patient on, each with a design of its own: the exact law of what goes forward.

Allocation decides when a patient comes, not what becomes of the dose: the two sequences of patients are independent,
and with every outcome known before the next patient the law is the product of two laws of (a go, patients, responses,
toxicities).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trialsim.codes import GO, NEVER
from trialsim.designs.dose_choice import HIGHER, LOWER, NO_GO, OUTCOMES, DoseChoice, lower_from
from trialsim.designs.rules import Looks, Rules
from trialsim.engine.dose_law import Decided
from trialsim.kernels.tables import Float64, Int64

MOST_WORK = 200_000_000
"""Cells times patients beyond which the law of a dose is not worked out: some two seconds."""


class Went(NamedTuple):
    """A go after n patients; ``law`` (n + 1, n + 1 or 1): P(that go, responses, toxicities if they are counted)."""

    n: int
    law: Float64


@dataclass(frozen=True)
class Passed:
    """Which doses pass their designs; the four add up to 1."""

    none: float
    only_higher: float
    only_lower: float
    both: float


def unknown(rules: Rules, choices: Sequence[DoseChoice]) -> str:
    """Why there is no exact law of two doses with designs of their own; "" where there is one."""
    n = rules.looks.planned_n
    by = n + 1 if _counts_toxicities(rules.looks, choices) else 1
    work = n * (n + 1) * by * len(rules.looks.n)
    return f"the law of a dose would go through {work:,} cells" if work > MOST_WORK else ""


def decided(rules: Rules, cells: Float64, choices: Sequence[DoseChoice]) -> tuple[Passed, list[Decided]]:
    """Which doses pass, and what each rule makes of it.

    Args:
        cells: (2, 4) P(neither, toxicity alone, response alone, both) of a patient at the higher and at the lower dose.
    """
    counted = _counts_toxicities(rules.looks, choices)
    higher, lower = (list(_went(rules.looks, each, counted)) for each in cells)
    p1, p2 = (float(sum(went.law.sum() for went in each)) for each in (higher, lower))
    passed = Passed((1 - p1) * (1 - p2), p1 * (1 - p2), (1 - p1) * p2, p1 * p2)
    return passed, [Decided(_outcomes(choice, passed, higher, lower), (0.0, 0.0, 0.0)) for choice in choices]


def _counts_toxicities(looks: Looks, choices: Sequence[DoseChoice]) -> bool:
    return bool(looks.too_toxic) or any(choice.counts_toxicities for choice in choices)


def _went(looks: Looks, cells: Float64, counted: bool) -> Iterator[Went]:
    """Every go of a dose that a design can lead to, look by look."""
    neither, toxic, response, both = cells.tolist()
    size = looks.planned_n + 1
    pending = {0: np.zeros((size, size if counted else 1))}
    pending[0][0, 0] = 1.0
    cuts = looks.toxic_ge or (NEVER,) * len(looks.n)
    for i in range(1, size):
        for k, before in pending.items():
            after = before * (neither if counted else neither + toxic)
            after[1:] += before[:-1] * (response if counted else response + both)
            if counted:
                after[:, 1:] += before[:, :-1] * toxic
                after[1:, 1:] += before[:-1, :-1] * both
            pending[k] = after
        for k in [k for k in pending if looks.n[k] == i]:
            law = pending.pop(k)[: i + 1, : i + 1]
            law[:, cuts[k] :] = 0
            decisions = np.array(looks.next[k])
            yield Went(i, np.where((decisions == GO)[:, None], law, 0.0))
            for later in sorted({d for d in looks.next[k] if d >= 0}):
                more = pending.setdefault(later, np.zeros((size, size if counted else 1)))
                more[: i + 1, : law.shape[1]] += np.where((decisions == later)[:, None], law, 0.0)


def _outcomes(
    choice: DoseChoice, passed: Passed, higher: Sequence[Went], lower: Sequence[Went]
) -> tuple[float, ...]:
    found = [0.0] * len(OUTCOMES)
    preferred = sum(_prefers_higher(choice, one, other) for one in higher for other in lower)
    found[NO_GO] = passed.none
    found[HIGHER] = passed.only_higher + preferred
    found[LOWER] = passed.only_lower + passed.both - preferred
    return tuple(found)


def _prefers_higher(choice: DoseChoice, one: Went, other: Went) -> float:
    """P(both go, and the rule prefers the higher dose)."""
    if choice.posterior is not None:
        delta, cutoff, a, b = choice.posterior
        least = lower_from(one.n, other.n, delta, cutoff, (a, b))
        at_most = np.concatenate([[0.0], np.cumsum(other.law.sum(axis=1))])
        return float(one.law.sum(axis=1) @ at_most[least])
    scores, chances = _scores(choice, one)
    there, weights = _scores(choice, other)
    order = np.argsort(there, kind="stable")
    at_most = np.concatenate([[0.0], np.cumsum(weights[order])])
    # higher iff score1 n2 - score2 n1 > more_than n1 n2, in whole numbers
    bound = scores * other.n - choice.more_than * one.n * other.n
    return float(chances @ at_most[np.searchsorted(there[order] * one.n, bound, side="left")])


def _scores(choice: DoseChoice, went: Went) -> tuple[Int64, Float64]:
    """The weighed counts of each cell, and its probability."""
    law = went.law if choice.counts_toxicities else went.law.sum(axis=1, keepdims=True)
    x, t = (np.arange(size, dtype=np.int64) for size in law.shape)
    return (choice.response * x[:, None] - choice.toxicity * t[None, :]).ravel(), law.ravel()
