"""Toxicity in a protocol's words: what counts, the rule and its boundary, what acting means, who is analysed then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialsim.facts.conduct import Conduct
from trialsim.facts.protocol import Facts
from trialsim.facts.toxicity import DoseLevel, Step, Toxicity
from trialsim.reporting.protocol_design import numbered, of_cohorts
from trialsim.reporting.protocol_rules import one, several
from trialsim.writing.numbers import listed, probability, rate
from trialsim.writing.report import Block, Group, Row, Table, Words, beside, plain

LONG, VERY_LONG = 6, 30
"""A boundary with more steps than this is set in columns, and in four."""

STOPS_ONLY = "stop only"
"""In the boundary that lowers the dose: only the rule that stops holds there."""

AFTER_CHANGE = {
    "pooled": "After a change of dose all patients stay in the analysis, whichever dose they had, and the cut-offs do "
    "not change. A go is about the programme with its change of dose: that it works on average over the "
    "patients as they were treated. It is not about the lower dose by itself, which would need the old-dose patients "
    "left out, or a fresh trial at the new dose.",
    "new_dose_only": "After a change of dose only patients at the new dose are analysed: {dropped}no "
    "interim look follows; when the planned number is enrolled, all doses together, the "
    "decision takes the cut-off for the number of patients at the new dose, of whom there may be few. A go is then "
    "about that dose, and the type I error of the design does not bound its probability.",
    "restart": "After a change of dose a fresh trial begins at the new dose: {dropped}"
    "looks start again with the first patient there, up to the planned number; patients of "
    "earlier doses leave the analysis. A go is about the dose at which it is reached; there may be more than one "
    "attempt, so that the type I error of the design does not bound its probability.",
}
"""Who is analysed after a change of dose, and what a go is then about."""


def blocks(facts: Facts) -> Iterator[Block]:
    """Everything about toxicity and dose."""
    toxicity = facts.toxicity
    arms = facts.cohorts is not None and facts.cohorts.ratio is not None
    yield Words(" ".join([*_counts(facts), *_doses(facts, arms)]))
    for k, (cohorts, here) in enumerate(facts.by_design, start=1):
        acts = here.toxicity.has_boundary
        words = [*_rule(here), *_waits(here)] if acts else [*_no_boundary(here)]
        yield Words(" ".join(words), lead=f"{of_cohorts(cohorts)}.")
        if acts:
            yield numbered(boundary(here.toxicity, _trial(here)), k, cohorts)
        yield Words(" ".join(_actions(here)))
    if facts.designs:
        yield from _changed(facts)
        return
    if toxicity.has_boundary:
        yield Words(" ".join([*_rule(facts), *_waits(facts)]))
        yield boundary(toxicity, _trial(facts))
    else:
        yield Words(" ".join(_no_boundary(facts)))
    yield Words(" ".join(_actions(facts)))
    yield from _changed(facts)


def _changed(facts: Facts) -> Iterator[Block]:
    """What a change of dose means."""
    if facts.after_change is not None:
        yield Words(" ".join(_after_change(facts)))
        yield _cut_offs(facts.after_change.cut_offs)


def _counts(facts: Facts) -> Iterator[str]:
    toxicity, conduct = facts.toxicity, facts.conduct
    if toxicity.name:
        by = f", as determined by {toxicity.counted_by}" if toxicity.counted_by else ""
        yield f"Toxicity means {toxicity.name}{by}; it is counted among treated patients, at most once a patient."
    if conduct is not None and conduct.toxicity_weeks is not None:
        yield (
            f"A toxicity counts if its onset is within {weeks(conduct.toxicity_weeks)} of the start of treatment, on "
            "or off treatment."
        )


def _doses(facts: Facts, arms: bool) -> Iterator[str]:
    levels = facts.toxicity.levels
    doses = [level.dose for level in levels]
    if len(doses) == 1:
        yield f"There is one dose: {doses[0]}." if doses[0] != "single dose" else "There is a single dose."
    elif arms:
        yield f"There are two doses, both given from the start: {listed(doses)}."
    else:
        yield f"The dose levels are {listed(doses)}, from the starting dose to the lowest."
        if nobody := [level.dose for level in levels if not level.started]:
            whose = "no rule leads there"
            if facts.conduct is not None and facts.conduct.reductions is not None:
                whose = "such doses are only for patients whose own dose is reduced"
            yield f"Nobody starts at {listed(nobody, 'or')}: {whose}."


# -- the rule


def _rule(facts: Facts) -> Iterator[str]:
    toxicity = facts.toxicity
    at = len(toxicity.started) > 1
    if toxicity.at_limit is not None:
        limit = rate(toxicity.at_limit.rate)
    yield from several(toxicity, _trial(facts)) if toxicity.rules else one(toxicity)
    if at:
        once = (
            "At a dose the rules act once, all together" if toxicity.rules else "The rule acts once at a dose"
        )
        yield (
            "Patients of a dose are counted in the order of their enrolment, and afresh at each dose. "
            f"{once}, and only while new patients start at it."
        )
    else:
        yield "Patients are counted in the order of their enrolment."
    if facts.cohorts is not None and facts.cohorts.own_boundary:
        yield "Each cohort is counted by itself."
    elif facts.cohorts is not None:
        yield "Patients of all cohorts are counted together."
    if toxicity.at_limit is not None:
        the_dose = f"{toxicity.levels[0].dose}," if toxicity.rules and at else "a dose"
        it = "some rule acts" if toxicity.rules else "it acts"
        yield (
            f"At {the_dose} with a true toxicity rate of {limit} {it} within {toxicity.at_limit.patients} patients "
            f"with probability {probability(toxicity.at_limit.probability)}, exactly."
        )


def _waits(facts: Facts) -> Iterator[str]:
    if facts.conduct is None:
        return
    who = "Each rule" if facts.toxicity.rules else "The rule"
    if facts.conduct.toxicity_known == "complete_only":
        yield (
            f"{who} waits for complete outcomes: it acts when it is known of each of the first patients at the dose, "
            "up to the number at which the boundary is reached, whether toxicity has occurred: a toxicity is known at "
            "its onset, its absence at the end of the window."
        )
    elif facts.conduct.toxicity_known == "as_it_happens":
        yield (
            f"{who} does not wait for complete outcomes: it acts as soon as the toxicities seen among the first "
            "patients at the dose reach the boundary."
        )


def _no_boundary(facts: Facts) -> Iterator[str]:
    toxicity = facts.toxicity
    if toxicity.kind not in ("none", "amendment"):
        parts = [f"{s.key} = {listed([str(v) for v in s.values])}" for s in toxicity.settings]
        yield f"With these numbers the toxicity rule ({toxicity.kind.replace('_', ' ')}: {listed(parts)}) never acts."
    elif toxicity.kind == "amendment":
        yield (
            "No toxicity boundary is applied. An amendment lowers the starting dose; here it does not depend on what "
            "is seen."
        )
    elif facts.design.watches_toxicity:
        yield "Toxicity is watched by the looks of the design alone: it can stop the trial, and changes no dose."
    else:
        yield "There is no toxicity rule: toxicity changes neither the dose nor the course of the trial."


def _last(facts: Facts) -> str:
    """How a boundary that is reached late stands to the final decision, where time passes."""
    if facts.conduct is None:
        return ""
    waits = (
        "" if facts.design.looks[-1].toxic_ge is not None else ", which does not wait for toxicity follow-up"
    )
    return f", if it is reached before the final decision{waits}"


def _trial(facts: Facts) -> str:
    """What a stop by the boundary ends."""
    return "the cohort" if facts.cohorts is not None and facts.cohorts.own_boundary else "the trial"


def _actions(facts: Facts) -> Iterator[str]:
    levels = facts.toxicity.levels
    late = facts.conduct is not None and bool(facts.conduct.amendment_lag_weeks)
    for k, level in enumerate(facts.toxicity.started):
        lower = levels[k + 1].dose if k + 1 < len(levels) else ""
        if late and level.after_patient is not None:
            yield (
                f"The change from {level.dose} to {lower} is triggered when patient {level.after_patient} of the trial "
                "is enrolled."
            )
        elif level.after_patient is not None:
            yield (
                f"After patient {level.after_patient} of the trial new patients start at {lower} instead of "
                f"{level.dose}."
            )
        if late and level.after_month is not None:
            yield (
                f"The change from {level.dose} to {lower} is triggered at month {level.after_month:g} after the "
                "opening of accrual."
            )
        elif level.after_month is not None:
            yield (
                f"From month {level.after_month:g} after the opening of accrual on, new patients start at {lower} "
                f"instead of {level.dose}."
            )
        yield from _action(facts, level, lower)


def _action(facts: Facts, level: DoseLevel, lower: str) -> Iterator[str]:
    several, boundary = len(facts.toxicity.started) > 1, facts.toxicity.has_boundary
    trial = _trial(facts)
    lowest = ", the lowest dose," if several and not lower else ""
    at = f"at {level.dose}{lowest}" if several else ""
    decision = facts.dose_decision
    later = f"later patients start at {lower}"
    if decision is not None and decision.allocated is not None:
        later = (
            f"later patients are given {lower} or {level.dose}, as the part on which dose goes forward says"
        )
    if not level.steps:
        if boundary:
            yield f"{at[:1].upper()}{at[1:] or 'Here'} toxicity leads to no action: {trial} goes on."
    elif level.action == "reduce" and level.stop_steps:
        yield (
            f"If the boundary is reached {at}, {later}; but if by then the boundary that stops "
            f"{trial} is reached too, {trial} stops for toxicity, without a go, whatever the responses; this holds "
            f"at the last patient too{_last(facts)}."
        )
    elif level.action == "reduce":
        yield f"If the boundary is reached {at}, {later}."
    elif level.action == "stop":
        yield (
            f"If the boundary is reached{' ' if at else ''}{at} {trial} stops for toxicity, without a go, whatever "
            f"the responses; this holds at the last patient too{_last(facts)}."
        )
    else:
        yield f"The boundary{' ' if at else ''}{at} is only watched: {trial} goes on when it is reached."


def boundary(toxicity: Toxicity, trial: str = "the trial") -> Table:
    """The boundary as steps, doses with the same steps together; ``trial``: what a stop ends."""
    together: dict[tuple[Row, ...], list[str]] = {}
    words = {"reduce": "lower the dose", "stop": f"stop {trial}", "continue": "watched only"}
    for level in toxicity.started:
        if level.steps:
            does = words[level.action or "continue"]
            does += f", unless what stops {trial} is reached too" if level.stop_steps else ""
            together.setdefault(tuple(_rows(level.steps, stops=level.stop_steps)), []).append(
                f"{level.dose} ({does})"
            )
        if level.stop_steps:
            together.setdefault(tuple(_rows(level.stop_steps)), []).append(f"{level.dose} (stop {trial})")
    abreast = _abreast(max(map(len, together), default=0))
    groups = tuple(Group("; ".join(doses), tuple(beside(rows, abreast))) for rows, doses in together.items())
    first = min((level.steps[0].first for level in toxicity.started if level.steps), default=1)
    at = " at the dose" if len(toxicity.started) > 1 else ""
    notes = [f"With fewer than {first} patients{at} the rule cannot act."] if first > 1 else []
    if any(does == STOPS_ONLY for rows in together for _, does in rows):
        notes.append(f"{STOPS_ONLY[:1].upper()}{STOPS_ONLY[1:]}: whatever is reached there stops {trial}.")
    return Table(
        "boundary",
        "Toxicity boundary",
        (f"Patients{at}", "Act if toxicities") * abreast,
        groups,
        tuple(notes),
        words=tuple(range(1, 2 * abreast)),
    )


def _rows(steps: Sequence[Step], none: str = "no action", stops: Sequence[Step] = ()) -> list[Row]:
    """Steps as rows; ``stops``: where the dose is lowered, what stops: where it does all, nothing is lowered."""
    stop = {m: step.at_least for step in stops for m in range(step.first, step.last + 1)}
    runs: list[tuple[int, int, str]] = []
    for step in steps:
        acts = none if step.at_least is None else f"≥ {step.at_least}"
        if not stops:
            runs.append((step.first, step.last, acts))
            continue
        for m in range(step.first, max(step.first, step.last) + 1):
            does = STOPS_ONLY if step.at_least is not None and stop.get(m) == step.at_least else acts
            if runs and runs[-1][2] == does:
                runs[-1] = (runs[-1][0], max(runs[-1][1], m), does)
            else:
                runs.append((m, m, does))
    return [(f"{first}–{last}" if last > first else str(first), does) for first, last, does in runs]


def _abreast(steps: int) -> int:
    """In how many columns to set so many steps, for the whole to stay on one page."""
    return 1 if steps <= LONG else 3 if steps <= VERY_LONG else 4


# -- a change of dose


def _after_change(facts: Facts) -> Iterator[str]:
    assert facts.after_change is not None
    yield _lag(facts.conduct)
    yield "Once the patients of the final look are all enrolled, the dose is not changed any more."
    yield AFTER_CHANGE[facts.after_change.analysis].format(
        dropped="" if facts.conduct is None else "an interim look that is pending is dropped, and "
    )


def _lag(conduct: Conduct | None) -> str:
    if conduct is None or not conduct.amendment_lag_weeks:
        first = "; a look that is due at the patient who triggers it comes first" if conduct is None else ""
        return f"A change of dose is for new patients only, from the next one on{first}."
    meanwhile = {
        "hold": "meanwhile accrual is on hold",
        "old_dose": "patients who arrive meanwhile start at the old dose",
    }[conduct.during_amendment or "old_dose"]
    return (
        f"A change of dose is for new patients only, and takes effect {weeks(conduct.amendment_lag_weeks)} after its "
        f"trigger; {meanwhile}."
    )


def _cut_offs(steps: tuple[Step, ...]) -> Table:
    abreast = _abreast(len(steps))
    return Table(
        "attained-cut-offs",
        "Cut-offs by the number of patients at the new dose",
        ("Patients analysed", "Go if responses") * abreast,
        plain(beside(_rows(steps, "no go"), abreast)),
        ("With fewer patients than listed there is no go.",) if steps else (),
        words=tuple(range(1, 2 * abreast)),
    )


def weeks(number: float) -> str:
    """``1 week``, ``6 weeks``."""
    return "1 week" if number == 1 else f"{number:g} weeks"
