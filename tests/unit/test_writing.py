"""One report, every form: nothing is lost, nothing is taken for markup."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from html import unescape

import pytest

from trialsim.errors import OutputError
from trialsim.writing.csv import printed_tables, to_csv
from trialsim.writing.folder import write
from trialsim.writing.html import html
from trialsim.writing.latex import latex
from trialsim.writing.markdown import markdown
from trialsim.writing.numbers import Cell
from trialsim.writing.report import (
    Code,
    Group,
    Picture,
    Pictures,
    Points,
    Report,
    Table,
    Terms,
    Words,
    plain,
    section,
)
from trialsim.writing.seal import to_json
from trialsim.writing.terminal import WIDE, table_lines, terminal
from trialsim.writing.word_table import CLOSE, PADDING, TEXT_WIDTH, column_widths

NASTY = "a_b * <b>c</b> | 5% & $x$ # {d} ~ ^ \\ `e` [f](g) “h” ≤ − ± é"


@dataclass(frozen=True)
class Drawn:
    """A drawing of one square."""

    def svg(self) -> bytes:
        return b'<svg xmlns="http://www.w3.org/2000/svg" width="400pt" height="9pt"><rect width="9" height="9"/></svg>'

    def png(self) -> bytes:
        raise AssertionError("nobody asked for a Word file")

    def csv(self) -> str:
        return "x\n1\n"


def a_report() -> Report:
    """Every kind of block, with a text that every form could take for markup."""
    first = (Cell(NASTY), Cell("0.1234", 0.12341), Cell("words", rows=2))
    rows = (Group("Group one", (first, (Cell("second"), Cell("7", 7), Cell("words", rows=0)))),)
    table = Table("the-table", "A caption", ("What", "Number", "Words"), rows, ("A note.",), words=(2,))
    picture = Picture("square", "A square", "Its caption.", "The alternative text", Drawn())
    return Report(
        f"Title {NASTY}",
        "A kind of report",
        (
            section("first-page", "", Words("The answer.", "Lead.", mark="box"), table),
            section(
                "more",
                "More to read",
                Terms((("Term one", f"explained {NASTY}"),)),
                Points(("Point one", "Point two")),
                parts=[section("part", "A part", Code("line 1\n  ```line 2", "Code"))],
            ),
            section("third", "Third", Words("Third paragraph.")),
            section("folded", "Folded away", Pictures((picture,)), folded=True),
        ),
        "trialsim 9.9",
        ("Read this first.",),
        (("Digest", "sha256:00"),),
    )


TOLD = (
    "Lead.", "The answer.", "A caption", "Number", "0.1234", "second", "7", "A note.", "More to read", "Term one",
    "Point one", "Point two", "A part", "line 1", "Read this first.", "Group one",
)  # fmt: skip


def test_terminal_tells_what_is_not_folded_and_fits():
    text = terminal(a_report())
    for words in TOLD:
        assert words.lower() in text.lower()
    assert "Folded away" not in text
    assert "<b>c</b>" in text
    assert max(map(len, text.splitlines())) <= WIDE + 5


def test_a_table_keeps_its_headings_whole_where_there_is_room_and_fits_where_there_is_less():
    heads = ("Responses", "p1\u00a0=\u00a015%", "Go on", "active_dose_response", "as_observed")
    row = (Cell("7"), *(Cell(f"0.{k}234", 0.1) for k in range(4)))
    table = Table("powers", "", heads, (Group("", (row,)),))
    roomy, tight = ("\n".join(table_lines(table, wide)) for wide in (110, 50))
    assert re.split(r" {2,}", roomy.splitlines()[0].strip()) == ["Responses", "p1 = 15%", "Go on", *heads[3:]]
    assert max(map(len, tight.splitlines())) <= 50
    for part in ("p1 = 15%", "active_", "response", "observed", "0.3234"):
        assert part in tight


@pytest.mark.parametrize("wide", [60, 80])
def test_a_narrow_terminal_has_narrow_lines(wide: int) -> None:
    assert max(map(len, terminal(a_report(), wide).splitlines())) <= wide < WIDE


def test_the_page_escapes_and_has_everything():
    page = html(a_report())
    assert "<b>c</b>" not in page
    assert "&lt;b&gt;c&lt;/b&gt;" in page
    plain = unescape(re.sub(r"<[^>]+>", "", page))
    for words in (*TOLD, "Folded away", "Its caption.", "sha256:00", "trialsim 9.9"):
        assert words in plain
    assert 'alt="The alternative text"' in page
    assert '<section id="first-page">' in page
    assert "<details>" in page
    assert "<details open>" in html(a_report(), full=True)
    assert "http://" not in page


def test_a_notebook_gets_a_part_of_a_page():
    part = html(a_report(), part=True)
    assert part.startswith('<div class="trialsim">')
    assert "<html" not in part
    assert "0.1234" in part


def test_markdown_takes_nothing_for_markup():
    text = markdown(a_report())
    assert r"\<b\>c\</b\> \| 5%" in text
    assert r"\[f\](g)" in text
    assert "![The alternative text](figures/square.svg)" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    assert "````\nline 1\n  ```line 2\n````" in text


def test_latex_escapes():
    text = latex(a_report())
    assert r"a\_b * $<$b$>$c$<$/b$>$ $|$ 5\% \& \$x\$ \# \{d\}" in text
    assert text.count(r"\begin{longtable}") == text.count(r"\end{longtable}") == 1


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
def test_latex_compiles(tmp_path):
    report = replace(a_report(), sections=a_report().sections[:3])
    start = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{amsmath,booktabs,longtable,graphicx}"
    (tmp_path / "a.tex").write_text(f"{start}\n\\begin{{document}}\n{latex(report)}\\end{{document}}\n")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]


def test_tables_as_printed_carry_unrounded_numbers():
    ((name, text),) = printed_tables(a_report()).items()
    assert name == "table_01_the_table.csv"
    lines = text.splitlines()
    assert lines[0] == "group,What,Number,Words"
    assert "0.12341" in lines[1]
    assert lines[2] == "Group one,second,7,words"


def test_rows_as_csv():
    rows = [{"a": 1, "b": 0.1 + 0.2}, {"a": "=1+1", "c": True}]
    assert to_csv(rows) == "a,b,c\n1,0.3,\n'=1+1,,true\n"


def test_a_folder_is_written_whole_and_draws_only_what_is_asked_for(tmp_path):
    page = write(
        a_report(), tmp_path / "out", results=to_json({"trialsim": "9.9"}), tables={"rows": "a\n1\n"},
        texts={"scenario.yaml": "name: x\n"},
    )  # fmt: skip
    folder = page.parent
    assert sorted(path.name for path in folder.iterdir()) == [
        "environment.json", "figures", "report.html", "report.md", "results.json", "scenario.yaml", "tables",
    ]  # fmt: skip
    assert sorted(path.name for path in (folder / "figures").iterdir()) == ["square.csv", "square.svg"]
    assert sorted(path.name for path in (folder / "tables").iterdir()) == [
        "rows.csv",
        "table_01_the_table.csv",
    ]
    with pytest.raises(OutputError, match="exists"):
        write(a_report(), folder, results=b"{}", tables={}, texts={})


def test_nothing_is_left_behind_when_a_part_fails(tmp_path):
    with pytest.raises(AssertionError, match="nobody asked"):
        write(a_report(), tmp_path / "a" / "out", results=b"{}", tables={}, texts={}, docx=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("columns", [3, 10])
def test_a_column_of_a_word_file_holds_what_may_not_break(columns: int) -> None:
    """The texts in Arial of 8 points: 5.28 and 10.0 times its size, by the widths of its letters."""
    row = (
        Cell("1"),
        Cell("100\u00a0mg\u00a0BID"),
        *[Cell("no")] * (columns - 3),
        Cell("active_dose_response"),
    )
    names = ("Patient", "Dose", *["EN"] * (columns - 3), "Case")
    widths = column_widths(Table("t", "T", names, plain([row]), words=tuple(range(1, columns))))
    assert sum(widths) <= TEXT_WIDTH
    space = CLOSE if columns > 7 else PADDING
    assert widths[1] - space >= 5.28 * 160
    assert widths[-1] - space >= 10.0 * 160
