"""Aims, estimand, data-generating model, methods and limitations in sentences, from ``results.json`` alone."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.reporting.run.summary import by_dose, is_fitted
from trialsim.reporting.sentences import drift_words
from trialsim.running.content import Document
from trialsim.running.plain import any_adjusted, from_start, is_timed, not_adjusted, null_cases
from trialsim.running.toxicity_rule import may_stop
from trialsim.writing.numbers import count, listed, percent, rate, rates

PLACKETT = (
    "Response and toxicity of a patient are associated by Plackett’s odds ratio; 1 is no association. Given the rates, "
    "patients are independent of each other: there is no trend over time and no effect of the site."
)


# -- objectives and estimand


def objectives(doc: Document) -> str:
    """What the run was made to find out."""
    words = f"The scenario asks: {doc['stated_question']} " if doc["stated_question"] else ""
    words += (
        f"To find out how often a trial with these rules ends in a recommendation for further study (go), how many "
        f"patients it treats and how many of them are harmed, if each of {count(len(doc['cases']), 'case')} is true"
    )
    if is_timed(doc):
        words += ", and how long it takes"
    if doc["headline"]:
        words += "; and whether the published counts would be surprising if a case were true"
    return f"{words}."


def estimand(doc: Document) -> list[tuple[str, str]]:
    """The attributes of the estimand that a trial with these rules is about (ICH E9 (R1))."""
    design = doc["design"]
    rows = [
        ("Treatment", _treatment(doc)),
        ("Population", _population(doc)),
        ("Variable", f"{_first_upper(doc['endpoint'])}: whether a patient has it or not."),
        ("Intercurrent events", " ".join(_intercurrent(doc))),
    ]
    summary = (
        "The response rate, decided on by the number of responses and the cut-offs of the decision rules."
    )
    if "designs" in doc:
        summary += (
            " The null hypothesis and the alternative are those of each cohort’s design (protocol section)."
        )
    elif design["p0"] is not None:
        summary += (
            f" The null hypothesis is a response rate of p0 = {rate(design['p0'])} or less"
            + (f", the alternative p1 = {rate(design['p1'])}" if design["p1"] is not None else "")
            + "."
        )
    rows.append(("Summary measure", summary))
    return rows


def _treatment(doc: Document) -> str:
    doses = doc["doses"]
    if from_start(doc):
        return f"{listed(doses, 'or')}, by chance; each dose is one treatment, with a conclusion of its own."
    if len(doses) == 1 or doc["toxicity_rule"]["kind"] == "none":
        return f"{doses[0]}."
    return f"{doses[0]} at the start, {listed(doses[1:])} for later patients where the dose rule says so."


def _population(doc: Document) -> str:
    if doc["evaluability"]["replaced"]:
        words = "Treated patients who are evaluable for response; one who is not is replaced."
    else:
        words = "All treated patients, in the order of enrolment."
    if from_start(doc):
        words += " Each dose by itself."
    elif doc["cohorts"] is not None:
        own = doc["cohorts"]["rules"] == "own"
        words += " Each cohort by itself." if own else " All cohorts together."
    return words


def _intercurrent(doc: Document) -> Iterator[str]:
    if len(doc["doses"]) > 1 and doc["toxicity_rule"]["kind"] != "none":
        yield {
            "pooled": "Change of dose: all patients count, whichever dose they had (treatment policy).",
            "new_dose_only": "Change of dose: patients at the old dose leave the analysis.",
            "restart": "Change of dose: a fresh trial begins at the new dose.",
        }[doc["question"]["after_dose_change"]]
    if doc["evaluability"]["probability"] < 1 and not doc["evaluability"]["replaced"]:
        yield "Outcome that cannot be determined: a non-response (composite)."
    stated = doc["conduct"]["stated"] or {}
    if stated.get("withdrawal_per_month"):
        yield "Withdrawal: a response that has not yet counted is lost."
    if may_stop(doc["toxicity_rule"]):
        yield "Stop for toxicity: no go, whatever the responses."
    if stated.get("patient_reductions"):
        yield "Reduction of a patient’s own dose: the patient goes on counting, at the dose of the start."
    yield "Death and further treatment are not modelled apart from these."


# -- the data-generating model


def rates_words(doc: Document) -> str:
    """How responses and toxicities of patients are drawn."""
    toxic = any(case["truth"]["toxicity"] is not None for case in doc["cases"].values())
    words = "Each patient responds with the rate that the case gives for the dose at which the patient starts"
    words += f", and has toxicity with the toxicity rate for that dose. {PLACKETT}" if toxic else "."
    if not toxic:
        words += (
            " Patients are independent of each other: there is no trend over time and no effect of the site."
        )
    return words


def provenance(doc: Document) -> str:
    """How many inputs have a source, and how many are assumed."""
    made = doc["provenance"]
    return (
        f"All results follow from {count(made['inputs'], 'input')} (observed counts are not among them): "
        f"{made['sourced']} with a source, "
        f"{made['assumed']} that the scenario says are assumed, {made['default']} left at their default, which is an "
        f"assumption too, and {made['unstated']} given without saying where they come from. The table names each."
    )


def why_this_case(doc: Document, name: str) -> str:
    """Why a case is among the scenarios: what it stands for, from its rates and p0 and p1."""
    case, design = doc["cases"][name], doc["design"]
    truth, p0, p1 = case["truth"], design["p0"], design["p1"]
    responses = truth["response"]
    if "designs" in doc:  # each cohort has its own p0
        false = doc["question"]["false_go"][name]
        words = "no response rate exceeds the p0 of its cohort’s design, so a go is a false one"
        if name not in null_cases(doc):
            but = f" but {listed(false)}" if false else ""
            words = f"the drug is better than the p0 of the design in every cohort{but}"
    elif p0 is not None and truth["highest_response"] <= p0:
        words = "the drug is inactive: no response rate exceeds p0, so a go is a false one"
    elif truth["drift"]:
        words = f"a response rate of {by_dose(doc, responses)} in the first patient; it {drift_words(**truth['drift'])}"
    elif p1 is not None and min(responses) >= p1 and not truth["strata"]:
        words = "the drug is active: the response rate is p1 or better at every dose"
        words += _as_harmful(doc, truth["toxicity"])
    elif p1 is not None and responses[0] >= p1:
        words = "the drug is active at the starting dose, and less so at a lower one"
    elif p1 is not None and max(responses) >= p1 and not truth["strata"]:
        words = "the drug is active at a lower dose, and less so at the starting one"
    elif p0 is not None and p1 is not None and truth["strata"]:
        words = "the drug works in some patients and not in others"
    elif p0 is not None and p1 is not None:
        words = "the response rate lies between p0 and p1"
    else:
        words = f"a response rate of {by_dose(doc, responses)}"
    if is_fitted(doc, name):
        words += "; its rates were set from the observed counts, to see what the trial would do if they were the truth"
    if truth["note"]:
        words += f"; {truth['note']}"
    return f"{_first_upper(words)}."


def _as_harmful(doc: Document, toxicity: list[float] | None) -> str:
    """That an active drug has more toxicity than the design or the toxicity rule accepts; else ""."""
    stated = next((row["value"] for row in doc["inputs"] if row["path"] == "design.toxicity"), None) or ()
    limit = doc["toxicity_rule"]["parameters"].get("limit")
    if toxicity and stated and min(toxicity) >= stated[0]:
        return (
            f", but its toxicity rate is one that the design calls unacceptable ({rate(stated[0])} or more)"
        )
    if toxicity and limit is not None and min(toxicity) > limit:
        return (
            f", but its toxicity rate is above the limit of the toxicity rule ({rate(limit)}) at every dose"
        )
    return ""


def more_rates(doc: Document, name: str) -> str:
    """The rates of a case beside response and toxicity, in words; "–" for none."""
    truth = doc["cases"][name]["truth"]
    parts = [f"odds ratio {truth['odds_ratio']:g}"] if truth["toxicity"] is not None else []
    if truth["drift"]:
        parts.append(f"the response rate {drift_words(**truth['drift'])}")
    for key, words in (("serious", "serious events"), ("stable_disease", "stable disease without response")):
        if truth[key] is not None:
            parts.append(f"{words} {rates(truth[key])}")
    return "; ".join(parts) or "–"


# -- Monte Carlo methods, by the headings of Morris, White and Crowther


def aims(doc: Document) -> str:
    """Aims, beside the objectives of the run."""
    words = "To reach the objectives stated above"
    if is_timed(doc):
        words += "; to say what calendar time changes; and to hold the engine against exact answers where there are any"
    elif any(case["exact"] for case in doc["cases"].values()) and doc["replicates"] is not None:
        words += ", and to hold the simulation against the exact answers"
    return f"{words}."


def mechanisms(doc: Document) -> str:
    """Data-generating mechanisms."""
    words = (
        "Patients are drawn as the data-generating model says. Cases share their patients: the same random numbers "
        "meet each of them, so that cases differ only in what was changed."
    )
    if is_timed(doc):
        words += (
            f" Times are whole ticks of 1/{doc['method']['ticks_per_day']} day, and a month has "
            f"{doc['method']['days_per_month']:g} days. Patients arrive by a Poisson process; each patient’s outcomes, "
            "and when they are seen, are drawn at arrival. Within one tick outcomes come first, then the toxicity "
            "rule, the look, the change of dose and the next arrival."
        )
    return words


def estimands(doc: Document) -> str:
    """Estimands of the simulation: the operating characteristics."""
    words = "P(go), PET (probability of early termination), EN (expected number of patients treated)"
    if len(doc["doses"]) > 1:
        words += ", P(dose reduced)"
    words += ", the probability of each way to end, and expected responses"
    if any(case["truth"]["toxicity"] is not None for case in doc["cases"].values()):
        words += " and toxicities"
    words += f", {'by dose and in all' if len(doc['doses']) > 1 else 'in all'}"
    return (
        f"{words}; with calendar time also durations, overrun and waiting." if is_timed(doc) else f"{words}."
    )


def methods(doc: Document) -> list[tuple[str, str]]:
    """(Lead, paragraph) of how the numbers were computed."""
    made = [
        (
            "Exact.",
            "With all outcomes known before the next patient, the trial is a Markov chain on the dose, the patients "
            "treated, their responses and the toxicities at the current dose. One pass over the patients gives the "
            "probability of every state, and from these every operating characteristic.",
        )
    ]
    if doc["replicates"] is not None:
        made.append(
            (
                "Simulated.",
                f"Each case was run patient by patient for {count(doc['replicates'], 'replicate')}, seed "
                f"{doc['seed']}. Random numbers are counter-based (Philox; Salmon and others 2011): each belongs to a "
                "seed, a replicate and a patient, so the results are the same on any number of processors.",
            )
        )
        if doc.get("planned") is not None:
            made.append(
                (
                    "Planned.",
                    f"The number of replicates was planned from a pilot run of {doc['planned']['pilot']:,} with a seed "
                    "of its own, for the precision that the scenario asks for, and then fixed.",
                )
            )
    return made


ADJUSTED = (
    "Adjusted numbers are control variates: the estimate of the linear regression, over replicates, of the quantity in "
    "calendar time on quantities of the same patients with every outcome known at once, at the exact means of those. "
    "The controls are fixed beforehand: the same quantity there (where it exists), the probabilities of a stop for "
    "futility and for toxicity, EN, and the patients at the first dose. Their mcse is that of the regression, their "
    "interval Student's. Where too few replicates differ, or an event is too rare, the plain number stands. Months, "
    "doses, cohorts and outcomes of a dose decision that are to add up are told as they were counted."
)
"""How numbers are adjusted."""


def performance(doc: Document) -> list[str]:
    """Performance measures: the errors of the estimates, and how they are held against exact answers."""
    method = doc["method"]
    if doc["replicates"] is None:
        return ["Every number is exact and needs no error."]
    words = [
        f"Each estimate has its Monte Carlo standard error (mcse): √(p(1 − p)/R) for a probability p from R "
        f"replicates, at most {method['largest_mcse']:.2g} here, and s/√R for a mean. Intervals have "
        f"{method['interval']:.0%} coverage: Clopper-Pearson for probabilities, normal for means."
    ]
    if any(case.get("at_once") or case["exact"] for case in doc["cases"].values()):
        words.append(
            "z is (simulated − exact)/standard error. A warning is printed when a difference is so large that a run "
            f"with nothing wrong would show one with probability {method['false_alarm']:g}. It compares plain numbers."
        )
    if any_adjusted(doc):
        words.append(ADJUSTED)
    elif why := not_adjusted(doc):
        words.append(f"No number is adjusted by the exact answer of its twin: {why}.")
    return words


# -- limitations


def limitations(doc: Document) -> Iterator[str]:
    """What the numbers do not cover, sentence by sentence."""
    made = doc["provenance"]
    if made["assumed"] + made["default"] + made["unstated"]:
        yield (
            f"The results hold if the inputs do, and of these {made['assumed']} are marked as assumed, "
            f"{made['default']} left at their default and {made['unstated']} given without a source; the cases are "
            "what-ifs, not forecasts."
        )
    for block, words in (("design", "The design"), ("toxicity_rule", "The toxicity rule")):
        if doc[block]["assumed"]:
            yield f"{words} is assumed: nothing here says that a real trial followed it."
    drifts = [case["truth"]["drift"]["months"] for case in doc["cases"].values() if case["truth"]["drift"]]
    alike = ["dose", *["stratum"] * bool(doc["cohorts"]), *["order of enrolment"] * (None in drifts)]
    alike += ["date"] * any(drifts)
    yield (
        f"Patients of a case are independent and alike but for {listed(alike)}: rates that "
        f"{'' if drifts else 'drift, '}differ by site or vary between patients are not modelled."
    )
    if len(doc["doses"]) > 1:
        yield "A patient’s rates belong to the dose of the start of treatment."
    if is_timed(doc):
        yield (
            "In calendar time the numbers are simulated. Arrivals are a Poisson process, progression is exponential, "
            "and what the scenario says of lags and visits holds for every patient."
        )
    else:
        yield (
            "Every outcome is known before the next patient: with slow outcomes and quick accrual more patients would "
            "be treated before a stop or a change of dose (a conduct block brings calendar time in)."
        )
    if not doc["question"]["p_go_at_most_type_i_error"] and doc["design"]["type_i_error"] is not None:
        yield "The type I error of the design alone is not claimed to hold for the whole trial: see the estimand."
    if doc["headline"] and any(row["quantity"] == "toxicities" for row in doc["headline"]) and is_timed(doc):
        yield (
            "A toxicity counts here if it begins within the toxicity window. A publication may count over another "
            "time, by worst grade or by cause: then the check of toxicity compares like with unlike."
        )
    if doc["headline"]:
        low, high = doc["headline"][0]["low"], doc["headline"][0]["high"]
        yield (
            f"The observed counts are few: {doc['headline'][0]['observed']} of {doc['headline'][0]['denominator']} is "
            f"compatible with rates from {percent(low)} to {percent(high)}. A case that is compatible is not thereby "
            "shown to be true, and the check cannot tell whether the trial followed the rules assumed here."
        )


def _first_upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
