"""How long the trial takes: the spread of its duration, and the mean time spent accruing, paused and waiting."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.codes import DAYS_PER_MONTH
from trialsim.figures.drawn import Drawn, Material
from trialsim.figures.style import BLACK, NARROW, Key, Sheet, count_ticks
from trialsim.figures.words import names_within, width
from trialsim.results import OperatingCharacteristics

MOST_CASES = 8
LEFT, RIGHT, BELOW, HEAD, STEP = 0.3, 0.35, 0.85, 0.1, 1.55
HUMP, BAR = 0.62, 0.24
STEPS = 50
"""Steps of a hump across the panel."""

PARTS: dict[str, dict[str, Any]] = {
    "accruing": {"facecolor": "#4D4D4D", "hatch": ""},
    "paused": {"facecolor": "#FFFFFF", "hatch": "////"},
    "waiting": {"facecolor": "#BDBDBD", "hatch": ""},
}
WORDS = {"accruing": "accruing", "paused": "accrual closed", "waiting": "waiting after accrual"}


def draw(material: Material) -> Drawn | None:
    """A hump a case with its median and 10-90% range, above a bar of the mean parts; None without dates."""
    every = [oc for oc in material.results.cases if oc.simulated is not None and oc.simulated.days]
    if not every:
        return None
    shown = every[:MOST_CASES]
    keys = [
        Key("trials by duration; line: 10% to 90%; dot: median",
            {"color": BLACK, "marker": "o", "markersize": 3, "linewidth": 1.0}),
        *(Key(f"mean months {WORDS[name]}", patch=style | {"edgecolor": BLACK}) for name, style in PARTS.items()
          if any(_months(oc, f"{name}_months") > 0 for oc in shown)),
    ]  # fmt: skip
    footer = (
        f"Simulated in calendar time, R = {material.results.replicates:,}, seed {material.results.seed}. "
        "From the first patient's start to the last outcome or decision."
    )
    if len(every) > len(shown):
        footer += f" Shown: the first {len(shown)} of {len(every)} cases."
    sheet = Sheet(NARROW, BELOW + STEP * len(shown) + HEAD, footer, keys)
    wide = NARROW - LEFT - RIGHT
    axes = sheet.axes(LEFT, BELOW, wide, STEP * len(shown))
    right = max(_quantile(oc, 0.995) for oc in shown) * 1.03
    for i, oc in enumerate(shown):
        base = STEP * (len(shown) - 1 - i) + BAR + 0.22
        _hump(axes, oc, base, right)
        left = 0.0
        for name, style in PARTS.items():
            months = _months(oc, f"{name}_months")
            axes.barh(base - BAR / 2 - 0.08, months, BAR, left=left, edgecolor=BLACK, linewidth=0.6, **style)
            left += months
        words = f"mean {_months(oc, 'duration_months'):.1f} months"
        top = BELOW + base + HUMP + 0.12
        sheet.write(NARROW - RIGHT, top, words, ha="right", va="bottom")
        room = wide - width(words) - 0.3
        name = names_within([case.case for case in shown], room)[i]
        sheet.write(LEFT, top, name, fontweight="bold", va="bottom")
    axes.set_xlim(0, right)
    axes.set_ylim(0, STEP * len(shown) + 0.02)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    count_ticks(axes.xaxis, 8)
    axes.set_xlabel("Months since the first patient started")
    return Drawn(
        "duration",
        "Duration of the trial",
        "How long the trial takes under each case, and how much of it on average accrual is open, accrual is closed (a "
        "pause at an interim look, a hold for an amendment), and outcomes are awaited after the last patient.",
        _alt(shown),
        sheet.figure,
        [row for oc in every for row in _rows(oc)],
    )


def _hump(axes: Any, oc: OperatingCharacteristics, base: float, right: float) -> None:
    """Trials by duration, in steps of as many whole days as make 50 of them."""
    assert oc.simulated is not None
    step = max(round(right * DAYS_PER_MONTH / STEPS), 1)
    starts = np.arange(0, len(oc.simulated.days), step)
    share = np.add.reduceat(np.array(oc.simulated.days), starts)
    edges = np.append(starts, starts[-1] + step) / DAYS_PER_MONTH
    high = share / share.max() * HUMP
    axes.fill_between(
        edges, base, base + np.append(high, high[-1]), step="post", color="#D9D9D9", linewidth=0
    )
    low, middle, top = (_months(oc, f"duration_{name}_months") for name in ("p10", "median", "p90"))
    axes.plot([low, top], [base, base], color=BLACK, linewidth=1.0)
    axes.plot([middle], [base], color=BLACK, marker="o", markersize=3, linestyle="", clip_on=False)


def _months(oc: OperatingCharacteristics, name: str) -> float:
    assert oc.simulated is not None
    return oc.simulated.values[name].estimate


def _quantile(oc: OperatingCharacteristics, q: float) -> float:
    assert oc.simulated is not None
    below = np.cumsum(oc.simulated.days)
    return float(np.searchsorted(below, q * below[-1])) / DAYS_PER_MONTH


def _rows(oc: OperatingCharacteristics) -> list[dict[str, Any]]:
    names = ("duration", "accruing", "paused", "waiting", "duration_p10", "duration_median", "duration_p90")
    assert oc.simulated is not None
    return [
        {"case": oc.case, "quantity": f"{name}_months", "months": e.estimate, "low": e.low, "high": e.high}
        for name in names
        for e in [oc.simulated.values[f"{name}_months"]]
    ]


def _alt(shown: list[OperatingCharacteristics]) -> str:
    words = [
        f"{oc.case}: median {_months(oc, 'duration_median_months'):.1f} months, 10% to 90% of trials "
        f"{_months(oc, 'duration_p10_months'):.1f} to {_months(oc, 'duration_p90_months'):.1f}; on average "
        f"{_months(oc, 'accruing_months'):.1f} accruing, {_months(oc, 'paused_months'):.1f} closed, "
        f"{_months(oc, 'waiting_months'):.1f} waiting."
        for oc in shown
    ]
    return " ".join(["Duration of the trial by case.", *words])
