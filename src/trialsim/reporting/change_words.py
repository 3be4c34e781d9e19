"""What a variant changes, in the field's words: ``toxicity rate in “active” from 45% / 32% to 60% / 32%``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trialsim.designs.alone import written
from trialsim.scenario.changes import places, value_at
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.model import Scenario
from trialsim.scenario.named import input_name, spaced
from trialsim.scenario.words import path_text

_IN_PERCENT = {"response", "toxicity", "serious", "stable_disease", "at_first", "share", "p0", "p1"}
_PERCENT_PATHS = {
    "evaluability.probability",
    "conduct.early_onset",
    "dose_reduction.rule.limit",
    "conduct.first_seen",
    "conduct.accrual.screening_failure",
}

NOT_OF_THE_TRIAL = ("name", "source", "sources", "observed", "related_trials")
"""Inputs that may change with a variant and decide none of its numbers: left out of its sentence."""

MOST = 120
"""Characters of a value in words, at most."""


@dataclass(frozen=True)
class Change:
    """One input, by its path, as stated and as changed (None: not stated), and the same in words."""

    path: str
    old: Any
    new: Any
    words: str

    def to_dict(self) -> dict[str, Any]:
        """As it stands in JSON."""
        return {"path": self.path, "old": self.old, "new": self.new, "words": self.words}


def changes_in_words(scenario: Scenario, other: Scenario, changes: Mapping[str, Any]) -> tuple[Change, ...]:
    """Each path of a variant with its old and new value; equal values at several places are told once."""
    before = scenario.model_dump(mode="json", by_alias=True)
    after = other.model_dump(mode="json", by_alias=True)
    found = []
    for path in changes:
        there = [(place, value_at(before, place), value_at(after, place)) for place in places(before, path)]
        told = [each for each in there if each[1] != each[2]]
        values = {repr(each[1:]) for each in told}
        for place, old, new in told[:1] if len(values) == 1 else told:
            everywhere = len(there) > 1 and len(values) == 1 and len(told) == len(there)
            name = path if everywhere else path_text(place)
            input_ = input_name(scenario, place, everywhere, after if new is not None else before)
            found.append(Change(name, old, new, _words(input_, place, old, new)))
    if any(path == "design" or path.startswith("design.") for path in changes):
        found = _with_cut_offs(found, scenario, other)
    return tuple(found)


def told(changes: tuple[Change, ...]) -> str:
    """The changes of a variant in one sentence."""
    chosen = [c for c in changes if c.path.partition(".")[0].partition("[")[0] not in NOT_OF_THE_TRIAL]
    return f"Changed: {'; '.join(c.words for c in chosen or changes)}."


def _words(name: str, place: tuple[str | int, ...], old: Any, new: Any) -> str:
    if new is None:
        return f"no {name} (was {value_words(old, place)})"
    if old is None:
        return f"{name} {value_words(new, place)}, which the scenario does not state"
    return f"{name} from {value_words(old, place)} to {value_words(new, place)}"


def value_words(value: Any, place: tuple[str | int, ...] = ()) -> str:
    """A value as a reader would write it; rates in percent."""
    keys = [step for step in place if isinstance(step, str)]
    percent = bool(keys) and (keys[-1] in _IN_PERCENT or ".".join(keys) in _PERCENT_PATHS)
    text = _value(value, percent)
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"


def _value(value: Any, percent: bool) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case {"rule": dict(rule), "at_lowest_dose": _}:
            return _value(rule, percent)
        case {"kind": kind, **parameters}:
            return ", ".join([spaced(str(kind)), *_parts(parameters, percent)])
        case dict():
            return ", ".join(_parts(value, percent)) or "none"
        case list() | tuple():
            return " / ".join(_value(item, percent) for item in value) or "none"
        case int() | float():
            return f"{100 * value:.4g}%" if percent else f"{value:.12g}"
    return "none" if value is None else spaced(str(value))


def _parts(block: Mapping[Any, Any], percent: bool) -> list[str]:
    return [f"{spaced(str(k))} {_value(v, percent)}" for k, v in block.items() if v not in (None, {}, [])]


def _with_cut_offs(found: list[Change], scenario: Scenario, other: Scenario) -> list[Change]:
    """A design is told by its cut-offs: however it was changed, they say what that comes to."""
    old, new = (written(compile_rules(each).looks) for each in (scenario, other))
    became = f"the design {'becomes' if old != new else 'stays'} {new}"
    short = f"design from {old} to {new}" if old != new else f"design, which stays {new}"
    others = [c for c in found if c.path != "design"]
    whole = [Change(c.path, c.old, c.new, short) for c in found if c.path == "design"]
    parts = [c for c in others if c.path.startswith("design.")]
    if parts and not whole:
        last = parts[-1]
        at = others.index(last)
        others[at] = Change(last.path, last.old, last.new, f"{last.words} ({became})")
    return [*whole, *others]
