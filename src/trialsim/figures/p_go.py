"""P(go) against the true response rate: the design alone, and with its toxicity rule and evaluability."""

from __future__ import annotations

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
    mark_observed,
    observed_key,
    response_label,
)
from trialsim.figures.style import BLACK, NARROW, ROW, Sheet, percent_axis, probability_axis
from trialsim.figures.words import sentence
from trialsim.writing.numbers import listed, percent, probability
from trialsim.writing.numbers import rate as stated

HIGH, BELOW = 4.6, 0.85
WORDS = {"p0": "type I error", "p1": "power"}


def draw(material: Material) -> Drawn:
    """The curve of P(go), p0 and p1 with the attained error rates, and the observed rate below."""
    at, alone = material.pictured.ranges, material.pictured.curves.curves[0]
    attained = {name: value for name in WORDS if (value := alone.at(getattr(at, name), "p_go")) is not None}
    words = {"p0": ["α "], "p1": ["power "]}
    words = {name: [words[name][0] + probability(value)] for name, value in attained.items()}
    keys = curve_keys(material) + ([observed_key(at.observed)] if at.observed else [])
    head = 0.15 + (2 * ROW if at.p0 is not None else 0.0)
    sheet = Sheet(NARROW, BELOW + HIGH + head, curve_footer(material), keys)
    axes = sheet.axes(LEFT, BELOW, NARROW - LEFT - RIGHT, HIGH)
    percent_axis(axes, "x", at.response, response_label(material))
    probability_axis(axes, "P(go)", low=-0.13 if at.observed else -0.03)
    draw_curves(axes, material, "p_go")
    for name, value in attained.items():
        axes.plot([getattr(at, name)], [value], color=BLACK, marker="s", markersize=4, linestyle="", zorder=5)
    mark_design_rates(sheet, [axes], at, words, BELOW + HIGH)
    if at.observed:
        axes.axhline(0, color=BLACK, linewidth=0.4)
        mark_observed(axes, at.observed, -0.07)
    return Drawn(
        "p_go",
        "Probability of a go",
        _caption(material),
        _alt(material),
        sheet.figure,
        curve_rows(material, "p_go"),
    )


def _caption(material: Material) -> str:
    seen = material.pictured.ranges.observed
    words = (
        "Probability that the trial ends in a go against the true response rate"
        + (", taken to be the same at every dose" if len(material.scenario.doses) > 1 else "")
        + ". Lines are exact, points simulated with 95% intervals."
    )
    if seen:
        words += (
            f" The bar at the bottom is the observed rate, {seen.count} of "
            f"{seen.denominator} {seen.unit} patient{'s' * (seen.denominator != 1)}, "
            "with its 95% Clopper-Pearson interval."
        )
    return words


def _alt(material: Material) -> str:
    at = material.pictured.ranges
    shown = f"{stated(at.response[0])} to {stated(at.response[1])}"
    words = [f"Curves of the probability of a go for response rates from {shown}."]
    for curve in material.pictured.curves.curves:
        numbers = []
        for name, meaning in WORDS.items():
            if (value := curve.at(getattr(at, name), "p_go")) is not None:
                numbers.append(f"{probability(value)} at {name} = {stated(getattr(at, name))}")
                numbers[-1] += "" if curve.line.cases else f" ({meaning})"
        if numbers:
            words.append(f"{sentence(line_words(curve))}: {listed(numbers)}.")
    if seen := at.observed:
        words.append(
            f"Observed rate {percent(seen.rate)}, 95% interval {percent(seen.low)} to {percent(seen.high)}."
        )
    return " ".join(words)
