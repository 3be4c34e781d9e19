"""The protocol in sentences, generated from the compiled rules; and the convention printed with every boundary."""

from __future__ import annotations

from typing import Any

from trialsim.codes import FUTILE, GO
from trialsim.designs.rules import Looks, Rules
from trialsim.reporting.run.conduct import ANALYSED, changes_dose
from trialsim.running.content import Document
from trialsim.scenario.model import Scenario
from trialsim.writing.numbers import count, listed, probability, rate

CONVENTION = "Stop stage 1 if responses ≤ r1; go if responses > r; act on toxicity if toxicities ≥ b."

EACH_COHORT = "Each cohort follows the rules below by itself, on its own patients."

MANY_LOOKS = 5
"""With more looks than this the table speaks for itself and the sentences only say where the looks are."""


def protocol(scenario: Scenario, rules: Rules, doc: Document) -> dict[str, list[str]]:
    """Paragraphs by heading: the design, the toxicity rule, who is counted."""
    return {
        "design": [
            *([EACH_COHORT] if scenario.own_rules else []),
            *look_sentences(rules),
            *filter(None, [toxic_look_words(doc)]),
            *design_origin(doc),
        ],
        "toxicity": [*toxicity_rule(doc), *toxicity_actions(doc)],
        "counted": who_is_counted(scenario, rules),
    }


# -- looks


def look_sentences(rules: Rules) -> list[str]:
    """One sentence or two a look: how many patients, and what each number of responses leads to."""
    looks = rules.looks
    if len(looks.n) > MANY_LOOKS:
        return [
            f"Responses are looked at {count(len(looks.n), 'time')}, after {listed([str(n) for n in looks.n])} "
            "patients; the table of decisions below says what each number of responses leads to. The trial has "
            f"at most {looks.planned_n} {'evaluable ' if rules.replaced else ''}patients."
        ]
    found = []
    for k, n in enumerate(looks.n):
        stage = f"Stage {k + 1}: " if len(looks.n) > 1 else ""
        branches = [_branch(looks, k, low, high, d) for low, high, d in looks.ranges(k)]
        found.append(f"{stage}{_enrol(looks, k, n, rules.replaced)} {' '.join(branches)}")
    return found


def _enrol(looks: Looks, k: int, n: int, replaced: bool) -> str:
    until = f"enrol until {n} patients are evaluable" if replaced else f"enrol {count(n, 'patient')}"
    if k:
        before = [looks.n[j] for j in range(k) if k in looks.next[j]]
        more = (
            f"{n - before[0]} more patients, {n} in all" if len(before) == 1 else f"up to {n} patients in all"
        )
        until = f"enrol until {n} patients in all are evaluable" if replaced else f"enrol {more}"
    return f"{until[0].upper()}{until[1:]}." if len(looks.n) == 1 else f"{until}."


def _branch(looks: Looks, k: int, low: int, high: int, decision: int) -> str:
    """One range of responses and its decision."""
    end = looks.is_final(k)
    if decision == FUTILE:
        action = "do not recommend further study (no go)" if end else "stop for futility"
    elif decision == GO:
        action = "recommend further study (go)" if end else "stop early and recommend further study (go)"
    elif decision >= 0:
        action = f"continue to {looks.n[decision]} patients"
    else:
        action = "consider further study"
    if low == 0 and high == looks.n[k]:
        return f"Whatever the responses, {action}."
    return f"{response_words(low, high, looks.n[k])}, {action}."


def response_words(low: int, high: int, n: int) -> str:
    """``If 1 or fewer respond (responses ≤ 1)``."""
    if low == 0:
        many = "If none responds" if high == 0 else f"If {high} or fewer respond"
        return f"{many} (responses ≤ {high})"
    if high == n:
        many = "If all respond" if low == n else f"If {low} or more respond"
        return f"{many} (responses > {low - 1})"
    if low == high:
        return "If 1 responds" if low == 1 else f"If {low} respond"
    return f"If {low} to {high} respond"


def toxic_look_words(doc: Document) -> str:
    """What the looks at responses make of toxicity; "" where they do not ask."""
    cuts = [f"{row['toxicities_from']} or more of {row['n']}" for row in doc["design"]["toxic_looks"]]
    if not cuts:
        return ""
    return f"Whatever the responses, a look stops the trial for toxicity if {listed(cuts, 'or')} patients have had it."


def design_origin(doc: Document) -> list[str]:
    """How the cut-offs came about, what they attain, and whether any publication states them."""
    design = doc["design"]
    hypotheses = _hypotheses(design)
    if design.get("origin"):
        words = [design["origin"]]
    elif design["alpha"] is not None:
        found = {
            "optimal": "the two-stage design with the least expected sample size at p0 (Simon’s optimal criterion)",
            "minimax": "the two-stage design with the least n and, among those, the least expected sample size at p0 "
            "(Simon’s minimax criterion)",
            "admissible": f"the two-stage design that minimises w·n + (1 − w)·EN(p0) for w = {design['weight']} "
            "(admissible; Jung and others 2004)",
            "first": "the smallest single-stage trial that keeps both error rates",
            "stable": "the smallest single-stage trial from which every larger one keeps both error rates as well",
        }[design["criterion"]]
        words = [
            f"These cut-offs were found by a complete search: {found}, among those with a type I error of at most "
            f"{design['alpha']:g} at p0 = {rate(design['p0'])} and a type II error of at most {design['beta']:g} at "
            f"p1 = {rate(design['p1'])}."
        ]
    elif design["kind"] == "rules":
        words = [f"The table of decisions is stated outright in the scenario{hypotheses}."]
    else:
        words = [f"The cut-offs are stated outright in the scenario{hypotheses}."]
    attained = []
    if design["type_i_error"] is not None:
        attained.append(f"type I error {probability(design['type_i_error'])} at p0 = {rate(design['p0'])}")
    if design["power"] is not None:
        attained.append(f"power {probability(design['power'])} at p1 = {rate(design['p1'])}")
    if attained:
        toxicity = "no toxicity" if design["toxic_looks"] else "no toxicity rule"
        words.append(
            f"Attained by the design alone (every patient evaluable, {toxicity}): {listed(attained)}, exactly."
        )
    else:
        words.append("Without p0 and p1 it has no type I error or power: each case below has its own P(go).")
    if design["assumed"]:
        note = next((row["note"] for row in doc["inputs"] if row["path"] == "design.kind"), None)
        words.append(
            f"The design is assumed by this scenario{f' ({note})' if note else ''}; nothing here says that the real "
            "trial followed it."
        )
    return [" ".join(words)]


def _hypotheses(design: Document) -> str:
    stated = [f"{key} = {rate(design[key])}" for key in ("p0", "p1") if design[key] is not None]
    return f", with {listed(stated)}" if stated else ""


# -- toxicity


def toxicity_rule(doc: Document) -> list[str]:
    """What the toxicity rule is, and how often it acts when toxicity is just at the limit."""
    rule = doc["toxicity_rule"]
    start, given = doc["doses"][0], rule["parameters"]
    words: list[str]
    if rule["kind"] == "none" and doc["design"]["toxic_looks"]:
        return [f"Toxicity is watched by the looks alone: every patient is treated at {start}."]
    if rule["kind"] == "none":
        return [f"There is no toxicity rule: every patient is treated at {start}, whatever is seen."]
    if rule["kind"] == "amendment":
        words = [
            f"After patient {level['after_patient']} of the trial new patients start at {doc['doses'][k + 1]} instead "
            f"of {level['dose']}, whatever was seen, as by a protocol amendment."
            for k, level in enumerate(rule["levels"])
            if level["after_patient"]
        ]
        words += [
            f"From month {level['after_month']:g} after accrual opened on, new patients start at {doc['doses'][k + 1]} "
            f"instead of {level['dose']}, whatever was seen, as by a protocol amendment."
            for k, level in enumerate(rule["levels"])
            if level["after_month"] is not None
        ]
        words.append("No toxicity boundary is applied.")
    else:
        shared = ", whichever cohort they belong to" if doc["cohorts"] else ""
        words = [_boundary_words(rule["kind"], given, rule["crossing_patients"])]
        words.append(
            "The patients of a dose are counted in the order of their enrolment, and the rule looks after each of "
            f"them{shared}. {CONVENTION.rpartition('; ')[2].capitalize()}"
        )
        if not rule["crossing"]:
            words.append("With these numbers the rule never acts.")
        if rule["crossing_at_limit"] is not None:
            words.append(
                f"At a dose whose true toxicity rate is exactly the limit, {rate(given['limit'])}, it acts within "
                f"{rule['crossing_patients']} patients with probability {probability(rule['crossing_at_limit'])}."
            )
    if rule["assumed"]:
        note = next((row["note"] for row in doc["inputs"] if row["path"] == "dose_reduction.rule.kind"), None)
        words.append(f"This rule is assumed by the scenario{f' ({note})' if note else ''}.")
    return [" ".join(words)]


def _boundary_words(kind: str, given: dict[str, Any], patients: int) -> str:
    if kind == "pocock":
        return (
            "Toxicity is monitored after every patient with a boundary of constant tail probability (Pocock type; "
            "Ivanova, Qaqish and Schell 2005). Among such boundaries it is the one that acts earliest while a "
            f"dose whose true toxicity rate is the limit, {rate(given['limit'])}, is acted on within {patients} "
            f"patients with probability at most {given['phi']:g}."
        )
    if kind == "posterior":
        a, b = given["prior"]
        return (
            f"The rule acts when the posterior probability that the toxicity rate of the dose exceeds "
            f"{rate(given['limit'])} is above {given['cutoff']:g}, under a Beta({a:g}, {b:g}) prior, from the "
            f"{_ordinal(given['min_n'])} patient at the dose on."
        )
    if kind == "group_sequential":
        shape = given["shape"] or ("pocock" if given["delta"] is None else f"power {given['delta']:g}")
        names = {"pocock": "Pocock’s", "obrien_fleming": "O’Brien and Fleming’s"}
        return (
            f"Toxicity is looked at after {listed([str(n) for n in given['looks']])} patients at a dose, by repeated "
            f"exact tests of the limit, {rate(given['limit'])}, in {names.get(shape, f'a {shape}')} shape. Among such "
            "boundaries it is the one that acts earliest while a dose at the limit is acted on with probability at "
            f"most {given['phi']:g}."
        )
    return f"The rule acts when {given['k']} of the first {given['m']} patients at a dose have had toxicity."


def toxicity_actions(doc: Document) -> list[str]:
    """What acting means at each dose."""
    rule = doc["toxicity_rule"]
    if rule["kind"] in ("none", "amendment"):
        return []
    words = []
    doses = doc["doses"]
    later = " (after the amendment lag)" if _lags(doc) else ""
    for upper, lower in zip(doses, doses[1:], strict=False):
        words.append(
            f"If it acts at {upper}, the next patients{later} start at {lower}, where toxicities are counted afresh."
        )
    lowest = f"at {doses[-1]}, the lowest dose," if len(doses) > 1 else f"at {doses[-1]}, the only dose,"
    if rule["at_lowest_dose"] == "stop":
        words.append(
            f"If it acts {lowest} the trial stops for toxicity without a go. This holds at the last patient "
            "too: a stop for toxicity outranks the look at responses."
        )
    else:
        words.append(
            f"{lowest[0].upper()}{lowest[1:]} toxicity no longer changes anything: the trial goes on."
        )
    return [" ".join(words)]


def _lags(doc: Document) -> bool:
    """Whether time passes between a dose reduction and its first patient."""
    stated = doc["conduct"]["stated"]
    return bool(stated and stated["amendment_lag_weeks"] and stated["during_amendment"] != "switch")


def boundary_words(steps: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """A toxicity boundary as (patients at the dose, act if toxicities) in words, one pair a step."""
    rows = []
    for step in steps:
        first, last, b = step["patients_from"], step["patients_to"], step["act_if_at_least"]
        patients = str(first) if first == last else f"{first}–{last}"
        rows.append((patients, "no action" if b is None else f"≥ {b}"))
    return rows


# -- counting


def who_is_counted(scenario: Scenario, rules: Rules) -> list[str]:
    """What becomes of patients whose response cannot be determined, and whom a dose change leaves in the count."""
    evaluability = scenario.evaluability
    if evaluability.probability == 1:
        words = "Every treated patient is evaluable for response."
    else:
        words = f"A treated patient is evaluable for response with probability {evaluability.probability:g}"
        if evaluability.inevaluable == "nonresponders":
            words += "; a patient who is not would not have responded."
        else:
            words += ", whether or not the patient would have responded."
    if rules.replaced:
        words += (
            " An inevaluable patient is replaced: looks count evaluable patients, and accrual goes on until there are "
            f"enough (the computation ends at {rules.max_treated} treated patients)."
        )
    elif evaluability.probability < 1:
        words += (
            " An inevaluable patient is not replaced: looks count treated patients, and this one as a "
            "non-response."
        )
    if scenario.conduct is not None and scenario.conduct.withdrawal_per_month:
        words += " Who withdraws before the first visit is not evaluable either."
    if changes_dose(scenario):
        words += f" After a change of dose {ANALYSED[scenario.on_dose_change]}."
    if scenario.own_rules:
        words += " Each cohort counts its own patients."
    last = "Toxicity is counted among treated patients."
    if scenario.conduct is None:
        last += " All outcomes of a patient are taken as known before the next patient is enrolled."
    return [words, last]


def _ordinal(n: int) -> str:
    if n % 100 in (11, 12, 13):
        return f"{n}th"
    return str(n) + {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
