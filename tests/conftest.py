"""Fixtures that several files share, worked out once a session, and the line that says which browser tests ran."""

from __future__ import annotations

import pytest

from tests.browser import MISSING
from tests.helpers import config
from trialsim.scenario.model import Scenario


@pytest.fixture(scope="session")
def dasatinib() -> Scenario:
    """The scenario of configs/dasatinib.yaml."""
    return config("dasatinib")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser the tests marked ``browser`` are skipped."""
    if MISSING:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=MISSING))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of all: how many tests looked at pages in a browser, and how many could not."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # a worker
        return

    def count(*outcomes: str) -> int:
        reports = (report for outcome in outcomes for report in reporter.stats.get(outcome, ()))
        return sum("browser" in getattr(report, "keywords", ()) for report in reports)

    reporter.write_line(
        f"{count('passed', 'failed')} browser tests run, {count('skipped')} skipped: no browser"
    )
