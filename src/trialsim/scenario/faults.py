"""What is wrong with a scenario's data, at the exact element.

The models alone decide whether a scenario may be used. Only when they refuse one is the data walked again,
here, beside the JSON Schema that the same models give to editors: a union then yields one message, about the
branch that was meant, and no message carries the validation library's own terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from trialsim.scenario import words
from trialsim.scenario.nodes import Node as Node
from trialsim.scenario.nodes import entry_of as entry_of
from trialsim.scenario.nodes import item_of as item_of

Path = tuple[str | int, ...]

UNREADABLE: Final = object()
"""Stands where the reader already refused a value; nothing more is said about it."""

MAX_FINDINGS = 100
"""A file with more faults than this is the wrong file; the rest is not worked out."""

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (float, int),
    "string": (str,),
    "null": (type(None),),
}

YES_NO = {"yes": "true", "no": "false", "on": "true", "off": "false", "t": "true", "f": "false"}
"""What YAML 1.1 and R take for true and false."""


@dataclass(frozen=True)
class Finding:
    """One thing wrong at a path of the data; ``at_key`` when the key itself is the trouble, not its value."""

    path: Path
    message: str
    at_key: bool = False


class Faults:
    """Explains data by one JSON Schema."""

    def __init__(self, schema: Node) -> None:
        self.schema = schema
        self._found: list[Finding] = []

    def explain(self, data: Any, errors: Sequence[Mapping[str, Any]]) -> list[Finding]:
        """Everything wrong with ``data``, which the models refused with ``errors``."""
        self._found = []
        self._check(data, self.schema, ())
        found = list(self._found)
        # what speaks plainly comes first: of a list or a range the one that was meant
        for error in sorted(errors[: 10 * MAX_FINDINGS], key=lambda error: error["type"] != "impossible"):
            path = self._place(data, error["loc"])
            if (
                error["type"] == "impossible"
            ):  # a rule between keys: it names its key and speaks plainly itself
                context = error["ctx"]
                found.append(Finding(path + words.steps(context["key"]), context["message"]))
            elif not any(_one_leads_to_the_other(path, finding.path) for finding in found):
                value, node = self.at(data, path)
                if not _unreadable(value):
                    expected = self._expected(node)
                    found.append(
                        Finding(path, f"{words.shown(value)} is not possible here; expected {expected}")
                    )
        return list(_with_table_form(data, found))

    def unknown_sources(self, data: dict[Any, Any]) -> list[Finding]:
        """Keys of ``sources`` that name no input of this file."""
        sources = data.get("sources")
        if not isinstance(sources, dict) or not sources:
            return []
        inputs = [words.path_text(path) for path in self._inputs(data, self.schema, ()) if path]
        known = set(inputs)
        unknown = [key for key in sources if key not in known][:MAX_FINDINGS]
        found = []
        for key in unknown:
            near = words.nearest(key, inputs[:1000])
            hint = (
                f"did you mean `{near}`?" if near else f"inputs are, for example, {words.listed(inputs[:6])}"
            )
            found.append(Finding(("sources", key), f"this file gives no such input; {hint}", at_key=True))
        return found

    # -- data and schema, step by step together

    def follow(self, node: Node) -> Node:
        """A part of the schema, itself rather than a reference to it."""
        while "$ref" in node:
            node = self.schema["$defs"][node["$ref"].rpartition("/")[2]]
        return node

    def narrow(self, value: Any, node: Node) -> Node | None:
        """The branch of a union that ``value`` is meant for, by its kind or type; None if there is none."""
        node = self.follow(node)
        if "discriminator" in node:
            kind = value.get(node["discriminator"]["propertyName"]) if isinstance(value, dict) else None
            target = node["discriminator"]["mapping"].get(kind) if isinstance(kind, str) else None
            return self.follow({"$ref": target}) if target else None
        if "anyOf" not in node:
            return node
        branches = [self.narrow(value, branch) for branch in node["anyOf"]]
        return next((branch for branch in branches if branch is not None and _fits(value, branch)), None)

    def _child(self, value: Any, node: Node, step: Any) -> tuple[Any, Node] | None:
        """One step down, if ``step`` is a key or a position of ``value``."""
        part: Node = self.narrow(value, node) or {}
        if isinstance(value, dict) and step in value:
            return value[step], entry_of(part, step)
        if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            return value[step], item_of(part, step)
        return None

    def at(self, data: Any, path: Path) -> tuple[Any, Node]:
        """The value at a path, and its part of the schema; None and nothing where the path leads nowhere."""
        here: tuple[Any, Node] = data, self.schema
        for step in path:
            here = self._child(*here, step) or (None, {})
        return here

    def _place(self, data: Any, loc: Sequence[Any]) -> Path:
        """The path in the data of a library error, whose location also names kinds and union branches."""
        path: Path = ()
        value: Any = data
        node = self.schema
        for step in loc:
            kinds = self.follow(node).get("discriminator", {}).get("mapping", {})
            if step in kinds:
                node = {"$ref": kinds[step]}
            elif below := self._child(value, node, step):
                value, node = below
                path += (step,)
        return path

    def _inputs(self, value: Any, node: Node, path: Path) -> Iterator[Path]:
        """Every path that has a value in this file: stated, or left at a default that is not empty."""
        yield path
        part: Node = self.narrow(value, node) or {}
        if isinstance(value, dict):
            known = part.get("properties", {})
            defaults = {key: known[key]["default"] for key in known if _stated(known[key].get("default"))}
            for key, inner in (defaults | value).items():
                if inner is not None and (path or key != "sources"):
                    yield from self._inputs(inner, entry_of(part, key), (*path, key))
        elif isinstance(value, list):
            for i, inner in enumerate(value):
                yield from self._inputs(inner, item_of(part, i), (*path, i))

    @cached_property
    def _homes(self) -> dict[str, set[str]]:
        """Key -> the blocks where it belongs, for a key that stands under the wrong block."""
        homes: dict[str, set[str]] = {}

        def visit(node: Node, path: str) -> None:
            node = self.follow(node)
            inner = [*node.get("anyOf", ()), *node.get("oneOf", ())]
            if "discriminator" not in self.follow(
                node.get("items", {})
            ):  # of several rules the one is spoken of
                inner += filter(None, [node.get("items")])
            for branch in inner:
                visit(branch, path)
            for below in node.get("patternProperties", {}).values():
                visit(below, f"{path}.<{'case' if path == 'truth' else 'cohort'}>")
            for key, below in node.get("properties", {}).items():
                homes.setdefault(key, set()).add(path)
                visit(below, f"{path}.{key}" if path else key)

        visit(self.schema, "")
        return homes

    # -- the checks

    def _say(self, path: Path, message: str, at_key: bool = False) -> None:
        self._found.append(Finding(path, message, at_key))

    def _check(self, value: Any, node: Node, path: Path) -> None:
        if value is UNREADABLE or len(self._found) >= MAX_FINDINGS:
            return
        whole = self.follow(node)
        part = self.narrow(value, whole)
        if part is None and "discriminator" in whole and isinstance(value, dict):
            self._check_kind(value, whole["discriminator"], path)
        elif part is None or not _fits(value, part):
            self._say(path, self._mismatch(value, whole))
        elif "const" in part or "enum" in part:
            self._check_choice(value, part.get("enum", [part.get("const")]), whole, path)
        elif isinstance(value, dict):
            self._check_block(value, part, path)
        elif isinstance(value, list):
            self._check_list(value, part, path)
        elif isinstance(value, str):
            self._check_text(value, part, path)
        elif isinstance(value, int | float) and not words.within(value, part):
            self._say(path, words.outside(value, part))

    def _check_kind(self, value: dict[Any, Any], tag: Node, path: Path) -> None:
        name, kinds = tag["propertyName"], list(tag["mapping"])
        kind = value.get(name)
        if kind is None:
            self._say((*path, name), f"missing (allowed: {words.listed(kinds)})")
        elif isinstance(kind, str):
            later = words.NOT_YET_KINDS.get(kind)
            reason = (
                f"{later} (allowed: {words.listed(kinds)})" if later else f"unknown{words.meant(kind, kinds)}"
            )
            self._say((*path, name), f"{words.shown(kind)} is {reason}")
        elif kind is not UNREADABLE:
            self._say((*path, name), f"{words.shown(kind)} is no kind (allowed: {words.listed(kinds)})")

    def _check_choice(self, value: Any, choices: Sequence[Any], whole: Node, path: Path) -> None:
        if not any(value == choice and type(value) is type(choice) for choice in choices):
            near = words.nearest(value, choices) if isinstance(value, str) else None
            hint = f"; did you mean `{near}`?" if near else ""
            # the whole union is named, because a decision may also be the n of a later look
            self._say(
                path, f"{words.shown(value)} is not possible here{hint} (allowed: {self._expected(whole)})"
            )

    def _check_block(self, value: dict[Any, Any], node: Node, path: Path) -> None:
        known: Mapping[str, Node] = node.get("properties", {})
        for key in node.get("required", ()):
            if key not in value:
                meaning = known[key].get("description") or self._expected(known[key])
                self._say((*path, key), f"missing; expected here: {meaning}")
        for key, inner in value.items():
            if len(self._found) >= MAX_FINDINGS:
                return
            if key in known:
                self._check(inner, known[key], (*path, key))
            elif "properties" in node:
                self._say((*path, key), self._unknown(str(key), known, path, value), at_key=True)
            else:
                for pattern in node.get("patternProperties", {}):
                    if not re.fullmatch(pattern, str(key)):
                        rule = words.name_rule(pattern)
                        self._say(
                            (*path, key), f"{words.shown(key)} cannot be a name here: {rule}", at_key=True
                        )
                self._check(inner, entry_of(node, key), (*path, key))
        low, high = node.get("minProperties", 0), node.get("maxProperties")
        if len(value) < low or (high is not None and len(value) > high):
            self._say(path, f"{len(value)} entries here; expected {words.entries(low, high)}")

    def _unknown(self, key: str, known: Mapping[str, Node], path: Path, block: Mapping[Any, Any]) -> str:
        here = words.path_text(path)
        if told := words.ELSEWHERE.get(f"{here}.{key}") or words.of_stage_2(key, known, block):
            return told
        if name := words.called_here(key, known):
            meaning = known[name].get("description", "")
            return f"called `{name}` here{f': {meaning}' if meaning else ''}"
        homes = self._homes.get(key, set())
        if not words.nearest(key, known) and len(homes) == 1 and not homes & {"", here}:
            home = next(iter(homes))
            return f"unknown key here: it belongs under `{home}` (allowed here: {words.listed(known)})"
        return f"unknown key{words.meant(key, known)}"

    def _check_list(self, value: list[Any], node: Node, path: Path) -> None:
        low, high = node.get("minItems", 0), node.get("maxItems")
        if len(value) < low or (high is not None and len(value) > high):
            self._say(path, f"a list of {len(value)}; expected {words.entries(low, high)}")
        for i, inner in enumerate(value[:high]):
            self._check(inner, item_of(node, i), (*path, i))

    def _check_text(self, value: str, node: Node, path: Path) -> None:
        if len(value) < node.get("minLength", 0):
            self._say(path, "empty text; write something or leave the key out")
        elif len(value) > node.get("maxLength", len(value)):
            self._say(path, f"text of {len(value)} characters; at most {node['maxLength']} are allowed")
        elif "pattern" in node and not re.fullmatch(node["pattern"], value):
            self._say(path, f"{words.shown(value)} cannot be a name here: {words.name_rule(node['pattern'])}")

    def _mismatch(self, value: Any, node: Node) -> str:
        """Why a value of this type cannot stand here."""
        types, expected = set(self._types(node)), f"expected {self._expected(node)}"
        wants_number = bool(types & {"number", "integer"})
        quote = "; put it in quotes to make it text" if "string" in types and not wants_number else ""
        here = words.shown(value)
        match value:
            case None:
                return f"empty; {expected}"
            case str() if "array" in types and (r := re.fullmatch(r"c\(([^()]*)(\))?", value.strip())):
                # in a block within braces the comma ends the text
                return f"{here} is R’s way of writing a list; write [{r[1]}{'' if r[2] else ', ...'}]"
            case str() if "boolean" in types and (plain := YES_NO.get(value.lower())):
                return f"{here} is text; {expected}: write {plain}"
            case str() if wants_number:
                return f"{here} is text, not a number; {words.number_meant(value, self._leaves(node)) or expected}"
            case str():
                space = "; a colon needs a space after it" if "object" in types and ":" in value else ""
                return f"{here} is text; {expected}{space}"
            case bool():
                return f"{here} is not {'a number' if wants_number else 'possible here'}; {expected}{quote}"
            case float() if "integer" in types:
                whole = value.is_integer() and abs(value) < 1e15
                return f"{here} is not a whole number; {f'write {value:.0f}' if whole else expected}"
            case int() | float() if "array" in types and not types & {"number", "integer"}:
                return f"{here} is a number; write [{value:g}], or {expected.removeprefix('expected ')}"
            case int() | float():
                return f"{here} is a number; {expected}{quote}"
        return f"{here} cannot stand here; {expected}"

    def _leaves(self, node: Node) -> Iterator[Node]:
        """The numbers that may stand at a place."""
        node = self.follow(node)
        for branch in (*node.get("anyOf", ()), *node.get("oneOf", ())):
            yield from self._leaves(branch)
        if node.get("type") in ("number", "integer"):
            yield node

    def _types(self, node: Node) -> Iterator[str]:
        node = self.follow(node)
        for branch in (*node.get("anyOf", ()), *node.get("oneOf", ())):
            yield from self._types(branch)
        if "type" in node:
            yield node["type"]

    def _expected(self, node: Node) -> str:
        """What may stand at a place, in words."""
        node = self.follow(node)
        if "discriminator" in node:
            tag = node["discriminator"]
            return f"a block with `{tag['propertyName']}`: {words.either(tag['mapping'])}"
        if "anyOf" in node:
            parts = [self._expected(part) for part in node["anyOf"] if part.get("type") != "null"]
            # "a whole number from 0 to 100" says nothing beside "a number from 0 to 100"
            wider = [
                part
                for part in parts
                if not part.startswith("a whole ") or part.replace("whole ", "") not in parts
            ]
            return ", or ".join(wider)
        if "const" in node or "enum" in node:
            return words.either(node.get("enum", [node.get("const")]))
        match node.get("type"):
            case "integer":
                return f"a whole number{words.limits(node)}"
            case "number":
                return f"a number{words.limits(node)}"
            case "boolean":
                return "true or false"
            case "string":
                return f"text of at most {node['maxLength']} characters" if "maxLength" in node else "text"
            case "array" if "prefixItems" in node:
                return f"a list: [{', '.join(self._expected(item) for item in node['prefixItems'])}]"
            case "array":
                return f"a list, each item {self._expected(node.get('items', {}))}"
            case "object" if "properties" in node:
                return f"a block of keys: {words.listed(node['properties'])}"
            case "object":
                return "a block of keys"
        return "another value"


def _with_table_form(data: Any, found: list[Finding]) -> Iterator[Finding]:
    """The findings, the first about a pasted table with the form of one."""
    design = data.get("design") if isinstance(data, dict) else None
    told = not (isinstance(design, dict) and design.get("kind") == "rules")
    for finding in found:
        show = not told and finding.path[:1] == ("design",)
        told = told or show
        yield replace(finding, message=f"{finding.message}; {words.TABLE_FORM}") if show else finding


def _fits(value: Any, node: Node) -> bool:
    """Whether a value has the type of a schema part; true and false are no numbers."""
    kind = node.get("type")
    return kind is None or (
        isinstance(value, _TYPES[kind]) and (kind == "boolean") == isinstance(value, bool)
    )


def _stated(default: Any) -> bool:
    """Whether a default says something; an empty list or block leaves the input out."""
    return default not in (None, [], {})


def _unreadable(value: Any) -> bool:
    """Whether the reader refused a value or any part of it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is UNREADABLE or any(map(_unreadable, inner))


def _one_leads_to_the_other(a: Path, b: Path) -> bool:
    """Whether one path is the beginning of the other: a message about either then covers both."""
    return all(x == y for x, y in zip(a, b, strict=False))
