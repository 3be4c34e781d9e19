"""Tables of ``report.docx``, written as Word's own markup: columns as wide as what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from trialsim.writing.numbers import Cell
from trialsim.writing.report import Row, Table

TEXT_WIDTH = 9410
"""Width of the text, twentieths of a point (16.6 cm)."""

PADDING, CLOSE = 190, 110
"""Space between columns, and where there are many of them, twentieths of a point."""

EM, BOLD, SLACK = 160, 1.08, 1.06
"""The size of the letters, twentieths of a point; how much wider bold ones are, and a column than its text."""

WIDTHS = {**dict.fromkeys("mwMW%@–", 0.86), **dict.fromkeys(" \u00a0.,:;()[]/|'’!ijltfr-I", 0.32)}
"""Widths of letters in Arial, in parts of their size: the wide and the narrow ones; others are 0.56, capitals 0.7."""

LONGEST, LEAST = 3800, 2200
"""Width after which a cell of words may break, and to which a long word may have to, twentieths of a point."""

KEPT = 20
"""Rows a table may have and still be kept on one page."""

LOUD = {"outside", "mild-tension", "tension", "strong-conflict", "warn"}
"""Marks of cells that are set in bold."""

INK, HAIR, FAINT = "1B1D21", "C9CCD1", "F0F1F3"

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def element(table: Table, clean: Callable[[str], str]) -> Any:
    """The table as an XML element; ``clean`` makes a text one that Word can hold."""
    from docx.oxml.parser import parse_xml

    return parse_xml("".join(_markup(table, clean)))


def _markup(table: Table, clean: Callable[[str], str]) -> Iterator[str]:
    widths = column_widths(table)
    lines = "".join(
        f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="{colour}"/>'
        for side, size, colour in (("top", 8, INK), ("bottom", 8, INK), ("insideH", 4, HAIR))
    )
    half = _padding(table) // 2
    yield (
        f"<w:tbl {NAMESPACE}><w:tblPr>"
        f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>{lines}</w:tblBorders><w:tblLayout w:type="fixed"/>'
        f'<w:tblCellMar><w:left w:w="{half}" w:type="dxa"/><w:right w:w="{half}" w:type="dxa"/></w:tblCellMar>'
        '<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="1" '
        f'w:noVBand="1"/><w:tblCaption w:val="{escape(clean(table.caption))}"/></w:tblPr><w:tblGrid>'
    )
    yield "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    yield "</w:tblGrid>"
    heads = tuple(Cell(clean(head)) for head in table.columns)
    yield _row(heads, widths, table.words, clean, header=True, keep=True)
    count = sum(len(group.rows) + bool(group.title) for group in table.groups)
    whole = count <= KEPT
    done = 0
    for group in table.groups:
        if group.title:
            done += 1
            yield _title(group.title, len(widths), sum(widths), clean)
        for row in group.rows:
            done += 1
            yield _row(row, widths, table.words, clean, keep=whole and done < count)
    yield "</w:tbl>"


def _row(
    row: Row,
    widths: list[int],
    words: tuple[int, ...],
    clean: Callable[[str], str],
    *,
    header: bool = False,
    keep: bool = False,
) -> str:
    """One row, never broken by a page; the header row is repeated on every page."""
    cells = []
    for k, (cell, width) in enumerate(zip(row, widths, strict=True)):
        about = f'<w:tcW w:w="{width}" w:type="dxa"/>'
        if cell.rows != 1:
            about += '<w:vMerge w:val="restart"/>' if cell.rows else "<w:vMerge/>"
        if header:
            about += f'<w:shd w:val="clear" w:color="auto" w:fill="{FAINT}"/>'
        text = "" if cell.rows == 0 else clean(cell.text)
        right = k > 0 and k not in words
        cells.append(_cell(about, text, bold=header or cell.mark in LOUD, right=right, keep=keep))
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if header else ''}</w:trPr>{''.join(cells)}</w:tr>"


def _title(title: str, columns: int, width: int, clean: Callable[[str], str]) -> str:
    """A row that is the heading of a group."""
    about = f'<w:tcW w:w="{width}" w:type="dxa"/><w:gridSpan w:val="{columns}"/>'
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{_cell(about, clean(title), bold=True, keep=True)}</w:tr>"


def _cell(about: str, text: str, *, bold: bool = False, right: bool = False, keep: bool = False) -> str:
    form = (
        '<w:pStyle w:val="Cell"/>'
        + ("<w:keepNext/>" if keep else "")
        + ('<w:jc w:val="right"/>' if right else "")
    )
    run = (
        f'<w:r>{"<w:rPr><w:b/></w:rPr>" if bold else ""}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    )
    return f"<w:tc><w:tcPr>{about}</w:tcPr><w:p><w:pPr>{form}</w:pPr>{run if text else ''}</w:p></w:tc>"


def _padding(table: Table) -> int:
    return CLOSE if table.is_dense else PADDING


def _wide(text: str, *, bold: bool = False) -> float:
    """Width of a text, twentieths of a point."""
    ems = sum(WIDTHS.get(letter, 0.7 if letter.isupper() else 0.56) for letter in text)
    return ems * EM * (BOLD if bold else 1)


def column_widths(table: Table) -> list[int]:
    """Widths of the columns: what each needs, and where that is more than there is, less for the columns of words."""
    padding = _padding(table)
    wanted: list[float] = []
    least: list[float] = []
    for k, head in enumerate(table.columns):
        texts = [row[k].text for group in table.groups for row in group.rows]
        # at a no-break space no line breaks
        words = [_wide(word) for text in texts for word in text.split(" ")]
        word = max([*words, *(_wide(word, bold=True) for word in head.split(" ")), 2 * EM])
        longest = max(map(_wide, texts), default=0.0)
        of_words = k in (0, *table.words)
        wanted.append(max(min(longest, LONGEST) if of_words else longest, word))
        least.append(min(word, LEAST) if of_words else wanted[-1])
    there = TEXT_WIDTH - padding * len(wanted)
    give = sum(w - m for w, m in zip(wanted, least, strict=True))
    share = min(1.0, max(0.0, sum(wanted) - there) / give) if give else 0.0
    narrowed = [w - share * (w - m) for w, m in zip(wanted, least, strict=True)]
    fill = min(SLACK, there / sum(narrowed))
    return [int(fill * width) + padding for width in narrowed]
