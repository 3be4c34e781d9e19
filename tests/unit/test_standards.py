"""The table of reporting standards points at headings that are there, and at nothing else."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.helpers import CONFIGS
from trialsim.reporting.run.report import report_of
from trialsim.reporting.run.standards import EXACT, NOT_STATED, STANDARDS, UNREAD
from trialsim.running.run import run
from trialsim.scenario.files import load
from trialsim.writing.report import Report, Section, Table

FILES = (
    "dasatinib.yaml",
    "fleming.yaml",
    "two-doses-randomised.yaml",
    "two-cohorts.yaml",
    "posterior-probability.yaml",
)


def _sections(sections: tuple[Section, ...]) -> list[Section]:
    return [each for part in sections for each in (part, *_sections(part.parts))]


def _table(report: Report) -> Table:
    return next(table for table in report.tables() if table.key == "standards")


@cache
def report_about(name: str) -> Report:
    """The report of a scenario in configs/, made once."""
    return report_of(run(load(CONFIGS / name), replicates=200))


@pytest.fixture(scope="module", params=FILES)
def report(request: pytest.FixtureRequest) -> Report:
    return report_about(request.param)


def test_an_item_points_at_headings_of_this_report(report: Report) -> None:
    titles = {each.title for each in _sections(report.sections)}
    rows = [row for group in _table(report).groups for row in group.rows]
    assert len(rows) == sum(len(standard.items) for standard in STANDARDS)
    for number, asks, where in rows:
        named = re.findall("“([^”]*)”", where.text)
        assert set(named) <= titles, (number.text, asks.text)
        assert named or where.text in (NOT_STATED, EXACT, "the first page"), where.text


def test_what_no_scenario_states_is_said_so(report: Report) -> None:
    where = {(row[0].text, row[1].text): row[2].text for group in _table(report).groups for row in group.rows}
    for standard in STANDARDS:
        for item in standard.items:
            if not item.at:
                assert where[item.number, item.asks] == NOT_STATED


def test_every_section_that_an_item_names_is_in_some_report() -> None:
    named = {key for standard in STANDARDS for item in standard.items for key in item.at}
    there: set[str] = {"sensitivity", "protocol-dose"}  # in runs with these blocks
    for name in FILES[:3]:
        there |= {each.key for each in _sections(report_about(name).sections)}
    assert named <= there


def test_what_was_not_read_is_named_and_sources_have_versions(report: Report) -> None:
    notes = " ".join(_table(report).notes)
    assert UNREAD in notes
    for standard in STANDARDS:
        assert standard.source in notes
        assert re.search(r"20\d\d", standard.source)


def test_a_planned_number_of_replicates_and_a_level_are_told_from_their_absence() -> None:
    where = {
        row[1].text: row[2].text
        for group in _table(report_of(run(load(CONFIGS / "dasatinib.yaml"), replicates=200))).groups
        for row in group.rows
    }
    chosen = next(text for asks, text in where.items() if asks.startswith("A number of replicates"))
    assert chosen == NOT_STATED
    level = next(text for asks, text in where.items() if asks.startswith("The level"))
    assert "Design and sample size" in level
