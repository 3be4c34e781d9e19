"""What a search puts forward: designs of growing n and falling EN, from minimax to the one of least EN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from trialsim.designs.rules import Looks, two_way

ROUNDING = 1e-12
"""Difference below which two weights are the same weight."""


@dataclass(frozen=True)
class TwoStages:
    """Stop after stage 1 if responses <= r1, go at the end if responses > r; exact at p0 and p1."""

    r1: int
    n1: int
    r: int
    n: int
    en_p0: float
    en_p1: float
    pet_p0: float
    type_i_error: float
    power: float

    def looks(self) -> Looks:
        """The design as Rules take it; r1 = -1 where stage 1 never stops."""
        return two_way((self.n1, self.n), (self.r1, self.r), (None, self.r))


D = TypeVar("D", bound=Any)


@dataclass(frozen=True)
class Front(Generic[D]):
    """The best design of every n at which EN falls; not ``complete`` where a larger n may have a smaller EN.

    ``weights`` of a design is the range of w for which it minimises w n + (1 - w) EN, None if there is none.
    """

    designs: tuple[D, ...]
    complete: bool = True

    @classmethod
    def of(cls, designs: Sequence[D], points: Sequence[tuple[int, float]], complete: bool) -> Front[D]:
        """Designs with their (n, EN), each given its range of weights."""
        kept = {k: (low, high) for k, low, high in weights_of(points)}
        return cls(tuple(replace(d, weights=kept.get(k)) for k, d in enumerate(designs)), complete)

    @property
    def admissible(self) -> tuple[D, ...]:
        """The designs that are best for some weight of n; all of them where no weights are known."""
        return tuple(design for design in self.designs if getattr(design, "weights", ()) is not None)

    @property
    def minimax(self) -> D:
        """Least n, then least EN."""
        return self.designs[0]

    @property
    def optimal(self) -> D:
        """Least EN."""
        return self.designs[-1]

    def choose(self, criterion: str, weight: float = 0.0) -> D:
        """The design that a criterion names: minimax, admissible with its weight of n, else the one of least EN."""
        if criterion == "admissible":
            return min(self.admissible, key=lambda d: weight * d.n + (1 - weight) * d.en)
        return self.minimax if criterion == "minimax" else self.optimal


def weights_of(points: Sequence[tuple[int, float]]) -> list[tuple[int, float, float]]:
    """Which (n, EN), n growing and EN falling, minimise w n + (1 - w) EN for some w: index, least w, largest w."""

    def weight(a: int, b: int) -> float:
        """The weight of n at which a (smaller n) and b (smaller EN) are equally good."""
        gain = (points[a][1] - points[b][1]) / (points[b][0] - points[a][0])
        return gain / (1 + gain)

    kept: list[int] = []
    for k in range(len(points)):
        # three designs in line (all best at one weight) are all kept
        while len(kept) > 1 and weight(kept[-2], kept[-1]) < weight(kept[-1], k) - ROUNDING:
            kept.pop()
        kept.append(k)
    edges = [1.0, *(weight(a, b) for a, b in zip(kept, kept[1:], strict=False)), 0.0]
    return [(k, low, high) for k, high, low in zip(kept, edges, edges[1:], strict=False)]
