"""Sentences for a protocol in the field's wording: the design, the toxicity rule, the operating characteristics."""

from __future__ import annotations

from trialsim.designs.rules import Rules
from trialsim.reporting.run.rules import look_sentences, toxic_look_words, toxicity_actions
from trialsim.reporting.run.summary import by_dose, reaches_go
from trialsim.running.content import Document
from trialsim.running.plain import best, held, is_timed, typical_cases
from trialsim.writing.numbers import count, listed, probability, rate


def for_protocol(rules: Rules, doc: Document) -> list[str]:
    """Three short paragraphs; what is assumed is said to be."""
    words = [_design(rules, doc), _toxicity(doc), _characteristics(doc)]
    if doc["design"]["assumed"]:
        words[0] += " (The design is assumed by this scenario; no real trial is said to have followed it.)"
    return [text for text in words if text]


def _design(rules: Rules, doc: Document) -> str:
    design = doc["design"]
    cohorts = doc["cohorts"] is not None and doc["cohorts"]["rules"] == "own"
    parts = ["Each cohort follows this design by itself."] if cohorts else []
    parts += [_hypotheses(doc)] if design["p0"] is not None else []
    if design["n1"] is not None:
        parts.append(_two_stages(rules, doc))
    elif design["r"] is not None:
        who = "evaluable patients" if rules.replaced else "patients"
        reject = (
            "The null hypothesis will be rejected" if design["p0"] is not None else "A go will be declared"
        )
        parts.append(
            f"{design['n']} {who} will be enrolled in a single stage. {reject}, and further study recommended, if more "
            f"than {design['r']} of them respond."
        )
    else:
        parts += look_sentences(rules)
    parts += [toxic_look_words(doc), _attained(doc)]
    return " ".join(filter(None, parts))


def _hypotheses(doc: Document) -> str:
    design = doc["design"]
    against = (
        f" against the one-sided alternative of {rate(design['p1'])}" if design["p1"] is not None else ""
    )
    return (
        f"The null hypothesis that the true response rate is {rate(design['p0'])} or less will be tested{against}; "
        f"the endpoint is {doc['endpoint']}."
    )


def _two_stages(rules: Rules, doc: Document) -> str:
    design = doc["design"]
    named = {"optimal": "Simon’s optimal", "minimax": "Simon’s minimax", "admissible": "an admissible"}
    whose = {"simon": named.get(design["criterion"], "a"), "bryant_day": "Bryant and Day’s"}
    kind = f"{whose.get(design['kind'], 'a')} two-stage design"
    who = "evaluable patients" if rules.replaced else "patients"
    futile = "none of them responds" if design["r1"] == 0 else f"{design['r1']} or fewer of them respond"
    more = next(row["more_patients"] for row in design["looks"] if row["decision"] == "continue")
    go = next(row["responses_from"] for row in design["looks"] if row["decision"] == "go")
    reject = "The null hypothesis will be rejected" if design["p0"] is not None else "A go will be declared"
    return (
        f"By {kind}, {design['n1']} {who} will be enrolled in the first stage. If {futile}, the trial will be stopped "
        f"for futility; otherwise {more} more will be enrolled, {design['n']} in all. {reject}, and further study "
        f"recommended, if {go} or more of the {design['n']} respond."
    )


def _attained(doc: Document) -> str:
    design = doc["design"]
    parts = []
    if design["type_i_error"] is not None:
        parts.append(f"a type I error of {probability(design['type_i_error'])}")
    if design["power"] is not None:
        parts.append(f"a power of {probability(design['power'])} at {rate(design['p1'])}")
    if not parts:
        return ""
    alone = "Where nobody has toxicity" if design["toxic_looks"] else "By itself"
    words = f"{alone} the design has {listed(parts)}"
    if design["pet_at_p0"]:
        words += (
            f"; at {rate(design['p0'])} it ends early with probability {probability(design['pet_at_p0'])} and enrols "
            f"{design['en_at_p0']:.1f} patients on average"
        )
    return f"{words}."


def _toxicity(doc: Document) -> str:
    rule, doses = doc["toxicity_rule"], doc["doses"]
    if rule["kind"] == "none":
        return ""
    if rule["kind"] == "amendment":
        return (
            f"The starting dose will be lowered by a planned amendment ({listed(doses)}), whatever is seen."
        )
    words = [
        "Toxicity will be monitored after every patient, dose by dose, and acted on when the patients with toxicity "
        "reach the boundary of the section on decision rules."
    ]
    if rule["crossing_at_limit"] is not None:
        words.append(
            f"At a true toxicity rate of {rate(rule['parameters']['limit'])} the boundary is reached within "
            f"{rule['crossing_patients']} patients with probability {probability(rule['crossing_at_limit'])}."
        )
    words += toxicity_actions(doc)
    if rule["assumed"]:
        words.append("(This rule is assumed by the scenario.)")
    return " ".join(words)


def _characteristics(doc: Document) -> str:
    """How often the trial ends in a go under the typical cases, and how that was computed."""
    names = list(dict.fromkeys(name for name in typical_cases(doc) if name)) or list(doc["cases"])[:2]
    parts = [
        f"{probability(best(doc['cases'][name], 'p_go'))} if the true response rate is "
        f"{by_dose(doc, doc['cases'][name]['truth']['response'])}"
        for name in names
    ]
    go = reaches_go(doc).replace("in go", "in a recommendation for further study")
    words = f"With all rules, the trial ends {go} with probability {listed(parts)}."
    made = f"trialsim {doc['trialsim']}"
    cases = [doc["cases"][name] for name in names]
    if all(case["exact"] for case in cases):
        return f"{words} These probabilities are exact ({made})."
    how = f"by simulation of {count(doc['replicates'], 'trial')} a case"
    if is_timed(doc) and all(held(case)["exact"] for case in cases):
        how += " in calendar time"
    return (
        f"{words} These probabilities were estimated {how} ({made}, seed {doc['seed']}), with a Monte Carlo "
        f"standard error of at most {doc['method']['largest_mcse']:.2g}."
    )
