"""P(go) over true response and toxicity rates, with the cases marked where they start and where they lead."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.designs.alone import alone
from trialsim.engine import curves
from trialsim.page.pictures.style import (
    BLACK,
    SIZE,
    Picture,
    Row,
    Trace,
    figure,
    lines,
    note,
    rate_axis,
    safe,
)
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.drift import along_curves
from trialsim.writing.numbers import Cell, listed, probability, probability_cell, rate, rates

HIGH, MOST_CASES, TINY = 430, 8, 1e-5
PALETTE = ((0.0, "#FFFFFF"), (1 / 3, "#C9DCEB"), (2 / 3, "#7FB0D3"), (1.0, "#4A86B5"))
"""Light enough throughout for black words to be read on it."""

DASHES = ("dot", "dash", "solid")
"""Lines at the type I error, .80 and .90."""


def heat_map(trial: Compiled, found: curves.HeatMap) -> Picture:
    """Exact P(go) in cells, lines at alpha, .80 and .90, the cases with numbers that the key explains."""
    xs, ys, p = found.response.tolist(), found.toxicity.tolist(), found.p_go.tolist()
    across, up = [rate(x) for x in xs], [rate(y) for y in ys]
    cells: Trace = {
        "type": "heatmap",
        "x": xs,
        "y": ys,
        "z": p,
        "zmin": 0,
        "zmax": 1,
        "colorscale": [list(step) for step in PALETTE],
        "colorbar": {"title": {"text": "P(go)"}, "thickness": 12, "tickfont": {"size": SIZE}, "xpad": 4},
        "hoverinfo": "text",
        "hovertext": [
            [
                f"response {x}, toxicity {y}<br>P(go) {probability(value)}, exact"
                for x, value in zip(across, row, strict=True)
            ]
            for y, row in zip(up, p, strict=True)
        ],
    }
    levels = _levels(trial, found)
    cases = _cases(trial)
    several = trial.rules.levels > 1
    moving = any(len(set(path)) > 1 for path in cases)
    same = ", same at every dose" if several else ""
    layout = {
        "xaxis": rate_axis(f"True response rate{same}", xs[0], xs[-1], showgrid=False),
        "yaxis": rate_axis(f"True toxicity rate{same}", ys[0], ys[-1], showgrid=False),
        "annotations": [
            note(*path[-1], str(k), xanchor="left", yanchor="bottom", xshift=4, yshift=2)
            for k, path in enumerate(cases, start=1)
        ],
    }
    rows: list[Row] = [
        (x, y, probability_cell(value))
        for y, line in zip(map(Cell, up, ys), p, strict=True)
        for x, value in zip(map(Cell, across, xs), line, strict=True)
    ]
    return Picture(
        "heat_map",
        "Probability of a go over response and toxicity",
        _caption(found, moving, several) + along_curves(trial.scenario),
        figure(
            [cells, *_contours(found, levels), *(_path(k, *each) for k, each in enumerate(cases.items(), 1))],
            HIGH,
            **layout,
        ),
        ("True response rate", "True toxicity rate", "P(go)"),
        tuple(rows),
        f"Map of the exact probability of a go: {probability(p[0][0])} at {rate(xs[0])} response and {rate(ys[0])} "
        f"toxicity, {probability(p[0][-1])} at {rate(xs[-1])} and {rate(ys[0])}, {probability(p[-1][-1])} at "
        f"{rate(xs[-1])} and {rate(ys[-1])}; lines at {listed([probability(level) for level in levels])}.",
    )


def _levels(trial: Compiled, found: curves.HeatMap) -> list[float]:
    """The type I error aimed at, or else attained by the design alone, and the powers usually asked for."""
    alpha, p0 = (getattr(trial.scenario.design, name, None) for name in ("alpha", "p0"))
    if alpha is None and p0 is not None:
        alpha = alone(trial.rules.looks, p0).p_go
    low, high = float(found.p_go.min()), float(found.p_go.max())
    return [float(level) for level in (alpha, 0.8, 0.9) if level is not None and low < level < high]


def _logit(p: Any) -> Any:
    """P(go) is nearly straight in the rates on this scale, so lines between points of the grid are right."""
    clipped = np.clip(p, TINY, 1 - TINY)
    return np.log(clipped / (1 - clipped))


def _contours(found: curves.HeatMap, levels: list[float]) -> list[Trace]:
    z = _logit(found.p_go).tolist()
    return [
        {
            "type": "contour",
            "name": f"P(go) = {level:.4g}",
            "showlegend": True,
            "showscale": False,
            "x": found.response.tolist(),
            "y": found.toxicity.tolist(),
            "z": z,
            "contours": {"start": at, "end": at, "size": 1, "coloring": "none"},
            "line": {"color": BLACK, "width": 1.3, "dash": dash},
            "hoverinfo": "skip",
        }
        for level, dash in zip(levels, DASHES[-len(levels) :], strict=True)
        for at in [float(_logit(level))]
    ]


Path = tuple[tuple[float, float], ...]


def _cases(trial: Compiled) -> dict[Path, list[str]]:
    """The first cases with toxicity by their rates of response and toxicity, dose by dose."""
    found: dict[Path, list[str]] = {}
    stated = [(name, case) for name, case in trial.scenario.truth.items() if case.toxicity is not None]
    for name, case in stated[:MOST_CASES]:
        levels = trial.rules.levels
        response, toxicity = (case.by_dose(key, levels) or () for key in ("response", "toxicity"))
        found.setdefault(tuple(zip(response, toxicity, strict=True)), []).append(name)
    return found


def _path(k: int, path: Path, names: list[str]) -> Trace:
    """A dot where a case starts, a line to hollow ones where it leads."""
    points = list(dict.fromkeys(path))
    x, y = [p for p, _ in points], [t for _, t in points]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"{k}: {safe(', '.join(names), 38)}",
        "x": x,
        "y": y,
        "line": {"color": BLACK, "width": 1.2},
        "marker": {
            "size": 9,
            "color": [BLACK] + ["white"] * (len(points) - 1),
            "line": {"color": ["white"] + [BLACK] * (len(points) - 1), "width": 1.2},
        },
        "cliponaxis": False,
        "hoverinfo": "text",
        "hovertext": [
            lines(f"case {', '.join(names)}", f"response {rates([p])}, toxicity {rates([t])}")
            for p, t in points
        ],
    }


def _caption(found: curves.HeatMap, moving: bool, several: bool) -> str:
    words = "Exact probability of a go over true response and toxicity rates"
    words += ", each the same at every dose" if several else ""
    words += f", on a grid of {len(found.response)} by {len(found.toxicity)} rates"
    words += f", odds ratio {found.odds_ratio:g}" if found.odds_ratio != 1 else ""
    words += (
        ", every outcome known at once; lines at the type I error and at 0.80 and 0.90. Dots are the cases"
    )
    if moving:
        words += (
            "; a line leads from the rates at the starting dose to those at lower doses, and the P(go) of such a case "
            "is not on the map"
        )
    return words + "."
