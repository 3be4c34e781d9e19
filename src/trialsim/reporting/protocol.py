"""The protocol section: typed facts in complete sentences, with the look table and the toxicity boundary."""

from __future__ import annotations

from dataclasses import replace

from trialsim.facts.protocol import Facts, Protocol
from trialsim.reporting import (
    protocol_conduct,
    protocol_design,
    protocol_dose,
    protocol_toxicity,
    protocol_truth,
)
from trialsim.writing.report import Points, Report, Section, Words, section

TITLE = "Statistical section for the protocol"
NOTES = "protocol-notes"


def protocol_section(facts: Facts) -> Section:
    """The protocol section of a report; every number in it is a fact."""
    parts = [
        section("protocol-design", "Design and sample size", protocol_design.blocks(facts)),
        section("protocol-population", "Patients and analysis set", protocol_conduct.population(facts)),
        section("protocol-toxicity", "Dose and toxicity", protocol_toxicity.blocks(facts)),
        section("protocol-dose", "Which dose goes forward", protocol_dose.blocks(facts)),
        section("protocol-conduct", "Conduct", protocol_conduct.conduct(facts)),
        section("protocol-references", "References", Points(facts.references) if facts.references else ()),
        section(
            NOTES, "Notes to the author, not for the protocol", _assumed(facts), protocol_conduct.notes(facts)
        ),
    ]
    return section("protocol", TITLE, parts=[part for part in parts if not part.is_empty])


def _assumed(facts: Facts) -> list[Words]:
    """That the design or the toxicity rule is assumed."""
    rule = "time of the change of dose" if facts.toxicity.kind == "amendment" else "toxicity rule"
    names = {"design": "design", "dose_reduction": rule}
    assumed = [names[item.path] for item in facts.assumed if item.path in names]
    if not assumed:
        return []
    are, them = ("is", "it") if len(assumed) == 1 else ("are", "them")
    words = f"The {' and the '.join(assumed)} {are} assumed; no real trial is said to have followed {them}."
    return [Words(words)]


def report_of(answer: Protocol) -> Report:
    """The protocol section by itself; last what is not for the protocol."""
    whole, does = protocol_section(answer.facts), protocol_truth.as_written(answer)
    parts = with_results(whole, does).parts if not does.is_empty else whole.parts
    return Report(answer.facts.name, TITLE, parts, f"trialsim {answer.version}", contents=False)


def with_results(whole: Section, does: Section) -> Section:
    """The protocol section with what the trial does, before the notes to its author."""
    parts = [part for part in whole.parts if part.key != NOTES]
    return replace(whole, parts=(*parts, does, *(part for part in whole.parts if part.key == NOTES)))
