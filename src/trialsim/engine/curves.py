"""Operating characteristics over a range of true rates: the numbers behind the curves and the heat map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trialsim.codes import CONTINUE, NEVER, STOP
from trialsim.designs.binomial import Float64, clopper_pearson
from trialsim.designs.rules import Monitor, Rules
from trialsim.engine.exact import MAX_STATES, distribution, states
from trialsim.engine.montecarlo import tallies
from trialsim.engine.tally import simulated
from trialsim.results import Simulated
from trialsim.scenario.model import Observed, Scenario
from trialsim.scenario.truth import Rates

QUANTITIES = ("p_go", "en", "pet")
MAX_LINES = 3
MAX_REPLICATES = 20_000

WORK = 1_500_000_000
"""States times patients that a set of curves, or a heat map, may visit: well under a second."""

PATIENTS = 60_000_000
"""Patients that the simulated points of a figure may take: about two seconds."""

GRID, COARSEST, HEAT_GRID, COARSEST_HEAT = 61, 9, 25, 9
ENDS = (0.02, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 1.0)
"""Where an axis of rates may end."""


@dataclass(frozen=True)
class Line:
    """What is held fixed along a curve: the rules, and everything about nature but the response rate.

    ``cases`` are those that assume this toxicity; empty for the design alone.
    """

    name: str
    rules: Rules
    base: Rates
    cases: tuple[str, ...] = ()

    def at(self, response: float) -> Rates:
        """The truth with this response rate at every dose."""
        return replace(self.base, response=(response,) * self.rules.levels)


@dataclass(frozen=True)
class Curve:
    """One line's exact values over ``response`` (empty where exact is out of reach) and its simulated points."""

    line: Line
    response: Float64
    values: dict[str, Float64]
    points: dict[float, Simulated]

    def at(self, response: float | None, quantity: str) -> float | None:
        """The exact value at a rate of the grid; None where there is none."""
        found = np.flatnonzero(self.response == response) if response is not None else []
        return float(self.values[quantity][found[0]]) if len(found) else None


@dataclass(frozen=True)
class Curves:
    """The curves of a scenario; ``left_out`` counts further toxicity assumptions that were not drawn."""

    curves: tuple[Curve, ...]
    left_out: int
    p0: float | None
    p1: float | None
    top: float
    replicates: int
    seed: int


@dataclass(frozen=True)
class HeatMap:
    """Exact P(go), shape (toxicity, response), the same rates at every dose; association as in the first case."""

    response: Float64
    toxicity: Float64
    p_go: Float64
    odds_ratio: float


def design_alone(rules: Rules) -> Line:
    """The looks without a toxicity rule, one dose, every patient evaluable."""
    n = rules.looks.planned_n
    watched = Monitor(((NEVER,) * (n + 1),), (0,), (CONTINUE,))
    return Line("design alone", Rules(rules.looks, watched, False, n), Rates((0.0,), (0.0,)))


def can_stop(rules: Rules) -> bool:
    """Whether toxicity can end the trial; if not, P(go) at equal response rates does not depend on toxicity."""
    boundaries = zip(rules.monitor.act_ge, rules.monitor.action, strict=True)
    return any(a == STOP and any(b <= m for m, b in enumerate(row)) for row, a in boundaries)


def lines(scenario: Scenario, rules: Rules) -> tuple[Line, ...]:
    """The design alone, then the whole protocol once for each distinct toxicity that a case assumes."""
    alone, levels = design_alone(rules), rules.levels
    truths = {name: Rates.of(case, scenario.evaluability, levels) for name, case in scenario.truth.items()}
    if not can_stop(rules):
        if scenario.evaluability.probability == 1:
            return (alone,)
        base = replace(next(iter(truths.values())), toxicity=(0.0,) * levels, odds_ratio=1.0)
        return alone, Line("with evaluability", rules, base, tuple(truths))
    groups: dict[tuple[tuple[float, ...], float], list[str]] = {}
    for name, rates in truths.items():
        groups.setdefault((rates.toxicity, rates.odds_ratio), []).append(name)
    found = [
        Line(f"with toxicity {k + 1}", rules, truths[names[0]], tuple(names))
        for k, names in enumerate(groups.values())
    ]
    return alone, *found


def curves(scenario: Scenario, rules: Rules, seed: int, replicates: int) -> Curves:
    """Exact curves where they are within reach, and simulated points on a few rates of the whole protocol."""
    every = lines(scenario, rules)
    chosen = every[:MAX_LINES]
    top = response_top(scenario, chosen[0])
    p0, p1 = (_within(getattr(scenario.design, key, None), top) for key in ("p0", "p1"))
    marked = [p for p in (p0, p1, *_observed_rate(scenario)) if p is not None and p <= top]
    grids = [_grid(line.rules, top, marked, len(chosen)) for line in chosen]
    values = [_exact(line, grid) for line, grid in zip(chosen, grids, strict=True)]
    drawn = [line for line in chosen if line.cases] or list(chosen)
    within_reach = all(len(grid) for grid in grids)
    rates = _point_rates(p0, p1, top) if within_reach else [float(p) for p in np.linspace(top / 12, top, 12)]
    most = drawn[0].rules.max_treated
    replicates = max(min(replicates, MAX_REPLICATES, PATIENTS // (most * len(rates) * len(drawn))), 100)
    points = simulated_points(drawn, rates, replicates, seed)
    found = tuple(
        Curve(line, grid, value, points.get(line.name, {}))
        for line, grid, value in zip(chosen, grids, values, strict=True)
    )
    return Curves(found, len(every) - len(chosen), p0, p1, top, replicates, seed)


def simulated_points(
    chosen: Sequence[Line], rates: Sequence[float], replicates: int, seed: int
) -> dict[str, dict[float, Simulated]]:
    """What simulation gives at a few response rates: line name -> rate -> result; one seed for all points."""
    found: dict[str, dict[float, Simulated]] = {}
    for line in chosen:
        drawn = tallies(line.rules, {repr(p): line.at(p) for p in rates}, replicates, seed)
        found[line.name] = {p: simulated(drawn[repr(p)]) for p in rates}
    return found


def heat_map(scenario: Scenario, rules: Rules) -> HeatMap | None:
    """P(go) over response and toxicity rates; None where toxicity cannot stop the trial or exact is out of reach."""
    side = min(HEAT_GRID, math.isqrt(WORK // _work(rules)))
    levels = rules.levels
    truths = [Rates.of(case, scenario.evaluability, levels) for case in scenario.truth.values()]
    stated = [case.toxicity is not None for case in scenario.truth.values()]
    if side < COARSEST_HEAT or not can_stop(rules) or not any(stated):
        return None
    response = np.linspace(0, response_top(scenario, design_alone(rules)), side)
    highest = max(max(rates.toxicity) for rates in truths)
    toxicity = np.linspace(0, _end(1.25 * highest), side)
    base = next(rates for rates, known in zip(truths, stated, strict=True) if known)
    p_go = np.array(
        [_heat_row(replace(base, toxicity=(float(t),) * levels), rules, response) for t in toxicity]
    )
    return HeatMap(response, toxicity, p_go, base.odds_ratio)


def response_top(scenario: Scenario, alone: Line) -> float:
    """Where the axis of response rates ends: past every rate of interest, and where the design almost always goes."""
    reached = next((p for p in ENDS if distribution(alone.rules, alone.at(p)).values["p_go"] >= 0.99), 1.0)
    levels = len(scenario.doses)
    assumed = [max(case.by_dose("response", levels) or (0.0,)) for case in scenario.truth.values()]
    known = [1.15 * (getattr(scenario.design, "p1", None) or 0.0), 1.1 * max(assumed)]
    if (seen := observed_response(scenario)) is not None:
        known.append(1.02 * clopper_pearson(*seen)[1])
    end = _end(max(reached, *known))
    # inevaluable patients who would not have responded leave room for no higher rate
    nonresponders = scenario.evaluability.inevaluable == "nonresponders"
    return min(end, scenario.evaluability.probability) if nonresponders else end


def observed_response(scenario: Scenario) -> tuple[int, int] | None:
    """Observed responses and the patients among whom the assumed rate is meant, as far as both are known."""
    seen: Observed | None = scenario.observed
    if seen is None or seen.responses is None:
        return None
    nonresponders = scenario.evaluability.inevaluable == "nonresponders"
    denominator = seen.treated if nonresponders and seen.treated else seen.evaluable
    return (seen.responses, denominator) if denominator else None


def _heat_row(base: Rates, rules: Rules, response: Float64) -> list[float]:
    line = Line("", rules, base)
    return [distribution(rules, line.at(float(p))).values["p_go"] for p in response]


def _observed_rate(scenario: Scenario) -> list[float]:
    seen = observed_response(scenario)
    return [] if seen is None else [seen[0] / seen[1]]


def _within(rate: float | None, top: float) -> float | None:
    return rate if rate is not None and rate <= top else None


def _end(rate: float) -> float:
    return next((end for end in ENDS if end >= rate - 1e-9), 1.0)


def _work(rules: Rules) -> int:
    return states(rules) * rules.max_treated


def _grid(rules: Rules, top: float, marked: Sequence[float], sharing: int) -> Float64:
    """The rates of a curve, the marked ones among them; none where exact values are out of reach."""
    points = min(GRID, WORK // (_work(rules) * sharing))
    if states(rules) > MAX_STATES or points < COARSEST:
        return np.zeros(0)
    return np.union1d(np.linspace(0, top, int(points)), np.array(marked))


def _exact(line: Line, grid: Float64) -> dict[str, Float64]:
    rows: list[Mapping[str, float]] = [distribution(line.rules, line.at(float(p))).values for p in grid]
    return {name: np.array([row[name] for row in rows]) for name in QUANTITIES}


def _point_rates(p0: float | None, p1: float | None, top: float) -> list[float]:
    if p0 is None or p1 is None:
        return [top * k / 6 for k in range(1, 6)]
    return sorted({p0 / 2, p0, (p0 + p1) / 2, p1, (p1 + top) / 2})
