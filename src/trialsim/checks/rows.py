"""What a check says, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from trialsim.answers import Answer
from trialsim.checks.predictive import interval
from trialsim.designs.binomial import Float64, mid_p, two_sided
from trialsim.inference.harms import HARM_WORDS
from trialsim.inference.questions import TwoQuestions
from trialsim.results import digits12
from trialsim.scenario.model import Scenario

GIVEN_SIZES, REACHED_N, UNCONDITIONAL, EXTERNAL = "given_sizes", "reached_n", "unconditional", "external"

VERDICTS = ((0.20, "compatible"), (0.05, "mild tension"), (0.01, "tension"), (0.0, "strong conflict"))
"""Least adjusted p for each verdict word."""

LABELS = {
    "responses": "Responses",
    "disease_control": "Disease control",
    **HARM_WORDS,
    "stage1_responses": "Responses in stage 1",
    "dose_reduced": "Dose reduced",
    "reaches_n": "Reaches the planned n",
    "patients_start_dose": "Evaluable patients at the starting dose",
}


@dataclass(frozen=True)
class Headline:
    """An observed count, the rates it is compatible with at 5%, and where each case's rate lies.

    ``candidates`` are the counts that a published percentage allows; ``position`` maps case to "inside", "below" or
    "above" the interval.
    """

    quantity: str
    observed: int
    denominator: int
    unit: str
    low: float
    high: float
    candidates: tuple[int, ...]
    rates: dict[str, float]
    position: dict[str, str]


@dataclass(frozen=True)
class CaseCheck:
    """One observed quantity under one case.

    ``pmf`` is the predictive distribution of the count; ``mcse`` the Monte Carlo standard error of a simulated
    ``probability`` (None: exact).
    """

    case: str
    quantity: str
    conditioning: str
    observed: int
    denominator: int | None = None
    probability: float | None = None
    mcse: float | None = None
    mid_p: float | None = None
    p_two_sided: float | None = None
    p_adjusted: float | None = None
    interval_50: tuple[int, int] | None = None
    interval_80: tuple[int, int] | None = None
    interval_95: tuple[int, int] | None = None
    verdict: str | None = None
    fitted: bool = False
    note: str = ""
    pmf: Float64 | None = None

    def to_dict(self) -> dict[str, Any]:
        """The row as it stands in ``results.json``."""
        return {name: value for name, value in vars(self).items() if name != "pmf"}


@dataclass(frozen=True)
class CellCheck:
    """Responses in one observed cell under one case; None for ``cohort`` or ``dose`` is all of them.

    ``low`` and ``high`` are the rates compatible with the count at 5% (None where responses are unreported), ``rate``
    the response rate of the case among these patients. The two-sided mid-p is not adjusted: cells overlap with the
    totals and with one another, so they carry no verdict. ``fitted``: the rate was set from the total.
    """

    case: str
    number: int
    cohort: str | None
    dose: str | None
    evaluable: int
    responses: int | None
    low: float | None
    high: float | None
    rate: float | None = None
    interval_95: tuple[int, int] | None = None
    mid_p: float | None = None
    p_two_sided: float | None = None
    fitted: bool = False
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """Two-sided mid-p of an observed count against a common true rate: high where rate and count go together."""

    quantity: str
    rate: Float64
    p: Float64


@dataclass(frozen=True)
class LikelihoodRatio:
    """How many times more probable the named vector is under one case than under another, sizes fixed."""

    vector: tuple[str, ...]
    case: str
    against: str
    ratio: float | None


@dataclass(frozen=True, repr=False)
class Checks(Answer):
    """Everything the observed trial has to say about a scenario, and what it cannot say.

    Attributes:
        headline: the observed counts, with the rates that each is compatible with.
        by_case: each count under each case, and what other trials would have predicted.
        curves, cells, likelihood_ratios: over true rates; by cohort and dose; of one case against another.
        questions: how the check of the rate p0 differs from the test of it; None where there is no such test.
    """

    kind: ClassVar[str] = "check"

    scenario: Scenario
    headline: tuple[Headline, ...] = ()
    by_case: tuple[CaseCheck, ...] = ()
    curves: tuple[Curve, ...] = ()
    likelihood_ratios: tuple[LikelihoodRatio, ...] = ()
    notes: tuple[str, ...] = ()
    cells: tuple[CellCheck, ...] = ()
    questions: TwoQuestions | None = None

    def __iter__(self) -> Iterator[CaseCheck]:
        return iter(self.by_case)

    @property
    def called(self) -> str:
        """The name of the scenario."""
        return self.scenario.name

    def rows(self) -> list[dict[str, Any]]:
        """One dict a case, quantity and conditioning."""
        return [row.to_dict() for row in self.by_case]

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The rows, the observed counts, and the cells, as far as there are any."""
        found = {
            "checks": self.rows(),
            "observed": [vars(row) for row in self.headline],
            "cells": [vars(row) for row in self.cells],
        }
        return {name: rows for name, rows in found.items() if rows}

    def to_dict(self) -> dict[str, Any]:
        """Everything but the curves."""
        plain: dict[str, Any] = digits12(
            {
                "name": self.scenario.name,
                **self.tables(),
                "likelihood_ratios": [vars(row) for row in self.likelihood_ratios],
                "questions": self.questions and vars(self.questions),
                "notes": self.notes,
            }
        )
        return plain


def label(quantity: str, doses: Sequence[str] = ()) -> str:
    """The words for a checked quantity; ``responses_dose_1`` and its like name their dose."""
    if quantity in LABELS:
        return LABELS[quantity]
    level = quantity.rpartition("_")[2]
    return f"Responses at {doses[int(level) - 1] if doses else f'dose {level}'}"


def row_of(case: str, quantity: str, conditioning: str, observed: int, pmf: Float64) -> CaseCheck:
    lower = mid_p(pmf, observed)
    return CaseCheck(
        case,
        quantity,
        conditioning,
        observed,
        len(pmf) - 1,
        mid_p=lower,
        p_two_sided=two_sided(pmf, observed),
        interval_50=interval(pmf, 0.50),
        interval_80=interval(pmf, 0.80),
        interval_95=interval(pmf, 0.95),
        pmf=pmf,
    )


def verdict_of(p_adjusted: float | None) -> str | None:
    if p_adjusted is None:
        return None
    return next(word for least, word in VERDICTS if p_adjusted >= least)
