"""The yardsticks of the timed kernel: they must simulate the same trial, or a race proves nothing.

The limit was fixed before the first run: two samples differ where any |z| exceeds 4.5, which among the 900 comparisons
of this file would happen by chance to one choice of seeds in 160; the seeds are fixed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchmarks import timed_c_twin, timed_numpy_twin
from benchmarks.timed_scenarios import TRIALS, Design, Timed, timed
from numpy.typing import NDArray

from tests.helpers import first_of
from tests.oracle import events
from trialsim.codes import CONSIDER, CONTINUE, ENDS, FUTILE, GO, NEVER, NEW_DOSE_ONLY, REDUCE
from trialsim.designs.rules import Looks, Monitor, Rules
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.tables import EARLY_DECISION, HOLD, PAUSE, threshold
from trialsim.scenario.truth import CERTAIN, Rates, Strata

LIMIT = 4.5
REPLICATES = 40_000
BY_EVENTS, AT_ONCE = 3000, 1000
"""Replicates of the independent event simulation: in the longer studies, and in that of every run."""

Rows = NDArray[Any]


def whole(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def unlike_the_others(interim: int = 0, as_it_happens: bool = False, window: int = 20_001) -> Timed:
    """Three looks, doses and strata, an onset of its own in each half of the window, nothing confirmed; quick accrual,
    so that outcomes at one dose are awaited while patients are treated at the next."""
    rows = [[FUTILE if x < 1 else GO if x > 5 else 1 for x in range(9)]]
    rows += [[FUTILE if x < 3 else GO if x > 8 else 2 for x in range(17)]]
    rows += [[FUTILE if x < 7 else GO if x > 9 else CONSIDER for x in range(31)]]
    looks = Looks((8, 16, 30), tuple(map(tuple, rows)))
    bounds = tuple(NEVER if m < 3 else 2 + m // 3 for m in range(31))
    quick = (NEVER, 1, 2, *bounds[3:])
    rules = Rules(looks, Monitor((bounds, quick, quick), (0,) * 3, (REDUCE, REDUCE, CONTINUE)), False, 30)
    early = threshold(0.3)
    rates = [Rates((p, p - 0.05, p - 0.1), (0.6, 0.5, 0.4), 0.5, 0.9, True) for p in (0.3, 0.4, 0.45)]
    calendar = TRIALS["two cohorts, same rates"].calendar._replace(
        ticks_per_unit=whole(256 * 2000),
        units_per_tick=whole(round(2**36 / 2000)),
        visit=whole(9000, 30_000, 41_000, 90_000),
        seen_by=whole(threshold(0.4), threshold(0.6), threshold(0.9), CERTAIN),
        confirmation=0,
        missed_by=whole(0, 0, 0, 0),
        progressed_by=np.stack(
            [
                whole(threshold(0.5), threshold(0.7), CERTAIN, CERTAIN),
                whole(0, threshold(0.1), threshold(0.5), CERTAIN),
            ]
        ),
        control_visit=2,
        window=window,
        early=early,
        onset_scale=whole(((window >> 1) << 32) // early, ((window + 1 >> 1) << 32) // (CERTAIN - early)),
        interim=interim,
        as_it_happens=as_it_happens,
        lag=500,
        amended_at=whole(0, 0, 0),
        attained_ge=np.arange(31, dtype=np.int32) // 3,
        stratum_by=whole(threshold(0.2), threshold(0.7), CERTAIN),
        cohort_of=np.array([0, 1, 0], dtype=np.int32),
        max_arrivals=30,
        amounts=whole(3, 2, 1),
    )
    strata = Strata((0.2, 0.5, 0.3), tuple(rates), ((0.3, 0.2, 0.1),) * 3, ((0.3, 0.2, 0.1),) * 3)
    return Timed(rules, calendar, strata.thresholds(), 0)


LONG = timed((0.10, 0.10), design=Design(60, 3, 150, 12, p0=0.05))
OTHERS = {
    "unlike the others": unlike_the_others(),
    "unlike the others, paused": unlike_the_others(interim=PAUSE),
    "unlike the others, as it happens": unlike_the_others(as_it_happens=True, window=100_001),
    "150 patients": LONG,
}


def by_c(trial: Timed, seed: int, replicates: int) -> Rows:
    rows = timed_c_twin.simulate(trial.rules, trial.calendar, trial.thresholds, seed, replicates)
    if rows is None:
        pytest.skip("no C compiler")
    return rows


def by_numpy(trial: Timed, seed: int, replicates: int) -> Rows:
    return timed_numpy_twin.simulate(trial.rules, trial.calendar, trial.thresholds, seed, replicates)


def by_events(trial: Timed, seed: int, replicates: int) -> Rows:
    return np.array(
        [
            events.simulate(trial.rules, trial.calendar, trial.thresholds, seed, r).row
            for r in range(replicates)
        ]
    )


def assert_alike(a: Rows, b: Rows) -> None:
    """Ends as often, and the same means of all other columns; what cannot vary is the same in every trial."""
    found = {}
    for end in range(ENDS):
        counts = (a[:, column.END] == end).sum(), (b[:, column.END] == end).sum()
        p = sum(counts) / (len(a) + len(b))
        if p * min(len(a), len(b)) >= 20:
            error = math.sqrt(p * (1 - p) * (1 / len(a) + 1 / len(b)))
            found[f"end {end}"] = (counts[0] / len(a) - counts[1] / len(b)) / error
    for k in range(1, a.shape[1]):
        x, y = a[:, k].astype(float), b[:, k].astype(float)
        error = math.sqrt(x.var() / len(x) + y.var() / len(y))
        if error == 0:
            assert x[0] == y[0], f"column {k}"
        else:
            found[f"column {k}"] = (x.mean() - y.mean()) / error
    assert len(found) > 20
    assert {what: round(z, 2) for what, z in found.items() if abs(z) > LIMIT} == {}


@pytest.mark.parametrize("name", [*TRIALS, *OTHERS])
def test_the_yardsticks_agree(name: str) -> None:
    trial = (TRIALS | OTHERS)[name]
    assert_alike(by_numpy(trial, 101, REPLICATES), by_c(trial, 102, REPLICATES))


@pytest.mark.parametrize("by", [by_numpy, by_c])
@pytest.mark.parametrize("name", [*TRIALS, *OTHERS])
def test_rows_add_up(name: str, by: Any) -> None:
    trial = (TRIALS | OTHERS)[name]
    rows, rules, cohorts = by(trial, 7, 3000), trial.rules, trial.calendar.cohorts
    assert rows.shape == (3000, column.columns(rules.levels, cohorts))
    levels = rows[:, column.LEVELS : column.LEVELS + 3 * rules.levels].reshape(3000, -1, 3)
    groups = rows[:, column.LEVELS + 3 * rules.levels :].reshape(3000, cohorts, 4)
    assert (levels[:, :, 0].sum(1) == rows[:, column.TREATED]).all()
    assert (groups[:, :, 1].sum(1) == rows[:, column.TREATED]).all()
    assert (groups[:, :, 2].sum(1) == rows[:, column.EVALUABLE]).all()
    assert (groups[:, :, 3].sum(1) == levels[:, :, 1].sum(1)).all()
    assert (rows[:, column.PAUSED] + rows[:, column.WAITING] <= rows[:, column.DURATION]).all()
    assert (rows[:, column.REDUCED_AFTER] == np.where(levels[:, 1:, 0].sum(1) > 0, levels[:, 0, 0], 0)).all()
    assert rows.min() >= 0


LONG_STUDIES = [
    "unlike the others, as it happens",  # the quickest of those with three doses, three strata and two cohorts
    "unlike the others",
    "unlike the others, paused",
    "150 patients",
    "dasatinib-like, 1/25 6/70",
    "accrual paused at the interim look",
    "toxicity as it happens",
    "two cohorts, different rates",
]


@pytest.mark.parametrize(
    ("name", "replicates"),
    first_of(1, [(LONG_STUDIES[0], AT_ONCE), *((name, BY_EVENTS) for name in LONG_STUDIES)]),
)
def test_the_yardsticks_agree_with_the_event_simulation(name: str, replicates: int) -> None:
    trial = (TRIALS | OTHERS)[name]
    expected = by_events(trial, 103, replicates)
    assert_alike(by_numpy(trial, 104, REPLICATES), expected)
    assert_alike(by_c(trial, 105, REPLICATES), expected)


def test_what_they_leave_out_is_refused() -> None:
    rules, calendar, thresholds, _ = TRIALS["dasatinib-like, 1/25 6/70"]
    others: dict[str, Any] = {
        "interim": EARLY_DECISION,
        "during_lag": HOLD,
        "review_lag": 1,
        "exclude": True,
        "own": True,
        "max_reductions": 0,
        "after_change": NEW_DOSE_ONLY,
        "window": 0,
        "amended_at": whole(5, 0),
        "piece_tick": whole(0, 5),
        "ticks_per_unit": calendar.ticks_per_unit * 1000,
        "screening": whole(1, *[0] * 63),
        "missed_by": whole(0, 0, 1),
    }
    asked = [(rules, calendar._replace(**{name: value})) for name, value in others.items()]
    asked.append((replace(rules, replaced=True), calendar))
    asked.append((replace(rules, monitor=replace(rules.monitor, at_enrolled=(5, 0))), calendar))
    for twin in (timed_numpy_twin, timed_c_twin):
        for other_rules, other_calendar in asked:
            with pytest.raises(ValueError, match="yardsticks simulate no"):
                twin.simulate(other_rules, other_calendar, thresholds, 1, 10)


def test_no_compiler_no_yardstick_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    timed_c_twin.compiled.cache_clear()
    trial = TRIALS["1/10 5/29"]
    assert timed_c_twin.simulate(trial.rules, trial.calendar, trial.thresholds, 1, 10) is None
    timed_c_twin.compiled.cache_clear()
