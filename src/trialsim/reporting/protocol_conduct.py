"""How the trial runs, in a protocol's words: who is counted, cohorts, assessments, looks, and what was assumed."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.facts.conduct import Conduct
from trialsim.facts.protocol import Assumed, Facts
from trialsim.reporting import protocol_pending
from trialsim.reporting.protocol_toxicity import weeks
from trialsim.writing.numbers import count, listed, rate
from trialsim.writing.report import Block, Points, Words

BLOCKS = {
    "design": "the design",
    "dose_reduction": "the toxicity rule and its consequences",
    "dose_decision": "the dose decision",
    "evaluability": "who is evaluable",
    "cohorts": "the cohorts",
    "conduct": "conduct",
    "toxicity": "what counts as toxicity",
    "endpoint": "the endpoint",
    "doses": "the doses",
}


BESIDE = {
    "history": "what is known of the response rate of the control (history)",
    "prior": "how likely each true rate is taken to be (prior)",
}


def population(facts: Facts) -> Iterator[Block]:
    """Who is counted, and in which cohorts."""
    yield Words(" ".join(_counted(facts)))
    if facts.cohorts is not None:
        yield Words(" ".join(_cohorts(facts)))


def _counted(facts: Facts) -> Iterator[str]:
    counted = facts.counted
    withdraw = facts.conduct is not None and facts.conduct.withdrawal_per_month > 0
    if counted.probability == 1:
        yield "Every treated patient is taken to be evaluable for response."
    else:
        whoever = {
            "independent": "whether or not the patient would have responded",
            "nonresponders": "and one who is not would not have responded",
        }[counted.inevaluable or "independent"]
        yield (
            f"A treated patient is expected to be evaluable for response with probability {counted.probability:g}, "
            f"{whoever}."
        )
    if withdraw:
        yield (
            "A patient who withdraws before the first assessment is not evaluable; a response is lost by withdrawal "
            "before it counts."
        )
    if counted.replaced:
        yield (
            "Patients who are not evaluable are replaced: looks count evaluable patients, and accrual goes on until "
            "there are enough."
        )
        if facts.conduct is not None:
            yield "For accrual a patient counts as evaluable until known not to be."
    elif counted.probability == 1 and not withdraw:
        yield "Looks count treated patients."
    else:
        toxic = ", with any toxicity counted" if facts.watches_toxicity else ""
        yield (
            "A patient who is not evaluable is not replaced: looks count treated patients, this one as a "
            f"non-response{toxic}."
        )
    where = ""
    if facts.after_change is not None and facts.after_change.analysis == "restart":
        where = " at any one dose"
    elif facts.cohorts is not None and facts.cohorts.own:
        where = " in all cohorts together"
    ends = (
        "; the trial ends without a go if there are not enough evaluable ones among them"
        if counted.replaced
        else ""
    )
    yield f"At most {count(counted.max_treated, 'patient')} will be treated{where}{ends}."


def _randomised(facts: Facts, ratio: tuple[int, int]) -> Iterator[str]:
    """Two doses from the first patient on, each a cohort of its own."""
    assert facts.cohorts is not None
    higher, lower = (stratum.name for stratum in facts.cohorts.strata)
    yield (
        f"Patients are randomised {ratio[0]} : {ratio[1]} ({higher} : {lower}), each independently of the others. The "
        "patients of a dose are a cohort of their own, with looks of its own, on its own patients."
    )
    yield (
        "When a cohort has stopped or is complete, every later patient is given the other dose, until it needs no more "
        "patients either."
    )
    if facts.conduct is not None and facts.conduct.interim not in (None, "continue"):
        yield "While accrual to a cohort pauses for a look, patients who are allocated to it are turned away."


def _cohorts(facts: Facts) -> Iterator[str]:
    assert facts.cohorts is not None
    if facts.cohorts.ratio is not None:
        yield from _randomised(facts, facts.cohorts.ratio)
        return
    strata = facts.cohorts.strata
    shares = [f"{s.name} ({rate(s.share)})" for s in strata]
    yield f"Patients belong to these strata, with the shares expected of them: {listed(shares)}."
    if whence := facts.cohorts.shares_from:
        yield f"The shares are {whence}."
    if any(s.cohort != s.name for s in strata):
        names = dict.fromkeys(s.cohort for s in strata)
        members = [f"{name} (of {listed([s.name for s in strata if s.cohort == name])})" for name in names]
        yield f"They form the cohorts {listed(members)}."
    if facts.cohorts.own:
        yield (
            "Each cohort has looks of its own, on its own patients; when it stops, is complete or pauses, its "
            "patients are turned away and those of the other cohorts arrive as before."
        )
        toxicity = facts.toxicity
        shared = ["a change of dose holds for all cohorts"] if toxicity.changes_dose else []
        if toxicity.stops:
            shared.append("a stop by the toxicity boundary ends every cohort that is still open")
        if facts.cohorts.own_boundary:
            yield (
                "Each cohort also has a dose and a toxicity boundary of its own: only its own patients are counted, "
                "and a change of dose or a stop for toxicity in one cohort changes nothing in the others."
            )
        elif shared:
            yield f"The dose and its rule are shared: {listed(shared)}."
    else:
        yield "All patients enter the same looks; cohorts are reported separately, and no decision is made within one."


def conduct(facts: Facts) -> Iterator[Block]:
    """Assessments, looks and arrivals in calendar time."""
    stated = facts.conduct
    if stated is None:
        yield Words(
            "No calendar time is stated: every outcome of a patient is taken to be known before the next patient is "
            "enrolled, so that no decision waits for anything."
        )
        return
    yield Words(_assessments(stated))
    own = facts.cohorts is not None and facts.cohorts.own
    yield Words(" ".join(_looks(stated, own, _of_toxicity(facts))))
    if stated.weighing is not None:
        yield from protocol_pending.blocks(stated.weighing, facts)
    if stated.reductions is not None:
        yield Words(_reductions(stated))
    yield Words(" ".join(_planning(stated, facts.counted.probability < 1)), lead="Assumed for planning.")


def _of_toxicity(facts: Facts) -> str:
    """That looks wait for toxicities, where they do; nothing where none does."""
    each = [one.design.watches_toxicity for one in facts.designs] or [facts.design.watches_toxicity]
    if not any(each):
        return ""
    where = "" if all(each) else " where the design of the cohort has a cut-off for toxicities"
    return f", those of toxicity included{where}, whose absence is known at the end of the window"


def _assessments(stated: Conduct) -> str:
    when = [f"{week:g}" for week in stated.assessment_weeks]
    week = "week" if when == ["1"] else "weeks"
    counts = (
        "when it is confirmed at the next assessment after the one that shows it, and one first seen at the last "
        "does not count"
        if stated.confirmed
        else "when it is first seen"
    )
    return f"Response is assessed {listed(when)} {week} after the start of treatment; it counts {counts}."


def _looks(stated: Conduct, own: bool, toxic: str) -> Iterator[str]:
    where, trial = (" in the cohort", "the cohort") if own else ("", "the trial")
    if stated.interim is not None:
        closed = f"Accrual{where} pauses when the patients of an interim look are enrolled"
        yield {
            "continue": "Accrual continues while an interim look is pending; patients enrolled meanwhile do not enter "
            "that look, and count at later ones.",
            "pause": f"{closed}, until the look is decided; nobody is enrolled{where} meanwhile.",
            "early_decision": f"{closed}, until the look is decided. It is decided early, perhaps before they are all "
            "enrolled, if every possible course of the outcomes still open, those of patients not yet enrolled "
            "included, gives the same decision; a final look is never decided early.",
        }[stated.interim]
        if toxic and stated.interim == "early_decision":
            yield "A stop for futility and one for toxicity are two decisions."
    lag = stated.review_lag_weeks
    when = (
        f"{weeks(lag)} after the last outcome it needs"
        if lag
        else "as soon as the outcomes it needs are known"
    )
    looks = "A look takes" if stated.weighing is None else "A final look takes"
    yield f"{looks} the first patients in the order of enrolment, and is decided {when}{toxic}."
    if stated.overrun is not None:
        pending = (
            f"Patients enrolled while the decision that ends {trial} is pending never enter that decision"
        )
        yield {
            "count": f"{pending}, and are counted in what is reported.",
            "exclude": f"{pending}, and are left out of what is reported, of the expected number of patients too.",
        }[stated.overrun]


def _reductions(stated: Conduct) -> str:
    assert stated.reductions is not None
    rule = stated.reductions
    treated = "ends treatment"
    if rule.max_reductions:
        times = {1: "once", 2: "twice"}.get(rule.max_reductions, f"{rule.max_reductions} times")
        hold = f" after a hold of {weeks(rule.hold_weeks)}" if rule.hold_weeks else ""
        treated = (
            f"goes on at the next lower dose{hold}, at most {times}; at the next toxicity, or at the lowest dose, "
            "treatment ends"
        )
    lost = (
        f"a response is taken to be lost with a probability of {rule.exposure_weight:g} times the share of the planned "
        "dose that was not given until it would first have been seen"
        if rule.exposure_weight
        else "dose not received is taken to cost no responses"
    )
    return (
        f"A patient with toxicity {treated}. The rules of the trial count every patient once, at the dose of the "
        f"start; {lost}."
    )


def _planning(stated: Conduct, some_inevaluable: bool) -> Iterator[str]:
    yield f"{_arrivals(stated)}, at random times; {_failures(stated)}."
    seen = stated.first_seen
    if seen == (1.0,):
        yield "Every response is first seen at the first assessment."
    else:
        shares = [f"{rate(p)}" for p in seen]
        yield f"Responses are first seen at successive assessments in these shares: {listed(shares)}."
    control = f"week {stated.disease_control_week:g}"
    treatment = " and when treatment ends" if stated.reductions else ""
    yield (
        f"Without disease control (a response, or stable disease at {control}) the time to progression is exponential "
        f"with a median of {weeks(stated.progression_median_weeks)}, given that it is before that week; with disease "
        f"control such a time, without that condition, begins in that week. Progression sets only when a non-response "
        f"becomes known{treatment}."
    )
    yield _known(stated)
    if some_inevaluable:
        yield "That a patient is not evaluable is known at the first assessment."
    hazard = stated.withdrawal_per_month
    yield (
        f"Patients withdraw at a hazard of {hazard:g} a month."
        if hazard
        else "Nobody withdraws from assessments."
    )
    if stated.early_onset is not None:
        yield (
            f"{rate(stated.early_onset)} of toxicities have their onset in the first half of the window, evenly within "
            "each half."
        )
    if stated.reductions is not None and stated.reductions.max_reductions:
        yield (
            "At a lower dose a patient has toxicity again with the toxicity rate of that dose, and an onset within "
            "as long a window from the first day at it."
        )
    yield f"A month has {stated.month_days:g} days."


def _known(stated: Conduct) -> str:
    """When it is known that a patient has no response."""
    visits = stated.assessment_weeks
    if len(visits) == 1:
        return "A non-response is known at the assessment."
    missed = " or that is missed after withdrawal" if stated.withdrawal_per_month else ""
    last, which = (visits[-2], "the last but one") if stated.confirmed else (visits[-1], "the last one")
    return (
        f"A non-response is known at the first assessment that finds progression{missed}, at the latest at that of "
        f"week {last:g}, {which}."
    )


def _arrivals(stated: Conduct) -> str:
    if (sites := stated.sites) is not None:
        return (
            f"{count(sites.number, 'site')} open one after another at equal intervals, the first with the opening of "
            f"accrual and the last one interval before month {sites.over_months:g}, each screening "
            f"{_patients(sites.per_site_per_month)} a month"
        )
    if len(stated.pieces) == 1 and not stated.pieces[0].from_month:
        monthly = stated.pieces[0].per_month
        return f"{_patients(monthly)} a month {'is' if monthly == 1 else 'are'} screened"
    pieces = [f"{piece.per_month:g} a month from month {piece.from_month:g} on" for piece in stated.pieces]
    return f"Patients are screened at a rate that changes: {listed(pieces)}"


def _patients(number: float) -> str:
    return "1 patient" if number == 1 else f"{number:g} patients"


def _failures(stated: Conduct) -> str:
    failure = stated.screening_failure
    return f"{rate(failure)} of them are never treated" if failure else "all of them are treated"


def notes(facts: Facts) -> Iterator[Block]:
    """What the author of the protocol has to know of it: what is a default, assumed, or without a source."""
    if facts.conduct is not None and facts.conduct.interim_by_default:
        yield Words(
            "The scenario does not say what accrual does while an interim look is pending; the pause is the default."
        )
    if facts.assumed:
        yield Words("Assumed by this scenario:")
        yield Points(tuple(_assumed(facts, item) for item in facts.assumed))
    if facts.beside:
        yield Words(
            f"The scenario also states {listed([BESIDE[block] for block in facts.beside])}. No decision "
            "above uses that, and it is no part of the protocol; a report tells what follows from it."
        )
    if facts.unsourced:
        blocks = [_block(facts, part) for part in facts.unsourced]
        yield Words(f"Neither marked as assumed nor given a source: {listed(blocks)}.")


def _block(facts: Facts, path: str) -> str:
    block = path.partition(".")[0].partition("[")[0]
    if block == "dose_reduction" and facts.toxicity.kind == "amendment":
        return "the change of dose"
    return BLOCKS[block]


def _assumed(facts: Facts, item: Assumed) -> str:
    words = _block(facts, item.path) + (f": {item.title}" if item.title else "")
    told = [f"from {item.source}"] if item.source else []
    told += [item.note] if item.note else []
    words += f" ({'; '.join(told)})" if told else ""
    but_for = [f"{other.title} ({other.source})" for other in item.but_for]
    return f"{words}, but for {listed(but_for)}" if but_for else words
