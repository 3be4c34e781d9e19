"""The observed trial beside a what-if: would its counts be surprising if a case of the scenario were true?"""

from __future__ import annotations

from typing import Any

from trialsim.checks.rows import Check
from trialsim.quantities import label
from trialsim.scenario.model import Scenario

FIELDS = (
    "case", "quantity", "conditioning", "observed", "denominator", "interval_95", "mid_p", "p_two_sided",
    "p_adjusted", "verdict", "fitted",
)  # fmt: skip
"""What is kept of a row of the check."""


def given_sizes(scenario: Scenario, cases: tuple[str, ...], seed: int) -> tuple[Check, ...]:
    """The observed counts under each case, numbers of patients fixed as observed; exact, and no design enters."""
    if scenario.observed is None:
        return ()
    from trialsim.checks import check

    rows = check(scenario, seed=seed).rows
    return tuple(
        row
        for row in rows
        if isinstance(row, Check) and row.conditioning == "given_sizes" and row.case in cases
    )


def in_words(rows: tuple[Check, ...]) -> str:
    """One sentence a case; "" without an observed trial."""
    told = []
    for case in dict.fromkeys(row.case for row in rows):
        seen = "; ".join(_row(row) for row in rows if row.case == case)
        told.append(f"Against the observed trial, if “{case}” is true: {seen}.")
    return " ".join(told)


def to_dict(row: Check) -> dict[str, Any]:
    """A row as it stands in JSON."""
    return {name: getattr(row, name) for name in FIELDS}


def _row(row: Check) -> str:
    what = label(row.quantity, ()).removeprefix("Expected ")
    text = f"{what[:1].lower()}{what[1:]} {row.observed}/{row.denominator}"
    if row.interval_95 is not None:
        text += f", 95% of such trials have {row.interval_95[0]} to {row.interval_95[1]}"
    verdict = "the rate was set from this count" if row.fitted else row.verdict
    return f"{text} ({verdict})" if verdict else text
