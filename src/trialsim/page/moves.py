"""Moves of a form that change more than one value: a block added or left out, a design turned into one of another kind.

What is added has values to start from, and is possible at once: where it asks for something else (a toxicity rule for
toxicity rates, sites for no other accrual) that is seen to as well. Where nothing makes it possible the draft says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from itertools import product
from typing import Any

from pydantic import ValidationError

from trialsim.page.draft import Draft
from trialsim.page.edits import put, tidy
from trialsim.page.keys import is_rates, node_at, schema
from trialsim.page.parts import Block, Control, Form, Offer, Part, walk
from trialsim.page.starts import (
    RULES,
    STARTS,
    Data,
    amounts_of,
    design_of,
    new_name,
    pattern,
    rounded,
    sample,
    start,
)
from trialsim.page.weights import another_part, has_weights, without_other_ways, without_part
from trialsim.scenario import words
from trialsim.scenario.cases import Slope
from trialsim.scenario.changes import value_at
from trialsim.scenario.faults import Faults, Node, Path
from trialsim.scenario.model import Scenario
from trialsim.scenario.schema import json_schema
from trialsim.scenario.starting import KINDS

COMMON = ("p0", "p1", "alpha", "beta", "power")
"""Keys that mean the same in every design."""


INSTEAD = {"beta": "power", "cutoff": "phi"}
"""Keys that are not stated where another is."""


def added(draft: Draft, path: str | Path, name: str = "") -> Draft:
    """The draft with what an offer of the form adds, called ``name`` where it has a name of its own."""
    at, data, name = _steps(path), draft.data, name.strip()
    offer = next((part for part in _parts(data, at) if isinstance(part, Offer) and part.path == at), None)
    if offer is None:
        return draft.refused(at, "the form adds nothing here")
    if offer.asks and name in (stated := value_at(data, at) or {}):
        return draft.refused((*at, name), "there is one of that name already")
    if offer.asks:
        at = (*at, name)
        if not name or not isinstance(stated, dict):
            return draft.refused(at, "a name is needed")
    if not _possible(data):  # other things are wrong, which are told beside this
        return draft.edited(at, STARTS.get(pattern(at)) or sample(node_at(data, at)))
    if at[0] == "doses":
        return _first_possible(draft, [_another_dose(data)], at)
    if at[:2] == ("cohorts", "strata") and len(at) == 3:
        return _first_possible(draft, [_another_stratum(data)], at)
    if has_weights(at):
        return _first_possible(draft, [another_part(data, at)], at)
    whole = put(data, at, start(data, at))
    return _first_possible(draft, [without_other_ways(whole, at), whole], at)


def removed(draft: Draft, path: str | Path) -> Draft:
    """The draft without a block or an item, and without what makes no sense without it."""
    at, data = _steps(path), draft.data
    if at in questions(data):
        while len(at) > 1 and len(value_at(data, at[:-1])) == 1:
            at = at[:-1]
        return draft.edited(at, None)
    if not any(isinstance(part, Block) and part.removable and part.path == at for part in _parts(data, at)):
        return draft.refused(at, "the form leaves nothing out here")
    if not _possible(data):
        return draft.edited(at, None)
    if at[0] == "doses":
        return _first_possible(draft, [_without_dose(data, int(at[1]))], at)
    if has_weights(at):
        return _first_possible(draft, [without_part(data, at)], at)
    without = put(data, at, None)
    return _first_possible(draft, [_without_cohort(data, without, at) if at[0] == "cohorts" else without], at)


def switched(draft: Draft, path: str | Path, to: str) -> Draft:
    """The draft with a block of another kind, keeping what both kinds have; or with rates given in another way."""
    at, data = _steps(path), draft.data
    node, now = node_at(data, at), value_at(data, at)
    switches = (part for part in _parts(data, at) if isinstance(part, Control) and part.switch)
    switch = next((part for part in switches if part.path == at), None)
    if switch is None or to not in dict(switch.options):
        return draft.refused(at, f"the form has no kind {words.shown(to)} here")
    if to == switch.value:
        return draft
    if is_rates(node):
        return _first_possible(draft, [put(data, at, _rates(data, now, to))], at)
    blocks = _of_kind(schema(), schema().follow(node), now if isinstance(now, dict) else {}, to)
    return _first_possible(draft, [put(data, at, block) for block in blocks], at)


def questions(data: Data) -> list[Path]:
    """What the file asks besides the trial, one by one: its variants and its sensitivity analyses."""
    asked = [("variants", name) for name in _entries(data, ("variants",))]
    kinds = _entries(data, ("sensitivity",))
    return [*asked, *(("sensitivity", k, n) for k in kinds for n in _entries(data, ("sensitivity", k)))]


def question_of(data: Data, key: str) -> Path | None:
    """The question that a problem is about; None where it is about none that can be left out by its name."""
    named = ((at, words.path_text(at)) for at in questions(data))
    found = [at for at, text in named if f"{key}.".startswith(f"{text}.") and words.steps(text) == at]
    return max(found, key=lambda at: len(str(at[-1])), default=None)


def _entries(data: Data, at: Path) -> list[str]:
    stated = value_at(data, at)
    return [name for name in stated if isinstance(name, str)] if isinstance(stated, dict) else []


def _steps(path: str | Path) -> Path:
    return words.steps(path) if isinstance(path, str) else path


def _parts(data: Data, at: Path) -> Iterator[Part]:
    """The parts of the form where a path leads: a move is made only where the form has it."""
    if at and at[0] in json_schema()["properties"] and (top := Form(data).top(str(at[0]))):
        yield from walk(top)


# -- what is possible


def _possible(data: Data) -> bool:
    try:
        Scenario.model_validate(tidy(data))
    except ValidationError:
        return False
    return True


def _first_possible(draft: Draft, wanted: list[Data], at: Path) -> Draft:
    """The draft with the first data that is possible, or with the first of all."""
    if not _possible(draft.data):  # other things are wrong; they are told beside this
        return draft.holding(wanted[0])
    tries = (change for data in wanted for change in _with_what_it_asks_for(data, at))
    return draft.holding(next(filter(_possible, tries), wanted[0]))


def _with_what_it_asks_for(data: Data, at: Path) -> Iterator[Data]:
    """The data; then with toxicity or dose amounts, without a neighbour of what is added, or with one it lacks."""
    block, stated, here = at[:-1], value_at(data, at[:-1]), value_at(data, at)
    changes: list[tuple[Path, Any]] = []
    if block and isinstance(stated, dict):
        if here is not None:
            changes += [((*block, key), None) for key in stated if key != at[-1]]
        starts = (tuple(known.rpartition(".")) for known in STARTS)
        missing = [key for around, _, key in starts if around == words.path_text(block) and key not in stated]
        changes += [((*block, key), start(data, (*block, key))) for key in missing if key != at[-1]]
    others = [data, *(put(data, path, value) for path, value in changes)]
    for other, amounts, toxic in product(others, (_as_it_is, _with_amounts), (_as_it_is, _with_toxicity)):
        change = toxic(amounts(other))
        if (
            here is not None or isinstance(at[-1], int) or value_at(change, at) is None
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
    return data if data.get("dose_amounts") else put(data, ("dose_amounts",), amounts_of(data))


def _of_kind(faults: Faults, whole: Node, now: Data, to: str) -> Iterator[Data]:
    """A block of another kind: with all that both have, with what means the same in every kind, and as it starts."""
    tag = whole["discriminator"]["propertyName"]
    new = faults.follow({"$ref": whole["discriminator"]["mapping"][to]})["properties"]
    old = (faults.narrow(now, whole) or {}).get("properties", {})
    if to in RULES:
        start = {tag: to, **deepcopy(RULES[to])}
    elif to in KINDS:
        start = deepcopy(design_of(to))
    else:
        start = {tag: to, **{key: value for key, value in sample(whole).items() if key in new}}
    if "decision_value" in start and all(isinstance(now.get(key), float) for key in ("p0", "p1")):
        start["decision_value"] = tidy((now["p0"] + now["p1"]) / 2)  # it lies between them
    alike = [key for key in now if key in new and key in old and _form(new[key]) == _form(old[key])]
    common = [key for key in COMMON if isinstance(now.get(key), float) and key in new]
    asked = [key for key in common if key in start or key == "power"]
    for keys in ([*common, *alike], common, asked, [key for key in asked if key in ("p0", "p1")], []):
        kept = {key: now[key] for key in keys}
        yield {
            **{key: value for key, value in start.items() if INSTEAD.get(key, "") not in kept},
            **kept,
            tag: to,
        }


def _form(node: Node) -> Any:
    """What may stand at a key, whatever is said of it."""
    return {key: value for key, value in node.items() if key not in ("description", "title")}


def _rates(data: Data, now: Any, to: str) -> Any:
    """Rates given in another way, the same numbers as far as that goes."""
    doses = data.get("doses")
    levels = len(doses) if isinstance(doses, list) and doses else 1
    amounts = data.get("dose_amounts") if _possible(data) else None
    amounts = amounts or amounts_of(data)
    match now:
        case list():
            by_dose = now
        case dict() if _possible(data):
            by_dose = [rounded(rate) for rate in Slope.model_validate(tidy(now)).by_dose(tuple(amounts))]
        case _:
            by_dose = [now] * levels
    by_dose = [rate if isinstance(rate, float) else STARTS["truth.*.response"] for rate in by_dose]
    match to:
        case "same":
            return by_dose[0]
        case "each":
            return by_dose
        case "slope":
            first, last = (min(max(float(rate), 0.001), 0.999) for rate in (by_dose[0], by_dose[-1]))
            apart = math.log(amounts[0] / amounts[-1])
            logits = [math.log(rate / (1 - rate)) for rate in (first, last)]
            return {"at_first": first, "slope": rounded((logits[0] - logits[1]) / apart) if apart else 0}
    return to


# -- what hangs together


def _lists_by_dose(data: Any, levels: int, path: Path = ()) -> Iterator[Path]:
    """The lists with an entry a dose."""
    for step, inner in (value_at(data, path) or {}).items():
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
                rates = value_at(data, at)
                data = put(data, at, [*rates, rates[-1] if block == "truth" else 0])
    if isinstance(amounts, list) and len(amounts) == len(doses):
        data = put(data, ("dose_amounts",), [*amounts, rounded(0.75 * amounts[-1])])
    return {**data, "doses": [*doses, new_name(f"dose {len(doses) + 1}", doses)]}


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
    strata = [dict(each) for each in value_at(data, ("cohorts", "strata")) or () if isinstance(each, dict)]
    new: Data = {"name": new_name(f"cohort {len(strata) + 1}", [each.get("name") for each in strata])}
    if strata and isinstance(share := strata[-1].get("share"), int | float):
        strata[-1]["share"] = new["share"] = tidy(share / 2)
    return {**data, "cohorts": {**(data.get("cohorts") or {}), "strata": [*strata, new]}}


def _without_cohort(before: Data, data: Data, at: Path) -> Data:
    """Without the rates of groups that are gone; a stratum's share goes to the last one that is left."""
    left: set[Any] = set()
    strata = (data.get("cohorts") or {}).get("strata", [])
    if at[:2] == ("cohorts", "strata") and len(at) == 3 and strata:
        gone, last = value_at(before, at), strata[-1]
        if "share" in gone and "share" in last:
            share = tidy(round(last["share"] + gone["share"], 12))
            data = put(data, ("cohorts", "strata", len(strata) - 1, "share"), share)
    for stratum in strata:
        left |= {stratum.get("name"), stratum.get("cohort")}
    cohorts = {stratum.get("cohort") or stratum.get("name") for stratum in strata}
    designs = {
        name: each
        for name, each in ((data.get("cohorts") or {}).get("designs") or {}).items()
        if name in cohorts
    }
    if len(designs) == len(cohorts) and designs:
        designs.popitem()  # some cohort runs the design of the scenario
    if (data.get("cohorts") or {}).get("designs"):
        data = put(data, ("cohorts", "designs"), designs or None)
    for name, case in (data.get("truth") or {}).items():
        for group in case.get("cohorts") or () if isinstance(case, dict) else ():
            if group not in left:
                data = put(data, ("truth", name, "cohorts", group), None)
        if isinstance(case, dict) and case.get("cohorts") and not value_at(data, ("truth", name, "cohorts")):
            data = put(data, ("truth", name, "cohorts"), None)
    return data
