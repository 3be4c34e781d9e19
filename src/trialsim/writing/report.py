"""A report as data: sections of paragraphs, tables and figures, which every form of it is made from."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Protocol

from trialsim.writing.numbers import Cell

Row = Sequence[Cell | str]
"""Entries of a table; a text is a cell of words."""

DENSE = 7
"""Columns a table may have and still be set wide."""

LONG = 24
"""Rows a table may have and still be kept on one page."""


@dataclass(frozen=True)
class Group:
    """Rows under a heading of their own ("" for none)."""

    title: str
    given: InitVar[Iterable[Row]]
    rows: tuple[tuple[Cell, ...], ...] = field(init=False)

    def __post_init__(self, given: Iterable[Row]) -> None:
        cells = (tuple(each if isinstance(each, Cell) else Cell(each) for each in row) for row in given)
        object.__setattr__(self, "rows", tuple(cells))


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
        """Whether its columns stand close: more than seven of them."""
        return len(self.columns) > DENSE

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not any(group.rows for group in self.groups)


def beside(rows: Sequence[Row], abreast: int) -> Iterator[Row]:
    """Rows set in columns, read from top to bottom."""
    high = -(-len(rows) // abreast)
    for k in range(high):
        parts = [rows[j] if j < len(rows) else [""] * len(rows[0]) for j in range(k, high * abreast, high)]
        yield tuple(cell for part in parts for cell in part)


def plain(rows: Iterable[Row]) -> tuple[Group, ...]:
    """Rows without headings."""
    return (Group("", rows),)


HALF_PAGE = 290.0
"""Points; figures are drawn 8 or 17 cm wide."""


@dataclass(frozen=True)
class Words:
    """A paragraph.

    Attributes:
        lead: words set in bold in front of it.
        mark: "convention", "agreement" or "warning" for one that is set apart, "note" for small print.
    """

    text: str
    lead: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Terms:
    """What is spoken of, and what there is to say about it, row by row."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Points:
    """A list without an order."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Text kept as it is, line by line: a command, a file."""

    text: str
    label: str


class Drawing(Protocol):
    """A finished picture; each form is made when it is asked for."""

    def svg(self) -> bytes:
        """For a page."""
        ...

    def png(self) -> bytes:
        """For a Word file."""
        ...

    def csv(self) -> str:
        """The numbers that it shows."""
        ...


@dataclass(frozen=True)
class Picture:
    """A figure as a report shows it."""

    name: str
    title: str
    caption: str
    alt: str
    drawing: Drawing

    @property
    def is_wide(self) -> bool:
        """Whether it takes the whole width of the page: what is wider than half of it as drawn."""
        points = re.search(rb'<svg[^>]*?\bwidth="([0-9.]+)pt"', self.drawing.svg()[:5000], re.DOTALL)
        return points is not None and float(points.group(1)) > HALF_PAGE

    @property
    def source(self) -> str:
        """The drawing as a data URI: inside an <img> nothing in it can run or fetch."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.drawing.svg()).decode('ascii')}"


@dataclass(frozen=True)
class Pictures:
    """Figures set together."""

    pictures: tuple[Picture, ...]


Block = Words | Terms | Points | Code | Pictures | Table


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it; ``parts`` have headings one level lower.

    ``folded``: for those who ask. A page opens it on demand, a terminal leaves it out.
    """

    key: str
    title: str
    blocks: tuple[Block, ...]
    parts: tuple[Section, ...] = ()
    folded: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.blocks and not self.parts

    def all_blocks(self) -> Iterator[Block]:
        """Its own blocks, then those of its parts: the order in which tables and figures are numbered."""
        yield from self.blocks
        for part in self.parts:
            yield from part.all_blocks()


@dataclass(frozen=True)
class Report:
    """A whole report.

    Attributes:
        kind: what sort of report this is, over the title.
        sections: in reading order; one with the key ``first-page`` has the first printed page to itself.
        made_by: the program that made it, and its version.
        warning: what must be read first; () where nothing must.
        about: where it comes from, told at its end: term, text.
        contents: whether one of many sections has a list of them where its pages have numbers.
    """

    title: str
    kind: str
    sections: tuple[Section, ...]
    made_by: str
    warning: tuple[str, ...] = ()
    about: tuple[tuple[str, str], ...] = ()
    contents: bool = True

    def tables(self) -> Iterator[Table]:
        """Every table in the order of its number."""
        for section in self.sections:
            yield from (block for block in section.all_blocks() if isinstance(block, Table))

    def pictures(self) -> Iterator[Picture]:
        """Every figure in the order of its number."""
        for section in self.sections:
            for block in section.all_blocks():
                yield from block.pictures if isinstance(block, Pictures) else ()


class Numbered:
    """Tables and figures with their numbers, counted in the order in which the page asks for them."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self) -> int:
        """The next number."""
        self.last += 1
        return self.last


def section(
    key: str,
    title: str,
    *blocks: Block | Iterable[Block],
    parts: Iterable[Section] = (),
    folded: bool = False,
) -> Section:
    """A section without the tables and parts that have nothing to show."""
    flat: list[Block] = []
    for block in blocks:
        flat.extend([block] if isinstance(block, Block) else block)
    kept = tuple(block for block in flat if not _is_empty(block))
    return Section(key, title, kept, tuple(part for part in parts if not part.is_empty), folded)


def paragraphs(texts: Iterable[str]) -> list[Block]:
    """One paragraph a text."""
    return [Words(text) for text in texts]


def in_quotes(text: str) -> str:
    """``text`` with the keys that it names in quotation marks, which stand in every form, not in backticks."""
    return re.sub("`([^`]*)`", r"“\1”", text)


def unbroken(text: str) -> str:
    """``text`` with spaces that no line may break at: p0 = 5%, responses ≤ 1."""
    return re.sub(r" ([=≤≥>]) (?=\S)", "\u00a0\\1\u00a0", text)


def _is_empty(block: Block) -> bool:
    if isinstance(block, Table):
        return block.is_empty
    if isinstance(block, Pictures):
        return not block.pictures
    if isinstance(block, Points):
        return not block.items
    if isinstance(block, Terms):
        return not block.rows
    return isinstance(block, Words) and not block.text
