"""``report.html``: one self-contained page, nothing in it but what results.json and the figures say."""

from __future__ import annotations

from collections.abc import Sequence

from trialsim.designs.rules import Rules
from trialsim.reporting.document import Document
from trialsim.scenario.model import Scenario
from trialsim.writing.report import (
    Code,
    Numbered,
    Picture,
    Pictures,
    Points,
    Report,
    Table,
    Terms,
    Words,
    unbroken,
)

__all__ = ["Numbered", "Picture", "html", "page", "unbroken"]

KINDS = {
    Words: "words",
    Terms: "terms",
    Points: "points",
    Code: "code",
    Pictures: "pictures",
    Table: "table",
}
"""Type of a block -> the name of its macro in the template."""


def page(scenario: Scenario, rules: Rules, doc: Document, pictures: Sequence[Picture]) -> str:
    """The HTML of a run. Everything that comes from the scenario is escaped."""
    from trialsim.reporting.sections import report_of

    return html(report_of(scenario, rules, doc, pictures))


def html(report: Report) -> str:
    """A report as a page that needs nothing else."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trialsim.reporting", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["nb"] = unbroken
    context = {
        "report": report,
        "kind_of": lambda block: KINDS[type(block)],
        "table_number": Numbered(),
        "figure_number": Numbered(),
    }
    return environment.get_template("template.html").render(context) + "\n"
