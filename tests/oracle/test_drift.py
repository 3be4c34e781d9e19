"""Response rates that drift: chain, both kernels and the oracles, patient by patient and day by day."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests.helpers import first_of
from tests.oracle import events
from tests.oracle.brute_force import Dose, cells_of, enumerate_trial
from tests.oracle.common import random_case, rates_of
from tests.oracle.conduct_strategies import immediate, random_conduct, random_thresholds
from tests.oracle.naive import Thresholds, simulate_trial, thresholds
from tests.oracle.test_kernel_against_twin import REASONS
from trialsim.designs.rules import Rules
from trialsim.engine.compiled import tables_of
from trialsim.engine.exact import distribution
from trialsim.engine.timed import Timed
from trialsim.kernels import conduct, trial
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.patient import FIELDS
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import Calendar, Int64
from trialsim.scenario.drift import Drift

CHANGES = (-0.4, -0.2, -0.05, 0.05, 0.2, 0.4)
NOTHING_KEPT = np.zeros((0, 0), dtype=np.int8)


def drifting_case(rng: random.Random, **sizes: int) -> tuple[Rules, tuple[Dose, ...], float]:
    """A protocol, a truth and a change that its rates can bear, with more than one patient."""
    while True:
        rules, truth = random_case(rng, **sizes)
        change = rng.choice(CHANGES)
        highest = truth[0].evaluable if truth[0].inevaluable == "nonresponders" else 1.0
        if rules.looks.planned_n > 1 and all(0 <= round(d.response + change, 9) <= highest for d in truth):
            return rules, truth, change


def of_patient(rules: Rules, truth: tuple[Dose, ...], change: float, i: int) -> tuple[Dose, ...]:
    """What is true of patient i = 1, 2, ..., from the decimals."""
    steps = rules.looks.planned_n - 1
    moved = Fraction(str(change)) * min(Fraction(i - 1, steps), Fraction(1))
    return tuple(dose._replace(response=float(Fraction(str(dose.response)) + moved)) for dose in truth)


def drifting(rules: Rules, change: float) -> Drift:
    return Drift(change, Fraction(rules.looks.planned_n - 1), daily=False)


@pytest.mark.parametrize("cases", first_of(1, [15, 300]))
def test_the_chain_is_the_enumeration_of_every_sequence(cases: int) -> None:
    rng = random.Random("drift, chain")
    lower = 0
    for _ in range(cases):
        rules, truth, change = drifting_case(rng)
        cells = [cells_of(of_patient(rules, truth, change, i)) for i in range(1, rules.most_treated + 1)]
        expected = enumerate_trial(rules, *cells)
        rates = replace(rates_of(truth), drift=drifting(rules, change))
        found = distribution(rules, rates, totals=True)
        for name, value in found.values.items():
            assert value == pytest.approx(expected[name], abs=1e-12), (name, rules, truth, change)
        np.testing.assert_allclose(found.joint_responses, expected["joint_n_responses"], atol=1e-12, rtol=0)
        lower += found.values["p_dose_reduced"] > 0.05
    assert lower >= cases / 10


@pytest.mark.parametrize("examples", first_of(1, [100, 1500]))
def test_the_untimed_kernel_is_its_twin(examples: int) -> None:
    rng = random.Random("drift, kernel")
    for seed in range(examples):
        rules, truth, change = drifting_case(rng, max_n=12, max_n_inevaluable=10)
        table = replace(rates_of(truth), drift=drifting(rules, change)).thresholds()
        out = np.zeros((3, trial.columns(rules.levels)), dtype=np.int32)
        trial.simulate(tables_of(rules), table, *stream_key(seed), 2**32 - 1, out, NOTHING_KEPT)

        def at(level: int, i: int, case=(rules, truth, change)) -> Thresholds:
            return thresholds(of_patient(*case, i)[level])

        for row in range(3):
            twin = simulate_trial(rules, at, seed, 2**32 - 1 + row)
            assert REASONS[out[row, trial.END]] == twin["reason"], seed
            assert out[row, trial.N] == twin["n"]
            by_level = out[row, trial.LEVELS :].reshape(rules.levels, 3)
            assert by_level[:, 1].tolist() == list(twin["responses_by_level"]), seed
            assert by_level[:, 2].tolist() == list(twin["toxicities_by_level"]), seed


def random_drift(rng: random.Random) -> tuple[Rules, Calendar, Int64]:
    """A random trial whose thresholds are others for each patient, or each day, up to some number."""
    rules, calendar, table = random_conduct(rng)
    times, strata = rng.randint(2, 12), len(calendar.stratum_by)
    return rules, calendar, random_thresholds(rng, table.shape[0], times * strata)


@pytest.mark.parametrize("daily", [False, True])
@pytest.mark.parametrize("scenarios", first_of(1, [150, 2500]))
def test_the_readable_kernel_is_the_event_simulation(scenarios: int, daily: bool) -> None:
    rng = random.Random(f"drift, conduct {daily}")
    other = 0
    for seed in range(scenarios):
        rules, calendar, table = random_drift(rng)
        out = np.zeros((2, column.columns(rules.levels, calendar.cohorts)), dtype=np.int32)
        kept = np.zeros((2, calendar.max_arrivals, FIELDS), dtype=np.int64)
        key = stream_key(seed)
        conduct.simulate(tables_of(rules), calendar, table, daily, *key, 0, out, kept)
        steady = np.zeros_like(out)
        first = np.ascontiguousarray(table[:, : len(calendar.stratum_by)])
        conduct.simulate(tables_of(rules), calendar, first, daily, *key, 0, steady, np.zeros_like(kept[:0]))
        for replicate in range(2):
            told = events.simulate(rules, calendar, table, seed, replicate, daily=daily)
            assert out[replicate].tolist() == told.row, (seed, replicate)
            patients = [[patient[name] for name in column.PATIENT_FIELDS] for patient in told.patients]
            assert kept[replicate, : len(patients)].tolist() == patients, (seed, replicate)
        other += not np.array_equal(out, steady)
    assert other > scenarios / 5  # it is not the trial of the first patient's rates


def test_with_outcomes_known_at_once_it_is_the_untimed_trial() -> None:
    rng = random.Random("drift, immediate")
    done = 0
    while done < 60:
        rules, calendar, table = random_drift(rng)
        if calendar.own or len(calendar.stratum_by) > 1:
            continue
        calendar = immediate(calendar)._replace(missed_by=np.zeros_like(calendar.missed_by), exclude=False)
        calendar = calendar._replace(amended_at=np.zeros_like(calendar.amended_at))
        done += 1
        out = np.zeros((30, trial.columns(rules.levels)), dtype=np.int32)
        untimed = np.ascontiguousarray(table[..., :5].reshape(-1, 5))
        trial.simulate(tables_of(rules), untimed, *stream_key(done), 0, out, NOTHING_KEPT)
        timed = Timed.of(rules, calendar, table)
        assert not timed.abreast
        rows = timed.rows(stream_key(done), 0, 30)
        assert np.array_equal(rows[:, : column.TRIGGERED + 1], out[:, : trial.LEVELS]), done


def test_rates_that_drift_by_nothing_are_the_same_bits() -> None:
    """The kernels that look up each patient's thresholds, given the same for everybody."""
    rng = random.Random("no drift")
    for seed in range(40):
        rules, truth, _ = drifting_case(rng, max_n=12, max_n_inevaluable=10)
        rates = rates_of(truth)
        still = replace(rates, drift=drifting(rules, 0.0))
        one, other = (np.zeros((1_100, trial.columns(rules.levels)), dtype=np.int32) for _ in range(2))
        for of, out in ((rates, one), (still, other)):
            trial.simulate(tables_of(rules), of.thresholds(), *stream_key(seed), 0, out, NOTHING_KEPT)
        assert np.array_equal(one, other)
        exact, drifted = (distribution(rules, of).values for of in (rates, still))
        assert exact == pytest.approx(drifted, abs=1e-14)
        rules, calendar, table = random_conduct(rng)
        again = np.tile(table, (1, 5, 1))
        timed = [Timed.of(rules, calendar, each).rows(stream_key(seed), 0, 50) for each in (table, again)]
        assert np.array_equal(*timed)
