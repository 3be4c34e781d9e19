"""What a protocol asks of its patients' data: which columns, doses, cohorts, visits and windows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil

from trialsim.errors import DesignError
from trialsim.given import number_in
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario
from trialsim.scenario.values import AMOUNT


@dataclass(frozen=True)
class Asked:
    """The part of a scenario that a file of patients is read against.

    Attributes:
        doses: the labels, starting dose first; empty where the scenario names none, so that none is read.
        cohorts: what may stand in the column -> the cohort; empty where there are none.
        arms: the cohort of each dose level, where the doses are the cohorts; else empty.
        needed: columns that the protocol cannot do without.
        confirmed: a response counts when it is confirmed.
        visits: days from the start of treatment to each assessment, rounded up to whole days; empty without conduct.
        window: days from the start of treatment within which a toxicity counts, as a fraction; None: not stated.
        replaced: patients who are not evaluable leave the count.
        most: patients who can be treated at most.
    """

    doses: tuple[str, ...]
    cohorts: dict[str, str]
    arms: tuple[str, ...]
    needed: frozenset[str]
    confirmed: bool
    visits: tuple[int, ...]
    window: Fraction | None
    replaced: bool
    most: int

    @classmethod
    def of(cls, trial: Compiled) -> Asked:
        """What the protocol of a scenario asks."""
        s = trial.scenario
        if s.designs:
            raise DesignError(
                "`cohorts.designs`: a running trial is replayed by one design; give the patients of each cohort to a "
                "scenario with its design and without `cohorts`"
            )
        conduct, strata = s.conduct, s.strata if s.cohorts else ()
        window = conduct.toxicity_window_weeks if conduct else None
        return cls(
            doses=s.doses if "doses" in s.model_fields_set or len(s.doses) > 1 else (),
            cohorts={
                _same(name): stratum.cohort_name
                for stratum in (() if s.from_start else strata)
                for name in (stratum.name, stratum.cohort_name)
            },
            arms=trial.cohorts if s.from_start else (),
            needed=frozenset(_needed(trial)),
            confirmed=conduct is not None and conduct.confirmed,
            visits=tuple(map(_days, conduct.assessment_weeks)) if conduct else (),
            window=None if window is None else 7 * _exact(window),
            replaced=s.evaluability.replaced,
            most=trial.rules.most_treated,
        )

    @property
    def window_days(self) -> int | None:
        """Days after which a patient without toxicity is known to be free of it."""
        return None if self.window is None else ceil(self.window)

    @property
    def last_chance(self) -> int | None:
        """Days after which nobody can have a first sight of a response any more; None without conduct."""
        return self.visits[-2 if self.confirmed else -1] if self.visits else None

    def confirmed_by(self, seen: int) -> int | None:
        """Days at which a response first seen on day ``seen`` is confirmed if ever: the visit after the nearest."""
        if not self.visits:
            return None
        at = min(range(len(self.visits)), key=lambda k: abs(self.visits[k] - seen))
        return max(self.visits[min(at + 1, len(self.visits) - 1)], seen)


def toxicity_matters(trial: Compiled) -> bool:
    """Whether a rule of the protocol counts toxicities."""
    s = trial.scenario
    rule = s.dose_reduction.kind if s.dose_reduction else "none"
    return rule not in ("none", "amendment") or bool(trial.rules.looks.too_toxic)


def _needed(trial: Compiled) -> Iterator[str]:
    s = trial.scenario
    yield from ("id", "enrolled", "response", "response_date")
    if len(s.doses) > 1:
        yield "dose"
    if s.own_rules and not s.from_start:
        yield "cohort"
    if s.evaluability.replaced:
        yield "evaluable"
    if s.conduct is not None and s.conduct.confirmed:
        yield "confirmed_date"
    if toxicity_matters(trial):
        yield from ("toxicity", "toxicity_date")


def levels_by_name(scenario: Scenario) -> dict[str, int]:
    """What may stand for each dose level: its label, blanks and case aside, and a bare number that means no other."""
    found: dict[str, set[int]] = defaultdict(set)
    for level, label in enumerate(scenario.doses):
        found[_same(label)].add(level)
        if stated := AMOUNT.fullmatch(label):
            found[_plain(stated[1])].add(level)
        if scenario.dose_amounts is not None:
            found[_plain(str(scenario.dose_amounts[level]))].add(level)
    return {name: levels.pop() for name, levels in found.items() if len(levels) == 1}


def dose_called(text: str, levels: dict[str, int]) -> int | None:
    """The dose level that a cell means, or None."""
    level = levels.get(_same(text))
    if level is None and number_in(text) is not None:
        level = levels.get(_plain(text))
    return level


def cohort_called(text: str, cohorts: dict[str, str]) -> str | None:
    """The cohort that a cell means, or None."""
    return cohorts.get(_same(text))


def _same(text: str) -> str:
    return "".join(text.split()).lower()


def _plain(number: str) -> str:
    """A number written one way: 100, 100.0 and 1e2 are the same dose."""
    return f"{Decimal(number).normalize():f}"


def _exact(weeks: float) -> Fraction:
    return Fraction(str(weeks))


def _days(weeks: float) -> int:
    return ceil(7 * _exact(weeks))
