"""Which dose goes forward: what the rule decides, other rules, allocation after the trigger, and limits."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.reporting.dose_words import clause, clause_in_brief, points, short
from trialsim.running.plain import (
    Document,
    best,
    cases_in_brief,
    counted,
    is_adjusted,
    is_timed,
    typical_cases,
)
from trialsim.writing.numbers import (
    NONE,
    Cell,
    count,
    listed,
    mcse_cell,
    percent,
    probability,
    probability_cell,
    rates,
    value_cell,
)
from trialsim.writing.report import Points, Section, Table, Words, plain, section

OUTCOMES = ("p_dose_lower", "p_dose_higher", "p_dose_undecided", "p_dose_no_comparison", "p_dose_none")
"""All that can happen, in the order of the table."""

CONDUCTS = {
    "reduce": "all later patients at the lower dose",
    "concurrent": "both doses in turn, patients since the trigger compared",
    "all": "both doses in turn, all patients compared",
}


def dose_decision(doc: Document) -> Section:
    """Everything about the dose decision; nothing where the scenario has none."""
    if "dose_decision" not in doc:
        return section("dose-decision", "Which dose goes forward")
    parts = [
        section("dose-rules", "By other rules", by_rule(doc)),
        section("dose-allocation", "What giving both doses after the trigger adds and costs", _conducts(doc)),
        section("dose-drift", "If response rates drift", _drifts(doc)),
        section("dose-limits", "What the comparison can bear", Points(tuple(limits(doc)))),
    ]
    return section(
        "dose-decision",
        "Which dose goes forward",
        Words(" ".join([*_rule(doc), *answer(doc)])),
        _outcomes(doc),
        parts=parts,
    )


def stated_of(doc: Document) -> Document:
    stated: Document = doc["dose_decision"]["stated"]
    return stated


def _higher(doc: Document) -> str:
    """The outcome in which the comparison favours the higher dose."""
    higher, lower = doc["doses"]
    stated = stated_of(doc)
    return higher if stated["higher_selectable"] or stated["from_start"] else f"{lower} not supported"


def _rule(doc: Document) -> Iterator[str]:
    stated, (higher, lower) = stated_of(doc), doc["doses"]
    when = "After a go" if stated["applies"] == "go" else "After every end"
    yield f"{when}, {clause(stated['rule'], higher, lower)}."
    if not stated["higher_selectable"] and stated["rule"]["kind"] != "always_lower":
        yield (
            f"{higher} has crossed its toxicity boundary and cannot go forward: where the rule favours it, {lower} is "
            "not supported, and no dose goes forward."
        )
    if stated["applies"] == "any_end":
        yield "After an end without a go this is information: no dose goes forward then."
    if stated["min_per_dose"] > 1:
        yield f"With fewer than {count(stated['min_per_dose'], 'patient')} at either dose the decision is left open."
    yield correct_words(doc)


def rule_in_brief(doc: Document) -> Iterator[str]:
    """When the rule chooses which dose, where both are given one after the other."""
    stated, (higher, lower) = stated_of(doc), doc["doses"]
    when = "After a go" if stated["applies"] == "go" else "After every end"
    few = stated["min_per_dose"]
    left = f"; with fewer than {count(few, 'patient')} at a dose nothing is decided" if few > 1 else ""
    yield f"{when}, {clause_in_brief(stated['rule'], higher, lower)}{left}."


def correct_words(doc: Document) -> str:
    """Which dose is called correct."""
    margin, (higher, lower) = stated_of(doc)["margin"], doc["doses"]
    within = f"at most {points(margin)} below" if margin else "at least"
    return f"{lower} is called correct where its true response rate is {within} that at {higher}, else {higher} is."


def answer(doc: Document) -> Iterator[str]:
    """The numbers of the two typical cases in a sentence."""
    inactive, active = typical_cases(doc)
    for name in dict.fromkeys(filter(None, (active, inactive))):
        case = doc["cases"][name]
        chosen = counted(case, "p_dose_lower") + counted(case, "p_dose_higher")
        right = counted(case, "p_dose_correct")
        given = f" ({probability(right / chosen)} of the trials with a choice)" if chosen > 0 else ""
        yield f"In the case {name} the correct dose is chosen with probability {probability(right)}{given}."


def _outcomes(doc: Document) -> Table:
    simulated = any(not case["exact"] for case in doc["cases"].values())
    higher, lower = doc["doses"]
    rows = []
    for name, case in doc["cases"].items():
        first, last = outcome_cells(doc, name)
        rows.append((Cell(name), *first, *(number(case, quantity) for quantity in OUTCOMES), *last))
    inactive = any(
        "p_dose_inactive" in (case["exact"] or case["simulated"]) for case in doc["cases"].values()
    )
    heads = (
        "Case", "Response", "Correct", lower, _higher(doc), "Undecided", f"None at {lower}", "No go", "PCS", "P(wrong)",
        "PCS, given a choice", *(["P(inactive dose forward)"] if inactive else []),
    )  # fmt: skip
    supported = (
        ""
        if stated_of(doc)["higher_selectable"]
        else f"; where {higher} is correct, that is “{_higher(doc)}”"
    )
    notes = [
        "The five columns from the first dose on are all that can happen and add up to 1. Undecided: too few "
        "patients at "
        f"a dose. None at {lower}: a go before anybody was treated there, so that nothing is compared. PCS: "
        "probability "
        f"of correct selection, a go needed{supported}. P(inactive dose forward): a dose whose true response rate is "
        "p0 or less goes "
        "forward; no rule here controls it."
    ]
    notes.append("In brackets the Monte Carlo standard error." if simulated else "All exact.")
    return Table(
        "dose-outcomes", "What becomes of the two doses", heads, plain(rows), (" ".join(notes),), words=(1, 2)
    )


def outcome_cells(doc: Document, name: str) -> tuple[list[Cell], list[Cell]]:
    """Of a case what stands before its outcomes, the truth, and after them: right and wrong."""
    case, (higher, lower) = doc["cases"][name], doc["doses"]
    decided = counted(case, "p_dose_lower") + counted(case, "p_dose_higher")
    right = counted(case, "p_dose_correct")
    last = [number(case, quantity) for quantity in ("p_dose_correct", "p_dose_wrong")]
    last.append(probability_cell(right / decided) if decided > 0 else Cell(NONE))
    if "p_dose_inactive" in (case["exact"] or case["simulated"]):
        last.append(number(case, "p_dose_inactive"))
    return [Cell(_rates(doc, name)), Cell(lower if _correct(doc, name) == "lower" else higher)], last


def number(case: Document, quantity: str) -> Cell:
    cell = probability_cell(counted(case, quantity))
    if case["exact"]:
        return cell
    error = mcse_cell(quantity, case["simulated"][quantity]["mcse"]).text
    return Cell(f"{cell.text} ({error})", cell.value)


def _correct(doc: Document, name: str) -> str:
    return str(doc["dose_decision"]["correct"][name])


def by_rule(doc: Document) -> Table:
    """How often each rule chooses rightly, exactly."""
    cases = _exact(doc)
    rows = [
        (Cell(name), Cell(_rates(doc, name)), *map(_either, case["rules"])) for name, case in cases.items()
    ]
    stated = next(iter(cases.values()))["rules"] if cases else []
    heads = ("Case", "Response", *(short(found["rule"]) for found in stated))
    note = (
        f"Probability that the correct / the wrong dose is chosen, exact{_at_once(doc)}. The last column is what a "
        "trial "
        "without a rule does."
    )
    return Table("dose-by-rule", "Correct and wrong by rule", heads, plain(rows), (note,), words=(1,))


def _at_once(doc: Document) -> str:
    return ", with every outcome known before the next patient" if is_timed(doc) else ""


def _conducts(doc: Document) -> Table:
    rows = []
    for name, case in doc["cases"].items():
        found = case.get("dose_decision", {}).get("conducts", [])
        for k, each in enumerate(found):
            rows.append(
                (
                    Cell(name if k == 0 else "", rows=len(found) if k == 0 else 0),
                    Cell(CONDUCTS[each["conduct"]]),
                    *(probability_cell(each[q]) for q in ("p_go", "p_dose_correct", "p_dose_wrong")),
                    *(value_cell(q, each[q]) for q in ("en", "patients_dose_1", "toxicities")),
                )
            )
    higher, lower = doc["doses"]
    allocation = stated_of(doc)["after_trigger"]
    ratio = allocation["ratio"] if allocation else [1, 1]
    note = (
        f"Exact{_at_once(doc)}. In turn: {ratio[0]} at {lower}, then {ratio[1]} at {higher}, and so on, from the first "
        f"patient after the trigger; the boundary of {higher} acts no more. Toxicities: expected patients with "
        "toxicity. "
        "Comparing all patients throws the randomisation away."
    )
    heads = (
        "Case",
        "After the trigger",
        "P(go)",
        "PCS",
        "P(wrong)",
        "EN",
        f"Patients at {higher}",
        "Toxicities",
    )
    return Table(
        "dose-conducts", "After the trigger: one dose or both", heads, plain(rows), (note,), words=(1,)
    )


def _drifts(doc: Document) -> Table:
    """How often the rule is right and wrong where response rates change with the number of the patient."""
    changes = sorted({each["change"] for case in _exact(doc).values() for each in case["drifts"]})
    rows = []
    for name, case in _exact(doc).items():
        found = {each["change"]: each for each in case["drifts"]}
        if not found:
            continue
        cells = [_either(found.get(change)) for change in changes if change < 0]
        cells.append(_either(case["rules"][0]))
        cells += [_either(found.get(change)) for change in changes if change > 0]
        rows.append((Cell(name), Cell(_rates(doc, name)), *cells))
    heads = [f"{'−' if change < 0 else '+'}{points(abs(change))}" for change in changes]
    below = sum(change < 0 for change in changes)
    heads.insert(below, "no drift")
    note = (
        f"Probability that the correct / the wrong dose is chosen, exact{_at_once(doc)}, where the response rate "
        "changes by so "
        "much from the first to the last patient planned, alike at both doses; which dose is correct does not "
        "change. Where "
        "the comparison is not randomised, a drift counts as a difference between the doses."
    )
    return Table(
        "dose-drift",
        "Correct and wrong under a drift",
        ("Case", "Response", *heads),
        plain(rows),
        (note,),
        words=(1,),
    )


def _exact(doc: Document) -> dict[str, Document]:
    """What is known exactly of the dose decision, by case."""
    return {name: case["dose_decision"] for name, case in doc["cases"].items() if "dose_decision" in case}


def _rates(doc: Document, name: str) -> str:
    return rates(doc["cases"][name]["truth"]["response"]).replace(" ", "\u00a0")


def _either(found: Document | None) -> Cell:
    """The correct / the wrong dose."""
    if found is None:
        return Cell(NONE)
    right, wrong = found["p_dose_correct"], found["p_dose_wrong"]
    return Cell(f"{probability(right)} / {probability(wrong)}", right)


def limits(doc: Document) -> Iterator[str]:
    """What the definitions demand to be said beside the numbers."""
    stated, (higher, lower) = stated_of(doc), doc["doses"]
    allocation = stated["after_trigger"]
    if allocation is None or allocation["compared"] == "all":
        yield (
            f"The comparison is not randomised: all patients at {lower} came after "
            + (f"the trigger, those at {higher} mostly before it" if allocation else f"those at {higher}")
            + ", so that whatever changes with calendar time counts as a difference between the doses."
        )
    yield (
        f"The numbers of patients at the doses are left to chance, and that at {higher} was chosen by the toxicity "
        "seen "
        "there."
    )
    yield "A go is about all patients together; it does not test the dose that is chosen."
    yield (
        "The rule changes neither P(go) nor the type I error of the trial, and it does not control that an "
        "inactive dose goes forward."
    )
    if stated["higher_selectable"]:
        reason = (
            f"Reason stated: {stated['reason']}"
            if stated["reason"]
            else "The scenario states no reason for it."
        )
        yield f"That {higher} goes forward means returning to a dose that crossed its own toxicity boundary. {reason}"
    if allocation is not None:
        reason = stated["reason"]
        yield (
            f"{higher} is given to new patients after its toxicity boundary was crossed. "
            + (
                f"Reason stated: {reason}"
                if reason
                else "The scenario states no reason (dose_decision.reason)."
            )
        )
    yield from _bias(doc)


def _bias(doc: Document) -> Iterator[str]:
    """How far observed rates are from true ones, in the case with the most trials that get there."""
    found = _exact(doc)
    if not found or stated_of(doc)["after_trigger"] is not None:
        return
    higher, lower = doc["doses"]
    name = max(found, key=lambda case: found[case]["when_forward"]["p"])
    left, forward, truth = found[name]["when_left"], found[name]["when_forward"], doc["cases"][name]["truth"]
    if left["p"] == 0 or truth["toxicity"] is None:
        return
    yield (
        f"Observed rates are those of stopped series. In the case {name} the mean observed toxicity rate at {higher} "
        "where "
        f"that dose is left is {percent(left['toxicity_rate'])} (true: {percent(truth['toxicity'][0])}), the mean "
        "observed "
        f"response rate there {percent(left['response_rate'])} (true: {percent(truth['response'][0])}). A rule that "
        "weighs "
        f"toxicity therefore favours {lower}."
    )
    if forward["p"] > 0:
        yield (
            "Given a go after both doses were given, the mean observed response rates are "
            f"{percent(forward['rate_higher'])} "
            f"at {higher} and {percent(forward['rate_lower'])} at {lower} (true: {percent(truth['response'][0])} and "
            f"{percent(truth['response'][1])}); the odds ratio of response and toxicity is "
            f"{truth['odds_ratio']:g}. Where response and toxicity go together, the first dose looks better than it "
            "is, "
            "because it was left after many toxicities."
        )


def brief(doc: Document) -> str:
    """The dose decision on the first page."""
    if "dose_decision" not in doc:
        return ""
    inactive, active = typical_cases(doc)
    name = active or inactive or next(iter(doc["cases"]))
    case, lower = doc["cases"][name], doc["doses"][1]
    right = {_correct(doc, name): " (correct)"}
    undecided = counted(case, "p_dose_undecided")
    why = "too few at a dose" if undecided else f"nobody had {lower}"
    parts = [
        f"{lower} with probability {probability(counted(case, 'p_dose_lower'))}{right.get('lower', '')}",
        f"{_higher(doc)} {probability(counted(case, 'p_dose_higher'))}{right.get('higher', '')}",
        f"no decision {probability(undecided + counted(case, 'p_dose_no_comparison'))} ({why})",
    ]
    gone = counted(case, "p_go")
    if stated_of(doc)["from_start"]:
        parts[-1] = f"neither {probability(counted(case, 'p_dose_none'))}"
    words = f"{name}: {listed(parts)}."
    if is_adjusted(case, "p_go") and probability(gone) != probability(best(case, "p_go")):
        words += f" Counted: P(go) {probability(gone)}, adjusted {probability(best(case, 'p_go'))}."
    others = [
        f"{probability(counted(doc['cases'][other], 'p_dose_higher'))} ({other})"
        for other in cases_in_brief(doc)[0]
        if other != name and stated_of(doc)["from_start"]
    ]
    return f"{words} {_higher(doc)} elsewhere: {listed(others)}." if others else words
