"""A trial under way, from its patients: where it stands, what is due, and what is ahead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

from trialsim.answers import Answer
from trialsim.designs.exactly import decimal
from trialsim.errors import DesignError
from trialsim.given import takes
from trialsim.inference.anytime import Anytime, Test, after_path
from trialsim.ongoing.columns import a_day
from trialsim.ongoing.kept import as_kept, kept
from trialsim.ongoing.known import seen as known_on
from trialsim.ongoing.patients import Patients, read_patients
from trialsim.ongoing.prospects import Prospects, prospects
from trialsim.ongoing.seen import Seen
from trialsim.ongoing.state import State, state
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario

REPLICATES = 2000
"""Rests of the trial that are simulated unless it is said otherwise."""


@dataclass(frozen=True, eq=False, repr=False)
class Status(Answer):
    """Where a trial under way stands at the end of a day.

    Attributes:
        compiled: the scenario, compiled.
        patients: as they were read, with ``warnings``.
        seen: those enrolled by the day, in enrolment order, as known at its end.
        state: what is decided, certain and open, and what the protocol says now.
        prospects: what is ahead; None where that is not worked out.
        no_prospects: why it is not; "" where it is.
        options: what else was asked.
    """

    kind: ClassVar[str] = "status"

    compiled: Compiled
    patients: Patients
    seen: tuple[Seen, ...]
    state: State
    prospects: Prospects | None
    no_prospects: str
    options: Mapping[str, Any]

    @property
    def scenario(self) -> Scenario:
        """The scenario as it is stated."""
        return self.compiled.scenario

    @property
    def name(self) -> str:
        """The trial."""
        return self.scenario.name

    @cached_property
    def evidence_test(self) -> Test | None:
        """The response test that needs no planned look, at .05; None where the design states no p0."""
        p0, p1 = (getattr(self.scenario.design, name, None) for name in ("p0", "p1"))
        if p0 is None:
            return None
        return Test(decimal(p0), None if p1 is None else decimal(p1), Fraction(1, 20))

    @cached_property
    def evidence(self) -> Anytime | None:
        """What it says of all treated patients in enrolment order, inevaluable ones as non-responders."""
        if self.evidence_test is None:
            return None
        outcomes = [
            None if p.responded is None and not p.inevaluable else int(p.responded or 0) for p in self.seen
        ]
        return after_path(self.evidence_test, outcomes)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict a patient, in enrolment order."""
        for patient in self.seen:
            yield {**asdict(patient), "dose": self.scenario.doses[patient.level]}

    def tables(self) -> Mapping[str, Iterable[Mapping[str, Any]]]:
        """Patients, looks, departures from the protocol, and what is ahead."""
        found: dict[str, Iterable[Mapping[str, Any]]] = {
            "patients": list(self.rows()),
            "looks": [asdict(look) for look in self.state.looks],
        }
        if self.state.deviations:
            found["deviations"] = [asdict(each) for each in self.state.deviations]
        if self.prospects is not None:
            found["p_go"] = [asdict(chance) for chance in self.prospects.chances]
            found["forecast"] = list(self.prospects.rows())
        return {name: rows for name, rows in found.items() if rows}

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        ahead = self.prospects
        whole = asdict(self.state)
        whole["decided"] = whole.pop("course")["decided"]
        found = {
            "name": self.name,
            "state": whole,
            "patients": [asdict(patient) for patient in self.seen],
            "warnings": [asdict(fault) for fault in self.patients.warnings],
            "prospects": None if ahead is None else ahead.to_dict(),
            "no_prospects": self.no_prospects,
            "evidence": self.evidence and self.evidence.to_dict(),
        }
        plain: dict[str, Any] = _plain(found)
        return plain

    def asked(self) -> dict[str, Any]:
        """What works the same answer out again, beside the scenario."""
        return {**self.options, "patients": kept(self.patients)}


def _plain(value: Any) -> Any:
    """Dates as text, tuples as lists, keys as text."""
    match value:
        case date():
            return value.isoformat()
        case dict():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
    return value


@takes
def status(
    scenario: Scenario,
    patients: Any,
    *,
    on: date | str,
    extracted: date | str | None = None,
    opened: date | str | None = None,
    columns: Mapping[str, str] | None = None,
    prior: tuple[float, float] = (0.5, 0.5),
    replicates: int = REPLICATES,
    seed: int | None = None,
    forecast: bool = True,
    went_on_anyway: bool = False,
    jobs: int | None = None,
) -> Status:
    """Where a trial under way stands at the end of a day, from its patients (docs/running-trial.md).

    Args:
        scenario: the protocol, and the cases under which what is ahead is worked out.
        patients: path of a CSV file or Excel workbook, or a pandas frame; a row a treated patient.
        on: the day whose end is looked at, as a date or as 2026-03-31.
        extracted: the day the file was made; what was not known yet at the end of ``on`` is rolled back.
        opened: the day accrual opened; None: time runs from the first patient.
        columns: our name of a column -> its name in the file, where they differ.
        prior: Beta prior of the response rate.
        replicates: simulated rests of the trial, by the posterior and in each case.
        seed: of the forecast; default the scenario's.
        forecast: simulate the rest of the trial.
        went_on_anyway: forecast a trial that the protocol has ended.
        jobs: threads.

    Returns:
        The status; it prints as one page.

    Raises:
        PatientsError: the file cannot be used; it has every fault, with row, column and what is allowed.
        DesignError: a day is none, or patients are told apart in a way that their list does not say.

    Examples:
        >>> import pandas as pd
        >>> scenario = trialsim.load(trialsim.examples("dasatinib"))
        >>> frame = pd.DataFrame({"id": ["1", "2"], "enrolled": ["2026-01-05", "2026-01-19"], "dose": ["100", "100"]})
        >>> for column in ("response", "response_date", "confirmed_date", "toxicity", "toxicity_date"):
        ...     frame[column] = ""
        >>> found = trialsim.status(scenario, frame, on="2026-02-01", forecast=False)
        >>> found.state.treated, found.state.pending, found.state.now.says
        (2, 2, 'enrol')
    """
    trial = Compiled.of(scenario)
    if isinstance(patients, dict):
        read = as_kept(patients)
    else:
        made = None if extracted is None else a_day(extracted, "extracted")
        read = read_patients(patients, trial, cut_off=a_day(on, "on"), extracted=made, columns=columns)
    day = None if opened is None else a_day(opened, "opened")
    if day is not None and day > min(patient.enrolled for patient in read):
        raise DesignError(f"opened: {day} is after the first patient was enrolled")
    if min(prior) <= 0:
        raise DesignError("prior: both parameters of a Beta distribution are more than 0")
    seen = known_on(read, trial)
    found = state(trial, seen, read.cut_off, day)
    ahead: Prospects | None = None
    why = ""
    try:
        ahead = prospects(
            trial,
            seen,
            found,
            prior=(float(prior[0]), float(prior[1])),
            opened=day,
            forecasts=forecast,
            went_on_anyway=went_on_anyway,
            replicates=replicates,
            seed=scenario.simulation.seed if seed is None else seed,
            jobs=jobs or 2,
        )
    except DesignError as error:
        why = str(error)
    options = {
        "on": read.cut_off.isoformat(),
        "opened": None if day is None else day.isoformat(),
        "prior": list(prior),
        "replicates": replicates,
        "seed": seed,
        "forecast": forecast,
        "went_on_anyway": went_on_anyway,
    }
    return Status(trial, read, tuple(seen), found, ahead, why, options)
