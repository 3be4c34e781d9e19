"""The toxicity boundary at a dose, with simulated trials running into it or not, and the observed total."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trialsim.codes import CONTINUE
from trialsim.engine.boundary_runs import BoundaryRuns
from trialsim.page.pictures.style import (
    BLACK,
    BLUE,
    GREY,
    PALE,
    Picture,
    Row,
    Trace,
    axis,
    figure,
    lines,
    safe,
)
from trialsim.scenario.compiled import Compiled
from trialsim.writing.numbers import NONE, Cell, rate, rates

HIGH = 400


def boundary(trial: Compiled, found: BoundaryRuns) -> Picture:
    """The stairs, a few trials of the first case with toxicity up to where they reach them, and the observed count."""
    scenario, rules = trial.scenario, trial.rules
    limit = scenario.dose_reduction.limit if scenario.dose_reduction else None
    stairs = [(m, int(b)) for m, b in enumerate(found.bounds.tolist()) if b == b]
    ends = [
        (k, m, found.trials[k][m], reached is not None)
        for k, reached in enumerate(found.crossings)
        for m in [len(found.trials[k]) - 1 if reached is None else reached]
    ]
    seen = found.observed
    right = max(rules.looks.planned_n, *(m for _, m, _, _ in ends), seen[1] if seen else 0) * 1.02
    tops = [b for m, b in stairs if m <= right] + [t for _, _, t, _ in ends] + ([seen[0]] if seen else [])
    # counts are whole numbers and would hide each other: the k-th trial is drawn a little higher or lower
    shifts = np.linspace(-0.2, 0.2, len(found.trials)).tolist()
    data = [_runs(found, ends, shifts), _stairs(stairs, _where(trial, found))]
    if limit is not None:
        data.append(_line(f"highest acceptable toxicity rate, {rate(limit)}", [0, right], [0, limit * right]))
    data += [
        _ends("a simulated trial ends", [e for e in ends if not e[3]], shifts, "circle", GREY, 5),
        _ends("a simulated trial reaches the boundary", [e for e in ends if e[3]], None, "x", BLUE, 8),
    ]
    if seen:
        data.append(_observed(seen, several=rules.levels > 1))
    layout = {
        "xaxis": axis("Patients treated at the dose, m", range=[0, right]),
        "yaxis": axis("Patients with toxicity", range=[-0.3, 1.08 * max(tops)]),
    }
    rows: list[Row] = [_row("boundary: act if toxicities ≥ b", m, b) for m, b in stairs]
    rows += [
        _row(f"trial {k + 1} {'reaches the boundary' if reached else 'ends'}", m, t)
        for k, m, t, reached in ends
    ]
    if seen:
        rows.append(_row("observed", seen[1], seen[0]))
    return Picture(
        "boundary",
        "Toxicity boundary",
        _caption(trial, found),
        figure([trace for trace in data if trace["x"]], HIGH, **layout),
        ("What", "Patients", "With toxicity"),
        tuple(rows),
        _alt(found, stairs),
    )


def _row(what: str, patients: int, toxicities: int) -> Row:
    return Cell(what), Cell(str(patients), patients), Cell(str(toxicities), toxicities)


DOTTED = {"color": GREY, "width": 1.2, "dash": "dot"}


def _line(
    name: str, x: Sequence[float | None], y: Sequence[float | None], line: dict[str, Any] = DOTTED
) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": line,
        "hoverinfo": "skip",
    }


def _runs(found: BoundaryRuns, ends: list[tuple[int, int, int, bool]], shifts: list[float]) -> Trace:
    """All trials as one line with gaps."""
    x: list[float | None] = []
    y: list[float | None] = []
    for k, end, _, _ in ends:
        x += [*range(end + 1), None]
        y += [*(t + shifts[k] if t else 0.0 for t in found.trials[k][: end + 1]), None]
    name = f"{len(found.trials)} simulated trials of case {safe(found.case, 24)}, toxicity {rates(found.toxicity[:1])}"
    return _line(name, x, y, {"color": PALE, "width": 1, "shape": "hv"})


def _stairs(stairs: list[tuple[int, int]], where: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"boundary{where}: act if toxicities ≥ b",
        "x": [m for m, _ in stairs],
        "y": [b for _, b in stairs],
        "line": {"color": BLACK, "width": 2.2, "shape": "hv"},
        "hoverinfo": "text",
        "hovertext": [f"after {m} patients: act if {b} or more have toxicity" for m, b in stairs],
    }


def _ends(
    name: str,
    ends: list[tuple[int, int, int, bool]],
    shifts: list[float] | None,
    symbol: str,
    color: str,
    size: int,
) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [m for _, m, _, _ in ends],
        "y": [t + shifts[k] if shifts and t else t for k, _, t, _ in ends],
        "marker": {"symbol": symbol, "color": color, "size": size},
        "hoverinfo": "text",
        "hovertext": [
            lines(
                f"simulated trial {k + 1} {'reaches the boundary' if reached else 'ends'}",
                f"{t} of {m} with toxicity",
            )
            for k, m, t, reached in ends
        ],
    }


def _observed(seen: tuple[int, int], *, several: bool) -> Trace:
    words = f"observed{', all doses' if several else ''}: {seen[0]} of {seen[1]} treated"
    marker = {"symbol": "diamond", "color": "white", "size": 10, "line": {"color": BLACK, "width": 1.6}}
    points = {"x": [seen[1]], "y": [seen[0]], "hoverinfo": "text", "hovertext": [words]}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": words,
        "marker": marker,
        "cliponaxis": False,
    } | points


def _where(trial: Compiled, found: BoundaryRuns) -> str:
    if len(found.toxicity) == 1:
        return ""
    return " at each dose" if trial.rules.monitor.action[-1] != CONTINUE else " above the lowest dose"


def _caption(trial: Compiled, found: BoundaryRuns) -> str:
    dose = " at the starting dose" if trial.rules.levels > 1 else ""
    words = (
        f"Patients with toxicity against patients treated at a dose, with {len(found.trials)} simulated trials of case "
        f"{found.case} followed{dose} until they reach the boundary or end, each shifted a little to be seen. The rule "
        "acts if toxicities ≥ b, where b is read off the stairs."
    )
    if found.observed and trial.rules.levels > 1:
        words += (
            " The observed total is over all doses, so it is not to be held against the boundary of one dose."
        )
    return words


def _alt(found: BoundaryRuns, stairs: list[tuple[int, int]]) -> str:
    # the largest m at which each count still acts
    shown = [f"{b} of {m}" for b, m in {b: m for m, b in stairs}.items()]
    words = (
        f"Staircase of the toxicity boundary: act at {', '.join(shown[:6]) or NONE}"
        f"{f', and so on to {shown[-1]}' if len(shown) > 6 else ''}. "
        f"{sum(m is not None for m in found.crossings)} of {len(found.trials)} simulated trials of case {found.case} "
        "reach it."
    )
    if seen := found.observed:
        words += f" Observed: {seen[0]} of {seen[1]} treated patients with toxicity."
    return words
