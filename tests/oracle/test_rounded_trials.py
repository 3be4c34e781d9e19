"""Trials of the engine, rounded to whole days: the state names the decisions that fall on those days.

The kernel simulates a trial in ticks, 1,024 a day. Arrivals and outcomes are rounded down to the day on which they
fall, as a site would write them. The event simulation lives through those days, with the order within a day of the
state: outcomes, toxicity rule, looks, amendment, arrivals; its patients are those of the rounded trial, at the doses
that they were given. Then the trial is cut at random days, and the state must name the same decisions and days.
Nothing is left out for a tie: their number is counted, and how often the end is that of the trial in ticks.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.helpers import first_of
from tests.oracle import conduct_strategies
from tests.oracle.events_office import (
    ARRIVAL,
    LOOKS,
    OUTCOMES,
    TOXICITY_RULE,
    TRIGGER,
    Arm,
)
from tests.oracle.test_state_of_a_cut_trial import OPENED, Written, as_lived, cut, on_day, ties
from trialsim.codes import RESTART, TICKS_PER_DAY
from trialsim.designs.rules import Rules
from trialsim.engine.compiled import tables_of
from trialsim.kernels import conduct
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import patient as field
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import Calendar, Int64
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.state import state_by

NOT_ENDED, NEVER_DECIDED = -1, 1 << 40
"""Code and day of the end of a trial that would have gone on with more patients than it was given."""


@dataclass
class Rounded:
    """A patient in whole days, as a file has her."""

    number: int
    arrival: int
    level: int
    evaluable: bool
    response: bool
    known: int
    toxic: bool
    toxicity_known: int
    sighted: int = -1
    outcome_heard: bool = False
    toxicity_heard: bool = False


class OnGivenDays(Written):
    """The trial office when its patients come on days that are given, at doses that are given."""

    def __init__(self, rules: Rules, calendar: Calendar, thresholds: Int64, given: list[Rounded]) -> None:
        super().__init__(rules, calendar, thresholds, 0, 0)
        self.given = given

    def mind_the_door(self) -> None:
        """Who came has come; where nothing is left to come, nothing more is decided."""
        if not self.events and self.arms[0].open:
            self.at(NEVER_DECIDED, LOOKS, partial(self.close, self.arms[0], NOT_ENDED, None))

    def no_more(self) -> bool:
        """As many as ever may have come; where the days call for another trial than the ticks did, more."""
        here = len(self.arms[0].patients)
        return here >= self.rules.max_treated or self.arrivals >= self.calendar.max_arrivals

    def expect_next(self) -> None:
        if self.arrivals < len(self.given):
            self.at(self.given[self.arrivals].arrival, ARRIVAL, partial(self.arrive, 0))

    def arrive(self, _: int) -> None:
        (arm,), patient = self.arms, self.given[self.arrivals]
        self.enrolled(arm, patient)
        self.arrivals += 1
        self.expect_next()
        self.perhaps_give_up(arm)

    def enrolled(self, arm: Arm, patient: Any) -> None:
        groups = [self.patients, self.at_level[patient.level], arm.everyone]
        if self.calendar.after_change != RESTART or patient.level >= self.level:
            groups.append(arm.patients)
        for group in groups:
            group.append(patient)
        self.at(patient.known, OUTCOMES, partial(self.hear_outcome, arm, patient))
        self.at(patient.toxicity_known, OUTCOMES, partial(self.hear_toxicity, arm, patient))
        self.at(self.now, TOXICITY_RULE, partial(self.toxicity_rule, patient.level))
        if 0 < self.rules.monitor.at_enrolled[self.level] <= patient.number:
            self.at(self.now, TRIGGER, partial(self.trigger, self.level))


def lengths(calendar: Calendar, unit: int) -> dict[str, Any]:
    """The lengths of a conduct that are whole days: in ticks with ``unit`` a day, in days with 1."""
    return {
        name: np.asarray(getattr(calendar, name)) // TICKS_PER_DAY * unit
        if name in ("visit", "amended_at")
        else int(getattr(calendar, name)) // TICKS_PER_DAY * unit
        for name in ("visit", "window", "review_lag", "lag", "amended_at")
    }


def in_days(kept: Int64, treated: int, window: int) -> list[Rounded]:
    """The patients of a row of the kernel, rounded down to days; an onset past the window of whole days is none."""
    found = []
    for number, row in enumerate(kept[:treated], start=1):
        arrival, onset = int(row[field.STARTED]) // TICKS_PER_DAY, int(row[field.ONSET]) // TICKS_PER_DAY
        toxic = bool(row[field.IS_TOXIC]) and onset - arrival < max(window, 1)
        found.append(
            Rounded(
                number,
                arrival,
                int(row[field.LEVEL]),
                bool(row[field.IS_EVALUABLE]),
                bool(row[field.IS_RESPONSE]),
                int(row[field.KNOWN]) // TICKS_PER_DAY,
                toxic,
                onset if toxic else arrival + window,
            )
        )
    return found


def study(seed: str, scenarios: int) -> Counter[str]:
    """Random trials of the engine in ticks, rounded, each cut at four days."""
    rng, met = random.Random(seed), Counter[str]()
    while met["trials"] < scenarios:
        rules, calendar, thresholds = conduct_strategies.random_conduct(rng)
        if calendar.own or rules.randomise is not None or calendar.visit[0] < TICKS_PER_DAY:
            continue
        ticking = calendar._replace(**lengths(calendar, TICKS_PER_DAY))
        out = np.zeros((1, column.columns(rules.levels, calendar.cohorts)), dtype=np.int32)
        kept = np.zeros((1, calendar.max_arrivals, field.FIELDS), dtype=np.int64)
        key = stream_key(rng.getrandbits(30))
        conduct.simulate(tables_of(rules), ticking, thresholds, False, *key, 0, out, kept)
        treated = int(out[0, column.TREATED])
        if not treated:
            continue
        protocol = InDays.from_calendar(rules, ticking)
        given = in_days(kept[0], treated, protocol.window)
        trial = OnGivenDays(rules, calendar._replace(**lengths(calendar, 1)), thresholds, given)
        trial.run()
        (arm,) = trial.arms
        met["trials"] += 1
        met["ties"] += ties(trial)
        met["as in ticks"] += int(arm.end == out[0, column.END])
        met["onset past the window"] += sum(map(bool, kept[0, :treated, field.IS_TOXIC])) > sum(
            p.toxic for p in given
        )
        met["not ended in days"] += arm.end == NOT_ENDED
        last = min(arm.decided, max(max(p.known, p.toxicity_known) for p in given))
        for day in {rng.randint(0, last + 2), rng.randint(0, last + 1), max(last - 1, 0), last}:
            at = (seed, met["trials"], day)
            met["cuts"] += 1
            stands = state_by(protocol, cut(given, day), on_day(day), OPENED)  # type: ignore[arg-type]
            if stands.course.unsettled:
                met["unsettled"] += 1
                continue
            as_lived(stands, trial, day, at, met)
            met["deviations"] += len(stands.deviations)
    return met


@pytest.mark.parametrize("batch", first_of(1, range(14)))
def test_a_trial_of_the_engine_rounded_to_days_stands_where_its_days_say(batch: int) -> None:
    """150 trials each, 2,100 in all: every decision and its day."""
    met = study(f"rounded {batch}", 150)
    assert met["ties"] > 100, met
    assert met["unsettled"] < met["cuts"] / 20, met
    assert min(met["looks"], met["triggers"], met["switches"], met["ended"]) > 20, met
    assert met["as in ticks"] > 0.9 * met["trials"], met
