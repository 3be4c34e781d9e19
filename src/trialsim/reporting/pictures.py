"""Figures as a report shows them, drawn only when somebody asks for what is in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from trialsim.writing.report import Picture

if TYPE_CHECKING:
    from trialsim.figures.drawn import Drawn


@dataclass(frozen=True)
class Drawing:
    """The forms of a finished figure."""

    drawn: Drawn

    @cached_property
    def _forms(self) -> dict[str, bytes]:
        from trialsim.figures import save

        with TemporaryDirectory() as folder:
            save(self.drawn, Path(folder))
            return {path.suffix: path.read_bytes() for path in Path(folder).iterdir()}

    def svg(self) -> bytes:
        """For a page."""
        return self._forms[".svg"]

    def png(self) -> bytes:
        """For a Word file."""
        return self._forms[".png"]

    def csv(self) -> str:
        """The numbers that it shows."""
        return self._forms[".csv"].decode()


class Undrawn(Picture):
    """A picture whose words and drawing are made together, the first time that one of them is asked for.

    So a terminal, which shows no figures, does not wait for them.
    """

    def __init__(self, draw: Callable[[], Drawn]) -> None:
        object.__setattr__(self, "_draw", draw)

    def __getattr__(self, name: str) -> Any:
        if name not in self.__dataclass_fields__:
            raise AttributeError(name)
        drawn = self._draw()
        words = {each: getattr(drawn, each) for each in ("name", "title", "caption", "alt")}
        self.__dict__.update(words, drawing=Drawing(drawn))
        return self.__dict__[name]
