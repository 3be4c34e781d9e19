"""The yardstick of the timed kernel: trials in calendar time, simulated as well as NumPy allows.

By docs/conduct.md, for the trials of ``timed_scenarios``. A loop over patients, arrays over trials; every variable of
a patient has a 32-bit word of its own, as in the kernel, from another generator.

What makes it quick: PCG64's raw words; dose level by dose level, so that all trials of a block are at the same patient
of the level and thresholds and cut-offs are single numbers; events as bytes, times in 32 bits, logarithms in single
precision (good to a hundredth of a tick); an alarm a trial, the tick of the next thing it waits for, so that only
trials where something is due are looked at; what these alone need stays where it is when ended trials are swept out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.timed_numpy_patient import FAR, RESPONSE_EVENT, TOXIC_EVENT, Drawing, Ticks
from benchmarks.timed_scenarios import refuse_others
from trialsim.codes import (
    CONSIDER,
    CONTINUE,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILE,
    FUTILITY,
    GO,
    GO_EARLY,
    STOP,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.designs.rules import Rules
from trialsim.kernels import conduct_columns as column
from trialsim.kernels.tables import PAUSE, Calendar, Int64

BLOCK = 65536
"""Trials simulated at once; smaller blocks pay for NumPy's calls."""

SWEEP = 8
"""Ended trials are swept out when they are one in so many."""

Lanes = NDArray[np.intp]

FINAL_END, EARLY_END = np.zeros((2, 3), dtype=np.int32)
"""Ends by decision; decisions that end a trial are below zero."""
FINAL_END[[GO, FUTILE, CONSIDER]] = FINAL_GO, FINAL_NO_GO, FINAL_CONSIDER
EARLY_END[[GO, FUTILE]] = GO_EARLY, FUTILITY


def simulate(
    rules: Rules, calendar: Calendar, thresholds: Int64, seed: int, replicates: int
) -> NDArray[np.int32]:
    """(replicates, columns) as ``conduct_columns`` describes them."""
    refuse_others(rules, calendar)
    drawing = Drawing(calendar, thresholds, np.random.PCG64(seed), min(BLOCK, replicates))
    out = np.zeros((column.columns(rules.levels, calendar.cohorts), replicates), dtype=np.int32)
    for first in range(0, replicates, BLOCK):
        _Block(rules, calendar, drawing, out[:, first : first + BLOCK]).run()
    return out.T


class _Block:
    """A block of trials. Addressed by trial: what few trials need at a time. Addressed by lane, as long as the trials
    that still run: ``trial``, the times ``clock`` (last arrival), ``reach`` and ``toxic_reach`` (when all responses,
    and all toxicities at the level, are known) and ``alarm``, ``due_in`` and ``counts``."""

    def __init__(self, rules: Rules, calendar: Calendar, drawing: Drawing, out: NDArray[np.int32]) -> None:
        self.rules, self.calendar, self.drawing, self.out = rules, calendar, drawing, out
        self.count: Any = np.int8 if rules.max_treated < 127 else np.int16
        self.spent = self.count(np.iinfo(self.count).min)  # added to the toxicities once the rule has acted
        self.next_of = [np.array(row) for row in rules.looks.next]

        size = out.shape[1]
        self.before, self.response_above, self.end = np.zeros((3, size), dtype=np.int32)
        self.look = np.zeros(size, dtype=np.int8)  # the pending one; -1: none, the trial is to stop
        self.lowered = np.zeros(size, dtype=np.bool_)  # leaves the level, but goes on
        self.crossing, self.switch_at, self.stop_at = np.full((3, size), FAR, dtype=np.int32)
        self.decided, self.start, self.earlier_reach = np.zeros((3, size), dtype=np.int32)
        self.stop_n, self.crossed_by = np.zeros((2, size), dtype=np.int32)
        most = rules.max_treated if calendar.as_it_happens else 0
        self.onset = np.empty((size, most), dtype=np.int32)  # by patient of the level

        self.trial: Lanes = np.arange(size)
        self.clock, self.reach, self.toxic_reach = np.zeros((3, size), dtype=np.int32)
        self.alarm = np.full(size, FAR, dtype=np.int32)
        # patients at the level until a look; -1: the trial is gone
        self.due_in: NDArray[Any] = np.full(size, rules.looks.n[0], dtype=self.count)
        # events in the order of Drawing.patients
        self.counts: list[NDArray[Any]] = [np.zeros(size, dtype=self.count) for _ in range(drawing.events)]
        self.gone = 0
        self.left: list[list[NDArray[Any]]] = []

    def run(self) -> None:
        """All trials, level by level."""
        for level in range(self.rules.levels):
            m, self.gone, self.left = 0, 0, []
            while len(self.trial):
                m += 1
                self._patient(level, m)
                if self.gone * SWEEP >= len(self.trial):
                    self._sweep()
            if not self._write(level):
                return

    def _patient(self, level: int, m: int) -> None:
        """The m-th patient at the level, in every trial that still runs."""
        rules, calendar = self.rules, self.calendar
        if m > 1 or level == 0:  # the first at a lower dose has arrived already
            self.clock += self.drawing.gaps(len(self.clock))
            if m == 1:
                self.start[:] = self.clock
        clock = self.clock
        rung = np.flatnonzero(clock >= self.alarm)
        if len(rung):
            self._before_arrival(rung, level, m)

        events, known, toxicity_known = self.drawing.patients(clock, level)
        np.maximum(self.reach, known, out=self.reach)
        np.maximum(self.toxic_reach, toxicity_known, out=self.toxic_reach)
        for total, event in zip(self.counts, events, strict=True):
            total += event.view(np.int8)

        if calendar.as_it_happens:
            self.onset[self.trial, m - 1] = np.where(events[TOXIC_EVENT], toxicity_known, FAR)
        bound = rules.monitor.act_ge[level][m]
        if bound <= m and rules.monitor.action[level] != CONTINUE:
            reached = self.counts[TOXIC_EVENT] >= bound
            if calendar.as_it_happens and m > 1 and bound >= rules.monitor.act_ge[level][m - 1]:
                reached &= events[TOXIC_EVENT]  # without one more toxicity the rule acts no sooner
            hits = np.flatnonzero(reached)
            if len(hits):
                self._cross(hits, m, bound)
        due = np.flatnonzero(self.due_in == m)
        if len(due):
            self._look(due, level, m)

    # --- what is due ---------------------------------------------------------------------------------------

    def _before_arrival(self, lanes: Lanes, level: int, m: int) -> None:
        """Let happen what happens up to the arrival of the m-th patient: toxicity rule, looks, amendment."""
        trial, arrival = self.trial[lanes], self.clock[lanes]
        stop_at = self.stop_at[trial]
        acts = self.crossing[trial] <= np.minimum(arrival, stop_at)
        leaves = stop_at <= arrival
        if self.rules.monitor.action[level] == STOP:
            self.end[trial[acts]] = TOXICITY
            leaves |= acts
            switch_at = stop_at
        else:
            self._trigger(lanes[acts])
            switch_at = self.switch_at[trial]
            lowered = ~leaves & (switch_at <= arrival)
            self.lowered[trial[lowered]] = True
            leaves |= lowered
        self.alarm[lanes] = np.minimum(np.minimum(self.crossing[trial], switch_at), stop_at)
        self._leave(lanes[leaves], m - 1)

    def _cross(self, lanes: Lanes, m: int, bound: int) -> None:
        """The cut-off is reached among the first m patients: when the rule will act."""
        trial = self.trial[lanes]
        if self.calendar.as_it_happens:
            seen = np.partition(self.onset[trial, :m], bound - 1)[:, bound - 1] if bound > 0 else 0
            at = np.minimum(self.crossing[trial], np.maximum(seen, self.clock[lanes]))
        else:
            at = self.toxic_reach[lanes]
            self.crossed_by[trial] = self.before[trial] + m
            self.counts[TOXIC_EVENT][lanes] += self.spent
        self.crossing[trial] = at
        self.alarm[lanes] = np.minimum(self.alarm[lanes], at)

    def _trigger(self, lanes: Lanes) -> None:
        """A dose reduction is called for."""
        trial = self.trial[lanes]
        at = self.crossing[trial]
        first = self.out[column.TRIGGERED, trial] == 0
        self.out[column.TRIGGERED, trial] = 1
        self.out[column.TRIGGERED_AT, trial[first]] = at[first] - self.start[trial[first]]
        self.switch_at[trial] = at + self.calendar.lag
        self.crossing[trial] = FAR
        if self.calendar.as_it_happens:
            self.counts[TOXIC_EVENT][lanes] += self.spent

    def _look(self, lanes: Lanes, level: int, m: int) -> None:
        """The patients of the pending look are all in, or all of the trial."""
        looks = self.rules.looks
        pending = self.look[self.trial[lanes]]
        for k in np.unique(pending[pending >= 0]).tolist():
            which = lanes[pending == k]
            trial = self.trial[which]
            decision = self.next_of[k][self.counts[RESPONSE_EVENT][which]]
            decided = np.maximum(self.decided[trial], self.reach[which])
            self.decided[trial] = decided
            if looks.is_final(k):
                self.end[trial] = FINAL_END[decision]
                continue
            stops = decision < 0
            to = trial[stops]
            self.stop_at[to], self.stop_n[to], self.end[to] = (
                decided[stops],
                looks.n[k],
                EARLY_END[decision[stops]],
            )
            self.look[trial] = np.where(stops, -1, decision)
            self.alarm[which] = np.minimum(self.alarm[which], self.stop_at[trial])
            self.due_in[which] = np.array([*looks.n, looks.n[-1]])[self.look[trial]] - self.before[trial]
            if self.calendar.interim == PAUSE:
                self.out[column.PAUSED, trial] += decided - self.clock[which]
                self.clock[which] = decided
        full = lanes[self.before[self.trial[lanes]] + m == looks.planned_n]
        if len(full):  # only outcomes are to come
            trial = self.trial[full]
            acts = self.crossing[trial] <= self.decided[trial]
            if self.rules.monitor.action[level] == STOP:
                self.end[trial[acts]] = TOXICITY_AT_N
            else:
                self._trigger(full[acts])
            self._leave(full, m)

    # --- leaving -------------------------------------------------------------------------------------------

    def _leave(self, lanes: Lanes, m: int) -> None:
        """Trials that end, or go on one level lower, after the m-th patient; ``lowered`` tells which."""
        if len(lanes):
            self.left.append(
                [
                    self.trial[lanes],
                    np.full(len(lanes), m, dtype=np.int32),
                    *(state[lanes] for state in (self.clock, self.reach, self.toxic_reach, *self.counts)),
                ]
            )
            # what goes on in the lanes until they are swept out is not read
            self.due_in[lanes], self.alarm[lanes], self.counts[TOXIC_EVENT][lanes] = -1, FAR, self.spent
            self.gone += len(lanes)

    def _sweep(self) -> None:
        """Leave out the lanes whose trials are gone."""
        kept = np.flatnonzero(self.due_in >= 0)
        self.trial, self.clock, self.alarm = self.trial[kept], self.clock[kept], self.alarm[kept]
        self.reach, self.toxic_reach, self.due_in = (
            self.reach[kept],
            self.toxic_reach[kept],
            self.due_in[kept],
        )
        self.counts = [count[kept] for count in self.counts]
        self.gone = 0

    def _write(self, level: int) -> bool:
        """Write the counts of the level and the rows of ended trials; whether others go on one level lower."""
        parts = [np.concatenate(parts) for parts in zip(*self.left, strict=True)]
        trial, m, clock, reach, toxic_reach, *counts = parts
        toxic = counts[TOXIC_EVENT].astype(np.int32)
        toxic[toxic < 0] -= int(self.spent)
        if self.calendar.as_it_happens:
            self._who_crossed(level, trial, m)
        own = self.out[column.LEVELS + 3 * level :]
        own[0, trial], own[1, trial], own[2, trial] = (
            m,
            counts[RESPONSE_EVENT] - self.response_above[trial],
            toxic,
        )
        self.before[trial] += m
        self.earlier_reach[trial] = np.maximum(self.earlier_reach[trial], toxic_reach)
        lowered = self.lowered[trial]
        ended = np.flatnonzero(~lowered)
        self._write_rows(
            trial[ended], clock[ended], reach[ended], [c[ended].astype(np.int32) for c in counts]
        )

        trial, clock, reach, *counts = (part[lowered] for part in (trial, clock, reach, *counts))
        if level == 0:
            self.out[column.REDUCED_AFTER, trial] = m[lowered]
        self.trial, self.clock, self.reach, self.counts = trial, clock, reach, counts
        self.counts[TOXIC_EVENT] = np.zeros_like(counts[TOXIC_EVENT])
        self.response_above[trial] = counts[RESPONSE_EVENT]
        self.switch_at[trial], self.lowered[trial] = FAR, False
        self.toxic_reach = np.zeros_like(reach)
        self.alarm = self.stop_at[trial]
        until = np.array([*self.rules.looks.n, self.rules.looks.planned_n])  # the last: no look is pending
        self.due_in = (until[self.look[trial]] - self.before[trial]).astype(self.count)
        return len(trial) > 0

    def _who_crossed(self, level: int, trial: Lanes, m: Ticks) -> None:
        """The least number of patients among whom the toxicities seen by the end of the trial reached the cut-off."""
        which = np.isin(self.end[trial], (TOXICITY, TOXICITY_AT_N))
        trial, m = trial[which], m[which]
        seen = np.cumsum(self.onset[trial] <= self.crossing[trial][:, None], axis=1)
        bounds = np.array(self.rules.monitor.act_ge[level])[1:]
        reached = (seen >= bounds) & (np.arange(len(bounds)) < m[:, None])
        self.crossed_by[trial] = self.before[trial] + 1 + reached.argmax(axis=1)

    def _write_rows(self, trial: Lanes, clock: Ticks, reach: Ticks, counts: list[Ticks]) -> None:
        """Everything but the counts by level, of trials that have ended."""
        out, end, treated = self.out, self.end[trial], self.before[trial]
        response, evaluable, _, controlled, serious, *others = counts
        complete = treated == self.rules.looks.planned_n
        early = (end == FUTILITY) | (end == GO_EARLY)
        toxic = (end == TOXICITY) | (end == TOXICITY_AT_N)
        now = np.where(early, self.stop_at[trial], np.where(toxic, self.crossing[trial], self.decided[trial]))
        needed = np.where(early, self.stop_n[trial], np.where(toxic, self.crossed_by[trial], treated))
        enough = response >= np.asarray(self.calendar.attained_ge)[evaluable]
        last = np.maximum(np.maximum(reach, self.earlier_reach[trial]), now)
        start = self.start[trial]
        if self.calendar.interim == PAUSE:  # a pause ends with the trial
            out[column.PAUSED, trial] -= np.where(complete, 0, np.maximum(self.decided[trial] - now, 0))
        cohorts = [[treated, evaluable, response]]
        for c in range(self.calendar.cohorts - 1):
            cohorts.append(others[3 * c : 3 * c + 3])
            cohorts[0] = [a - b for a, b in zip(cohorts[0], cohorts[-1], strict=True)]
        columns = {
            column.END: end,
            column.N: treated,
            column.TREATED: treated,
            column.SCREENED: treated,
            column.EVALUABLE: evaluable,
            column.CONTROLLED: controlled,
            column.SERIOUS_N: serious,
            column.OVERRUN: treated - needed,
            column.DURATION: last - start,
            column.WAITING: last - np.where(complete, clock, now),
            column.DECIDED_AT: now - start,
            column.INTENSITY: treated << 16,
            column.GO_EVALUABLE: (end == GO_EARLY) | (~early & ~toxic & enough),
        }
        for c, numbers in enumerate(cohorts):
            first = column.LEVELS + 3 * self.rules.levels + 4 * c + 1
            columns |= dict(zip(range(first, first + 3), numbers, strict=True))
        for k, values in columns.items():
            out[k, trial] = values
