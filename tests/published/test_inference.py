"""Estimates, p-values and intervals that other programs print after a two-stage trial, reproduced."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from tests.published.reference import rows
from trialsim.designs.binomial import upper_tail
from trialsim.designs.rules import two_way
from trialsim.inference.estimators import ESTIMATORS
from trialsim.inference.intervals import INTERVALS
from trialsim.inference.orderings import at_least, ranks
from trialsim.inference.outcomes import Outcomes, outcomes_of

ROOT_SEARCH = 4e-5
"""Half the default tolerance of the root finder of R, within which desmon and singlearm stop, and a little more."""


@lru_cache
def everything(r1: int, n1: int, r: int, n: int):
    """Outcomes of a design, every estimator, and every interval at 95% and 90%."""
    outcomes = outcomes_of(two_way((n1, n), (r1, r), (None, r)))
    estimates = {name: estimate(outcomes) for name, estimate in ESTIMATORS.items()}
    limits = {(name, c): method(outcomes, c) for name, method in INTERVALS.items() for c in (0.95, 0.9)}
    return outcomes, estimates, limits


def cut_offs(row: dict[str, str]) -> tuple[int, int, int, int]:
    r1, n1, r, n = (int(row[key]) for key in ("r1", "n1", "r", "n"))
    return r1, n1, r, n


def p_value(outcomes: Outcomes, here: int, p0: float, ordering: str = "stagewise") -> float:
    return float(at_least(outcomes.pmf(p0), ranks(outcomes, ordering))[0, here])


INFERENCE = {
    "naive": ("mle", 1e-12),
    "clinfun_umvue": ("umvue", 1e-12),
    "onearm_umvue_GMS": ("umvue", 1e-12),
    "desmon_unbiased": ("umvue", 1e-12),
    "desmon_mle": ("mle", 1e-12),
    "desmon_bcmle": ("bias_adjusted", ROOT_SEARCH),
}
"""Columns of point estimates: ours, and how far apart they may be."""

LIMITS = {
    "clinfun_LCL_a05": ("koyama_chen_coded", 0.90, 0, 1e-9),
    "clinfun_UCL_a05": ("koyama_chen_coded", 0.90, 1, 1e-9),
    "clinfun_LCL_a025": ("koyama_chen_coded", 0.95, 0, 1e-9),
    "clinfun_UCL_a025": ("koyama_chen_coded", 0.95, 1, 1e-9),
    "phii_koyama_lo": ("koyama_chen_coded", 0.90, 0, 1e-9),
    "phii_koyama_hi": ("koyama_chen_coded", 0.90, 1, 1e-9),
    "onearm_CI_lo": ("koyama_chen", 0.90, 0, 1e-5),  # on a grid of .00001, rounded inwards
    "onearm_CI_hi": ("koyama_chen", 0.90, 1, 1e-5),
    "desmon_mleorder_lo95": ("mle_ordering", 0.95, 0, ROOT_SEARCH),
    "desmon_mleorder_hi95": ("mle_ordering", 0.95, 1, ROOT_SEARCH),
    "desmon_atkbrown_lo95": ("stagewise", 0.95, 0, ROOT_SEARCH),
    "desmon_atkbrown_hi95": ("stagewise", 0.95, 1, ROOT_SEARCH),
    "own_KC95_lo": ("koyama_chen", 0.95, 0, 1e-12),
    "own_KC95_hi": ("koyama_chen", 0.95, 1, 1e-12),
    "own_KC90_lo": ("koyama_chen", 0.90, 0, 1e-12),
    "own_KC90_hi": ("koyama_chen", 0.90, 1, 1e-12),
    "own_stagewise_exact95_lo": ("stagewise", 0.95, 0, 1e-12),
    "own_stagewise_exact95_hi": ("stagewise", 0.95, 1, 1e-12),
    "own_stagewise_exact90_lo": ("stagewise", 0.90, 0, 1e-12),
    "own_stagewise_exact90_hi": ("stagewise", 0.90, 1, 1e-12),
    "cp_naive_lo": ("clopper_pearson", 0.95, 0, 1e-12),
    "cp_naive_hi": ("clopper_pearson", 0.95, 1, 1e-12),
}
"""Columns of interval limits: ours, confidence, lower or upper, and how far apart they may be."""


def test_every_row_of_clinfun_onearm_phii_and_desmon():
    compared = {"estimates": 0, "p_values": 0, "limits": 0, "none": 0}
    for row in rows("inference.csv"):
        outcomes, estimates, limits = everything(*cut_offs(row))
        here = outcomes.find(int(row["stage"]) - 1, int(row["x"]))
        for column, (name, tolerance) in INFERENCE.items():
            assert estimates[name][here] == pytest.approx(float(row[column]), abs=tolerance), (column, row)
            compared["estimates"] += 1
        for column in ("clinfun_pvalue", "onearm_p_KC"):
            p = p_value(outcomes, here, float(row["p0"]))
            assert p == pytest.approx(float(row[column]), rel=1e-11), (column, row)
            compared["p_values"] += 1
        for column, (name, confidence, end, tolerance) in LIMITS.items():
            limit = limits[name, confidence][end][here]
            if row[column] == "NA":
                # with no responses the rule has no upper limit; two programs print nothing at stage 1
                first = row["x"] == "0" and ("clinfun" in column or "KC" in column)
                assert first or (row["stage"] == "1" and column.startswith(("onearm", "phii"))), column
                assert np.isnan(limit) or not first
                compared["none"] += 1
            elif not np.isnan(limit):
                assert limit == pytest.approx(float(row[column]), abs=tolerance), (column, row)
                compared["limits"] += 1
            else:
                assert column.startswith("own_KC"), column  # a lower limit of 0 beside no upper one
                assert (row["x"], row[column]) == ("0", "0")
                compared["none"] += 1
    assert compared == {"estimates": 1230, "p_values": 410, "limits": 4354, "none": 156}


ESTIMATES = {
    "naive": ("mle", 1e-9),
    "bias_adj": ("bias_adjusted", ROOT_SEARCH),
    "bias_sub": ("bias_subtracted", 1e-9),
    "conditional": ("conditional", ROOT_SEARCH),
    "umvue": ("umvue", 1e-9),
    "umvcue": ("umvcue", 1e-9),
    "mue": ("median_unbiased", ROOT_SEARCH),
}

ALL_RESPOND = "at x = n singlearm puts the median unbiased estimate at 1; p^n = 1/2 has its root below"


def test_every_row_of_singlearm():
    compared, different = 0, []
    for row in rows("inference_estimators.csv"):
        outcomes, estimates, limits = everything(*cut_offs(row))
        here = outcomes.find(int(row["k"]) - 1, int(row["s"]))
        p0, stage = float(row["p0"]), int(row["k"])
        pmf = outcomes.pmf(p0)[0]
        naive = upper_tail(int(row["m"]), p0)[int(row["s"])]
        going_on = pmf[outcomes.look == 1].sum()
        stagewise = p_value(outcomes, here, p0)
        found = {
            "p_naive": naive,
            "p_mle": p_value(outcomes, here, p0, "mle"),
            "p_umvue": p_value(outcomes, here, p0, "umvue"),
            "p_cond": stagewise / going_on if stage == 2 else naive,
        }
        for column, value in found.items():
            assert value == pytest.approx(float(row[column]), abs=1e-10, rel=1e-6), (column, row)
            compared += 1
        for column, (name, tolerance) in ESTIMATES.items():
            if abs(estimates[name][here] - float(row[column])) > tolerance:
                different.append((column, row["s"], row["n"]))
            compared += 1
        for column, name in (
            ("exact", "stagewise"),
            ("midp", "stagewise_mid_p"),
            ("clopper", "clopper_pearson"),
        ):
            for end, side in enumerate(("lo", "hi")):
                wanted = row[f"ci95_{column}_{side}"]
                if wanted != "NA":
                    limit = limits[name, 0.95][end][here]
                    assert limit == pytest.approx(float(wanted), abs=ROOT_SEARCH), (column, row)
                    compared += 1
    assert different == [("mue", "17", "17"), ("mue", "33", "33")], ALL_RESPOND
    assert compared == 36 * 11 + 36 * 2 + 14 * 4


def test_the_numbers_of_the_statistical_model():
    outcomes, estimates, _ = everything(0, 12, 3, 37)
    here = outcomes.find(1, 3)
    assert estimates["umvue"][here] == pytest.approx(0.115174, abs=5e-7)
    assert p_value(outcomes, here, 0.05) == pytest.approx(0.213006, abs=5e-7)
