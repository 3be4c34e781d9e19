"""Where patients of a trial under way departed from its protocol: who, on which day and from which rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from trialsim.codes import ACCRUAL, FUTILITY, GO_EARLY, TOXICITY, TOXICITY_AT_N
from trialsim.ongoing.course import AtArrival, Course
from trialsim.ongoing.seen import Seen

ENDS = {
    FUTILITY: "futile",
    GO_EARLY: "go",
    TOXICITY: "stop_toxicity",
    TOXICITY_AT_N: "stop_toxicity",
    ACCRUAL: "accrual",
}
"""How a deviation names the end after which a patient was enrolled; every other one is `final`."""


@dataclass(frozen=True)
class Deviation:
    """A patient enrolled against the protocol.

    Attributes:
        id: of the patient.
        code: what was departed from.
        day: the day she was enrolled.
        since: the day from which on the protocol asked for something else; None where no day is set.
    """

    id: str
    code: str
    day: date
    since: date | None


def deviations(seen: Sequence[Seen], told: Course) -> tuple[Deviation, ...]:
    """Every departure, in enrolment order; who was enrolled on the very day of a decision is none."""
    return tuple(
        found for p, then in zip(seen, told.at_arrival, strict=True) for found in _of_patient(p, then, told)
    )


def _of_patient(p: Seen, then: AtArrival, told: Course) -> Iterator[Deviation]:
    if told.end is not None and told.ended is not None and p.enrolled > told.ended:
        yield Deviation(p.id, f"enrolled_after_{ENDS.get(told.end, 'final')}", p.enrolled, told.ended)
        return
    for since, code in (
        (then.hold_since, "enrolled_during_hold"),
        (then.paused_since, "enrolled_during_pause"),
    ):
        if since is not None and p.enrolled > since:
            yield Deviation(p.id, code, p.enrolled, since)
    if then.full_since is not None:
        yield Deviation(p.id, "beyond_planned_n", p.enrolled, then.full_since)
    yield from _of_dose(p, then, told)


def _of_dose(p: Seen, then: AtArrival, told: Course) -> Iterator[Deviation]:
    changes = {change.level: change for change in told.changes}
    if p.level < then.level:
        switch = changes[p.level].switch
        if switch is not None and p.enrolled > switch:
            yield Deviation(p.id, "old_dose_after_switch", p.enrolled, switch)
    elif p.level > then.level + 1:
        yield Deviation(p.id, "dose_not_of_this_level", p.enrolled, None)
    elif p.level == then.level + 1:
        change = changes.get(then.level)
        if change is None:
            yield Deviation(p.id, "lower_dose_without_trigger", p.enrolled, None)
        elif p.enrolled < change.trigger:
            yield Deviation(p.id, "lower_dose_before_trigger", p.enrolled, change.trigger)
        else:
            yield Deviation(p.id, "lower_dose_before_switch", p.enrolled, change.switch)
