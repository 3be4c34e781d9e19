"""The first page of a run: the decision rule, what the trial does in each case, why, and how far to trust it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialsim.reporting.dose_words import clause
from trialsim.reporting.oc import missed_words
from trialsim.reporting.power_ledger import sentence
from trialsim.reporting.run import dose_decision, summary
from trialsim.reporting.sentences import drift_words
from trialsim.running.plain import (
    Document,
    apart,
    best,
    by_design,
    cases_in_brief,
    from_start,
    is_adjusted,
    is_sequential,
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
FEW_DESIGNS = 3
"""Designs of cohorts that this page tells; the protocol section has them all."""


def first_page(run: Run, doc: Document, pictures: Sequence[Picture]) -> Section:
    """At most a printed page."""
    rows = [("Why P(go) is what it is", " ".join(power_ledger(run, doc)))]
    rows += [("Against the observed trial", " ".join(summary.verdict(doc)))] if doc["headline"] else []
    rows += [("Which dose goes forward", dose_decision.brief(doc))] if "dose_decision" in doc else []
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
    for ledger in shown:
        yield sentence(run.scenario, ledger)
    if len(ledgers) > len(shown):
        yield f"{_more(len(ledgers) - len(shown), 'cohort')} in the appendix."


def _more(number: int, what: str) -> str:
    return f"{count(number, f'more {what}')} {'stands' if number == 1 else 'stand'}"


# -- the decision rule


def rule(doc: Document) -> Iterator[str]:
    """The decisions by responses and by toxicity, in brief; the protocol section has them whole."""
    design, patients = doc["design"], "evaluable patients" if doc["evaluability"]["replaced"] else "patients"
    if own_rules(doc):
        yield "Each dose by itself:" if from_start(doc) else "Each cohort by itself:"
    several = by_design(doc)
    if len(several) > 1:
        for cohorts, one in several[:FEW_DESIGNS]:
            names = listed([*cohorts[:3], *([f"{len(cohorts) - 3} more"] if len(cohorts) > 3 else [])])
            yield f"{names}: {' '.join(_looks(one, patients))}"
        if len(several) > FEW_DESIGNS:
            yield f"{_more(len(several) - FEW_DESIGNS, 'design')} in the protocol section."
    else:
        yield from _looks(doc, patients)
    if (doc["conduct"]["stated"] or {}).get("pending") == "weigh_follow_up":
        yield "An interim look does not wait for pending outcomes but weighs follow-up, and may decide otherwise."
    yield from _toxicity(doc)
    if from_start(doc):
        yield f"If both pass, {clause(dose_decision.stated_of(doc)['rule'], *doc['doses'])}."
    # of one's own trial a publication says nothing
    if design["assumed"] and (doc["headline"] or doc["source"]):
        known = [
            row["path"].removeprefix("design.")
            for row in doc["inputs"]
            if row["path"].startswith("design.") and row["source"] and not row["assumed"]
        ]
        yield f"The design is assumed, not taken from a publication{f', but for {listed(known)}' if known else ''}."


def _looks(doc: Document, patients: str) -> Iterator[str]:
    """What the looks of a design lead to."""
    design = doc["design"]
    looks = list(dict.fromkeys(row["n"] for row in design["looks"]))
    if design["n1"] is not None:
        few = "none responds" if design["r1"] == 0 else f"{design['r1']} or fewer respond"
        yield (
            f"Stop after {count(design['n1'], patients[:-1])} if {few}; otherwise go on to {design['n']}, and "
            f"recommend further study (go) if more than {design['r']} respond."
        )
    elif design["r"] is not None:
        treat = count(design["n"], patients[:-1])
        yield f"Treat {treat}; recommend further study (go) if more than {design['r']} respond."
    elif is_sequential(doc):
        yield (
            f"Responses are looked at after {listed([str(n) for n in looks[:6]])}"
            f"{'' if len(looks) <= 6 else f' … {looks[-1]} ({len(looks)} looks)'} {patients}; the protocol section "
            "says what each number of them leads to."
        )
    else:
        yield (
            f"Responses are looked at first after {count(looks[0], patients[:-1])}; their number there decides how "
            f"many more are enrolled, {looks[-1]} in all at most (protocol section)."
        )
    if design["toxic_looks"]:
        cuts = [f"{row['toxicities_from']} or more of {row['n']}" for row in design["toxic_looks"][:3]]
        more = " (further looks in the protocol section)" if len(design["toxic_looks"]) > 3 else ""
        yield f"Stop too if {listed(cuts, 'or')} patients have had toxicity{more}."


def _toxicity(doc: Document) -> Iterator[str]:
    block, doses = doc["toxicity_rule"], doc["doses"]
    if block["kind"] == "none":
        return
    if block["kind"] == "amendment":
        yield f"An amendment lowers the starting dose ({' to '.join(doses)}), here independently of what is seen."
        yield from _after_change(doc)
        return
    lowers = any(level["action"] == "reduce" for level in block["levels"])
    parts = [f"the dose is lowered ({' to '.join(doses)})"] if lowers else []
    above = any(level["action"] == "stop" or level.get("stop_steps") for level in block["levels"][:-1])
    at_lowest = " at the lowest dose" if len(doses) > 1 and not above else ""
    if may_stop(block):
        parts.append(f"the {'cohort' if apart(doc) else 'trial'} stops without a go{at_lowest}")
    if parts:
        their = "a boundary of one of the rules" if "rules" in block else "their boundary"
        yield f"When toxicities at a dose reach {their}, {listed(parts, 'or' if above and lowers else 'and')}."
    yield from _after_change(doc)


def _after_change(doc: Document) -> Iterator[str]:
    """Who is analysed after a change of dose, where not everybody is."""
    analysis = doc["question"]["after_dose_change"] if len(doc["doses"]) > 1 else "pooled"
    if analysis == "restart":
        yield f"After a dose change a fresh trial of up to {doc['design']['n']} patients begins at the new dose."
    elif analysis == "new_dose_only":
        yield "After a dose change only patients at the new dose are analysed, and no interim look follows."


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
    looks_stop = any(one["design"]["toxic_looks"] for _, one in by_design(doc))
    stops = looks_stop or may_stop(doc["toxicity_rule"])
    for_toxicity = ", for toxicity too" if toxic and stops else ""
    if "pet" in shown:
        notes.append(f"PET: probability of early termination{for_toxicity}. EN: expected patients treated.")
        notes.append("Toxicities: expected patients with toxicity." if "toxicities" in shown else "")
        notes.append("Months: to the last outcome." if "duration_months" in shown else "")
    stated = doc["conduct"]["stated"] or {}
    if stated.get("overrun") == "exclude":
        notes.append("Overrun patients are left out of all counts.")
    if (stated.get("patient_reductions") or {}).get("exposure_weight"):
        notes.append("Response: before responses are lost with dose not received.")
    leaning = {is_adjusted(doc["cases"][n], q) for n in names if not doc["cases"][n]["exact"] for q in shown}
    some = "some " if False in leaning else ""
    adjusted = f"; {some}adjusted, see Results" if True in leaning else ""
    notes.append(
        f"In brackets the Monte Carlo standard error ({count(doc['replicates'], 'trial')} a case{adjusted})."
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
