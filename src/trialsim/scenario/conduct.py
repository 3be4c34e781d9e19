"""Conduct: how patients arrive, when they are assessed, and what waits for what (docs/conduct.md)."""

from __future__ import annotations

from itertools import accumulate
from typing import Annotated, Literal

from pydantic import Field, model_validator

from trialsim.designs.spec import AsTuple, OpenProbability, Probability, Spec, impossible
from trialsim.scenario.cohorts import SUM
from trialsim.scenario.pending import Weighing
from trialsim.scenario.values import Lag, Weeks

MAX_MONTHS = 500 * 12
"""A trial expected to enrol for longer is a slip of the keyboard."""

MAX_PER_MONTH = 1000
VISIT_GAP = 0.1
"""Weeks between visits at least: less than a day apart they would be one visit."""

PerMonth = Annotated[float, Field(ge=0.01, le=MAX_PER_MONTH)]


class Sites(Spec):
    """Sites that open one after another, at equal distances from the first month on."""

    number: Annotated[int, Field(ge=1, le=200)] = Field(
        description="sites in the end", title="number of sites"
    )
    over_months: Annotated[float, Field(ge=0, le=120)] = Field(
        description="months until the last has opened: of m sites, number k opens after (k - 1) / m of them",
        title="months until the last site has opened",
    )
    per_site_per_month: PerMonth = Field(
        description="patients screened at an open site a month",
        title="patients screened a month at an open site",
    )

    @model_validator(mode="after")
    def _possible(self) -> Sites:
        if (together := self.number * self.per_site_per_month) > MAX_PER_MONTH:
            raise impossible(
                "per_site_per_month",
                f"{self.number} sites together would screen {together:g} patients a month; at most {MAX_PER_MONTH}",
            )
        return self


class Accrual(Spec):
    """How fast patients arrive: at a constant rate, at a rate that changes, or as sites open."""

    per_month: (
        PerMonth | Annotated[tuple[PerMonth, ...], AsTuple, Field(min_length=1, max_length=100)] | None
    ) = Field(
        None,
        description="patients screened a month (a list: one rate for each entry of `from_month`)",
        title="patients screened a month",
    )
    from_month: (
        Annotated[
            tuple[Annotated[float, Field(ge=0, le=600)], ...], AsTuple, Field(min_length=1, max_length=100)
        ]
        | None
    ) = Field(
        None,
        description="month from which each rate of a list holds, the first 0",
        title="months from which the rates of accrual hold",
    )
    sites: Sites | None = Field(
        None,
        description="sites that open over time, in place of `per_month`",
        title="sites that open over time",
    )
    # failures before a patient are counted up to 64, which at a share of .9 leaves out 1 in 1,000 of them
    screening_failure: Annotated[float, Field(ge=0, le=0.9)] = Field(
        0.0,
        description="share of screened patients who are never treated",
        title="share of screening failures",
    )

    @model_validator(mode="after")
    def _possible(self) -> Accrual:
        if (self.per_month is None) == (self.sites is None):
            raise impossible("", "state either `per_month` or `sites`")
        months = self.from_month
        if not isinstance(self.per_month, tuple):
            if months is not None:
                raise impossible("from_month", "`from_month` goes with a list of rates in `per_month`")
        elif months is None or len(months) != len(self.per_month):
            raise impossible(
                "per_month" if months is None else "from_month",
                f"{len(self.per_month)} rates need as many months in `from_month`, the first 0",
            )
        elif months[0] != 0 or any(a >= b for a, b in zip(months, months[1:], strict=False)):
            raise impossible("from_month", "months must start at 0 and increase")
        return self

    def pieces(self) -> tuple[tuple[float, float], ...]:
        """(month from which it holds, patients treated a month if all are enrolled) of each piece of accrual."""
        treated = 1 - self.screening_failure
        if self.sites is not None:
            apart = self.sites.over_months / self.sites.number
            return tuple(
                (k * apart, (k + 1) * self.sites.per_site_per_month * treated)
                for k in range(self.sites.number)
            )
        assert self.per_month is not None
        rates = self.per_month if isinstance(self.per_month, tuple) else (self.per_month,)
        return tuple(
            (month, rate * treated) for month, rate in zip(self.from_month or (0.0,), rates, strict=True)
        )

    def months_to(self, patients: int) -> float:
        """Months in which so many patients are expected."""
        pieces = self.pieces()
        expected = 0.0
        for (month, rate), (until, _) in zip(pieces, [*pieces[1:], (float("inf"), 0.0)], strict=True):
            if expected + rate * (until - month) >= patients:
                return month + (patients - expected) / rate
            expected += rate * (until - month)
        raise AssertionError("the last piece has no end")

    def too_slow(self, patients: int) -> str:
        """Why so many patients cannot be waited for, or ""."""
        months = self.months_to(patients)
        if months <= MAX_MONTHS:
            return ""
        return f"{patients} patients would take {months / 12:.0f} years to enrol; at most {MAX_MONTHS // 12}"


class PatientReductions(Spec):
    """What toxicity does to a patient's own treatment: a hold, then the next dose."""

    hold_weeks: Lag = Field(
        2.0, description="weeks without treatment after toxicity", title="weeks on hold after toxicity"
    )
    max_reductions: Annotated[int, Field(ge=0, le=7)] = Field(
        1,
        description="dose reductions of one patient at most; at the next toxicity treatment ends",
        title="most dose reductions of one patient",
    )
    exposure_weight: Probability = Field(
        0.0,
        description="share of a response's chance that is lost in proportion to dose not received before first sight: "
        "0 = none of it, 1 = all",
        title="exposure weight",
    )


class Conduct(Spec):
    """The trial in calendar time; without this block outcomes are known before the next patient."""

    accrual: Accrual = Field(
        description="how fast patients arrive: {per_month: 4.5}, in patients screened a month",
        title="accrual",
    )
    assessment_weeks: Annotated[tuple[Weeks, ...], AsTuple, Field(min_length=1, max_length=100)] = Field(
        description="weeks after the start of treatment at which response is assessed, such as [9, 17, 25]",
        title="weeks of assessment",
    )
    confirmed: bool = Field(
        True,
        description="true: a response counts when confirmed at the visit after it is first seen",
        title="confirmation of responses",
    )
    first_seen: Annotated[tuple[Probability, ...], AsTuple, Field(min_length=1, max_length=100)] | None = (
        Field(
            None,
            description="shares of responses first seen at visit 1, 2, ... (default: all at visit 1); they add up to 1",
            title="responses first seen, by visit",
        )
    )
    progression_median_weeks: Weeks = Field(
        8.0,
        description="median weeks to progression (exponential); decides only at which visit a patient without "
        "response is known",
        title="median weeks to progression",
    )
    disease_control_week: Weeks = Field(
        16.0, description="week from which stable disease is disease control", title="week of disease control"
    )
    withdrawal_per_month: Annotated[float, Field(ge=0, le=10)] = Field(
        0.0,
        description="hazard of withdrawal from assessments, per patient and month",
        title="withdrawals a month",
    )
    toxicity_window_weeks: Weeks | None = Field(
        None,
        description="weeks after the start of treatment within which a toxicity counts",
        title="weeks within which a toxicity counts",
    )
    early_onset: OpenProbability = Field(
        0.5,
        description="share of toxicities with onset in the first half of the window",
        title="share of toxicities in the first half of their window",
    )
    toxicity_known: Literal["complete_only", "as_it_happens"] = Field(
        "complete_only",
        description="complete_only: the toxicity rule waits until the first m patients are through their window; "
        "as_it_happens: it acts on toxicities when they are seen",
        title="when the toxicity rule counts",
    )
    interim: Literal["pause", "continue", "early_decision"] = Field(
        "pause",
        description="accrual at an interim look: pause until it is decided; continue; early_decision: pause, and "
        "decide as soon as every completion gives the same decision",
        title="accrual at an interim look",
    )
    pending: Literal["wait", "weigh_follow_up"] = Field(
        "wait",
        description="an interim look waits for the outcomes of all its patients; or it is taken when they are enrolled "
        "and weighs the follow-up of those who are pending (`weighing`)",
        title="pending patients at an interim look",
    )
    weighing: Weighing | None = Field(
        None,
        description="how follow-up is weighed with `pending: weigh_follow_up` (default: as its keys say)",
        title="how follow-up is weighed",
    )
    review_lag_weeks: Lag = Field(
        0.0,
        description="weeks from the last outcome of a look to its decision",
        title="weeks of review before a look",
    )
    overrun: Literal["count", "exclude"] = Field(
        "count",
        description="whether patients treated beyond a decision that ends the trial are reported",
        title="report of overrun patients",
    )
    amendment_lag_weeks: Lag = Field(
        0.0,
        description="weeks from the trigger of a dose reduction to the first patient at the new dose",
        title="weeks from the trigger to the amendment",
    )
    during_amendment: Literal["old_dose", "hold", "switch"] = Field(
        "old_dose",
        description="accrual between trigger and new dose: at the old dose; on hold; or switch at once, without lag",
        title="accrual before the amendment",
    )
    patient_reductions: PatientReductions | None = Field(
        None,
        description="dose reductions of single patients (default: none); needs `dose_amounts`",
        title="dose reductions of single patients",
    )

    @model_validator(mode="after")
    def _possible(self) -> Conduct:
        weeks = self.assessment_weeks
        if any(b - a < VISIT_GAP - 1e-9 for a, b in zip(weeks, weeks[1:], strict=False)):
            raise impossible(
                "assessment_weeks", f"visits must follow one another, at least {VISIT_GAP} weeks apart"
            )
        if self.during_amendment == "switch" and self.amendment_lag_weeks > 0:
            raise impossible(
                "amendment_lag_weeks",
                "with during_amendment: switch the new dose starts at once; leave the lag out",
            )
        if self.pending == "wait" and self.weighing is not None:
            raise impossible(
                "weighing", "looks weigh nothing while they wait; write pending: weigh_follow_up"
            )
        if self.pending == "weigh_follow_up" and self.interim == "early_decision":
            raise impossible(
                "pending",
                "with interim: early_decision a look waits until every completion agrees; write interim: pause or "
                "continue beside pending: weigh_follow_up, or leave pending out",
            )
        if self.confirmed and len(weeks) == 1:
            raise impossible(
                "assessment_weeks",
                "a response needs a second visit to be confirmed: add one, or write confirmed: false",
            )
        if self.first_seen is not None:
            last = len(weeks) - self.confirmed
            if len(self.first_seen) > last:
                why = ", because a response at the last visit cannot be confirmed" if self.confirmed else ""
                raise impossible(
                    "first_seen",
                    f"{len(self.first_seen)} shares for {len(weeks)} visits; at most {last}{why}",
                )
            if abs((total := sum(self.first_seen)) - 1) > SUM:
                raise impossible("first_seen", f"the shares must add up to 1; they add up to {total:.12g}")
        return self

    def seen_by(self) -> tuple[float, ...]:
        """P(a response is first seen at this visit or before it), one a visit."""
        shares = self.first_seen or (1.0,)
        by = (*list(accumulate(shares))[:-1], 1.0)
        return by + (1.0,) * (len(self.assessment_weeks) - len(shares))
