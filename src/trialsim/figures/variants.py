"""The main quantities of every variant, as dots against the scenario as stated: one row a variant, a block a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from trialsim.figures.drawn import Drawn
from trialsim.figures.style import BLACK, BOLD, GREY, PALE, RC, ROW, SIZE, WIDE, Key, Sheet
from trialsim.figures.words import fit, names_within, sentence
from trialsim.quantities import is_probability
from trialsim.varying.answers import WhatIf
from trialsim.varying.effects import Effect, digits
from trialsim.writing.numbers import fixed, listed

NAMES, GAP, RIGHT = 4.1, 0.45, 0.2
HIGH = 0.4
"""Height in cm of a row."""
AXIS = 0.55
"""Height in cm of the axis below a block."""
CASES = 4
"""Blocks at most; a scenario of more cases shows those in which most changes."""

NUMBER = 1.15
"""Room in cm beside the dots for their values."""

OPEN: dict[str, Any] = {"color": GREY, "marker": "o", "markersize": 4.2, "markerfacecolor": "white"}

LEAST = {True: 0.03, False: 2.0}
"""Width of an axis at least, for probabilities and for other quantities: what hardly changes should not look big."""


@dataclass(frozen=True)
class _Row:
    """A dot: its value, the ends of its interval, and whether it differs from the scenario as stated."""

    name: str
    value: float
    low: float
    high: float
    real: bool
    base: bool = False


def draw(found: WhatIf, name: str = "variants") -> Drawn:
    """The figure of one what-if, which has a variant to show."""
    cases = _cases(found)
    columns = found.columns
    rows = {case: {q: _rows(found, case, q) for q in columns} for case in cases}
    counts = {case: max(len(r) for r in rows[case].values()) for case in cases}
    several = len(cases) > 1
    head = ROW + 0.1 if several else 0.0
    body = sum(HIGH * counts[case] + AXIS + head for case in cases) + ROW + 0.1
    keys = [
        Key("as stated", {"color": BLACK, "linestyle": "", "marker": "s", "markersize": 3.6}),
        Key("changed (bar: 95%)", {"color": BLACK, "marker": "o", "markersize": 4.2}),
        Key("unchanged within error", OPEN),
    ]
    with rc_context(RC):
        sheet = Sheet(WIDE, body, _footer(found), keys, columns=3)
        wide = (WIDE - NAMES - RIGHT - GAP * (len(columns) - 1)) / len(columns)
        lefts = [NAMES + k * (wide + GAP) for k in range(len(columns))]
        for left, quantity in zip(lefts, columns, strict=True):
            heading = fit(sentence(found.short(quantity)), wide)
            sheet.write(left, body - ROW, heading, va="bottom", fontweight="bold")
        top = body - ROW - 0.1
        for case in cases:
            if several:
                sheet.write(
                    0.15,
                    top - ROW,
                    fit(f"If “{case}” is true", WIDE - 0.3, BOLD),
                    va="bottom",
                    fontweight="bold",
                )
                top -= head
            bottom = top - HIGH * counts[case]
            _names(sheet, rows[case][columns[0]], top)
            for left, quantity in zip(lefts, columns, strict=True):
                axes = sheet.axes(left, bottom, wide - NUMBER, HIGH * counts[case])
                _panel(axes, quantity, rows[case][quantity])
                _numbers(sheet, quantity, rows[case][quantity], left + wide - NUMBER + 0.12, top)
            top = bottom - AXIS
    return Drawn(
        name,
        "Variants beside the scenario as stated",
        _caption(found, cases),
        _alt(rows),
        sheet.figure,
        _data(rows),
    )


def _cases(found: WhatIf) -> list[str]:
    """The cases to show, in their order: all, or those in which most changes."""
    if len(found.base) <= CASES:
        return list(found.base)

    def size(case: str) -> float:
        there = [v.effects[case] for v in found.variants if case in v.effects]
        return max(
            (e.size for of in there for q, e in of.items() if q in found.columns and e.is_real), default=0.0
        )

    chosen = sorted(found.base, key=size, reverse=True)[:CASES]
    return [case for case in found.base if case in chosen]


def _rows(found: WhatIf, case: str, quantity: str) -> list[_Row]:
    stated = found.base[case].get(quantity)
    rows = []
    if stated is not None:
        number = stated.told
        low, high = (number.value if end is None else end for end in (number.low, number.high))
        rows.append(_Row("as stated", number.value, low, high, False, True))
    for each in found.variants:
        effect = each.effects.get(case, {}).get(quantity)
        if effect is not None:
            rows.append(_changed(each.name, effect))
        elif case in each.effects:
            rows.append(_Row(each.name, float("nan"), float("nan"), float("nan"), False))
    return rows


def _changed(name: str, effect: Effect) -> _Row:
    """The interval is that of the change: what chance both trials share does not blur it."""
    d = effect.difference.told
    value = effect.other.told.value
    return _Row(name, value, value - d.plus_minus, value + d.plus_minus, effect.is_real)


def _names(sheet: Sheet, rows: Sequence[_Row], top: float) -> None:
    names = names_within([row.name for row in rows], NAMES - 0.45)
    for k, (row, name) in enumerate(zip(rows, names, strict=True)):
        y = top - HIGH * (k + 0.5)
        sheet.write(NAMES - 0.2, y, name, va="center_baseline", ha="right", color=GREY if row.base else BLACK)


def _panel(axes: Axes, quantity: str, rows: Sequence[_Row]) -> None:
    ends = [end for row in rows for end in (row.low, row.value, row.high) if end == end]
    if not ends:  # the case has no such quantity in any arm; the column of numbers has dashes
        axes.set_axis_off()
        return
    low, high = min(ends), max(ends)  # a mean of one trial has no interval
    least = LEAST[is_probability(quantity)]
    room = max(high - low, least)
    middle = (low + high) / 2
    axes.set_xlim(middle - 0.58 * room, middle + 0.58 * room)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    for k in range(len(rows)):
        axes.axhline(k, color=PALE, linewidth=0.3, zorder=0)
    for k, row in enumerate(rows):
        if row.base:
            axes.axvline(row.value, color=GREY, linewidth=0.6, linestyle=(0, (2, 2)), zorder=1)
        if row.value != row.value:
            continue
        style: dict[str, Any] = {"color": BLACK if row.real or row.base else GREY}
        axes.plot([row.low, row.high], [k, k], linewidth=1.1, zorder=2, **style)
        style |= {"marker": "s" if row.base else "o", "markersize": 3.6 if row.base else 4.2}
        face = BLACK if row.real or row.base else "white"
        axes.plot([row.value], [k], markerfacecolor=face, linestyle="", zorder=3, **style)


def _numbers(sheet: Sheet, quantity: str, rows: Sequence[_Row], left: float, top: float) -> None:
    decimals = digits(quantity, *(row.value for row in rows if row.value == row.value))
    for k, row in enumerate(rows):
        text = fixed(row.value, decimals) if row.value == row.value else "–"
        color = BLACK if row.real or row.base else GREY
        sheet.write(left, top - HIGH * (k + 0.5), text, va="center_baseline", color=color, fontsize=SIZE)


def _footer(found: WhatIf) -> str:
    if not any(found.not_exact.values()):
        return "Exact values; an interval stands where a variant has no exact answer. Each block has its own scale."
    return (
        f"{found.replicates:,} simulated trials a case and variant on the same patients. Each block has its own scale, "
        "which need not begin at 0."
    )


def _caption(found: WhatIf, cases: Sequence[str]) -> str:
    names = [found.short(q) for q in found.columns]
    left_out = len(found.base) - len(cases)
    return (
        f"{listed(names)} of every variant; the square and the broken line are the scenario as stated. Bars are 95% "
        "intervals of the change, which the same patients on both sides make short; an open grey dot is a change "
        "within error or too small to mean anything."
        + (f" Further cases ({left_out}) are in the tables." if left_out else "")
    )


def _alt(rows: Mapping[str, Mapping[str, Sequence[_Row]]]) -> str:
    words = ["Dots with intervals, a row for each variant."]
    for case, of in rows.items():
        numbers = [f"{row.name} {fixed(row.value, 3)}" for row in of["p_go"] if row.value == row.value]
        words.append(f"P(go) if {case} is true: {listed(numbers)}.")
    return " ".join(words)


def _data(rows: Mapping[str, Mapping[str, Sequence[_Row]]]) -> list[dict[str, Any]]:
    return [
        {
            "case": case,
            "quantity": quantity,
            "variant": row.name,
            "value": row.value,
            "low": row.low,
            "high": row.high,
        }
        for case, of in rows.items()
        for quantity, found in of.items()
        for row in found
        if row.value == row.value
    ]
