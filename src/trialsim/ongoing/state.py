"""Where a trial under way stands: what is decided, what is certain, what is open, and what the protocol says now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from trialsim.codes import FUTILITY
from trialsim.errors import DesignError
from trialsim.ongoing.boundary import AtDose, at_dose
from trialsim.ongoing.course import Course, DoseChange, course
from trialsim.ongoing.deviations import Deviation, deviations
from trialsim.ongoing.looks import Look, go_is_certain, looks_of, no_go_is_certain
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.seen import Seen
from trialsim.scenario.compiled import Compiled

CLOSED, REDUCED, ON_HOLD, PAUSED, WAITS, ENROL = "closed", "reduced", "on_hold", "paused", "waits", "enrol"
"""What the protocol says now; the first that holds."""


@dataclass(frozen=True)
class Now:
    """What the protocol says at the end of the cut-off day.

    Attributes:
        says: CLOSED, REDUCED (the dose is lowered on ``day``, till then patients get the old one), ON_HOLD (accrual is
            closed till ``day``), PAUSED (accrual waits for ``look``), WAITS (accrual is complete) or ENROL.
        day: of the end, or of the switch; under PAUSED and WAITS the latest day of the decision, where it can be said.
        level: the dose level of the next patient.
        look: the awaited look, from 0.
        waits_for: the patients it waits for.
    """

    says: str
    day: date | None
    level: int
    look: int
    waits_for: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """A trial at the end of a day.

    Attributes:
        on: the day.
        treated: patients.
        yes, no, inevaluable, unconfirmed, pending: their responses; ``no`` leaves out the inevaluable, and
            ``pending`` counts the unconfirmed.
        looks: every look.
        doses: every dose level.
        changes: dose reductions called for, with trigger and switch.
        end, ended: code of the end and its day; None while the trial is open.
        now: what the protocol says.
        go_certain: the awaited look can only be a go; a certain decision is not taken early, and a toxicity stop can
            still overrule it.
        no_go_certain: no look can still be a go.
        deviations: departures from the protocol.
        past_futility: the trial was closed as futile and went on: only an analysis of the patients up to the deciding
            look keeps the error rates of the design. Their ids, empty elsewhere.
        course: all that was decided, and when.
    """

    on: date
    treated: int
    yes: int
    no: int
    inevaluable: int
    unconfirmed: int
    pending: int
    looks: tuple[Look, ...]
    doses: tuple[AtDose, ...]
    changes: tuple[DoseChange, ...]
    end: int | None
    ended: date | None
    now: Now
    go_certain: bool
    no_go_certain: bool
    deviations: tuple[Deviation, ...]
    past_futility: tuple[str, ...]
    course: Course


def state(compiled: Compiled, seen: Sequence[Seen], on: date, opened: date | None = None) -> State:
    """Where a trial stands at the end of a day.

    Args:
        compiled: its scenario.
        seen: its patients in enrolment order, as known at the end of ``on``.
        on: the day.
        opened: the day accrual opened, from which an amendment after months counts; None: not known.

    Returns:
        The state.

    Raises:
        DesignError: the scenario tells patients apart in a way that their list does not say, or its amendment needs the
            day of opening.
    """
    protocol = InDays.of(compiled)
    if any(protocol.amended_after) and opened is None:
        raise DesignError(
            "dose_reduction.rule: an amendment after months counts from the day accrual opened, which is not stated"
        )
    return state_by(protocol, seen, on, opened)


def state_by(protocol: InDays, seen: Sequence[Seen], on: date, opened: date | None = None) -> State:
    """The same by a protocol in days."""
    told = course(protocol, seen, on, opened)
    looks = looks_of(protocol, seen, told, on)
    pending = [p for p in seen if p.responded is None and not p.inevaluable]
    yes = sum(bool(p.responded) for p in seen)
    inevaluable = sum(p.inevaluable for p in seen)
    found = deviations(seen, told)
    futile = told.end == FUTILITY and len(seen) > looks[told.look].n
    return State(
        on=on,
        treated=len(seen),
        yes=yes,
        no=len(seen) - yes - len(pending) - inevaluable,
        inevaluable=inevaluable,
        unconfirmed=sum(p.unconfirmed is not None for p in pending),
        pending=len(pending),
        looks=looks,
        doses=tuple(at_dose(protocol, seen, level, on) for level in range(protocol.rules.levels)),
        changes=told.changes,
        end=told.end,
        ended=told.ended,
        now=_now(told, looks, seen, on),
        go_certain=told.end is None and go_is_certain(looks, told),
        no_go_certain=told.end is None and no_go_is_certain(protocol, looks, told),
        deviations=found,
        past_futility=looks[told.look].ids if futile else (),
        course=told,
    )


def _now(told: Course, looks: Sequence[Look], seen: Sequence[Seen], on: date) -> Now:
    awaited = looks[told.look]
    waits = awaited.waits_for
    if told.new_dose_only:
        waits = tuple(p.id for p in seen if p.level == told.level and p.responded is None)
    due = [c.switch for c in told.changes if c.switch is not None and c.switch > on]
    if told.end is not None:
        return Now(CLOSED, told.ended, told.level, told.look, ())
    if told.hold_until is not None:
        return Now(ON_HOLD, told.hold_until, told.level, told.look, waits)
    if due:
        return Now(REDUCED, due[0], told.level, told.look, waits)
    if told.paused:
        return Now(PAUSED, awaited.latest, told.level, told.look, waits)
    if told.full:
        return Now(WAITS, None if told.new_dose_only else awaited.latest, told.level, told.look, waits)
    return Now(ENROL, None, told.level, told.look, waits)
