"""One simulated trial, patient by patient: who was treated when, what was seen, and what the trial did about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from trialsim.answers import Answer
from trialsim.codes import (
    ACCRUAL,
    CONSIDER,
    DAYS_PER_MONTH,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILE,
    FUTILITY,
    GO,
    GO_EARLY,
    NEVER,
    POOLED,
    TICKS_PER_DAY,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.engine.single_trials import Columns, columns_of_patients, treated
from trialsim.engine.timed import Timed
from trialsim.engine.trials import Key
from trialsim.errors import TrialsimError
from trialsim.given import takes
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import patient as field
from trialsim.kernels.streams import GROUP_COURSE, MAX_REPLICATES, stream_key
from trialsim.kernels.tables import EARLY_DECISION, SWITCH, Int32, Int64
from trialsim.results import digits12
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import rules_by_dose
from trialsim.scenario.model import Scenario
from trialsim.scenario.words import meant

END_WORDS = {
    FUTILITY: "stopped early for futility",
    TOXICITY: "stopped early for toxicity",
    GO_EARLY: "go at an interim look",
    FINAL_NO_GO: "no go at the final look",
    FINAL_GO: "go at the final look",
    FINAL_CONSIDER: "consider at the final look",
    TOXICITY_AT_N: "stopped for toxicity at the last patient",
    ACCRUAL: "no go, for want of evaluable patients",
}
"""How a trial ended, in words."""

LOOK_WORDS = {FUTILE: "no go", GO: "go", CONSIDER: "consider"}


class Event(NamedTuple):
    """What happened to the trial: the day since the first patient started (None without a calendar), in words."""

    day: float | None
    what: str


class Course(NamedTuple):
    """A stretch of treatment at one dose: the days it began and ended, and the dose level from 0."""

    begin: float
    end: float
    level: int


@dataclass(frozen=True, repr=False)
class Trace(Answer):
    """One simulated trial, patient by patient.

    Attributes:
        scenario, case, trial, seed: which trial: number ``trial`` (from 1) that a run with this seed simulates.
        doses: dose levels, starting dose first.
        dated: whether the trial ran in calendar time; else outcomes were known at once and there are no days.
        end: how it ended, in words.
        patients: a row a treated patient in order of enrolment (``columns_of_patients``).
        events: what happened to the trial, in order of time.
        courses: the treatment of each patient by dose; empty without a calendar.
        triggered_day, decided_day, last_day: trigger of the first dose reduction (None: there was none), decision that
            ended the trial and last outcome, in days since the first patient started; None without a calendar.
        row: the trial as the kernels count it (``kernels.conduct_columns``).
    """

    kind: ClassVar[str] = "trace"

    scenario: str
    case: str
    trial: int
    seed: int
    doses: tuple[str, ...]
    dated: bool
    end: str
    patients: tuple[dict[str, Any], ...]
    events: tuple[Event, ...]
    courses: tuple[tuple[Course, ...], ...]
    triggered_day: float | None
    decided_day: float | None
    last_day: float | None
    row: tuple[int, ...]

    @property
    def called(self) -> str:
        """Which trial it is."""
        return f"{self.case}, trial {self.trial}, seed {self.seed}"

    def rows(self) -> list[dict[str, Any]]:
        """One dict a patient; days count from the start of the first patient."""
        return list(self.patients)

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Patients, events and courses of treatment."""
        courses = [
            {"patient": i, "begin_day": begin, "end_day": end, "dose": self.doses[level]}
            for i, each in enumerate(self.courses, start=1)
            for begin, end, level in each
        ]
        found = {
            "patients": self.rows(),
            "events": [{"day": day, "what": what} for day, what in self.events],
            "courses": courses,
        }
        return {name: rows for name, rows in found.items() if rows}

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        about = ("scenario", "case", "trial", "seed", "doses", "end")
        days = ("triggered_day", "decided_day", "last_day")
        told = {key: getattr(self, key) for key in (*about, *days)}
        plain: dict[str, Any] = digits12(told | self.tables())
        return plain


@takes
def trace(
    scenario: Scenario | Compiled, case: str | None = None, trial: int = 1, seed: int | None = None
) -> Trace:
    """Trial number ``trial`` (from 1) of a case, the very one that a run with the same seed simulates.

    Args:
        scenario: a scenario, or the path of its file.
        case: name of the case; default the first.
        trial: its number in the run.
        seed: default the scenario's.

    Returns:
        The trial: its patients, events and courses of treatment.

    Raises:
        TrialsimError: there is no such case, trial or seed.

    Examples:
        >>> path = trialsim.examples("teaching")
        >>> trialsim.trace(path, case="inactive", trial=1, seed=1).end
        'stopped early for futility'
    """
    compiled = Compiled.of(scenario)
    scenario = compiled.scenario
    case = next(iter(scenario.truth)) if case is None else case
    seed = scenario.simulation.seed if seed is None else seed
    if case not in scenario.truth:
        raise TrialsimError(f"`{case}` is no case of this scenario{meant(case, scenario.truth)}")
    if not 1 <= trial <= MAX_REPLICATES:
        raise TrialsimError(f"trial = {trial!r} must be a whole number from 1 to {MAX_REPLICATES}")
    trials, key = Timed.of_case(compiled, case), stream_key(seed)
    rows, kept, overrun = treated(trials, key, trial - 1, 1)
    row, patients, dated = rows[0], kept[0, : rows[0, column.TREATED]], scenario.conduct is not None
    columns = columns_of_patients(scenario, case, trials, trial - 1, rows, kept, overrun)
    first = int(patients[0, field.STARTED])

    def day(tick: int) -> float | None:
        return round(int(tick) / TICKS_PER_DAY, 3) if dated else None

    return Trace(
        scenario=scenario.name,
        case=case,
        trial=trial,
        seed=seed,
        doses=scenario.doses,
        dated=dated,
        end=END_WORDS[int(row[column.END])],
        patients=tuple(_rows(columns)),
        events=tuple(
            Event(day(tick - first), what) for tick, what in _events(scenario, trials, row, patients)
        ),
        courses=tuple(_courses(trials, key, trial - 1, i, patients) for i in range(len(patients)))
        if dated
        else (),
        triggered_day=day(row[column.TRIGGERED_AT]) if row[column.TRIGGERED] else None,
        decided_day=day(row[column.DECIDED_AT]),
        last_day=day(row[column.DURATION]),
        row=tuple(row.tolist()),
    )


def _rows(columns: Columns) -> Iterator[dict[str, Any]]:
    for values in zip(*(c.values for c in columns.values()), strict=True):
        yield dict(zip(columns, values, strict=True))


def _courses(trials: Timed, key: Key, replicate: int, i: int, patients: Int64) -> tuple[Course, ...]:
    """The treatment of a patient by dose; between courses it is on hold."""
    calendar, patient = trials.calendar, patients[i]
    level, ended = int(patient[field.LEVEL]), int(patient[field.ENDED])
    begin, onset = int(patient[field.STARTED]), int(patient[field.ONSET])
    courses: list[tuple[int, int, int]] = []
    for course in range(int(patient[field.REDUCTIONS])):
        courses.append((begin, onset, level))
        begin, level = onset + calendar.hold, level + 1
        # cohorts with rules of their own turn patients away, and the number of the arrival is not kept
        if calendar.own or course + 1 == patient[field.REDUCTIONS]:
            break
        word, _, _, _ = field.words_of(replicate, i, course + 1, GROUP_COURSE, *key)
        onset = begin + int(field.onset_after(calendar, word))
    if calendar.max_reductions >= 0 and not courses and 0 <= onset < ended:
        ended = onset  # a hold that lasted until treatment ended
    courses.append((begin, ended, level))
    first = int(patients[0, field.STARTED])
    return tuple(
        Course(round((a - first) / TICKS_PER_DAY, 3), round((b - first) / TICKS_PER_DAY, 3), at)
        for a, b, at in courses
    )


def _events(scenario: Scenario, trials: Timed, row: Int32, patients: Int64) -> list[tuple[int, str]]:
    """What happened to the trial: ticks since accrual opened, and words."""
    first = int(patients[0, field.STARTED])
    decided = first + int(row[column.DECIDED_AT])
    events = _looks(trials, row, patients, decided)
    if row[column.TRIGGERED]:
        tick = first + int(row[column.TRIGGERED_AT])
        bounds = trials.tables.act_ge[0]
        why = _crossing(scenario, trials, bounds, 0, patients, tick) or "the protocol was amended"
        why = "in one of the cohorts" if trials.calendar.apart else why
        nobody = "" if patients[:, field.LEVEL].any() else "; no patient followed at a lower dose"
        events.append((tick, f"dose reduction triggered: {why}{nobody}"))
        lag = 0 if trials.calendar.during_lag == SWITCH else trials.calendar.lag
        if lag and not nobody:
            events.append((tick + lag, "switch takes effect"))
    for level in range(1, len(scenario.doses)):
        lower = np.flatnonzero(patients[:, field.LEVEL] == level)
        if len(lower):
            words = f"patient {lower[0] + 1} is the first to start at {scenario.doses[level]}"
            events.append((int(patients[lower[0], field.STARTED]), words))
    end = int(row[column.END])
    words = END_WORDS[end]
    if end in (TOXICITY, TOXICITY_AT_N):
        level = int(patients[-1, field.LEVEL])
        why = _crossing(scenario, trials, trials.tables.stop_ge[level], level, patients, decided)
        words = f"{words}: {why}" if why and not trials.calendar.apart else words
    events.append((decided, f"decision: {words}"))
    events.sort(key=lambda event: event[0])
    last = first + int(row[column.DURATION])
    closing = [_counted(scenario, row), *_by_cohort(scenario, trials, row)]
    if scenario.conduct is not None:
        closing.insert(0, f"last outcome known; {_duration(row)}")
    return events + [(last, words) for words in closing]


def _looks(trials: Timed, row: Int32, patients: Int64, decided: int) -> list[tuple[int, str]]:
    """The looks of a trial with one set of them that no dose change or early decision has cut short."""
    tables, calendar = trials.tables, trials.calendar
    changed = calendar.after_change != POOLED and row[column.TRIGGERED]
    if calendar.own or changed or calendar.interim == EARLY_DECISION or calendar.weighing.on:
        return []
    everybody = np.arange(len(patients))
    counted = everybody[patients[:, field.IS_EVALUABLE] > 0] if tables.replaced else everybody
    events: list[tuple[int, str]] = []
    look, earliest = 0, 0
    while len(counted) >= (n := int(tables.look_n[look])):
        known = int(patients[: counted[n - 1] + 1, field.KNOWN].max())
        cut, toxicities = int(tables.toxic_ge[look]), int(patients[counted[:n], field.IS_TOXIC].sum())
        if cut < NEVER:
            known = max(known, int(patients[counted[:n], field.TOXICITY_KNOWN].max()))
        tick = max(known + calendar.review_lag, earliest)
        stopped = row[column.END] in (TOXICITY, TOXICITY_AT_N)
        if tick > decided or (tick == decided and stopped and toxicities < cut):
            break
        responses = int(patients[counted[:n], field.IS_RESPONSE].sum())
        decision = int(tables.look_next[look, responses])
        verdict = (
            LOOK_WORDS[decision]
            if decision < 0
            else f"on to the look at {_patients(tables.look_n[decision])}"
        )
        if decision == FUTILE and not tables.at_n[look]:
            verdict = "stop for futility"
        among = _patients(n, "evaluable " if tables.replaced else "")
        seen = f"responses in {responses}"
        if cut < NEVER:
            seen += f" and toxicities in {toxicities}"
            verdict = "stop for toxicity" if toxicities >= cut else verdict
        events.append((tick, f"look: {seen} of the first {among}; {verdict}"))
        if decision < 0 or toxicities >= cut:
            break
        look, earliest = decision, tick
    return events


def _crossing(scenario: Scenario, trials: Timed, bounds: Int32, level: int, patients: Int64, now: int) -> str:
    """The toxicities at a level that reach a boundary at a tick, in words; "" where they do not."""
    calendar, toxic = trials.calendar, 0
    at_level = [p for p in patients if p[field.LEVEL] == level and p[field.STARTED] <= now]
    for m, patient in enumerate(at_level, start=1):
        if not calendar.as_it_happens and patient[field.TOXICITY_KNOWN] > now:
            return ""
        toxic += int(patient[field.IS_TOXIC] and patient[field.ONSET] <= now)
        if toxic >= bounds[m] and bounds[m] < NEVER:
            dose = f" at {scenario.doses[level]}" if len(scenario.doses) > 1 else ""
            which = _met(scenario, trials, level, m, toxic)
            return f"toxicities in {toxic} of the first {_patients(m)}{dose} (cut-off {bounds[m]}{which})"
    return ""


def _met(scenario: Scenario, trials: Timed, level: int, m: int, toxic: int) -> str:
    """Of several toxicity rules at a dose those that are met, in words."""
    block = scenario.dose_reduction
    if block is None or len(block.stated) == 1:
        return ""
    tables = trials.tables
    found = rules_by_dose(scenario, int(tables.look_n[-1]), tables.act_ge.shape[1] - 1)[level]
    numbers = {place: k for k, place in enumerate(map(block.place, range(len(block.stated))), start=1)}
    met = [f"rule {numbers[each.place]}" for each in found if each.row[m] <= toxic]
    return f" of {' and '.join(met)}"


def _duration(row: Int32) -> str:
    duration, paused, waiting = (
        int(row[c]) / TICKS_PER_DAY / DAYS_PER_MONTH for c in (column.DURATION, column.PAUSED, column.WAITING)
    )
    return (
        f"duration {duration:.1f} months: {duration - paused - waiting:.1f} accruing, {paused:.1f} with accrual "
        f"closed, {waiting:.1f} waiting after accrual"
    )


def _counted(scenario: Scenario, row: Int32) -> str:
    levels = len(scenario.doses)
    responses, toxicities = (
        int(row[column.LEVELS + which : column.LEVELS + 3 * levels : 3].sum()) for which in (1, 2)
    )
    words = f"{_patients(row[column.TREATED])} treated"
    if row[column.OVERRUN]:
        left_out = row[column.N] < row[column.TREATED]
        words += f", {row[column.OVERRUN]} of them overrun ({'left out below' if left_out else 'counted'})"
    return (
        f"{words}; {row[column.EVALUABLE]} evaluable, {responses} with response, {toxicities} with toxicity"
    )


def _by_cohort(scenario: Scenario, trials: Timed, row: Int32) -> Iterator[str]:
    if scenario.cohorts is None:
        return
    start = column.LEVELS + 3 * len(scenario.doses)
    for c, name in enumerate(scenario.cohorts.names):
        end, patients, evaluable, responses = row[start + 4 * c : start + 4 * c + 4].tolist()
        verdict = f" {END_WORDS[end]};" if trials.calendar.own else ""
        yield f"{name}:{verdict} {_patients(patients)}, {evaluable} evaluable, {responses} with response"


def _patients(n: int, which: str = "") -> str:
    """1 patient, 2 patients."""
    return f"{n} {which}patient" if n == 1 else f"{n} {which}patients"
