"""The running trial in words: the decision table on one page, and how likely a go is from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from trialsim.facts.protocol import facts
from trialsim.monitoring.aids import Aids, Present
from trialsim.monitoring.standing import Today
from trialsim.reporting import decision_table as words
from trialsim.reporting import protocol_conduct, protocol_pending, protocol_toxicity
from trialsim.reporting.about import MADE_BY, about
from trialsim.reporting.pictures import undrawn
from trialsim.results import digits12
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import digest
from trialsim.writing.csv import to_csv
from trialsim.writing.folder import check_file, write_file
from trialsim.writing.html import html
from trialsim.writing.numbers import NONE, Cell, count, listed, probability_cell, rate
from trialsim.writing.report import (
    Group,
    Pictures,
    Points,
    Report,
    Row,
    Section,
    Table,
    Terms,
    Words,
    plain,
    section,
)

SHEET, TABLE = ".html", ".csv"
"""What a single file is, by its suffix: the decision table as a page to print, or as rows."""

MOST_CASES = 6
"""Cases in the table of powers; all are in the CSV files."""

ORDER = "A look counts the first patients in the order of their enrolment; whoever came later is not in it."

WEIGHED = (
    "At an interim look the decisions above are those when every outcome is known. While some are pending, it is "
    "taken as follows; `trialsim status` works it out from the patients."
)

CONVENTION = "Stop stage 1 if responses ≤ r1; go if responses > r; act on toxicity if toxicities ≥ b."


def report_of(aids: Aids) -> Report:
    """Decision table, toxicity boundary, who is counted; then powers, and the trial as it stands."""
    sections = (_sheet(aids), _powers(aids))
    kept = tuple(part for part in sections if not part.is_empty)
    kind = "Decision table for the protocol"
    return Report(aids.scenario.name, kind, kept, MADE_BY, about=about(aids.made_from))


def document(aids: Aids, _texts: Sequence[str] = ()) -> dict[str, Any]:
    """The decision table as it stands in ``results.json``, with what the protocol fixes."""
    return {**aids.to_dict(), "protocol": asdict(facts(Compiled(aids.scenario, aids.rules)))}


def sheet(aids: Aids) -> Report:
    """The decision table alone: one page to print."""
    whole = report_of(aids)
    return replace(whole, sections=whole.sections[:1])


def write_file_of(aids: Aids, path: Path, *, force: bool = False) -> Path:
    """Write the decision table as a page to print (.html) or as rows (.csv)."""
    is_page = path.suffix.lower() == SHEET
    text = html(sheet(aids)) if is_page else to_csv(aids.tables()["decisions"])
    target = check_file(path, force=force)
    write_file(target, text.encode())
    return target


def _sheet(aids: Aids) -> Section:
    rows = [("Endpoint", aids.scenario.endpoint), ("Design (alone, exact)", words.design_words(aids))]
    if aids.table.cohorts:
        rows.append(("Cohorts, each by itself", ", ".join(aids.table.cohorts)))
    rows.append(("Made by", f"{MADE_BY} from scenario {digest(aids.made_from)[:19]}"))
    fixed = facts(Compiled(aids.scenario, aids.rules))
    weighing = fixed.conduct.weighing if fixed.conduct else None
    parts = (
        section("looks", "Responses: at each look", words.decisions(aids, fixed)),
        section(
            "pending",
            "While outcomes are pending",
            (Words(WEIGHED), *protocol_pending.blocks(weighing, fixed)) if weighing else (),
        ),
        section("boundary", "Toxicity: after each patient", protocol_toxicity.blocks(fixed)),
        section(
            "counted",
            "Who is counted",
            protocol_conduct.population(fixed),
            Words(ORDER),
            Words(CONVENTION, mark="convention"),
        ),
    )
    assumed = Words(words.assumed_words(aids), mark="agreement")
    said = (
        Words(today_words(aids, aids.today), lead=today_lead(aids, aids.today), mark="box")
        if aids.today
        else ()
    )
    return section("first-page", "", said, Terms(tuple(rows)), assumed, parts=parts)


def _powers(aids: Aids) -> Section:
    if not aids.counts and aids.present is None:
        return section("powers", "")
    now = aids.present
    return section(
        "powers",
        "How likely is a go from here?",
        present_table(aids, now) if now else (),
        Pictures((undrawn("conditional_power", aids),) if aids.counts else ()),
        (power(aids, n) for n in aids.looks_shown),
        Points(tuple(power_notes(aids))),
    )


def power(aids: Aids, n: int) -> Table:
    """P(go) if the trial goes on from the look after n patients, by responses so far."""
    cases = aids.cases[:MOST_CASES]
    rows: list[Row] = [
        (
            Cell(str(c.x), c.x),
            "stop" if c.decision == "futile" else c.decision,
            *(_cell(p) for p in c.at_rates.values()),
            _cell(c.at_observed),
            _cell(c.predictive),
            *(_cell(c.cases[name].p_go if name in c.cases else None) for name in cases),
        )
        for c in aids.shown(n)
    ]
    heads = ("Responses", "Table says", *rate_heads(aids), "At observed rate", "Predictive", *cases)
    return Table(
        f"power-{n}",
        f"P(go) if the trial goes on after {count(n, 'patient')}",
        heads,
        plain(rows),
        words=(1,),
    )


def _cell(p: float | None) -> Cell:
    """A probability with the digits it has in ``results.json``."""
    return probability_cell(digits12(p))


def rate_heads(aids: Aids) -> list[str]:
    """``At p0 = 5%``, ``At 10%``."""
    return [
        f"At {name}\u00a0=\u00a0{rate(p)}" if name in ("p0", "p1") else f"At {rate(p)}"
        for name, p in aids.rates.items()
    ]


def power_notes(aids: Aids) -> list[str]:
    """How the powers are to be read."""
    a, b = aids.prior
    whose = {"asked": "as asked", "design": "the prior of the design", "Jeffreys": "Jeffreys"}[
        aids.prior_from
    ]
    words = [
        "All exact. P(go) is the probability that the trial ends in a go if it goes on, by the looks that are left; "
        "where the table says stop or go, that is what going on all the same would give.",
        "At a stated rate, and at the observed one, it is the conditional power; the predictive power averages it over "
        f"the posterior of the rate, prior Beta({a:g}, {b:g}) ({whose}). Both are by the design alone: every patient "
        "counted, toxicity left out.",
    ]
    if aids.cases:
        left_out = len(aids.cases) - MOST_CASES
        more = f" {left_out} more are in the CSV files." if left_out > 0 else ""
        unstopped = (
            ", given that it does not stop the trial at the look" if aids.rules.looks.too_toxic else ""
        )
        words.append(
            "The columns of cases have everything that the case states, doses, toxicity and evaluability included, "
            f"averaged over what toxicity may have been{unstopped}.{more}{_left_out(aids)}"
        )
    elif aids.no_cases and aids.counts:
        words.append(f"There is no such answer for the cases of the scenario: {aids.no_cases}.")
    if aids.scenario.conduct is not None:
        words.append("Every outcome is taken as known before the next patient is enrolled.")
        if aids.scenario.conduct.pending != "wait":
            words.append(
                "So later interim looks, which weigh pending patients, are taken to know every outcome; what weighing "
                "them changes is in the answers of `trialsim run`."
            )
    looks = len({c.n for c in aids.counts})
    if looks > len(aids.looks_shown):
        words.append(f"{len(aids.looks_shown)} of {looks} interim looks are shown; all are in the CSV files.")
    if aids.counts:
        words.append("Counts beyond those listed are in the CSV files too.")
    return words


def today_lead(aids: Aids, today: Today) -> str:
    """What to do now, in a word or two: ``CONTINUE.``, ``ACT: lower to 70 mg.``, ``STOP for futility.``"""
    return {
        "continue": "CONTINUE.",
        "lower_dose": f"ACT: lower to {aids.scenario.doses[min(today.now.dose + 1, aids.rules.levels - 1)]}.",
        "stop_for_toxicity": "STOP for toxicity.",
        "futile": "STOP for futility." if today.now.n < aids.rules.looks.planned_n else "NO GO.",
        "go": "GO.",
        "consider": "CONSIDER.",
    }[today.does]


def today_words(aids: Aids, today: Today) -> str:
    """Where the trial stands, which boundary that is held against, and what comes next."""
    now, rules = today.now, aids.rules
    counted = "evaluable patients" if rules.replaced else "patients"
    words = f"{now.n} {counted} with {count(now.x, 'response')}"
    if rules.levels > 1 or now.toxicities is not None:
        words += f"; {now.at_dose} treated at {aids.scenario.doses[now.dose]}"
    if now.toxicities is not None:
        words += f", {now.toxicities} of them with toxicity"
    found = [f"{words}."]
    if today.boundary is not None:
        acts = "; toxicities are not stated here, and not looked at" if now.toxicities is None else ""
        found.append(f"The toxicity rule acts at {today.boundary} or more of {now.at_dose}{acts}.")
    if today.since is not None:
        found.append(f"It was met with patient {today.since} at the latest, if outcomes were known by then.")
    if today.look is not None:
        found.append(f"The look after {count(today.look, 'patient')} is due.")
    if aids.present is not None:
        found.append(f"The next look is after {count(aids.present.next_n, 'patient')}.")
    elif today.does == "lower_dose":
        found.append(
            f"For what lies ahead, ask again once patients are treated there: --dose {now.dose + 2} --at-dose M."
        )
    return " ".join(found)


def present_table(aids: Aids, present: Present) -> Table:
    """How the trial will end from now on."""
    observed = NONE if present.at_observed is None else rate(present.now.x / present.now.n)
    rows: list[Row] = [
        *((head, _cell(p)) for head, p in zip(rate_heads(aids), present.at_rates.values(), strict=True)),
        (f"At the observed rate, {observed}", _cell(present.at_observed)),
        (f"Predictive, prior Beta({aids.prior[0]:g}, {aids.prior[1]:g})", _cell(present.predictive)),
    ]
    stops = bool(present.cases) and any(case.p_stop_toxicity > 0 for case in present.cases.values())
    heads = ("", "P(go)", *(["P(stop for toxicity)"] if stops else []))
    if stops:
        rows = [(*row, NONE) for row in rows]
    groups = [Group("By the design alone, toxicity left out", rows)]
    cases: list[Row] = [
        (name, _cell(case.p_go), *([_cell(case.p_stop_toxicity)] if stops else []))
        for name, case in present.cases.items()
    ]
    if cases:
        groups.append(Group("If this case is true, doses and toxicity included", cases))
    notes = (
        (f"For the cases of the scenario there is no answer: {present.no_cases}.",)
        if present.no_cases
        else ()
    )
    return Table("now", "How the trial will end, given where it stands", heads, tuple(groups), notes)


def _left_out(aids: Aids) -> str:
    """The sentence on cases without an exact answer, where others have one."""
    found = [f"“{name}”" for name, case in aids.scenario.truth.items() if case.dated]
    return (
        f" There is none for {listed(found)}: response rates that change by date have no exact answer."
        if found
        else ""
    )
