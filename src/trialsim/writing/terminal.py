"""A report as text for a terminal: what is not folded away, without its figures, in characters every terminal has."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from trialsim.writing.report import Block, Code, Pictures, Points, Report, Section, Table, Terms

WIDE = 110
LONGEST = 20
"""Longest word of a heading that is not broken."""

PLAIN = str.maketrans({"–": "-", "≤": "<=", "≥": ">=", "−": "-", "’": "'", "“": '"', "”": '"', "\u00a0": " "})


def terminal(report: Report) -> str:
    """A report as text."""
    lines = [*wrapped(report.title)]
    for text in report.warning:
        lines += ["", *wrapped(f"WARNING: {text}")]
    for section in report.sections:
        if not section.folded:
            lines += _section(section)
    return "\n".join(lines).translate(PLAIN)


def _section(section: Section) -> Iterator[str]:
    if section.title:
        yield from ("", section.title.upper())
    for block in section.blocks:
        yield from _block(block)
    for part in section.parts:
        yield from _section(part)


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Pictures):
        return
    yield ""
    if isinstance(block, Table):
        yield from table_lines(block)
    elif isinstance(block, Terms):
        for term, text in block.rows:
            yield from wrapped(f"{term}. {text}", hanging="  ")
    elif isinstance(block, Points):
        for item in block.items:
            yield from wrapped(f"- {item}", hanging="  ")
    elif isinstance(block, Code):
        yield from (f"  {line}" for line in block.text.split("\n"))
    else:
        yield from wrapped(f"{block.lead} {block.text}".strip())


def wrapped(text: str, *, hanging: str = "") -> list[str]:
    """A text in lines that fit."""
    return textwrap.wrap(text, WIDE, subsequent_indent=hanging, break_long_words=False)


def table_lines(table: Table) -> Iterator[str]:
    """A table with its columns set under each other; long headings are broken at spaces."""
    rows = [row for group in table.groups for row in group.rows]
    many = len(table.columns)
    body = [max(len(row[k].text.translate(PLAIN)) for row in rows) for k in range(many)]
    heads = [
        textwrap.wrap(head, max(body[k], 10, *(min(len(word), LONGEST) for word in head.split())))
        for k, head in enumerate(table.columns)
    ]
    wide = [max(body[k], *map(len, heads[k]), 0) if heads[k] else body[k] for k in range(many)]
    if (spare := WIDE - 2 - sum(wide) - 2 * (many - 1)) < 0:
        # what does not fit is taken from the headings of the rows
        wide[0] = max(wide[0] + spare, LONGEST)
    high = max(map(len, heads))
    yield from wrapped(table.caption)
    for i in range(high):
        cells = [head[i - high + len(head)] if i >= high - len(head) else "" for head in heads]
        yield _line(cells, wide, table.words)
    for group in table.groups:
        if group.title:
            yield from textwrap.wrap(group.title, WIDE - 2, initial_indent="  ", subsequent_indent="    ")
        for row in group.rows:
            first, *more = _heading(row[0].text, wide[0])
            yield _line([first, *(cell.text if cell.rows else "" for cell in row[1:])], wide, table.words)
            yield from (f"  {text}" for text in more)
    for note in table.notes:
        yield from textwrap.wrap(note, WIDE, initial_indent="  ", subsequent_indent="  ")


def _heading(text: str, wide: int) -> list[str]:
    """The lines of a row's heading; a long path of an input is broken after a point or an underscore."""
    wrapper = textwrap.TextWrapper(wide, subsequent_indent="  ")
    wrapper.wordsep_re = re.compile(r"(\s+|(?<=[A-Za-z][._-])(?=[A-Za-z]))")
    return wrapper.wrap(text) or [""]


def _line(cells: Sequence[str], wide: Sequence[int], flush_left: Sequence[int]) -> str:
    parts = [
        cell.ljust(wide[k]) if k == 0 or k in flush_left else cell.rjust(wide[k])
        for k, cell in enumerate(cell.translate(PLAIN) for cell in cells)
    ]
    return f"  {'  '.join(parts)}".rstrip()
