"""How the trial is run, as facts: who is counted, cohorts, arrivals, visits, and what waits for what."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from trialsim.codes import DAYS_PER_MONTH
from trialsim.facts.pending import Weighing, weighing
from trialsim.facts.toxicity import Toxicity
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario


@dataclass(frozen=True)
class Counted:
    """Whose outcome is known; ``inevaluable``: independent or nonresponders, None where everybody is evaluable."""

    probability: float
    inevaluable: str | None
    replaced: bool
    max_treated: int


@dataclass(frozen=True)
class Stratum:
    """A group of patients, its share, and the cohort that it enters."""

    name: str
    share: float
    cohort: str


@dataclass(frozen=True)
class Cohorts:
    """Strata, and whether each cohort runs the design by itself, and has a dose and toxicity boundary of its own.

    ``shares_from``: how the shares came to add up to 1, where the scenario does not state them so.
    ``false_go``: P(a go in at least one of independent cohorts) where every response rate is p0; None where it has no
    type I error, or one set of looks. ``ratio``: where the cohorts are two doses, allocated by chance, how many of so
    many get the higher and how many the lower; None where patients belong to cohorts.
    """

    own: bool
    strata: tuple[Stratum, ...]
    shares_from: str
    false_go: float | None
    ratio: tuple[int, int] | None = None
    own_boundary: bool = False


@dataclass(frozen=True)
class Piece:
    """Patients screened a month from a month of the trial on."""

    from_month: float
    per_month: float


@dataclass(frozen=True)
class Sites:
    """Sites that open one after another."""

    number: int
    over_months: float
    per_site_per_month: float


@dataclass(frozen=True)
class Reductions:
    """Dose reductions of single patients; no hold where toxicity ends treatment at once."""

    hold_weeks: float | None
    max_reductions: int
    exposure_weight: float


@dataclass(frozen=True)
class Conduct:
    """The trial in calendar time; None where something cannot arise.

    Attributes:
        first_seen: share of responses first seen at each visit.
        toxicity_weeks, early_onset: window within which a toxicity counts, share of onsets in its first half.
        toxicity_known: complete_only or as_it_happens; None without a boundary.
        interim: accrual at an interim look: continue, pause, early_decision; None without one.
        weighing: how interim looks weigh pending patients; None where they wait for every outcome.
        month_days: how many days a month is taken to have.
        interim_by_default: whether it is the default, because the scenario does not say.
        overrun: count or exclude; None where nobody can be enrolled while a decision to end the trial is pending.
        amendment_lag_weeks: from trigger to first patient at the new dose; None where the dose never changes.
        during_amendment: old_dose or hold; None without a lag.
    """

    pieces: tuple[Piece, ...]
    sites: Sites | None
    screening_failure: float
    assessment_weeks: tuple[float, ...]
    confirmed: bool
    first_seen: tuple[float, ...]
    progression_median_weeks: float
    disease_control_week: float
    withdrawal_per_month: float
    toxicity_weeks: float | None
    early_onset: float | None
    toxicity_known: str | None
    interim: str | None
    interim_by_default: bool | None
    review_lag_weeks: float
    overrun: str | None
    amendment_lag_weeks: float | None
    during_amendment: str | None
    reductions: Reductions | None
    weighing: Weighing | None = None
    month_days: float = DAYS_PER_MONTH


def counted(trial: Compiled) -> Counted:
    """Whom looks count."""
    rules, stated = trial.rules, trial.scenario.evaluability
    inevaluable = stated.inevaluable if stated.probability < 1 else None
    return Counted(stated.probability, inevaluable, rules.replaced, rules.max_treated)


def cohorts(scenario: Scenario, type_i_errors: Sequence[float | None]) -> Cohorts | None:
    """The strata, and what several chances of a go make of the type I errors of the cohorts."""
    if scenario.cohorts is None:
        return None
    own, any_go = scenario.own_rules, None
    known = [error for error in type_i_errors if error is not None]
    if own and len(known) == len(type_i_errors):
        any_go = 1 - math.prod((1 - error) ** count for error, count in Counter(known).items())
    strata = tuple(Stratum(s.name, s.share, s.cohort_name) for s in scenario.strata)
    start = scenario.dose_decision.from_start if scenario.dose_decision else None
    ratio = (start.ratio[1], start.ratio[0]) if start else None
    return Cohorts(own, strata, "" if start else scenario.cohorts.shares_from, any_go, ratio, scenario.apart)


def conduct(trial: Compiled, toxicity: Toxicity) -> Conduct | None:
    """The conduct of a scenario, but for what cannot arise in it."""
    stated = trial.scenario.conduct
    if stated is None:
        return None
    accrual, sites, reductions = stated.accrual, stated.accrual.sites, stated.patient_reductions
    rates = accrual.per_month if isinstance(accrual.per_month, tuple) else (accrual.per_month,)
    months, window = accrual.from_month or (0.0,), stated.toxicity_window_weeks
    interim = any(len(one.looks.n) > 1 for one in trial.rules.each or (trial.rules,))
    lag = stated.amendment_lag_weeks if toxicity.changes_dose else None
    return Conduct(
        tuple(Piece(m, p) for m, p in zip(months, rates, strict=True) if p is not None),
        Sites(sites.number, sites.over_months, sites.per_site_per_month) if sites else None,
        accrual.screening_failure,
        stated.assessment_weeks,
        stated.confirmed,
        stated.first_seen or (1.0,),
        stated.progression_median_weeks,
        stated.disease_control_week,
        stated.withdrawal_per_month,
        window,
        None if window is None else stated.early_onset,
        stated.toxicity_known if toxicity.has_boundary else None,
        stated.interim if interim else None,
        "interim" not in stated.model_fields_set if interim else None,
        stated.review_lag_weeks,
        stated.overrun if toxicity.stops or (interim and stated.interim == "continue") else None,
        lag,
        stated.during_amendment if lag else None,
        Reductions(
            reductions.hold_weeks if reductions.max_reductions else None,
            reductions.max_reductions,
            reductions.exposure_weight,
        )
        if reductions
        else None,
        weighing(trial),
    )
