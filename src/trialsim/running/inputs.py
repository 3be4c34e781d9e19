"""Every input of a scenario with where it comes from, and the scenario as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from trialsim.errors import TrialsimError
from trialsim.scenario.believed import Point
from trialsim.scenario.model import Case, Conduct, RelatedTrial, Scenario, Source, Stratum

NOT_INPUTS = (
    *("schema", "name", "endpoint", "toxicity", "source", "question", "sources"),
    *("simulation", "variants", "sensitivity"),
)
"""What a scenario says about itself, and how it is run and varied."""

_ABOUT: dict[type[BaseModel], tuple[str, ...]] = {
    Case: ("note",),
    Point: ("note",),
    RelatedTrial: ("source",),
}
"""Keys that say something about a block and are no input of their own."""

_LEFT_OUT: dict[tuple[type[BaseModel], str], str] = {
    (Scenario, "dose_reduction"): "none",
    (Scenario, "cohorts"): "none: one group of patients",
    (Scenario, "conduct"): "none: every outcome is known before the next patient",
    (Conduct, "first_seen"): "all at the first visit",
    (Conduct, "patient_reductions"): "none",
}
"""What it means that a block or key without a value is left out."""

_SAYS_NOTHING = {(Case, "drift")}
"""Keys that are no input of a scenario which does not state them."""

NOT_STATED: dict[str, Any] = {"source": None, "assumed": False, "fitted": False, "note": None}

DEFAULT = "the default; the scenario does not state it"


def inputs(scenario: Scenario, seed: int | None, replicates: int | None) -> list[dict[str, Any]]:
    """One dict an input, in the order of the file format: path, value, source, assumed, note, default.

    ``assumed`` is what the scenario says in ``sources``; an input left at its default is an assumption too, and is
    marked ``default`` instead. ``source`` is None where nobody stated one.
    """
    rows = []
    for path, value, stated in _leaves(scenario, "", scenario.sources):
        known = about(path, scenario) if stated else {**NOT_STATED, "note": DEFAULT}
        rows.append({"path": path, "value": value, **known, "default": not stated})
    return rows + _simulation(scenario, seed, replicates)


def about(path: str, scenario: Scenario) -> dict[str, Any]:
    """Where an input that the scenario states comes from."""
    found = origin(path, scenario.sources) or _related(path, scenario)
    if found is None:
        return {**NOT_STATED, "default": False}
    known = {
        "source": found.source,
        "assumed": found.assumed,
        "fitted": bool(found.fitted),
        "note": found.note,
    }
    return {**known, "default": False}


def _simulation(scenario: Scenario, seed: int | None, replicates: int | None) -> list[dict[str, Any]]:
    """What was simulated, and whether that is what the file says."""
    rows: list[dict[str, Any]] = []
    for key, used in (("replicates", replicates), ("seed", seed)):
        stated = getattr(scenario.simulation, key)
        default = key not in scenario.simulation.model_fields_set
        if used is None:
            note: str | None = "nothing was simulated"
        elif used != stated:
            note, default = f"given for this run, in place of {stated}", False
        else:
            note = "the default" if default else None
        about_it = {**NOT_STATED, "source": "choice of this run", "note": note, "default": default}
        rows.append({"path": f"simulation.{key}", "value": used, **about_it})
    if (wanted := scenario.simulation.precision) is not None and replicates is not None:
        rows[0] |= {
            "note": "the scenario asks for a precision, which a pilot run turns into replicates",
            "default": False,
        }
        precision = {
            "path": "simulation.precision",
            "value": wanted,
            "note": "largest standard errors wanted",
        }
        rows.append({**rows[0], **precision})
    return rows


def _leaves(block: BaseModel, prefix: str, sources: Mapping[str, Source]) -> Iterator[tuple[str, Any, bool]]:
    """(path, value, whether the file states it) of every input that has a value."""
    for name, info in type(block).model_fields.items():
        key = info.alias or name
        if key in _ABOUT.get(type(block), ()):
            continue
        if not prefix and key in NOT_INPUTS:
            continue
        value = getattr(block, name)
        stated = name in block.model_fields_set
        if not stated and (type(block), name) in _SAYS_NOTHING:
            continue
        if key == "cohorts" and getattr(block, "from_start", False):
            continue  # the two doses, which stand with the dose decision
        if key == "criterion" and value is None and getattr(block, "is_searched", False):
            value = getattr(block, "default_criterion", None)
        if value is None:
            value = block.cohort_name if isinstance(block, Stratum) else _LEFT_OUT.get((type(block), name))
        if value is None:
            continue
        yield from _walk(value, f"{prefix}.{key}" if prefix else key, stated, sources)


def _walk(
    value: Any, path: str, stated: bool, sources: Mapping[str, Source]
) -> Iterator[tuple[str, Any, bool]]:
    if isinstance(value, BaseModel):
        for leaf, item, said in _leaves(value, path, sources):
            yield leaf, item, stated and said
    elif isinstance(value, Mapping) and not path.endswith(".next"):
        for key, item in value.items():
            yield from _walk(item, f"{path}.{key}", stated, sources)
    elif isinstance(value, Mapping):
        yield path, {str(key): item for key, item in value.items()}, stated
    elif isinstance(value, tuple) and _is_split(value, path, sources):
        for k, item in enumerate(value):
            yield from _walk(item, f"{path}[{k}]", stated, sources)
    elif value != ():
        yield path, list(value) if isinstance(value, tuple) else value, stated


def _is_split(value: tuple[Any, ...], path: str, sources: Mapping[str, Source]) -> bool:
    """A list is one input, unless it holds blocks or a source is given for a part of it."""
    return any(isinstance(item, BaseModel) for item in value) or any(
        key.startswith(f"{path}[") for key in sources
    )


def origin(path: str, sources: Mapping[str, Source]) -> Source | None:
    """The entry of ``sources`` for a path, or for the nearest block around it."""
    around = [key for key in sources if path == key or path.startswith((f"{key}.", f"{key}["))]
    return sources[max(around, key=len)] if around else None


def _related(path: str, scenario: Scenario) -> Source | None:
    """A related trial carries its own source."""
    if not path.startswith("related_trials["):
        return None
    trial = scenario.related_trials[int(path.partition("[")[2].partition("]")[0])]
    return Source(source=trial.source)


def origin_words(row: Mapping[str, Any]) -> str:
    """Where an input comes from, in words: its source, ``assumed``, or ``source not stated``."""
    if row["default"] and row["source"] is None:
        return f"Assumed: {row['note']}."
    parts = ["Assumed"] if row["assumed"] else []
    if row["source"]:
        parts.append(row["source"])
    words = "; ".join(parts) or "Source not stated"
    if row["note"]:
        words += f": {row['note']}"
    if row["fitted"]:
        words += " (set from the observed count it would be checked against)"
    return f"{words[:1].upper()}{words[1:]}."


def tally_of_inputs(rows: list[dict[str, Any]]) -> dict[str, int]:
    """How many inputs of the model are assumed, left at a default, sourced, or given without a source, and all of them.

    What was observed drives nothing, and the choice of a run says nothing about the trial.
    """
    found = {"inputs": 0, "sourced": 0, "assumed": 0, "default": 0, "unstated": 0}
    for row in rows:
        if row["path"].startswith(("simulation.", "observed.", "related_trials")):
            continue
        kind = (
            "default" if row["default"] and row["source"] is None
            else "assumed" if row["assumed"]
            else "sourced" if row["source"]
            else "unstated"
        )  # fmt: skip
        found[kind] += 1
        found["inputs"] += 1
    return found


def value_words(value: Any) -> str:
    """A value as a reader would write it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value_words(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {value_words(item)}" for key, item in value.items())
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def to_yaml(scenario: Scenario) -> str:
    """A scenario as YAML that reads back as the same scenario; what was left at its default is left out."""
    data = scenario.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
    return "".join(f"{key}: {_flow(value)}\n" for key, value in data.items())


def text_of(scenario: Scenario, text: str | None) -> str:
    """The text to keep, which must read back as this very scenario."""
    from trialsim.scenario.files import digest, parse

    kept = to_yaml(scenario) if text is None else text
    if digest(parse(kept, "scenario.yaml")) != digest(scenario):
        raise TrialsimError("the text given is not the text of this scenario")
    return kept


def _flow(value: Any) -> str:
    """One value in YAML's flow style, which is JSON but for whole numbers as keys (the counts under ``next``)."""
    if isinstance(value, Mapping):
        keys = (str(key) if isinstance(key, int) else json.dumps(key, ensure_ascii=False) for key in value)
        return (
            "{"
            + ", ".join(f"{key}: {_flow(item)}" for key, item in zip(keys, value.values(), strict=True))
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
