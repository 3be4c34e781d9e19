"""Evidence at any moment in words: what it decides, limits, when it rejects, its price, and what is allowed when."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.inference.anytime import UNIFORM, Anytime, Parts
from trialsim.monitoring.evidence import Conduct, Evidence
from trialsim.reporting.about import MADE_BY
from trialsim.reporting.e_words import process_words
from trialsim.writing.numbers import (
    NONE,
    Cell,
    chance,
    count,
    fixed,
    listed,
    p_value,
    percent,
    probability_cell,
    rate,
    times,
)
from trialsim.writing.report import Group, Points, Report, Row, Table, Words, plain, section

ALLOWED = (
    ("the looks were those planned", "the planned test (trialsim analyse)"),
    (
        "sizes changed, for reasons that are not the responses",
        "the analysis at the sizes attained (trialsim analyse); or the e-value",
    ),
    (
        "the rest is changed because of responses, and every look so far was a planned one",
        "the conditional error (trialsim redesign), named before the rest; or the e-value",
    ),
    (
        "looks that nobody planned, a trial extended or ended by what was seen, patients beyond the last look, the "
        "best moment chosen afterwards",
        "the e-value",
    ),
    (
        "patients counted by when they are known",
        "the e-value in enrolment order, every pending outcome as no response",
    ),
    (
        "patients who cannot be evaluated are replaced",
        "the e-value of all treated patients, those as no response",
    ),
    (
        "cohorts, each with its own rule",
        "each cohort’s e-value for that cohort; for “any cohort” the mean of their e-values",
    ),
    (
        "a fresh test at a new dose",
        "the e-value begun anew at the switch, for the new dose; for “either dose” the mean of the two",
    ),
)
"""What happened in the trial, and which analysis keeps its type I error (docs/pooled-test.md)."""


def report_of(found: Evidence) -> Report:
    """What is decided, then the tables."""
    answer = section(
        "answer",
        "",
        Words(_answer(found), "Answer."),
        Words(_limits(found, found.now)) if found.now else (),
        Words(_planned(found)),
        Words(" ".join(_next(found)), mark="note"),
        _now(found),
        _parts(found),
        _boundary(found),
        _price(found),
        Words(" ".join(_notes(found)), mark="note"),
    )
    allowed = section(
        "allowed",
        "Which analysis is allowed",
        Table(
            "allowed",
            "What happened, and what keeps the type I error then",
            ("If", "type I error is kept by"),
            plain(ALLOWED),
            words=(1,),
        ),
        Points(
            (
                "Nothing here mends a p0 that is wrong, an outcome that is missing because of what it was, or a "
                "response that was defined anew.",
            )
        ),
        folded=True,
    )
    return Report(f"Evidence beside {found.design}", "Evidence at any moment", (answer, allowed), MADE_BY)


def _answer(found: Evidence) -> str:
    if found.now is not None:
        return _decision(found, found.now)
    return _before(found) if found.parts is None else _together(found, found.parts)


def _together(found: Evidence, parts: Parts) -> str:
    """What is rejected for all parts together, and for which of them by itself."""
    p0 = rate(float(found.test.p0))
    names = [part.name for part in parts.parts if part.claimed]
    verdict = "is rejected" if parts.rejected else "is not rejected"
    level, alone = _level(found), listed(names) if names else "none of them"
    return (
        f"The mean of the e-values is {times(parts.mean)}, and {level} rejects: that p ≤ {p0} in every one of "
        f"{listed([part.name for part in parts.parts])} {verdict}. By itself it is rejected for {alone}; the "
        f"probability of any false claim is at most {float(found.test.alpha):g}, at any moment."
    )


def _level(found: Evidence) -> str:
    return times(float(found.test.level))


def _before(found: Evidence) -> str:
    planned, ratio, *_ = found.conducts
    p0 = rate(float(found.test.p0))
    words = (
        f"p ≤ {p0} may be rejected after any patient at whom the e-value "
        f"({process_words(found.test, found.test.decides)}) is {_level(found)} or more: the probability that it ever "
        f"is, is at most {float(found.test.alpha):g} at p0, whatever makes the trial look, stop or go on. With "
        f"{count(found.n, 'patient')} at most and a look after each, P(reject) is {chance(ratio.p_reject['p0'])} at p0 "
        f"and {chance(ratio.p_reject['p1'])} at p1; P(go) of the planned design is {chance(planned.p_reject['p0'])} "
        f"and {chance(planned.p_reject['p1'])}."
    )
    if ratio.n_for_power is not None:
        words += f" With {ratio.n_for_power} patients at most it has the power of the planned design."
    return words


def _decision(found: Evidence, now: Anytime) -> str:
    so_far = f"{count(now.x, 'response')} among {count(now.n, 'patient')}"
    if now.pending:
        so_far += f" ({count(now.pending, 'outcome')} pending, taken as no response)"
    value, p0 = times(now.e_values[found.test.decides]), rate(float(found.test.p0))
    words = f"{so_far}: the e-value ({process_words(found.test, found.test.decides)}) is {value}"
    if now.rejected_at is None:
        words += f", and {_level(found)} rejects p ≤ {p0}: not rejected"
        if now.by_path:
            words += f"; the largest so far was {times(now.largest)}"
        return f"{words}. {_reach(found, now)}"
    if now.by_path and now.rejected_at < now.n:
        return f"{words}. It reached {_level(found)} with patient {now.rejected_at}: p ≤ {p0} is rejected, for good."
    return f"{words}, at least {_level(found)}: p ≤ {p0} is rejected."


def _reach(found: Evidence, now: Anytime) -> str:
    """How far it is to a rejection."""
    if now.n > found.n:
        return ""
    at = found.bounds[found.test.decides].reject[now.n - 1]
    return f"After {now.n} patients {at} or more reject." if at <= now.n else f"No count of {now.n} rejects."


def _limits(found: Evidence, now: Anytime) -> str:
    level = f"{100 * (1 - float(found.test.alpha)):g}%"
    kept = "all limits so far kept to" if now.by_path else f"from these {now.n} patients alone"
    one = percent(now.lower[found.test.decides])
    words = f"One-sided {level} lower limit of the response rate, good at any moment ({kept}): {one}."
    if now.low > now.high:
        return (
            f"{words} The two-sided limits have crossed: a probability of at most {float(found.test.alpha):g} if every "
            "patient has the same rate; look for a change of patients."
        )
    p1 = found.test.p1
    if p1 is not None and found.test.decides == "ratio" and now.low > now.lower["ratio"]:
        words += f" The likelihood ratio of p1 gives no lower limit above p1 = {rate(float(p1))}."
    return f"{words} Two-sided: {percent(now.low)} to {percent(now.high)} (mixture over all rates)."


def _planned(found: Evidence) -> str:
    if found.now is None or found.planned_e is None:
        return ""
    passed = "" if found.now.by_path else ", the looks before taken as passed"
    return (
        f"The e-value of the planned design {found.design} is {times(found.planned_e)}: P(go) at p0 from here{passed}, "
        "over its type I error. It can decide in place of the other, if that was written down beforehand."
    )


def _next(found: Evidence) -> Iterator[str]:
    """What follows for the conduct of the trial."""
    now = found.now
    if now is None:
        return
    if not now.by_path:
        yield (
            f"An earlier crossing cannot be seen in counts: with every outcome in enrolment order (--outcomes) the "
            f"e-value rejects if it ever was {_level(found)}, and limits are kept."
        )
    if now.rejected_at is None:
        yield (
            "The trial may go on, be extended or end here, for whatever reason, and the e-value may be looked at "
            "again: neither needs a correction."
        )


def _now(found: Evidence) -> Table:
    now = found.now
    if now is None:
        return Table("now", "", (), ())
    rows: list[Row] = [
        (
            _first(process_words(found.test, name)),
            Cell(times(value), value),
            Cell(percent(now.lower[name]), now.lower[name]),
            "decides" if name == found.test.decides else "",
        )
        for name, value in now.e_values.items()
    ]
    return Table(
        "now",
        f"The evidence so far; p-value good at any moment: {p_value(now.p_value, 4)}",
        ("", "e-value", "Lower limit", ""),
        plain(rows),
        words=(3,),
    )


def _parts(found: Evidence) -> Table:
    rows: list[Row] = [
        (
            part.name,
            Cell(str(part.n), part.n),
            Cell(str(part.x), part.x),
            Cell(times(part.e_value), part.e_value),
            Cell(percent(part.lower), part.lower),
            "rejected" if part.claimed else "not rejected",
        )
        for part in (found.parts.parts if found.parts else ())
    ]
    caption = (
        f"Each part by itself ({process_words(found.test, found.test.decides)}); it is rejected where the mean over "
        f"every set of parts that has it is {_level(found)} or more. A lower limit is that of one part alone"
    )
    heads = ("", "Patients", "Responses", "e-value", "Lower limit", f"p ≤ {rate(float(found.test.p0))}")
    return Table("parts", caption, heads, plain(rows), words=(5,))


def _boundary(found: Evidence) -> Table:
    groups = []
    for name, bounds in found.bounds.items():
        rows: list[Row] = [
            (
                f"{first}" if first == last else f"{first}–{last}",
                Cell(f"≥ {reject}", reject) if reject <= last else NONE,
                Cell(f"≤ {stop}", stop) if stop >= 0 else NONE,
            )
            for first, last, reject, stop in bounds.runs()
        ]
        groups.append(Group(_first(process_words(found.test, name)), rows))
    return Table(
        "boundary",
        f"Responses after n patients that reject, and those with which the trial may stop for want of evidence "
        f"(e-value ≤ {found.futility:g})",
        ("Patients", "Reject", "May stop"),
        tuple(groups),
    )


def _price(found: Evidence) -> Table:
    names = list(found.rates)
    heads = [f"P(reject) at {rate(found.rates[name])}" for name in names]
    heads += [f"Mean patients at {rate(found.rates[name])}" for name in names]
    return Table(
        "price",
        "What the freedom costs: exact, a look after every patient, outcomes known at once",
        ("", "Patients ≤", *heads, "Patients for the planned power"),
        plain(_price_row(found, each, names) for each in found.conducts),
    )


def _price_row(found: Evidence, each: Conduct, names: list[str]) -> Row:
    title = f"Planned, {found.design}" if each.rule == "planned" else _first(each.rule)
    if each.futility is not None:
        title += f", stop at ≤ {each.futility:g}"
    enough = each.n_for_power
    return (
        title,
        Cell(str(each.n), each.n),
        *(probability_cell(each.p_reject[name]) for name in names),
        *(Cell(fixed(each.en[name], 2), each.en[name]) for name in names),
        NONE if enough is None else Cell(str(enough), enough),
    )


def _notes(found: Evidence) -> Iterator[str]:
    yield (
        "Exact. Patients are counted in enrolment order, all who were treated; pending and inevaluable ones as no "
        "response. It holds if each patient responds with a probability of at most p0 given all before, whatever the "
        "dose. Which e-value decides is written down before the first look. The stop for want of evidence is "
        "non-binding: with or without it the type I error is kept."
    )
    if found.now is not None:
        yield "Two-sided limits hold if every patient has the same rate."
    if found.test.prior != UNIFORM:
        yield "Limits by the mixture are by Beta(1, 1), whatever the prior of the e-value."


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
