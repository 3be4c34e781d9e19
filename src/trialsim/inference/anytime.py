"""What a trial may say of its rate at a moment that nobody planned: e-value, decision and limits after n patients.

Outcomes that are pending, and patients who cannot be evaluated, count as non-responses: each keeps M below what it
will be, so a rejection stands whatever they turn out to be. For the upper limit they count as responses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Any

from trialsim.inference.e_process import (
    NEAR,
    Mixture,
    Prior,
    Process,
    Ratio,
    ends_at,
    limits,
    lower_limit,
    ratio_limit,
    reaches,
    running,
    value,
)

UNIFORM: Prior = (1.0, 1.0)

Outcome = int | None
"""1: a response, 0: none, None: pending."""


@dataclass(frozen=True)
class Test:
    """Which e-process decides, and when: all of it stated before the first look.

    Attributes:
        p0, p1: as written; p1 None: the mixture decides.
        alpha: an e-value of 1/alpha rejects p <= p0.
        mixture: whether the mixture decides where p1 is there.
        prior: of the mixture, restricted to the rates above p0.
    """

    p0: Fraction
    p1: Fraction | None
    alpha: Fraction
    mixture: bool = False
    prior: Prior = UNIFORM

    @property
    def level(self) -> Fraction:
        """The e-value that rejects."""
        return 1 / self.alpha

    @property
    def processes(self) -> dict[str, Process]:
        """By name, the one that decides first."""
        mixture: dict[str, Process] = {"mixture": Mixture(self.p0, self.prior)}
        if self.p1 is None:
            return mixture
        ratio: dict[str, Process] = {"ratio": Ratio(self.p0, self.p1)}
        return mixture | ratio if self.mixture else ratio | mixture

    def lower(self, n: int, x: int) -> dict[str, float]:
        """One-sided lower limits after n patients, by name of the process."""
        found = {"mixture": lower_limit(n, x, self.alpha)}
        if self.p1 is not None:
            found["ratio"] = ratio_limit(n, x, self.p1, self.alpha)
        return {name: found[name] for name in self.processes}

    @property
    def decides(self) -> str:
        """The name of the one that decides."""
        return next(iter(self.processes))


@dataclass(frozen=True)
class Anytime:
    """The evidence so far.

    Attributes:
        n, x, pending: patients in enrolment order, responses known among them, outcomes pending.
        by_path: whether the order of the outcomes is known: the largest e-value so far counts, and limits are kept.
        level: the e-value that rejects.
        e_values: now, by name of the process.
        largest: of the process that decides: along the path, or now.
        rejected_at: the first patient with whom it has reached 1/alpha; None where it has not.
        lower: one-sided lower limits, by name: that of the ratio is p0 or more when, and only when, the ratio rejects
            p0; that of the mixture is by Beta(1, 1) whatever its prior.
        low, high: two-sided limits by the mixture over all rates; along a path they may cross.
    """

    n: int
    x: int
    pending: int
    by_path: bool
    level: float
    e_values: dict[str, float]
    largest: float
    rejected_at: int | None
    lower: dict[str, float]
    low: float
    high: float

    @property
    def p_value(self) -> float:
        """1 / largest e-value, at most 1: a p-value that holds at any moment."""
        return 1 / max(self.largest, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**vars(self), "p_value": self.p_value}


def after_counts(test: Test, n: int, x: int, pending: int = 0) -> Anytime:
    """The evidence of n patients as they are now, the order of their outcomes unknown."""
    processes = test.processes
    now = {name: value(process, n, x) for name, process in processes.items()}
    there = reaches(processes[test.decides], n, x, test.level)
    return Anytime(
        n,
        x,
        pending,
        False,
        float(test.level),
        now,
        now[test.decides],
        n if there else None,
        test.lower(n, x),
        limits(n, x, test.alpha)[0],
        limits(n, x + pending, test.alpha)[1],
    )


def after_path(test: Test, outcomes: Sequence[Outcome]) -> Anytime:
    """The evidence of outcomes in enrolment order."""
    least = [outcome or 0 for outcome in outcomes]
    most = [1 if outcome is None else outcome for outcome in outcomes]
    n, x, processes = len(least), sum(least), test.processes
    process = processes[test.decides]
    low, high = running(least, most, test.alpha)
    lowers = [test.lower(m, y) for m, y in enumerate(accumulate(least), 1)]
    return Anytime(
        n,
        x,
        outcomes.count(None),
        True,
        float(test.level),
        {name: value(each, n, x) for name, each in processes.items()},
        max((value(process, m, y) for m, y in enumerate(accumulate(least), 1)), default=1.0),
        ends_at(process, least, test.level),
        {name: max(each[name] for each in lowers) for name in processes},
        low,
        high,
    )


@dataclass(frozen=True)
class Part:
    """A cohort, or the patients at one dose where the test was begun anew.

    ``claimed``: p <= p0 is rejected for this part, the probability of any false claim among all parts being at most
    alpha.
    """

    name: str
    n: int
    x: int
    e_value: float
    lower: float
    claimed: bool


@dataclass(frozen=True)
class Parts:
    """Parts of one trial, each with an e-value of its own.

    Attributes:
        mean: the mean of the e-values, one itself: against p <= p0 in every part.
        rejected: whether it has reached 1/alpha.
    """

    parts: tuple[Part, ...]
    mean: float
    rejected: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"mean": self.mean, "rejected": self.rejected, "parts": [vars(part) for part in self.parts]}


def in_parts(test: Test, counts: Mapping[str, tuple[int, int]]) -> Parts:
    """Patients and responses of each part, by name, all of the same moment.

    A part is claimed where the mean over every set of parts that has it is at least 1/alpha: the closed test by means.
    Of the sets of one size the one with the smallest others decides.
    """
    process = test.processes[test.decides]
    values = {name: _at_least(process, n, x) for name, (n, x) in counts.items()}

    def claimed(name: str) -> bool:
        others = sorted(e for other, e in values.items() if other != name)
        sums = accumulate(others, initial=values[name])
        return all(total >= k * test.level for k, total in enumerate(sums, 1))

    parts = tuple(
        Part(name, n, x, value(process, n, x), test.lower(n, x)[test.decides], claimed(name))
        for name, (n, x) in counts.items()
    )
    mean = sum(values.values(), Fraction(0)) / len(values)
    return Parts(parts, sum(part.e_value for part in parts) / len(parts), mean >= test.level)


def _at_least(process: Process, n: int, x: int) -> Fraction:
    """M as a fraction; where it is none, a little less than the float."""
    exact = process.exact(n, x)
    return Fraction(value(process, n, x) * (1 - NEAR)) if exact is None else exact
