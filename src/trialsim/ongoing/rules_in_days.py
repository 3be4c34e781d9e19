"""The protocol of a trial under way in whole days: the compiled rules, with a conduct that dates can be counted in."""

from __future__ import annotations

from dataclasses import dataclass

from trialsim.codes import TICKS_PER_DAY
from trialsim.designs.rules import Rules
from trialsim.errors import DesignError
from trialsim.kernels.tables import CONTINUE_ACCRUAL, HOLD, SWITCH, WAIT, Calendar, Weighing
from trialsim.scenario.compiled import Compiled


@dataclass(frozen=True)
class InDays:
    """Rules and conduct; lengths of time in whole days, the nearest one (k weeks are 7k days).

    Attributes:
        rules: the compiled rules.
        interim: CONTINUE_ACCRUAL, PAUSE or EARLY_DECISION.
        review_lag: from the last outcome of a look to its decision.
        as_it_happens: whether the boundary acts on what was seen so far.
        lag: from a trigger to the switch (0 where the dose is switched at once).
        hold: whether accrual is closed between them.
        amended_after: by level, days from the opening after which it is left whatever was seen; 0 for never.
        visits: days of the visits.
        window: days within which a toxicity counts.
        attained_ge: least responses for a go by number analysed, where only the new dose is.
        most: the largest number of patients there can be.
        weighing: how interim looks weigh pending patients; ``least_days``: from the last enrolment to such a look.
    """

    rules: Rules
    interim: int
    review_lag: int
    as_it_happens: bool
    lag: int
    hold: bool
    amended_after: tuple[int, ...]
    visits: tuple[int, ...]
    window: int
    attained_ge: tuple[int, ...]
    most: int
    weighing: Weighing = WAIT
    least_days: int = 0

    @classmethod
    def of(cls, compiled: Compiled) -> InDays:
        """The protocol of a scenario.

        Raises:
            DesignError: patients are told apart in a way that a list of them does not say.
        """
        if compiled.rules.randomise is not None:
            raise DesignError(
                "dose_decision.after_trigger: where a trial stands is not worked out for doses that are allocated; "
                "only for `lower`"
            )
        if compiled.scenario.own_rules:
            raise DesignError(
                "cohorts.rules: where a trial stands is not worked out for cohorts with rules of their own; "
                "only for `pooled`"
            )
        return cls.from_calendar(compiled.rules, compiled.calendar)

    @classmethod
    def from_calendar(cls, rules: Rules, calendar: Calendar) -> InDays:
        """The same from ticks."""
        lag = 0 if calendar.during_lag == SWITCH else _days(calendar.lag)
        return cls(
            rules=rules,
            interim=int(calendar.interim),
            review_lag=_days(calendar.review_lag),
            as_it_happens=bool(calendar.as_it_happens),
            lag=lag,
            hold=calendar.during_lag == HOLD,
            amended_after=tuple(_days(tick) for tick in calendar.amended_at),
            visits=tuple(_days(tick) for tick in calendar.visit),
            window=_days(calendar.window),
            attained_ge=tuple(int(x) for x in calendar.attained_ge),
            most=int(calendar.max_arrivals),
            weighing=calendar.weighing,
            least_days=_days(calendar.weighing.minimum),
        )

    def weighs(self, k: int) -> bool:
        """Whether look k is taken while outcomes are pending."""
        return bool(self.weighing.on) and not self.rules.looks.is_final(k)

    @property
    def pauses(self) -> bool:
        """Whether accrual waits for interim looks."""
        return self.interim != CONTINUE_ACCRUAL


def _days(ticks: int) -> int:
    return (int(ticks) + TICKS_PER_DAY // 2) // TICKS_PER_DAY
