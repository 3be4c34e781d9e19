"""Operating characteristics of a stated design in words: what it attains, over response rates, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.codes import NEVER
from trialsim.designs.nominal import Attained, Nominal
from trialsim.designs.rules import DECISION_WORDS, Looks
from trialsim.inference.oc import AtRate, StatedDesign
from trialsim.reporting.about import MADE_BY
from trialsim.reporting.analyse import rule_of
from trialsim.reporting.pictures import undrawn
from trialsim.writing.numbers import NONE, Cell, listed, probability, probability_cell, rate, value_cell
from trialsim.writing.report import Group, Pictures, Report, Row, Section, Table, Words, plain, section

END_HEADS = {"p_no_go": "No go", "p_consider": "Consider", "p_go": "Go", "p_toxicity": "Toxicity"}
SHOWN = 8
"""Looks that are told one by one on the terminal."""


def report_of(found: StatedDesign) -> Report:
    """The design, what it attains, and every end at every look."""
    return _report(found, ends_table(found))


def in_brief(found: StatedDesign) -> Report:
    """The same for a terminal: ends by look only where there are few looks."""
    return _report(found, ends_table(found) if len(found.looks.n) <= SHOWN else None)


def _report(found: StatedDesign, by_look: Table | None) -> Report:
    answer = section(
        "answer",
        "",
        Words(rule(found.looks)),
        Words(" ".join(attained(found)), "Attained.", "convention"),
        Words(
            " ".join(nominal_words(found.nominal)) if found.nominal else "",
            mark="warning" if _missed(found) else "",
        ),
        rates_table(found),
        Words(how(found), mark="note"),
        Pictures((undrawn("oc", found),)),
    )
    ends: Section = section("ends", "How it ends", by_look or ())
    parts = tuple(part for part in (answer, ends) if not part.is_empty)
    return Report(f"Design {found.design}", "Operating characteristics of a stated design", parts, MADE_BY)


def rule(looks: Looks) -> str:
    """What each look decides; of more looks than can be read in a sentence how many there are, and the last."""
    words = rule_of(looks) if len(looks.n) <= SHOWN else _many(looks)
    toxic = [f"{b} of {n}" for n, b in zip(looks.n, looks.toxic_ge, strict=False) if b < NEVER]
    if toxic:
        words += f"; stop for toxicity, whatever the responses, if toxicities reach {listed(toxic, 'or')}"
    return f"{words[0].upper()}{words[1:]}."


def _many(looks: Looks) -> str:
    ends = "; ".join(
        f"{DECISION_WORDS[decision]} with {low if low == high else f'{low}–{high}'}"
        for low, high, decision in looks.ranges(len(looks.n) - 1)
    )
    return (
        f"{len(looks.n)} looks, the first after {looks.n[0]} patients; after {looks.planned_n}, the last, by the "
        f"number of responses: {ends} (every cut-off is in --json, as “looks”)"
    )


def _missed(found: StatedDesign) -> bool:
    return found.nominal is not None and not found.nominal.attained.keeps


def attained(found: StatedDesign) -> Iterator[str]:
    """Type I error and power, with PET and EN."""
    for name, p in (("Type I error", found.p0), ("Power", found.p1)):
        if p is None:
            continue
        for at in (each for each in found.at if each.p == p):
            what = name if found.tests else "P(go)"
            toxic = "" if at.toxicity is None else f" and a toxicity rate of {rate(at.toxicity)}"
            yield (
                f"{what} {probability(at.p_go)} at {'p0' if p == found.p0 else 'p1'} = {rate(p)}{toxic}: probability "
                f"of ending early (PET) {probability(at.pet)}, expected patients (EN) {at.en:.2f}."
            )


def nominal_words(found: Nominal | None) -> Iterator[str]:
    """Nominal error rates against those that the cut-offs attain; and the cut-offs that may have been meant."""
    if found is None:
        return
    at = found.attained
    kept, missed = [], []
    if found.alpha is not None and at.level is not None:
        if at.keeps_alpha:
            kept.append(f"the type I error {probability(at.level)} keeps alpha = {found.alpha:g}")
        else:
            missed.append(f"the type I error {probability(at.level)} exceeds alpha = {found.alpha:g}")
    if found.beta is not None and at.power is not None:
        wanted = f"{1 - found.beta:g} (beta = {found.beta:g})"
        if at.keeps_beta:
            kept.append(f"the power {probability(at.power)} is at least {wanted}")
        else:
            missed.append(f"the power {probability(at.power)} is below {wanted}")
    if kept or missed:
        yield f"Nominal and attained: {listed([*missed, *kept])}."
    if found.meant is not None:
        names, counts = [name for name, _ in found.which], [f"“at least {r}”" for _, r in found.which]
        are = "Is" if len(names) == 1 else "Are"
        yield f"{are} {listed(names)} meant as {listed(counts)}? {_has(found.meant)}."


def missed_words(found: Nominal | None) -> Iterator[str]:
    """The same, only where the cut-offs miss a nominal rate."""
    if found is not None and not found.attained.keeps:
        yield from nominal_words(found)


def _has(meant: Attained) -> str:
    errors = [
        f"{name} {probability(p)}"
        for name, p in (("type I error", meant.level), ("power", meant.power))
        if p is not None
    ]
    return f"{meant.design} has {listed(errors)}"


def how(found: StatedDesign) -> str:
    """What the numbers are."""
    words = "Exact; every patient evaluable, one response rate, no rule but the looks."
    if found.watches_toxicity and all(not at.toxicity for at in found.at):
        return f"{words} The looks also count toxicities: here nobody has any (state toxicity rates with --toxicity)."
    if found.watches_toxicity:
        associated = "independent" if found.odds_ratio == 1 else f"of odds ratio {found.odds_ratio:g}"
        return f"{words} Response and toxicity are {associated} within a patient."
    return words


def rates_table(found: StatedDesign) -> Table:
    """A row a rate."""
    considers = any(at.p_consider for at in found.at)
    early = any(at.p_go_early for at in found.at)
    toxic = found.watches_toxicity
    rows: list[Row] = []
    for at in sorted(found.at, key=lambda at: (at.p, at.toxicity or 0.0)):
        cells: list[Cell | str] = [_rate(found, at)]
        cells += [rate(at.toxicity or 0.0)] if toxic else []
        chances = [
            at.p_go,
            *([at.p_consider] if considers else []),
            *([at.p_toxicity] if toxic else []),
            at.pet,
        ]
        chances += [at.p_stop_futility, at.p_go_early] if early else []
        cells += map(probability_cell, chances)
        rows.append(
            (*cells, value_cell("en", at.en), value_cell("en", at.sd_n), Cell(str(at.median_n), at.median_n))
        )
    heads = [
        "Response rate",
        *(["Toxicity rate"] if toxic else []),
        "P(go)",
        *(["P(consider)"] if considers else []),
    ]
    heads += [*(["P(stop, toxicity)"] if toxic else []), "PET", *(["Futility", "Go early"] if early else [])]
    return Table("rates", "By the true rate", (*heads, "EN", "SD of n", "Median n"), plain(rows))


def _rate(found: StatedDesign, at: AtRate) -> Cell:
    name = {found.p0: " (p0)", found.p1: " (p1)"}.get(at.p, "")
    return Cell(f"{rate(at.p)}{name}", at.p)


def ends_table(found: StatedDesign) -> Table:
    """Where and how the trial ends at p0 and p1, or at every rate where neither is stated."""
    told = [at for at in found.at if at.p in (found.p0, found.p1)] or list(found.at)
    heads = {
        key: head for key, head in END_HEADS.items() if any(getattr(e, key) for at in told for e in at.ends)
    }
    groups = []
    for at in told:
        toxic = "" if at.toxicity is None else f", toxicity rate {rate(at.toxicity)}"
        rows: list[Row] = [
            (
                Cell(str(look.n), look.n),
                *(probability_cell(p) if (p := getattr(look, key)) else Cell(NONE, p) for key in heads),
                probability_cell(look.p),
            )
            for look in at.ends
        ]
        groups.append(Group(f"Response rate {_rate(found, at).text}{toxic}", rows))
    return Table(
        "ends", "Probability of each end, by look", ("Patients", *heads.values(), "Any end"), tuple(groups)
    )
