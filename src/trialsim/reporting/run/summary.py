"""What a run found in plain words, every number of it taken from ``results.json``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trialsim.checks.rows import GIVEN_SIZES, VERDICTS
from trialsim.quantities import is_probability, short
from trialsim.reporting.sentences import drift_words
from trialsim.running.plain import (
    Document,
    apart,
    best,
    by_design,
    chance_of_largest,
    cohort_names,
    compared,
    from_start,
    held,
    is_adjusted,
    is_timed,
    own_rules,
    told,
    typical_cases,
)
from trialsim.running.toxicity_rule import may_stop
from trialsim.writing.numbers import chance, count, listed, percent, probability, rate, rates, times

SEVERITY = {word: rank for rank, (_, word) in enumerate(VERDICTS)}
"""Verdict words from mild to severe."""


def verdict(doc: Document) -> Iterator[str]:
    """The check of the observed trial in brief; nothing where nothing was observed."""
    if not doc["headline"]:
        return
    for row in doc["headline"][:1]:
        yield (
            f"{row['label']}: {row['observed']} of {_patients(row)}; 95% interval "
            f"{percent(row['low'])} to {percent(row['high'])}."
        )
    verdicts = worst_verdicts(doc)
    for word in SEVERITY:
        told = [_with_p(name, word, row) for name, (w, row) in verdicts.items() if w == word]
        if told:
            yield f"{word.capitalize()}: {listed(told)}."
    fitted = [f"“{name}”" for name in doc["cases"] if name not in verdicts and is_fitted(doc, name)]
    if fitted:
        yield f"No verdict: {listed(fitted)}, set from these counts."
    if verdicts:
        yield "Compatible means not surprising, not that a case is true."
    else:
        yield "No case has a verdict."


def _with_p(name: str, word: str, row: Document) -> str:
    p = "" if word == VERDICTS[0][1] else f" (multiplicity-adjusted p {row['p_adjusted']:.2g})"
    return f"“{name}”{p}"


def is_fitted(doc: Document, name: str) -> bool:
    """Whether a rate of a case was set from an observed count."""
    return any(row["fitted"] and row["path"].startswith(f"truth.{name}.") for row in doc["inputs"])


def trust(doc: Document) -> str:
    """How far to trust the numbers, in a sentence or two."""
    if doc["disagreements"]:
        return "Not at all: exact and simulated answers disagree."
    made = doc["provenance"]
    unsourced = made["inputs"] - made["sourced"]
    inputs = f"Inputs: {unsourced} of {made['inputs']} are assumed, defaults or unsourced."
    found = compared(doc)
    if doc["replicates"] is None or not found:
        how = "Exact." if doc["replicates"] is None else "Simulated, with no exact answer."
        return f"{how} {inputs}"
    twin = " (without calendar time)" if is_timed(doc) else ""
    return (
        f"{count(len(found), 'comparison')} with exact answers{twin}: at most {max(found)[0]:.1f} standard errors "
        f"apart{_by_chance(doc, len(found), 'within chance')}. {inputs}"
    )


SURPRISING = 0.01
"""A largest difference whose chance is smaller is not called chance, and the chance is told."""


def _by_chance(doc: Document, comparisons: int, harmless: str) -> str:
    """What to make of the largest difference, after a comma or a semicolon."""
    p = chance_of_largest(doc)
    if p >= SURPRISING:
        return f", {harmless}"
    return (
        f"; one at least as unlikely somewhere among {comparisons} comparisons has a probability of about {p:.1g} at "
        "most: another seed or more replicates will tell"
    )


def largest_errors(doc: Document, quantities: list[str]) -> str:
    """The largest standard errors of quantities that are simulated, in words; "" where all are exact."""
    found: dict[bool, float] = {}
    leaning = False
    for case in doc["cases"].values():
        for quantity in quantities:
            if not (case["exact"] or {}).get(quantity) and (row := told(case, quantity)):
                error = row["mcse"] or 0.0
                leaning = leaning or is_adjusted(case, quantity)
                kind = is_probability(quantity)
                found[kind] = max(found.get(kind, 0.0), error)
    names = {True: "a probability", False: "a mean"}
    parts = [f"of {names[kind]} at most {found[kind]:.2g}" for kind in names if found.get(kind)]
    how = "Simulated numbers, adjusted" if leaning else "Simulated numbers"
    return f"{how}: mcse {listed(parts)}." if parts else ""


def reaches_go(doc: Document) -> str:
    """What P(go) is the probability of, where looks or cohorts give more than one chance."""
    if doc["question"]["cohort_rules"] == "own":
        return "in a go for at least one dose" if from_start(doc) else "in a go in at least one cohort"
    if doc["question"]["after_dose_change"] == "restart" and len(doc["doses"]) > 1:
        return "in a go at some dose"
    return "in go"


def agreement(doc: Document) -> str:
    """Whether exact and simulated answers agree, and by how much they differ at most."""
    cases = {name: held(case) for name, case in doc["cases"].items()}
    no_exact = [name for name, case in cases.items() if not case["exact"]]
    if doc["replicates"] is None:
        return "All numbers are exact calculations; nothing was simulated."
    simulated = f"{count(doc['replicates'], 'simulated trial')} a case"
    if len(no_exact) == len(cases):
        why = next(iter(cases.values()))["not_exact"]
        return f"The numbers come from {simulated} and stand alone, without an exact answer: {why}."
    if doc["disagreements"]:
        return (
            f"WARNING: {simulated} and the exact calculation differ by more than chance allows. Do not use this run "
            "before the difference is understood."
        )
    words = f"Exact calculation and {simulated} agree"
    if is_timed(doc):
        words = f"With every outcome known at once, exact calculation and {simulated} agree"
    if found := compared(doc):
        z, name, quantity = max(found)
        largest = short(quantity, doc["doses"], cohort_names(doc), own=own_rules(doc))
        words += (
            f": over {len(found)} comparisons the largest difference is {z:.2f} standard errors "
            f"({largest}, case “{name}”){_by_chance(doc, len(found), 'no more than chance produces')}"
        )
    if no_exact:
        words += f"; there is no exact answer for {listed(no_exact)}"
    if is_timed(doc):
        words += (
            ". In calendar time there is no exact answer: those numbers are simulated, each with its Monte Carlo "
            f"standard error (of a probability at most {0.5 / doc['replicates'] ** 0.5:.2g})"
        )
    return f"{words}."


# -- what calendar time changes


def changed_words(doc: Document) -> list[str]:
    """What calendar time changes compared with outcomes known at once, one paragraph a typical case."""
    changes = doc["calendar_time_changes"]
    if not changes:
        return []
    typical = [name for name in typical_cases(doc) if name is not None]
    names = list(dict.fromkeys(typical)) or list(changes)[:2]
    return [_changed(doc, name) for name in names if name in changes]


def _changed(doc: Document, name: str) -> str:
    row, values = doc["calendar_time_changes"][name], doc["cases"][name]["simulated"]
    go, en, overrun = row["p_go"], row["en"], values["overrun"]
    words = (
        f"If “{name}” is true, P(go) is {chance(go['in_calendar_time'])} in calendar time and "
        f"{chance(go['at_once'])} with outcomes known at once ({difference_words(go, 4)})"
    )
    excluded = doc["conduct"]["stated"]["overrun"] == "exclude"
    among = "beside which" if excluded else "of whom"
    words += (
        f"; the trial {'reports' if excluded else 'treats'} {en['in_calendar_time']:.1f} patients on average "
        "instead of "
        f"{en['at_once']:.1f} ({difference_words(en, 2)})"
    )
    if (
        overrun["estimate"] >= 0.05
    ):  # where nobody accrues while a decision is pending there is nothing to say
        words += (
            f", {among} {overrun['estimate']:.1f} are overrun, enrolled while the decision that ended the trial was "
            "pending"
        )
    if len(doc["doses"]) > 1 and (
        row["p_dose_reduced"]["at_once"] or row["p_dose_reduced"]["in_calendar_time"]
    ):
        reduced = row["p_dose_reduced"]
        words += (
            f". Patients go on to a lower dose with probability {chance(reduced['in_calendar_time'])} instead of "
            f"{chance(reduced['at_once'])} ({difference_words(reduced, 4)})"
        )
    low, middle, high = (values[f"duration_{q}_months"]["estimate"] for q in ("p10", "median", "p90"))
    return (
        f"{words}. From the first patient in to the last outcome known it takes {middle:.1f} months in the median, "
        f"and between {low:.1f} and {high:.1f} in eight trials of ten."
    )


def difference_words(row: Document, digits: int) -> str:
    """What calendar time changes on the same patients: ``on the same patients +0.0050, mcse 0.0015``."""
    change, mcse = row["same_patients"], row["same_patients_mcse"]
    if not change and not mcse and mcse is not None:
        return "on the same patients no difference"
    error = "not known" if mcse is None else f"{mcse:.{digits}f}"
    return f"on the same patients {change:+.{digits}f}, mcse {error}".replace("-", "−")


def by_dose(doc: Document, values: list[float]) -> str:
    """``5% at every dose`` or ``15% at 100 mg and 11% at 70 mg``."""
    if len(values) == 1:
        return rate(values[0])
    if len(set(values)) == 1:
        return f"{rates(values)} at every dose"
    return listed([f"{rate(p)} at {dose}" for p, dose in zip(values, doc["doses"], strict=True)])


def toxicity(doc: Document) -> str:
    """What the toxicity rule does, and what it costs; "" where there is none."""
    rule = doc["toxicity_rule"]
    if rule["kind"] == "none":
        return ""
    inactive, active = typical_cases(doc)
    names = [name for name in (inactive, active) if name is not None] or list(doc["cases"])[:1]
    parts = []
    if len(doc["doses"]) > 1:
        reduced = [f"{chance(best(doc['cases'][n], 'p_dose_reduced'))} (“{n}”)" for n in names]
        when = "In calendar time patients" if is_timed(doc) else "Patients"
        when += " of at least one cohort" if apart(doc) else ""
        parts.append(f"{when} go on to a lower dose with probability {listed(reduced)}.")
    if may_stop(rule) and not apart(doc):  # else the table has it cohort by cohort
        above = any(level["action"] == "stop" or level.get("stop_steps") for level in rule["levels"][:-1])
        where = "at the lowest dose " if len(doc["doses"]) > 1 and not above else ""
        told = listed([f"{chance(doc['stops_for_toxicity'][n])} (“{n}”)" for n in names])
        parts.append(f"The rule stops the trial {where}with probability {told}.")
    name = active or names[-1]
    cost = doc["toxicity_rule_cost"][name]
    if cost["p_go_stated"] is not None:
        at_once = ", exactly, but with every outcome known at once," if is_timed(doc) else ""
        words = (
            f"For “{name}”{at_once} P(go) is {chance(cost['p_go_stated'])} with it and {chance(cost['p_go_without'])} "
            "without it"
        )
        if doc["cases"][name]["truth"]["toxicity"] is not None:
            words += (
                f", at {cost['toxicities_stated']:.1f} against {cost['toxicities_without']:.1f} expected patients with "
                "toxicity"
            )
        parts.append(f"{words}.")
    return " ".join(parts)


def worst_verdicts(doc: Document) -> dict[str, tuple[str, dict[str, Any]]]:
    """By case with a verdict: its most severe word and the row it comes from."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for row in doc["checks"]:
        word = row["verdict"]
        if row["conditioning"] != GIVEN_SIZES or word is None:
            continue
        if row["case"] not in found or row["p_adjusted"] < found[row["case"]][1]["p_adjusted"]:
            found[row["case"]] = (word, row)
    return found


def likelihood_words(row: dict[str, Any]) -> str:
    """A likelihood ratio as a sentence."""
    case, against, ratio = f"“{row['case']}”", f"“{row['against']}”", row["ratio"]
    if ratio is None:
        return f"The observed counts cannot occur under {against}."
    if ratio == 0:
        return f"The observed counts cannot occur under {case}."
    if 0.99 < ratio < 1.01:
        return f"The observed counts are as likely under {case} as under {against}."
    if ratio > 1:
        return f"The observed counts are {times(ratio)} times as likely under {case} as under {against}."
    return f"The observed counts are {times(1 / ratio)} times less likely under {case} than under {against}."


def characteristics(doc: Document) -> str:
    """How often the trial ends in a go under the typical cases, and how that was computed."""
    names = list(dict.fromkeys(name for name in typical_cases(doc) if name)) or list(doc["cases"])[:2]
    parts = [
        f"{probability(best(doc['cases'][name], 'p_go'))} if the true response rate is "
        f"{by_dose(doc, doc['cases'][name]['truth']['response'])}{_drift(doc['cases'][name]['truth']['drift'])}"
        for name in names
    ]
    # P(go) depends on toxicity where toxicity can stop the trial or change the dose
    watched = doc["toxicity_rule"]["kind"] != "none" or any(
        d["design"]["toxic_looks"] for _, d in by_design(doc)
    )
    toxic = [doc["cases"][name]["truth"]["toxicity"] if watched else None for name in names]
    at = [by_dose(doc, values) if values else "" for values in toxic]
    if len(set(at)) == 1:
        shared = f", with a true toxicity rate of {at[0]}" if at[0] else ""
    else:
        shared = ""
        parts = [
            f"{part} and the true toxicity rate {of}" if of else part
            for part, of in zip(parts, at, strict=True)
        ]
    words = f"With all rules, the trial ends {reaches_go(doc)} with probability {listed(parts)}{shared}."
    made = f"trialsim {doc['trialsim']}"
    cases = [doc["cases"][name] for name in names]
    if all(case["exact"] for case in cases):
        return f"{words} These probabilities are exact ({made})."
    how = f"by simulation of {count(doc['replicates'], 'trial')} a case"
    if is_timed(doc) and all(held(case)["exact"] for case in cases):
        how += " in calendar time"
    largest = doc["method"]["largest_mcse"]
    adjusted = [is_adjusted(case, "p_go") for case in cases]
    if any(adjusted):
        how += "," if all(adjusted) else ", in part"
        how += " adjusted by the exact answer for the same patients with every outcome known at once"
        largest = max(told(case, "p_go")["mcse"] for case in cases)
    return (
        f"{words} These probabilities were estimated {how} ({made}, seed {doc['seed']}), with a Monte Carlo "
        f"standard error of at most {largest:.2g}."
    )


def _drift(drift: Document | None) -> str:
    return f" in the first patient and {drift_words(**drift)}" if drift else ""


def _patients(row: dict[str, Any]) -> str:
    return count(row["denominator"], f"{row['unit']} patient")
