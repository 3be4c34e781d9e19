"""How each operating characteristic is read from simulated trials: one entry a quantity, for tallies and pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from trialsim.codes import DAYS_PER_MONTH, ENDS, FINAL_GO, GO_EARLY, NEVER, POOLED, TICKS_PER_MONTH
from trialsim.designs.dose_choice import HIGHER, LOWER, NO_COMPARISON, NO_GO, OUTCOMES, UNDECIDED, DoseChoice
from trialsim.engine.tally import Tally, mean, proportion, quantile, scaled
from trialsim.engine.timed import FULL_INTENSITY, Timed
from trialsim.engine.trials import Key, Trials, Untimed, chosen
from trialsim.kernels import conduct_columns as column
from trialsim.kernels import counting
from trialsim.kernels import trial as plain
from trialsim.kernels.tables import SERIOUS, STABLE, Calendar, Int64
from trialsim.quantities import QUANTITIES, found, is_probability, quantity_names
from trialsim.results import Estimate, Simulated


class Paired(NamedTuple):
    """(count,) whole numbers of a quantity, one a trial; ``among`` (0 or 1): the trials that it is a mean over."""

    values: Int64
    among: Int64 | None = None


@dataclass(frozen=True, eq=False)
class Side:
    """The trials of one case, and what is read from them.

    Attributes:
        doses: for each dose level, which of the doses it is by which all sides are compared (from 1; 0: none of them).
        of_doses: how many those are.
        false_go: the set of cohorts (bit c for cohort c) in which a go is false, as the trials count it; 0: not asked.
        dated: whether calendar time is simulated, or only cohorts.
    """

    trials: Timed | Untimed
    doses: tuple[int, ...]
    of_doses: int
    false_go: int = 0
    dated: bool = True

    @classmethod
    def of(cls, trials: Trials, false_go: int = 0, *, dated: bool = True) -> Side:
        """A side whose doses are its own."""
        assert isinstance(trials, Timed | Untimed)
        levels = len(trials.tables.action)
        return cls(trials, tuple(range(1, levels + 1)), levels, false_go, dated)

    @property
    def calendar(self) -> Calendar | None:
        """The calendar of the trials; None where every outcome is known before the next patient."""
        return self.trials.calendar if isinstance(self.trials, Timed) else None

    def readings(self) -> Iterator[tuple[str, Reading, int]]:
        """Every quantity of the trials with how it is read, and of which dose or cohort (0: of the trial)."""
        calendar = self.calendar
        needs = ("",) if calendar is None else ("", "conduct", "cohorts")
        if self.trials.choice is not None:
            needs = (*needs, "decision")
        for name in quantity_names(self.of_doses, calendar.cohorts if calendar else 0, needs):
            quantity, number = found(name)
            reading = READINGS.get(quantity.name)
            if (
                reading is not None
                and (calendar is None or reading.exists(self, calendar))
                and (quantity.name != "p_dose_inactive" or self._has_p0)
            ):
                yield name, reading, number

    def paired(self, key: Key, first: int, count: int) -> dict[str, Paired]:
        """Each quantity that can be paired, of replicates ``first``, ``first + 1``, ... ."""
        cohorts = self.calendar.cohorts if self.calendar else 0
        rows = self.trials.rows(key, first, count)
        table = counting.read(rows, self.first, len(self.doses), cohorts, self.false_go)
        numbers = np.ascontiguousarray(table.T)
        choice = self.trials.choice
        outcomes = None if choice is None else chosen(choice, rows, self.first).astype(np.int64)
        values = {}
        for name, reading, number in self.readings():
            if reading.quantile is not None:
                continue
            read = (
                outcomes
                if reading.column == CHOSEN and outcomes is not None
                else numbers[self._columns(reading, name, number)].sum(axis=0)
            )
            if (holds := reading.holds) is not None:
                size = int(read.max()) + 1
                read = np.array([holds(value, self, number) for value in range(size)], dtype=np.int64)[read]
            values[name] = Paired(read, None if reading.among is None else numbers[reading.among])
        return values

    def simulated(self, tally: Tally) -> Simulated:
        """Every operating characteristic of a tally of the trials, with its Monte Carlo standard error and interval."""
        counts, replicates = tally.counts, tally.replicates
        totals, values = self.totals(tally), {}
        for name, reading, _ in self.readings():
            if reading.quantile is not None:
                values[name] = scaled(quantile(counts["days"], reading.quantile), 1 / reading.unit)
            elif name in totals:
                values[name] = estimate_of(name, *totals[name])
        return Simulated(
            replicates=replicates,
            values=values,
            n=counts["n"],
            responses=counts["responses"],
            toxicities=counts["toxicities"],
            reduction_patient=(0, *counts["reduction_patient"][1:]),
            days=counts.get("days", ()) if self.dated else (),
        )

    def totals(self, tally: Tally) -> dict[str, tuple[int, int, int]]:
        """By quantity that is a mean over trials, its sum, its sum of squares, and the number of those trials."""
        counts, sums = tally.counts, {}
        for name, reading, number in self.readings():
            if reading.quantile is not None:
                continue
            if (holds := reading.holds) is not None:
                if found(name)[0].per == "cohort":
                    events = counts["went"][number - 1]
                else:
                    by_value = enumerate(counts[_COUNTED[reading.column]])
                    events = sum(n for value, n in by_value if holds(value, self, number))
                sums[name] = events, events, tally.replicates
            else:
                (c,) = self._columns(reading, name, number)
                among = tally.replicates if reading.among is None else counts["sums"][reading.among]
                if among and reading.differs(counts["sums"]):
                    sums[name] = counts["sums"][c], counts["squares"][c], among
        return sums

    def read_by(self, width: int) -> dict[str, tuple[int, tuple[int, ...]]]:
        """By quantity that is a mean over all trials, its column among so many numbers of a trial, with the outcome of
        the dose rule after the last; where it is an event, also whether it holds at each value of that column."""
        found = {}
        for name, reading, number in self.readings():
            if reading.quantile is None and reading.among is None:
                (c,) = self._columns(reading, name, number)
                holds, values = reading.holds, range(self._values(reading))
                events = () if holds is None else tuple(int(bool(holds(v, self, number))) for v in values)
                found[name] = width if c == CHOSEN else c % width, events
        return found

    def _values(self, reading: Reading) -> int:
        """How many values a column may have by which events are told."""
        if reading.column == column.REDUCED_AFTER:
            return self.trials.patients + 1
        if reading.column in (counting.GOES, counting.FALSE_GOES) and self.calendar:
            return self.calendar.cohorts + 1
        return max(ENDS, len(OUTCOMES))

    @property
    def _has_p0(self) -> bool:
        """Whether it is known which doses are no better than p0."""
        return self.trials.choice is not None and self.trials.choice.inactive is not None

    @property
    def first(self) -> int:
        """Where the columns by dose begin."""
        return plain.LEVELS if self.calendar is None else column.LEVELS

    def _columns(self, reading: Reading, name: str, number: int) -> list[int]:
        """The columns that a quantity is the sum of: several where one dose stands for several levels."""
        per, c = found(name)[0].per, reading.column
        if per == "dose":
            return [self.first + 3 * level + c for level, dose in enumerate(self.doses) if dose == number]
        if per == "cohort" and c >= 0:
            c += self.first + 3 * len(self.doses) + 4 * (number - 1)
        return [c]


@dataclass(frozen=True)
class Reading:
    """How a quantity is read from a trial, as a whole number.

    Attributes:
        column: of the row; of the columns of a dose or a cohort; below 0, of what is derived (``kernels.counting``).
        unit: what 1 of the quantity is there, such as ticks a month.
        holds: where the quantity is an event: for which values of the column (further arguments: the side, and which
            cohort).
        among: a column of 0 and 1: the trials that the quantity is a mean over. None: all.
        quantile: which quantile of the column over all trials the quantity is; None: their mean.
        exists: whether trials in calendar time have it.
        differs: by the sums of all columns, whether it is another number than one that is always given.
    """

    column: int
    unit: float = 1
    holds: Callable[[int, Side, int], Any] | None = None
    among: int | None = None
    quantile: float | None = None
    exists: Callable[[Side, Calendar], Any] = lambda _side, _calendar: True
    differs: Callable[[tuple[int, ...]], bool] = lambda _sums: True


def _dated(side: Side, _calendar: Calendar) -> bool:
    return side.dated


def _months(ticks: int, among: int | None = None) -> Reading:
    return Reading(ticks, TICKS_PER_MONTH, among=among, exists=_dated)


def _days(q: float) -> Reading:
    return Reading(counting.DAYS, DAYS_PER_MONTH, quantile=q, exists=_dated)


def _ended(ends: tuple[int, ...]) -> Reading:
    return Reading(column.END, holds=lambda end, _side, _number: end in ends)


def _own(_side: Side, calendar: Calendar) -> int:
    return calendar.own


def _several(_side: Side, calendar: Calendar) -> bool:
    return calendar.cohorts > 1


def _reduces(_side: Side, calendar: Calendar) -> bool:
    """Whether single patients have their dose reduced."""
    return calendar.max_reductions >= 0


def _stated(side: Side, event: int) -> bool:
    return bool(isinstance(side.trials, Timed) and side.trials.thresholds[:, :, event].any())


def _has_evaluable_analysis(side: Side, calendar: Calendar) -> bool:
    """Whether the verdict by evaluable patients is another question than the verdict."""
    ruled = bool((calendar.attained_ge < NEVER).any())
    return ruled and calendar.after_change == POOLED and not (side.trials.tables.replaced or calendar.own)


CHOSEN = -100
"""In place of a column: the outcome of the dose rule (``designs.dose_choice``)."""


def _rules(outcomes: Callable[[DoseChoice], tuple[int, ...]]) -> Reading:
    """Whether the dose rule came to one of the outcomes that its choice says."""
    return Reading(
        CHOSEN,
        holds=lambda outcome, side, _number: side.trials.choice and outcome in outcomes(side.trials.choice),
    )


READINGS = {
    **{q.name: _ended(q.ends) for q in QUANTITIES if q.ends},
    "p_dose_reduction_triggered": Reading(column.TRIGGERED),
    "p_dose_reduced": Reading(column.REDUCED_AFTER, holds=lambda patient, _side, _number: patient > 0),
    "en": Reading(column.N),
    "en_evaluable": Reading(column.EVALUABLE),
    "responses": Reading(counting.RESPONSES),
    "toxicities": Reading(counting.TOXICITIES),
    "patients_dose": Reading(0),
    "responses_dose": Reading(1),
    "toxicities_dose": Reading(2),
    "p_go_evaluable": Reading(
        column.GO_EVALUABLE,
        exists=_has_evaluable_analysis,
        differs=lambda sums: sums[column.EVALUABLE] < sums[column.N],
    ),
    "p_go_all": Reading(
        counting.GOES,
        holds=lambda goes, side, _number: side.calendar and goes == side.calendar.cohorts,
        exists=_own,
    ),
    "p_false_go": Reading(
        counting.FALSE_GOES,
        holds=lambda goes, _side, _number: goes > 0,
        exists=lambda side, calendar: calendar.own and side.false_go,
    ),
    "p_dose_none": _rules(lambda _choice: (NO_GO,)),
    "p_dose_no_comparison": _rules(lambda _choice: (NO_COMPARISON,)),
    "p_dose_undecided": _rules(lambda _choice: (UNDECIDED,)),
    "p_dose_lower": _rules(lambda _choice: (LOWER,)),
    "p_dose_higher": _rules(lambda _choice: (HIGHER,)),
    "p_dose_correct": _rules(lambda choice: (choice.right,)),
    "p_dose_wrong": _rules(lambda choice: (LOWER + HIGHER - choice.right,)),
    "p_dose_inactive": _rules(lambda choice: choice.inactive or ()),
    "treated": Reading(column.TREATED, exists=lambda _side, calendar: calendar.exclude),
    "overrun": Reading(column.OVERRUN, exists=_dated),
    "screened": Reading(column.SCREENED, exists=lambda _side, calendar: calendar.screening[0] > 0),
    "disease_control": Reading(
        column.CONTROLLED,
        exists=lambda side, calendar: calendar.control_visit < len(calendar.visit) and _stated(side, STABLE),
    ),
    "serious": Reading(column.SERIOUS_N, exists=lambda side, _calendar: _stated(side, SERIOUS)),
    "patients_reduced": Reading(column.REDUCED_N, exists=_reduces),
    "patients_off": Reading(column.OFF_N, exists=_reduces),
    "relative_dose_intensity": Reading(counting.MEAN_INTENSITY, FULL_INTENSITY, exists=_reduces),
    "duration_months": _months(column.DURATION),
    "accruing_months": _months(counting.ACCRUING),
    "paused_months": _months(column.PAUSED),
    "waiting_months": _months(column.WAITING),
    "decision_months": _months(column.DECIDED_AT),
    "trigger_months": _months(column.TRIGGERED_AT, among=column.TRIGGERED),
    "duration_p10_months": _days(0.1),
    "duration_median_months": _days(0.5),
    "duration_p90_months": _days(0.9),
    "p_go_cohort": Reading(
        0,
        holds=lambda end, _side, _number: end in (GO_EARLY, FINAL_GO),
        exists=lambda _side, calendar: calendar.own and calendar.cohorts > 1,
    ),
    "patients_cohort": Reading(1, exists=_several),
    "evaluable_cohort": Reading(2, exists=_several),
    "responses_cohort": Reading(3, exists=_several),
}
"""By entry of ``trialsim.quantities``; ``p_go_averaged`` and ``better_dose`` are not read from single trials."""

_COUNTED = {
    CHOSEN: "chosen",
    column.END: "ends",
    column.REDUCED_AFTER: "reduction_patient",
    counting.GOES: "goes",
    counting.FALSE_GOES: "false_goes",
}
"""Columns by whose values a tally counts trials."""


def unit(name: str) -> float:
    """What 1 of a quantity is as it is read."""
    return READINGS[found(name)[0].name].unit


def estimate_of(name: str, total: int, squares: int, among: int) -> Estimate:
    """A quantity from the sum and the sum of squares of what is read from so many trials."""
    return (
        proportion(total, among)
        if is_probability(name)
        else scaled(mean(total, squares, among), 1 / unit(name))
    )
