"""A row of a file of patients: read, and held against what can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from trialsim.ongoing.asked import Asked, cohort_called, dose_called
from trialsim.ongoing.columns import DATES, WORDS, day, shown, wrong_id
from trialsim.ongoing.faults import Fault

SOON = 28
"""Days from first sight to confirmation at least, by RECIST."""

NEAR_VISIT = 14
"""Days off a visit beyond which a first sight is asked about."""

KEPT = {"response": "response_date", "toxicity": "toxicity_date"}


@dataclass(frozen=True, slots=True)
class Patient:
    """What the file says of a treated patient, up to the day it was made.

    Attributes:
        id, row: as the file has them.
        enrolled: day of the first dose.
        level: dose level of the first dose, 0 for the starting dose.
        cohort: "" where the scenario has none, or the file does not say.
        evaluable: False: not evaluable; None: pending, or not stated.
        response: None: pending. ``response_date`` is the day a response was first seen, the day it was known that
            there is none, or the day it was known that she is not evaluable.
        toxicity: None: pending. False says "none so far" until the window has ended.
    """

    id: str
    row: int
    enrolled: date
    level: int = 0
    cohort: str = ""
    evaluable: bool | None = None
    response: bool | None = None
    response_date: date | None = None
    confirmed_date: date | None = None
    toxicity: bool | None = None
    toxicity_date: date | None = None
    off_treatment: date | None = None


class RowReader:
    """Reads the rows of one file, one after another: it remembers the ids."""

    def __init__(self, asked: Asked, levels: dict[str, int], extracted: date) -> None:
        self.asked = asked
        self.levels = levels
        self.extracted = extracted
        self.row_of: dict[str, int] = {}
        self._cells: Mapping[str, Any] = {}
        self._row = 0
        self._faults: list[Fault] = []

    def read(self, row: int, cells: Mapping[str, Any]) -> tuple[Patient | None, list[Fault]]:
        """The patient of a row and its warnings; or None and everything that is wrong with it."""
        self._cells, self._row, self._faults = cells, row, []
        name = self._id()
        words = {column: self._word(column) for column in ("evaluable", "response", "toxicity")}
        dates, unusable = self._dates()
        level, cohort = self._level(), self._cohort()
        self._order(dates)
        self._outcome(words, dates, unusable)
        self._toxicity(words, dates, unusable)
        if self._faults:
            return None, self._faults
        if self.asked.arms:
            cohort = self.asked.arms[level]
        enrolled = dates["enrolled"]
        assert enrolled is not None
        patient = Patient(
            name, row, enrolled, level, cohort,
            *(words["evaluable"], words["response"], dates["response_date"], dates["confirmed_date"]),
            *(words["toxicity"], dates["toxicity_date"], dates["off_treatment"]),
        )  # fmt: skip
        self._look_at(patient)
        return patient, self._faults

    def _fault(self, code: str, column: str, message: str) -> None:
        self._faults.append(Fault(code, self._row, column, message))

    def _warn(self, code: str, column: str, message: str) -> None:
        self._faults.append(Fault(f"warning_{code}", self._row, column, message, warning=True))

    # -- cells

    def _id(self) -> str:
        cell = str(self._cells["id"])
        if not cell:
            self._fault("empty_id", "id", "no id; each patient needs one of her own")
        elif wrong := wrong_id(cell):
            self._fault("bad_id", "id", f"`{shown(cell)}` {wrong}")
        elif (first := self.row_of.setdefault(cell, self._row)) != self._row:
            self._fault("duplicate_id", "id", f"`{cell}` is on row {first} as well; each id is allowed once")
        return cell

    def _word(self, column: str) -> bool | None:
        cell = str(self._cells.get(column, ""))
        word = cell.lower() or "pending"
        if word not in WORDS:
            self._fault("unknown_word", column, f"`{shown(cell)}` is not allowed; write yes, no or pending")
        return WORDS.get(word)

    def _dates(self) -> tuple[dict[str, date | None], set[str]]:
        """The days of a row; and the columns whose cell states one that cannot be used."""
        found: dict[str, date | None] = dict.fromkeys(DATES)
        unusable = set()
        for column in DATES:
            if not (cell := self._cells.get(column, "")):
                continue
            try:
                found[column] = date_ = day(cell, column)
            except ValueError as error:
                self._fault("bad_date", column, str(error))
                unusable.add(column)
                continue
            if date_ > self.extracted:
                late = f"{date_} is after the day the file was made ({self.extracted}); until then is allowed"
                self._fault("future_date", column, late)
                found[column] = None
                unusable.add(column)
        if found["enrolled"] is None and "enrolled" not in unusable:
            self._fault("bad_date", "enrolled", "no day; the day of the first dose is needed")
        return found, unusable

    def _level(self) -> int:
        if not self.asked.doses:
            return 0
        cell = str(self._cells.get("dose", ""))
        if not cell and len(self.asked.doses) == 1:
            return 0
        level = dose_called(cell, self.levels)
        if level is None:
            said = f"`{shown(cell)}` is none of the doses" if cell else "no dose"
            self._fault("unknown_dose", "dose", f"{said}; allowed: {', '.join(self.asked.doses)}")
        return level or 0

    def _cohort(self) -> str:
        if not self.asked.cohorts:
            return ""
        cell = str(self._cells.get("cohort", ""))
        if not cell and "cohort" not in self.asked.needed:
            return ""
        cohort = cohort_called(cell, self.asked.cohorts)
        if cohort is None:
            said = f"`{shown(cell)}` is none of the cohorts" if cell else "no cohort"
            allowed = ", ".join(dict.fromkeys(self.asked.cohorts.values()))
            self._fault("unknown_cohort", "cohort", f"{said}; allowed: {allowed}")
        return cohort or ""

    # -- what cannot be

    def _order(self, dates: Mapping[str, date | None]) -> None:
        enrolled = dates["enrolled"]
        for column in DATES[1:]:
            date_ = dates[column]
            if enrolled is not None and date_ is not None and date_ < enrolled:
                before = f"{date_} is before enrolment ({enrolled}); from that day on is allowed"
                self._fault("before_enrolment", column, before)

    def _outcome(
        self, words: Mapping[str, bool | None], dates: Mapping[str, date | None], unusable: set[str]
    ) -> None:
        if any(fault.column in ("evaluable", "response") for fault in self._faults):
            return
        response, inevaluable = words["response"], words["evaluable"] is False
        undated = dates["response_date"] is None and "response_date" not in unusable
        confirmed, seen = dates["confirmed_date"], dates["response_date"]
        if inevaluable and response:
            self._fault(
                "response_though_inevaluable",
                "response",
                "yes, though evaluable is no; a patient who is not evaluable has no response: no or pending",
            )
            return
        if inevaluable and undated:
            self._fault(
                "inevaluable_without_date",
                "response_date",
                "no day, though evaluable is no; the day on which that was known is needed",
            )
        elif response is not None and undated:
            word = "yes" if response else "no"
            self._fault(
                "response_without_date", "response_date", f"no day, though response is {word}; it is needed"
            )
        elif response is None and not inevaluable and seen is not None:
            self._fault(
                "pending_with_date",
                "response_date",
                f"{seen}, though response is pending; leave the day out, or write yes or no",
            )
        if confirmed is not None and not response:
            self._fault(
                "confirmed_without_response",
                "confirmed_date",
                f"{confirmed}, though response is not yes; only a response is confirmed",
            )
        elif confirmed is not None and seen is not None and confirmed < seen:
            self._fault(
                "confirmed_before_response",
                "confirmed_date",
                f"{confirmed} is before the response was seen ({seen}); from that day on is allowed",
            )

    def _toxicity(
        self, words: Mapping[str, bool | None], dates: Mapping[str, date | None], unusable: set[str]
    ) -> None:
        if any(fault.column == "toxicity" for fault in self._faults):
            return
        toxic, onset = words["toxicity"], dates["toxicity_date"]
        if toxic and onset is None and "toxicity_date" not in unusable:
            self._fault(
                "toxicity_without_date",
                "toxicity_date",
                "no day, though toxicity is yes; its onset is needed",
            )
        elif not toxic and onset is not None:
            self._fault(
                "toxicity_date_without_toxicity",
                "toxicity_date",
                f"{onset}, though toxicity is not yes; leave the day out, or write yes",
            )

    # -- what deserves a look

    def _look_at(self, patient: Patient) -> None:
        self._look_at_response(patient)
        self._look_at_toxicity(patient)

    def _look_at_response(self, patient: Patient) -> None:
        asked, since = self.asked, (self.extracted - patient.enrolled).days
        seen, confirmed, off = patient.response_date, patient.confirmed_date, patient.off_treatment
        if "evaluable" in self._cells and patient.response is not None and patient.evaluable is None:
            pending = str(self._cells["evaluable"]).lower() == "pending"
            if pending:
                self._warn(
                    "evaluable_pending",
                    "evaluable",
                    "pending, though response is stated; she counts as evaluable",
                )
        if patient.response and seen is not None:
            after = (seen - patient.enrolled).days
            if asked.visits and min(abs(after - visit) for visit in asked.visits) > NEAR_VISIT:
                visits = ", ".join(map(str, asked.visits))
                self._warn(
                    "response_not_at_visit",
                    "response_date",
                    f"{seen} is day {after}, more than {NEAR_VISIT} days off every visit (days {visits})",
                )
            if off is not None and seen > off:
                self._warn(
                    "response_after_off_treatment",
                    "response_date",
                    f"{seen} is after she went off treatment ({off})",
                )
            if confirmed is not None and not asked.confirmed:
                self._warn(
                    "confirmation_not_in_protocol",
                    "confirmed_date",
                    "the protocol confirms no response; it counts from response_date",
                )
            elif confirmed is not None and (days := (confirmed - seen).days) < SOON:
                self._warn(
                    "confirmed_within_28_days",
                    "confirmed_date",
                    f"{confirmed} is {days} days after the response was first seen; {SOON} or more are usual",
                )
        if (last := awaited_until(patient, asked)) is not None and since > last:
            self._warn(
                "overdue",
                "response",
                f"pending, though known at the latest on {patient.enrolled + timedelta(last)}; ask the site",
            )

    def _look_at_toxicity(self, patient: Patient) -> None:
        asked, since = self.asked, (self.extracted - patient.enrolled).days
        if asked.window is None or asked.window_days is None or "toxicity" not in self._cells:
            return
        end = patient.enrolled + timedelta(asked.window_days)
        if patient.toxicity and patient.toxicity_date is not None:
            onset = (patient.toxicity_date - patient.enrolled).days
            if onset >= asked.window:
                self._warn(
                    "toxicity_beyond_window",
                    "toxicity_date",
                    f"{patient.toxicity_date} is day {onset}, after the window ({float(asked.window):g} days); it "
                    "counts as no toxicity",
                )
        elif patient.toxicity is False and since < asked.window_days:
            self._warn(
                "toxicity_no_inside_window",
                "toxicity",
                f"no, though the window is open until {end}; it is taken as none so far",
            )
        elif patient.toxicity is None and since > asked.window_days:
            self._warn("overdue", "toxicity", f"pending, though its window ended on {end}; ask the site")


def awaited_until(patient: Patient, asked: Asked) -> int | None:
    """Days from enrolment to the last on which a pending response can become known; None: it is known, or no limit."""
    if patient.evaluable is False or patient.response is False:
        return None
    if patient.response and patient.response_date is not None:
        if not asked.confirmed or patient.confirmed_date is not None:
            return None
        return asked.confirmed_by((patient.response_date - patient.enrolled).days)
    return asked.last_chance
