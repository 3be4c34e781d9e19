"""What is wrong with the keys of a design that was given outside a scenario file, in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pydantic import BaseModel, ValidationError

from trialsim.given import behind, clip

WANTED = {"int": "a whole number", "float": "a number", "bool": "true or false", "tuple": "a list"}
"""How a validation error's type begins -> what is wanted."""


def faults(kind: str, block: type[BaseModel], error: ValidationError) -> str:
    """Every fault of a block of this kind; one for a key that may be written in several ways, whichever it misses."""
    return "; ".join(_faults(kind, block, error))


def _faults(kind: str, block: type[BaseModel], error: ValidationError) -> Iterator[str]:
    for loc, group in groupby(error.errors(), key=lambda fault: fault["loc"][:1]):
        found = list(group)
        ways = block.model_json_schema()["properties"][loc[0]].get("anyOf", ()) if len(found) > 1 else ()
        if any("const" in way for way in ways):
            allowed = " or ".join(_way(way) for way in ways)
            yield f"{loc[0]} = {clip(repr(found[0]['input']))} is not possible; {allowed} is allowed"
        else:
            yield from (_fault(kind, block, fault) for fault in found)


def _way(way: dict[str, Any]) -> str:
    """One way in which a key may be written."""
    if "const" in way:
        return str(way["const"])
    return f"a whole number from {way['minimum']} to {way['maximum']}"


def _fault(kind: str, block: type[BaseModel], fault: Any) -> str:
    key = ".".join(str(step) for step in fault["loc"]) or fault.get("ctx", {}).get("key", "")
    if fault["type"] == "extra_forbidden":
        known = [name for name in block.model_fields if name != "kind"]
        return f"`{key}` is no key of {kind}; allowed: {', '.join(known)}"
    text, value = str(fault["msg"]), fault["input"]
    if not text.startswith("Input should be"):
        return f"{key}: {text[:1].lower()}{text[1:]}" if key else text
    for kind, wanted in WANTED.items():
        if fault["type"].startswith(kind):
            told = f"is text, not {wanted}{behind(value)}" if isinstance(value, str) else f"must be {wanted}"
            return f"{key} = {clip(repr(value))} {told}"
    return text.replace("Input should be", f"{key} = {clip(repr(value))} must be")
