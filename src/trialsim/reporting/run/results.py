"""The tables of the page on the cases, the inputs and the operating characteristics.

Every table is built from results.json, and every number in it carries the number behind it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from trialsim.quantities import per
from trialsim.reporting.operating import table
from trialsim.reporting.run.methods import more_rates, why_this_case
from trialsim.reporting.run.tables import operating_characteristics as characteristics
from trialsim.reporting.sentences import drift_words
from trialsim.running.content import Document
from trialsim.running.inputs import origin_words, value_words
from trialsim.running.plain import held, is_shown
from trialsim.writing.numbers import Cell, rates
from trialsim.writing.report import Group, Table, plain


def cases(doc: Document) -> Table:
    """One row a case: why it is there, and its further rates."""
    rows = [
        (Cell(name), Cell(why_this_case(doc, name)), Cell(more_rates(doc, name))) for name in doc["cases"]
    ]
    note = "Response and toxicity rates stand above the results of each case"
    if any(case["truth"]["strata"] for case in doc["cases"].values()):
        note += ", those of strata below"
    return Table(
        "cases",
        "Why each case is there",
        ("Case", "Why", "Further rates"),
        plain(rows),
        (f"{note}; where each rate comes from stands in the table of inputs.",),
        words=(1, 2),
    )


# -- inputs


def assumptions(doc: Document) -> Table:
    """Every input, its value and where it comes from, by block of the scenario."""
    groups: dict[str, list[tuple[Cell, ...]]] = {}
    for row in doc["inputs"]:
        block, _, rest = row["path"].partition(".")
        name = rest or block
        if block == "truth":
            case, _, name = rest.partition(".")
            block = f"truth.{case}"
        number = (
            row["value"]
            if isinstance(row["value"], int | float) and not isinstance(row["value"], bool)
            else None
        )
        groups.setdefault(block, []).append(
            (Cell(name), Cell(value_words(row["value"]), number), Cell(origin_words(row)))
        )
    for block, found in groups.items():
        groups[block] = list(_once(found))
    return Table(
        "inputs",
        "Every input and where it comes from",
        ("Input", "Value", "Source"),
        tuple(Group(_block_words(block), tuple(rows)) for block, rows in groups.items()),
        words=(1, 2),
    )


def _once(rows: Sequence[tuple[Cell, ...]]) -> Iterator[tuple[Cell, ...]]:
    """Rows whose last cell repeats the one above, with that cell standing for all of them."""
    for k, row in enumerate(rows):
        *first, last = row
        if k and rows[k - 1][-1].text == last.text:
            yield (*first, replace(last, rows=0))
        else:
            same = itertools.takewhile(lambda other, text=last.text: other[-1].text == text, rows[k:])  # type: ignore[misc]
            yield (*first, replace(last, rows=len(list(same))))


def _block_words(block: str) -> str:
    kind, _, case = block.partition(".")
    if kind == "truth":
        return f"Truth, case {case}"
    if kind.startswith("related_trials["):
        return f"Related trial {int(kind.partition('[')[2].rstrip(']')) + 1}"
    return kind.replace("_", " ").capitalize()


# -- operating characteristics


def operating_characteristics(doc: Document, name: str) -> Table:
    """Exact and simulated numbers of one case."""
    case = doc["cases"][name]
    rows = [
        row
        for row in characteristics(doc)
        if row["case"] == name and is_shown(row["quantity"], doc) and per(row["quantity"]) != "cohort"
    ]
    notes = (
        [f"No exact answer: {case['not_exact']}."] if case["not_exact"] and not case.get("at_once") else []
    )
    notes += [f"Note of the scenario: {case['truth']['note']}."] if case["truth"]["note"] else []
    truth = [f"response {rates(case['truth']['response'])}"]
    if case["truth"]["toxicity"] is not None:
        truth.append(f"toxicity {rates(case['truth']['toxicity'])}")
    if case["truth"]["odds_ratio"] != 1:
        truth.append(f"odds ratio {case['truth']['odds_ratio']:g}")
    if drift := case["truth"]["drift"]:
        truth.append(f"the response rate {drift_words(**drift)}")
    caption = f"Operating characteristics if “{name}” is true ({', '.join(truth)})"
    return table(
        f"oc-{list(doc['cases']).index(name) + 1}", caption, rows, held(case)["disagreements"], notes
    )
