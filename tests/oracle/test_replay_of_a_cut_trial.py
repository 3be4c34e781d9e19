"""The forecast's replay of a trial under way decides by the cut-off what the state of the trial says is decided.

Random trials are cut as in ``test_state_of_a_cut_trial``; half of them with departures from the protocol: doses given
before their time or after it, patients enrolled on days of their own, in pauses and after the end. The patients so far
are handed to the kernel that simulates the rest. Ends, looks, triggers, and who may come next at which dose must be
those of the course, which goes by what was known on each day.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import first_of
from tests.oracle import conduct_strategies
from tests.oracle.events_patient import Patient
from tests.oracle.test_state_of_a_cut_trial import OPENED, Written, cut, in_ticks, on_day
from trialsim.codes import RESTART, TICKS_PER_DAY
from trialsim.engine.compiled import tables_of
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import patient as field
from trialsim.kernels.conduct_from import simulate_from
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import EARLY_DECISION, Calendar, Int64, Tables
from trialsim.ongoing.forecast import _at_rate, _last_look
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.state import state_by

KEY = stream_key(1)
LONGEST = 5000
"""Days of a trial, so that its ticks, with patients coming many a day, stay within the clock's reach."""


def departing(
    rng: random.Random, patients: list[Patient], levels: int, most: int, last: int
) -> list[Patient]:
    """The patients with some at another dose and some more on other days."""
    some = [replace(p, level=rng.randrange(levels)) if rng.random() < 0.3 else p for p in patients]
    for _ in range(min(rng.randint(0, 3), most - len(some))):
        p = rng.choice(patients)
        later = rng.randint(0, last + 3) - p.arrival
        some.append(
            replace(
                p,
                arrival=p.arrival + later,
                known=p.known + later,
                onset=p.onset + later if p.toxic else -1,
                toxicity_known=p.toxicity_known + later,
                sighted=p.sighted + later if p.sighted >= 0 else -1,
                level=rng.randrange(levels),
            )
        )
    ordered = sorted(some, key=lambda p: p.arrival)
    return [replace(p, number=k) for k, p in enumerate(ordered, start=1)]


def rows_of(patients: list[Patient]) -> Int64:
    """The patients as the kernel takes them."""
    rows = np.zeros((len(patients), field.FIELDS), dtype=np.int64)
    for row, p in zip(rows, patients, strict=True):
        row[field.STARTED], row[field.LEVEL] = p.arrival * TICKS_PER_DAY, p.level
        row[field.IS_TOXIC], row[field.IS_EVALUABLE], row[field.IS_RESPONSE] = (
            p.toxic,
            p.evaluable,
            p.response,
        )
        row[field.KNOWN], row[field.TOXICITY_KNOWN] = (
            p.known * TICKS_PER_DAY,
            p.toxicity_known * TICKS_PER_DAY,
        )
        row[field.ONSET] = p.onset * TICKS_PER_DAY if p.toxic else -1
        row[field.SIGHTED] = p.sighted * TICKS_PER_DAY if p.sighted >= 0 else -1
    return rows


def replay(
    tables: Tables, calendar: Calendar, thresholds: Int64, given: Int64, opens: int
) -> tuple[Int64, Int64]:
    """The row and the patients of a trial that goes on from the given ones."""
    out = np.zeros((1, column.columns(thresholds.shape[0], calendar.cohorts)), dtype=np.int32)
    kept = np.zeros((1, calendar.max_arrivals, field.FIELDS), dtype=np.int64)
    simulate_from(tables, calendar, thresholds, *KEY, 0, given, opens, out, kept)
    return out[0].astype(np.int64), kept[0]


def comes_by(kept: Int64, number: int, now: int) -> bool:
    """Whether somebody beyond so many has come by a tick."""
    return number < len(kept) and bool(0 < kept[number, field.STARTED] <= now)


def study(seed: str, scenarios: int, *, weigh: bool = False) -> Counter[str]:
    """Random trials, each cut at two days; what was met, counted."""
    rng, met = random.Random(seed), Counter[str]()
    while met["trials"] < scenarios:
        rules, calendar, thresholds = conduct_strategies.random_conduct(rng)
        if calendar.own or rules.randomise is not None:
            continue
        if weigh:
            calendar = conduct_strategies.random_weighing(rng, rules, calendar)
        trial = Written(rules, calendar, thresholds, rng.getrandbits(30), 0)
        trial.run()
        last = trial.arms[0].decided
        patients = trial.patients
        lengths = (
            *calendar.visit,
            *calendar.amended_at,
            calendar.window,
            calendar.review_lag,
            calendar.lag,
            last,
        )
        if not patients or max(lengths) > LONGEST:
            continue
        met["trials"] += 1
        most = min(calendar.max_arrivals, rules.max_treated)
        departs = rng.random() < 0.5
        if departs:
            patients = departing(rng, patients, rules.levels, most, last)
        ticking = in_ticks(calendar)
        protocol, tables = InDays.from_calendar(rules, ticking), tables_of(rules)
        quick, slow = _at_rate(ticking, 64.0), _at_rate(ticking, 1e-4)
        for day in {rng.randint(0, last + 2), rng.randint(0, last)}:
            at = (seed, met["trials"], day)
            so_far = [p for p in patients if p.arrival <= day]
            stands = state_by(protocol, cut(patients, day), on_day(day), OPENED)
            told = stands.course
            if told.unsettled or not so_far:
                continue
            met["cuts"] += 1
            met["deviations"] += len(stands.deviations)
            given, now = rows_of(so_far), day * TICKS_PER_DAY
            first = so_far[0].arrival

            def days(row: Int64, what: int, first: int = first) -> float:
                return first + row[what] / TICKS_PER_DAY

            row, kept = replay(tables, quick, thresholds, given, now + 1)
            if told.end is not None:
                assert (row[column.END], on_day(int(days(row, column.DECIDED_AT)))) == (
                    told.end,
                    told.ended,
                ), at
                met["ended"] += 1
            else:
                assert days(row, column.DECIDED_AT) > day, at
                comes = row[column.TREATED] > len(so_far) and kept[len(so_far), field.STARTED] < (
                    now + TICKS_PER_DAY
                )
                assert comes != (told.paused or told.full or told.hold_until is not None), at
                if comes:
                    assert kept[len(so_far), field.LEVEL] == told.level, at
                    met["next"] += 1

            since = None
            for change in told.changes:
                since = (change.trigger - OPENED).days
                row, kept = replay(tables, slow, thresholds, given, max(since * TICKS_PER_DAY - 1, 0))
                if since == 0 or comes_by(kept, len(so_far), now):
                    continue
                assert row[column.TRIGGERED] and days(row, column.TRIGGERED_AT) == max(since, first), at
                met["triggers"] += 1
            row, kept = replay(
                tables, slow, thresholds, given, (day if since is None else since) * TICKS_PER_DAY
            )
            if row[column.TRIGGERED] and not comes_by(kept, len(so_far), now):
                then = days(row, column.TRIGGERED_AT)
                assert then > day or (since is not None and then <= max(since, first)), at

            if calendar.after_change == RESTART:
                continue
            for look in told.decided:
                further = {decision for decision in rules.looks.next[look.look] if decision >= 0}
                if told.new_dose_only or (calendar.interim == EARLY_DECISION and len(further) > 1):
                    continue
                if look.day < on_day(first):
                    continue  # certain before anybody came: nothing is counted from the first patient
                ending = tables if tables.final[look.look] else _last_look(tables, look.look)
                row, _ = replay(ending, slow, thresholds, given, now)
                assert on_day(int(days(row, column.DECIDED_AT))) == look.day, at
                met["looks"] += 1
    return met


@pytest.mark.parametrize("batch", first_of(1, range(15)))
def test_the_replay_decides_by_the_cut_off_what_the_course_says(batch: int) -> None:
    met = study(f"replay {batch}", 200)
    assert min(met["ended"], met["next"], met["triggers"], met["looks"], met["deviations"]) > 20, met


@pytest.mark.parametrize("batch", first_of(1, range(8)))
def test_the_replay_of_looks_that_weigh_pending_patients(batch: int) -> None:
    met = study(f"weighed replay {batch}", 100, weigh=True)
    assert min(met["ended"], met["next"], met["triggers"], met["looks"], met["deviations"]) > 10, met
