"""A trial redesigned while it runs: the rest of it, of whatever size, that keeps the conditional type I error.

The conditional error is the probability at p0 that the planned design ends in a go from where the trial stands. A rest
with a level of at most that, chosen in any way from what is known by then, keeps the type I error that the design
attains: averaged over where the trial may stand, the conditional errors are that type I error. All of it in fractions.

Source: Müller HH, Schäfer H. Biometrics 2001;57:886-891.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from math import comb
from typing import Any, ClassVar

from trialsim.answers import Answer
from trialsim.codes import CONSIDER, FUTILE, GO
from trialsim.designs.exactly import alone, decimal, upper_tail
from trialsim.designs.rules import Looks
from trialsim.designs.spec import TESTS_NOTHING
from trialsim.errors import DesignError
from trialsim.given import takes
from trialsim.inference.stated import stated
from trialsim.results import digits12
from trialsim.scenario.model import Scenario

MOST_MORE = 1000
"""Patients of a rest at most."""


@dataclass(frozen=True)
class Standing:
    """Where a trial would stand once its pending outcomes are known.

    Attributes:
        pending_responses: how many of the pending patients respond.
        x: responses among the patients so far, those included.
        decision: ``futile`` and ``go`` are settled by the design, whatever comes; ``open``: the rest decides.
        error, power: P(go) of the planned design from there, at p0 and at p1.
    """

    pending_responses: int
    x: int
    decision: str
    error: Fraction
    power: Fraction


@dataclass(frozen=True)
class Rest:
    """A rest of the trial of ``n2`` patients, for one standing: a go if ``c2`` or more of them respond.

    ``c2`` is the least cut-off that keeps the conditional error, n2 + 1 where none does; ``used`` its level at p0,
    ``power`` the probability of a go at p1.
    """

    n2: int
    c2: int
    used: Fraction
    power: Fraction


@dataclass(frozen=True, repr=False)
class Redesign(Answer):
    """What may follow from where a trial stands; sizes are fixed, and each has the least cut-off that keeps alpha.

    Attributes:
        design, looks: the planned design.
        p0, p1: as written.
        m, x, pending: patients enrolled whose outcomes the rest is conditional on, responses known among them, and
            outcomes still pending.
        standings: one for each number of responses among the pending; one alone where none is.
        wanted: size of the rest that was asked for; None: no size was.
        power: conditional power that was asked for; None: none was.
        most: the largest rest looked at.
        x2: responses among the ``wanted`` patients of the rest, once they are known; None before.
    """

    kind: ClassVar[str] = "redesign"

    design: str
    looks: Looks
    p0: Fraction
    p1: Fraction
    m: int
    x: int
    pending: int
    standings: tuple[Standing, ...]
    wanted: int | None
    power: Fraction | None
    most: int
    x2: int | None = None

    @property
    def called(self) -> str:
        """The planned design."""
        return self.design

    @property
    def attained(self) -> Fraction:
        """Type I error that the planned design attains, and that no redesign exceeds."""
        return alone(self.looks, self.p0).p_go

    @cached_property
    def p_value(self) -> Fraction | None:
        """The smallest type I error at which the rest rejects, among the planned looks with any last cut-off.

        At each of them the rest has the conditional error of those looks as its level. A go is a p-value of at most the
        type I error that the design attains. None while the rest is not known.
        """
        if self.x2 is None or self.wanted is None:
            return None
        tail = upper_tail(self.wanted, self.x2, self.p0)
        levels = _levels(self.looks, self.m, self.p0)
        return min((level for level, errors in levels if tail <= errors[self.x]), default=Fraction(1))

    @property
    def open(self) -> tuple[Standing, ...]:
        """The standings from which the rest decides."""
        return tuple(standing for standing in self.standings if standing.decision == "open")

    def rest(self, n2: int, standing: Standing) -> Rest:
        """The rest of ``n2`` patients with the least cut-off that keeps the conditional error of a standing."""
        c2 = least_cut_off(n2, self.p0, standing.error)
        return Rest(n2, c2, upper_tail(n2, c2, self.p0), upper_tail(n2, c2, self.p1))

    @cached_property
    def _reaches(self) -> tuple[bool, ...]:
        """By n2 = 0, 1, ..: whether the conditional power wanted is there from every open standing."""
        wanted = self.power
        if wanted is None or not self.open:
            return ()
        return tuple(
            all(self.rest(n2, standing).power >= wanted for standing in self.open)
            for n2 in range(self.most + 1)
        )

    @property
    def first(self) -> int | None:
        """The smallest n2 with the conditional power that is wanted; None where none has it."""
        return next((n2 for n2, enough in enumerate(self._reaches) if enough), None)

    @property
    def stable(self) -> int | None:
        """The smallest n2 from which every larger one, up to ``most``, has the power too: it falls where c2 rises."""
        lacking = [n2 for n2, enough in enumerate(self._reaches) if not enough]
        found = lacking[-1] + 1 if lacking else 0
        return found if self._reaches and found <= self.most else None

    def sizes(self) -> Iterator[tuple[str, int]]:
        """The sizes of the rest that were asked for, by name."""
        for name, n2 in (("wanted", self.wanted), ("first", self.first), ("stable", self.stable)):
            if n2 is not None:
                yield name, n2

    def rows(self) -> list[dict[str, Any]]:
        """One dict a standing and size of the rest; one alone for a standing that is settled."""
        found: list[dict[str, Any]] = []
        for standing in self.standings:
            about = {
                "pending_responses": standing.pending_responses,
                "responses": standing.x,
                "decision": standing.decision,
                "conditional_error": float(standing.error),
                "planned_conditional_power": float(standing.power),
            }
            if standing.decision != "open":
                found.append(about)
                continue
            for name, n2 in self.sizes():
                rest = self.rest(n2, standing)
                level = {"level_used": float(rest.used), "conditional_power": float(rest.power)}
                found.append(
                    {**about, "size": name, "n2": n2, "c2": rest.c2, "go_at": standing.x + rest.c2, **level}
                )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain data, floats to 12 significant digits."""
        plain: dict[str, Any] = digits12(
            {
                "design": self.design,
                "p0": float(self.p0),
                "p1": float(self.p1),
                "patients": self.m,
                "responses": self.x,
                "pending": self.pending,
                "attained_alpha": float(self.attained),
                "power": None if self.power is None else float(self.power),
                "first": self.first,
                "stable": self.stable,
                "most": self.most,
                "responses_of_the_rest": self.x2,
                "p_value": None if self.p_value is None else float(self.p_value),
                "rests": self.rows(),
            }
        )
        return plain


@takes
def redesign(
    design: str | os.PathLike[str] | Mapping[str, Any] | Scenario,
    *,
    x1: int,
    m: int | None = None,
    pending: int = 0,
    n2: int | None = None,
    x2: int | None = None,
    power: float | None = None,
    p0: float | None = None,
    p1: float | None = None,
) -> Redesign:
    """The second stages that keep the type I error after what was seen, and the smallest with a wanted power.

    Every patient enrolled by then is conditioned on: where some of stage 2 are in already, state them in ``m``.

    Args:
        design: as ``trialsim.oc`` takes it; no look of it counts toxicities.
        x1: responses known among these patients.
        m: patients enrolled so far, those with pending outcomes included (default: the first look's). Looks at fewer
            patients must have been decided, and the trial have gone on.
        pending: how many outcomes are pending. The rest keeps the conditional error whatever they turn out to be.
        n2: size of the rest that is wanted, the patients after ``m``.
        x2: responses among the ``n2`` patients of the rest, once all are known: the p-value after the redesign.
        power: conditional power at p1 that is wanted.
        p0, p1: unacceptable and desirable response rate (default: the block's).

    Returns:
        Conditional error, and the rests asked for: ``found.first``, ``found.stable``, ``found.rows()``.

    Raises:
        DesignError: the trial cannot stand there, or a number is impossible.

    Examples:
        >>> found = trialsim.redesign("1/10 5/29", x1=3, power=0.9, p0=0.1, p1=0.3)
        >>> round(float(found.standings[0].error), 4), found.first, found.stable
        (0.2946, 16, 21)
    """
    read = stated(design, p0=p0, p1=p1)
    looks = read.looks
    if read.get("kind") in TESTS_NOTHING:
        raise DesignError(
            f"a design of the kind {read.get('kind')} tests nothing, so there is no error to be kept"
        )
    rates = [read.get(name) if value is None else value for name, value in (("p0", p0), ("p1", p1))]
    if None in rates:
        raise DesignError("state p0 and p1: the conditional error is of p0, the conditional power of p1")
    if not 0 < rates[0] < rates[1] < 1:
        raise DesignError(f"p0 = {rates[0]:g} and p1 = {rates[1]:g}: 0 < p0 < p1 < 1 is allowed")
    low, high = map(decimal, rates)
    _check(looks, n2, power)
    if x2 is not None and (n2 is None or pending or not 0 <= x2 <= n2):
        raise DesignError(
            f"x2 = {x2}: responses among the n2 patients of the rest, from 0 to n2, once nothing is pending"
        )
    m = looks.n[0] if m is None else m
    if not 0 <= m <= looks.planned_n:
        raise DesignError(f"m = {m}: from 0 to {looks.planned_n} patients of the design are allowed")
    if not (x1 >= 0 and pending >= 0 and x1 + pending <= m):
        raise DesignError(f"x1 = {x1} responses and {pending} pending outcomes do not fit {m} patients")
    check_passed(looks, m, x1, pending)
    errors, powers = (conditional_go(looks, m, rate) for rate in (low, high))
    standings = tuple(
        Standing(y, x1 + y, _decision(errors[x1 + y]), errors[x1 + y], powers[x1 + y])
        for y in range(pending + 1)
    )
    most = max(4 * looks.planned_n, 120, n2 or 0)
    wanted = None if power is None else decimal(power)
    return Redesign(read.name, looks, low, high, m, x1, pending, standings, n2, wanted, most, x2)


@lru_cache(maxsize=8)
def _levels(looks: Looks, m: int, p0: Fraction) -> tuple[tuple[Fraction, tuple[Fraction, ...]], ...]:
    """Type I error and conditional errors after m patients of the looks with each last cut-off there can be."""
    n = looks.planned_n
    found = []
    for r in range(-1, n + 1):
        last = tuple(FUTILE if x <= r else GO for x in range(n + 1))
        other = replace(looks, next=(*looks.next[:-1], last))
        found.append((alone(other, p0).p_go, conditional_go(other, m, p0)))
    return tuple(found)


def _check(looks: Looks, n2: int | None, power: float | None) -> None:
    if looks.too_toxic:
        raise DesignError(
            "looks of this design count toxicities: its conditional error is not of responses alone"
        )
    if any(CONSIDER in row for row in looks.next):
        raise DesignError("a design that may end in `consider` has no single test whose error could be kept")
    if n2 is not None and not 1 <= n2 <= MOST_MORE:
        raise DesignError(f"n2 = {n2}: from 1 to {MOST_MORE} patients more are allowed")
    if power is not None and not 0 < power < 1:
        raise DesignError(f"power = {power:g} must lie between 0 and 1")


def _decision(error: Fraction) -> str:
    """What the design says: settled where a look has ended the trial, or every completion agrees."""
    if error == 0:
        return "futile"
    return "go" if error == 1 else "open"


def check_passed(looks: Looks, m: int, x: int, pending: int) -> None:
    """Refuses counts with which no trial went on beyond the looks before m."""
    for n, row in zip(looks.n, looks.next, strict=True):
        on = [count for count, decision in enumerate(row) if decision >= 0]
        if n < m and not (on[0] <= x and x + pending <= on[-1] + m - n):
            raise DesignError(
                f"x1 = {x}: the trial goes on after the look at {n} patients with {on[0]} to {on[-1]} responses, so "
                f"after {m} it has {on[0]} to {on[-1] + m - n}"
            )


def conditional_go(looks: Looks, m: int, p: Fraction) -> tuple[Fraction, ...]:
    """P(the planned design ends in a go | x responses among the first m patients), for x = 0..m.

    Looks before m are taken as passed: whoever goes on beyond one has not stopped there.
    """
    later = [k for k, n in enumerate(looks.n) if n >= m]
    value: dict[int, list[Fraction]] = {}
    for k in reversed(later):
        n = looks.n[k]
        ahead = {j: _back(value[j], n, p) for j in {d for d in looks.next[k] if d >= 0}}
        value[k] = [
            Fraction(decision == GO) if decision in (GO, FUTILE) else ahead[decision][x]
            for x, decision in enumerate(looks.next[k])
        ]
    return tuple(_back(value[later[0]], m, p))


def _back(value: list[Fraction], m: int, p: Fraction) -> list[Fraction]:
    """The mean of a value of (n, x) from each (m, x), m <= n."""
    more, a, b = len(value) - 1 - m, p.numerator, p.denominator - p.numerator
    weights = [comb(more, y) * a**y * b ** (more - y) for y in range(more + 1)]
    whole = p.denominator**more
    return [sum((w * value[x + y] for y, w in enumerate(weights)), Fraction(0)) / whole for x in range(m + 1)]


def least_cut_off(n2: int, p0: Fraction, error: Fraction) -> int:
    """Least c2 with P(Bin(n2, p0) >= c2) <= error; n2 + 1, which nobody reaches, where no count has it."""
    low, high = 0, n2 + 1
    while low < high:
        middle = (low + high) // 2
        if upper_tail(n2, middle, p0) <= error:
            high = middle
        else:
            low = middle + 1
    return low
