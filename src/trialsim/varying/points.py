"""Many scenarios that differ from one in a few inputs, made quickly."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from trialsim.scenario import words
from trialsim.scenario.changes import changed, places, value_at
from trialsim.scenario.model import Case, Evaluability, Scenario

Point = Mapping[str, Any]
"""Path of an input -> its value there."""

Place = tuple[str | int, ...]

EVALUABLE: Place = ("evaluability", "probability")


class Points:
    """The scenario at any point.

    A number that is put in the place of a number, in a case or as the share of evaluable patients, can only break what
    the models of those two blocks and ``Scenario`` say of cases: they alone are asked again, which is several times
    quicker than reading the whole scenario anew. Every other change goes through ``changes.changed``.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = changed(scenario, {})
        self._plain: dict[str, _Plain | None] = {}

    def __call__(self, point: Point) -> Scenario:
        """The scenario with each path set to its value.

        Raises:
            ChangeError: as ``changes.changed``.
        """
        numbers = all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in point.values()
        )
        plain = self._plain_at(point) if numbers else None
        if plain is not None:
            try:
                return plain.at(list(point.values()))
            except (ValidationError, PydanticCustomError):
                pass  # ``changed`` says in words what is wrong
        return changed(self.scenario, point) if point else self.scenario

    def _plain_at(self, point: Point) -> _Plain | None:
        key = "\n".join(point)
        if key not in self._plain:
            self._plain[key] = _Plain.of(self.scenario, point) if point else None
        return self._plain[key]


class _Plain:
    """Numbers in the place of numbers; ``targets`` holds the places of each path."""

    def __init__(self, scenario: Scenario, targets: list[list[Place]]) -> None:
        self.scenario, self.targets = scenario, targets
        self.cases = sorted({str(place[1]) for found in targets for place in found if place[0] == "truth"})
        self.truth = {
            name: scenario.truth[name].model_dump(mode="json", by_alias=True, exclude_unset=True)
            for name in self.cases
        }
        self.evaluability = scenario.evaluability.model_dump(mode="json")

    @classmethod
    def of(cls, scenario: Scenario, paths: Point) -> _Plain | None:
        """Ready to take values of these paths; None where one of them is not the place of a number."""
        for path in paths:
            full = scenario.model_dump(mode="json", by_alias=True)
            for place in places(full, path):
                here = value_at(full, place)
                if not (isinstance(here, int | float) and not isinstance(here, bool)):
                    return None
                if not (place == EVALUABLE or (place[0] == "truth" and len(place) > 2)):
                    return None
                # one rate for all doses becomes one a dose, a default becomes stated: each has its place from now on
                scenario = changed(scenario, {words.path_text(place): here})
        full = scenario.model_dump(mode="json", by_alias=True)
        return cls(scenario, [places(full, path) for path in paths])

    def at(self, values: list[float]) -> Scenario:
        """The scenario with these values, in the order of the paths."""
        truth, evaluability = deepcopy(self.truth), dict(self.evaluability)
        for found, value in zip(self.targets, values, strict=True):
            for place in found:
                if place == EVALUABLE:
                    evaluability["probability"] = value
                    continue
                block: Any = truth[str(place[1])]
                for step in place[2:-1]:
                    block = block[step]
                block[place[-1]] = value
        amounts = self.scenario.dose_amounts or ()
        cases = dict(self.scenario.truth)
        cases |= {name: Case.model_validate(stated).dosed(amounts) for name, stated in truth.items()}
        there = Evaluability.model_validate(evaluability)
        found_scenario = self.scenario.model_copy(update={"truth": cases, "evaluability": there})
        same = there == self.scenario.evaluability
        for name in self.cases if same else cases:
            found_scenario._check_case(f"truth.{name}", cases[name])
        return found_scenario
