"""Two doses randomised from the start against tables computed apart from the project (data/dose)."""

from __future__ import annotations

import numpy as np
import pytest

import trialsim
from tests.published.reference import response_rules, rows
from trialsim.designs.dose_choice import HIGHER, LOWER, NO_GO, DoseChoice, ObservedDifference
from trialsim.engine.dose_arms import decided


def test_each_dose_with_its_own_design():
    count = 0
    for row in rows("dose/randomised_simon_each_arm.csv"):
        n1, r1, n, r, k = (int(row[name]) for name in ("n1", "r1", "n", "r", "k"))
        rules = response_rules((n1, n), (r1, r), (None, r + 1))
        cells = np.array([[1 - p, 0, p, 0] for p in (float(row["p1"]), float(row["p2"]))])
        # any cut-off from k / n to below (k + 1) / n is the same rule
        rule = DoseChoice.of(
            ObservedDifference(kind="difference", **{"lambda": round((k + 0.5) / n, 6)}), compared="arms"
        )
        passed, (found,) = decided(rules, cells, [rule])
        only_higher, only_lower = float(row["only_higher"]), float(row["only_lower"])
        for got, stated in (
            (passed.none, float(row["none"])),
            (passed.only_higher, only_higher),
            (passed.only_lower, only_lower),
            (passed.both, float(row["both_higher"]) + float(row["both_lower"])),
            (found.outcomes[NO_GO], float(row["none"])),
            (found.outcomes[HIGHER], only_higher + float(row["both_higher"])),
            (found.outcomes[LOWER], only_lower + float(row["both_lower"])),
        ):
            assert got == pytest.approx(stated, abs=1e-11), (row, got)
            count += 1
    assert count == 7 * len(rows("dose/randomised_simon_each_arm.csv")) > 300


def test_the_smallest_number_of_patients():
    count = 0
    for row in rows("dose/randomised_smallest_n.csv"):
        found = trialsim.find(
            "selection", higher=float(row["higher"]), delta=float(row["delta"]), pcs=float(row["target"])
        )
        first = found["first"]
        assert (first.n, first.k) == (int(row["n_first"]), int(row["k"])), row
        assert first.pcs_equal == pytest.approx(float(row["pcs_equal"]), abs=1e-11)
        assert first.pcs_different == pytest.approx(float(row["pcs_different"]), abs=1e-11)
        assert found["stable"].n == int(row["n_stable_to_400"]), row
        count += 5
    assert count == 150
