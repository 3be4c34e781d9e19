"""Pictures of a run, each with its words and its data: one figure a file, all drawn in the same style."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib

from trialsim.figures import (
    as_conducted,
    compatibility,
    dose_over_time,
    duration,
    en_pet,
    heat_map,
    p_go,
    patients_by_dose,
    power_ledger,
    predictive,
    toxicity_boundary,
    waiting_cost,
)
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.style import RC

__all__ = ["Drawn", "Material", "draw_all"]

FIGURES: tuple[Callable[[Material], Drawn | None], ...] = (
    as_conducted.draw,
    power_ledger.draw,
    p_go.draw,
    en_pet.draw,
    toxicity_boundary.draw,
    lambda material: predictive.draw(material.checks),
    lambda material: compatibility.draw(material.checks),
    patients_by_dose.draw,
    duration.draw,
    dose_over_time.draw,
    waiting_cost.draw,
    heat_map.draw,
)
"""In the order of the report."""


def draw_all(material: Material) -> tuple[Drawn, ...]:
    """Every figure that applies to a scenario, in the order of the report."""
    with matplotlib.rc_context(RC):
        drawn = [draw(material) for draw in FIGURES]
    return tuple(figure for figure in drawn if figure is not None)
