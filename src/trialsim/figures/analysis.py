"""The response rate after the trial: the primary estimate and interval, and the other intervals, against p0 and p1."""

from __future__ import annotations

import matplotlib

from trialsim.figures.drawn import Drawn
from trialsim.figures.style import BLACK, BLUE, GREY, PALE, RC, WIDE, Key, Sheet, percent_axis
from trialsim.inference.analysis import PatientsAnalysis
from trialsim.inference.estimators import ESTIMATOR_WORDS
from trialsim.inference.intervals import INTERVAL_WORDS
from trialsim.writing.numbers import percent, rate

LEFT, RIGHT, BELOW, EACH, HEAD = 6.6, 0.5, 0.85, 0.42, 0.45


def draw(found: PatientsAnalysis, *, assumed: bool = False) -> Drawn:
    """One row an interval, the primary one first; ``assumed``: the design is an assumption."""
    plan, primary = found.plan, found.interval
    others = [row for row in found.intervals if row.name != primary.name]
    rows = [primary, *others]
    observed = found.x / found.n
    ends = [row.high for row in rows if row.high is not None]
    top = min(1.0, 1.08 * max([*ends, observed, found.estimate, plan.p1 or 0.0, plan.p0 or 0.0, 0.02]))
    with matplotlib.rc_context(RC):
        keys = [
            Key("primary estimate", {"color": BLACK, "marker": "o", "markersize": 4.5, "linestyle": ""}),
            Key(f"observed proportion, {percent(observed)}", {"color": BLUE, "linewidth": 1.0}),
        ]
        high = EACH * len(rows)
        sheet = Sheet(WIDE, BELOW + high + HEAD, _footer(found, assumed), keys, columns=2)
        axes = sheet.axes(LEFT, BELOW, WIDE - LEFT - RIGHT, high)
        for y, row in enumerate(rows):
            words = INTERVAL_WORDS[row.name].removesuffix(" (default)")
            style = {"fontweight": "bold"} if y == 0 else {"color": GREY}
            sheet.write(0.15, BELOW + high - EACH * (y + 0.5), words, va="center_baseline", **style)
            if row.low is not None and row.high is not None:
                color = BLACK if y == 0 else GREY
                axes.plot(
                    [row.low, row.high], [y, y], color=color, linewidth=2.4 if y == 0 else 1.0, zorder=3
                )
        axes.plot([found.estimate], [0], marker="o", markersize=4.5, color=BLACK, zorder=4)
        axes.axvline(observed, color=BLUE, linewidth=1.0, zorder=1)
        for name, p, side in (("p0", plan.p0, "right"), ("p1", plan.p1, "left")):
            if p is not None:
                axes.axvline(p, color=PALE, linewidth=1.0, linestyle=(0, (4, 2)), zorder=0)
                x = LEFT + p / top * (WIDE - LEFT - RIGHT)
                sheet.write(x, BELOW + high + 0.1, f"{name} = {rate(p)}", ha=side, va="bottom", color=GREY)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks([])
        percent_axis(axes, "x", (0.0, top), "Response rate (%)")
    sides = f"One-sided ({plan.one_sided}) " if plan.one_sided else ""
    return Drawn(
        "analysis",
        "The response rate after the trial",
        f"{sides}{100 * plan.confidence:g}% confidence intervals of the response rate. Bold: the primary one, with the "
        "primary estimate; grey: the others, for those who ask.",
        _alt(found),
        sheet.figure,
        [
            {"what": "estimate", "name": plan.estimate, "low": found.estimate, "high": found.estimate},
            *({"what": "interval", "name": r.name, "low": r.low, "high": r.high} for r in rows),
        ],
    )


def _footer(found: PatientsAnalysis, assumed: bool) -> str:
    words = (
        f"{found.x} responses among {found.n} patients. Estimate: {ESTIMATOR_WORDS[found.plan.estimate]}. Exact, by "
        "enumeration of every way to end."
    )
    return f"{words} Assumed: design." if assumed else words


def _alt(found: PatientsAnalysis) -> str:
    row, plan = found.interval, found.plan
    limits = (
        "no interval" if row.low is None or row.high is None else f"{percent(row.low)} to {percent(row.high)}"
    )
    against = [f"{name} is {rate(p)}" for name, p in (("p0", plan.p0), ("p1", plan.p1)) if p is not None]
    words = f"Estimate {percent(found.estimate)}, primary interval {limits}; observed {percent(found.x / found.n)}."
    return f"Horizontal intervals, one a method. {words} {', '.join(against)}{'.' if against else ''}"
