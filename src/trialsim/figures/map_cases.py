"""The cases on the heat map: dots, lines to the lower doses, and names where there is room for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from trialsim.engine.ranges import Ranges
from trialsim.figures.drawn import Material
from trialsim.figures.labels import Box, along, around, beside, hidden, place
from trialsim.figures.style import BLACK
from trialsim.figures.words import names_within

MOST_CASES = 8
NAME, ROOM_IN_KEY = 2.6, 2.9
"""Longest name in the map, and in one of two columns of the key, in cm."""

TOLERATED, LEADER = 0.08, 0.2
"""Square cm that a name may cover, and the gap in cm from which on a line leads to it from its dot."""

START: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 4.2, "markeredgecolor": "white"}
LOWER: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 4.2, "markerfacecolor": "white"}

Point = tuple[float, float]


@dataclass(frozen=True)
class Marked:
    """Cases with the same rates: their name, what stands for it in the map and where, (response, toxicity) by dose."""

    name: str
    label: str
    path: tuple[Point, ...]
    box: Box | None


class Field:
    """The panel of the map: rates to cm and back."""

    def __init__(self, at: Ranges, wide: float, high: float) -> None:
        self.low, top = at.response
        self.scale = wide / (top - self.low), high / at.toxicity
        self.room = Box(0.05, 0.05, wide - 0.05, high - 0.05)

    def cm(self, response: float, toxicity: float) -> Point:
        """Where a pair of rates is drawn."""
        return (response - self.low) * self.scale[0], toxicity * self.scale[1]

    def rates(self, point: Point) -> Point:
        """The pair of rates that is drawn at a point."""
        return self.low + point[0] / self.scale[0], point[1] / self.scale[1]

    def taken(self, paths: Sequence[Sequence[Point]]) -> list[Box]:
        """What dots and lines take."""
        found: list[Box] = []
        for path in paths:
            spots = [self.cm(*point) for point in path]
            found += [around(*spot, 0.2, 0.2) for spot in spots]
            for start, end in zip(spots, spots[1:], strict=False):
                found += along(start, end)
        return found


def cases_on(field: Field, material: Material) -> list[Marked]:
    """The first cases with toxicity; those that coincide share a label. Numbers stand for names that find no room."""
    found: dict[tuple[Point, ...], list[str]] = {}
    levels = material.rules.levels
    stated = [(name, case) for name, case in material.scenario.truth.items() if case.toxicity is not None]
    for name, case in stated[:MOST_CASES]:
        response, toxicity = (case.by_dose(key, levels) or () for key in ("response", "toxicity"))
        found.setdefault(tuple(zip(response, toxicity, strict=True)), []).append(name)
    paths, together = list(found), [", ".join(names) for names in found.values()]
    boxes, plain = _boxes(field, paths, short := names_within(together, NAME))
    if plain:
        return [Marked(n, n, path, box) for n, path, box in zip(short, paths, boxes, strict=True)]
    numbers = [str(k) for k in range(1, len(paths) + 1)]
    boxes, _ = _boxes(field, paths, numbers)
    in_key = names_within(together, ROOM_IN_KEY)
    return [Marked(*entry) for entry in zip(in_key, numbers, paths, boxes, strict=True)]


def _boxes(
    field: Field, paths: Sequence[tuple[Point, ...]], labels: Sequence[str]
) -> tuple[list[Box | None], bool]:
    """Places beside the points where cases end, since they often begin at the same one; and whether all are plain."""
    taken, boxes, plain = field.taken(paths), [], True
    dots = {field.cm(*point) for path in paths for point in path}
    for path, words in zip(paths, labels, strict=True):
        own, before = field.cm(*path[-1]), list(taken)
        # a name that is nearer to another dot would be read as that dot's
        near = [
            box
            for box in beside(*own, words)
            if box.gap(own) <= 0.05 + min((box.gap(dot) for dot in dots - {own}), default=box.gap(own))
        ]
        box = place(near, taken, field.room)
        boxes.append(box)
        plain = plain and box is not None and hidden(box, before) <= TOLERATED
    return boxes, plain


def draw_cases(axes: Axes, field: Field, cases: Sequence[Marked]) -> list[Box]:
    """Dots where cases start, lines to where they lead, and their labels; gives back what all of it takes."""
    for case in cases:
        points = list(dict.fromkeys(case.path))
        axes.plot(*zip(*points, strict=True), color=BLACK, linewidth=0.9, zorder=4)
        if len(points) > 1:
            axes.plot(*zip(*points[1:], strict=True), linestyle="", zorder=5, clip_on=False, **LOWER)
        axes.plot(*points[0], linestyle="", zorder=6, clip_on=False, **START)
        if case.box is not None:
            own, at = field.cm(*case.path[-1]), field.rates(case.box.middle)
            if case.box.gap(own) > LEADER:
                leader = zip(case.path[-1], field.rates(case.box.nearest(own)), strict=True)
                axes.plot(*leader, color=BLACK, linewidth=0.5, zorder=5)
            axes.text(*at, case.label, ha="center", va="center", zorder=7, bbox=ground(0.75))
    return field.taken([case.path for case in cases]) + [case.box for case in cases if case.box is not None]


def ground(opacity: float) -> dict[str, Any]:
    """White behind words."""
    return {"facecolor": "white", "edgecolor": "none", "alpha": opacity, "pad": 0.6}
