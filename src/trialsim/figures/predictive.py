"""What each case predicts for the counts that were observed, the numbers of patients held fixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from matplotlib.ticker import MaxNLocator

from trialsim.checks import CaseCheck, Checks, label
from trialsim.figures.drawn import Drawn
from trialsim.figures.style import BLACK, BOLD, GREY, RC, ROW, WIDE, Key, Sheet, count_ticks
from trialsim.figures.words import assumed, clean, names_within, width, wrap

COLUMNS, MOST_CASES, MOST_QUANTITIES = 4, 8, 6
HIGH, TICKS, ABOVE = 1.45, 0.55, 0.4
"""Height in cm of a panel, of its ticks below it, and of the verdict above it."""

LEFT, RIGHT, GAP = 1.15, 0.2, 0.35

SHADES = (("interval_50", "#3B6E8F"), ("interval_80", "#86B3CE"), ("interval_95", "#CBDFEA"))
OUTSIDE = "#F4F4F4"
SEEN: dict[str, Any] = {"color": BLACK, "linewidth": 1.2}


def draw(checks: Checks | None) -> Drawn | None:
    """Small multiples, a row a quantity and a column a case; None when nothing was observed."""
    with matplotlib.rc_context(RC):
        return _draw(checks)


def _draw(checks: Checks | None) -> Drawn | None:
    rows = {
        (row.quantity, row.case): row
        for row in (checks or ())
        if row.conditioning == "given_sizes" and row.pmf is not None
    }
    if checks is None or not rows:
        return None
    cases = list(dict.fromkeys(case for _, case in rows))
    shown_cases = cases[:MOST_CASES]
    quantities = list(dict.fromkeys(quantity for quantity, case in rows if case in shown_cases))
    shown = quantities[:MOST_QUANTITIES]
    per_block = min(len(shown_cases), COLUMNS)
    blocks = [shown_cases[i : i + per_block] for i in range(0, len(shown_cases), per_block)]
    columns = per_block if len(blocks) == 1 else COLUMNS
    wide = (WIDE - LEFT - RIGHT - GAP * (columns - 1)) / columns
    any_case = {row.quantity: row for row in rows.values()}
    titles = {quantity: wrap(_title(checks, any_case[quantity]), wide, most=2) for quantity in shown}
    heights = {q: ABOVE + HIGH + TICKS + ROW * len(titles[q]) for q in shown}
    block_height = sum(heights.values()) + ROW + 0.1
    keys = [Key(f"central {name[-2:]}%", patch={"facecolor": c, "edgecolor": GREY}) for name, c in SHADES]
    keys += [Key("outside", patch={"facecolor": OUTSIDE, "edgecolor": GREY}), Key("observed", SEEN)]
    sheet = Sheet(
        WIDE, len(blocks) * block_height, _footer(checks, cases, quantities), keys, columns=len(keys)
    )
    short = dict(zip(shown_cases, names_within(shown_cases, wide, BOLD), strict=True))
    for b, block in enumerate(blocks):
        top = (len(blocks) - b) * block_height - ROW
        for j, case in enumerate(block):
            sheet.write(LEFT + j * (wide + GAP), top, short[case], fontweight="bold", va="bottom")
        y = top - 0.1
        for quantity in shown:
            y -= heights[quantity]
            limits = _limits([rows[quantity, c] for c in shown_cases if (quantity, c) in rows])
            first = True
            for j, case in enumerate(block):
                x, floor = LEFT + j * (wide + GAP), y + TICKS + ROW * len(titles[quantity])
                row = rows.get((quantity, case))
                if row is None:
                    sheet.write(x, floor + HIGH / 2, _no_rate(quantity, wide), color=GREY, va="center")
                    continue
                axes = sheet.axes(x, floor, wide, HIGH)
                _panel(axes, row, *limits, first)
                axes.set_xlabel("\n".join(titles[quantity]))
                words = f"observed {row.observed}: {verdict(row)}"
                words = words if width(words) <= wide + RIGHT - 0.05 else verdict(row)
                sheet.write(x, floor + HIGH + 0.08, words, va="bottom")
                first = False
    return Drawn(
        "predictive",
        "Observed counts and what each case predicts",
        "For each case (columns) and each observed quantity (rows), the probability of every count with the numbers "
        "of patients fixed as observed, its central 50, 80 and 95% shaded; the line is the observed count. "
        "Compatible means not surprising under the case, not that the case is right.",
        _alt([row for row in rows.values() if row.case in shown_cases and row.quantity in shown]),
        sheet.figure,
        [entry for row in rows.values() for entry in _rows(row)],
    )


def verdict(row: CaseCheck) -> str:
    """The word for how surprising the observed count is, or why there is none."""
    return row.verdict or ("fitted, no verdict" if row.fitted else "no verdict")


def _no_rate(quantity: str, wide: float) -> str:
    return "\n".join(wrap(f"{label(quantity)}: no rate stated", wide - 0.8))


def _title(checks: Checks, row: CaseCheck) -> str:
    words, _, level = row.quantity.rpartition("_dose_")
    if words == "responses":
        dose = names_within(checks.scenario.doses, 3.0)[int(level) - 1]
        return f"Responses at {dose}, of {row.denominator}"
    return f"{label(row.quantity)}, of {row.denominator}"


def _limits(group: Sequence[CaseCheck]) -> tuple[int, int, float]:
    """First and last count, and the highest probability, that all cases of a quantity share."""
    lows, highs, tops = [], [], []
    for row in group:
        assert row.pmf is not None
        likely = np.flatnonzero(row.pmf > 0.002 * row.pmf.max())
        lows.append(min(int(likely[0]), row.observed))
        highs.append(max(int(likely[-1]), row.observed))
        tops.append(float(row.pmf.max()))
    return min(lows), max(highs), max(tops)


def _panel(axes: Axes, row: CaseCheck, low: int, high: int, top: float, first: bool) -> None:
    assert row.pmf is not None
    counts = np.arange(low, high + 1)
    heights = row.pmf[low : high + 1]
    edges = np.arange(low, high + 2) - 0.5
    colours = np.full(len(counts), OUTSIDE, dtype=object)
    for name, colour in reversed(SHADES):
        if (inside := getattr(row, name)) is not None:
            colours[(counts >= inside[0]) & (counts <= inside[1])] = colour
    for colour in dict.fromkeys(colours):
        shown = np.where(colours == colour, heights, 0.0)
        # add_artist and not stairs: the limits are known, and finding them takes most of the time
        axes.add_artist(StepPatch(shown, edges, fill=True, facecolor=colour, linewidth=0))
    axes.add_artist(StepPatch(heights, edges, edgecolor=GREY, linewidth=0.5, fill=False))
    line = [row.observed] * 2, [0, 1.1 * top]
    axes.add_artist(Line2D(*line, color="white", linewidth=2.2, zorder=4))
    axes.add_artist(Line2D(*line, zorder=5, **SEEN))
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, 1.1 * top)
    count_ticks(axes.xaxis, 5)
    axes.yaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter("{x:g}")
    if first:
        axes.set_ylabel("Probability")
    else:
        axes.tick_params(labelleft=False)


def _footer(checks: Checks, cases: Sequence[str], quantities: Sequence[str]) -> str:
    words = (
        "Exact distributions, numbers of patients fixed as observed; verdicts on p adjusted for multiplicity."
    )
    if len(cases) > MOST_CASES or len(quantities) > MOST_QUANTITIES:
        words += f" Shown: {min(len(cases), MOST_CASES)} of {len(cases)} cases, "
        words += f"{min(len(quantities), MOST_QUANTITIES)} of {len(quantities)} quantities."
    return words + assumed(checks.scenario, "response rates", "toxicity rates")


def _alt(rows: Sequence[CaseCheck]) -> str:
    words = [
        f"{clean(row.case)}: {label(row.quantity).lower()} {row.observed} of {row.denominator}, predicted "
        f"{row.interval_95[0]} to {row.interval_95[1]} (95%), {verdict(row)}."
        for row in rows
        if row.interval_95 is not None
    ]
    return " ".join(["Predictive distributions of the observed counts.", *words])


def _rows(row: CaseCheck) -> list[dict[str, Any]]:
    assert row.pmf is not None
    about = {
        "case": row.case,
        "quantity": row.quantity,
        "denominator": row.denominator,
        "observed": row.observed,
    }
    return [
        about | {"verdict": verdict(row), "count": k, "probability": float(p)} for k, p in enumerate(row.pmf)
    ]
