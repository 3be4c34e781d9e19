"""What may still become of a patient whose outcome is not known yet, given how long she has been followed.

Two conventions. ``at_rate``: a pending patient responds at the rate of the truth, however long followed. ``follow_up``:
what the conduct says of when responses and progressions are seen is used: who has long been on treatment without a
progression is more likely a responder. All in whole days after the start of treatment; a fact of a day
is known at its end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from trialsim.codes import DAYS_PER_MONTH
from trialsim.errors import DesignError
from trialsim.kernels.tables import (
    EVALUABLE_IF_NOT,
    EVALUABLE_IF_SO,
    STABLE,
    Float64,
)
from trialsim.ongoing.seen import Seen
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.truth import plackett

Convention = Literal["at_rate", "follow_up"]
DAYS_A_WEEK = 7
_CERTAIN = float(1 << 32)


@dataclass(frozen=True)
class Outcome:
    """P(what is known of a patient, and how it ends), linear in the rate: ``p * responder + (1 - p) * other``.

    Attributes:
        yes, no, leaves: (given a responder, given none) the outcome is a counted response, a counted non-response, or
            that she leaves the count (inevaluable where such patients are replaced).
    """

    yes: tuple[float, float]
    no: tuple[float, float]
    leaves: tuple[float, float] = (0.0, 0.0)

    def at(self, p: float) -> tuple[float, float, float]:
        """The three at a rate: yes, no, leaves; their sum is the likelihood of what is known."""
        yes, no, leaves = (p * so + (1 - p) * other for so, other in (self.yes, self.no, self.leaves))
        return yes, no, leaves

    def given(self, rate: Float64) -> tuple[Float64, Float64, Float64]:
        """(Q,) the three given what is known, at each rate; where that is impossible, as nothing were known of her."""
        three = [rate * so + (1 - rate) * other for so, other in (self.yes, self.no, self.leaves)]
        total = three[0] + three[1] + three[2]
        possible = total > 0
        safe = np.where(possible, total, 1.0)
        unknown = (rate, 1 - rate, np.zeros_like(rate))
        yes, no, leaves = (np.where(possible, a / safe, b) for a, b in zip(three, unknown, strict=True))
        return yes, no, leaves


@dataclass(frozen=True)
class Nature:
    """What the truth of a case and the conduct say of one patient, as probabilities."""

    visits: tuple[int, ...]
    seen_at: tuple[float, ...]
    missed_at: tuple[float, ...]
    found_at: tuple[tuple[float, ...], tuple[float, ...]]
    confirmation: int
    response: tuple[float, ...]
    toxicity: tuple[tuple[float, float], ...]
    evaluable: tuple[tuple[float, float], ...]
    stable: tuple[float, ...]
    window: int
    early: float
    replaced: bool

    @classmethod
    def of(cls, trial: Compiled, case: str) -> Nature:
        """The nature of a case.

        Raises:
            DesignError: cohorts that differ, or a response that drifts: chances are not worked out for them.
        """
        strata = trial.strata[case]
        alike = len({(r, s) for r, s in zip(strata.rates, strata.stable, strict=True)}) == 1
        if trial.scenario.own_rules or not alike:
            raise DesignError(
                "cohorts: what is ahead of a running trial is worked out for patients who are analysed together and "
                "have one truth"
            )
        if trial.rates[case].drift is not None:
            raise DesignError(
                f"truth.{case}.drift: what is ahead is worked out for rates that stay as they are"
            )
        if trial.rules.randomise is not None:
            raise DesignError("dose_decision.after_trigger: what is ahead is worked out for doses in turn")
        conduct = trial.scenario.conduct
        if conduct is None:
            raise DesignError(
                "conduct: what is ahead of a running trial needs to know when outcomes are assessed"
            )
        rates, rows = trial.rates[case], trial.strata[case].thresholds()[:, 0, :] / _CERTAIN
        weeks, window = conduct.assessment_weeks, conduct.toxicity_window_weeks or 0.0
        monthly = conduct.withdrawal_per_month * DAYS_A_WEEK / DAYS_PER_MONTH
        hazard, control = math.log(2) / conduct.progression_median_weeks, conduct.disease_control_week
        before = -math.expm1(-hazard * control)
        both = [plackett(p, t, rates.odds_ratio) for p, t in zip(rates.response, rates.toxicity, strict=True)]
        return cls(
            visits=tuple(math.floor(DAYS_A_WEEK * week + 0.5) for week in weeks),
            seen_at=_steps(conduct.seen_by()),
            missed_at=_steps([*(-math.expm1(-monthly * week) for week in weeks), 1.0]),
            found_at=(
                _steps([*(-math.expm1(-hazard * min(week, control)) / before for week in weeks), 1.0]),
                _steps([*(-math.expm1(-hazard * max(week - control, 0.0)) for week in weeks), 1.0]),
            ),
            confirmation=int(conduct.confirmed),
            response=rates.response,
            toxicity=tuple(
                ((t - b) / (1 - p) if p < 1 else t, b / p if p > 0 else t)
                for p, t, b in zip(rates.response, rates.toxicity, both, strict=True)
            ),
            evaluable=tuple((r[EVALUABLE_IF_NOT], r[EVALUABLE_IF_SO]) for r in rows),
            stable=tuple(rows[:, STABLE]),
            window=math.floor(DAYS_A_WEEK * window + 0.5),
            early=conduct.early_onset,
            replaced=trial.rules.replaced,
        )

    def onset_by(self, day: int) -> float:
        """G: the share of toxicities whose onset is on a day or before, counted from the start of treatment."""
        if self.window == 0:
            return 1.0
        half, passed = self.window / 2, min(max(day + 1, 0), self.window)
        if passed <= half:
            return self.early * passed / half
        return self.early + (1 - self.early) * (passed - half) / half

    def outcome(self, level: int, day: int, unconfirmed: int | None = None) -> Outcome:
        """What is known by the end of a day after the start, and how it ends; ``day`` -1: nothing is known.

        Args:
            level: her dose level.
            day: days since the start of treatment.
            unconfirmed: day on which a response was first seen that awaits confirmation; None where none was.
        """
        responder, other = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
        if_not, if_so = self.evaluable[level]
        missed = self.missed_at
        look_at = None if unconfirmed is None else self._visit_nearest(unconfirmed)
        last = len(self.visits) - 1 - self.confirmation
        early_known = self.visits[0] <= day
        leaves_not = 2 if self.replaced else 1
        for gone, share in enumerate(missed):
            there = gone > 0
            for sight, seen in enumerate(self.seen_at):
                weight = share * seen
                if weight == 0:
                    continue
                determined = if_so if there else 0.0
                confirmed = sight + self.confirmation
                known = self.visits[min(confirmed, gone)] if there else self.visits[0]
                shown = gone > sight and self.visits[sight] <= day
                if known > day and (shown and sight == look_at if look_at is not None else not shown):
                    responder[0 if gone > confirmed else 1] += weight * determined
                # inevaluable patients are known to be so at the first visit
                if not early_known and look_at is None:
                    responder[leaves_not] += weight * (1 - determined)
            if look_at is not None:
                continue
            determined = if_not if there else 0.0
            for controlled, portion in ((0, 1 - self.stable[level]), (1, self.stable[level])):
                for found, chance in enumerate(self.found_at[controlled]):
                    weight = share * portion * chance
                    known = self.visits[min(found, gone, last)] if there else self.visits[0]
                    if known > day:
                        other[1] += weight * determined
                    if not early_known:
                        other[leaves_not] += weight * (1 - determined)
        return Outcome(*((responder[k], other[k]) for k in (0, 1, 2)))

    def _visit_nearest(self, day: int) -> int:
        return min(range(len(self.visits)), key=lambda v: (abs(self.visits[v] - day), v))

    def response_of(self, seen: Seen, today: date, convention: Convention) -> Outcome:
        """What is known of the response of a patient, and how it ends.

        What the conduct says cannot be, such as nothing known past the last chance of a response, says nothing.
        """
        found = self._response_of(seen, today, convention)
        return found if sum(found.at(0.5)) > 0 else self.outcome(seen.level, -1)

    def _response_of(self, seen: Seen, today: date, convention: Convention) -> Outcome:
        if seen.inevaluable and self.replaced:
            if_not, if_so = self.evaluable[seen.level]
            leaves = (1 - if_so, 1 - if_not)
            # where the truth has no such patients, being one says nothing of the rate
            return Outcome((0, 0), (0, 0), leaves if any(leaves) else (1.0, 1.0))
        if seen.responded is not None:
            return Outcome((1, 0), (0, 0)) if seen.responded else Outcome((0, 0), (0, 1))
        if convention == "at_rate":
            return self.outcome(seen.level, -1)
        day = (today - seen.enrolled).days
        if seen.unconfirmed is not None:
            # one who is overdue has the chance of confirmation that she had when the response was seen
            first = (seen.unconfirmed - seen.enrolled).days
            sight = self.visits[self._visit_nearest(first)]
            return self.outcome(
                seen.level, sight if seen.response_overdue else max(sight, self._before(day, first)), first
            )
        if seen.response_overdue:
            return self.outcome(seen.level, -1)
        return self.outcome(seen.level, day)

    def _before(self, day: int, first: int) -> int:
        """The day, but not past the visit of confirmation, which may be some days late."""
        after = min(self._visit_nearest(first) + self.confirmation, len(self.visits) - 1)
        return min(day, self.visits[after] - 1)

    def toxicity_of(self, seen: Seen, today: date, responder: bool | None = None) -> tuple[float, float]:
        """P(what is known of her toxicity, and that there is none, that there is one), given her response."""
        no, yes = self.toxicity[seen.level]
        theta = yes if responder else no
        if seen.toxic is not None:
            return (0.0, theta) if seen.toxic else (1 - theta, 0.0)
        day = -1 if seen.toxicity_overdue else (today - seen.enrolled).days
        return 1 - theta, theta * (1 - self.onset_by(day))


def _steps(cumulated: Sequence[float]) -> tuple[float, ...]:
    """The probability of each value from cumulated ones."""
    return tuple(b - a for a, b in zip([0.0, *cumulated], cumulated, strict=False))
