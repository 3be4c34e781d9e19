"""The tables of the page on the protocol: decisions, toxicity boundary, and what the toxicity rule does."""

from __future__ import annotations

from trialsim.running.content import Document
from trialsim.running.plain import is_timed
from trialsim.running.toxicity_rule import may_stop
from trialsim.writing.numbers import NONE, Cell, listed, probability_cell, rate, value_cell
from trialsim.writing.report import Group, Table, plain


def crossing(doc: Document) -> Table:
    """How often the boundary is crossed, by the true toxicity rate of the dose."""
    rows = []
    for row in doc["toxicity_rule"]["crossing"]:
        rows.append(
            (Cell(rate(row["rate"]), row["rate"]), probability_cell(row["probability"]), _whose(row, doc))
        )
    n = doc["toxicity_rule"]["crossing_patients"]
    return Table(
        "crossing",
        f"How often the toxicity rule acts at a dose, within {n} patients at that dose",
        ("True toxicity rate", "P(acts)", "Rate of"),
        plain(rows),
        ("Exact. An action at an acceptable rate is a false alarm; none at an unacceptable rate is a miss.",),
        words=(2,),
    )


def _whose(row: Document, doc: Document, most: int = 6) -> str:
    """What a toxicity rate is in this scenario: the limit, or the truth of some cases at some dose."""
    parts = ["the limit"] if row["is_limit"] else []
    doses = doc["doses"]
    where: dict[str, list[str]] = {}
    for case in doc["cases"]:
        found = [who["dose"] for who in row["true_rate_of"] if who["case"] == case]
        if found:
            at = "" if len(doses) == 1 else " at every dose" if found == doses else f" at {listed(found)}"
            where.setdefault(at, []).append(case)
    for at, cases in where.items():
        extra = f" and {len(cases) - most} more cases" if len(cases) > most else ""
        parts.append(f"{', '.join(cases[:most])}{extra}{at}")
    return "; ".join(parts) or NONE


def first_to_act(doc: Document) -> Table:
    """Of several rules each by itself, all together, and which is met first, by the true toxicity rate."""
    rule = doc["toxicity_rule"]
    found = rule.get("first_to_act") or []
    numbers = [each["rule"] for each in found[0]["rules"]] if found else []
    together = {row["rate"]: row["probability"] for row in rule["crossing"]}
    rows = []
    for row in found:
        each = [probability_cell(one[key]) for key in ("alone", "only_this_first") for one in row["rules"]]
        rows.append(
            (
                Cell(rate(row["rate"]), row["rate"]),
                probability_cell(together[row["rate"]]),
                *each,
                probability_cell(row["several_first"]),
            )
        )
    kinds = [f"rule {n}: {rule['rules'][n - 1]['kind'].replace('_', ' ')}" for n in numbers]
    return Table(
        "first_to_act",
        f"Each toxicity rule by itself, and which is met first, within {rule['crossing_patients']} patients at the "
        "starting dose",
        (
            "True toxicity rate",
            "P(any acts)",
            *(f"Rule {n} alone" for n in numbers),
            *(f"Rule {n} first" for n in numbers),
            "Several first",
        ),
        plain(rows if len(numbers) > 1 else ()),
        (
            f"{listed(kinds).capitalize()}. Alone: without the other rules. First: the only one that is met at the "
            "first patient at whom any is; several first: more than one is met there. Exact.",
        ),
    )


def _where_it_stops(rule: Document) -> str:
    above = any(level["action"] == "stop" or level.get("stop_steps") for level in rule["levels"][:-1])
    return "" if above else " at the lowest dose"


def cost(doc: Document) -> Table:
    """What the toxicity rule changes: P(go) and toxicities with it, with its stop left out, and without it."""
    rule = doc["toxicity_rule"]
    stops = may_stop(rule)
    heads = ["P(dose reduced)"] if len(doc["doses"]) > 1 else []
    heads += ["P(stop for toxicity)"] if stops else []
    heads += ["P(go)"] + (["P(go) if it went on"] if stops else []) + ["P(go) without rule"]
    told = any(case["truth"]["toxicity"] is not None for case in doc["cases"].values())
    heads += ["Toxicities", "Toxicities without rule"] if told else []

    def cells(row: Document) -> list[Cell]:
        found = []
        if len(doc["doses"]) > 1:
            found.append(probability_cell(row["p_dose_reduced"]))
        if stops:
            found.append(probability_cell(row["p_stop_toxicity"]))
        found.append(probability_cell(row["p_go_stated"]))
        if stops:
            found.append(probability_cell(row["p_go_continued"]))
        found.append(probability_cell(row["p_go_without"]))
        return found + [
            value_cell("toxicities", row[f"toxicities_{k}"]) for k in ("stated", "without") if told
        ]

    by_cohort = doc.get("toxicity_rule_cost_by_cohort")
    every = [(name, row) for name, row in doc["toxicity_rule_cost"].items()]
    groups = plain([(name, *cells(row)) for name, row in every])
    if by_cohort:
        every = [(", ".join(row["cohorts"]), row) for rows in by_cohort.values() for row in rows]
        groups = tuple(
            Group(name, tuple((", ".join(row["cohorts"]), *cells(row)) for row in rows))
            for name, rows in by_cohort.items()
        )
    notes = ["Exact, with every outcome known at once." if is_timed(doc) else "Exact."]
    notes += ["Without rule: every patient is treated at the starting dose."]
    if told:
        notes.append("Toxicities: expected patients with one.")
    if stops:
        notes.append(
            "If it went on: the trial continues where the rule would stop it, all else unchanged; the "
            f"difference in P(go) is what stopping{_where_it_stops(rule)} costs. P(stop for toxicity) includes a stop "
            "at the last patient."
        )
    if by_cohort:
        notes.append("Of each cohort by itself; cohorts that are alike share a row.")
    show = rule["kind"] != "none" and any(row["p_go_stated"] is not None for _, row in every)
    return Table(
        "cost",
        f"What the {'amendment' if rule['kind'] == 'amendment' else 'toxicity rule'} costs, and what it spares",
        ("Cohort" if by_cohort else "Case", *heads),
        groups if show else (),
        (" ".join(notes),),
    )
