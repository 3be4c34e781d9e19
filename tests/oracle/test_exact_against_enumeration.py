"""The Markov chain against the enumeration of every outcome sequence in rational arithmetic."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.oracle.brute_force import cells_of, enumerate_trial
from tests.oracle.common import random_case, rates_of
from trialsim.engine.exact import distribution

SAME = 1e-12


@pytest.mark.parametrize("batch", range(8))
def test_every_number_equals_the_enumeration(batch):
    rng = random.Random(20260 + batch)
    for _ in range(25):
        rules, truth = random_case(rng)
        expected = enumerate_trial(rules, cells_of(truth))
        found = distribution(rules, rates_of(truth), totals=True)
        for name, value in found.values.items():
            assert value == pytest.approx(expected[name], abs=SAME), (name, rules, truth)
        np.testing.assert_allclose(found.n, expected["distributions"]["n"], atol=SAME, rtol=0)
        np.testing.assert_allclose(found.responses, expected["distributions"]["responses"], atol=SAME, rtol=0)
        np.testing.assert_allclose(
            found.toxicities, expected["distributions"]["toxicities"], atol=SAME, rtol=0
        )
        np.testing.assert_allclose(
            found.reduction_patient, expected["distributions"]["reduction_patient"], atol=SAME, rtol=0
        )
        np.testing.assert_allclose(found.joint_responses, expected["joint_n_responses"], atol=SAME, rtol=0)
