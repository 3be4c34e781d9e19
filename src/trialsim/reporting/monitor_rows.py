"""The monitoring aids as tidy rows for CSV files."""

from __future__ import annotations

from typing import Any

from trialsim.monitoring.aids import Aids, Present
from trialsim.monitoring.decision_table import DecisionTable

Rows = list[dict[str, Any]]

DECISIONS = (
    "rule",
    "dose",
    "patients_from",
    "patients_to",
    "count_from",
    "count_to",
    "decision",
    "next_patients",
)
POWER = ("patients", "responses", "decision", "next_patients", "at", "rate", "probability_of_count", "p_go")
PRESENT = ("at", "rate", "p_go", "p_stop_toxicity")
"""Columns of ``decisions.csv``, ``power.csv`` and ``now.csv``."""


def decision_rows(table: DecisionTable) -> Rows:
    """Every decision by responses and by toxicities, one row a run of counts."""
    rows: Rows = []
    about: dict[str, Any]
    for b in table.branches:
        about = {"patients_from": b.n, "patients_to": b.n}
        if b.low == 0 and b.toxic_ge is not None:
            stop = {"count_from": b.toxic_ge, "count_to": b.n, "decision": "stop for toxicity"}
            rows.append({"rule": "toxicities at the look", **about, **stop})
        found = {"count_from": b.low, "count_to": b.high, "decision": b.decision, "next_patients": b.next_n}
        rows.append({"rule": "responses", **about, **found})
    for level, dose in enumerate(table.doses):
        for step in dose.steps:
            about = {
                "rule": "toxicities",
                "dose": dose.name,
                "patients_from": step.first,
                "patients_to": step.last,
            }
            acts = "none" if step.act_ge is None else dose.action
            rows.append({**about, "count_from": step.act_ge, "decision": acts})
        if dose.after_patient is not None:
            left = {"patients_from": dose.after_patient, "patients_to": dose.after_patient}
            rows.append({"rule": "amendment", "dose": dose.name, **left, "decision": "reduce"})
        if dose.after_month is not None:
            decision = f"reduce after month {dose.after_month:g} to {table.doses[level + 1].name}"
            rows.append({"rule": "amendment", "dose": dose.name, "decision": decision})
    return rows


def power_rows(aids: Aids) -> Rows:
    """Every power at every interim count, one row each."""
    rows: Rows = []
    for c in aids.counts:
        about = {"patients": c.n, "responses": c.x, "decision": c.decision, "next_patients": c.next_n}
        rows += [{**about, "at": name, "rate": aids.rates[name], "p_go": p} for name, p in c.at_rates.items()]
        rows.append({**about, "at": "observed", "rate": c.x / c.n, "p_go": c.at_observed})
        rows.append({**about, "at": "predictive", "p_go": c.predictive})
        rows += [
            {**about, "at": f"case {name}", "probability_of_count": case.reached, "p_go": case.p_go}
            for name, case in c.cases.items()
        ]
    return rows


def present_rows(aids: Aids, present: Present) -> Rows:
    """The powers from now on, one row each."""
    rows: Rows = [{"at": name, "rate": aids.rates[name], "p_go": p} for name, p in present.at_rates.items()]
    now = present.now
    if present.at_observed is not None:
        rows.append({"at": "observed", "rate": now.x / now.n, "p_go": present.at_observed})
    rows.append({"at": "predictive", "p_go": present.predictive})
    rows += [
        {"at": f"case {name}", "p_go": case.p_go, "p_stop_toxicity": case.p_stop_toxicity}
        for name, case in present.cases.items()
    ]
    return rows
