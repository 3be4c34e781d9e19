"""What a protocol says now of a trial under way, and what was done against it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from trialsim.codes import CONSIDER, FUTILE, GO, POOLED, TOO_TOXIC
from trialsim.designs.alone import written
from trialsim.designs.rules import Looks
from trialsim.engine.traces import END_WORDS
from trialsim.ongoing.deviations import Deviation
from trialsim.ongoing.looks import Look
from trialsim.ongoing.state import CLOSED, ENROL, ON_HOLD, PAUSED, REDUCED, WAITS
from trialsim.ongoing.status import Status
from trialsim.writing.numbers import count, listed

DECISIONS = {FUTILE: "futile", GO: "go", CONSIDER: "consider", TOO_TOXIC: "stop for toxicity"}

AGAINST = {
    "enrolled_after_futile": "enrolled after the trial was stopped for futility ({since})",
    "enrolled_after_go": "enrolled after the trial had ended in a go ({since})",
    "enrolled_after_stop_toxicity": "enrolled after the trial was stopped for toxicity ({since})",
    "enrolled_after_accrual": "enrolled after the trial had ended for want of evaluable patients ({since})",
    "enrolled_after_final": "enrolled after the final decision ({since})",
    "old_dose_after_switch": "enrolled at the old dose after the lower one was due ({since})",
    "lower_dose_before_trigger": "enrolled at the lower dose before anything called for it ({since})",
    "lower_dose_before_switch": "enrolled at the lower dose before it was due ({since})",
    "lower_dose_without_trigger": "enrolled at a lower dose that nothing called for",
    "enrolled_during_hold": "enrolled while accrual was on hold (since {since})",
    "enrolled_during_pause": "enrolled while accrual was paused for a look (since {since})",
    "beyond_planned_n": "enrolled beyond the planned number (complete since {since})",
    "dose_not_of_this_level": "enrolled at a dose that was not the next one",
}
"""Code of a departure from the protocol -> what was done."""

MOST_NAMED = 12
"""Patients that a sentence names; the others are counted."""


def lead(found: Status) -> str:
    """What to do now, in a few words."""
    now, dose = found.state.now, found.scenario.doses
    match now.says:
        case "closed":
            return f"CLOSED: {END_WORDS[found.state.end or 0]}."
        case "reduced":
            return f"ENROL at {dose[now.level]}; from {now.day} on at {dose[now.level + 1]}."
        case "on_hold":
            return f"ON HOLD until {now.day}; then at {dose[now.level + 1]}."
        case "paused":
            return "PAUSED: enrol nobody."
        case "waits":
            return "ACCRUAL IS COMPLETE."
    at = f" at {dose[now.level]}" if len(dose) > 1 else ""
    return f"ENROL the next patient{at}."


def now_words(found: Status) -> str:
    """Why, and what is waited for."""
    state, now = found.state, found.state.now
    look = state.looks[now.look]
    words = {
        CLOSED: f"Decided on {now.day}.{_pending_after_the_end(found)}",
        REDUCED: f"The lower dose was called for on {state.changes[-1].trigger}." if state.changes else "",
        ON_HOLD: f"The lower dose was called for on {state.changes[-1].trigger}." if state.changes else "",
        PAUSED: _awaited(look, now.waits_for),
        WAITS: _awaited(look, now.waits_for),
        ENROL: _next_look(look, now.waits_for),
    }[now.says]
    return " ".join(filter(None, [words, certain_words(found), _unsettled(found)]))


def _pending_after_the_end(found: Status) -> str:
    """Outcomes that are still to come once a trial has ended, and what they can do."""
    awaited = [p.id for p in found.seen if p.responded is None and not p.inevaluable]
    if not awaited:
        return ""
    be, they = ("is", "it does") if len(awaited) == 1 else ("are", "they do")
    return f" {count(len(awaited), 'outcome')} {be} pending ({named(awaited)}); {they} not reverse the end."


def _unsettled(found: Status) -> str:
    if not found.state.course.unsettled:
        return ""
    return (
        "The toxicity rule acted when all places were taken if nobody pending turns out not to be evaluable; "
        "it is taken to have acted with places left."
    )


def _awaited(look: Look, waits_for: Sequence[str]) -> str:
    by = f", by {look.latest} at the latest" if look.latest else ""
    outcomes = f"{count(len(waits_for), 'outcome')} ({named(waits_for)})"
    if look.may_pend is not None:
        if look.pending <= look.may_pend:
            return f"The look after {count(look.n, 'patient')} is due; it weighs the {outcomes} pending."
        return (
            f"The look after {count(look.n, 'patient')} is taken when no more than {look.may_pend} of its outcomes are "
            f"pending, now {outcomes}{by}."
        )
    return f"The look after {count(look.n, 'patient')} waits for {outcomes}{by}."


def _next_look(look: Look, waits_for: Sequence[str]) -> str:
    if not look.not_enrolled:
        return _awaited(look, waits_for)
    waiting = f", {len(waits_for)} of those enrolled pending" if waits_for else ""
    return (
        f"The next look is after {count(look.n, 'patient')}: {look.not_enrolled} not enrolled yet{waiting}."
    )


def certain_words(found: Status) -> str:
    """What is certain whatever the pending patients bring."""
    state = found.state
    if state.end is not None:
        return ""
    look = state.looks[state.now.look]
    if state.go_certain:
        rest = (
            ", which only a stop for toxicity can still overrule"
            if found.compiled.rules.monitor.may_stop
            else ""
        )
        return f"A go is certain whatever the pending outcomes bring{rest}; it is decided when the last look is due."
    if state.no_go_certain:
        return "A go is out of reach whatever the pending outcomes bring."
    if look.certain is not None and look.decided is None and look.pending:
        what = "to go on" if look.certain >= 0 else DECISIONS[look.certain]
        return f"The look after {look.n} can only say {what}, whatever the pending outcomes bring."
    return ""


def named(ids: Sequence[str]) -> str:
    """Patients by their ids, at most a few."""
    shown = list(ids[:MOST_NAMED])
    more = len(ids) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def findings(found: Status) -> Iterator[str]:
    """What was done against the protocol: a sentence a kind, with the patients."""

    def same(deviation: Deviation) -> tuple[str, str]:
        return deviation.code, str(deviation.since)

    kinds = sorted(found.state.deviations, key=same)
    for _, group in groupby(kinds, same):
        alike = list(group)
        what = AGAINST[alike[0].code].format(since=alike[0].since)
        yield f"{count(len(alike), 'patient')} {what}: {named([each.id for each in alike])}."
    if found.state.past_futility and any(d.code == "enrolled_after_futile" for d in found.state.deviations):
        n = len(found.state.past_futility)
        yield (
            f"The trial went on past a futility stop: only the analysis of the first {n} patients, on whom the stop "
            "was decided, keeps the error rates of the design. Later responses do not reopen it."
            + (f" {_of_the_others(found)}" if analysis_past_futility(found) else "")
        )


def _of_the_others(found: Status) -> str:
    pending = found.state.pending
    when = f", once nothing is pending (now {pending}; R: all responses by then)" if pending else ""
    return f"What can be said of all its patients{when}, the command below works out."


def analysis_past_futility(found: Status) -> str:
    """The command that analyses a trial that went on past its futility stop; "" where there is none."""
    state, rules = found.state, found.compiled.rules
    design = written(rules.looks)
    if not state.past_futility or set("?(") & set(design) or rules.on_dose_change != POOLED:
        return ""
    look = state.looks[state.course.look]
    n = state.treated - (state.inevaluable if rules.replaced else 0)
    responses = "R" if state.pending else str(state.yes)
    rates = (getattr(found.scenario.design, name, None) for name in ("p0", "p1"))
    against = "".join(
        f" --{name} {p:g}" for name, p in zip(("p0", "p1"), rates, strict=True) if p is not None
    )
    return (
        f'trialsim analyse --went-on-past-futility --design "{design}" --stage1 {look.yes} --stage1-n {look.n} '
        f"--responses {responses} --n {n}{against}"
    )


def said(decision: int) -> str:
    """A decision of a look in a word or two."""
    return "goes on" if decision >= 0 else DECISIONS[decision]


def rule(looks: Looks, k: int) -> str:
    """What each number of responses leads to at a look: ``≤ 1 futile, ≥ 2 goes on``."""
    n, parts = looks.n[k], []
    for low, high, what in looks.ranges(k):
        counts = f"≤ {high}" if low == 0 else f"≥ {low}" if high == n else f"{low}–{high}"
        parts.append(f"{counts} {said(what)}")
    return ", ".join(parts)


def decision(look: Look, *, ended: bool) -> str:
    """What a look has decided, or is waiting for; nothing is decided any more once the trial has ended."""
    if look.decided is not None:
        return f"{said(look.decided)}, {look.day}"
    if ended:
        return "none: the trial had ended"
    parts = []
    if look.certain is not None:
        parts.append(f"certain: {said(look.certain)}")
    if look.not_enrolled:
        parts.append(f"{look.not_enrolled} still to enrol")
    elif look.may_pend is not None and look.waits_for:
        parts.append(f"{look.pending} pending, {look.may_pend} may be")
    elif look.waits_for:
        parts.append(f"waits for {named(look.waits_for)}")
    return "; ".join(parts) or "due"


def queries(found: Status) -> Iterator[str]:
    """What to ask the sites: outcomes that are overdue, and what in the file deserves a look."""
    late = [p.id for p in found.seen if p.response_overdue]
    if late:
        yield f"Response overdue, past the last visit: {named(late)}."
    late = [p.id for p in found.seen if p.toxicity_overdue]
    if late:
        yield f"Toxicity overdue, past the end of the window: {named(late)}."
    shown = [f for f in found.patients.warnings if "overdue" not in f.code]
    for fault in shown[:MOST_NAMED]:
        yield f"Row {fault.row}: {fault.message}"
    if len(shown) > MOST_NAMED:
        yield f"{len(shown) - MOST_NAMED} more are in the results."


def boundary_words(found: Status, level: int) -> str:
    """Toxicities at a dose against the boundary there, now and with the next patient."""
    dose = found.state.doses[level]
    row = found.compiled.rules.monitor.act_ge[level]
    pending = f", {dose.pending} pending" if dose.pending else ""
    words = [f"{dose.yes} of {count(dose.treated, 'patient')}{pending}"]
    crossed = dose.as_it_happens or dose.complete_only
    if crossed:
        reached = dose.path[crossed.m - 1]
        words.append(f"the boundary is reached, with {reached} among the first {crossed.m} at this dose")
        if dose.certain_by:
            words.append(f"complete by {dose.certain_by} at the latest")
    else:
        bounds = {m: row[m] for m in (dose.treated, dose.treated + 1) if 0 < m < len(row) and row[m] <= m}
        if bounds:
            words.append(f"the rule acts at {listed([f'{b} of {m}' for m, b in bounds.items()], 'or')}")
        if dose.least_m is None and dose.treated:
            words.append("out of reach for those enrolled")
    return "; ".join(words)


def doses_given(found: Status) -> list[str]:
    """Patients by dose."""
    return [
        f"{dose.treated} at {found.scenario.doses[dose.level]}" for dose in found.state.doses if dose.treated
    ]


def responses_words(found: Status) -> str:
    """Responses so far."""
    state = found.state
    parts = [count(state.yes, "response"), f"{state.no} without", f"{state.pending} pending"]
    if state.unconfirmed:
        parts[-1] += f" ({state.unconfirmed} seen and not confirmed)"
    if state.inevaluable:
        parts.append(f"{state.inevaluable} not evaluable")
    return listed(parts)
