"""Figures as a report shows them, and as results.json keeps them; drawn when somebody asks for what is in them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from trialsim.results import digits12
from trialsim.writing.report import Picture

if TYPE_CHECKING:
    from trialsim.figures.drawn import Drawn


class Undrawn(Picture):
    """A picture whose words and drawing are made together, the first time that one of them is asked for.

    So a terminal, which shows no figures, does not wait for them.
    """

    def __init__(self, draw: Callable[[], Drawn | None]) -> None:
        object.__setattr__(self, "_draw", draw)

    def __getattr__(self, name: str) -> Any:
        if name not in self.__dataclass_fields__:
            raise AttributeError(name)
        drawn = self._draw()
        words = {each: getattr(drawn, each) for each in ("name", "title", "caption", "alt")}
        self.__dict__.update(words, drawing=drawn)
        return self.__dict__[name]


def undrawn(figure: str, *given: Any, **options: Any) -> Undrawn:
    """The figure of this name (`trialsim.figures.NAME`); its module, and matplotlib, are loaded when it is drawn."""
    return Undrawn(lambda: import_module(f"trialsim.figures.{figure}").draw(*given, **options))


def picture(drawn: Drawn) -> Picture:
    """A figure with its words."""
    return Picture(drawn.name, drawn.title, drawn.caption, drawn.alt, drawn)


def figure_content(drawn: Drawn) -> dict[str, Any]:
    """The words of a figure and the numbers that it shows, column by column; None where there is none."""
    data = {name: digits12(column) for name, column in drawn.columns.items()}
    words = {"name": drawn.name, "title": drawn.title, "caption": drawn.caption, "alt": drawn.alt}
    return {**words, "data": data}
