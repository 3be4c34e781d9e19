"""What every figure module takes and gives back."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from trialsim.answers import to_frame
from trialsim.checks import Checks
from trialsim.designs.rules import Rules
from trialsim.engine.pictured import Pictured
from trialsim.engine.power_ledger import PowerLedgers
from trialsim.figures.style import RC
from trialsim.figures.words import clean
from trialsim.results import Results
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario
from trialsim.writing.csv import to_csv
from trialsim.writing.folder import write_files

if TYPE_CHECKING:
    import pandas as pd


DPI = 240


@dataclass(frozen=True, eq=False)
class Drawn:
    """A finished figure with the words and the data that belong to it; written out only when asked.

    Attributes:
        name: file stem, from a fixed list, never from what a user wrote.
        title: short heading for the report.
        caption: what is shown, units, what to read off; may contain a user's words, not escaped.
        alt: what the picture shows with its main numbers, for those who cannot see it.
        figure, rows: the picture, and the tidy data it was drawn from.
    """

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure
    rows: Sequence[Mapping[str, Any]]

    @property
    def frame(self) -> pd.DataFrame:
        """The data as a pandas table."""
        return to_frame(self.rows)

    @cached_property
    def columns(self) -> dict[str, list[Any]]:
        """The data column by column, as a pandas table has them, which takes a third of a second to be imported: None
        where there is no value, and whole numbers as floats beside those or other floats."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return {name: _alike([row.get(name) for row in self.rows]) for name in names}

    @cached_property
    def _svg(self) -> bytes:
        return self.drawing("svg")

    def svg(self) -> bytes:
        """The picture for a page."""
        return self._svg

    def png(self) -> bytes:
        """The picture for Word."""
        return self.drawing("png")

    def csv(self) -> str:
        """The data, to twelve significant digits."""
        rows = zip(*self.columns.values(), strict=True)
        return to_csv((dict(zip(self.columns, row, strict=True)) for row in rows), list(self.columns))

    def drawing(self, kind: str) -> bytes:
        """The picture as svg, png or pdf; the same figure gives the same bytes every time."""
        title, alt = clean(self.title), clean(self.alt)
        about: dict[str, dict[str, Any]] = {
            "svg": {"Title": title, "Description": alt, "Creator": "trialsim", "Date": None},
            "png": {"Software": None},
            "pdf": {"Title": title, "Creator": "trialsim", "Producer": None, "CreationDate": None},
        }
        how: dict[str, Any] = {"pil_kwargs": {"compress_level": 3}} if kind == "png" else {}
        written = io.BytesIO()
        # ids in the SVG are hashed with the name: several figures on one page do not share them
        with rc_context(RC | {"svg.hashsalt": f"trialsim {self.name}"}):
            self.figure.savefig(written, format=kind, dpi=DPI, metadata=about[kind], **how)
        return written.getvalue()

    def save(self, folder: Path, *, png: bool = False) -> None:
        """Write ``name.svg`` and ``name.csv``, and ``name.png`` if asked: all of them, or none."""
        contents = {".svg": self.svg(), ".csv": self.csv().encode(), **({".png": self.png()} if png else {})}
        write_files({folder / f"{self.name}{ending}": content for ending, content in contents.items()})


def _alike(values: list[Any]) -> list[Any]:
    """The values of a column."""
    found = [value.item() if isinstance(value, np.generic) else value for value in values]
    found = [None if value != value else value for value in found]  # NaN
    kinds = {type(value) for value in found}
    if kinds <= {int, float, type(None)} and kinds != {int}:
        return [None if value is None else float(value) for value in found]
    return found


@dataclass(frozen=True)
class Material:
    """Everything a figure may be drawn from; ``checks`` is None where nothing was held against an observed trial."""

    compiled: Compiled
    results: Results
    checks: Checks | None
    power: PowerLedgers
    pictured: Pictured

    @property
    def scenario(self) -> Scenario:
        """The scenario as it is stated."""
        return self.compiled.scenario

    @property
    def rules(self) -> Rules:
        """What its trial does."""
        return self.compiled.rules
