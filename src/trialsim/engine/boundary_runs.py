"""The toxicity boundary, simulated trials patient by patient up to where they reach it, and the observed total."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trialsim.designs.binomial import Float64
from trialsim.designs.rules import Rules
from trialsim.engine.montecarlo import paths
from trialsim.engine.timed import Timed
from trialsim.kernels.conduct_columns import TREATED
from trialsim.kernels.patient import IS_TOXIC, LEVEL
from trialsim.kernels.streams import stream_key
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.compiling import of_a_cohort
from trialsim.scenario.model import Observed
from trialsim.scenario.truth import Rates

TRIALS = 25
"""Trials that are followed."""


@dataclass(frozen=True)
class BoundaryRuns:
    """Toxicities at the starting dose against the boundary there.

    Attributes:
        case: whose trials are followed; ``toxicity`` its rates by dose.
        bounds: the cut-off after m = 0, 1, ... patients at the starting dose; nan where no count acts.
        trials: toxicities after 0, 1, ... patients at the starting dose, a list a simulated trial.
        crossings: the number of patients at which each reaches the boundary, None where it never does.
        observed: observed patients with toxicity and treated, where one count is known and there is one boundary.
        cohorts: where cohorts share nothing those whose boundary is ``bounds``; the trials are of the first.
        others: the boundaries of the other cohorts, with their names.
    """

    case: str
    toxicity: tuple[float, ...]
    bounds: Float64
    trials: tuple[list[int], ...]
    crossings: tuple[int | None, ...]
    observed: tuple[int, int] | None
    cohorts: tuple[str, ...] = ()
    others: tuple[tuple[tuple[str, ...], Float64], ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """Tidy rows: the boundary, each trial up to where it reaches the boundary or ends, the observed total."""

        def row(series: str, trial: int | None, m: int, toxic: int, reaches: bool | None) -> dict[str, Any]:
            found = {"series": series, "trial": trial, "patients": m, "toxicities": toxic}
            return found | {"reaches": reaches}

        whose = f" of {', '.join(self.cohorts)}" if self.others else ""
        every = [(f"boundary{whose}", self.bounds)]
        every += [(f"boundary of {', '.join(names)}", bounds) for names, bounds in self.others]
        rows = [
            row(series, None, m, int(b), None)
            for series, bounds in every
            for m, b in enumerate(bounds)
            if np.isfinite(b)
        ]
        for k, (trial, m) in enumerate(zip(self.trials, self.crossings, strict=True), start=1):
            end = len(trial) - 1 if m is None else m
            rows += [row("simulated", k, i, trial[i], i == m) for i in range(end + 1)]
        if self.observed:
            rows.append(row("observed", None, self.observed[1], self.observed[0], None))
        return rows


def boundary_runs(trial: Compiled, seed: int, wanted: str = "") -> BoundaryRuns | None:
    """The first trials of the wanted case, else of the first with toxicity; None without a boundary."""
    scenario, rules = trial.scenario, trial.rules
    toxic = [name for name, case in scenario.truth.items() if case.toxicity is not None]
    case = wanted if wanted in toxic else next(iter(toxic), None)
    if scenario.apart:
        return None if case is None else _of_cohorts(trial, seed, case)
    bounds = boundary(rules)
    if case is None or not np.isfinite(bounds).any():
        return None
    rates = trial.rates[case]
    if trial.in_calendar:
        trials = toxicities_dated(Timed.of_case(trial, case), seed, TRIALS)
    else:
        trials = toxicities(rules, rates, seed, TRIALS)
    crossings = tuple(crossing(trial, bounds) for trial in trials)
    return BoundaryRuns(case, rates.toxicity, bounds, tuple(trials), crossings, _seen(scenario.observed))


def _of_cohorts(trial: Compiled, seed: int, case: str) -> BoundaryRuns | None:
    """The boundary of every cohort, and trials of the first that has one."""
    together: dict[tuple[float, ...], list[str]] = {}
    for c, cohort in enumerate(trial.cohorts):
        row = boundary(of_a_cohort(trial.rules, len(trial.cohorts), c))
        if np.isfinite(row).any():
            together.setdefault(tuple(np.nan_to_num(row, nan=-1.0).tolist()), []).append(cohort)
    if not together:
        return None
    (bounds, cohorts), *others = (
        (np.where(np.array(row) < 0, np.nan, row), tuple(names)) for row, names in together.items()
    )
    first = trial.of_cohort(cohorts[0])
    number = trial.cohorts.index(cohorts[0])
    trials = toxicities_dated(Timed.of_case(trial, case).of_cohort(number), seed, TRIALS)
    crossings = tuple(crossing(each, bounds) for each in trials)
    found = BoundaryRuns(case, first.rates[case].toxicity, bounds, tuple(trials), crossings, None, cohorts)
    return replace(found, others=tuple((names, row) for row, names in others))


def _seen(observed: Observed | None) -> tuple[int, int] | None:
    if observed is None or observed.treated is None or len(observed.toxicity_candidates()) != 1:
        return None
    return observed.toxicity_candidates()[0], observed.treated


def boundary(rules: Rules) -> Float64:
    """The cut-off after m = 0, 1, ... patients at the starting dose; nan where no count acts."""
    row = np.array(rules.monitor.act_ge[0], dtype=np.float64)
    row[0] = np.nan
    return np.where(row <= np.arange(len(row)), row, np.nan)


def toxicities(rules: Rules, rates: Rates, seed: int, count: int) -> list[list[int]]:
    """Toxicities after 0, 1, ... patients at the starting dose, a list a simulated trial."""
    code = paths(rules, rates, seed, count).astype(np.int64) - 1
    at_start = (code >= 0) & (code < 8)
    return [[0, *np.cumsum(row[here] & 1).tolist()] for row, here in zip(code, at_start, strict=True)]


def toxicities_dated(trials: Timed, seed: int, count: int) -> list[list[int]]:
    """The same of trials in calendar time, patients in order of enrolment."""
    rows, patients = trials.treated(stream_key(seed), 0, count)
    found = []
    for row, trial in zip(rows, patients, strict=True):
        treated = trial[: row[TREATED]]
        found.append([0, *np.cumsum(treated[treated[:, LEVEL] == 0, IS_TOXIC]).tolist()])
    return found


def crossing(trial: list[int], bounds: Float64) -> int | None:
    """The first number of patients at which a trial reaches the boundary."""
    reached = np.flatnonzero(np.array(trial) >= bounds[: len(trial)])
    return int(reached[0]) if len(reached) else None
