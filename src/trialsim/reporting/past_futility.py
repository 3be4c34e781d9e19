"""A trial that went on past a futility stop: what stands, and what can be said of all its patients."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.inference.analysis import PatientsAnalysis
from trialsim.inference.observed import Analyses
from trialsim.inference.past_futility import AFTER, ALL, UP_TO
from trialsim.reporting.analyse_tables import capital, level_of
from trialsim.writing.numbers import NONE, Cell, p_value, percent, rate
from trialsim.writing.report import Block, Row, Table, Words, plain

WHAT = {
    UP_TO: "the test of the design, with its error rates: no go",
    ALL: "as of one stage of a fixed size: describes, and cannot make a go",
    AFTER: "a sample of its own, whatever the reason for going on",
}
"""Which patients -> what the analysis of them is."""


def past_futility(found: Analyses) -> Iterator[Block]:
    """The three sets of patients beside each other, and what each assumes; nothing of another trial."""
    if [each.patients for each in found.sets] != list(WHAT):
        return
    plan = found.sets[0].plan
    yield Words(
        "The trial went on past a futility stop. The stop stands: the test is that of the patients on whom it was "
        "decided, and later responses do not reopen it. What follows of the others are estimates.",
        mark="convention",
    )
    heads = ["Patients", "Responses", "Response rate", capital(level_of(plan))]
    if plan.p0 is not None:
        heads.append(f"{'Two' if plan.two_sided else 'One'}-sided p, p0 = {rate(plan.p0)}")
    notes = [f"{each.patients}: {note}" for each in found.sets[1:] for note in each.notes]
    yield Table(
        "past-futility",
        "What stands, and what can be said of the others",
        (*heads, "What it is"),
        plain(map(_row, found.sets)),
        tuple(notes),
        words=(len(heads),),
    )


def _row(found: PatientsAnalysis) -> Row:
    low, high = found.interval.low, found.interval.high
    p = found.p_value
    return (
        found.patients,
        Cell(f"{found.x} of {found.n}", found.x),
        Cell(percent(found.estimate), found.estimate),
        NONE if low is None or high is None else f"{percent(low)} – {percent(high)}",
        *([] if p is None else [Cell(p_value(p), p)]),
        WHAT[found.patients],
    )
