"""Designs side by side: n against EN with the hull of the admissible ones, P(go) and EN against the response rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from trialsim.designs.alone import alone
from trialsim.designs.finding import Found, FoundDesigns, spec_of
from trialsim.designs.simon import SimonDesign, best_by_n
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
from trialsim.writing.folder import check_file, write_file
from trialsim.writing.numbers import rate as stated

HIGH, BELOW, LEFT, GAP, RIGHT = 4.4, 0.95, 1.15, 1.35, 0.25
SHOWN = len(SERIES)
"""How many curves are drawn: lines that can still be told apart."""


def draw(found: FoundDesigns) -> Drawn:
    """The designs of one search; for Simon's also the best design of every n, so that the hull is seen to be one."""
    if any(design.looks is None for design in found):
        raise DesignError(
            f"designs of kind {found.design_kind} have no P(go) curve over response rates alone"
        )
    if "p0" not in found.setting:
        raise DesignError("a figure of designs needs p0")
    p0, p1 = found.setting["p0"], found.setting["p1"]
    shown = _distinct(found)
    rates = (0.0, min(1.0, p1 + (p1 - p0)))
    grid = np.unique(np.append(np.linspace(*rates, 101), [p0, p1]))
    every = _best_of_each_n(found)
    with rc_context(RC):
        keys = [Key(f"{names}: {d.design}", SERIES[k] | MARKERS[k]) for k, (names, d) in enumerate(shown)]
        levels = "".join(
            f", {name} {found.setting[name]:g}" for name in ("alpha", "beta") if name in found.setting
        )
        footer = f"p0 {stated(p0)}, p1 {stated(p1)}{levels}. "
        if every:
            footer += "Left: grey, the least EN of each n; the line joins the admissible designs. "
        if all(d.en is not None for d in found):
            footer += f"{found.en_words}. "
        footer += (
            "Middle and right: exact, every patient evaluable and no toxicity rule; squares at p0 and p1."
        )
        sheet = Sheet(WIDE, BELOW + HIGH + ROW, footer, keys)
        wide = (WIDE - LEFT - RIGHT - 2 * GAP) / 3
        left, middle, right = (sheet.axes(LEFT + k * (wide + GAP), BELOW, wide, HIGH) for k in range(3))
        rows = _sizes(left, found, [d for _, d in shown], every)
        for k, (_, d) in enumerate(shown):
            assert d.looks is not None
            at = [alone(d.looks, float(p)) for p in grid]
            for axes, panel, values in (
                (middle, "p_go", [a.p_go for a in at]),
                (right, "en", [a.en for a in at]),
            ):
                axes.plot(grid, values, **SERIES[k])
                ends = [values[int(np.searchsorted(grid, p))] for p in (p0, p1)]
                axes.plot([p0, p1], ends, color=BLACK, marker="s", markersize=2.4, linestyle="", zorder=5)
                rows += [
                    {"panel": panel, "design": d.design, "x": float(p), "value": y}
                    for p, y in zip(grid, values, strict=True)
                ]
        for axes in (middle, right):
            percent_axis(axes, "x", rates, "true response rate (%)")
        probability_axis(middle, "P(go)", low=-0.03)
        right.set_ylabel("EN (patients)")
        right.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    return Drawn(
        "candidates",
        "Candidate designs",
        "Planned against expected patients of the designs found; their probability of a go, and their expected "
        "patients, against the true response rate; exact, every patient evaluable and no toxicity rule.",
        "; ".join(f"{d.criterion} {d.design}: n {d.n}, EN at p0 {d.en_p0:.1f}" for d in found),
        sheet.figure,
        rows,
    )


def write(found: FoundDesigns, path: Path, *, force: bool = False) -> None:
    """Draw the designs into a file whose name ends in .svg, .png or .pdf."""
    save(draw(found), path, force=force)


def save(drawn: Drawn, path: Path, *, force: bool = False) -> None:
    """Write a figure into a file whose name ends in .svg, .png or .pdf, whole or not at all."""
    target = check_file(path, force=force, endings=(".svg", ".png", ".pdf"))
    write_file(target, drawn.drawing(path.suffix[1:].lower()))


def _best_of_each_n(found: FoundDesigns) -> list[SimonDesign]:
    """The least EN of each n under the limits and the EN of the search; none for other kinds."""
    if found.design_kind != "simon":
        return []
    own = {key: value for key, value in found.keys.items() if key not in ("n", "criterion", "weight")}
    spec: Any = spec_of("simon", {**found.setting, **own})
    most = max(d.n for d in found) + 5
    weight, prior = spec.en_weight_p1 or 0.0, spec.en_prior
    return best_by_n(spec.target, most, limits=spec.limits(), weight_p1=weight, prior=prior)


def _sizes(
    axes: Axes, found: FoundDesigns, shown: list[Found], every: list[SimonDesign]
) -> list[dict[str, Any]]:
    """n against the EN of the criterion."""
    axes.plot([d.n for d in every], [d.en for d in every], ".", color=GREY, markersize=3)
    rows: list[dict[str, Any]] = [
        {"panel": "n", "design": "best of its n", "x": d.n, "value": d.en} for d in every
    ]
    other = all(d.en is not None for d in found)  # else each speaks of its own EN: compare them at p0

    def en(design: Found) -> float:
        value = design.en if other and design.en is not None else design.en_p0
        assert value is not None
        return value

    points = sorted((d.n, en(d)) for d in found if d.weight_low is not None)
    if _is_hull(found):
        axes.plot(*zip(*points, strict=True), "-", color=BLACK, linewidth=0.8)
    for d in found:
        rows.append({"panel": "n", "design": d.design, "x": d.n, "value": en(d)})
        if d.design in {other.design for other in shown}:
            k = next(k for k, other in enumerate(shown) if other.design == d.design)
            axes.plot([d.n], [en(d)], linestyle="", color=SERIES[k]["color"], **MARKERS[k])
        else:
            axes.plot([d.n], [en(d)], color=BLACK, marker="o", markersize=2.6, linestyle="")
    axes.set_xlabel("n (planned patients)")
    axes.set_ylabel("EN of the criterion (patients)" if other else "EN at p0 (patients)")
    axes.margins(0.1)
    count_ticks(axes.xaxis, 5)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    return rows


def _is_hull(found: FoundDesigns) -> bool:
    """Whether the designs are all that are admissible: their weights run from 0 to 1 without a gap."""
    edges = sorted({(d.weight_low, d.weight_high) for d in found if d.weight_low is not None})
    if len(edges) < 2 or len({d.criterion for d in found} & {"h0_optimal", "h1_optimal"}) > 1:
        return False
    gaps = [abs(a[1] - b[0]) for a, b in zip(edges, edges[1:], strict=False) if a[1] is not None]
    return edges[0][0] == 0 and edges[-1][1] == 1 and max(gaps) < 1e-9


def _distinct(found: FoundDesigns) -> list[tuple[str, Found]]:
    """The first design, the last, and one between, each once with all its criteria."""
    once: dict[str, list[Found]] = {}
    for design in found:
        once.setdefault(design.design, []).append(design)
    named = [(", ".join(dict.fromkeys(d.criterion for d in same)), same[0]) for same in once.values()]
    if len(named) <= SHOWN:
        return named
    return [named[0], named[len(named) // 2], named[-1]]
