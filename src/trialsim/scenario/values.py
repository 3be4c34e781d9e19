"""The kinds of values that several blocks of a scenario file share."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from trialsim.codes import TICKS_PER_WEEK
from trialsim.designs.spec import AsTuple, Probability, impossible

MAX_DOSES = 8

ORDERING = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
"""Unicode's classes of marks that turn the direction of what follows, numbers included, and of their ends."""


def _plain(text: str) -> str:
    """Refuses what is not seen: control characters, and marks that would make a report read backwards."""
    if text.isascii() and text.isprintable():
        return text
    for mark in text:
        turns = unicodedata.bidirectional(mark) in ORDERING or mark in "\u200e\u200f\u061c"
        if turns or (unicodedata.category(mark) in ("Cc", "Zl", "Zp") and mark not in "\t\n"):
            does = "turns the direction of the text after it" if turns else "is a control character"
            raise impossible("", f"the character U+{ord(mark):04X}, which is not seen, {does}: leave it out")
    return text


Text = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_plain)]
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


def ticks(weeks: float) -> int:
    """Weeks as whole ticks, the nearest."""
    return math.floor(weeks * TICKS_PER_WEEK + 0.5)


def listed(items: tuple[object, ...]) -> str:
    """``a, b, c``."""
    return ", ".join(map(str, items))


AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*((?:[mkµun]|mc)?g|[mM]?IU|Gy|[MG]Bq|m[lL]|%)(?![a-zA-Z])(.*)")
"""An amount at the beginning of the name of a dose, its unit, and the rest of the name."""

FALLING = "doses are listed from the starting dose on, and a dose reduction lowers the dose"


def rising(doses: tuple[str, ...]) -> tuple[str, str] | None:
    """The first two neighbours whose names state amounts in one unit that rise; None where none do."""
    for before, after in zip(doses, doses[1:], strict=False):
        a, b = AMOUNT.fullmatch(before), AMOUNT.fullmatch(after)
        if a and b and a.groups()[1:] == b.groups()[1:] and float(b[1]) > float(a[1]):
            return before, after
    return None
