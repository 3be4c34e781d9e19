"""How many patients at each of two doses choose the right one, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialsim.designs.selection import SelectionSizes
from trialsim.reporting.about import MADE_BY
from trialsim.writing.numbers import Cell, count, probability_cell, rate
from trialsim.writing.report import Report, Row, Table, Words, plain, section


def report_of(found: SelectionSizes) -> Report:
    """The sizes found, with what they do."""
    lower = rate(round(found.higher - found.delta, 12))
    rows: list[Row] = []
    for size in found:
        numbers = [Cell(str(number), number) for number in (size.n, 2 * size.n, size.k)]
        chances = [probability_cell(p) for p in (size.pcs_equal, size.pcs_different)]
        rows.append((size.name, *numbers, Cell(f"{size.lambda_:g}", size.lambda_), *chances))
    heads = (
        "",
        "n",
        "Both doses",
        "k",
        "lambda",
        f"PCS, {rate(found.higher)} at both",
        f"PCS, {lower} at the lower",
    )
    notes = [
        "n: patients at each dose. With more than k responses more the higher dose goes forward, else the lower. "
        "lambda: a cut-off of the difference of observed rates that comes to the same."
    ]
    names = {size.name for size in found}
    if "stable" in names:
        notes.append(
            f"first: the smallest n that will do. stable: the smallest from which all up to {found.nmax} will."
        )
    else:
        notes.append(
            f"first: the smallest n that will do. {count(found.nmax, 'patient')} at each dose will not."
        )
    table = Table("designs", "Patients at each of two doses", heads, plain(rows), tuple(notes), words=())
    words = (
        f"The right dose goes forward with probability {found.pcs:g} at least: the lower where both doses respond at "
        f"{rate(found.higher)}, the higher where the lower responds at {lower}. Exact, with every patient evaluable "
        "and no rule to stop early. That a dose works at all is not tested."
    )
    answer = section("answer", "The sizes", Words(words), table)
    return Report(
        f"Two doses at {rate(found.higher)}, {rate(found.delta)} apart: which goes forward",
        "Patients for a randomised comparison of two doses", (answer,), MADE_BY,
    )  # fmt: skip


def document(found: SelectionSizes, _: Sequence[str] = ()) -> dict[str, Any]:
    """``results.json``; every answer's ``kind`` is the command that it answers."""
    return found.to_dict() | {"kind": found.kind, "design_kind": found.design_kind}
