"""The check of the observed trial by itself: what it asks, what it finds, what it cannot say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialsim.checks import Checks
from trialsim.checks.rows import GIVEN_SIZES
from trialsim.reporting.about import MADE_BY, about
from trialsim.reporting.pictures import undrawn
from trialsim.reporting.run.check import check_of
from trialsim.reporting.run.summary import verdict
from trialsim.results import digits12
from trialsim.running.content import CHECK_METHOD, check_document
from trialsim.running.inputs import inputs
from trialsim.writing.report import Pictures, Points, Report, Words, section


def report_of(checks: Checks) -> Report:
    """The check as a report: the verdict first, then what it rests on."""
    scenario, doc = checks.scenario, document(checks)
    found = check_of(doc)
    drawn = []
    if checks.curves:
        drawn.append(undrawn("compatibility", checks))
    if any(row.pmf is not None for row in checks if row.conditioning == GIVEN_SIZES):
        drawn.append(undrawn("predictive", checks))
    said = " ".join(verdict({**doc, "inputs": inputs(scenario, None, None)}))
    rest = found.blocks or [Points(tuple(doc["check_notes"]))]
    first = section("first-page", "", Words(said, mark="convention"), rest)
    parts = [
        section(part.key, part.title, part.blocks, Pictures(tuple(drawn)) if part.key == "each-case" else ())
        for part in found.parts
    ]
    return Report(
        scenario.name, "Check against the observed trial", (first, *parts), MADE_BY, about=about(scenario)
    )


def document(checks: Checks, _texts: Sequence[str] = ()) -> dict[str, Any]:
    """A check as it stands in ``results.json``."""
    scenario = checks.scenario
    source = scenario.sources.get("design")
    found: dict[str, Any] = digits12(
        {
            **checks.to_dict(),
            **check_document(checks),
            "cases": list(scenario.truth),
            "doses": list(scenario.doses),
            "design": {"assumed": bool(source and source.assumed)},
            "method": CHECK_METHOD,
        }
    )
    return found
