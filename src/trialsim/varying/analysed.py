"""What the results of all sensitivity analyses have in common, and how they name inputs and quantities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trialsim import quantities
from trialsim.answers import Answer
from trialsim.results import Estimate
from trialsim.scenario import words
from trialsim.scenario.changes import places
from trialsim.scenario.model import Scenario
from trialsim.scenario.named import input_name
from trialsim.varying.answered import Answer as Point
from trialsim.varying.effects import adjusted_row
from trialsim.varying.twins import Told, unadjusted


@dataclass(frozen=True, repr=False)
class Analysed(Answer):
    """One analysis of a scenario.

    Attributes:
        engine: how its numbers came about.
        replicates: simulated trials a point; None where every number is exact.
    """

    scenario: Scenario
    name: str
    case: str
    engine: str
    replicates: int | None

    @property
    def inputs(self) -> Iterable[str]:
        """The paths of the inputs that move."""
        raise NotImplementedError

    @property
    def input_words(self) -> dict[str, str]:
        """Path of an input -> the input in few words."""
        return {path: input_words(self.scenario, path, self.case) for path in self.inputs}

    def about(self) -> dict[str, Any]:
        """What ``to_dict`` of every analysis begins with."""
        names = ("kind", "name", "case", "engine", "replicates", "input_words")
        return {name: getattr(self, name) for name in names}


def short(scenario: Scenario, quantity: str) -> str:
    """A quantity in few words: P(go), EN."""
    cohorts = scenario.cohorts.names if scenario.cohorts else ()
    return quantities.short(quantity, scenario.doses, cohorts, own=scenario.own_rules)


def input_words(scenario: Scenario, path: str, case: str) -> str:
    """An input in few words; of a rate the case is left out where it is the one looked at, or every case."""
    steps = words.steps(path)
    if len(steps) < 3 or steps[0] != "truth" or steps[1] not in (case, "*"):
        data = scenario.model_dump(mode="json", by_alias=True)
        first, *others = places(data, path)
        return input_name(scenario, first, bool(others), data)
    *keys, last = steps[2:]
    dose = f" at {scenario.doses[last]}" if isinstance(last, int) and last < len(scenario.doses) else ""
    text = ": ".join(str(key) for key in (keys if dose else (*keys, last))).replace("_", " ")
    several = len(scenario.doses) > 1 and text in ("response", "toxicity", "serious", "stable disease")
    return f"{text}{dose or (' at every dose' if several else '')}"


def plain(estimate: Estimate) -> dict[str, Any]:
    """An estimate in JSON, beside it what it is once adjusted; an exact number has no error and no interval."""
    if estimate.mcse == 0 and not isinstance(estimate, Told):
        return {"estimate": estimate.estimate, "mcse": None, "low": None, "high": None}
    found: dict[str, Any] = whole(unadjusted(estimate))
    return {**found, "adjusted": estimate.to_dict()} if isinstance(estimate, Told) else found


def row_of(estimate: Estimate) -> dict[str, Any]:
    """An estimate in a row of a table."""
    found = plain(estimate)
    return {**found, **adjusted_row(found.pop("adjusted"))} if "adjusted" in found else found


def whole(estimate: Estimate) -> dict[str, Any]:
    """An estimate in JSON, with its error and interval."""
    return {name: getattr(estimate, name) for name in ("estimate", "mcse", "low", "high")}


def engines(answers: Iterable[Point]) -> str:
    """How several answers came about: exact, simulated, or both."""
    found = list(dict.fromkeys(answer.engine for answer in answers))
    return " and ".join(sorted(found))
