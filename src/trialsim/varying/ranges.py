"""Values between two ends."""

from __future__ import annotations

from trialsim.errors import TrialsimError
from trialsim.scenario.changes import changed
from trialsim.scenario.model import Scenario

LOG = 10
"""From this ratio of its ends on, a range above 0 is gone through by ratios."""


def is_log(low: float, high: float) -> bool:
    """Whether a range is gone through by ratios: an odds ratio from 1/4 to 4, a rate from .01 to .5."""
    low, high = min(low, high), max(low, high)
    return low > 0 and high / low >= LOG


def inside(low: float, high: float, share: float) -> float:
    """The value at a share from 0 to 1 of the way; low or high themselves at the ends."""
    if share in (0, 1):
        return high if share else low
    value = low * (high / low) ** share if is_log(low, high) else low + share * (high - low)
    return float(f"{value:.12g}")


def spread(start: float, end: float, count: int, whole: bool = False) -> list[float]:
    """``count`` values from start to end, or fewer whole numbers."""
    values = [inside(start, end, k / (count - 1)) for k in range(count)]
    return list(dict.fromkeys(map(round, values))) if whole else values


def takes_whole(scenario: Scenario, path: str, one: float, other: float) -> bool:
    """Whether an input is a whole number: both ends are, and what lies halfway between whole numbers is refused."""
    if not (isinstance(one, int) and isinstance(other, int)):
        return False
    try:
        changed(scenario, {path: min(one, other) + 0.5})
    except TrialsimError:
        return True
    return False
