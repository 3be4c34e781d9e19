"""Where a report comes from: the rows at its end, and the program that made it."""

from __future__ import annotations

from trialsim.scenario.files import digest
from trialsim.scenario.model import Scenario
from trialsim.version import __version__

MADE_BY = f"trialsim {__version__}"


def about(scenario: Scenario | None) -> tuple[tuple[str, str], ...]:
    """What a report is about; nothing where there is no scenario."""
    if scenario is None:
        return ()
    return (
        ("Endpoint", scenario.endpoint),
        ("Source", scenario.source or "not stated"),
        ("Scenario digest", digest(scenario)),
    )
