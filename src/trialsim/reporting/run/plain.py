"""What a run found as plain data, and the question that nearly every sentence asks of it."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
"""The content of ``results.json``."""


def own_rules(doc: Document) -> bool:
    """Whether cohorts have rules of their own."""
    return bool(doc["cohorts"]) and doc["cohorts"]["rules"] == "own"
