"""Trials in calendar time, ready to be simulated: which kernel runs them, and what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from trialsim.codes import FROM_START, POOLED
from trialsim.designs.dose_choice import DoseChoice
from trialsim.designs.rules import Rules
from trialsim.engine import apart
from trialsim.engine.compiled import tables_of
from trialsim.engine.tally import Tally, fold
from trialsim.engine.trials import Key, Untimed, chosen, with_choices
from trialsim.kernels.tables import EARLY_DECISION, SERIOUS, Calendar, Int32, Int64, Tables
from trialsim.scenario.calendar import immediate
from trialsim.scenario.compiled import Compiled

FULL_INTENSITY = 1 << 16


def runs_abreast(rules: Rules, calendar: Calendar) -> bool:
    """Whether the quick kernel runs a trial; the scalar one runs every trial, and both give the same rows."""
    from trialsim.kernels.abreast import MOST_PATIENTS

    looks = rules.looks
    final_before_planned = any(looks.is_final(k) and n < looks.planned_n for k, n in enumerate(looks.n))
    cumulative = (calendar.seen_by, calendar.missed_by, *calendar.progressed_by)
    return not (
        rules.replaced
        or rules.looks.too_toxic
        or rules.max_treated > MOST_PATIENTS
        or final_before_planned
        or any(calendar.amended_at)
        or calendar.own
        or calendar.exclude
        or calendar.interim == EARLY_DECISION
        or calendar.weighing.on
        or calendar.after_change != POOLED
        or calendar.max_reductions >= 0
        or rules.randomise
        or any((np.diff(row) < 0).any() for row in cumulative)
    )


@dataclass(frozen=True, eq=False)
class Timed:
    """Trials of one case in calendar time; ``false_go``: the set of cohorts (bit c for cohort c) with a false go;
    ``by_cohort``: the tables of each, where it has a design of its own."""

    tables: Tables
    calendar: Calendar
    thresholds: Int64
    abreast: bool
    choice: DoseChoice | None = None
    daily: bool = False
    false_go: int = 0
    by_cohort: tuple[Tables, ...] = ()

    @classmethod
    def of(
        cls,
        rules: Rules,
        calendar: Calendar,
        thresholds: Int64,
        choice: DoseChoice | None = None,
        *,
        daily: bool = False,
    ) -> Timed:
        """The trials of a case; the quick kernel is chosen wherever it applies."""
        by_cohort = tuple(map(tables_of, rules.each))
        trials = cls(tables_of(rules), calendar, thresholds, False, choice, daily, by_cohort=by_cohort)
        return trials.under(rules, calendar)

    @classmethod
    def of_case(cls, trial: Compiled, case: str) -> Timed:
        """The trials of a case of a scenario."""
        truth = trial.strata[case]
        trials = cls.of(
            trial.rules, trial.calendar, truth.thresholds(), trial.choice(case), daily=truth.daily
        )
        return replace(trials, false_go=trial.false_go(case)) if trial.scenario.own_rules else trials

    def under(self, rules: Rules, calendar: Calendar) -> Timed:
        """The same trials under another calendar; the quick kernel knows no rates that drift."""
        drifts = self.thresholds.shape[1] > len(calendar.stratum_by)
        return replace(self, calendar=calendar, abreast=runs_abreast(rules, calendar) and not drifts)

    @property
    def patients(self) -> int:
        """Largest number of patients a trial can treat."""
        return self.calendar.max_arrivals

    @property
    def width(self) -> int:
        """Columns of a row."""
        from trialsim.kernels.conduct_columns import columns

        tables = self.tables
        return columns(len(tables.action), self.calendar.cohorts, bool(0 < tables.randomise[0] < FROM_START))

    def rows(self, key: Key, first: int, count: int) -> Int32:
        """Replicates ``first``, ``first + 1``, ... as rows of ``kernels.conduct_columns``."""
        from trialsim.kernels import abreast, conduct

        if self.calendar.apart:
            each = [part.rows(key, first, count) for part in self._parts()]
            return apart.together(each, len(self.tables.action))
        out = np.empty((count, self.width), dtype=np.int32)
        if self.abreast:
            nobody = np.zeros(0, dtype=np.int32)
            abreast.simulate(self.tables, self.calendar, self.thresholds, *key, first, out, nobody)
        else:
            nothing = np.zeros((0, 0, 0), dtype=np.int64)
            conduct.simulate(
                self.tables, self.calendar, self.thresholds, self.daily, *key, first, out, nothing
            )
        return out

    def treated(self, key: Key, first: int, count: int) -> tuple[Int32, Int64]:
        """The same rows, and the patients of each trial, (count, max_arrivals, fields of ``kernels.patient``)."""
        from trialsim.kernels.conduct import simulate
        from trialsim.kernels.patient import FIELDS

        if self.calendar.apart:
            each = [part.treated(key, first, count) for part in self._parts()]
            rows = [row for row, _ in each]
            kept = apart.everybody([patients for _, patients in each], rows, self.calendar.max_arrivals)
            return apart.together(rows, len(self.tables.action)), kept
        out = np.empty((count, self.width), dtype=np.int32)
        kept = np.zeros((count, self.calendar.max_arrivals, FIELDS), dtype=np.int64)
        simulate(self.tables, self.calendar, self.thresholds, self.daily, *key, first, out, kept)
        return out, kept

    def at_start(self, key: Key, first: int, count: int) -> tuple[Int32, Int64]:
        """The same rows, and how many evaluable patients each trial reports at the starting dose."""
        from trialsim.kernels.abreast import simulate
        from trialsim.kernels.patient import IS_EVALUABLE, LEVEL, REPORTED

        if self.abreast:
            out = np.empty((count, self.width), dtype=np.int32)
            there = np.empty(count, dtype=np.int32)
            simulate(self.tables, self.calendar, self.thresholds, *key, first, out, there)
            return out, there.astype(np.int64)
        rows, patients = self.treated(key, first, count)
        evaluable = (patients[:, :, LEVEL] == 0) & (patients[:, :, IS_EVALUABLE] == 1)
        return rows, (evaluable & (patients[:, :, REPORTED] == 1)).sum(axis=1)

    def of_cohort(self, cohort: int) -> Timed:
        """The trial of the cohort of this number, where cohorts share nothing."""
        return list(self._parts())[cohort]

    def _parts(self) -> Iterator[Timed]:
        """The trial of each cohort, where they share nothing."""
        for tables, calendar in apart.runs(self.tables, self.calendar, self.by_cohort):
            alone = calendar._replace(apart=False)
            yield replace(self, tables=tables, calendar=alone, abreast=False, choice=None, by_cohort=())

    def tally(self, key: Key, first: int, count: int) -> Tally:
        """Simulate replicates ``first``, ``first + 1``, ... at once, and count them."""
        return self.counted(self.rows(key, first, count))

    def counted(self, rows: Int32) -> Tally:
        """Count replicates."""
        from trialsim.kernels.conduct_columns import LEVELS

        calendar = self.calendar
        tally = fold(
            rows,
            self.patients,
            LEVELS,
            len(self.tables.action),
            calendar.cohorts,
            self.false_go,
            own=bool(calendar.own),
        )
        return tally if self.choice is None else with_choices(tally, chosen(self.choice, rows, LEVELS))


def timed(trial: Compiled) -> dict[str, Timed]:
    """The trials of every case of a scenario."""
    return {case: Timed.of_case(trial, case) for case in trial.scenario.truth}


def at_once(trial: Compiled, trials: Timed) -> Timed | Untimed:
    """The same patients with outcomes known at once, on the untimed kernel where nobody withdraws or differs."""
    dates = immediate(trials.calendar)
    plain = len(dates.stratum_by) == 1 and not trials.daily and trial.rules.randomise is None
    if plain and not (dates.missed_by.any() or dates.own or any(dates.amended_at)):
        thresholds = np.ascontiguousarray(trials.thresholds[..., :SERIOUS].reshape(-1, SERIOUS))
        return Untimed(trials.tables, thresholds, trials.choice)
    return trials.under(trial.rules, dates)
