"""The decisions by responses and by toxicity in a few sentences; the protocol section has them whole."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.reporting.dose_words import clause_in_brief
from trialsim.reporting.run import dose_decision
from trialsim.running.plain import Document, apart, by_design, from_start, is_sequential, own_rules
from trialsim.running.toxicity_rule import may_stop
from trialsim.writing.numbers import count, listed

FEW_DESIGNS = 3
"""Designs of cohorts that are told."""
FEW_LOOKS = 6
"""Looks whose cut-offs are told; of more, where they are taken."""
FEW_STEPS = 4
"""Steps of a toxicity boundary that are told one by one; of more, the first and the last."""


def more(number: int, what: str) -> str:
    """``2 more cohorts stand``."""
    return f"{count(number, f'more {what}')} {'stands' if number == 1 else 'stand'}"


def rule(doc: Document) -> Iterator[str]:
    """The decisions by responses and by toxicity, in brief."""
    design, patients = doc["design"], "evaluable patients" if doc["evaluability"]["replaced"] else "patients"
    if own_rules(doc):
        yield "Each dose alone:" if from_start(doc) else "Each cohort alone:"
    several = by_design(doc)
    if len(several) > 1:
        for cohorts, one in several[:FEW_DESIGNS]:
            names = listed([*cohorts[:3], *([f"{len(cohorts) - 3} more"] if len(cohorts) > 3 else [])])
            yield f"{names}: {' '.join(_looks(one, patients))}"
        if len(several) > FEW_DESIGNS:
            yield f"{more(len(several) - FEW_DESIGNS, 'design')} in the protocol section."
    else:
        yield from _looks(doc, patients)
    if (doc["conduct"]["stated"] or {}).get("pending") == "weigh_follow_up":
        yield "An interim look does not wait for pending outcomes but weighs follow-up, and may decide otherwise."
    yield from _toxicity(doc)
    if from_start(doc):
        yield f"If both pass, {clause_in_brief(dose_decision.stated_of(doc)['rule'], *doc['doses'])}."
    elif "dose_decision" in doc:
        yield from dose_decision.rule_in_brief(doc)
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
        yield _cut_offs(design, patients) or (
            f"Responses are looked at after {listed([str(n) for n in looks[:FEW_LOOKS]])}"
            f"{'' if len(looks) <= FEW_LOOKS else f' … {looks[-1]} ({len(looks)} looks)'} {patients}; the protocol "
            "section says what each number of them leads to."
        )
    else:
        first = f"after {count(looks[0], patients[:-1])}"
        most = next(iter(_ends(design, looks[0], "futile")), None)
        begins = f"Responses are looked at first {first}; their number there"
        if most is not None:
            few = "none responds" if most == 0 else f"{most} or fewer respond"
            begins = f"Stop {first} if {few}; otherwise the number of responses"
        yield f"{begins} decides how many more are enrolled, {looks[-1]} in all at most (protocol section)."
    if design["toxic_looks"]:
        of = design["toxic_looks"]
        cuts = [f"{row['toxicities_from']} of {row['n']}" for row in of[:FEW_STEPS]]
        beyond = " (further looks in the protocol section)" if len(of) > FEW_STEPS else ""
        yield f"It also ends without a go if at least {listed(cuts, 'or')} patients have had toxicity{beyond}."


def _ends(design: Document, n: int, decision: str) -> list[int]:
    """Where a look decides so: the most responses that are futile, the least that are a go."""
    rows = [row for row in design["looks"] if (row["n"], row["decision"]) == (n, decision)]
    if decision == "futile":
        return [row["responses_to"] for row in rows if row["responses_from"] == 0]
    return [row["responses_from"] for row in rows if row["responses_to"] == n]


def _cut_offs(design: Document, patients: str) -> str:
    """The cut-offs of the looks in a sentence, of many the first and the last; "" where they are no plain cut-offs."""
    looks = list(dict.fromkeys(row["n"] for row in design["looks"]))
    *interim, last = looks
    if len(looks) > FEW_LOOKS:
        return _first_and_last(design, looks, patients)
    go = _ends(design, last, "go")
    if not _plain(design) or not go or not go[0]:
        return ""
    stops = [f"{most} of {n}" for n in interim for most in _ends(design, n, "futile")]
    early = [f"{least} of {n}" for n in interim for least in _ends(design, n, "go")]
    words = f"Stop if at most {listed(stops, 'or')} {patients} respond; recommend" if stops else "Recommend"
    words += " further study (go)"
    words += f" at once if at least {listed(early, 'or')} respond, and at the end" if early else " at the end"
    words += f" if at least {go[0]} of {last}{'' if stops else f' {patients}'} respond"
    return f"{words}{_considered(design)}."


def _considered(design: Document) -> str:
    """With how many responses a go is to be considered, after a semicolon; "" where there are no such."""
    words = ""
    for row in design["looks"]:
        if row["decision"] == "consider":
            low, high = row["responses_from"], row["responses_to"]
            several = str(low) if low == high else f"{low} {'or' if high == low + 1 else 'to'} {high}"
            words += f"; with {several} of {row['n']}, it is to be considered"
    return words


def _plain(design: Document) -> bool:
    """Whether few responses are futile and many a go at every look that ends the trial."""
    ends = [row for row in design["looks"] if row["decision"] in ("futile", "go")]
    return all(row["responses_from"] == 0 or row["responses_to"] == row["n"] for row in ends)


def _first_and_last(design: Document, looks: list[int], patients: str) -> str:
    """Of many looks the first and the last cut-offs; "" where there are no plain ones."""
    stops = [(most, n) for n in looks for most in _ends(design, n, "futile")]
    goes = [(least, n) for n in looks for least in _ends(design, n, "go")]
    if not _plain(design) or not goes:
        return ""
    one_go = len({least for least, _ in goes}) == 1
    words = "Recommend "
    if stops:
        first, last = (f"{most} of {n}" for most, n in (stops[0], stops[-1]))
        words = f"Stop at a look with few responses, at most {first} {patients} at first and {last} at last; recommend "
    if len(goes) == 1:
        words += f"further study (go) at the end if at least {goes[0][0]} of {goes[0][1]} respond"
    elif one_go:
        words += f"further study (go) at the first look with at least {goes[0][0]}"
    else:
        first, last = (f"{least} of {n}" for least, n in (goes[0], goes[-1]))
        words += f"further study (go) with many, at least {first} at first and {last} at last"
    taken = f"{len(looks)} looks after {looks[0]} to {looks[-1]}, those between in the protocol section"
    return f"{words}{_considered(design)} ({taken})."


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
        their = "a boundary of one of the rules" if "rules" in block else f"their boundary{_boundary(doc)}"
        at = " at a dose" if len(doses) > 1 else ""
        yield f"When toxicities{at} reach {their}, {listed(parts, 'or' if above and lowers else 'and')}."
    yield from _after_change(doc)


def _boundary(doc: Document) -> str:
    """The boundary in brackets, step by step or from its first to its last; "" where doses differ in it."""
    levels = [level["steps"] for level in doc["toxicity_rule"]["levels"] if level["action"] != "continue"]
    if len(by_design(doc)) > 1 or not levels or any(steps != levels[0] for steps in levels):
        return ""
    acts = [step for step in levels[0] if step["act_if_at_least"] is not None]
    steps = [f"{step['act_if_at_least']} of {step['patients_to']}" for step in acts]
    if not steps:
        return ""
    told = listed(steps, "or") if len(steps) <= FEW_STEPS else f"{steps[0]} to {steps[-1]}"
    return f" ({told} {'patient' if acts[-1]['patients_to'] == 1 else 'patients'})"


def _after_change(doc: Document) -> Iterator[str]:
    """Who is analysed after a change of dose, where not everybody is."""
    analysis = doc["question"]["after_dose_change"] if len(doc["doses"]) > 1 else "pooled"
    if analysis == "restart":
        yield f"After a dose change a fresh trial of up to {doc['design']['n']} patients begins at the new dose."
    elif analysis == "new_dose_only":
        yield "After a dose change only patients at the new dose are analysed, and no interim look follows."
