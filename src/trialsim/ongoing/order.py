"""What is odd in the order of patients: rows out of order, doses that rise, and days on which the order decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from trialsim.ongoing.faults import Fault
from trialsim.ongoing.rows import Patient
from trialsim.scenario.compiled import Compiled


def odd_in_order(rows: Sequence[Patient], trial: Compiled) -> Iterator[Fault]:
    """Warnings that need more than one row; enrolment order is (enrolled, place in the file)."""
    yield from _rows_out_of_order(rows)
    ordered = in_order(rows)
    for arm in _arms(ordered, apart=trial.scenario.own_rules):
        yield from _ties_at_looks(arm, trial)
    for arm in _arms(ordered, apart=trial.scenario.apart):
        if trial.rules.randomise is None:
            yield from _rising_doses(arm, trial)
        yield from _ties_at_boundary(arm, trial)


def in_order(rows: Iterable[Patient]) -> list[Patient]:
    """Patients in enrolment order: by day, then as they stand in the file."""
    return sorted(rows, key=lambda patient: patient.enrolled)


def _arms(ordered: list[Patient], apart: bool) -> list[list[Patient]]:
    if not apart:
        return [ordered]
    return [[p for p in ordered if p.cohort == arm] for arm in dict.fromkeys(p.cohort for p in ordered)]


def _warn(code: str, row: int, column: str, message: str) -> Fault:
    return Fault(f"warning_{code}", row, column, message, warning=True)


def _rows_out_of_order(rows: Sequence[Patient]) -> Iterator[Fault]:
    late = [after for before, after in zip(rows, rows[1:], strict=False) if after.enrolled < before.enrolled]
    if late:
        more = f" (and {len(late) - 1} rows more)" if len(late) > 1 else ""
        yield _warn(
            "not_in_date_order",
            late[0].row,
            "enrolled",
            f"{late[0].enrolled} is before the day of the row above{more}; patients are taken by their day",
        )


def _rising_doses(ordered: list[Patient], trial: Compiled) -> Iterator[Fault]:
    doses = trial.scenario.doses
    for before, after in zip(ordered, ordered[1:], strict=False):
        if after.level < before.level:
            yield _warn(
                "higher_dose_again",
                after.row,
                "dose",
                f"{doses[after.level]}, though the patient before had {doses[before.level]}",
            )


def _ties_at_looks(ordered: list[Patient], trial: Compiled) -> Iterator[Fault]:
    replaced = trial.rules.replaced
    counted = [patient for patient in ordered if not (replaced and patient.evaluable is False)]
    for n in trial.rules.looks.n:
        if n < len(counted) and counted[n - 1].enrolled == counted[n].enrolled:
            yield _warn(
                "tie_at_look",
                counted[n].row,
                "enrolled",
                f"{counted[n].enrolled} is the day of patients {n} and {n + 1} of the look after {n}; the order of the "
                "rows decides who belongs to it",
            )


def _ties_at_boundary(ordered: list[Patient], trial: Compiled) -> Iterator[Fault]:
    for level, boundary in enumerate(trial.rules.monitor.act_ge):
        if all(b > m for m, b in enumerate(boundary)):
            continue  # it never acts
        there = (patient for patient in ordered if patient.level == level)
        for enrolled, tied in groupby(there, key=lambda patient: patient.enrolled):
            together = list(tied)
            if len({patient.toxicity for patient in together}) > 1:
                yield _warn(
                    "tie_at_boundary",
                    together[-1].row,
                    "enrolled",
                    f"{enrolled} is the day of {len(together)} patients at one dose with and without toxicity; the "
                    "order of the rows decides which of them comes first at the boundary",
                )
