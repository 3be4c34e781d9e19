"""E-values as sentences name them, in every answer that has some."""

from __future__ import annotations

from trialsim.inference.anytime import Anytime, Test
from trialsim.writing.numbers import percent, rate, times


def process_words(test: Test, process: str) -> str:
    """An e-process by what it compares."""
    p0 = rate(float(test.p0))
    if process == "ratio" and test.p1 is not None:
        return f"likelihood ratio of {rate(float(test.p1))} to {p0}"
    a, b = test.prior
    return f"mixture over Beta({a:g}, {b:g}) above {p0}"


def in_short(test: Test, now: Anytime) -> str:
    """The e-value that decides, what it takes, and the lower limit."""
    level, p0 = times(float(test.level)), rate(float(test.p0))
    value = times(now.largest if now.by_path else now.e_values[test.decides])
    most = ", the largest so far" if now.by_path else ""
    verdict = f"rejects p ≤ {p0}" if now.rejected_at is not None else f"does not reject p ≤ {p0}"
    return (
        f"e-value {value}{most} ({process_words(test, test.decides)}): {verdict}, for which it takes {level}; lower "
        f"limit {percent(now.lower[test.decides])}"
    )
