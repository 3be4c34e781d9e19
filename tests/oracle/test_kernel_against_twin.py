"""The compiled kernel against its plain-Python twin: the same trials, number by number."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.helpers import first_of
from tests.oracle.brute_force import Dose
from tests.oracle.common import random_case, rates_of
from tests.oracle.naive import simulate_trial, thresholds
from tests.oracle.strategies import random_attained
from trialsim.codes import (
    ACCRUAL,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILITY,
    GO_EARLY,
    NEW_DOSE_ONLY,
    POOLED,
    RESTART,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.designs.rules import Rules
from trialsim.engine.compiled import tables_of
from trialsim.kernels.streams import stream_key
from trialsim.kernels.trial import (
    END,
    EVALUABLE,
    LANES,
    LEVELS,
    REDUCED_AFTER,
    TRIGGERED,
    N,
    columns,
    simulate,
)

Rows = NDArray[np.int32]
Paths = NDArray[np.int8]

REASONS = {
    FUTILITY: "futility",
    TOXICITY: "toxicity",
    GO_EARLY: "go_early",
    FINAL_NO_GO: "final_no_go",
    FINAL_GO: "final_go",
    FINAL_CONSIDER: "final_consider",
    TOXICITY_AT_N: "toxicity_at_n",
    ACCRUAL: "accrual_cap",
}


def trials(rules: Rules, truth: tuple[Dose, ...], seed: int, first: int, count: int) -> tuple[Rows, Paths]:
    """The kernel's columns and paths; whether paths are kept makes no difference to the columns."""
    out = np.zeros((count, columns(rules.levels)), dtype=np.int32)
    again = np.ones_like(out)
    paths = np.zeros((count, rules.most_treated), dtype=np.int8)
    nothing_kept = np.zeros((0, 0), dtype=np.int8)
    for columns_of, kept in ((out, paths), (again, nothing_kept)):
        simulate(tables_of(rules), rates_of(truth).thresholds(), *stream_key(seed), first, columns_of, kept)
    assert (out == again).all()
    return out, paths


def assert_same_trials(rules: Rules, truth: tuple[Dose, ...], seed: int, first: int, count: int) -> None:
    out, paths = trials(rules, truth, seed, first, count)
    slow = [thresholds(dose) for dose in truth]
    for row in range(count):
        trial = simulate_trial(rules, slow, seed, first + row)
        by_level = out[row, LEVELS:].reshape(rules.levels, 3)
        assert REASONS[out[row, END]] == trial["reason"]
        assert out[row, N] == trial["n"]
        assert out[row, EVALUABLE] == trial["evaluable"]
        assert out[row, REDUCED_AFTER] == trial["reduction_patient"]
        assert bool(out[row, TRIGGERED]) == trial["triggered"]
        assert by_level[:, 0].tolist() == list(trial["patients_by_level"])
        assert by_level[:, 1].tolist() == list(trial["responses_by_level"])
        assert by_level[:, 2].tolist() == list(trial["toxicities_by_level"])
        enrolled = paths[row, : trial["n"]]
        assert paths[row, trial["n"] :].sum() == 0
        for level in range(rules.levels):
            here = enrolled[(enrolled - 1) // 8 == level] - 1
            assert len(here) == trial["patients_by_level"][level]
            assert (here // 2 % 2).sum() == trial["responses_by_level"][level]
            assert (here % 2).sum() == trial["toxicities_by_level"][level]


@pytest.mark.parametrize("examples", first_of(1, [500, 2000]))
def test_every_trial_equals_the_twin(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    @given(rng=st.randoms(use_true_random=False), seed=st.integers(0, 2**63 - 1), first=st.integers(0, 2**47))
    def compared(rng: random.Random, seed: int, first: int) -> None:
        rules, truth = random_case(rng, max_n=12, max_n_inevaluable=10)
        assert_same_trials(rules, truth, seed, first, 3)

    compared()


@pytest.mark.parametrize("on_dose_change", [POOLED, NEW_DOSE_ONLY, RESTART])
@pytest.mark.parametrize(("seed", "first"), [(1, 0), (2, 2**32 - 500)])
def test_trials_that_share_a_block_do_not_meet(seed: int, first: int, on_dose_change: int) -> None:
    """More replicates than advance abreast, trials of full size, and the change of a counter word."""
    rng = random.Random(seed)
    reduced = 0.0
    while not 0.2 < reduced < 0.8:
        rules, truth = random_case(rng, max_n=70, max_n_inevaluable=60)
        if rules.looks.planned_n < 40 or (rules.replaced and on_dose_change == NEW_DOSE_ONLY):
            continue
        if rules.looks.too_toxic and on_dose_change == NEW_DOSE_ONLY:
            continue
        attained = random_attained(rng, rules.looks.planned_n)
        rules = replace(rules, on_dose_change=on_dose_change, attained_ge=attained)
        reduced = float((trials(rules, truth, seed, first, 500)[0][:, REDUCED_AFTER] > 0).mean())
    assert_same_trials(rules, truth, seed, first, LANES + 150)
