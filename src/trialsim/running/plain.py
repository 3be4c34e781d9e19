"""What a run found as plain data, and what is asked of it in every sentence and table."""

from __future__ import annotations

import math
from typing import Any

from trialsim.designs.binomial import two_sided_tails
from trialsim.quantities import is_probability, per, quantity_names

Document = dict[str, Any]
"""The content of ``results.json``."""


def from_start(doc: Document) -> bool:
    """Whether patients are randomised between two doses from the first one on."""
    return "dose_decision" in doc and doc["dose_decision"]["stated"]["from_start"] is not None


def own_rules(doc: Document) -> bool:
    """Whether cohorts have rules of their own."""
    return bool(doc["cohorts"]) and doc["cohorts"]["rules"] == "own"


def cohort_names(doc: Document) -> list[str]:
    """The names of the cohorts; those of the doses where both are given from the start."""
    return list(doc["cohorts"]["names"]) if doc["cohorts"] else []


def apart(doc: Document) -> bool:
    """Whether each cohort has a dose and a toxicity boundary of its own too."""
    return bool(doc["cohorts"]) and doc["cohorts"].get("monitor") == "own"


def by_design(doc: Document) -> list[tuple[list[str], Document]]:
    """The document as it is for the cohorts that share a design, with their names; with one design as it is."""
    return [
        (each["cohorts"], {**doc, "design": each, "toxicity_rule": each["toxicity_rule"]})
        for each in doc.get("designs", ())
    ] or [([], doc)]


def null_cases(doc: Document) -> list[str]:
    """Where cohorts have designs of their own, the cases in which a go in any of them is false."""
    cohorts = len(doc["cohorts"]["names"])
    return [name for name, false in doc["question"]["false_go"].items() if len(false) == cohorts]


def typical_cases(doc: Document) -> tuple[str | None, str | None]:
    """The first case with no response rate above p0, and the first with none below p1.

    Where no case keeps p1 at every dose, the first that has it at the starting dose.
    """
    p0, p1 = doc["design"]["p0"], doc["design"]["p1"]
    if "designs" in doc:  # no rate is that of every cohort: active is what is better than p0 in most of them
        null, false = null_cases(doc), doc["question"]["false_go"]
        works = min(doc["cases"], key=lambda name: len(false[name]))
        return next(iter(null), None), None if works in null else works
    response = {name: case["truth"]["response"] for name, case in doc["cases"].items()}
    highest = {name: case["truth"]["highest_response"] for name, case in doc["cases"].items()}
    inactive = None if p0 is None else next((name for name, r in highest.items() if r <= p0), None)
    # where the rate falls during the trial, the last patient's counts
    falls = {
        name: min((case["truth"]["drift"] or {"change": 0})["change"], 0)
        for name, case in doc["cases"].items()
    }
    lowest = {name: round(min(r) + falls[name], 12) for name, r in response.items()}
    active = None if p1 is None else next((name for name, p in lowest.items() if p >= p1), None)
    if active is None and p1 is not None:
        active = next((name for name, r in response.items() if r[0] >= p1), None)
    return inactive, active


def told(case: Document, quantity: str) -> Document:
    """A simulated number with its error, as it is told where it stands by itself; {} where there is none.

    Adjusted by what the twin gave and should have given where it is; parts that are to add up are told unadjusted.
    """
    found: Document = case.get("adjusted", {}).get(quantity) or (case["simulated"] or {}).get(quantity, {})
    return found


def is_adjusted(case: Document, quantity: str) -> bool:
    """Whether a number of a case is told adjusted by its twin."""
    return bool(told(case, quantity).get("controls"))


def best(case: Document, quantity: str) -> float:
    """The exact value of a quantity where there is one, else the simulated one."""
    exact = case["exact"]
    return float(exact[quantity] if exact else told(case, quantity)["estimate"])


def counted(case: Document, quantity: str) -> float:
    """The exact value of a quantity where there is one, else what was counted: for parts that are to add up."""
    exact, simulated = case["exact"], case["simulated"]
    return float(exact[quantity] if exact else simulated[quantity]["estimate"])


def any_adjusted(doc: Document) -> bool:
    """Whether any number of a run is told adjusted."""
    return any(
        is_adjusted(case, quantity) for case in doc["cases"].values() for quantity in case.get("adjusted", {})
    )


def not_adjusted(doc: Document) -> str:
    """Why no number is adjusted although the twins of the trials were simulated; "" where some are."""
    found = {
        row["plain_because"] for case in doc["cases"].values() for row in case.get("adjusted", {}).values()
    }
    return found.pop() if len(found) == 1 and not any_adjusted(doc) else ""


def quantities(doc: Document, case: Document) -> list[str]:
    """The scalar quantities of a case, in reading order: those of every trial, then those of calendar time."""
    names = quantity_names(len(doc["doses"]))
    more = case["simulated"] or case["exact"] or {}
    return [*names, *(name for name in more if name not in names)]


def held(case: Document) -> Document:
    """What exact and simulated answers are compared in: the trial itself, or its twin with outcomes known at once."""
    twin: Document | None = case.get("at_once")
    return twin or case


def is_timed(doc: Document) -> bool:
    """Whether calendar time was simulated."""
    return bool(doc["conduct"]["calendar_time"])


def compared(doc: Document) -> list[tuple[float, str, str]]:
    """(size of z, case, quantity) of every exact number that a simulated one is held against."""
    shown = [q for q in quantity_names(len(doc["doses"])) if is_shown(q, doc)]
    cases = {name: held(case) for name, case in doc["cases"].items()}
    return [(abs(case["z"][q]), name, q) for name, case in cases.items() for q in shown if q in case["z"]]


def chance_of_largest(doc: Document) -> float:
    """A bound on the chance of a difference as large as the least likely of all that are compared.

    Bonferroni over the comparisons: probabilities by their binomial distribution, means by the normal one.
    """
    least = 1.0
    found = compared(doc)
    for z, name, quantity in found:
        case = held(doc["cases"][name])
        if is_probability(quantity):
            drawn = round(case["simulated"][quantity]["estimate"] * doc["replicates"])
            least = min(least, two_sided_tails(drawn, doc["replicates"], case["exact"][quantity]))
        else:
            least = min(least, math.erfc(z / math.sqrt(2)))
    return min(least * len(found), 1.0)


def is_shown(quantity: str, doc: Document) -> bool:
    """Whether a quantity has a row of its own: by dose only where there is more than one."""
    return len(doc["doses"]) > 1 or per(quantity) != "dose"


def is_sequential(doc: Document) -> bool:
    """Whether a trial that goes on always goes on to the next look."""
    sizes = sorted({row["n"] for row in doc["design"]["looks"]})
    following = dict(zip(sizes, sizes[1:], strict=False))
    return all(
        row["next_n"] == following.get(row["n"])
        for row in doc["design"]["looks"]
        if row["decision"] == "continue"
    )


BRIEF = 6
"""Cases that a short table has at most."""


def cases_in_brief(doc: Document) -> tuple[list[str], str]:
    """The cases of a short table, and what is said of the others.

    Of many: the null, the alternative, and of the cases with a response rate above p0 that with the least P(go).
    """
    names = list(doc["cases"])
    if len(names) <= BRIEF:
        return names, ""
    p0 = doc["design"]["p0"]
    if "designs" in doc:
        null = null_cases(doc)
    else:
        null = [n for n in names if p0 is not None and doc["cases"][n]["truth"]["highest_response"] <= p0]
    works = [name for name in names if name not in null]
    worst = min(works, key=lambda name: best(doc["cases"][name], "p_go"), default=None)
    chosen = dict.fromkeys(name for name in (*typical_cases(doc), worst) if name)
    told = f" (“{worst}” has the least P(go) of those above p0)" if worst else ""
    return list(chosen), f"{len(chosen)} of {len(names)} cases{told}; the others stand in the appendix."
