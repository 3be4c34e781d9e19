"""A quantity over the prior, and which input its spread comes from."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.figures.drawn import Drawn
from trialsim.figures.style import BLACK, BLUE, GREY, PALE, WIDE, Key, Sheet
from trialsim.figures.words import fit, width
from trialsim.scenario.model import Scenario
from trialsim.varying.analysed import input_words
from trialsim.varying.answered import SIMULATED
from trialsim.varying.assurance import SCRAMBLES, AssuranceResult
from trialsim.writing.numbers import value_text

BELOW, LEFT, RIGHT, GAP = 0.95, 1.15, 0.3, 0.5
LEAST, EACH, NAMES, PANEL = 4.0, 0.74, 4.6, 6.4

AVERAGE: dict[str, Any] = {"color": BLACK, "linewidth": 1.2}
STATED: dict[str, Any] = {"color": GREY, "linewidth": 1.2, "linestyle": (0, (3, 1.5))}
FIRST: dict[str, Any] = {"facecolor": BLUE, "edgecolor": BLACK}
TOTAL: dict[str, Any] = {"facecolor": PALE, "edgecolor": BLACK}


def draw(result: AssuranceResult, scenario: Scenario, name: str) -> Drawn:
    """Left the quantity over the prior, right first-order and total indices with their intervals."""
    high = max(LEAST, EACH * len(result.beliefs))
    what = "assurance" if result.quantity == "p_go" else "average"
    keys = [
        Key(f"average over the prior ({what}) {value_text(result.quantity, result.mean.estimate)}", AVERAGE),
        Key("first-order index: the input alone", patch=FIRST),
        Key(f"as stated {value_text(result.quantity, result.as_stated.estimate)}", STATED),
        Key("total index: with its interactions", patch=TOTAL),
    ]
    sheet = Sheet(WIDE, BELOW + high + 0.2, _footer(result), keys, columns=2)
    left = sheet.axes(LEFT, BELOW, PANEL, high)
    edges = np.linspace(result.lowest, result.highest, len(result.histogram) + 1)
    share = np.array(result.histogram) / sum(result.histogram)
    left.bar(
        edges[:-1], share, np.diff(edges), align="edge", facecolor=PALE, edgecolor="white", linewidth=0.5
    )
    left.set_xlim(edges[0], edges[-1])
    left.set_xlabel(fit(f"{result.label} if the inputs are as drawn", PANEL + 1))
    left.set_ylabel("share of the prior")
    left.axvline(result.mean.estimate, **AVERAGE)
    left.axvline(result.as_stated.estimate, **STATED)
    names = [fit(input_words(scenario, b.input, result.case), NAMES) for b in result.beliefs]
    start = (
        LEFT
        + PANEL
        + GAP
        + max([*map(width, names), *(width(fit(b.prior, NAMES)) for b in result.beliefs)])
        + 0.3
    )
    right = sheet.axes(start, BELOW, WIDE - start - RIGHT, high)
    for row, belief in enumerate(result.beliefs):
        for k, (index, style) in enumerate(((belief.first, FIRST), (belief.total, TOTAL))):
            y = row + (-0.17, 0.17)[k]
            right.barh(y, max(index.estimate, 0), 0.3, zorder=3, linewidth=0.5, **style)
            right.plot([index.low, index.high], [y, y], color=BLACK, linewidth=0.8, zorder=4)
    right.set_ylim(len(names) - 0.5, -0.5)
    words = [
        f"{name}\n{fit(belief.prior, NAMES)}" for name, belief in zip(names, result.beliefs, strict=True)
    ]
    right.set_yticks(range(len(names)), words)
    right.tick_params(axis="y", length=0)
    low = min(0.0, *(i.low for b in result.beliefs for i in (b.first, b.total)))
    right.set_xlim(
        min(low * 1.05, -0.01),
        max(
            1.02,
            *(b.total.high * 1.02 for b in result.beliefs),
            *(b.first.high * 1.02 for b in result.beliefs),
        ),
    )
    right.axvline(0, color=BLACK, linewidth=0.6, zorder=5)
    right.spines["left"].set_visible(False)
    right.set_xlabel("Share of the variance")
    return Drawn(
        name,
        f"{result.label} over what is believed",
        _caption(result),
        _alt(result, names),
        sheet.figure,
        list(result.rows()),
    )


def _footer(result: AssuranceResult) -> str:
    words = "Exact" if SIMULATED not in result.engine else f"Simulated, R = {result.replicates:,}"
    if result.engine not in ("exact", SIMULATED):
        words = result.engine.capitalize()
    return (
        f"{words}, at each of {result.points:,} points of {SCRAMBLES} scrambled Sobol nets. Average: standard error "
        f"{result.mean.mcse:.2g}. Whiskers: 95% intervals. Case {result.case}."
    )


def _caption(result: AssuranceResult) -> str:
    words = (
        f"Left: {result.label} for inputs drawn from their priors, its average over the prior and its value as stated, "
        f"for the case {result.case}. Right: the share of its variance that comes from each input, alone and with all "
        "its interactions."
    )
    if result.reaching is not None:
        words += (
            f" The probability that {result.label} is at least {result.at_least:g} is {result.reaching.estimate:.3f} "
            f"(standard error {result.reaching.mcse:.2g})."
        )
    return words


def _alt(result: AssuranceResult, names: list[str]) -> str:
    indices = "; ".join(
        f"{name}: first-order {belief.first.estimate:.2f}, total {belief.total.estimate:.2f}"
        for name, belief in zip(names, result.beliefs, strict=True)
    )
    average = value_text(result.quantity, result.mean.estimate)
    return f"Histogram of {result.label} over the prior, average {average}, and bars of Sobol indices. {indices}."
