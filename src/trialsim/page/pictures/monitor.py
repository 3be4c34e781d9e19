"""Where a trial stands: how likely a go is from here on, beside what it was before the first patient."""

from __future__ import annotations

from typing import Any, NamedTuple

from trialsim.monitoring.aids import Aids, Present
from trialsim.page.pictures.by_case import cut
from trialsim.page.pictures.style import BLACK, GREY, Picture, Trace, figure, lines, note, probability_axis
from trialsim.writing.numbers import Cell, count, listed, probability, probability_cell, rate

EACH = 40
"""Pixels of a line: its words, and its marks below them."""


class Chance(NamedTuple):
    """A probability from here on, in words, and what it was before the first patient (None: not told)."""

    words: str
    p: float
    before: float | None = None
    stops: bool = False


def monitor(aids: Aids) -> Picture | str:
    """A line a probability; a sentence where the trial does not say where it stands."""
    present = aids.present
    if present is None:
        return "Enter the patients and responses so far to see how the trial is likely to end."
    chances = _chances(aids, present)
    before = [(row, chance.before) for row, chance in enumerate(chances) if chance.before is not None]
    data = [
        _now("P(go) from here on", chances, False, "circle"),
        _now("P(stop for toxicity) from here on", chances, True, "x"),
        _marks(
            "P(go) before the first patient",
            [(row, p, lines(chances[row].words, f"before the first patient {probability(p)}, exact"))
             for row, p in before],
            {"symbol": "circle-open", "size": 11, "color": GREY, "line": {"width": 2}},
        ),
    ]  # fmt: skip
    words = {"xref": "paper", "yanchor": "middle", "bgcolor": "white"}
    layout: dict[str, Any] = {
        "xaxis": probability_axis("Probability"),
        "yaxis": {"range": [len(chances) - 0.4, -0.7], "visible": False, "fixedrange": True},
        "annotations": [
            note(x, row - 0.42, text, xanchor=side, **words)
            for row, chance in enumerate(chances)
            for x, side, text in (
                (0, "left", cut(chance.words, "0.0000")),
                (1, "right", probability(chance.p)),
            )
        ],
        "margin": {"l": 12, "r": 14, "t": 8, "b": 50},
    }
    stands = _stands(aids, present)
    return Picture(
        "monitor",
        "How the trial is likely to end from here",
        _caption(aids, present, stands),
        figure([trace for trace in data if trace["x"]], EACH * len(chances) + 66, **layout),
        ("What", "From here on", "Before the first patient", "How"),
        tuple(
            (Cell(chance.words), probability_cell(chance.p), probability_cell(chance.before), Cell("exact"))
            for chance in chances
        ),
        f"{stands} {listed([f'{chance.words} {probability(chance.p)}' for chance in chances])}.",
    )


def _chances(aids: Aids, present: Present) -> list[Chance]:
    now = present.now
    chances = [
        Chance(
            f"P(go) at {name} = {rate(aids.rates[name])}"
            if name in ("p0", "p1")
            else f"P(go) at a rate of {rate(aids.rates[name])}",
            p,
            aids.p_go.get(name),
        )
        for name, p in present.at_rates.items()
    ]
    if present.at_observed is not None and now.n:
        chances.append(Chance(f"P(go) at the observed rate, {now.x} of {now.n}", present.at_observed))
    chances.append(Chance("P(go), predictive", present.predictive))
    for name, case in present.cases.items():
        chances.append(Chance(f"P(go), case {name}", case.p_go))
        if case.p_stop_toxicity > 0:
            chances.append(Chance(f"P(stop for toxicity), case {name}", case.p_stop_toxicity, stops=True))
    return chances


def _now(name: str, chances: list[Chance], stops: bool, symbol: str) -> Trace:
    points = [
        (row, chance.p, lines(chance.words, f"from here on {probability(chance.p)}, exact"))
        for row, chance in enumerate(chances)
        if chance.stops == stops
    ]
    return _marks(name, points, {"symbol": symbol, "size": 10, "color": BLACK})


def _marks(name: str, points: list[tuple[int, float, str]], marker: dict[str, Any]) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [p for _, p, _ in points],
        "y": [row for row, _, _ in points],
        "marker": marker,
        "cliponaxis": False,
        "hoverinfo": "text",
        "hovertext": [text for _, _, text in points],
    }


def _stands(aids: Aids, present: Present) -> str:
    now = present.now
    words = f"So far {count(now.x, 'response')} among {count(now.n, 'patient')}"
    if now.toxicities is not None:
        dose = f" at {aids.scenario.doses[now.dose]}" if len(aids.scenario.doses) > 1 else ""
        words += f", toxicity in {now.toxicities} of {now.at_dose}{dose}"
    return words + "."


def _caption(aids: Aids, present: Present, stands: str) -> str:
    a, b = aids.prior
    words = (
        f"{stands} Exact, by the design alone: at stated rates, at the rate observed so far, and predictive "
    )
    words += f"under a Beta({a:g}, {b:g}) prior"
    if present.cases:
        words += "; the cases with their toxicity rule, doses and evaluability"
        words += ", every outcome known before the next patient"
    return words + "."
