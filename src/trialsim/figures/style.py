"""The look that all figures share: sizes in cm as printed, one font, colours that survive a black and white printer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from trialsim.figures.words import fit, wrap

NARROW, WIDE = 8.0, 17.0
"""Width in cm of a figure of one panel, and of small multiples."""

SIZE, BOLD = 7.0, 8.1
ROW = 0.33
"""The font size in points, the size of plain words as wide as bold ones, and the height in cm of a row."""

BLACK, BLUE, ORANGE, GREY, PALE = "#000000", "#0072B2", "#DB8A00", "#6E6E6E", "#BDBDBD"
"""Okabe and Ito's black, blue and (darkened) orange: told apart by colour-blind readers, and by luminance."""

SERIES: tuple[dict[str, Any], ...] = (
    {"color": BLACK, "linestyle": "-", "linewidth": 1.2},
    {"color": BLUE, "linestyle": (0, (1.8, 0.9)), "linewidth": 2.4},
    {"color": ORANGE, "linestyle": "-", "linewidth": 1.0},
)
"""The lines of a figure, later ones thinner, so that one that lies under another is still seen."""

MARKERS: tuple[dict[str, Any], ...] = (
    {"marker": "s", "markersize": 3.6},
    {"marker": "o", "markersize": 5.2},
    {"marker": "^", "markersize": 3.4},
)

RC: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": SIZE,
    "axes.labelsize": SIZE,
    "xtick.labelsize": SIZE,
    "ytick.labelsize": SIZE,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelpad": 2.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "hatch.linewidth": 0.6,
    "lines.solid_capstyle": "butt",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    # a user's dollar signs are dollar signs, never formulas
    "text.parse_math": False,
    "text.usetex": False,
}


@dataclass(frozen=True)
class Key:
    """A line of the key above a figure: a sample (line, marker or patch properties, or a sign) and its meaning."""

    text: str
    line: dict[str, Any] = field(default_factory=dict)
    patch: dict[str, Any] | None = None
    sign: str = ""


class Sheet:
    """A figure laid out in cm from the bottom: footer, body of a given height, key."""

    def __init__(
        self, wide: float, body: float, footer: str, keys: Sequence[Key] = (), columns: int = 1
    ) -> None:
        self.wide, self.body = wide, body
        self.notes = wrap(footer, wide - 0.3)
        self.floor = 0.12 + ROW * len(self.notes) + 0.08
        rows = -(-len(keys) // columns)
        self.high = self.floor + body + (0.1 + ROW * rows if rows else 0.0)
        self.figure = Figure(figsize=(wide / 2.54, self.high / 2.54))
        for k, line in enumerate(reversed(self.notes)):
            self.write(0.15, 0.12 + ROW * k - self.floor, line, color="#444444", va="bottom")
        for k, key in enumerate(keys):
            self._key(
                key, k % columns * wide / columns, self.high - 0.05 - ROW * (k // columns + 0.5), columns
            )

    def axes(self, left: float, bottom: float, wide: float, high: float) -> Axes:
        """Axes with their lower left corner at (left, bottom) cm of the body."""
        box = (left / self.wide, (bottom + self.floor) / self.high, wide / self.wide, high / self.high)
        return self.figure.add_axes(box)

    def write(self, x: float, y: float, text: str, **style: Any) -> None:
        """Text at (x, y) cm of the body."""
        self.figure.text(x / self.wide, (y + self.floor) / self.high, text, **style)

    def _key(self, key: Key, x: float, y: float, columns: int) -> None:
        at: dict[str, Any] = {"transform": self.figure.transFigure}
        left, right, middle = (x + 0.15) / self.wide, (x + 0.75) / self.wide, y / self.high
        if key.sign:
            self.figure.text((left + right) / 2, middle, key.sign, ha="center", va="center_baseline")
        elif key.patch is not None:
            high = 0.2 / self.high
            self.figure.add_artist(
                Rectangle((left, middle - high / 2), right - left, high, linewidth=0.6, **key.patch, **at)
            )
        elif key.line.get("linestyle", "-") == "":
            self.figure.add_artist(Line2D([(left + right) / 2], [middle], **key.line, **at))
        else:
            # three points, so that a marker can stand on the middle one
            sample = {"markevery": [1]} | key.line | at
            self.figure.add_artist(Line2D([left, (left + right) / 2, right], [middle] * 3, **sample))
        text = fit(key.text, self.wide / columns - 1.05)
        self.figure.text((x + 0.9) / self.wide, middle, text, va="center_baseline")


def count_ticks(axis: Axis, about: int) -> None:
    """At most ``about`` ticks at round whole numbers."""
    axis.set_major_locator(MaxNLocator(about, steps=[1, 2, 5, 10], integer=True))


def percent_axis(axes: Axes, which: str, ends: tuple[float, float], label: str) -> None:
    """An axis of rates, its ticks and label in percent."""
    low, top = ends
    span = top - low
    step = next(s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if span / s <= 6 or s == 0.25)
    first = -int(-(low + 1e-9) // step) if low > 0 else 0
    ticks = [k * step for k in range(first, int(top / step + 1e-9) + 1)]
    words = [f"{100 * t:.4g}" for t in ticks]
    if which == "x":
        axes.set_xlim(low, top)
        axes.set_xticks(ticks, words)
        axes.set_xlabel(label)
    else:
        axes.set_ylim(low, top)
        axes.set_yticks(ticks, words)
        axes.set_ylabel(label)


def probability_axis(axes: Axes, label: str, low: float = 0.0, step: float = 0.2) -> None:
    """A vertical axis of probabilities from 0 to 1, with room below 0 down to ``low``."""
    axes.set_ylim(low, 1.02)
    ticks = [k * step for k in range(round(1 / step) + 1)]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_ylabel(label)
