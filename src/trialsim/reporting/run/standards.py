"""Where the items of reporting standards stand in the report of a run.

Items are told in words of this house from the sources named in ``STANDARDS``; what a source has beyond them (items
about randomisation, or of a finished trial alone) is left out. A standard whose text could not be read is named, not
told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from trialsim.running.content import Document
from trialsim.writing.numbers import listed
from trialsim.writing.report import Group, Section, Table, Words, section

NOT_STATED = "not stated by the scenario"
EXACT = "does not apply: nothing is simulated, every number is exact"


@dataclass(frozen=True)
class Item:
    """One item of a standard.

    Attributes:
        number: how its source calls it, or a word for that.
        asks: what it asks for.
        at: keys of the sections where that stands, as far as the report has them; () for what no scenario states.
        instead: what stands there in a run that has the section and not the item; "" where it has the item.
    """

    number: str
    asks: str
    at: tuple[str, ...] = ()
    instead: Callable[[Document], str] | None = None


@dataclass(frozen=True)
class Standard:
    """A standard and its items."""

    name: str
    source: str
    items: tuple[Item, ...]


def _level(doc: Document) -> str:
    design = doc["design"]
    has = "designs" in doc or design.get("alpha") is not None or design["type_i_error"] is not None
    return "" if has else NOT_STATED


def _simulated(doc: Document) -> str:
    return "" if doc["replicates"] is not None else EXACT


def _planned(doc: Document) -> str:
    return "" if doc.get("planned") is not None else _simulated(doc) or NOT_STATED


RULES = ("protocol-design", "protocol-toxicity", "protocol-dose")

STANDARDS = (
    Standard(
        "ADEMP (simulation studies)",
        "Morris TP, White IR, Crowther MJ. Stat Med 2019;38:2074-2102, Table 1",
        (
            Item("Aims", "What the simulation is to find out", ("aims", "objectives")),
            Item(
                "Data",
                "How data are generated: by which model, and how far it rests on real data",
                ("mechanisms", "model", "assumed"),
            ),
            Item(
                "Data",
                "Which factors are varied, over which levels, and whether together or one by one",
                ("cases", "sensitivity"),
            ),
            Item("Estimands", "What each quantity is an estimate of", ("estimands", "objectives")),
            Item("Methods", "Which methods (here: designs and rules) are evaluated", ("protocol", "methods")),
            Item("Performance", "The measures, with formulae where they are not usual", ("performance",)),
            Item(
                "Performance",
                "A number of replicates chosen for the Monte Carlo standard error that it gives",
                ("methods",),
                _planned,
            ),
            Item(
                "Execution",
                "Seed, and streams of random numbers of their own for work done in parallel",
                ("methods", "reproduce"),
                _simulated,
            ),
            Item("Execution", "Checks that the program does what it should", ("oc",)),
            Item("Analysis", "Graphs of the results", ("first-page", "figures")),
            Item(
                "Analysis",
                "Estimates together with their Monte Carlo standard errors",
                ("by-case",),
                _simulated,
            ),
            Item(
                "Reporting",
                "The study told by this structure, with reasons for its choices",
                ("method", "cases"),
            ),
        ),
    ),
    Standard(
        "ICH E6(R3) (statistics in the protocol)",
        "ICH E6(R3), final of 6 January 2025, Appendix B.10",
        (
            Item(
                "B.10.1",
                "Statistical methods; when and why there are interim analyses; criteria for stopping",
                (*RULES, "protocol-conduct"),
            ),
            Item(
                "B.10.2",
                "How many participants, why so many, and the power they give",
                ("protocol-design", "power-ledger", "oc"),
            ),
            Item("B.10.2", "The clinical reason for that size"),
            Item(
                "B.10.3",
                "The level of significance, or the threshold of a Bayesian rule",
                ("protocol-design",),
                _level,
            ),
            Item(
                "B.10.4",
                "Who is analysed; intercurrent events; data that are missing",
                ("protocol-population", "objectives"),
            ),
            Item("B.10.5", "That departures from the statistical plan will be described and justified"),
        ),
    ),
    Standard(
        "CONSORT-ACE (adaptive designs)",
        "Dimairo M and others. BMJ 2020;369:m115, Table 2 to item 7a, and the boxes of items 7b, 12, 14, 17 and 24b",
        (
            Item("2a Background", "Scientific background and rationale"),
            Item("2b Objectives", "Objectives or hypotheses", ("objectives", "protocol-design")),
            Item("3a Design", "The design", ("protocol-design",)),
            Item(
                "3b Adaptations",
                "The kind of adaptive design, each planned adaptation, and what informs it",
                RULES,
            ),
            Item("3c Changes", "Changes after the start that were not planned, with reasons"),
            Item("4a, 4b Participants", "Eligibility; where data are collected"),
            Item(
                "5 Interventions",
                "The treatment at each dose, and what changes the dose",
                ("protocol-toxicity", "protocol-dose"),
            ),
            Item(
                "6a Outcomes",
                "Outcomes, also those that only inform adaptations: how and when they are assessed",
                ("protocol-population", "protocol-toxicity", "protocol-conduct"),
            ),
            Item("6b Changes", "Changes to outcomes after the start"),
            Item(
                "7a Sample size",
                "How sample size and operating characteristics were found",
                ("protocol-design", "protocol-does", "oc", "method"),
            ),
            Item(
                "7b Looks", "Timing of interim decisions, and their boundaries", (*RULES, "protocol-conduct")
            ),
            Item("12 Methods", "How estimates allow for the adaptations"),
            Item("14a Recruitment", "How long recruitment and follow-up take", ("durations",)),
            Item("14c Decisions", "Which adaptations were made in the trial, by which data"),
            Item("17 Estimates", "Results of the trial, with their precision", ("check",)),
            Item(
                "24b Documents",
                "The simulation report and what is needed to repeat it",
                ("method", "reproduce"),
            ),
        ),
    ),
)

UNREAD = (
    "FDA, Adaptive Designs for Clinical Trials of Drugs and Biologics, Guidance for Industry, November 2019: its list "
    "of what a simulation report contains"
)
"""What ought to stand here, and whose text was not at hand when this table was made."""


def standards(doc: Document, sections: Sequence[Section]) -> Section:
    """Where each item stands in a report of these sections."""
    titles = {part.key: part.title for part in _all(sections)}
    groups = [
        Group(each.name, [(item.number, item.asks, _where(item, doc, titles)) for item in each.items])
        for each in STANDARDS
    ]
    sources = "; ".join(f"{each.name.split(' (')[0]}: {each.source}" for each in STANDARDS)
    return section(
        "standards",
        "Appendix: reporting standards",
        Words(
            "Where each item of a standard stands in this report, by heading. That an item stands here does not say "
            "that the standard is met: that is for its reader to judge."
        ),
        Table(
            "standards",
            "Items of reporting standards, and where they stand",
            ("Item", "What it asks for", "Where it stands"),
            tuple(groups),
            (
                f"Paraphrased from: {sources}.",
                f"Left out, because its text could not be read: {UNREAD}. Items about randomisation, and about "
                "the paper that reports a finished trial, are left out too.",
            ),
            words=(1, 2),
        ),
    )


def _where(item: Item, doc: Document, titles: dict[str, str]) -> str:
    found = [f"“{titles[key]}”" if titles[key] else "the first page" for key in item.at if key in titles]
    instead = item.instead(doc) if item.instead else ""
    return instead or listed(found) or NOT_STATED


def _all(sections: Sequence[Section]) -> Iterator[Section]:
    for each in sections:
        if not each.is_empty:
            yield each
            yield from _all(each.parts)
