"""What a test of a qualification is, how it is run, and what came of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from trialsim.qualification.comparing import Compared

INSTALLATION, OPERATION, PERFORMANCE = "installation", "operation", "performance"
PASS, FAIL, NOT_DONE = "pass", "fail", "not done"
TOLD = 3
"""Differences told one by one."""


class CannotBeDone(Exception):
    """A test that does not apply here; the words say why."""


@dataclass(frozen=True)
class Setting:
    """What a test may depend on.

    Attributes:
        seed: of all that is drawn.
        full: whether the longer form is wanted.
        jobs: workers; None: all processors.
    """

    seed: int
    full: bool
    jobs: int | None

    def drawn(self, test: str) -> random.Random:
        """Random numbers of a test's own, so that no test hangs on another."""
        return random.Random(f"{self.seed} {test}")

    def times(self, few: int, many: int) -> int:
        """So many in the short form, and in the longer one."""
        return many if self.full else few


Work = Callable[[Setting], Iterable[Compared]]


@dataclass(frozen=True)
class Test:
    """A requirement, and how it is tested.

    Attributes:
        id: as it stands in the report.
        source: where the numbers compared with come from; "" where they are worked out here.
        numbers, explained: how many comparisons there are, and how many of them are known to differ; None: as many as
            there are.
    """

    id: str
    part: str
    requirement: str
    how: str
    work: Work
    source: str = ""
    numbers: int | None = None
    explained: int = 0

    def run(self, setting: Setting) -> Result:
        """Whatever happens is a result: what ends in an error has failed."""
        began, found, told = time.perf_counter(), [], []
        outcome = ""
        try:
            found = list(self.work(setting))
        except CannotBeDone as why:
            outcome, told = NOT_DONE, [str(why)]
        except Exception as error:
            outcome, told = FAIL, [f"ended with {type(error).__name__}: {str(error)[:200]}"]
        different = [one for one in found if not (one.equal or one.explained)]
        explained = sum(bool(one.explained) and not one.equal for one in found)
        if not outcome:
            told = [_differs(one) for one in different[:TOLD]]
            if self.numbers is not None and len(found) != self.numbers:
                told.append(f"{len(found)} comparisons were made, and {self.numbers} are to be made")
            if explained != self.explained:
                told.append(f"{explained} numbers differ for a known reason, and {self.explained} should")
            if not found:
                told.append("nothing was compared")
            outcome = FAIL if told else PASS
        seconds = time.perf_counter() - began
        return Result(self, outcome, len(found), len(different), explained, tuple(told), seconds)


@dataclass(frozen=True)
class Result:
    """What came of a test.

    Attributes:
        outcome: pass, fail, or not done.
        compared, different, explained: comparisons; those that differ without a known reason, and with one.
        told: what differs, or why it was not done; empty where it passed.
        seconds: wall time.
    """

    test: Test
    outcome: str
    compared: int
    different: int
    explained: int
    told: tuple[str, ...]
    seconds: float

    def row(self) -> dict[str, Any]:
        """As it stands in ``results.json``: without the time, which is no result."""
        return {
            "id": self.test.id,
            "part": self.test.part,
            "requirement": self.test.requirement,
            "test": self.test.how,
            "source": self.test.source,
            "result": self.outcome,
            "compared": self.compared,
            "equal": self.compared - self.different - self.explained,
            "different": self.different,
            "different_explained": self.explained,
            "told": list(self.told),
        }


def _differs(one: Compared) -> str:
    return f"{one.where}: {_short(one.here)} here, {_short(one.stated)} stated"


def _short(value: Any) -> str:
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
