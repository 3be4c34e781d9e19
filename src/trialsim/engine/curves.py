"""Operating characteristics over a range of true rates: the numbers behind the curves and the heat map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trialsim.codes import CONTINUE, NEVER, POOLED
from trialsim.designs.binomial import Float64
from trialsim.designs.rules import Monitor, Rules
from trialsim.engine.compiled import tables_of
from trialsim.engine.exact import distribution, out_of_reach, states
from trialsim.engine.montecarlo import tallies
from trialsim.engine.quantities import Side
from trialsim.engine.timed import Timed
from trialsim.engine.trials import Trials, Untimed
from trialsim.kernels.tables import Calendar
from trialsim.results import Simulated
from trialsim.scenario.calendar import immediate
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.truth import Cells, Rates, Strata

QUANTITIES = ("p_go", "en", "pet")
MAX_LINES = 3
MAX_REPLICATES = 20_000

WORK = 6_000_000_000
"""States times patients that a set of curves, or a heat map, may visit: about a second."""

PATIENTS = 60_000_000
"""Patients that the simulated points of a figure may take: about two seconds."""

GRID, COARSEST, HEAT_GRID, COARSEST_HEAT = 61, 9, 25, 9
"""Rates along a curve and along a side of the heat map, and the fewest worth drawing."""


@dataclass(frozen=True)
class Line:
    """What is held fixed along a curve: the rules, and everything about nature but the response rate.

    ``cases`` are those that assume this toxicity; empty for the design alone. ``dates``: of a trial whose patients may
    withdraw. Outcomes are known at once.
    """

    name: str
    rules: Rules
    base: Rates
    cases: tuple[str, ...] = ()
    dates: Calendar | None = None

    def at(self, response: float) -> Rates:
        """The truth with this response rate at every dose, in every patient: nothing drifts along a curve."""
        return replace(self.base, response=(response,) * self.rules.levels, drift=None)

    def truth(self, response: float) -> Rates | Cells:
        """The same as an exact calculation needs it."""
        return self._everybody(response).effective(self.dates) if self.dates else self.at(response)

    def trials(self, response: float) -> Trials:
        """The same as it is simulated."""
        if self.dates is None:
            return Untimed(tables_of(self.rules), self.at(response).thresholds())
        return Timed.of(self.rules, immediate(self.dates), self._everybody(response).thresholds())

    def _everybody(self, response: float) -> Strata:
        never = ((0.0,) * self.rules.levels,)
        return Strata((1.0,), (self.at(response),), never, never)


@dataclass(frozen=True)
class Curve:
    """One line's exact values over ``response`` (empty where exact is out of reach) and its simulated points."""

    line: Line
    response: Float64
    values: dict[str, Float64]
    points: dict[float, Simulated]

    def at(self, response: float | None, quantity: str) -> float | None:
        """The exact value at a rate of the grid; None where there is none."""
        if response is None or response not in self.response:
            return None
        return float(self.values[quantity][self.response == response][0])

    def rows(self, *quantities: str) -> list[dict[str, Any]]:
        """Tidy rows: exact values along the grid, then simulated points with mcse and 95% interval."""
        rows: list[dict[str, Any]] = [
            {"kind": "exact", "response": rate, "quantity": name, "value": float(self.values[name][i])}
            for i, rate in enumerate(self.response.tolist())
            for name in quantities
        ]
        for rate, point in self.points.items():
            for name in quantities:
                about = {"kind": "simulated", "response": rate, "quantity": name}
                e, count = point.values[name], {"replicates": point.replicates}
                rows.append(
                    about | {"value": e.estimate, "mcse": e.mcse, "low": e.low, "high": e.high} | count
                )
        return rows


@dataclass(frozen=True)
class Curves:
    """The curves of a scenario; ``left_out`` counts further toxicity assumptions that were not drawn."""

    curves: tuple[Curve, ...]
    left_out: int
    replicates: int
    seed: int


@dataclass(frozen=True)
class HeatMap:
    """Exact P(go), shape (toxicity, response), the same rates at every dose; association as in the first case."""

    response: Float64
    toxicity: Float64
    p_go: Float64
    odds_ratio: float

    def rows(self) -> list[dict[str, Any]]:
        """Tidy rows, one a pair of rates."""
        return [
            {"response": p, "toxicity": t, "p_go": float(self.p_go[i, j])}
            for i, t in enumerate(self.toxicity.tolist())
            for j, p in enumerate(self.response.tolist())
        ]


def design_alone(rules: Rules) -> Line:
    """The looks without a toxicity rule, at one dose, every patient evaluable."""
    n = rules.looks.planned_n
    unwatched = Monitor(((NEVER,) * (n + 1),), (0,), (CONTINUE,))
    return Line("design alone", Rules(rules.looks, unwatched, False, n), Rates((0.0,), (0.0,)))


def toxicity_matters(rules: Rules) -> bool:
    """Whether P(go) at equal response rates depends on toxicity: it can end the trial, or change who is analysed."""
    if rules.looks.too_toxic or (rules.on_dose_change != POOLED and rules.levels > 1):
        return True
    return any(map(rules.monitor.stops, range(rules.levels)))


def lines(trial: Compiled) -> tuple[Line, ...]:
    """The design alone, then the whole protocol once for each distinct toxicity that a case assumes."""
    rules, truths = trial.rules, trial.rates
    alone = design_alone(rules)
    if trial.scenario.own_rules:
        return (alone,)  # of each cohort
    dates = trial.calendar if trial.withdraws or rules.randomise else None
    if not toxicity_matters(rules):
        if trial.scenario.evaluability.probability == 1 and not dates:
            return (alone,)
        base = replace(next(iter(truths.values())), toxicity=(0.0,) * rules.levels, odds_ratio=1.0)
        return alone, Line("with evaluability", rules, base, tuple(truths), dates)
    groups: dict[tuple[tuple[float, ...], float], list[str]] = {}
    for name, rates in truths.items():
        groups.setdefault((rates.toxicity, rates.odds_ratio), []).append(name)
    return alone, *(
        Line(f"with toxicity {k}", rules, truths[names[0]], tuple(names), dates)
        for k, names in enumerate(groups.values(), start=1)
    )


def curves(
    trial: Compiled,
    *,
    between: tuple[float, float],
    marked: Sequence[float],
    rates: Sequence[float],
    replicates: int,
    seed: int,
) -> Curves:
    """Exact curves ``between`` two rates, where within reach, with simulated points of the whole protocol.

    Args:
        marked: rates that the grid must hold, e.g. p0 and p1.
        rates: where to simulate; twelve rates spread evenly where any curve has no exact values.
        replicates: trials a point; fewer are taken where so many would take long.
    """
    every = lines(trial)
    chosen = every[:MAX_LINES]
    grids = [_grid(line.rules, between, marked, len(chosen)) for line in chosen]
    if not all(len(grid) for grid in grids):
        rates = [float(p) for p in np.linspace(*between, 13)[1:]]
    drawn = [line for line in chosen if line.cases] or list(chosen)
    affordable = PATIENTS // (drawn[0].rules.most_treated * max(len(rates), 1) * len(drawn))
    replicates = max(min(replicates, MAX_REPLICATES, affordable), 1)
    found = []
    for line, grid in zip(chosen, grids, strict=True):
        points = simulated_points(line, rates, replicates, seed) if line in drawn else {}
        found.append(Curve(line, grid, exact_values(line, grid), points))
    return Curves(tuple(found), len(every) - len(chosen), replicates, seed)


def exact_values(line: Line, grid: Float64) -> dict[str, Float64]:
    """P(go), EN and PET at every response rate of ``grid``, each of its shape."""
    rows = [distribution(line.rules, line.truth(float(p))).values for p in grid]
    return {name: np.array([row[name] for row in rows]) for name in QUANTITIES}


def simulated_points(
    line: Line, rates: Sequence[float], replicates: int, seed: int
) -> dict[float, Simulated]:
    """What simulation gives at a few response rates, the same seed at each."""
    trials = {p: line.trials(p) for p in rates}
    drawn = tallies({repr(p): each for p, each in trials.items()}, replicates, seed)
    return {p: Side.of(each, dated=False).simulated(drawn[repr(p)]) for p, each in trials.items()}


def heat_map(trial: Compiled, between: tuple[float, float], toxicity_top: float) -> HeatMap | None:
    """P(go) over response and toxicity; None where it does not depend on toxicity, or exact is out of reach."""
    rules = trial.rules
    side = min(HEAT_GRID, math.isqrt(WORK // _work(rules)))
    with_toxicity = [name for name, case in trial.scenario.truth.items() if case.toxicity is not None]
    if trial.scenario.own_rules:
        return None
    if side < COARSEST_HEAT or out_of_reach(rules) or not toxicity_matters(rules) or not with_toxicity:
        return None
    base, dates = trial.rates[with_toxicity[0]], trial.calendar if trial.withdraws else None
    response, toxicity = np.linspace(*between, side), np.linspace(0, toxicity_top, side)
    rows = []
    for rate in toxicity:
        line = Line("heat map", rules, replace(base, toxicity=(float(rate),) * rules.levels), dates=dates)
        rows.append([distribution(rules, line.truth(float(p))).values["p_go"] for p in response])
    return HeatMap(response, toxicity, np.array(rows), base.odds_ratio)


def _work(rules: Rules) -> int:
    return states(rules) * rules.most_treated


def _grid(rules: Rules, between: tuple[float, float], marked: Sequence[float], sharing: int) -> Float64:
    """The rates of a curve, the marked ones among them; none where exact values are out of reach."""
    points = min(GRID, WORK // (_work(rules) * sharing))
    if points < COARSEST or out_of_reach(rules):
        return np.zeros(0)
    return np.union1d(np.linspace(*between, int(points)), np.array(marked, dtype=np.float64))
