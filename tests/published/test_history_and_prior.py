"""Doubt about p0 and Bayesian operating characteristics against numbers worked out apart from the project.

Every number is compared: 37 rows of 14 in ``history.csv``, 2 of 2 in ``history_mixture.csv``, 5 of 1 in
``history_odds_ratio.csv``, 64 of 12 in ``bayes_discrete.csv``, 75 of 9 in ``bayes_beta.csv``: 1,970 numbers, all equal
to within 1e-9 and in 11 digits, none different. The toxicities of a design alone are blank there and none here. Rows
with 2.5 responses are reached through the Beta distribution that they leave: counts must be whole.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.published.reference import rows
from trialsim.engine.bayesian import Numbers, over_prior
from trialsim.engine.history import OverHistory, TypeI, over_history
from trialsim.scenario.believed import DrugPrior, History
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import parse

DASATINIB = {"r1": "1", "n1": "25", "r": "6", "n": "70", "p0": "0.05", "evaluable": "0.9857"}
DESIGNS = {row["design"]: row for row in rows("history.csv")}
T, X = [0.45, 0.32], [0.60, 0.45]

compared: dict[str, int] = {}


@cache
def reference(design: str, p1: str = "0.9") -> Compiled:
    """The trial of a design of ``history.csv``, compiled once."""
    return trial({**DESIGNS[design], "p1": p1})


def trial(design: dict[str, str], *, odds_ratio: float = 1.0, **keys: Any) -> Compiled:
    """A trial of a reference table: its design, Pocock's boundary .30, .10 at both doses, toxicity .45 and .32."""
    p0, p1 = float(design["p0"]), float(design.get("p1", 0.9))
    block: dict[str, Any] = {"kind": "single_stage", "n": int(design["n"]), "r": int(design["r"])}
    if int(design["n1"]):
        block |= {"kind": "simon", "n1": int(design["n1"]), "r1": int(design["r1"])}
    case = {"response": 0.1, "toxicity": T, "odds_ratio": odds_ratio}
    scenario = {
        "schema": 1, "name": "reference", "endpoint": "response",
        "design": block | {"p0": p0, "p1": p1, "alpha": 0.05, "beta": 0.2},
        "doses": ["higher", "lower"],
        "dose_reduction": {"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1}},
        "evaluability": {"probability": float(design["evaluable"])},
        "truth": {"case": case},
    } | keys  # fmt: skip
    return Compiled.of(parse(json.dumps(scenario), "reference.yaml"))


def equal(table: str, found: float | None, printed: str) -> None:
    """A number to within 1e-9 and in 11 digits; a blank cell is none."""
    compared[table] = compared.get(table, 0) + 1
    if printed == "":
        assert found is None
        return
    assert found is not None
    assert found == pytest.approx(float(printed), rel=5e-11, abs=1e-15), (table, found, printed)
    assert abs(found - float(printed)) < 1e-9


def over(on: Compiled, **history: Any) -> OverHistory:
    of = over_history(on, TypeAdapter(History).validate_python(history))
    assert of is not None
    return of


def type_i(of: OverHistory) -> tuple[TypeI, TypeI]:
    assert of.alone is not None
    return of.alone, of.conducted[0][1]


QUANTILES = {"10%": "q10", "25%": "q25", "50%": "median", "75%": "q75", "90%": "q90", "95%": "q95"}


def test_history() -> None:
    for row in rows("history.csv"):
        beta = [float(row["a"]), float(row["b"])]
        of = over(reference(row["design"]), beta=beta)
        alone, conducted = type_i(of)
        assert alone.quantiles is not None
        for name, column in QUANTILES.items():
            equal("history", alone.quantiles[name], row[f"type1_{column}"])
        equal("history", alone.at_p0, row["alpha_at_p0"])
        equal("history", alone.mean, row["mean_type1"])
        equal("history", alone.p_above_alpha, row["p_type1_above_05"])
        equal("history", alone.p_above_p0, row["p_above_attained"])
        equal("history", conducted.mean, row["mean_type1_conducted"])
        equal("history", conducted.at_p0, row["alpha_at_p0_conducted"])
        equal("history", of.prior.mean, row["prior_mean"])
        free = over(without_toxicity(row["design"]), beta=beta).conducted[0][1]
        equal("history", conducted.mean / free.mean, row["p_no_toxicity_stop"])
    assert compared["history"] == 14 * 37


@cache
def without_toxicity(design: str) -> Compiled:
    """The same where nobody has toxicity: what P(no toxicity stop) multiplies."""
    return trial(DESIGNS[design], truth={"case": {"response": 0.1, "toxicity": 0.0}})


def test_history_by_counts_is_the_beta_that_they_leave() -> None:
    for row in rows("history.csv"):
        if row["prior"] != "jeffreys" or "." in row["y"]:
            continue
        of = over(reference(row["design"]), responses=int(row["y"]), patients=int(row["m"]))
        assert of.alone is not None
        equal("counts", of.alone.mean, row["mean_type1"])
        same = [
            r
            for r in rows("history.csv")
            if r["prior"] == "mean" and (r["design"], r["m"]) == (row["design"], row["m"])
        ]
        for other in same:
            equal("counts", of.alone.mean_same_mean, other["mean_type1"])
    assert compared["counts"] > 15


def test_history_mixture() -> None:
    for row in rows("history_mixture.csv"):
        w = float(row["weight"])
        parts = [
            {"weight": w, "beta": [float(row["a1"]), float(row["b1"])]},
            {"weight": 1 - w, "beta": [float(row["a2"]), float(row["b2"])]},
        ]
        of = over(reference("dasatinib"), mixture=parts)
        assert of.alone is not None
        equal("mixture", of.prior.mean, row["prior_mean"])
        equal("mixture", of.alone.mean, row["mean_type1"])


def test_history_with_response_and_toxicity_associated() -> None:
    for row in rows("history_odds_ratio.csv"):
        associated = trial(DASATINIB, odds_ratio=float(row["odds_ratio"]))
        ((_, found),) = over(associated, beta=[float(row["a"]), float(row["b"])]).conducted
        assert found.nodes >= 60 and found.error < 1e-12
        equal("odds_ratio", found.mean, row["mean_type1_conducted"])


def points(*of: tuple[float, list[float], list[float]], odds_ratio: float) -> list[dict[str, Any]]:
    return [
        {"weight": weight, "response": response, "toxicity": toxicity, "odds_ratio": odds_ratio}
        for weight, response, toxicity in of
    ]


LOW, HIGH, LOSS = [0.05, 0.05], [0.15, 0.15], [0.15, 0.05]
PRIORS: dict[str, list[tuple[float, list[float], list[float]]]] = {
    "third": [(1 / 3, HIGH, T), (2 / 3, LOW, T)],
    "tenth": [(0.1, HIGH, T), (0.9, LOW, T)],
    "half": [(0.5, HIGH, T), (0.5, LOW, T)],
    "three": [(0.5, LOW, T), (0.3, [0.1, 0.1], T), (0.2, HIGH, T)],
    "tox_third_quarter": [(1 / 4, HIGH, T), (1 / 12, HIGH, X), (1 / 2, LOW, T), (1 / 6, LOW, X)],
    "tox_third_half": [(1 / 6, HIGH, T), (1 / 6, HIGH, X), (1 / 3, LOW, T), (1 / 3, LOW, X)],
    "dose_loss": [(2 / 3, LOW, T), (1 / 6, HIGH, T), (1 / 6, LOSS, T)],
    "five": [
        (0.4, [0.03] * 2, T), (0.25, LOW, T), (0.15, [0.1] * 2, T), (0.15, HIGH, T), (0.05, [0.2] * 2, T)
    ],
}  # fmt: skip
ACTIVE: dict[str, dict[str, Any]] = {
    "at_least_p1": {"active": "at_least_p1"},
    "above_p0": {"active": "above_p0"},
    "both_doses_at_least_p1": {"active": "at_least_p1", "dose": "both"},
    "at_least_p1_and_tolerable": {"active": "at_least_p1", "tolerable": 0.45},
}
SAME = {
    "p_active": "p_active", "assurance": "assurance", "p_go_and_active": "p_go_and_active",
    "p_go_and_inactive": "p_go_and_inactive", "p_active_given_go": "p_active_given_go",
    "p_inactive_given_go": "p_inactive_given_go", "p_active_given_no_go": "p_active_given_no_go",
    "average_type_i_error": "average_type1", "average_power": "average_power",
}  # fmt: skip


def held_against(table: str, found: Numbers, row: dict[str, str]) -> None:
    for name, column in SAME.items():
        equal(table, getattr(found, name), row[column])


@cache
def over_points(prior: str, odds_ratio: float, active: str) -> tuple[Numbers, Numbers]:
    utility = {"right_go": 100, "wrong_go": 50, "patient": 1, "toxicity": 0}
    stated = {"points": points(*PRIORS[prior], odds_ratio=odds_ratio), "utility": utility, **ACTIVE[active]}
    of = over_prior(reference("dasatinib", "0.15"), TypeAdapter(DrugPrior).validate_python(stated))
    assert of is not None and of.alone is not None
    return of.alone, of.conducted[0][1]


def test_points() -> None:
    for row in rows("bayes_discrete.csv"):
        both = over_points(row["prior"], float(row["odds_ratio"]), row["active"])
        found = both[row["how"] == "conducted"]
        held_against("points", found, row)
        equal("points", found.en, row["mean_n"])
        equal("points", found.toxicities, row["mean_toxicities"])
        equal("points", found.utility, row["utility_100_50_1"])
    assert compared["points"] == 12 * 64


def parts_of(components: str) -> list[dict[str, Any]]:
    return [
        {"weight": float(w), "beta": [float(a), float(b)]}
        for w, a, b in re.findall(r"([\d.]+)\*Beta\(([\d.]+),([\d.]+)\)", components)
    ]


@cache
def over_beta(design: str, p1: str, components: str, cut: str, active: str) -> tuple[Numbers, Numbers]:
    parts = parts_of(components)
    stated: dict[str, Any] = {"mixture": parts} if len(parts) > 1 else {"beta": parts[0]["beta"]}
    stated["active"] = active if active in ("at_least_p1", "above_p0") else {"above": float(cut)}
    of = over_prior(reference(design, p1), TypeAdapter(DrugPrior).validate_python(stated))
    assert of is not None and of.alone is not None
    assert of.cut == float(cut)
    ((_, conducted),) = of.conducted
    assert conducted.error == 0 and conducted.error_of_means < 1e-9
    return of.alone, conducted


def test_beta() -> None:
    for row in rows("bayes_beta.csv"):
        both = over_beta(row["design"], row["p1"], row["components"], row["cut"], row["active"])
        held_against("beta", both[row["how"] == "conducted"], row)
    assert compared["beta"] == 9 * 75
