"""A scenario with some of its inputs changed: what every what-if and sensitivity analysis is made of.

An input is named by its path, as error messages name it: ``conduct.accrual.per_month``, ``truth.active.toxicity[0]``
(the first dose), ``truth.*.odds_ratio`` (every case). A path may end in a key that the scenario leaves out, but what
it leads through must be there: a slip in the name of a case must not make a new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from trialsim.errors import TrialsimError
from trialsim.scenario import words
from trialsim.scenario.digest import digest
from trialsim.scenario.faults import Faults, Finding
from trialsim.scenario.model import Scenario
from trialsim.scenario.reading import value_of
from trialsim.scenario.schema import json_schema

ABOUT_RUNS = {"variants", "sensitivity"}
"""Blocks that ask for changed scenarios; a changed scenario does not carry them on."""
NOT_INPUTS = ABOUT_RUNS | {"schema", "question"}
"""Keys of a scenario that say nothing about its trial."""

_VARIANT = r"^[A-Za-z0-9][A-Za-z0-9 .,%=<>()_+/-]{0,59}$"
"""As ``values.VariantName``."""

_BY_DOSE = ("response", "toxicity", "stable_disease", "serious")

Step = str | int


class ChangeError(TrialsimError):
    """A change that cannot be made; ``path`` is the path as stated, "" where the whole is impossible."""

    def __init__(self, path: str, message: str) -> None:
        self.path, self.message = path, message
        super().__init__(f"{path}: {message}" if path else message)


def changed(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """The scenario with each path set to its value; None takes an optional key away.

    Args:
        scenario: what to change; it stays as it is.
        changes: path -> value, plain data as a scenario file would hold it. Later ones see what earlier ones did.

    Raises:
        ChangeError: with the path, where it leads nowhere or the value is not possible there.
    """
    stated = scenario.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=ABOUT_RUNS)
    full = scenario.model_dump(mode="json", by_alias=True)
    for path, value in changes.items():
        for place in places(full, path):
            _put(full, place, deepcopy(value), len(scenario.doses))
            _put(stated, place, deepcopy(value), len(scenario.doses))
            if value is None:
                _take(stated, place)
    try:
        return Scenario.model_validate(stated)
    except ValidationError as error:
        findings = Faults(json_schema()).explain(stated, error.errors(include_url=False, include_input=False))
        raise _refused(findings, changes) from None


def variants(scenario: Scenario) -> dict[str, Scenario]:
    """The scenario under each of its ``variants``, by name.

    Raises:
        ChangeError: as ``changed``, and where a variant is the scenario itself.
    """
    return {name: variant(scenario, changes) for name, changes in scenario.variants.items()}


def variant(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """As ``changed``, refusing changes that leave everything as it is."""
    other = changed(scenario, changes)
    if digest(other) == digest(changed(scenario, {})):
        raise ChangeError("", f"changes nothing: {' and '.join(changes)} as in the scenario already")
    return other


def impossible_variants(scenario: Scenario) -> list[Finding]:
    """What is wrong with the ``variants`` of a scenario, each at the change that it belongs to."""
    findings = []
    for name, changes in scenario.variants.items():
        try:
            variant(scenario, changes)
        except ChangeError as error:
            at = (error.path,) if error.path in changes else ()
            findings.append(Finding(("variants", name, *at), error.message if at else str(error)))
    return findings


def read_changes(pairs: Iterable[str]) -> dict[str, Any]:
    """``PATH=VALUE`` texts, each value written as in a scenario file: ``0.2``, ``[0.15, 0.08]``, ``{kind: none}``.

    Raises:
        ChangeError: with the text, where it is not of this form, its value is not YAML, or a path comes twice.
    """
    changes: dict[str, Any] = {}
    for pair in pairs:
        path, equals, text = pair.partition("=")
        path = path.strip()
        if not equals or not path or not text.strip():
            raise ChangeError(pair, "expected PATH=VALUE, such as conduct.accrual.per_month=8")
        if path in changes:
            raise ChangeError(path, "given twice")
        if text.strip().startswith("+"):
            raise ChangeError(path, f"`{text.strip()}` reads as an addition; state the new value itself")
        try:
            changes[path] = value_of(text, path)
        except ValueError as reason:
            raise ChangeError(pair, str(reason)) from None
    return changes


def read_variant(text: str) -> tuple[str, dict[str, Any]]:
    """A variant written on one line: ``NAME: PATH=VALUE, PATH=VALUE``; without a name it is called by its changes.

    Raises:
        ChangeError: as ``read_changes``, and for a name that cannot be one.
    """
    named = re.match(r"([^=]*?):(?=\s)", text)
    rest = text[named.end() :] if named else text
    name = named[1].strip() if named else re.sub(r"[^A-Za-z0-9 .,%=<>()_+/-]", "", text).strip()[:60]
    if not re.fullmatch(_VARIANT, name):
        raise ChangeError(
            text, f"{words.shown(name)} cannot be the name of a variant: {words.name_rule(_VARIANT)}"
        )
    # a comma ends a change where another PATH= follows; inside [0.3, 0.2] it does not
    return name, read_changes(re.split(r",\s*(?=[^\s,={}]+\s*=)", rest))


def places(data: Mapping[str, Any], path: str) -> list[tuple[Step, ...]]:
    """What a path leads to in a scenario's data: one place, or one for each case where it says ``*``.

    Raises:
        ChangeError: where it leads nowhere; the message lists what is there.
    """
    steps = words.steps(path)
    if not steps or words.path_text(steps).replace("[", ".[") != path.replace("[", ".["):
        raise ChangeError(path, "not a path such as truth.active.response or truth.active.toxicity[0]")
    if steps[0] in NOT_INPUTS:
        raise ChangeError(path, f"`{steps[0]}` is no input of the trial")
    found: list[tuple[Step, ...]] = [()]
    for i, step in enumerate(steps):
        last = i == len(steps) - 1
        found = [place for before in found for place in _onward(data, before, step, last, path)]
    return found


def _onward(
    data: Mapping[str, Any], before: tuple[Step, ...], step: Step, last: bool, path: str
) -> list[tuple[Step, ...]]:
    """Where one more step leads; the last one may name a key that is not there yet."""
    here, at = value_at(data, before), words.path_text(before)
    if isinstance(here, dict):
        if step == "*":
            return [(*before, key) for key in here if here[key] is not None]
        step = (
            str(step) if isinstance(step, int) and isinstance(here, dict) else step
        )  # counts of responses, which JSON holds as text
        if step in here or (last and isinstance(step, str) and before != ()):
            if not last and here[step] is None:
                raise ChangeError(
                    path, f"the scenario states no `{words.path_text((*before, step))}`; set it as a whole"
                )
            return [(*before, step)]
        known = [key for key in here if before or key not in NOT_INPUTS]
        if not before and (deeper := _deeper(data, str(step))):
            raise ChangeError(path, f"the scenario has no `{step}` at the top; did you mean `{deeper}`?")
        raise ChangeError(path, f"`{at or 'the scenario'}` has no `{step}`{words.meant(str(step), known)}")
    by_dose = last and isinstance(step, int) and before[-1] in _BY_DOSE
    if isinstance(here, list) or by_dose:
        count = len(here) if isinstance(here, list) else len(data["doses"])
        if isinstance(step, int) and step < count:
            return [(*before, step)]
        raise ChangeError(path, f"`{at}` has no [{step}]; it has {count} values, counted from [0]")
    raise ChangeError(path, f"`{at}` is {words.shown(here)}, which has no parts")


def _deeper(data: Mapping[str, Any], key: str) -> str:
    """A key of this name inside a block, down to its first value where it is a block itself; "" where there is none."""
    for block, content in data.items():
        if isinstance(content, dict) and block not in NOT_INPUTS and content.get(key) is not None:
            place: tuple[Step, ...] = (block, key)
            while isinstance(inner := value_at(data, place), dict):
                place = (*place, next(name for name, value in inner.items() if value is not None))
            return words.path_text(place)
    return ""


def value_at(data: Any, place: tuple[Step, ...]) -> Any:
    """What stands at a place; None where nothing does."""
    for step in place:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        elif isinstance(step, int) and isinstance(data, int | float):
            continue  # one rate for all doses
        else:
            return None
    return data


def _put(data: Any, place: tuple[Step, ...], value: Any, doses: int) -> None:
    """Set the value at a place, making the blocks on the way that stand at their defaults."""
    *way, last = place
    for i, step in enumerate(way):
        ahead = place[i + 1]
        below = data.get(step) if isinstance(data, dict) else data[step]
        if isinstance(ahead, int) and isinstance(below, int | float):
            below = data[step] = [below] * doses  # one rate for all doses becomes one a dose
        elif below is None:
            below = data[step] = {}
        data = below
    data[last] = value


def _take(data: Any, place: tuple[Step, ...]) -> None:
    """Leave out the optional key at a place."""
    block = value_at(data, place[:-1])
    if isinstance(block, dict):
        block.pop(place[-1])


def _refused(findings: list[Finding], changes: Mapping[str, Any]) -> ChangeError:
    """The first finding, under the change it belongs to."""
    finding = findings[0]
    at = words.path_text(finding.path)
    for path in changes:
        if at == path:
            return ChangeError(path, finding.message)
    return ChangeError(" with ".join(changes), f"{at}: {finding.message}" if at else finding.message)
