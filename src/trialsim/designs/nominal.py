"""Nominal error rates stated beside cut-offs: both are kept, and held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialsim.codes import FUTILE, GO
from trialsim.designs.alone import alone, written
from trialsim.designs.exactly import alone as exactly
from trialsim.designs.exactly import at_least, at_most, decimal
from trialsim.designs.rules import Looks, two_way


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
        keeps_alpha = at_most(level, alpha, lambda: exactly(looks, decimal(p0)).p_go)
    if beta is not None and p1 is not None and power is not None:
        keeps_beta = at_least(power, 1 - decimal(beta), lambda: exactly(looks, decimal(p1)).p_go)
    return Attained(written(looks), level, power, keeps_alpha, keeps_beta)


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
