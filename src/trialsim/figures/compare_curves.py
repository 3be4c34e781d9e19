"""Compared designs over the true response rate: P(go) and EN of each by itself, exact, drawn over each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import rc_context

from trialsim.designs.alone import alone
from trialsim.figures.drawn import Drawn
from trialsim.figures.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    RC,
    ROW,
    WIDE,
    Key,
    Sheet,
    count_ticks,
    percent_axis,
    probability_axis,
)
from trialsim.varying.compare import Comparison
from trialsim.writing.numbers import listed, probability
from trialsim.writing.numbers import rate as stated

HIGH, BELOW, LEFT, GAP, HEAD = 5.2, 0.95, 1.15, 1.5, 0.9

LINES: tuple[dict[str, Any], ...] = (
    {"color": BLACK, "linestyle": "-", "linewidth": 1.3},
    {"color": BLUE, "linestyle": (0, (4, 1.5)), "linewidth": 1.8},
    {"color": ORANGE, "linestyle": "-", "linewidth": 0.9},
    {"color": GREY, "linestyle": (0, (1, 1)), "linewidth": 1.8},
    {"color": BLACK, "linestyle": (0, (6, 1.5, 1, 1.5)), "linewidth": 1.0},
    {"color": BLUE, "linestyle": "-", "linewidth": 0.7},
)
"""One a design: told apart by dashes and width where colour is lost."""

POINTS = 121


def draw(found: Comparison) -> Drawn:
    """P(go) and EN of at most six designs, with p0 and p1 of the comparison marked."""
    shown = found.designs[: len(LINES)]
    top = _top(found)
    marked = [p for p in (found.p0, found.p1) if p is not None]
    grid = np.unique(np.append(np.linspace(0.0, top, POINTS), marked))
    curves = {design.name: [alone(design.looks, float(p)) for p in grid] for design in shown}
    keys = [
        Key(f"{design.name}{' (dominated)' if design.dominated_by else ''}", LINES[k])
        for k, design in enumerate(shown)
    ]
    left_out = len(found.designs) - len(shown)
    footer = "Exact: each design by itself, every patient evaluable, no toxicity rule, the same rate at every dose."
    if left_out:
        footer += f" {left_out} more designs are in the tables."
    with rc_context(RC):
        sheet = Sheet(WIDE, BELOW + HIGH + HEAD, footer, keys, columns=2)
        wide = (WIDE - 2 * LEFT - GAP) / 2
        left = sheet.axes(LEFT, BELOW, wide, HIGH)
        right = sheet.axes(LEFT + wide + GAP, BELOW, wide, HIGH)
        for k, design in enumerate(shown):
            left.plot(grid, [each.p_go for each in curves[design.name]], **LINES[k])
            right.plot(grid, [each.en for each in curves[design.name]], **LINES[k])
        for axes, x in ((left, LEFT), (right, LEFT + wide + GAP)):
            percent_axis(axes, "x", (0.0, top), "true response rate (%)")
            for name, p in (("p0", found.p0), ("p1", found.p1)):
                if p is not None:
                    axes.axvline(p, color=GREY, linewidth=0.6, linestyle=(0, (2, 2)), zorder=0)
                    sheet.write(
                        x + wide * p / top,
                        BELOW + HIGH + 0.1,
                        f"{name} {stated(p)}",
                        ha="center",
                        va="bottom",
                    )
        for x, words in ((LEFT, "P(go)"), (LEFT + wide + GAP, "EN")):
            sheet.write(x, BELOW + HIGH + 0.1 + ROW, words, va="bottom", fontweight="bold")
        probability_axis(left, "P(go)", low=-0.03)
        right.set_ylim(0, 1.06 * max(design.n for design in shown))
        right.set_ylabel("EN (patients)")
        count_ticks(right.yaxis, 5)
    rows = [
        {"design": name, "response": float(p), "p_go": each.p_go, "en": each.en, "pet": each.pet}
        for name, of in curves.items()
        for p, each in zip(grid, of, strict=True)
    ]
    return Drawn(
        "compare_curves",
        "P(go) and expected patients against the response rate",
        "Probability of a go (left) and expected number of patients (right) of every design by itself, against the "
        "true response rate. Broken verticals are p0 and p1, the rates by which designs are held against each other.",
        _alt(found, len(shown)),
        sheet.figure,
        rows,
    )


def _top(found: Comparison) -> float:
    """Where the axis ends: past p1 and every assumed rate, and where each design almost surely ends in a go."""
    levels = len(found.first.doses)
    rates = [max(case.by_dose("response", levels) or (0.0,)) for case in found.first.truth.values()]
    wanted = max([*rates, found.p1 or 0.0]) * 1.2
    for top in (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0):
        if top >= wanted and all(alone(design.looks, top).p_go > 0.97 for design in found.designs):
            return top
    return 1.0


def _alt(found: Comparison, shown: int) -> str:
    words = [f"Two panels of {shown} curves over the response rate: P(go) and EN."]
    for design in found.designs[:shown]:
        told = []
        if design.alpha is not None and design.en_p0 is not None:
            told.append(f"at p0 P(go) {probability(design.alpha)}, EN {design.en_p0:.1f}")
        if design.power is not None and design.en_p1 is not None:
            told.append(f"at p1 P(go) {probability(design.power)}, EN {design.en_p1:.1f}")
        words.append(f"{design.name}: {listed(told)}." if told else f"{design.name}.")
    return " ".join(words)
