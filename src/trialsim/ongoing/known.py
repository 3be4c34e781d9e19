"""What is known of each patient at the end of a day: a fact is known from its date on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from trialsim.errors import DesignError
from trialsim.ongoing.asked import Asked, toxicity_matters
from trialsim.ongoing.columns import a_day
from trialsim.ongoing.order import in_order
from trialsim.ongoing.patients import Patients
from trialsim.ongoing.rows import Patient, awaited_until
from trialsim.ongoing.seen import Seen
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario


def seen(patients: Patients, scenario: Scenario | Compiled, day: date | str | None = None) -> list[Seen]:
    """The patients enrolled by the end of a day, in enrolment order, with what is known of them then.

    Facts dated after the day are rolled back, so that a file replays its own history. Without a ``conduct`` block no
    response is confirmed and none is overdue, and the absence of toxicity is never known, for no window ends.

    Args:
        patients: as ``read_patients`` gives them.
        scenario: the protocol they were read against.
        day: the day, the cut-off unless stated.

    Raises:
        DesignError: the day is after the file was made; or a rule counts toxicities, and the scenario has no window.
    """
    trial = Compiled.of(scenario)
    at = patients.cut_off if day is None else a_day(day, "day")
    if at > patients.extracted:
        raise DesignError(f"{at} is after the day the file was made ({patients.extracted})")
    asked = Asked.of(trial)
    if asked.window is None and toxicity_matters(trial):
        raise DesignError(
            "conduct.toxicity_window_weeks: missing: the toxicity rule counts patients free of toxicity, who are known "
            "only at the end of the window"
        )
    states_toxicity = "toxicity" in patients.columns
    ordered = in_order(patient for patient in patients if patient.enrolled <= at)
    return [_seen(rolled_back(patient, at), asked, at, states_toxicity) for patient in ordered]


def rolled_back(patient: Patient, at: date) -> Patient:
    """A patient without the facts that are dated after a day."""

    def by(day: date | None) -> date | None:
        return day if day is not None and day <= at else None

    known = replace(
        patient,
        response_date=by(patient.response_date),
        confirmed_date=by(patient.confirmed_date),
        toxicity_date=by(patient.toxicity_date),
        off_treatment=by(patient.off_treatment),
    )
    if patient.response_date is not None and known.response_date is None:
        known = replace(known, response=None, evaluable=None)
    return known


def _seen(patient: Patient, asked: Asked, at: date, states_toxicity: bool) -> Seen:
    since = (at - patient.enrolled).days
    inevaluable = patient.evaluable is False
    unconfirmed = bool(patient.response) and asked.confirmed and patient.confirmed_date is None
    known = inevaluable or (patient.response is not None and not unconfirmed)
    counts_from = patient.confirmed_date if patient.response and asked.confirmed else patient.response_date
    responded = (None if asked.replaced else False) if inevaluable else patient.response if known else None
    last = None if known else awaited_until(patient, asked)
    toxic, toxicity_known = _toxicity(patient, asked, since)
    end = asked.window_days
    return Seen(
        patient.id,
        patient.row,
        patient.enrolled,
        patient.level,
        patient.cohort,
        responded,
        counts_from if known else None,
        inevaluable,
        patient.response_date if unconfirmed else None,
        toxic,
        toxicity_known,
        response_overdue=last is not None and since > last,
        toxicity_overdue=states_toxicity and toxic is None and end is not None and since > end,
        off_treatment=patient.off_treatment,
        sighted=patient.response_date if patient.response else None,
    )


def _toxicity(patient: Patient, asked: Asked, since: int) -> tuple[bool | None, date | None]:
    """Whether a patient had toxicity within the window, and the day from which that is known."""
    if patient.toxicity and patient.toxicity_date is not None:
        onset = (patient.toxicity_date - patient.enrolled).days
        if asked.window is None or onset < asked.window:
            return True, patient.toxicity_date
    end = asked.window_days
    if end is None or since < end or patient.toxicity is None:
        return None, None  # until the window has ended "no" says none so far
    return False, patient.enrolled + timedelta(end)
