"""Tables as people keep them: CSV as Excel, R and pandas write it, Excel workbooks, and pandas' own frames."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trialsim.errors import DesignError, TrialsimError
from trialsim.given import clip

MISSING = {"", "na", "n/a", "#n/a", "nan", "nat", "<na>", "null", "none", "."}
"""What stands in a cell that says nothing, in any case."""

ENCODINGS = ("utf-8-sig", "cp1252")


@dataclass(frozen=True)
class Sheet:
    """A table with a header.

    Attributes:
        line: of the header, from 1; 0 in a frame.
        names: the headers as they stand.
        rows: line (in a frame the place, from 1) and cells of each row in which anything stands. Cells of a CSV file
            are text; others what the workbook or frame holds. A row may be shorter, or longer, than the header.
    """

    line: int
    names: tuple[str, ...]
    rows: tuple[tuple[int, Sequence[Any]], ...]


def read_sheet(path: Path) -> Sheet:
    """The table of a file: a workbook if it ends in ``.xlsx``, else CSV.

    Raises:
        DesignError: the file is none of these, or cannot be read.
        TrialsimError: a workbook without the package that reads them.
    """
    suffix = path.suffix.lower()
    if suffix in (".xlsx", ".xlsm"):
        return _workbook(path)
    if suffix in (".xls", ".xlsb", ".ods"):
        raise DesignError(f"{path}: files that end in {suffix} are not read; save it as .xlsx or as CSV")
    return read_csv(path)


def read_csv(path: Path) -> Sheet:
    """A CSV file: cells parted by commas, semicolons, tabs or blanks, with or without Excel's ``sep=`` and marks.

    Raises:
        DesignError: it cannot be read, or is no text.
    """
    return csv_sheet(_text(path), str(path))


def csv_sheet(text: str, file: str) -> Sheet:
    """The same from the text of a file, of which messages speak as ``file``."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    # Excel may say first what parts the cells
    told = re.match(r"sep=(.)[^\n]*\n", text)
    text = text[told.end() :] if told else text
    header = next((line for line in text.splitlines() if line.strip()), "")
    mark = told[1] if told else next((mark for mark in "\t;," if mark in header), " ")
    reader = csv.reader(io.StringIO(text), delimiter=mark, skipinitialspace=True)
    try:
        lines = [(line + bool(told), row) for line, row in _numbered(reader) if any(map(str.strip, row))]
    except csv.Error as error:
        raise DesignError(f"{file}: line {reader.line_num}: not a CSV table ({error})") from None
    if not lines:
        return Sheet(1, (), ())
    names = [cell.strip() for cell in lines[0][1]]
    if mark == " " and len(lines) > 1 and len(lines[1][1]) == len(names) + 1:
        names = ["", *names]  # R: row names without a header
    return Sheet(lines[0][0], tuple(names), tuple(lines[1:]))


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line on which it begins: a cell in quotes may run over several."""
    before = 0
    for row in reader:
        yield before + 1, row
        before = reader.line_num


def _text(path: Path) -> str:
    content = _content(path)
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ENCODINGS
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise DesignError(f"{path}: not a text file")


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise DesignError(f"{path}: this is a folder, not a file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise DesignError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    except ValueError:
        raise DesignError(f"{str(path)!r} cannot be the name of a file") from None


def _workbook(path: Path) -> Sheet:
    """The only sheet of a workbook with anything in it; of several the one called ``patients``."""
    content = _content(path)
    try:
        import openpyxl
    except ImportError:
        raise TrialsimError(
            f"{path}: reading Excel files needs the package openpyxl, which is not installed: "
            "pip install 'trialsim[excel]', or save the sheet as CSV"
        ) from None
    try:
        # values as Excel last worked them out, never formulas
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = {sheet.title: _rows(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
    except Exception as error:  # whatever a broken archive or its XML brings up
        raise DesignError(f"{path}: not an Excel workbook ({clip(str(error))})") from None
    filled = {title: rows for title, rows in sheets.items() if rows}
    named = {title: rows for title, rows in filled.items() if title.strip().lower() == "patients"}
    if len(named or filled) > 1:
        raise DesignError(
            f"{path}: several sheets are filled ({', '.join(map(clip, filled))}); call the one meant `patients`"
        )
    for rows in (named or filled).values():
        return Sheet(rows[0][0], tuple(map(_header, rows[0][1])), tuple(rows[1:]))
    return Sheet(1, (), ())


def _rows(rows: Iterator[Sequence[Any]]) -> list[tuple[int, Sequence[Any]]]:
    return [(line, row) for line, row in enumerate(rows, start=1) if any(cell is not None for cell in row)]


def is_frame(value: Any) -> bool:
    """Whether a value is a pandas frame, or something that can be read like one."""
    return hasattr(value, "columns") and hasattr(value, "itertuples")


def from_frame(frame: Any) -> Sheet:
    """The table of a pandas frame; its index is left out."""
    rows = enumerate(frame.itertuples(index=False, name=None), start=1)
    return Sheet(0, tuple(map(_header, frame.columns)), tuple(rows))


def _header(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()
