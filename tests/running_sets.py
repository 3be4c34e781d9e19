"""The worked data sets of trials under way (tests/published/data/running), with the scenario each belongs to."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

from trialsim.scenario.model import Scenario

FOLDER = Path(__file__).parent / "published" / "data" / "running"


def table(name: str) -> list[dict[str, str]]:
    """The rows of a table of the folder."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def protocol(of: str) -> dict[str, str]:
    """The row of a set's protocol; ``S5`` is that of the file with a fault in each row."""
    return next(
        row
        for name in ("running_protocols", "patients_invalid_protocol")
        for row in table(name)
        if row["set"] == of
    )


@cache
def scenario(of: str) -> Scenario:
    """The scenario of a set."""
    p = protocol(of)
    first, last = p["design"].split()
    (r1, n1), (r, n) = ([int(x) for x in part.split("/")] for part in (first, last))
    doses = p["doses"].split(";")
    toxicity = [float(x) for x in p["toxicity_rates"].split(";")][: len(doses)]
    stated: dict[str, Any] = {
        "schema": 1,
        "name": of,
        "endpoint": "response",
        "design": {
            "kind": "simon",
            "n1": n1,
            "r1": r1,
            "n": n,
            "r": r,
            "p0": float(p["p0"]),
            "p1": float(p["p1"]),
        },
        "doses": doses,
        "evaluability": {"probability": 0.95, "replaced": p["replaced"] == "True"},
        "conduct": {
            "accrual": {"per_month": 4.5},
            "assessment_weeks": [float(x) for x in p["assessment_weeks"].split(";")],
            "confirmed": p["confirmed"] == "True",
            "toxicity_window_weeks": float(p["toxicity_window_weeks"]),
            "toxicity_known": p["toxicity_known"],
            "interim": p["interim"],
            "amendment_lag_weeks": float(p["amendment_lag_weeks"]),
            "during_amendment": p["during_amendment"],
        },
        "truth": {f"p{k}": {"response": float(p[f"p{k}"]), "toxicity": toxicity} for k in (0, 1)},
    }
    if p["toxicity_rule"] != "none":
        assert p["toxicity_rule"] == "pocock limit .30 phi .10 N 70"
        rule = {"kind": "pocock", "limit": 0.30, "phi": 0.10}
        stated["dose_reduction"] = {"rule": rule, "at_lowest_dose": p["at_lowest"]}
    return Scenario.model_validate(stated)
