"""A report as text for a terminal: what is not folded away, without its figures, in characters every terminal has."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from trialsim.writing.report import Block, Code, Pictures, Points, Report, Section, Table, Terms

LEAST_WIDE, WIDE = 60, 110
LONGEST = 20
"""Longest word of a heading that is not broken."""
LEAST = (10, 7)
"""Widths at which the headings of columns are broken at the least, tried until a table fits; at the last one the name
of a case is broken behind an underscore too."""
WORD, PART = re.compile(r"[^ ]+"), re.compile(r"[^ _]+_?")

SIGNS = str.maketrans({"–": "-", "≤": "<=", "≥": ">=", "−": "-", "’": "'", "“": '"', "”": '"'})
"""Signs in ASCII, which may be longer: before lines are broken."""
PLAIN = SIGNS | {ord("\u00a0"): " "}


def terminal(report: Report, wide: int = WIDE) -> str:
    """A report as text, in lines of at most ``wide`` characters but for a table that does not fit."""
    lines = [*wrapped(report.title, wide)]
    for text in report.warning:
        lines += ["", *wrapped(f"WARNING: {text}", wide)]
    for section in report.sections:
        if not section.folded:
            lines += _section(section, wide)
    return "\n".join(lines).translate(PLAIN)


def _section(section: Section, wide: int) -> Iterator[str]:
    # a terminal shows no pictures
    if section.title and (section.parts or not all(isinstance(block, Pictures) for block in section.blocks)):
        yield from ("", section.title.upper())
    for block in section.blocks:
        yield from _block(block, wide)
    for part in section.parts:
        yield from _section(part, wide)


def _block(block: Block, wide: int) -> Iterator[str]:
    if isinstance(block, Pictures):
        return
    yield ""
    if isinstance(block, Table):
        yield from table_lines(block, wide)
    elif isinstance(block, Terms):
        for term, text in block.rows:
            yield from wrapped(f"{term}. {text}", wide, hanging="  ")
    elif isinstance(block, Points):
        for item in block.items:
            yield from wrapped(f"- {item}", wide, hanging="  ")
    elif isinstance(block, Code):
        yield from (f"  {line}" for line in block.text.split("\n"))
    else:
        yield from wrapped(f"{block.lead} {block.text}".strip(), wide)


def wrapped(text: str, wide: int, *, hanging: str = "") -> list[str]:
    """A text in lines that fit."""
    return textwrap.wrap(text.translate(SIGNS), wide, subsequent_indent=hanging, break_long_words=False)


def table_lines(table: Table, fits: int) -> Iterator[str]:
    """A table with its columns set under each other; headings are broken as narrowly as it takes to fit."""
    rows = [row for group in table.groups for row in group.rows]
    many = len(table.columns)
    body = [max(len(row[k].text.translate(PLAIN)) for row in rows) for k in range(many)]
    room = fits - 2 - 2 * (many - 1)
    for least in LEAST:
        heads = [_broken(head.translate(SIGNS), max(body[k], least)) for k, head in enumerate(table.columns)]
        wide = [max(body[k], *map(len, heads[k]), 0) for k in range(many)]
        if sum(wide) <= room:
            break
    else:
        # what does not fit is taken from the headings of the rows
        wide[0] = min(wide[0], max(wide[0] + room - sum(wide), LONGEST))
    high = max(map(len, heads))
    yield from wrapped(table.caption, fits)
    for i in range(high):
        cells = [head[i - high + len(head)] if i >= high - len(head) else "" for head in heads]
        yield _line(cells, wide, table.words)
    for group in table.groups:
        if group.title:
            yield from textwrap.wrap(
                group.title.translate(SIGNS), fits - 2, initial_indent="  ", subsequent_indent="    "
            )
        for row in group.rows:
            first, *more = _heading(row[0].text.translate(SIGNS), wide[0])
            yield _line([first, *(cell.text if cell.rows else "" for cell in row[1:])], wide, table.words)
            yield from (f"  {text}" for text in more)
    for note in table.notes:
        yield from textwrap.wrap(note.translate(SIGNS), fits, initial_indent="  ", subsequent_indent="  ")


def _broken(head: str, least: int) -> list[str]:
    """The lines of a column's heading: no narrower than its longest word, and in a tight place than the parts of it."""
    words = (PART if least == LEAST[-1] else WORD).findall(head)
    wide = max(least, *(min(len(word), LONGEST) for word in words), 1)
    wrapper = textwrap.TextWrapper(wide)
    if least == LEAST[-1]:
        wrapper.wordsep_re = re.compile(r"( +|(?<=\w[_-])(?=\w))")
    return wrapper.wrap(head)


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
