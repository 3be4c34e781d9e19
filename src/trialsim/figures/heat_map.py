"""P(go) over true response and toxicity rates, with the cases marked where they start and where they lead."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from trialsim.engine.curves import HeatMap, heat_map
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.labels import Box, place
from trialsim.figures.style import BLACK, NARROW, Key, Sheet, percent_axis
from trialsim.figures.words import assumed, listed, names_within, percent, probability, width
from trialsim.results import to_frame
from trialsim.scenario.truth import Rates

HIGH, BELOW, HEAD, LEFT, RIGHT = 5.4, 0.85, 0.2, 1.15, 1.25
WIDE = NARROW - LEFT - RIGHT
MOST_CASES = 8
COLOURS = LinearSegmentedColormap.from_list("go", ["#FFFFFF", "#C9DCEB", "#7FB0D3", "#4A86B5"])
"""Light enough throughout for black words to be read on it."""

START: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 4.2, "markeredgecolor": "white"}
LOWER: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 4.2, "markerfacecolor": "white"}


def draw(material: Material) -> Drawn | None:
    """Filled steps of .1, contours at alpha, .80 and .90, the cases; None where toxicity cannot stop the trial."""
    computed = heat_map(material.scenario, material.rules, material.ranges.response, material.ranges.toxicity)
    if computed is None:
        return None
    levels = _levels(material)
    truths = _truths(material)
    moving = any(len(set(zip(rates.response, rates.toxicity, strict=True))) > 1 for rates in truths.values())
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
    taken = _contours(axes, computed, levels)
    _mark_cases(axes, material, truths, taken)
    return Drawn(
        "heat_map",
        "Probability of a go over response and toxicity",
        _caption(material, moving),
        _alt(material, levels, truths),
        sheet.figure,
        to_frame(_rows(computed)),
    )
