"""Patients of a trial under way, from a CSV file, an Excel workbook or a pandas frame.

Nothing is guessed: what does not say in one way what the protocol asks is a fault, and all faults are found at once. Of
a patient the id is kept, and what the columns named here say; no other column is read or handed on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from trialsim.errors import DesignError
from trialsim.ongoing.asked import Asked, levels_by_name
from trialsim.ongoing.columns import a_day, beyond, cells_of, placed
from trialsim.ongoing.faults import Fault, PatientsError
from trialsim.ongoing.order import odd_in_order
from trialsim.ongoing.rows import Patient, RowReader
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario
from trialsim.sheets import Sheet, from_frame, is_frame, read_sheet


@dataclass(frozen=True)
class Patients:
    """The patients of a file, in the order of its rows.

    Attributes:
        rows: one a patient.
        file: what it was read from, as messages name it.
        cut_off: the day whose end the trial is looked at.
        extracted: the day the file was made: nothing in it is later.
        warnings: what deserves a look, by row.
        columns: those of ours that the file has.
    """

    rows: tuple[Patient, ...]
    file: str
    cut_off: date
    extracted: date
    warnings: tuple[Fault, ...] = ()
    columns: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Patient]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def read_patients(
    source: Any,
    scenario: Scenario | Compiled,
    *,
    cut_off: date | str,
    extracted: date | str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Patients:
    """The patients of a file or frame, read against a scenario.

    Args:
        source: path of a CSV file or Excel workbook (.xlsx), or a pandas frame (or a table
            that was read already); a row a treated patient.
        scenario: the protocol: its doses, cohorts, visits, confirmation and toxicity window.
        cut_off: the day whose end the trial is looked at, as a date or as 2026-03-31.
        extracted: the day the file was made, the cut-off unless stated; a later date in it is a fault.
        columns: our name of a column -> its name in the file, where they differ.

    Returns:
        The patients, with what deserves a look in ``warnings``.

    Raises:
        PatientsError: the file cannot be used; it has every fault, with row, column and what is allowed.
        DesignError: a day given is none, or the scenario has no rules.
    """
    trial = Compiled.of(scenario)
    to_day = a_day(cut_off, "cut_off")
    made = to_day if extracted is None else a_day(extracted, "extracted")
    file = (
        "the frame" if is_frame(source) else "the file" if isinstance(source, Sheet) else os.fsdecode(source)
    )
    faults: list[Fault] = []
    if to_day > made:
        message = f"{to_day} is after the day the file was made ({made}); an earlier cut-off is allowed"
        raise PatientsError(file, [Fault("cut_off_after_extracted", 0, "", message)])
    asked = Asked.of(trial)
    try:
        sheet = _sheet(source, file)
    except DesignError as error:
        message = str(error).removeprefix(f"{file}: ")
        raise PatientsError(file, [Fault("unreadable", 0, "", message)]) from None
    if not sheet.names:
        message = (
            "the file is empty; a header with the names of the columns comes first, then a row a patient"
        )
        raise PatientsError(file, [Fault("empty", 1, "", message)])
    places, wrong = placed(sheet, columns or {}, asked.needed)
    if wrong:
        raise PatientsError(file, wrong)
    reader = RowReader(asked, levels_by_name(trial.scenario), made)
    rows = tuple(_patients(sheet, places, reader, faults))
    faults += _numbers(rows, sheet, asked, to_day, anything_wrong=any(not f.warning for f in faults))
    if any(not fault.warning for fault in faults):
        raise PatientsError(file, faults)
    faults += odd_in_order(rows, trial)
    warnings = tuple(sorted(faults, key=lambda fault: fault.row))
    return Patients(rows, file, to_day, made, warnings, frozenset(places))


def _sheet(source: Any, file: str) -> Sheet:
    if isinstance(source, Sheet):
        return source
    return from_frame(source) if is_frame(source) else read_sheet(Path(file))


def _patients(
    sheet: Sheet, places: Mapping[str, int], reader: RowReader, faults: list[Fault]
) -> Iterator[Patient]:
    width = len(sheet.names)
    for line, row in sheet.rows:
        if len(row) > width and any(True for _ in beyond(row, width)):
            message = f"{len(row)} cells under {width} headers; a comma within a cell needs quotes around it"
            faults.append(Fault("too_many_cells", line, "", message))
            continue
        patient, wrong = reader.read(line, cells_of(row, places))
        faults += wrong
        if patient is not None:
            yield patient


def _numbers(
    rows: tuple[Patient, ...], sheet: Sheet, asked: Asked, cut_off: date, anything_wrong: bool
) -> Iterator[Fault]:
    if len(sheet.rows) > asked.most:
        message = f"{len(sheet.rows):,} patients; the protocol treats at most {asked.most}"
        yield Fault("too_many_patients", sheet.rows[asked.most][0], "", message)
    if not sheet.rows:
        yield Fault("no_patients", 0, "", "no patient; a row for each treated patient is needed")
    elif not anything_wrong and all(patient.enrolled > cut_off for patient in rows):
        message = f"nobody is enrolled by the cut-off {cut_off}; a later one is needed"
        yield Fault("no_patients", 0, "enrolled", message)
