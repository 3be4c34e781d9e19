"""P(go) of the trial as it is conducted: the cases by name, the curve about them, and the observed rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from trialsim.engine.as_conducted import Along, CasePoint
from trialsim.engine.ranges import Observed
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.labels import FAR, Box, Field, Point, beside, in_order, name_ends, place
from trialsim.figures.marks import mark_design_rates
from trialsim.figures.style import BLACK, BLUE, GREY, ROW, WIDE, Key, Sheet, percent_axis, probability_axis
from trialsim.figures.words import names_within, width
from trialsim.scenario.drift import along_curves
from trialsim.scenario.every_design import design_alone
from trialsim.writing.numbers import listed, percent, probability
from trialsim.writing.numbers import rate as stated

LEFT, RIGHT, BELOW, HIGH = 1.15, 0.3, 0.85, 4.1
PANEL = WIDE - LEFT - RIGHT
NAME, MOST_CASES, LEADER = 4.6, 12, 0.2
LOW = -0.19
"""Where the vertical axis begins, with room for the observed rate below 0."""

CONDUCTED: dict[str, Any] = {"color": BLACK, "linewidth": 1.4}
AT_ONCE: dict[str, Any] = {"color": BLUE, "linewidth": 1.0, "linestyle": (0, (4, 1.2))}
ALONE: dict[str, Any] = {"color": GREY, "linewidth": 0.9, "linestyle": (0, (1, 1.2))}
CASE: dict[str, Any] = {
    "color": BLACK,
    "marker": "D",
    "markersize": 5.0,
    "markeredgecolor": "white",
    "zorder": 6,
}


@dataclass(frozen=True)
class Drawable:
    """A curve: what it is called, how it is drawn, P(go) along it, and how far its simulated points may be off."""

    name: str
    style: dict[str, Any]
    response: Sequence[float]
    p_go: Sequence[float]
    reach: tuple[Sequence[float], Sequence[float]] | None = None

    def rows(self) -> list[dict[str, Any]]:
        """Tidy rows of an exact curve."""
        return [
            {"curve": self.name, "kind": "exact", "response": rate, "quantity": "p_go", "value": value}
            for rate, value in zip(self.response, self.p_go, strict=True)
        ]


def draw(material: Material) -> Drawn:
    """The cases as marks, the trial as conducted as a thick line, what is left out of it step by step as thin ones."""
    at, found = material.pictured.ranges, material.pictured.as_conducted
    curves = [_drawable(each, design_alone(material.scenario)) for each in material.pictured.conducted]
    field = Field(at.response, (LOW, 1.02), PANEL, HIGH)
    cases = [case for case in found.cases if at.shows(case.response)][:MOST_CASES]
    cases.sort(key=lambda case: (case.response, -case.p_go.estimate))
    # words stand above the line at 0, below which the observed rate is drawn
    field.room = field.room._replace(bottom=field.cm(0.0, 0.0)[1] + 0.03)
    obstacles = field.taken([list(zip(curve.response, curve.p_go, strict=True)) for curve in curves], 0.1)
    words, keys, boxes = _names(field, cases, found.cases, obstacles)
    head = 0.12 + (ROW if at.p0 is not None else 0.0)
    sheet = Sheet(WIDE, BELOW + HIGH + head, _footer(material), keys, columns=3)
    axes = sheet.axes(LEFT, BELOW, PANEL, HIGH)
    percent_axis(axes, "x", at.response, _axis_label(material))
    probability_axis(axes, "P(go)", low=LOW)
    axes.axhline(0, color=BLACK, linewidth=0.4)
    taken = [*field.taken([[(case.response, case.p_go.estimate)] for case in cases], 0.3), *obstacles]
    taken += [box for box in boxes if box is not None]
    if at.observed:
        _mark_observed(axes, field, at.observed)
    for curve in curves:
        axes.plot(curve.response, curve.p_go, zorder=3, **curve.style)
        if curve.reach:
            points: dict[str, Any] = {"fmt": "o", "markersize": 3.0, "elinewidth": 0.9, "capsize": 2.0}
            axes.errorbar(curve.response, curve.p_go, yerr=curve.reach, color=BLACK, zorder=4, **points)
    for case in cases:
        x, e = case.response, case.p_go
        axes.plot([x, x], [e.low, e.high], color=BLACK, linewidth=0.9, zorder=5)
        axes.plot([x], [e.estimate], linestyle="", clip_on=False, **CASE)
    for case, text, box in zip(cases, words, boxes, strict=True):
        if box is not None:
            _write(axes, field, text, box, field.cm(case.response, case.p_go.estimate))
    for curve in curves:
        _name_curve(axes, field, curve, taken)
    mark_design_rates(sheet, [axes], at, {}, BELOW + HIGH)
    return Drawn(
        "as_conducted",
        "Probability of a go of the trial as conducted",
        _caption(material),
        _alt(material, cases),
        sheet.figure,
        _rows(material, curves),
    )


def _drawable(curve: Along, alone: str) -> Drawable:
    """A curve with its words and its style."""
    words, style = {
        "conducted": ("as conducted", CONDUCTED),
        "at_once": ("every outcome known at once", AT_ONCE),
        "alone": (alone, ALONE),
    }[curve.what]
    words += ", nearly the same" if curve.nearly_same else ""
    reach = None
    if of := curve.errors:
        reach = [max(e.estimate - e.low, 0) for e in of], [max(e.high - e.estimate, 0) for e in of]
    return Drawable(words, style, curve.response, curve.p_go, reach)


def _names(
    field: Field, cases: Sequence[CasePoint], stated_order: Sequence[CasePoint], obstacles: Sequence[Box]
) -> tuple[list[str], list[Key], list[Box | None]]:
    """The words at the marks and their places; numbers, with the words in the key, where names find no room: in the
    order of the scenario."""
    told = [f"{name} {probability(c.p_go.estimate)}" for c, name in zip(cases, _short(cases), strict=True)]
    paths: list[list[Point]] = [[(case.response, case.p_go.estimate)] for case in cases]
    boxes, plain = name_ends(field, paths, told, obstacles, FAR)
    if plain:
        return told, [], in_order(boxes, [field.cm(*path[-1]) for path in paths])
    order = [cases.index(case) for case in stated_order if case in cases]
    numbers = [str(order.index(k) + 1) for k in range(len(cases))]
    keys = [Key(told[k], sign=numbers[k]) for k in order]
    return numbers, keys, name_ends(field, paths, numbers, obstacles, FAR)[0]


def _short(cases: Sequence[CasePoint]) -> list[str]:
    return names_within([case.case for case in cases], NAME - 1.2)


def _mark_observed(axes: Axes, field: Field, seen: Observed) -> None:
    """The observed rate with its interval as a band, and as a bar with its words beside it."""
    axes.axvspan(seen.low, seen.high, color="#EEEEEE", linewidth=0, zorder=0)
    y = -0.05
    axes.plot([seen.low, seen.high], [y, y], color=BLACK, linewidth=1.0, marker="|", markersize=5, zorder=5)
    axes.plot([seen.rate], [y], color=BLACK, marker="d", markersize=4, linestyle="", zorder=6)
    text = f"observed {_observed(seen)}"
    left = min(field.cm(seen.low, y)[0], PANEL - width(text) - 0.1)
    axes.text(field.data((left, 0.0))[0], -0.135, text, va="center_baseline", zorder=6)


def _observed(seen: Observed) -> str:
    interval = f"95% interval {percent(seen.low)} to {percent(seen.high)}"
    return f"{seen.count} of {seen.denominator} {seen.unit}, {percent(seen.rate)}, {interval}"


def _name_curve(axes: Axes, field: Field, curve: Drawable, taken: list[Box]) -> None:
    """The name of a curve beside one of its middle heights, where it covers least."""
    spots = []
    for height in (0.5, 0.6, 0.4, 0.7, 0.3, 0.8, 0.2, 0.9):
        if min(curve.p_go) <= height <= max(curve.p_go):
            spots.append(field.cm(float(np.interp(height, curve.p_go, curve.response)), height))
    box = place((box for spot in spots for box in beside(*spot, curve.name)), taken, field.room)
    if box is not None:
        own = min(spots, key=box.gap)
        _write(axes, field, curve.name, box, own, color=curve.style["color"])


def _write(axes: Axes, field: Field, text: str, box: Box, own: Point, **style: Any) -> None:
    """Words in their box, with a line to what they name where that is not plainly nearest."""
    ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.4}
    axes.text(*field.data(box.middle), text, ha="center", va="center", zorder=7, bbox=ground, **style)
    if box.gap(own) > LEADER:
        ends = zip(field.data(box.nearest(own)), field.data(own), strict=True)
        axes.plot(*ends, color=style.get("color", BLACK), linewidth=0.4, zorder=5)


def _axis_label(material: Material) -> str:
    words = "True response rate (%)"
    if any(case.lowest < case.response for case in material.pictured.as_conducted.cases):
        words += "; of a case: at the starting dose"
    if any(case.cohorts for case in material.scenario.truth.values()):
        words += ", mean over cohorts" if ";" in words else "; of a case: mean over cohorts"
    return words


def _footer(material: Material) -> str:
    found, results = material.pictured.as_conducted, material.results
    words = []
    if found.points:
        timed = " in calendar time" if material.scenario.conduct else ""
        words.append(f"Dots: simulated{timed}, R = {found.replicates:,}, seed {material.pictured.seed}.")
    simulated = results.replicates is not None and any(not case.exact for case in found.cases)
    words.append(f"Cases: simulated, R = {results.replicates:,}." if simulated else "Cases: exact.")
    words.append(
        "Bars: 95% intervals, hidden where shorter than the mark; lines without dots: exact."
        if found.points
        else "Lines: exact."
    )
    if len(found.cases) > MOST_CASES:
        words.append(f"Shown: the first {MOST_CASES} of {len(found.cases)} cases.")
    return " ".join(words) + along_curves(material.scenario)


def _caption(material: Material) -> str:
    found, scenario = material.pictured.as_conducted, material.scenario
    each = "dose" if scenario.from_start else "cohort"
    words = f"P(go){f' of at least one {each}' if scenario.own_rules else ''} against the true response rate"
    if len(scenario.doses) > 1:
        words += ", the same at every dose"
    if len(found.alike) < len(scenario.truth):
        words += f"; toxicity as in case {found.base}"
    return words + "."


def _alt(material: Material, cases: Sequence[CasePoint]) -> str:
    told = [f"{c.case} {probability(c.p_go.estimate)} at {stated(c.response)}" for c in cases]
    words = [f"P(go) of the trial as conducted: {listed(told)}."]
    if seen := material.pictured.ranges.observed:
        words.append(f"Observed {_observed(seen)}.")
    return " ".join(words)


def _rows(material: Material, curves: Sequence[Drawable]) -> list[dict[str, Any]]:
    rows = [{"curve": "as conducted"} | row for row in material.pictured.as_conducted.rows()]
    rows += [row for curve in curves if not curve.reach for row in curve.rows()]
    if seen := material.pictured.ranges.observed:
        about = {"kind": "observed", "quantity": "response", "value": seen.rate}
        rows.append(about | {"low": seen.low, "high": seen.high, "count": seen.count, "of": seen.denominator})
    return rows
