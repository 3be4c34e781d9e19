"""How far an input may go before a quantity passes a limit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from trialsim.results import Estimate
from trialsim.scenario.sensitivity import Threshold
from trialsim.varying.analysed import Analysed, engines, plain, row_of, short
from trialsim.varying.answered import SIMULATED
from trialsim.varying.evaluate import Asked, Evaluator
from trialsim.varying.grids import one_value
from trialsim.varying.ranges import spread, takes_whole

KIND = "thresholds"

SCAN = 17
"""Values looked at before the search."""

PRECISION = 1e-7
"""Of an exact crossing, as a share of the range."""

HALVINGS = 8
"""Of a step of the scan where points are simulated."""


@dataclass(frozen=True)
class Crossing:
    """Where a quantity passes the limit: the input's value and, where simulated, between which values the limit lies
    within the quantity's own 95% interval."""

    at: float
    low: float
    high: float
    into: bool
    """Whether the condition begins to hold here, going from the start of the range to its end."""


@dataclass(frozen=True, repr=False)
class ThresholdResult(Analysed):
    """The crossings of a limit along an input, in order from the start of the range."""

    kind: ClassVar[str] = KIND

    quantity: str
    label: str
    input: str
    limit: float
    side: str
    scan: tuple[tuple[float, Estimate], ...]
    holds_at_start: bool
    monotone: bool
    crossings: tuple[Crossing, ...]
    own: float | None
    own_answer: Estimate

    @property
    def inputs(self) -> tuple[str]:
        """The one input."""
        return (self.input,)

    def to_dict(self) -> dict[str, Any]:
        """The analysis as it stands in ``results.json``."""
        return {
            **self.about(),
            "quantity": self.quantity,
            "label": self.label,
            "input": self.input,
            "limit": self.limit,
            "side": self.side,
            "holds_at_start": self.holds_at_start,
            "monotone": self.monotone,
            "crossings": [
                {
                    "at": crossing.at,
                    "low": crossing.low if self.replicates else None,
                    "high": crossing.high if self.replicates else None,
                    "begins": crossing.into,
                }
                for crossing in self.crossings
            ],
            "scan": [{"value": value, **plain(answer)} for value, answer in self.scan],
            "own": {"value": self.own, **plain(self.own_answer)},
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a value looked at, then one a crossing."""
        about = {"quantity": self.quantity, "input": self.input}
        for value, answer in self.scan:
            yield {**about, "what": "scan", "value": value, **row_of(answer)}
        for crossing in self.crossings:
            error = crossing.low != crossing.high
            ends = {"value_low": crossing.low, "value_high": crossing.high} if error else {}
            yield {**about, "what": "crossing", "value": crossing.at, **ends, "estimate": self.limit}


def count(_: Threshold) -> int:
    """How many points the analysis works out, as far as can be told."""
    return 1 + SCAN + 12


def run(name: str, spec: Threshold, evaluator: Evaluator) -> ThresholdResult:
    """A scan of the range, and a search in every step in which the limit is passed."""
    scenario, asked, quantity = evaluator.scenario, Asked.by(spec, evaluator.scenario), spec.quantity
    whole = takes_whole(scenario, spec.input, spec.from_, spec.to)
    values = spread(spec.from_, spec.to, SCAN, whole)
    own, *answers = evaluator(asked, [{}, *({spec.input: value} for value in values)])
    scan = tuple((value, answer[quantity]) for value, answer in zip(values, answers, strict=True))
    engine = engines(answers)
    noisy = SIMULATED in engine

    def value_at(x: float) -> Estimate:
        (answer,) = evaluator(asked, [{spec.input: x}])
        return answer[quantity]

    def holds(value: float) -> bool:
        return value < spec.limit if spec.below is not None else value > spec.limit

    def search(a: float, b: float, part: Callable[[Estimate], float]) -> float:
        if whole:
            return _first_whole(int(a), int(b), lambda x: holds(part(value_at(x))), holds(part(value_at(a))))
        if noisy:
            return _halved(a, b, lambda x: holds(part(value_at(x))))
        from scipy.optimize import brentq

        found = brentq(lambda x: part(value_at(x)) - spec.limit, a, b, xtol=PRECISION * abs(b - a))
        return float(found)

    def passed(part: Callable[[Estimate], float]) -> list[float]:
        steps = itertools.pairwise(scan)
        return [search(a, b, part) for (a, x), (b, y) in steps if holds(part(x)) != holds(part(y))]

    places = passed(lambda e: e.estimate)
    ends = [passed(part) for part in (lambda e: e.low, lambda e: e.high)] if noisy else [places, places]
    holds_at_start = holds(scan[0][1].estimate)
    crossings = []
    for k, at in enumerate(places):
        if all(len(found) == len(places) for found in ends):
            low, high = sorted((ends[0][k], ends[1][k]))
        else:
            low, high = _not_told_apart(at, scan, spec.limit)
        crossings.append(Crossing(at, min(low, at), max(high, at), (k % 2 == 0) != holds_at_start))
    return ThresholdResult(
        scenario,
        name,
        asked.case,
        engine,
        evaluator.replicates if noisy else None,
        quantity,
        short(scenario, quantity),
        spec.input,
        spec.limit,
        "below" if spec.below is not None else "above",
        scan,
        holds_at_start,
        _monotone([answer for _, answer in scan]),
        tuple(crossings),
        one_value(scenario, spec.input),
        own[quantity],
    )


def _halved(a: float, b: float, holds: Callable[[float], bool]) -> float:
    """The middle of what is left of a step after HALVINGS, the condition being different at its ends."""
    at_a = holds(a)
    for _ in range(HALVINGS):
        middle = (a + b) / 2
        a, b = (middle, b) if holds(middle) == at_a else (a, middle)
    return float(f"{(a + b) / 2:.6g}")


def _first_whole(a: int, b: int, holds: Callable[[float], bool], at_a: bool) -> float:
    """The first whole number from a to b at which the condition is not what it is at a."""
    while abs(b - a) > 1:
        middle = (a + b) // 2
        a, b = (middle, b) if holds(middle) == at_a else (a, middle)
    return b


def _not_told_apart(at: float, scan: tuple[tuple[float, Estimate], ...], limit: float) -> tuple[float, float]:
    """Around a place, the nearest scanned values whose own intervals leave the limit out; else the range's ends."""
    clear = [value for value, answer in scan if not answer.low <= limit <= answer.high]
    ends = sorted((scan[0][0], scan[-1][0]))
    below = [value for value in clear if value <= at]
    above = [value for value in clear if value >= at]
    return max(below, default=ends[0]), min(above, default=ends[1])


def _monotone(answers: list[Estimate]) -> bool:
    """Whether the steps of a scan go one way, as far as their errors tell."""
    ways = set()
    for a, b in itertools.pairwise(answers):
        step = b.estimate - a.estimate
        if abs(step) > max(3 * (a.mcse + b.mcse), 1e-12):
            ways.add(step > 0)
    return len(ways) < 2
