"""Times, and the lines of the table they become."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class Row(NamedTuple):
    """A line of the table; ``bound`` is a floor for the ratio or an aim for the time."""

    name: str
    median: str
    ratio: float | None = None
    bound: str = ""
    kept: bool | None = None


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rounds(count: int, *contenders: Callable[[], object]) -> list[list[float]]:
    """Times of each contender; they take turns."""
    times = [[seconds(work) for work in contenders] for _ in range(count)]
    return [list(column) for column in zip(*times, strict=True)]
