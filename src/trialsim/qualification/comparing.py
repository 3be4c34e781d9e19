"""What a comparison with a reference is: a number worked out here, the number stated, and whether they are equal."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, SupportsFloat

from trialsim.codes import CONTINUE, NEVER, STOP
from trialsim.designs.rules import Looks, Monitor, Rules, two_way

DATA = Path(__file__).parent / "data"
"""Tables that ship with the package."""

Row = dict[str, str]


class Compared(NamedTuple):
    """One number (or design) held against a reference.

    Attributes:
        where: column, or what is compared, and what names the row.
        explained: why the two are expected to differ; "" where they are expected to be equal.
    """

    where: str
    here: Any
    stated: Any
    equal: bool
    explained: str = ""


Comparison = Callable[[Sequence[Row]], Iterator[Compared]]
"""Rows of a table -> every comparison that they allow."""


@dataclass(frozen=True)
class Reference:
    """A reference table: which numbers it holds, where they come from, and how they are worked out here.

    Attributes:
        file: below ``data/``, without its ending.
        what: the numbers in it.
        source: the program or calculation that made them.
        rows, numbers: how many rows the table has, and comparisons they give.
        explained: how many of these differ, for a reason that is known.
    """

    file: str
    what: str
    source: str
    compare: Comparison
    rows: int
    numbers: int
    explained: int = 0


def rows(name: str, folder: Path = DATA) -> list[Row]:
    """The rows of a table, by name with or without its ending."""
    with (folder / f"{name.removesuffix('.csv')}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ints(text: str) -> tuple[int, ...]:
    """Whole numbers separated by spaces."""
    return tuple(int(word) for word in text.split())


def numbers(row: Row, *keys: str) -> list[float]:
    """Numbers of a row."""
    return [float(row[key]) for key in keys]


def printed(value: str, digits: int = 12) -> float:
    """How far a number may be from ``value`` as printed: half a unit of its last digit, at most 1e-9 apart."""
    mantissa = value.lower().partition("e")[0].lstrip("-")
    significant = len(mantissa.replace(".", "").lstrip("0"))
    if significant >= digits:
        return 1e-9
    exponent = int(value.lower().partition("e")[2] or 0)
    return max(1e-9, 0.5 * 10.0 ** (exponent - len(mantissa.partition(".")[2])) * 1.0000001)


def near(where: str, here: float, stated: str | float, within: float = 1e-9) -> Compared:
    """A number that may be so far from the one stated."""
    apart = abs(float(here) - float(stated))
    return Compared(where, here, stated, math.isfinite(apart) and apart <= within)


def as_printed(where: str, here: float, stated: str, least: float = 0.0) -> Compared:
    """A number that rounds to the one stated, as far as that is printed."""
    return near(where, here, stated, max(printed(stated), least))


def to_all_digits(where: str, here: SupportsFloat, stated: str) -> Compared:
    """A number, or a fraction, against all decimals that are printed."""
    return near(where, float(here), stated, 0.51 * 10.0 ** -len(stated.partition(".")[2]))


def same(where: str, here: Any, stated: Any) -> Compared:
    """What must be the same: cut-offs, sizes, a word."""
    return Compared(where, here, stated, bool(here == stated))


def near_all(
    where: str, here: Iterable[float], row: Row, keys: Sequence[str], within: float = 1e-9
) -> Iterator[Compared]:
    """Numbers in the order of the columns of a row."""
    for value, key in zip(here, keys, strict=True):
        yield near(f"{key}, {where}", value, row[key], within)


def named(row: Row, *keys: str) -> str:
    """What names a row: these columns of it."""
    return ", ".join(f"{key} {row[key]}" for key in keys)


def response_rules(n: tuple[int, ...], stop_le: tuple[int, ...], go_ge: tuple[int | None, ...]) -> Rules:
    """Rules without toxicity: at look k stop if responses <= stop_le[k], go if responses >= go_ge[k]."""
    looks = two_way(n, stop_le, tuple(None if go is None else go - 1 for go in go_ge))
    return Rules(looks, Monitor(((NEVER,) * (n[-1] + 1),), (0,), (CONTINUE,)), False, n[-1])


def toxicity_rules(n: tuple[int, ...], act_ge: tuple[int, ...]) -> Rules:
    """Rules that stop if toxicities reach act_ge[k] at look k, and otherwise treat all n patients."""
    bounds = dict(zip(n, act_ge, strict=True))
    row = tuple(bounds.get(m, NEVER) for m in range(n[-1] + 1))
    return Rules(Looks((n[-1],), ((-2,) * (n[-1] + 1),)), Monitor((row,), (0,), (STOP,)), False, n[-1])
