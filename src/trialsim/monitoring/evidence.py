"""The response test as evidence that may be looked at whenever one likes, beside the design that was planned.

Before the trial: when it rejects, how often and after how many patients. In the trial: the e-value so far, what it
decides, and limits for the rate, whatever made the trial look, stop or go on (docs/anytime.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

from trialsim.answers import Answer
from trialsim.codes import CONSIDER, FUTILE, GO
from trialsim.designs.exactly import alone, decimal
from trialsim.designs.rules import Looks
from trialsim.designs.spec import TESTS_NOTHING, prior_fault
from trialsim.errors import DesignError
from trialsim.given import clip, takes, whole
from trialsim.inference.anytime import (
    UNIFORM,
    Anytime,
    Outcome,
    Parts,
    Test,
    after_counts,
    after_path,
    in_parts,
)
from trialsim.inference.e_process import Boundary, Course, boundary, course
from trialsim.inference.stated import stated
from trialsim.monitoring.redesign import check_passed, conditional_go
from trialsim.results import digits12
from trialsim.scenario.model import Scenario

MOST = 1000
"""Patients that are looked at one by one, at most."""

MARKS: dict[str, Outcome] = {"0": 0, "1": 1, "?": None, "p": None}
"""An outcome as it is written."""


@dataclass(frozen=True)
class Conduct:
    """What a rule does at the true rates.

    Attributes:
        rule: ``planned``, ``ratio`` or ``mixture``.
        futility: the e-value at which this rule stops for want of evidence; None: it does not.
        n: patients at most.
        p_reject, en: by rate, P(reject p <= p0) and mean patients.
        n_for_power: patients at most with which P(reject) at p1 is that of the planned design; None: more than 1,000,
            or not told.
    """

    rule: str
    futility: float | None
    n: int
    p_reject: dict[str, float]
    en: dict[str, float]
    n_for_power: int | None = None


@dataclass(frozen=True, repr=False)
class Evidence(Answer):
    """Evidence against p <= p0 beside a planned design.

    Attributes:
        design, looks: the planned design.
        test: which e-process decides, p0, p1 and alpha.
        n: patients at most.
        futility: e-value at which a trial may stop for want of evidence; the stop is non-binding.
        rates: true rates at which it is told what happens, by name.
        now: where the trial stands; None before it.
        planned_e: the e-value of the planned design there; None where there is none.
        parts: cohorts, or doses with a test each; None where there are none.
    """

    kind: ClassVar[str] = "evidence"

    design: str
    looks: Looks
    test: Test
    n: int
    futility: float
    rates: dict[str, float]
    now: Anytime | None = None
    planned_e: float | None = None
    parts: Parts | None = None

    @property
    def called(self) -> str:
        """The planned design."""
        return self.design

    @cached_property
    def bounds(self) -> dict[str, Boundary]:
        """By process, when it rejects and when it may stop for want of evidence."""
        fall = decimal(self.futility)
        return {
            name: boundary(process, self.n, self.test.level, fall)
            for name, process in self.test.processes.items()
        }

    @cached_property
    def conducts(self) -> tuple[Conduct, ...]:
        """The planned design, then each process that goes on to the last patient, then with the stop kept to."""
        assert self.test.p1 is not None
        exact = {name: alone(self.looks, decimal(p)) for name, p in self.rates.items()}
        power = float(exact["p1"].p_go)
        found = [
            Conduct(
                "planned",
                None,
                self.looks.planned_n,
                {name: float(each.p_go) for name, each in exact.items()},
                {name: float(each.en) for name, each in exact.items()},
            )
        ]
        for name, process in self.test.processes.items():
            stops = self.bounds[name]
            free = Boundary(stops.reject, (-1,) * self.n)
            enough = course(boundary(process, MOST, self.test.level), self.rates["p1"]).first_with(power)
            for bounds, futility in ((free, None), (stops, self.futility)):
                courses = {rate: course(bounds, p) for rate, p in self.rates.items()}
                found.append(_conduct(name, futility, self.n, courses, None if futility else enough))
        return tuple(found)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict a rule and true rate."""
        for each in self.conducts:
            for name, rate in self.rates.items():
                yield {
                    "rule": each.rule,
                    "futility": each.futility,
                    "n": each.n,
                    "rate": name,
                    "p": rate,
                    "p_reject": each.p_reject[name],
                    "en": each.en[name],
                    "n_for_planned_power": each.n_for_power,
                }

    def boundary_rows(self) -> Iterator[dict[str, Any]]:
        """One dict a process and number of patients."""
        for name, bounds in self.bounds.items():
            for n, (reject, stop) in enumerate(zip(bounds.reject, bounds.stop, strict=True), 1):
                yield {
                    "process": name,
                    "n": n,
                    "reject_at": reject if reject <= n else None,
                    "may_stop_at": stop if stop >= 0 else None,
                }

    def tables(self) -> Mapping[str, Iterable[Mapping[str, Any]]]:
        """What each rule does, and the boundaries patient by patient."""
        return {"evidence": list(self.rows()), "boundary": list(self.boundary_rows())}

    def to_dict(self) -> dict[str, Any]:
        """Plain data, floats to 12 significant digits."""
        test = self.test
        plain: dict[str, Any] = digits12(
            {
                "design": self.design,
                "p0": float(test.p0),
                "p1": None if test.p1 is None else float(test.p1),
                "alpha": float(test.alpha),
                "level": float(test.level),
                "n": self.n,
                "decides": test.decides,
                "prior": list(test.prior),
                "futility": self.futility,
                "conducts": list(self.rows()),
                "boundaries": list(self.boundary_rows()),
                "now": None if self.now is None else {**self.now.to_dict(), "planned_e": self.planned_e},
                "parts": None if self.parts is None else self.parts.to_dict(),
            }
        )
        return plain


def _conduct(
    name: str, futility: float | None, n: int, courses: Mapping[str, Course], enough: int | None
) -> Conduct:
    rejects = {rate: each.p_reject for rate, each in courses.items()}
    return Conduct(name, futility, n, rejects, {rate: each.en for rate, each in courses.items()}, enough)


@takes
def evidence(
    design: str | os.PathLike[str] | Mapping[str, Any] | Scenario,
    *,
    now: Sequence[int] | None = None,
    outcomes: str | None = None,
    parts: Mapping[str, Any] | None = None,
    p0: float | None = None,
    p1: float | None = None,
    alpha: float = 0.05,
    n: int | None = None,
    mixture: bool = False,
    prior: tuple[float, float] = UNIFORM,
    futility: float = 0.1,
    rates: Sequence[float] = (),
) -> Evidence:
    """Evidence against p <= p0 that may be looked at after any patient: boundary, power, e-value and limits so far.

    Args:
        design: the planned design, as ``trialsim.oc`` takes it; it says what the freedom costs.
        now: patients enrolled and responses known among them, (20, 6); who is pending or inevaluable did not respond.
        outcomes: instead, every patient in enrolment order: 1 response, 0 none, ? pending, such as ``"0010?1"``.
        parts: instead, patients and responses of each cohort, or of each dose where the test was begun anew, by name.
        p0, p1: unacceptable and desirable response rate (default: the block's).
        alpha: an e-value of 1/alpha rejects.
        n: patients at most (default: those of the design, or more if more are enrolled).
        mixture: whether the mixture over the rates above p0 decides, and not the likelihood ratio of p1.
        prior: Beta prior of that mixture.
        futility: e-value at which the trial may stop for want of evidence.
        rates: true rates at which it is told what happens, besides p0 and p1.

    Returns:
        Boundaries, what they do beside the planned design, and where the trial stands.

    Raises:
        DesignError: the design counts more than responses, or a number is impossible.

    Examples:
        >>> found = trialsim.evidence("1/10 5/29", now=(20, 6), p0=0.1, p1=0.3)
        >>> round(found.now.e_values["ratio"], 2), found.now.rejected_at
        (21.61, 20)
        >>> planned, ratio, *_ = found.conducts
        >>> round(planned.p_reject["p1"], 3), round(ratio.p_reject["p1"], 3)
        (0.805, 0.757)

    Sources: Wald A, Sequential Analysis, 1947; Robbins H, Ann Math Stat 1970;41:1397-1409; Ville J, Étude critique de
    la notion de collectif, 1939.
    """
    read = stated(design, p0=p0, p1=p1)
    looks = read.looks
    _check_design(read.get("kind"), looks)
    low, high = (read.get(name) if given is None else given for name, given in (("p0", p0), ("p1", p1)))
    if low is None or high is None:
        raise DesignError(
            "state p0 and p1: the evidence is against p0, and its likelihood ratio is that of p1"
        )
    if not 0 < low < high < 1:
        raise DesignError(f"p0 = {low:g} and p1 = {high:g}: 0 < p0 < p1 < 1 is allowed")
    if not 0 < alpha < 1:
        raise DesignError(f"alpha = {alpha:g} must lie between 0 and 1, such as 0.05")
    if not 0 < futility < 1:
        raise DesignError(f"futility = {futility:g}: an e-value between 0 and 1, such as 0.1")
    if fault := prior_fault(prior):
        raise DesignError(fault)
    if bad := [rate for rate in rates if not 0 < rate < 1]:
        raise DesignError(f"rates: {bad[0]:g} must lie between 0 and 1 (a rate, not a percentage)")
    test = Test(decimal(low), decimal(high), decimal(alpha), mixture, (float(prior[0]), float(prior[1])))
    told = {"p0": low, "p1": high} | {f"{rate:g}": rate for rate in rates if rate not in (low, high)}
    path = None if outcomes is None else _path(outcomes)
    if sum(given is not None for given in (now, outcomes, parts)) > 1:
        raise DesignError(
            "of now, outcomes and parts one is stated: counts, every outcome, or counts of each part"
        )
    seen = _seen(test, now, path)
    divided = None if parts is None else in_parts(test, _parts(parts))
    most = max(looks.planned_n, seen.n if seen else 0) if n is None else n
    if not 1 <= most <= MOST:
        raise DesignError(f"n = {most}: from 1 to {MOST:,} patients are looked at one by one")
    planned_e = None
    if seen is not None:
        attained = alone(looks, test.p0).p_go
        error = conditional_error(looks, test.p0, seen.n, seen.x, path)
        planned_e = None if error is None or not attained else float(error / attained)
    return Evidence(read.name, looks, test, most, futility, told, seen, planned_e, divided)


def _check_design(kind: str | None, looks: Looks) -> None:
    if kind in TESTS_NOTHING:
        raise DesignError(f"a design of the kind {kind} tests nothing, so there is nothing to compare with")
    if looks.too_toxic:
        raise DesignError("looks of this design count toxicities: the evidence here is of responses alone")
    if any(CONSIDER in row for row in looks.next):
        raise DesignError("a design that may end in `consider` has no single test to compare with")


def _path(outcomes: str) -> tuple[Outcome, ...]:
    """Outcomes in enrolment order from text; blanks and commas may stand between them."""
    marks = outcomes.replace(",", "").replace(";", "").split()
    text = "".join(marks).lower()
    if unknown := sorted({*text} - {*MARKS}):
        raise DesignError(
            f"outcomes: {clip(repr(unknown[0]))} is none; a patient is 1 (response), 0 (none) or ? (pending), in "
            "enrolment order, such as 0010?1"
        )
    return tuple(MARKS[mark] for mark in text)


def _seen(test: Test, now: Sequence[int] | None, path: Sequence[Outcome] | None) -> Anytime | None:
    if path is not None:
        if not 1 <= len(path) <= MOST:
            raise DesignError(f"outcomes: {len(path)} patients; from 1 to {MOST:,} are allowed")
        return after_path(test, path)
    if now is None:
        return None
    return after_counts(test, *_counts(now, "now"))


def _counts(given: Sequence[int], name: str) -> tuple[int, int]:
    if len(given) != 2 or not 0 <= given[1] <= given[0] or not 1 <= given[0] <= MOST:
        raise DesignError(
            f"{name} = {', '.join(map(str, given))}: patients (1 to {MOST:,}) and responses among them, such as 20,6"
        )
    return given[0], given[1]


def _parts(parts: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    if len(parts) < 2:
        raise DesignError("parts: two or more are stated, each with patients and responses")
    found = {}
    for name, given in parts.items():
        if not isinstance(given, list | tuple):
            raise DesignError(
                f"parts: {clip(repr(given))} of {clip(name)} must be patients and responses, such as (20, 6)"
            )
        found[name] = _counts([whole(each, f"parts: {name}") for each in given], f"parts: {clip(name)}")
    return found


def conditional_error(
    looks: Looks, p0: Fraction, n: int, x: int, path: Sequence[Outcome] | None = None
) -> Fraction | None:
    """P(the planned design ends in a go | what is known), pending outcomes as none; None where counts do not say.

    Along a path the planned looks are taken in their turn: after a stop it is 0 for good, after a go 1. By counts
    alone the looks before n are taken as passed, and beyond the planned n nothing is said.
    """
    if any(d >= 0 and d != k + 1 for k, row in enumerate(looks.next) for d in row):
        return None
    if path is not None:
        for m, row in zip(looks.n, looks.next, strict=True):
            if m <= n and (decision := row[sum(y or 0 for y in path[:m])]) in (FUTILE, GO):
                return Fraction(decision == GO)
    elif n > looks.planned_n:
        return None
    try:
        check_passed(looks, n, x, 0)
    except DesignError:
        return None
    return conditional_go(looks, n, p0)[x]
