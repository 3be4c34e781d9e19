"""A stated design over the response rate: P(go) and PET, and expected patients with their spread."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import rc_context

from trialsim.designs.alone import alone
from trialsim.figures.drawn import Drawn
from trialsim.figures.style import BLACK, RC, SERIES, WIDE, Key, Sheet, percent_axis, probability_axis
from trialsim.inference.oc import StatedDesign
from trialsim.writing.numbers import probability, rate

HIGH, BELOW, LEFT, GAP, RIGHT = 4.8, 0.95, 1.2, 1.6, 0.25
POINTS = 101


def draw(found: StatedDesign) -> Drawn:
    """P(go) and PET on the left, EN on the right."""
    top = min(1.0, max(at.p for at in found.at) + 0.02)
    marked = sorted({at.p for at in found.at})
    grid = np.unique(np.append(np.linspace(0.0, top, POINTS), marked))
    at = [alone(found.looks, float(p)) for p in grid]
    curves = {"P(go)": [a.p_go for a in at], "PET": [a.pet for a in at], "EN": [a.en for a in at]}
    rows: list[dict[str, Any]] = []
    with rc_context(RC):
        keys = [
            Key("P(go): the design recommends further study", SERIES[0]),
            Key("PET: it ends early", SERIES[1]),
        ]
        free = "nobody has toxicity, " if found.watches_toxicity else ""
        sheet = Sheet(WIDE, BELOW + HIGH + 0.3, f"Design {found.design}. Exact, {free}every patient evaluable, no rule "
                      "but the looks; squares at the rates of the table.", keys, columns=2)  # fmt: skip
        wide = (WIDE - LEFT - GAP - RIGHT) / 2
        left, right = (sheet.axes(LEFT + k * (wide + GAP), BELOW, wide, HIGH) for k in range(2))
        for (name, values), axes, style in zip(curves.items(), (left, left, right), (0, 1, 0), strict=True):
            axes.plot(grid, values, **SERIES[style])
            at_marks = [values[int(np.searchsorted(grid, p))] for p in marked]
            axes.plot(marked, at_marks, color=BLACK, marker="s", markersize=2.6, linestyle="", zorder=5)
            rows += [
                {"quantity": name, "rate": float(p), "value": v} for p, v in zip(grid, values, strict=True)
            ]
        for axes in (left, right):
            percent_axis(axes, "x", (0.0, top), "true response rate (%)")
        probability_axis(left, "probability", low=-0.03)
        right.set_ylim(0, found.looks.planned_n * 1.05)
        right.set_ylabel("EN (patients)")
    told = [f"{name} {rate(p)}: P(go) {probability(found[p].p_go)}, EN {found[p].en:.1f}"
            for name, p in (("p0", found.p0), ("p1", found.p1)) if p is not None]  # fmt: skip
    return Drawn(
        "oc",
        "Operating characteristics",
        "Probability of a go and of an early end, and expected patients, against the true response rate; exact.",
        "; ".join(told) or f"Design {found.design}.",
        sheet.figure,
        rows,
    )
