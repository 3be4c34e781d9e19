"""Where a report comes from: the rows at its end, the program that made it, and what it warns of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialsim.version import __version__

if TYPE_CHECKING:
    from trialsim.scenario.model import Scenario

MADE_BY = f"trialsim {__version__}"


def about(scenario: Scenario | None) -> tuple[tuple[str, str], ...]:
    """What a report is about; nothing where there is no scenario."""
    if scenario is None:
        return ()
    from trialsim.scenario.digest import digest

    return (
        ("Endpoint", scenario.endpoint),
        ("Source", scenario.source or "not stated"),
        ("Scenario digest", digest(scenario)),
    )


def warning(disagreements: Sequence[str]) -> tuple[str, ...]:
    """What stands before all else where exact and simulated answers disagree; nothing where they do not."""
    if not disagreements:
        return ()
    return (
        "Exact and simulated answers disagree. Do not use this run.",
        f"They differ by more than chance allows for: {'; '.join(disagreements)}. One of the two computations is "
        "wrong. Please report it with this folder.",
    )
