"""The first page of a run: the decision rule, what the trial does in each case, why, and how far to trust it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialsim.reporting.oc import missed_words
from trialsim.reporting.power_ledger import sentence
from trialsim.reporting.run import believed, dose_decision, summary
from trialsim.reporting.run.rule_in_brief import more, rule
from trialsim.reporting.sentences import drift_words
from trialsim.running.plain import (
    Document,
    best,
    by_design,
    cases_in_brief,
    from_start,
    is_adjusted,
    is_timed,
    own_rules,
    told,
    typical_cases,
)
from trialsim.running.run import Run
from trialsim.running.toxicity_rule import may_stop
from trialsim.writing.numbers import NONE, Cell, count, listed, mcse_cell, rates, value_cell
from trialsim.writing.report import Picture, Pictures, Section, Table, Terms, Words, plain, section

FIGURES = ("as_conducted", "power_ledger")
"""Figures that stand on this page."""


FEW_LEDGERS = 3
"""Cohorts whose P(go) this page explains; the appendix explains them all."""
FEW_STRATA = 3
"""Strata whose response rates stand below the table."""


def first_page(run: Run, doc: Document, pictures: Sequence[Picture]) -> Section:
    """At most a printed page."""
    rows = [("Why P(go) is what it is", " ".join(power_ledger(run, doc)))]
    rows += [("Against the observed trial", " ".join(summary.verdict(doc)))] if doc["headline"] else []
    rows += [("Which dose goes forward", dose_decision.brief(doc))] if "dose_decision" in doc else []
    rows += (
        [("How far to believe a go", believed.brief(doc))] if doc.get("prior") or doc.get("history") else []
    )
    rows.append(("How far to trust the numbers", summary.trust(doc)))
    asked = doc["stated_question"]
    return section(
        "first-page",
        "",
        *([Words(asked[:1].upper() + asked[1:], "Question:", "convention")] if asked else []),
        Words(" ".join([*rule(doc), *missed_words(run.facts.nominal)]), "The decision rule.", mark="box"),
        cases(doc),
        Pictures(tuple(picture for picture in pictures if picture.name in FIGURES)),
        Terms(tuple(rows)),
    )


def power_ledger(run: Run, doc: Document) -> Iterator[str]:
    """How P(go) of the alternative, else of the first case, gets from the design by itself to the trial as it runs."""
    inactive, active = typical_cases(doc)
    ledgers = run.power.of(active or inactive or next(iter(doc["cases"])))
    shown = ledgers if len(ledgers) <= FEW_LEDGERS else ledgers[: FEW_LEDGERS - 1]
    if from_start(doc):
        shown = ledgers = ledgers[:1]  # the other dose runs by the same rules: the page has words for one
    for before, ledger in zip([None, *shown], shown, strict=False):
        yield sentence(run.scenario, ledger, before)
    if len(ledgers) > len(shown):
        yield f"{more(len(ledgers) - len(shown), 'cohort')} in the appendix."


# -- the cases


def cases(doc: Document, *, whole: bool = False) -> Table:
    """One row a case: its true rates, and what the trial does if they are true; each number exact or with its error.

    ``whole``: every case, where there is no appendix that has the others.
    """
    names, note = (list(doc["cases"]), "") if whole else cases_in_brief(doc)
    toxic = any(doc["cases"][name]["truth"]["toxicity"] is not None for name in names)
    shown = {"p_go": "P(go)", "pet": "PET", "en": "EN"}
    if own_rules(doc):
        chance = "go for at least one dose" if from_start(doc) else "go in at least one cohort"
        shown = {"p_go": f"P({chance})", "en": "EN"}
    elif any(best(doc["cases"][name], "p_consider") for name in names):
        shown = {"p_go": "P(go)", "p_consider": "P(consider)", "pet": "PET", "en": "EN"}
    shown |= {"toxicities": "Toxicities"} if toxic else {}
    shown |= {"duration_months": "Months"} if is_timed(doc) else {}
    rows = []
    simulated = False
    for name in names:
        case = doc["cases"][name]
        truth = case["truth"]
        keys = ("response", "toxicity") if toxic else ("response",)
        cells = [
            Cell(NONE if truth[key] is None else rates(truth[key]).replace(" ", "\u00a0")) for key in keys
        ]
        for quantity in shown:
            value = value_cell(quantity, best(case, quantity))
            error = None if case["exact"] else told(case, quantity).get("mcse")
            simulated = simulated or error is not None
            text = value.text if error is None else f"{value.text} ({mcse_cell(quantity, error).text})"
            cells.append(Cell(text, value.value))
        rows.append((Cell(name), *cells))
    notes = [f"Rates by dose: {' / '.join(doc['doses'])}." if len(doc["doses"]) > 1 else ""]
    drifts = {name: doc["cases"][name]["truth"]["drift"] for name in names}
    notes += [f"{name}: the response rate {drift_words(**drift)}." for name, drift in drifts.items() if drift]
    notes += [_mixed(doc, name) for name in names if doc["cases"][name]["truth"]["strata"]]
    looks_stop = any(one["design"]["toxic_looks"] for _, one in by_design(doc))
    stops = looks_stop or may_stop(doc["toxicity_rule"])
    ways = ["for toxicity"] if toxic and stops else []
    if "pet" in shown:
        ways += ["by an early go"] if any(best(doc["cases"][name], "p_go_early") for name in names) else []
        notes.append(f"PET: probability of early termination{f', {listed(ways)} too' if ways else ''}.")
    together = ""
    if own_rules(doc):
        together = ", both doses" if from_start(doc) else ", all cohorts"
    notes.append(f"EN: expected patients treated{together}.")
    notes.append("Toxicities: expected patients with toxicity." if "toxicities" in shown else "")
    months = (
        "Months: to the last outcome."
        if "duration_months" in shown
        else "No months: no calendar time is stated."
    )
    notes.append(months)
    stated = doc["conduct"]["stated"] or {}
    if stated.get("overrun") == "exclude":
        notes.append("Overrun patients are left out of all counts.")
    if (stated.get("patient_reductions") or {}).get("exposure_weight"):
        notes.append("Response: before responses are lost with dose not received.")
    leaning = {is_adjusted(doc["cases"][n], q) for n in names if not doc["cases"][n]["exact"] for q in shown}
    some = "some " if False in leaning else ""
    adjusted = f"; {some}adjusted, see Results" if True in leaning else ""
    notes.append(
        f"In brackets: Monte Carlo standard error ({count(doc['replicates'], 'trial')} a case{adjusted})."
        if simulated
        else "All exact."
    )
    return Table(
        "first",
        "What the trial does in each case",
        ("Case", "Response", *(["Toxicity"] if toxic else []), *shown.values()),
        plain(rows),
        (" ".join(filter(None, [*notes, note])),),
        words=(1, 2) if toxic else (1,),
    )


def _mixed(doc: Document, name: str) -> str:
    """The response rates by stratum behind the mean that stands in the table."""
    strata = doc["cases"][name]["truth"]["strata"]
    words = f"{name}: mean over strata"
    each = [rates(row["response"]) for row in strata]
    if len(set(each)) > 1 and len(strata) <= FEW_STRATA:
        told = [f"{row['name']} {response}" for row, response in zip(strata, each, strict=True)]
        words += f" ({', '.join(told)})"
    return f"{words}."
