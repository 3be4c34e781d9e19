"""Room for words in a crowded panel: the first place where a label covers nothing that matters. All in cm."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from trialsim.designs.binomial import Float64
from trialsim.figures.style import ROW
from trialsim.figures.words import width

Point = tuple[float, float]

LATER, TOLERATED = 0.004, 0.08
"""What it costs, in square cm covered, to take the next candidate, and how much a name may cover."""

NEAR, FAR = (0.14, 0.25, 0.4), (0.14, 0.25, 0.4, 0.7, 1.0)
"""How far in cm a label may be from what it names."""


class Box(NamedTuple):
    """A rectangle: left, bottom, right, top."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def middle(self) -> Point:
        """The centre."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def gap(self, point: Point) -> float:
        """How far a point is from the box."""
        return math.dist(point, self.nearest(point))

    def nearest(self, point: Point) -> Point:
        """The place in the box that is nearest to a point."""
        return min(max(point[0], self.left), self.right), min(max(point[1], self.bottom), self.top)


def around(x: float, y: float, wide: float, high: float) -> Box:
    """The box of this size about a centre."""
    return Box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def text_box(x: float, y: float, text: str) -> Box:
    """The box that one line of text takes about a centre."""
    return around(x, y, width(text) + 0.1, ROW)


def beside(x: float, y: float, text: str, distances: Sequence[float] = NEAR) -> Iterator[Box]:
    """Places for a label of the point (x, y): right, left, above, below and between, then further away."""
    half = (width(text) + 0.1) / 2
    for distance in distances:
        for across, up in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)):
            dx = across * (half + distance)
            dy = up * (ROW / 2 + distance * (0.6 if across else 0.8))
            yield text_box(x + dx, y + dy, text)


def place(candidates: Iterable[Box], taken: list[Box], panel: Box, later: float = LATER) -> Box | None:
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
    best = inside[int(np.argmin(_shared(inside, taken) + later * np.arange(len(inside))))]
    taken.append(best)
    return best


def hidden(box: Box, taken: Sequence[Box]) -> float:
    """The area of what is taken that a label covers."""
    return float(_shared([box], taken)[0])


def _shared(boxes: Sequence[Box], taken: Sequence[Box]) -> Float64:
    """The area of what is taken that each box covers."""
    a, b = np.array(boxes).reshape(-1, 1, 4), np.array(taken).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.asarray(np.clip(sides, 0, None).prod(axis=2).sum(axis=1))


def along(start: Point, end: Point, size: float = 0.12) -> Iterator[Box]:
    """Small boxes that a straight line takes."""
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    steps = max(int(length / size), 1)
    for k in range(steps + 1):
        x, y = (a + (b - a) * k / steps for a, b in zip(start, end, strict=True))
        yield around(x, y, size, size)


class Field:
    """A panel ``wide`` by ``high`` cm that shows x and y between their ends: data to cm and back."""

    def __init__(self, x: Point, y: Point, wide: float, high: float) -> None:
        self.low = x[0], y[0]
        self.scale = wide / (x[1] - x[0]), high / (y[1] - y[0])
        self.room = Box(0.05, 0.05, wide - 0.05, high - 0.05)

    def cm(self, x: float, y: float) -> Point:
        """Where something is drawn."""
        return (x - self.low[0]) * self.scale[0], (y - self.low[1]) * self.scale[1]

    def data(self, point: Point) -> Point:
        """What is drawn at a point."""
        return self.low[0] + point[0] / self.scale[0], self.low[1] + point[1] / self.scale[1]

    def taken(self, paths: Sequence[Sequence[Point]], dot: float = 0.2) -> list[Box]:
        """What dots of this size and the lines between them take."""
        found: list[Box] = []
        for path in paths:
            spots = [self.cm(*point) for point in path]
            found += [around(*spot, dot, dot) for spot in spots]
            for start, end in zip(spots, spots[1:], strict=False):
                found += along(start, end)
        return found


def name_ends(
    field: Field,
    paths: Sequence[Sequence[Point]],
    labels: Sequence[str],
    also: Sequence[Box] = (),
    distances: Sequence[float] = NEAR,
) -> tuple[list[Box | None], bool]:
    """Places for the labels of paths beside the points where they end; and whether all are plain to read.

    ``also`` is what else is taken.
    """
    taken, plain = [*field.taken(paths), *also], True
    boxes: list[Box | None] = []
    slack = 0.05 if distances is NEAR else -0.08
    dots = {field.cm(*point) for path in paths for point in path}
    for path, words in zip(paths, labels, strict=True):
        own, before = field.cm(*path[-1]), list(taken)
        others, named = dots - {own}, [box for box in boxes if box is not None]
        near = (box for box in beside(*own, words, distances) if is_of(box, own, others, named, slack))
        box = place(near, taken, field.room, LATER if distances is NEAR else LATER / 4)
        boxes.append(box)
        plain = plain and box is not None and hidden(box, before) <= TOLERATED
    return boxes, plain


def in_order(boxes: Sequence[Box | None], points: Sequence[Point]) -> list[Box | None]:
    """The same places, in which labels one above the other whose points stand one above the other keep their order."""
    found = list(boxes)
    for j, k in itertools.combinations(range(len(found)), 2):
        one, other = found[j], found[k]
        if one is None or other is None or abs(points[j][0] - points[k][0]) > NEAR[-1]:
            continue
        aside = one.left >= other.right or other.left >= one.right
        if not aside and (one.middle[1] - other.middle[1]) * (points[j][1] - points[k][1]) < 0:
            found[j], found[k] = _at(one, other), _at(other, one)
    return found


def _at(box: Box, there: Box) -> Box:
    """A label in the row of another, reaching no further to the right than that one or itself."""
    aside = max(box.right - there.right, 0.0)
    return Box(box.left - aside, there.bottom, box.right - aside, there.top)


def is_of(box: Box, own: Point, others: Iterable[Point], named: Sequence[Box], slack: float) -> bool:
    """Whether a label would be read as that of a dot and of no other, a line leading to it if it is far.

    ``slack``: by how much in cm another dot may be nearer.
    """
    gap, foreign = box.gap(own), min(map(box.gap, others), default=math.inf)
    if gap <= NEAR[-1]:
        return gap <= foreign + slack
    leader = list(along(own, box.nearest(own)))
    return foreign >= NEAR[-1] and not any(hidden(other, leader) for other in named)
