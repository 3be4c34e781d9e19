"""What is wrong with a scenario's data, in plain words and at the exact element.

Whether a scenario may be used is decided by the models alone. Only when they refuse one is the data walked again,
here, beside the JSON Schema that the same models give to editors: a union then yields one message about the branch
that the user meant, and no message carries the validation library's own terms.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Final

Path = tuple[str | int, ...]
Node = Mapping[str, Any]
"""A part of the JSON Schema."""

UNREADABLE: Final = object()
"""Stands where the reader already refused a value; nothing more is said about it."""

MAX_FINDINGS = 100
"""A file with more wrong places than this is the wrong file; the rest is not worked out."""

_CALENDAR = (
    "calendar time (accrual, visits, lags) is not available in this version: outcomes are taken as known before "
    "the next patient, and inevaluable patients are stated under `evaluability`"
)
_CALENDAR_KEYS = ("conduct", "accrual", "interim", "assessment_weeks", "toxicity_window_weeks", "amendment_lag_weeks")
_LATER = "not available in this version"
NOT_YET_KEYS = {
    **dict.fromkeys(_CALENDAR_KEYS, _CALENDAR),
    **dict.fromkeys(("cohorts", "sensitivity", "variants", "precision"), _LATER),
}
"""Keys of the field that this version does not know, wherever they are tried."""

_AS_TABLE = f"{_LATER}; a design that looks at fixed numbers of patients can be given as its table by `kind: rules`"
NOT_YET_KINDS = dict.fromkeys(
    ("multistage", "three_stage", "fleming", "gehan", "predictive_probability", "posterior_probability", "bop2"),
    _AS_TABLE,
) | {"bryant_day": f"{_LATER}: a region of responses and toxicities together needs a third axis"}

_NAME_WORDS = {
    r"^[A-Za-z][A-Za-z0-9_-]{0,39}$": "start with a letter, then letters, digits, `_` or `-`, at most 40 in all",
}

# JSON Schema type -> what Python calls it; a boolean is an int to Python and must be asked about first.
_EXACT: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (float, int),
    "string": (str,),
    "null": (type(None),),
}


@dataclass(frozen=True)
class Finding:
    """One thing wrong at a path of the data; ``at_key`` when the key itself is the trouble, not its value."""

    path: Path
    message: str
    at_key: bool = False


def path_text(path: Path) -> str:
    """A path as users write it: ``truth.inactive.toxicity[1]``; the counts of ``next`` are keys, not positions."""
    text = ""
    for i, step in enumerate(path):
        if isinstance(step, int) and path[i - 1] != "next":
            text += f"[{step}]"
        else:
            text += f"{'.' if text else ''}{clip(str(step), 80)}"
    return text


def clip(text: str, length: int = 40) -> str:
    """Text for a message: on one line and not longer than ``length``."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that a slip of the keyboard would turn into ``word``, if any."""
    lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower()[:100], lower, n=1)
    return lower[close[0]] if close else None


class Words:
    """Explains data by one JSON Schema."""

    def __init__(self, schema: Node) -> None:
        self.schema = schema
        self._found: list[Finding] = []

    def explain(self, data: Any, errors: Sequence[Mapping[str, Any]]) -> list[Finding]:
        """Everything wrong with ``data``, which the models refused with ``errors``."""
        self._found = []
        self._check(data, self.schema, ())
        explained = list(self._found)
        for error in errors[: 20 * MAX_FINDINGS]:
            path = self._place(data, error["loc"])
            if error["type"] == "impossible":  # a rule between keys: it names its key and speaks plainly itself
                context = error["ctx"]
                explained.append(Finding(path + _steps(context["key"]), context["message"]))
            elif not any(_same_branch(path, finding.path) for finding in explained) and not self._unread(data, path):
                value, node = self._at(data, path)
                explained.append(Finding(path, f"{_shown(value)} is not possible here; expected {self.expected(node)}"))
        return explained

    def unknown_sources(self, data: Any) -> list[Finding]:
        """Keys of ``sources`` that name no input of this file."""
        sources = data.get("sources") if isinstance(data, dict) else None
        if not isinstance(sources, dict) or not sources:
            return []
        inputs = {path_text(path): path for path in self._inputs(data, self.schema, ()) if path}
        found: list[Finding] = []
        for key in sources:
            if key in inputs or len(found) > MAX_FINDINGS:
                continue
            near = nearest(key, list(inputs)[:2000]) or nearest(key.rpartition(".")[0], list(inputs)[:2000])
            hint = f"; did you mean `{near}`?" if near else f" (for example: {_listed(list(inputs)[:5])})"
            found.append(Finding(("sources", key), f"no such input is given in this file{hint}", at_key=True))
        return found

    def expected(self, node: Node) -> str:
        """What may stand at a place, in words."""
        node = self._follow(node)
        if "discriminator" in node:
            tag = node["discriminator"]
            return f"a block with `{tag['propertyName']}` ({_or(tag['mapping'])})"
        if "anyOf" in node:
            parts = [self.expected(part) for part in node["anyOf"] if part.get("type") != "null"]
            return ", or ".join(dict.fromkeys(parts))
        if "const" in node:
            return f"{_shown(node['const'])}"
        if "enum" in node:
            return _or(node["enum"])
        return self._expected_type(node)

    def _expected_type(self, node: Node) -> str:
        match node.get("type"):
            case "integer":
                return f"a whole number{_bounds(node)}"
            case "number":
                return f"a number{_bounds(node)}"
            case "boolean":
                return "true or false"
            case "string":
                return f"text of at most {node['maxLength']} characters" if "maxLength" in node else "text"
            case "array":
                if "prefixItems" in node:
                    items = ", ".join(self.expected(item) for item in node["prefixItems"])
                    return f"a list of {len(node['prefixItems'])}: [{items}]"
                return f"a list, each item {self.expected(node.get('items', {}))}"
            case "object":
                return f"a block of keys: {_listed(node['properties'])}" if "properties" in node else "a block of keys"
        return "another value"

    # -- walking data and schema together

    def _follow(self, node: Node) -> Node:
        while "$ref" in node:
            node = self.schema["$defs"][node["$ref"].rpartition("/")[2]]
        return node

    def _narrow(self, value: Any, node: Node) -> Node | None:
        """The part of a union that ``value`` is meant for, by its kind or its type; None if there is none."""
        node = self._follow(node)
        if "discriminator" in node:
            kind = value.get(node["discriminator"]["propertyName"]) if isinstance(value, dict) else None
            target = node["discriminator"]["mapping"].get(kind) if isinstance(kind, str) else None
            return self._follow({"$ref": target}) if target else None
        if "anyOf" not in node:
            return node
        parts = [part for branch in node["anyOf"] if (part := self._narrow(value, branch)) is not None]
        # 12.5 where only whole numbers or lists go is meant for the whole number, and is told so
        near = next((part for part in parts if isinstance(value, float) and part.get("type") == "integer"), None)
        return next((part for part in parts if _fits(value, part)), near)

    def _child(self, value: Any, node: Node, step: Any) -> tuple[Any, Node] | None:
        """One step down, if ``step`` is a key or a position of ``value``."""
        part: Node = self._narrow(value, node) or {}
        if isinstance(value, dict) and step in value:
            return value[step], _entry(part, step)
        if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            return value[step], _item(part, step)
        return None

    def _at(self, data: Any, path: Path) -> tuple[Any, Node]:
        here: tuple[Any, Node] = data, self.schema
        for step in path:
            here = self._child(*here, step) or (None, {})
        return here

    def _unread(self, data: Any, path: Path) -> bool:
        return any(self._at(data, path[:i])[0] is UNREADABLE for i in range(len(path) + 1))

    def _place(self, data: Any, loc: Sequence[Any]) -> Path:
        """The path in the data of a library error, whose location also names kinds and union branches."""
        path: Path = ()
        value, node = data, self.schema
        for step in loc:
            whole = self._follow(node)
            if "discriminator" in whole and step in whole["discriminator"]["mapping"]:
                node = {"$ref": whole["discriminator"]["mapping"][step]}
            elif below := self._child(value, node, step):
                value, node = below
                path += (step,)
        return path

    def _inputs(self, value: Any, node: Node, path: Path) -> Iterator[Path]:
        """Every path that has a value here: stated, or left at a default that is not empty."""
        yield path
        part: Node = self._narrow(value, node) or {}
        if isinstance(value, dict):
            defaults = {key: below.get("default") for key, below in part.get("properties", {}).items()}
            for key, inner in (defaults | value).items():
                if inner not in (None, [], {}) and (path or key != "sources"):
                    yield from self._inputs(inner, _entry(part, key), (*path, key))
        elif isinstance(value, list):
            for i, inner in enumerate(value):
                yield from self._inputs(inner, _item(part, i), (*path, i))

    @cached_property
    def _homes(self) -> dict[str, set[str]]:
        """Key -> the blocks where it belongs, to help a key that is indented wrongly."""
        homes: dict[str, set[str]] = {}

        def visit(node: Node, path: str) -> None:
            node = self._follow(node)
            for branch in (*node.get("anyOf", ()), *node.get("oneOf", ())):
                visit(branch, path)
            if "items" in node:
                visit(node["items"], path)
            for below in node.get("patternProperties", {}).values():
                visit(below, f"{path}.<case>")
            for key, below in node.get("properties", {}).items():
                homes.setdefault(key, set()).add(path)
                visit(below, f"{path}.{key}" if path else key)

        visit(self.schema, "")
        return homes

    # -- the checks

    def _say(self, path: Path, message: str, at_key: bool = False) -> None:
        if len(self._found) <= MAX_FINDINGS:
            self._found.append(Finding(path, message, at_key))

    def _check(self, value: Any, node: Node, path: Path) -> None:
        if value is UNREADABLE or len(self._found) > MAX_FINDINGS:
            return
        whole = self._follow(node)
        part = self._narrow(value, whole)
        if part is None and "discriminator" in whole and isinstance(value, dict):
            self._check_kind(value, whole["discriminator"], path)
        elif part is None or not _fits(value, part):
            self._say(path, self._mismatch(value, whole))
        elif "const" in part or "enum" in part:
            self._check_choice(value, whole, part, path)
        elif isinstance(value, dict):
            self._check_block(value, part, path)
        elif isinstance(value, list):
            self._check_list(value, part, path)
        elif isinstance(value, str):
            self._check_text(value, part, path)
        elif isinstance(value, int | float) and not isinstance(value, bool) and not _within(value, part):
            self._say(path, f"{_shown(value)} is outside {_range(part)}{_percent_hint(value, part)}")

    def _check_kind(self, value: dict[Any, Any], tag: Node, path: Path) -> None:
        name, kinds = tag["propertyName"], list(tag["mapping"])
        kind = value.get(name)
        if kind is UNREADABLE:
            return
        if kind is None:
            self._say((*path, name), f"missing; allowed: {_listed(kinds)}")
        elif not isinstance(kind, str):
            self._say((*path, name), f"{_shown(kind)} is not a kind (allowed: {_listed(kinds)})")
        elif kind in NOT_YET_KINDS:
            self._say((*path, name), f"`{kind}` is {NOT_YET_KINDS[kind]} (allowed: {_listed(kinds)})")
        else:
            self._say((*path, name), f"`{clip(kind)}` is not a known kind{_meant(kind, kinds)}")

    def _check_choice(self, value: Any, whole: Node, part: Node, path: Path) -> None:
        allowed = part.get("enum", [part.get("const")])
        if any(value == choice and type(value) is type(choice) for choice in allowed):
            return
        if isinstance(value, str) and len(allowed) > 1:
            # a decision may be a word or the n of a later look: say both
            other = f"; expected {self.expected(whole)}" if whole is not part and "number" in self.expected(whole) else ""
            self._say(path, f"`{clip(value)}` is not one of the words here{_meant(value, allowed)}{other}")
        else:
            self._say(path, f"{_shown(value)} is not possible here; expected {self.expected(part)}")

    def _check_block(self, value: dict[Any, Any], node: Node, path: Path) -> None:
        known: Mapping[str, Node] = node.get("properties", {})
        for key in node.get("required", ()):
            if key not in value:
                meaning = known.get(key, {}).get("description") or self.expected(known.get(key, {}))
                self._say((*path, key), f"missing; expected here: {meaning}")
        for key, inner in value.items():
            if key in known:
                self._check(inner, known[key], (*path, key))
            elif "patternProperties" in node:
                self._check_named(key, inner, node["patternProperties"], path)
            elif isinstance(node.get("additionalProperties"), Mapping):
                self._check(inner, node["additionalProperties"], (*path, key))
            elif len(self._found) <= MAX_FINDINGS:
                self._say((*path, key), self._unknown(str(key), known, path), at_key=True)
        if not node.get("minProperties", 0) <= len(value) <= node.get("maxProperties", len(value)):
            limits = f"{node.get('minProperties', 0)} to {node.get('maxProperties')}"
            self._say(path, f"{len(value)} entries; expected {limits}")

    def _check_named(self, key: Any, inner: Any, patterns: Mapping[str, Node], path: Path) -> None:
        for pattern, node in patterns.items():
            if not re.fullmatch(pattern, str(key)):
                rule = _NAME_WORDS.get(pattern, "use letters and digits only")
                self._say((*path, key), f"`{clip(str(key))}` cannot be a name here: {rule}", at_key=True)
            self._check(inner, node, (*path, key))

    def _unknown(self, key: str, known: Mapping[str, Node], path: Path) -> str:
        if key in NOT_YET_KEYS:
            return NOT_YET_KEYS[key]
        homes = self._homes.get(key, set())
        if not nearest(key, list(known)) and len(homes) == 1 and "" not in homes and path_text(path) not in homes:
            return f"unknown key here; it belongs under `{next(iter(homes))}` (allowed: {_listed(known)})"
        return f"unknown key{_meant(key, list(known))}"

    def _check_list(self, value: list[Any], node: Node, path: Path) -> None:
        low, high = node.get("minItems", 0), node.get("maxItems", len(value))
        if not low <= len(value) <= high:
            count = f"{low}" if low == high else f"{low} to {node['maxItems']}" if "maxItems" in node else f"{low} or more"
            self._say(path, f"a list of {len(value)}; expected {count} items")
            return
        for i, inner in enumerate(value):
            self._check(inner, _item(node, i), (*path, i))

    def _check_text(self, value: str, node: Node, path: Path) -> None:
        if len(value) < node.get("minLength", 0):
            self._say(path, "empty text; write something or leave the key out")
        elif len(value) > node.get("maxLength", len(value)):
            self._say(path, f"text of {len(value)} characters; at most {node['maxLength']} are allowed")

    def _mismatch(self, value: Any, node: Node) -> str:
        """Why a value of this type cannot stand here."""
        types = set(self._types(node))
        number, expected = types & {"number", "integer"}, self.expected(node)
        if value is None:
            return f"empty; expected {expected}"
        if isinstance(value, str):
            if number:
                return f"`{clip(value)}` is text, not a number; {_meant_number(value) or f'expected {expected}'}"
            spaced = "; a colon needs a space after it" if "object" in types and ":" in value else ""
            return f"`{clip(value)}` is text; expected {expected}{spaced}"
        if isinstance(value, bool):
            quote = " (put it in quotes to make it text)" if "string" in types else ""
            return f"{_shown(value)} is not {'a number' if number else 'possible here'}; expected {expected}{quote}"
        if isinstance(value, int | float):
            if isinstance(value, float) and number == {"integer"}:
                whole = f"; write {int(value)}" if value.is_integer() and abs(value) < 1e15 else ""
                return f"{_shown(value)} is not a whole number{whole or f'; expected {expected}'}"
            if "string" in types:
                return f"{_shown(value)} is a number, not text; put it in quotes, or expected {expected}".replace(
                    f", or expected {expected}", "" if types <= {"string", "null"} and "enum" not in node else
                    f"; expected {expected}"
                )
            return f"{_shown(value)} is a number; expected {expected}"
        return f"{_shown(value)} cannot stand here; expected {expected}"

    def _types(self, node: Node) -> Iterator[str]:
        node = self._follow(node)
        for branch in (*node.get("anyOf", ()), *node.get("oneOf", ())):
            yield from self._types(branch)
        if "type" in node:
            yield node["type"]
