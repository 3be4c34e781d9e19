"""A report as one self-contained page: nothing in it is fetched, and everything that a user wrote is escaped."""

from __future__ import annotations

from trialsim.writing.report import (
    Code,
    Numbered,
    Pictures,
    Points,
    Report,
    Table,
    Terms,
    Words,
    unbroken,
)

KINDS = {
    Words: "words",
    Terms: "terms",
    Points: "points",
    Code: "code",
    Pictures: "pictures",
    Table: "table",
}
"""Type of a block -> the name of its macro in the template."""


def html(report: Report, *, full: bool = False, part: bool = False) -> str:
    """A report as a page.

    Args:
        full: whether sections that open on demand stand open, so that they are printed.
        part: only what stands inside the page, its style included, to be shown by a notebook.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trialsim.writing", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["nb"] = unbroken
    context = {
        "report": report,
        "full": full,
        "part": part,
        "kind_of": lambda block: KINDS[type(block)],
        "table_number": Numbered(),
        "figure_number": Numbered(),
    }
    return environment.get_template("page.html").render(context).strip() + "\n"
