"""What the stopping rule does to estimates and intervals: bias, error and coverage against the true response rate."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from trialsim.designs.binomial import Float64
from trialsim.figures.drawn import Drawn
from trialsim.figures.style import BLACK, BLUE, GREY, ORANGE, RC, WIDE, Key, Sheet, percent_axis
from trialsim.inference.characteristics import Characteristics
from trialsim.writing.numbers import rate as stated

HIGH, BELOW, LEFT, GAP, HEAD = 4.6, 0.85, 1.35, 1.5, 0.45

ESTIMATES: dict[str, tuple[str, dict[str, Any]]] = {
    "mle": ("Observed (MLE)", {"color": BLACK, "linestyle": "-", "linewidth": 1.2}),
    "bias_adjusted": ("Bias-adjusted", {"color": BLUE, "linestyle": (0, (1.8, 0.9)), "linewidth": 2.0}),
    "umvue": ("UMVUE", {"color": ORANGE, "linestyle": "-", "linewidth": 1.0}),
    "median_unbiased": ("Median unbiased", {"color": GREY, "linestyle": (0, (4, 1.5)), "linewidth": 1.0}),
}
"""The estimates of the first two panels; every other one is in the data of the figure."""

COVERED: dict[str, tuple[str, dict[str, Any]]] = {
    "stagewise": ("Exact stagewise interval", {"color": BLACK, "linestyle": "-", "linewidth": 0.9}),
    "stagewise_mid_p": (
        "Mid-p interval",
        {"color": BLUE, "linestyle": "-", "linewidth": 0.7},
    ),
    "koyama_chen": (
        "Koyama-Chen interval",
        {"color": ORANGE, "linestyle": "-", "linewidth": 0.7},
    ),
}


def draw(found: Characteristics, *, p0: float | None = None, p1: float | None = None) -> Drawn:
    """Bias, root mean square error and interval coverage of a design, one panel each."""
    with matplotlib.rc_context(RC):
        return _draw(found, p0, p1)


def _draw(found: Characteristics, p0: float | None, p1: float | None) -> Drawn:
    keys = [Key(words, line=style) for words, style in (*ESTIMATES.values(), *COVERED.values())]
    footer = (
        f"Design with looks at {' and '.join(map(str, found.looks.n))} patients. Exact, by enumeration of every "
        "outcome; coverage jumps where the true rate passes a limit."
    )
    # far above the desirable rate every estimate is the observed proportion
    top = 1.0 if p1 is None else min(1.0, max(0.3, -(-30 * p1 // 1) / 10))
    shown = found.p <= top
    sheet = Sheet(WIDE, BELOW + HIGH + HEAD, footer, keys, columns=4)
    wide = (WIDE - 3 * LEFT - 0.35 - 2 * (GAP - LEFT)) / 3
    panels = [sheet.axes(LEFT + k * (wide + GAP), BELOW, wide, HIGH) for k in range(3)]
    _lines(panels[0], found.p[shown], {name: 100 * found.bias[name][shown] for name in ESTIMATES}, ESTIMATES)
    panels[0].axhline(0, color=BLACK, linewidth=0.4, zorder=0)
    panels[0].set_ylabel("Bias (percentage points)")
    error = {name: 100 * np.sqrt(found.mse[name][shown]) for name in ESTIMATES}
    _lines(panels[1], found.p[shown], error, ESTIMATES)
    panels[1].set_ylabel("RMSE (percentage points)")
    panels[1].set_ylim(bottom=0)
    _lines(panels[2], found.p[shown], {name: found.coverage[name][shown] for name in COVERED}, COVERED)
    panels[2].axhline(found.confidence, color=BLACK, linewidth=0.6, zorder=4)
    panels[2].set_ylim(min(0.8, found.confidence - 0.1), 1.003)
    panels[2].set_ylabel("Coverage (probability)")
    for axes in panels:
        percent_axis(axes, "x", (0.0, top), "True response rate (%)")
        for rate in (p0, p1):
            if rate is not None:
                axes.axvline(rate, color=GREY, linewidth=0.5, linestyle=(0, (1, 2)), zorder=0)
    for rate, word in ((p0, "p0"), (p1, "p1")):
        if rate is not None:
            for k in range(3):
                # p0 ends at its line and p1 begins there, so that close rates do not overlap
                x = LEFT + k * (wide + GAP) + rate / top * wide
                side = "right" if word == "p0" and rate > 0.1 else "left" if word == "p1" else "center"
                sheet.write(x, BELOW + HIGH + 0.1, word, ha=side, va="bottom", color=GREY)
    return Drawn(
        "estimators",
        "Bias, error and coverage",
        "Exact bias and root mean square error of estimates of the response rate, and coverage of intervals, against "
        "the true response rate. Stopping for few responses makes the observed proportion too small on average.",
        _alt(found),
        sheet.figure,
        list(found.rows()),
    )


def _lines(
    axes: Axes, p: Float64, values: dict[str, Float64], styles: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    for name, value in values.items():
        axes.plot(p, value, **styles[name][1])


def _alt(found: Characteristics) -> str:
    worst = {name: int(np.argmax(np.abs(found.bias[name]))) for name in ESTIMATES}
    words = [
        f"{ESTIMATES[name][0]}: bias at most {100 * abs(found.bias[name][i]):.2f} percentage points, at "
        f"{stated(float(found.p[i]))}"
        for name, i in worst.items()
    ]
    covered = [
        f"{words_}: coverage at least {found.least[name]:.3f} for rates from 5% to 95%"
        for name, (words_, _) in COVERED.items()
    ]
    return "Three panels over the true response rate. " + ". ".join([*words, *covered]) + "."
