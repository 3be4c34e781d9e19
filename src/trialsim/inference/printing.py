"""An analysis as a table of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialsim.inference.attained import METHOD_WORDS
from trialsim.inference.estimators import ESTIMATOR_WORDS
from trialsim.inference.orderings import ORDERINGS
from trialsim.inference.posterior import JEFFREYS, Posterior

if TYPE_CHECKING:
    from trialsim.inference.analysis import Analysis
    from trialsim.inference.observed import ByDose

WIDE = 50


def number(value: float | None, digits: int = 4) -> str:
    """A number to four digits, or a dash."""
    return "-" if value is None else f"{value:.{digits}f}"


def analysis_text(found: Analysis) -> str:
    """The whole analysis, one number a line, the ordering named."""
    from trialsim.inference.analysis import counted, design_words

    asked = found.asked
    lines = [
        f"{found.patients}: {counted(found.x)} among {found.n} patients"
        + (
            f" ({found.x1} among the first {found.looks.n[0]})" if found.look and found.x1 is not None else ""
        ),
        f"  Design: {design_words(found.looks)}",
        f"  By this design: {found.decision}, at look {found.look + 1} of {len(found.looks.n)}",
        f"  Ordering: {ORDERINGS[asked.ordering]}",
        "",
        _line("Response rate", "estimate"),
        *(_line(ESTIMATOR_WORDS[name], number(value)) for name, value in found.estimates.items()),
    ]
    if found.p_values:
        lines += ["", _line(f"One-sided p-value, p0 = {asked.p0:g}", "p", "mid-p")]
        lines += [
            _line(f"Ordering: {p.ordering}", number(p.p, 6), number(p.mid_p, 6)) for p in found.p_values
        ]
    head = [
        "low",
        "high",
        *(f"at {p:g}" if p is not None else "" for p in (asked.p0, asked.p1)),
        "at least",
    ]
    lines += ["", _line(f"{'':{WIDE}}", *("", "", "coverage", "", ""))]
    lines[-1] = lines[-1].rstrip()
    lines.append(_line(f"{asked.confidence:.4g} confidence interval", *head))
    lines += [
        _line(
            i.words,
            number(i.low),
            number(i.high),
            number(i.coverage_p0) if asked.p0 is not None else "",
            number(i.coverage_p1) if asked.p1 is not None else "",
            number(i.least_coverage),
        )
        for i in found.intervals
    ]
    lines.append("  coverage by enumeration of every outcome; at least: for response rates from .05 to .95")
    lines += ["", *posterior_lines(found.posterior, asked.p0, asked.p1)]
    if found.readings:
        lines += ["", *_attained_lines(found)]
    return "\n".join([*lines, *(f"  {note}" for note in found.notes)])


def _line(words: str, *cells: str) -> str:
    return f"  {words:{WIDE}}" + "".join(f"{cell:>10}" for cell in cells)


def posterior_lines(post: Posterior, p0: float | None, p1: float | None) -> list[str]:
    """The posterior, its prior first."""
    a, b = post.prior
    name = " (Jeffreys)" if post.prior == JEFFREYS else ""
    lines = [
        _line(f"Posterior, prior Beta({a:g}, {b:g}){name}", "", ""),
        _line("Mean, median", number(post.mean), number(post.median)),
        _line(f"{post.confidence:.4g} equal-tail interval", *map(number, post.equal_tail)),
        _line(f"{post.confidence:.4g} highest density interval", *map(number, post.hpd)),
    ]
    lines[0] = lines[0].rstrip()
    for rate, value in ((p0, post.above_p0), (p1, post.above_p1)):
        if rate is not None:
            lines.append(_line(f"P(response rate > {rate:g})", number(value)))
    return lines


def _attained_lines(found: Analysis) -> list[str]:
    lines = [
        "  Sizes other than planned",
        _line("", "stop <=", "go >", "p", "alpha", "power", "decision").rstrip(),
    ]
    for r in found.readings:
        stop = "none" if r.r1 < 0 else str(r.r1)
        cells = [stop, "-" if r.r is None else str(r.r), number(r.p_value), number(r.alpha), number(r.power)]
        lines.append(_line(METHOD_WORDS[r.method], *cells) + f"  {r.decision}")
        if r.interval is not None:
            lines.append(_line("  its interval, median estimate", *map(number, r.interval), number(r.median)))
    return lines


def dose_lines(doses: tuple[ByDose, ...], p0: float | None) -> list[str]:
    """Patients by dose."""
    lines = [
        _line("By dose, evaluable patients", "responses", "rate", "low", "high", "P(> p0)" if p0 else "")
    ]
    for d in doses:
        cells = [f"{d.x}/{d.n}", number(d.x / d.n), number(d.low), number(d.high)]
        lines.append(_line(d.dose, *cells, number(d.posterior.above_p0) if p0 else ""))
    lines.append("  Clopper-Pearson intervals: the stopping rule is of all doses together and does not enter")
    return lines
