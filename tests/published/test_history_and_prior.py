"""Doubt about p0 by counts; every number of its tables is compared in test_tables.py."""

from __future__ import annotations

import pytest

from tests.published.reference import rows
from trialsim.qualification.tables.doubt import over, reference


def test_history_by_counts_is_the_beta_that_they_leave() -> None:
    compared = 0
    for row in rows("history.csv"):
        if row["prior"] != "jeffreys" or "." in row["y"]:
            continue
        of = over(reference(row["design"]), responses=int(row["y"]), patients=int(row["m"]))
        assert of.alone is not None
        pairs = [(of.alone.mean, row["mean_type1"])]
        pairs += [
            (of.alone.mean_same_mean, r["mean_type1"])
            for r in rows("history.csv")
            if r["prior"] == "mean" and (r["design"], r["m"]) == (row["design"], row["m"])
        ]
        for found, stated in pairs:
            assert found == pytest.approx(float(stated), rel=5e-11, abs=1e-15)
            compared += 1
    assert compared > 15
