"""A quantity over two inputs: filled steps, contours at the levels a design is judged by, and the scenario itself."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from trialsim.designs.binomial import Float64
from trialsim.figures.drawn import Drawn
from trialsim.figures.heat_map import PALETTE, fill, logit, scale
from trialsim.figures.labels import Box, Field, Point, along, around, place, text_box
from trialsim.figures.map_cases import ground
from trialsim.figures.style import BLACK, NARROW, Key, Sheet
from trialsim.figures.sweep import OWN, geometric, scale_of
from trialsim.figures.tornado import how
from trialsim.figures.words import fit, width, wrap
from trialsim.quantities import is_probability
from trialsim.scenario.model import Scenario
from trialsim.scenario.words import setting
from trialsim.varying.analysed import input_words
from trialsim.varying.grids import GridResult
from trialsim.writing.numbers import value_text, with_error

HIGH, BELOW, HEAD, LEFT, RIGHT = 5.4, 0.95, 0.5, 1.25, 1.6
ACROSS = NARROW - LEFT - RIGHT


def draw(result: GridResult, scenario: Scenario, name: str) -> Drawn:
    """The map of a 2-D grid, the first input across and the second up."""
    (one, xs), (other, ys) = result.axes.items()
    values = np.array([answer.estimate for answer in result.answers]).reshape(result.shape).T
    own = result.own[one], result.own[other]
    across, up = (input_words(scenario, path, result.case) for path in (one, other))
    stated = with_error(result.quantity, result.own_answer.estimate, result.own_answer.mcse)
    keys = [Key(f"as stated: {stated}", OWN)] if result.on_grid else []
    sheet = Sheet(NARROW, BELOW + HIGH + HEAD, _footer(result), keys)
    axes = sheet.axes(LEFT, BELOW, ACROSS, HIGH)
    inside = is_probability(result.quantity)
    filled = (fill if inside else _fill)(axes, xs, ys, values)
    bar = sheet.axes(NARROW - RIGHT + 0.2, BELOW, 0.25, HIGH)
    if inside:
        scale(sheet, bar, filled)
    else:
        low, high = float(filled.levels[0]), float(filled.levels[-1])
        ticks = [float(tick) for tick in MaxNLocator(6).tick_values(low, high) if low <= tick <= high]
        sheet.figure.colorbar(filled, cax=bar, ticks=ticks)
        bar.set_yticklabels([setting(tick) for tick in ticks])
    bar.minorticks_off()
    head = fit(result.label, NARROW - 0.4)
    middle = NARROW - RIGHT + 0.33
    start = min(middle - width(head) / 2, NARROW - 0.1 - width(head))
    sheet.write(start, BELOW + HIGH + 0.2, head, va="bottom")
    scale_of(axes, "x", xs)
    scale_of(axes, "y", ys)
    axes.set_xlim(xs[0], xs[-1])
    axes.set_ylim(ys[0], ys[-1])
    axes.set_xlabel("\n".join(wrap(across, NARROW - 1, most=2)))
    axes.set_ylabel("\n".join(wrap(up, HIGH, most=2)))
    place_of = _Place(xs, ys)
    taken: list[Box] = []
    if result.on_grid and own[0] is not None and own[1] is not None:
        axes.plot([own[0]], [own[1]], zorder=8, clip_on=False, **OWN)
        at = place_of.cm(own[0], own[1])
        taken.append(around(*at, 0.25, 0.25))
    shown_levels = _contours(axes, place_of, result, xs, ys, values, inside, taken)
    return Drawn(
        name,
        f"{result.label} over {across} and {up}",
        _caption(result, across, up, shown_levels),
        _alt(result, across, up, values, shown_levels),
        sheet.figure,
        list(result.rows()),
    )


class _Place(Field):
    """The panel, whose axes are logarithmic where values are spaced by ratios."""

    def __init__(self, xs: tuple[float, ...], ys: tuple[float, ...]) -> None:
        self.logs = geometric(xs), geometric(ys)
        (left, low), (right, high) = self._scaled(xs[0], ys[0]), self._scaled(xs[-1], ys[-1])
        super().__init__((left, right), (low, high), ACROSS, HIGH)

    def _scaled(self, x: float, y: float) -> Point:
        return math.log(x) if self.logs[0] else x, math.log(y) if self.logs[1] else y

    def cm(self, x: float, y: float) -> Point:
        """Where a point is drawn."""
        return super().cm(*self._scaled(x, y))

    def data(self, point: Point) -> Point:
        """What is drawn at a point."""
        x, y = super().data(point)
        return math.exp(x) if self.logs[0] else x, math.exp(y) if self.logs[1] else y


def _fill(axes: Axes, xs: Any, ys: Any, values: Float64) -> Any:
    low, high = float(values.min()), float(values.max())
    steps = MaxNLocator(9).tick_values(low, high if high > low else low + 1)
    return axes.contourf(xs, ys, values, levels=steps, cmap=PALETTE)


def _contours(
    axes: Axes,
    place_of: _Place,
    result: GridResult,
    xs: Any,
    ys: Any,
    values: Float64,
    inside: bool,
    taken: list[Box],
) -> list[str]:
    """Contours, each with its name where it covers least; the names of those that are on the map."""
    levels = {(f"α = {at:g}" if words == "α" else words): at for words, at in result.limits.items()}
    if not levels:
        steps = MaxNLocator(4).tick_values(float(values.min()), float(values.max()))
        levels = {setting(float(step)): float(step) for step in steps}
    found, pending = [], []
    for words, level in levels.items():
        if not values.min() < level < values.max():
            continue
        surface, at = (logit(values), logit(np.array([level]))) if inside else (values, np.array([level]))
        style = "--" if words.startswith("α") else "-"
        drawn = axes.contour(xs, ys, surface, at, colors=[BLACK], linestyles=style, linewidths=0.9)
        lines = [[place_of.cm(float(x), float(y)) for x, y in part] for part in drawn.allsegs[0]]
        found.append(words)
        pending.append((words, lines))
    # a name must not lie on another contour either
    every = [
        (words, [box for line in lines for a, b in pairwise(line) for box in along(a, b)])
        for words, lines in pending
    ]
    for words, lines in pending:
        others = [box for name, boxes in every if name != words for box in boxes]
        points = [point for line in lines for point in line]
        middle = sorted(points, key=lambda point: abs(point[1] - HIGH * 0.3))
        before = [*taken, *others]
        half = width(words) / 2 + 0.12  # a contour along the edge is named inside
        inward = ((min(max(x, half), ACROSS - half), y) for x, y in middle)
        box = place((text_box(*point, words) for point in inward), before, place_of.room)
        if box is not None:
            taken.append(box)
            axes.text(*place_of.data(box.middle), words, ha="center", va="center", zorder=7, bbox=ground(1.0))
    return found


def _footer(result: GridResult) -> str:
    words = f"{how(result.engine, result.replicates)} Grid of {result.shape[0]} by {result.shape[1]} values."
    if result.largest_mcse:
        words += f" Monte Carlo standard error at most {result.largest_mcse:.2g}."
    if not result.on_grid:
        several = any(own is None for own in result.own.values())
        reason = "its rates differ by dose" if several else "it lies outside"
        words += f" The scenario as stated is not on this map: {reason}."
    return f"{words} Case {result.case}."


def _caption(result: GridResult, one: str, other: str, levels: list[str]) -> str:
    words = f"{result.label} over {one} and {other}, all other inputs as stated, for the case {result.case}"
    words += f", with contours at {', '.join(levels)}." if levels else "."
    return words + (" The diamond is the scenario as stated." if result.on_grid else "")


def _alt(result: GridResult, one: str, other: str, values: Float64, levels: list[str]) -> str:
    low, high = (
        value_text(result.quantity, float(values.min())),
        value_text(result.quantity, float(values.max())),
    )
    drawn = f"; contours at {', '.join(levels)}" if levels else ""
    return f"Map of {result.label} over {one} and {other}, from {low} to {high}{drawn}."
