"""The observed trial against a case: the distribution that it predicts for each count, and what was seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.checks import CaseCheck, Checks, label
from trialsim.page.pictures.style import (
    BLACK,
    GREY,
    SIZE,
    Picture,
    Row,
    Trace,
    axis,
    figure,
    note,
    safe,
)
from trialsim.writing.numbers import NONE, Cell, count, probability, probability_cell

HIGH, HEAD, BETWEEN, MOST = 104, 24, 44, 6
"""Pixels of a panel, of the words above it, and of the axis below it; quantities that are drawn."""

SHADES = (
    ("interval_50", "#3B6E8F", "central 50%"),
    ("interval_80", "#86B3CE", "central 80%"),
    ("interval_95", "#CBDFEA", "central 95%"),
)
OUTSIDE = "#F4F4F4"


def compatibility(found: Checks, case: str = "") -> Picture | str:
    """A panel a quantity, numbers of patients fixed as observed; a sentence where there is nothing to hold against it.

    ``case``: default the first that predicts anything.
    """
    every = [row for row in found if row.conditioning == "given_sizes" and row.pmf is not None]
    named = case or (every[0].case if every else "")
    rows = [row for row in every if row.case == named][:MOST]
    if not rows:
        about = f"Case {named} states no rate" if named else "No count was observed, or no case states a rate"
        return f"{about}: there is no prediction to hold the observed trial against."
    each = HEAD + HIGH + BETWEEN
    whole = each * len(rows) - BETWEEN
    layout: dict[str, Any] = {"margin": {"l": 48, "r": 14, "t": 4, "b": 40}, "annotations": [], "shapes": []}
    data: list[Trace] = []
    table: list[Row] = []
    for k, row in enumerate(rows):
        number = str(k + 1) if k else ""
        top = 1 - (k * each + HEAD) / whole
        low, high = _limits(row)
        words = _title(found, row)
        layout[f"xaxis{number}"] = axis(range=[low - 0.6, high + 0.6], anchor=f"y{number}", tickformat="d")
        domain = [max(top - HIGH / whole, 0.0), top]
        layout[f"yaxis{number}"] = axis(domain=domain, anchor=f"x{number}", nticks=3, rangemode="tozero")
        layout["annotations"].append(
            note(
                0,
                top,
                _head(found, row),
                xref="paper",
                yref="paper",
                xanchor="left",
                yanchor="bottom",
                yshift=2,
                xshift=-40,
                font={"size": SIZE, "color": BLACK},
            )
        )
        data += [_bars(row, low, high, number), _seen(row, number)]
        table += _rows(words, row, low, high)
    data += [_key(name, color) for _, color, name in SHADES] + [_key("outside", OUTSIDE)]
    for trace in data[2 : 2 * len(rows)]:
        trace["showlegend"] = False
    return Picture(
        "compatibility",
        f"Observed counts, and what case {named} predicts",
        "The exact probability of every count with the numbers of patients fixed as observed, its central 50, 80 and "
        "95% shaded; the diamond is the observed count. Compatible means not surprising under the case, not that the "
        "case is right.",
        figure(data, whole + 46, **layout),
        ("What", "Count", "Probability", "Where"),
        tuple(table),
        f"Predictive distributions of case {named}. {' '.join(_told(found, row) for row in rows)}",
    )


def _verdict(row: CaseCheck) -> str:
    """The word for how surprising the observed count is, or why there is none."""
    return row.verdict or ("fitted, no verdict" if row.fitted else "no verdict")


def _title(found: Checks, row: CaseCheck) -> str:
    return f"{label(row.quantity, found.scenario.doses)}, of {row.denominator}"


def _head(found: Checks, row: CaseCheck) -> str:
    """Short enough for a phone."""
    name = label(row.quantity, found.scenario.doses)
    cut = name if len(name) <= 28 else f"{name[:18].rstrip()}…{name[-9:].lstrip()}"
    return f"{cut}: {row.observed} of {row.denominator}, {_verdict(row)}"


def _pmf(row: CaseCheck) -> np.ndarray[Any, np.dtype[np.float64]]:
    assert row.pmf is not None
    return row.pmf


def _limits(row: CaseCheck) -> tuple[int, int]:
    """First and last count that are worth showing."""
    likely = np.flatnonzero(_pmf(row) > 0.002 * _pmf(row).max())
    return min(int(likely[0]), row.observed), max(int(likely[-1]), row.observed)


def _where(row: CaseCheck, k: int) -> tuple[str, str]:
    """Colour of a count, and the innermost interval that it is in."""
    for name, color, words in SHADES:
        inside = getattr(row, name)
        if inside is not None and inside[0] <= k <= inside[1]:
            return color, words
    return OUTSIDE, "outside"


def _bars(row: CaseCheck, low: int, high: int, number: str) -> Trace:
    counts = range(low, high + 1)
    return {
        "type": "bar",
        "showlegend": False,
        "x": list(counts),
        "y": _pmf(row)[low : high + 1].tolist(),
        "xaxis": f"x{number}",
        "yaxis": f"y{number}",
        "width": 1,
        "marker": {"color": [_where(row, k)[0] for k in counts], "line": {"color": GREY, "width": 0.6}},
        "hoverinfo": "text",
        "hovertext": [f"{k}: {probability(float(_pmf(row)[k]))}, {_where(row, k)[1]}" for k in counts],
    }


def _seen(row: CaseCheck, number: str) -> Trace:
    words = f"observed {row.observed} of {row.denominator}: {_verdict(row)}"
    if row.p_two_sided is not None:
        words += f"<br>two-sided mid-p {probability(row.p_two_sided)}"
    if row.interval_95 is not None:
        words += f"<br>predicted {row.interval_95[0]} to {row.interval_95[1]} (95%)"
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "observed",
        "x": [row.observed],
        "y": [0],
        "xaxis": f"x{number}",
        "yaxis": f"y{number}",
        "marker": {
            "symbol": "diamond",
            "size": 12,
            "color": BLACK,
            "line": {"color": "white", "width": 1.5},
        },
        "cliponaxis": False,
        "hoverinfo": "text",
        "hovertext": [words],
    }


def _key(name: str, color: str) -> Trace:
    marker = {"symbol": "square", "size": 10, "color": color, "line": {"color": GREY, "width": 1}}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": safe(name),
        "x": [None],
        "y": [None],
        "marker": marker,
        "hoverinfo": "skip",
    }


def _rows(words: str, row: CaseCheck, low: int, high: int) -> list[Row]:
    return [
        (
            Cell(words),
            Cell(str(k), k),
            probability_cell(float(_pmf(row)[k])),
            Cell(_where(row, k)[1] + (", observed" if k == row.observed else "")),
        )
        for k in range(low, high + 1)
    ]


def _told(found: Checks, row: CaseCheck) -> str:
    inside = NONE if row.interval_95 is None else f"{row.interval_95[0]} to {row.interval_95[1]}"
    seen = f"{label(row.quantity, found.scenario.doses)} {row.observed} of {count(row.denominator or 0, 'patient')}"
    return f"{seen}, predicted {inside} (95%), {_verdict(row)}."
