"""The protocol section: typed facts in complete sentences, with the look table and the toxicity boundary."""

from __future__ import annotations

from trialsim.facts.protocol import Facts, Protocol
from trialsim.reporting import protocol_conduct, protocol_design, protocol_toxicity
from trialsim.writing.report import Report, Section, Words, section

CONVENTION = "Stop stage 1 if responses ≤ r1; go if responses > r; act on toxicity if toxicities ≥ b."


def protocol_section(facts: Facts) -> Section:
    """The protocol section of a report; every number in it is a fact."""
    return section(
        "protocol",
        "Statistical section for the protocol",
        _assumed(facts),
        parts=parts(facts),
    )


def parts(facts: Facts) -> list[Section]:
    """Its parts, by the headings that a protocol has."""
    return [
        section("protocol-design", "Design and sample size", protocol_design.blocks(facts)),
        section("protocol-population", "Patients and analysis set", protocol_conduct.population(facts)),
        section("protocol-toxicity", "Dose and toxicity", protocol_toxicity.blocks(facts)),
        section("protocol-conduct", "Conduct", protocol_conduct.conduct(facts)),
        section("protocol-sources", "Assumptions and references", protocol_conduct.provenance(facts)),
    ]


def _assumed(facts: Facts) -> list[Words]:
    """That the design or the toxicity rule is assumed, before it is told."""
    names = {"design": "design", "dose_reduction": "toxicity rule"}
    assumed = [names[item.path] for item in facts.assumed if item.path in names]
    if not assumed:
        return []
    are, them = ("is", "it") if len(assumed) == 1 else ("are", "them")
    words = f"The {' and the '.join(assumed)} {are} assumed; no real trial is said to have followed {them}."
    return [Words(words, mark="note")]


def report_of(answer: Protocol) -> Report:
    """The protocol section by itself."""
    whole = protocol_section(answer.facts)
    first = section("protocol", whole.title, whole.blocks)
    return Report(
        answer.facts.name,
        "Statistical section for the protocol",
        (first, *parts(answer.facts)) if whole.blocks else tuple(parts(answer.facts)),
        f"trialsim {answer.version}",
    )
