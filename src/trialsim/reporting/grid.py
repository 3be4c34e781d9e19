"""A table of the page as data: what the template lays out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trialsim.reporting.numbers import Cell

Row = tuple[Cell, ...]

DENSE = 8
"""Columns a table may have and still be set wide."""

LONG = 24
"""Rows a table may have and still be kept on one page."""


@dataclass(frozen=True)
class Group:
    """Rows under a heading of their own ("" for none)."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A table of the page; the first cell of a row is its heading."""

    key: str
    caption: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()
    words: tuple[int, ...] = ()
    """Columns of words, set flush left."""

    @property
    def is_long(self) -> bool:
        """Whether a page break may fall inside it."""
        return sum(len(group.rows) for group in self.groups) > LONG

    @property
    def is_dense(self) -> bool:
        """Whether its columns stand close: more than eight of them."""
        return len(self.columns) > DENSE

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not any(group.rows for group in self.groups)


def plain(rows: Iterable[Row]) -> tuple[Group, ...]:
    """Rows without headings."""
    return (Group("", tuple(rows)),)
