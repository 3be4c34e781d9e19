"""One input at a time, low and high, all others as stated: which assumption moves the answer most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from trialsim.results import Estimate
from trialsim.scenario.analyses import base_value
from trialsim.scenario.sensitivity import Tornado
from trialsim.scenario.words import setting
from trialsim.varying.analysed import Analysed, engines, plain, row_of, short
from trialsim.varying.answered import SIMULATED
from trialsim.varying.evaluate import Asked, Evaluator, combined
from trialsim.varying.twins import Told, unadjusted

KIND = "tornado"


@dataclass(frozen=True)
class Bar:
    """One input's effect on one quantity; differences are from the scenario as stated.

    ``paired`` tells whether the errors of the differences are those of the same patients in both trials.
    """

    input: str
    stated: Any
    values: tuple[Any, Any]
    ends: tuple[Estimate, Estimate]
    differences: tuple[Estimate, Estimate]
    paired: bool

    @property
    def span(self) -> float:
        """From the lowest to the highest of low, high and as stated."""
        moves = (0.0, *(each.estimate for each in self.differences))
        return max(moves) - min(moves)


@dataclass(frozen=True)
class Panel:
    """All inputs' effects on one quantity, the largest first."""

    quantity: str
    label: str
    base: Estimate
    bars: tuple[Bar, ...]


@dataclass(frozen=True, repr=False)
class TornadoResult(Analysed):
    """What moving each input does to each quantity."""

    kind: ClassVar[str] = KIND

    panels: tuple[Panel, ...]

    @property
    def inputs(self) -> list[str]:
        """The inputs, those that move the first quantity most first."""
        return [bar.input for bar in self.panels[0].bars]

    def to_dict(self) -> dict[str, Any]:
        """The analysis as it stands in ``results.json``."""
        return {
            **self.about(),
            "quantities": [
                {
                    "quantity": panel.quantity,
                    "label": panel.label,
                    "as_stated": plain(panel.base),
                    "bars": [_bar(bar) for bar in panel.bars],
                }
                for panel in self.panels
            ],
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a quantity, input and end."""
        for panel in self.panels:
            for bar in panel.bars:
                for k, end in enumerate(("low", "high")):
                    difference = bar.differences[k]
                    plain_difference = unadjusted(difference)
                    yield {
                        "quantity": panel.quantity,
                        "input": bar.input,
                        "stated": setting(bar.stated),
                        "end": end,
                        "value": setting(bar.values[k]),
                        **row_of(bar.ends[k]),
                        "as_stated": unadjusted(panel.base).estimate,
                        "difference": plain_difference.estimate,
                        "difference_mcse": plain_difference.mcse or None,
                        "paired": bar.paired,
                        **_adjusted(panel.base, difference),
                    }


def count(spec: Tornado) -> int:
    """How many points the analysis works out."""
    return 1 + 2 * len(spec.inputs)


def run(name: str, spec: Tornado, evaluator: Evaluator) -> TornadoResult:
    """Every input at both ends; simulated differences on common random numbers."""
    scenario, asked = evaluator.scenario, Asked.by(spec, evaluator.scenario)
    points = [{path: value} for path, values in spec.inputs.items() for value in values]
    base, ends, paired = evaluator.beside(asked, points, spec.quantities)
    panels = []
    for quantity in spec.quantities:
        bars = []
        for k, (path, values) in enumerate(spec.inputs.items()):
            at = (ends[2 * k][quantity], ends[2 * k + 1][quantity])
            same = [found.get(quantity) for found in paired[2 * k : 2 * k + 2]]
            moved = tuple(p or combined(base[quantity], a) for p, a in zip(same, at, strict=True))
            bars.append(
                Bar(
                    path,
                    base_value(scenario, path),
                    values,
                    at,
                    (moved[0], moved[1]),
                    all(each is not None for each in same) or base.engine != SIMULATED,
                )
            )
        bars.sort(key=lambda bar: -bar.span)
        panels.append(Panel(quantity, short(scenario, quantity), base[quantity], tuple(bars)))
    engine = engines([base, *ends])
    return TornadoResult(
        scenario,
        name,
        asked.case,
        engine,
        evaluator.replicates if SIMULATED in engine else None,
        tuple(panels),
    )


def _adjusted(base: Estimate, difference: Estimate) -> dict[str, Any]:
    """What of a row is told in place of plain numbers, beside the value itself."""
    if not isinstance(base, Told):
        return {}
    moved = {"adjusted_difference": difference.estimate, "adjusted_difference_mcse": difference.mcse or None}
    return {"adjusted_as_stated": base.estimate, **(moved if isinstance(difference, Told) else {})}


def _bar(bar: Bar) -> dict[str, Any]:
    return {
        "input": bar.input,
        "stated": bar.stated,
        "low_value": bar.values[0],
        "high_value": bar.values[1],
        "at_low": plain(bar.ends[0]),
        "at_high": plain(bar.ends[1]),
        "low_minus_stated": plain(bar.differences[0]),
        "high_minus_stated": plain(bar.differences[1]),
        "errors_paired": bar.paired,
    }
