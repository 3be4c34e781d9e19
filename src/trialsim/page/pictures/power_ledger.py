"""The power ledger of a case as a waterfall: P(go) from the design by itself to the trial as it runs."""

from __future__ import annotations

from typing import Any

from trialsim.engine.power_ledger import PowerLedger, Step
from trialsim.page.pictures.style import (
    BLACK,
    PALE,
    Picture,
    Trace,
    axis,
    figure,
    how,
    lines,
    note,
    so_far,
)
from trialsim.reporting.power_ledger import named, sentence
from trialsim.reporting.sentences import sentence as capital
from trialsim.scenario.model import Scenario
from trialsim.writing.numbers import NONE, Cell, difference_cell, plus_minus, probability, probability_cell

EACH = 58
"""Pixels that a step takes: its words, and its bar below them."""

LEAST = 0.01
"""Probability that the axis spans at least, so that a change of nothing does not fill it."""

Z95 = 1.96
LINK: dict[str, Any] = {"color": BLACK, "width": 1}
LOST: dict[str, Any] = {"color": PALE, "line": {"color": BLACK, "width": 1}}
GAINED: dict[str, Any] = {
    "color": "white",
    "line": {"color": BLACK, "width": 1},
    "pattern": {"shape": "/", "fgcolor": BLACK, "size": 6},
}


def power_ledger(
    scenario: Scenario, ledger: PowerLedger, *, replicates: int | None = None, provisional: bool = False
) -> Picture:
    """A row a step: what it adds, P(go) with it, and what it changes as a bar, with an error where it is simulated.

    A simulated step changes what it does on the same patients, so that its bar may begin beside the P(go) before it.
    """
    known = [(row, step, step.p_go) for row, step in enumerate(ledger.steps) if step.p_go is not None]
    # the error of one trial is unknown, and no bar
    errors = [Z95 * e if (e := step.effect_mcse) is not None and e == e else 0.0 for _, step, _ in known]
    reach = [p + sign * error for (_, _, p), error in zip(known, errors, strict=True) for sign in (-1, 1)]
    reach += [p - (step.effect or 0.0) for _, step, p in known]
    span = max(reach) - min(reach)
    room = max(0.06 * span, (LEAST - span) / 2)
    values: Trace = {
        "type": "scatter",
        "mode": "markers",
        "showlegend": False,
        "x": [p for _, _, p in known],
        "y": [row for row, _, _ in known],
        "marker": {"symbol": "diamond", "size": 9, "color": "white", "line": {"color": BLACK, "width": 1.6}},
        "error_x": {"type": "data", "array": errors, "color": BLACK, "thickness": 1.3, "width": 4},
        "hoverinfo": "text",
        "hovertext": [_hover(ledger, step, provisional) for _, step, _ in known],
    }
    pairs = list(zip(known, known[1:], strict=False))
    moved = [(p - effect, row, effect) for row, step, p in known if (effect := step.effect)]
    bars = [
        _bars(name, style, [each for each in moved if each[2] * sign > 0])
        for name, style, sign in (("P(go) lost", LOST, -1), ("P(go) gained", GAINED, 1))
    ]
    links = [
        {
            "type": "line",
            "x0": a[2],
            "x1": a[2],
            "y0": a[0],
            "y1": b[0],
            "line": {"color": BLACK, "width": 1},
            "layer": "below",
        }
        for a, b in pairs
    ]
    layout = {
        "xaxis": axis("P(go)", range=[min(reach) - room, max(reach) + room], tickformat="~f", nticks=6),
        "yaxis": axis(range=[len(ledger.steps) - 0.55, -0.75], visible=False),
        "shapes": links,
        "annotations": [
            note(
                x,
                row - 0.42,
                capital(text),
                xref="paper",
                xanchor=side,
                yanchor="middle",
                bgcolor="white",
            )
            for row, step in enumerate(ledger.steps)
            for x, side, text in ((0, "left", ledger.label(step)), (1, "right", _label(step)))
        ],
        "margin": {"l": 12, "r": 12, "t": 8, "b": 50},
        "bargap": 0.62,
    }
    return Picture(
        "power_ledger",
        "From the design by itself to the trial as it runs",
        so_far(sentence(scenario, ledger), replicates, provisional),
        figure([*(bar for bar in bars if bar["x"]), values], EACH * len(ledger.steps) + 60, **layout),
        ("With", "P(go)", "Change", "± (95%)", "How"),
        tuple(_row(ledger, step, provisional) for step in ledger.steps),
        f"{'Provisional: ' if provisional else ''}Waterfall of P(go), {named(ledger)}: "
        + ", ".join(f"{ledger.label(step)} {_label(step)}" for _, step, _ in known)
        + ".",
    )


def _bars(name: str, style: dict[str, Any], moved: list[tuple[float, int, float]]) -> Trace:
    """Bars from where P(go) would have been without the step, in a row, by what it changes."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "base": [before for before, _, _ in moved],
        "x": [change for _, _, change in moved],
        "y": [row for _, row, _ in moved],
        "marker": style,
        "hoverinfo": "skip",
    }


def _label(step: Step) -> str:
    """P(go), and what the step changes."""
    if step.p_go is None:
        return "not simulated"
    return probability(step.p_go) + (f" ({_change(step)})" if step.effect is not None else "")


def _change(step: Step) -> str:
    return difference_cell("p_go", step.effect).text if step.effect else "±0"


def _error(step: Step) -> str:
    """Half of the 95% interval of what the step changes."""
    return "" if step.effect_mcse is None else plus_minus(Z95 * step.effect_mcse, 4)


def _hover(ledger: PowerLedger, step: Step, provisional: bool) -> str:
    change = f"change {_change(step)} {_error(step)}".rstrip() if step.effect is not None else ""
    exact = step.mcse is None
    return lines(
        capital(ledger.label(step)), f"P(go) {probability(step.p_go)}, {how(exact, provisional)}", change
    )


def _row(ledger: PowerLedger, step: Step, provisional: bool) -> tuple[Cell, ...]:
    error = Cell(NONE) if step.effect_mcse is None else Cell(_error(step), Z95 * step.effect_mcse)
    word = NONE if step.p_go is None else how(step.mcse is None, provisional)
    return (
        Cell(capital(ledger.label(step))),
        probability_cell(step.p_go),
        difference_cell("p_go", step.effect),
        error,
        Cell(word),
    )
