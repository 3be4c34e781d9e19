"""Which question P(go) answers, and whether the type I error is kept: in sentences."""

from __future__ import annotations

from trialsim.reporting.protocol_toxicity import AFTER_CHANGE
from trialsim.running.content import Document
from trialsim.running.plain import best, from_start, is_timed, null_cases
from trialsim.writing.numbers import chance, listed, probability, rate


def paragraphs(doc: Document) -> list[str]:
    """What P(go) is a statement about, whether the type I error is kept, and whom the analysis takes."""
    words = [_analysed(doc)]
    if doc["question"]["cohort_rules"] == "own":
        which, p0 = ("a", "the p0 of its design") if "designs" in doc else ("the", "p0")
        words.append(
            "Each dose runs the design by itself, on its own patients. P(go) is the probability of a go for at least "
            f"one dose; a false go is one for a dose whose response rate is not above {p0}."
            if from_start(doc)
            else f"Each cohort runs {which} design by itself. P(go) is the probability of a go in at least one "
            f"cohort; a false go is one in a cohort in which no dose responds better than {p0}."
        )
    elif doc["cohorts"] is not None:
        words.append(
            "The cohorts are pooled: a go is about all patients together, in the mix in which they arrive. It "
            "does not say in which cohort the drug works."
        )
    words += _type_i_error(doc)
    if any(row["p_go_evaluable"] is not None for row in doc["analysis_sets"].values()):
        words.append(
            "By the stated rule a treated patient who is not evaluable counts as a non-response. The analysis of "
            "evaluable patients leaves such patients out of the final look; the table sets the two side by side."
        )
    return words


def _of_cohorts(doc: Document) -> list[str]:
    """The same where cohorts have designs of their own, and each its p0."""
    known = [each for each in doc["designs"] if each["type_i_error"] is not None]
    if not known:
        return ["No design states a p0, so there is no type I error to speak of."]
    each = [
        f"{probability(one['type_i_error'])} ({listed(one['cohorts'])}; p0 = {rate(one['p0'])})"
        for one in known
    ]
    words = f"Type I error: the designs alone attain {listed(each)}."
    if doc["question"]["p_go_of_a_cohort_at_most_type_i_error"]:
        words += (
            " For each cohort by itself that is a bound: where no response rate in it exceeds the p0 of its design, a "
            "go in that cohort has at most this probability, because its looks contain its own patients in the order "
            "of enrolment. With several such cohorts, a go in at least one of them has at most the sum."
        )
    else:
        words += " That P(go) of a cohort stays at or below that where no response rate exceeds p0 is not claimed here."
    cases = [f"{chance(best(doc['cases'][name], 'p_go'))} (“{name}”)" for name in null_cases(doc)]
    inside = "In the cases with no response rate above p0 in any cohort, P(go) is"
    return [words, *([f"{inside} {listed(cases)}."] if cases else [])]


def _analysed(doc: Document) -> str:
    """The question that the analysis after a dose change asks."""
    doses, rule = doc["doses"], doc["toxicity_rule"]
    if from_start(doc):
        return "Each patient keeps the dose that was allocated, so a go at a dose is a statement about that dose."
    if len(doses) == 1 or rule["kind"] == "none":
        return "Every patient is meant to have the same dose, so a go is a statement about that dose."
    return AFTER_CHANGE[doc["question"]["after_dose_change"]]


def _type_i_error(doc: Document) -> list[str]:
    """Whether P(go) is known to stay below the attained type I error of the design, and why or why not."""
    question, design = doc["question"], doc["design"]
    if "designs" in doc:
        return _of_cohorts(doc)
    if design["type_i_error"] is None:
        return ["The scenario states no p0, so there is no type I error to speak of."]
    attained, p0 = probability(design["type_i_error"]), rate(design["p0"])
    inside = [
        f"{chance(best(case, 'p_go'))} (“{name}”)"
        for name, case in doc["cases"].items()
        if case["truth"]["highest_response"] <= design["p0"]
    ]
    found = f"In the cases with no response rate above p0, P(go) is {listed(inside)}." if inside else ""
    if question["p_go_at_most_type_i_error"]:
        whatever = "whatever the toxicity rates and their association with response"
        if is_timed(doc):
            whatever += ", and in calendar time too: with any lag, hold, pause or early decision"
        alone = "the design alone"
        if design["toxic_looks"]:
            alone = "the design’s response cut-offs by themselves, which nobody’s toxicity stops"
        words = [
            "Type I error: if no patient’s probability of response, given everything known at enrolment, exceeds "
            f"p0 = {p0}, then P(go) is at most {attained}, the attained type I error of {alone}. This holds "
            f"{whatever}, because the looks contain fixed patients in the order of enrolment, more responses can "
            "only help a go, and toxicity can stop the trial but never make it a go."
        ]
        if found and is_timed(doc):
            found = (
                f"{found[:-1]}, simulated; an estimate may lie above the bound by chance, but by no more than a few "
                "standard errors."
            )
        return [*words, *([found] if found else [])]
    words = [
        f"Type I error: that P(go) stays at or below {attained} when no response rate exceeds p0 is not claimed here, "
        f"because {question['why_not']}. The cases show what P(go) is."
    ]
    if question["p_go_of_a_cohort_at_most_type_i_error"]:
        cohorts = len(doc["cohorts"]["names"])
        each, at = ("dose", "for") if from_start(doc) else ("cohort", "in")
        where = "its response rate does not exceed" if from_start(doc) else "no response rate in it exceeds"
        words.append(
            f"For each {each} by itself the bound holds: where {where} p0 = {p0}, a go {at} that {each} has a "
            f"probability of at most {attained}, because its looks contain its own patients in the order of enrolment. "
            f"With {cohorts} {each}s in which no rate exceeds p0, a go {at} at least one of them has a probability of "
            f"at most {cohorts} times that."
        )
    return [*words, *([found] if found else [])]
