"""The check of the observed trial by itself: what it asks, what it finds, what it cannot say."""

from __future__ import annotations

from trialsim.checks import Checks
from trialsim.reporting.about import MADE_BY, about
from trialsim.reporting.pictures import picture
from trialsim.reporting.run.check import check_of
from trialsim.reporting.run.summary import verdict
from trialsim.results import digits12
from trialsim.running.content import CHECK_METHOD, check_document
from trialsim.writing.report import Pictures, Report, Words, section


def report_of(checks: Checks) -> Report:
    """The check as a report: the verdict first, then what it rests on."""
    from trialsim.figures import draw_checks

    scenario = checks.scenario
    source = scenario.sources.get("design")
    doc = digits12(
        {
            **check_document(checks),
            "cases": list(scenario.truth),
            "doses": list(scenario.doses),
            "design": {"assumed": bool(source and source.assumed)},
            "method": CHECK_METHOD,
        }
    )
    found = check_of(doc)
    drawn = Pictures(tuple(map(picture, draw_checks(checks))))
    first = section("first-page", "", Words(" ".join(verdict(doc)), mark="convention"), found.blocks)
    parts = [
        section(part.key, part.title, part.blocks, drawn if part.key == "each-case" else ())
        for part in found.parts
    ]
    return Report(
        scenario.name,
        "Check against the observed trial",
        (first, *parts),
        MADE_BY,
        about=about(scenario),
    )
