"""What a case of ``truth`` may state: rates by dose, outright or by a slope, and where a stratum or cohort differs."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import Field, PrivateAttr

from trialsim.designs.spec import OpenProbability, Spec
from trialsim.scenario.drift import Change, DatedDrift
from trialsim.scenario.values import GroupName, Rates, Text


class Slope(Spec):
    """A rate by dose: linear in the logarithm of the dose on the logit scale."""

    at_first: OpenProbability = Field(description="rate at the starting dose", title="at the starting dose")
    slope: Annotated[float, Field(ge=-100, le=100)] = Field(
        description="change of the logit of the rate per unit of log(dose / starting dose); "
        "above 0: lower at lower doses",
        title="slope",
    )

    def by_dose(self, amounts: tuple[float, ...]) -> tuple[float, ...]:
        """One rate a dose amount, starting dose first."""
        logit = math.log(self.at_first) - math.log1p(-self.at_first)
        lower = (logit + self.slope * math.log(amount / amounts[0]) for amount in amounts[1:])
        return (self.at_first, *map(_expit, lower))


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


OddsRatio = Annotated[float, Field(gt=0, le=1e6)]


class GroupRates(Spec):
    """Where a stratum or a cohort differs from the others of its case; what is left out is as in the case."""

    response: Rates | Slope | None = Field(None, description="true response rate in this stratum or cohort")
    toxicity: Rates | Slope | None = Field(None, description="true toxicity rate in this stratum or cohort")
    stable_disease: Rates | None = Field(
        None, description="P(stable disease | no response) in this stratum or cohort"
    )
    serious: Rates | None = Field(
        None, description="true rate of patients with a serious event in this stratum or cohort"
    )
    odds_ratio: OddsRatio | None = Field(
        None, description="association of response and toxicity in this stratum or cohort"
    )


class Case(Spec):
    """One assumed truth: rates by dose and their association."""

    response: Rates | Slope = Field(
        description="true response rate of treated patients, one for all doses or one a dose, "
        "or its value at_first dose and its slope",
        title="response rate",
    )
    toxicity: Rates | Slope | None = Field(
        None,
        description="true toxicity rate, one for all doses or one a dose, or its value at_first dose and its slope",
        title="toxicity rate",
    )
    odds_ratio: OddsRatio = Field(
        1.0,
        description="association of response and toxicity (Plackett's global cross ratio); 1 = none",
        title="odds ratio of response and toxicity",
    )
    stable_disease: Rates | None = Field(
        None,
        description="P(stable disease at the week of disease control, 16 if not stated | no response)",
        title="P(stable disease | no response)",
    )
    serious: Rates | None = Field(
        None,
        description="true rate of patients with a serious adverse event, nested in toxicity",
        title="rate of serious adverse events",
    )
    drift: Change | DatedDrift = Field(
        0.0,
        description="change of the response rate from the first to the last of the planned patients, linear in "
        "enrolment order and the same at every dose; or a change by date, such as {change: -0.05, months: 12}",
        title="drift of the response rate",
    )
    cohorts: dict[GroupName, GroupRates] = Field(
        {},
        description="name of a stratum or cohort -> the rates that differ there; a stratum's outrank its cohort's",
        title="rates that differ by stratum or cohort",
    )
    note: Text | None = None

    _amounts: tuple[float, ...] = PrivateAttr(())

    def dosed(self, amounts: tuple[float, ...]) -> Case:
        """The case with the dose amounts that its slopes need; the scenario sees to it when it is read."""
        case = self.model_copy()
        case._amounts = amounts
        return case

    def by_dose(self, key: str, levels: int) -> tuple[float, ...] | None:
        """The rates ``key`` as one number a dose level, or None where the case does not state them."""
        value = getattr(self, key)
        if value is None:
            return None
        if isinstance(value, Slope):
            return value.by_dose(self._amounts)
        return value if isinstance(value, tuple) else (value,) * levels

    @property
    def change(self) -> float:
        """By how much the response rate changes in all, at every dose alike."""
        return self.drift.change if isinstance(self.drift, DatedDrift) else self.drift

    @property
    def dated(self) -> bool:
        """Whether the response rate changes by date."""
        return isinstance(self.drift, DatedDrift) and self.change != 0

    def highest(self, levels: int) -> float:
        """The highest response rate of any patient at any dose."""
        first = max(self.by_dose("response", levels) or (0.0,))
        return round(first + self.change, 12) if self.change > 0 else first

    def within(self, stratum: str, cohort: str) -> Case:
        """The case as it is in one stratum: the stratum's own rates, else its cohort's, else everybody's."""
        stated: dict[str, Any] = {}
        for name in (cohort, stratum):
            if name in self.cohorts:
                stated |= {key: value for key, value in self.cohorts[name] if value is not None}
        return self.model_copy(update={**stated, "cohorts": {}})

    def place(self, key: str, stratum: str, cohort: str) -> str:
        """Where in the case the rates ``key`` of a stratum are stated, such as ``cohorts.HER2.response``."""
        for name in (stratum, cohort):
            if name in self.cohorts and getattr(self.cohorts[name], key) is not None:
                return f"cohorts.{name}.{key}"
        return key
