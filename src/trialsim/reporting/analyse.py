"""The final analysis as a report: the decision, one estimate, interval and p-value, harms; all others behind them."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.designs.rules import Looks, cut_offs
from trialsim.inference.analysis import AnalysisPlan, PatientsAnalysis
from trialsim.inference.design_text import design_words
from trialsim.inference.harms import HARM_WORDS
from trialsim.inference.observed import EVALUABLE, TREATED, Analyses
from trialsim.reporting.about import MADE_BY, about
from trialsim.reporting.analyse_tables import appendix, by_dose, capital, characteristics_table, level_of
from trialsim.reporting.e_words import in_short
from trialsim.reporting.past_futility import past_futility
from trialsim.reporting.pictures import undrawn
from trialsim.reporting.two_questions import two_questions
from trialsim.writing.numbers import Cell, count, listed, p_value, percent, rate
from trialsim.writing.report import (
    Pictures,
    Points,
    Report,
    Row,
    Section,
    Table,
    Words,
    in_quotes,
    plain,
    section,
)

ESTIMATES = {
    "mle": "observed proportion",
    "bias_adjusted": "bias-adjusted estimate (Whitehead 1986)",
    "bias_subtracted": "observed proportion less its bias",
    "umvue": "unbiased estimate of least variance (UMVUE, Jung and Kim 2004)",
    "umvcue": "conditionally unbiased estimate (UMVCUE, Pepe et al. 2009)",
    "conditional": "conditional maximum likelihood estimate",
    "median_unbiased": "median unbiased estimate (stagewise ordering, Koyama and Chen 2008)",
}
INTERVALS = {
    "stagewise": "exact, stagewise ordering: Tsiatis, Rosner and Mehta 1984",
    "stagewise_mid_p": "mid-p, stagewise ordering",
    "mle_ordering": "exact, ordered by the observed proportion",
    "clopper_pearson": "Clopper-Pearson, as if the number of patients had been fixed",
    "koyama_chen": "as published by Koyama and Chen 2008",
    "koyama_chen_coded": "as Koyama and Chen’s program has it, on a grid of .0001",
}
ORDERINGS = {
    "stagewise": "stagewise ordering",
    "mle": "ordered by the observed proportion",
    "umvue": "ordered by the UMVUE",
}
"""The methods as a sentence names them."""

TWICE = "; twice the smaller tail, at most 1"

OTHERS = (
    "All other estimates, p-values and intervals, each with its coverage, stand in the appendix (-o FOLDER, "
    "--markdown) and in --json."
)


def report_of(found: Analyses) -> Report:
    """The analysis as a report; the first set of patients is the primary one."""
    behind = [appendix(each, k) for k, each in enumerate(found.sets, start=1)]
    return _report(found, *behind, section("by-dose", "Responses by dose", by_dose(found), folded=True))


def in_brief(found: Analyses) -> Report:
    """The same for a terminal, which leaves out what is folded: it need not be worked out."""
    return _report(found)


def _report(found: Analyses, *folded: Section) -> Report:
    primary, scenario = found.sets[0], found.scenario
    first = section(
        "first-page",
        "",
        Words(decision(primary, found.assumed), lead="Decision.", mark="convention"),
        Words(quote(found), lead="To quote."),
        primary_table(primary),
        harms(found),
        Words(unreported(found), mark="note"),
        Pictures((undrawn("analysis", primary, assumed=found.assumed),)),
    )
    sections: list[Section] = [
        first,
        section(
            "two-questions",
            "The test and the check",
            # a design by itself has no cases, and so no check
            Words(two_questions(found.questions, assumed=found.assumed)) if scenario else (),
        ),
        section("past-futility", "After the stop", past_futility(found)),
        section(
            "notes", "How it was analysed", Points((*map(in_quotes, found.notes), *_anytime(primary), OTHERS))
        ),
        section(
            "characteristics",
            "What the methods do under this design",
            characteristics_table(found.characteristics) if found.characteristics else (),
        ),
        *folded,
    ]
    return Report(
        found.name,
        "Final analysis",
        tuple(part for part in sections if not part.is_empty),
        MADE_BY,
        about=about(scenario),
    )


def _anytime(found: PatientsAnalysis) -> Iterator[str]:
    """What holds where sizes were not those planned and nobody can say that responses did not decide them."""
    if found.planned is not None and found.anytime_test is not None and found.anytime is not None:
        yield (
            "The sizes were not those planned. If responses, or a look that nobody planned, had a part in that, the "
            f"p-value and the interval do not hold, and this does: {in_short(found.anytime_test, found.anytime)} "
            "(trialsim evidence)."
        )


def decision(found: PatientsAnalysis, assumed: bool) -> str:
    """What the design decides, and by which cut-offs."""
    said = f"{found.decision} with {count(found.x, 'response')} among {found.n} {_noun(found)}"
    at = f"at look {found.look + 1} of {len(found.looks.n)}"
    rule = rule_of(found.planned.looks if found.planned else found.looks)
    if found.planned:
        rule += f" (as planned; {_attained(found)})"
    if found.cut_off:
        rule += f". {found.cut_off.removesuffix('.')}"
    if assumed:
        return (
            f"If the trial had followed the design that this scenario assumes: {said}, {at}. It says: {rule}."
        )
    return f"{said[0].upper()}{said[1:]}, {at}. The design says: {rule}."


def _attained(found: PatientsAnalysis) -> str:
    """The sizes of the looks that the trial came to."""
    sizes = [str(n) for n in found.looks.n[: found.look + 1]]
    return (
        f"the size attained was {sizes[0]}" if len(sizes) == 1 else f"the sizes attained were {listed(sizes)}"
    )


def rule_of(looks: Looks) -> str:
    """The cut-offs of a design in words."""
    cuts = cut_offs(looks)
    if cuts is None:
        return design_words(looks)
    end = f"go if responses > {cuts.r} of {cuts.n}"
    return end if cuts.n1 is None else f"stop stage 1 if responses ≤ {cuts.r1} of {cuts.n1}; {end}"


def quote(found: Analyses) -> str:
    """The primary analysis in words to quote: the rate, the estimate, its interval, the p-value, the method of each."""
    primary = found.sets[0]
    plan, interval = primary.plan, primary.interval
    rule = rule_of(primary.planned.looks if primary.planned else primary.looks)
    if primary.planned:
        rule += f"; {_attained(primary)}"
    design = (
        "Had the trial followed the design that this scenario assumes" if found.assumed else "By the design"
    )
    would = "would be" if found.assumed else "is"
    level = level_of(plan)
    limits = f"for which the method gives no {level}"
    if interval.low is not None and interval.high is not None:
        limits = f"with {level} {percent(interval.low)} to {percent(interval.high)}"
    words = (
        f"{primary.x} of {primary.n} {_noun(primary)} responded ({percent(primary.x / primary.n)}). {design} ({rule}), "
        f"the {ESTIMATES[plan.estimate]} of the response rate {would} {percent(primary.estimate)}, {limits} "
        f"({INTERVALS[plan.interval]})"
    )
    if primary.p_value is None or plan.p0 is None:
        return f"{words}."
    how = f"{ORDERINGS[plan.ordering]}{TWICE if plan.two_sided else ''}"
    p = p_value(primary.p_value)
    return f"{words}; the {_sides(plan)} p-value against p0 = {rate(plan.p0)} {would} {p} ({how})."


def _sides(plan: AnalysisPlan) -> str:
    return "two-sided" if plan.two_sided else "one-sided"


def primary_table(found: PatientsAnalysis) -> Table:
    """Estimate, interval and p-value, each with its method."""
    plan, interval = found.plan, found.interval
    low, high = (None if end is None else percent(end) for end in (interval.low, interval.high))
    rows: list[Row] = [
        (
            "Responses",
            Cell(f"{found.x} of {found.n} {_noun(found)}", found.x),
            f"observed: {percent(found.x / found.n)}",
        ),
        ("Response rate", Cell(percent(found.estimate), found.estimate), ESTIMATES[plan.estimate]),
        (
            capital(level_of(plan)),
            "none" if low is None else f"{low} – {high}",
            INTERVALS[plan.interval],
        ),
    ]
    if plan.p0 is not None and found.p_value is not None:
        rows.append(
            (
                f"{capital(_sides(plan))} p-value, p0 = {rate(plan.p0)}",
                Cell(p_value(found.p_value), found.p_value),
                f"{ORDERINGS[plan.ordering]}{TWICE if plan.two_sided else ''}",
            )
        )
    usual = all(
        getattr(plan, key) == getattr(AnalysisPlan, key) for key in ("estimate", "interval", "ordering")
    )
    which = "the same methods for every trial" if usual else "methods chosen for this trial"
    caption = f"The primary analysis: one estimate, one interval, one p-value; {which}"
    return Table("primary", caption, ("", "Value", "Method"), plain(rows), words=(2,))


def harms(found: Analyses) -> Table:
    """Toxicity and serious adverse events of treated patients."""
    level = f"{100 * found.sets[0].plan.confidence:g}%"
    rows = [
        (
            HARM_WORDS[h.what] + (f", {h.dose}" if h.dose else ""),
            Cell(f"{h.count} of {h.treated} treated", h.count),
            Cell(percent(h.count / h.treated), h.count / h.treated),
            f"{percent(h.low)} – {percent(h.high)}",
        )
        for h in found.harms
    ]
    note = (
        "Clopper-Pearson intervals: no stopping rule enters them, neither that for responses nor one for toxicity.",
    )
    return Table(
        "harms",
        "Harm among treated patients",
        ("", "Patients", "Rate", f"{'two-sided ' if found.sets[0].plan.one_sided else ''}{level} interval"),
        plain(rows),
        note,
    )


def unreported(found: Analyses) -> str:
    """What of harm is not there to be analysed."""
    doses = found.scenario.doses if found.scenario else ()
    if not any(h.what == "toxicities" for h in found.harms):
        return "Toxicity is unreported."
    by_dose = any(h.dose for h in found.harms)
    return "Toxicity by dose is unreported." if len(doses) > 1 and not by_dose else ""


def _noun(found: PatientsAnalysis) -> str:
    known = {TREATED: "treated patients", EVALUABLE: "evaluable patients"}
    noun = known.get(found.patients, found.patients.lower())
    return noun.replace("patients", "patient", 1) if found.n == 1 else noun
