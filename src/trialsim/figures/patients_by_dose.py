"""How many patients each case puts on each dose: expected numbers, a bar a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.style import BLACK, BOLD, NARROW, ROW, Key, Sheet, count_ticks
from trialsim.figures.words import assumed, clean, names_within, width
from trialsim.results import OperatingCharacteristics
from trialsim.writing.numbers import listed

MOST_CASES = 12
BAR, BELOW, LEFT, RIGHT, HEAD = 0.34, 0.85, 0.25, 0.35, 0.05

SHADES: tuple[dict[str, Any], ...] = (
    {"facecolor": "#4D4D4D", "hatch": ""},
    {"facecolor": "#FFFFFF", "hatch": "////"},
    {"facecolor": "#BDBDBD", "hatch": ""},
    {"facecolor": "#FFFFFF", "hatch": "...."},
    {"facecolor": "#7F7F7F", "hatch": ""},
    {"facecolor": "#FFFFFF", "hatch": "\\\\\\\\"},
    {"facecolor": "#E6E6E6", "hatch": ""},
    {"facecolor": "#FFFFFF", "hatch": "xxxx"},
)


def draw(material: Material) -> Drawn | None:
    """Stacked bars with their numbers above; None with a single dose, or where nothing was computed."""
    levels = material.rules.levels
    every = [oc for oc in material.results.cases if oc.exact is not None or oc.simulated is not None]
    if levels == 1 or not every:
        return None
    shown = every[:MOST_CASES]
    doses = names_within(material.scenario.doses, NARROW - 1.05)
    keys = [Key(dose, patch=SHADES[k] | {"edgecolor": BLACK}) for k, dose in enumerate(doses)]
    # many doses leave no room for a case's name beside its numbers
    lines = 1 if levels <= 3 else 2
    step = BAR + ROW * lines + 0.2
    sheet = Sheet(NARROW, BELOW + step * len(shown) + HEAD, _footer(material, shown), keys)
    wide = NARROW - LEFT - RIGHT
    axes = sheet.axes(LEFT, BELOW, wide, step * len(shown))
    ends = [0.0]
    for i, oc in enumerate(shown):
        numbers = [_expected(oc, level)["patients"] for level in range(1, levels + 1)]
        y = step * (len(shown) - 1 - i) + BAR / 2 + 0.04
        left = 0.0
        for level, number in enumerate(numbers):
            axes.barh(y, number, BAR, left=left, edgecolor=BLACK, linewidth=0.6, **SHADES[level])
            left += number
        ends.append(left)
        above = BELOW + y + BAR / 2 + 0.06
        words = _sum(numbers)
        sheet.write(NARROW - RIGHT, above, words, ha="right", va="bottom")
        room = wide - (width(words) + 0.3 if lines == 1 else 0.0)
        name = names_within([case.case for case in shown], room, BOLD)[i]
        sheet.write(LEFT, above + ROW * (lines - 1), name, fontweight="bold", va="bottom")
    axes.set_xlim(0, max(material.rules.looks.planned_n, *ends))
    axes.set_ylim(0, step * len(shown))
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    count_ticks(axes.xaxis, 8)
    axes.set_xlabel("Expected patients treated")
    rows = [
        {"case": oc.case, "level": level, "dose": dose} | _expected(oc, level)
        for oc in every
        for level, dose in enumerate(material.scenario.doses, start=1)
    ]
    return Drawn(
        "patients_by_dose",
        "Expected patients by dose",
        "Expected number of patients treated at each dose under each case, and their sum, EN"
        + (
            "."
            if material.scenario.from_start
            else "; an average over trials that reduce the dose and trials that do not."
        ),
        _alt(material, shown),
        sheet.figure,
        rows,
    )


def _expected(oc: OperatingCharacteristics, level: int) -> dict[str, Any]:
    """Expected patients at a level: exact where known, else simulated with its standard error."""
    name = f"patients_dose_{level}"
    if oc.exact is not None:
        return {"patients": oc.exact.values[name], "kind": "exact", "mcse": None}
    assert oc.simulated is not None
    estimate = oc.simulated.values[name]
    return {"patients": estimate.estimate, "kind": "simulated", "mcse": estimate.mcse}


def _sum(numbers: Sequence[float]) -> str:
    # not written as an equation: rounded terms need not add up to the rounded sum
    return f"{' + '.join(f'{number:.1f}' for number in numbers)}, EN {sum(numbers):.1f}"


def _footer(material: Material, shown: Sequence[OperatingCharacteristics]) -> str:
    words = "Exact."
    if any(oc.exact is None for oc in shown):
        why = "in calendar time" if material.scenario.conduct else "exact is out of reach"
        words = f"Simulated, R = {material.results.replicates:,}, seed {material.results.seed}: {why}."
    if len(shown) < len(material.results.cases):
        words += f" Shown: the first {len(shown)} of {len(material.results.cases)} cases."
    return words + assumed(material.scenario, "design", "toxicity rule", "response rates", "toxicity rates")


def _alt(material: Material, shown: Sequence[OperatingCharacteristics]) -> str:
    words = []
    for oc in shown:
        by_dose = [
            f"{_expected(oc, level)['patients']:.1f} at {clean(dose)}"
            for level, dose in enumerate(material.scenario.doses, start=1)
        ]
        words.append(f"{oc.case}: {listed(by_dose)}.")
    return " ".join(["Stacked bars of expected patients by dose.", *words])
