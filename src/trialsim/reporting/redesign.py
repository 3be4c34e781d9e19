"""A redesign in words: what is kept, which rests keep it, and what holds whatever is pending."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.monitoring.redesign import Redesign, Standing
from trialsim.reporting.about import MADE_BY
from trialsim.writing.numbers import NONE, Cell, count, listed, probability, probability_cell, rate
from trialsim.writing.report import Group, Report, Row, Table, Words, section

SIZES = {"wanted": "As asked", "first": "Smallest", "stable": "Stable"}


def report_of(found: Redesign) -> Report:
    """Where the trial stands, and what may follow."""
    answer = section(
        "answer",
        "",
        Words(_standing(found)),
        Words(" ".join(_sizes(found)), "Answer."),
        _table(found),
        Words(" ".join(_notes(found)), mark="note"),
    )
    return Report(f"Redesign of {found.design}", "Redesign by conditional error", (answer,), MADE_BY)


def _standing(found: Redesign) -> str:
    known = found.m - found.pending
    words = (
        f"{count(found.m, 'patient')} so far, {count(found.x, 'response')} among {known} with a known outcome"
    )
    words += f" and {found.pending} pending" if found.pending else ""
    return (
        f"{words}. The planned design attains a type I error of {probability(float(found.attained))} at p0 = "
        f"{rate(float(found.p0))}; p1 = {rate(float(found.p1))}."
    )


def _sizes(found: Redesign) -> Iterator[str]:
    if not found.open:
        settled = {standing.decision for standing in found.standings}
        if settled == {"futile"}:
            yield "The planned design can no longer end in a go: its conditional error is 0, and no rest is allowed."
        elif settled == {"go"}:
            yield "The planned design is certain to end in a go, whatever follows: no rest is needed."
        else:
            yield "Once the pending outcomes are known the planned design is settled either way: no rest is left open."
        return
    every = " from every open standing" if len(found.open) > 1 else ""
    if found.power is not None:
        wanted = f"a conditional power of {float(found.power):g}{every}"
        if found.first is None:
            yield f"No rest of up to {count(found.most, 'patient')} has {wanted}."
        else:
            yield f"The smallest rest with {wanted} has {count(found.first, 'patient')}."
            if found.stable is None:
                yield f"No size is known from which every larger one, up to {found.most}, has it too."
            elif found.stable != found.first:
                yield (
                    f"From {found.stable} on every size up to {found.most} has it: power falls where the cut-off "
                    "rises."
                )
    if found.x2 is not None and found.wanted is not None and found.p_value is not None:
        (standing,) = found.standings
        verdict = "a go" if found.x2 >= found.rest(found.wanted, standing).c2 else "no go"
        yield (
            f"{count(found.x2, 'response')} among the {count(found.wanted, 'patient')} of the rest: {verdict}; p = "
            f"{probability(float(found.p_value))}, one-sided, of the planned looks with any last cut-off."
        )
    elif found.wanted is not None:
        yield f"A rest of {count(found.wanted, 'patient')} was asked for: its cut-off is below."
    if found.power is None and found.wanted is None:
        yield f"{_errors(found)} State a size or a conditional power to be given a rest."


def _errors(found: Redesign) -> str:
    """The level that a rest may have, from every standing that is open."""
    levels = [probability(float(standing.error)) for standing in found.open]
    if len(levels) == 1:
        return f"A rest may have a level of {levels[0]}, the conditional error of the planned design."
    either = listed(levels, "or")
    return f"A rest may have a level of {either}, the conditional error, as the pending outcomes turn out."


def _table(found: Redesign) -> Table:
    groups = []
    for standing in found.standings:
        title = (
            ""
            if not found.pending
            else f"{standing.pending_responses} of {found.pending} pending respond: {standing.x} of {found.m}"
        )
        groups.append(Group(title, list(_rows(found, standing))))
    heads = ("Rest", "Patients", "Go if responses ≥", "In all ≥", "P(go) at p0", "P(go) at p1")
    return Table("rests", "The rest of the trial", heads, tuple(groups))


def _rows(found: Redesign, standing: Standing) -> Iterator[Row]:
    decided = {"futile": " (no go)", "go": " (go)", "open": ""}[standing.decision]
    planned = (probability_cell(float(standing.error)), probability_cell(float(standing.power)))
    yield (f"As planned{decided}", NONE, NONE, NONE, *planned)
    if standing.decision != "open":
        return
    for name, n2 in found.sizes():
        rest = found.rest(n2, standing)
        reached = rest.c2 <= n2
        yield (
            SIZES[name],
            Cell(str(n2), n2),
            Cell(str(rest.c2), rest.c2) if reached else "no go",
            Cell(str(standing.x + rest.c2), standing.x + rest.c2) if reached else NONE,
            probability_cell(float(rest.used)),
            probability_cell(float(rest.power)),
        )


def _notes(found: Redesign) -> Iterator[str]:
    yield (
        "Exact; every patient evaluable, no rule but the looks. P(go) at p0 of the rest as planned is the conditional "
        "error. A size that is fixed has the least cut-off that keeps it; so the type I error of the whole trial is at "
        "most the one attained as planned, however the size was chosen from what is known by now."
    )
    if found.pending:
        yield "The size must be the same whatever the pending outcomes turn out to be; the cut-off follows them."
    yield (
        "Patients who are enrolled already belong to the patients so far, not to the rest. Estimates and intervals for "
        "the planned design do not hold after a redesign."
    )
