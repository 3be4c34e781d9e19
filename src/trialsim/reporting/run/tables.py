"""The tidy CSV tables of a run folder: the numbers of ``results.json``, one row an observation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trialsim.designs.rules import ACTION_WORDS, Rules
from trialsim.quantities import label
from trialsim.reporting.run import believed
from trialsim.reporting.run.examples import event_rows, patient_rows
from trialsim.results import adjusted_columns, digits12
from trialsim.running.content import Document
from trialsim.running.examples import FIELDS
from trialsim.running.inputs import value_words
from trialsim.running.plain import by_design, cohort_names, own_rules, quantities
from trialsim.running.run import Run
from trialsim.writing.csv import to_csv

Row = dict[str, Any]


def tables(run: Run, doc: Document) -> dict[str, str]:
    """CSV text by name."""
    rows: dict[str, list[Row]] = {
        "operating_characteristics": list(operating_characteristics(doc)),
        "distributions": list(distributions(doc)),
        "checks": [{**row, "note": row["note"] or None} for row in map(_intervals, doc["checks"])],
        "headline": list(headline(doc)),
        "rules": list(_rule_rows(run, doc)),
        "inputs": [{**row, "value": value_words(row["value"])} for row in doc["inputs"]],
    }
    more: dict[str, list[Row]] = {
        "conduct": doc["conduct"]["rows"] if doc["conduct"]["calendar_time"] else [],
        "calendar_time_changes": list(changes(doc)),
        "cells": list(cells(doc)),
        "example_patients": list(patient_rows(doc)),
        "example_events": list(event_rows(doc)),
        "history": list(believed.rows(doc.get("history"))),
        "prior": list(believed.rows(doc.get("prior"))),
    }
    rows |= {name: content for name, content in more.items() if content}
    columns = COLUMNS | ({"rules": ("cohorts", *COLUMNS["rules"])} if "designs" in doc else {})
    texts = {name: to_csv(content, columns[name]) for name, content in rows.items()}
    for k, analysis in enumerate(run.sensitivity.analyses if run.sensitivity else (), start=1):
        texts[f"sensitivity_{analysis.kind}_{k}"] = to_csv(map(digits12, analysis.rows()))
    return texts


ADJUSTED = ("adjusted", "adjusted_mcse", "adjusted_low", "adjusted_high", "variance_factor", "not_adjusted")


COLUMNS: dict[str, tuple[str, ...]] = {
    "operating_characteristics": (
        "case", "quantity", "label", "exact", "estimate", "mcse", "low", "high", "z",
        "exact_at_once", "estimate_at_once", "z_at_once",
        *ADJUSTED,
    ),
    "distributions": ("case", "distribution", "value", "exact", "simulated", "replicates"),
    "checks": (
        "case", "quantity", "label", "conditioning", "observed", "denominator", "probability", "mcse", "mid_p",
        "p_two_sided",
        "p_adjusted", "interval_50_low", "interval_50_high", "interval_80_low", "interval_80_high", "interval_95_low",
        "interval_95_high", "verdict", "fitted", "note",
    ),
    "headline": (
        "quantity", "label", "observed", "denominator", "unit", "low", "high", "case", "rate", "position",
    ),
    "rules": ("rule", "dose", "patients", "from", "to", "decision"),
    "inputs": ("path", "value", "source", "assumed", "fitted", "default", "note"),
    "conduct": ("what", "value", "default"),
    "calendar_time_changes": (
        "case", "quantity", "label", "at_once", "in_calendar_time", "difference", "mcse", "same_patients",
        "same_patients_mcse",
    ),
    "cells": (
        "case", "cohort", "dose", "evaluable", "responses", "low", "high", "rate", "interval_95_low",
        "interval_95_high", "mid_p", "p_two_sided", "fitted", "origin", "note",
    ),
    "example_patients": ("case", "trial", "patient", *FIELDS),
    "example_events": ("case", "trial", "day", "what"),
    "history": ("trial", "cases", "quantity", "value"),
    "prior": ("trial", "cases", "quantity", "value"),
}  # fmt: skip
"""The columns of every table; those from conduct on are written where a run has any such rows."""


def operating_characteristics(doc: Document) -> Iterator[Row]:
    """One row a case and quantity; ``exact_at_once`` and ``z_at_once`` are of the trial with outcomes known at once."""
    for name, case in doc["cases"].items():
        twin = case.get("at_once") or {"exact": None, "simulated": None, "z": {}}
        for quantity in quantities(doc, case):
            simulated = (case["simulated"] or {}).get(quantity, {})
            yield {
                "case": name,
                "quantity": quantity,
                "label": label(quantity, doc["doses"], cohort_names(doc), own=own_rules(doc)),
                "exact": (case["exact"] or {}).get(quantity),
                **{key: simulated.get(key) for key in ("estimate", "mcse", "low", "high")},
                "z": case["z"].get(quantity),
                "exact_at_once": (twin["exact"] or {}).get(quantity),
                "estimate_at_once": (twin["simulated"] or {}).get(quantity, {}).get("estimate"),
                "z_at_once": twin["z"].get(quantity),
                **adjusted_columns(case.get("adjusted", {}).get(quantity)),
            }


def changes(doc: Document) -> Iterator[Row]:
    """One row a case and quantity: calendar time against outcomes known at once."""
    for name, found in (doc["calendar_time_changes"] or {}).items():
        for quantity, row in found.items():
            yield {
                "case": name,
                "quantity": quantity,
                "label": label(quantity, doc["doses"], cohort_names(doc), own=own_rules(doc)),
                **row,
            }


def cells(doc: Document) -> Iterator[Row]:
    """One row an observed cell and case; ``unreported`` where the responses are."""
    for row in doc["check_cells"]:
        flat = {key: value for key, value in row.items() if key not in ("number", "interval_95")}
        low, high = row["interval_95"] or (None, None)
        seen = "unreported" if row["responses"] is None else row["responses"]
        note = row["note"] or None
        yield {**flat, "responses": seen, "note": note, "interval_95_low": low, "interval_95_high": high}


def distributions(doc: Document) -> Iterator[Row]:
    """One row a case, distribution and value: exact probability, simulated trials out of ``replicates``."""
    for name, case in doc["cases"].items():
        for kind, sides in case["distributions"].items():
            exact, simulated = sides["exact"] or [], sides["simulated"] or []
            for value in range(max(len(exact), len(simulated))):
                yield {
                    "case": name,
                    "distribution": kind,
                    "value": value,
                    "exact": exact[value] if value < len(exact) else (0.0 if exact else None),
                    "simulated": simulated[value] if value < len(simulated) else (0 if simulated else None),
                    "replicates": doc["replicates"],
                }


def headline(doc: Document) -> Iterator[Row]:
    """One row an observed count and case; a count that no case speaks about has one row without a case."""
    for row in doc["headline"]:
        base = {
            key: row[key] for key in ("quantity", "label", "observed", "denominator", "unit", "low", "high")
        }
        for case in row["rates"] or [None]:
            yield {
                **base,
                "case": case,
                "rate": row["rates"].get(case),
                "position": row["position"].get(case),
            }


def _rule_rows(run: Run, doc: Document) -> Iterator[Row]:
    """The rules of the trial, or those of every design with its cohorts."""
    each = run.compiled.by_design
    if not each:
        yield from rule_rows(run.rules, doc)
    for (cohorts, here), one in zip(by_design(doc), each.values(), strict=bool(each)):
        yield from ({"cohorts": "; ".join(cohorts), **row} for row in rule_rows(one.rules, here))


def rule_rows(rules: Rules, doc: Document) -> Iterator[Row]:
    """The decisions by responses at every look; the toxicity cut-off for every number of patients at a dose."""
    for row in doc["design"]["looks"]:
        onward = f"continue to {row['next_n']}" if row["decision"] == "continue" else row["decision"]
        ends = {"from": row["responses_from"], "to": row["responses_to"]}
        yield {"rule": "responses", "patients": row["n"], **ends, "decision": onward}
    for row in doc["design"]["toxic_looks"]:
        ends = {"from": row["toxicities_from"], "to": row["n"]}
        yield {"rule": "toxicities at a look", "patients": row["n"], **ends, "decision": "stop"}
    for level, dose in enumerate(doc["doses"]):
        for m, b in enumerate(rules.monitor.act_ge[level]):
            if m >= 1 and b <= m:
                action = ACTION_WORDS[rules.monitor.action[level]]
                yield {
                    "rule": "toxicities",
                    "dose": dose,
                    "patients": m,
                    "from": b,
                    "to": m,
                    "decision": action,
                }
            elif m:
                yield {"rule": "toxicities", "dose": dose, "patients": m, "decision": "none"}
        for m, b in enumerate(rules.monitor.stop_ge[level] if rules.monitor.stop_steps(level) else ()):
            if m and b <= m:
                ends = {"patients": m, "from": b, "to": m, "decision": "stop"}
                yield {"rule": "toxicities that stop", "dose": dose, **ends}
        if rules.monitor.at_enrolled[level]:
            after = rules.monitor.at_enrolled[level]
            yield {"rule": "amendment", "dose": dose, "patients": after, "decision": "reduce"}
        if (month := doc["toxicity_rule"]["levels"][level]["after_month"]) is not None:
            yield {"rule": "amendment", "dose": dose, "decision": f"reduce after month {month:g}"}


def _intervals(row: Mapping[str, Any]) -> Row:
    """A check with its intervals spread over two columns each."""
    flat = dict(row)
    for coverage in (50, 80, 95):
        low, high = flat.pop(f"interval_{coverage}") or (None, None)
        flat |= {f"interval_{coverage}_low": low, f"interval_{coverage}_high": high}
    return flat
