"""How fast patients have come while accrual was open, and when so many more will have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from trialsim.codes import DAYS_PER_MONTH


def open_days(start: date, today: date, closed: Sequence[tuple[date, date | None]] = ()) -> int:
    """Days from a day to another on which accrual was open.

    Args:
        start: the opening of accrual, or the day of the first patient.
        today: the cut-off day.
        closed: pauses and holds, first day and day of reopening (None: closed still); those that overlap count once.
    """
    days, until = (today - start).days, start
    for begin, end in sorted(closed, key=lambda period: period[0]):
        begin, stop = max(begin, until), min(end or today, today)
        if stop > begin:
            days, until = days - (stop - begin).days, stop
    return days


@dataclass(frozen=True)
class AccrualPosterior:
    """Gamma posterior of patients a day.

    Attributes:
        shape: a.
        rate: b, days.

    Examples:
        >>> ten_in_68_days = AccrualPosterior.of(9, 68)
        >>> round(ten_in_68_days.per_month, 2), ten_in_68_days.mean_days(19)
        (4.25, 152.0)
    """

    shape: float
    rate: float

    @classmethod
    def of(
        cls, events: int, exposure: float, planned_per_month: float | None = None, worth: float = 0.0
    ) -> AccrualPosterior:
        """The posterior after so many arrivals in so many open days.

        Args:
            events: arrivals: all of them since an opening that is known, else those after the first.
            exposure: open days in which they came.
            planned_per_month: a planned rate as prior; None: Gamma(1/2, 0).
            worth: so many patients is the planned rate worth, more than 0.
        """
        if planned_per_month is None:
            return cls(0.5 + events, exposure)
        return cls(worth + events, worth / (planned_per_month / DAYS_PER_MONTH) + exposure)

    @classmethod
    def seen(
        cls,
        enrolled: Sequence[date],
        today: date,
        closed: Sequence[tuple[date, date | None]] = (),
        opened: date | None = None,
        planned_per_month: float | None = None,
        worth: float = 0.0,
    ) -> AccrualPosterior:
        """The posterior from days of enrolment; ``opened`` None: time runs from the first patient, who is no event."""
        start, events = (min(enrolled), len(enrolled) - 1) if opened is None else (opened, len(enrolled))
        return cls.of(events, open_days(start, today, closed), planned_per_month, worth)

    @property
    def per_month(self) -> float:
        """Posterior mean of patients a month."""
        return self.shape / self.rate * DAYS_PER_MONTH

    def quantile(self, q: float) -> float:
        """Posterior quantile of patients a month."""
        from scipy.special import gammaincinv

        return float(gammaincinv(self.shape, q)) / self.rate * DAYS_PER_MONTH

    def mean_days(self, patients: int) -> float:
        """Days to so many more patients on average, never closed; infinite where the shape is 1 or less."""
        return patients * self.rate / (self.shape - 1) if self.shape > 1 else float("inf")

    def days(self, patients: int, q: float) -> float:
        """Quantile of the days to so many more patients: the rate's days times a beta prime of (patients, shape)."""
        from scipy.special import betaincinv

        share = float(betaincinv(patients, self.shape, q))
        return self.rate * share / (1 - share)
