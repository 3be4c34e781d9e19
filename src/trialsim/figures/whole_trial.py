"""What the ideal design really does in a scenario, and what the robust one does: n against EN, P(go) by case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from trialsim.engine.whole_trial_found import Attained, RobustDesigns
from trialsim.figures.candidates import save
from trialsim.figures.drawn import Drawn
from trialsim.figures.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    PALE,
    RC,
    WIDE,
    Key,
    Sheet,
    count_ticks,
)
from trialsim.figures.words import fit

LEFT, EACH, ABOVE, BELOW, GAP = 1.15, 1.1, 0.25, 0.95, 0.5
LEAST_HIGH = 4.0

PROMISED: dict[str, Any] = {"color": GREY, "marker": "s", "markersize": 5.0, "fillstyle": "none"}
IDEAL: dict[str, Any] = {"color": BLACK, "marker": "s", "markersize": 3.6}
ROBUST: dict[str, Any] = {"color": BLUE, "marker": "o", "markersize": 4.6}
NEAREST: dict[str, Any] = {"color": ORANGE, "marker": "^", "markersize": 4.2}


def draw(found: RobustDesigns) -> Drawn:
    """The last ideal and the last robust design (optimal, or stable): promised, attained, mended."""
    ideal, robust = _last(found, "ideal"), _last(found, "robust")
    nearest = _last(found, "most power")
    alpha, power = found.setting["alpha"], 1 - found.setting["beta"]
    wide_names = 3.8
    cases = list(dict.fromkeys(row.case for row in found.attained))
    high = max(LEAST_HIGH, EACH * len(cases))
    with rc_context(RC):
        keys = []
        if ideal:
            name = f"{ideal[0].label.partition(',')[0]} {ideal[0].design}"
            keys.append(Key(f"{name}: promised to an ideal trial", PROMISED | {"linestyle": ""}))
            keys.append(Key(f"{name}: in this scenario", IDEAL | {"linestyle": ""}))
        if robust:
            name = f"{robust[0].label.partition(',')[0]} {robust[0].design}"
            keys.append(Key(f"{name}: found for this scenario", ROBUST | {"linestyle": ""}))
        if nearest:
            text = f"most power {nearest[0].design}: no design keeps both error rates"
            keys.append(Key(text, NEAREST | {"linestyle": ""}))
        footer = (
            f"Exact, outcomes known at once. Lines: alpha {alpha:g} and power {power:g}. Left: EN under {found.null[0]}"
            f"{'; grey: the least EN of each n that keeps both error rates' if len(found.best_by_n) > 1 else ''}."
        )
        sheet = Sheet(WIDE, BELOW + high + ABOVE, footer, keys)
        left = sheet.axes(LEFT, BELOW, 5.0, high)
        start = LEFT + 5.0 + GAP + wide_names
        right = sheet.axes(start, BELOW, WIDE - start - 0.4, high)
        rows = _sizes(left, found, ideal, robust, nearest)
        drawn = [
            (PROMISED, ideal, True),
            (IDEAL, ideal, False),
            (ROBUST, robust, False),
            (NEAREST, nearest, False),
        ]
        for y, case in enumerate(cases):
            for offset, (style, of, promised) in zip((0.16, 0.16, -0.16, -0.16), drawn, strict=True):
                for row in of:
                    value = row.nominal if promised else row.p_go
                    if row.case != case or value is None:
                        continue
                    right.plot([value], [y - offset], linestyle="", **style)
                    what = f"{row.label}{' (promised)' if promised else ''}"
                    rows.append(
                        {"panel": "p_go", "design": row.design, "label": what, "case": case, "value": value}
                    )
        for limit in (alpha, power):
            right.axvline(limit, color=PALE, linewidth=0.8, zorder=0)
        right.set_xlim(-0.02, 1.02)
        right.set_ylim(len(cases) - 0.5, -0.5)
        names = [f"{fit(case, wide_names - 0.2)}\n{found.role(case)}".rstrip() for case in cases]
        right.set_yticks(range(len(cases)), names)
        right.tick_params(axis="y", length=0)
        right.set_xlabel("P(go)")
    words = [
        f"{row.label} {row.design} in {row.case}: P(go) {row.p_go:.4f}"
        + (f", promised {row.nominal:.4f}" if row.nominal is not None else "")
        for row in (*ideal, *robust, *nearest)
    ]
    return Drawn(
        "robust",
        "Designs for this scenario",
        "What the ideal design promises, what it does under the scenario's toxicity rule, evaluability and "
        "association, and what the design found for the scenario does; exact, outcomes known at once.",
        "; ".join(words),
        sheet.figure,
        rows,
    )


def write(found: RobustDesigns, path: Path, *, force: bool = False) -> None:
    """Draw the designs into a file whose name ends in .svg, .png or .pdf."""
    save(draw(found), path, force=force)


def _last(found: RobustDesigns, word: str) -> list[Attained]:
    """What the last design of a group does in each case; none if the group is empty."""
    rows = [row for row in found.attained if word in row.label]
    return [row for row in rows if (row.label, row.design) == (rows[-1].label, rows[-1].design)]


def _sizes(
    axes: Axes,
    found: RobustDesigns,
    ideal: list[Attained],
    robust: list[Attained],
    nearest: list[Attained],
) -> list[dict[str, Any]]:
    """n against EN under the first null case."""
    rows: list[dict[str, Any]] = []
    axes.plot([d.n for d in found.best_by_n], [d.en for d in found.best_by_n], ".", color=GREY, markersize=3)
    hull = sorted((d.n, d.en) for d in found if d.weights is not None)
    if len(hull) > 1:
        axes.plot(*zip(*hull, strict=True), "-", color=BLACK, linewidth=0.8)
    for style, of in ((IDEAL, ideal), (ROBUST, robust), (NEAREST, nearest)):
        for row in of:
            if row.case == found.null[0]:
                n = int(row.design.rpartition("/")[2])
                axes.plot([n], [row.en], linestyle="", **style)
                rows.append(
                    {
                        "panel": "n",
                        "design": row.design,
                        "label": row.label,
                        "case": row.case,
                        "x": n,
                        "value": row.en,
                    }
                )
    axes.set_xlabel("n (planned patients)")
    axes.set_ylabel("EN (patients)")
    axes.margins(0.12)
    count_ticks(axes.xaxis, 5)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    return rows
