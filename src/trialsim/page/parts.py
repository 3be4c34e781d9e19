"""What a form is made of: the keys of a scenario as controls, blocks and offers, read off the models' own schema.

Nothing here names a key of the models but the few whose group on the page, unit or place only people can know: a new
key of the models is a new control, with its description, limits, words and default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trialsim.page.edits import inline
from trialsim.page.keys import (
    branches,
    first_line,
    in_file,
    is_rates,
    schema,
    showable,
    shown,
    title_of,
    unit_of,
    waits_for_another,
)
from trialsim.scenario.faults import Node, Path
from trialsim.scenario.schema import json_schema

AS_SEEN = ("observed", "related_trials", "simulation")
"""Blocks of numbers that are no assumption to be moved: they have no sliders."""

MANY = 10_000
"""Largest limit of a number that a slider is drawn for; larger ones are counts of something else."""


@dataclass(frozen=True)
class Control:
    """One value: where it stands, what it is called and means, and how it may be typed.

    ``kind`` is number, text, long (a list or table on one line), choice or yes; ``value`` the text in the box.
    """

    path: Path
    label: str
    help: str
    kind: str
    value: str
    unit: str = ""
    options: tuple[tuple[str, str], ...] = ()
    slider: tuple[float, float, float] | None = None
    """Lowest, highest and step."""
    switch: bool = False
    """Whether a choice turns the block at the path into one of another kind."""
    longest: int | None = None
    rare: bool = False
    """Whether it stands under "More": the file leaves it out, and can."""


@dataclass(frozen=True)
class Offer:
    """A block or item that is not there and can be added."""

    path: Path
    label: str
    help: str = ""
    asks: str = ""
    """What is asked for first: the name of a case."""
    rare: bool = False


@dataclass(frozen=True)
class Block:
    """Several parts under one heading."""

    path: Path
    label: str
    help: str
    parts: tuple[Control | Offer | Block, ...] = field(repr=False)
    removable: str = ""
    """The words on its button, where it can be left out."""
    rare: bool = False


Part = Control | Offer | Block


class Form:
    """The parts of a form for one scenario's data."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        cohorts = data.get("cohorts")
        strata = cohorts.get("strata") if isinstance(cohorts, dict) else None
        named = [one for one in strata if isinstance(one, dict)] if isinstance(strata, list) else []
        names = [one.get(key) for key in ("name", "cohort") for one in named]
        self.groups = tuple(dict.fromkeys(name for name in names if isinstance(name, str)))
        of = [one.get("cohort") or one.get("name") for one in named]
        self.cohorts = tuple(dict.fromkeys(name for name in of if isinstance(name, str)))
        stated = data.get("doses")
        self.doses = tuple(map(str, stated)) if isinstance(stated, list) and stated else ("every dose",)

    def top(self, key: str) -> Part | None:
        """The part of a topmost key; None where it stays in the file only."""
        whole = json_schema()
        if in_file(key, self.data):
            return None
        return self.part((key,), whole["properties"][key], self.data.get(key), key in whole["required"])

    def part(self, path: Path, node: Node, value: Any, required: bool) -> Part | None:
        """One key as a part of the form; None where it stays in the file only."""
        if not showable(node):
            return None
        rare = value is None and not required
        if rare and waits_for_another(path, self.data):
            return None
        whole, kinds = schema().follow(node), branches(node)
        if "discriminator" in whole:
            return self._of_kinds(path, node, whole, value)
        if is_rates(node):
            return self._offer(path, node) if rare else self._rates(path, node, value, required)
        (kind, *others) = kinds
        if not others and "properties" in kind:
            if rare and node.get("default") is None:
                return self._offer(path, node)
            removable = "" if required or ("default" in node and node["default"] is not None) else "Leave out"
            return self.block(path, node, kind, value, removable)
        if path == ("cohorts", "designs"):
            return self._designs(path, node, kind, value)
        if not others and "patternProperties" in kind:
            return self._named(path, node, kind, value)
        if not others and kind.get("type") == "array":
            (item, *_) = branches(kind["items"]) if "items" in kind else [{}]
            if "discriminator" in schema().follow(item) and rare:
                return self._offer(path, node)
            several = "properties" in item or "discriminator" in schema().follow(item)
            if several or (item.get("type") == "string" and "enum" not in item):
                return self._items(path, node, kind, value)
        if rare and not others and kind.get("type") == "object":
            return self._offer(path, node)
        return self.control(path, node, value, required)

    def block(
        self, path: Path, node: Node, kind: Node, value: Any, removable: str = "", label: str = ""
    ) -> Block:
        """A block of keys."""
        stated = value if isinstance(value, dict) else {}
        required = kind.get("required", ())
        parts = (
            self.part((*path, key), inner, stated.get(key), key in required)
            for key, inner in kind["properties"].items()
            if "const" not in schema().follow(inner)
        )
        return Block(
            path,
            label or title_of(node, str(path[-1])),
            str(node.get("description") or first_line(kind)),
            tuple(part for part in parts if part is not None),
            removable,
        )

    def _of_kinds(self, path: Path, node: Node, whole: Node, value: Any) -> Block:
        tag = whole["discriminator"]
        kind = value.get(tag["propertyName"]) if isinstance(value, dict) else None
        kinds = tuple((name, name.replace("_", " ")) for name in tag["mapping"])
        chosen = schema().narrow(value, whole) if isinstance(value, dict) else None
        switch = Control(
            path,
            tag["propertyName"],
            first_line(chosen or {}),
            "choice",
            shown(kind),
            options=kinds,
            switch=True,
        )
        inner = (
            self.block(path, node, chosen, value)
            if chosen
            else Block(path, title_of(node, str(path[-1])), "", ())
        )
        return Block(path, inner.label, str(node.get("description", "")), (switch, *inner.parts))

    def _rates(self, path: Path, node: Node, value: Any, required: bool) -> Block:
        """A rate: one for every dose, one a dose, or by a slope."""
        number = next(kind for kind in branches(node) if kind.get("type") == "number")
        slope = next((kind for kind in branches(node) if "properties" in kind), None)
        label, forms = title_of(node, str(path[-1])), [("same", "the same at every dose")]
        if len(self.doses) > 1 or isinstance(value, list):
            forms.append(("each", "one a dose"))
        if slope and ("dose_amounts" in self.data or len(self.doses) > 1):
            forms.append(("slope", "by its slope over the doses"))
        form = "each" if isinstance(value, list) else "slope" if isinstance(value, dict) else "same"
        parts: list[Part] = []
        if len(forms) > 1:
            parts.append(
                Control(path, f"{label} by dose", "", "choice", form, options=tuple(forms), switch=True)
            )
        if isinstance(value, list):
            for i, rate in enumerate(value):
                dose = self.doses[i] if i < len(self.doses) else f"dose {i + 1}"
                parts.append(self.control((*path, i), {**number, "title": f"{label}, {dose}"}, rate, True))
        elif isinstance(value, dict) and slope:
            parts += self.block(path, node, slope, value).parts
        else:
            parts.append(self.control(path, {**number, "title": label}, value, True))
        return Block(
            path, label, str(node.get("description", "")), tuple(parts), "" if required else "Leave out"
        )

    def _named(self, path: Path, node: Node, kind: Node, value: Any) -> Block:
        """Blocks under names of the user's: the cases."""
        ((pattern, inner),) = kind["patternProperties"].items()
        inner = schema().follow(inner)
        stated = value if isinstance(value, dict) else {}
        thing = _one_of(str(path[-1]))
        blocks: tuple[Part, ...] = tuple(
            self.block((*path, name), {}, inner, entry, f"Leave out {name}", f"{thing} {name}")
            for name, entry in stated.items()
            if isinstance(name, str) and re.fullmatch(pattern, name) and isinstance(entry, dict)
        )
        if path[-1] == "cohorts":  # of groups only those can be named that the trial enrols
            offers = [Offer((*path, name), f"Add {name}") for name in self.groups if name not in stated]
        else:
            offers = [Offer(path, f"Add a {thing}", asks=f"Name of the {thing}")]
        return Block(
            path,
            title_of(node, str(path[-1])),
            str(node.get("description", "")),
            (*blocks, *offers),
            rare=not value,
        )

    def _designs(self, path: Path, node: Node, kind: Node, value: Any) -> Block | None:
        """A design for each cohort that has its own; None where cohorts cannot have one."""
        stated = value if isinstance(value, dict) else {}
        if not stated and (self.data["cohorts"].get("monitor") != "own" or len(self.cohorts) < 2):
            return None
        (inner,) = map(schema().follow, kind["patternProperties"].values())
        blocks: list[Part] = []
        for name, entry in stated.items():
            label = f"design of {name}"
            each = self._of_kinds((*path, name), {"title": label}, inner, entry)
            blocks.append(replace(each, label=label, removable=f"Leave out {label}"))
        left = [name for name in self.cohorts if name not in stated]
        if len(left) > 1:  # one of them runs the design of the scenario
            blocks += [Offer((*path, name), f"Add a design of {name}") for name in left]
        return Block(
            path, title_of(node, "designs"), str(node.get("description", "")), tuple(blocks), rare=not value
        )

    def _items(self, path: Path, node: Node, kind: Node, value: Any) -> Block:
        """A list of blocks or names, one under another."""
        stated = value if isinstance(value, list) else node.get("default") or []
        item, thing = schema().follow(kind["items"]), _one_of(str(path[-1]))
        parts: list[Part] = []
        for i, entry in enumerate(stated):
            label = f"{thing} {i + 1}"
            remove = f"Leave out {label}" if len(stated) > kind.get("minItems", 0) else ""
            if "discriminator" in item:
                inner = self._of_kinds((*path, i), {"title": label}, item, entry)
                parts.append(replace(inner, label=label, removable=remove))
            elif "properties" in item:
                parts.append(self.block((*path, i), {}, item, entry, remove, label))
            else:
                box = replace(self.control((*path, i), {**item, "title": label}, entry, True), rare=not value)
                parts.append(Block((*path, i), label, "", (box,), remove))
        if len(stated) < kind.get("maxItems", len(stated) + 1):
            parts.append(Offer((*path, len(stated)), f"Add a {thing}"))
        return Block(
            path,
            title_of(node, str(path[-1])),
            str(node.get("description", "")),
            tuple(parts),
            rare=not stated,
        )

    def _offer(self, path: Path, node: Node) -> Offer:
        kinds = [kind for kind in branches(node) if "properties" in kind]
        help_ = str(node.get("description") or (first_line(kinds[0]) if kinds else ""))
        return Offer(path, f"Add {title_of(node, str(path[-1]))}", help_, rare=len(path) > 1)

    def control(self, path: Path, node: Node, value: Any, required: bool) -> Control:
        """One value."""
        key = next(str(step) for step in reversed(path) if isinstance(step, str))
        kinds, default = branches(node), node.get("default")
        choices = [
            each for kind in kinds for each in kind.get("enum", [kind["const"]] if "const" in kind else [])
        ]
        types = {kind.get("type") for kind in kinds}
        told = str(node.get("description", ""))
        if default is not None and "default" not in told:
            told = f"{told}{'; ' if told else ''}default: {inline(default, flow=False)}"
        now = default if value is None else value
        kind = "text"
        options: tuple[tuple[str, str], ...] = ()
        if choices and not any("properties" in kind for kind in kinds):  # else a few keys will do as well
            kind, options = "choice", _choices(choices, told, required or default is not None)
        elif types == {"boolean"} and (required or default is not None):
            kind = "yes"
        elif types == {"boolean"}:
            kind, options = "choice", (("", "not stated"), ("true", "yes"), ("false", "no"))
        elif types & {"number", "integer"} and not isinstance(now, list | dict):
            kind = "number"
        elif types & {"array", "object"}:
            kind = "long"
        return Control(
            path,
            title_of(node, key),
            told,
            kind,
            shown(now),
            unit_of(key, node) if kind in ("number", "long") else "",
            options,
            _slider(next(each for each in kinds if "items" not in each), now)
            if kind == "number" and path[0] not in AS_SEEN
            else None,
            longest=kinds[0].get("maxLength"),
            rare=value is None and not required,
        )


def _slider(node: Node, value: Any) -> tuple[float, float, float] | None:
    """Lowest, highest and step of a slider: the whole range of a share, else up to twice what is stated."""
    low, high = (
        node.get(f"{end}imum", node.get(f"exclusive{end.capitalize()}imum")) for end in ("min", "max")
    )
    if isinstance(value, bool) or not isinstance(value, int | float) or low is None or high is None:
        return None
    if not low <= value <= high or (high > MANY and node["type"] == "integer"):
        return None
    if high <= 1:
        step = 0.01
    elif value <= 0:
        return None
    else:
        high = min(high, 2 * value)
        step = 1 if node["type"] == "integer" else float(f"{value / 40:.0e}")
    low = step if "exclusiveMinimum" in node else low if high <= 1 else max(low, 0)
    return low, high - step if "exclusiveMaximum" in node and high == node["exclusiveMaximum"] else high, step


def _choices(choices: list[Any], told: str, stated: bool) -> tuple[tuple[str, str], ...]:
    """Each choice with its words in the description, where every choice has some."""
    means = {
        choice: found[1]
        for choice in choices
        if (found := re.search(rf"(?:^|[\s.;(]){re.escape(str(choice))}(?: \(default\))?: ([^;]+)", told))
    }
    named = tuple(
        (
            str(choice),
            f"{str(choice).replace('_', ' ')}: {means[choice]}"
            if len(means) == len(choices)
            else str(choice).replace("_", " "),
        )
        for choice in choices
    )
    return named if stated else (("", "not stated"), *named)


def _one_of(key: str) -> str:
    """One of what a key lists: a case of ``truth``, a stratum of ``strata``."""
    named = {"truth": "case", "strata": "stratum", "cohorts": "group", "levels": "dose"}
    return named.get(key, key.replace("_", " ").removesuffix("s"))


def walk(part: Part) -> Iterator[Part]:
    """A part and all parts within it."""
    yield part
    if isinstance(part, Block):
        for inner in part.parts:
            yield from walk(inner)
