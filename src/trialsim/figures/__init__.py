"""Pictures of a run, each with its words and its data: one figure a file, all drawn in the same style."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

from trialsim.checks import Checks
from trialsim.engine.curves import curves
from trialsim.figures import (
    compatibility,
    dose_over_time,
    duration,
    en_pet,
    heat_map,
    p_go,
    patients_by_dose,
    predictive,
    toxicity_boundary,
    waiting_cost,
)
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.ranges import ranges
from trialsim.figures.style import RC
from trialsim.figures.words import clean
from trialsim.results import Results
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.model import Scenario

__all__ = ["Drawn", "draw_all", "save"]

DPI = 240

FIGURES: tuple[Callable[[Material], Drawn | None], ...] = (
    p_go.draw,
    en_pet.draw,
    toxicity_boundary.draw,
    predictive.draw,
    compatibility.draw,
    patients_by_dose.draw,
    duration.draw,
    dose_over_time.draw,
    waiting_cost.draw,
    heat_map.draw,
)
"""In the order of the report."""


def draw_all(
    scenario: Scenario, results: Results, checks: Checks | None, *, seed: int | None = None
) -> tuple[Drawn, ...]:
    """Every figure that applies to a scenario, in the order of the report.

    Parameters
    ----------
    results, checks : what was computed for this scenario; without checks the figures about them are left out.
    seed : of the simulated points and trials; default that of the results, else of the scenario.
    """
    if seed is None:
        seed = scenario.simulation.seed if results.seed is None else results.seed
    rules = compile_rules(scenario)
    shown = ranges(scenario, rules)
    computed = curves(
        Compiled(scenario, rules),
        between=shown.response,
        marked=shown.marked,
        rates=shown.simulated,
        replicates=results.replicates or scenario.simulation.replicates,
        seed=seed,
    )
    material = Material(scenario, results, checks, rules, shown, computed, seed)
    with matplotlib.rc_context(RC):
        drawn = [draw(material) for draw in FIGURES]
    return tuple(figure for figure in drawn if figure is not None)


def save(drawn: Drawn, folder: Path) -> None:
    """Write ``name.svg``, ``name.png`` and ``name.csv``; the same figure gives the same bytes every time."""
    # ids in the SVG are hashed with the name: several figures on one page do not share them
    about = {
        "Title": clean(drawn.title),
        "Description": clean(drawn.alt),
        "Creator": "trialsim",
        "Date": None,
    }
    with matplotlib.rc_context(RC | {"svg.hashsalt": f"trialsim {drawn.name}"}):
        drawn.figure.savefig(folder / f"{drawn.name}.svg", metadata=about)
        png: dict[str, Any] = {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 3}}
        drawn.figure.savefig(folder / f"{drawn.name}.png", dpi=DPI, **png)
    drawn.frame.to_csv(folder / f"{drawn.name}.csv", index=False, float_format="%.12g", lineterminator="\n")
