"""Searching for a design on the page: which keys a kind takes, what was typed, and what a found design is in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from trialsim.designs.derived import STANDARD_ERROR
from trialsim.designs.finding import CRITERIA, KINDS, SEARCHES, Found, FoundDesigns, needs, spec_of, value_in
from trialsim.designs.pasted import as_rules
from trialsim.errors import DesignError
from trialsim.given import read
from trialsim.inference.stated import as_block
from trialsim.page.draft import Draft
from trialsim.scenario.starting import start_of

NMAX = 500
"""The largest n that the page searches to."""

RATES = ("p0", "p1", "alpha", "power", "beta")
LIMITS = ("criterion", "nmax")

STATED = {"kind", "weight", "n1", "r1", "lambda", "gamma", "stop_le", "go_gt", "miss"}
"""Keys that are found or follow, besides those that state a design outright."""

OWN = ("criterion", "nmax", "pi", "eta")
"""What is each scenario's own: not taken from an example."""

WORDS = {"beta": "largest type II error to accept, in place of power"}
"""What the schema leaves unsaid."""


@dataclass(frozen=True)
class Key:
    """A key of a design's block as a control: what it is, what may be chosen (() for anything), whether it must be."""

    name: str
    words: str
    choices: tuple[str, ...] = ()
    flag: bool = False
    several: bool = False
    needed: bool = False


@cache
def keys(kind: str) -> tuple[Key, ...]:
    """The keys that a search for this kind of design takes, from its own model; needed ones first."""
    spec = KINDS[kind]
    schema = spec.model_json_schema(by_alias=True)
    outright = {*getattr(spec, "outright", ())} if kind in SEARCHES else set()
    stated = outright | STATED | ({"eta"} if "lambda" in schema["properties"] else set())
    needed = {*needs(kind), *schema.get("required", ())} - stated
    names = {*needs(kind), *schema["properties"]} - stated
    ordered = sorted(names, key=lambda name: _place(name, name in needed))
    # a power will do in place of beta
    return tuple(
        _key(name, schema["properties"].get(name, {}), name in needed and name != "beta") for name in ordered
    )


def _place(name: str, needed: bool) -> tuple[int, int]:
    """Rates first, then what else must be stated, then what a search may be held to, each as the model has it."""
    if name in RATES:
        return 0, RATES.index(name)
    return (1, 0) if needed else (2, LIMITS.index(name)) if name in LIMITS else (3, 0)


def _key(name: str, node: Mapping[str, Any], needed: bool) -> Key:
    options = [node, *node.get("anyOf", ())]
    choices = tuple(
        value for each in options for value in each.get("enum", [each["const"]] if "const" in each else [])
    )
    types = {each.get("type") for each in options}
    if "integer" in types:  # a word may stand for a number, and is typed like one
        choices = ()
    words = node.get("description", "") or WORDS.get(name, "")
    return Key(name, words, choices, "boolean" in types, "array" in types, needed)


def start(kind: str, design: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a search begins with: those of the scenario's design, else those of the example of this kind."""
    example = Draft.of(start_of(kind).read_text(encoding="utf-8")).data.get("design", {})
    same = design.get("kind") == kind
    found = dict(design) if same else {key: example[key] for key in example if key not in OWN}
    for rate in ("p0", "p1", "alpha"):
        found |= {rate: design[rate]} if rate in design else {}
    stated = {key: design[key] for key in ("power", "beta") if key in design}
    if stated:
        found = {key: value for key, value in found.items() if key not in ("power", "beta")} | stated
    if "beta" not in found and "power" not in {key.name for key in keys(kind)}:
        found["beta"] = round(1 - found["power"], 12) if "power" in found else example.get("miss", "")
    return {key.name: found[key.name] for key in keys(kind) if key.name in found and key.name != "criterion"}


def arguments(kind: str, typed: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed as the arguments of ``find``.

    Raises:
        DesignError: a value that cannot be one, or more than the page searches.
    """
    found: dict[str, Any] = {"kind": kind}
    for key in keys(kind):
        text = typed.get(key.name)
        if key.flag:
            found |= {key.name: True} if text is True else {}
        elif isinstance(text, str) and (text := text.strip()):
            found[key.name] = _value(key, text)
    if found.get("nmax", 0) > NMAX:
        raise DesignError(
            f"nmax = {found['nmax']}: the page searches to n = {NMAX} at most; `trialsim find` goes further"
        )
    return found


def _value(key: Key, text: str) -> Any:
    if key.name in RATES:
        return read(text, key.name)
    if key.name == "nmax":
        return read(text, key.name, whole=True, low=1)
    if key.several and not text.startswith("["):
        text = f"[{text}]"
    return value_in(text)


# -- a found design in a scenario


def block_of(found: FoundDesigns, design: Found, present: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A found design as the block of a scenario: stated outright, or as a search where ``present`` is one.

    A design that its kind cannot state outright is stated by its decisions, as ``kind: rules``.

    Args:
        present: the scenario's block so far.
    """
    kind = found.design_kind
    about: dict[str, Any] = {
        name: found.setting[name] for name in ("p0", "p1", "alpha", "beta") if name in found.setting
    }
    if present and _is_search(present) and design.criterion in CRITERIA.get(kind, ()):
        criterion = {"criterion": design.criterion, **_weight(design)}
        limit = {"nmax": present["nmax"]} if present.get("nmax", 0) >= design.n else {}
        limit |= {key: int(value) for key, value in design.details.items() if key == "nmax"}
        return {"kind": kind, **about, **criterion, **limit, **found.keys}
    for stated in _stated(found, design, about):
        block = {key: value for key, value in stated.items() if key in _taken(stated["kind"])}
        try:
            if spec_of(block["kind"], block).compile() == design.decisions:
                return block
        except DesignError:
            continue
    assert design.decisions is not None
    rates: dict[str, Any] = {name: about[name] for name in ("p0", "p1") if name in about}
    looks = as_rules(design.decisions)
    reached = {looks[0]["n"]}
    for look in looks:
        reached |= (
            {to for to in look["next"].values() if isinstance(to, int)} if look["n"] in reached else set()
        )
    return {"kind": "rules", **rates, "looks": [look for look in looks if look["n"] in reached]}


def _is_search(block: Mapping[str, Any]) -> bool:
    try:
        return bool(getattr(spec_of(block["kind"], {**block}), "is_searched", False))
    except (DesignError, KeyError):
        return False


def _weight(design: Found) -> dict[str, float]:
    """A weight of n under which an admissible design is the best: a round one from the middle of its range."""
    low, high = design.weight_low, design.weight_high
    if design.criterion != "admissible" or low is None or high is None:
        return {}
    middle = (low + high) / 2
    rounded = (round(middle, digits) for digits in range(1, 12))
    return {"weight": next((w for w in rounded if low < w < high), middle)}


def _stated(found: FoundDesigns, design: Found, about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Blocks that may state the design outright: with its nominal error rates where those may stand there, without."""
    kind, looks = found.design_kind, design.decisions
    assert looks is not None
    if kind == "optimal_looks":  # its looks are stages
        return [as_block(looks, found.setting["p0"], found.setting["p1"])]
    known: dict[str, Any] = {**design.details, **design.row(), **found.keys}
    if kind == "multistage":
        known |= as_block(looks, found.setting["p0"], found.setting["p1"])
    if kind == "gehan":
        known |= {
            "miss": found.setting["beta"],
            "standard_error": found.keys.get("standard_error", STANDARD_ERROR),
        }
    needed = KINDS[kind].model_json_schema().get("required", ())
    outright = (
        *getattr(KINDS[kind], "outright", ()),
        *design.constants,
        "n1",
        "r1",
        "miss",
        "standard_error",
    )
    rates: dict[str, Any] = {name: about[name] for name in ("p0", "p1") if name in about}
    blocks = []
    for further in (found.keys, {key: found.keys[key] for key in needed if key in found.keys}):
        cuts = {key: known[key] for key in (*outright, *further) if known.get(key) is not None}
        blocks += [{"kind": kind, **about, **cuts}, {"kind": kind, **rates, **cuts}]
    return blocks


def _taken(kind: str) -> set[str]:
    """The keys of a kind, as a file writes them."""
    return {"kind", *(field.alias or name for name, field in KINDS[kind].model_fields.items())}
