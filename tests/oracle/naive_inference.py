"""Inference after a trial, by walking through every sequence of responses in rational arithmetic. Shares no code with
the package but the decision tables.

Every number here is a definition written out: an estimator that conditions on how the trial ended is a mean over the
sequences that end so, a p-value is a sum over the outcomes that are at least as much in favour.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import NamedTuple

FUTILE, GO = -1, -2


class End(NamedTuple):
    """A trial that ended at a look with some responses."""

    look: int
    x: int


def ends(n: tuple[int, ...], following: tuple[tuple[int, ...], ...]) -> dict[End, list[tuple[int, ...]]]:
    """Every sequence of responses, cut where the trial ended, by how it ended."""
    found: dict[End, set[tuple[int, ...]]] = {}
    for sequence in product((0, 1), repeat=n[-1]):
        look = 0
        while following[look][sum(sequence[: n[look]])] >= 0:
            look = following[look][sum(sequence[: n[look]])]
        cut = sequence[: n[look]]
        found.setdefault(End(look, sum(cut)), set()).add(cut)
    return {end: sorted(sequences) for end, sequences in found.items()}


def probability(sequences: list[tuple[int, ...]], p: Fraction) -> Fraction:
    """P(one of these sequences)."""
    total = Fraction(0)
    for sequence in sequences:
        responses = sum(sequence)
        total += p**responses * (1 - p) ** (len(sequence) - responses)
    return total


def mean_of_first(sequences: list[tuple[int, ...]]) -> Fraction:
    """How often the first patient responds in these sequences: unbiased, given how the trial ended."""
    return Fraction(sum(sequence[0] for sequence in sequences), len(sequences))


def mean_of_last(sequences: list[tuple[int, ...]]) -> Fraction:
    """How often the last patient responds in these sequences: unbiased among trials that got so far."""
    return Fraction(sum(sequence[-1] for sequence in sequences), len(sequences))


def stagewise_key(
    end: End, n: tuple[int, ...], following: tuple[tuple[int, ...], ...]
) -> tuple[int, int, int]:
    """Futility stops (earlier is worse), then the last look, then early goes (earlier is better); then responses."""
    if end.look == len(n) - 1:
        return (0, 0, end.x)
    if following[end.look][end.x] == FUTILE:
        return (-1, end.look, end.x)
    return (1, -end.look, end.x)


def p_value(ending: dict[End, list[tuple[int, ...]]], at_least: list[End], p: Fraction) -> Fraction:
    """P(one of these ends)."""
    return sum((probability(ending[end], p) for end in at_least), Fraction(0))
