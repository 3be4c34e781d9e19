"""Parts of the JSON Schema, and the parts within them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Node = Mapping[str, Any]
"""A part of the JSON Schema."""


def entry_of(node: Node, key: Any) -> Node:
    """The schema of one entry of a block."""
    named = next(iter(node.get("patternProperties", {}).values()), node.get("additionalProperties") or {})
    below: Node = node.get("properties", {}).get(key, named)
    return below


def item_of(node: Node, i: int) -> Node:
    """The schema of one item of a list."""
    fixed: Sequence[Node] = node.get("prefixItems", ())
    below: Node = fixed[i] if i < len(fixed) else node.get("items", {})
    return below
