"""The tally of trials in calendar time against counting in plain Python, with numbers too large for 64 bits."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np

from tests.oracle.conduct_strategies import random_conduct
from trialsim.codes import FINAL_GO, GO_EARLY
from trialsim.engine.tally import fold
from trialsim.engine.timed import Timed
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import counting
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import Calendar, Int32


def counted(values: list[int]) -> list[int]:
    """Replicates by value."""
    times = Counter(values)
    return [times[value] for value in range(max(values) + 1)]


def assert_counted(rows: Int32, levels: int, calendar: Calendar) -> None:
    table = rows.tolist()
    cohorts, most = calendar.cohorts, calendar.max_arrivals
    false = {c for c in range(cohorts) if c % 3 != 1}
    false_go = sum(1 << c for c in false)
    found = fold(rows, most, column.LEVELS, levels, cohorts, false_go, own=bool(calendar.own))

    def same(name: str, values: list[int]) -> None:
        counts = list(found.counts[name])
        plain = counted(values)
        assert counts[: len(plain)] == plain, name
        assert not any(counts[len(plain) :]), name

    by_cohort = column.LEVELS + 3 * levels
    same("ends", [row[column.END] for row in table])
    same("n", [row[column.N] for row in table])
    same("responses", [sum(row[column.LEVELS + 1 : by_cohort : 3]) for row in table])
    same("toxicities", [sum(row[column.LEVELS + 2 : by_cohort : 3]) for row in table])
    same("reduction_patient", [row[column.REDUCED_AFTER] for row in table])
    same("days", [row[column.DURATION] // 1024 for row in table])
    assert found.replicates == len(table)
    went = [{c for c in range(cohorts) if row[by_cohort + 4 * c] in (GO_EARLY, FINAL_GO)} for row in table]
    if calendar.own:
        same("goes", [len(each) for each in went])
        same("false_goes", [len(each & false) for each in went])
        assert found.counts["went"] == tuple(sum(c in each for each in went) for c in range(cohorts))
    # what is derived from a row is checked quantity by quantity in test_quantities.py
    numbers = counting.read(rows, column.LEVELS, levels, cohorts, false_go).tolist()
    assert [each[: len(row)] for each, row in zip(numbers, table, strict=True)] == table
    columns = list(zip(*numbers, strict=True))
    assert found.counts["sums"] == tuple(map(sum, columns))
    assert found.counts["squares"] == tuple(sum(v * v for v in each) for each in columns)


def test_random_trials() -> None:
    rng = random.Random("counting")
    owned = 0
    for seed in range(150):
        rules, calendar, thresholds = random_conduct(rng)
        owned += calendar.own
        rows = Timed.of(rules, calendar, thresholds).rows(stream_key(seed), 0, 40)
        assert_counted(rows, rules.levels, calendar)
    assert owned > 10


def test_squares_beyond_64_bits_and_differences_below_zero() -> None:
    rng = random.Random("large")
    rules, calendar, thresholds = random_conduct(rng)
    rows = Timed.of(rules, calendar, thresholds).rows(stream_key(1), 0, 9_000)
    rows[:, column.DECIDED_AT] = 2**31 - 1  # nine thousand of its squares outgrow 64 bits
    rows[::2, column.PAUSED] += 2**20  # nonsense, but below zero after subtraction
    assert_counted(rows, rules.levels, calendar)
    assert sum(int(x) ** 2 for x in rows[:, column.DECIDED_AT]) > 2**64
    assert np.all(rows[:, column.N] > 0)
