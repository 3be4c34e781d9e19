"""What is added to a scenario starts with these values."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache
from itertools import product
from typing import Any

from trialsim.page.keys import branches, node_at, schema
from trialsim.scenario.changes import value_at
from trialsim.scenario.faults import Node, Path
from trialsim.scenario.reading import Reader
from trialsim.scenario.starting import start_of

Data = dict[str, Any]

NEW = "new"
"""What begins with nothing, among the names of the examples."""

NEW_TRIAL = """\
schema: 1
name: A new trial
endpoint: objective response

design:
  kind: simon
  p0: 0.1
  p1: 0.3
  alpha: 0.05
  beta: 0.2

truth:
  inactive: {response: 0.1}
  active: {response: 0.3}
"""
"""The least that is a trial: a design by its error rates, and the two rates that it tells apart."""

STARTS: dict[str, Any] = {
    "toxicity": {"name": "dose-limiting toxicity"},
    "dose_reduction": {"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1}, "at_lowest_dose": "stop"},
    "dose_reduction.rules": [
        {"kind": "k_of_first_m", "k": 4, "m": 6},
        {"kind": "pocock", "limit": 0.3, "phi": 0.1, "min_n": 7},
    ],
    "cohorts": {"strata": [{"name": "cohort A", "share": 0.5}, {"name": "cohort B", "share": 0.5}]},
    "conduct": {"accrual": {"per_month": 4}, "assessment_weeks": [8, 16, 24]},
    "conduct.accrual.per_month": 4,
    "conduct.accrual.sites": {"number": 10, "over_months": 6, "per_site_per_month": 0.5},
    "conduct.toxicity_window_weeks": 8,
    "conduct.patient_reductions": {"hold_weeks": 2, "max_reductions": 1},
    "prior": {"beta": [1, 9], "active": {"above": 0.1}},
    "prior.beta": [1, 9],
    "simulation.precision": {"p_go": 0.001},
    "truth.*": {"response": 0.2},
    "truth.*.response": 0.2,
    "truth.*.toxicity": 0.2,
    "truth.*.stable_disease": 0.2,
    "truth.*.serious": 0.1,
    "observed": {},
    "history": {"responses": 4, "patients": 40},
    "dose_decision": {"rule": {"kind": "difference", "lambda": 0.05}},
    "dose_decision.after_trigger": {"allocation": "blocks"},
    "truth.*.drift": -0.05,
}
"""Path -> what it starts with; ``*`` is any name. Paths that are not here start as the schema says."""

RULES: dict[str, Data] = {
    "pocock": {"limit": 0.3, "phi": 0.1},
    "posterior": {"limit": 0.3, "cutoff": 0.9, "prior": [0.3, 0.7]},
    "group_sequential": {"limit": 0.3, "phi": 0.1, "looks": [10, 20, 30]},
    "k_of_first_m": {"k": 6, "m": 12},
    "pasted": {"boundary": {6: 4, 12: 6}},
    "amendment": {"after_patient": 10},
}
"""Kind of toxicity rule -> what it starts with."""


def start(data: Data, at: Path) -> Any:
    """What is added at a path."""
    case = value_at(data, at[:2]) if at[0] == "truth" else None
    if len(at) == 2 and at[0] == "truth" and data.get("truth"):
        last = list(data["truth"].values())[-1]
        return {key: deepcopy(value) for key, value in last.items() if key not in ("note", "cohorts")}
    if len(at) == 5 and at[2] == "cohorts":  # a group differs from its case
        return deepcopy((case or {}).get(at[4], STARTS.get(f"truth.*.{at[4]}", 1)))
    if at[:2] == ("cohorts", "designs") and len(at) == 3:
        return deepcopy(data.get("design"))
    if at == ("prior",) and "p1" in (data.get("design") or {}):
        return {**STARTS["prior"], "active": "at_least_p1"}
    if at == ("dose_amounts",):
        return amounts_of(data)
    if at[:2] == ("observed", "cells"):
        return _next_cell(data)
    if at[:2] == ("dose_reduction", "rules") and len(at) == 3:
        return {"kind": "k_of_first_m", **RULES["k_of_first_m"]}
    if at[-2:-1] == ("levels",):
        named = value_at(data, at[:-1]) or ()
        return next((dose for dose in data.get("doses") or () if dose not in named), "single dose")
    if at[0] == "related_trials":
        return {
            "name": new_name("related trial", [each.get("name") for each in data.get("related_trials", ())]),
            "evaluable": 30,
            "responses": 3,
        }
    if pattern(at) in STARTS:
        return deepcopy(STARTS[pattern(at)])
    return sample(node_at(data, at))


def pattern(at: Path) -> str:
    """A path as ``STARTS`` has it."""
    return ".".join("*" if i and at[i - 1] == "truth" else str(step) for i, step in enumerate(at))


def sample(node: Node) -> Any:
    """A value that a part of the schema allows, for what has no better one to start with."""
    (kind, *_) = branches(node)
    if "discriminator" in kind:
        kind = schema().follow({"$ref": next(iter(kind["discriminator"]["mapping"].values()))})
    if node.get("default") not in (None, [], {}):
        return node["default"]
    if "const" in kind or "enum" in kind:
        return kind.get("const", kind.get("enum", [None])[0])
    match kind.get("type"):
        case "object":
            return {key: sample(kind["properties"][key]) for key in kind.get("required", ())}
        case "array":
            items = kind.get("prefixItems") or [kind.get("items", {})] * max(kind.get("minItems", 0), 1)
            return [sample(item) for item in items]
        case "boolean":
            return True
        case "integer" | "number":
            low = kind.get("minimum", kind.get("exclusiveMinimum", 0))
            high = kind.get("maximum", kind.get("exclusiveMaximum", low + 2))
            return low if kind["type"] == "integer" and "minimum" in kind else (low + min(high, low + 1)) / 2
    return "to be stated"


def amounts_of(data: Data) -> list[float]:
    """Dose amounts from the names of the doses, ``100 mg``; else each a quarter below the one before."""
    stated = data.get("doses")
    doses = stated if isinstance(stated, list) and stated else ["single dose"]
    found = [re.match(r"\s*(\d+(?:\.\d+)?)", str(dose)) for dose in doses]
    if all(found):
        return [float(each[1]) for each in found if each]
    return [float(f"{100 * 0.75**i:.3g}") for i in range(len(doses))]


def new_name(thing: str, names: list[Any]) -> str:
    """A name that is not taken: the thing itself, or with a number."""
    numbered = (f"{thing} {i}" for i in range(2, len(names) + 3))
    return next(name for name in (thing, *numbered) if name not in names)


def _next_cell(data: Data) -> Data:
    """A cell of a cohort and dose that no other has."""
    strata = (data.get("cohorts") or {}).get("strata", ())
    cohorts = dict.fromkeys(each.get("cohort") or each.get("name") for each in strata)
    taken = {(cell.get("cohort"), cell.get("dose")) for cell in data["observed"].get("cells") or ()}
    doses = data.get("doses") or ()
    for cohort, dose in product([*cohorts, None], [*doses, None]):
        if (cohort, dose) not in taken:
            named = {"cohort": cohort, "dose": dose}
            return {**{key: name for key, name in named.items() if name is not None}, "evaluable": 1}
    return {"evaluable": 1}


@cache
def design_of(kind: str) -> Data:
    """The design of the scenario that ``trialsim init`` writes for its kind."""
    data = Reader(start_of(kind).read_text(encoding="utf-8")).read()
    return dict(data["design"])


def rounded(number: float) -> float:
    """To three digits."""
    return float(f"{number:.3g}")
