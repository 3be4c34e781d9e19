"""What a protocol has decided of a trial under way, day by day: looks, the boundary, amendments and the end.

The days are lived through in order, each on what was known by then. Within a day: outcomes, toxicity rule, looks,
amendment, arrival; what an arrival brings about on its day comes before the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from trialsim.codes import (
    ACCRUAL,
    CONSIDER,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILE,
    FUTILITY,
    GO,
    GO_EARLY,
    NEVER,
    NEW_DOSE_ONLY,
    REDUCE,
    RESTART,
    TOO_TOXIC,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.kernels.tables import EARLY_DECISION
from trialsim.ongoing.readings import certain, weighed
from trialsim.ongoing.rules_in_days import InDays
from trialsim.ongoing.seen import Seen


@dataclass(frozen=True)
class DoseChange:
    """A dose reduction that was called for: the level left, when, and from when on the next one is given.

    ``by_boundary`` is False for an amendment after a patient or a month. ``switch`` is None where the trigger changes
    nothing, as accrual was complete; it may lie ahead.
    """

    level: int
    trigger: date
    by_boundary: bool
    switch: date | None


@dataclass(frozen=True)
class Decided:
    """The decision of ``look`` (from 0), its day, and the number of the start of looks it belongs to."""

    look: int
    decision: int
    day: date
    start: int


@dataclass(frozen=True)
class AtArrival:
    """How the protocol stood when a patient was enrolled, before her.

    ``paused_since`` is the day the pending interim look was filled, ``full_since`` that of the last place,
    ``hold_since`` the trigger; None where they do not hold.
    """

    level: int
    paused_since: date | None
    full_since: date | None
    hold_since: date | None


@dataclass(frozen=True)
class Course:
    """What was decided by the end of a day.

    Attributes:
        decided: decisions of looks, in order.
        changes: dose reductions called for, in order.
        end: code of the end (``codes``), None while the trial is open.
        ended: its day.
        level: the dose level of the next patient.
        look: the awaited look, from 0 (at the end of the trial: the last awaited).
        start: how often looks have begun again.
        counted_from: the patients that looks count, as places in the list of all.
        new_dose_only: whether only the verdict on the new dose is left.
        hold_until: the day of the switch while accrual is on hold.
        paused: whether accrual waits for the awaited interim look.
        full: whether all places of the final look are taken.
        at_arrival: by patient.
        unsettled: where inevaluable patients are replaced: a trigger or a stop fell when every place was taken if those
            still pending are evaluable, and was read as if a place were left; what follows from it may change.
        in_review: the decision of each look of the present start that is read, whether or not its day has come.
    """

    decided: tuple[Decided, ...]
    changes: tuple[DoseChange, ...]
    end: int | None
    ended: date | None
    level: int
    look: int
    start: int
    counted_from: tuple[int, ...]
    new_dose_only: bool
    hold_until: date | None
    paused: bool
    full: bool
    at_arrival: tuple[AtArrival, ...]
    unsettled: bool = False
    in_review: dict[int, int] = field(default_factory=dict)


def course(protocol: InDays, seen: Sequence[Seen], on: date, opened: date | None = None) -> Course:
    """Live through the days of a trial to the end of ``on``.

    Args:
        protocol: the protocol in days.
        seen: the patients in enrolment order, as known at the end of ``on``.
        on: the cut-off.
        opened: the day accrual opened; None: that of the first patient.

    Returns:
        What was decided by then.
    """
    return _Walk(protocol, seen, on, opened or (seen[0].enrolled if seen else on)).walk()


class _Walk:
    def __init__(self, protocol: InDays, seen: Sequence[Seen], on: date, opened: date) -> None:
        self.protocol, self.rules, self.seen, self.on, self.opened = (
            protocol,
            protocol.rules,
            seen,
            on,
            opened,
        )
        self.today = opened
        self.enrolled = self.enrolled_before = 0  # of the list; those before the dose of now was given
        self.decided: list[Decided] = []
        self.changes: dict[int, DoseChange] = {}
        self.acted: set[int] = set()
        self.switch_due: date | None = None
        self.on_hold = False
        self.level = 0
        self.end: int | None = None
        self.ended: date | None = None
        self.paused_since: date | None = None
        self.full_since: date | None = None
        self.at_arrival: list[AtArrival] = []
        self.start = -1
        self.unsettled = False
        self.new_dose_only = False
        self.begin()

    def begin(self) -> None:
        """Looks begin, or begin again at a new dose."""
        self.counts: list[int] = []
        self.look, self.start = 0, self.start + 1
        self.ready: dict[int, tuple[date, int]] = {}
        self.giving_up: date | None = None

    def walk(self) -> Course:
        days = {self.opened}
        for p in self.seen:
            days |= {d for d in (p.enrolled, p.response_known, p.toxicity_known) if d is not None}
        days |= {self.opened + timedelta(days=d) for d in self.protocol.amended_after if d}
        self.days = {day for day in days if day <= self.on}
        while self.days:
            self.today = min(self.days)
            self.days.remove(self.today)
            self.settle()
            while self.enrolled < len(self.seen) and self.seen[self.enrolled].enrolled <= self.today:
                self.arrive()
                self.settle()
        return Course(
            tuple(self.decided),
            tuple(self.changes.values()),
            self.end,
            self.ended,
            self.level,
            self.look,
            self.start,
            tuple(self.counts),
            self.new_dose_only,
            self.switch_due if self.on_hold else None,
            self.paused_since is not None,
            self.full_since is not None,
            tuple(self.at_arrival),
            self.unsettled,
            {k: decision for k, (_, decision) in self.ready.items()},
        )

    def later(self, days: int) -> date:
        """A day from today, which will be lived through."""
        day = self.today + timedelta(days=days)
        if self.today < day <= self.on:
            self.days.add(day)
        return day

    def settle(self) -> None:
        """All that happens today before the next arrival."""
        again = True
        while again and self.end is None:
            self.toxicity_rule()
            self.amendments()
            self.looks()
            self.want_of_patients()
            again = self.switch()
        self.mind_the_door()

    def arrive(self) -> None:
        place, patient = self.enrolled, self.seen[self.enrolled]
        hold = self.changes[self.level].trigger if self.on_hold else None
        self.at_arrival.append(AtArrival(self.level, self.paused_since, self.full_since, hold))
        self.enrolled += 1
        self.later(self.protocol.least_days)
        if self.rules.on_dose_change != RESTART or patient.level >= self.level:
            self.counts.append(place)

    # -- who is known

    def told(self, p: Seen) -> bool:
        return p.response_known is not None and p.response_known <= self.today

    def toxicity_told(self, p: Seen) -> bool:
        return p.toxicity_known is not None and p.toxicity_known <= self.today

    def candidates(self) -> list[Seen]:
        """Patients by whom looks may count as far as is known today."""
        everybody = [self.seen[i] for i in self.counts]
        return [p for p in everybody if not (self.rules.replaced and p.inevaluable and self.told(p))]

    def at_level(self, level: int) -> list[Seen]:
        return [p for p in self.seen[: self.enrolled] if p.level == level]

    def final_n(self) -> int:
        looks = self.rules.looks
        return looks.n[self.look] if looks.is_final(self.look) else looks.planned_n

    def complete(self) -> bool:
        """Whether the patients of the final look are enrolled, by what is known of them at the cut-off.

        Where inevaluable patients are replaced, one whose outcome is pending may still turn out to be one: she is not
        enough for the trial to be complete.
        """
        counted = [
            self.seen[i] for i in self.counts if not (self.rules.replaced and self.seen[i].inevaluable)
        ]
        sure = [p for p in counted if not self.rules.replaced or p.response_known is not None]
        return len(sure) >= self.final_n()

    def dose_matters(self) -> bool:
        """Whether places are left, so that a change of dose matters; notes where that cannot be said yet."""
        counted = [
            self.seen[i] for i in self.counts if not (self.rules.replaced and self.seen[i].inevaluable)
        ]
        self.unsettled |= not self.complete() and len(counted) >= self.final_n()
        return not self.complete()

    def no_more(self) -> bool:
        return len(self.counts) >= self.rules.max_treated or self.enrolled >= self.protocol.most

    def mind_the_door(self) -> None:
        """Whether accrual waits for a look or is complete."""
        places, final = len(self.candidates()), self.final_n()
        full = places >= final or self.no_more()
        n = self.rules.looks.n[self.look]
        paused = self.protocol.pauses and not self.new_dose_only and places >= n and not full
        self.full_since = (self.full_since or self.today) if full else None
        self.paused_since = (self.paused_since or self.today) if paused else None

    # -- toxicity

    def crossed(self, row: Sequence[int]) -> bool:
        seen = 0
        for m, p in enumerate(self.at_level(self.level), start=1):
            if not (self.protocol.as_it_happens or self.toxicity_told(p)):
                return False
            seen += bool(p.toxic) and self.toxicity_told(p)
            if m < len(row) and seen >= row[m]:
                return True
        return False

    def toxicity_rule(self) -> None:
        monitor, level = self.rules.monitor, self.level
        if level in self.acted or level in self.changes or not self.crossed(monitor.act_ge[level]):
            return
        self.acted.add(level)
        if self.crossed(monitor.stops_from(level)):
            short = not self.new_dose_only and self.rules.looks.ends_early(self.look)
            short = short and self.rules.looks.is_final(self.look)
            self.close(TOXICITY if self.dose_matters() or short else TOXICITY_AT_N)
        elif monitor.action[level] == REDUCE:
            self.trigger(by_boundary=True)

    def amendments(self) -> None:
        if self.end is not None or self.level in self.changes:
            return
        after = self.rules.monitor.at_enrolled[self.level]
        months = self.protocol.amended_after[self.level]
        by_patient = 0 < after <= self.enrolled and self.enrolled > self.enrolled_before
        by_month = bool(months) and self.opened + timedelta(days=months) <= self.today
        if by_patient or by_month:
            self.trigger(by_boundary=False)

    def trigger(self, *, by_boundary: bool) -> None:
        switch = None
        if self.dose_matters():
            self.on_hold = self.protocol.hold
            switch = self.switch_due = self.later(self.protocol.lag)
        self.changes[self.level] = DoseChange(self.level, self.today, by_boundary, switch)

    def switch(self) -> bool:
        """The amendment takes effect, if it is due and accrual is not complete."""
        if self.end is not None or self.switch_due is None or self.switch_due > self.today:
            return False
        self.switch_due, self.on_hold = None, False
        if not self.dose_matters():
            left = self.changes[self.level]
            self.changes[self.level] = DoseChange(left.level, left.trigger, left.by_boundary, None)
            return False
        self.level += 1
        self.enrolled_before = self.enrolled
        if self.rules.on_dose_change == RESTART:
            self.begin()
        elif self.rules.on_dose_change == NEW_DOSE_ONLY:
            self.new_dose_only, self.look, self.ready = True, len(self.rules.looks.n) - 1, {}
        return True

    # -- looks and ends

    def reading(self, k: int) -> int | None:
        """The decision of look k once nothing can change it, where it waits for no more."""
        looks = self.rules.looks
        if self.new_dose_only:
            here = self.at_level(self.level)
            if k != self.look or not self.complete() or not all(self.told(p) for p in here):
                return None
            return (
                GO if sum(bool(p.responded) for p in here) >= self.protocol.attained_ge[len(here)] else FUTILE
            )
        n, cut = looks.n[k], looks.toxic_ge[k] if looks.toxic_ge else NEVER
        if self.protocol.weighs(k):
            return weighed(self.protocol, k, self.candidates(), self.today)
        told = [p for p in self.candidates()[:n] if self.told(p)]
        x, open_x = sum(bool(p.responded) for p in told), n - len(told)
        t = open_t = 0
        if cut < NEVER:
            watched = [self.seen[i] for i in self.counts[:n]]
            known = [p for p in watched if self.toxicity_told(p)]
            t, open_t = sum(bool(p.toxic) for p in known), n - len(known)
        if (open_x or open_t) and (self.protocol.interim != EARLY_DECISION or looks.is_final(k)):
            return None
        return certain(looks.next[k], cut, (x, x + open_x), (t, t + open_t))

    def looks(self) -> None:
        if self.end is not None:
            return
        lag = self.protocol.review_lag
        for k in range(len(self.rules.looks.n)):
            if k not in self.ready and (decision := self.reading(k)) is not None:
                self.ready[k] = self.later(lag), decision
        while self.end is None and self.look in self.ready and self.ready[self.look][0] <= self.today:
            decision = self.ready[self.look][1]
            self.decided.append(Decided(self.look, decision, self.today, self.start))
            if decision >= 0:
                self.look = decision
            else:
                self.close(self.end_of(decision))

    def end_of(self, decision: int) -> int:
        looks, k = self.rules.looks, self.look
        early = {FUTILE: FUTILITY, GO: GO_EARLY, TOO_TOXIC: TOXICITY}
        planned = {FUTILE: FINAL_NO_GO, GO: FINAL_GO, CONSIDER: FINAL_CONSIDER, TOO_TOXIC: TOXICITY_AT_N}
        if self.new_dose_only or (looks.is_final(k) and not looks.ends_early(k)):
            return planned[decision]
        return early[decision]

    def want_of_patients(self) -> None:
        """Nobody else can come and the final look lacks patients: the end when all there is has been reviewed."""
        if self.end is not None:
            return
        both = self.rules.looks.too_toxic > 0
        everybody = self.seen[: self.enrolled]
        heard = all(self.told(p) and (self.toxicity_told(p) or not both) for p in everybody)
        if self.no_more() and heard and not self.complete() and self.giving_up is None:
            self.giving_up = self.later(self.protocol.review_lag)
        if self.giving_up is not None and self.giving_up <= self.today:
            self.close(ACCRUAL)

    def close(self, end: int) -> None:
        self.end, self.ended = end, self.today
