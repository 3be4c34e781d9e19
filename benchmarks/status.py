"""The status of a running trial of 500 patients without forecast, with and without a toxicity rule.

The yardstick of the same run is the plain way: one table of responses by toxicities for everybody, and an addition of
the whole table for each patient.
"""

from __future__ import annotations

import random
import statistics
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np

import trialsim
from benchmarks.measure import Row, rounds
from trialsim.scenario.model import Scenario

PATIENTS = 500
CEILING = 3
"""Yardsticks that an answer may take; 0.9 to 1.2 were measured."""


def protocol(toxicity_rule: bool) -> Scenario:
    """Two stages of up to 500 patients at two doses."""
    stated: dict[str, Any] = {
        "schema": 1,
        "name": "large",
        "endpoint": "response",
        "design": {"kind": "simon", "n1": 200, "r1": 30, "n": PATIENTS, "r": 90, "p0": 0.15, "p1": 0.25},
        "doses": ["100", "70"],
        "conduct": {
            "accrual": {"per_month": 20},
            "assessment_weeks": [8, 16, 24],
            "confirmed": True,
            "toxicity_window_weeks": 8,
            "interim": "continue",
        },
        "truth": {
            "p0": {"response": 0.15, "toxicity": [0.2, 0.1]},
            "p1": {"response": 0.25, "toxicity": [0.2, 0.1]},
        },
    }
    if toxicity_rule:
        stated["dose_reduction"] = {
            "rule": {"kind": "pocock", "limit": 0.3, "phi": 0.1},
            "at_lowest_dose": "stop",
        }
    return Scenario.model_validate(stated)


def patients(seed: int = 1) -> tuple[Any, date]:
    """Their frame with everything that was ever known, and the day after the last one came."""
    import pandas as pd

    rng, rows, day = random.Random(seed), [], 0.0
    for k in range(PATIENTS):
        day += 3 * rng.random()
        came = date(2024, 1, 1) + timedelta(int(day))
        responded, toxic = rng.random() < 0.25, rng.random() < 0.2
        known = came + timedelta(56 if responded else rng.choice((56, 112)))
        rows.append(
            {
                "id": f"{k:03}",
                "enrolled": str(came),
                "dose": "100",
                "response": "yes" if responded else "no",
                "response_date": str(known),
                "confirmed_date": str(known + timedelta(56)) if responded else "",
                "toxicity": "yes" if toxic else "no",
                "toxicity_date": str(came + timedelta(rng.randrange(56))) if toxic else "",
            }
        )
    return pd.DataFrame(rows), came + timedelta(1)


def plain_table() -> float:
    """The yardstick: a table of 502 x 502 probabilities moved on 500 times by response and by toxicity."""
    mass = np.zeros((PATIENTS + 2, PATIENTS + 2))
    mass[0, 0] = 1.0
    for _ in range(PATIENTS):
        more = 0.8 * mass
        more[1:] += 0.2 * mass[:-1]
        mass = 0.7 * more
        mass[:, 1:] += 0.3 * more[:, :-1]
    return float(mass.sum())


def rows(quick: bool) -> list[Row]:
    """The lines of the table."""
    frame, on = patients()
    extracted = on + timedelta(365)
    asked = [
        partial(trialsim.status, protocol(rule), frame, on=on, extracted=extracted, forecast=False)
        for rule in (False, True)
    ]
    for ask in asked:
        assert ask().prospects is not None
    *ours, yardstick = rounds(3 if quick else 7, *asked, plain_table)
    found = []
    for name, times in zip(("without", "with"), ours, strict=True):
        ratio = statistics.median(a / b for a, b in zip(times, yardstick, strict=True))
        found.append(
            Row(
                f"status of {PATIENTS} patients without forecast, {name} a toxicity rule, v a table moved 500 times",
                f"{statistics.median(times):.2f} v {statistics.median(yardstick):.2f} s",
                ratio,
                f"at most {CEILING}x",
                ratio <= CEILING,
            )
        )
    return found
