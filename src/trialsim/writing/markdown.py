"""A report as Markdown, with tables as GitHub and pandoc read them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trialsim.writing.report import Block, Code, Numbered, Pictures, Points, Report, Section, Table, Terms

SPECIAL = re.compile(r"([\\`*_\[\]<>#|])")


def markdown(report: Report, figures: str = "figures") -> str:
    """A report as Markdown; ``figures``: the folder that has its figures as SVG, beside the text."""
    writer = _Writer(figures)
    lines = [f"# {_text(report.title)}", "", f"*{_text(report.kind)}*"]
    for text in report.warning:
        lines += ["", f"> **{_text(text)}**"]
    for section in report.sections:
        lines += writer.section(section, 2)
    lines += ["", "---", ""]
    lines += [f"{_text(what)}: {_text(text)}  " for what, text in report.about]
    lines.append(f"Made by {_text(report.made_by)}")
    return "\n".join(lines) + "\n"


class _Writer:
    def __init__(self, figures: str) -> None:
        self.figures = figures
        self.tables, self.pictures = Numbered(), Numbered()

    def section(self, section: Section, level: int) -> Iterator[str]:
        """A heading, its blocks, its parts."""
        if section.title:
            yield from ("", f"{'#' * level} {_text(section.title)}")
        for block in section.blocks:
            yield ""
            yield from self.block(block)
        for part in section.parts:
            yield from self.section(part, level + 1)

    def block(self, block: Block) -> Iterator[str]:
        """One block of any kind."""
        if isinstance(block, Table):
            yield from self.table(block)
        elif isinstance(block, Pictures):
            for picture in block.pictures:
                yield f"![{_text(picture.alt)}]({self.figures}/{picture.name}.svg)"
                yield ""
                title = f"**Figure {self.pictures()}. {_text(picture.title)}.**"
                yield f"{title} {_text(picture.caption)}".rstrip()
                yield ""
        elif isinstance(block, Terms):
            for term, text in block.rows:
                yield f"- **{_text(term)}.** {_text(text)}"
        elif isinstance(block, Points):
            yield from (f"- {_text(item)}" for item in block.items)
        elif isinstance(block, Code):
            longest = max((len(ticks) for ticks in re.findall("`+", block.text)), default=0)
            fence = "`" * max(3, longest + 1)
            yield from (fence, block.text, fence)
        else:
            lead = f"**{_text(block.lead)}** " if block.lead else ""
            yield f"{'> ' if block.mark else ''}{lead}{_text(block.text)}"

    def table(self, table: Table) -> Iterator[str]:
        """A table; a heading of a group of rows is a row of its own."""
        yield f"**Table {self.tables()}.** {_text(table.caption)}."
        yield ""
        yield f"| {' | '.join(_text(head) or ' ' for head in table.columns)} |"
        left = {0, *table.words}
        yield f"|{'|'.join(':--' if k in left else '--:' for k in range(len(table.columns)))}|"
        for group in table.groups:
            if group.title:
                yield f"| **{_text(group.title)}** |{' |' * (len(table.columns) - 1)}"
            for row in group.rows:
                yield f"| {' | '.join(_text(cell.text) if cell.rows else '' for cell in row)} |"
        for note in table.notes:
            yield from ("", _text(note))


def _text(text: str) -> str:
    """Text in which nothing is taken for Markdown."""
    return SPECIAL.sub(r"\\\1", text.replace("\n", " "))
