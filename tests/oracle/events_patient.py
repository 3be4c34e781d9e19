"""One patient, and the stream of patients, as docs/conduct.md tells them: the person's half of the event simulation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import NamedTuple

from tests.oracle.naive import WORD, words
from trialsim.kernels.tables import (
    EVALUABLE_IF_NOT,
    EVALUABLE_IF_SO,
    RESPONSE,
    SERIOUS,
    STABLE,
    TOXIC,
    TOXIC_IF_NOT,
    TOXIC_IF_SO,
    Calendar,
    Int64,
)

WHOLE = 1 << 16
"""A relative dose intensity of 1."""


# --- who comes, and when -----------------------------------------------------------------------------------


def log_table() -> tuple[list[int], int]:
    """T[0..1024] and LN2, from logarithms to fifty digits."""
    with localcontext() as context:
        context.prec = 50
        scale = Decimal(2**26)
        table = [int((scale * (1 + Decimal(i) / 1024).ln()).to_integral_value()) for i in range(1025)]
        return table, int((scale * Decimal(2).ln()).to_integral_value())


TABLE, LN2 = log_table()


def gap(word: int) -> int:
    """Unit-rate time before a patient, a unit exponential in units of 2**-20."""
    v = max(word, 1)
    z = 32 - v.bit_length()
    f = (v << z << 1) % WORD
    i, r = f >> 22, (f >> 8) % 2**14
    e = (z + 1) * LN2 - TABLE[i] - ((TABLE[i + 1] - TABLE[i]) * r >> 14)
    return (e + 32) >> 6


class AccrualCurve:
    """How fast patients come: unit-rate time into ticks, and back."""

    def __init__(self, calendar: Calendar) -> None:
        columns = (calendar.piece_tick, calendar.piece_unit, calendar.ticks_per_unit, calendar.units_per_tick)
        self.pieces: list[tuple[int, int, int, int]] = [
            (int(tick), int(unit), int(slow), int(fast))
            for tick, unit, slow, fast in zip(*columns, strict=True)
        ]

    def ticks(self, unit: int) -> int:
        tick0, unit0, ticks_per_unit, _ = [piece for piece in self.pieces if piece[1] <= unit][-1]
        return tick0 + ((unit - unit0) * ticks_per_unit >> 28)

    def units(self, tick: int) -> int:
        tick0, unit0, _, units_per_tick = [piece for piece in self.pieces if piece[0] <= tick][-1]
        return unit0 + ((tick - tick0) * units_per_tick >> 16)


class Arrival:
    """The random words of one arrival, by name."""

    def __init__(self, key: tuple[int, int], replicate: int, index: int) -> None:
        self.address = key, replicate, index
        self.response, self.toxicity, self.evaluable, self.gap = words(*self.address, group=0)
        self.onset, self.progression, self.withdrawal, self.stratum = words(*self.address, group=1)
        self.serious, self.stable, self.screening, self.first_sight = words(*self.address, group=2)
        self.allocation = words(*self.address, group=3)[0]

    def later_course(self, course: int) -> tuple[int, int]:
        """Toxicity and onset words of a later treatment course."""
        return words(*self.address, course, group=0)[1], words(*self.address, course, group=1)[0]

    @property
    def exposure(self) -> int:
        """Decides whether a response survives the dose that was lost."""
        return words(*self.address, 1, group=0)[0]


def first_below(word: int, thresholds: Iterable[int]) -> int:
    """The first threshold that the word is below; their number if there is none."""
    bounds = [int(bound) for bound in thresholds]
    return next((i for i, bound in enumerate(bounds) if word < bound), len(bounds))


# --- what happens to a patient -----------------------------------------------------------------------------


@dataclass
class Patient:
    """A treated patient: what nature has decided, in ticks since accrual opened, and what the office has heard."""

    number: int
    arrival: int
    level: int
    stratum: int
    responder: bool
    toxic: bool
    evaluable: bool
    response: bool
    serious: bool
    controlled: bool
    known: int
    onset: int
    toxicity_known: int
    first_sight: int
    ended: int
    reductions: int
    off: bool
    intensity: int
    screening_failures: int
    reported: bool = True
    sighted: int = -1
    outcome_heard: bool = False
    toxicity_heard: bool = False


class Treatment(NamedTuple):
    """Courses as (begin, end, level), in ticks after the start, and how they came to an end."""

    courses: list[tuple[int, int, int]]
    reductions: int
    off: bool
    ended: int

    def intensity(self, period: int, amounts: Int64) -> int:
        """Dose received over the first ticks relative to the starting dose throughout; nothing is lost in no time."""
        if period == 0:
            return WHOLE
        received = sum(
            int(amounts[level]) * max(0, min(end, period) - begin) for begin, end, level in self.courses
        )
        return received * WHOLE // (int(amounts[self.courses[0][2]]) * period)


def onset_after(calendar: Calendar, word: int) -> int:
    """Ticks from the start of a course to its toxicity."""
    half, window, early = calendar.window >> 1, calendar.window, calendar.early
    in_first, in_second = (int(scale) for scale in calendar.onset_scale)
    if word < early:
        return min(word * in_first >> 32, max(half - 1, 0))
    return half + min((word - early) * in_second >> 32, max(window - half - 1, 0))


def treated(
    calendar: Calendar,
    toxicity_rates: Sequence[int],
    arrival: Arrival,
    level: int,
    toxic: bool,
    onset: int,
    last_day: int,
) -> Treatment:
    """Course after course until toxicity ends treatment, or the visit does at which it ends anyway."""
    courses: list[tuple[int, int, int]] = []
    begin = course = 0
    while True:
        if calendar.max_reductions < 0 or not toxic or begin + onset > last_day:
            courses.append((begin, last_day, level))
            return Treatment(courses, course, False, last_day)
        struck = begin + onset
        courses.append((begin, struck, level))
        if course == calendar.max_reductions or level + 1 == len(toxicity_rates):
            return Treatment(courses, course, True, struck)
        begin = struck + calendar.hold
        if begin > last_day:
            return Treatment(courses, course, False, last_day)
        course, level = course + 1, level + 1
        toxicity_word, onset_word = arrival.later_course(course)
        toxic = toxicity_word < toxicity_rates[level]
        onset = onset_after(calendar, onset_word)


def enrol(
    calendar: Calendar,
    thresholds: Sequence[Sequence[Sequence[int]]],
    arrival: Arrival,
    number: int,
    start: int,
    level: int,
    stratum: int,
) -> Patient:
    """Everything that will happen to a patient who starts treatment at this tick and dose level."""
    visit = [int(v) for v in calendar.visit]
    visits, control_visit = len(visit), calendar.control_visit
    at = thresholds[level][stratum]

    # What the disease and the dose do.
    responder = arrival.response < at[RESPONSE]
    toxic = arrival.toxicity < at[TOXIC_IF_SO if responder else TOXIC_IF_NOT]
    determined = arrival.evaluable < at[EVALUABLE_IF_SO if responder else EVALUABLE_IF_NOT]
    serious = toxic and arrival.serious < at[SERIOUS]
    stable = not responder and arrival.stable < at[STABLE]
    onset = onset_after(calendar, arrival.onset)

    # Which visit shows what.
    sight = first_below(arrival.first_sight, calendar.seen_by)
    confirmed = sight + calendar.confirmation
    last_chance = visits - 1 - calendar.confirmation
    missed = first_below(arrival.withdrawal, calendar.missed_by)
    progressed = first_below(arrival.progression, calendar.progressed_by[int(responder or stable)])
    if responder:
        progressed = max(progressed, confirmed + 1)
    last_visit = min(progressed, missed, visits - 1)

    # Treatment, and the response it may cost.
    rates = [int(each[stratum][TOXIC]) for each in thresholds]
    treatment = treated(calendar, rates, arrival, level, toxic, onset, visit[last_visit])
    response_lost = False
    if responder and calendar.max_reductions >= 0:
        intensity = treatment.intensity(min(visit[sight], visit[last_visit]), calendar.amounts)
        if intensity < WHOLE:
            survives = arrival.exposure < WORD - (calendar.exposure * (WHOLE - intensity) >> 16)
            responder, response_lost = survives, not survives

    # What is recorded, and when.
    evaluable = determined and missed > 0
    response = responder and evaluable and missed > confirmed
    controlled = (
        evaluable
        and control_visit < visits
        and (responder or stable)
        and (response or missed > control_visit)
    )
    if not evaluable:
        known_at = 0
    elif response:
        known_at = confirmed
    elif response_lost:
        known_at = min(missed, last_chance)
    elif responder:
        known_at = missed
    else:
        known_at = min(progressed, missed, last_chance)

    return Patient(
        number=number,
        arrival=start,
        level=level,
        stratum=stratum,
        responder=responder,
        toxic=toxic,
        evaluable=evaluable,
        response=response,
        serious=serious,
        controlled=controlled,
        known=start + visit[known_at],
        onset=start + onset if toxic else -1,
        toxicity_known=start + (onset if toxic else calendar.window),
        first_sight=start + visit[sight] if response else -1,
        ended=start + treatment.ended,
        reductions=treatment.reductions,
        off=treatment.off,
        intensity=treatment.intensity(visit[last_visit], calendar.amounts),
        sighted=start + visit[sight] if responder and evaluable and missed > sight else -1,
        screening_failures=sum(arrival.screening < int(bound) for bound in calendar.screening),
    )
