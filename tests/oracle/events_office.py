"""A trial in calendar time as its office lives it: dated events on a heap, each answered when its day has come.

Written from docs/conduct.md alone. Nothing is worked out ahead: the office knows what it has heard, and every outcome,
onset, decision, amendment and arrival is an event.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tests.oracle.events_patient import AccrualCurve, Arrival, Patient, enrol, first_below, gap
from tests.oracle.naive import key_of
from tests.oracle.planned import ends_at_the_planned_n
from trialsim.codes import (
    ACCRUAL,
    ALTERNATE,
    COIN,
    CONSIDER,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FROM_START,
    FUTILE,
    FUTILITY,
    GO,
    GO_EARLY,
    NEVER,
    REDUCE,
    STOP,
    TOO_TOXIC,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.designs.rules import Rules
from trialsim.kernels.tables import (
    CONTINUE_ACCRUAL,
    EARLY_DECISION,
    HOLD,
    NEW_DOSE_ONLY,
    RESTART,
    SWITCH,
    Calendar,
)

OUTCOMES, TOXICITY_RULE, TRIGGER, LOOKS, GIVING_UP, AMENDMENT, ARRIVAL = range(7)
"""Order within one tick: amendments by patient or month trigger with the toxicity rule, after its boundary; a trial
gives up for want of patients with its looks, after them."""


DAY = 1024


class Arm:
    """Patients looked at together: the trial, or a cohort with its own rules."""

    def __init__(self) -> None:
        self.everyone: list[Patient] = []
        self.end: int | None = None
        self.decided = -1
        self.last_needed: Patient | None = None  # later patients are overrun
        self.begin()

    def begin(self) -> None:
        """Start, or start again at a new dose, with no patient looked at."""
        self.patients: list[Patient] = []  # who enters the looks, in enrolment order
        self.look = 0  # the pending one
        self.new_dose_only = False
        self.ready: dict[
            int, tuple[int, int]
        ] = {}  # look -> the tick at which its decision was certain, decision
        self.last_weighed: dict[
            int, Patient
        ] = {}  # look -> the last patient it counts, where it weighed some
        self.giving_up = False

    @property
    def open(self) -> bool:
        return self.end is None


class Trial:
    """The trial office."""

    def __init__(
        self,
        rules: Rules,
        calendar: Calendar,
        thresholds: Any,
        seed: int,
        replicate: int,
        *,
        daily: bool = False,
    ) -> None:
        self.rules, self.calendar, self.daily = rules, calendar, daily
        self.thresholds = [[[int(x) for x in stratum] for stratum in level] for level in thresholds]
        self.key, self.replicate = key_of(seed), replicate
        self.curve = AccrualCurve(calendar)

        self.now = 0
        self.events: list[tuple[int, int, int, Callable[[], None]]] = []
        self.serial = 0

        self.arms = [Arm() for _ in range(calendar.cohorts if calendar.own else 1)]
        self.patients: list[Patient] = []
        self.at_level: list[list[Patient]] = [[] for _ in range(rules.levels)]
        self.level = 0
        self.triggered: list[int] = []  # levels whose dose reduction was triggered
        self.triggered_at = -1
        self.allocated: list[bool] = []  # patients since both doses are given: whether the lower one
        self.acted: set[int] = set()  # levels whose toxicity boundary was crossed

        self.arrivals = 0
        self.unit = 0  # unit-rate time of the next arrival
        self.expected = -1  # serial of the event of the next arrival; -1 while nobody is expected
        self.on_hold = False
        self.closed_since: int | None = None
        self.closures: list[tuple[int, int]] = []

    def run(self) -> None:
        """From the opening of accrual to the last decision."""
        for level, tick in enumerate(self.calendar.amended_at):
            if tick:
                self.at(int(tick), TRIGGER, partial(self.trigger, level))
        for arm in self.arms:
            self.at(0, LOOKS, partial(self.looks, arm))
        self.unit = gap(self.words_of_next().gap)
        self.expect_next()
        while any(arm.open for arm in self.arms):
            self.now, _, _, event = heapq.heappop(self.events)
            event()
            self.mind_the_door()

    def at(self, tick: int, phase: int, event: Callable[[], None]) -> int:
        """Put an event in the diary."""
        self.serial += 1
        heapq.heappush(self.events, (tick, phase, self.serial, event))
        return self.serial

    @property
    def from_start(self) -> bool:
        """Whether patients are randomised between two doses from the first one on."""
        return self.rules.randomise is not None and self.rules.randomise.how == FROM_START

    # --- arrival -------------------------------------------------------------------------------------------

    def words_of_next(self) -> Arrival:
        return Arrival(self.key, self.replicate, self.arrivals)

    def expect_next(self) -> None:
        """The next patient comes when the accrual curve says, but not before today."""
        if self.arrivals < self.calendar.max_arrivals:
            tick = max(self.now, self.curve.ticks(self.unit))
            self.expected = self.serial + 1
            self.at(tick, ARRIVAL, partial(self.arrive, self.expected))

    def mind_the_door(self) -> None:
        """Close accrual or open it again; the clock of the next patient stands still in between."""
        closed = self.on_hold or (not self.calendar.own and self.full(self.arms[0]))
        if closed and self.closed_since is None:
            self.closed_since, self.expected = self.now, -1
        elif not closed and self.closed_since is not None:
            self.closures.append((self.closed_since, self.now))
            self.unit += self.curve.units(self.now) - self.curve.units(self.closed_since)
            self.closed_since = None
            self.expect_next()

    def arrive(self, serial: int) -> None:
        """A patient comes, is treated or turned away, and the next is on the way."""
        if serial != self.expected:
            return  # accrual was closed meanwhile: a later day was or will be fixed
        words = self.words_of_next()
        stratum = first_below(words.stratum, self.calendar.stratum_by)
        arm = self.arms[int(self.calendar.cohort_of[stratum]) if self.calendar.own else 0]
        if self.from_start and (not arm.open or self.complete(arm)):
            stratum = 1 - stratum  # the other dose
            arm = self.arms[stratum]
        if arm.open and not self.full(arm):
            self.treat(arm, words, stratum)
        self.arrivals += 1
        self.expected = -1
        if self.arrivals < self.calendar.max_arrivals:
            self.unit += gap(self.words_of_next().gap)
            self.expect_next()
        for each in self.arms:
            self.perhaps_give_up(each)

    def treat(self, arm: Arm, words: Arrival, stratum: int) -> None:
        """The patient starts treatment; the diary gets the days on which the office will hear of her."""
        number, level = len(self.patients) + 1, self.level
        if self.from_start:
            level = stratum
        elif level > 0 and self.rules.randomise is not None:
            level = level if self.gets_lower(words) else 0
        patient = enrol(self.calendar, self.thresholds_now(), words, number, self.now, level, stratum)
        for group in (self.patients, self.at_level[level], arm.everyone, arm.patients):
            group.append(patient)
        self.at(patient.known, OUTCOMES, partial(self.hear_outcome, arm, patient))
        self.at(patient.toxicity_known, OUTCOMES, partial(self.hear_toxicity, arm, patient))
        self.at(self.now, TOXICITY_RULE, partial(self.toxicity_rule, level))
        if self.calendar.weighing.on:
            for tick in {self.now, self.now + self.calendar.weighing.minimum}:
                self.at(tick, LOOKS, partial(self.looks, arm))
        amended_after = self.rules.monitor.at_enrolled[level]
        if 0 < amended_after <= number:
            self.at(self.now, TRIGGER, partial(self.trigger, level))

    def thresholds_now(self) -> list[list[list[int]]]:
        """By level and stratum, of the patient who starts today: rates may change by patient, or by whole days."""
        strata = len(self.calendar.stratum_by)
        changes = len(self.thresholds[0]) // strata - 1
        since = len(self.patients)
        if self.daily and self.patients:
            since = (self.now - self.patients[0].arrival) // DAY
        first = min(since, changes) * strata
        return [level[first : first + strata] for level in self.thresholds]

    def gets_lower(self, words: Arrival) -> bool:
        """Draw the dose of the next patient after the trigger."""
        stated, before = self.rules.randomise, self.allocated
        assert stated is not None
        lower, higher = sum(before), len(before) - sum(before)
        size = stated.lower + stated.higher
        block = before[len(before) - len(before) % size :]
        if stated.per_dose and lower >= stated.per_dose and higher >= stated.per_dose:
            gets = True
        elif stated.per_dose and max(lower, higher) >= stated.per_dose:
            gets = lower < stated.per_dose
        elif stated.how == ALTERNATE:
            gets = len(block) < stated.lower
        elif stated.how == COIN:
            gets = words.allocation * size < stated.lower * 2**32
        else:
            gets = words.allocation * (size - len(block)) < (stated.lower - sum(block)) * 2**32
        before.append(gets)
        return gets

    # --- places --------------------------------------------------------------------------------------------

    def final_n(self, arm: Arm) -> int:
        """Patients of the final look: the pending one if it always ends the trial, else the last."""
        looks = self.rules.looks
        return looks.n[arm.look] if looks.is_final(arm.look) else looks.planned_n

    def short(self, arm: Arm) -> bool:
        """Whether the pending look always ends the trial, before a planned n that no trial reaches."""
        looks, k = self.rules.looks, arm.look
        return not arm.new_dose_only and looks.is_final(k) and not ends_at_the_planned_n(looks, k)

    def aim(self, arm: Arm) -> int:
        """Patients to enrol before accrual waits."""
        if self.calendar.interim == CONTINUE_ACCRUAL or arm.new_dose_only:
            return self.final_n(arm)
        return self.rules.looks.n[arm.look]

    def counted(self, arm: Arm) -> list[Patient]:
        """Patients by whom looks count, whether or not the office knows it yet."""
        return [p for p in arm.patients if p.evaluable or not self.rules.replaced]

    def candidates(self, arm: Arm) -> list[Patient]:
        """Patients by whom looks may count as far as the office knows."""
        return [p for p in arm.patients if not (self.rules.replaced and p.outcome_heard and not p.evaluable)]

    def no_more(self) -> bool:
        """Whether as many patients have come, or were treated (at this dose, after a restart), as ever may."""
        here = sum(len(arm.patients) for arm in self.arms)
        return here == self.rules.max_treated or self.arrivals == self.calendar.max_arrivals

    def full(self, arm: Arm) -> bool:
        return len(self.candidates(arm)) >= self.aim(arm) or self.no_more()

    def complete(self, arm: Arm) -> bool:
        """Whether the patients of the final look are all enrolled."""
        return len(self.counted(arm)) >= self.final_n(arm)

    def accrual_complete(self) -> bool:
        return all(self.complete(arm) for arm in self.arms if arm.open)

    # --- outcomes and the toxicity rule --------------------------------------------------------------------

    def hear_outcome(self, arm: Arm, patient: Patient) -> None:
        patient.outcome_heard = True
        self.at(self.now, LOOKS, partial(self.looks, arm))
        self.perhaps_give_up(arm)

    def hear_toxicity(self, arm: Arm, patient: Patient) -> None:
        """The onset of a toxicity, or the end of the window without one."""
        patient.toxicity_heard = True
        self.at(self.now, TOXICITY_RULE, partial(self.toxicity_rule, patient.level))
        self.at(self.now, LOOKS, partial(self.looks, arm))
        self.perhaps_give_up(arm)

    def crossing(self, level: int, row: Sequence[int]) -> Patient | None:
        """The patient with whom a boundary is crossed, as far as the office knows."""
        seen = 0
        for m, patient in enumerate(self.at_level[level], start=1):
            if not (self.calendar.as_it_happens or patient.toxicity_heard):
                return None  # the first m are not all known
            seen += patient.toxic and patient.toxicity_heard
            if seen >= row[m]:
                return patient
        return None

    def toxicity_rule(self, level: int) -> None:
        monitor = self.rules.monitor
        patient, stopped = self.crossing(level, monitor.act_ge[level]), None
        if monitor.action[level] == STOP:
            stopped = patient
        elif monitor.action[level] == REDUCE and monitor.stop_ge:
            stopped = self.crossing(
                level, monitor.stop_ge[level]
            )  # known at the same time: stopping comes first
        if patient is None or level in self.acted or level != self.level or level in self.triggered:
            return
        self.acted.add(level)
        if stopped is not None:
            full = self.accrual_complete()
            for arm in self.arms:
                if arm.open:
                    self.close(arm, TOXICITY_AT_N if full and not self.short(arm) else TOXICITY, stopped)
        elif self.rules.monitor.action[level] == REDUCE:
            self.trigger(level)

    def trigger(self, level: int) -> None:
        """A dose reduction is called for: by the boundary, or by an amendment."""
        if level != self.level or level in self.triggered:
            return
        if not self.triggered:
            self.triggered_at = self.now
        self.triggered.append(level)
        if not self.accrual_complete():
            self.on_hold = self.calendar.during_lag == HOLD
            lag = 0 if self.calendar.during_lag == SWITCH else self.calendar.lag
            self.at(self.now + lag, AMENDMENT, self.switch)

    def switch(self) -> None:
        """The amendment takes effect: the next patient starts one level lower."""
        self.on_hold = False
        if self.accrual_complete():
            return
        self.level += 1
        (arm, *_) = self.arms
        if self.calendar.after_change == RESTART:
            arm.begin()
            self.at(self.now, LOOKS, partial(self.looks, arm))
        elif self.calendar.after_change == NEW_DOSE_ONLY:
            arm.new_dose_only, arm.look, arm.ready = True, len(self.rules.looks.n) - 1, {}
        amended = int(self.calendar.amended_at[self.level])
        if 0 < amended <= self.now:
            self.at(self.now, TRIGGER, partial(self.trigger, self.level))

    # --- looks and ends ------------------------------------------------------------------------------------

    def reading(self, arm: Arm, k: int) -> int | None:
        """The decision of look k once it is certain: from its patients, or where allowed from every completion."""
        looks = self.rules.looks
        if arm.new_dose_only:
            here = self.at_level[self.level]
            if k != arm.look or not self.complete(arm) or not all(p.outcome_heard for p in here):
                return None
            return GO if sum(p.response for p in here) >= self.calendar.attained_ge[len(here)] else FUTILE
        if self.calendar.weighing.on and not looks.is_final(k):
            return self.weighed(arm, k)
        heard = [p for p in self.candidates(arm)[: looks.n[k]] if p.outcome_heard]
        responses, unheard = sum(p.response for p in heard), looks.n[k] - len(heard)
        cut = looks.toxic_ge[k] if looks.toxic_ge else NEVER
        told = [p for p in arm.patients[: looks.n[k]] if p.toxicity_heard] if cut < NEVER else []
        toxicities, untold = sum(p.toxic for p in told), looks.n[k] - len(told) if cut < NEVER else 0
        if (unheard or untold) and (self.calendar.interim != EARLY_DECISION or looks.is_final(k)):
            return None
        decisions = {
            TOO_TOXIC if t >= cut else looks.next[k][x]
            for t in range(toxicities, toxicities + untold + 1)
            for x in range(responses, responses + unheard + 1)
        }
        return decisions.pop() if len(decisions) == 1 else None

    def weighed(self, arm: Arm, k: int) -> int | None:
        """The decision of an interim look that weighs pending patients, if it is taken today."""
        looks, rule = self.rules.looks, self.calendar.weighing
        these = self.candidates(arm)[: looks.n[k]]
        unheard = [p for p in these if not p.outcome_heard]
        if len(these) < looks.n[k] or self.now < these[-1].arrival + rule.minimum:
            return None
        if len(unheard) > rule.allowed[k]:
            return None
        cut = looks.toxic_ge[k] if looks.toxic_ge else NEVER
        if cut < NEVER:
            if sum(p.toxic and p.toxicity_heard for p in these) >= cut:
                return TOO_TOXIC
            if sum(p.toxic or not p.toxicity_heard for p in these) >= cut:
                return None
        responses = sum(p.response and p.outcome_heard for p in these)
        sighted = [p for p in unheard if 0 <= p.sighted <= self.now]
        pending = [p for p in unheard if p not in sighted]
        open_decisions = looks.next[k][responses : responses + len(unheard) + 1]
        if len(set(open_decisions)) == 1:
            return open_decisions[0]
        failures = len(these) - responses - len(unheard)
        follow_up = [self.follow_up(self.now - p.arrival) for p in pending]
        if responses >= len(rule.futile_from[k]):
            futile = False
        elif len(rule.node):
            gain = 0.0
            for x, g, u in zip(rule.node, rule.gain[k], rule.unconfirmed[len(sighted)], strict=True):
                factors = [x] * responses + [1 - x] * failures + [1 - f / rule.window * x for f in follow_up]
                gain += math.prod(factors, start=g * u)
            futile = gain < 0
        else:
            without = failures * rule.window + len(sighted) * rule.doubt + sum(follow_up)
            futile = without >= rule.futile_from[k][responses][len(sighted)]
        return FUTILE if futile else max(open_decisions)

    def follow_up(self, age: int) -> int:
        """What a pending patient's time since enrolment counts for."""
        rule = self.calendar.weighing
        if not len(rule.credit):
            return min(age, rule.window)
        return max([0, *(int(c) for v, c in zip(self.calendar.visit, rule.credit, strict=True) if v <= age)])

    def looks(self, arm: Arm) -> None:
        """Note which looks have become certain, and take the decisions whose review is over."""
        lag = self.calendar.review_lag
        for k in range(len(self.rules.looks.n)):
            decision = self.reading(arm, k)
            if k not in arm.ready and decision is not None:
                arm.ready[k] = self.now, decision
                arm.last_weighed[k] = (self.candidates(arm)[: self.rules.looks.n[k]] or [None])[-1]
                self.at(self.now + lag, LOOKS, partial(self.looks, arm))
        while arm.open and arm.look in arm.ready and arm.ready[arm.look][0] + lag <= self.now:
            self.decide(arm, arm.ready[arm.look][1])

    def decide(self, arm: Arm, decision: int) -> None:
        looks = self.rules.looks
        if decision >= 0:
            arm.look = decision
            return
        early = {FUTILE: FUTILITY, GO: GO_EARLY, TOO_TOXIC: TOXICITY}
        if arm.new_dose_only or looks.is_final(arm.look):
            planned = {FUTILE: FINAL_NO_GO, GO: FINAL_GO, CONSIDER: FINAL_CONSIDER, TOO_TOXIC: TOXICITY_AT_N}
            self.close(arm, (early if self.short(arm) else planned)[decision], None)
        else:
            if self.calendar.weighing.on:
                self.close(arm, early[decision], arm.last_weighed[arm.look])
                return
            needed = self.counted(arm)[: looks.n[arm.look]]
            full = len(needed) == looks.n[arm.look]
            self.close(arm, early[decision], needed[-1] if full else None)

    def close(self, arm: Arm, end: int, last_needed: Patient | None) -> None:
        arm.end, arm.decided, arm.last_needed = end, self.now, last_needed

    def perhaps_give_up(self, arm: Arm) -> None:
        """Nobody else can come and the final look lacks patients: the arm ends when all there is has been reviewed."""
        both = self.rules.looks.too_toxic > 0
        heard = all(p.outcome_heard and (p.toxicity_heard or not both) for p in arm.everyone)
        if self.no_more() and heard and not self.complete(arm) and not arm.giving_up:
            arm.giving_up = True
            self.at(self.now + self.calendar.review_lag, GIVING_UP, partial(self.give_up, arm, self.level))

    def give_up(self, arm: Arm, level: int) -> None:
        restarted = self.calendar.after_change == RESTART and self.level > level
        if arm.open and not restarted:
            self.close(arm, ACCRUAL, None)
