"""How the trial runs, in sentences and as a table: arrivals, visits, lags, dose changes and cohorts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from trialsim.scenario.conduct import Accrual, Conduct, PatientReductions
from trialsim.scenario.model import Scenario
from trialsim.writing.numbers import count, listed, rate

AT_ONCE = (
    "All outcomes of a patient are taken as known before the next patient is enrolled: there are no dates, and no "
    "decision waits for anything."
)

ANALYSED = {
    "pooled": "all patients stay in the count of responses, whichever dose they had, and the cut-offs do not change",
    "new_dose_only": "only patients at the new dose are analysed: an interim look that is pending is dropped, none "
    "follows, and when the planned n is enrolled (all doses together) the verdict takes the cut-off for the number "
    "of patients at that dose",
    "restart": "a fresh trial begins at the new dose: looks start again with its first patient, up to the planned n "
    "there, and earlier patients leave the count of responses",
}
"""Whom the analysis counts after a dose change, in words."""


def changes_dose(scenario: Scenario) -> bool:
    """Whether later patients may start at another dose."""
    rule = scenario.dose_reduction.rule.kind if scenario.dose_reduction else "none"
    return len(scenario.doses) > 1 and rule != "none"


def has_toxicity(scenario: Scenario) -> bool:
    """Whether any case states toxicity, in any stratum."""
    return any(
        case.within(s.name, s.cohort_name).toxicity is not None
        for case in scenario.truth.values()
        for s in scenario.strata
    )


def has_boundary(scenario: Scenario) -> bool:
    """Whether a rule watches toxicity."""
    return scenario.dose_reduction is not None and scenario.dose_reduction.rule.kind not in (
        "none",
        "amendment",
    )


# -- sentences


def sentences(scenario: Scenario) -> list[str]:
    """One paragraph a subject, in the order in which a trial meets them."""
    conduct = scenario.conduct
    if conduct is None:
        return [AT_ONCE, *_cohorts(scenario)]
    words = [f"{_arrivals(conduct.accrual)} {_interim(conduct)}", _assessments(conduct)]
    if has_toxicity(scenario):
        words.append(_toxicity(scenario, conduct))
    if changes_dose(scenario):
        words.append(_dose_change(scenario, conduct))
    words.append(_overrun(conduct))
    return [*words, *_cohorts(scenario)]


def _arrivals(accrual: Accrual) -> str:
    if (sites := accrual.sites) is not None:
        words = (
            f"{count(sites.number, 'site')} open one after another over {_months(sites.over_months)}, each screening "
            f"{sites.per_site_per_month:g} patients a month on average"
        )
    elif isinstance(accrual.per_month, tuple):
        pieces = [
            f"{per:g} a month from month {start:g}"
            for per, start in zip(accrual.per_month, accrual.from_month or (), strict=True)
        ]
        words = f"Patients are screened at a rate that changes: {listed(pieces)}"
    else:
        words = f"{accrual.per_month:g} patients a month are screened on average"
    failure = accrual.screening_failure
    treated = f"{rate(failure)} of them are never treated" if failure else "all of them are treated"
    return f"{words}, at random times (a Poisson process); {treated}."


def _interim(conduct: Conduct) -> str:
    at_look = {
        "continue": "Accrual goes on while an interim look is pending.",
        "pause": "Accrual pauses when the patients of an interim look are enrolled, until the look is decided.",
        "early_decision": "Accrual pauses at an interim look, which is decided as soon as every way in which the "
        "open outcomes can turn out gives the same decision.",
    }[conduct.interim]
    lag = conduct.review_lag_weeks
    when = (
        f"{_weeks(lag)} after the last outcome it needs"
        if lag
        else "as soon as the outcomes it needs are known"
    )
    return f"{at_look} A look takes the first patients in the order of enrolment and is decided {when}."


def _assessments(conduct: Conduct) -> str:
    weeks = listed([f"{week:g}" for week in conduct.assessment_weeks])
    one = len(conduct.assessment_weeks) == 1
    words = [
        f"Response is assessed {weeks} {'week' if weeks == '1' else 'weeks'} after the start of treatment."
    ]
    counts = "it is confirmed at the visit after" if conduct.confirmed else "it is first seen"
    if not one:
        words.append(f"{_first_seen(conduct)}; a response counts when {counts}.")
    words.append(
        "The outcome of a patient without response is known when progression is found at a visit (exponential times, "
        f"median {_weeks(conduct.progression_median_weeks)}), at withdrawal, or at the last visit at which a response "
        "could still be first seen. Stable disease counts as disease control from week "
        f"{conduct.disease_control_week:g} on."
    )
    if conduct.withdrawal_per_month:
        words.append(
            f"Patients withdraw from assessments at a hazard of {conduct.withdrawal_per_month:g} a month. Who "
            "withdraws before the first visit is not evaluable; a response that has not yet counted is lost."
        )
    else:
        words.append("Nobody withdraws from assessments.")
    return " ".join(words)


def _first_seen(conduct: Conduct) -> str:
    if conduct.first_seen is None or conduct.first_seen[0] == 1:
        return "Every response is first seen at the first visit"
    shares = [f"{rate(p)} at visit {v}" for v, p in enumerate(conduct.first_seen, start=1) if p > 0]
    return f"Responses are first seen in these shares: {listed(shares)}"


def _toxicity(scenario: Scenario, conduct: Conduct) -> str:
    window = conduct.toxicity_window_weeks or 0.0
    words = (
        f"A toxicity counts if its onset is within {_weeks(window)} of the start of treatment; "
        f"{rate(conduct.early_onset)} of onsets are in the first half of that time."
    )
    if not has_boundary(scenario):
        return words + _reductions(conduct.patient_reductions)
    known = {
        "complete_only": " The toxicity rule waits for complete outcomes: it acts when the first m patients at the "
        "dose are all known and their toxicities reach the boundary.",
        "as_it_happens": " The toxicity rule does not wait: it acts when the toxicities seen so far among the first m "
        "patients at the dose reach the boundary.",
    }[conduct.toxicity_known]
    return words + known + _reductions(conduct.patient_reductions)


def _reductions(rule: PatientReductions | None) -> str:
    if rule is None:
        return " The dose of a patient on treatment never changes."
    lost = (
        f" {rate(rule.exposure_weight)} of the chance of a response is lost in proportion to dose not received before "
        "first sight."
        if rule.exposure_weight
        else " Dose not received costs no responses."
    )
    return (
        f" A patient with toxicity is held {_weeks(rule.hold_weeks)} and goes on at the next dose, at most "
        f"{count(rule.max_reductions, 'time')}, and then goes off treatment. These reductions of single patients leave "
        f"the toxicity rule alone, which counts every patient once, at the dose of the start.{lost}"
    )


def _dose_change(scenario: Scenario, conduct: Conduct) -> str:
    rule = scenario.dose_reduction.rule if scenario.dose_reduction else None
    lag, during = conduct.amendment_lag_weeks, conduct.during_amendment
    what = "The amendment" if rule is not None and rule.kind == "amendment" else "A dose reduction"
    if during == "switch" or not lag:
        takes = f"{what} takes effect with the next patient."
    else:
        meanwhile = (
            "accrual is closed" if during == "hold" else "patients go on arriving and start at the old dose"
        )
        takes = f"{what} takes effect {_weeks(lag)} after its trigger; until then {meanwhile}."
    return f"{takes} From then on {ANALYSED[scenario.on_dose_change]}."


def _overrun(conduct: Conduct) -> str:
    reported = (
        "are counted in everything that is reported (EN, responses, toxicities)"
        if conduct.overrun == "count"
        else "are left out of what is reported, but for the numbers treated, screened and overrun"
    )
    return (
        "Patients who were enrolled while the decision that ended the trial was still pending (the overrun) "
        f"{reported}. They never enter the look that was decided."
    )


def _cohorts(scenario: Scenario) -> list[str]:
    if scenario.cohorts is None:
        return []
    shares = [f"{s.name} ({rate(s.share)})" for s in scenario.strata]
    words = f"Patients belong to {count(len(shares), 'stratum', 'strata')}: {listed(shares)}."
    merged = [s for s in scenario.strata if s.cohort_name != s.name]
    if merged:
        words += f" Cohorts: {listed(list(_members(scenario)))}."
    if not scenario.own_rules:
        return [
            f"{words} Their rules are pooled: all patients enter the same looks, and cohorts are only "
            "reported separately."
        ]
    return [
        f"{words} Each cohort has rules of its own: it runs the design by itself on its own patients. When a "
        "cohort stops, is complete, or pauses, its patients are turned away; those of the other cohorts arrive as "
        "before, no faster. The dose and its toxicity boundary are shared, so toxicity in one cohort lowers the "
        "dose of all, and a stop for toxicity ends every cohort still open. P(go) of the whole trial is that of a "
        "go in at least one cohort."
    ]


def _members(scenario: Scenario) -> Iterator[str]:
    assert scenario.cohorts is not None
    for name in scenario.cohorts.names:
        strata = [s.name for s in scenario.strata if s.cohort_name == name]
        yield f"{name} ({listed(strata)})"


# -- the table


def rows(scenario: Scenario) -> list[dict[str, Any]]:
    """One dict an item of the conduct: what, value in words, and whether it is a default."""
    return [{"what": w, "value": v, "default": d} for w, v, d in _rows(scenario)]


def _rows(scenario: Scenario) -> Iterator[tuple[str, str, bool]]:
    conduct = scenario.conduct
    if conduct is None:
        yield "Calendar time", "none: outcomes known before the next patient", True
    else:
        yield from _timed_rows(scenario, conduct)
    if changes_dose(scenario):
        block = scenario.dose_reduction
        assert block is not None
        names = {"pooled": "all patients, pooled", "new_dose_only": "patients at the new dose only"}
        after = names.get(block.on_dose_change, "a fresh trial at the new dose (restart)")
        yield "Analysed after a dose change", after, _left_out(block, "on_dose_change")
    if scenario.cohorts is None:
        yield "Cohorts", "none: one group of patients", True
        return
    own = scenario.own_rules
    yield "Strata", ", ".join(f"{s.name} {rate(s.share)}" for s in scenario.strata), False
    yield (
        "Rules of cohorts",
        "own: one set of looks each" if own else "pooled: one set of looks",
        _left_out(scenario.cohorts, "rules"),
    )


def _timed_rows(scenario: Scenario, conduct: Conduct) -> Iterator[tuple[str, str, bool]]:
    accrual = conduct.accrual
    yield "Accrual", _accrual_value(accrual), False
    failures = rate(accrual.screening_failure) if accrual.screening_failure else "none"
    yield "Screening failures", failures, _left_out(accrual, "screening_failure")

    def item(what: str, name: str, value: str) -> tuple[str, str, bool]:
        return what, value, _left_out(conduct, name)

    yield item(
        "Assessments", "assessment_weeks", f"weeks {', '.join(f'{w:g}' for w in conduct.assessment_weeks)}"
    )
    confirmed = "counts when confirmed at the next visit" if conduct.confirmed else "counts when first seen"
    yield item("A response", "confirmed", confirmed)
    seen = (
        "all at the first visit"
        if conduct.first_seen is None
        else ", ".join(f"visit {v}: {rate(p)}" for v, p in enumerate(conduct.first_seen, start=1))
    )
    yield item("Responses first seen", "first_seen", seen)
    median = f"median {_weeks(conduct.progression_median_weeks)}, exponential"
    yield item("Progression", "progression_median_weeks", median)
    control = f"stable disease from week {conduct.disease_control_week:g}"
    yield item("Disease control", "disease_control_week", control)
    hazard = conduct.withdrawal_per_month
    yield item("Withdrawal", "withdrawal_per_month", f"{hazard:g} a patient and month" if hazard else "none")
    if has_toxicity(scenario):
        yield item(
            "Toxicity counts within", "toxicity_window_weeks", _weeks(conduct.toxicity_window_weeks or 0.0)
        )
        yield item("Onset in the first half of that time", "early_onset", rate(conduct.early_onset))
    if has_boundary(scenario):
        acts = {"complete_only": "complete outcomes only", "as_it_happens": "toxicities as they happen"}
        yield item("The toxicity rule acts on", "toxicity_known", acts[conduct.toxicity_known])
    yield item("Accrual at an interim look", "interim", conduct.interim.replace("_", " "))
    yield item("Review lag", "review_lag_weeks", _weeks(conduct.review_lag_weeks))
    if changes_dose(scenario):
        yield item("Amendment lag", "amendment_lag_weeks", _weeks(conduct.amendment_lag_weeks))
        meanwhile = {
            "old_dose": "at the old dose",
            "hold": "on hold",
            "switch": "at the new dose at once, no lag",
        }
        yield item("Accrual meanwhile", "during_amendment", meanwhile[conduct.during_amendment])
    counted = "counted in what is reported" if conduct.overrun == "count" else "left out of what is reported"
    yield item("Overrun", "overrun", counted)
    if has_toxicity(scenario):
        yield from _reduction_rows(conduct)


def _reduction_rows(conduct: Conduct) -> Iterator[tuple[str, str, bool]]:
    rule = conduct.patient_reductions
    what = "Dose reductions of single patients"
    if rule is None:
        yield what, "none", True
        return
    yield f"{what}: at most", count(rule.max_reductions, "time"), _left_out(rule, "max_reductions")
    yield f"{what}: hold", _weeks(rule.hold_weeks), _left_out(rule, "hold_weeks")
    weight = rate(rule.exposure_weight) if rule.exposure_weight else "none"
    yield f"{what}: share of a response’s chance lost with dose", weight, _left_out(rule, "exposure_weight")


def _accrual_value(accrual: Accrual) -> str:
    if (sites := accrual.sites) is not None:
        each = f"{sites.per_site_per_month:g} a month each"
        return f"{count(sites.number, 'site')} over {_months(sites.over_months)}, {each}"
    if isinstance(accrual.per_month, tuple):
        months = accrual.from_month or ()
        return ", ".join(
            f"{per:g} a month from month {m:g}" for per, m in zip(accrual.per_month, months, strict=True)
        )
    return f"{accrual.per_month:g} screened a month"


def _left_out(block: BaseModel, name: str) -> bool:
    """Whether the scenario leaves a key at its default."""
    return name not in block.model_fields_set


def _weeks(weeks: float) -> str:
    return "1 week" if weeks == 1 else f"{weeks:g} weeks"


def _months(months: float) -> str:
    return "1 month" if months == 1 else f"{months:g} months"
