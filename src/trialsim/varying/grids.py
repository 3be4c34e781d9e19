"""One quantity over the values of one input, or of two together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from trialsim.results import Estimate
from trialsim.scenario.analyses import base_value
from trialsim.scenario.model import Scenario
from trialsim.scenario.sensitivity import Grid
from trialsim.varying.analysed import Analysed, engines, plain, row_of, short
from trialsim.varying.answered import SIMULATED
from trialsim.varying.evaluate import Asked, Evaluator
from trialsim.varying.twins import Told, unadjusted

KIND = "grids"


@dataclass(frozen=True, repr=False)
class GridResult(Analysed):
    """A quantity over a grid.

    Attributes:
        axes: path of each input -> its values.
        answers: one a point, the last input moving fastest.
        own: the scenario's own value of each input; None where it has several (rates that differ by dose, or by case).
        own_answer: the quantity there.
        limits: levels worth a line: the type I error aimed at, .80 and .90, by name; empty for other quantities.
    """

    kind: ClassVar[str] = KIND

    quantity: str
    label: str
    axes: dict[str, tuple[float, ...]]
    answers: tuple[Estimate, ...]
    own: dict[str, float | None]
    own_answer: Estimate
    limits: dict[str, float]

    @property
    def inputs(self) -> Iterable[str]:
        """The axes."""
        return self.axes

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of values."""
        return tuple(map(len, self.axes.values()))

    @property
    def largest_mcse(self) -> float:
        """The largest Monte Carlo standard error on the grid, as it is told; 0 where all is exact."""
        return max(answer.mcse for answer in self.answers)

    @property
    def on_grid(self) -> bool:
        """Whether the scenario itself lies within the grid."""
        return all(
            (own := self.own[path]) is not None and values[0] <= own <= values[-1]
            for path, values in self.axes.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """The analysis as it stands in ``results.json``."""
        found = [unadjusted(answer) for answer in self.answers]
        largest = max(answer.mcse for answer in found)
        adjusted = [answer.to_dict() for answer in self.answers if isinstance(answer, Told)]
        return {
            **self.about(),
            "quantity": self.quantity,
            "label": self.label,
            "axes": [{"input": path, "values": list(values)} for path, values in self.axes.items()],
            "estimates": [answer.estimate for answer in found],
            "mcse": [answer.mcse for answer in found] if largest else None,
            "low": [answer.low for answer in found] if largest else None,
            "high": [answer.high for answer in found] if largest else None,
            "largest_mcse": largest or None,
            **({"adjusted": adjusted} if len(adjusted) == len(found) else {}),
            "own": {"values": self.own, "within": self.on_grid, **plain(self.own_answer)},
            "limits": self.limits,
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a point."""
        for point, answer in zip(itertools.product(*self.axes.values()), self.answers, strict=True):
            yield {**dict(zip(self.axes, point, strict=True)), "quantity": self.quantity, **row_of(answer)}


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
        scenario,
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
