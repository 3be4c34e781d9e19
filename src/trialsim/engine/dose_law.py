"""The exact joint law of patients, responses and toxicities at two doses, and what a dose decision makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trialsim.codes import (
    CONTINUE,
    FINAL_GO,
    GO_EARLY,
    NEVER,
    POOLED,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.designs.dose_choice import NO_GO, OUTCOMES, DoseChoice, Seen
from trialsim.designs.rules import Rules
from trialsim.engine.compiled import tables_of
from trialsim.kernels.tables import Bool, Float64, Int64, Tables
from trialsim.timing import long_work

LAW = "the joint law of the two doses"

MOST_WORK = 20_000_000_000
"""Most that the two chains compute, states times patients: some 20 seconds; beyond it there is no exact answer."""

MOST_STATES = 40_000_000
"""Largest law of the higher dose, in doubles (320 MB)."""


@dataclass(frozen=True)
class Part:
    """A part of the law: what was seen at the doses, the end (``codes``), and the probability, (count,) each."""

    seen: Seen
    end: Int64
    p: Float64


@dataclass(frozen=True)
class Decided:
    """What one rule decides.

    Attributes:
        outcomes: P(each of OUTCOMES of ``dose_choice``).
        rates: E[observed response rate at the higher dose; a go and the dose reduced], the same at the lower dose, and
            P(a go and the dose reduced).
    """

    outcomes: tuple[float, ...]
    rates: tuple[float, float, float]


def unknown_law(rules: Rules, choices: Sequence[DoseChoice]) -> str:
    """Why there is no exact law of the two doses; "" where there is one."""
    looks = rules.looks
    if rules.replaced:
        return "inevaluable patients are replaced"
    if rules.on_dose_change != POOLED:
        return "the analysis is not pooled over doses"
    if looks.too_toxic:
        return "looks count toxicities"
    if any(decision > k + 1 for k, row in enumerate(looks.next) for decision in row) or any(
        looks.is_final(k) for k in range(len(looks.n) - 1)
    ):
        return "a look can lead past the next one"
    most, toxic = looks.planned_n, max(last_toxic(rules, level, choices) for level in range(2)) + 1
    if (most + 1) ** 2 * toxic > MOST_STATES:
        return "the joint law of the two doses would need more memory than is spent on it"
    chains = sum(classes(rules, begun) + 1 for begun in range(1, most))
    if chains * most * most * toxic > MOST_WORK:
        return "the joint law of the two doses would take more time than is spent on it"
    return ""


def law(rules: Rules, cells: Float64, choices: Sequence[DoseChoice]) -> Iterator[Part]:
    """The joint law of a trial with two dose levels, in parts that add up to it.

    Ends without a go are left out where no choice asks for them.

    Args:
        cells: (2, M, 4) probabilities of patient i = 1..M at each dose: no response without, with toxicity; response.
        choices: the rules that will read it; they say what has to be told apart.
    """
    from trialsim.kernels.dose_law import higher_dose

    tables, most = tables_of(rules), rules.looks.planned_n
    all_ends = any(choice.any_end for choice in choices)
    last = last_toxic(rules, 0, choices)
    left, ends = np.zeros((most + 1, most + 1, last + 1)), np.zeros((most + 1, most + 1, last + 1, 4))
    higher_dose(tables, cells[0], *start(most, last), left, ends)
    yield from at_higher(rules, ends, all_ends)
    verdicts = [decisions(rules, look) for look in range(len(rules.looks.n))]
    with long_work("joint law of the two doses", most) as done:
        for begun in range(1, most):
            if left[begun].any():
                yield from _at_lower(rules, tables, cells[1], begun, left[begun], choices, verdicts, all_ends)
            done(begun)


def decided(rules: Rules, cells: Float64, choices: Sequence[DoseChoice]) -> list[Decided]:
    """What each of the rules decides, from one pass over the law; arguments as for ``law``."""
    outcomes = np.zeros((len(choices), len(OUTCOMES)))
    rates = np.zeros(3)
    for part in law(rules, cells, choices):
        seen, went = part.seen, is_go(part.end)
        for k, choice in enumerate(choices):
            outcomes[k] += np.bincount(choice.outcomes(seen, went), weights=part.p, minlength=len(OUTCOMES))
        reduced = went & (seen.n2 > 0)
        p = part.p[reduced]
        rates += (
            (p * seen.x1[reduced] / seen.n1[reduced]).sum(),
            (p * seen.x2[reduced] / seen.n2[reduced]).sum(),
            p.sum(),
        )
    for k, choice in enumerate(choices):
        if not choice.any_end:
            outcomes[k, NO_GO] = max(1 - outcomes[k, NO_GO + 1 :].sum(), 0.0)
    higher, lower, forward = rates.tolist()
    return [Decided(tuple(row), (higher, lower, forward)) for row in outcomes.tolist()]


def when_left(rules: Rules, cells: Float64) -> tuple[float, float, float]:
    """E[observed response rate, observed toxicity rate at the higher dose; it is left], and P(it is left)."""
    from trialsim.kernels.dose_law import higher_dose

    most = rules.looks.planned_n
    left, ends = np.zeros((most + 1, most + 1, most + 1)), np.zeros((most + 1, most + 1, most + 1, 4))
    higher_dose(tables_of(rules), cells[0], *start(most, most), left, ends)
    n1, x1, t1 = np.nonzero(left)
    p = left[n1, x1, t1]
    return float((p * x1 / n1).sum()), float((p * t1 / n1).sum()), float(p.sum())


def is_go(end: Int64) -> Bool:
    """Which trials ended in a go."""
    return np.asarray((end == GO_EARLY) | (end == FINAL_GO))


def start(most: int, last: int) -> tuple[Float64, Float64]:
    state = np.zeros((most + 1, last + 1))
    state[0, 0] = 1.0
    return state, np.zeros_like(state)


def at_higher(rules: Rules, ends: Float64, all_ends: bool) -> Iterator[Part]:
    """The trials that never left the first dose."""
    looks = rules.looks
    n1, x1, t1, why = (axis.astype(np.int64) for axis in np.nonzero(ends))
    p = ends[n1, x1, t1, why]
    end = np.where(why == 0, TOXICITY, TOXICITY_AT_N)
    for k, n in enumerate(looks.n):
        at = (why >= 2) & (n1 == n)
        end[at] = decisions(rules, k)[x1[at]]
    none = np.zeros_like(n1)
    keep = np.ones(len(p), dtype=bool) if all_ends else is_go(end)
    yield Part(Seen(*(axis[keep] for axis in (n1, x1, t1, none, none, none))), end[keep], p[keep])


def _at_lower(
    rules: Rules,
    tables: Tables,
    cells: Float64,
    begun: int,
    left: Float64,
    choices: Sequence[DoseChoice],
    verdicts: Sequence[Int64],
    all_ends: bool,
) -> Iterator[Part]:
    """The trials that went on at the second dose after ``begun`` patients."""
    from trialsim.kernels.dose_law import lower_dose

    looks, size, last = rules.looks, rules.looks.planned_n - begun, last_toxic(rules, 1, choices)
    at_look = {n - begun: k for k, n in enumerate(looks.n) if n > begun}
    tells_toxicities = any(choice.counts_toxicities for choice in choices)
    top = classes(rules, begun)
    for carried in range(top + 1):
        mine = left[carried:] if carried == top else left[carried : carried + 1]
        x1, t1 = (axis.astype(np.int64) for axis in np.nonzero(mine))
        if not len(x1):
            continue
        before, x1 = mine[x1, t1], x1 + carried
        ends = np.zeros((size + 1, size + 1, last + 1 if tells_toxicities else 1, 3))
        lower_dose(tables, cells, begun, carried, *start(size, last), ends)
        for size2, look in at_look.items():
            x2, t2 = (axis.astype(np.int64) for axis in np.nonzero(ends[size2, :, :, 2]))
            if len(x2):
                n2 = np.full(len(x2), size2, dtype=np.int64)
                yield _joined(begun, x1, t1, before, n2, x2, t2, ends, verdicts[look], all_ends)
        if all_ends and ends[..., :2].any():
            n2, x2, t2, why = (axis.astype(np.int64) for axis in np.nonzero(ends[..., :2]))
            end = np.where(why == 0, TOXICITY, TOXICITY_AT_N)
            p = np.multiply.outer(before, ends[n2, x2, t2, why])
            yield _flat(begun, x1, t1, n2, x2, t2, np.broadcast_to(end, p.shape), p)


def _joined(
    begun: int,
    x1: Int64,
    t1: Int64,
    before: Float64,
    n2: Int64,
    x2: Int64,
    t2: Int64,
    ends: Float64,
    verdicts: Int64,
    all_ends: bool,
) -> Part:
    """Trials that end at one look: what was seen at the first dose with what was seen at the second."""
    late, count = ends[n2, x2, t2, 2], np.add.outer(x1, x2)
    if all_ends:
        return _flat(begun, x1, t1, n2, x2, t2, verdicts[count], np.multiply.outer(before, late))
    # only what is kept is written out
    first, second = np.nonzero(is_go(verdicts)[count])
    n1 = np.full(len(first), begun, dtype=np.int64)
    seen = Seen(n1, x1[first], t1[first], n2[second], x2[second], t2[second])
    return Part(seen, verdicts[count[first, second]], before[first] * late[second])


def _flat(begun: int, x1: Int64, t1: Int64, n2: Int64, x2: Int64, t2: Int64, end: Int64, p: Float64) -> Part:
    def first(axis: Int64) -> Int64:
        return np.repeat(axis, p.shape[1])

    def second(axis: Int64) -> Int64:
        return np.tile(axis, p.shape[0])

    n1 = np.full(p.size, begun, dtype=np.int64)
    return Part(Seen(n1, first(x1), first(t1), second(n2), second(x2), second(t2)), end.ravel(), p.ravel())


def decisions(rules: Rules, look: int) -> Int64:
    """(planned n + 1,) the end that a look brings, by responses; -1 where it leads on."""
    from trialsim.kernels.ends import end_of

    at_n = not rules.looks.ends_early(look)
    row = [end_of.py_func(d, at_n) if d < 0 else -1 for d in rules.looks.next[look]]
    return np.array(row + [-1] * (rules.looks.planned_n + 1 - len(row)), dtype=np.int64)


def classes(rules: Rules, begun: int) -> int:
    """A number of responses from which on more of them at the first dose change no look but the last."""
    looks = rules.looks
    changes = [
        x
        for n, row in zip(looks.n[:-1], looks.next[:-1], strict=True)
        if n > begun
        for x in range(1, len(row))
        if row[x] != row[x - 1]
    ]
    return min(max(changes, default=0), begun)


def last_toxic(rules: Rules, level: int, choices: Sequence[DoseChoice]) -> int:
    """The largest number of toxicities at a level that has to be told apart from fewer."""
    rows = (rules.monitor.act_ge[level], rules.monitor.stops_from(level))
    bounds = [b for row in rows for b in row[1:] if b < NEVER]
    acts = rules.monitor.action[level] != CONTINUE
    if any(choice.counts_toxicities for choice in choices):
        reached = [min(b, m + 1) for m, b in enumerate(rules.monitor.act_ge[level][1:], start=1)]
        # a cut-off that never falls is met exactly: the count grows by 1 at most
        rises = all(a <= b for a, b in zip(reached, reached[1:], strict=False))
        if not (acts and rises):
            return rules.looks.planned_n
    return max(bounds, default=0) if acts else 0
