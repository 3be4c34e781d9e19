"""The decision table in words: the looks, on one page however many there are, and the design in a line."""

from __future__ import annotations

from collections.abc import Sequence

from trialsim.designs.rules import cut_offs
from trialsim.facts.protocol import Facts
from trialsim.monitoring.aids import Aids
from trialsim.monitoring.decision_table import CutOffs
from trialsim.reporting import protocol_design
from trialsim.writing.numbers import NONE, count, listed, probability, rate
from trialsim.writing.report import Table, beside, plain

FEW_ROWS, MANY_ROWS = 14, 30
"""Rows of looks up to which they stand in one column, and in two."""


def decisions(aids: Aids, facts: Facts) -> Table:
    """What responses lead to: as in the protocol section, or looks with the same cut-offs together."""
    if aids.table.cut_offs is None:
        return protocol_design.decisions(facts)
    counted = "evaluable" if aids.table.evaluable else "treated"
    where = " of the cohort" if aids.table.cohorts else ""
    caption = f"Decisions by the number of responses among the first patients{where} (looks count {counted} patients)"
    return _compact(aids.table.cut_offs, caption)


def _compact(cuts: Sequence[CutOffs], caption: str) -> Table:
    """Many looks: a row for looks with the same cut-offs."""
    heads = ["After patients", "Stop (no go) if", "Go if"]
    toxic = any(cut.toxic_ge is not None for cut in cuts)
    if toxic:
        heads.append("Stop for toxicity if")
    rows = []
    for cut in cuts:
        texts = [sizes(cut.n), at_most(cut.stop_le), at_least(cut.go_ge)]
        rows.append(texts + ([at_least(cut.toxic_ge)] if toxic else []))
    notes = ["Otherwise the trial goes on to the next look."]
    if any(cut.is_final and (cut.stop_le is None or cut.go_ge != cut.stop_le + 1) for cut in cuts):
        notes.append("Between the two at the last look: consider.")
    if all(cut.go_ge is None for cut in cuts[:-1]):
        notes.append("There is no go before the last look.")
    abreast = 1 if len(rows) <= FEW_ROWS else 2 if len(rows) <= MANY_ROWS else 3
    words = tuple(range(1, abreast * len(heads)))
    return Table(
        "decisions", caption, tuple(heads) * abreast, plain(beside(rows, abreast)), (" ".join(notes),), words
    )


def at_most(bound: int | None) -> str:
    """``3 or fewer``."""
    return NONE if bound is None else f"{bound} or fewer"


def at_least(bound: int | None) -> str:
    """``3 or more``."""
    return NONE if bound is None else f"{bound} or more"


def sizes(n: Sequence[int]) -> str:
    """Looks in few words: 10–16 where there is one after every patient, else 10, 15, 20."""
    runs: list[list[int]] = []
    for size in n:
        if runs and size == runs[-1][-1] + 1:
            runs[-1].append(size)
        else:
            runs.append([size])
    words = [f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(words)


# -- sentences


def design_words(aids: Aids) -> str:
    """The design in one line: cut-offs, rates, attained error rates."""
    looks = aids.rules.looks
    short = cut_offs(looks)
    words = [str(short) if short else f"{count(len(looks.n), 'look')}, at most {looks.planned_n} patients"]
    words += [
        f"{name} = {rate(aids.rates[name])} ({meaning} {probability(aids.p_go[name])})"
        for name, meaning in (("p0", "type I error"), ("p1", "power"))
        if name in aids.rates
    ]
    if looks.too_toxic and aids.rates:
        words.append("these by responses alone, without the cut-offs for toxicity")
    return "; ".join(words)


def assumed_words(aids: Aids) -> str:
    """What the scenario marks as assumed; "" if nothing."""
    parts = {"design": "the design", "dose_reduction": "the toxicity rule"}
    marked = [word for path, word in parts.items() if (s := aids.scenario.sources.get(path)) and s.assumed]
    if not marked:
        return ""
    return f"Assumed by this scenario, stated by no publication: {listed(marked)}."
