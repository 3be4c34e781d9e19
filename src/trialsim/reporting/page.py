"""``report.html``: one self-contained page, nothing in it but what results.json and the figures say."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trialsim.checks.rows import VERDICTS
from trialsim.designs.rules import Rules
from trialsim.engine.operating import FALSE_ALARM
from trialsim.reporting import layout, layout_check, layout_conduct, layout_rules, questions, summary, wording
from trialsim.reporting.document import Document
from trialsim.reporting.grid import Table
from trialsim.reporting.numbers import count, listed
from trialsim.scenario.model import Scenario

HALF_PAGE = 290.0
"""Points; figures are drawn 8 or 17 cm wide."""


@dataclass(frozen=True)
class Picture:
    """A figure as the page shows it."""

    name: str
    title: str
    caption: str
    alt: str
    svg: bytes

    @property
    def is_wide(self) -> bool:
        """Whether it takes the whole width of the page: what is wider than half of it as drawn."""
        points = re.search(rb'<svg[^>]*?\bwidth="([0-9.]+)pt"', self.svg[:5000], re.DOTALL)
        return points is not None and float(points.group(1)) > HALF_PAGE

    @property
    def source(self) -> str:
        """The drawing as a data URI: inside an <img> nothing in it can run or fetch."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg).decode('ascii')}"


class Numbered:
    """Tables and figures with their numbers, counted in the order in which the page asks for them."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self) -> int:
        """The next number."""
        self.last += 1
        return self.last


def page(scenario: Scenario, rules: Rules, doc: Document, pictures: Sequence[Picture]) -> str:
    """The HTML of a run. Everything that comes from the scenario is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trialsim.reporting", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["nb"] = unbroken
    return environment.get_template("template.html").render(_context(scenario, rules, doc, pictures)) + "\n"


def unbroken(text: str) -> str:
    """``text`` with spaces that no line may break at: p0 = 5%, responses ≤ 1."""
    return re.sub(r" ([=≤≥>]) (?=\S)", "\u00a0\\1\u00a0", text)


def _context(scenario: Scenario, rules: Rules, doc: Document, pictures: Sequence[Picture]) -> dict[str, Any]:
    return {
        "doc": doc,
        "short": summary.in_short(doc),
        "protocol": wording.protocol(scenario, rules, doc),
        "convention": wording.CONVENTION,
        "question": questions.paragraphs(doc),
        "conduct": doc["conduct"]["sentences"],
        "changed": summary.changed_words(doc),
        "timed": summary.is_timed(doc),
        "at_once": any(case.get("at_once") for case in doc["cases"].values()),
        "method": _method(doc),
        "verdicts": _verdict_words(),
        "denominators": _denominators(doc),
        "notes": [
            *(re.sub("`([^`]*)`", r"“\1”", note) for note in doc["check_notes"]),
            *_margins(doc),
            *layout_check.row_notes(doc),
        ],
        "agreement": summary.agreement(doc),
        "disagreements": doc["disagreements"],
        "pictures": pictures,
        "tables": {table.key: table for table in _tables(doc)},
        "oc_tables": [layout.operating_characteristics(doc, name) for name in doc["cases"]],
        "table_number": Numbered(),
        "figure_number": Numbered(),
        "replicates": None if doc["replicates"] is None else f"{doc['replicates']:,}",
    }


def _tables(doc: Document) -> list[Table]:
    return [
        layout.overview(doc),
        layout_conduct.conduct(doc),
        layout_conduct.changes(doc),
        layout_conduct.durations(doc),
        layout_conduct.cohorts(doc),
        layout_conduct.analysis_sets(doc),
        layout_conduct.strata(doc),
        layout_conduct.cells(doc),
        layout_rules.decisions(doc),
        layout_rules.boundary(doc),
        layout_rules.crossing(doc),
        layout_rules.cost(doc),
        layout.assumptions(doc),
        layout_check.headline(doc),
        layout_check.positions(doc),
        layout_check.given_sizes(doc),
        layout_check.by_design(doc),
        layout_check.external(doc),
        layout_check.likelihood(doc),
    ]


def _method(doc: Document) -> dict[str, str]:
    """Numbers that the description of the computation needs."""
    replicates = doc["replicates"]
    return {
        "false_alarm": f"{FALSE_ALARM:g}",
        "largest_mcse": "" if replicates is None else f"{0.5 / replicates**0.5:.2g}",
        "replicates": "" if replicates is None else count(replicates, "replicate"),
    }


def _verdict_words() -> str:
    """The verdict words with their limits."""
    parts = []
    above = None
    for least, word in VERDICTS:
        limits = (
            f"below {above:g}"
            if not least
            else f"{least:g} or more"
            if above is None
            else f"{least:g} to {above:g}"
        )
        parts.append(f"{word} ({limits})")
        above = least
    return listed(parts)


def _denominators(doc: Document) -> str:
    """Which count has which denominator, in words; "" where there is only one."""
    units = {row["unit"]: row["denominator"] for row in doc["headline"]}
    treated = next(
        (row["among_treated"]["denominator"] for row in doc["headline"] if row["among_treated"]), None
    )
    units |= {"treated": treated} if treated is not None else {}
    if len(units) < 2 or len(set(units.values())) < 2:
        return ""
    return (
        f"Two denominators are in use: {units['evaluable']} evaluable patients for response, "
        f"{units['treated']} treated patients for toxicity."
    )


def _margins(doc: Document) -> list[str]:
    """What total counts cannot tell apart, where the scenario has more than one dose."""
    if len(doc["doses"]) == 1 or not any(row["quantity"] == "toxicities" for row in doc["headline"]):
        return []
    return [
        "Totals over all doses hardly tell a steep from a flat relation of dose and toxicity: cases with very "
        "different rates by dose can predict the same total."
    ]
