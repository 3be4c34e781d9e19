"""Every estimate, p-value and interval of a set of patients; and what each method does under a design."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.inference.analysis import AnalysisPlan, PatientsAnalysis, counted
from trialsim.inference.attained import METHOD_WORDS
from trialsim.inference.characteristics import Characteristics
from trialsim.inference.estimators import ESTIMATOR_WORDS
from trialsim.inference.intervals import INTERVAL_WORDS
from trialsim.inference.observed import Analyses
from trialsim.inference.orderings import ORDERINGS
from trialsim.reporting.about import MADE_BY
from trialsim.reporting.e_words import process_words
from trialsim.writing.numbers import NONE, Cell, count, p_value, percent, probability_cell, rate, times
from trialsim.writing.report import Points, Report, Section, Table, Terms, plain, section

COVERAGE = (
    "Coverage by enumeration of every outcome; at least: for response rates from 5% to 95%. An outcome without an "
    "interval counts as covered."
)


TWO_SIDED = (
    "Two-sided p: twice the smaller of P(at least as much in favour) and P(at most as much in favour) under the "
    "ordering, at most 1 (Jennison and Turnbull 2000, chapter 8). Where it is below 0.05, the exact two-sided 95% "
    "interval of that ordering leaves p0 out; so with other levels."
)


def level_of(plan: AnalysisPlan) -> str:
    """What an interval is called: its confidence, and that it has one limit."""
    sides = f"one-sided {plan.one_sided} " if plan.one_sided else ""
    return f"{sides}{100 * plan.confidence:g}% confidence interval"


def capital(words: str) -> str:
    """The same with a capital."""
    return words[:1].upper() + words[1:]


def appendix(found: PatientsAnalysis, number: int) -> Section:
    """Everything of one set of patients."""
    at_first = (
        f", {found.x1} among the first {found.looks.n[0]}" if found.look and found.x1 is not None else ""
    )
    about = (
        ("Patients", f"{counted(found.x)} among {count(found.n, 'patient')}{at_first}"),
        ("Design", found.design + (f". By it: {found.decision}." if not found.fixed else ".")),
        ("Ordering of the primary p-value", ORDERINGS[found.plan.ordering]),
    )
    return section(
        f"patients-{number}",
        f"{found.patients}: every estimate, p-value and interval",
        Terms(about),
        (_estimates(found, number), _p_values(found, number), _intervals(found, number)),
        (_posterior(found, number), _attained(found, number), _anytime(found, number)),
        Points(found.notes),
        folded=True,
    )


def _percent(value: float | None) -> Cell:
    return Cell(NONE) if value is None else Cell(percent(value), value)


def _estimates(found: PatientsAnalysis, number: int) -> Table:
    rows = ((Cell(ESTIMATOR_WORDS[name]), _percent(value)) for name, value in found.estimates.items())
    return Table(f"estimates-{number}", "Estimates of the response rate", ("Method", "Estimate"), plain(rows))


def _p_values(found: PatientsAnalysis, number: int) -> Table:
    p0 = found.plan.p0
    both = found.plan.two_sided
    rows = (
        (
            Cell(p.ordering),
            *(Cell(p_value(v, 4), v) for v in (p.p, p.mid_p, p.two_sided) if v is not None),
        )
        for p in found.p_values
    )
    return Table(
        f"p-values-{number}",
        f"{'P-values' if both else 'One-sided p-values'}{'' if p0 is None else f', p0 = {rate(p0)}'}",
        ("Ordering", "one-sided p", "mid-p", "two-sided p") if both else ("Ordering", "p", "mid-p"),
        plain(rows),
        (TWO_SIDED,) if both else (),
    )


def _intervals(found: PatientsAnalysis, number: int) -> Table:
    plan = found.plan
    known = [p is not None for p in (plan.p0, plan.p1)]
    heads = [f"Coverage at {rate(p)}" for p in (plan.p0, plan.p1) if p is not None]
    rows = (
        (
            Cell(i.words),
            _percent(i.low),
            _percent(i.high),
            *(
                probability_cell(c)
                for c, is_known in zip((i.coverage_p0, i.coverage_p1), known, strict=True)
                if is_known
            ),
            probability_cell(i.least_coverage),
        )
        for i in found.intervals
    )
    return Table(
        f"intervals-{number}",
        f"{level_of(plan)}s, each with the coverage that its method has",
        ("Method", "Low", "High", *heads, "At least"),
        plain(rows),
        (COVERAGE,),
    )


def _posterior(found: PatientsAnalysis, number: int) -> Table:
    post, plan = found.posterior, found.plan
    level = f"{100 * plan.confidence:g}%"
    rows = [
        (Cell("Mean"), _percent(post.mean)),
        (Cell("Median"), _percent(post.median)),
        *(
            (Cell(f"{level} {words} interval"), Cell(f"{percent(low)} – {percent(high)}"))
            for words, (low, high) in (("equal-tail", post.equal_tail), ("highest density", post.hpd))
        ),
        *(
            (Cell(f"P(response rate > {rate(p)})"), probability_cell(above))
            for p, above in ((plan.p0, post.above_p0), (plan.p1, post.above_p1))
            if p is not None
        ),
    ]
    a, b = post.prior
    name = " (Jeffreys)" if post.prior == (0.5, 0.5) else ""
    caption = f"Posterior of the response rate, prior Beta({a:g}, {b:g}){name}; no stopping rule enters it"
    return Table(f"posterior-{number}", caption, ("", "Value"), plain(rows))


def _attained(found: PatientsAnalysis, number: int) -> Table:
    rows = (
        (
            Cell(METHOD_WORDS[r.method]),
            Cell("none" if r.r1 < 0 else str(r.r1)),
            Cell(NONE if r.r is None else str(r.r)),
            *map(probability_cell, (r.p_value, r.alpha, r.power)),
            Cell(NONE if r.interval is None else f"{percent(r.interval[0])} – {percent(r.interval[1])}"),
            _percent(r.median),
            Cell(r.decision),
        )
        for r in found.readings
    )
    heads = (
        "Stop if ≤",
        "Go if >",
        "p",
        "True alpha",
        "True power",
        "Its two-sided interval" if found.plan.one_sided else "Its interval",
        "Its median",
        "Decision",
    )
    return Table(
        f"attained-{number}",
        "Sizes other than planned: what published methods make of them",
        ("Method", *heads),
        plain(rows),
        words=(8,),
    )


def _anytime(found: PatientsAnalysis, number: int) -> Table:
    test, now = found.anytime_test, found.anytime
    if test is None or now is None:
        return Table(f"anytime-{number}", "", (), ())
    p0 = rate(float(test.p0))
    rows = [
        (
            Cell(process_words(test, name)),
            Cell(times(e), e),
            Cell(times(float(test.level)), float(test.level)),
            _percent(now.lower[name]),
        )
        for name, e in now.e_values.items()
    ]
    notes = (
        f"Evidence against p ≤ {p0} that needs no planned look: which line decides is written down beforehand. From "
        "these counts alone; the order of enrolment may show an earlier crossing (trialsim evidence).",
    )
    heads = ("e-value", "Value", "Rejects at", "One-sided lower limit")
    return Table(
        f"anytime-{number}", "Whatever made the trial look, stop or go on", heads, plain(rows), notes
    )


def by_dose(found: Analyses) -> Table:
    """Evaluable patients by dose."""
    plan = found.sets[0].plan
    sides = "two-sided " if plan.one_sided else ""
    heads = ["Dose", "Responses", "Rate", f"{sides}{100 * plan.confidence:g}% interval"]
    rows = (
        (
            Cell(d.dose),
            Cell(f"{d.x} of {d.n} evaluable", d.x),
            _percent(d.x / d.n),
            Cell(f"{percent(d.low)} – {percent(d.high)}"),
            *([probability_cell(d.posterior.above_p0)] if plan.p0 is not None else []),
        )
        for d in found.doses
    )
    if plan.p0 is not None:
        heads.append(f"P(rate > {rate(plan.p0)})")
    note = "Clopper-Pearson intervals: the stopping rule is of all doses together and does not enter."
    return Table("by-dose", "Responses by dose", tuple(heads), plain(rows), (note,))


def characteristics_table(found: Characteristics) -> Iterator[Table]:
    """Bias and error of every estimate, and coverage of every interval, at each response rate."""
    at = [f"At {rate(p)}" for p in found.p.tolist()]
    yield Table(
        "bias",
        "Bias, and root mean square error in brackets, in percentage points",
        ("Estimate", *at),
        plain(
            (
                Cell(ESTIMATOR_WORDS[name]),
                *(
                    Cell(f"{100 * b:.2f} ({100 * mse**0.5:.1f})".replace("-", "−"), b)
                    for b, mse in zip(bias.tolist(), found.mse[name].tolist(), strict=True)
                ),
            )
            for name, bias in found.bias.items()
        ),
    )
    yield Table(
        "coverage",
        f"Coverage of two-sided {100 * found.confidence:g}% intervals",
        ("Interval", *at, "At least"),
        plain(
            (
                Cell(INTERVAL_WORDS[name]),
                *(probability_cell(c) for c in (*covered.tolist(), found.least[name])),
            )
            for name, covered in found.coverage.items()
        ),
        (COVERAGE,),
    )


def report_of(found: Characteristics) -> Report:
    """The characteristics by themselves."""
    tables = section("first-page", "", characteristics_table(found))
    title = f"Design with looks at {' and '.join(map(str, found.looks.n))} patients"
    return Report(title, "Bias, error and coverage", (tables,), MADE_BY)
