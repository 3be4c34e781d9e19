"""Sensitivity analyses as sections of a report: words and tables from what ``SensitivityResults.to_dict`` gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trialsim.varying.text import shown
from trialsim.writing.numbers import (
    Cell,
    count,
    difference_cell,
    listed,
    mcse_cell,
    value_cell,
)
from trialsim.writing.report import Table, plain

Content = dict[str, Any]

MOST_ROWS = 13
"""Values of a 1-D grid in its table; all of them are in the folder tables."""

TITLES = {
    "tornado": "One input at a time",
    "grids": "Grid",
    "priors": "Priors",
    "thresholds": "Threshold",
    "worst_case": "Worst case",
}

INTRODUCTIONS = {
    "tornado": "One input at a time takes its low and its high value, all others stay as stated.",
    "grids": "All inputs but those named stay as stated.",
    "priors": "Each input is drawn from what is believed of it, and the trial is worked out for each draw.",
    "thresholds": "One input moves along its range, all others stay as stated.",
    "worst_case": "Several inputs move within their ranges together; the least favourable values are looked for.",
}


@dataclass(frozen=True)
class Section:
    """One analysis of a report.

    Attributes
    ----------
    key : an anchor.
    number : of the analysis, from 0, by which its figures are found (``figures.sensitivity.draw``).
    paragraphs, tables : what it says.
    """

    key: str
    title: str
    number: int
    paragraphs: tuple[str, ...]
    tables: tuple[Table, ...]


def sections(content: Content) -> tuple[Section, ...]:
    """Every analysis in order, from the plain data of the results; numbers are those that stand there."""
    return tuple(_section(k, analysis) for k, analysis in enumerate(content["analyses"]))


def in_short(content: Content) -> list[tuple[str, str]]:
    """(title, one sentence) of every analysis."""
    return [
        (_title(analysis), _PARAGRAPHS[analysis["kind"]](analysis)[0]) for analysis in content["analyses"]
    ]


def engine_words(analysis: Content) -> str:
    """How the numbers of an analysis came about."""
    replicates = analysis["replicates"]
    if replicates is None:
        return f"{analysis['engine'].capitalize()}."
    trials = count(replicates, "trial")
    return f"{analysis['engine'].capitalize()}: {trials} at each point, the same patients at every point."


def _title(analysis: Content) -> str:
    return f"{TITLES[analysis['kind']]}: {analysis['name']}"


def _section(k: int, analysis: Content) -> Section:
    kind = analysis["kind"]
    first = f"{INTRODUCTIONS[kind]} Case {analysis['case']}. {engine_words(analysis)}"
    return Section(
        f"analysis-{k + 1}",
        _title(analysis),
        k,
        (first, *_PARAGRAPHS[kind](analysis)),
        tuple(_TABLES[kind](analysis, k)),
    )


def _text(quantity: str, estimate: Content) -> str:
    """A number in a sentence, with its standard error where it was simulated."""
    text = value_cell(quantity, estimate["estimate"]).text
    error = estimate["mcse"]
    return text if error is None else f"{text} (mcse {mcse_cell(quantity, error).text})"


def _errors(quantity: str, value: float | None) -> Cell:
    return mcse_cell(quantity, value)


# -- one input at a time


def _tornado(analysis: Content) -> list[str]:
    found = []
    for panel in analysis["quantities"]:
        quantity, bar = panel["quantity"], panel["bars"][0]
        words = analysis["input_words"][bar["input"]]
        ends = " and ".join(
            f"{_text(quantity, bar[f'at_{end}'])} at {shown(bar[f'{end}_value'])}" for end in ("low", "high")
        )
        found.append(
            f"{panel['label']} is {_text(quantity, panel['as_stated'])} as stated. "
            f"It moves most with “{words}”: {ends}."
        )
    return found


def _tornado_tables(analysis: Content, k: int) -> Iterator[Table]:
    for p, panel in enumerate(analysis["quantities"]):
        quantity, rows = panel["quantity"], []
        noisy = any(bar[f"{end}_minus_stated"]["mcse"] for bar in panel["bars"] for end in ("low", "high"))
        for bar in panel["bars"]:
            cells = [Cell(bar["input"]), *(Cell(shown(bar[f"{end}_value"])) for end in ("low", "high"))]
            for end in ("low", "high"):
                moved = bar[f"{end}_minus_stated"]
                cells += [
                    value_cell(quantity, bar[f"at_{end}"]["estimate"]),
                    difference_cell(quantity, moved["estimate"]),
                ]
                cells += [_errors(quantity, moved["mcse"])] if noisy else []
            rows.append(tuple(cells))
        error = ("mcse",) if noisy else ()
        notes = ["Difference: from the scenario as stated."]
        if noisy:
            paired = all(bar["errors_paired"] for bar in panel["bars"])
            notes.append(
                "mcse: Monte Carlo standard error of the difference"
                + (
                    ", on the same patients."
                    if paired
                    else "; taken as independent where patients cannot be paired."
                )
            )
        yield Table(
            f"tornado-{k + 1}-{p + 1}",
            f"{panel['label']} with one input at its low or high value",
            ("Input", "Low", "High", "At low", "Difference", *error, "At high", "Difference", *error),
            plain(rows),
            (" ".join(notes),),
        )


# -- grids


def _grid(analysis: Content) -> list[str]:
    quantity, values = analysis["quantity"], analysis["estimates"]
    low, high = min(values), max(values)
    words = [analysis["input_words"][axis["input"]] for axis in analysis["axes"]]
    text = (
        f"{analysis['label']} lies between {value_cell(quantity, low).text} and {value_cell(quantity, high).text} over "
        f"{listed(words)}; as stated it is {_text(quantity, analysis['own'])}."
    )
    if analysis["largest_mcse"] is not None:
        text += f" Its Monte Carlo standard error is at most {mcse_cell(quantity, analysis['largest_mcse']).text}."
    return [text]


def _grid_tables(analysis: Content, k: int) -> Iterator[Table]:
    if len(analysis["axes"]) > 1:
        return
    (axis,) = analysis["axes"]
    quantity, last = analysis["quantity"], len(axis["values"]) - 1
    most = min(MOST_ROWS, last + 1)
    picked = sorted({round(i * last / (most - 1)) for i in range(most)})
    noisy = analysis["mcse"] is not None
    rows = []
    for i in picked:
        cells = [
            Cell(shown(axis["values"][i]), axis["values"][i]),
            value_cell(quantity, analysis["estimates"][i]),
        ]
        cells += [_errors(quantity, analysis["mcse"][i])] if noisy else []
        rows.append(tuple(cells))
    left = last + 1 - len(picked)
    yield Table(
        f"grid-{k + 1}",
        f"{analysis['label']} over {axis['input']}",
        (analysis["input_words"][axis["input"]], analysis["label"], *(("mcse",) if noisy else ())),
        plain(rows),
        (f"{count(left, 'further value')} in the folder tables.",) if left else (),
    )


# -- priors


def _priors(analysis: Content) -> list[str]:
    quantity, average = analysis["quantity"], analysis["average"]
    name = " (the assurance)" if quantity == "p_go" else ""
    error = f"{average['mcse']:.2g}"
    found = [
        f"{analysis['label']} averaged over the prior{name} is {value_cell(quantity, average['estimate']).text} "
        f"(standard error {error}); with the inputs as stated it is {_text(quantity, analysis['as_stated'])}."
    ]
    if analysis["p_at_least"] is not None:
        reach = analysis["p_at_least"]
        found.append(
            f"The probability that {analysis['label']} is at least {analysis['at_least']:g} is {reach['estimate']:.3f} "
            f"(standard error {reach['mcse']:.2g})."
        )
    spread = [f"{value_cell(quantity, value).text} ({q})" for q, value in analysis["quantiles"].items()]
    found.append(f"Quantiles over the prior: {listed(spread)}.")
    if len(analysis["inputs"]) > 1:
        first = max(analysis["inputs"], key=lambda row: row["total"]["estimate"])
        words = analysis["input_words"][first["input"]]
        found.append(
            f"Most of its variance comes from “{words}”: total index {first['total']['estimate']:.2f}."
        )
    if analysis["replicates"] is not None:
        found.append(
            "Every draw was simulated, so that a small part of the spread is chance of the simulation; the standard "
            "error of the average includes it."
        )
    return found


def _prior_tables(analysis: Content, k: int) -> Iterator[Table]:
    rows = []
    for row in analysis["inputs"]:
        cells = [Cell(row["input"]), Cell(row["prior"])]
        for index in (row["first_order"], row["total"]):
            cells.append(Cell(f"{index['estimate']:.3f}".replace("-", "−"), index["estimate"]))
            cells.append(Cell(f"{index['low']:.3f} to {index['high']:.3f}".replace("-", "−")))
        rows.append(tuple(cells))
    yield Table(
        f"priors-{k + 1}",
        f"Where the variance of {analysis['label']} comes from",
        ("Input", "Prior", "First-order index", "95% interval", "Total index", "95% interval"),
        plain(rows),
        (
            "First-order: the share of the variance that would go if the input were known. Total: with all its "
            f"interactions. Saltelli’s estimators from {count(analysis['draws'], 'draw')} of each of two samples; "
            "intervals by bootstrap over nets.",
        ),
        words=(1,),
    )


# -- thresholds and worst cases


def _sentences(analysis: Content) -> list[str]:
    return list(analysis["sentences"])


def _threshold_tables(analysis: Content, k: int) -> Iterator[Table]:
    quantity = analysis["quantity"]
    noisy = any(row["mcse"] for row in analysis["scan"])
    rows = []
    for row in analysis["scan"]:
        cells = [Cell(shown(row["value"]), row["value"]), value_cell(quantity, row["estimate"])]
        rows.append((*cells, *([_errors(quantity, row["mcse"])] if noisy else [])))
    yield Table(
        f"threshold-{k + 1}",
        f"{analysis['label']} at the values looked at before the search",
        (analysis["input_words"][analysis["input"]], analysis["label"], *(("mcse",) if noisy else ())),
        plain(rows),
    )


def _worst_tables(analysis: Content, k: int) -> Iterator[Table]:
    rows = []
    for path, (low, high) in analysis["ranges"].items():
        at = analysis["point"][path]
        rows.append((Cell(path), Cell(shown(low), low), Cell(shown(high), high), Cell(shown(at), at)))
    yield Table(
        f"worst-{k + 1}",
        f"Where the {analysis['worst']} {analysis['label']} was found",
        ("Input", "From", "To", "Least favourable"),
        plain(rows),
    )


_PARAGRAPHS = {
    "tornado": _tornado,
    "grids": _grid,
    "priors": _priors,
    "thresholds": _sentences,
    "worst_case": _sentences,
}
_TABLES = {
    "tornado": _tornado_tables,
    "grids": _grid_tables,
    "priors": _prior_tables,
    "thresholds": _threshold_tables,
    "worst_case": _worst_tables,
}
