"""The protocol section: typed facts in complete sentences, with the look table and the toxicity boundary."""

from __future__ import annotations

from trialsim.facts.protocol import Facts, Protocol
from trialsim.reporting import protocol_conduct, protocol_design, protocol_toxicity
from trialsim.writing.numbers import mcse_cell, probability_cell, value_cell
from trialsim.writing.report import Report, Row, Section, Table, Words, plain, section

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
    parts = (*first, *whole.parts, _as_written(answer))
    return Report(
        answer.facts.name, TITLE, tuple(p for p in parts if not p.is_empty), f"trialsim {answer.version}"
    )


def _as_written(answer: Protocol) -> Section:
    """P(go) of the trial with all of its rules, in every case."""
    simulated = any(case.mcse is not None for case in answer.cases)
    rows: list[Row] = [
        (case.case, probability_cell(case.p_go), *([mcse_cell("p_go", case.mcse)] if simulated else []),
         value_cell("en", case.en))
        for case in answer.cases
    ]  # fmt: skip
    own = answer.facts.cohorts is not None and answer.facts.cohorts.own
    go = "P(go in at least one cohort)" if own else "P(go)"
    how = "Simulated, with the Monte Carlo standard error of P(go)." if simulated else "Exact."
    heads = ("If this case is true", go, *(["Standard error"] if simulated else []), "Expected patients")
    words = "The trial as it is written above, with all of its rules, in each case that the scenario assumes."
    table = Table("as-written", "The trial as it is written", heads, plain(rows), (how,))
    return section("protocol-as-written", "What the trial does", [Words(words), table] if rows else ())
