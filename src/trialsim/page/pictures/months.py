"""How long the trial takes: the spread of its duration, and the mean time accruing, closed and waiting."""

from __future__ import annotations

import numpy as np

from trialsim.codes import DAYS_PER_MONTH
from trialsim.page.pictures.by_case import EDGE, MOST_CASES, cut, drawn, shade
from trialsim.page.pictures.style import (
    BLACK,
    INTERVAL,
    SIZE,
    Picture,
    Row,
    Trace,
    axis,
    error_bars,
    estimate_cells,
    estimate_words,
    figure,
    lines,
    note,
    so_far,
)
from trialsim.results import Estimate, OperatingCharacteristics, Results
from trialsim.writing.numbers import Cell

HEAD, HUMP, SPREAD, BAR, GAP = 22, 46, 14, 18, 16
"""Pixels down a case: its name, the hump, room for the median and its range, the bar of parts, nothing."""

EACH = HEAD + HUMP + SPREAD + BAR + GAP
STEPS = 50
"""Steps of a hump across the panel."""

PARTS = {
    "accruing_months": ("mean months accruing", shade("#4D4D4D")),
    "paused_months": ("mean months with accrual closed", shade("#FFFFFF", "/")),
    "waiting_months": ("mean months waiting after accrual", shade("#BDBDBD")),
}
SPREAD_OF = ("duration_p10_months", "duration_median_months", "duration_p90_months")


def months(results: Results, *, provisional: bool = False) -> Picture:
    """A hump a case with its median and 10% to 90% range, above a bar of the mean parts.

    Of results with calendar time: each case was simulated with its dates.
    """
    cases = drawn(results.cases)
    right = max(_quantile(oc, 0.995) for oc in cases) * 1.03 or 1.0
    bars, notes = _parts(cases, provisional), []
    for k, oc in enumerate(cases):
        mean = f"mean {_of(oc, 'duration_months').estimate:.1f} months"
        name = note(
            0, k * EACH + HEAD / 2, cut(oc.case, mean), xref="paper", xanchor="left", yanchor="middle"
        )
        name["font"] = {"size": SIZE, "color": BLACK, "weight": "bold"}
        notes += [name, note(1, k * EACH + HEAD / 2, mean, xref="paper", xanchor="right", yanchor="middle")]
    layout = {
        "xaxis": axis("Months since the first patient started", range=[0, right], tickformat="~f"),
        "yaxis": axis(range=[EACH * len(cases), 0], visible=False),
        "annotations": notes,
        "barmode": "overlay",
        "margin": {"l": 12, "r": 14, "t": 8, "b": 50},
    }
    words = (
        f"Duration from the first patient's start to the last outcome or decision, {results.replicates:,} simulated "
        "trials each: grey, trials by duration; dot and line, median and 10% to 90% of trials. Below, the mean time "
        "that accrual is open or closed and that outcomes are awaited after it."
    )
    if len(results.cases) > len(cases):
        words += f" Shown are the first {MOST_CASES} of {len(results.cases)} cases."
    names = ("duration_months", *SPREAD_OF, *PARTS)
    return Picture(
        "months",
        "Duration of the trial",
        so_far(words, results.replicates, provisional),
        figure(
            [*(_hump(oc, k, right) for k, oc in enumerate(cases)), _spread(cases, provisional), *bars],
            EACH * len(cases) + 58,
            **layout,
        ),
        ("Case", "What", "Months", *INTERVAL),
        tuple(_row(oc, name, provisional) for oc in cases for name in names),
        f"{'Provisional: ' if provisional else ''}Duration of the trial. {' '.join(map(_told, cases))}",
    )


def _of(oc: OperatingCharacteristics, name: str) -> Estimate:
    assert oc.simulated is not None
    return oc.simulated.values[name]


def _quantile(oc: OperatingCharacteristics, q: float) -> float:
    assert oc.simulated is not None
    so_many = np.cumsum(oc.simulated.days)
    return float(np.searchsorted(so_many, q * so_many[-1])) / DAYS_PER_MONTH


def _hump(oc: OperatingCharacteristics, k: int, right: float) -> Trace:
    """Trials by duration, in steps of as many whole days as make 50 of them."""
    assert oc.simulated is not None
    step = max(round(right * DAYS_PER_MONTH / STEPS), 1)
    starts = np.arange(0, len(oc.simulated.days), step)
    share = np.add.reduceat(np.array(oc.simulated.days), starts)
    floor = k * EACH + HEAD + HUMP
    edges = [0.0, *(starts / DAYS_PER_MONTH).tolist(), float((starts[-1] + step) / DAYS_PER_MONTH)]
    highs = (floor - share / share.max() * (HUMP - 4)).tolist()
    return {
        "type": "scatter",
        "mode": "lines",
        "showlegend": False,
        "x": edges,
        "y": [floor, *highs, floor],
        "line": {"shape": "hv", "width": 0},
        "fill": "toself",
        "fillcolor": "#D9D9D9",
        "hoverinfo": "skip",
    }


def _spread(cases: tuple[OperatingCharacteristics, ...], provisional: bool) -> Trace:
    low, middle, high = ([_of(oc, name).estimate for oc in cases] for name in SPREAD_OF)
    ranges = [Estimate(m, 0.0, a, b) for a, m, b in zip(low, middle, high, strict=True)]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "median; 10% to 90% of trials",
        "x": middle,
        "y": [k * EACH + HEAD + HUMP for k in range(len(cases))],
        "marker": {"size": 7, "color": BLACK},
        "error_x": error_bars(ranges),
        "hoverinfo": "text",
        "hovertext": [
            lines(oc.case, *(_words(oc, name, provisional) for name in ("duration_months", *SPREAD_OF)))
            for oc in cases
        ],
    }


def _words(oc: OperatingCharacteristics, name: str, provisional: bool) -> str:
    return f"{oc.label(name)}: {estimate_words(name, _of(oc, name), False, provisional)}"


def _parts(cases: tuple[OperatingCharacteristics, ...], provisional: bool) -> list[Trace]:
    base, traces = [0.0] * len(cases), []
    for name, (words, style) in PARTS.items():
        values = [_of(oc, name).estimate for oc in cases]
        if any(values):
            traces.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": words,
                    "x": values,
                    "y": [k * EACH + HEAD + HUMP + SPREAD + BAR / 2 for k in range(len(cases))],
                    "base": base,
                    "width": BAR - 2,
                    "marker": style | {"line": EDGE},
                    "hoverinfo": "text",
                    "hovertext": [lines(oc.case, _words(oc, name, provisional)) for oc in cases],
                }
            )
        base = [a + b for a, b in zip(base, values, strict=True)]
    return traces


def _row(oc: OperatingCharacteristics, name: str, provisional: bool) -> Row:
    return (Cell(oc.case), Cell(oc.label(name)), *estimate_cells(name, _of(oc, name), False, provisional))


def _told(oc: OperatingCharacteristics) -> str:
    low, middle, high = (f"{_of(oc, name).estimate:.1f}" for name in SPREAD_OF)
    open_, closed, waiting = (f"{_of(oc, name).estimate:.1f}" for name in PARTS)
    return (
        f"{oc.case}: median {middle} months, 10% to 90% of trials {low} to {high}; on average {open_} accruing, "
        f"{closed} closed, {waiting} waiting."
    )
