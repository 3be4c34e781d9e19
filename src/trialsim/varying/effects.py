"""What a change does to one quantity: the two values and their difference, each exact or with its error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trialsim import quantities
from trialsim.quantities import kind
from trialsim.results import Adjusted, Estimate, adjusted_columns, is_normal

Z95 = 1.959963984540054

TOLD_FROM = {"probability": 0.01, "months": 0.2, "share": 0.01, "patients": 0.4}
"""Changes of other quantities than P(go) and EN that a sentence tells, at least."""

NEGLIGIBLE = {"probability": 0.001, "months": 0.1, "share": 0.001, "patients": 0.1}
"""Smaller changes mean nothing to a trial, and are told as none however small their error."""


@dataclass(frozen=True)
class Number:
    """A value, exact, or simulated with its Monte Carlo standard error and 95% interval.

    ``drawn`` is what simulation gave where the value is exact, in so many ``replicates``: the check of the one by the
    other. ``adjusted`` stands beside a number of calendar time: the same once adjusted by its twin (docs/methods.md).
    """

    value: float
    mcse: float | None = None
    low: float | None = None
    high: float | None = None
    drawn: Estimate | None = None
    replicates: int = 0
    adjusted: Adjusted | None = None

    @classmethod
    def simulated(cls, estimate: Estimate, adjusted: Adjusted | None = None) -> Number:
        """A number that simulation alone knows."""
        return cls(estimate.estimate, estimate.mcse, estimate.low, estimate.high, adjusted=adjusted)

    @property
    def is_adjusted(self) -> bool:
        """Whether an adjusted number is told in its place."""
        return self.adjusted is not None and not self.adjusted.plain_because

    @property
    def told(self) -> Number:
        """The number as it is told: the adjusted one where there is one."""
        return Number.simulated(self.adjusted) if self.adjusted and self.is_adjusted else self

    @property
    def is_exact(self) -> bool:
        """Whether it has no error."""
        return self.mcse is None

    @property
    def plus_minus(self) -> float:
        """Half the width of a 95% interval; 0 where exact."""
        return 0.0 if self.mcse is None else Z95 * self.mcse

    @property
    def z(self) -> float | None:
        """(simulated - exact) / standard error; None where either is missing or too little varies."""
        if self.drawn is None or not is_normal(self.replicates, self.drawn.mcse):
            return None
        return (self.drawn.estimate - self.value) / self.drawn.mcse

    def disagrees(self, span: float, replicates: int, chance: float) -> bool:
        """Whether simulation lies further off than chance allows with probability ``chance``.

        By the empirical Bernstein bound (Maurer & Pontil, COLT 2009, theorem 4) for a mean of numbers that span at
        most ``span``, which needs no normality.
        """
        if self.drawn is None or replicates < 2:
            return False
        log = math.log(4 / chance)
        allowed = self.drawn.mcse * math.sqrt(2 * log) + 7 * span * log / (3 * (replicates - 1))
        return abs(self.drawn.estimate - self.value) > allowed

    def to_dict(self) -> dict[str, Any]:
        """As it stands in JSON."""
        found: dict[str, Any] = {"value": self.value, "exact": self.is_exact}
        if not self.is_exact:
            found |= {
                "mcse": self.mcse,
                "low": self.low,
                "high": self.high,
                "plus_minus": self.plus_minus,
            }
        if (drawn := self.drawn) is not None:
            found["simulated"] = {"estimate": drawn.estimate, "mcse": drawn.mcse, "z": self.z}
        if self.adjusted is not None:
            found["adjusted"] = dict(vars(self.adjusted))
        return found

    def row(self, name: str = "value") -> dict[str, Any]:
        """As it stands in a row of a table, the value under ``name``."""
        ends = {"mcse": self.mcse, "low": self.low, "high": self.high}
        return {name: self.value, "exact": self.is_exact, **ends}

    def adjusted_row(self, prefix: str = "") -> dict[str, Any]:
        """What is added to such a row where there is an adjusted number."""
        columns = adjusted_row(vars(self.adjusted)) if self.adjusted else {}
        return {f"{prefix}{name}": value for name, value in columns.items()}


@dataclass(frozen=True)
class Effect:
    """A quantity in one case: as stated, changed, and changed - stated.

    ``variance_factor`` is how many times smaller the variance of the simulated difference is than with other patients
    on either side; None where nothing was simulated, or nothing differs.
    """

    quantity: str
    base: Number
    other: Number
    difference: Number
    variance_factor: float | None = None

    @property
    def told(self) -> Effect:
        """The effect as it is told: of adjusted numbers where there are such."""
        return replace(self, base=self.base.told, other=self.other.told, difference=self.difference.told)

    @property
    def is_real(self) -> bool:
        """Whether it changes by more than its error (1.96 mcse) and by enough to mean anything, as it is told."""
        difference = self.difference.told
        size = abs(difference.value)
        return size > difference.plus_minus and size >= NEGLIGIBLE[kind(self.quantity)]

    @property
    def size(self) -> float:
        """The change in units of what a sentence tells at least, so that probabilities and patients compare."""
        return abs(self.difference.told.value) / TOLD_FROM[kind(self.quantity)]

    def to_dict(self) -> dict[str, Any]:
        """As it stands in JSON."""
        return {
            "base": self.base.to_dict(),
            "variant": self.other.to_dict(),
            "difference": self.difference.to_dict(),
            "variance_factor": self.variance_factor,
        }


def adjusted_row(adjusted: Mapping[str, Any]) -> dict[str, Any]:
    """An adjusted number in a row; its ``variance_factor`` under a name apart from that of a paired difference."""
    columns = adjusted_columns(adjusted)
    factor = columns.pop("variance_factor")
    return {**columns, "adjusted_variance_factor": factor}


def digits(quantity: str, *values: float) -> int:
    """Decimals to print: probabilities three, and four where one is below .1; patients and months one or two."""
    if kind(quantity) in ("probability", "share"):
        return 4 if any(abs(value) < 0.1 for value in values) else 3
    return 2 if any(abs(value) < 1 for value in values) else 1


def short(quantity: str, doses: Sequence[str], cohorts: Sequence[str], own: bool) -> str:
    """A quantity as the heading of a column."""
    return "Months" if quantity == "duration_months" else quantities.short(quantity, doses, cohorts, own)
