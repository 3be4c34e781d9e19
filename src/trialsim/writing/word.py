"""``report.docx``: the same report as a Word file, with real headings, tables, captions and page numbers.

The same report gives the same bytes: dates are fixed, and the parts are packed in the order of their names.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trialsim.errors import OutputError
from trialsim.writing.report import (
    Block,
    Code,
    Numbered,
    Picture,
    Pictures,
    Points,
    Report,
    Section,
    Table,
    Terms,
    Words,
    unbroken,
)

if TYPE_CHECKING:
    from docx.document import Document as WordFile
    from docx.text.paragraph import Paragraph

LONG_AGO = datetime(1980, 1, 1)
"""The date of everything in the file: the earliest that a zip archive can hold."""

WIDE, NARROW = 16.6, 9.0
"""Width of figures, cm; the first is that of the text."""

INK, SOFT, WARN = "1B1D21", "54585F", "8C1D18"
"""Colours as on the page."""

MANY = 2
"""With more sections than this after the first there is a table of contents."""

NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def check_installed(name: str = "report.docx") -> None:
    """Refuse in plain words where python-docx is not installed.

    Raises:
        OutputError: it is not.
    """
    try:
        import docx  # noqa: F401
    except ImportError:
        raise OutputError(
            f"{name} needs the package python-docx, which is not installed: pip install 'trialsim[docx]'"
        ) from None


def to_docx(report: Report) -> bytes:
    """A report as the bytes of a Word file.

    Raises:
        OutputError: python-docx is not installed.
    """
    check_installed()
    import docx

    file = docx.Document()
    _style(file, report)
    writer = _Writer(file)
    file.add_paragraph(_text(report.kind), "Subtitle")
    file.add_paragraph(_text(report.title), "Title")
    for k, text in enumerate(report.warning):
        writer.warning(text, bold=k == 0)
    first, *rest = report.sections
    writer.section(first, 1)
    if report.contents and len(rest) > MANY:
        file.add_paragraph("Contents", "TOC Heading")
        for section in rest:
            writer.entry(section)
    for section in rest:
        writer.section(section, 1)
    for term, text in (*report.about, ("Made by", report.made_by)):
        writer.led(f"{term}:", text)
    packed = io.BytesIO()
    file.save(packed)
    return _same_bytes(packed.getvalue())


class _Writer:
    """Adds the parts of a report to a Word file, one after another."""

    def __init__(self, file: WordFile) -> None:
        self.file = file
        self.tables, self.figures, self.bookmarks = Numbered(), Numbered(), Numbered()

    def section(self, section: Section, level: int) -> None:
        """A heading, its blocks, its parts."""
        if section.title:
            heading = self.file.add_heading(_text(section.title), level)
            _bookmark(heading, section.key, self.bookmarks())
        for block in section.blocks:
            self.block(block)
        for part in section.parts:
            self.section(part, level + 1)

    def block(self, block: Block) -> None:
        """One block of any kind."""
        if isinstance(block, Table):
            self.table(block)
        elif isinstance(block, Pictures):
            for picture in block.pictures:
                self.picture(picture)
        elif isinstance(block, Terms):
            for term, text in block.rows:
                self.led(f"{term}.", text)
        elif isinstance(block, Points):
            for item in block.items:
                self.file.add_paragraph(_text(item), "List Bullet")
        elif isinstance(block, Code):
            self.code(block)
        else:
            self.words(block)

    def words(self, words: Words) -> None:
        """A paragraph."""
        if words.mark == "warning":
            self.warning(words.text)
        else:
            paragraph = self.led(words.lead, words.text)
            if words.mark:
                paragraph.style = "Quote"

    def led(self, lead: str, text: str) -> Paragraph:
        """A paragraph that begins in bold."""
        paragraph = self.file.add_paragraph()
        if lead:
            paragraph.add_run(_text(f"{lead} ")).bold = True
        paragraph.add_run(_text(text))
        return paragraph

    def warning(self, text: str, bold: bool = True) -> None:
        """What must not be overlooked."""
        from docx.shared import RGBColor

        run = self.file.add_paragraph().add_run(_text(text))
        run.bold = bold
        run.font.color.rgb = RGBColor.from_string(WARN)

    def code(self, code: Code) -> None:
        """Text line by line."""
        paragraph = self.file.add_paragraph(style="Code")
        for k, line in enumerate(code.text.split("\n")):
            run = paragraph.add_run(NOT_XML.sub("", line))
            if k < code.text.count("\n"):
                run.add_break()

    def entry(self, section: Section) -> None:
        """A line of the contents, leading to its section."""
        from docx.oxml.ns import qn
        from docx.oxml.parser import OxmlElement

        paragraph = self.file.add_paragraph(style="List Number")
        link: Any = OxmlElement("w:hyperlink")
        link.set(qn("w:anchor"), _place(section.key))
        link.set(qn("w:history"), "1")
        run = paragraph.add_run(_text(section.title))
        link.append(run._r)
        paragraph._p.append(link)

    def caption(self, what: str, number: int, title: str, text: str = "") -> Paragraph:
        """A caption with a number that Word keeps."""
        paragraph = self.file.add_paragraph(style="Caption")
        paragraph.add_run(f"{what} ").bold = True
        _field(paragraph, f"SEQ {what} \\* ARABIC", str(number), bold=True)
        paragraph.add_run(_text(f". {title} ")).bold = True
        paragraph.add_run(_text(text))
        return paragraph

    def picture(self, picture: Picture) -> None:
        """A figure with its alternative text and caption."""
        from docx.shared import Cm

        paragraph = self.file.add_paragraph()
        paragraph.paragraph_format.keep_with_next = True
        width = Cm(WIDE if picture.is_wide else NARROW)
        drawn = paragraph.add_run().add_picture(io.BytesIO(picture.drawing.png()), width=width)
        about = drawn._inline.docPr
        about.set("name", picture.name)
        about.set("title", _text(picture.title))
        about.set("descr", _text(picture.alt))
        self.caption("Figure", self.figures(), f"{picture.title}.", picture.caption)

    def table(self, table: Table) -> None:
        """A table with its caption above and its notes below."""
        from trialsim.writing.word_table import element

        self.caption("Table", self.tables(), f"{table.caption}.").paragraph_format.keep_with_next = True
        note = self.file.add_paragraph(_text(table.notes[0]) if table.notes else "", "Note")
        note._p.addprevious(element(table, _text))
        for text in table.notes[1:]:
            self.file.add_paragraph(_text(text), "Note")


def _bookmark(paragraph: Paragraph, name: str, number: int) -> None:
    """A place that the contents lead to."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    start: Any = OxmlElement("w:bookmarkStart")
    end: Any = OxmlElement("w:bookmarkEnd")
    start.set(qn("w:name"), _place(name))
    for mark in (start, end):
        mark.set(qn("w:id"), str(number))
    paragraph._p.insert(paragraph._p.index(paragraph.runs[0]._r), start)
    paragraph._p.append(end)


def _place(key: str) -> str:
    """A name that Word allows for a place."""
    return key.replace("-", "_")


def _field(paragraph: Paragraph, instruction: str, shown: str, *, bold: bool = False) -> None:
    """A field that Word works out, with what it shows until then."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    field: Any = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), instruction)
    run = paragraph.add_run(shown)
    run.bold = bold or None
    field.append(run._r)
    paragraph._p.append(field)


def _style(file: WordFile, report: Report) -> None:
    """Page, fonts, colours, the footer, and what the file says about itself."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt, RGBColor

    page = file.sections[0]
    page.page_width, page.page_height = Cm(21.0), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2.2)
    page.top_margin = page.bottom_margin = Cm(2.2)
    styles: Any = file.styles
    for name, based, size in (("Cell", "Normal", 8), ("Note", "Normal", 8), ("Code", "Normal", 8)):
        styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = styles[based]
        styles[name].font.size = Pt(size)
    space = {"Cell": (0, 0), "Note": (2, 10), "Code": (2, 8), "Normal": (0, 6), "Caption": (10, 3)}
    for name, (before, after) in space.items():
        form = styles[name].paragraph_format
        form.space_before, form.space_after, form.line_spacing = Pt(before), Pt(after), 1.08
    sizes = {"Normal": 10, "Caption": 9, "Title": 18, "Subtitle": 10, "Heading 1": 15, "Heading 2": 11.5}
    for name, points in {**sizes, "TOC Heading": 11.5, "Quote": 10}.items():
        _font(styles[name], points)
    styles["Code"].font.name = "Consolas"
    styles["Caption"].font.bold = False
    styles["Quote"].font.italic = False
    styles["Quote"].paragraph_format.left_indent = Cm(0.6)
    styles["Note"].font.color.rgb = RGBColor.from_string(SOFT)
    for language in styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "en-GB")
    footer = page.footer.paragraphs[0]
    footer.style = "Note"
    footer.add_run(_text(f"{report.title} · {report.made_by} · page "))
    _field(footer, "PAGE", "1")
    footer.add_run(" of ")
    _field(footer, "NUMPAGES", "1")
    about = file.core_properties
    about.title, about.subject = _text(report.title)[:255], report.kind
    about.author = about.last_modified_by = f"{report.made_by}"
    about.comments, about.language, about.revision = "", "en-GB", 1
    about.created = about.modified = LONG_AGO


def _font(style: Any, points: float) -> None:
    """Size, colour and a font that every machine has, in place of those of the theme."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    font = style.font
    font.name, font.size, font.color.rgb = "Arial", Pt(points), RGBColor.from_string(INK)
    named = style.element.rPr.rFonts
    for key in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        named.attrib.pop(qn(f"w:{key}"), None)


def _text(text: str) -> str:
    """Text as Word can hold it, with the spaces that no line may break at."""
    return NOT_XML.sub("", unbroken(text))


def _same_bytes(packed: bytes) -> bytes:
    """The archive with its parts in order of name and one date for all of them."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names: Sequence[str] = sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            entry = zipfile.ZipInfo(name, LONG_AGO.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return out.getvalue()
