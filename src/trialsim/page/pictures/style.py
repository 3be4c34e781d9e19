"""What every picture is, and the look that all share: sizes, colours, axes, and words that plotly may show.

A picture is plain data for ``Plotly.react``; it is drawn in the browser, and plotly's own package is not needed here.
Plotly reads tags and entities in every text that it shows, so that whatever a scenario says passes through ``safe``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from trialsim.engine.ranges import Ranges
from trialsim.results import Estimate
from trialsim.writing.csv import to_csv
from trialsim.writing.numbers import NONE, Cell, count, rate, value_cell, value_text

BLACK, BLUE, ORANGE, GREY, PALE = "#000000", "#0072B2", "#DB8A00", "#6E6E6E", "#BDBDBD"
"""The colours of the report's figures: told apart by colour-blind readers, and by luminance."""

SIZE = 12
"""The least size of words, in pixels."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif"

LEGEND_ROW = 21
"""Pixels that a row of the key takes."""

Figure = dict[str, Any]
Trace = dict[str, Any]
Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Picture:
    """A picture with its words, and its numbers as a table.

    Attributes:
        name: from a fixed list, never from what a user wrote.
        title, caption: its heading; a sentence or two.
        figure: ``data`` and ``layout`` for Plotly, ready for JSON.
        columns, rows: the table beside it; each cell has its text and the number behind it.
        alt: what it shows with its main numbers, for those who cannot see it.

    All words but those in ``figure`` are as the scenario has them, not escaped.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    alt: str

    def csv(self) -> str:
        """The table with its numbers to twelve significant digits."""
        return to_csv(
            (
                {head: _machine(cell) for head, cell in zip(self.columns, row, strict=True)}
                for row in self.rows
            ),
            self.columns,
        )


def _machine(cell: Cell) -> Any:
    if cell.value is not None:
        return cell.value
    return None if cell.text == NONE else cell.text


# -- words


def safe(text: str, most: int = 0) -> str:
    """Text as plotly shows it letter by letter: on one line, nothing of it read as a tag, an entity or a direction.

    ``most``: characters that there is room for; what is cut is the middle, since names often differ at the end.
    """
    plain = text.isascii() and text.isprintable()
    visible = (
        text
        if plain
        else "".join(
            " " if c.isspace() else c for c in text if unicodedata.category(c)[0] != "C" or c.isspace()
        )
    )
    line = " ".join(visible.split())
    if most and len(line) > most:
        tail = (most - 1) // 3
        line = f"{line[: most - 1 - tail].rstrip()}…{line[-tail:].lstrip()}"
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def lines(*parts: str) -> str:
    """Words made safe, one below the other; nothing of those that are empty."""
    return "<br>".join(safe(part) for part in parts if part)


def how(exact: bool, provisional: bool) -> str:
    """How a number came about, in a word."""
    return "exact" if exact else "simulated, provisional" if provisional else "simulated"


def estimate_words(quantity: str, e: Estimate, exact: bool, provisional: bool = False) -> str:
    """A number with its interval, or that it is exact: ``0.1234, 95% interval 0.1200 to 0.1268``."""
    if exact:
        return f"{value_text(quantity, e.estimate)}, exact"
    words = value_text(quantity, e.estimate)
    if e.low == e.low:
        words += f", 95% interval {value_text(quantity, e.low)} to {value_text(quantity, e.high)}"
    return words + (", provisional" if provisional else "")


def estimate_cells(quantity: str, e: Estimate, exact: bool, provisional: bool = False) -> Row:
    """The number, the ends of its interval (none where it is exact), and how it came about."""
    ends = (None, None) if exact or e.low != e.low else (e.low, e.high)
    return (
        value_cell(quantity, e.estimate),
        *(value_cell(quantity, end) for end in ends),
        Cell(how(exact, provisional)),
    )


INTERVAL = ("95% from", "95% to", "How")
"""Heads of what ``estimate_cells`` says after the number."""


def so_far(words: str, replicates: int | None, provisional: bool) -> str:
    """A caption, which says first that its simulated numbers are provisional."""
    if not provisional:
        return words
    trials = f" {count(replicates, 'trial')} a case so far." if replicates else ""
    return f"Provisional:{trials or ' few trials so far.'} {words}"


# -- marks


def error_bars(estimates: Iterable[Estimate], color: str = BLACK) -> dict[str, Any]:
    """Bars to the ends of 95% intervals; none where the error is unknown."""
    up, down = [], []
    for e in estimates:
        known = e.low == e.low
        up.append(max(e.high - e.estimate, 0.0) if known else 0.0)
        down.append(max(e.estimate - e.low, 0.0) if known else 0.0)
    return {
        "type": "data",
        "symmetric": False,
        "array": up,
        "arrayminus": down,
        "color": color,
        "thickness": 1.3,
        "width": 4,
    }


def note(x: float, y: float, text: str, **more: Any) -> dict[str, Any]:
    """Words, made safe, at a place, on white so that a line behind does not strike them through."""
    return {
        "x": x,
        "y": y,
        "text": safe(text),
        "showarrow": False,
        "font": {"size": SIZE, "color": BLACK},
        "bgcolor": "rgba(255,255,255,0.8)",
        "borderpad": 1,
    } | more


def upright(x: float, color: str = GREY, dash: str = "dot") -> dict[str, Any]:
    """A line from the floor to the top of the panel."""
    line = {"color": color, "width": 1, "dash": dash}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": line}


def design_rates(at: Ranges) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines at p0 and p1, and their names above the panel, p0 to the left of its line and p1 to the right."""
    shapes, notes = [], []
    for name, side in (("p0", "right"), ("p1", "left")):
        if at.shows(p := getattr(at, name)):
            shapes.append(upright(p) | {"layer": "below"})
            notes.append(
                note(p, 1, f"{name} = {rate(p)}", yref="paper", yanchor="bottom", xanchor=side, xshift=0)
            )
    return shapes, notes


# -- axes and layout


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """An axis with its name and a grid that does not press forward."""
    return {
        "title": {"text": title, "font": {"size": SIZE + 1}, "standoff": 6},
        "tickfont": {"size": SIZE},
        "automargin": True,
        "zeroline": False,
        "showline": True,
        "linecolor": GREY,
        "ticks": "outside",
        "ticklen": 4,
        "gridcolor": "#ECECEC",
        "nticks": 7,
        "fixedrange": True,
    } | more


def rate_axis(title: str, low: float, high: float, **more: Any) -> dict[str, Any]:
    """An axis of rates in percent."""
    return axis(title, range=[low, high], tickformat="~%", hoverformat=".4~p") | more


def probability_axis(title: str, low: float = -0.03, high: float = 1.03, **more: Any) -> dict[str, Any]:
    """An axis of probabilities from 0 to 1."""
    return axis(title, range=[low, high], tick0=0, dtick=0.2, tickformat=".1~f") | more


def figure(data: Sequence[Trace], height: int, **layout: Any) -> Figure:
    """Traces with the layout that all pictures share; ``height`` is that of the panel, without the key.

    The key stands below, and makes the picture as much higher as its rows may need.
    """
    named = [trace for trace in data if trace.get("showlegend", True) and trace.get("name")]
    below = LEGEND_ROW * len(named)
    base: dict[str, Any] = {
        "autosize": True,
        "height": height + below,
        "margin": {"l": 48, "r": 14, "t": 26, "b": 50},
        "font": {
            "family": "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif",
            "size": SIZE,
            "color": BLACK,
        },
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "hovermode": "closest",
        "hoverlabel": {"font": {"size": SIZE + 1}, "align": "left", "namelength": -1},
        "showlegend": bool(named),
        "legend": {
            "orientation": "h",
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "font": {"size": SIZE},
            "itemclick": False,
            "itemdoubleclick": False,
            "tracegroupgap": 0,
        },
        "dragmode": False,
        "uirevision": "kept",
    }
    return {"data": list(data), "layout": base | layout}
