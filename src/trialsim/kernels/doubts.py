"""Comparisons that rounding leaves open: a search notes them, is told the exact answer, and is run again if need be."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.kernels.jit import kernel

ROUNDING = 4e-15
"""A probability about n patients is wrong by less than n times this: each patient adds a few roundings of 1.1e-16."""

NO, YES, OPEN = 0, 1, -1

LEVEL, POWER, PET, NO_GO, LOST, LEVEL_TOXIC = range(6)
"""What is compared: a type I error, power, PET; of three outcomes P(no go) at p0 and at p1; a second type I error."""

ROOM = 250


def empty_book(columns: int, room: int = ROOM) -> Any:
    """A book of doubts about designs of so many cut-offs.

    Row 0: how many doubts there are, and 1 where there was no room for another. Then a row a doubt: what is compared,
    NO, YES or OPEN, and the design.
    """
    return np.zeros((room + 1, columns + 2), dtype=np.int64)


@kernel
def holds(gap, n, what, design, book):  # type: ignore[no-untyped-def]
    """Whether ``gap``, a difference of probabilities about n patients, is 0 or more; where that is open, by the book.

    What the book does not know is noted there, and taken as NO: the search then finds what is best without it.
    """
    if abs(gap) > ROUNDING * n:
        return gap > 0
    return _noted(what, design, book)


@kernel
def _noted(what, design, book):  # type: ignore[no-untyped-def]
    used = book[0, 0]
    for k in range(1, used + 1):
        same = book[k, 0] == what
        for column in range(len(design)):
            same = same and book[k, 2 + column] == design[column]
        if same:
            return book[k, 1] == YES
    if used + 1 == book.shape[0]:
        book[0, 1] = 1
        return False
    book[0, 0] = used + 1
    book[used + 1, 0], book[used + 1, 1] = what, OPEN
    for column in range(len(design)):
        book[used + 1, 2 + column] = design[column]
    return False


BEST, START, FOUND, LACKING = range(4)
"""Of a list of candidates: the least value so far; where those of the present n begin; how many there are; 1 where
there was no room for another."""


@kernel
def offer(value, close, design, state, out):  # type: ignore[no-untyped-def]
    """Add a design and its value to the candidates of its n, unless another's is smaller by more than ``close``."""
    if value > state[BEST] + close:
        return
    if value < state[BEST] - close:
        state[FOUND] = state[START]
    state[BEST] = min(state[BEST], value)
    row = int(state[FOUND])
    if row == out.shape[0]:
        state[LACKING] = 1
        return
    for column in range(len(design)):
        out[row, column] = design[column]
    out[row, len(design)] = value
    state[FOUND] = row + 1


def filled(fill: Any, columns: int, nmax: int) -> tuple[Any, bool]:
    """The candidates of a search and what it returns; ``fill`` takes the state and the rows of ``offer``."""
    room = nmax + ROOM
    while True:
        out, state = np.zeros((room, columns)), np.zeros(4)
        complete = fill(state, out)
        if not state[LACKING]:
            return out[: int(state[FOUND])], bool(complete)
        room *= 4
