"""Bars a case, with the name of the case above them: expected numbers and probabilities in parts, with their errors.

Down the panel a unit is a pixel, so that a picture is as high as its cases need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from trialsim.page.pictures.style import (
    BLACK,
    SIZE,
    Row,
    Trace,
    axis,
    error_bars,
    estimate_cells,
    estimate_words,
    lines,
    note,
)
from trialsim.results import Estimate, OperatingCharacteristics
from trialsim.writing.numbers import NONE, Cell, value_text

HEAD, BAR, GAP, BETWEEN = 20, 18, 12, 62
"""Pixels of the name of a case, of a bar, below a case, and between panels (their axis)."""

MOST_CASES, NAME = 12, 46
"""Cases that are drawn, and letters of a name on a phone."""

EDGE = {"color": BLACK, "width": 1}


def shade(color: str, pattern: str = "") -> dict[str, Any]:
    """A filling that is told apart on a grey printer too."""
    marker: dict[str, Any] = {"color": color, "line": EDGE}
    return marker | {"pattern": {"shape": pattern, "fgcolor": BLACK, "size": 6}} if pattern else marker


SHADES = (
    shade("#4D4D4D"),
    shade("#FFFFFF", "/"),
    shade("#BDBDBD"),
    shade("#FFFFFF", "."),
    shade("#7F7F7F"),
    shade("#FFFFFF", "\\"),
    shade("#E6E6E6"),
    shade("#FFFFFF", "x"),
)
"""Fillings of parts in their order, as in the report's figures."""


class Value(NamedTuple):
    """A quantity of a case."""

    e: Estimate
    exact: bool


def value(oc: OperatingCharacteristics, quantity: str) -> Value | None:
    """The exact value where there is one, else the simulated; None where the trial has no such quantity."""
    if oc.exact is not None and quantity in oc.exact.values:
        p = oc.exact.values[quantity]
        return Value(Estimate(p, 0.0, p, p), True)
    if oc.simulated is not None and quantity in oc.simulated.values:
        return Value(oc.simulated.values[quantity], False)  # parts of a bar add up: as counted
    return None


def has(cases: Iterable[OperatingCharacteristics], quantity: str) -> bool:
    """Whether a quantity is there, and not 0 in every case."""
    return any((v := value(oc, quantity)) is not None and v.e.estimate > 0 for oc in cases)


class Bar(NamedTuple):
    """A bar of a case: a quantity, and the quantities that it is the sum of (itself, where there are none)."""

    total: str
    parts: tuple[str, ...]


@dataclass
class Panel:
    """Bars of every case along an axis; ``styles``: filling by quantity, in the order of the key.

    ``number``: "" or "2", as plotly numbers axes; ``height`` in pixels.
    """

    cases: Sequence[OperatingCharacteristics]
    bars: Sequence[Bar]
    styles: dict[str, dict[str, Any]]
    title: str
    provisional: bool = False
    number: str = ""
    most: float = 0.0
    notes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def height(self) -> int:
        """Pixels of the panel."""
        return len(self.cases) * self._each

    @property
    def _each(self) -> int:
        return HEAD + BAR * len(self.bars) + GAP

    def rows(self) -> list[Row]:
        """What the panel shows as rows of a table: case, what, number, interval, how."""
        names = list(dict.fromkeys(name for bar in self.bars for name in (bar.total, *bar.parts)))
        return [
            (Cell(oc.case), Cell(oc.label(name)), *estimate_cells(name, *v, self.provisional))
            for oc in self.cases
            for name in names
            if (v := value(oc, name)) is not None and v.e.estimate == v.e.estimate  # not stated: no number
        ]

    def traces(self) -> list[Trace]:
        """A trace a part, and one of the sums with their errors."""
        found: dict[str, Trace] = {}
        sums = self._trace(mode="markers", showlegend=False, type="scatter")
        errors: list[Estimate] = []
        for k, oc in enumerate(self.cases):
            for j, bar in enumerate(self.bars):
                y = k * self._each + HEAD + BAR * (j + 0.5)
                left = 0.0
                for part in bar.parts or (bar.total,):
                    if (v := value(oc, part)) is None:
                        continue
                    trace = found.setdefault(part, self._part(oc, part))
                    self._add(trace, v.e.estimate, y, oc, part, v)
                    trace["base"].append(left)
                    left += v.e.estimate
                if (v := value(oc, bar.total)) is not None:
                    self._add(sums, v.e.estimate, y, oc, bar.total, v)
                    errors.append(Estimate(*[v.e.estimate] * 4) if v.exact else v.e)
        sums |= {"marker": {"size": 9, "opacity": 0, "color": BLACK}, "error_x": error_bars(errors)}
        return [*(found[name] for name in self.styles if name in found), sums]

    def _trace(self, **more: Any) -> Trace:
        axes = {"xaxis": f"x{self.number}", "yaxis": f"y{self.number}"} if self.number else {}
        return {"x": [], "y": [], "hoverinfo": "text", "hovertext": []} | axes | more

    def _part(self, oc: OperatingCharacteristics, name: str) -> Trace:
        words = {"name": lines(oc.label(name)), "marker": self.styles[name], "width": BAR - 4}
        return self._trace(type="bar", orientation="h", base=[], **words)

    def _add(
        self, trace: Trace, x: float, y: float, oc: OperatingCharacteristics, name: str, v: Value
    ) -> None:
        trace["x"].append(x)
        trace["y"].append(y)
        trace["hovertext"].append(
            lines(oc.case, f"{oc.label(name)}: {estimate_words(name, *v, self.provisional)}")
        )

    def layout(self, top: int, whole: int) -> dict[str, Any]:
        """Its axes, from ``top`` of ``whole`` pixels, with the numbers of each case at its right end."""
        ends = [v.e.high for oc in self.cases for bar in self.bars if (v := value(oc, bar.total)) is not None]
        most = max([self.most, *(end for end in ends if end == end)]) or 1.0
        x, y = f"x{self.number}", f"y{self.number}"
        domain = [1 - (top + self.height) / whole, 1 - top / whole]
        across = axis(
            self.title, range=[0, most * (1.03 if len(self.bars) == 1 else 1.2)], anchor=y, tickformat="~f"
        )
        if self.most == 1:
            across |= {"tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1]}
        down = axis(range=[self.height, 0], visible=False, domain=[max(domain[0], 0.0), domain[1]], anchor=x)
        return {f"xaxis{self.number}": across, f"yaxis{self.number}": down}

    def names(self, *said: str) -> list[dict[str, Any]]:
        """The name of each case above its bars, and the numbers: of one bar beside the name, after the word that is
        ``said``; of several each at the end of its line."""
        down = {
            "xref": f"x{self.number} domain",
            "yref": f"y{self.number}",
            "yanchor": "middle",
            "bgcolor": "white",
        }
        notes = []
        for k, oc in enumerate(self.cases):
            top, told = k * self._each, [_words(oc, bar.total) for bar in self.bars]
            right = [" ".join((*said, *told))] if len(told) == 1 else []
            name = note(0, top + HEAD / 2, cut(oc.case, "".join(right)), xanchor="left", **down)
            notes.append(name | {"font": {"size": SIZE, "color": BLACK, "weight": "bold"}})
            spots = [HEAD / 2] if right else [HEAD + BAR * (j + 0.5) for j in range(len(told))]
            notes += [
                note(1, top + spot, words, xanchor="right", **down)
                for spot, words in zip(spots, right or told, strict=True)
            ]
        return notes


def _words(oc: OperatingCharacteristics, name: str) -> str:
    """A number without its interval."""
    v = value(oc, name)
    return NONE if v is None else value_text(name, v.e.estimate)


def cut(name: str, beside: str) -> str:
    """A name that leaves room for words beside it."""
    most = max(NAME - len(beside), 12)
    if len(name) <= most:
        return name
    return f"{name[: most - 1 - most // 3].rstrip()}…{name[-(most // 3) :].lstrip()}"


def below(panels: Sequence[Panel]) -> tuple[dict[str, Any], int]:
    """The axes of panels one below the other, and their height in all."""
    whole = sum(panel.height for panel in panels) + BETWEEN * (len(panels) - 1)
    layout: dict[str, Any] = {"barmode": "overlay", "margin": {"l": 12, "r": 14, "t": 8, "b": 50}}
    top = 0
    for panel in panels:
        layout |= panel.layout(top, whole)
        top += panel.height + BETWEEN
    return layout, whole


def drawn(cases: Sequence[OperatingCharacteristics]) -> tuple[OperatingCharacteristics, ...]:
    """The first cases, as many as are drawn."""
    return tuple(cases[:MOST_CASES])


def how_many(replicates: int | None, cases: Sequence[OperatingCharacteristics], *quantities: str) -> str:
    """Where the numbers are from, and how many cases are not drawn, as the end of a caption."""
    kinds = {v.exact for oc in drawn(cases) for q in quantities if (v := value(oc, q)) is not None}
    words = " Exact." if kinds == {True} else f" {replicates:,} simulated trials each; bars: 95% intervals."
    if kinds == {True, False}:
        words = f" Exact where it can be, else {replicates:,} simulated trials each; bars: 95% intervals."
    if len(cases) > MOST_CASES:
        words += f" Shown are the first {MOST_CASES} of {len(cases)} cases."
    return words
