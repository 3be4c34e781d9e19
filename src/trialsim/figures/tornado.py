"""One input at a time: how far each moves a quantity from the scenario as stated, the largest first."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from trialsim.figures.drawn import Drawn
from trialsim.figures.style import BLACK, BLUE, GREY, PALE, WIDE, Key, Sheet
from trialsim.figures.words import clean, fit, width, wrap
from trialsim.scenario.model import Scenario
from trialsim.scenario.words import setting
from trialsim.varying.analysed import input_words
from trialsim.varying.answered import SIMULATED
from trialsim.varying.tornado import Bar, Panel, TornadoResult
from trialsim.writing.numbers import value_text, with_error

EACH, BELOW, HEAD, RIGHT = 0.74, 0.95, 0.45, 0.3
"""Height in cm of an input's two bars; room below, above and to the right of the panel."""

NAMES = 5.6
"""Widest name of an input in cm."""

MOST = 20
"""Inputs that are drawn; the others move the quantity less and stand in the table."""

ENDS: tuple[dict[str, Any], ...] = (
    {"facecolor": PALE, "edgecolor": BLACK},
    {"facecolor": BLUE, "edgecolor": BLACK},
)


def draw(result: TornadoResult, panel: Panel, scenario: Scenario, name: str) -> Drawn:
    """Two bars an input, from the scenario as stated to its low and its high value."""
    bars = panel.bars[:MOST]
    named = [input_words(scenario, bar.input, result.case) for bar in bars]
    names = [wrap(each, NAMES, most=2) for each in named]
    left = max(width(line) for lines in names for line in lines) + 0.45
    high = EACH * len(bars)
    keys = [Key("at the low value", patch=ENDS[0]), Key("at the high value", patch=ENDS[1])]
    sheet = Sheet(WIDE, BELOW + high + HEAD, _footer(result, panel, len(bars)), keys, columns=4)
    wide = WIDE - left - RIGHT
    axes = sheet.axes(left, BELOW, wide, high)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    _limits(axes, panel, bars, wide)
    axes.set_yticks(range(len(bars)), ["\n".join(lines) for lines in names])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(clean(panel.label))
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    axes.grid(axis="x", color="#E4E4E4", linewidth=0.5)
    axes.set_axisbelow(True)
    for row, bar in enumerate(bars):
        _draw(axes, row, bar, panel.base.estimate, wide)
    axes.axvline(panel.base.estimate, color=BLACK, linewidth=1.0, zorder=4)
    span = axes.get_xlim()
    at = left + wide * (panel.base.estimate - span[0]) / (span[1] - span[0])
    words = f"as stated: {with_error(panel.quantity, panel.base.estimate, panel.base.mcse)}"
    half = width(words) / 2
    sheet.write(
        min(max(at, half + 0.1), WIDE - half - 0.1), BELOW + high + 0.1, words, ha="center", va="bottom"
    )
    return Drawn(
        name,
        f"{panel.label}: one input at a time",
        _caption(result, panel, len(bars)),
        _alt(panel, named),
        sheet.figure,
        [row for row in result.rows() if row["quantity"] == panel.quantity],
    )


def _limits(axes: Axes, panel: Panel, bars: tuple[Bar, ...], wide: float) -> None:
    """Room on either side for the values at the ends of the bars and their whiskers."""
    ends = [
        _reaches(end.estimate, moved.mcse)
        for bar in bars
        for end, moved in zip(bar.ends, bar.differences, strict=True)
    ]
    values = [panel.base.estimate, *(value for reaches in ends for value in reaches)]
    low, high = min(values), max(values)
    span = max(high - low, 1e-6 * max(abs(high), 1.0))
    text = max(width(fit(setting(value), 2.5)) for bar in bars for value in bar.values) + 0.35
    each = span / max(wide - 2 * text, wide / 3)
    axes.set_xlim(low - text * each, high + text * each)


def _reaches(estimate: float, mcse: float) -> tuple[float, float]:
    """The ends of a whisker: the 95% interval of what was simulated."""
    return estimate - 1.96 * mcse, estimate + 1.96 * mcse


def _draw(axes: Axes, row: int, bar: Bar, base: float, wide: float) -> None:
    """The bars of an input, the low value's above the high one's, each with its value at its end."""
    ends = axes.get_xlim()
    cm = (ends[1] - ends[0]) / wide
    for k, (value, end, moved) in enumerate(zip(bar.values, bar.ends, bar.differences, strict=True)):
        y = row + (-0.19, 0.19)[k]
        axes.barh(y, end.estimate - base, 0.34, base, zorder=3, linewidth=0.5, **ENDS[k])
        right = moved.estimate > 0 or (moved.estimate == 0 and k == 1)
        reach = end.estimate
        if moved.mcse > 0:
            reaches = _reaches(reach, moved.mcse)
            axes.plot(reaches, [y, y], color=BLACK, linewidth=0.8, zorder=5)
            reach = reaches[right]
        axes.text(
            reach + (0.1 if right else -0.1) * cm,
            y,
            fit(setting(value), 2.5),
            ha="left" if right else "right",
            va="center_baseline",
            color=BLACK if moved.estimate else GREY,
            zorder=6,
        )


def _footer(result: TornadoResult, panel: Panel, drawn: int) -> str:
    words = how(result.engine, result.replicates)
    if result.engine.endswith(SIMULATED):
        paired = all(bar.paired for bar in panel.bars)
        words += " Whiskers: 95% intervals of the difference from the scenario as stated"
        words += ", on the same patients." if paired else "."
    if drawn < len(panel.bars):
        words += f" Drawn: the {drawn} inputs of {len(panel.bars)} that move it most."
    return f"{words} Case {result.case}."


def how(engine: str, replicates: int | None) -> str:
    """How the numbers of a figure came about."""
    words = engine if replicates is None else f"{engine} (same patients at every point, R = {replicates:,})"
    return f"{words[0].upper()}{words[1:]}."


def _caption(result: TornadoResult, panel: Panel, drawn: int) -> str:
    words = (
        f"{panel.label} if one input at a time takes its low or its high value, all others as stated, for the case "
        f"{result.case}. The line is the scenario as stated. Inputs that move it most come first"
    )
    if drawn < len(panel.bars):
        words += f"; {len(panel.bars) - drawn} that move it less are in the table"
    return words + ". Numbers at the bars are the inputs’ values."


def _alt(panel: Panel, names: list[str]) -> str:
    words = [f"Bars around {value_text(panel.quantity, panel.base.estimate)}, the {panel.label} as stated."]
    for name, bar in list(zip(names, panel.bars, strict=False))[:5]:
        ends = " and ".join(
            f"{value_text(panel.quantity, end.estimate)} at {setting(value)}"
            for value, end in zip(bar.values, bar.ends, strict=True)
        )
        words.append(f"{name}: {ends}.")
    return " ".join(words)
