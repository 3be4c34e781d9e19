"""Simulate, cut, ask: a simulated trial cut at any day stands where its own decisions say.

The trial is lived through by the event simulation of docs/conduct.md with a day for a tick, so that arrivals and
outcomes fall on whole days, many on the same one. What it decided, and when, is written down as it happens. Then it is
cut at the end of a day, its patients are handed over as a file would have them that day, and the state must name the
same decisions with the same days.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from tests.helpers import first_of
from tests.oracle import conduct_strategies
from tests.oracle.events_office import Arm, Trial
from tests.oracle.events_patient import Patient
from trialsim.codes import ACCRUAL, FINAL_GO, GO_EARLY, POOLED, TICKS_PER_DAY, TOXICITY, TOXICITY_AT_N
from trialsim.kernels.tables import Calendar
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.seen import Seen
from trialsim.ongoing.state import CLOSED, ENROL, REDUCED, State, state_by

OPENED = date(2026, 1, 5)


class Written(Trial):
    """A trial whose decisions are written down on their day."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.looked: list[tuple[int, int, int]] = []  # day, look, decision
        self.triggers: list[tuple[int, int]] = []  # day, level
        self.switches: list[tuple[int, int]] = []  # day, level that begins

    def decide(self, arm: Arm, decision: int) -> None:
        self.looked.append((self.now, arm.look, decision))
        super().decide(arm, decision)

    def trigger(self, level: int) -> None:
        before = len(self.triggered)
        super().trigger(level)
        if len(self.triggered) > before:
            self.triggers.append((self.now, level))

    def switch(self) -> None:
        before = self.level
        super().switch()
        if self.level > before:
            self.switches.append((self.now, self.level))


def in_ticks(calendar: Calendar) -> Calendar:
    """A conduct whose lengths are in days, as the compiled scenario has them."""
    day, weighing = TICKS_PER_DAY, calendar.weighing
    return calendar._replace(
        weighing=weighing._replace(
            minimum=weighing.minimum * day,
            window=weighing.window * day,
            credit=weighing.credit * day,
            doubt=weighing.doubt * day,
            futile_from=weighing.futile_from * day,
        ),
        visit=calendar.visit * day,
        window=calendar.window * day,
        review_lag=calendar.review_lag * day,
        lag=calendar.lag * day,
        amended_at=calendar.amended_at * day,
    )


def on_day(day: int) -> date:
    return OPENED + timedelta(days=day)


def cut(patients: list[Patient], day: int) -> list[Seen]:
    """The patients as they are known at the end of a day."""
    seen = []
    for p in patients:
        if p.arrival > day:
            continue
        told, toxicity_told = p.known <= day, p.toxicity_known <= day
        seen.append(
            Seen(
                id=f"{p.number:03}",
                row=p.number + 1,
                enrolled=on_day(p.arrival),
                level=p.level,
                responded=bool(p.response) if told else None,
                response_known=on_day(p.known) if told else None,
                inevaluable=told and not p.evaluable,
                toxic=bool(p.toxic) if toxicity_told else None,
                toxicity_known=on_day(p.toxicity_known) if toxicity_told else None,
                sighted=on_day(p.sighted) if 0 <= p.sighted <= day else None,
            )
        )
    return seen


def ties(trial: Written) -> int:
    """Days on which more than one thing happens of which the order within the day decides."""
    days: Counter[int] = Counter()
    for p in trial.patients:
        days.update({p.arrival: 1, p.known: 1} if p.arrival != p.known else {p.arrival: 2})
        days.update([p.toxicity_known])
    acts = [day for day, *_ in (*trial.looked, *trial.triggers, *trial.switches)]
    days.update(acts)
    return sum(days[day] > 1 for day in set(days))


def what_is_certain(stands: State, trial: Written, met: Counter[str]) -> None:
    """What every completion gives is what came of it; what was possible is not ruled out."""
    (arm,) = trial.arms
    if stands.end is not None or len(trial.switches) > len([c for c in stands.changes if c.switch]):
        return  # a dose change that is not in sight yet may begin the looks again
    if trial.calendar.after_change != POOLED:
        return
    came = {look: decision for _, look, decision in trial.looked}
    for look in stands.looks:
        if look.certain is not None and look.look in came:
            assert came[look.look] == look.certain
            met["certain"] += 1
    went = arm.end in (GO_EARLY, FINAL_GO)
    assert not (stands.no_go_certain and went)
    assert not (stands.go_certain and not went and arm.end not in (TOXICITY, TOXICITY_AT_N, ACCRUAL))
    met["certain end"] += stands.go_certain + stands.no_go_certain


def who_comes_next(stands: State, trial: Written, day: int, met: Counter[str]) -> None:
    """A patient of the next day comes at the dose that is said; nobody comes where nobody may."""
    later = [p for p in trial.patients if p.arrival > day]
    acts = [d for d, *_ in (*trial.looked, *trial.switches, (trial.arms[0].decided,)) if d > day]
    acts += [p.known for p in trial.patients if p.known > day]  # an inevaluable patient gives her place back
    if later and later[0].arrival < min(acts, default=10**9):
        assert stands.now.says in (ENROL, REDUCED)
        assert later[0].level == stands.now.level
        met["next"] += 1
    assert (stands.now.says == CLOSED) == (stands.end is not None)


def as_lived(stands: State, trial: Written, day: int, at: object, met: Counter[str]) -> None:
    """Every decision by the end of a day is that of the trial, on its day."""
    told, (arm,) = stands.course, trial.arms
    looked = [(on_day(d), k, what) for d, k, what in trial.looked if d <= day]
    assert [(d.day, d.look, d.decision) for d in told.decided] == looked, at
    triggers = [(on_day(d), level) for d, level in trial.triggers if d <= day]
    assert [(c.trigger, c.level) for c in told.changes] == triggers, at
    switches = [(on_day(d), level) for d, level in trial.switches if d <= day]
    said = [(c.switch, c.level + 1) for c in told.changes if c.switch and c.switch <= on_day(day)]
    assert said[: len(switches)] == switches, at
    assert told.level == len(switches), at
    assert told.ended == (on_day(arm.decided) if arm.decided <= day else None), at
    end = arm.end if arm.decided <= day else None
    assert told.end == end, at
    met["ended"] += end is not None
    met["looks"] += len(looked)
    met["triggers"] += len(triggers)
    met["switches"] += len(switches)
    met[f"end {end}"] += 1


def study(seed: str, scenarios: int, *, weigh: bool = False) -> Counter[str]:
    """Random trials, each cut at four days; what was met, counted."""
    rng, met = random.Random(seed), Counter[str]()
    while met["trials"] < scenarios:
        rules, calendar, thresholds = conduct_strategies.random_conduct(rng)
        if calendar.own:
            continue
        if weigh:
            calendar = conduct_strategies.random_weighing(rng, rules, calendar)
        trial = Written(rules, calendar, thresholds, rng.getrandbits(30), 0)
        trial.run()
        (arm,) = trial.arms
        assert arm.end is not None
        protocol = InDays.from_calendar(rules, in_ticks(calendar))
        met["trials"] += 1
        met["ties"] += ties(trial)
        last = arm.decided
        for day in {rng.randint(0, last + 2), rng.randint(0, last + 1), max(last - 1, 0), last}:
            at = (seed, met["trials"], day)
            met["cuts"] += 1
            stands = state_by(protocol, cut(trial.patients, day), on_day(day), OPENED)
            told = stands.course
            if told.unsettled:
                # Whether places were left depends on a pending patient who may yet turn out inevaluable.
                assert rules.replaced
                assert any(p.arrival <= day < p.known for p in trial.patients)
                met["unsettled"] += 1
                continue
            as_lived(stands, trial, day, at, met)
            assert stands.deviations == (), at
            what_is_certain(stands, trial, met)
            who_comes_next(stands, trial, day, met)
    return met


@pytest.mark.parametrize("batch", first_of(1, range(15)))
def test_a_cut_trial_stands_where_it_was_left(batch: int) -> None:
    """200 random trials, each cut at up to four days: every decision and its day, ties included."""
    met = study(f"cut {batch}", 200)
    assert met["ties"] > 300
    assert met["unsettled"] < met["cuts"] / 20
    assert min(met["looks"], met["triggers"], met["switches"], met["certain"], met["next"]) > 20
    assert sum(name.startswith("end ") for name in met) == 9  # every way a trial can end, and none yet


@pytest.mark.parametrize("batch", first_of(1, range(8)))
def test_a_cut_trial_whose_looks_weigh_pending_patients(batch: int) -> None:
    """The same of 100 random trials whose interim looks do not wait."""
    met = study(f"weighed {batch}", 100, weigh=True)
    assert met["unsettled"] < met["cuts"] / 10
    assert min(met["looks"], met["triggers"], met["next"], met["ended"]) > 10
