"""Moves of a form that change more than one value: a block added or left out, a design turned into one of another kind.

What is added has values to start from, and is possible at once: where it asks for something else (a toxicity rule for
toxicity rates, sites for no other accrual) that is seen to as well. Where nothing makes it possible the draft says why.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from itertools import product
from typing import Any

from pydantic import ValidationError

from trialsim.page.draft import Draft
from trialsim.page.edits import put, tidy
from trialsim.page.keys import branches, is_rates, node_at, schema
from trialsim.scenario import words
from trialsim.scenario.cases import Slope
from trialsim.scenario.faults import Faults, Node, Path
from trialsim.scenario.model import Scenario
from trialsim.scenario.reading import Reader
from trialsim.scenario.starting import KINDS, start_of

Data = dict[str, Any]

STARTS: dict[str, Any] = {
    "toxicity": {"name": "dose-limiting toxicity"},
    "dose_reduction": {"rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1}, "at_lowest_dose": "stop"},
    "cohorts": {"strata": [{"name": "cohort A", "share": 0.5}, {"name": "cohort B", "share": 0.5}]},
    "conduct": {"accrual": {"per_month": 4}, "assessment_weeks": [8, 16, 24]},
    "conduct.accrual.per_month": 4,
    "conduct.accrual.sites": {"number": 10, "over_months": 6, "per_site_per_month": 0.5},
    "conduct.toxicity_window_weeks": 8,
    "conduct.patient_reductions": {"hold_weeks": 2, "max_reductions": 1},
    "simulation.precision": {"p_go": 0.001},
    "truth.*": {"response": 0.2},
    "truth.*.response": 0.2,
    "truth.*.toxicity": 0.2,
    "truth.*.stable_disease": 0.2,
    "truth.*.serious": 0.1,
    "observed": {},
}
"""Path -> what it starts with; ``*`` is any name. Paths that are not here start as the schema says."""

RULES: dict[str, Data] = {
    "pocock": {"limit": 0.3, "phi": 0.1},
    "posterior": {"limit": 0.3, "cutoff": 0.9, "prior": [0.3, 0.7]},
    "group_sequential": {"limit": 0.3, "phi": 0.1, "looks": [10, 20, 30]},
    "k_of_first_m": {"k": 6, "m": 12},
    "amendment": {"after_patient": 10},
}
"""Kind of toxicity rule -> what it starts with."""

COMMON = ("p0", "p1", "alpha", "beta", "power")
"""Keys that mean the same in every design."""


def added(draft: Draft, path: str | Path, name: str = "") -> Draft:
    """The draft with what an offer of the form adds, called ``name`` where it has a name of its own."""
    at = words.steps(path) if isinstance(path, str) else path
    data = draft.data
    if name:
        stated = _value(data, at)
        if isinstance(stated, dict) and name in stated:
            return draft.refused((*at, name), "there is one of that name already")
        at = (*at, name.strip())
    if at[0] == "doses":
        return _settled(draft, _another_dose(data), at)
    if at[:2] == ("cohorts", "strata") and len(at) == 3:
        return _settled(draft, _another_stratum(data), at)
    return _settled(draft, put(data, at, _start(data, at)), at)


def removed(draft: Draft, path: str | Path) -> Draft:
    """The draft without a block or an item, and without what makes no sense without it."""
    at = words.steps(path) if isinstance(path, str) else path
    if at[0] == "doses" and len(at) == 2 and isinstance(at[1], int):
        return _settled(draft, _without_dose(draft.data, at[1]), at)
    if _value(draft.data, at) is None:
        return draft
    data = put(draft.data, at, None)
    if at[0] == "cohorts":
        data = _without_cohort(draft.data, data, at)
    return _settled(draft, data, at)


def switched(draft: Draft, path: str | Path, to: str) -> Draft:
    """The draft with a block of another kind, keeping what both kinds have; or with rates given in another way."""
    at = words.steps(path) if isinstance(path, str) else path
    node, now = node_at(draft.data, at), _value(draft.data, at)
    if is_rates(node):
        return _settled(draft, put(draft.data, at, _rates(draft.data, now, to)), at)
    whole = schema().follow(node)
    tag = whole.get("discriminator", {"propertyName": "kind", "mapping": {}})
    if to not in tag["mapping"]:
        return draft.edited((*at, tag["propertyName"]), to)
    if isinstance(now, dict) and now.get(tag["propertyName"]) == to:
        return draft
    blocks = _of_kind(schema(), whole, now if isinstance(now, dict) else {}, to)
    return _first_possible(draft, [put(draft.data, at, block) for block in blocks], at)


# -- what is possible


def _possible(data: Data) -> bool:
    try:
        Scenario.model_validate(tidy(data))
    except ValidationError:
        return False
    return True


def _settled(draft: Draft, data: Data, at: Path) -> Draft:
    return _first_possible(draft, [data], at)


def _first_possible(draft: Draft, wanted: list[Data], at: Path) -> Draft:
    """The draft with the first data that is possible, or with the first of all."""
    if not _possible(draft.data):  # other things are wrong; they are told beside this
        return draft.holding(wanted[0])
    tries = (change for data in wanted for change in _with_what_it_asks_for(data, at))
    return draft.holding(next(filter(_possible, tries), wanted[0]))


def _with_what_it_asks_for(data: Data, at: Path) -> Iterator[Data]:
    """The data; then with toxicity or dose amounts, without a neighbour of what is added, or with one it lacks."""
    block, stated, here = at[:-1], _value(data, at[:-1]), _value(data, at)
    changes: list[tuple[Path, Any]] = []
    if block and isinstance(stated, dict):
        if here is not None:
            changes += [((*block, key), None) for key in stated if key != at[-1]]
        starts = (tuple(known.rpartition(".")) for known in STARTS)
        missing = [key for around, _, key in starts if around == words.path_text(block) and key not in stated]
        changes += [((*block, key), _start(data, (*block, key))) for key in missing if key != at[-1]]
    others = [data, *(put(data, path, value) for path, value in changes)]
    for other, amounts, toxic in product(others, (_as_it_is, _with_amounts), (_as_it_is, _with_toxicity)):
        change = toxic(amounts(other))
        if (
            here is not None or isinstance(at[-1], int) or _value(change, at) is None
        ):  # what was left out stays out
            yield change


def _as_it_is(data: Data) -> Data:
    return data


def _with_toxicity(data: Data) -> Data:
    """The data with a toxicity rate in every case, and the weeks within which it counts."""
    for name, case in (data.get("truth") or {}).items():
        if isinstance(case, dict) and "toxicity" not in case:
            data = put(data, ("truth", name, "toxicity"), STARTS["truth.*.toxicity"])
    if isinstance(data.get("conduct"), dict) and "toxicity_window_weeks" not in data["conduct"]:
        data = put(data, ("conduct", "toxicity_window_weeks"), STARTS["conduct.toxicity_window_weeks"])
    return data


def _with_amounts(data: Data) -> Data:
    return data if data.get("dose_amounts") else put(data, ("dose_amounts",), _amounts(data))


# -- what things start with


def _start(data: Data, at: Path) -> Any:
    """What is added at a path."""
    pattern = ".".join("*" if i and at[i - 1] in ("truth",) else str(step) for i, step in enumerate(at))
    case = _value(data, at[:2]) if at[0] == "truth" else None
    if len(at) == 2 and at[0] == "truth" and data.get("truth"):
        last = list(data["truth"].values())[-1]
        return {key: deepcopy(value) for key, value in last.items() if key not in ("note", "cohorts")}
    if len(at) == 5 and at[2] == "cohorts":  # a group differs from its case
        return deepcopy((case or {}).get(at[4], STARTS.get(f"truth.*.{at[4]}", 1)))
    if at == ("dose_amounts",):
        return _amounts(data)
    if at[:2] == ("observed", "cells"):
        return _next_cell(data)
    if at[0] == "related_trials":
        return {
            "name": _new_name("related trial", [each.get("name") for each in data.get("related_trials", ())]),
            "evaluable": 30,
            "responses": 3,
        }
    if pattern in STARTS:
        return deepcopy(STARTS[pattern])
    return sample(node_at(data, at))


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


def _amounts(data: Data) -> list[float]:
    """Dose amounts from the names of the doses, ``100 mg``; else each a quarter below the one before."""
    doses = data.get("doses") or ["single dose"]
    found = [re.match(r"\s*(\d+(?:\.\d+)?)", str(dose)) for dose in doses]
    if all(found):
        return [float(each[1]) for each in found if each]
    return [float(f"{100 * 0.75**i:.3g}") for i in range(len(doses))]


def _new_name(thing: str, names: list[Any]) -> str:
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
def _design(kind: str) -> Data:
    """The design of the scenario that ``trialsim init`` writes for its kind."""
    data = Reader(start_of(kind).read_text(encoding="utf-8")).read()
    return dict(data["design"])


def _of_kind(faults: Faults, whole: Node, now: Data, to: str) -> Iterator[Data]:
    """A block of another kind: with all that both have, with what means the same in every kind, and as it starts."""
    tag = whole["discriminator"]["propertyName"]
    new = faults.follow({"$ref": whole["discriminator"]["mapping"][to]})["properties"]
    old = (faults.narrow(now, whole) or {}).get("properties", {})
    if to in RULES:
        start = {tag: to, **deepcopy(RULES[to])}
    elif to in KINDS:
        start = deepcopy(_design(to))
    else:
        start = {tag: to, **{key: value for key, value in sample(whole).items() if key in new}}
    if "decision_value" in start and {"p0", "p1"} <= now.keys():
        start["decision_value"] = tidy((now["p0"] + now["p1"]) / 2)  # it lies between them
    alike = [key for key in now if key in new and key in old and _form(new[key]) == _form(old[key])]
    common = [key for key in COMMON if key in now and key in new]
    asked = [key for key in common if key in start or key == "power"]
    for keys in ([*common, *alike], common, asked, [key for key in asked if key in ("p0", "p1")], []):
        kept = {key: now[key] for key in keys}
        yield {
            **{key: value for key, value in start.items() if not ("power" in kept and key == "beta")},
            **kept,
            tag: to,
        }


def _form(node: Node) -> Any:
    """What may stand at a key, whatever is said of it."""
    return {key: value for key, value in node.items() if key not in ("description", "title")}


def _rates(data: Data, now: Any, to: str) -> Any:
    """Rates given in another way, the same numbers as far as that goes."""
    amounts = data.get("dose_amounts") or _amounts(data)
    levels = len(data.get("doses") or [""])
    match now:
        case list():
            by_dose = now
        case dict():
            by_dose = [_rounded(rate) for rate in Slope.model_validate(tidy(now)).by_dose(tuple(amounts))]
        case _:
            by_dose = [now] * levels
    match to:
        case "same":
            return by_dose[0]
        case "each":
            return by_dose
        case "slope":
            first, last = (min(max(float(rate), 0.001), 0.999) for rate in (by_dose[0], by_dose[-1]))
            apart = math.log(amounts[0] / amounts[-1])
            logits = [math.log(rate / (1 - rate)) for rate in (first, last)]
            return {"at_first": first, "slope": _rounded((logits[0] - logits[1]) / apart) if apart else 0}
    return to


def _rounded(number: float) -> float:
    return float(f"{number:.3g}")


# -- what hangs together


def _value(data: Any, at: Path) -> Any:
    for step in at:
        if isinstance(data, dict):
            data = data.get(step)
        else:
            data = (
                data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None
            )
    return data


def _lists_by_dose(data: Any, levels: int, path: Path = ()) -> Iterator[Path]:
    """The lists with an entry a dose."""
    for step, inner in (_value(data, path) or {}).items():
        at = (*path, step)
        node = node_at(data, at)
        if isinstance(inner, dict):
            yield from _lists_by_dose(data, levels, at)
        elif isinstance(inner, list) and len(inner) == levels and (is_rates(node) or "_by_dose" in str(step)):
            yield at


def _another_dose(data: Data) -> Data:
    """The data with one more dose, at which all is as at the last one, and whose observed counts are none."""
    doses = list(data.get("doses") or ["single dose"])
    amounts = data.get("dose_amounts")
    for block in ("truth", "observed"):
        if isinstance(data.get(block), dict):
            for at in _lists_by_dose({block: data[block]}, len(doses)):
                rates = _value(data, at)
                data = put(data, at, [*rates, rates[-1] if block == "truth" else 0])
    if isinstance(amounts, list) and len(amounts) == len(doses):
        data = put(data, ("dose_amounts",), [*amounts, _rounded(0.75 * amounts[-1])])
    return {**data, "doses": [*doses, _new_name(f"dose {len(doses) + 1}", doses)]}


def _without_dose(data: Data, i: int) -> Data:
    """The data without a dose, and without what is stated of it."""
    doses = list(data.get("doses") or [])
    for block in ("truth", "observed"):
        if isinstance(data.get(block), dict):
            for at in _lists_by_dose({block: data[block]}, len(doses)):
                data = put(data, (*at, i), None)
    if isinstance(data.get("dose_amounts"), list):
        data = put(data, ("dose_amounts", i), None)
    return {**data, "doses": [*doses[:i], *doses[i + 1 :]]}


def _another_stratum(data: Data) -> Data:
    """The data with one more stratum, which takes half of the share of the last."""
    strata = [dict(each) for each in _value(data, ("cohorts", "strata")) or () if isinstance(each, dict)]
    new: Data = {"name": _new_name(f"cohort {len(strata) + 1}", [each.get("name") for each in strata])}
    if strata and isinstance(share := strata[-1].get("share"), int | float):
        strata[-1]["share"] = new["share"] = tidy(share / 2)
    return {**data, "cohorts": {**(data.get("cohorts") or {}), "strata": [*strata, new]}}


def _without_cohort(before: Data, data: Data, at: Path) -> Data:
    """Without the rates of groups that are gone; a stratum's share goes to the last one that is left."""
    left: set[Any] = set()
    strata = (data.get("cohorts") or {}).get("strata", [])
    if at[:2] == ("cohorts", "strata") and len(at) == 3 and strata:
        gone, last = _value(before, at), strata[-1]
        if "share" in gone and "share" in last:
            share = tidy(round(last["share"] + gone["share"], 12))
            data = put(data, ("cohorts", "strata", len(strata) - 1, "share"), share)
    for stratum in strata:
        left |= {stratum.get("name"), stratum.get("cohort")}
    for name, case in (data.get("truth") or {}).items():
        for group in case.get("cohorts") or () if isinstance(case, dict) else ():
            if group not in left:
                data = put(data, ("truth", name, "cohorts", group), None)
        if isinstance(case, dict) and case.get("cohorts") and not _value(data, ("truth", name, "cohorts")):
            data = put(data, ("truth", name, "cohorts"), None)
    return data
