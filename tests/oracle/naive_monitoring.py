"""Power at an interim look, and how a trial ends from where it stands, by walking through every sequence of patients in
rational arithmetic. Shares no code with the package but the decision tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import prod
from typing import NamedTuple

from tests.oracle.brute_force import Cells, State, after_patient
from trialsim.codes import POOLED
from trialsim.designs.rules import Looks, Rules

GO = -2


def ends_in_go(looks: Looks, look: int, x: int, more: Sequence[int]) -> bool:
    """Whether x responses by now and these outcomes of the patients to come end in a go, the next look being `look`.

    `more` are the patients after now, as many as the longest trial still takes.
    """
    now = looks.n[-1] - len(more)
    while True:
        decision = looks.next[look][x + sum(more[: looks.n[look] - now])]
        if decision < 0:
            return decision == GO
        look = decision


def conditional_power(looks: Looks, n: int, x: int, look: int, p: Fraction) -> Fraction:
    """P(go) at rate p after x of n, the next look being `look`."""
    return sum(
        (prod((p if r else 1 - p for r in more), start=Fraction(1)) for more in going(looks, n, x, look)),
        Fraction(0),
    )


def predictive_power(looks: Looks, n: int, x: int, look: int, a: Fraction, b: Fraction) -> Fraction:
    """P(go) after x of n under a Beta(a, b) prior: each sequence of s in m has probability B(a', b')/B(a, b) as defined
    by the rising factorials of the posterior's parameters."""
    total = Fraction(0)
    for more in going(looks, n, x, look):
        s, m = sum(more), len(more)
        total += rising(a + x, s) * rising(b + n - x, m - s) / rising(a + b + n, m)
    return total


def rising(a: Fraction, k: int) -> Fraction:
    """a (a + 1) ... (a + k - 1)."""
    return prod((a + i for i in range(k)), start=Fraction(1))


def going(looks: Looks, n: int, x: int, look: int) -> Iterator[tuple[int, ...]]:
    """The sequences of outcomes to come that end in a go."""
    for more in product((0, 1), repeat=looks.n[-1] - n):
        if ends_in_go(looks, look, x, more):
            yield more


class Ends(NamedTuple):
    """P(go) and P(stop for toxicity, also at the last patient)."""

    go: Fraction
    toxicity: Fraction


def ends_from(rules: Rules, cells: Sequence[Cells], state: State) -> Ends:
    """How the trial ends from a state on."""
    go = toxicity = Fraction(0)
    for cell, p in cells[state.level].items():
        if p <= 0:
            continue
        then, reason = after_patient(rules, state, cell)
        if reason is None:
            more = ends_from(rules, cells, then)
            go += Fraction(p) * more.go
            toxicity += Fraction(p) * more.toxicity
        else:
            go += Fraction(p) * (reason in ("go_early", "final_go"))
            toxicity += Fraction(p) * (reason in ("toxicity", "toxicity_at_n"))
    return Ends(go, toxicity)


def start(rules: Rules) -> State:
    """Before the first patient."""
    zeros = (0,) * rules.levels
    return State(0, 0, zeros, zeros, zeros, zeros, False, 0)


def states_of(rules: Rules, cells: Sequence[Cells]) -> set[State]:
    """Every state in which the trial goes on, the start included."""
    found, waiting = set(), [start(rules)]
    while waiting:
        state = waiting.pop()
        if state in found:
            continue
        found.add(state)
        for cell, p in cells[state.level].items():
            if p > 0:
                then, reason = after_patient(rules, state, cell)
                if reason is None:
                    waiting.append(then)
    return found


def past_look(rules: Rules, cells: Sequence[Cells], k: int) -> dict[int, tuple[Fraction, Fraction]]:
    """By x: P(the trial passes look k with x responses), and P(that and it ends in a go).

    It may pass the look and yet end with it because no more patients may be treated.
    """
    found: dict[int, tuple[Fraction, Fraction]] = {}

    def walk(state: State, weight: Fraction) -> None:
        for cell, p in cells[state.level].items():
            if p <= 0:
                continue
            then, reason = after_patient(rules, state, cell)
            if reason not in (None, "accrual_cap"):
                continue
            counted = then.evaluable if rules.replaced else then.patients
            new = cell[0] == 1 or not rules.replaced
            narrowed = rules.on_dose_change != POOLED and state.level > 0
            if new and not narrowed and state.look == k and sum(counted) == rules.looks.n[k]:
                x = sum(then.responses)
                reached, went = found.get(x, (Fraction(0), Fraction(0)))
                here = weight * Fraction(p)
                found[x] = (
                    reached + here,
                    went + (here * ends_from(rules, cells, then).go if reason is None else 0),
                )
            elif reason is None:
                walk(then, weight * Fraction(p))

    walk(start(rules), Fraction(1))
    return found
