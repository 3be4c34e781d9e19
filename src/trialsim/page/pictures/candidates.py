"""Designs that were found: expected against planned patients; a point that is clicked says which design it is."""

from __future__ import annotations

from typing import Any

from trialsim.designs.finding import Found, FoundDesigns
from trialsim.page.pictures.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    Picture,
    Row,
    Trace,
    axis,
    figure,
    lines,
    note,
)
from trialsim.writing.numbers import Cell, listed, probability, probability_cell, rate, value_cell, value_text

HIGH = 380


def candidates(found: FoundDesigns, chosen: str = "") -> Picture | str:
    """EN at p0 against n, the chosen design marked; a sentence where no design has an EN at p0.

    ``customdata`` of each point is the design's text, so that a click can choose it.
    """
    designs: dict[str, list[Found]] = {}
    for design in found:
        if design.en_p0 is not None:
            designs.setdefault(design.design, []).append(design)
    if not designs:
        return "The designs that were found state no expected number of patients at p0."
    firsts = {text: same[0] for text, same in designs.items()}
    names = {text: _names(same) for text, same in designs.items()}
    xs, ys = zip(*((d.n, d.en_p0 or 0.0) for d in firsts.values()), strict=True)
    layout = {
        "xaxis": axis("n (planned patients)", range=_around(xs), tickformat="d"),
        "yaxis": axis("EN at p0 (patients)", range=_around(ys)),
        "annotations": [
            note(d.n, d.en_p0 or 0.0, names[text], yanchor="bottom", yshift=8, xanchor=_side(d.n, xs))
            for text, d in firsts.items()
            if len(firsts) <= 3 or text in (chosen, *_ends(firsts))
        ],
    }
    data = [_points("designs that were found", firsts, names, {"size": 11, "color": BLUE})]
    hull = sorted((d.n, d.en_p0 or 0.0) for d in firsts.values() if d.weight_low is not None)
    if len(hull) > 1 and all(d.en is None for d in found):
        line = {"color": GREY, "width": 1}
        across, up = (list(each) for each in zip(*hull, strict=True))
        hull_line: Trace = {"type": "scatter", "mode": "lines", "x": across, "y": up, "line": line}
        data.insert(0, hull_line | {"name": "admissible designs", "hoverinfo": "skip"})
    if chosen in firsts:
        mark = {"size": 17, "symbol": "circle-open", "color": ORANGE, "line": {"width": 3}}
        data.append(_points("the chosen design", {chosen: firsts[chosen]}, names, mark))
    return Picture(
        "candidates",
        "Designs that keep the error rates",
        _caption(found),
        figure(data, HIGH, **layout),
        ("Design", "Which", "n", "EN at p0", "PET at p0", "Type I error", "Power"),
        tuple(_row(d, names[text]) for text, d in firsts.items()),
        f"Points, expected against planned patients: {listed([_told(d, names[text]) for text, d in firsts.items()])}."
        + (f" Chosen: {chosen}." if chosen in firsts else ""),
    )


def _names(same: list[Found]) -> str:
    return ", ".join(dict.fromkeys(d.criterion.replace("_", " ") for d in same))


def _ends(firsts: dict[str, Found]) -> tuple[str, str]:
    """The designs with the least n and with the least EN."""
    return min(firsts, key=lambda text: firsts[text].n), min(firsts, key=lambda text: firsts[text].en_p0 or 0)


def _around(values: Any) -> list[float]:
    low, high = min(values), max(values)
    room = max(0.18 * (high - low), 1.5)
    return [low - room, high + room]


def _side(n: int, every: Any) -> str:
    low, high = min(every), max(every)
    share = (n - low) / (high - low) if high > low else 0.5
    return "left" if share < 0.25 else "right" if share > 0.75 else "center"


def _points(name: str, firsts: dict[str, Found], names: dict[str, str], marker: dict[str, Any]) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [d.n for d in firsts.values()],
        "y": [d.en_p0 for d in firsts.values()],
        "marker": {"line": {"color": BLACK, "width": 1}} | marker,
        "customdata": list(firsts),
        "hoverinfo": "text",
        "hovertext": [
            lines(
                f"{names[text]}: {text}",
                f"n {d.n}, EN at p0 {value_text('en', d.en_p0)}",
                "" if d.pet_p0 is None else f"PET at p0 {probability(d.pet_p0)}",
                f"type I error {probability(d.type_i_error)}, power {probability(d.power)}",
            )
            for text, d in firsts.items()
        ],
    }


def _row(d: Found, names: str) -> Row:
    return (
        Cell(d.design),
        Cell(names),
        Cell(str(d.n), d.n),
        value_cell("en", d.en_p0),
        probability_cell(d.pet_p0),
        probability_cell(d.type_i_error),
        probability_cell(d.power),
    )


def _told(d: Found, names: str) -> str:
    return f"{names} {d.design} with n {d.n} and EN {value_text('en', d.en_p0)}"


def _caption(found: FoundDesigns) -> str:
    told = [
        f"{name} {rate(p) if name in ('p0', 'p1') else f'{p:g}'}"
        for name in ("p0", "p1", "alpha", "beta")
        if (p := found.setting.get(name)) is not None
    ]
    words = "Expected patients at p0 against planned patients; exact, every patient evaluable and no toxicity rule."
    words += f" Found for {listed(told)}." if told else ""
    words += f" {found.note.rstrip('.')}." if found.note else ""
    return f"{words} A click on a point chooses the design."
