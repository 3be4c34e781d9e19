"""What the reports of what-ifs and of compared designs share: cells of values and differences, warnings, methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trialsim.kernels.streams import STREAM_VERSION
from trialsim.reporting.about import MADE_BY, warning
from trialsim.reporting.sentences import rule
from trialsim.results import digits12
from trialsim.varying.effects import Number, digits
from trialsim.writing.numbers import NONE, Cell, fixed, plus_minus
from trialsim.writing.report import Report, Section, Words, section

ADJUSTED = (
    "In calendar time every trial is also run with every outcome known at once, on the same patients. That twin has an "
    "exact answer, and how far its simulated numbers came out from it says how far those of the trial are likely to be "
    "off. Told are the numbers corrected by this, and their smaller errors; a value is the one that trialsim run gives "
    "with the same seed and replicates. A difference has a correction of its own, with the twins of both trials, and "
    "need not be that of the two values beside it, each with an error of its own; a plain 0 says that no trial "
    "differs, even where the corrections of the values do. The uncorrected numbers stand beside them in the tables of "
    "the folder and in results.json, and stand alone where a correction would hang on too few trials."
)
"""How numbers of calendar time are told."""

CORRECTED = (
    "Numbers are adjusted by the exact answer of the same trial with every outcome known at once. A difference is "
    "adjusted by itself, and need not be what the two values beside it differ by: quote it with its own error; "
    "results.json also has the numbers that were counted."
)
"""The same in one sentence, under a table of them."""


def value_cell(quantity: str, number: Number | None, error: bool = False) -> Cell:
    """A value, with ``error`` also half the width of its interval."""
    if number is None:
        return Cell(NONE)
    number, decimals = number.told, digits(quantity, 0.0)
    text = fixed(number.value, decimals)
    if error and not number.is_exact:
        text += f" {plus_minus(number.plus_minus, decimals)}"
    return Cell(text, digits12(number.value))


def difference_cell(quantity: str, number: Number | None) -> Cell:
    """A difference with its sign and error; one within its error is set in grey."""
    if number is None:
        return Cell(NONE)
    number = number.told
    value, error, decimals = number.value, number.plus_minus, digits(quantity, 0.0)
    if value == 0 and error == 0:
        return Cell("0", value, "none")
    text = f"{'+' if value > 0 else ''}{fixed(value, decimals)}"
    told = text if number.is_exact else f"{text} {plus_minus(error, decimals)}"
    return Cell(told, digits12(value), "" if abs(value) > error else "none")


def report(
    title: str, kind: str, sections: Iterable[Section], disagreements: Sequence[str], about: tuple[str, str]
) -> Report:
    """A report, with a warning where exact and simulated disagree."""
    streams = ("Random streams", f"version {STREAM_VERSION}")
    return Report(title, kind, tuple(sections), MADE_BY, warning(disagreements), (about, streams))


def method(what: str) -> Section:
    """How the numbers came about, and how to get them again; ``what`` are the trials set side by side."""
    return section(
        "method",
        "How it was computed",
        Words(
            "Where every outcome is known before the next patient, the trial is a Markov chain, and its operating "
            "characteristics are exact, as are the differences between two of them. The simulated values and "
            "differences, on the same patients, are then a check only.",
            "Exact.",
        ),
        Words(
            f"In calendar time there is no exact answer. {what} are run replicate by replicate on the same patients "
            "(common random numbers: each random number belongs to a seed, a replicate, a patient and a purpose), so "
            "that what differs between two trials is what was changed. A difference then has its own Monte Carlo "
            "standard error, s/√R over the R differences, and ± is 1.96 of these. Intervals of probabilities "
            "themselves are Clopper-Pearson, those of means and differences normal.",
            "Simulated.",
        ),
        Words(ADJUSTED, "Adjusted."),
        Words(rule(), "Told."),
        kept("every quantity of every case"),
        folded=True,
    )


def kept(what: str) -> Words:
    """What the folder of a report holds, and how to get it again."""
    return Words(
        f"Numbers are rounded here for reading; results.json has twelve significant digits, and the folder tables has "
        f"{what} as CSV. Wall times and versions are in environment.json. results.json also holds what was asked and "
        "the text of every scenario file: “trialsim reproduce FOLDER” works everything out again, and compares it "
        "with results.json byte by byte, on any number of processors.",
        "Kept.",
    )


def replicates_words(runs: Iterable[tuple[int, int]]) -> tuple[str, str]:
    """``100,000 a case, seed 2011``; several where scenarios differ."""
    told = (f"{replicates:,} a case, seed {seed}" for replicates, seed in dict.fromkeys(runs))
    return "Replicates", "; ".join(told)
