"""Compared designs in words: which is dominated, what each does in place of the first, in every case and by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trialsim.designs.alone import written
from trialsim.reporting import sentences
from trialsim.reporting.paired import (
    CORRECTED,
    difference_cell,
    method,
    replicates_words,
    report,
    value_cell,
)
from trialsim.reporting.pictures import undrawn
from trialsim.reporting.sentences import sentence
from trialsim.results import digits12
from trialsim.scenario.every_design import without_own
from trialsim.varying.compare import Comparison
from trialsim.writing.numbers import NONE, Cell, listed, probability_cell, rate
from trialsim.writing.numbers import value_cell as number_cell
from trialsim.writing.report import Group, Pictures, Points, Report, Table, Terms, Words, plain, section

BETTER_DOSE = (
    "Better dose: the dose with the highest true response rate; told are the expected patients treated there, and "
    "their share of all patients. Where the highest rate belongs to several doses there is no better dose."
)


def report_of(found: Comparison) -> Report:
    """A comparison as a report."""
    first = found.designs[0].name
    stated = [f"{name} = {rate(p)}" for name, p in (("p0", found.p0), ("p1", found.p1)) if p is not None]
    reasons = sorted({why for why in found.not_exact.values() if why})
    corrected = f" {CORRECTED}{_as_counted(found)}" if found.adjusted else ""
    how = f"Simulated ({'; '.join(reasons)})." if reasons else "Exact."
    sections = [
        section(
            "short",
            "In short",
            [Words(text, mark="convention") for text in dominated(found)],
            Terms(tuple((f"{d.name} in place of {first}", told(found, d.name)) for d in found.designs[1:])),
            Points(tuple(notes(found))),
        ),
        section(
            "cases",
            "In every case",
            Words(f"{how} A difference is that from {first}.{corrected}"),
            _cases(found, True),
            _cases(found, False),
        ),
        section(
            "alone",
            "The designs by themselves",
            Words(
                f"Exact, with every patient evaluable and no toxicity rule{', at ' if stated else ''}{listed(stated)}. "
                "A design is dominated by another that is no worse by type I error, power, expected patients at p0 "
                "and at p1, and largest n, and better by one of them."
            ),
            _alone(found),
            Pictures((undrawn("compare_curves", found),)),
        ),
        method("All designs"),
    ]
    runs = replicates_words([(found.replicates, found.seed)])
    return report(
        found.called, "Designs of a single-arm trial on the same truth", sections, found.disagreements, runs
    )


def _as_counted(found: Comparison) -> str:
    """Of which designs no number is adjusted: without calendar time there is no twin to adjust by."""
    untimed = [design.name for design in found.designs if design.scenario.conduct is None]
    if not untimed:
        return ""
    which, their = listed(untimed), "its" if len(untimed) == 1 else "their"
    return (
        f" {which} {'has' if len(untimed) == 1 else 'have'} no calendar time: {their} numbers, and the differences "
        f"that {their} numbers are part of, are as they were counted, without adjustment."
    )


def document(found: Comparison, texts: Sequence[str] = ()) -> dict[str, Any]:
    """``results.json``: the numbers with the sentences about them, and the text of each design."""
    content = found.to_dict()
    for design, text in zip(content["designs"], texts, strict=False):
        design["text"] = text
    return {
        **content,
        "dominated": list(dominated(found)),
        "told": {design.name: told(found, design.name) for design in found.designs[1:]},
        "rule": sentences.rule(),
        "notes": list(notes(found)),
    }


def told(found: Comparison, design: str) -> str:
    """What a design does in place of the first."""
    effects = {case: of[design] for case, of in found.effects.items() if design in of}
    return sentences.did(effects, sentences.Words.of(found.first))


def dominated(found: Comparison) -> tuple[str, ...]:
    """A sentence for every design that is dominated; one for all where none is."""
    if found.p0 is None or found.p1 is None:
        return ("No design states both p0 and p1, so none can be said to dominate another.",)
    return tuple(
        f"{design.name} is dominated by {' and by '.join(design.dominated_by)}: no better by type I error at p0 = "
        f"{rate(found.p0)}, power at p1 = {rate(found.p1)}, expected patients at either or largest n, and worse by one "
        "of them."
        for design in found.designs
        if design.dominated_by
    ) or ("No design is dominated by another.",)


def notes(found: Comparison) -> Iterator[str]:
    """What is the same in every design, and what is not."""
    scenarios = [design.scenario for design in found.designs]
    first, *others = scenarios
    yield (
        f"The cases of {found.truth} are put under every design. All else (rules, evaluability, conduct) is each "
        "design's own."
    )
    if others_ask := _other_hypotheses(found):
        yield others_ask
    if any(other.doses != first.doses for other in others):
        yield (
            "Doses are matched by name, else in their order; a design that names no dose treats everybody at the "
            "starting dose."
        )
    if len({scenario.conduct is None for scenario in scenarios}) > 1:
        yield (
            "Some designs have calendar time and some do not: no duration stands for those without, nor if the first "
            "has none."
        )
    if any(other.evaluability != first.evaluability for other in others):
        yield "The designs differ in evaluability, which is part of what is compared."
    for design in found.designs:
        if design.scenario.from_start:
            yield (
                f"{design.name} randomises between two doses from the start: its P(go) is that of a go at one of them "
                "at least, and the design by itself is that of one dose."
            )
    if any(scenario.own_rules and not scenario.from_start for scenario in scenarios):
        yield "Where cohorts have rules of their own, the design by itself is that of one cohort."
    for design in found.designs:
        if design.scenario.designs:
            yield (
                f"{design.name} has designs of its own for some cohorts: the design by itself is that of "
                f"{without_own(design.scenario)}."
            )
    if any(design.looks.too_toxic for design in found.designs):
        yield "Alpha, power, EN and PET of a design by itself are by responses alone: nobody has toxicity there."
    if "p_dose_correct" in found.columns:
        yield (
            "PCS: probability that the correct dose goes forward, by the dose rule and margin of each design; a design "
            "without such a rule has none."
        )
    if len(first.doses) > 1:
        yield BETTER_DOSE


def _other_hypotheses(found: Comparison) -> str:
    """That designs were made for other hypotheses than those at which they are compared; "" where none was."""
    parts = []
    for design in found.designs:
        own = {key: getattr(design.scenario.design, key, None) for key in ("p0", "p1")}
        asked = {"p0": found.p0, "p1": found.p1}
        differ = [f"{key} = {rate(p)}" for key, p in own.items() if p is not None and p != asked[key]]
        parts += [f"{design.name} was made for {listed(differ)}"] if differ else []
    if not parts or found.p0 is None or found.p1 is None:
        return ""
    return (
        f"{'; '.join(parts)}: a go of such a design answers another question. All are compared at p0 = "
        f"{rate(found.p0)} and p1 = {rate(found.p1)}, where its error rates are not those that it was made for."
    )


def _alone(found: Comparison) -> Table:
    """One row a design: cut-offs, error rates, expected patients, and what dominates it."""
    rows = [
        (
            d.name,
            written(d.looks),
            Cell(str(d.n), d.n),
            probability_cell(digits12(d.alpha)),
            probability_cell(digits12(d.power)),
            number_cell("en", digits12(d.en_p0)),
            number_cell("en", digits12(d.en_p1)),
            probability_cell(digits12(d.pet_p0)),
            Cell(", ".join(d.dominated_by) or "no", mark="outside" if d.dominated_by else ""),
        )
        for d in found.designs
    ]
    heads = ("", "Design", "n", "Type I error", "Power", "EN at p0", "EN at p1", "PET at p0", "Dominated by")
    return Table("designs", "The designs by themselves, exact", heads, plain(rows), words=(1, 8))


MAIN = ("p_go", "en")
"""Quantities whose difference from the first design is tabulated beside them."""


def _cases(found: Comparison, main: bool) -> Table:
    """A block a case, a row a design: P(go) and EN with their differences from the first, or all other quantities."""
    names = [name for name in found.columns if (name in MAIN) == main]
    heads = [""]
    for name in names:
        heads += [sentence(found.short(name)), *(["Difference"] if main else [])]
        heads += ["Share"] if name == "better_dose" else []
    groups = []
    for case, of in found.values.items():
        better = found.better_dose[case]
        rows = []
        for design, numbers in of.items():
            effects = found.effects[case].get(design)
            cells: list[Cell | str] = [design]
            for name in names:
                cells.append(value_cell(name, numbers.get(name), error=not (effects and main)))
                if main:
                    effect = (effects or {}).get(name)
                    known = effect.difference if effect else None
                    cells.append("" if effects is None else difference_cell(name, known))
                if name == "better_dose":
                    share = digits12(found.share(case, design))
                    cells.append(NONE if share is None else Cell(f"{100 * share:.1f}%", share))
            rows.append(tuple(cells))
        title = f"If “{case}” is true" + (f" (better dose: {better})" if better and not main else "")
        groups.append(Group(title, rows))
    if main:
        return Table("cases", "The designs in every case", tuple(heads), tuple(groups))
    return Table("cases-more", "The designs in every case: other quantities", tuple(heads), tuple(groups))
