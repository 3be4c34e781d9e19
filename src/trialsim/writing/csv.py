"""Tables as comma-separated text: rows of numbers unrounded, and the tables of a report as they are printed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trialsim.writing.report import Report, Table


def to_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """Comma-separated text with a header; nothing where there is no value.

    ``columns``: default every key in the order in which the rows bring them up.
    """
    rows = list(rows)
    names = columns or tuple(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _field(value) for key, value in row.items()})
    return out.getvalue()


def printed_tables(report: Report) -> dict[str, str]:
    """CSV text by file name: every table of a report as it is printed there, with its number and unrounded values."""
    return {
        f"table_{number:02}_{table.key.replace('-', '_')}.csv": _as_printed(table)
        for number, table in enumerate(report.tables(), start=1)
    }


def _as_printed(table: Table) -> str:
    """A table of the report: the headings of its groups in a column of their own, if there are any."""
    grouped = any(group.title for group in table.groups)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*(["group"] if grouped else []), *(head or "row" for head in table.columns)])
    for group in table.groups:
        above: list[Any] = []
        for row in group.rows:
            # a cell that stands for several rows is written in each of them
            above = [
                above[k] if cell.rows == 0 else (cell.text if cell.value is None else cell.value)
                for k, cell in enumerate(row)
            ]
            writer.writerow(map(_field, [*([group.title] if grouped else []), *above]))
    return out.getvalue()


def _field(value: Any) -> Any:
    """A value as it is written; text that a spreadsheet would run as a formula gets a quote in front."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
