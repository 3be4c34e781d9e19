"""Exact bias and error of every estimator, and coverage of every interval, over response rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trialsim.answers import Answer
from trialsim.designs.binomial import Float64
from trialsim.designs.rules import Looks
from trialsim.inference.estimators import ESTIMATORS
from trialsim.inference.intervals import INTERVALS, coverage, least_coverage
from trialsim.inference.outcomes import outcomes_of
from trialsim.results import digits12


@dataclass(frozen=True, repr=False)
class Characteristics(Answer):
    """What each estimator and interval does at each response rate, by enumeration of every outcome.

    Attributes:
        looks, confidence: the design, and the confidence that the intervals promise.
        p: the response rates.
        bias, mse: by estimator, at each rate.
        coverage, width: by interval, at each rate; width is the mean length (an outcome without an interval has none).
        least: by interval, its least coverage for rates from .05 to .95.
    """

    kind: ClassVar[str] = "characteristics"

    looks: Looks
    confidence: float
    p: Float64
    bias: dict[str, Float64]
    mse: dict[str, Float64]
    coverage: dict[str, Float64]
    width: dict[str, Float64]
    least: dict[str, float]

    def rows(self) -> list[dict[str, Any]]:
        """One dict a rate and estimator (bias, mse) or interval (coverage, width)."""
        found: list[dict[str, Any]] = []
        for i, rate in enumerate(self.p.tolist()):
            for name in self.bias:
                entry = {"bias": float(self.bias[name][i]), "mse": float(self.mse[name][i])}
                found.append({"p": rate, "kind": "estimator", "name": name, **entry})
            for name in self.coverage:
                entry = {"coverage": float(self.coverage[name][i]), "width": float(self.width[name][i])}
                found.append({"p": rate, "kind": "interval", "name": name, **entry})
        return found

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        named = {key: value for key, value in vars(self).items() if key not in ("looks", "least")}
        return dict(digits12({"n": list(self.looks.n), **named, "least_coverage": self.least}))


def characteristics(
    looks: Looks, p: Sequence[float] | Float64 | None = None, *, confidence: float = 0.95
) -> Characteristics:
    """Exact bias, mean square error and coverage over response rates (default: .01, .02, ..., .99)."""
    rates = np.arange(1, 100) / 100 if p is None else np.asarray(p, dtype=np.float64)
    outcomes = outcomes_of(looks)
    pmf = outcomes.pmf(rates)
    bias, mse = {}, {}
    for name, estimate in ESTIMATORS.items():
        off = estimate(outcomes) - rates[:, None]
        bias[name] = np.sum(pmf * off, axis=1)
        mse[name] = np.sum(pmf * off**2, axis=1)
    covered, width, least = {}, {}, {}
    for name, interval in INTERVALS.items():
        limits = interval(outcomes, confidence)
        covered[name] = coverage(outcomes, limits, rates)
        width[name] = pmf @ np.nan_to_num(limits[1] - limits[0])
        least[name] = least_coverage(outcomes, limits)
    return Characteristics(looks, confidence, rates, bias, mse, covered, width, least)
