"""Looks that stop for toxicity, at length: chain and kernel against enumeration and twin, several doses together."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import first_of
from tests.oracle import events
from tests.oracle.common import random_case, rates_of
from tests.oracle.conduct_strategies import random_conduct
from tests.oracle.strategies import with_toxic_looks
from tests.oracle.test_exact_against_enumeration import assert_same
from tests.oracle.test_kernel_against_twin import assert_same_trials
from trialsim.codes import FUTILITY, NEVER, NEW_DOSE_ONLY, POOLED, RESTART, TOXICITY, TOXICITY_AT_N
from trialsim.designs.rules import Looks, Rules, two_way
from trialsim.engine.compiled import tables_of
from trialsim.engine.exact import distribution
from trialsim.kernels import conduct
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.patient import FIELDS
from trialsim.kernels.streams import stream_key
from trialsim.kernels.tables import CONTINUE_ACCRUAL, EARLY_DECISION, PAUSE


@pytest.mark.parametrize("cases", first_of(1, [10, 25]))
@pytest.mark.parametrize("on_dose_change", [POOLED, RESTART])
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_chain_and_kernel_where_looks_stop_for_toxicity(levels: int, on_dose_change: int, cases: int) -> None:
    """Only cases in which such a stop happens, and at the lowest dose where that is more than the first."""
    rng = random.Random(f"toxic looks {levels} {on_dose_change}")
    compared = 0
    while compared < cases:
        rules, truth = random_case(rng)
        if rules.replaced or (rules.on_dose_change, rules.levels) != (on_dose_change, levels):
            continue
        rules = replace(rules, looks=with_toxic_looks(rng, rules.looks))
        without = replace(rules, looks=replace(rules.looks, toxic_ge=()))
        stops = ("p_stop_toxicity", "p_stop_toxicity_at_n")
        found, other = (distribution(r, rates_of(truth)).values for r in (rules, without))
        if not rules.looks.too_toxic or max(found[name] - other[name] for name in stops) < 0.02:
            continue
        if found[f"patients_dose_{levels}"] < 0.05:
            continue
        assert_same(rules, truth)
        assert_same_trials(rules, truth, seed=compared, first=0, count=30)
        compared += 1


@pytest.mark.parametrize("scenarios", first_of(1, [400, 800]))
@pytest.mark.parametrize("interim", [CONTINUE_ACCRUAL, PAUSE, EARLY_DECISION])
def test_readable_kernel_and_event_simulation_where_looks_stop_for_toxicity(
    interim: int, scenarios: int
) -> None:
    """Every scenario has such a look; own rules, restarts, reductions and everything else as they come."""
    rng = random.Random(f"toxic conduct {interim}")
    found: Counter[str] = Counter()
    seed = 0
    while seed < (1_000 if interim == EARLY_DECISION else scenarios):
        rules, calendar, thresholds = random_conduct(rng)
        if rules.replaced or calendar.after_change == NEW_DOSE_ONLY:
            continue
        looks = with_toxic_looks(rng, rules.looks)
        if not looks.too_toxic or (interim == EARLY_DECISION and not may_end_unasked(looks)):
            continue
        seed += 1
        rules, calendar = replace(rules, looks=looks), calendar._replace(interim=interim)
        out = np.zeros((3, column.columns(rules.levels, calendar.cohorts)), dtype=np.int32)
        kept = np.zeros((3, calendar.max_arrivals, FIELDS), dtype=np.int64)
        conduct.simulate(tables_of(rules), calendar, thresholds, False, *stream_key(seed), 0, out, kept)
        for replicate in range(3):
            row = events.simulate(rules, calendar, thresholds, seed, replicate).row
            assert out[replicate].tolist() == row, (interim, seed, replicate)
            if rules.monitor.may_stop or calendar.own:
                continue
            found["stop"] += row[column.END] == TOXICITY
            found["stop at n"] += row[column.END] == TOXICITY_AT_N
            first = row[column.TREATED] < rules.looks.n[0] and may_end_unasked(looks)
            found["stop before all are treated"] += first and row[column.END] == TOXICITY
            found["futile before all are treated"] += first and row[column.END] == FUTILITY
            found["overrun"] += row[column.END] == TOXICITY and row[column.OVERRUN] > 0
    assert found["stop"] > 40 and found["stop at n"] > 40
    assert (found["overrun"] > 10) == (interim == CONTINUE_ACCRUAL)
    early = found["stop before all are treated"], found["futile before all are treated"]
    assert min(early) >= 3 if interim == EARLY_DECISION else max(early) == 0


def may_end_unasked(looks: Looks) -> bool:
    """Whether the first look may stop for toxicity, so that early decision may do so before all are treated."""
    return looks.toxic_ge[0] < NEVER


def test_a_look_that_never_asks_is_no_such_look() -> None:
    rng = random.Random("never asks")
    for _ in range(20):
        rules, truth = random_case(rng)
        looks = replace(rules.looks, toxic_ge=())
        never = replace(looks, toxic_ge=(NEVER,) * len(looks.n))
        with_never, without = (
            distribution(replace(rules, looks=each), rates_of(truth)) for each in (never, looks)
        )
        assert with_never.values == without.values


def test_impossible_cut_offs_are_refused() -> None:
    row = ((-1, 1, 1), (-1, -1, -2, -2, -2))
    for toxic_ge in ((1,), (0, 2), (3, 4), (1, 5)):
        with pytest.raises(ValueError, match="cut-off"):
            Looks((2, 4), row, toxic_ge)
    looks = Looks((2, 4), row, (2, NEVER))
    assert looks.too_toxic == 2
    assert two_way((2, 4), (0, 1), (None, 1), (3, 4)).toxic_ge == (NEVER, 4)
    rng = random.Random("refused")
    while True:
        rules, _ = random_case(rng)
        if not rules.replaced and rules.looks.planned_n == 4:
            break
    with pytest.raises(ValueError, match="replaced"):
        replace(rules, looks=looks, on_dose_change=POOLED, replaced=True)
    with pytest.raises(ValueError, match="new dose alone"):
        Rules(looks, rules.monitor, False, 4, NEW_DOSE_ONLY, (1,) * 5)
