"""A quantity over one input, with its error band where it was simulated; limits, crossings and the scenario itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter, ScalarFormatter

from trialsim.figures.drawn import Drawn
from trialsim.figures.labels import text_box
from trialsim.figures.style import BLACK, BLUE, GREY, NARROW, ORANGE, PALE, Key, Sheet
from trialsim.figures.tornado import how
from trialsim.figures.words import fit, wrap
from trialsim.quantities import is_probability
from trialsim.results import Estimate
from trialsim.scenario.model import Scenario
from trialsim.scenario.words import setting
from trialsim.varying.analysed import input_words
from trialsim.varying.grids import GridResult, limits
from trialsim.varying.thresholds import ThresholdResult
from trialsim.writing.numbers import listed, value_text, with_error

HIGH, BELOW, LEFT, RIGHT, HEAD = 4.6, 0.95, 1.25, 0.35, 0.15

LINE: dict[str, Any] = {"color": BLUE, "linewidth": 1.6}
OWN: dict[str, Any] = {
    "color": BLACK,
    "marker": "D",
    "markersize": 4.4,
    "markeredgecolor": "white",
    "linestyle": "",
}
CROSSED: dict[str, Any] = {
    "color": ORANGE,
    "marker": "v",
    "markersize": 5,
    "markeredgecolor": BLACK,
    "markeredgewidth": 0.5,
    "linestyle": "",
}


def draw(result: GridResult, scenario: Scenario, name: str) -> Drawn:
    """The curve of a 1-D grid."""
    ((path, values),) = result.axes.items()
    moved = input_words(scenario, path, result.case)
    sheet, axes, keys_own = _panel(
        result.label,
        result.quantity,
        moved,
        values,
        result.answers,
        (result.own[path], result.own_answer),
        f"{how(result.engine, result.replicates)} {_error(result.largest_mcse)}Case {result.case}.",
    )
    _levels(axes, result.limits, result.answers)
    return Drawn(
        name,
        f"{result.label} over {moved}",
        _caption(result.label, moved, result.case, result.largest_mcse > 0, keys_own),
        _alt(result.label, result.quantity, moved, values, result.answers),
        sheet.figure,
        list(result.rows()),
    )


def draw_threshold(result: ThresholdResult, scenario: Scenario, name: str) -> Drawn:
    """The scan of a threshold search, the limit, and where it is passed."""
    moved = input_words(scenario, result.input, result.case)
    values = [value for value, _ in result.scan]
    answers = [answer for _, answer in result.scan]
    order = np.argsort(values)
    values, answers = [values[k] for k in order], [answers[k] for k in order]
    error = max(answer.mcse for answer in answers)
    sheet, axes, keys_own = _panel(
        result.label,
        result.quantity,
        moved,
        values,
        answers,
        (result.own, result.own_answer),
        f"{how(result.engine, result.replicates)} {_error(error)}Case {result.case}.",
        [Key("limit passed", CROSSED)] if result.crossings else [],
        result.limit,
    )
    axes.axhline(result.limit, color=BLACK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=2)
    known = {
        text: level for text, level in limits(scenario, result.quantity).items() if level != result.limit
    }
    _levels(axes, known | {f"limit {result.limit:g}": result.limit}, answers)
    places = [f"{crossing.at:.4g}" for crossing in result.crossings]
    for crossing in result.crossings:
        axes.plot([crossing.at], [result.limit], zorder=7, **CROSSED)
    return Drawn(
        name,
        f"{result.label} and its limit over {moved}",
        _caption(result.label, moved, result.case, error > 0, keys_own),
        f"{_alt(result.label, result.quantity, moved, values, answers)} The limit {result.limit:g} is "
        + (f"passed at {listed(places)}." if places else "not passed."),
        sheet.figure,
        list(result.rows()),
    )


def _panel(
    label: str,
    quantity: str,
    words: str,
    values: Sequence[float],
    answers: Sequence[Estimate],
    own: tuple[float | None, Estimate],
    footer: str,
    more: Sequence[Key] = (),
    level: float | None = None,
) -> tuple[Sheet, Axes, bool]:
    """The curve, its band, and the scenario's own point if it is there."""
    at, answer = own
    seen = at is not None and values[0] <= at <= values[-1]
    noisy = any(each.mcse for each in answers)
    keys = (
        [Key(f"as stated: {setting(at)}, {with_error(quantity, answer.estimate, answer.mcse)}", OWN)]
        if seen
        else []
    )
    if noisy:
        keys.append(Key("95% interval", patch={"facecolor": PALE, "edgecolor": "none"}))
    sheet = Sheet(NARROW, BELOW + HIGH + HEAD, footer, [*keys, *more])
    axes = sheet.axes(LEFT, BELOW, NARROW - LEFT - RIGHT, HIGH)
    y = [each.estimate for each in answers]
    if noisy:
        axes.fill_between(
            values,
            [each.low for each in answers],
            [each.high for each in answers],
            color=PALE,
            linewidth=0,
            zorder=2,
        )
    dots = {"marker": "o", "markersize": 2.6} if noisy or len(values) < 12 else {}
    axes.plot(values, y, zorder=3, clip_on=False, **(LINE | dots | ({"linewidth": 1.0} if noisy else {})))
    if seen and at is not None:
        axes.plot([at], [answer.estimate], zorder=6, clip_on=False, **OWN)
    scale_of(axes, "x", values)
    axes.set_xlim(values[0], values[-1])
    axes.set_xlabel("\n".join(wrap(words, NARROW - 0.8, most=2)))
    axes.set_ylabel(fit(label, HIGH))
    marked = [] if level is None else [level]
    ends = [each.low for each in answers] + [each.high for each in answers] + marked
    low, high = min(ends), max(ends)
    flat = 0.02 if is_probability(quantity) else 0.5
    room = 0.06 * (high - low) if high - low > flat / 100 else flat
    axes.set_ylim(low - room, high + 1.3 * room)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    return sheet, axes, seen


def _levels(axes: Axes, levels: dict[str, float], answers: Sequence[Estimate]) -> None:
    """Thin lines at levels that are in view, named at the end where the curve is further away."""
    low, high = axes.get_ylim()
    y = np.array([answer.estimate for answer in answers])
    tall = text_box(0, 0, "0").top * 2 * (high - low) / HIGH
    for words, level in levels.items():
        if not low < level < high:
            continue
        axes.axhline(level, color=GREY, linewidth=0.6, linestyle=(0, (1, 1.5)), zorder=1)
        left = abs(y[: len(y) // 4 + 1] - level).min() > abs(y[-(len(y) // 4) - 1 :] - level).min()
        text = f"α = {level:g}" if words == "α" else words
        axes.text(
            0.01 if left else 0.99,
            level + 0.1 * tall,
            text,
            transform=axes.get_yaxis_transform(),
            ha="left" if left else "right",
            va="bottom",
            color="#444444",
        )


def scale_of(axes: Axes, which: str, values: Sequence[float]) -> None:
    """A logarithmic axis where values are spaced by ratios."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    if geometric(values):
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        ticks = [value for value in values if _short(value)] if len(values) <= 7 else _round(values)
        axis.set_ticks(ticks, [setting(tick) for tick in ticks])
        axis.set_minor_formatter(NullFormatter())
        axis.set_ticks([], minor=True)
    else:
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        plain = ScalarFormatter(useOffset=False)
        plain.set_scientific(False)
        axis.set_major_formatter(plain)


def geometric(values: Sequence[float]) -> bool:
    """Whether values are evenly spaced by ratios rather than by differences."""
    if values[0] <= 0 or len(values) < 3:
        return False
    ratios = np.array(values[1:]) / np.array(values[:-1])
    return bool(np.ptp(ratios) < 1e-6 * ratios[0])


def _short(value: float) -> bool:
    return len(setting(value)) <= 5


def _round(values: Sequence[float]) -> list[float]:
    """Round numbers between the ends: 0.25, 0.5, 1, 2, 4 or 1, 2, 5, 10."""
    low, high = values[0], values[-1]
    steps = (
        [2.0**k for k in range(-12, 13)]
        if high / low <= 40
        else [m * 10.0**k for k in range(-6, 7) for m in (1, 3)]
    )
    return [step for step in steps if low * 0.999 <= step <= high * 1.001]


def _error(largest: float) -> str:
    return f"Monte Carlo standard error at most {largest:.2g}. " if largest else ""


def _caption(label: str, moved: str, case: str, noisy: bool, seen: bool) -> str:
    words = f"{label} against {moved}, all other inputs as stated, for the case {case}."
    words += " The band is the 95% Monte Carlo interval at each value." if noisy else " The line is exact."
    return words + (" The diamond is the scenario as stated." if seen else "")


def _alt(label: str, quantity: str, moved: str, values: Sequence[float], answers: Sequence[Estimate]) -> str:
    pick = [0, len(values) // 2, len(values) - 1]
    told = ", ".join(f"{value_text(quantity, answers[k].estimate)} at {setting(values[k])}" for k in pick)
    return f"Curve of {label} over {moved}: {told}."
