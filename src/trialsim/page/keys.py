"""How the page reads the models' schema: what may stand at a key, how it is typed, what it is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from trialsim.page.edits import inline
from trialsim.scenario import words
from trialsim.scenario.faults import Faults, Node, Path, entry_of, item_of
from trialsim.scenario.schema import json_schema
from trialsim.scenario.values import MAX_DOSES

FILE_ONLY = ("schema", "sources", "variants", "sensitivity")
"""Blocks that stay in the file: the form would say nothing that the text does not say better."""


@cache
def schema() -> Faults:
    """The models' schema, and its way of finding the branch that a value is meant for."""
    return Faults(json_schema())


def branches(node: Node) -> list[Node]:
    """The alternatives of a key, each itself, but for "nothing"."""
    node = schema().follow(node)
    if "anyOf" in node:
        return [branch for inner in node["anyOf"] for branch in branches(inner)]
    return [] if node.get("type") == "null" else [node]


def node_at(data: Any, path: Path) -> Node:
    """The schema of the key at a path, as it is stated at the key; nothing where the models know no such key."""
    node: Node = json_schema()
    for step in path:
        whole = schema().narrow(data, node) if data is not None else None
        inner = whole or next((one for one in branches(node) if one.get("type") in ("object", "array")), {})
        if isinstance(step, int) and inner.get("type") != "object":
            node = item_of(inner, step) if inner.get("type") == "array" else inner
            data = data[step] if isinstance(data, list) and step < len(data) else None
        else:
            node = entry_of(inner, step)
            data = data.get(step) if isinstance(data, dict) else None
        if data is None:
            data = node.get("default")
    return node


def typed(text: str, node: Node) -> str:
    """What is typed in a box, as a file has it: text in quotes, and lists with the brackets that boxes leave out."""
    kinds = {branch.get("type") for branch in branches(node)}
    text = text.strip()
    if not text or text[0] in "[{":
        return text
    if kinds == {"string"} and not any("enum" in branch for branch in branches(node)):
        return inline(text)
    if kinds == {"object"} or ("object" in kinds and ":" in text):
        return f"{{{text}}}"
    listed = "array" in kinds and (kinds <= {"array", "null"} or ", " in text)
    return f"[{text}]" if listed else text


def shown(value: Any) -> str:
    """A value as it stands in a box: a list or table without its brackets."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool() | int() | float():
            return inline(value)
        case dict() | list():
            return inline(value)[1:-1]
    return ""


def title_of(node: Node, key: str) -> str:
    """What a key is called."""
    return str(node.get("title") or key.replace("_", " "))


def unit_of(key: str, node: Node) -> str:
    """The unit of a number, from the name of its key and how its description begins."""
    patients = str(node.get("description", "")).startswith("patients")
    if re.search(r"(^|_)weeks?(_|$)", key):
        return "weeks"
    if key.endswith("per_month"):
        return "patients a month" if patients else "a month"
    if re.search(r"(^|_)months?(_|$)", key):
        return "months"
    whole = any(branch.get("type") == "integer" for branch in branches(node))
    return "patients" if whole and (patients or key in ("treated", "evaluable", "nmax")) else ""


def is_rates(node: Node) -> bool:
    """Whether a key is a rate that may differ from dose to dose."""
    kinds = branches(node)
    return any(kind.get("maximum") == 1 for kind in kinds) and any(
        kind.get("type") == "array" and kind.get("maxItems") == MAX_DOSES for kind in kinds
    )


def _simple(node: Node) -> bool:
    """Whether a value fits in one box."""
    return all(
        kind.get("type") in ("number", "integer", "string", "boolean") or "enum" in kind
        for kind in branches(node)
    )


def showable(node: Node) -> bool:
    """Whether the form can show a key; else it stays in the file only."""
    whole = schema().follow(node)
    if "discriminator" in whole or is_rates(node):
        return True
    kinds = branches(node)
    if len(kinds) > 1 and any(kind.get("type") == "object" for kind in kinds):
        return _list_or_range(kinds) or _number_or_more(kinds)
    return bool(kinds) and all(map(_showable, kinds))


def _list_or_range(kinds: list[Node]) -> bool:
    """Whether a list of numbers may be given as a range, which fits in the same box."""
    lists = [kind for kind in kinds if kind.get("type") == "array"]
    ranges = [kind for kind in kinds if {"from", "to"} <= kind.get("properties", {}).keys()]
    return len(kinds) == 2 and len(lists) == len(ranges) == 1 and _showable(lists[0])


def _number_or_more(kinds: list[Node]) -> bool:
    """Whether a number or a choice may be given as a few simple keys, which fit in the same box."""
    numbers = [kind for kind in kinds if kind.get("type") == "number" or "enum" in kind]
    blocks = [kind for kind in kinds if all(map(_simple, kind.get("properties", {"": {}}).values()))]
    return len(kinds) == 2 and len(numbers) == len(blocks) == 1


def _showable(kind: Node) -> bool:
    if kind.get("type") == "array":
        items = [*kind.get("prefixItems", ()), *filter(None, [kind.get("items")])]
        if any("discriminator" in schema().follow(item) for item in items):
            return True
        blocks = [one for item in items for one in branches(item) if "properties" in one]
        if blocks:
            return all(showable(inner) for block in blocks for inner in block["properties"].values())
        return all(map(_simple, items))
    if kind.get("type") == "object" and "properties" not in kind:
        named = kind.get("patternProperties")
        if named:
            return all(map(showable, named.values()))
        inner = kind.get("additionalProperties") or {}
        return bool(inner) and all(one.get("type") in ("number", "integer") for one in branches(inner))
    return kind.get("type") is not None


def first_line(kind: Node) -> str:
    """The first line of what is said of a block."""
    return str(kind.get("description", "")).split("\n")[0]


def in_file(key: str, data: Mapping[str, Any]) -> bool:
    """Whether a topmost key stays in the file only."""
    return key in FILE_ONLY or (key == "dose_decision" and key not in data and not _compares(data))


def waits_for_another(path: Path, data: Mapping[str, Any]) -> bool:
    """Whether a block has no meaning until another key says so, and is offered only then."""
    if path == ("cohorts", "designs"):
        cohorts = data.get("cohorts")
        strata = cohorts.get("strata") if isinstance(cohorts, dict) else None
        strata = strata if isinstance(strata, list) else ()
        named = {str(each.get("cohort") or each.get("name")) for each in strata if isinstance(each, dict)}
        return not isinstance(cohorts, dict) or cohorts.get("monitor") != "own" or len(named) < 2
    if path != ("conduct", "weighing"):
        return False
    conduct = data.get("conduct")
    return not isinstance(conduct, dict) or conduct.get("pending", "wait") == "wait"


def _compares(data: Mapping[str, Any]) -> bool:
    """Whether a dose decision can be added: two doses, and a toxicity rule that leads from one to the other."""
    doses, reduction, cohorts = data.get("doses"), data.get("dose_reduction"), data.get("cohorts")
    own = isinstance(cohorts, dict) and cohorts.get("rules") == "own"
    if not isinstance(doses, list) or len(doses) != 2 or own or not isinstance(reduction, dict):
        return False
    rule = reduction.get("rule")
    acts = "rules" in reduction or (isinstance(rule, dict) and rule.get("kind") != "none")
    return acts and reduction.get("on_dose_change", "pooled") == "pooled"


def in_file_only(data: Mapping[str, Any]) -> list[str]:
    """The keys that the form cannot show, as far as they apply to a scenario: all of ``sources``, ``design.looks``."""
    found: list[str] = []

    def visit(node: Node, value: Any, path: Path) -> None:
        if not showable(node):
            found.append(words.path_text(path))
            return
        inner = schema().narrow(value, node) if value is not None else None
        if isinstance(value, dict):
            known = (inner or {}).get("properties", {})
            for key in {**known, **value}:
                if key in known or "patternProperties" in (inner or {}):
                    visit(entry_of(inner or {}, key), value.get(key), (*path, key))

    for key, node in json_schema()["properties"].items():
        if in_file(key, data):
            found.append(key)
        else:
            visit(node, data.get(key), (key,))
    return found
