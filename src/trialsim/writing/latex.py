"""A report as LaTeX, to be pasted or \\input into a document of one's own."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.writing.report import Block, Code, Pictures, Points, Report, Section, Table, Terms

NEEDS = r"% needs \usepackage[T1]{fontenc}, \usepackage{amsmath,booktabs,longtable,graphicx}"
LEVELS = ("section*", "subsection*", "subsubsection*")

LINE = 90
"""Letters that a line of a table holds."""

ESCAPED = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$", "|": r"$|$", "≤": r"$\le$",
    "≥": r"$\ge$", "−": r"$-$", "±": r"$\pm$", "×": r"$\times$", "√": r"$\surd$", "·": r"$\cdot$", "→": r"$\to$",
    "–": "--", "’": "'", "“": "``", "”": "''", "\u00a0": "~", "\n": " ", "α": r"$\alpha$", "β": r"$\beta$",
    "γ": r"$\gamma$", "λ": r"$\lambda$", "φ": r"$\varphi$", "θ": r"$\theta$", "…": r"\ldots{}", "½": r"$1/2$",
    "‑": "-",
}  # fmt: skip
"""Characters that LaTeX would read otherwise, or that its standard fonts lack."""

_TRANSLATION = str.maketrans(ESCAPED)


def latex(report: Report, figures: str = "figures") -> str:
    """A report as LaTeX; ``figures``: the folder from which figures are taken, converted to PDF by their reader."""
    lines = [f"% {report.kind}; {report.made_by}".replace("\n", " "), NEEDS]
    lines += ["", rf"\section*{{{_text(report.title)}}}"]
    lines += [rf"\textbf{{{_text(text)}}}" for text in report.warning]
    for section in report.sections:
        lines += _section(section, 1, figures)
    return "\n".join(lines) + "\n"


def _section(section: Section, level: int, figures: str) -> Iterator[str]:
    if section.title:
        yield from ("", rf"\{LEVELS[min(level, 2)]}{{{_text(section.title)}}}")
    for block in section.blocks:
        yield ""
        yield from _block(block, figures)
    for part in section.parts:
        yield from _section(part, level + 1, figures)


def _block(block: Block, figures: str) -> Iterator[str]:
    if isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Pictures):
        for picture in block.pictures:
            yield r"\begin{figure}[htbp]\centering"
            yield rf"\includegraphics[width=\linewidth]{{{figures}/{picture.name}}}"
            yield rf"\caption{{{_text(picture.title)}. {_text(picture.caption)}}}"
            yield r"\end{figure}"
    elif isinstance(block, Terms):
        yield r"\begin{description}"
        yield from (rf"\item[{{{_text(term)}.}}] {_text(text)}" for term, text in block.rows)
        yield r"\end{description}"
    elif isinstance(block, Points):
        yield r"\begin{itemize}"
        yield from (rf"\item {_text(item)}" for item in block.items)
        yield r"\end{itemize}"
    elif isinstance(block, Code):
        yield r"\begin{quote}\small\ttfamily"
        yield from (rf"{_text(line)}\\" for line in block.text.split("\n"))
        yield r"\end{quote}"
    else:
        lead = rf"\textbf{{{_text(block.lead)}}} " if block.lead else ""
        yield f"{lead}{_text(block.text)}"


def _table(table: Table) -> Iterator[str]:
    columns = _columns(table)
    yield rf"\begin{{longtable}}{{@{{}}{''.join(columns)}@{{}}}}"
    yield rf"\caption{{{_text(table.caption)}.}}\\"
    yield r"\toprule"
    yield rf"{' & '.join(map(_text, table.columns))} \\"
    yield r"\midrule\endhead"
    for group in table.groups:
        if group.title:
            yield rf"\multicolumn{{{len(columns)}}}{{@{{}}l}}{{\textbf{{{_text(group.title)}}}}} \\"
        for row in group.rows:
            yield rf"{' & '.join(_text(cell.text) if cell.rows else '' for cell in row)} \\"
    yield r"\bottomrule"
    yield r"\end{longtable}"
    yield from (rf"{{\small {_text(note)}}}\par" for note in table.notes)


def _columns(table: Table) -> list[str]:
    """Flush left, flush right, or, where words would not fit beside each other, a share of the width."""
    left = {0, *table.words}
    longest = [
        max(map(len, (head, *(row[k].text for group in table.groups for row in group.rows))), default=1)
        for k, head in enumerate(table.columns)
    ]
    if sum(longest) + 2 * len(longest) <= LINE:
        return ["l" if k in left else "r" for k in range(len(longest))]
    there = LINE - 2 * len(longest) - sum(n for k, n in enumerate(longest) if k not in left)
    wanted = sum(min(longest[k], LINE) for k in left)
    return [
        rf"p{{{max(0.08, min(longest[k], LINE) / wanted * there / LINE):.2f}\linewidth}}"
        if k in left
        else "r"
        for k in range(len(longest))
    ]


def _text(text: str) -> str:
    return text.translate(_TRANSLATION)
