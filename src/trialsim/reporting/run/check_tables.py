"""The tables of the page on the check against the observed trial."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.checks.rows import EXTERNAL, GIVEN_SIZES, REACHED_N, UNCONDITIONAL
from trialsim.reporting.run.summary import likelihood_words
from trialsim.running.content import Document
from trialsim.writing.numbers import NONE, Cell, count, listed, percent, probability_cell, rate, times
from trialsim.writing.report import Group, Row, Table, plain

CONDITIONING = {
    UNCONDITIONAL: "among all trials",
    REACHED_N: "given that the trial reaches the planned n",
    EXTERNAL: "from other trials alone",
    GIVEN_SIZES: "numbers of patients fixed as observed",
}


def headline(doc: Document) -> Table:
    """Observed counts with the rates compatible with each, over both denominators where both are known."""
    rows = []
    for row in doc["headline"]:
        for unit, n, share, low, high in _denominators(row):
            seen = Cell(f"{row['observed']} of {n} {unit}", row["observed"])
            rows.append(
                (row["label"], seen, Cell(percent(share), share), f"{percent(low)} – {percent(high)}")
            )
    return Table(
        "headline",
        "What was observed, and the true rates it is compatible with",
        ("Quantity", "Observed", "Proportion", "Compatible rates (95% interval)"),
        plain(rows),
        (
            "Clopper-Pearson intervals: a rate outside the interval would make a count this far off, on its "
            "side, a one-in-forty event or rarer. Where patients were treated but not evaluable, the proportion "
            "is given over both.",
        ),
        words=(1,),
    )


def _denominators(row: Document) -> Iterator[tuple[str, int, float, float, float]]:
    yield row["unit"], row["denominator"], row["proportion"], row["low"], row["high"]
    other = row["among_treated"]
    if other and other["denominator"] != row["denominator"]:
        yield "treated", other["denominator"], other["proportion"], other["low"], other["high"]


def positions(doc: Document) -> Table:
    """Where the rate that each case assumes lies among the compatible ones."""
    groups = []
    for case in doc["cases"]:
        rows = [
            (row["label"], Cell(rate(value), value), _position(row["position"][case]))
            for row in doc["headline"]
            if (value := row["rates"].get(case)) is not None
        ]
        if rows:
            groups.append(Group(case, rows))
    return Table(
        "positions",
        "Where the assumed rates lie",
        ("Quantity", "Assumed rate", "Against the compatible rates"),
        tuple(groups),
        ("Where the assumed rate differs by dose, it is averaged over the observed patients.",),
        words=(2,),
    )


def _position(word: str) -> Cell:
    return Cell(
        {"inside": "inside", "below": "below", "above": "above"}[word],
        mark="" if word == "inside" else "outside",
    )


def given_sizes(doc: Document) -> Table:
    """The counts that each case predicts with the numbers of patients fixed as observed, and the verdicts."""
    groups = []
    for case in doc["cases"]:
        rows = [
            (
                row["label"],
                Cell(f"{row['observed']} of {row['denominator']}", row["observed"]),
                _interval(row["interval_95"]),
                probability_cell(row["p_two_sided"]),
                probability_cell(row["p_adjusted"]),
                _verdict(row),
            )
            for row in doc["checks"]
            if row["case"] == case and row["conditioning"] == GIVEN_SIZES
        ]
        if rows:
            groups.append(Group(case, rows))
    return Table(
        "given-sizes",
        "Observed against predicted, numbers of patients fixed as observed",
        ("Quantity", "Observed", "Predicted, 95%", "Two-sided mid-p", "Adjusted p", "Verdict"),
        tuple(groups),
        (
            f"Exact, but for the adjusted p: from {count(doc['method']['joint_draws'], 'joint draw')}, standard error "
            f"at most {doc['method']['largest_mcse_adjusted']:.2g}.",
        ),
        words=(5,),
    )


def _verdict(row: Document) -> Cell:
    if row["verdict"]:
        return Cell(row["verdict"], mark=row["verdict"].replace(" ", "-"))
    return Cell("none: rate set from this count" if row["fitted"] else "none", mark="none")


def _interval(ends: list[int] | None) -> str:
    return NONE if ends is None else f"{ends[0]}–{ends[1]}"


def by_design(doc: Document) -> Table:
    """What depends on the stated design, case by case; no verdicts."""
    groups: dict[str, list[Row]] = {}
    for row in doc["checks"]:
        if row["conditioning"] not in (REACHED_N, UNCONDITIONAL):
            continue
        title = f"{row['label']}, {CONDITIONING[row['conditioning']]}: observed {_observed(row)}"
        groups.setdefault(title, []).append(
            (
                row["case"],
                probability_cell(row["probability"]),
                _interval(row["interval_95"]),
                probability_cell(row["p_two_sided"]),
            )
        )
    return Table(
        "by-design",
        "What depends on the design: shown without a verdict",
        ("Case", "P(observed)", "Predicted, 95%", "Two-sided mid-p"),
        tuple(Group(title, rows) for title, rows in groups.items()),
        (
            "P(observed): the probability of what was observed, for events. Counts given that the trial reaches the "
            "planned n are out of all treated patients.",
            *_simulated_from(doc),
        ),
    )


def _simulated_from(doc: Document) -> Iterator[str]:
    """Which of these rows rest on simulated trials, and on how many."""
    told: dict[str, list[str]] = {}
    for row in doc["checks"]:
        if row["conditioning"] == REACHED_N and row["note"]:
            told.setdefault(row["label"], []).append(f"“{row['case']}” {row['note']}")
    errors = [row["mcse"] for row in doc["checks"] if row["mcse"] is not None]
    if errors:
        yield f"P(observed) is simulated: mcse at most {max(errors):.2g}."
    for label, parts in told.items():
        yield f"{label}: {'; '.join(parts)}."


def _observed(row: Document) -> str:
    if row["quantity"] == "dose_reduced":
        return "yes" if row["observed"] else "no"
    return f"n = {row['observed']}" if row["denominator"] is None else str(row["observed"])


def external(doc: Document) -> Table:
    """The count predicted from related trials alone."""
    rows = [row for row in doc["checks"] if row["conditioning"] == EXTERNAL]
    return Table(
        "external",
        "Predicted from related trials alone",
        ("Quantity", "Observed", "Predicted, 95%", "Two-sided mid-p"),
        plain(
            (
                row["label"],
                Cell(f"{row['observed']} of {row['denominator']}", row["observed"]),
                _interval(row["interval_95"]),
                probability_cell(row["p_two_sided"]),
            )
            for row in rows
        ),
        tuple(f"{row['note'][0].upper()}{row['note'][1:]}." for row in rows if row["note"]),
    )


def likelihood(doc: Document) -> Table:
    """How much likelier one case makes the observed counts than another."""
    vector = doc["likelihood_ratios"][0]["vector"] if doc["likelihood_ratios"] else []
    rows = [
        (
            f"{row['case']} : {row['against']}",
            Cell(NONE if row["ratio"] is None else times(row["ratio"]), row["ratio"]),
            likelihood_words(row),
        )
        for row in doc["likelihood_ratios"]
    ]
    return Table(
        "likelihood",
        f"Likelihood ratios of the observed {' and '.join(vector)}",
        ("Cases", "Ratio", "In words"),
        plain(rows),
        words=(2,),
    )


def row_notes(doc: Document) -> list[str]:
    """The notes of single checks, said once each."""
    told: dict[tuple[str, str], list[str]] = {}
    for row in doc["checks"]:
        if row["note"] and row["conditioning"] == GIVEN_SIZES:
            told.setdefault((row["label"], row["note"]), []).append(f"“{row['case']}”")
    return [f"{label}, {listed(cases)}: {note}." for (label, note), cases in told.items()]
