"""Tallies add, whatever they count, and go to disk and back exactly."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trialsim.codes import CONTINUE, FUTILE, NEVER
from trialsim.designs.rules import Looks, Monitor, Rules
from trialsim.engine.paired import products
from trialsim.engine.quantities import Side
from trialsim.engine.tally import Tally, fold
from trialsim.engine.trials import untimed
from trialsim.kernels.trial import LEVELS, REDUCED_AFTER, TRIGGERED, N
from trialsim.scenario.truth import Rates


def test_the_shorter_count_is_continued_with_zeros():
    short, long = Tally(2, {"months": (1, 1)}), Tally(3, {"months": (0, 1, 0, 2)})
    assert short + long == long + short == Tally(5, {"months": (1, 2, 0, 2)})


def test_tallies_of_different_kernels_do_not_add():
    with pytest.raises(ValueError, match="different kernels"):
        Tally(1, {"n": (1,)}) + Tally(1, {"months": (1,)})


def test_to_json_and_back_is_exact():
    tally = Tally(10**9, {"squares": (2**53 + 1, 10**30), "none": ()})
    assert Tally.from_dict(json.loads(json.dumps(tally.to_dict()))) == tally


def test_sums_of_squares_outgrow_64_bits():
    block = Tally(2**40, {"squares": (2**62,)})
    assert (block + block + block + block).counts["squares"] == (2**64,)


def test_products_of_centuries_outgrow_64_bits():
    ticks = np.array([2**31 - 1, -(2**31), 12345] * 7, dtype=np.int64)
    assert products(ticks, ticks) == 7 * ((2**31 - 1) ** 2 + 2**62 + 12345**2) > 2**63
    assert products(ticks, ticks[::-1].copy()) == sum(
        a * b for a, b in zip(ticks.tolist(), ticks[::-1].tolist(), strict=True)
    )
    few = np.arange(-3, 9)
    assert products(few, few) == int(few @ few)
    assert products(few[:0], few[:0]) == 0


def test_a_folded_block_gives_its_means():
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 4, (500, LEVELS + 3)).astype(np.int32)
    rows[:, TRIGGERED] = rows[:, REDUCED_AFTER] > 1
    tally = fold(rows[:99], 20, LEVELS, 1) + fold(rows[99:], 20, LEVELS, 1)
    rules = Rules(Looks((3,), ((FUTILE,) * 4,)), Monitor(((NEVER,) * 4,), (0,), (CONTINUE,)), False, 3)
    side = Side.of(untimed(rules, {"": Rates((0.1,), (0.2,))})[""])
    found = side.simulated(tally).values
    n, responses = rows[:, N].astype(float), rows[:, LEVELS + 1].astype(float)
    assert found["en"].estimate == pytest.approx(n.mean())
    assert found["en"].mcse == pytest.approx(n.std(ddof=1) / np.sqrt(500))
    assert found["responses"].estimate == pytest.approx(responses.mean())
    assert found["p_dose_reduced"].estimate == pytest.approx((rows[:, REDUCED_AFTER] > 0).mean())
    assert found["p_dose_reduction_triggered"].estimate == pytest.approx(rows[:, TRIGGERED].mean())
