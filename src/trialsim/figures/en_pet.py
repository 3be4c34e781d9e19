"""Expected patients and the probability of early termination against the true response rate, one panel each."""

from __future__ import annotations

import numpy as np

from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.marks import (
    LEFT,
    RIGHT,
    curve_footer,
    curve_keys,
    curve_rows,
    draw_curves,
    line_words,
    mark_design_rates,
    response_label,
)
from trialsim.figures.style import BLACK, NARROW, ROW, Sheet, count_ticks, percent_axis, probability_axis
from trialsim.figures.words import sentence
from trialsim.writing.numbers import probability
from trialsim.writing.numbers import rate as stated

HIGH, GAP, BELOW = 2.9, 0.35, 0.85


def draw(material: Material) -> Drawn | None:
    """EN above, PET below, sharing the axis of response rates; None where no trial can end early."""
    at, alone = material.pictured.ranges, material.pictured.curves.curves[0]
    if all(
        len(curve.response) and np.ptp(curve.values["en"]) < 1e-9 for curve in material.pictured.curves.curves
    ):
        return None
    words: dict[str, list[str]] = {}
    for name in ("p0", "p1"):
        en, pet = (alone.at(getattr(at, name), quantity) for quantity in ("en", "pet"))
        if en is not None and pet is not None:
            words[name] = [f"EN {en:.1f}", f"PET {probability(pet)}"]
    head = 0.15 + (3 * ROW if at.p0 is not None else 0.0)
    sheet = Sheet(NARROW, BELOW + 2 * HIGH + GAP + head, curve_footer(material), curve_keys(material))
    wide = NARROW - LEFT - RIGHT
    lower = sheet.axes(LEFT, BELOW, wide, HIGH)
    upper = sheet.axes(LEFT, BELOW + HIGH + GAP, wide, HIGH)
    for axes, quantity in ((upper, "en"), (lower, "pet")):
        draw_curves(axes, material, quantity)
        for name in words:
            rate = getattr(at, name)
            value = alone.at(rate, quantity) or 0.0
            axes.plot([rate], [value], color=BLACK, marker="s", markersize=4, linestyle="", zorder=5)
    percent_axis(lower, "x", at.response, response_label(material))
    percent_axis(upper, "x", at.response, "")
    upper.tick_params(labelbottom=False)
    count_ticks(upper.yaxis, 5)
    exact = [
        float(curve.values["en"].max()) for curve in material.pictured.curves.curves if len(curve.response)
    ]
    upper.set_ylim(0, 1.06 * max(material.rules.looks.planned_n, *exact))
    upper.set_ylabel("EN (patients treated)")
    probability_axis(lower, "PET (probability)", low=-0.03)
    for axes in (upper, lower):
        axes.yaxis.set_label_coords(-(LEFT - 0.42) / wide, 0.5)
    mark_design_rates(sheet, [upper, lower], at, words, BELOW + 2 * HIGH + GAP)
    return Drawn(
        "en_pet",
        "Expected patients and early termination",
        "Expected number of patients treated (EN, above) and probability of ending before the planned "
        f"{material.rules.looks.planned_n} patients (PET, below) against the true response rate; PET counts stops "
        "for futility and for toxicity, and an early go. Numbers at the top are those of the design alone.",
        _alt(material),
        sheet.figure,
        curve_rows(material, "en", "pet"),
    )


def _alt(material: Material) -> str:
    at = material.pictured.ranges
    words = [
        f"Two panels over response rates from {stated(at.response[0])} to {stated(at.response[1])}: EN and PET."
    ]
    for curve in material.pictured.curves.curves:
        numbers = []
        for name in ("p0", "p1"):
            rate = getattr(at, name)
            en, pet = curve.at(rate, "en"), curve.at(rate, "pet")
            if en is not None and pet is not None:
                numbers.append(f"EN {en:.1f} and PET {probability(pet)} at {name} = {stated(rate)}")
        if numbers:
            words.append(f"{sentence(line_words(curve))}: {'; '.join(numbers)}.")
    return " ".join(words)
