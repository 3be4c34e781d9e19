"""Which dose goes forward where both are given from the start: which pass, what the rule decides, and limits."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.reporting.dose_words import clause
from trialsim.reporting.run.dose_decision import (
    answer,
    by_rule,
    correct_words,
    number,
    outcome_cells,
    stated_of,
)
from trialsim.running.plain import Document, counted
from trialsim.writing.numbers import Cell, probability_cell
from trialsim.writing.report import Points, Section, Table, Words, plain, section


def dose_arms(doc: Document) -> Section:
    """Everything about a dose decision after a randomised trial of both doses."""
    parts = [
        section("dose-rules", "By other rules", by_rule(doc)),
        section("dose-limits", "What the comparison can bear", Points(tuple(_limits(doc)))),
    ]
    return section(
        "dose-decision",
        "Which dose goes forward",
        Words(" ".join([*_rule(doc), *answer(doc)])),
        _outcomes(doc),
        parts=parts,
    )


def _rule(doc: Document) -> Iterator[str]:
    higher, lower = doc["doses"]
    yield (
        f"Patients are randomised between {higher} and {lower}, and each dose has to pass the design by itself. If "
        f"only one passes, it goes forward. If both pass, {clause(stated_of(doc)['rule'], higher, lower)}."
    )
    yield correct_words(doc)


def _outcomes(doc: Document) -> Table:
    simulated = any(not case["exact"] for case in doc["cases"].values())
    higher, lower = doc["doses"]
    rows = []
    for name, case in doc["cases"].items():
        both = counted(case, "p_go_all")
        passed = (
            counted(case, "p_dose_none"),
            *(counted(case, f"p_go_cohort_{d}") - both for d in (1, 2)),
            both,
        )
        forward = [number(case, quantity) for quantity in ("p_dose_lower", "p_dose_higher")]
        # a difference of two frequencies of the same trials is one, however little it may be rounded apart
        cells = [*(probability_cell(max(p, 0.0)) for p in passed), *forward]
        first, last = outcome_cells(doc, name)
        rows.append((Cell(name), *first, *cells, *last))
    inactive = any(
        "p_dose_inactive" in (case["exact"] or case["simulated"]) for case in doc["cases"].values()
    )
    heads = (
        "Case", "Response", "Correct", "None passes", f"Only {higher} passes", f"Only {lower} passes", "Both pass",
        f"{lower} forward", f"{higher} forward", "PCS", "P(wrong)", "PCS, given a choice",
        *(["P(inactive dose forward)"] if inactive else []),
    )  # fmt: skip
    note = (
        "Which doses pass adds up to 1, and so do none and the two that go forward. PCS: probability of correct "
        "selection. P(inactive dose forward): a dose whose true response rate is p0 or less goes forward. "
    )
    note += "In brackets the Monte Carlo standard error." if simulated else "All exact."
    return Table("dose-outcomes", "What becomes of the two doses", heads, plain(rows), (note,), words=(1, 2))


def _limits(doc: Document) -> Iterator[str]:
    higher, lower = doc["doses"]
    yield (
        "Patients are allocated by chance while both doses take patients. Once one of them needs no more, later "
        "patients get the other, so that the last patients of a dose may have no counterpart."
    )
    yield (
        "Each dose is tested by itself: the type I error of the design is that of one dose. With two inactive doses a "
        "go at one of them is nearly twice as likely."
    )
    yield (
        "The rule is asked only where both doses pass. A dose that passes alone goes forward whatever it says, even if "
        "the other missed its cut-off by one response."
    )
    yield (
        f"The response rates compared are those of doses that passed, so that both are, on average, above the true "
        f"ones; a difference between {higher} and {lower} that the rule finds is not a test of one."
    )
