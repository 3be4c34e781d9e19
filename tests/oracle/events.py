"""A trial in calendar time, event by event: what the finished trial leaves behind, and what that amounts to.

The trial itself is lived in ``events_office`` and its patients in ``events_patient``; all from docs/conduct.md alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.oracle.events_office import Arm, Trial
from tests.oracle.events_patient import Patient
from trialsim.codes import (
    ACCRUAL,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILITY,
    GO_EARLY,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.designs.rules import Rules
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.tables import NEW_DOSE_ONLY, Calendar

Row = list[int]
MONTH = 31168
WENT = (GO_EARLY, FINAL_GO)

ORDER = (FINAL_GO, GO_EARLY, FINAL_CONSIDER, TOXICITY_AT_N, TOXICITY, FINAL_NO_GO, ACCRUAL, FUTILITY)
"""The trial's end is the first of these that an arm has."""


class Outcome(NamedTuple):
    """A finished trial: its row of whole numbers, and its treated patients in enrolment order."""

    row: list[int]
    patients: list[dict[str, int]]


def go_among_evaluable(trial: Trial, arm: Arm) -> bool:
    """Whether the arm would have been a go with its inevaluable patients left out."""
    if arm.end in (FINAL_GO, FINAL_NO_GO, FINAL_CONSIDER):
        if trial.rules.replaced or trial.calendar.after_change == NEW_DOSE_ONLY:
            return arm.end == FINAL_GO
        evaluable = [p for p in arm.patients[: trial.final_n(arm)] if p.evaluable]
        return sum(p.response for p in evaluable) >= int(trial.calendar.attained_ge[len(evaluable)])
    return arm.end == GO_EARLY


def counts(patients: Sequence[Patient], *names: str) -> list[int]:
    """How many patients, and the sums of the named fields."""
    return [len(patients), *(sum(getattr(p, name) for p in patients) for name in names)]


def as_fields(patient: Patient) -> dict[str, int]:
    return {name: int(getattr(patient, name)) for name in column.PATIENT_FIELDS}


def report(trial: Trial) -> Outcome:
    """The row and the patients, in the layout of ``conduct_columns``."""
    calendar, everyone = trial.calendar, trial.patients
    late: list[Patient] = []
    for arm in trial.arms:
        if arm.last_needed is not None:
            late += [p for p in arm.everyone if p.number > arm.last_needed.number]
    for patient in late:
        patient.reported = not calendar.exclude
    reported = [p for p in everyone if p.reported]
    lower = [] if trial.from_start else [p.number for p in everyone if p.level > 0]

    first, decided = everyone[0].arrival, max(arm.decided for arm in trial.arms)
    last = max(decided, *(max(p.known, p.toxicity_known) for p in everyone))
    accrual_end = max(arm.patients[-1].arrival if trial.complete(arm) else arm.decided for arm in trial.arms)
    still_closed = [] if trial.closed_since is None else [(trial.closed_since, trial.now)]
    closures = [(max(a, first), min(b, accrual_end)) for a, b in trial.closures + still_closed]

    row = [0] * column.LEVELS
    row[column.END] = min((arm.end for arm in trial.arms if arm.end is not None), key=ORDER.index)
    row[column.N] = len(reported)
    row[column.EVALUABLE] = sum(p.evaluable for p in reported)
    row[column.REDUCED_AFTER] = lower[0] - 1 if lower else 0
    row[column.TRIGGERED] = int(bool(trial.triggered))
    row[column.TREATED] = len(everyone)
    row[column.OVERRUN] = len(late)
    row[column.SCREENED] = len(everyone) + sum(p.screening_failures for p in everyone)
    row[column.CONTROLLED] = sum(p.controlled for p in reported)
    row[column.SERIOUS_N] = sum(p.serious for p in reported)
    row[column.DURATION] = last - first
    row[column.PAUSED] = sum(max(0, b - a) for a, b in closures)
    row[column.WAITING] = last - accrual_end
    row[column.TRIGGERED_AT] = max(0, trial.triggered_at - first) if trial.triggered else 0
    row[column.DECIDED_AT] = decided - first
    row[column.REDUCED_N] = sum(p.reductions > 0 for p in reported)
    row[column.OFF_N] = sum(p.off for p in reported)
    row[column.INTENSITY] = sum(p.intensity for p in reported)
    row[column.GO_EVALUABLE] = int(any(go_among_evaluable(trial, arm) for arm in trial.arms))
    for level in range(trial.rules.levels):
        row += counts([p for p in reported if p.level == level], "response", "toxic")
    for cohort in range(calendar.cohorts):
        members = [p for p in reported if calendar.cohort_of[p.stratum] == cohort]
        row += [
            (trial.arms[cohort].end or 0) if calendar.own else 0,
            *counts(members, "evaluable", "response"),
        ]
    if trial.rules.randomise is not None and not trial.from_start:
        since = len(everyone) - len(trial.allocated)
        row += counts([p for p in reported if p.level == 0 and p.number > since], "response", "toxic")
    return Outcome(row, [as_fields(p) for p in everyone])


def simulate(
    rules: Rules, calendar: Calendar, thresholds: Any, seed: int, replicate: int, *, daily: bool = False
) -> Outcome:
    """One trial in calendar time; thresholds by level, stratum and RESPONSE..TOXIC of ``tables``.

    Where rates drift: by level, then strata of the first patient (or ``daily`` of the first day), of the second, ...
    """
    trial = Trial(rules, calendar, thresholds, seed, replicate, daily=daily)
    trial.run()
    return report(trial)


def cohort(row: Row, levels: int, number: int) -> Row:
    """End, patients, evaluable patients and responses of a cohort."""
    first = column.LEVELS + 3 * levels + 4 * (number - 1)
    return row[first : first + 4]


def level(row: Row, first: int, number: int) -> Row:
    """Patients, responses and toxicities of a dose."""
    return row[first + 3 * (number - 1) :][:3]


def goes(row: Row, levels: int, cohorts: int) -> list[bool]:
    return [cohort(row, levels, c + 1)[0] in WENT for c in range(cohorts)]


def of_trial(name: str, row: Row, levels: int, cohorts: int | None, false_go: int) -> float | None:
    """An operating characteristic in one trial, by its row; None where the trial does not count.

    ``cohorts`` is None in a trial without a calendar; ``false_go`` is the set of cohorts in which a go is false.
    """
    first = 5 if cohorts is None else column.LEVELS
    ends = {
        "p_go": WENT,
        "p_no_go": (FINAL_NO_GO, ACCRUAL),
        "p_consider": (FINAL_CONSIDER,),
        "pet": (FUTILITY, TOXICITY, GO_EARLY),
        "p_stop_futility": (FUTILITY,),
        "p_stop_toxicity": (TOXICITY,),
        "p_go_early": (GO_EARLY,),
        "p_stop_toxicity_at_n": (TOXICITY_AT_N,),
    }
    columns = {
        "p_dose_reduction_triggered": column.TRIGGERED,
        "en": column.N,
        "en_evaluable": column.EVALUABLE,
        "p_go_evaluable": column.GO_EVALUABLE,
        "treated": column.TREATED,
        "overrun": column.OVERRUN,
        "screened": column.SCREENED,
        "disease_control": column.CONTROLLED,
        "serious": column.SERIOUS_N,
        "patients_reduced": column.REDUCED_N,
        "patients_off": column.OFF_N,
    }
    months = {
        "duration_months": column.DURATION,
        "paused_months": column.PAUSED,
        "waiting_months": column.WAITING,
        "decision_months": column.DECIDED_AT,
    }
    more: dict[str, Callable[[], float | None]] = {
        "p_dose_reduced": lambda: row[column.REDUCED_AFTER] > 0,
        "responses": lambda: sum(level(row, first, k + 1)[1] for k in range(levels)),
        "toxicities": lambda: sum(level(row, first, k + 1)[2] for k in range(levels)),
        "p_go_all": lambda: all(goes(row, levels, cohorts or 0)),
        "p_false_go": lambda: any(
            went and false_go >> c & 1 for c, went in enumerate(goes(row, levels, cohorts or 0))
        ),
        "relative_dose_intensity": lambda: row[column.INTENSITY] // row[column.N] / 65536,
        "accruing_months": lambda: (row[column.DURATION] - row[column.PAUSED] - row[column.WAITING]) / MONTH,
        "trigger_months": lambda: row[column.TRIGGERED_AT] / MONTH if row[column.TRIGGERED] else None,
    }
    if name in ends:
        return row[column.END] in ends[name]
    if name in columns:
        return row[columns[name]]
    if name in months:
        return row[months[name]] / MONTH
    if name in more:
        return more[name]()
    what, per, number = name.split("_")[-3:] if name.startswith("p_go") else name.split("_")
    if per == "dose":
        return level(row, first, int(number))[["patients", "responses", "toxicities"].index(what)]
    assert per == "cohort"
    own = cohort(row, levels, int(number))
    return own[0] in WENT if what == "go" else own[["end", "patients", "evaluable", "responses"].index(what)]
