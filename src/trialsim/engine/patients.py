"""What one patient amounts to under a case: strata mixed in their shares, and who withdraws before it counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trialsim.designs.binomial import Float64
from trialsim.scenario.compiling import MONTHS_A_WEEK
from trialsim.scenario.model import Case, Conduct, Scenario
from trialsim.scenario.truth import Rates

RATE_KEYS = {
    "responses": "response",
    "disease_control": "stable_disease",
    "toxicities": "toxicity",
    "serious": "serious",
}
"""The truth that each observed count speaks about."""


@dataclass(frozen=True)
class Seen:
    """What is counted in a patient who was assessed at least once, although some withdraw later.

    Attributes:
        response: share of responders who stay until their response counts.
        control_responder, control_stable: share of responders, of patients with stable disease, in whom disease control
            is reported.
    """

    response: float = 1.0
    control_responder: float = 1.0
    control_stable: float = 1.0

    @classmethod
    def of(cls, conduct: Conduct | None) -> Seen:
        """Without withdrawal everything is seen; disease control only if a visit comes late enough to show it."""
        if conduct is None:
            return cls()
        weeks = conduct.assessment_weeks
        if conduct.withdrawal_per_month == 0:
            late = float(weeks[-1] >= conduct.disease_control_week)
            return cls(1.0, late, late)
        # of those who come to the first visit: nobody may, and what is asked about them still has an answer
        there = [math.exp(-conduct.withdrawal_per_month * (w - weeks[0]) * MONTHS_A_WEEK) for w in weeks]
        control = next((u for u, week in enumerate(weeks) if week >= conduct.disease_control_week), None)
        seen_by = (0.0, *conduct.seen_by())
        first_seen = [b - a for a, b in zip(seen_by, seen_by[1:], strict=False)]

        def stays(until: int | None) -> float:
            """P(a responder who came once stays until the response counts, or to an earlier visit ``until``)."""
            visits = (s + conduct.confirmed for s, share in enumerate(first_seen) if share > 0)
            shares = (share for share in first_seen if share > 0)
            return sum(
                share * there[visit if until is None else min(visit, until)]
                for share, visit in zip(shares, visits, strict=True)
            )

        return cls(
            stays(None),
            0.0 if control is None else stays(control),
            0.0 if control is None else there[control],
        )


def groups(scenario: Scenario, case: Case, cohort: str | None = None) -> list[tuple[float, Case]]:
    """The share of each stratum, and the case as it is there; of one cohort, or of all patients."""
    inside = [s for s in scenario.strata if cohort in (None, s.cohort_name)]
    total = sum(stratum.share for stratum in inside)
    return [(s.share / total, case.within(s.name, s.cohort_name)) for s in inside]


def rates_by_dose(scenario: Scenario, case: Case, cohort: str | None = None) -> dict[str, tuple[float, ...]]:
    """The rate by dose behind each quantity, where the case states it in every stratum.

    Response and disease control are among evaluable patients, toxicity and serious events among treated ones.
    """
    inside, seen = groups(scenario, case, cohort), Seen.of(scenario.conduct)
    levels = len(scenario.doses)
    response = [(share, _responders(scenario, here)) for share, here in inside]
    rates = {"responses": tuple(seen.response * p for p in _mixed(response))}
    stable = [here.by_dose("stable_disease", levels) for _, here in inside]
    if seen.control_stable and None not in stable:
        controlled = [
            (
                share,
                tuple(
                    seen.control_responder * p + (1 - p) * seen.control_stable * s
                    for p, s in zip(r, d, strict=True)
                ),
            )
            for (share, r), d in zip(response, stable, strict=True)
            if d is not None
        ]
        rates["disease_control"] = _mixed(controlled)
    for quantity in ("toxicities", "serious"):
        stated = [(share, here.by_dose(RATE_KEYS[quantity], levels)) for share, here in inside]
        known = [(share, row) for share, row in stated if row is not None]
        if len(known) == len(stated):
            rates[quantity] = _mixed(known)
    return rates


def cells_by_dose(scenario: Scenario, case: Case) -> Float64:
    """(K, 4) probabilities of an evaluable patient: no response without / with toxicity, response without / with.

    Margins and association are those stated for each stratum; a toxicity rate that is not stated is 0.
    """
    levels, seen = len(scenario.doses), Seen.of(scenario.conduct).response
    table = np.zeros((levels, 4))
    for share, here in groups(scenario, case):
        toxicity = here.by_dose("toxicity", levels) or (0.0,) * levels
        rates = Rates(_responders(scenario, here), toxicity, here.odds_ratio)
        table += share * rates.cells(replaced=False)[:, 0, 2:]
    counted = seen * table[:, 2:]
    return np.hstack([table[:, :2] + table[:, 2:] - counted, counted])


def _responders(scenario: Scenario, here: Case) -> tuple[float, ...]:
    """Responders among evaluable patients of a stratum, by dose."""
    response = here.by_dose("response", len(scenario.doses))
    assert response is not None
    if scenario.evaluability.inevaluable == "nonresponders":
        return tuple(p / scenario.evaluability.probability for p in response)
    return response


def _mixed(rows: list[tuple[float, tuple[float, ...]]]) -> tuple[float, ...]:
    """Rates by dose averaged over strata."""
    if len(rows) == 1:
        return rows[0][1]
    by_level = zip(*(row for _, row in rows), strict=True)
    shares = [share for share, _ in rows]
    return tuple(sum(share * p for share, p in zip(shares, ps, strict=True)) for ps in by_level)
