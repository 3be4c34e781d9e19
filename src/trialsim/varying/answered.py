"""What was found at one point: operating characteristics by name, exact or simulated, in a form that can be kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trialsim.errors import TrialsimError
from trialsim.results import Adjusted, Estimate
from trialsim.scenario import words
from trialsim.varying.twins import Told

EXACT, AT_ONCE, SIMULATED = "exact", "exact, outcomes known at once", "simulated"
"""How an answer came about."""

Value = float | Sequence[float]
"""A number as it is kept: an exact one by itself, a simulated one with its error and interval."""


@dataclass(frozen=True)
class Answer:
    """The operating characteristics of one point, by name."""

    engine: str
    values: Mapping[str, Value]
    adjusted: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Of simulated numbers that are adjusted by their twins, the fields of ``results.Adjusted``."""

    def __contains__(self, quantity: str) -> bool:
        return quantity in self.values

    def get(self, quantity: str) -> Estimate | None:
        """A quantity, or None where it is not among the results."""
        return self[quantity] if quantity in self.values else None

    def __getitem__(self, quantity: str) -> Estimate:
        """A quantity as it is told: adjusted where it is; an exact one has a standard error of 0."""
        if quantity == "trigger_months" and quantity not in self.values:
            raise TrialsimError(
                f"`{quantity}` is a mean over the trials in which a dose reduction is triggered; here there is none"
            )
        if quantity not in self.values:
            known = words.meant(quantity, self.values)
            raise TrialsimError(
                f"`{quantity}` is not among the {self.engine} results of this scenario{known}"
            )
        value = self.values[quantity]
        if isinstance(value, int | float):
            return Estimate(value, 0.0, value, value)
        if quantity not in self.adjusted:
            return Estimate(*value)
        estimate, mcse, low, high, factor, controls, why = self.adjusted[quantity]
        return Told(estimate, mcse, low, high, factor, tuple(controls), why, plain=Estimate(*value))


def drawn(values: Mapping[str, Estimate], adjusted: Mapping[str, Adjusted] = {}) -> Answer:
    """Simulated numbers as an answer."""
    plain = {name: (e.estimate, e.mcse, e.low, e.high) for name, e in values.items()}
    return Answer(SIMULATED, plain, {name: tuple(vars(each).values()) for name, each in adjusted.items()})
