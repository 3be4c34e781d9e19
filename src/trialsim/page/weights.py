"""What moves together under ``history`` and ``prior``: ways of stating one thing, and weights that add up to 1."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from trialsim.page.edits import put
from trialsim.scenario.changes import value_at
from trialsim.scenario.faults import Path

Data = dict[str, Any]

WAYS: dict[str, tuple[frozenset[str], ...]] = {
    "history": (frozenset({"responses", "patients", "before"}), frozenset({"beta"}), frozenset({"mixture"})),
    "prior": (frozenset({"points"}), frozenset({"beta"}), frozenset({"mixture"})),
}
"""Block -> the keys of each way in which it states a distribution."""


def without_other_ways(data: Data, at: Path) -> Data:
    """The data in which what was added at a path is the only way that its block states."""
    if len(at) != 2 or not any(at[1] in way for way in WAYS.get(str(at[0]), ())):
        return data
    others = {key for way in WAYS[str(at[0])] if at[1] not in way for key in way}
    block = {key: value for key, value in data[str(at[0])].items() if key not in others}
    if at == ("history", "responses"):
        block.setdefault("patients", 20)
    found: Data = put(data, at[:1], block)
    return found


def has_weights(at: Path) -> bool:
    """Whether a path is one part of several whose weights add up to 1."""
    return len(at) == 3 and at[0] in WAYS and at[1] in ("points", "mixture")


def another_part(data: Data, at: Path) -> Data:
    """One part more: a copy of the last, which shares its weight with it; the first two where there is none."""
    parts = deepcopy(value_at(data, at[:2]))
    if not parts:
        first = put(data, at[:2], MIXTURE if at[1] == "mixture" else _of_cases(data))
        return without_other_ways(first, at[:2])
    parts[-1]["weight"] = parts[-1]["weight"] / 2
    found: Data = put(data, at[:2], [*parts, deepcopy(parts[-1])])
    return found


MIXTURE = [{"weight": 0.5, "beta": [1, 9]}, {"weight": 0.5, "beta": [2, 18]}]


def _of_cases(data: Data) -> list[Data]:
    """Points to start with: the first two cases, with equal weights."""
    cases = [*data["truth"].values()][:2]
    kept = [{key: case[key] for key in ("response", "toxicity") if key in case} for case in cases]
    return [{"weight": 1 / len(kept), **deepcopy(rates)} for rates in kept]


def without_part(data: Data, at: Path) -> Data:
    """Without one part; its neighbour takes its weight over."""
    parts = deepcopy(value_at(data, at[:2]))
    gone = parts.pop(int(at[2]))
    if parts:
        neighbour = parts[max(int(at[2]) - 1, 0)]
        neighbour["weight"] = float(f"{neighbour['weight'] + gone['weight']:.12g}")
    found: Data = put(data, at[:2], parts)
    return found
