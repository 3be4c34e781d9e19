"""The cases on the heat map: dots, lines to the lower doses, and names where there is room for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from trialsim.figures.drawn import Material
from trialsim.figures.labels import Box, Field, Point, name_ends
from trialsim.figures.style import BLACK
from trialsim.figures.words import names_within

MOST_CASES = 8
NAME, ROOM_IN_KEY = 2.6, 2.9
"""Longest name in the map, and in one of two columns of the key, in cm."""

LEADER = 0.2
"""The gap in cm from which on a line leads to a name from its dot."""

START: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 4.2, "markeredgecolor": "white"}
LOWER: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 4.2, "markerfacecolor": "white"}


@dataclass(frozen=True)
class Marked:
    """Cases with the same rates: their name, what stands for it in the map and where, (response, toxicity) by dose."""

    name: str
    label: str
    path: tuple[Point, ...]
    box: Box | None


def cases_on(field: Field, material: Material) -> list[Marked]:
    """The first cases with toxicity; those that coincide share a label. Numbers stand for names that find no room."""
    found: dict[tuple[Point, ...], list[str]] = {}
    levels = material.rules.levels
    stated = [(name, case) for name, case in material.scenario.truth.items() if case.toxicity is not None]
    for name, case in stated[:MOST_CASES]:
        response, toxicity = (case.by_dose(key, levels) or () for key in ("response", "toxicity"))
        found.setdefault(tuple(zip(response, toxicity, strict=True)), []).append(name)
    paths, together = list(found), [", ".join(names) for names in found.values()]
    boxes, plain = name_ends(field, paths, short := names_within(together, NAME))
    if plain:
        return [Marked(n, n, path, box) for n, path, box in zip(short, paths, boxes, strict=True)]
    numbers = [str(k) for k in range(1, len(paths) + 1)]
    boxes, _ = name_ends(field, paths, numbers)
    in_key = names_within(together, ROOM_IN_KEY)
    return [Marked(*entry) for entry in zip(in_key, numbers, paths, boxes, strict=True)]


def draw_cases(axes: Axes, field: Field, cases: Sequence[Marked]) -> list[Box]:
    """Dots where cases start, lines to where they lead, and their labels; gives back what all of it takes."""
    for case in cases:
        points = list(dict.fromkeys(case.path))
        axes.plot(*zip(*points, strict=True), color=BLACK, linewidth=0.9, zorder=4)
        if len(points) > 1:
            axes.plot(*zip(*points[1:], strict=True), linestyle="", zorder=5, clip_on=False, **LOWER)
        axes.plot(*points[0], linestyle="", zorder=6, clip_on=False, **START)
        if case.box is not None:
            own, at = field.cm(*case.path[-1]), field.data(case.box.middle)
            if case.box.gap(own) > LEADER:
                leader = zip(case.path[-1], field.data(case.box.nearest(own)), strict=True)
                axes.plot(*leader, color=BLACK, linewidth=0.5, zorder=5)
            axes.text(*at, case.label, ha="center", va="center", zorder=7, bbox=ground(0.75))
    return field.taken([case.path for case in cases]) + [case.box for case in cases if case.box is not None]


def ground(opacity: float) -> dict[str, Any]:
    """White behind words."""
    return {"facecolor": "white", "edgecolor": "none", "alpha": opacity, "pad": 0.6}
