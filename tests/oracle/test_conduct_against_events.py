"""Three programs of docs/conduct.md, fed the same words, simulate the same trials number by number.

The event simulation (``events``) was written from the document alone and reacts to dated events; the scalar kernel
works out when things will happen; the kernel with trials abreast does so without branches. This is the main evidence
for the conduct model.
"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import first_of
from tests.oracle import events
from tests.oracle.conduct_strategies import immediate, random_conduct, random_weighing
from tests.oracle.strategies import random_rules
from trialsim.codes import (
    ALTERNATE,
    BLOCKS,
    COIN,
    CONTINUE,
    FROM_START,
    NEVER,
    NEW_DOSE_ONLY,
    POOLED,
    RESTART,
)
from trialsim.designs.rules import Monitor, Randomise, Rules
from trialsim.engine.compiled import tables_of
from trialsim.engine.timed import Timed, runs_abreast
from trialsim.kernels import abreast, conduct, trial
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.patient import FIELDS
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import PAUSE, Calendar, Int32, Int64


def common(rules: Rules, calendar: Calendar) -> tuple[Rules, Calendar]:
    """A random scenario without the rare options that the lanes leave to the scalar kernel."""
    n = rules.looks.planned_n
    monitor = replace(
        rules.monitor,
        act_ge=tuple(row[: n + 1] for row in rules.monitor.act_ge),
        stop_ge=tuple(row[: n + 1] for row in rules.monitor.stop_ge),
    )
    rules = Rules(replace(rules.looks, toxic_ge=()), monitor, False, n)
    return rules, calendar._replace(
        interim=min(calendar.interim, PAUSE),
        exclude=False,
        own=False,
        after_change=POOLED,
        max_reductions=-1,
        amended_at=np.zeros_like(calendar.amended_at),
        max_arrivals=n,
    )


NOTHING_KEPT = np.zeros((0, 0, 0), dtype=np.int64)


def scalar(
    rules: Rules, calendar: Calendar, thresholds: Int64, seed: int, count: int, first: int = 0
) -> Int32:
    out = np.zeros((count, column.columns(rules.levels, calendar.cohorts)), dtype=np.int32)
    conduct.simulate(
        tables_of(rules), calendar, thresholds, False, *stream_key(seed), first, out, NOTHING_KEPT
    )
    return out


def lanes(
    rules: Rules, calendar: Calendar, thresholds: Int64, seed: int, count: int, first: int = 0
) -> Int32:
    nobody = np.zeros(0, dtype=np.int32)
    out = np.full((count, column.columns(rules.levels, calendar.cohorts)), -9, dtype=np.int32)
    abreast.simulate(tables_of(rules), calendar, thresholds, *stream_key(seed), first, out, nobody)
    return out


@pytest.mark.parametrize("batch", first_of(1, range(4)))
def test_scalar_kernel_and_event_simulation(batch: int) -> None:
    """600 random scenarios, 3 trials each: rows and patients."""
    rng = random.Random(f"conduct {batch}")
    trials = 3
    seen: set[int] = set()
    for seed in range(600):
        rules, calendar, thresholds = random_conduct(rng)
        out = np.zeros((trials, column.columns(rules.levels, calendar.cohorts)), dtype=np.int32)
        kept = np.zeros((trials, calendar.max_arrivals, FIELDS), dtype=np.int64)
        conduct.simulate(tables_of(rules), calendar, thresholds, False, *stream_key(seed), 0, out, kept)
        for replicate in range(trials):
            told = events.simulate(rules, calendar, thresholds, seed, replicate)
            assert out[replicate].tolist() == told.row, (batch, seed, replicate)
            patients = [[patient[name] for name in column.PATIENT_FIELDS] for patient in told.patients]
            assert kept[replicate, : len(patients)].tolist() == patients, (batch, seed, replicate)
            assert not kept[replicate, len(patients) :].any()
            seen.add(told.row[column.END])
    assert len(seen) == 8  # every way a trial can end


@pytest.mark.parametrize("batch", first_of(1, range(8)))
def test_looks_that_weigh_pending_patients(batch: int) -> None:
    """250 random scenarios, 4 trials each: rows and patients; stops that waiting would not have made are among them."""
    rng = random.Random(f"weighing {batch}")
    differ = 0
    for seed in range(250):
        rules, waits, thresholds = random_conduct(rng)
        calendar = random_weighing(rng, rules, waits)
        out = np.zeros((4, column.columns(rules.levels, calendar.cohorts)), dtype=np.int32)
        kept = np.zeros((4, calendar.max_arrivals, FIELDS), dtype=np.int64)
        conduct.simulate(tables_of(rules), calendar, thresholds, False, *stream_key(seed), 0, out, kept)
        for replicate in range(4):
            told = events.simulate(rules, calendar, thresholds, seed, replicate)
            assert out[replicate].tolist() == told.row, (batch, seed, replicate)
            patients = [[patient[name] for name in column.PATIENT_FIELDS] for patient in told.patients]
            assert kept[replicate, : len(patients)].tolist() == patients, (batch, seed, replicate)
            waited = events.simulate(rules, waits, thresholds, seed, replicate)
            differ += told.row[column.END] != waited.row[column.END]
    assert differ > 100


def test_doses_that_are_allocated_after_a_trigger() -> None:
    """120 random scenarios with two doses, 3 trials each: rows and patients."""
    rng, done, both = random.Random("allocation"), 0, 0
    while done < 120:
        rules, calendar, thresholds = random_conduct(rng)
        if rules.levels != 2 or calendar.after_change != POOLED or calendar.own:
            continue
        done += 1
        how = rng.choice([ALTERNATE, BLOCKS, COIN])
        allocation = Randomise(how, rng.randint(1, 3), rng.randint(1, 2), rng.choice([0, 0, 2]))
        rules = replace(rules, randomise=allocation)
        out = np.zeros((3, column.columns(2, calendar.cohorts, randomised=True)), dtype=np.int32)
        kept = np.zeros((3, calendar.max_arrivals, FIELDS), dtype=np.int64)
        conduct.simulate(tables_of(rules), calendar, thresholds, False, *stream_key(done), 0, out, kept)
        for replicate in range(3):
            told = events.simulate(rules, calendar, thresholds, done, replicate)
            assert out[replicate].tolist() == told.row, (done, replicate)
            patients = [[patient[name] for name in column.PATIENT_FIELDS] for patient in told.patients]
            assert kept[replicate, : len(patients)].tolist() == patients, (done, replicate)
            both += told.row[-3] > 0
    assert both > 20


def test_two_doses_from_the_start() -> None:
    """70 random scenarios with two doses, each with looks of its own, 3 trials each: rows and patients."""
    rng, done, moved = random.Random("from the start"), 0, 0
    while done < 70:
        rules, calendar, thresholds = random_conduct(rng)
        if rules.levels != 2 or thresholds.shape[1] != 2 or rules.replaced:
            continue
        done += 1
        most = 4 * rules.looks.planned_n
        monitor = Monitor(((NEVER,) * (2 * most + 1),) * 2, (0, 0), (CONTINUE, CONTINUE))
        allocation = Randomise(FROM_START, 1, 1)
        rules = replace(
            rules, monitor=monitor, max_treated=2 * most, on_dose_change=POOLED, randomise=allocation
        )
        half = np.array([1 << 31, 1 << 32], dtype=np.int64)
        calendar = calendar._replace(
            own=True,
            cohorts=2,
            cohort_of=np.array([0, 1], dtype=np.int32),
            stratum_by=half,
            after_change=POOLED,
            amended_at=np.zeros(2, dtype=np.int64),
            max_arrivals=2 * most,
        )
        out = np.zeros((3, column.columns(2, 2)), dtype=np.int32)
        kept = np.zeros((3, calendar.max_arrivals, FIELDS), dtype=np.int64)
        conduct.simulate(tables_of(rules), calendar, thresholds, False, *stream_key(done), 0, out, kept)
        for replicate in range(3):
            told = events.simulate(rules, calendar, thresholds, done, replicate)
            assert out[replicate].tolist() == told.row, (done, replicate)
            patients = [[patient[name] for name in column.PATIENT_FIELDS] for patient in told.patients]
            assert kept[replicate, : len(patients)].tolist() == patients, (done, replicate)
            by_dose = [sum(patient["level"] == dose for patient in told.patients) for dose in range(2)]
            moved += by_dose[0] == by_dose[1] == rules.looks.planned_n
    assert moved > 10  # both doses complete, though a coin alone would have left one of them short


@pytest.mark.slow
def test_scalar_kernel_and_event_simulation_on_twenty_thousand_scenarios() -> None:
    rng = random.Random("conduct, at length")
    for seed in range(20_000):
        rules, calendar, thresholds = random_conduct(rng)
        out = scalar(rules, calendar, thresholds, seed, 2)
        for replicate in range(2):
            assert (
                out[replicate].tolist() == events.simulate(rules, calendar, thresholds, seed, replicate).row
            )


def test_trials_abreast_are_the_trials_of_the_scalar_kernel() -> None:
    """Of 3,000 random scenarios those that the lanes run, 40 trials each."""
    rng = random.Random("abreast")
    compared = 0
    for seed in range(3_000):
        rules, calendar, thresholds = random_conduct(rng)
        rules, calendar = common(rules, calendar)
        if runs_abreast(rules, calendar):
            compared += 1
            one = scalar(rules, calendar, thresholds, seed, 40)
            assert np.array_equal(lanes(rules, calendar, thresholds, seed, 40), one), seed
            assert np.array_equal(lanes(rules, calendar, thresholds, seed, 7, first=5), one[5:12]), seed
    assert compared >= 1_000


def test_evaluable_patients_at_the_starting_dose_abreast_and_one_by_one() -> None:
    """The quick kernel counts them as they leave the dose, the scalar one has the patients: 300 random scenarios."""
    rng, done, left = random.Random("at start"), 0, 0
    while done < 300:
        rules, calendar, thresholds = random_conduct(rng)
        rules, calendar = common(rules, calendar)
        trials = Timed.of(rules, calendar, thresholds)
        if trials.abreast:
            done += 1
            rows, quick = trials.at_start(stream_key(done), 0, 40)
            same, readable = replace(trials, abreast=False).at_start(stream_key(done), 0, 40)
            assert np.array_equal(rows, same)
            assert quick.tolist() == readable.tolist(), done
            left += int((quick < rows[:, column.EVALUABLE]).any())
    assert left > 50


def test_trials_abreast_across_blocks_of_lanes_and_replicates_beyond_32_bits() -> None:
    rng = random.Random("abreast, long")
    done = 0
    while done < 3:
        rules, calendar, thresholds = random_conduct(rng)
        rules, calendar = common(rules, calendar)
        if runs_abreast(rules, calendar) and rules.looks.planned_n > 6:
            done += 1
            count = abreast.LANES + 300
            for first in (0, 2**32 - 400):
                one = scalar(rules, calendar, thresholds, done, count, first)
                assert np.array_equal(lanes(rules, calendar, thresholds, done, count, first), one)


@pytest.mark.parametrize("change", [POOLED, NEW_DOSE_ONLY, RESTART])
def test_with_outcomes_known_at_once_it_is_the_untimed_trial(change: int) -> None:
    """The same patients, the same words, the same rows: the untimed kernel, which exact calculation is held against."""
    rng = random.Random(f"immediate {change}")
    done = 0
    while done < 150:
        rules, calendar, thresholds = random_conduct(rng)
        if calendar.own or thresholds.shape[1] > 1 or calendar.after_change != change:
            continue
        calendar = immediate(calendar)._replace(missed_by=np.zeros_like(calendar.missed_by), exclude=False)
        calendar = calendar._replace(amended_at=np.zeros_like(calendar.amended_at))
        done += 1
        out = np.zeros((30, trial.columns(rules.levels)), dtype=np.int32)
        untimed = np.ascontiguousarray(thresholds[:, 0, :5])
        tables = tables_of(rules)
        trial.simulate(tables, untimed, *stream_key(done), 0, out, np.zeros((0, 0), dtype=np.int8))
        timed = scalar(rules, calendar, thresholds, done, 30)
        assert np.array_equal(timed[:, : column.TRIGGERED + 1], out[:, : trial.LEVELS]), done
        by_level = timed[:, column.LEVELS : column.LEVELS + 3 * rules.levels]
        assert np.array_equal(by_level, out[:, trial.LEVELS :]), done


def test_random_scenarios_cover_the_lanes() -> None:
    """What ``runs_abreast`` refuses is refused for a reason: one option at a time."""
    rng = random.Random("options")
    while True:
        rules, calendar, _ = random_conduct(rng)
        rules, calendar = common(rules, calendar)
        if runs_abreast(rules, calendar) and rules.levels > 1:
            break
    assert not runs_abreast(rules, calendar._replace(interim=2))
    assert not runs_abreast(rules, calendar._replace(exclude=True))
    assert not runs_abreast(rules, calendar._replace(max_reductions=1))
    assert not runs_abreast(rules, calendar._replace(own=True, cohorts=2))
    assert not runs_abreast(rules, calendar._replace(after_change=RESTART))
    assert not runs_abreast(random_rules(rng, replaced=True), calendar)
    watched = replace(rules.looks, toxic_ge=rules.looks.n)
    assert not runs_abreast(replace(rules, looks=watched), calendar)
