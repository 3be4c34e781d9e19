"""P(go) over true response and toxicity rates, with the cases marked where they start and where they lead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from trialsim.engine.curves import HeatMap, heat_map
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.labels import Box, along, around, beside, place, text_box
from trialsim.figures.style import BLACK, NARROW, Key, Sheet, percent_axis
from trialsim.figures.words import assumed, listed, names_within, probability
from trialsim.results import to_frame
from trialsim.scenario.truth import Rates

HIGH, BELOW, HEAD, LEFT, RIGHT = 5.4, 0.85, 0.2, 1.15, 1.25
WIDE = NARROW - LEFT - RIGHT
MOST_CASES = 8
COLOURS = LinearSegmentedColormap.from_list("go", ["#FFFFFF", "#C9DCEB", "#7FB0D3", "#4A86B5"])
"""Light enough throughout for black words to be read on it."""

Point = tuple[float, float]
Path = tuple[Point, ...]

START: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 4.2, "markeredgecolor": "white"}
LOWER: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 4.2, "markerfacecolor": "white"}


def draw(material: Material) -> Drawn | None:
    """Filled steps of .1, contours at alpha, .80 and .90, the cases; None where toxicity cannot stop the trial."""
    computed = heat_map(material.scenario, material.rules, material.ranges.response, material.ranges.toxicity)
    if computed is None:
        return None
    levels = _levels(material)
    truths = _truths(material)
    moving = any(len(set(path)) > 1 for path in truths.values())
    keys = [Key("case, at the starting dose" if moving else "case", START | {"linestyle": ""})]
    if moving:
        keys.append(Key("the same case at a lower dose", LOWER | {"linestyle": ""}))
    sheet = Sheet(NARROW, BELOW + HIGH + HEAD, _footer(material, computed), keys)
    axes = sheet.axes(LEFT, BELOW, WIDE, HIGH)
    filled = axes.contourf(
        computed.response, computed.toxicity, computed.p_go, levels=np.linspace(0, 1, 11), cmap=COLOURS, vmin=0, vmax=1
    )
    bar = sheet.axes(NARROW - RIGHT + 0.2, BELOW, 0.25, HIGH)
    sheet.figure.colorbar(filled, cax=bar, ticks=[0, 0.2, 0.4, 0.6, 0.8, 1], format="{x:g}")
    bar.set_ylabel("P(go)")
    percent_axis(axes, "x", computed.response[-1], "True response rate, same at every dose (%)")
    percent_axis(axes, "y", computed.toxicity[-1], "True toxicity rate, same at every dose (%)")
    panel = _Panel(axes, computed)
    lines = _contours(panel, computed, levels)
    _mark_cases(panel, truths)
    _name_contours(panel, lines)
    _name_cases(panel, truths)
    return Drawn(
        "heat_map",
        "Probability of a go over response and toxicity",
        _caption(moving, len(material.scenario.doses) > 1),
        _alt(material, levels, truths),
        sheet.figure,
        to_frame(_rows(computed)),
    )


class _Panel:
    """The axes with a scale in cm and what is already written on them."""

    def __init__(self, axes: Axes, computed: HeatMap) -> None:
        self.axes = axes
        self.tops = float(computed.response[-1]), float(computed.toxicity[-1])
        self.taken: list[Box] = []
        self.room = Box(0.05, 0.05, WIDE - 0.05, HIGH - 0.05)

    def cm(self, response: float, toxicity: float) -> Point:
        """Where a pair of rates is drawn."""
        return response / self.tops[0] * WIDE, toxicity / self.tops[1] * HIGH

    def write(self, candidates: Iterable[Box], text: str, frame: float, **style: Any) -> Box | None:
        """Text at the first free place, on a white ground of this opacity."""
        if (box := place(candidates, self.taken, self.room)) is not None:
            x, y = box.middle
            ground = {"facecolor": "white", "edgecolor": "none", "alpha": frame, "pad": 0.6}
            at = (x / WIDE * self.tops[0], y / HIGH * self.tops[1])
            self.axes.text(*at, text, ha="center", va="center", zorder=7, bbox=ground, **style)
        return box


def _levels(material: Material) -> dict[float, str]:
    """The contours: the type I error aimed at, or else attained, and the powers usually asked for."""
    alpha = getattr(material.scenario.design, "alpha", None)
    words = "α = {:g}"
    if alpha is None:
        alpha, words = material.curves.curves[0].at(material.ranges.p0, "p_go"), "α = {:.4f}"
    levels = {0.8: "0.80", 0.9: "0.90"}
    return ({float(alpha): words.format(alpha)} if alpha else {}) | levels


def _truths(material: Material) -> dict[str, Path]:
    """The (response, toxicity) of each case by dose, under its shortened name; cases that coincide share a name."""
    levels = material.rules.levels
    stated = {name: case for name, case in material.scenario.truth.items() if case.toxicity is not None}
    found: dict[Path, list[str]] = {}
    for name, case in list(stated.items())[:MOST_CASES]:
        rates = Rates.of(case, material.scenario.evaluability, levels)
        found.setdefault(tuple(zip(rates.response, rates.toxicity, strict=True)), []).append(name)
    short = names_within([", ".join(names) for names in found.values()], 2.6)
    return dict(zip(short, found, strict=True))


def _contours(panel: _Panel, computed: HeatMap, levels: dict[float, str]) -> dict[str, list[Point]]:
    """Draw the contours; their points in cm by name."""
    drawn: dict[str, list[Point]] = {}
    for (level, words), style in zip(levels.items(), ("--", "-", "-")[-len(levels) :], strict=True):
        if not computed.p_go.min() < level < computed.p_go.max():
            continue
        contour = panel.axes.contour(
            computed.response, computed.toxicity, computed.p_go, [level], colors=[BLACK], linestyles=style, linewidths=0.9
        )
        drawn[words] = [panel.cm(float(x), float(y)) for segment in contour.allsegs[0] for x, y in segment]
    return drawn


def _mark_cases(panel: _Panel, truths: dict[str, Path]) -> None:
    """A dot where a case starts, a line to where it leads; what is marked is taken before anything is written."""
    for path in truths.values():
        points = list(dict.fromkeys(path))
        panel.axes.plot(*zip(*points, strict=True), color=BLACK, linewidth=0.9, zorder=4)
        if len(points) > 1:
            panel.axes.plot(*zip(*points[1:], strict=True), linestyle="", zorder=5, clip_on=False, **LOWER)
        panel.axes.plot(*points[0], linestyle="", zorder=6, clip_on=False, **START)
        spots = [panel.cm(*point) for point in points]
        panel.taken += [around(*spot, 0.2, 0.2) for spot in spots]
        for start, end in zip(spots, spots[1:], strict=False):
            panel.taken += along(start, end)


def _name_contours(panel: _Panel, lines: dict[str, list[Point]]) -> None:
    for words, points in lines.items():
        low_first = sorted((point for point in points if point[1] > 0.25), key=lambda point: point[1])
        panel.write((text_box(*point, words) for point in low_first), words, frame=1.0)
    for points in lines.values():
        panel.taken += [around(*point, 0.06, 0.06) for point in points]


def _name_cases(panel: _Panel, truths: dict[str, Path]) -> None:
    for name, path in truths.items():
        # cases often start at the same point and differ in where they lead
        point = panel.cm(*path[-1])
        box = panel.write(beside(*point, name), name, frame=0.75, fontweight="bold")
        if box is not None and box.covers(around(*point, 0.9, 0.9)) == 0:
            x, y = (
                np.array([point, box.middle]) / (WIDE, HIGH) * panel.tops
            ).T
            panel.axes.plot(x, y, color=BLACK, linewidth=0.4, zorder=3)


def _footer(material: Material, computed: HeatMap) -> str:
    words = f"Exact, on a grid of {len(computed.response)} by {len(computed.toxicity)} rates"
    words += f", odds ratio {computed.odds_ratio:g}." if computed.odds_ratio != 1 else "."
    stated = sum(case.toxicity is not None for case in material.scenario.truth.values())
    if stated > MOST_CASES:
        words += f" Marked: the first {MOST_CASES} of {stated} cases."
    return words + assumed(
        material.scenario, "design", "toxicity rule", "evaluability", "response rates", "toxicity rates"
    )


def _caption(moving: bool, several: bool) -> str:
    words = "Exact probability of a go over true response and toxicity rates"
    words += ", each the same at every dose" if several else ""
    words += ", with contours at the type I error and at 0.80 and 0.90. Dots are the cases"
    if moving:
        words += (
            "; a line leads from the rates at the starting dose to those at lower doses, and the P(go) of such a case "
            "is not on the map but in the table"
        )
    return words + "."


def _alt(material: Material, levels: dict[float, str], truths: dict[str, Path]) -> str:
    shown = listed([words.replace("α = ", "") for words in levels.values()])
    words = [f"Map of the probability of a go with contours at {shown}."]
    for name in list(material.scenario.truth)[: 2 * len(truths)]:
        oc = material.results[name]
        if oc.exact is not None:
            words.append(f"{name}: P(go) {probability(oc.exact.values['p_go'])}.")
    return " ".join(words)


def _rows(computed: HeatMap) -> list[dict[str, Any]]:
    return [
        {"response": float(p), "toxicity": float(t), "p_go": float(computed.p_go[i, j])}
        for i, t in enumerate(computed.toxicity)
        for j, p in enumerate(computed.response)
    ]
