"""The event simulation: equal to the untimed twin where time does not decide, sound where it does."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.helpers import first_of
from tests.oracle.conduct_strategies import immediate, onset_scale, random_conduct
from tests.oracle.events import Outcome, simulate
from tests.oracle.events_patient import LN2, TABLE, AccrualCurve, gap, onset_after
from tests.oracle.naive import WORD, Thresholds, key_of, simulate_trial, words
from trialsim import codes
from trialsim.designs.rules import Monitor, Rules, two_way
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.tables import (
    CONTINUE_ACCRUAL,
    EARLY_DECISION,
    EVALUABLE_IF_NOT,
    EVALUABLE_IF_SO,
    HOLD,
    NEW_DOSE_ONLY,
    OLD_DOSE,
    PAUSE,
    POOLED,
    RESPONSE,
    RESTART,
    SWITCH,
    TOXIC_IF_NOT,
    TOXIC_IF_SO,
    Calendar,
)

REASONS = {
    "futility": codes.FUTILITY,
    "toxicity": codes.TOXICITY,
    "go_early": codes.GO_EARLY,
    "final_no_go": codes.FINAL_NO_GO,
    "final_go": codes.FINAL_GO,
    "final_consider": codes.FINAL_CONSIDER,
    "toxicity_at_n": codes.TOXICITY_AT_N,
    "accrual_cap": codes.ACCRUAL,
}


def at_once(rng: random.Random) -> tuple[Rules, Calendar, Any]:
    """A random trial in which calendar time decides nothing."""
    rules, calendar, thresholds = random_conduct(rng)
    while calendar.own:
        rules, calendar, thresholds = random_conduct(rng)
    calendar = immediate(calendar)._replace(
        missed_by=np.zeros_like(calendar.missed_by),
        amended_at=np.zeros_like(calendar.amended_at),
        after_change=POOLED,
        max_arrivals=rules.max_treated,
        stratum_by=np.array([WORD]),
        cohort_of=np.array([0], dtype=np.int32),
        cohorts=1,
    )
    return replace(rules, on_dose_change=POOLED), calendar, thresholds[:, :1]


def untimed(at: Any) -> Thresholds:
    """The thresholds of one dose level in the words of the untimed twin."""
    return Thresholds(
        int(at[RESPONSE]),
        (int(at[TOXIC_IF_NOT]), int(at[TOXIC_IF_SO])),
        (int(at[EVALUABLE_IF_NOT]), int(at[EVALUABLE_IF_SO])),
    )


@pytest.mark.parametrize(("seed", "scenarios"), first_of(1, [(21, 500), (20, 1500)]))
def test_known_at_once_is_the_untimed_trial(seed: int, scenarios: int) -> None:
    """Random scenarios, three trials each, number by number."""
    rng = random.Random(seed)
    ends: Counter[str] = Counter()
    for _ in range(scenarios):
        rules, calendar, thresholds = at_once(rng)
        for replicate in range(3):
            row = simulate(rules, calendar, thresholds, seed=7, replicate=replicate).row
            trial = simulate_trial(rules, [untimed(level[0]) for level in thresholds], 7, replicate)
            by_level = [row[column.LEVELS + 3 * d :][:3] for d in range(rules.levels)]
            names = ("patients_by_level", "responses_by_level", "toxicities_by_level")
            assert row[column.END] == REASONS[trial["reason"]]
            assert row[column.N] == row[column.TREATED] == trial["n"]
            assert row[column.EVALUABLE] == trial["evaluable"]
            assert row[column.REDUCED_AFTER] == trial["reduction_patient"]
            assert row[column.TRIGGERED] == trial["triggered"]
            assert [list(level) for level in zip(*by_level, strict=True)] == [trial[name] for name in names]
            assert row[column.OVERRUN] == row[column.PAUSED] == row[column.WAITING] == 0
            ends[trial["reason"]] += 1
            ends["reduced"] += trial["reduction_patient"] > 0
    assert set(ends) == {*REASONS, "reduced"}
    assert min(ends.values()) >= 25 * scenarios / 1500


# --- the accrual clock -------------------------------------------------------------------------------------


def test_gaps_are_unit_exponentials() -> None:
    """Within a few units of 2**-20 of the logarithm, for words of every size."""
    assert TABLE[0] == 0
    assert TABLE[1024] == LN2 == round(2**26 * math.log(2))
    rng = random.Random(1)
    for word in [
        1,
        2,
        3,
        WORD - 1,
        WORD >> 1,
        *(rng.getrandbits(rng.randint(1, 32)) or 1 for _ in range(2000)),
    ]:
        assert gap(word) == pytest.approx(-math.log(word / WORD) * 2**20, abs=2)
    assert gap(0) == gap(1)


def test_accrual_curve_goes_both_ways() -> None:
    """The ticks of the units of a tick are that tick, but for what rounding the rate makes of the span."""
    rng = random.Random(2)
    for _ in range(200):
        _, calendar, _ = random_conduct(rng)
        curve = AccrualCurve(calendar)
        slack = 2 + 200 * 7168 / int(min(calendar.ticks_per_unit))
        for tick in (rng.randint(0, 200 * 7168) for _ in range(50)):
            assert curve.ticks(curve.units(tick)) == pytest.approx(tick, abs=slack)


def test_onsets_fall_in_their_half_of_the_window() -> None:
    """Early words in the first half, late words in the second, both from its first tick to its last."""
    rng = random.Random(4)
    for window in (2, 5, 40, 86016):
        for early in (WORD // 5, WORD // 2, WORD):
            calendar = plain(two_looks(), window=window, early=early, onset_scale=onset_scale(window, early))
            half = window // 2
            assert onset_after(calendar, 0) == 0
            assert onset_after(calendar, early - 1) == half - 1
            for word in (rng.getrandbits(32) for _ in range(200)):
                assert (onset_after(calendar, word) < half) == (word < early)
            if early < WORD:
                assert onset_after(calendar, early) == half
                assert onset_after(calendar, WORD - 1) == window - 1


# --- small trials that can be followed by hand -------------------------------------------------------------


def certain(response: int, toxic: int, levels: int = 1) -> Any:
    """Thresholds of patients who surely respond or not, are toxic or not; everyone is evaluable."""
    sure = [response, toxic, toxic, 1, 1, 0, 0, toxic]
    return [[[WORD * x for x in sure]] for _ in range(levels)]


def plain(rules: Rules, **conduct: Any) -> Calendar:
    """A patient every ten ticks, one visit after 100 ticks, toxicity in a window of 40 in its first half."""
    none, all_ = np.zeros(1, dtype=np.int64), np.array([WORD])
    calendar = Calendar(
        piece_tick=none,
        piece_unit=none,
        ticks_per_unit=np.array([2560]),
        units_per_tick=np.array([round(2**36 / 10)]),
        screening=np.zeros(64, dtype=np.int64),
        visit=np.array([100]),
        seen_by=all_,
        confirmation=0,
        missed_by=none,
        progressed_by=np.zeros((2, 1), dtype=np.int64),
        control_visit=1,
        window=40,
        early=WORD,
        onset_scale=onset_scale(40, WORD),
        interim=PAUSE,
        review_lag=5,
        as_it_happens=True,
        lag=30,
        during_lag=OLD_DOSE,
        amended_at=np.zeros(rules.levels, dtype=np.int64),
        exclude=False,
        after_change=POOLED,
        attained_ge=np.zeros(rules.looks.planned_n + 1, dtype=np.int32),
        stratum_by=all_,
        cohort_of=np.zeros(1, dtype=np.int32),
        cohorts=1,
        own=False,
        max_arrivals=rules.max_treated,
        max_reductions=-1,
        hold=0,
        amounts=np.array([100, 50][: rules.levels]),
        exposure=0,
    )
    return calendar._replace(**conduct)


def two_looks(levels: int = 1, act_at: int = codes.NEVER) -> Rules:
    """Stop at 2 patients without a response, go at 4 with any; reduce the dose at that many toxicities."""
    monitor = Monitor(
        act_ge=((codes.NEVER, *[act_at] * 4), *[(codes.NEVER,) * 5] * (levels - 1)),
        at_enrolled=(0,) * levels,
        action=(codes.REDUCE if levels > 1 else codes.CONTINUE, *[codes.CONTINUE] * (levels - 1)),
    )
    return Rules(two_way((2, 4), (0, 0), (None, 0)), monitor, replaced=False, max_treated=4)


def gaps(replicate: int) -> list[int]:
    """The gaps before the first four patients."""
    return [gap(words(key_of(5), replicate, patient)[3]) for patient in range(4)]


def tick_of(unit: int) -> int:
    return unit * 2560 >> 28


def unit_of(tick: int) -> int:
    return tick * round(2**36 / 10) >> 16


@pytest.mark.parametrize("replicate", range(20))
def test_a_pause_stops_the_clock(replicate: int) -> None:
    """The third patient comes as long after the decision as she would have come after the second."""
    rules = two_looks()
    row, patients = simulate(rules, plain(rules), certain(1, 0), 5, replicate)
    g = gaps(replicate)
    first, second = tick_of(g[0]), tick_of(g[0] + g[1])
    decided = second + 100 + 5
    unit = sum(g[:3]) + unit_of(decided) - unit_of(second)
    third = max(decided, tick_of(unit))
    fourth = max(third, tick_of(unit + g[3]))
    assert [p["arrival"] for p in patients] == [first, second, third, fourth]
    assert row[column.END] == codes.FINAL_GO
    assert row[column.PAUSED] == 105
    assert row[column.WAITING] == 105
    assert row[column.DURATION] == fourth + 105 - first


@pytest.mark.parametrize("replicate", range(20))
def test_accrual_that_goes_on_overruns(replicate: int) -> None:
    """Whoever comes before the decision on the first two is treated in vain, and may be left out."""
    rules = two_looks()
    calendar = plain(rules, interim=CONTINUE_ACCRUAL, exclude=True)
    row, patients = simulate(rules, calendar, certain(0, 0), 5, replicate)
    come = [tick_of(sum(gaps(replicate)[: i + 1])) for i in range(4)]
    decided = come[1] + 105
    overrun = sum(tick < decided for tick in come[2:])
    assert row[column.END] == codes.FUTILITY
    assert (row[column.TREATED], row[column.N], row[column.OVERRUN]) == (2 + overrun, 2, overrun)
    assert [p["reported"] for p in patients] == [1, 1] + [0] * overrun
    assert row[column.DECIDED_AT] == decided - come[0]
    last_heard = come[1 + overrun] + 100
    assert row[column.DURATION] == max(decided, last_heard) - come[0]
    assert row[column.WAITING] == row[column.DURATION] + come[0] - (come[3] if overrun == 2 else decided)


@pytest.mark.parametrize("replicate", range(20))
@pytest.mark.parametrize("during_lag", [OLD_DOSE, HOLD, SWITCH])
def test_a_dose_reduction_takes_its_time(replicate: int, during_lag: int) -> None:
    """The first toxicity calls for a lower dose: at once, after 30 ticks, or after 30 ticks without accrual."""
    rules = two_looks(levels=2, act_at=1)
    calendar = plain(rules, interim=CONTINUE_ACCRUAL, during_lag=during_lag)
    row, patients = simulate(rules, calendar, certain(1, 1, levels=2), 5, replicate)
    come = [tick_of(sum(gaps(replicate)[: i + 1])) for i in range(4)]
    onsets = [
        tick + min(words(key_of(5), replicate, i, group=1)[0] * 20 >> 32, 19) for i, tick in enumerate(come)
    ]
    # The first onset counts by which the trial is not yet full; later patients can only trigger later.
    triggered = min(onsets)
    switched = triggered + (0 if during_lag == SWITCH else 30)
    if during_lag == HOLD and triggered < come[3]:
        unit = unit_of(switched) - unit_of(triggered)
        come = [
            tick if tick < triggered else max(switched, tick_of(sum(gaps(replicate)[: i + 1]) + unit))
            for i, tick in enumerate(come)
        ]
    assert [p["arrival"] for p in patients] == come
    assert [p["level"] for p in patients] == [int(tick >= switched) for tick in come]
    assert row[column.TRIGGERED] == 1
    assert row[column.TRIGGERED_AT] == triggered - come[0]
    assert row[column.PAUSED] == (30 if during_lag == HOLD and come[3] >= switched else 0)


# --- calendar time -----------------------------------------------------------------------------------------


def random_trials(seed: int, count: int) -> list[tuple[Rules, Calendar, Outcome]]:
    rng = random.Random(seed)
    trials = []
    for _ in range(count):
        rules, calendar, thresholds = random_conduct(rng)
        trials.append((rules, calendar, simulate(rules, calendar, thresholds, 11, rng.getrandbits(40))))
    return trials


@pytest.fixture(scope="module", params=first_of(1, [2000, 5000]))
def trials(request: pytest.FixtureRequest) -> list[tuple[Rules, Calendar, Outcome]]:
    return random_trials(3, request.param)


def test_rows_add_up(trials: list[tuple[Rules, Calendar, Outcome]]) -> None:
    """What must hold of every trial, whatever its conduct."""
    for rules, calendar, (row, patients) in trials:
        assert len(row) == column.columns(rules.levels, calendar.cohorts)
        reported = [p for p in patients if p["reported"]]
        assert all(tuple(p) == column.PATIENT_FIELDS for p in patients)
        assert [p["arrival"] for p in patients] == sorted(p["arrival"] for p in patients)
        assert [p["level"] for p in patients] == sorted(p["level"] for p in patients)
        assert row[column.TREATED] == len(patients)
        assert row[column.N] == len(reported) == len(patients) - row[column.OVERRUN] * calendar.exclude
        assert row[column.PAUSED] + row[column.WAITING] <= row[column.DURATION]
        assert min(row) >= 0
        assert row[column.DECIDED_AT] <= row[column.DURATION]
        levels = [row[column.LEVELS + 3 * d :][:3] for d in range(rules.levels)]
        cohorts = [row[column.LEVELS + 3 * rules.levels + 4 * c :][:4] for c in range(calendar.cohorts)]
        responses = sum(p["response"] for p in reported)
        assert sum(n for n, _, _ in levels) == sum(n for _, n, _, _ in cohorts) == len(reported)
        assert sum(x for _, x, _ in levels) == sum(x for *_, x in cohorts) == responses
        if calendar.interim in (PAUSE, EARLY_DECISION) and row[column.END] in (
            codes.FUTILITY,
            codes.GO_EARLY,
        ):
            assert calendar.own or row[column.OVERRUN] == 0
        for p in patients:
            assert p["arrival"] <= p["known"] <= p["arrival"] + calendar.visit[-1]
            assert p["arrival"] <= p["toxicity_known"] <= p["arrival"] + calendar.window
            assert p["arrival"] < p["first_sight"] <= p["known"] if p["response"] else p["first_sight"] == -1
            assert p["response"] <= p["responder"] and p["response"] <= p["evaluable"]
            assert 0 <= p["intensity"] <= 2**16
            if (
                p["response"] and calendar.max_reductions < 0
            ):  # nothing ends her treatment before the confirmation
                assert p["ended"] > p["known"] or p["known"] == p["arrival"] + calendar.visit[-1]
            assert p["reductions"] <= max(0, calendar.max_reductions)


def test_no_response_is_forgotten_at_the_final_look(trials: list[tuple[Rules, Calendar, Outcome]]) -> None:
    """A final verdict of pooled rules follows from the counts of the patients left behind."""
    seen = 0
    for rules, calendar, (row, patients) in trials:
        finals = {
            codes.FINAL_GO: codes.GO,
            codes.FINAL_NO_GO: codes.FUTILE,
            codes.FINAL_CONSIDER: codes.CONSIDER,
        }
        if calendar.own or row[column.END] not in finals or calendar.after_change != POOLED:
            continue
        counted = [p for p in patients if p["evaluable"] or not rules.replaced]
        k = next(k for k in range(len(rules.looks.n)) if rules.looks.is_final(k))
        assert len(counted) >= rules.looks.n[k]
        x = sum(p["response"] for p in counted[: rules.looks.n[k]])
        assert rules.looks.next[k][x] == finals[row[column.END]]
        seen += 1
    assert seen > 300 * len(trials) / 5000


def test_everything_happens(trials: list[tuple[Rules, Calendar, Outcome]]) -> None:
    """The random trials reach every option and every end, also in the combinations that are easy to get wrong."""
    found: Counter[str] = Counter()
    for rules, calendar, (row, patients) in trials:
        found[f"end {row[column.END]}"] += 1
        found[f"interim {calendar.interim}"] += 1
        found[f"during lag {calendar.during_lag}, reduced"] += row[column.REDUCED_AFTER] > 0
        found[f"after change {calendar.after_change}, reduced"] += row[column.REDUCED_AFTER] > 0
        toxic_looks = rules.looks.too_toxic > 0 and codes.STOP not in rules.monitor.action
        for name, end in (("early", codes.TOXICITY), ("at n", codes.TOXICITY_AT_N)):
            found[f"look stops for toxicity {name}"] += toxic_looks and row[column.END] == end
        found["overrun"] += row[column.OVERRUN] > 0
        found["overrun left out"] += row[column.N] < row[column.TREATED]
        found["paused"] += row[column.PAUSED] > 0
        found["triggered later"] += row[column.TRIGGERED_AT] > 0
        found["triggered, nobody reduced"] += row[column.TRIGGERED] > row[column.REDUCED_AFTER]
        found["amended by month"] += bool(calendar.amended_at.any())
        found["own rules"] += calendar.own
        found["own rules, replaced"] += calendar.own and rules.replaced
        found["own rules, ends differ"] += calendar.own and row[-8] != row[-4]
        found["restart with more than the largest trial"] += (
            calendar.after_change == RESTART and row[column.TREATED] > rules.max_treated
        )
        found["new dose only, go"] += (
            calendar.after_change == NEW_DOSE_ONLY
            and row[column.END] == codes.FINAL_GO
            and patients[-1]["level"] > 0
        )
        found["screened"] += row[column.SCREENED] > row[column.TREATED]
        found["dose reduced twice"] += any(p["reductions"] == 2 for p in patients)
        found["off for toxicity"] += row[column.OFF_N] > 0
        found["same tick"] += len({p["arrival"] for p in patients}) < len(patients)
        found["go among evaluable differs"] += row[column.GO_EVALUABLE] != (
            row[column.END] in (codes.FINAL_GO, codes.GO_EARLY)
        )
    wanted = [
        *(f"end {end}" for end in range(codes.ENDS)),
        *(f"interim {policy}" for policy in range(3)),
        *(f"during lag {way}, reduced" for way in range(3)),
        *(f"after change {way}, reduced" for way in range(3)),
        *found,
    ]
    assert {name: found[name] for name in wanted if found[name] < 15 * len(trials) / 5000} == {}
