"""Which true rates each observed count is compatible with, and where the rates that cases assume lie."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from trialsim.checks import Checks, Curve, Headline, label
from trialsim.figures.drawn import Drawn
from trialsim.figures.style import (
    BLACK,
    BLUE,
    GREY,
    NARROW,
    RC,
    ROW,
    WIDE,
    Key,
    Sheet,
    percent_axis,
    probability_axis,
)
from trialsim.figures.words import assumed, some, width, wrap
from trialsim.writing.numbers import percent
from trialsim.writing.numbers import rate as stated

MOST_RATES = 8
HIGH, BELOW, LEFT, RIGHT = 2.7, 0.85, 1.15, 0.25
NEGLIGIBLE = 0.002

CURVE: dict[str, Any] = {"color": BLACK, "linewidth": 1.3}
FIVE: dict[str, Any] = {"color": GREY, "linewidth": 0.8, "linestyle": (0, (4, 2))}
ASSUMED: dict[str, Any] = {"color": BLUE, "linewidth": 0.8, "marker": "o", "markersize": 3.6}
INTERVAL: dict[str, Any] = {"color": BLACK, "linewidth": 1.0, "marker": "|", "markersize": 5}


def draw(checks: Checks | None) -> Drawn | None:
    """A panel a quantity: the curve above, a row for each assumed rate below; None when nothing was observed."""
    with matplotlib.rc_context(RC):
        return _draw(checks)


def _draw(checks: Checks | None) -> Drawn | None:
    if checks is None or not checks.curves:
        return None
    headlines = {h.quantity: h for h in checks.headline}
    curves = [curve for curve in checks.curves if curve.quantity in headlines]
    rates = {curve.quantity: assumed_rates(headlines[curve.quantity]) for curve in curves}
    across = min(len(curves), 2)
    panel = WIDE / 2 if across == 2 else NARROW
    wide = panel - LEFT - RIGHT
    heads = {c.quantity: wrap(_head(headlines[c.quantity]), panel - 0.4, most=2) for c in curves}
    lines = [curves[i : i + across] for i in range(0, len(curves), across)]
    strips = [
        ROW * (1.3 + max(1, *(min(len(rates[c.quantity]), MOST_RATES) for c in line))) for line in lines
    ]
    tops = [ROW * max(len(heads[c.quantity]) for c in line) + 0.2 for line in lines]
    body = sum(strips) + sum(tops) + (HIGH + BELOW + 0.15) * len(lines)
    sheet = Sheet(panel * across, body, _footer(checks), KEYS, columns=across * 2 if across == 2 else 1)
    y = body
    for line, strip, top in zip(lines, strips, tops, strict=True):
        y -= top + HIGH + strip + BELOW + 0.15
        for j, curve in enumerate(line):
            headline = headlines[curve.quantity]
            axes = sheet.axes(j * panel + LEFT, y + BELOW, wide, HIGH + strip)
            _panel(axes, curve, headline, rates[curve.quantity], wide, strip)
            for k, text in enumerate(reversed(heads[curve.quantity])):
                sheet.write(j * panel + 0.25, y + BELOW + HIGH + strip + 0.1 + ROW * k, text, va="bottom")
    return Drawn(
        "compatibility",
        "Rates the observed counts are compatible with",
        "For each observed count, the two-sided mid-p value of every common true rate: high where rate and count go "
        "together, below the 5% line where the count would be surprising. The bar is the 95% Clopper-Pearson "
        "interval, a little wider than where the curve crosses 5%; dots are the rates the cases assume, averaged over "
        "doses. No design enters.",
        _alt(list(headlines.values())),
        sheet.figure,
        _rows(curves, headlines),
    )


KEYS = (
    Key("two-sided mid-p", CURVE),
    Key("5%", FIVE),
    Key("assumed by a case", ASSUMED),
    Key("95% Clopper-Pearson", INTERVAL | {"markevery": [0, 2]}),
)


def assumed_rates(headline: Headline) -> dict[float, list[str]]:
    """Cases by the rate they assume, to the digits that can be told apart in a figure, rates increasing."""
    found: dict[float, list[str]] = {}
    for case, rate in sorted(headline.rates.items(), key=lambda item: item[1]):
        found.setdefault(round(rate, 4), []).append(case)
    return found


def _head(headline: Headline) -> str:
    share = percent(headline.observed / headline.denominator)
    return (
        f"{label(headline.quantity)}: {headline.observed} of {headline.denominator} {headline.unit}, {share} "
        f"({percent(headline.low)} to {percent(headline.high)})"
    )


def _panel(
    axes: Axes, curve: Curve, headline: Headline, rates: dict[float, list[str]], wide: float, strip: float
) -> None:
    low, high = _limits(curve, headline, list(rates))
    axes.plot(curve.rate, curve.p, zorder=3, **CURVE)
    per_cm = 1.05 / HIGH
    percent_axis(axes, "x", (low, high), "True rate (%)")
    probability_axis(axes, "Two-sided mid-p", low=-strip * per_cm, step=0.5)
    axes.set_ylim(-strip * per_cm, 1.05)
    axes.yaxis.set_label_coords(-(LEFT - 0.42) / wide, (strip + HIGH / 2) / (strip + HIGH))
    axes.axhline(0.05, zorder=2, **FIVE)
    axes.axhline(0, color=BLACK, linewidth=0.4)
    at = -0.65 * ROW * per_cm
    axes.plot([headline.low, headline.high], [at, at], zorder=4, **INTERVAL)
    if not rates:
        axes.text(
            low + 0.02 * (high - low),
            -1.75 * ROW * per_cm,
            "no case states a rate",
            color=GREY,
            va="center_baseline",
        )
    for k, (rate, cases) in enumerate(list(rates.items())[:MOST_RATES], start=1):
        y = -(0.75 + k) * ROW * per_cm
        p = float(np.interp(rate, curve.rate, curve.p))
        axes.plot([rate, rate], [p, y], zorder=2, **(ASSUMED | {"marker": "", "linewidth": 0.6}))
        axes.plot([rate, rate], [p, y], zorder=5, **(ASSUMED | {"linestyle": ""}))
        left = (rate - low) / (high - low) * wide
        room = max(left, wide - left) - 0.3
        more = f" (+{len(rates) - MOST_RATES} rates)" if k == MOST_RATES < len(rates) else ""
        text = f"{stated(rate)} {some(cases, room - width(stated(rate) + ' ' + more))}{more}"
        gap = 0.13 / wide * (high - low)
        on_right = wide - left - 0.3 >= width(text) or wide - left >= left
        axes.text(
            rate + gap if on_right else rate - gap,
            y,
            text,
            ha="left" if on_right else "right",
            va="center_baseline",
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
        )


def _limits(curve: Curve, headline: Headline, rates: list[float]) -> tuple[float, float]:
    """The rates worth showing: wherever the curve is not negligible, and every assumed one."""
    likely = curve.rate[curve.p > NEGLIGIBLE]
    shown = [float(likely[0]), float(likely[-1]), headline.low, headline.high, *rates]
    step = 0.05 if max(shown) - min(shown) > 0.12 else 0.01
    # a little room, so that no dot is cut by the frame
    low, high = np.floor(min(shown) / step - 0.1) * step, np.ceil(max(shown) / step + 0.1) * step
    return float(max(low, 0.0)), float(min(high, 1.0))


def _footer(checks: Checks) -> str:
    words = (
        "Exact; no design and no stopping rule enters. Assumed rates are averages over the observed doses."
    )
    if len(checks.scenario.doses) == 1:
        words = "Exact; no design and no stopping rule enters."
    return words + assumed(checks.scenario, "response rates", "toxicity rates")


def _alt(headlines: list[Headline]) -> str:
    words = ["Compatibility curves."]
    for h in headlines:
        rates = ", ".join(f"{case} {stated(rate)} {h.position[case]}" for case, rate in h.rates.items())
        words.append(
            f"{label(h.quantity)} {h.observed} of {h.denominator}: 95% interval {percent(h.low)} to {percent(h.high)}"
            + (f"; assumed rates: {rates}." if rates else "; no case states a rate.")
        )
    return " ".join(words)


def _rows(curves: list[Curve], headlines: dict[str, Headline]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for curve in curves:
        h = headlines[curve.quantity]
        about = {"quantity": curve.quantity, "observed": h.observed, "denominator": h.denominator}
        points = zip(curve.rate.tolist(), curve.p.tolist(), strict=True)
        rows += [about | {"series": "curve", "case": None, "rate": rate, "p": p} for rate, p in points]
        for case, rate in h.rates.items():
            p = float(np.interp(rate, curve.rate, curve.p))
            rows.append(about | {"series": "assumed", "case": case, "rate": rate, "p": p})
        for name in ("low", "high"):
            rows.append(about | {"series": f"clopper_pearson_{name}", "case": None, "rate": getattr(h, name)})
    return rows
