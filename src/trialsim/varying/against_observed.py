"""The observed trial beside a what-if: would its counts be surprising if a case of the scenario were true?"""

from __future__ import annotations

from typing import Any

from trialsim.checks.rows import CaseCheck
from trialsim.scenario.model import Scenario

FIELDS = (
    "case", "quantity", "conditioning", "observed", "denominator", "interval_95", "mid_p", "p_two_sided",
    "p_adjusted", "verdict", "fitted",
)  # fmt: skip
"""What is kept of a row of the check."""


def given_sizes(scenario: Scenario, cases: tuple[str, ...], seed: int) -> tuple[CaseCheck, ...]:
    """The observed counts under each case, numbers of patients fixed as observed; exact, and no design enters."""
    if scenario.observed is None:
        return ()
    from trialsim.checks import check

    rows = check(scenario, seed=seed).by_case
    return tuple(
        row
        for row in rows
        if isinstance(row, CaseCheck) and row.conditioning == "given_sizes" and row.case in cases
    )


def to_dict(row: CaseCheck) -> dict[str, Any]:
    """A row as it stands in JSON."""
    return {name: getattr(row, name) for name in FIELDS}
