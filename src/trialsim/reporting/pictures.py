"""Figures as a report shows them, and as results.json keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialsim.results import digits12
from trialsim.writing.report import Picture

if TYPE_CHECKING:
    from trialsim.figures.drawn import Drawn


def picture(drawn: Drawn) -> Picture:
    """A figure with its words."""
    return Picture(drawn.name, drawn.title, drawn.caption, drawn.alt, drawn)


def figure_content(drawn: Drawn) -> dict[str, Any]:
    """The words of a figure and the numbers that it shows, column by column; None where there is none."""
    frame = drawn.frame.astype(object).where(drawn.frame.notna(), None)
    data = {str(name): digits12(frame[name].tolist()) for name in frame.columns}
    words = {"name": drawn.name, "title": drawn.title, "caption": drawn.caption, "alt": drawn.alt}
    return {**words, "data": data}
