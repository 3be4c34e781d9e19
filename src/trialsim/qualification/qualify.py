"""All tests of a qualification, in order, and what came of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from trialsim.answers import Answer
from trialsim.engine.montecarlo import Progress
from trialsim.errors import DesignError
from trialsim.given import takes
from trialsim.qualification import installation, operation, performance
from trialsim.qualification.testing import (
    FAIL,
    INSTALLATION,
    NOT_DONE,
    OPERATION,
    PASS,
    PERFORMANCE,
    Result,
    Setting,
    Test,
)
from trialsim.version import __version__

MOST_DRAWN = 2**31
"""Seeds that are drawn are below it: short enough to be typed again."""


def tests() -> tuple[Test, ...]:
    """Every test, in the order of the report."""
    return (*installation.TESTS, *operation.TESTS, *performance.TESTS)


def tests_of(only: str | None) -> tuple[Test, ...]:
    """The tests whose number begins like this.

    Raises:
        DesignError: there is none.
    """
    wanted = tests()
    if only is not None:
        begin = f"{only.upper().rstrip('-')}-"
        wanted = tuple(test for test in wanted if f"{test.id}-".startswith(begin))
    if not wanted:
        raise DesignError(
            f"only = {only!r}: no test has that number; IQ, OQ and PQ are the parts, IQ-1 a test"
        )
    return wanted


@dataclass(frozen=True, repr=False)
class Qualification(Answer):
    """What installation, operation and performance tests found on this machine.

    Attributes:
        on: the day of the report.
        seed: of everything that was drawn; with it the same tests are done again.
        full: whether the longer form was asked for.
        machine: versions, platform, processor.
        results: one a test.
        only: the part that was asked for; None: all.
    """

    kind: ClassVar[str] = "qualify"

    on: date
    seed: int
    full: bool
    machine: Mapping[str, Any]
    results: tuple[Result, ...]
    only: str | None = None

    @property
    def called(self) -> str:
        """The version, and the day."""
        return f"trialsim {__version__}, {self.on}"

    def of(self, outcome: str) -> tuple[Result, ...]:
        """The results with this outcome: "pass", "fail" or "not done"."""
        return tuple(result for result in self.results if result.outcome == outcome)

    @property
    def passed(self) -> bool:
        """Whether no test failed."""
        return not self.of(FAIL)

    @property
    def counts(self) -> dict[str, int]:
        """Tests by outcome."""
        return {outcome: len(self.of(outcome)) for outcome in (PASS, FAIL, NOT_DONE)}

    def by_part(self) -> list[dict[str, Any]]:
        """Tests and comparisons of each part that was asked for."""
        found = []
        for part in (INSTALLATION, OPERATION, PERFORMANCE):
            here = [result for result in self.results if result.test.part == part]
            outcomes = {
                outcome: sum(r.outcome == outcome for r in here) for outcome in (PASS, FAIL, NOT_DONE)
            }
            compared = sum(result.compared for result in here)
            found.append({"part": part, "tests": len(here), **outcomes, "compared": compared})
        return [row for row in found if row["tests"]]

    @property
    def asked(self) -> dict[str, Any]:
        """What decides the answer."""
        return {"full": self.full, "seed": self.seed, "on": self.on.isoformat(), "only": self.only}

    def rows(self) -> Iterable[Mapping[str, Any]]:
        """One dict a test."""
        return [{**row, "told": "; ".join(row["told"])} for row in (result.row() for result in self.results)]

    def tables(self) -> dict[str, Iterable[Mapping[str, Any]]]:
        """``tests`` and ``machine``."""
        return {"tests": self.rows(), "machine": [{"what": k, "value": v} for k, v in self.machine.items()]}

    def to_dict(self) -> dict[str, Any]:
        """Everything but wall times."""
        return {
            "on": self.on.isoformat(),
            "seed": self.seed,
            "full": self.full,
            "passed": self.passed,
            "counts": self.counts,
            "parts": self.by_part(),
            "machine": dict(self.machine),
            "tests": [result.row() for result in self.results],
        }


@takes
def qualify(
    *,
    full: bool = False,
    seed: int | None = None,
    on: str | date | None = None,
    jobs: int | None = None,
    only: str | None = None,
    progress: Progress | None = None,
) -> Qualification:
    """Test the installation, the operation and the performance of trialsim on this machine.

    Args:
        full: ten times as many random protocols and simulated trials.
        seed: of everything that is drawn; default a fresh one, which the report states.
        on: the day of the report, as ``2026-03-31``; default today.
        jobs: worker threads; default all processors.
        only: tests whose number begins like this, as ``IQ`` or ``PQ-3``; default all.
        progress: called with 1 after every test.

    Returns:
        A result for each test: passed, failed, or not done with the reason.

    Raises:
        DesignError: a day, seed or jobs that cannot be, or no test of that number.

    Examples:
        >>> found = trialsim.qualify(only="IQ-4", seed=1, on="2026-03-31")
        >>> found.passed, found.counts
        (True, {'pass': 1, 'fail': 0, 'not done': 0})
    """
    day = _day(on)
    wanted = tests_of(only)
    setting = Setting(secrets.randbelow(MOST_DRAWN) if seed is None else seed, full, jobs)
    results = []
    for test in wanted:
        results.append(test.run(setting))
        if progress:
            progress(1)
    return Qualification(day, setting.seed, full, installation.machine(), tuple(results), only)


def _day(on: str | date | None) -> date:
    if on is None:
        return date.today()
    if isinstance(on, date):
        return on
    try:
        return date.fromisoformat(on)
    except ValueError:
        raise DesignError(f"on = {on!r} is no day; write it as 2026-03-31") from None
