"""The section of the report on the check against the observed trial."""

from __future__ import annotations

from trialsim.reporting.run import check_tables, conduct_tables
from trialsim.reporting.two_questions import two_questions
from trialsim.running.content import Document
from trialsim.writing.numbers import listed
from trialsim.writing.report import Block, Points, Section, Words, in_quotes, section


def check_of(doc: Document) -> Section:
    """The counts with the rates they are compatible with, then case by case, and what none of it can say."""
    title = "Check against the observed trial"
    notes = Points((*map(in_quotes, doc["check_notes"]), *_margins(doc), *check_tables.row_notes(doc)))
    if not doc["headline"]:
        return section("check", title)
    assumed = "The design is assumed, so this" if doc["design"]["assumed"] else "This"
    introduction = (
        "Would the published result be surprising if a case were true? First, without any design or case, the true "
        f"rates with which each observed count is compatible. {_denominators(doc)}"
    )
    parts: list[tuple[str, str, str, list[Block]]] = [
        (
            "each-case",
            "Each case against the counts",
            "The numbers of patients, and their doses where known, are held as observed, so that no stopping rule "
            "enters. The two-sided mid-p says how far out a count lies among those that the case predicts. The "
            "adjusted p allows for several quantities being looked at in one case; as mid-p values are not "
            "conservative, it "
            "can exceed the number of quantities times the mid-p. The verdict words follow from it: "
            f"{verdict_words(doc)}.",
            [check_tables.given_sizes(doc)],
        ),
        ("cells", "By cohort and dose", "", [conduct_tables.cells(doc)]),
        (
            "by-design",
            "With the stated design",
            f"How likely the trial is to get as far as it did, and what is then seen. {assumed} carries no verdict.",
            [check_tables.by_design(doc)],
        ),
        (
            "external",
            "From other trials",
            "A prediction that uses none of the assumed rates.",
            [check_tables.external(doc)],
        ),
        (
            "likelihood",
            "One case against another",
            "The ratio of the probabilities of exactly the observed counts under two cases. A case whose rates were "
            "set from these counts has an unfair advantage here.",
            [check_tables.likelihood(doc)],
        ),
    ]
    found = [section(key, name, tables) for key, name, _, tables in parts]
    told = [
        section(part.key, part.title, Words(words), part.blocks)
        for part, (_, _, words, _) in zip(found, parts, strict=True)
        if not part.is_empty
    ]
    told.append(section("cannot-say", "What this check cannot say, and other notes", notes))
    return section(
        "check",
        title,
        Words(introduction.strip()),
        Words(two_questions(doc["check_questions"], assumed=doc["design"]["assumed"])),
        check_tables.headline(doc),
        check_tables.positions(doc),
        parts=told,
    )


def verdict_words(doc: Document) -> str:
    """The verdict words with their limits."""
    parts = []
    above = None
    for row in doc["method"]["verdicts"]:
        least, word = row["least"], row["word"]
        limits = (
            f"below {above:g}"
            if not least
            else f"{least:g} or more"
            if above is None
            else f"{least:g} to {above:g}"
        )
        parts.append(f"{word} ({limits})")
        above = least
    return listed(parts)


def _denominators(doc: Document) -> str:
    """Which count has which denominator, in words; "" where there is only one."""
    units = {row["unit"]: row["denominator"] for row in doc["headline"]}
    treated = next(
        (row["among_treated"]["denominator"] for row in doc["headline"] if row["among_treated"]), None
    )
    units |= {"treated": treated} if treated is not None else {}
    if len(units) < 2 or len(set(units.values())) < 2:
        return ""
    return (
        f"Two denominators are in use: {units['evaluable']} evaluable patients for response, "
        f"{units['treated']} treated patients for toxicity."
    )


def _margins(doc: Document) -> list[str]:
    """What total counts cannot tell apart, where the scenario has more than one dose."""
    if len(doc["doses"]) == 1 or not any(row["quantity"] == "toxicities" for row in doc["headline"]):
        return []
    return [
        "Totals over all doses hardly tell a steep from a flat relation of dose and toxicity: cases with very "
        "different rates by dose can predict the same total."
    ]
