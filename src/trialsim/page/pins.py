"""What is pinned on the page, and how another scenario differs: inputs in words, numbers on the same patients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trialsim.engine.as_conducted import Along
from trialsim.page.answering import Snapshot
from trialsim.reporting.change_words import NOT_OF_THE_TRIAL, changes_in_words
from trialsim.reporting.paired import difference_cell, value_cell
from trialsim.reporting.sentences import Words as Names
from trialsim.reporting.sentences import did, sentence
from trialsim.reporting.whatif import notes
from trialsim.scenario.changes import NOT_INPUTS
from trialsim.scenario.model import Scenario
from trialsim.scenario.words import path_text
from trialsim.varying.answers import MAIN, THIRD, WhatIf
from trialsim.varying.compare import Comparison, Designs
from trialsim.varying.whatif import Asked, Questions
from trialsim.writing.report import Group, Section, Table, Words, section

MOST = 2
"""Pins that may be kept."""

NOW, REST = "On screen", "Every other quantity"

MARKS = (2_000, 20_000)
"""Replicates at which differences are shown on the way to the scenario's own."""


@dataclass(frozen=True)
class Pin:
    """A scenario that is kept to be compared with, and what was known about it.

    ``key`` tells it from every other pin of a session.
    """

    key: int
    name: str
    snapshot: Snapshot

    @property
    def scenario(self) -> Scenario:
        """What is pinned."""
        return self.snapshot.trial.scenario

    @property
    def along(self) -> tuple[str, Along] | None:
        """Its P(go) curve as the main picture draws it, under its name; it says where the curve is provisional."""
        curves = self.snapshot.conducted.curves(self.snapshot.curves)
        if not curves:
            return None
        rough = not self.snapshot.done and curves[0].errors
        return self.name + (" (provisional)" if rough else ""), curves[0]

    def sharper(self, snapshot: Snapshot) -> Pin:
        """The pin with later numbers of the same scenario, where these are such."""
        is_more = snapshot.done or snapshot.replicates > self.snapshot.replicates
        same = snapshot.draft is self.snapshot.draft and not self.snapshot.done
        return replace(self, snapshot=snapshot) if same and is_more else self


def differences(before: Scenario, after: Scenario) -> dict[str, Any]:
    """What turns one scenario into another: path -> value, None where it is left out; the smallest parts that differ.

    Blocks that ask for analyses, and those about the simulation, are no inputs of the trial.
    """
    left_out = {*NOT_INPUTS, "simulation"}
    first, second = (
        each.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=left_out)
        for each in (before, after)
    )
    return {path_text(place): value for place, value in _differing(first, second, ())}


def _differing(a: Any, b: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(a, dict) and isinstance(b, dict) and a.get("kind") == b.get("kind") and _steps(place, a, b):
        for key in (*a, *(key for key in b if key not in a)):
            if key not in b:
                yield (*place, key), None
            elif key not in a:
                yield (*place, key), b[key]
            else:
                yield from _differing(a[key], b[key], (*place, key))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _differing(x, y, (*place, k))
    elif a != b or isinstance(a, bool) != isinstance(b, bool):
        yield place, b


def _steps(place: tuple[str | int, ...], *blocks: Mapping[str, Any]) -> bool:
    """Whether every key of these blocks can stand in a path; a block of others is changed as a whole."""
    return not place or not any(
        "." in key or "[" in key or key.isdecimal() for each in blocks for key in each
    )


def changed_words(before: Scenario, after: Scenario) -> tuple[str, ...]:
    """The inputs of the trial that differ, each in words; those that decide no number are left out."""
    found = changes_in_words(before, after, differences(before, after))
    return tuple(each.words for each in found if _root(each.path) not in NOT_OF_THE_TRIAL)


def _root(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


@dataclass(frozen=True)
class Against:
    """What is on the screen against a pin: inputs that differ, in words, and the numbers as far as they are known."""

    words: tuple[str, ...]
    found: WhatIf | Comparison | None = None


def compared(before: Scenario, after: Scenario, name: str, replicates: int) -> Iterator[Against | None]:
    """What is on the screen against a pin, on the same patients, sharper and sharper; None is a pause.

    Where no case is in both, the designs are compared under the cases of the pin.

    Raises:
        TrialsimError: they cannot be compared.
    """
    words = changed_words(before, after)
    yield Against(words)
    if not words:
        return
    # what decides no number of the trial is left out: the check of an observed trial takes long
    base = before.model_copy(update={"variants": {}, "question": None, "observed": None})
    changes = {
        path: value
        for path, value in differences(before, after).items()
        if _root(path) not in NOT_OF_THE_TRIAL
    }
    if set(before.truth) & set(after.truth):
        asked = Asked.of(base, more={NOW: changes}, file=name)
        for questions in Questions([asked], replicates=replicates, jobs=1).sharpening(MARKS):
            yield None if questions is None else Against(words, questions.questions[0])
        return
    for comparison in Designs({name: base, NOW: after}, replicates=replicates, jobs=1).sharpening(MARKS):
        yield None if comparison is None else Against(words, comparison)


def compared_at(before: Scenario, after: Scenario, name: str, replicates: int) -> Against:
    """The last of ``compared``, for a process of its own."""
    found = [each for each in compared(before, after, name, replicates) if each]
    return found[-1]


def sections(found: WhatIf | Comparison, name: str, key: str) -> list[Section]:
    """The differences from the pin of this name in words and tables; ``key`` tells its tables from those of another."""
    if isinstance(found, Comparison):
        return list(found.report().sections[:3])
    variant = found.variants[0]
    did_words = Words(did(variant.effects, Names.of(found.scenario)))
    left_out = [Words(each, mark="note") for each in notes(found, variant)]
    main = [each for each in (*MAIN, *THIRD) if each in found.quantities]
    rest = [each for each in found.quantities if each not in main]
    return [
        section(
            "pin", "", did_words, left_out, _table(found, name, main, f"main-{key}", "The main quantities")
        ),
        section("pin-all", REST, _table(found, name, rest, f"rest-{key}", REST), folded=True),
    ]


def _table(found: WhatIf, name: str, quantities: list[str], key: str, caption: str) -> Table:
    """By case: each quantity of the pin, of what is on the screen, and their difference with its error."""
    groups = []
    for case, effects in found.variants[0].effects.items():
        rows = [
            (
                sentence(found.label(each)),
                value_cell(each, effects[each].base),
                value_cell(each, effects[each].other),
                difference_cell(each, effects[each].difference),
            )
            for each in quantities
            if each in effects
        ]
        groups.append(Group(f"If “{case}” is true" if len(found.base) > 1 else "", rows))
    return Table(key, caption, ("", name, NOW, "Difference"), tuple(groups))
