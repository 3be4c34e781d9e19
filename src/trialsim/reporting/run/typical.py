"""Which cases a reader looks at first."""

from __future__ import annotations

from typing import Any


def typical_cases(doc: dict[str, Any]) -> tuple[str | None, str | None]:
    """The first case with no response rate above p0, and the first with none below p1.

    Where no case keeps p1 at every dose, the first that has it at the starting dose.
    """
    p0, p1 = doc["design"]["p0"], doc["design"]["p1"]
    response = {name: case["truth"]["response"] for name, case in doc["cases"].items()}
    highest = {name: case["truth"]["highest_response"] for name, case in doc["cases"].items()}
    inactive = None if p0 is None else next((name for name, r in highest.items() if r <= p0), None)
    active = None if p1 is None else next((name for name, r in response.items() if min(r) >= p1), None)
    if active is None and p1 is not None:
        active = next((name for name, r in response.items() if r[0] >= p1), None)
    return inactive, active
