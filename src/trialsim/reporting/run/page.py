"""The page of a run."""

from __future__ import annotations

from collections.abc import Sequence

from trialsim.designs.rules import Rules
from trialsim.reporting.run.plain import Document
from trialsim.scenario.model import Scenario
from trialsim.writing.html import html
from trialsim.writing.report import Numbered, Picture, unbroken

__all__ = ["Numbered", "Picture", "html", "page", "unbroken"]


def page(scenario: Scenario, rules: Rules, doc: Document, pictures: Sequence[Picture]) -> str:
    """The HTML of a run. Everything that comes from the scenario is escaped."""
    from trialsim.reporting.run.report import report_of

    return html(report_of(scenario, rules, doc, pictures))
