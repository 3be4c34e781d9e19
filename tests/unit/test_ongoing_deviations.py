"""Departures from a protocol: one patient moved by a day or a dose at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from trialsim.codes import NEVER, REDUCE, STOP
from trialsim.designs.rules import Monitor, Rules, two_way
from trialsim.kernels.tables import CONTINUE_ACCRUAL, PAUSE
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.seen import Seen
from trialsim.ongoing.state import ENROL, ON_HOLD, PAUSED, REDUCED, state_by

FIRST = date(2026, 1, 1)
ROWS = ((NEVER, NEVER, 2, *[NEVER] * 4), (NEVER,) * 7)
PROTOCOL = InDays(
    rules=Rules(two_way((4, 6), (0, 1), (None, 1)), Monitor(ROWS, (0, 0), (REDUCE, STOP)), False, 6),
    interim=CONTINUE_ACCRUAL,
    review_lag=0,
    as_it_happens=True,
    lag=10,
    hold=False,
    amended_after=(0, 0),
    visits=(56,),
    window=28,
    attained_ge=(),
    most=6,
)


def day(k: int) -> date:
    return FIRST + timedelta(days=k)


def patient(
    k: int, enrolled: int, level: int = 0, onset: int | None = None, known: int | None = None
) -> Seen:
    return Seen(
        id=str(k),
        row=k + 1,
        enrolled=day(enrolled),
        level=level,
        responded=None if known is None else True,
        response_known=None if known is None else day(known),
        toxic=None if onset is None else True,
        toxicity_known=None if onset is None else day(onset),
    )


TRIGGERED = [patient(1, 0, onset=3), patient(2, 2, onset=5)]  # trigger on day 5, switch on day 15


@pytest.mark.parametrize(
    ("enrolled", "level", "code"),
    [
        (6, 0, None),
        (15, 0, None),
        (16, 0, "old_dose_after_switch"),
        (15, 1, None),
        (14, 1, "lower_dose_before_switch"),
        (5, 1, "lower_dose_before_switch"),
        (4, 1, "lower_dose_before_trigger"),
    ],
)
def test_dose_by_day(enrolled: int, level: int, code: str | None) -> None:
    told = state_by(PROTOCOL, [*TRIGGERED, patient(3, enrolled, level)], day(20))
    assert [d.code for d in told.deviations] == ([code] if code else [])


def test_lower_dose_without_a_trigger() -> None:
    told = state_by(PROTOCOL, [patient(1, 0), patient(2, 2, level=1)], day(20))
    assert [(d.id, d.code, d.since) for d in told.deviations] == [("2", "lower_dose_without_trigger", None)]


def test_hold_and_what_is_said_until_the_switch() -> None:
    held = replace(PROTOCOL, hold=True)
    told = state_by(held, [*TRIGGERED, patient(3, 5), patient(4, 9)], day(9))
    assert [(d.id, d.code) for d in told.deviations] == [("4", "enrolled_during_hold")]
    assert (told.now.says, told.now.day) == (ON_HOLD, day(15))
    assert state_by(PROTOCOL, TRIGGERED, day(14)).now.says == REDUCED
    after = state_by(PROTOCOL, TRIGGERED, day(15)).now
    assert (after.says, after.level) == (ENROL, 1)


def test_pause_and_places() -> None:
    four = [patient(k, k) for k in range(1, 5)]
    paused = replace(PROTOCOL, interim=PAUSE)
    told = state_by(paused, [*four, patient(5, 4), patient(6, 9)], day(9))
    assert [(d.id, d.code) for d in told.deviations] == [("6", "enrolled_during_pause")]
    assert state_by(paused, four, day(9)).now.says == PAUSED
    assert state_by(paused, four, day(9)).now.waits_for == ("1", "2", "3", "4")
    seven = [patient(k, k) for k in range(1, 8)]
    assert [(d.id, d.code) for d in state_by(PROTOCOL, seven, day(9)).deviations] == [
        ("7", "beyond_planned_n")
    ]
