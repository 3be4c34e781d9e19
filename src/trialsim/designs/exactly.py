"""Probabilities of designs as fractions: what decides where rounding leaves a comparison open.

Numbers are taken as they were written: .1 is one tenth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Any, TypeVar

from trialsim.codes import CONSIDER, GO
from trialsim.designs.rules import Looks

NEAR = 1e-9
"""Two numbers closer than this are compared as fractions."""

SAME = 1e-11
"""Relative difference below which two probabilities may be one number worked out in two ways."""

T = TypeVar("T")


def decimal(value: float) -> Fraction:
    """The number that was written."""
    return Fraction(str(value))


def at_least(value: float, threshold: float | Fraction, exact: Callable[[], Fraction]) -> bool:
    """value >= threshold; by fractions where the two are close."""
    if abs(value - float(threshold)) > NEAR:
        return value > float(threshold)
    return exact() >= (threshold if isinstance(threshold, Fraction) else decimal(threshold))


def at_most(value: float, threshold: float | Fraction, exact: Callable[[], Fraction]) -> bool:
    """value <= threshold; by fractions where the two are close."""
    return at_least(-value, -threshold, lambda: -exact())


def beside(value: float, threshold: float, exact: Fraction | None, limit: Fraction | None) -> float:
    """The value so that it compares with its threshold as the two fractions do; as it is where one is none."""
    if exact is None or limit is None or abs(value - threshold) > NEAR:
        return value
    if exact == limit:
        return threshold
    toward = math.inf if exact > limit else -math.inf
    return (
        value
        if (value > threshold) == (exact > limit) and value != threshold
        else math.nextafter(threshold, toward)
    )


@lru_cache(maxsize=64)
def binomial(n: int, p: Fraction) -> tuple[int, ...]:
    """P(X = 0..n) for X ~ Binomial(n, p), each times (denominator of p)^n."""
    a, b = p.numerator, p.denominator - p.numerator
    misses = list(accumulate([1] + [b] * n, lambda x, y: x * y))
    found, ways, hits = [], 1, 1
    for x in range(n + 1):
        found.append(ways * hits * misses[n - x])
        ways, hits = ways * (n - x) // (x + 1), hits * a
    return tuple(found)


@lru_cache(maxsize=64)
def _tail(n: int, p: Fraction) -> tuple[int, ...]:
    """P(X >= 0..n + 1) of the same, times the same."""
    return tuple(accumulate(reversed((*binomial(n, p), 0))))[::-1]


def upper_tail(n: int, at: int, p: Fraction) -> Fraction:
    """P(X >= at) for X ~ Binomial(n, p)."""
    return Fraction(_tail(n, p)[min(max(at, 0), n + 1)], p.denominator**n)


def beta_binomial(n: int, prior: tuple[float, float], at: int) -> Fraction:
    """P(X <= at) of n patients whose response rate has a Beta(a, b) prior."""
    a, b = map(decimal, prior)
    mass = [Fraction(1)]
    for m in range(n):
        grown = [Fraction(0)] * (m + 2)
        for x, chance in enumerate(mass):
            response = (a + x) / (a + b + m)
            grown[x] += chance * (1 - response)
            grown[x + 1] += chance * response
        mass = grown
    return sum(mass[: at + 1], Fraction(0))


@dataclass(frozen=True)
class Exact:
    """``alone`` as fractions: P(go), P(consider), P(no end before the planned n) and EN."""

    p_go: Fraction
    p_consider: Fraction
    en: Fraction


@lru_cache(maxsize=256)
def alone(looks: Looks, p: Fraction) -> Exact:
    """What a design does by itself at one response rate, nobody having toxicity."""
    ends: dict[tuple[int, int], int] = {}
    waiting = {0: list(binomial(looks.n[0], p))}

    def ended(look: int, decision: int, mass: int) -> None:
        ends[look, decision] = ends.get((look, decision), 0) + mass

    for k, n in enumerate(looks.n):
        here = waiting.pop(k, None)
        for low, high, later in looks.ranges(k) if here else ():
            assert here is not None
            if later < 0:
                ended(k, later, sum(here[low : high + 1]))
            elif looks.is_final(later):
                tail, more = _tail(looks.n[later] - n, p), looks.n[later] - n
                for start, end, decision in looks.ranges(later):
                    mass = sum(
                        here[x]
                        * (tail[min(max(start - x, 0), more + 1)] - tail[min(max(end + 1 - x, 0), more + 1)])
                        for x in range(low, high + 1)
                    )
                    ended(later, decision, mass)
            else:
                moved = waiting.setdefault(later, [0] * (looks.n[later] + 1))
                step = binomial(looks.n[later] - n, p)
                for x in range(low, high + 1):
                    for y, chance in enumerate(step):
                        moved[x + y] += here[x] * chance
    whole, planned = p.denominator, looks.n[-1]

    def total(weight: Callable[[int, int], int]) -> Fraction:
        parts = (
            mass * weight(k, decision) * whole ** (planned - looks.n[k])
            for (k, decision), mass in ends.items()
        )
        return Fraction(sum(parts), whole**planned)

    return Exact(
        total(lambda _, decision: int(decision == GO)),
        total(lambda _, decision: int(decision == CONSIDER)),
        total(lambda k, _: looks.n[k]),
    )


def settled(search: Callable[[Any], T], columns: int, answer: Callable[[int, tuple[int, ...]], bool]) -> T:
    """What a search finds once every comparison that rounding left open is decided.

    Args:
        search: takes a book of doubts (``kernels.doubts``) about designs of so many ``columns``, and notes them there.
        answer: what is compared, and the design -> whether it holds.
    """
    from trialsim.kernels.doubts import NO, OPEN, YES, empty_book

    book = empty_book(columns)
    while True:
        found = search(book)
        used, lacking = int(book[0, 0]), bool(book[0, 1])
        again = lacking
        for row in book[1 : used + 1] if used else ():
            if row[1] == OPEN:
                row[1] = YES if answer(int(row[0]), tuple(row[2:].tolist())) else NO
                # what is denied was taken as denied already
                again = again or row[1] == YES
        if not again:
            return found
        if lacking:
            larger = empty_book(columns, 4 * (len(book) - 1))
            larger[: len(book)] = book
            larger[0, 1] = 0
            book = larger


def best_by_value(
    candidates: Iterable[T],
    n: Callable[[T], int],
    values: tuple[Callable[[T], float], Callable[[T], Fraction]],
    powers: tuple[Callable[[T], float], Callable[[T], Fraction]],
    *,
    falling: bool = True,
) -> list[T]:
    """Of designs of growing n those with the least value of each n, then the largest power; of equals the first.

    ``values`` and ``powers`` are each worked out as a float and, where two are close, as a fraction. ``falling``: only
    those whose value is below that of every smaller n.
    """
    kept: list[T] = []
    for _, same_n in groupby(candidates, n):
        best, *others = same_n
        for design in others:
            order = compared(design, best, *values) or -compared(design, best, *powers)
            best = design if order < 0 else best
        if not (falling and kept) or compared(best, kept[-1], *values) < 0:
            kept.append(best)
    return kept


def en_at(p: float) -> Callable[[Any], Fraction]:
    """EN of a design at a response rate."""
    return lambda design: alone(design.looks(), decimal(p)).en


def p_go_at(p: float) -> Callable[[Any], Fraction]:
    """P(go) of a design at a response rate."""
    return lambda design: alone(design.looks(), decimal(p)).p_go


def compared(a: T, b: T, value: Callable[[T], float], exact: Callable[[T], Fraction]) -> int:
    """-1, 0 or 1 as the value of a is less than, equal to or more than that of b."""
    x, y = value(a), value(b)
    if abs(x - y) > NEAR * max(1.0, abs(y)):
        return 1 if x > y else -1
    gap = exact(a) - exact(b)
    return (gap > 0) - (gap < 0)
