"""Power at an interim look against the responses so far: at p0, p1 and the observed rate, and predictive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes

from trialsim.figures.drawn import Drawn
from trialsim.figures.labels import Box, along, beside, hidden, place
from trialsim.figures.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    RC,
    ROW,
    WIDE,
    Key,
    Sheet,
    count_ticks,
    probability_axis,
)
from trialsim.figures.words import assumed, sentence, width
from trialsim.monitoring.aids import Aids
from trialsim.monitoring.counts import Count
from trialsim.writing.numbers import listed, probability
from trialsim.writing.numbers import rate as stated

HIGH, BELOW, LEFT, RIGHT, HEAD = 4.6, 0.95, 1.15, 0.3, 0.85

FACE: dict[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 0.9}
LABEL: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8}

STYLES: tuple[dict[str, Any], ...] = (
    {"color": GREY, "linestyle": (0, (4, 1.5)), "linewidth": 1.1, "marker": "s", "markersize": 3.0},
    {"color": BLACK, "linestyle": "-", "linewidth": 1.3, "marker": "o", "markersize": 3.4},
    {"color": GREY, "linestyle": (0, (6, 1.5, 1, 1.5)), "linewidth": 0.9, "marker": "v", "markersize": 3.0},
    {"color": BLACK, "linestyle": (0, (1, 1)), "linewidth": 1.1, "marker": "D", "markersize": 2.6},
)
"""The lines at stated rates in their order: p0, p1, then more."""

OBSERVED: dict[str, Any] = {"color": BLUE, "linestyle": (0, (1.8, 0.9)), "linewidth": 1.8, "marker": ""}
PREDICTIVE: dict[str, Any] = {
    "color": ORANGE,
    "linestyle": "-",
    "linewidth": 1.1,
    "marker": "^",
    "markersize": 3.6,
}

REGIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "futile": ("stop", {"facecolor": "#E4E4E4", "edgecolor": "none"}),
    "go": ("go", {"facecolor": "white", "edgecolor": "#BDBDBD", "hatch": "////"}),
}


def draw(aids: Aids) -> Drawn | None:
    """One panel an interim look, at most four of them; None for a design of a single look."""
    if not aids.counts:
        return None
    with matplotlib.rc_context(RC):
        return _draw(aids, aids.looks_shown)


def _draw(aids: Aids, shown: Sequence[int]) -> Drawn:
    across = 1 if len(shown) == 1 else 2
    down = -(-len(shown) // across)
    wide = (10.0 if across == 1 else WIDE) / across
    each = BELOW + HIGH + HEAD
    keys = [Key(label, FACE | style) for label, (_, style) in lines(aids, ()).items()]
    sheet = Sheet(wide * across, each * down, _footer(aids, shown), keys, columns=2 * across)
    for k, n in enumerate(shown):
        x, y = k % across * wide, (down - 1 - k // across) * each + BELOW
        axes = sheet.axes(x + LEFT, y, wide - LEFT - RIGHT, HIGH)
        counts = aids.shown(n)
        _panel(axes, aids, counts, wide - LEFT - RIGHT)
        after = f"After {n} {'evaluable ' if aids.table.evaluable else ''}patients"
        sheet.write(x + LEFT, y + HIGH + 0.12 + ROW, after, va="bottom", fontweight="bold")
        _regions(sheet, axes, counts, (x + LEFT, y + HIGH + 0.1, wide - LEFT - RIGHT))
    return Drawn(
        "conditional_power",
        "Power at the interim, by the responses so far",
        _caption(aids),
        _alt(aids, shown),
        sheet.figure,
        list(_rows(aids)),
    )


def lines(aids: Aids, counts: Sequence[Count]) -> dict[str, tuple[list[float], dict[str, Any]]]:
    """Label -> powers by count, and style."""
    found = {
        f"{name} = {stated(rate)}" if name in ("p0", "p1") else f"rate {stated(rate)}": (
            [count.at_rates[name] for count in counts],
            STYLES[k % len(STYLES)],
        )
        for k, (name, rate) in enumerate(aids.rates.items())
    }
    found["observed rate"] = ([count.at_observed for count in counts], OBSERVED)
    found["predictive"] = ([count.predictive for count in counts], PREDICTIVE)
    return found


def _panel(axes: Axes, aids: Aids, counts: Sequence[Count], wide: float) -> None:
    xs = [count.x for count in counts]
    axes.set_xlim(xs[0] - 0.5, xs[-1] + 0.5)
    probability_axis(axes, "P(go) if the trial goes on", low=-0.03)
    axes.set_xlabel("Responses so far")
    count_ticks(axes.xaxis, 10)
    for name, (_, style) in REGIONS.items():
        for x in (count.x for count in counts if count.decision == name):
            axes.axvspan(x - 0.5, x + 0.5, zorder=0, linewidth=0, **style)
    bounds = [a.x + 0.5 for a, b in zip(counts, counts[1:], strict=False) if a.decision != b.decision]
    for bound in bounds:
        axes.axvline(bound, color=BLACK, linewidth=0.8, zorder=1)
    drawn = lines(aids, counts)

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - xs[0] + 0.5) / len(xs) * wide, (y + 0.03) / 1.05 * HIGH

    paths: dict[str, list[Box]] = {}
    for label, (ys, style) in drawn.items():
        axes.plot(xs, ys, zorder=3, **(FACE | style))
        points = [at(x, y) for x, y in zip(xs, ys, strict=True)]
        paths[label] = [box for pair in zip(points, points[1:], strict=False) for box in along(*pair, 0.16)]
    taken = [box for boxes in paths.values() for box in boxes]
    panel = Box(0.05, 0.05, wide - 0.05, HIGH - 0.05)
    for label, (ys, style) in drawn.items():
        places = (box for x, y in zip(xs, ys, strict=True) for box in beside(*at(x, y), label))
        free = [box for box in places if hidden(box, taken) < 1e-3 and _plain(box, label, paths)]
        box = place(free, taken, panel)
        if box is not None:
            across, up = box.middle
            text = {"color": style["color"], "ha": "center", "va": "center_baseline", "zorder": 6}
            axes.text(across / wide, up / HIGH, label, transform=axes.transAxes, bbox=LABEL, **text)


def _plain(box: Box, label: str, paths: dict[str, list[Box]]) -> bool:
    """Whether a label at this place can only be meant for its own line."""
    near = {name: min(box.gap(piece.middle) for piece in pieces) for name, pieces in paths.items() if pieces}
    return label in near and all(near[label] < 0.6 * gap for name, gap in near.items() if name != label)


def _regions(sheet: Sheet, axes: Axes, counts: Sequence[Count], at: tuple[float, float, float]) -> None:
    """What the table says, above the panel: stop, go on, go."""
    left, y, wide = at
    low, high = axes.get_xlim()
    runs: list[list[Count]] = []
    for count in counts:
        if runs and runs[-1][-1].decision == count.decision:
            runs[-1].append(count)
        else:
            runs.append([count])
    for run in runs:
        words = {"futile": "stop", "go": "go"}.get(run[0].decision, "continue")
        room = wide * len(run) / (high - low)
        centre = left + wide * ((run[0].x + run[-1].x) / 2 - low) / (high - low)
        if width(words) > room + 0.4:
            continue
        sheet.write(max(centre, left + width(words) / 2), y, words, ha="center", va="bottom")


def _footer(aids: Aids, shown: Sequence[int]) -> str:
    a, b = aids.prior
    words = f"Exact, by the design alone: toxicity left out. Predictive: Beta({a:g}, {b:g}) prior."
    said = {count.decision for n in shown for count in aids.shown(n)}
    told = [
        text
        for name, text in (("futile", "shaded: the table says stop"), ("go", "hatched: it says go"))
        if name in said
    ]
    if told:
        words += f" {sentence('; '.join(told))}; the power there is that of going on all the same."
    looks = len({count.n for count in aids.counts})
    if len(shown) < looks:
        words += f" {len(shown)} of {looks} interim looks are drawn."
    return words + assumed(aids.scenario, "design")


def _caption(aids: Aids) -> str:
    rates = [
        f"{name} = {stated(rate)}" if name in ("p0", "p1") else stated(rate)
        for name, rate in aids.rates.items()
    ]
    a, b = aids.prior
    at_rates = f"at {listed(rates)} and " if rates else ""
    return (
        "Probability that the trial ends in a go if it goes on from the look, by the responses so far: conditional "
        f"power {at_rates}at the rate observed so far, and predictive power under a Beta({a:g}, {b:g}) prior. "
        "Exact, by the design alone."
    )


def _alt(aids: Aids, shown: Sequence[int]) -> str:
    words = []
    for n in shown:
        counts = [count for count in aids.counts if count.n == n]
        on = [count for count in counts if count.decision == "continue"]
        told = f"After {n} patient{'s' * (n != 1)}"
        if on:
            first, last = on[0], on[-1]
            over = f"{first.x} to {last.x} responses" if last.x > first.x else f"{first.x} of them responding"
            told += (
                f" the trial goes on with {over}; with {first.x} the predictive power is "
                f"{probability(first.predictive)}"
            )
            for name, power in first.at_rates.items():
                told += f", the conditional power at {name if name[0] == 'p' else stated(aids.rates[name])} "
                told += probability(power)
        words.append(f"{told}.")
    return " ".join(
        [f"{len(shown)} panel{'s' * (len(shown) > 1)} of curves that rise with the responses.", *words]
    )


def _rows(aids: Aids) -> list[dict[str, Any]]:
    rows = []
    for count in aids.counts:
        about = {"n": count.n, "responses": count.x, "decision": count.decision}
        for name, power in count.at_rates.items():
            rows.append(about | {"at": name, "rate": aids.rates[name], "power": power})
        rows.append(about | {"at": "observed", "rate": count.x / count.n, "power": count.at_observed})
        rows.append(about | {"at": "predictive", "rate": None, "power": count.predictive})
    return rows
