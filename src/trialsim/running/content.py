"""``results.json``: everything a run found, as plain data that is the same on any number of processors."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from trialsim.checks import Checks, Headline
from trialsim.checks import label as check_label
from trialsim.checks.predictive import DRAWS
from trialsim.checks.rows import VERDICTS
from trialsim.codes import DAYS_PER_MONTH, NEVER, TICKS_PER_DAY
from trialsim.designs.binomial import clopper_pearson
from trialsim.designs.dose_choice import LOWER
from trialsim.designs.rules import DECISION_WORDS, Looks, Rules, cut_offs
from trialsim.engine import derived
from trialsim.engine.operating import FALSE_ALARM
from trialsim.engine.over_time import TRIALS, followed
from trialsim.engine.patients import groups
from trialsim.results import Results, digits12
from trialsim.running import toxicity_rule
from trialsim.running.examples import examples
from trialsim.running.inputs import about, inputs, origin_words, tally_of_inputs
from trialsim.running.plain import Document as Document
from trialsim.running.plain import best, compared, typical_cases
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.drift import DatedDrift
from trialsim.scenario.model import Case, Observed, Scenario

if TYPE_CHECKING:
    from trialsim.running.run import Run

SCHEMA = 1
"""Version of the layout of ``results.json``."""


def content(run: Run) -> Document:
    """The content of ``results.json``: floats to 12 significant digits, no NaN, keys in a fixed order."""
    scenario, results, checks = run.scenario, run.results, run.checks
    stated = inputs(scenario, results.seed, results.replicates)
    power = run.power.to_dict()
    found = of_results(run.compiled, results)
    for name, case in found["cases"].items():
        case["power_ledger"] = power[name]
    if run.dose is not None:
        for name, decided in run.dose.to_dict().items():
            found["cases"][name]["dose_decision"] = decided
        found["dose_decision"] = _dose_decision(run.compiled, run.dose.not_exact)
    found["calendar_time_changes"] = _changes(run)
    found |= {
        **check_document(checks),
        "protocol": asdict(run.facts),
        "inputs": stated,
        "provenance": tally_of_inputs(stated),
        "method": _method(scenario, run.compiled, results),
        "scenario": run.text,
    }
    found["method"]["comparisons"] = len(compared(found))
    found["stops_for_toxicity"] = {
        name: best(case, "p_stop_toxicity") + best(case, "p_stop_toxicity_at_n")
        for name, case in found["cases"].items()
    }
    inactive, active = (name or next(iter(found["cases"])) for name in typical_cases(found))
    found["examples"] = examples(run.compiled, run.seed, inactive, active)
    if run.history is not None:
        found["history"] = run.history.to_dict()
    if run.prior is not None:
        found["prior"] = run.prior.to_dict()
    if run.sensitivity is not None:
        found["sensitivity"] = run.sensitivity.to_dict()
    plain: Document = digits12(found)
    return plain


def of_results(trial: Compiled, results: Results, *, costs: bool = True) -> Document:
    """The part that follows from the scenario and its operating characteristics alone, not yet rounded.

    What calendar time changes is None: that takes the power ledgers. Without ``costs`` what the toxicity rule costs,
    which takes most of the time, is None too.
    """
    scenario, rules = trial.scenario, trial.rules
    return {
        "schema": SCHEMA,
        "trialsim": results.version,
        "streams": results.streams,
        "name": scenario.name,
        "endpoint": scenario.endpoint,
        "source": scenario.source,
        "stated_question": scenario.question,
        "also_states": [key for key in ("variants", "sensitivity") if getattr(scenario, key)],
        "digest": results.digest,
        "seed": results.seed,
        "replicates": results.replicates,
        **({"planned": vars(results.planned)} if results.planned else {}),
        "doses": list(scenario.doses),
        "design": design_document(scenario, rules),
        **({"designs": _designs(trial)} if rules.each else {}),
        "toxicity_rule": toxicity_rule.document(trial),
        "evaluability": {**scenario.evaluability.model_dump(mode="json"), "max_treated": rules.max_treated},
        "conduct": {
            "calendar_time": scenario.conduct is not None,
            "stated": scenario.conduct.model_dump(mode="json") if scenario.conduct else None,
        },
        "cohorts": _cohorts(scenario),
        "cases": {oc.case: {"truth": _truth(scenario, oc.case), **oc.to_dict()} for oc in results.cases},
        "disagreements": list(results.disagreements),
        "calendar_time_changes": None,
        "analysis_sets": {oc.case: derived.analysis_sets(oc) for oc in results.cases},
        "toxicity_rule_cost": derived.costs(trial) if costs else None,
        **(
            {"toxicity_rule_cost_by_cohort": derived.costs_by_cohort(trial)}
            if scenario.apart and costs
            else {}
        ),
        "question": _question(trial),
        **({"dose_decision": _dose_decision(trial, "")} if scenario.dose_decision else {}),
    }


CHECK_METHOD: Document = {
    "joint_draws": DRAWS,
    "largest_mcse_adjusted": 0.5 / DRAWS**0.5,
    "verdicts": [{"word": word, "least": least} for least, word in VERDICTS],
}
"""How verdicts come about."""


def check_document(checks: Checks) -> Document:
    """What the check has to say."""
    scenario = checks.scenario
    return {
        "headline": [_headline(h, scenario.observed) for h in checks.headline],
        "checks": [{**row.to_dict(), "label": check_label(row.quantity, scenario.doses)} for row in checks],
        "check_cells": [
            {**vars(row), "origin": origin_words(about(f"observed.cells[{row.number}].responses", scenario))}
            for row in checks.cells
        ],
        "likelihood_ratios": [
            {**vars(lr), "inverse": 1 / lr.ratio if lr.ratio else None} for lr in checks.likelihood_ratios
        ],
        "check_notes": list(checks.notes),
        "check_questions": checks.questions and vars(checks.questions),
    }


def _method(scenario: Scenario, trial: Compiled, results: Results) -> Document:
    """The numbers that a description of the computation needs."""
    stated = scenario.simulation
    return {
        "cases": len(results.cases),
        "stated": {"replicates": stated.replicates, "seed": stated.seed},
        "ticks_per_day": TICKS_PER_DAY,
        "days_per_month": DAYS_PER_MONTH,
        "interval": 0.95,
        "central": [0.5, 0.8, 0.95],
        "quantiles": [0.1, 0.5, 0.9],
        "trials_over_time": followed(trial.calendar.max_arrivals) if trial.dated else TRIALS,
        "largest_mcse": 0.5 / results.replicates**0.5 if results.replicates else None,
        "false_alarm": FALSE_ALARM,
        **CHECK_METHOD,
    }


def _designs(trial: Compiled) -> list[Document]:
    """Every design with its cohorts, where those have their own, and the toxicity boundary of each of them."""
    return [
        {
            "cohorts": list(names),
            **design_document(one.scenario, one.rules),
            "max_treated": one.rules.max_treated,
            "toxicity_rule": toxicity_rule.document(one),
        }
        for names, one in trial.by_design.items()
    ]


def design_document(scenario: Scenario, rules: Rules) -> Document:
    """A design: its cut-offs, what it attains alone, and every decision."""
    spec, looks = scenario.design, rules.looks
    short = cut_offs(looks)
    searched = getattr(spec, "is_searched", False)
    default_criterion = getattr(spec, "default_criterion", None)
    source = scenario.sources.get("design")
    at_p0, at_p1 = ({} if p is None else derived.alone(looks, p) for p in (spec.p0, spec.p1))
    return {
        "kind": spec.kind,
        "n1": short.n1 if short else None,
        "r1": short.r1 if short else None,
        "n": looks.planned_n,
        "r": short.r if short else None,
        "p0": spec.p0,
        "p1": spec.p1,
        "alpha": getattr(spec, "alpha", None),
        "beta": getattr(spec, "beta", None),
        "criterion": (getattr(spec, "criterion", None) or default_criterion) if searched else None,
        "weight": getattr(spec, "weight", None),
        "type_i_error": at_p0.get("p_go"),
        "power": at_p1.get("p_go"),
        "en_at_p0": at_p0.get("en"),
        "pet_at_p0": at_p0.get("pet"),
        "assumed": bool(source and source.assumed),
        "looks": [
            {"n": looks.n[k], "responses_from": low, "responses_to": high, **_decision(looks, k, d)}
            for k in range(len(looks.n))
            for low, high, d in looks.ranges(k)
        ],
        "toxic_looks": [
            {"n": n, "toxicities_from": b} for n, b in zip(looks.n, looks.toxic_ge, strict=False) if b < NEVER
        ],
    }


def _decision(looks: Looks, k: int, decision: int) -> Document:
    if decision >= 0:
        n = looks.n[decision]
        return {"decision": "continue", "next_n": n, "more_patients": n - looks.n[k]}
    return {"decision": DECISION_WORDS[decision], "next_n": None, "more_patients": None}


def _dose_decision(trial: Compiled, not_exact: str) -> Document:
    """The dose decision as stated, the correct dose of each case, and why there are no exact numbers (else null)."""
    stated = trial.scenario.dose_decision
    assert stated is not None
    choices = {case: trial.choice(case) for case in trial.scenario.truth}
    return {
        "stated": stated.model_dump(mode="json", by_alias=True),
        "correct": {
            case: "lower" if choice.right == LOWER else "higher" for case, choice in choices.items() if choice
        },
        "not_exact": not_exact or None,
    }


def _cohorts(scenario: Scenario) -> Document | None:
    cohorts = scenario.cohorts
    if cohorts is None:
        return None
    strata = [{"name": s.name, "share": s.share, "cohort": s.cohort_name} for s in cohorts.strata]
    own = {"monitor": cohorts.monitor} if cohorts.monitor == "own" else {}
    return {"rules": cohorts.rules, **own, "names": list(cohorts.names), "strata": strata}


def _changes(run: Run) -> Document | None:
    """By case, what calendar time changes; None where it was not simulated."""
    of_time = run.power.of_time
    found = {oc.case: derived.changed_by_time(oc, of_time.get(oc.case, {})) for oc in run.results.cases}
    return {name: row for name, row in found.items() if row} or None


def _truth(scenario: Scenario, case: str) -> Document:
    """The rates of a case by dose (averaged over strata), and by stratum where one differs."""
    truth, levels = scenario.truth[case], len(scenario.doses)
    keys = ("response", "toxicity", "stable_disease", "serious")
    parts = groups(scenario, truth)
    by_dose: dict[str, list[float] | None] = {}
    for key in keys:
        stated = [here.by_dose(key, levels) for _, here in parts]
        rates = [found for found in stated if found is not None]
        # stable disease is a share of the patients without response, so shares of strata do not average it
        whole = len(rates) == len(stated) and (key != "stable_disease" or len(set(rates)) == 1)
        by_dose[key] = _average([share for share, _ in parts], rates) if whole else None
    differ = bool(truth.cohorts)
    return {
        **by_dose,
        "highest_response": max(here.highest(levels) for _, here in parts),
        "odds_ratio": truth.odds_ratio,
        "drift": _drift(truth),
        "strata": [
            {
                "name": stratum.name,
                **{key: list(row) if (row := here.by_dose(key, levels)) else None for key in keys},
                "odds_ratio": here.odds_ratio,
            }
            for stratum, (_, here) in zip(scenario.strata, parts, strict=True)
        ]
        if differ
        else None,
        "note": truth.note,
    }


def _drift(truth: Case) -> Document | None:
    """By how much the response rate changes, and in how many months (None: by patient number)."""
    if not truth.change:
        return None
    months = truth.drift.months if isinstance(truth.drift, DatedDrift) else None
    return {"change": truth.change, "months": months}


def _average(shares: list[float], rows: list[tuple[float, ...]]) -> list[float]:
    """Rates by dose averaged over strata; as stated where all are the same."""
    if all(row == rows[0] for row in rows):
        return list(rows[0])
    return [sum(share * p for share, p in zip(shares, ps, strict=True)) for ps in zip(*rows, strict=True)]


def _question(trial: Compiled) -> Document:
    scenario, rules = trial.scenario, trial.rules
    why_not = derived.no_bound_because(scenario, rules)
    each = [(one.scenario, one.rules) for one in trial.by_design.values()] or [(scenario, rules)]
    in_a_cohort = scenario.own_rules and not any(
        derived.no_bound_because(stated, one, in_a_cohort=True) for stated, one in each
    )
    false_go = {
        case: [name for c, name in enumerate(trial.cohorts) if trial.false_go(case) >> c & 1]
        for case in scenario.truth
    }
    return {
        "after_dose_change": scenario.on_dose_change,
        "cohort_rules": scenario.cohorts.rules if scenario.cohorts else None,
        "p_go_at_most_type_i_error": not why_not,
        "p_go_of_a_cohort_at_most_type_i_error": in_a_cohort,
        "why_not": why_not or None,
        # by case the cohorts with no response rate above the p0 of their design
        **({"false_go": false_go} if rules.each else {}),
    }


def _headline(headline: Headline, observed: Observed | None) -> Document:
    share = headline.observed / headline.denominator
    row = {
        **vars(headline),
        "label": check_label(headline.quantity),
        "proportion": share,
        "among_treated": None,
    }
    if headline.unit == "evaluable" and observed is not None and observed.treated is not None:
        low, high = clopper_pearson(headline.observed, observed.treated)
        share = headline.observed / observed.treated
        row["among_treated"] = {
            "denominator": observed.treated,
            "proportion": share,
            "low": low,
            "high": high,
        }
    return row
