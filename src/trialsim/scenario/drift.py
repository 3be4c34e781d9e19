"""Response rates that change while a trial enrols, by patient number or by date: what may be stated, its numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from trialsim.codes import TICKS_PER_DAY, TICKS_PER_MONTH
from trialsim.designs.exactly import decimal
from trialsim.designs.spec import Spec, impossible

if TYPE_CHECKING:
    from trialsim.scenario.cases import Case
    from trialsim.scenario.model import Scenario

Change = Annotated[float, Field(ge=-1, le=1)]


class DatedDrift(Spec):
    """A change of the response rate over calendar time; it hangs on dates, so that it is simulated only."""

    change: Change = Field(
        description="change of the response rate after these months, the same at every dose",
        title="change of the response rate",
    )
    months: Annotated[float, Field(gt=0, le=120)] = Field(
        description="calendar months from the start of the first patient in which it comes about, linearly by whole "
        "days; the rate is constant afterwards",
        title="months of the change",
    )


@dataclass(frozen=True)
class Drift:
    """How response rates change: by equal parts from row to row of a table, until the change is complete.

    Attributes:
        change: the whole of it.
        steps: rows after the first until it is complete; of days not always a whole number.
        daily: whether a row is a day since the first patient started, and not a patient in enrolment order.
    """

    change: float
    steps: Fraction
    daily: bool

    @classmethod
    def of(cls, case: Case, planned_n: int | None) -> Drift | None:
        """The drift of a case in a trial that plans so many patients; None where rates stay as they are.

        Raises:
            ValueError: the drift is by patient, and their number is not known.
        """
        stated = case.drift
        if case.change == 0:
            return None
        if isinstance(stated, DatedDrift):
            return cls(stated.change, decimal(stated.months) * TICKS_PER_MONTH / TICKS_PER_DAY, True)
        if planned_n is None:
            raise ValueError("a drift by patient needs the planned number of patients")
        return cls(stated, Fraction(planned_n - 1), False)

    def rates(self, first: float) -> tuple[float, ...]:
        """The rate in every row, that of the first being stated: exact in the decimals stated, then rounded once."""
        p, change = decimal(first), decimal(self.change)
        whole = (
            (row / self.steps if self.steps else Fraction(0)) for row in range(math.ceil(self.steps) + 1)
        )
        return tuple(float(p + change * min(part, Fraction(1))) for part in whole)


def along_curves(scenario: Scenario) -> str:
    """What pictures over response rates have to say of a scenario with a drift: they show trials without one."""
    if not any(case.change for case in scenario.truth.values()):
        return ""
    return " No response rate drifts along these; a case that drifts stands at the rate of its first patient."


def check_drift(scenario: Scenario) -> None:
    """Refuses a drift that is not defined for the trial, or takes a rate where none can be."""
    from_start = scenario.dose_decision is not None and scenario.dose_decision.from_start is not None
    for name, case in scenario.truth.items():
        key = f"truth.{name}.drift"
        if isinstance(case.drift, DatedDrift) and scenario.conduct is None:
            raise impossible(
                f"{key}.months", "months need the `conduct` block; without it there is no calendar"
            )
        if case.change == 0:
            continue
        for refused, what in (
            (from_start, "`dose_decision.from_start`"),
            (scenario.cohorts is not None, "`cohorts`"),
            (scenario.evaluability.replaced, "`evaluability.replaced: true`"),
            (scenario.on_dose_change == "restart", "`dose_reduction.on_dose_change: restart`"),
        ):
            if refused:
                raise impossible(key, f"a drift of the response rate is not defined with {what}")
        _check_rates(scenario, key, case)


def _check_rates(scenario: Scenario, key: str, case: Case) -> None:
    change, share = decimal(case.change), decimal(scenario.evaluability.probability)
    after = f"a change of {case.change:g} takes the response rate"
    for dose, first in zip(scenario.doses, case.by_dose("response", len(scenario.doses)) or (), strict=True):
        last = decimal(first) + change
        where = f"{first:g} at {dose} to {float(last):g}"
        if not 0 <= last <= 1:
            raise impossible(key, f"{after} {where}; a rate is a number from 0 to 1")
        if scenario.evaluability.inevaluable == "nonresponders" and last > share:
            raise impossible(
                key,
                f"{after} {where}, above the evaluable share {float(share):g}, although inevaluable patients are all "
                "non-responders",
            )
