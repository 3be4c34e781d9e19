"""What is wrong in a file of patients, all of it at once, and what only deserves a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from trialsim.errors import FileError, Problem

MOST_PRINTED = 100
"""Faults that a message writes out; the others are counted."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong, or odd, in a file of patients.

    Attributes:
        code: what is wrong in a word, such as ``duplicate_id``; those of warnings begin with ``warning_``.
        row: line of the file, from 1; in a frame the place of the row, from 1. 0: the file as such.
        column: our name of the column; "" where it is the whole row.
        message: the value, and what is allowed, in a sentence.
        warning: the file can be used all the same.
    """

    code: str
    row: int
    column: str
    message: str
    warning: bool = False

    def located(self, file: str) -> str:
        """``file:row: column: message [code]``, as every problem of a file is printed."""
        return f"{Problem(self.row, self.column, self.message).located(file)} [{self.code}]"


class PatientsError(FileError):
    """A file of patients that cannot be used; ``faults`` has every fault, and the warnings among them."""

    def __init__(self, file: str, faults: Iterable[Fault]) -> None:
        self.file = file
        self.faults = tuple(sorted(faults, key=lambda fault: fault.row))
        errors = [fault for fault in self.faults if not fault.warning]
        lines = [fault.located(file) for fault in errors[:MOST_PRINTED]]
        if left := errors[MOST_PRINTED:]:
            codes = ", ".join(f"{code} {n:,}" for code, n in Counter(f.code for f in left).most_common())
            lines.append(f"{file}: and {len(left):,} faults more ({codes})")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type, tuple[str, tuple[Fault, ...]]]:
        return type(self), (self.file, self.faults)
