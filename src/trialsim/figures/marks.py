"""What the figures over response rates share: their curves and keys, and the marks of p0, p1 and the observed rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from trialsim.engine.curves import Curve
from trialsim.engine.ranges import Observed, Ranges
from trialsim.figures.drawn import Material
from trialsim.figures.style import BLACK, GREY, MARKERS, NARROW, ROW, SERIES, Key, Sheet
from trialsim.figures.words import assumed, at_once, some, width
from trialsim.scenario.drift import along_curves
from trialsim.writing.numbers import percent
from trialsim.writing.numbers import rate as stated

LEFT, RIGHT = 1.15, 0.25
"""Margins in cm beside the axes of a narrow figure."""

POINT: dict[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 0.9}

OBSERVED: dict[str, Any] = {"color": BLACK, "linewidth": 1.0, "marker": "D", "markersize": 3.6}


def rate_words(rates: Sequence[float]) -> str:
    """Rates by dose in few words: 37%, 45% → 32%, or the first and the last of many."""
    if len(set(rates)) == 1:
        return stated(rates[0])
    shown = [stated(p) for p in rates] if len(rates) == 2 else [stated(rates[0]), "…", stated(rates[-1])]
    return " → ".join(shown)


def line_words(curve: Curve, room: float = 60.0, several: bool = True) -> str:
    """What is assumed along a curve, and the cases that assume it, in at most ``room`` cm."""
    line = curve.line
    if not line.cases:
        return "design alone: no toxicity rule, all evaluable" if several else "design alone"
    if line.name == "with evaluability":
        return f"with {stated(line.base.evaluable)} of patients evaluable"
    words = f"with rule, toxicity {rate_words(line.base.toxicity)}"
    if line.base.odds_ratio != 1:
        words += f", OR {line.base.odds_ratio:g}"
    return f"{words}: {some(line.cases, room - width(words + ': '))}"


def curve_keys(material: Material) -> list[Key]:
    """The key of the curves and of the points on them."""
    keys = []
    for k, curve in enumerate(material.pictured.curves.curves):
        style = dict(SERIES[k])
        if curve.points:
            style |= POINT | MARKERS[k]
        keys.append(Key(line_words(curve, NARROW - 1.05, len(material.pictured.curves.curves) > 1), style))
    return keys


def draw_curves(axes: Axes, material: Material, quantity: str) -> None:
    """Exact lines, and simulated points with their 95% intervals."""
    for k, curve in enumerate(material.pictured.curves.curves):
        if len(curve.response):
            axes.plot(curve.response, curve.values[quantity], zorder=3, **SERIES[k])
        if curve.points:
            estimates = [point.values[quantity] for point in curve.points.values()]
            at = [e.estimate for e in estimates]
            reach = [[e.estimate - e.low for e in estimates], [e.high - e.estimate for e in estimates]]
            style = {"color": SERIES[k]["color"], "linestyle": "", "zorder": 4} | MARKERS[k]
            reach = np.nan_to_num(np.clip(reach, 0, None)).tolist()
            axes.errorbar(list(curve.points), at, yerr=reach, elinewidth=0.9, capsize=2, **style, **POINT)


def mark_design_rates(
    sheet: Sheet, panels: Sequence[Axes], at: Ranges, words: dict[str, list[str]], y: float
) -> None:
    """Dotted lines at p0 and p1 through all panels, with ``words`` about each above the first, at y cm."""
    wanted = [(name, rate) for name in ("p0", "p1") if at.shows(rate := getattr(at, name))]
    span = sheet.wide - LEFT - RIGHT
    blocks = [[f"{name} = {stated(rate)}", *words.get(name, [])] for name, rate in wanted]
    halves = [max(width(text) for text in block) / 2 for block in blocks]
    low, high = at.response
    centres = [LEFT + span * (rate - low) / (high - low) for _, rate in wanted]
    if len(centres) == 2 and (short := halves[0] + halves[1] + 0.25 - (centres[1] - centres[0])) > 0:
        centres = [centres[0] - short / 2, centres[1] + short / 2]
    for (_, rate), block, half, wished in zip(wanted, blocks, halves, centres, strict=True):
        centre = min(max(wished, half + 0.1), sheet.wide - half - 0.1)
        for axes in panels:
            axes.axvline(rate, color=GREY, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1)
        for k, text in enumerate(reversed(block)):
            sheet.write(centre, y + 0.1 + ROW * k, text, ha="center", va="bottom")


def observed_key(seen: Observed) -> Key:
    """The observed rate and its interval in the key."""
    numbers = f"{percent(seen.rate)}, 95% interval {percent(seen.low)} to {percent(seen.high)}"
    return Key(f"observed {seen.count}/{seen.denominator}: {numbers}", OBSERVED)


def mark_observed(axes: Axes, seen: Observed, y: float) -> None:
    """The observed rate with its interval as a bar at height y."""
    axes.plot([seen.low, seen.high], [y, y], color=BLACK, linewidth=1.0, marker="|", markersize=5, zorder=5)
    axes.plot([seen.rate], [y], **(OBSERVED | {"linestyle": ""}), zorder=6)


def curve_footer(material: Material) -> str:
    """How the numbers of a figure over response rates came about."""
    curves, words = material.pictured.curves, []
    if any(len(curve.response) for curve in curves.curves):
        words.append("Lines: exact.")
    if not all(len(curve.response) for curve in curves.curves):
        words.append("Exact values are out of reach where no line is drawn.")
    words.append(f"Points: simulated, R = {curves.replicates:,}, seed {curves.seed}, 95% intervals.")
    if curves.left_out:
        words.append(
            f"Not drawn: {curves.left_out} further toxicity assumption{'s' * (curves.left_out > 1)}."
        )
    return (
        " ".join(words)
        + along_curves(material.scenario)
        + at_once(material.scenario)
        + assumed(material.scenario, "design", "toxicity rule", "evaluability", "toxicity rates")
    )


def curve_rows(material: Material, *quantities: str) -> list[dict[str, Any]]:
    """Tidy rows of the curves, each with what is assumed along it."""
    return [
        {"curve": line_words(curve), "cases": " ".join(curve.line.cases)} | row
        for curve in material.pictured.curves.curves
        for row in curve.rows(*quantities)
    ]


def response_label(material: Material) -> str:
    """The label of the axis of response rates."""
    same = ", same at every dose" if len(material.scenario.doses) > 1 else ""
    return f"True response rate{same} (%)"
