"""The response rate after the trial: the primary estimate and interval, and the other intervals, against p0 and p1."""

from __future__ import annotations

from typing import Any

from trialsim.inference.analysis import PatientsAnalysis
from trialsim.inference.estimators import ESTIMATOR_WORDS
from trialsim.inference.intervals import INTERVAL_WORDS
from trialsim.page.pictures.by_case import cut
from trialsim.page.pictures.style import (
    BLACK,
    BLUE,
    GREY,
    Picture,
    Row,
    Trace,
    figure,
    lines,
    note,
    rate_axis,
    upright,
)
from trialsim.writing.numbers import NONE, Cell, percent, rate

EACH = 38
"""Pixels of an interval: its name, and its line below."""


def analysis(found: PatientsAnalysis) -> Picture:
    """One line an interval, the primary one first, with the primary estimate on it; exact, by enumeration."""
    plan, primary = found.plan, found.interval
    rows = [primary, *(row for row in found.intervals if row.name != primary.name)]
    names = [INTERVAL_WORDS[row.name].removesuffix(" (default)") for row in rows]
    limits = [(row.low, row.high) for row in rows]
    observed, words = found.x / found.n, ESTIMATOR_WORDS[plan.estimate]
    ends = [high for _, high in limits if high is not None]
    top = min(1.0, 1.08 * max([*ends, observed, found.estimate, plan.p1 or 0.0, plan.p0 or 0.0, 0.02]))
    data: list[Trace] = [
        _interval(name, k, low, high)
        for k, (name, (low, high)) in enumerate(zip(names, limits, strict=True))
        if low is not None and high is not None
    ]
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"primary estimate, {percent(found.estimate)}",
            "x": [found.estimate],
            "y": [0],
            "marker": {"size": 11, "color": BLACK},
            "hoverinfo": "text",
            "hovertext": [lines(f"primary estimate {percent(found.estimate)}, exact", words)],
        }
    )
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"observed proportion, {percent(observed)}",
            "x": [observed, observed],
            "y": [-0.8, len(rows)],
            "line": {"color": BLUE, "width": 1.4},
            "hoverinfo": "skip",
        }
    )
    marked = [(name, p) for name, p in (("p0", plan.p0), ("p1", plan.p1)) if p is not None]
    layout: dict[str, Any] = {
        "xaxis": rate_axis("Response rate", 0.0, top),
        "yaxis": {"range": [len(rows) - 0.4, -0.8], "visible": False, "fixedrange": True},
        "shapes": [upright(p) | {"layer": "below"} for _, p in marked],
        "annotations": [
            note(0, k - 0.42, text, xref="paper", xanchor=side, yanchor="middle", bgcolor="white")
            | ({"font": {"size": 12, "color": BLACK, "weight": "bold"}} if k == 0 else {})
            for k, (name, ends_of) in enumerate(zip(names, limits, strict=True))
            for side, text in (("left", cut(name, _words(*ends_of))),)
        ]
        + [
            note(1, k - 0.42, _words(*each), xref="paper", xanchor="right", yanchor="middle", bgcolor="white")
            for k, each in enumerate(limits)
        ]
        + [
            note(
                p,
                1,
                f"{name} = {rate(p)}",
                yref="paper",
                yanchor="bottom",
                xanchor="right" if name == "p0" else "left",
            )
            for name, p in marked
        ],
        "margin": {"l": 12, "r": 14, "t": 26, "b": 50},
    }
    table: list[Row] = [
        (Cell(f"estimate: {words}"), Cell(percent(found.estimate), found.estimate), Cell(NONE), Cell(NONE)),
        (Cell("observed proportion"), Cell(percent(observed), observed), Cell(NONE), Cell(NONE)),
    ]
    table += [
        (Cell(f"interval: {name}"), Cell(NONE), _cell(low), _cell(high))
        for name, (low, high) in zip(names, limits, strict=True)
    ]
    return Picture(
        "analysis",
        "The response rate after the trial",
        f"{found.x} responses among {found.n} patients ({found.patients}). {100 * plan.confidence:g}% confidence "
        f"intervals of the response rate: black, the primary one with the primary estimate ({words}); grey, the "
        "others. Exact, by enumeration of every way to end.",
        figure(data, EACH * len(rows) + 84, **layout),
        ("What", "Value", "From", "To"),
        tuple(table),
        f"Horizontal intervals, one a method. Estimate {percent(found.estimate)}, primary interval "
        f"{_words(*limits[0])}; observed {percent(observed)}{''.join(f'; {name} is {rate(p)}' for name, p in marked)}.",
    )


def _words(low: float | None, high: float | None) -> str:
    return "none" if low is None or high is None else f"{percent(low)} to {percent(high)}"


def _cell(end: float | None) -> Cell:
    return Cell(NONE) if end is None else Cell(percent(end), end)


def _interval(name: str, k: int, low: float, high: float) -> Trace:
    color, width = (BLACK, 4) if k == 0 else (GREY, 1.6)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "showlegend": False,
        "x": [low, high],
        "y": [k, k],
        "line": {"color": color, "width": width},
        "marker": {"symbol": "line-ns", "size": 9, "line": {"color": color, "width": 1.6}},
        "hoverinfo": "text",
        "hovertext": [lines(name, f"{percent(low)} to {percent(high)}, exact")] * 2,
    }
