"""Which column of a file is which of ours, and what stands in its cells."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from trialsim.errors import DesignError
from trialsim.given import clip
from trialsim.ongoing.faults import Fault
from trialsim.sheets import MISSING, Sheet

COLUMNS = (
    "id", "enrolled", "dose", "cohort", "evaluable", "response", "response_date", "confirmed_date", "toxicity",
    "toxicity_date", "off_treatment",
)  # fmt: skip
"""The columns that are read; whatever else a file has is not."""

DATES = ("enrolled", "response_date", "confirmed_date", "toxicity_date", "off_treatment")
YEARS = (1950, 2200)
"""A day outside these years is a slip of the keyboard."""

ISO = "write the day as 2026-03-31 (year-month-day)"
WORDS = {"yes": True, "no": False, "pending": None}
MOST_ID = 60


def placed(
    sheet: Sheet, mapping: Mapping[str, str], needed: frozenset[str]
) -> tuple[dict[str, int], list[Fault]]:
    """Place of each of our columns that a table has, and what is wrong with its header."""
    faults: list[Fault] = []
    places: dict[str, int] = {}
    headers = [_plain(name) for name in sheet.names]
    for ours in mapping:
        if ours not in COLUMNS:
            allowed = f"columns that are read: {', '.join(COLUMNS)}"
            faults.append(
                Fault("unknown_column", 0, clip(ours), f"no column of this name is read; {allowed}")
            )
    for ours in COLUMNS:
        name = mapping.get(ours, ours)
        at = [k for k, header in enumerate(sheet.names) if header == name]
        at = at or [k for k, header in enumerate(headers) if header == _plain(name)]
        if len(at) > 1:
            message = f"the header has `{clip(name)}` {len(at)} times; once is allowed"
            faults.append(Fault("column_twice", sheet.line, ours, message))
        elif at:
            places[ours] = at[0]
        elif ours in needed or ours in mapping:
            faults.append(Fault("missing_column", sheet.line, ours, _missing(name, sheet, ours in mapping)))
    twice = sorted(ours for ours, at in places.items() if list(places.values()).count(at) > 1)
    if twice:
        message = f"one column of the file stands for {', '.join(twice)}; each needs its own"
        faults.append(Fault("column_twice", sheet.line, twice[0], message))
    return places, faults


def _plain(name: str) -> str:
    """A header as it is compared: in any case, with blanks, points and hyphens as underscores."""
    return re.sub(r"[\s._-]+", "_", name.strip().lower())


def _missing(name: str, sheet: Sheet, mapped: bool) -> str:
    near = difflib.get_close_matches(_plain(name), [_plain(other) for other in sheet.names], 1, 0.75)
    # headers are no patient's data; but of a file without one the first row would be
    hint = f"; did you mean `{clip(near[0])}`?" if near else ""
    why = "" if mapped else "; the protocol needs it, and a column of another name can be mapped"
    return f"no column `{clip(name)}` in the header{hint}{why}"


def cells_of(row: Sequence[Any], places: Mapping[str, int]) -> dict[str, Any]:
    """What stands in our columns of a row: text, a day, or "" for nothing."""
    size = len(row)
    return {ours: plain_cell(row[at]) if at < size else "" for ours, at in places.items()}


def plain_cell(value: Any) -> str | date:
    """A cell as text, or as the day that Excel or pandas has there; "" where it says nothing."""
    if isinstance(value, str):
        text = value.strip()
        return "" if text.lower() in MISSING else text
    # pandas' NaT is a date by its type; NaN is told by its text
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, date):
        return value
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return plain_cell(str(value))


def day(cell: str | date, name: str) -> date:
    """The day that a cell states.

    Raises:
        ValueError: it states none, or not one alone; the message has what is allowed.
    """
    if isinstance(cell, datetime):
        if cell.time() != datetime.min.time():
            raise ValueError(f"{cell.isoformat(' ')} has a time of day; whole days are allowed")
        cell = cell.date()
    if isinstance(cell, str):
        cell = _day_in(cell)
    if not YEARS[0] <= cell.year <= YEARS[1]:
        raise ValueError(f"{cell} is no day of a trial; {name} lies between {YEARS[0]} and {YEARS[1]}")
    return cell


@lru_cache(10_000)
def _day_in(text: str) -> date:
    iso = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]00:00(?::00(?:\.0{1,9})?)?)?", text)
    if iso:
        try:
            return date(*map(int, iso.groups()))
        except ValueError:
            raise ValueError(f"there is no day {shown(text)}; {ISO}") from None
    if re.fullmatch(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}", text):
        raise ValueError(
            f"`{shown(text)}` is not taken: written so, day and month are mistaken for each other; {ISO}"
        )
    if re.fullmatch(r"[0-9]{5}(\.[0-9]*)?", text):
        raise ValueError(f"`{shown(text)}` is a number, perhaps a day as Excel counts them; {ISO}")
    if text.endswith("%"):
        raise ValueError(f"`{shown(text)}` is a percentage; {ISO}")
    raise ValueError(f"`{shown(text)}` is no day; {ISO}")


def shown(cell: object) -> str:
    """A cell as a message shows it: short, and without what is not seen."""
    text = clip(str(cell)[:80])
    return "".join(mark if mark.isprintable() else "\ufffd" for mark in text)


def wrong_id(cell: str | date) -> str:
    """What is wrong with an id, or ""."""
    text = str(cell)
    if len(text) > MOST_ID:
        return f"has {len(text):,} characters; at most {MOST_ID} are allowed"
    if not text.isprintable():
        return "has a character that is not seen; letters, digits and signs are allowed"
    if text[0] in "=+@-":
        return f"begins with {text[0]}, which a spreadsheet would work out; begin with a letter or a digit"
    return ""


def a_day(value: object, name: str) -> date:
    """A day given in Python or on the command line.

    Raises:
        DesignError: it is none.
    """
    try:
        return day(value if isinstance(value, date) else str(value), name)
    except ValueError as error:
        raise DesignError(f"{name}: {error}") from None


def beyond(row: Sequence[Any], width: int) -> Iterator[Any]:
    """Cells that stand to the right of the last header."""
    return (cell for cell in row[width:] if plain_cell(cell) != "")
