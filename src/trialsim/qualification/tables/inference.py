"""Estimates, p-values and intervals that other programs print after a two-stage trial."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from trialsim.designs.binomial import upper_tail
from trialsim.designs.rules import two_way
from trialsim.inference.estimators import ESTIMATORS
from trialsim.inference.intervals import INTERVALS
from trialsim.inference.orderings import at_least, ranks
from trialsim.inference.outcomes import Outcomes, outcomes_of
from trialsim.qualification.comparing import Compared, Reference, Row, named, near

ROOT_SEARCH = 4e-5
"""Half the default tolerance of the root finder of R, within which desmon and singlearm stop, and a little more."""

ALL_RESPOND = "at x = n singlearm puts the median unbiased estimate at 1; p^n = 1/2 has its root below"

POINTS = {
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

ESTIMATES = {
    "naive": ("mle", 1e-9),
    "bias_adj": ("bias_adjusted", ROOT_SEARCH),
    "bias_sub": ("bias_subtracted", 1e-9),
    "conditional": ("conditional", ROOT_SEARCH),
    "umvue": ("umvue", 1e-9),
    "umvcue": ("umvcue", 1e-9),
    "mue": ("median_unbiased", ROOT_SEARCH),
}
"""Columns of singlearm: ours, and how far apart they may be."""


@lru_cache
def everything(r1: int, n1: int, r: int, n: int) -> tuple[Outcomes, dict[str, Any], dict[Any, Any]]:
    """Outcomes of a design, every estimator, and every interval at 95% and 90%."""
    outcomes = outcomes_of(two_way((n1, n), (r1, r), (None, r)))
    estimates: dict[str, Any] = {name: estimate(outcomes) for name, estimate in ESTIMATORS.items()}
    limits = {(name, c): method(outcomes, c) for name, method in INTERVALS.items() for c in (0.95, 0.9)}
    return outcomes, estimates, limits


def _cut_offs(row: Row) -> tuple[int, int, int, int]:
    r1, n1, r, n = (int(row[key]) for key in ("r1", "n1", "r", "n"))
    return r1, n1, r, n


def p_value(outcomes: Outcomes, here: int, p0: float, ordering: str = "stagewise") -> float:
    """P(an outcome at least as extreme) at p0."""
    return float(at_least(outcomes.pmf(p0), ranks(outcomes, ordering))[0, here])


def after_the_trial(rows: Sequence[Row]) -> Iterator[Compared]:
    """Every outcome of six designs: estimates, p-values and interval limits of four programs and of enumeration."""
    for row in rows:
        where = named(row, "design", "p0", "stage", "x")
        outcomes, estimates, limits = everything(*_cut_offs(row))
        here = outcomes.find(int(row["stage"]) - 1, int(row["x"]))
        for column, (name, within) in POINTS.items():
            yield near(f"{column}, {where}", estimates[name][here], row[column], within)
        for column in ("clinfun_pvalue", "onearm_p_KC"):
            p = p_value(outcomes, here, float(row["p0"]))
            yield near(f"{column}, {where}", p, row[column], max(1e-11 * float(row[column]), 1e-12))
        for column, (name, confidence, end, within) in LIMITS.items():
            limit = float(limits[name, confidence][end][here])
            yield _limit(f"{column}, {where}", row, column, limit, within)


def _limit(where: str, row: Row, column: str, limit: float, within: float) -> Compared:
    """A limit, or that there is none.

    With no responses the rule has no upper limit; two programs print nothing at stage 1.
    """
    if row[column] == "NA":
        first = row["x"] == "0" and ("clinfun" in column or "KC" in column)
        silent = row["stage"] == "1" and column.startswith(("onearm", "phii"))
        return Compared(where, limit, "NA", (first and math.isnan(limit)) or (not first and silent))
    if math.isnan(limit):  # a lower limit of 0 beside no upper one
        nothing = column.startswith("own_KC") and (row["x"], row[column]) == ("0", "0")
        return Compared(where, limit, row[column], nothing)
    return near(where, limit, row[column], within)


def of_singlearm(rows: Sequence[Row]) -> Iterator[Compared]:
    """Seven estimates, four p-values, three intervals."""
    for row in rows:
        where = named(row, "design", "p0", "m", "s")
        outcomes, estimates, limits = everything(*_cut_offs(row))
        here = outcomes.find(int(row["k"]) - 1, int(row["s"]))
        p0, stage = float(row["p0"]), int(row["k"])
        naive = float(upper_tail(int(row["m"]), p0)[int(row["s"])])
        going_on = float(outcomes.pmf(p0)[0][outcomes.look == 1].sum())
        stagewise = p_value(outcomes, here, p0)
        found = {
            "p_naive": naive,
            "p_mle": p_value(outcomes, here, p0, "mle"),
            "p_umvue": p_value(outcomes, here, p0, "umvue"),
            "p_cond": stagewise / going_on if stage == 2 else naive,
        }
        for column, value in found.items():
            within = max(1e-10, 1e-6 * float(row[column]))
            yield near(f"{column}, {where}", value, row[column], within)
        for column, (name, within) in ESTIMATES.items():
            one = near(f"{column}, {where}", float(estimates[name][here]), row[column], within)
            known = not one.equal and column == "mue" and row["s"] == row["n"]
            yield one._replace(explained=ALL_RESPOND) if known else one
        for column, name in (
            ("exact", "stagewise"),
            ("midp", "stagewise_mid_p"),
            ("clopper", "clopper_pearson"),
        ):
            for end, side in enumerate(("lo", "hi")):
                stated = row[f"ci95_{column}_{side}"]
                if stated != "NA":
                    limit = float(limits[name, 0.95][end][here])
                    yield near(f"ci95_{column}_{side}, {where}", limit, stated, ROOT_SEARCH)


REFERENCES = (
    Reference(
        "inference", "estimates, p-values and intervals after a two-stage trial",
        "clinfun 1.1.5, OneArmPhaseTwoStudy 1.0.3, PhIIdesign 0.2.0, desmon 0.9-13 on R 4.2.2; enumeration",
        after_the_trial, 205, 6150,
    ),
    Reference(
        "inference_estimators", "seven estimates and their p-values", "singlearm 1.0.0 on R 4.2.2",
        of_singlearm, 36, 524, 2,
    ),
)  # fmt: skip
