"""P(go) against the true response rate: the trial as conducted, the cases by name, and the observed rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialsim.engine.as_conducted import Along, AsConducted, CasePoint
from trialsim.engine.ranges import Observed, Ranges
from trialsim.page.pictures.style import (
    BLACK,
    BLUE,
    GREY,
    INTERVAL,
    ORANGE,
    Picture,
    Row,
    Trace,
    design_rates,
    error_bars,
    estimate_cells,
    estimate_words,
    figure,
    lines,
    note,
    probability_axis,
    rate_axis,
    safe,
    so_far,
)
from trialsim.results import Estimate, Results
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.drift import along_curves
from trialsim.scenario.every_design import design_alone
from trialsim.writing.numbers import NONE, Cell, listed, percent, probability, rate

HIGH, LOW = 400, -0.12
"""Height of the panel in pixels, and where its axis begins, with room for the observed rate below 0."""

MOST_CASES, MOST_NAMES, NAME, WIDE = 12, 4, 22, 45
"""Cases that are marked; places that are named rather than numbered, the longest such name, and the letters
that a panel on a phone is wide."""

STYLES: dict[str, dict[str, Any]] = {
    "conducted": {"color": BLACK, "width": 2.6},
    "at_once": {"color": BLUE, "width": 1.8, "dash": "dash"},
    "alone": {"color": GREY, "width": 1.6, "dash": "dot"},
}
PINNED: tuple[dict[str, Any], ...] = (
    {"color": ORANGE, "width": 2, "dash": "longdash"},
    {"color": "#8A5A9E", "width": 2, "dash": "dashdot"},
)
"""Lines of the pins, in their order."""


def p_go(
    trial: Compiled,
    results: Results,
    at: Ranges,
    found: AsConducted,
    curves: Sequence[Along],
    *,
    pins: Sequence[tuple[str, Along]] = (),
    provisional: bool = False,
) -> Picture:
    """The cases as marks, the trial as conducted as a thick line, what is left out of it as thin ones.

    Args:
        at, found, curves: ``Pictured.ranges``, ``.as_conducted`` and ``.conducted``.
        pins: by name the curve of another trial.
        provisional: whether simulated numbers are of fewer replicates than asked for.
    """
    scenario = trial.scenario
    words = {
        "conducted": "the trial as conducted",
        "at_once": "every outcome known at once",
        "alone": f"the {design_alone(scenario)}",
    }
    named = [
        (words[c.what] + (", nearly the same" if c.nearly_same else ""), STYLES[c.what], c) for c in curves
    ]
    pinned = [(name, PINNED[k % len(PINNED)], curve) for k, (name, curve) in enumerate(pins)]
    shown = [case for case in found.cases if at.shows(case.response)][:MOST_CASES]
    data = [_line(name, style, curve, provisional) for name, style, curve in [*named, *pinned]]
    marks, labels = _cases(shown, at, provisional)
    shapes, notes = design_rates(at)
    data += marks
    if seen := at.observed:
        shapes.insert(0, _band(seen))
        data.append(_observed(seen))
    layout = {
        "xaxis": rate_axis("True response rate", *at.response),
        "yaxis": probability_axis("P(go)", low=LOW if at.observed else -0.03),
        "shapes": shapes,
        "annotations": notes + labels,
    }
    rows: list[Row] = [
        (Cell(f"case {case.case}"), *_row(case.response, case.p_go, case.exact, provisional))
        for case in found.cases
    ]
    if seen:
        empty = (Cell(NONE),) * 3
        rows.append(
            (
                Cell(f"observed: {_interval(seen)}"),
                Cell(percent(seen.rate), seen.rate),
                *empty,
                Cell("observed"),
            )
        )
    for name, _, curve in [*named, *pinned]:
        rows += [(Cell(name), *row) for row in _rows(curve, provisional)]
    return Picture(
        "p_go",
        "Probability of a go of the trial as conducted",
        so_far(_caption(trial, results, found), found.replicates or results.replicates, provisional),
        figure(data, HIGH, **layout),
        ("What", "True response rate", "P(go)", *INTERVAL),
        tuple(rows),
        _alt(found.cases, seen, provisional),
    )


def _row(response: float, e: Estimate, exact: bool, provisional: bool) -> Row:
    return (Cell(rate(response), response), *estimate_cells("p_go", e, exact, provisional))


def _rows(curve: Along, provisional: bool) -> list[Row]:
    return [
        _row(p, e, not curve.errors, provisional)
        for p, e in zip(curve.response, _estimates(curve), strict=True)
    ]


def _estimates(curve: Along) -> Sequence[Estimate]:
    return curve.errors or [Estimate(p, 0.0, p, p) for p in curve.p_go]


def _line(name: str, style: dict[str, Any], curve: Along, provisional: bool) -> Trace:
    """A curve; its points with their errors where it is simulated."""
    exact = not curve.errors
    trace: Trace = {
        "type": "scatter",
        "mode": "lines" if exact else "lines+markers",
        "name": safe(name, 34),
        "x": list(curve.response),
        "y": list(curve.p_go),
        "line": style,
        "hoverinfo": "text",
        "hovertext": [
            lines(name, f"response rate {rate(p)}", f"P(go) {estimate_words('p_go', e, exact, provisional)}")
            for p, e in zip(curve.response, _estimates(curve), strict=True)
        ],
    }
    if not exact:
        trace |= {
            "marker": {"color": style["color"], "size": 6},
            "error_y": error_bars(curve.errors, style["color"]),
        }
    return trace


def _cases(
    shown: Sequence[CasePoint], at: Ranges, provisional: bool
) -> tuple[list[Trace], list[dict[str, Any]]]:
    """A mark a case, and its name beside it; numbers, with the names in the key, where those find no room.

    Cases that nearly coincide share a label, which lists them.
    """
    span = at.response[1] - at.response[0]
    places: list[list[int]] = []
    for k, case in enumerate(shown):
        for place in places:
            first = shown[place[0]]
            if (
                abs(first.response - case.response) < 0.05 * span
                and abs(first.p_go.estimate - case.p_go.estimate) < 0.05
            ):
                place.append(k)
                break
        else:
            places.append([k])
    names = [", ".join(shown[k].case for k in place) for place in places]
    by_name = len(places) <= MOST_NAMES and all(len(name) <= NAME for name in names)
    labels = names if by_name else [", ".join(str(k + 1) for k in place) for place in places]
    traces: list[Trace] = []
    for k, case in enumerate(shown):
        e, name = case.p_go, safe(case.case, 34)
        where = " at the starting dose" if case.lowest < case.response else ""
        trace = {
            "type": "scatter",
            "mode": "markers",
            "name": f"case{'' if by_name else f' {k + 1}:'} {name}",
            "showlegend": not by_name,
            "x": [case.response],
            "y": [e.estimate],
            "marker": {
                "symbol": "diamond",
                "size": 11,
                "color": BLACK,
                "line": {"color": "white", "width": 1},
            },
            "hoverinfo": "text",
            "hovertext": [
                lines(
                    f"case {case.case}",
                    f"response rate {rate(case.response)}{where}",
                    f"P(go) {estimate_words('p_go', e, case.exact, provisional)}",
                )
            ],
        }
        traces.append(trace if case.exact else trace | {"error_y": error_bars([e])})
    spots = [shown[place[0]] for place in places]
    notes = [_beside(spot, text, spots, at) for spot, text in zip(spots, labels, strict=True)]
    return traces, notes


def _beside(spot: CasePoint, text: str, spots: Sequence[CasePoint], at: Ranges) -> dict[str, Any]:
    """A label where a rising curve leaves room: below it to its right, or above it to its left.

    The lower of two marks at about the same rate has the place below.
    """
    across = [(s.response - at.response[0]) / (at.response[1] - at.response[0]) for s in (spot, *spots)]
    is_lower = any(
        abs(x - across[0]) < 0.1 and s.p_go.estimate > spot.p_go.estimate
        for x, s in zip(across[1:], spots, strict=True)
    )
    below = is_lower or across[0] < 0.5
    right = below and across[0] + len(text) / WIDE < 1.08
    return note(
        spot.response,
        spot.p_go.estimate,
        text,
        xanchor="left" if right else "right",
        xshift=8 if right else -8,
        yanchor="top" if below else "bottom",
        yshift=1 if below else -1,
    )


def _band(seen: Observed) -> dict[str, Any]:
    ends = {"xref": "x", "yref": "paper", "x0": seen.low, "x1": seen.high, "y0": 0, "y1": 1}
    return {"type": "rect", **ends, "fillcolor": "#EEEEEE", "line": {"width": 0}, "layer": "below"}


def _observed(seen: Observed) -> Trace:
    """The observed rate as a bar below 0."""
    e = Estimate(seen.rate, 0.0, seen.low, seen.high)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"observed: {percent(seen.rate)} ({percent(seen.low)} to {percent(seen.high)})",
        "x": [seen.rate],
        "y": [LOW / 2],
        "error_x": error_bars([e]),
        "marker": {"symbol": "diamond-tall", "size": 9, "color": BLACK},
        "hoverinfo": "text",
        "hovertext": [f"observed: {_interval(seen)}"],
    }


def _interval(seen: Observed) -> str:
    words = f"{seen.count} of {seen.denominator} {seen.unit}, {percent(seen.rate)}"
    return f"{words}, 95% interval {percent(seen.low)} to {percent(seen.high)}"


def _where(trial: Compiled, found: AsConducted) -> str:
    """At which of its response rates a case is marked."""
    words = (
        [" at its rate at the starting dose"]
        if any(case.lowest < case.response for case in found.cases)
        else []
    )
    if any(case.cohorts for case in trial.scenario.truth.values()):
        words.append(" at the mean over cohorts" if not words else ", mean over cohorts")
    return f", each{''.join(words)}" if words else ""


def _caption(trial: Compiled, results: Results, found: AsConducted) -> str:
    scenario = trial.scenario
    words = "The probability that the trial ends in a go, against the true response rate"
    if len(scenario.doses) > 1:
        words += ", the same at every dose"
    if len(found.alike) < len(scenario.truth):
        words += f", with the toxicity of case {found.base}"
    words += f"; diamonds are the cases{_where(trial, found)}"
    words += ". "
    if found.points:
        where = "in calendar time" if scenario.conduct else "a go in any cohort"
        words += f"Dots: {found.replicates:,} simulated trials each, {where}; lines without dots: exact; "
    else:
        words += "Lines: exact; "
    simulated = results.replicates is not None and any(not case.exact for case in found.cases)
    words += f"cases: {results.replicates:,} simulated trials each" if simulated else "cases: exact"
    words += "; bars: 95% intervals." if simulated or found.points else "."
    if len(found.cases) > MOST_CASES:
        words += f" Marked are the first {MOST_CASES} of {len(found.cases)} cases."
    return words + along_curves(scenario)


def _alt(cases: Sequence[CasePoint], seen: Observed | None, provisional: bool) -> str:
    told = [f"{case.case} {probability(case.p_go.estimate)} at {rate(case.response)}" for case in cases]
    words = f"{'Provisional: ' if provisional else ''}P(go) of the trial as conducted: {listed(told)}."
    if seen:
        words += f" Observed {_interval(seen)}."
    return words
