"""The monitoring aids on the terminal, in characters that every terminal has."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from trialsim.monitoring.aids import Aids
from trialsim.reporting import monitor_words as words
from trialsim.writing.report import Table

WIDE = 100
LONGEST = 20
"""Longest word of a heading that is not broken."""

PLAIN = str.maketrans({"–": "-", "≤": "<=", "≥": ">=", "−": "-", "’": "'", "“": '"', "”": '"', "\u00a0": " "})


def text(aids: Aids) -> str:
    """Decision table, toxicity boundary, who is counted, powers, and the trial as it stands."""
    lines = [aids.scenario.name, f"Decision table: {aids.scenario.endpoint}", words.design_words(aids)]
    lines += _wrapped([words.assumed_words(aids)])
    tables = [words.decisions(aids.table), words.boundary(aids.table)]
    for table in tables:
        lines += _table(table)
    lines += [
        "",
        *_wrapped(
            [*words.toxicity_words(aids), *words.counted_words(aids), f"Convention: {words.convention()}"]
        ),
    ]
    for n in aids.looks_shown:
        lines += _table(words.power(aids, n))
    if aids.present is not None:
        lines += ["", *_wrapped([f"Now: {words.present_words(aids, aids.present)}"])]
        lines += _table(words.present_table(aids, aids.present))
    if aids.counts or aids.present:
        lines += ["", *_wrapped(words.power_notes(aids))]
    return "\n".join(lines).translate(PLAIN)


def _wrapped(sentences: Sequence[str]) -> list[str]:
    return [line for s in sentences if s for line in textwrap.wrap(s, WIDE, subsequent_indent="  ")]


def _table(table: Table) -> Iterator[str]:
    """A table with its columns set under each other; long headings broken at spaces."""
    if table.is_empty:
        return
    rows = [row for group in table.groups for row in group.rows]
    many = len(table.columns)
    body = [max(len(row[k].text) for row in rows) for k in range(many)]
    heads = [
        textwrap.wrap(head, max(body[k], 10, *(min(len(word), LONGEST) for word in head.split())))
        for k, head in enumerate(table.columns)
    ]
    wide = [max(body[k], *map(len, heads[k]), 0) if heads[k] else body[k] for k in range(many)]
    high = max(map(len, heads))
    yield ""
    yield from textwrap.wrap(table.caption, WIDE)
    for i in range(high):
        cells = [head[i - high + len(head)] if i >= high - len(head) else "" for head in heads]
        yield _line(cells, wide, table.words)
    for group in table.groups:
        if group.title:
            yield from textwrap.wrap(group.title, WIDE - 2, initial_indent="  ", subsequent_indent="    ")
        for row in group.rows:
            yield _line([cell.text for cell in row], wide, table.words)
    for note in table.notes:
        yield from textwrap.wrap(note, WIDE, initial_indent="  ", subsequent_indent="  ")


def _line(cells: Sequence[str], wide: Sequence[int], flush_left: Sequence[int]) -> str:
    parts = [
        cell.ljust(wide[k]) if k == 0 or k in flush_left else cell.rjust(wide[k])
        for k, cell in enumerate(cells)
    ]
    return f"  {'  '.join(parts)}".rstrip()
