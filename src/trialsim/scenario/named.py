"""The inputs of a scenario by their names: what the schema calls a key, where and at which dose it stands."""

from __future__ import annotations

import re
from typing import Any

from trialsim.scenario.faults import Faults
from trialsim.scenario.model import Scenario
from trialsim.scenario.schema import json_schema

Place = tuple[str | int, ...]
"""Keys and positions that lead to an input."""

_SYMBOL = re.compile("[a-z][0-9]?|alpha|beta")
"""Keys of a design that are the field's own symbols."""


def input_name(scenario: Scenario, place: Place, everywhere: bool, data: Any) -> str:
    """An input by its name.

    Args:
        everywhere: whether it is meant in every case.
        data: the scenario as plain data.
    """
    keys = [step for step in place if isinstance(step, str)]
    if keys[0] == "truth" and len(keys) >= 3:
        where = "every case" if everywhere else f"“{keys[1]}”"
        # a stratum or cohort states the same rates as a case
        inside = f" ({keys[3]})" if len(keys) > 4 and keys[2] == "cohorts" else ""
        parts = keys[4:] if inside else keys[2:]
        name = ", ".join(key_name((*place[:2], *parts[: k + 1]), data) for k in range(len(parts)))
        dose = f" at {scenario.doses[place[-1]]}" if isinstance(place[-1], int) else ""
        return f"{name}{dose} in {where}{inside}"
    if keys[:2] == ["cohorts", "designs"] and len(keys) > 2:
        return f"{key_name(place, data)} of {keys[2]}" if len(keys) > 3 else f"own design of {keys[2]}"
    if keys == ["cohorts", "strata", "share"] and scenario.cohorts and isinstance(place[2], int):
        return f"share of {scenario.cohorts.strata[place[2]].name}"
    numbers = [step for step in place if isinstance(step, int)]
    name = key_name(place, data)
    return f"{name} [{numbers[-1]}]" if numbers else name


def key_name(place: Place, data: Any) -> str:
    """What the schema calls the key at a place of a scenario's data, else the key itself."""
    while isinstance(place[-1], int):
        place = place[:-1]
    title: str | None = Faults(json_schema()).at(data, place)[1].get("title")
    *around, key = (spaced(step) for step in place if isinstance(step, str))
    return title or (f"{key} of {around[-1]}" if around and not _SYMBOL.fullmatch(key) else key)


def spaced(key: str) -> str:
    """A key as words."""
    return key.replace("_", " ")
