"""Patients as a folder keeps them, so that their status can be worked out again: ids, dates, outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date
from typing import Any

from trialsim.ongoing.faults import Fault
from trialsim.ongoing.patients import Patients
from trialsim.ongoing.rows import Patient

_DATES = {field.name for field in fields(Patient) if "date" in str(field.type)}


def kept(patients: Patients) -> dict[str, Any]:
    """Patients as plain data."""
    return {
        "file": patients.file,
        "cut_off": patients.cut_off.isoformat(),
        "extracted": patients.extracted.isoformat(),
        "columns": sorted(patients.columns),
        "warnings": [asdict(fault) for fault in patients.warnings],
        "rows": [
            {
                name: value.isoformat() if isinstance(value, date) else value
                for name, value in asdict(patient).items()
            }
            for patient in patients
        ],
    }


def as_kept(plain: Mapping[str, Any]) -> Patients:
    """Patients from plain data."""

    def value(name: str, text: Any) -> Any:
        return date.fromisoformat(text) if name in _DATES and text is not None else text

    rows = (Patient(**{name: value(name, text) for name, text in row.items()}) for row in plain["rows"])
    return Patients(
        tuple(rows),
        plain["file"],
        date.fromisoformat(plain["cut_off"]),
        date.fromisoformat(plain["extracted"]),
        tuple(Fault(**fault) for fault in plain["warnings"]),
        frozenset(plain["columns"]),
    )
