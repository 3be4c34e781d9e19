"""A report as one self-contained page: nothing in it is fetched, and everything that a user wrote is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from trialsim.writing.report import (
    Code,
    Numbered,
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
    from jinja2 import Environment

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
    context = {"report": report, "full": full, "part": part, **_told()}
    return _environment().get_template("page.html").render(context).strip() + "\n"


def fragments(sections: Iterable[Section]) -> list[str]:
    """What stands inside each section of one answer, without a page or style around it.

    Tables are numbered through; no heading has an id, as a page may show many answers.
    """
    inside = _environment().get_template("blocks.html").make_module(_told()).inside  # type: ignore[attr-defined]
    return [inside(section, anchors=False).strip() for section in sections]


def fragment(section: Section) -> str:
    """The same of an answer of one section."""
    return fragments([section])[0]


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trialsim.writing", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["nb"] = unbroken
    return environment


def _told() -> dict[str, Any]:
    """What the template asks for besides the report."""
    return {
        "kind_of": lambda block: KINDS[type(block)],
        "table_number": Numbered(),
        "figure_number": Numbered(),
    }
