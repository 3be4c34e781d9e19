"""Room for words in a crowded panel: the first place where a label covers nothing that matters. All in cm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from trialsim.figures.style import ROW
from trialsim.figures.words import width

LATER = 0.004
"""What it costs, in square cm covered, to take the next candidate."""


class Box(NamedTuple):
    """A rectangle: left, bottom, right, top."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def middle(self) -> tuple[float, float]:
        """The centre."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def gap(self, point: tuple[float, float]) -> float:
        """How far a point is from the box."""
        return math.dist(point, self.nearest(point))

    def nearest(self, point: tuple[float, float]) -> tuple[float, float]:
        """The place in the box that is nearest to a point."""
        return min(max(point[0], self.left), self.right), min(max(point[1], self.bottom), self.top)

    def covers(self, other: Box) -> float:
        """The area that two boxes share."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(wide, 0.0) * max(high, 0.0)


def around(x: float, y: float, wide: float, high: float) -> Box:
    """The box of this size about a centre."""
    return Box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def text_box(x: float, y: float, text: str) -> Box:
    """The box that one line of text takes about a centre."""
    return around(x, y, width(text) + 0.1, ROW)


def beside(x: float, y: float, text: str) -> Iterator[Box]:
    """Places for a label of the point (x, y): right, left, above, below and between, then further away."""
    half = (width(text) + 0.1) / 2
    for distance in (0.14, 0.25, 0.4):
        for across, up in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)):
            dx = across * (half + distance)
            dy = up * (ROW / 2 + distance * (0.6 if across else 0.8))
            yield text_box(x + dx, y + dy, text)


def place(candidates: Iterable[Box], taken: list[Box], panel: Box) -> Box | None:
    """The candidate inside the panel that covers least of what is taken, an early one rather than a late one.

    The place is added to ``taken``; None when no candidate is inside the panel.
    """
    inside = [
        box
        for box in candidates
        if box.left >= panel.left
        and box.right <= panel.right
        and box.bottom >= panel.bottom
        and box.top <= panel.top
    ]
    if not inside:
        return None

    def cost(k: int) -> float:
        return hidden(inside[k], taken) + LATER * k

    best = inside[min(range(len(inside)), key=cost)]
    taken.append(best)
    return best


def hidden(box: Box, taken: Iterable[Box]) -> float:
    """The area of what is taken that a label covers."""
    return sum(box.covers(other) for other in taken)


def along(start: tuple[float, float], end: tuple[float, float], size: float = 0.12) -> Iterator[Box]:
    """Small boxes that a straight line takes."""
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    steps = max(int(length / size), 1)
    for k in range(steps + 1):
        x, y = (a + (b - a) * k / steps for a, b in zip(start, end, strict=True))
        yield around(x, y, size, size)
