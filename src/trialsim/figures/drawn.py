"""What every figure module takes and gives back."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.figure import Figure

from trialsim.checks import Checks
from trialsim.designs.rules import Rules
from trialsim.engine.curves import Curves
from trialsim.figures.ranges import Ranges
from trialsim.figures.style import RC
from trialsim.figures.words import clean
from trialsim.results import Results
from trialsim.scenario.model import Scenario

if TYPE_CHECKING:
    import pandas as pd

DPI = 240


@dataclass(frozen=True)
class Drawn:
    """A finished figure with the words and the data that belong to it.

    Attributes
    ----------
    name : file stem, from a fixed list, never from what a user wrote.
    title : short heading for the report.
    caption : what is shown, units, what to read off; may contain a user's words, not escaped.
    alt : what the picture shows with its main numbers, for those who cannot see it.
    figure, frame : the picture, and the tidy data it was drawn from.
    """

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure
    frame: pd.DataFrame

    def svg(self) -> bytes:
        """For a page; the same figure gives the same bytes every time."""
        about = {
            "Title": clean(self.title),
            "Description": clean(self.alt),
            "Creator": "trialsim",
            "Date": None,
        }
        # ids in the SVG are hashed with the name: several figures on one page do not share them
        return self._saved("svg", metadata=about)

    def png(self) -> bytes:
        """For a Word file."""
        return self._saved("png", dpi=DPI, metadata={"Software": None}, pil_kwargs={"compress_level": 3})

    def csv(self) -> str:
        """The numbers that it shows."""
        text: str = self.frame.to_csv(index=False, float_format="%.12g", lineterminator="\n")
        return text

    def _saved(self, form: str, **how: Any) -> bytes:
        out = io.BytesIO()
        with matplotlib.rc_context(RC | {"svg.hashsalt": f"trialsim {self.name}"}):
            self.figure.savefig(out, format=form, **how)
        return out.getvalue()


@dataclass(frozen=True)
class Material:
    """Everything a figure may be drawn from, computed once for all of them."""

    scenario: Scenario
    results: Results
    checks: Checks | None
    rules: Rules
    ranges: Ranges
    curves: Curves
    seed: int
