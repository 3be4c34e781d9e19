"""Designs side by side: n against EN(p0) with the hull of the admissible ones, and P(go) against the response rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import rc_context

from trialsim.designs.alone import alone
from trialsim.designs.finding import Found, FoundDesigns
from trialsim.designs.simon import best_by_n
from trialsim.errors import DesignError
from trialsim.figures.drawn import Drawn
from trialsim.figures.style import (
    BLACK,
    GREY,
    MARKERS,
    RC,
    ROW,
    SERIES,
    WIDE,
    Key,
    Sheet,
    count_ticks,
    percent_axis,
    probability_axis,
)
from trialsim.figures.words import percent
from trialsim.results import to_frame

HIGH, BELOW, LEFT, GAP = 4.6, 0.95, 1.15, 1.5
SHOWN = len(SERIES)
"""How many P(go) curves are drawn: lines that can still be told apart."""


def draw(found: FoundDesigns) -> Drawn:
    """The designs of one search; for Simon's also the best design of every n, so that the hull is seen to be one."""
    if any(design.looks is None for design in found):
        raise DesignError(f"designs of kind {found.kind} have no P(go) curve over response rates alone")
    p0, p1 = found.setting["p0"], found.setting["p1"]
    shown = _distinct(found)
    rates = (0.0, min(1.0, p1 + (p1 - p0)))
    grid = np.unique(np.append(np.linspace(*rates, 101), [p0, p1]))
    with rc_context(RC):
        keys = [Key(f"{d.criterion}: {d.design}", SERIES[k] | MARKERS[k]) for k, d in enumerate(shown)]
        levels = f"alpha {found.setting['alpha']:g}, beta {found.setting['beta']:g}"
        footer = f"p0 {percent(p0)}, p1 {percent(p1)}, {levels}. "
        if found.kind == "simon":
            footer += "Left: grey, the least EN(p0) of each n; the line joins the admissible designs. "
        footer += "Right: exact; squares at p0 and p1."
        sheet = Sheet(WIDE, BELOW + HIGH + ROW, footer, keys)
        wide = (WIDE - 2 * LEFT - GAP) / 2
        left = sheet.axes(LEFT, BELOW, wide, HIGH)
        right = sheet.axes(LEFT + wide + GAP, BELOW, wide, HIGH)
        rows = []
        if found.kind == "simon":
            most = max(d.n for d in found)
            every = best_by_n(p0, p1, found.setting["alpha"], found.setting["beta"], most + 5)
            left.plot([d.n for d in every], [d.en_p0 for d in every], ".", color=GREY, markersize=3)
            rows += [{"panel": "n", "design": "best of its n", "x": d.n, "value": d.en_p0} for d in every]
        hull = sorted((d for d in found if d.weight_low is not None), key=lambda d: d.n)
        left.plot([d.n for d in hull], [d.en_p0 for d in hull], "-", color=BLACK, linewidth=0.8)
        for d in found:
            left.plot([d.n], [d.en_p0], color=BLACK, marker="o", markersize=3, linestyle="")
            rows.append({"panel": "n", "design": d.design, "x": d.n, "value": d.en_p0})
        for k, d in enumerate(shown):
            left.plot([d.n], [d.en_p0], linestyle="", color=SERIES[k]["color"], **MARKERS[k])
            assert d.looks is not None
            p_go = [alone(d.looks, float(p)).p_go for p in grid]
            right.plot(grid, p_go, **SERIES[k])
            at = [p_go[int(np.searchsorted(grid, p))] for p in (p0, p1)]
            right.plot([p0, p1], at, color=BLACK, marker="s", markersize=3, linestyle="", zorder=5)
            rows += [
                {"panel": "p_go", "design": d.design, "x": float(p), "value": y}
                for p, y in zip(grid, p_go, strict=True)
            ]
        left.set_xlabel("n (planned patients)")
        left.set_ylabel("EN at p0 (patients)")
        count_ticks(left.xaxis, 6)
        count_ticks(left.yaxis, 5)
        percent_axis(right, "x", rates, "true response rate (%)")
        probability_axis(right, "P(go)", low=-0.03)
    return Drawn(
        "candidates",
        "Candidate designs",
        "Planned against expected patients of the designs found, and their probability of a go against the true "
        "response rate; exact, every patient evaluable and no toxicity rule.",
        "; ".join(f"{d.criterion} {d.design}: n {d.n}, EN at p0 {d.en_p0:.1f}" for d in found),
        sheet.figure,
        to_frame(rows),
    )


def write(found: FoundDesigns, path: Path) -> None:
    """Draw the designs into a file whose name ends in .svg, .png or .pdf."""
    if path.suffix not in (".svg", ".png", ".pdf"):
        raise DesignError(f"{path}: a figure's name ends in .svg, .png or .pdf")
    with rc_context(RC):
        draw(found).figure.savefig(path, dpi=300)


def _distinct(found: FoundDesigns) -> list[Found]:
    """The first design, the last, and one between: each once."""
    once = list({design.design: design for design in found}.values())
    if len(once) <= SHOWN:
        return once
    return [once[0], once[len(once) // 2], once[-1]]
