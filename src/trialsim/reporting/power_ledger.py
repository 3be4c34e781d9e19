"""The power ledger in words: a sentence that relates its numbers, and a table."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

from trialsim.engine.power_ledger import PowerLedger, Reason, Step
from trialsim.reporting.sentences import drift_words
from trialsim.scenario.drift import DatedDrift
from trialsim.scenario.model import Case, Scenario
from trialsim.writing.numbers import (
    NONE,
    Cell,
    difference_cell,
    listed,
    mcse_cell,
    probability,
    probability_cell,
    rate,
)
from trialsim.writing.report import Group, Table

ROUNDED = 0.00005
"""A change that is smaller is not seen in four decimals."""

SAME_PATIENTS = (
    "Change: between the two numbers that are shown, of which one may be exact. On the same patients: both trials "
    "simulated, so that chance cancels; this is what a step does."
)
"""How two differences of a simulated number are told apart."""

_REASONS = {
    "nonresponders_replaced": "patients who cannot be evaluated would not have responded, so that replacing them "
    "selects responders",
    "decisions_not_monotone": "under this table of decisions more responses can cost the go",
    "fresh_start": "looks begin again at the lower dose, a second chance of a go",
    "new_dose_only": "after a dose change no interim look can end the trial, and the verdict has a cut-off of its own",
    "response_grows": "the response rate grows during the trial",
    "response_rises": "response is more likely at a lower dose",
    "fewer_toxicity_stops": "fewer stop for toxicity while outcomes are awaited",
    "more_at_starting_dose": "more patients are treated at the starting dose, where response is more likely",
    "later_decisions": "decisions come later than they would with every outcome known at once",
}


def sentence(scenario: Scenario, ledger: PowerLedger, before: PowerLedger | None = None) -> str:
    """How P(go) of a case gets from the design by itself to the trial as it runs; steps that change nothing are left
    out. ``before``: the ledger of another cohort that was told just before; its words are not said again."""
    words, steps = _words(scenario, ledger)
    if before is not None:
        earlier, _ = _words(scenario, before)
        alike = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(words, earlier, strict=False))))
        if alike == len(words):
            words = ["the same"]
        elif alike and (reached := steps[alike - 1].p_go) is not None:
            words = [f"the same down to {probability(reached)}", *words[alike:]]
    return f"{named(ledger)}: {'; '.join(words)}."


def _words(scenario: Scenario, ledger: PowerLedger) -> tuple[list[str], list[Step]]:
    """What is said of each step that changes something, and these steps."""
    if scenario.designs:
        scenario = scenario.model_copy(update={"design": scenario.designs[ledger.cohort]})
    first, *rest = ledger.steps
    more = [step for step in rest if step.change is None or step.change_mcse or abs(step.change) >= ROUNDED]
    p, case = ledger.response, scenario.truth[ledger.case]
    rates = {scenario.design.p0: "type I error", scenario.design.p1: "power"}
    has = "have" if ledger.watched else "has"
    words = [
        f"{ledger.label(first)} {has} a {rates.get(p, 'P(go)')} of {probability(first.p_go)} "
        f"at a response rate of {rate(p)} (everybody evaluable, no toxicity{', no drift' if case.change else ''})"
    ]
    words += [_told(scenario, case, step) for step in more]
    if not more:
        words.append("nothing in this scenario changes that")
    elif scenario.conduct is None:
        words[-1] += ", which is the trial as it runs, without calendar time"
    return words, [first, *more]


def named(ledger: PowerLedger) -> str:
    """The case, and the cohort where each has rules of its own."""
    return f"{ledger.case}, {ledger.cohort}" if ledger.cohort else ledger.case


def _told(scenario: Scenario, case: Case, step: Step) -> str:
    """``0.8460 (−0.0092) when ...``, and why where it is more than before."""
    when = _when(scenario, case, step.step)
    if step.p_go is None or step.change is None:
        return f"not simulated {when}"
    words = f"{probability(step.p_go)} ({_effect(step)}) {when}"
    if not step.reasons:
        return words
    if step.reasons[0].what == "within_error":
        return f"{words}, within simulation error"
    return f"{words}: higher, because {listed([_why(reason) for reason in step.reasons])}"


def _effect(step: Step) -> str:
    """``−0.0092``; of simulated trials on the same patients, and what chance adds to the numbers that are shown."""
    effect, error = step.effect or 0.0, step.effect_mcse
    words = difference_cell("p_go", effect).text
    if step.same_patients is None:
        return words if error is None else f"{words}, standard error {mcse_cell('p_go', error).text}"
    words = (
        f"{words} on the same patients, standard error {mcse_cell('p_go', error).text}"
        if effect or error
        else "no change on the same patients"
    )
    if step.chance is None or abs(step.chance) < ROUNDED:
        return words
    return f"{words}; {difference_cell('p_go', step.chance).text} is chance"


def _why(reason: Reason) -> str:
    words = _REASONS[reason.what]
    if reason.before is None or reason.after is None:
        return words
    of_patients = reason.what == "more_at_starting_dose"
    before, after = (f"{x:.1f}" if of_patients else probability(x) for x in (reason.before, reason.after))
    return f"{words} ({after}, not {before})"


def _when(scenario: Scenario, case: Case, step: str) -> str:
    """What a step adds, as it is in this scenario."""
    evaluability, conduct = scenario.evaluability, scenario.conduct
    if step == "evaluability":
        withdraw = conduct is not None and conduct.withdrawal_per_month > 0
        share = 1 - evaluability.probability
        if not share:
            who = "patients who withdraw"
        else:
            who = f"the {rate(share)} not evaluable" + (", and those who withdraw," if withdraw else "")
        # a responder who withdraws before the confirmation is evaluable, and is not replaced
        return f"when {who} {'are replaced' if evaluability.replaced else 'count as non-responders'}"
    if step == "toxicity_stop":
        looks = getattr(scenario.design, "watches_toxicity", False)
        block = scenario.dose_reduction
        ends = block is not None and block.may_stop
        which = ["looks"] * bool(looks) + ["the toxicity rule"] * ends
        return f"when {listed(which)} can stop the trial"
    if step == "dose_change":
        return {
            "pooled": "with the response rate of each dose, all patients pooled",
            "new_dose_only": "when, after a dose change, only the patients at the new dose are analysed",
            "restart": "when, after a dose change, the trial begins again at the new dose",
        }[scenario.on_dose_change]
    if step == "drift":
        return f"when {_drift(case)}"
    weighed = conduct is not None and conduct.pending != "wait"
    looks = ", with looks that weigh pending patients" if weighed else ""
    happens = [_drift(case)] if case.dated else []
    reductions = conduct.patient_reductions if conduct is not None else None
    if reductions is not None and reductions.exposure_weight:
        happens.append("responses are lost with dose not received")
    return f"in calendar time{looks}{f', in which {listed(happens)}' if happens else ''}"


def _drift(case: Case) -> str:
    months = case.drift.months if isinstance(case.drift, DatedDrift) else None
    return f"the response rate {drift_words(case.change, months)}"


def table(ledgers: Iterable[PowerLedger]) -> Table:
    """Every step of every case: P(go) and its change, each exact or with its error."""
    found = list(ledgers)
    groups = [
        Group(named(ledger), tuple(_row(step, ledger.label(step)) for step in ledger.steps))
        for ledger in found
    ]
    return Table(
        "power_ledger",
        "From the design by itself to the trial as it runs: P(go) step by step",
        ("With", "P(go)", "mcse", "Change", "mcse of the change", "On the same patients", "mcse of this"),
        tuple(groups),
        (
            "Each step keeps those above it. The last is the trial as it runs; up to calendar time every outcome is "
            "known before the next patient.",
            *(
                (SAME_PATIENTS,)
                if any(s.same_patients is not None for each in found for s in each.steps)
                else ()
            ),
        ),
    )


def _row(step: Step, label: str) -> tuple[Cell, ...]:
    exact = Cell(NONE if step.p_go is None else "exact")
    changed = exact if step.change is not None else Cell(NONE)
    return (
        Cell(label),
        probability_cell(step.p_go),
        exact if step.mcse is None else mcse_cell("p_go", step.mcse),
        difference_cell("p_go", step.change),
        changed if step.change_mcse is None else mcse_cell("p_go", step.change_mcse),
        difference_cell("p_go", step.effect),
        changed if step.effect_mcse is None else mcse_cell("p_go", step.effect_mcse),
    )
