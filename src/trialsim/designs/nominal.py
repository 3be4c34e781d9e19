"""Nominal error rates stated beside cut-offs: both are kept, and held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from trialsim.codes import FUTILE, GO
from trialsim.designs.alone import alone, written
from trialsim.designs.rules import Looks, two_way

CLOSE = 1e-9
"""Where a probability and its limit are closer than this, they are compared as fractions."""


@dataclass(frozen=True)
class Attained:
    """P(go) of looks at p0 and p1, and whether it keeps the nominal rate (None: rate or limit not stated)."""

    design: str
    level: float | None
    power: float | None
    keeps_alpha: bool | None
    keeps_beta: bool | None

    @property
    def keeps(self) -> bool:
        """Whether nothing that is stated is missed."""
        return self.keeps_alpha is not False and self.keeps_beta is not False


@dataclass(frozen=True)
class Nominal:
    """Stated cut-offs against nominal alpha and beta.

    Attributes:
        attained: what the stated cut-offs attain.
        meant: the cut-offs of which some are one less, as they would be if a count that was meant as "at least" had
            been written for one that is to be exceeded; only where that attains what the stated ones miss.
        which: the cut-offs that are one less there, by name, with the count as it is stated.
    """

    alpha: float | None
    beta: float | None
    attained: Attained
    meant: Attained | None = None
    which: tuple[tuple[str, int], ...] = ()


def nominal(
    looks: Looks, p0: float | None, p1: float | None, alpha: float | None, beta: float | None
) -> Nominal:
    """Hold what cut-offs attain at p0 and p1 against nominal error rates."""
    stated = _attained(looks, p0, p1, alpha, beta)
    if stated.keeps:
        return Nominal(alpha, beta, stated)
    tried = [(which, _attained(other, p0, p1, alpha, beta)) for which, other in _neighbours(looks)]
    mended = [
        (which, other)
        for which, other in tried
        if (stated.keeps_alpha is False and other.keeps_alpha)
        or (stated.keeps_beta is False and other.keeps_beta)
    ]
    best = next((each for each in mended if each[1].keeps), mended[0] if mended else ((), None))
    return Nominal(alpha, beta, stated, best[1], best[0])


def _attained(
    looks: Looks, p0: float | None, p1: float | None, alpha: float | None, beta: float | None
) -> Attained:
    level, power = (None if p is None else alone(looks, p).p_go for p in (p0, p1))
    keeps_alpha = keeps_beta = None
    if alpha is not None and p0 is not None and level is not None:
        keeps_alpha = _compared(looks, p0, level, Fraction(str(alpha))) <= 0
    if beta is not None and p1 is not None and power is not None:
        keeps_beta = _compared(looks, p1, power, 1 - Fraction(str(beta))) >= 0
    return Attained(written(looks), level, power, keeps_alpha, keeps_beta)


def _compared(looks: Looks, p: float, p_go: float, limit: Fraction) -> int:
    """Whether P(go) is below (-1), at (0) or above (1) a limit."""
    value = Fraction(p_go)
    if abs(value - limit) < CLOSE:
        value = p_go_exactly(looks, Fraction(str(p)))
    return (value > limit) - (value < limit)


def p_go_exactly(looks: Looks, p: Fraction) -> Fraction:
    """P(go) as a fraction, patient by patient; nobody has toxicity."""
    arriving = {0: _grown([Fraction(1)], p, looks.n[0])}
    total = Fraction(0)
    for k, n in enumerate(looks.n):
        here = arriving.pop(k, [])
        for x, mass in enumerate(here):
            if looks.next[k][x] == GO:
                total += mass
        for later in {d for d in looks.next[k] if d >= 0 and here}:
            kept = [mass if looks.next[k][x] == later else Fraction(0) for x, mass in enumerate(here)]
            moved = _grown(kept, p, looks.n[later] - n)
            before = arriving.get(later, [Fraction(0)] * len(moved))
            arriving[later] = [a + b for a, b in zip(before, moved, strict=True)]
    return total


def _grown(state: list[Fraction], p: Fraction, patients: int) -> list[Fraction]:
    for _ in range(patients):
        state = [
            a * (1 - p) + b * p for a, b in zip([*state, Fraction(0)], [Fraction(0), *state], strict=True)
        ]
    return state


def _neighbours(looks: Looks) -> Iterator[tuple[tuple[tuple[str, int], ...], Looks]]:
    """The design with r1 (r2, ...) one less, with r one less, and with all of them, where it is one of cut-offs."""
    stop = tuple(row.count(FUTILE) - 1 for row in looks.next)
    go = tuple(n - row.count(GO) for n, row in zip(looks.n, looks.next, strict=True))
    early = tuple(None if a >= n else a for a, n in zip(go[:-1], looks.n, strict=False))
    if looks.too_toxic or two_way(looks.n, stop, (*early, stop[-1])).next != looks.next:
        return
    last = len(stop) - 1
    interim = tuple(k for k in range(last) if stop[k] >= 0)
    for lowered in dict.fromkeys((interim, (last,), (*interim, last))):
        cut = tuple(r - (k in lowered) for k, r in enumerate(stop))
        if lowered and cut[-1] >= 0:
            names = tuple(("r" if k == last else f"r{k + 1}", stop[k]) for k in lowered)
            yield names, two_way(looks.n, cut, (*early, cut[-1]))
