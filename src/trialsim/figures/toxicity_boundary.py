"""The toxicity boundary at a dose, with simulated trials running into it or not, and the observed total."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from trialsim.codes import CONTINUE
from trialsim.engine.boundary_runs import BoundaryRuns
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.marks import LEFT, RIGHT, rate_words
from trialsim.figures.style import BLACK, BLUE, GREY, NARROW, PALE, Key, Sheet, count_ticks
from trialsim.figures.words import assumed, fit
from trialsim.writing.numbers import probability
from trialsim.writing.numbers import rate as stated

HIGH, BELOW, HEAD = 5.0, 0.85, 0.15

BOUNDARY: dict[str, Any] = {"color": BLACK, "linewidth": 1.6}
RUN: dict[str, Any] = {"color": PALE, "linewidth": 0.6}
CROSSED: dict[str, Any] = {"color": BLUE, "marker": "x", "markersize": 4, "markeredgewidth": 1.1}
LIMIT: dict[str, Any] = {"color": GREY, "linewidth": 0.8, "linestyle": (0, (1, 1.5))}
SEEN: dict[str, Any] = {"color": BLACK, "marker": "D", "markersize": 4.5, "markerfacecolor": "white"}
NO_LINE: dict[str, Any] = {"linestyle": ""}

OTHERS: tuple[dict[str, Any], ...] = tuple(
    {"color": BLACK, "linewidth": 1.0, "linestyle": dashes}
    for dashes in ((0, (4, 1.5)), (0, (1, 1)), "dashdot")
)
"""Boundaries of further cohorts."""
MOST_OTHERS = len(OTHERS)


def draw(material: Material) -> Drawn | None:
    """The staircase, a few trials of the first case with toxicity, and the observed count; None without a boundary."""
    scenario, rules, found = material.scenario, material.rules, material.pictured.boundary_runs
    if found is None:
        return None
    bounds, trials, observed = found.bounds, found.trials, found.observed
    limit = scenario.dose_reduction.limit if scenario.dose_reduction else None

    sheet = Sheet(NARROW, BELOW + HIGH + HEAD, _footer(material), _keys(material, found, limit))
    axes = sheet.axes(LEFT, BELOW, NARROW - LEFT - RIGHT, HIGH)
    _draw_trials(axes, found)
    stairs = np.append(np.arange(len(bounds)), len(bounds) - 0.5), np.append(bounds, bounds[-1])
    axes.step(*stairs, where="post", zorder=6, **BOUNDARY)
    for k, (_, row) in enumerate(found.others[:MOST_OTHERS]):
        axes.step(np.arange(len(row)), row, where="post", zorder=5, **OTHERS[k])
    longest = max(len(trial) - 1 for trial in trials)
    shown = [row for _, row in found.others[:MOST_OTHERS]]
    planned = len(bounds) - 1 if found.cohorts else rules.looks.planned_n
    right = max(planned, longest, observed[1] if observed else 0, *(len(row) - 1 for row in shown)) * 1.02
    if limit is not None:
        axes.plot([0, right], [0, limit * right], zorder=2, **LIMIT)
    if observed:
        axes.plot([observed[1]], [observed[0]], zorder=7, clip_on=False, **SEEN, **NO_LINE)
    highest = max(
        *(np.nanmax(row[: int(right) + 1], initial=0) for row in (bounds, *shown)),
        observed[0] if observed else 0,
        *(trial[-1] for trial in trials),
    )
    axes.set_xlim(0, right)
    axes.set_ylim(0, 1.08 * highest)
    for axis in (axes.xaxis, axes.yaxis):
        count_ticks(axis, 8)
    axes.set_xlabel("Patients treated at the dose, m")
    axes.set_ylabel("Patients with toxicity")
    return Drawn(
        "toxicity_boundary",
        "Toxicity boundary",
        _caption(material, found),
        _alt(material, found),
        sheet.figure,
        found.rows(),
    )


def _draw_trials(axes: Axes, found: BoundaryRuns) -> None:
    # counts are whole numbers and would hide each other: the k-th trial is drawn a little higher or lower
    shifts = np.linspace(-0.2, 0.2, len(found.trials))
    for trial, m, shift in zip(found.trials, found.crossings, shifts, strict=True):
        end = len(trial) - 1 if m is None else m
        shown = [t + shift if t else 0.0 for t in trial[: end + 1]]
        axes.plot(range(end + 1), shown, drawstyle="steps-post", zorder=2, **RUN)
        if m is None:
            axes.plot([end], [shown[-1]], color=GREY, marker="o", markersize=1.8, zorder=3, **NO_LINE)
        else:
            axes.plot([m], [trial[m]], zorder=5, **CROSSED, **NO_LINE)


def _keys(material: Material, found: BoundaryRuns, limit: float | None) -> list[Key]:
    observed = found.observed
    words = f"{len(found.trials)} simulated trials, toxicity {rate_words(found.toxicity[:1])}: "
    several = len(found.toxicity) > 1
    lowest = material.rules.monitor.action[-1] != CONTINUE
    where = (" at each dose" if lowest else " above the lowest dose") if several else ""
    whose = ""
    if found.cohorts:
        whose, where = f" of {fit(_names(found.cohorts), 1.2)}", ""
    keys = [
        Key(f"boundary{whose}{where}: act if toxicities ≥ b", BOUNDARY),
        *(
            Key(f"boundary of {fit(_names(names), 3.0)}", OTHERS[k])
            for k, (names, _) in enumerate(found.others[:MOST_OTHERS])
        ),
        Key(words + fit(found.case, 2.6), RUN | {"color": GREY, "marker": "o", "markersize": 1.8}),
        Key("a simulated trial reaches the boundary", CROSSED | NO_LINE),
    ]
    if limit is not None:
        keys.append(Key(f"highest acceptable toxicity rate, {stated(limit)}", LIMIT))
    if observed:
        doses = ", all doses" if several else ""
        keys.append(Key(f"observed{doses}: {observed[0]} of {observed[1]} treated", SEEN | NO_LINE))
    return keys


def _names(cohorts: Sequence[str]) -> str:
    """Cohorts in few words."""
    return cohorts[0] if len(cohorts) == 1 else f"{', '.join(cohorts[:-1])} and {cohorts[-1]}"


def _whose(found: BoundaryRuns) -> str:
    """What is said of the boundaries of cohorts that share nothing."""
    if not found.cohorts:
        return ""
    words = f" Trials are of cohort {found.cohorts[0]}."
    if found.others:
        words += f" Cohorts have boundaries of their own: {len(found.others) + 1} different ones"
        more = len(found.others) - MOST_OTHERS
        words += f", of which {more} are not drawn (the data has them)." if more > 0 else "."
    return words


def _footer(material: Material) -> str:
    dose = " at the starting dose" if material.rules.levels > 1 else ""
    words = (
        f"Trials followed{dose} until they reach the boundary (×) or end (•), each shifted a little to be seen; "
        f"seed {material.pictured.seed}."
    )
    return words + assumed(material.scenario, "design", "toxicity rule", "toxicity rates")


def _caption(material: Material, found: BoundaryRuns) -> str:
    dose = " at the starting dose" if material.rules.levels > 1 else ""
    words = (
        f"Patients with toxicity against patients treated at a dose, with {len(found.trials)} simulated trials of case "
        f"{found.case}{dose}. The rule acts if toxicities ≥ b, where b is read off the stairs."
    )
    if found.observed and material.rules.levels > 1:
        words += (
            " The observed total is over all doses, so it is not to be held against the boundary of one dose."
        )
    return words + _whose(found)


def _alt(material: Material, found: BoundaryRuns) -> str:
    # the largest m at which each count still acts
    steps = {int(b): m for m, b in enumerate(found.bounds) if np.isfinite(b)}
    shown = [f"{b} of {m}" for b, m in steps.items()]
    words = (
        f"Staircase of the toxicity boundary: act at {', '.join(shown[:6])}"
        f"{f', and so on to {shown[-1]}' if len(shown) > 6 else ''}. "
        f"{sum(m is not None for m in found.crossings)} of {len(found.trials)} simulated trials of case {found.case} "
        "reach it."
    )
    oc = material.results[found.case]
    name = "p_dose_reduction_triggered" if material.rules.levels > 1 else "p_stop_toxicity"
    exact = (oc.at_once or oc).exact
    words += _whose(found)
    if exact is not None and not found.cohorts:
        what = "triggering a dose reduction" if material.rules.levels > 1 else "an early stop for toxicity"
        words += f" The exact probability of {what} is {probability(exact.values[name])}."
    if observed := found.observed:
        words += f" Observed: {observed[0]} of {observed[1]} treated patients with toxicity."
    return words
