"""The tidy CSV tables of a run folder: the numbers of ``results.json``, one row an observation."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trialsim.designs.rules import ACTION_WORDS, Rules
from trialsim.reporting.document import Document
from trialsim.reporting.inputs import value_words
from trialsim.results import label, quantity_names

Row = dict[str, Any]


def tables(rules: Rules, doc: Document) -> dict[str, str]:
    """CSV text by file name."""
    rows: dict[str, list[Row]] = {
        "operating_characteristics": list(operating_characteristics(doc)),
        "distributions": list(distributions(doc)),
        "checks": [{**row, "note": row["note"] or None} for row in map(_intervals, doc["checks"])],
        "headline": list(headline(doc)),
        "rules": list(rule_rows(rules, doc)),
        "inputs": [{**row, "value": value_words(row["value"])} for row in doc["inputs"]],
    }
    return {f"{name}.csv": to_csv(content, COLUMNS[name]) for name, content in rows.items()}


COLUMNS: dict[str, tuple[str, ...]] = {
    "operating_characteristics": ("case", "quantity", "label", "exact", "estimate", "mcse", "low", "high", "z"),
    "distributions": ("case", "distribution", "value", "exact", "simulated", "replicates"),
    "checks": (
        "case", "quantity", "label", "conditioning", "observed", "denominator", "probability", "mid_p", "p_two_sided",
        "p_adjusted", "interval_50_low", "interval_50_high", "interval_80_low", "interval_80_high", "interval_95_low",
        "interval_95_high", "verdict", "fitted", "note",
    ),
    "headline": (
        "quantity", "label", "observed", "denominator", "unit", "low", "high", "case", "rate", "position",
    ),
    "rules": ("rule", "dose", "patients", "from", "to", "decision"),
    "inputs": ("path", "value", "source", "assumed", "fitted", "default", "note"),
}  # fmt: skip
"""The columns of every table, written even where a run has no rows."""


def operating_characteristics(doc: Document) -> Iterator[Row]:
    """One row a case and quantity."""
    for name, case in doc["cases"].items():
        for quantity in quantity_names(len(doc["doses"])):
            simulated = case["simulated"][quantity] if case["simulated"] else {}
            yield {
                "case": name,
                "quantity": quantity,
                "label": label(quantity, doc["doses"]),
                "exact": case["exact"][quantity] if case["exact"] else None,
                **{key: simulated.get(key) for key in ("estimate", "mcse", "low", "high")},
                "z": case["z"].get(quantity),
            }


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
                    "exact": exact[value] if exact else None,
                    "simulated": simulated[value] if simulated else None,
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


def rule_rows(rules: Rules, doc: Document) -> Iterator[Row]:
    """The decisions by responses at every look; the toxicity cut-off for every number of patients at a dose."""
    for row in doc["design"]["looks"]:
        onward = f"continue to {row['next_n']}" if row["decision"] == "continue" else row["decision"]
        ends = {"from": row["responses_from"], "to": row["responses_to"]}
        yield {"rule": "responses", "patients": row["n"], **ends, "decision": onward}
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
        if rules.monitor.at_enrolled[level]:
            after = rules.monitor.at_enrolled[level]
            yield {"rule": "amendment", "dose": dose, "patients": after, "decision": "reduce"}


def _intervals(row: Mapping[str, Any]) -> Row:
    """A check with its intervals spread over two columns each."""
    flat = dict(row)
    for coverage in (50, 80, 95):
        low, high = flat.pop(f"interval_{coverage}") or (None, None)
        flat |= {f"interval_{coverage}_low": low, f"interval_{coverage}_high": high}
    return flat


def to_csv(rows: Iterable[Row], columns: tuple[str, ...]) -> str:
    """Comma-separated text with a header; nothing where there is no value."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _field(value) for key, value in row.items()})
    return out.getvalue()


def _field(value: Any) -> Any:
    """A value as it is written; text that a spreadsheet would run as a formula gets a quote in front."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
