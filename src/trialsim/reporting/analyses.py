"""What each kind of sensitivity analysis says: sentences and tables from its plain data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trialsim.scenario.words import setting
from trialsim.varying.worst_case import STARTS
from trialsim.writing.numbers import (
    Cell,
    count,
    difference_cell,
    fixed,
    listed,
    mcse_cell,
    value_cell,
    value_text,
    with_error,
)
from trialsim.writing.report import Table, plain

Content = dict[str, Any]

MOST_ROWS, MOST_OF_TWO = 13, 9
"""Values of an axis in the table of a grid over one input, or two; all of them are in the folder tables."""


def _text(quantity: str, estimate: Content) -> str:
    """A number in a sentence, with its standard error where it was simulated."""
    return with_error(quantity, estimate["estimate"], estimate["mcse"])


# -- one input at a time


def _tornado(analysis: Content) -> list[str]:
    found = []
    for panel in analysis["quantities"]:
        quantity, bar = panel["quantity"], panel["bars"][0]
        words = analysis["input_words"][bar["input"]]
        ends = " and ".join(
            f"{_text(quantity, bar[f'at_{end}'])} at {setting(bar[f'{end}_value'])}"
            for end in ("low", "high")
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
            cells = [
                analysis["input_words"][bar["input"]],
                *(setting(bar[f"{end}_value"]) for end in ("low", "high")),
            ]
            for end in ("low", "high"):
                moved, here = bar[f"{end}_minus_stated"], bar[f"{end}_value"] == bar["stated"]
                cells += [
                    value_cell(quantity, bar[f"at_{end}"]["estimate"]),
                    "as stated" if here else difference_cell(quantity, moved["estimate"]),
                ]
                cells += [mcse_cell(quantity, None if here else moved["mcse"])] if noisy else []
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
        f"{analysis['label']} lies between {value_text(quantity, low)} and {value_text(quantity, high)} over "
        f"{listed([f'“{each}”' for each in words])}; as stated it is {_text(quantity, analysis['own'])}."
    )
    if analysis["largest_mcse"] is not None:
        text += f" Its Monte Carlo standard error is at most {mcse_cell(quantity, analysis['largest_mcse']).text}."
    return [text]


def _grid_tables(analysis: Content, k: int) -> Iterator[Table]:
    quantity, first = analysis["quantity"], analysis["axes"][0]
    two = len(analysis["axes"]) > 1
    second = analysis["axes"][-1]["values"] if two else [None]
    most = MOST_OF_TWO if two else MOST_ROWS
    down, across = _some(first["values"], most), _some(second, most)
    noisy = analysis["mcse"] is not None and not two
    rows = []
    for i in down:
        cells = [Cell(setting(first["values"][i]), first["values"][i])]
        cells += [value_cell(quantity, analysis["estimates"][i * len(second) + j]) for j in across]
        rows.append((*cells, *([mcse_cell(quantity, analysis["mcse"][i])] if noisy else [])))
    words = [analysis["input_words"][axis["input"]] for axis in analysis["axes"]]
    heads = [setting(second[j]) for j in across] if two else [analysis["label"]]
    left = len(first["values"]) * len(second) - len(down) * len(across)
    yield Table(
        f"grid-{k + 1}",
        analysis["label"] + (f"; down: {words[0]}, across: {words[1]}" if two else f" over {words[0]}"),
        (words[0], *heads, *(("mcse",) if noisy else ())),
        plain(rows),
        (f"{count(left, 'further value')} in the folder tables.",) if left else (),
    )


def _some(values: Sequence[Any], most: int) -> list[int]:
    """Up to ``most`` positions, evenly spread, both ends included."""
    last = len(values) - 1
    many = min(most, last + 1)
    return sorted({round(i * last / (many - 1)) for i in range(many)}) if many > 1 else [0]


# -- priors


def _priors(analysis: Content) -> list[str]:
    quantity, average = analysis["quantity"], analysis["average"]
    name = " (the assurance)" if quantity == "p_go" else ""
    error = f"{average['mcse']:.2g}"
    found = [
        f"{analysis['label']} averaged over the prior{name} is {value_text(quantity, average['estimate'])} "
        f"(standard error {error}); with the inputs as stated it is {_text(quantity, analysis['as_stated'])}."
    ]
    if analysis["p_at_least"] is not None:
        reach = analysis["p_at_least"]
        found.append(
            f"The probability that {analysis['label']} is at least {analysis['at_least']:g} is {reach['estimate']:.3f} "
            f"(standard error {reach['mcse']:.2g})."
        )
    spread = [f"{value_text(quantity, value)} ({q})" for q, value in analysis["quantiles"].items()]
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
        cells = [analysis["input_words"][row["input"]], row["prior"]]
        for index in (row["first_order"], row["total"]):
            cells.append(Cell(fixed(index["estimate"], 3), index["estimate"]))
            cells.append(f"{fixed(index['low'], 3)} to {fixed(index['high'], 3)}")
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


def _threshold(analysis: Content) -> Iterator[str]:
    label, scan, limit = analysis["label"], analysis["scan"], analysis["limit"]
    words = analysis["input_words"][analysis["input"]]
    start, end = scan[0]["value"], scan[-1]["value"]
    what, between = f"{analysis['side']} {limit:g}", f"from {setting(start)} to {setting(end)}"
    looked = f"{len(scan)} values of “{words}” looked at {between}"
    if not analysis["crossings"]:
        if analysis["holds_at_start"]:
            yield f"{label} is {what} at all {looked}."
            return
        pick = (min if analysis["side"] == "below" else max)(scan, key=lambda row: row["estimate"])
        closest = f"{_text(analysis['quantity'], pick)} at {setting(pick['value'])}"
        yield f"{label} is not {what} at any of the {looked}; it comes closest with {closest}."
        return
    for k, crossing in enumerate(analysis["crossings"]):
        where, low, high = f"{crossing['at']:.4g}", crossing["low"], crossing["high"]
        if low != high:
            where += f" (95% interval {low:.4g} to {high:.4g})"
        if k:
            yield f"From {where} on it is {'again' if crossing['begins'] else 'no longer'} {what}."
        elif crossing["begins"]:
            yield f"Going {between}, “{words}” may reach {where} before {label} is {what}."
        else:
            yield f"{label} is {what} from {setting(start)} on, until “{words}” is {where}."
    if not analysis["monotone"]:
        yield (
            f"{label} goes up and down along this input. Crossings were looked for between {len(scan)} values: two "
            "that lie between neighbours would not be seen."
        )


def _worst(analysis: Content) -> Iterator[str]:
    quantity = analysis["quantity"]
    at = " and ".join(
        f"“{analysis['input_words'][path]}” {setting(value)}" for path, value in analysis["point"].items()
    )
    yield (
        f"The {analysis['worst']} {analysis['label']} found is {_text(quantity, analysis['answer'])}, with {at}; as "
        f"stated it is {_text(quantity, analysis['as_stated'])}."
    )
    corner = analysis["at_a_corner"]
    yield "Every input is then at an end of its range." if corner else "This lies inside the ranges."
    how = (
        f"Looked for at {analysis['points_scanned']} points, {analysis['values_of_each']} values of each input, all "
        "corners among them"
    )
    if analysis["replicates"]:
        how += "; the number given is from new patients at the point found, since the best of many is lucky"
    else:
        further = f"({analysis['points_searched']} further points)"
        how += f", then by a search from the best {STARTS} {further}"
    yield f"{how}. It is a search: between the points something worse could hide."


def _sentences(analysis: Content) -> list[str]:
    return list(analysis["sentences"])


def _threshold_tables(analysis: Content, k: int) -> Iterator[Table]:
    quantity = analysis["quantity"]
    noisy = any(row["mcse"] for row in analysis["scan"])
    rows = []
    for row in analysis["scan"]:
        cells = [Cell(setting(row["value"]), row["value"]), value_cell(quantity, row["estimate"])]
        rows.append((*cells, *([mcse_cell(quantity, row["mcse"])] if noisy else [])))
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
        rows.append(
            (
                analysis["input_words"][path],
                Cell(setting(low), low),
                Cell(setting(high), high),
                Cell(setting(at), at),
            )
        )
    yield Table(
        f"worst-{k + 1}",
        f"Where the {analysis['worst']} {analysis['label']} was found",
        ("Input", "From", "To", "Least favourable"),
        plain(rows),
    )


SENTENCES = {"thresholds": _threshold, "worst_case": _worst}
"""Kinds whose answer is words; they stand in ``results.json`` too."""

PARAGRAPHS = {
    "tornado": _tornado,
    "grids": _grid,
    "priors": _priors,
    "thresholds": _sentences,
    "worst_case": _sentences,
}
TABLES = {
    "tornado": _tornado_tables,
    "grids": _grid_tables,
    "priors": _prior_tables,
    "thresholds": _threshold_tables,
    "worst_case": _worst_tables,
}
