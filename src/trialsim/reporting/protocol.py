"""The protocol section: typed facts in complete sentences, with the look table and the toxicity boundary."""

from __future__ import annotations

from trialsim.facts.protocol import Facts, Protocol
from trialsim.reporting import protocol_conduct, protocol_design, protocol_toxicity
from trialsim.writing.report import Report, Section, Words, section

TITLE = "Statistical section for the protocol"


def protocol_section(facts: Facts) -> Section:
    """The protocol section of a report; every number in it is a fact."""
    parts = [
        section("protocol-design", "Design and sample size", protocol_design.blocks(facts)),
        section("protocol-population", "Patients and analysis set", protocol_conduct.population(facts)),
        section("protocol-toxicity", "Dose and toxicity", protocol_toxicity.blocks(facts)),
        section("protocol-conduct", "Conduct", protocol_conduct.conduct(facts)),
        section("protocol-sources", "Assumptions and references", protocol_conduct.provenance(facts)),
    ]
    return section("protocol", TITLE, _assumed(facts), parts=parts)


def _assumed(facts: Facts) -> list[Words]:
    """That the design or the toxicity rule is assumed, before it is told."""
    rule = "time of the change of dose" if facts.toxicity.kind == "amendment" else "toxicity rule"
    names = {"design": "design", "dose_reduction": rule}
    assumed = [names[item.path] for item in facts.assumed if item.path in names]
    if not assumed:
        return []
    are, them = ("is", "it") if len(assumed) == 1 else ("are", "them")
    words = f"The {' and the '.join(assumed)} {are} assumed; no real trial is said to have followed {them}."
    return [Words(words, mark="note")]


def report_of(answer: Protocol) -> Report:
    """The protocol section by itself: what is assumed before all else, then its parts."""
    whole = protocol_section(answer.facts)
    first = (section("protocol", "", whole.blocks),) if whole.blocks else ()
    return Report(answer.facts.name, TITLE, (*first, *whole.parts), f"trialsim {answer.version}")
