"""Tables as comma-separated text: rows of numbers unrounded, and the tables of a report as they are printed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trialsim.results import csv_field
from trialsim.writing.report import Report, Table

if TYPE_CHECKING:
    import pandas as pd


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
        writer.writerow({key: csv_field(value) for key, value in row.items()})
    return out.getvalue()


def frame_to_csv(frame: pd.DataFrame) -> str:
    """As ``to_csv``, of a pandas table; its index is left out."""
    return to_csv(
        (dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False, name=None)),
        [str(name) for name in frame.columns],
    )


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
            writer.writerow(map(csv_field, [*([group.title] if grouped else []), *above]))
    return out.getvalue()
