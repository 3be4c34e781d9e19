"""P(go) over true response and toxicity rates, with the cases marked where they start and where they lead."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from trialsim.designs.binomial import Float64
from trialsim.engine.curves import HeatMap
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.labels import Box, Field, place, text_box
from trialsim.figures.map_cases import LOWER, MOST_CASES, START, cases_on, draw_cases, ground
from trialsim.figures.style import BLACK, NARROW, Key, Sheet, percent_axis
from trialsim.figures.words import assumed, at_once
from trialsim.scenario.drift import along_curves
from trialsim.writing.numbers import listed, probability

HIGH, BELOW, HEAD, LEFT, RIGHT = 5.4, 0.85, 0.5, 1.15, 1.1
WIDE = NARROW - LEFT - RIGHT
TINY = 1e-5
PALETTE = LinearSegmentedColormap.from_list("go", ["#FFFFFF", "#C9DCEB", "#7FB0D3", "#4A86B5"])
COLOURS = PALETTE(np.linspace(0, 1, 10))
"""Light enough throughout for black words to be read on it."""


def draw(material: Material) -> Drawn | None:
    """Filled steps of .1, contours at alpha, .80 and .90, the cases; None where toxicity cannot stop the trial."""
    computed, at = material.pictured.heat_map, material.pictured.ranges
    if computed is None:
        return None
    levels = _levels(material)
    field = Field(at.response, (0.0, at.toxicity), WIDE, HIGH)
    cases = cases_on(field, material)
    moving = any(len(set(case.path)) > 1 for case in cases)
    keys = [Key("case, starting dose" if moving else "case", START | {"linestyle": ""})]
    if moving:
        keys.append(Key("case, lower dose", LOWER | {"linestyle": ""}))
    # where names would cover each other, numbers stand in the map and names in the key
    keys += [Key(case.name, sign=case.label) for case in cases if case.label != case.name]
    sheet = Sheet(NARROW, BELOW + HIGH + HEAD, _footer(material, computed), keys, columns=2)
    axes = sheet.axes(LEFT, BELOW, WIDE, HIGH)
    filled = fill(axes, computed.response, computed.toxicity, computed.p_go)
    bar = sheet.axes(NARROW - RIGHT + 0.2, BELOW, 0.25, HIGH)
    scale(sheet, bar, filled)
    sheet.write(NARROW - RIGHT + 0.33, BELOW + HIGH + 0.1, "P(go)", ha="center", va="bottom")
    percent_axis(axes, "x", at.response, "True response rate, same at every dose (%)")
    percent_axis(axes, "y", (0.0, at.toxicity), "True toxicity rate, same at every dose (%)")
    taken = draw_cases(axes, field, cases)
    _contours(axes, field, computed, levels, taken)
    return Drawn(
        "heat_map",
        "Probability of a go over response and toxicity",
        _caption(moving, len(material.scenario.doses) > 1),
        _alt(material, levels),
        sheet.figure,
        computed.rows(),
    )


def logit(p: Float64) -> Float64:
    """Log odds: P(go) is nearly straight in the rates on this scale, so contours between grid points are right."""
    clipped = np.clip(p, TINY, 1 - TINY)
    return np.log(clipped / (1 - clipped))


def fill(axes: Axes, xs: Any, ys: Any, p: Float64) -> Any:
    """Steps of .1 of a probability."""
    return axes.contourf(xs, ys, logit(p), levels=logit(np.linspace(0, 1, 11)), colors=COLOURS)


def scale(sheet: Sheet, bar: Axes, filled: Any) -> None:
    """The key of ``fill``."""
    sheet.figure.colorbar(filled, cax=bar, ticks=logit(np.linspace(0, 1, 6)), spacing="uniform")
    bar.set_yticklabels(["0", "0.2", "0.4", "0.6", "0.8", "1"])
    bar.minorticks_off()


def _levels(material: Material) -> dict[float, str]:
    """The contours: the type I error aimed at, or else attained, and the powers usually asked for."""
    alpha = getattr(material.scenario.design, "alpha", None)
    words = "α = {:g}"
    if alpha is None:
        alpha, words = (
            material.pictured.curves.curves[0].at(material.pictured.ranges.p0, "p_go"),
            "α = {:.4f}",
        )
    levels = {0.8: "0.80", 0.9: "0.90"}
    return ({float(alpha): words.format(alpha)} if alpha else {}) | levels


def _contours(
    axes: Axes, field: Field, computed: HeatMap, levels: dict[float, str], taken: list[Box]
) -> None:
    """The contours, each with its name where it covers no case."""
    for (level, words), style in zip(levels.items(), ("--", "-", "-")[-len(levels) :], strict=True):
        if not computed.p_go.min() < level < computed.p_go.max():
            continue
        values, at = logit(computed.p_go), logit(np.array([level]))
        drawn = axes.contour(
            computed.response, computed.toxicity, values, at, colors=[BLACK], linestyles=style, linewidths=0.9
        )
        points = [field.cm(float(x), float(y)) for segment in drawn.allsegs[0] for x, y in segment]
        low_first = sorted((point for point in points if point[1] > 0.25), key=lambda point: point[1])
        box = place((text_box(*point, words) for point in low_first), taken, field.room)
        if box is not None:
            axes.text(*field.data(box.middle), words, ha="center", va="center", zorder=7, bbox=ground(1.0))


def _footer(material: Material, computed: HeatMap) -> str:
    words = f"Exact, on a grid of {len(computed.response)} by {len(computed.toxicity)} rates"
    words += f", odds ratio {computed.odds_ratio:g}." if computed.odds_ratio != 1 else "."
    stated = sum(case.toxicity is not None for case in material.scenario.truth.values())
    if stated > MOST_CASES:
        words += f" Marked: the first {MOST_CASES} of {stated} cases."
    sources = assumed(
        material.scenario, "design", "toxicity rule", "evaluability", "response rates", "toxicity rates"
    )
    return words + along_curves(material.scenario) + at_once(material.scenario) + sources


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


def _alt(material: Material, levels: dict[float, str]) -> str:
    shown = listed([words.replace("α = ", "") for words in levels.values()])
    words = [f"Map of the probability of a go with contours at {shown}."]
    for name in list(material.scenario.truth)[:MOST_CASES]:
        oc = material.results[name]
        exact = (oc.at_once or oc).exact
        if exact is not None:
            words.append(f"{name}: P(go) {probability(exact.values['p_go'])}.")
    return " ".join(words)
