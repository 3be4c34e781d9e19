"""Doubt about p0, and Bayesian operating characteristics.

Rows with 2.5 responses are reached through the Beta distribution that they leave: counts must be whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from trialsim.engine.bayesian import Numbers, over_prior
from trialsim.engine.history import OverHistory, over_history
from trialsim.qualification.comparing import Compared, Reference, Row, named, near, rows, same
from trialsim.scenario.believed import DrugPrior, History
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import parse

DASATINIB = {"r1": "1", "n1": "25", "r": "6", "n": "70", "p0": "0.05", "evaluable": "0.9857"}
T, X = [0.45, 0.32], [0.60, 0.45]
QUANTILES = {"10%": "q10", "25%": "q25", "50%": "median", "75%": "q75", "90%": "q90", "95%": "q95"}


@cache
def _design(name: str) -> dict[str, str]:
    """A design of ``history.csv``."""
    return {row["design"]: row for row in rows("history")}[name]


@cache
def reference(design: str, p1: str = "0.9") -> Compiled:
    """The trial of a design of ``history.csv``, compiled once."""
    return trial({**_design(design), "p1": p1})


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


@cache
def _without_toxicity(design: str) -> Compiled:
    """The same where nobody has toxicity: what P(no toxicity stop) multiplies."""
    return trial(_design(design), truth={"case": {"response": 0.1, "toxicity": 0.0}})


def over(on: Compiled, **history: Any) -> OverHistory:
    """Doubt about p0 over a stated history."""
    of = over_history(on, TypeAdapter(History).validate_python(history))
    if of is None or of.alone is None:
        raise ValueError("a history without numbers")
    return of


def _held(where: str, here: float | None, stated: str) -> Compared:
    """A number to within 1e-9 and in 11 digits; a blank cell is none."""
    if stated == "" or here is None:
        return same(where, here, None if stated == "" else stated)
    return near(where, here, stated, min(max(5e-11 * abs(float(stated)), 1e-15), 1e-9))


def histories(rows: Sequence[Row]) -> Iterator[Compared]:
    """The type I error over what a historical control leaves possible, alone and as conducted."""
    for row in rows:
        where = named(row, "setting")
        beta = [float(row["a"]), float(row["b"])]
        of = over(reference(row["design"]), beta=beta)
        alone, conducted = of.alone, of.conducted[0][1]
        assert alone is not None
        quantiles = alone.quantiles or {}
        free = over(_without_toxicity(row["design"]), beta=beta).conducted[0][1]
        found = {f"type1_{column}": quantiles.get(name) for name, column in QUANTILES.items()} | {
            "alpha_at_p0": alone.at_p0,
            "mean_type1": alone.mean,
            "p_type1_above_05": alone.p_above_alpha,
            "p_above_attained": alone.p_above_p0,
            "mean_type1_conducted": conducted.mean,
            "alpha_at_p0_conducted": conducted.at_p0,
            "prior_mean": of.prior.mean,
            "p_no_toxicity_stop": conducted.mean / free.mean,
        }
        for column, value in found.items():
            yield _held(f"{column}, {where}", value, row[column])


def mixtures(rows: Sequence[Row]) -> Iterator[Compared]:
    """Mixtures of two Beta distributions."""
    for row in rows:
        w = float(row["weight"])
        parts = [
            {"weight": w, "beta": [float(row["a1"]), float(row["b1"])]},
            {"weight": 1 - w, "beta": [float(row["a2"]), float(row["b2"])]},
        ]
        of = over(reference("dasatinib"), mixture=parts)
        assert of.alone is not None
        yield _held(f"prior_mean, {named(row, 'setting')}", of.prior.mean, row["prior_mean"])
        yield _held(f"mean_type1, {named(row, 'setting')}", of.alone.mean, row["mean_type1"])


def associated(rows: Sequence[Row]) -> Iterator[Compared]:
    """Response and toxicity associated within a patient."""
    for row in rows:
        on = trial(DASATINIB, odds_ratio=float(row["odds_ratio"]))
        ((_, found),) = over(on, beta=[float(row["a"]), float(row["b"])]).conducted
        where = f"mean_type1_conducted, {named(row, 'setting')}"
        one = _held(where, found.mean, row["mean_type1_conducted"])
        yield one._replace(equal=one.equal and found.nodes >= 60 and found.error < 1e-12)


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


def _all_held(where: str, found: Numbers, row: Row, columns: dict[str, str]) -> Iterator[Compared]:
    for name, column in columns.items():
        yield _held(f"{column}, {where}", getattr(found, name), row[column])


@cache
def _over_points(prior: str, odds_ratio: float, active: str) -> tuple[Numbers, Numbers]:
    utility = {"right_go": 100, "wrong_go": 50, "patient": 1, "toxicity": 0}
    points = [
        {"weight": weight, "response": response, "toxicity": toxicity, "odds_ratio": odds_ratio}
        for weight, response, toxicity in PRIORS[prior]
    ]
    return _both(reference("dasatinib", "0.15"), {"points": points, "utility": utility, **ACTIVE[active]})


def _both(on: Compiled, stated: dict[str, Any]) -> tuple[Numbers, Numbers]:
    """By the design alone, and as conducted."""
    of = over_prior(on, TypeAdapter(DrugPrior).validate_python(stated))
    if of is None or of.alone is None:
        raise ValueError("a prior without numbers")
    return of.alone, of.conducted[0][1]


def points(rows: Sequence[Row]) -> Iterator[Compared]:
    """Priors of a few truths."""
    more = {"en": "mean_n", "toxicities": "mean_toxicities", "utility": "utility_100_50_1"}
    for row in rows:
        both = _over_points(row["prior"], float(row["odds_ratio"]), row["active"])
        where = named(row, "setting", "how")
        yield from _all_held(where, both[row["how"] == "conducted"], row, SAME | more)


@cache
def _over_beta(design: str, p1: str, components: str, cut: str, active: str) -> tuple[Numbers, Numbers]:
    parts = [
        {"weight": float(w), "beta": [float(a), float(b)]}
        for w, a, b in re.findall(r"([\d.]+)\*Beta\(([\d.]+),([\d.]+)\)", components)
    ]
    stated: dict[str, Any] = {"mixture": parts} if len(parts) > 1 else {"beta": parts[0]["beta"]}
    stated["active"] = active if active in ("at_least_p1", "above_p0") else {"above": float(cut)}
    return _both(reference(design, p1), stated)


def betas(rows: Sequence[Row]) -> Iterator[Compared]:
    """Beta priors and their mixtures."""
    for row in rows:
        both = _over_beta(row["design"], row["p1"], row["components"], row["cut"], row["active"])
        where = named(row, "setting", "how")
        yield from _all_held(where, both[row["how"] == "conducted"], row, SAME)


APART = "worked out apart from trialsim"
REFERENCES = (
    Reference("history", "type I error over a historical control", APART, histories, 37, 518),
    Reference("history_mixture", "the same over mixtures", APART, mixtures, 2, 4),
    Reference("history_odds_ratio", "the same where response and toxicity are associated", APART, associated, 5, 5),
    Reference("bayes_discrete", "Bayesian operating characteristics over a few truths", APART, points, 64, 768),
    Reference("bayes_beta", "Bayesian operating characteristics over Beta priors", APART, betas, 75, 675),
)  # fmt: skip
