"""Trials in calendar time, ready to be simulated: which kernel runs them, and what is counted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from trialsim.codes import ENDS, NEVER, POOLED
from trialsim.designs.rules import Rules
from trialsim.engine.compiled import tables_of
from trialsim.engine.tally import Z95, Tally, mean, proportion, simulated
from trialsim.engine.trials import Key, Trials, Untimed
from trialsim.kernels.tables import EARLY_DECISION, SERIOUS, STABLE, Calendar, Int32, Int64, Tables
from trialsim.results import Estimate, Simulated
from trialsim.scenario.calendar import immediate
from trialsim.scenario.compiled import Compiled

TICKS_PER_MONTH = 31168
DAYS_PER_MONTH = 30.4375
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
        or calendar.after_change != POOLED
        or calendar.max_reductions >= 0
        or any((np.diff(row) < 0).any() for row in cumulative)
    )


@dataclass(frozen=True, eq=False)
class Timed:
    """Trials of one case in calendar time."""

    tables: Tables
    calendar: Calendar
    thresholds: Int64
    abreast: bool

    @classmethod
    def of(cls, rules: Rules, calendar: Calendar, thresholds: Int64) -> Timed:
        """The trials of a case; the quick kernel is chosen wherever it applies."""
        return cls(tables_of(rules), calendar, thresholds, runs_abreast(rules, calendar))

    @classmethod
    def of_case(cls, trial: Compiled, case: str) -> Timed:
        """The trials of a case of a scenario."""
        return cls.of(trial.rules, trial.calendar, trial.strata[case].thresholds())

    @property
    def patients(self) -> int:
        """Largest number of patients a trial can treat."""
        return self.calendar.max_arrivals

    def rows(self, key: Key, first: int, count: int) -> Int32:
        """Replicates ``first``, ``first + 1``, ... as rows of ``kernels.conduct_columns``."""
        from trialsim.kernels import abreast, conduct
        from trialsim.kernels.conduct_columns import columns

        out = np.empty((count, columns(len(self.tables.action), self.calendar.cohorts)), dtype=np.int32)
        if self.abreast:
            abreast.simulate(self.tables, self.calendar, self.thresholds, *key, first, out)
        else:
            nothing = np.zeros((0, 0, 0), dtype=np.int64)
            conduct.simulate(self.tables, self.calendar, self.thresholds, *key, first, out, nothing)
        return out

    def treated(self, key: Key, first: int, count: int) -> tuple[Int32, Int64]:
        """The same rows, and the patients of each trial, (count, max_arrivals, fields of ``kernels.patient``)."""
        from trialsim.kernels.conduct import simulate
        from trialsim.kernels.conduct_columns import columns
        from trialsim.kernels.patient import FIELDS

        out = np.empty((count, columns(len(self.tables.action), self.calendar.cohorts)), dtype=np.int32)
        kept = np.zeros((count, self.calendar.max_arrivals, FIELDS), dtype=np.int64)
        simulate(self.tables, self.calendar, self.thresholds, *key, first, out, kept)
        return out, kept

    def tally(self, key: Key, first: int, count: int) -> Tally:
        """Simulate replicates ``first``, ``first + 1``, ... at once, and count them."""
        return fold(self.rows(key, first, count), len(self.tables.action), self.calendar)


def timed(trial: Compiled) -> dict[str, Timed]:
    """The trials of every case of a scenario."""
    return {case: Timed.of_case(trial, case) for case in trial.scenario.truth}


def at_once(trial: Compiled, trials: Timed) -> Trials:
    """The same patients with outcomes known at once, on the untimed kernel where nobody withdraws or differs."""
    dates, plain = immediate(trials.calendar), trials.thresholds.shape[1] == 1
    if plain and not (dates.missed_by.any() or dates.own or any(dates.amended_at)):
        return Untimed(trials.tables, np.ascontiguousarray(trials.thresholds[:, 0, :SERIOUS]))
    return Timed.of(trial.rules, dates, trials.thresholds)


def fold(rows: Int32, levels: int, calendar: Calendar) -> Tally:
    """The tally of a block of replicates in calendar time (``kernels.conduct_columns``).

    As ``tally.fold`` counts untimed ones; further the durations in whole days (``days``), sums and squares of the
    columns from TREATED to GO_EVALUABLE, of the ticks accruing and the mean intensity of a trial's patients, and of
    the cohorts' counts (``conduct``, ``conduct_squares``), and under own rules replicates by the set of cohorts that
    ended in a go (``go_sets``, bit c for cohort c).
    """
    from trialsim.kernels import conduct_columns as column
    from trialsim.kernels import counting

    width, most = rows.shape[1], calendar.max_arrivals
    ends = np.zeros(ENDS, dtype=np.int64)
    histograms = np.zeros((counting.HISTOGRAMS, most + 1), dtype=np.int64)
    days = np.zeros(int(rows[:, column.DURATION].max()) // counting.TICKS_PER_DAY + 1, dtype=np.int64)
    go_sets = np.zeros(1 << calendar.cohorts, dtype=np.int64)
    sums = np.zeros(width + counting.DERIVED, dtype=np.int64)
    parts = np.zeros((3, width + counting.DERIVED), dtype=np.int64)
    counting.add_up(rows, levels, calendar.cohorts, ends, histograms, days, go_sets, sums, parts)
    squares = [(hh << 32) + (hl << 17) + ll for hh, hl, ll in zip(*parts.tolist(), strict=True)]
    by_cohort = column.LEVELS + 3 * levels
    summed = [column.EVALUABLE, *range(column.LEVELS, by_cohort)]
    conduct = [
        *range(column.TREATED, column.LEVELS),
        width + counting.ACCRUING,
        width + counting.MEAN_INTENSITY,
    ]
    conduct += [by_cohort + 4 * c + k for c in range(calendar.cohorts) for k in (1, 2, 3)]
    counts = {
        "ends": tuple(ends.tolist()),
        "n": tuple(histograms[counting.BY_N].tolist()),
        "responses": tuple(histograms[counting.BY_RESPONSES].tolist()),
        "toxicities": tuple(histograms[counting.BY_TOXICITIES].tolist()),
        "reduction_patient": tuple(histograms[counting.BY_REDUCED_AFTER].tolist()),
        "triggered": (int(sums[column.TRIGGERED]),),
        "sums": tuple(int(sums[c]) for c in summed),
        "squares": tuple(squares[c] for c in summed),
        "conduct": tuple(int(sums[c]) for c in conduct),
        "conduct_squares": tuple(squares[c] for c in conduct),
        "days": tuple(days.tolist()),
    }
    if calendar.own:
        counts["go_sets"] = tuple(go_sets.tolist())
    return Tally(len(rows), counts)


def in_calendar_time(tally: Tally, trials: Timed, false_go: int, dated: bool) -> Simulated:
    """Every operating characteristic of a tally of ``fold``, with its Monte Carlo standard error and 95% interval.

    ``false_go`` is the set of cohorts (bit c for cohort c) whose true response rate is p0 or less; ``dated`` tells
    whether calendar time was simulated, or only cohorts.
    """
    from trialsim.kernels import conduct_columns as column

    base, replicates, counts, calendar = simulated(tally), tally.replicates, tally.counts, trials.calendar
    values = dict(base.values)
    sums, squares = (
        dict(zip(_conduct_names(calendar), counts[name], strict=True))
        for name in ("conduct", "conduct_squares")
    )

    def add(name: str, which: int | str, unit: int = 1, among: int = replicates) -> None:
        values[name] = scaled(mean(sums[which], squares[which], among), 1 / unit)

    if has_evaluable_analysis(trials) and counts["sums"][0] < sum(k * c for k, c in enumerate(counts["n"])):
        values["p_go_evaluable"] = proportion(sums[column.GO_EVALUABLE], replicates)
    if calendar.own:
        sets = counts["go_sets"]
        values["p_go_all"] = proportion(sets[-1], replicates)
        if false_go:
            wrong = sum(count for members, count in enumerate(sets) if members & false_go)
            values["p_false_go"] = proportion(wrong, replicates)
    if calendar.exclude:
        add("treated", column.TREATED)
    if dated:
        add("overrun", column.OVERRUN)
    if calendar.screening[0] > 0:
        add("screened", column.SCREENED)
    if calendar.control_visit < len(calendar.visit) and trials.thresholds[:, :, STABLE].any():
        add("disease_control", column.CONTROLLED)
    if trials.thresholds[:, :, SERIOUS].any():
        add("serious", column.SERIOUS_N)
    if calendar.max_reductions >= 0:
        add("patients_reduced", column.REDUCED_N)
        add("patients_off", column.OFF_N)
        add("relative_dose_intensity", "intensity", FULL_INTENSITY)
    if dated:
        add("duration_months", column.DURATION, TICKS_PER_MONTH)
        add("accruing_months", "accruing", TICKS_PER_MONTH)
        add("paused_months", column.PAUSED, TICKS_PER_MONTH)
        add("waiting_months", column.WAITING, TICKS_PER_MONTH)
        add("decision_months", column.DECIDED_AT, TICKS_PER_MONTH)
        if counts["triggered"][0]:
            add("trigger_months", column.TRIGGERED_AT, TICKS_PER_MONTH, counts["triggered"][0])
        for name, q in (("p10", 0.1), ("median", 0.5), ("p90", 0.9)):
            values[f"duration_{name}_months"] = scaled(quantile(counts["days"], q), 1 / DAYS_PER_MONTH)
    if calendar.cohorts > 1:
        for c in range(calendar.cohorts):
            if calendar.own:
                gone = sum(count for members, count in enumerate(sets) if members >> c & 1)
                values[f"p_go_cohort_{c + 1}"] = proportion(gone, replicates)
            for what in ("patients", "evaluable", "responses"):
                add(f"{what}_cohort_{c + 1}", f"{what} {c}")
    return replace(base, values=values, days=counts["days"] if dated else ())


def _conduct_names(calendar: Calendar) -> list[int | str]:
    """What ``fold`` sums under ``conduct``, in order."""
    from trialsim.kernels import conduct_columns as column

    by_cohort = [
        f"{what} {c}" for c in range(calendar.cohorts) for what in ("patients", "evaluable", "responses")
    ]
    return [*range(column.TREATED, column.LEVELS), "accruing", "intensity", *by_cohort]


def has_evaluable_analysis(trials: Timed) -> bool:
    """Whether the verdict by evaluable patients is another question than the verdict."""
    calendar = trials.calendar
    ruled = bool((calendar.attained_ge < NEVER).any())
    return ruled and calendar.after_change == POOLED and not (trials.tables.replaced or calendar.own)


def scaled(estimate: Estimate, scale: float) -> Estimate:
    """An estimate in another unit."""
    return Estimate(
        estimate.estimate * scale, estimate.mcse * scale, estimate.low * scale, estimate.high * scale
    )


def quantile(counts: tuple[int, ...], q: float) -> Estimate:
    """A quantile of whole numbers counted by value, with an interval between order statistics.

    The interval has the ranks R q -+ 1.96 sqrt(R q (1 - q)); its width over 2 x 1.96 stands for the error.
    """
    below = np.cumsum(counts)
    replicates = int(below[-1])
    spread = Z95 * math.sqrt(replicates * q * (1 - q))
    ranks = (replicates * q, replicates * q - spread, replicates * q + spread)
    middle, low, high = (
        float(np.searchsorted(below, min(max(math.ceil(rank), 1), replicates))) for rank in ranks
    )
    return Estimate(middle, (high - low) / (2 * Z95), low, high)
