"""What a check says, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trialsim.checks.predictive import interval, mid_p, two_sided
from trialsim.designs.binomial import Float64
from trialsim.results import to_frame

if TYPE_CHECKING:
    import pandas as pd

GIVEN_SIZES, REACHED_N, UNCONDITIONAL, EXTERNAL = "given_sizes", "reached_n", "unconditional", "external"

VERDICTS = ((0.20, "compatible"), (0.05, "mild tension"), (0.01, "tension"), (0.0, "strong conflict"))
"""Least adjusted p for each verdict word."""

LABELS = {
    "responses": "Responses",
    "disease_control": "Disease control",
    "toxicities": "Patients with toxicity",
    "serious": "Patients with serious adverse events",
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
class Check:
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
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "pmf"}


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

    def known(self, **changes: Any) -> CellCheck:
        """The same cell with more known of it."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The row as it stands in ``results.json``."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def __str__(self) -> str:
        """The cell as a line of text."""
        where = ", ".join(filter(None, (self.cohort or "all cohorts", self.dose or "all doses")))
        seen = "unreported" if self.responses is None else str(self.responses)
        predicted = f" predicted {self.interval_95[0]}-{self.interval_95[1]}" if self.interval_95 else ""
        p = "" if self.p_two_sided is None else f", unadjusted p {self.p_two_sided:.3f}"
        return f"{self.case}: Responses in {where} (cell) {seen}/{self.evaluable}{predicted}{p}: no verdict"


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


@dataclass(frozen=True)
class Checks:
    """Everything the observed trial has to say about a scenario, and what it cannot say."""

    headline: tuple[Headline, ...]
    rows: tuple[Check, ...]
    curves: tuple[Curve, ...]
    likelihood_ratios: tuple[LikelihoodRatio, ...]
    notes: tuple[str, ...]
    cells: tuple[CellCheck, ...] = ()

    def __iter__(self) -> Iterator[Check]:
        return iter(self.rows)

    def to_frame(self) -> pd.DataFrame:
        """A tidy table, one row a case, quantity and conditioning."""
        return to_frame([row.to_dict() for row in self.rows])

    def __str__(self) -> str:
        lines = []
        for h in self.headline:
            lines.append(
                f"{LABELS[h.quantity]} {h.observed}/{h.denominator} {h.unit}: "
                f"rates from {h.low:.2%} to {h.high:.2%} are compatible at 5%"
            )
        for row in self.rows:
            p = "" if row.p_adjusted is None else f", adjusted p {row.p_adjusted:.3f}"
            of = "" if row.denominator is None else f"/{row.denominator}"
            predicted = f" predicted {row.interval_95[0]}-{row.interval_95[1]}" if row.interval_95 else ""
            chance = "" if row.probability is None else f" probability {row.probability:.4f}"
            chance += "" if row.mcse is None else f" (mcse {row.mcse:.4f})"
            word = row.verdict or ("fitted, no verdict" if row.fitted else "no verdict")
            lines.append(
                f"{row.case}: {label(row.quantity)} ({row.conditioning}) "
                f"{row.observed}{of}{predicted}{chance}{p}: {word}"
            )
        return "\n".join([*lines, *map(str, self.cells), *self.notes])


def label(quantity: str, doses: Sequence[str] = ()) -> str:
    """The words for a checked quantity; ``responses_dose_1`` and its like name their dose."""
    if quantity in LABELS:
        return LABELS[quantity]
    level = quantity.rpartition("_")[2]
    return f"Responses at {doses[int(level) - 1] if doses else f'dose {level}'}"


def row_of(case: str, quantity: str, conditioning: str, observed: int, pmf: Float64) -> Check:
    lower = mid_p(pmf, observed)
    return Check(
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
