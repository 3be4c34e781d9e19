"""Toxicities in simulated trials, patient by patient, and where they reach the boundary."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.designs.binomial import Float64
from trialsim.designs.rules import Rules
from trialsim.engine.montecarlo import paths
from trialsim.engine.timed import Timed
from trialsim.kernels.conduct_columns import TREATED
from trialsim.kernels.patient import IS_TOXIC, LEVEL
from trialsim.kernels.streams import stream_key
from trialsim.scenario.truth import Rates


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


def tidy(
    bounds: Float64,
    trials: list[list[int]],
    crossings: list[int | None],
    observed: tuple[int, int] | None,
) -> list[dict[str, Any]]:
    """Tidy rows: the boundary, each trial up to where it reaches the boundary or ends, the observed total."""
    rows = [
        {"series": "boundary", "trial": None, "patients": m, "toxicities": int(b), "reaches": None}
        for m, b in enumerate(bounds)
        if np.isfinite(b)
    ]
    for k, (trial, m) in enumerate(zip(trials, crossings, strict=True), start=1):
        end = len(trial) - 1 if m is None else m
        rows += [
            {"series": "simulated", "trial": k, "patients": i, "toxicities": trial[i], "reaches": i == m}
            for i in range(end + 1)
        ]
    if observed:
        rows.append(
            {
                "series": "observed",
                "trial": None,
                "patients": observed[1],
                "toxicities": observed[0],
                "reaches": None,
            }
        )
    return rows
