"""A trial under way in words: what the protocol says now, who counts, what was done against it, and what is ahead."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.codes import NEVER
from trialsim.ongoing.forecast import Forecast, Spread
from trialsim.ongoing.prospects import POSTERIOR, Prospects
from trialsim.ongoing.status import Status
from trialsim.reporting import status_words as words
from trialsim.reporting.about import MADE_BY, about
from trialsim.reporting.e_words import in_short
from trialsim.reporting.pictures import undrawn
from trialsim.writing.numbers import NONE, Cell, count, mcse_cell, probability_cell, rate, rates
from trialsim.writing.report import (
    Block,
    Code,
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

MOST_CASES = 4
"""Cases in the tables of what is ahead; all are in the CSV files."""

SAME = 0.00005
"""Two probabilities that are nearer look alike in four decimals."""

WEIGHED = (
    "The chance of a go has no exact number here: what a look that weighs pending patients will see of them depends on "
    "when they come and are seen, which is simulated."
)

KNOWN_ONLY = (
    "Of the known patients alone the rate would be {known}: too low while non-responses are known sooner than "
    "responses, so it is not used."
)


def report_of(found: Status) -> Report:
    """A sheet: now, the looks, toxicity, findings and what is ahead on one side, the patients on the other."""
    sections = (_now(found), _pictures(found))
    return Report(
        found.name,
        f"Status on {found.state.on}",
        tuple(part for part in sections if not part.is_empty),
        MADE_BY,
        about=about(found.scenario),
    )


def _now(found: Status) -> Section:
    state = found.state
    doses = words.doses_given(found)
    data = f"{count(state.treated, 'patient')} enrolled by {state.on}"
    if len(doses) > 1:
        data += f": {', '.join(doses)}"
    if found.patients.extracted > state.on:
        data += f"; file of {found.patients.extracted}, rolled back"
    rows = [("Patients", data), ("Responses", words.responses_words(found))]
    if found.evidence is not None and found.evidence_test is not None and found.evidence.n:
        rows.append(
            (
                "At any moment",
                f"{in_short(found.evidence_test, found.evidence)}; all treated patients, pending as no response",
            )
        )
    if _has_boundary(found):
        for dose in state.doses:
            if dose.treated or dose.level == state.course.level:
                at = f" at {found.scenario.doses[dose.level]}" if len(state.doses) > 1 else ""
                rows.append((f"Toxicity{at}", words.boundary_words(found, dose.level)))
    for change in state.changes:
        lower = found.scenario.doses[change.level + 1]
        switch = f"; new patients get {lower} from {change.switch} on"
        if change.switch is None:
            switch = "; accrual was complete, so nothing changes"
        why = "by the toxicity rule" if change.by_boundary else "by the amendment"
        rows.append(("Dose lowered", f"called for on {change.trigger} {why}{switch}"))
    against = tuple(words.findings(found))
    return section(
        "first-page",
        "",
        Words(words.now_words(found), lead=words.lead(found), mark="box"),
        Terms(tuple(rows)),
        (Words("What was done otherwise than the protocol says:", lead="Departures."), Points(against))
        if against
        else (),
        (Code(command, "The analysis of a trial that went on past futility"),)
        if (command := words.analysis_past_futility(found))
        else (),
        _looks(found),
        parts=(_ahead(found), _queries(found)),
    )


def _looks(found: Status) -> Table:
    rows: list[Row] = [
        (
            Cell(str(look.n), look.n),
            words.rule(found.compiled.rules.looks, look.look),
            Cell(str(look.yes), look.yes),
            Cell(str(look.no), look.no),
            Cell(str(look.pending), look.pending),
            Cell(str(look.not_enrolled), look.not_enrolled),
            words.decision(look, ended=found.state.end is not None),
        )
        for look in found.state.looks
    ]
    who = "patients but those known not to be evaluable" if found.compiled.rules.replaced else "patients"
    notes = [f"A look counts the first {who}, in the order of their enrolment, whoever was known first."]
    if found.compiled.calendar.weighing.on:
        notes.append("Interim looks weigh pending patients; the rule given is that with every outcome known.")
    if found.compiled.rules.on_dose_change == 2 and found.state.course.start:
        notes.append("Looks began again at the lower dose.")
    missing = "Still to enrol" if found.state.end is None else "Not enrolled"
    heads = ("Look after", "Responses, rule", "Response", "None", "Pending", missing, "Decision")
    return Table("looks", "The looks", heads, plain(rows), tuple(notes), words=(1, 6))


def _ahead(found: Status) -> Section:
    if found.state.end is not None and not found.options["went_on_anyway"]:
        return section("ahead", "")
    ahead = found.prospects
    if ahead is None:
        return section(
            "ahead", "What is ahead", Words(f"Not worked out for this scenario: {found.no_prospects}.")
        )
    return section("ahead", "What is ahead", *_blocks(found, ahead))


def _blocks(found: Status, ahead: Prospects) -> Iterator[Block]:
    if found.state.end is not None:
        yield Words("The protocol has ended this trial. What follows is as if it went on.", mark="warning")
    weighs = found.compiled.calendar.weighing.on
    if not ahead.chances and not (weighs and (found.state.end is None or ahead.forecasts)):
        yield Words("Nothing is left to come: the last look is decided, or nobody else can be treated.")
        return
    if ahead.chances:
        yield _chances(found, ahead)
    else:
        yield Words(WEIGHED)
    if ahead.forecasts:
        yield _forecast(found, ahead)
    a, b = found.options["prior"]
    text = (
        f"Patients came at {ahead.accrual.per_month:.2f} a month (nine in ten: {ahead.accrual.quantile(0.05):.2f} to "
        f"{ahead.accrual.quantile(0.95):.2f}), counted while accrual was open. Predictive: averaged over the response "
        f"rates that the patients so far leave likely, on average {rate(round(ahead.mean_rate, 3))} (posterior of a "
        f"Beta({a:g}, {b:g}) prior). "
    )
    if abs(ahead.mean_rate - ahead.known_only) >= 0.0005:
        text += KNOWN_ONLY.format(known=rate(round(ahead.known_only, 3)))
    yield Words(text, mark="note")


def _names(found: Status) -> list[str]:
    return [POSTERIOR, *found.scenario.truth][: MOST_CASES + 1]


def _called(found: Status, name: str) -> str:
    """A row of what is ahead: the case and its response rate."""
    if name == POSTERIOR:
        return "Predictive"
    return f"{name}: response rate {rates(found.compiled.rates[name].response)}"


def _chances(found: Status, ahead: Prospects) -> Table:
    """The chance of a go now, by case: exact. A column that says the same as another is left out."""
    shown = [chance for chance in ahead.chances if chance.case in _names(found)]
    toxic = any(chance.go is not None for chance in shown)
    other = any(abs(chance.at_rate - chance.looks_alone) >= SAME for chance in shown)
    rows: list[Row] = []
    for chance in shown:
        more = [probability_cell(p) for p in (chance.go, chance.reduced, chance.toxicity)] if toxic else []
        alone = [probability_cell(round(p, 12)) for p in (chance.looks_alone, chance.at_rate)]
        rows.append((_called(found, chance.case), *more, *alone[: 1 + other]))
    heads, notes = ["If", "Go"], ["Exact."]
    if toxic:
        heads = ["If", "Go", "Dose lowered", "Toxicity stop", "Go, by the looks alone"]
        notes.append(
            "With the toxicity rule every future outcome is taken to be known before the next patient; by the looks "
            "alone toxicity is left out. For the predictive chance with the toxicity rule see the forecast."
        )
    if other:
        heads.append("Go, other convention")
        notes.append(
            "Pending patients by their follow-up; other convention: in a case every pending patient at its response "
            "rate; predictive: by the known patients alone, which is too low."
        )
    return Table("p_go", "The chance of a go from here", tuple(heads), plain(rows), (" ".join(notes),))


def _forecast(found: Status, ahead: Prospects) -> Table:
    """Dates and sizes, simulated."""
    rows: list[Row] = []
    shown = [name for name in _names(found) if name in ahead.forecasts]
    for name in shown:
        one = ahead.forecasts[name]
        rows.append(
            (
                _called(found, name),
                probability_cell(one.p_go.value),
                mcse_cell("p_go", one.p_go.mcse),
                _dates(ahead, one.next_look),
                _dates(ahead, one.end),
                _size(one),
            )
        )
    replicates = next(iter(ahead.forecasts.values())).replicates
    notes = [
        f"{replicates:,} simulated rests of the trial from this very state, in calendar time; the accrual rate is "
        f"drawn from its posterior{_toxicity_of(ahead, found)}. Medians; in brackets what four in five of them lie "
        "between; other bands are in the CSV file.",
        "The chance of a go is simulated here, with its standard error: "
        + (
            "it has the waiting and the overrun in it that the exact one above leaves out."
            if _has_boundary(found) and ahead.chances
            else "no exact one stands above."
            if not ahead.chances
            else "the exact one above is the one to quote."
        ),
        *_while_pending(found, ahead),
    ]
    heads = ("If", "Go", "Its error", "Next look", "End", "Patients in all")
    return Table("forecast", "When, and how many patients", heads, plain(rows), tuple(notes), words=(3, 4, 5))


def _toxicity_of(ahead: Prospects, found: Status) -> str:
    if POSTERIOR not in ahead.forecasts or not _has_boundary(found):
        return ""
    return f", the posterior's trials have toxicity as in case {next(iter(found.scenario.truth))}"


def _while_pending(found: Status, ahead: Prospects) -> Iterator[str]:
    treated = next(iter(ahead.forecasts.values())).while_pending
    ours = found.scenario.conduct.interim if found.scenario.conduct else ""
    parts = [
        f"{spread.mean:.1f} under {how.replace('_', ' ')}{' (as the protocol has it)' if how == ours else ''}"
        for how, spread in treated.items()
        if spread is not None
    ]
    if parts:
        yield (
            "Patients treated while the next look is awaited, beyond those it counts, on average: "
            f"{', '.join(parts)}."
        )


def _dates(ahead: Prospects, spread: Spread | None) -> Cell | str:
    if spread is None:
        return NONE
    middle, first, last = (ahead.day(days) for days in (spread.quantile[0.5], *spread.band[80]))
    return f"{middle} ({first} to {last})" if first != last else f"{middle}"


def _size(one: Forecast) -> str:
    if one.final_n is None:
        return NONE
    low, high = one.final_n.band[80]
    middle = f"{one.final_n.quantile[0.5]:.0f}"
    return f"{middle} ({low:.0f} to {high:.0f})" if low != high else middle


def _queries(found: Status) -> Section:
    asked = tuple(words.queries(found))
    return section("queries", "To ask the sites", Points(asked) if asked else ())


def _pictures(found: Status) -> Section:
    if not found.seen:
        return section("patients", "")
    state, doses = found.state, found.scenario.doses
    events = [("dose lowered: trigger", change.trigger, "triggered") for change in state.changes]
    events += [
        (f"look after {state.looks[d.look].n}: {words.said(d.decision)}", d.day, "decided")
        for d in state.course.decided
    ]
    if state.end is not None and state.ended is not None and state.ended not in {day for _, day, _ in events}:
        events.append(("the trial ended", state.ended, "decided"))
    drawn = [undrawn("patients_so_far", found.name, found.seen, state.on, doses, events)]
    if _has_boundary(found):
        rows = found.compiled.rules.monitor.act_ge
        drawn.append(undrawn("toxicity_so_far", found.name, state.doses, doses, rows))
    return section("patients", "The patients", Pictures(tuple(drawn)))


def _has_boundary(found: Status) -> bool:
    return any(b < NEVER for row in found.compiled.rules.monitor.act_ge for b in row)
