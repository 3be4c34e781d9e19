"""The kinds of values that several blocks of a scenario file share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trialsim.designs.spec import AsTuple, Probability

MAX_DOSES = 8

Text = Annotated[str, Field(min_length=1, max_length=300)]
CaseName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
GroupName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9 _+/-]{0,39}$")]
"""Strata and cohorts are named as in publications: HER2+/HR-."""
VariantName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 .,%=<>()_+/-]{0,59}$")]
"""Variants and analyses are named as in a table of a report: limit .25, phi .10."""
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Counts = Annotated[tuple[Count, ...], AsTuple, Field(min_length=1, max_length=MAX_DOSES)]
Rates = Probability | Annotated[tuple[Probability, ...], AsTuple, Field(min_length=1, max_length=MAX_DOSES)]
"""One rate for every dose, or a list with one rate a dose, starting dose first."""
Weeks = Annotated[float, Field(ge=0.1, le=520)]
"""A time that passes: under a day would be none, over ten years no part of such a trial."""
Lag = Annotated[float, Field(ge=0, le=520)]
"""Weeks that may be none."""


def listed(items: tuple[object, ...]) -> str:
    """``a, b, c``."""
    return ", ".join(map(str, items))
