"""The tables of the page on the rules, the inputs and the operating characteristics.

Every table is built from results.json, and every number in it carries the number behind it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from trialsim.reporting.document import Document
from trialsim.reporting.grid import Group, Row, Table, plain
from trialsim.reporting.inputs import origin_words, value_words
from trialsim.reporting.numbers import (
    NONE,
    Cell,
    is_mean,
    listed,
    mcse_cell,
    probability_cell,
    rate,
    rates,
    signed,
    value_cell,
)
from trialsim.reporting.summary import best
from trialsim.reporting.wording import CONVENTION, boundary_words, response_words
from trialsim.results import label, quantity_names

LONG = 12
"""A toxicity boundary with more steps than this is set in columns."""

# -- in short


def overview(doc: Document) -> Table:
    """One row a case: what is assumed, and the five numbers that are asked for first."""
    doses = doc["doses"]
    quantities = ["p_go", "pet", "en"]
    heads = ["P(go)", "PET", "EN"]
    if len(doses) > 1:
        quantities.append("p_dose_reduced")
        heads.append("P(dose reduced)")
    rows = []
    for name, case in doc["cases"].items():
        truth, kind = case["truth"], "exact" if case["exact"] else "simulated"
        assumed = [Cell(NONE if truth[key] is None else rates(truth[key])) for key in ("response", "toxicity")]
        values = [value_cell(quantity, best(case, quantity)) for quantity in quantities]
        rows.append((Cell(name), *assumed, *values, Cell(kind)))
    note = "PET: probability of early termination. EN: expected number of patients treated."
    if len(doses) > 1:
        note = f"Rates by dose are written {' / '.join(doses)}. {note}"
    return Table(
        "overview",
        "The cases: the rates each assumes, and what the trial does if they are true",
        ("Case", "True response", "True toxicity", *heads, "Answer"),
        plain(rows),
        (note,),
        words=(1, 2, 3 + len(heads)),
    )


# -- the rules


def decisions(doc: Document) -> Table:
    """The decision table: responses at each look and what they lead to."""
    words = {"futile": "stop, no go", "go": "go", "consider": "consider"}
    rows = []
    for row in doc["design"]["looks"]:
        low, high, n = row["responses_from"], row["responses_to"], row["n"]
        inside = response_words(low, high, n).partition("(")[2].rstrip(")") or f"responses {low} to {high}"
        onward = f"continue to {row['next_n']} patients" if row["decision"] == "continue" else words[row["decision"]]
        span = Cell(f"{low}–{high}" if high > low else str(low))
        rows.append((Cell(f"after {n} patients", n), span, Cell("any" if (low, high) == (0, n) else inside), Cell(onward)))
    return Table(
        "decisions",
        "Decisions by the number of responses",
        ("Look", "Responses", "Rule", "Decision"),
        plain(rows),
        (f"Convention: {CONVENTION}",),
        words=(1, 2, 3),
    )


def boundary(doc: Document) -> Table:
    """The toxicity boundary as steps, one group a dose that has one (doses with the same steps together)."""
    together: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for level in doc["toxicity_rule"]["levels"]:
        if level["steps"]:
            what = {"reduce": "act: lower the dose", "stop": "act: stop the trial"}[level["action"]]
            together.setdefault(tuple(boundary_words(level["steps"])), []).append(f"{level['dose']} ({what})")
    abreast = 3 if max(map(len, together), default=0) > LONG else 1
    groups = tuple(
        Group("; ".join(doses), tuple(_side_by_side(steps, abreast))) for steps, doses in together.items()
    )
    return Table(
        "boundary",
        "Toxicity boundary",
        ("Patients at the dose", "Act if toxicities") * abreast,
        groups,
        (f"Convention: {CONVENTION} With fewer patients at the dose than listed the rule cannot act.",),
        words=tuple(range(1, 2 * abreast)),
    )


def _side_by_side(steps: Sequence[tuple[str, str]], abreast: int) -> Iterator[Row]:
    """Steps set in columns, read from top to bottom."""
    high = -(-len(steps) // abreast)
    for k in range(high):
        pairs = [steps[j] if j < len(steps) else ("", "") for j in range(k, high * abreast, high)]
        yield tuple(Cell(text) for pair in pairs for text in pair)


def crossing(doc: Document) -> Table:
    """How often the boundary is crossed, by the true toxicity rate of the dose."""
    rows = []
    for row in doc["toxicity_rule"]["crossing"]:
        rows.append((Cell(rate(row["rate"]), row["rate"]), probability_cell(row["probability"]), Cell(_whose(row, doc))))
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


def cost(doc: Document) -> Table:
    """What the toxicity rule changes: P(go) and toxicities with it, with its stop left out, and without it."""
    rule = doc["toxicity_rule"]
    stops = rule["at_lowest_dose"] == "stop" and rule["kind"] not in ("none", "amendment")
    heads = ["P(dose reduced)"] if len(doc["doses"]) > 1 else []
    heads += ["P(stop for toxicity)"] if stops else []
    heads += ["P(go)"] + (["P(go) if it went on"] if stops else []) + ["P(go) without rule"]
    heads += ["Toxicities", "Toxicities without rule"]
    rows = []
    for name, row in doc["toxicity_rule_cost"].items():
        cells = []
        if len(doc["doses"]) > 1:
            cells.append(probability_cell(best(doc["cases"][name], "p_dose_reduced")))
        if stops:
            cells.append(probability_cell(row["p_stop_toxicity"]))
        cells.append(probability_cell(row["p_go_stated"]))
        if stops:
            cells.append(probability_cell(row["p_go_continued"]))
        cells.append(probability_cell(row["p_go_without"]))
        cells += [value_cell("toxicities", row[f"toxicities_{k}"]) for k in ("stated", "without")]
        rows.append((Cell(name), *cells))
    notes = ["Exact. Without rule: every patient is treated at the starting dose. Toxicities: expected patients with one."]
    if stops:
        notes.append(
            "If it went on: the trial continues where the rule would stop it, all else unchanged; the difference in P(go) is "
            "what stopping at the lowest dose costs. P(stop for toxicity) includes a stop at the last patient."
        )
    show = rule["kind"] != "none" and any(row["p_go_stated"] is not None for row in doc["toxicity_rule_cost"].values())
    return Table(
        "cost",
        "What the toxicity rule costs, and what it spares",
        ("Case", *heads),
        plain(rows if show else ()),
        (" ".join(notes),),
    )


# -- inputs


def assumptions(doc: Document) -> Table:
    """Every input, its value and where it comes from, by block of the scenario."""
    groups: dict[str, list[Row]] = {}
    for row in doc["inputs"]:
        block, _, rest = row["path"].partition(".")
        name = rest or block
        if block == "truth":
            case, _, name = rest.partition(".")
            block = f"truth.{case}"
        number = row["value"] if isinstance(row["value"], int | float) and not isinstance(row["value"], bool) else None
        groups.setdefault(block, []).append(
            (Cell(name), Cell(value_words(row["value"]), number), Cell(origin_words(row)))
        )
    for block, found in groups.items():
        groups[block] = list(_once(found))
    return Table(
        "inputs",
        "Every input and where it comes from",
        ("Input", "Value", "Source"),
        tuple(Group(_block_words(block), tuple(rows)) for block, rows in groups.items()),
        words=(1, 2),
    )


def _once(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows whose last cell repeats the one above, with that cell standing for all of them."""
    for k, row in enumerate(rows):
        *first, last = row
        if k and rows[k - 1][-1].text == last.text:
            yield (*first, replace(last, rows=0))
        else:
            same = itertools.takewhile(lambda other, text=last.text: other[-1].text == text, rows[k:])  # type: ignore[misc]
            yield (*first, replace(last, rows=len(list(same))))


def _block_words(block: str) -> str:
    kind, _, case = block.partition(".")
    if kind == "truth":
        return f"Truth, case {case}"
    return kind.replace("_", " ").capitalize()


# -- operating characteristics


def operating_characteristics(doc: Document, name: str) -> Table:
    """Exact and simulated numbers of one case; quantities that are zero by design are left out and named."""
    case, doses = doc["cases"][name], doc["doses"]
    chances, means, by_dose, zero = [], [], [], []
    for quantity in quantity_names(len(doses)):
        exact = case["exact"][quantity] if case["exact"] else None
        simulated = case["simulated"][quantity] if case["simulated"] else None
        words = label(quantity, doses)
        if not exact and not (simulated and simulated["estimate"]):
            zero.append(words)
            continue
        row = (Cell(words), *_estimates(quantity, exact, simulated, case))
        (chances if not is_mean(quantity) else by_dose if quantity[-1].isdigit() else means).append(row)
    notes = [case["not_exact"] and f"No exact answer: {case['not_exact']}."]
    notes.append(case["truth"]["note"] and f"Note of the scenario: {case['truth']['note']}.")
    notes.append(f"Zero in this case and left out: {'; '.join(zero)}." if zero else "")
    groups = (
        Group("Probabilities", tuple(chances)),
        Group("Expected numbers", tuple(means)),
        Group("Expected numbers by dose", tuple(by_dose) if len(doses) > 1 else ()),
    )
    truth = [f"response {rates(case['truth']['response'])}"]
    if case["truth"]["toxicity"] is not None:
        truth.append(f"toxicity {rates(case['truth']['toxicity'])}")
    if case["truth"]["odds_ratio"] != 1:
        truth.append(f"odds ratio {case['truth']['odds_ratio']:g}")
    return Table(
        f"oc-{name}",
        f"Operating characteristics if “{name}” is true ({', '.join(truth)})",
        ("Quantity", "Exact", "Simulated", "mcse", "95% interval", "z"),
        tuple(group for group in groups if group.rows),
        tuple(filter(None, notes)),
    )


def _estimates(quantity: str, exact: float | None, simulated: Document | None, case: Document) -> Iterator[Cell]:
    wrong = quantity in case["disagreements"]
    yield value_cell(quantity, exact)
    drawn = simulated or {"estimate": None, "mcse": None, "low": None, "high": None}
    yield value_cell(quantity, drawn["estimate"])
    yield mcse_cell(quantity, drawn["mcse"])
    low, high = (value_cell(quantity, drawn[end]).text for end in ("low", "high"))
    yield Cell(f"{low}–{high}" if drawn["low"] is not None else NONE)
    z = case["z"].get(quantity)
    yield Cell(signed(z) + (" disagree" if wrong else ""), z, "warn" if wrong else "")
