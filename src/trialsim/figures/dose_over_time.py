"""Patients by dose over time: how many have started on each dose by each month."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.engine.over_time import OverTime
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.style import BLACK, BLUE, GREY, NARROW, ORANGE, WIDE, Key, Sheet, count_ticks
from trialsim.figures.words import names_within
from trialsim.writing.numbers import listed

MOST_DOSES = 4
LEFT, BETWEEN, RIGHT, BELOW, HIGH, HEAD = 1.0, 1.15, 0.3, 0.85, 3.4, 0.55
LINES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-", "linewidth": 1.6},
    {"color": ORANGE, "linestyle": (0, (4, 1.2)), "linewidth": 1.6},
    {"color": BLACK, "linestyle": (0, (1, 1)), "linewidth": 1.4},
    {"color": GREY, "linestyle": "-.", "linewidth": 1.2},
)


def draw(material: Material) -> Drawn | None:
    """Means and 10-90% bands, a panel a case; None without dates."""
    scenario, found = material.scenario, material.pictured.over_time
    if not found:
        return None
    doses = scenario.doses[:MOST_DOSES]
    keys = [Key(dose, LINES[level]) for level, dose in enumerate(names_within(doses, 3.0))]
    any_of = next(iter(found.values()))
    footer = (
        f"Mean over the first {any_of.trials:,} simulated trials of a case (thin lines: 10% and 90% of them), seed "
        f"{material.pictured.seed}. Trials that have ended keep their numbers. The axis ends when nine of ten are "
        "fully in."
    )
    if len(scenario.doses) > MOST_DOSES:
        footer += f" Shown: the first {MOST_DOSES} of {len(scenario.doses)} doses."
    if len(scenario.truth) > len(found):
        footer += f" Shown: the first {len(found)} of {len(scenario.truth)} cases."
    rows = -(-len(found) // 2)
    paper, columns = (WIDE, 4) if len(found) > 1 else (NARROW, 2)
    sheet = Sheet(paper, rows * (BELOW + HIGH + HEAD), footer, keys, columns=min(len(keys), columns))
    wide = (WIDE - LEFT - BETWEEN - RIGHT) / 2
    right = max(over.until for over in found.values())
    top = 1.05 * max(float(over.high[:, over.months <= right].max()) for over in found.values())
    for i, over in enumerate(found.values()):
        left = LEFT + (i % 2) * (wide + BETWEEN)
        bottom = (rows - 1 - i // 2) * (BELOW + HIGH + HEAD) + BELOW
        axes = sheet.axes(left, bottom, wide, HIGH)
        for level in range(len(doses)):
            line = LINES[level]
            axes.fill_between(
                over.months, over.low[level], over.high[level], color=line["color"], alpha=0.15, linewidth=0
            )
            # bands that overlap are told apart by their edges
            for edge in (over.low, over.high):
                axes.plot(over.months, edge[level], **(line | {"linewidth": 0.5}))
            axes.plot(over.months, over.mean[level], **line)
        axes.set_xlim(0, right)
        axes.set_ylim(0, top)
        count_ticks(axes.xaxis, 8)
        count_ticks(axes.yaxis, 6)
        axes.set_xlabel("Months since the first patient started")
        axes.set_ylabel("Patients started so far")
        title = names_within(list(found), wide)[i]
        sheet.write(left, bottom + HIGH + 0.12, title, fontweight="bold", va="bottom")
    return Drawn(
        "dose_over_time",
        "Patients by dose over time",
        f"How many patients have started on each dose by each month after the first patient: means over the first "
        f"{any_of.trials:,} simulated trials of each case, overrun patients included, with the range from 10% to 90% "
        "of trials, which is wide where some trials "
        f"{'end early' if scenario.from_start else 'reduce the dose or end early'} and others do not.",
        _alt(found, doses),
        sheet.figure,
        [row for case, over in found.items() for row in over.rows(case, scenario.doses)],
    )


def _alt(found: dict[str, OverTime], doses: tuple[str, ...]) -> str:
    words = []
    for name, over in found.items():
        middle = int(np.searchsorted(over.months, over.until / 2))
        at = [f"{over.mean[level, middle]:.1f} at {dose}" for level, dose in enumerate(doses)]
        end = [f"{over.mean[level, -1]:.1f} at {dose}" for level, dose in enumerate(doses)]
        words.append(f"{name}: after {over.months[middle]:g} months {listed(at)}, in the end {listed(end)}.")
    return " ".join(["Lines of patients started so far by dose.", *words])
