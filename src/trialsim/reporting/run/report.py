"""A run as a report: which sections it has, and what stands in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from trialsim.reporting import power_ledger, sensitivity
from trialsim.reporting.about import warning
from trialsim.reporting.pictures import figure_content, picture
from trialsim.reporting.protocol import protocol_section, with_results
from trialsim.reporting.protocol_design import numbered
from trialsim.reporting.protocol_origin import whence
from trialsim.reporting.run import believed, conduct_tables, examples, methods, question, rule_tables, summary
from trialsim.reporting.run import results as tables_of_results
from trialsim.reporting.run.check import check_of
from trialsim.reporting.run.dose_arms import dose_arms
from trialsim.reporting.run.dose_decision import dose_decision
from trialsim.reporting.run.first_page import FIGURES, first_page
from trialsim.reporting.run.standards import standards
from trialsim.reporting.run.tables import tables
from trialsim.results import digits12
from trialsim.running.inputs import value_words
from trialsim.running.plain import Document, any_adjusted, by_design, from_start, is_timed, not_adjusted
from trialsim.running.run import Run
from trialsim.writing.report import (
    Code,
    Picture,
    Pictures,
    Points,
    Report,
    Section,
    Terms,
    Words,
    paragraphs,
    section,
)

Drawn = tuple[int | None, Picture]
"""A figure, and the number of the sensitivity analysis that it belongs to, if any."""


def report_of(run: Run) -> Report:
    """The report of a run. Its numbers are those of ``results.json``."""
    doc, drawn = told(run)
    replicates = "none, exact only"
    if doc["replicates"] is not None:
        replicates = f"{doc['replicates']:,} a case, seed {doc['seed']}"
    about = (
        ("Endpoint", doc["endpoint"]),
        ("Source", doc["source"] or "not stated"),
        ("Replicates", replicates),
        ("Scenario digest", doc["digest"]),
    )
    pictures = [each for analysis, each in drawn if analysis is None]
    found: tuple[Section, ...] = (
        first_page(run, doc, pictures),
        _protocol(run, doc),
        section("limitations", "Limitations", Points(tuple(methods.limitations(doc)))),
        check_of(doc),
        dose_arms(doc) if from_start(doc) else dose_decision(doc),
        _objectives(doc),
        _toxicity_rule(doc),
        _model(doc),
        _cases(doc),
        _results(run, doc, [each for each in pictures if each.name not in FIGURES]),
        believed.history(doc),
        believed.prior(doc),
        _sensitivity(doc, drawn),
        _methods(doc),
        _examples(doc),
        _appendix(doc),
    )
    found = (*found, standards(doc, found))
    first, protocol, *appendix = (part for part in found if not part.is_empty)
    kept = (first, protocol, *(replace(part, folded=True) for part in appendix))
    kind = f"Operating characteristics of a {'trial of two doses' if from_start(doc) else 'single-arm trial'}"
    return Report(doc["name"], kind, kept, made_by(doc), warning(doc["disagreements"]), about)


def document(run: Run, _texts: Sequence[str] = ()) -> Document:
    """A run as it stands in ``results.json``."""
    return told(run)[0]


def csv_tables(run: Run) -> dict[str, str]:
    """CSV text by name."""
    return tables(run, told(run)[0])


def in_brief(run: Run) -> Report:
    """The first page alone."""
    whole = report_of(run)
    return replace(whole, sections=whole.sections[:1])


@lru_cache(maxsize=2)
def told(run: Run) -> tuple[Document, tuple[Drawn, ...]]:
    """The content of ``results.json`` with all words in it, and the figures."""
    from trialsim import figures

    doc = dict(run.to_dict())
    words = [block.text for block in protocol_section(run.facts).all_blocks() if isinstance(block, Words)]
    rows = [
        {"what": row["path"], "value": value_words(row["value"]), "default": row["default"]}
        for row in doc["inputs"]
        if row["path"].startswith(("conduct.", "evaluability.", "cohorts."))
    ]
    doc["conduct"] = {**doc["conduct"], "rows": rows, "sentences": words}
    doc["design"] = {**doc["design"], "origin": whence(run.facts.design)}
    material = figures.Material(run.compiled, run.results, run.checks, run.power, run.pictured)
    drawn: list[tuple[int | None, figures.Drawn]] = [(None, each) for each in figures.draw_all(material)]
    if run.sensitivity is not None:
        from trialsim.figures.sensitivity import draw

        drawn += draw(run.sensitivity, run.scenario)
        doc["sensitivity"] = digits12(sensitivity.document(run.sensitivity))
    doc["figures"] = [{"analysis": analysis, **figure_content(each)} for analysis, each in drawn]
    return doc, tuple((analysis, picture(each)) for analysis, each in drawn)


def made_by(doc: Document) -> str:
    """The program and its version."""
    return f"trialsim {doc['trialsim']}, random streams version {doc['streams']}"


def _protocol(run: Run, doc: Document) -> Section:
    """The protocol section, and what the trial does by its rules."""
    whole = protocol_section(run.facts)
    does = section("protocol-does", "Operating characteristics", Words(summary.characteristics(doc)))
    return with_results(whole, does)


def _objectives(doc: Document) -> Section:
    return section(
        "objectives",
        "Objectives and estimand",
        Words(methods.objectives(doc)),
        Terms(tuple(methods.estimand(doc))),
        parts=[
            section(
                "question",
                "Which question P(go) answers",
                paragraphs(question.paragraphs(doc)),
                conduct_tables.analysis_sets(doc),
            )
        ],
    )


def _toxicity_rule(doc: Document) -> Section:
    """What the toxicity rule does; what it is stands in the protocol section."""
    return section(
        "toxicity-rule",
        "What the toxicity rule does",
        Words(summary.toxicity(doc)),
        [
            numbered(table(here), k, cohorts) if cohorts else table(here)
            for table in (rule_tables.crossing, rule_tables.first_to_act)
            for k, (cohorts, here) in enumerate(by_design(doc), start=1)
        ],
        rule_tables.cost(doc),
    )


def _model(doc: Document) -> Section:
    return section(
        "model",
        "Data-generating model",
        Words(methods.rates_words(doc)),
        parts=[
            section(
                "assumed",
                "What is assumed, and where each input comes from",
                Words(methods.provenance(doc)),
                tables_of_results.assumptions(doc),
            )
        ],
    )


def _cases(doc: Document) -> Section:
    return section(
        "cases",
        "Scenarios and why",
        Words("Each case is one thing that nature might do; the trial is worked out for all of them."),
        tables_of_results.cases(doc),
        conduct_tables.strata(doc),
    )


def _methods(doc: Document) -> Section:
    return section(
        "method",
        "Monte Carlo methods" if doc["replicates"] is not None else "Methods of computation",
        Words("By the headings of Morris, White and Crowther (2019)."),
        parts=[
            section("aims", "Aims", Words(methods.aims(doc))),
            section("mechanisms", "Data-generating mechanisms", Words(methods.mechanisms(doc))),
            section("estimands", "Estimands", Words(methods.estimands(doc))),
            section("methods", "Methods", [Words(text, lead) for lead, text in methods.methods(doc)]),
            section("performance", "Performance measures", paragraphs(methods.performance(doc))),
        ],
    )


def _results(run: Run, doc: Document, pictures: Sequence[Picture]) -> Section:
    timed, cases = is_timed(doc), [*doc["cases"]]
    tables = [tables_of_results.operating_characteristics(doc, name) for name in cases]
    parts = [
        section(
            "changes",
            "What calendar time changes",
            paragraphs(summary.changed_words(doc)),
            conduct_tables.changes(doc),
        ),
        section("power-ledger", "Why P(go) is what it is", power_ledger.table(run.power.ledgers)),
        section("durations", "How long it takes", conduct_tables.durations(doc)),
        section("pending", "Pending patients", conduct_tables.pending(run.pictured.waiting)),
        section("by-cohort", "By dose" if from_start(doc) else "By cohort", conduct_tables.cohorts(doc)),
        section("by-case", "Case by case", tables),
        section("figures", "Figures", Pictures(tuple(pictures))),
    ]
    return section(
        "oc",
        "Results",
        Words(summary.agreement(doc), mark="warning" if doc["disagreements"] else "agreement"),
        Words(_reading(doc, timed)),
        parts=parts,
    )


def _reading(doc: Document, timed: bool) -> str:
    """How the columns of the result tables are to be read."""
    if any(case.get("at_once") for case in doc["cases"].values()):
        return (
            "In calendar time there is no exact answer, so every run also simulates the same patients in a trial that "
            "knows every outcome before the next patient, and holds that against its exact answer. The column z is "
            "the difference of those two in standard errors: it tests the engine, and says nothing about what calendar "
            "time does. The numbers in calendar time come with their Monte Carlo standard error (mcse) and interval."
            f"{_adjusted(doc)}"
        )
    if timed:
        return (
            "Simulated numbers come with their Monte Carlo standard error (mcse) and interval. There is no exact "
            "answer to hold them against."
        )
    if doc["replicates"] is None:
        return "Exact numbers need no error."
    return (
        "Exact numbers need no error. Simulated numbers come with their Monte Carlo standard error (mcse) and "
        "interval, and z is the difference between the two in standard errors."
    )


def _adjusted(doc: Document) -> str:
    """What the column of adjusted numbers is; why there is none."""
    if any_adjusted(doc):
        return (
            " The column “adjusted” corrects them by how far the trial that knows every outcome at once, simulated on "
            "the same patients, came out from its exact answer; its mcse is its own. The first page and the texts tell "
            "adjusted numbers, tables whose parts add up those that were counted."
        )
    return f" No number is adjusted: {why}." if (why := not_adjusted(doc)) else ""


def _sensitivity(doc: Document, drawn: Sequence[Drawn]) -> Section:
    """The sensitivity analyses that were worked out with the run; nothing where there are none."""
    if "sensitivity" not in doc:
        return section("sensitivity", "Sensitivity")
    pictures: dict[int, list[Picture]] = {}
    for number, each in drawn:
        if number is not None:
            pictures.setdefault(number, []).append(each)
    parts = sensitivity.sections(doc["sensitivity"], pictures)
    words = (
        "What the answers hang on. An input is named by its path in the scenario file; what an analysis does not move "
        "stays as the scenario states it."
    )
    return section("sensitivity", "Sensitivity", Words(words), parts=parts)


def _examples(doc: Document) -> Section:
    parts = [
        section(
            f"example-{k}",
            examples.title(row),
            Points(tuple(examples.events(row))),
            examples.table(doc, row, k),
        )
        for k, row in enumerate(doc["examples"], start=1)
    ]
    words = Words(examples.rule_words(doc) if parts else "")
    return section("examples", "Example trials, patient by patient", words, parts=parts)


def _appendix(doc: Document) -> Section:
    return section(
        "reproduce",
        "Appendix: scenario, versions, and how to run it again",
        Words(
            "The command below runs the copy of the scenario in this run’s folder again, with the recorded seed and "
            "replicates, and compares results.json byte by byte. FOLDER is the folder that holds this report."
        ),
        Code("trialsim reproduce FOLDER", "The command"),
        Words(
            f"{made_by(doc)[0].upper()}{made_by(doc)[1:]}. environment.json lists the versions of Python and of every "
            "package, the machine and the wall times: what may differ between runs stands there and nowhere else. "
            "Numbers are rounded here for reading; results.json has twelve significant digits, and the folder tables "
            "has every table as CSV."
        ),
        Words(f"The digest of the scenario is {doc['digest']}. {_not_here(doc)}Its text:"),
        Code(doc["scenario"].rstrip("\n"), "The scenario"),
    )


def _not_here(doc: Document) -> str:
    """What the scenario asks for beyond this report, and the command that answers it."""
    commands = {"variants": "whatif", "sensitivity": "sensitivity"}
    left = [key for key in doc["also_states"] if key not in doc]
    return "".join(
        f"Its block “{key}” is not part of this report: trialsim {commands[key]} works it out. "
        for key in left
    )
