"""Operating characteristics in words: exact and simulated numbers of every case, each with its error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from trialsim.quantities import kind, per
from trialsim.reporting.about import warning
from trialsim.results import OperatingCharacteristics, Results
from trialsim.writing.numbers import NONE, Cell, count, mcse_cell, signed, value_cell
from trialsim.writing.report import Group, Report, Row, Table, Words, section

GROUPS = ("Probabilities", "Expected numbers", "Expected numbers by dose", "Months")

Column = tuple[str, Callable[[Mapping[str, Any]], Cell]]
"""A heading, and the cell that stands under it in the row of a quantity (``OperatingCharacteristics.rows``)."""


def report_of(results: Results) -> Report:
    """The operating characteristics of every case."""
    sections = [
        section(
            f"case-{k}", oc.case, _table(oc, k), Words(oc.not_exact and f"No exact answer: {oc.not_exact}.")
        )
        for k, oc in enumerate(results.cases, start=1)
    ]
    simulated = "nothing simulated"
    if results.replicates is not None:
        simulated = f"{count(results.replicates, 'simulated trial')} a case, seed {results.seed}"
    return Report(
        results.name,
        "Operating characteristics",
        tuple(sections),
        f"trialsim {results.version}",
        warning(results.disagreements),
        (("Numbers", simulated), ("Scenario digest", results.digest)),
    )


def _table(oc: OperatingCharacteristics, number: int) -> Table:
    wrong = (oc.at_once or oc).disagreements
    rows = [row for row in oc.rows() if per(row["quantity"]) != "dose" or len(oc.doses) > 1]
    return table(f"oc-{number}", f"If “{oc.case}” is true", rows, wrong)


def table(
    key: str,
    caption: str,
    rows: Iterable[Mapping[str, Any]],
    wrong: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> Table:
    """Rows of a case as a table; quantities that are zero by design are left out and named.

    ``wrong``: those whose exact and simulated answers disagree.
    """
    rows = list(rows)
    columns = _columns(rows, frozenset(wrong))
    groups: dict[str, list[Row]] = {title: [] for title in GROUPS}
    zero = []
    for row in rows:
        if not any(row.get(key) for key in ("exact", "estimate", "exact_at_once")):
            zero.append(row["label"])
            continue
        groups[_group(row["quantity"])].append((Cell(row["label"]), *(cell(row) for _, cell in columns)))
    told = list(notes)
    if any(head.startswith("At once") for head, _ in columns):
        told.insert(
            0,
            "At once: the same patients in a trial that knows every outcome before the next patient. z holds its two "
            "answers against each other: (simulated − exact) / standard error.",
        )
    if any(head == "Adjusted" for head, _ in columns):
        told.insert(
            1,
            "Adjusted: what was simulated as it runs, corrected by how far those two answers are apart; where there is "
            "none, too few trials differ.",
        )
    if zero:
        told.append(f"Zero and left out: {'; '.join(zero)}.")
    found = tuple(Group(title, of) for title, of in groups.items() if of)
    return Table(key, caption, ("Quantity", *(head for head, _ in columns)), found, tuple(told))


def _group(quantity: str) -> str:
    if kind(quantity) == "probability":
        return GROUPS[0]
    if per(quantity) == "dose":
        return GROUPS[2]
    return GROUPS[3] if kind(quantity) == "months" else GROUPS[1]


def _columns(rows: Iterable[Mapping[str, Any]], wrong: frozenset[str]) -> list[Column]:
    """What there is to show. A z stands beside the two numbers that it compares, and nowhere else."""
    there = {key for row in rows for key, value in row.items() if value is not None}

    def value(key: str) -> Callable[[Mapping[str, Any]], Cell]:
        return lambda row: value_cell(row["quantity"], row.get(key))

    def compared(key: str) -> Callable[[Mapping[str, Any]], Cell]:
        return lambda row: _z(row.get(key), row["quantity"] in wrong)

    drawn: list[Column] = [
        ("Simulated", value("estimate")),
        ("mcse", lambda row: mcse_cell(row["quantity"], row.get("mcse"))),
        ("95% interval", _interval),
    ]
    if "exact_at_once" in there:
        found = drawn if "estimate" in there else []
        twin: list[Column] = [("At once, exact", value("exact_at_once"))]
        if "z_at_once" in there:
            twin += [("At once, simulated", value("estimate_at_once")), ("z", compared("z_at_once"))]
        if "adjusted" in there:
            found = [
                *found,
                ("Adjusted", value("adjusted")),
                ("its mcse", lambda row: mcse_cell(row["quantity"], row.get("adjusted_mcse"))),
            ]
        return [("As it runs", found[0][1]), *found[1:], *twin] if found else twin
    exact: list[Column] = [("Exact", value("exact"))] if "exact" in there else []
    return [
        *exact,
        *(drawn if "estimate" in there else []),
        *([("z", compared("z"))] if "z" in there else []),
    ]


def _interval(row: Mapping[str, Any]) -> Cell:
    if row.get("low") is None:
        return Cell(NONE)
    low, high = (value_cell(row["quantity"], row[end]).text for end in ("low", "high"))
    return Cell(f"{low}–{high}")


def _z(z: float | None, wrong: bool) -> Cell:
    return Cell(signed(z) + (" disagree" if wrong else ""), z, "warn" if wrong else "")
