"""What a search puts forward: designs of growing n and falling EN, from minimax to the one of least EN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Generic, TypeVar

from trialsim.designs.exactly import NEAR, compared, decimal
from trialsim.designs.rules import Looks, two_way


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
    exact: Callable[[D], Fraction] | None = field(default=None, compare=False, repr=False)
    """The EN of a design as a fraction, which decides where rounding leaves two designs equal."""

    @classmethod
    def of(
        cls,
        designs: Sequence[D],
        points: Sequence[tuple[int, float]],
        complete: bool,
        exact: Callable[[D], Fraction] | None = None,
    ) -> Front[D]:
        """Designs with their (n, EN), each given its range of weights."""
        by_index = None if exact is None else lambda k: exact(designs[k])
        kept = {k: (low, high) for k, low, high in weights_of(points, by_index)}
        return cls(tuple(replace(d, weights=kept.get(k)) for k, d in enumerate(designs)), complete, exact)

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
            return self._weighed(weight)
        return self.minimax if criterion == "minimax" else self.optimal

    def _weighed(self, weight: float) -> D:
        """The least weight * n + (1 - weight) * EN; of equals the smallest n."""
        exact, w = self.exact, decimal(weight)
        best, *others = self.admissible
        for design in others:
            if exact is None:
                less = weight * design.n + (1 - weight) * design.en < weight * best.n + (1 - weight) * best.en
            else:
                less = compared(
                    design, best,
                    lambda d: weight * d.n + (1 - weight) * d.en, lambda d: w * d.n + (1 - w) * exact(d),
                ) < 0  # fmt: skip
            best = design if less else best
        return best


def weights_of(
    points: Sequence[tuple[int, float]], exact: Callable[[int], Fraction] | None = None
) -> list[tuple[int, float, float]]:
    """Which (n, EN), n growing and EN falling, minimise w n + (1 - w) EN for some w: index, least w, largest w.

    Three designs in line, all best at one weight, are all kept; where rounding leaves that open, ``exact`` EN decide.
    """

    def slope(a: int, b: int) -> float:
        """EN saved by a patient more of n, from a (smaller n) to b (smaller EN)."""
        return (points[a][1] - points[b][1]) / (points[b][0] - points[a][0])

    def exact_slope(a: int, b: int) -> Fraction:
        assert exact is not None
        return (exact(a) - exact(b)) / (points[b][0] - points[a][0])

    def above_the_line(a: int, b: int, c: int) -> bool:
        first, second = slope(a, b), slope(b, c)
        if exact is not None and abs(first - second) <= NEAR * max(1.0, first):
            return exact_slope(a, b) < exact_slope(b, c)
        return first < second

    kept: list[int] = []
    for k in range(len(points)):
        while len(kept) > 1 and above_the_line(kept[-2], kept[-1], k):
            kept.pop()
        kept.append(k)
    gains = [slope(a, b) for a, b in zip(kept, kept[1:], strict=False)]
    edges = [1.0, *(gain / (1 + gain) for gain in gains), 0.0]
    return [(k, low, high) for k, high, low in zip(kept, edges, edges[1:], strict=False)]
