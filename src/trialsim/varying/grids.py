"""One quantity over the values of one input, or of two together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trialsim.results import Estimate
from trialsim.scenario.analyses import base_value
from trialsim.scenario.model import Scenario
from trialsim.scenario.sensitivity import Grid
from trialsim.varying.evaluate import SIMULATED, Asked, Evaluator
from trialsim.varying.text import engines, number, plain, short, shown, table, with_error

KIND = "grids"

PRINTED = 9
"""Values of an axis that are printed; the others are in the files."""


@dataclass(frozen=True)
class GridResult:
    """A quantity over a grid.

    Attributes
    ----------
    axes : path of each input -> its values.
    answers : one a point, the last input moving fastest.
    own : the scenario's own value of each input; None where it has several (rates that differ by dose, or by case).
    own_answer : the quantity there.
    limits : levels worth a line: the type I error aimed at, .80 and .90, by name; empty for other quantities.
    """

    name: str
    case: str
    engine: str
    replicates: int | None
    quantity: str
    label: str
    axes: dict[str, tuple[float, ...]]
    answers: tuple[Estimate, ...]
    own: dict[str, float | None]
    own_answer: Estimate
    limits: dict[str, float]
    kind: str = KIND

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of values."""
        return tuple(map(len, self.axes.values()))

    @property
    def largest_mcse(self) -> float:
        """The largest Monte Carlo standard error on the grid; 0 where all is exact."""
        return max(answer.mcse for answer in self.answers)

    @property
    def on_grid(self) -> bool:
        """Whether the scenario itself lies within the grid."""
        return all(
            (own := self.own[path]) is not None and values[0] <= own <= values[-1]
            for path, values in self.axes.items()
        )

    def __str__(self) -> str:
        how = f"{self.engine}, mcse at most {self.largest_mcse:.5f}" if self.largest_mcse else self.engine
        lines = [f"{self.name}: {self.label} over {' and '.join(self.axes)}, case {self.case} ({how})"]
        lines.append(f"  as stated: {with_error(self.quantity, self.own_answer)}")
        paths = list(self.axes)
        first = _some(self.axes[paths[0]])
        if len(paths) == 1:
            rows = [(paths[0], self.label)]
            rows += [
                (shown(self.axes[paths[0]][i]), with_error(self.quantity, self.answers[i])) for i in first
            ]
            return "\n".join([*lines, *table(rows, 0)])
        second = self.axes[paths[1]]
        across = _some(second)
        wide = [("", *(shown(second[j]) for j in across))]
        for i in first:
            row = (number(self.quantity, self.answers[i * len(second) + j].estimate) for j in across)
            wide.append((shown(self.axes[paths[0]][i]), *row))
        return "\n".join([*lines, f"  down: {paths[0]}, across: {paths[1]}", *table(wide, 0)])

    def to_dict(self) -> dict[str, Any]:
        """The analysis as it stands in ``results.json``."""
        simulated = self.largest_mcse > 0
        return {
            "kind": self.kind,
            "name": self.name,
            "case": self.case,
            "engine": self.engine,
            "replicates": self.replicates,
            "quantity": self.quantity,
            "label": self.label,
            "axes": [{"input": path, "values": list(values)} for path, values in self.axes.items()],
            "estimates": [answer.estimate for answer in self.answers],
            "mcse": [answer.mcse for answer in self.answers] if simulated else None,
            "low": [answer.low for answer in self.answers] if simulated else None,
            "high": [answer.high for answer in self.answers] if simulated else None,
            "largest_mcse": self.largest_mcse if simulated else None,
            "own": {"values": self.own, "within": self.on_grid, **plain(self.own_answer)},
            "limits": self.limits,
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a point."""
        for point, answer in zip(itertools.product(*self.axes.values()), self.answers, strict=True):
            yield {**dict(zip(self.axes, point, strict=True)), "quantity": self.quantity, **plain(answer)}


def count(spec: Grid) -> int:
    """How many points the analysis works out."""
    return 1 + math.prod(map(len, spec.axes().values()))


def run(name: str, spec: Grid, evaluator: Evaluator) -> GridResult:
    """Every point of the grid, and the scenario as stated."""
    scenario, asked = evaluator.scenario, Asked.by(spec, evaluator.scenario)
    axes = spec.axes()
    points = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    own, *answers = evaluator(asked, [{}, *points])
    engine = engines([own, *answers])
    return GridResult(
        name,
        asked.case,
        engine,
        evaluator.replicates if SIMULATED in engine else None,
        spec.quantity,
        short(scenario, spec.quantity),
        axes,
        tuple(answer[spec.quantity] for answer in answers),
        {path: one_value(scenario, path) for path in axes},
        own[spec.quantity],
        limits(scenario, spec.quantity),
    )


def one_value(scenario: Scenario, path: str) -> float | None:
    """The one number that a scenario states at a path; None where there are several, or none."""
    found = base_value(scenario, path)
    if isinstance(found, list) and found and all(each == found[0] for each in found):
        found = found[0]
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def limits(scenario: Scenario, quantity: str) -> dict[str, float]:
    """Levels of P(go) that a design is judged by."""
    if quantity != "p_go":
        return {}
    alpha = getattr(scenario.design, "alpha", None)
    return ({"α": float(alpha)} if alpha else {}) | {"0.80": 0.8, "0.90": 0.9}


def _some(values: tuple[float, ...]) -> list[int]:
    """Up to PRINTED positions, evenly spread, both ends included."""
    if len(values) <= PRINTED:
        return list(range(len(values)))
    return sorted({round(k * (len(values) - 1) / (PRINTED - 1)) for k in range(PRINTED)})
