"""What every figure module takes and gives back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from trialsim.checks import Checks
from trialsim.designs.rules import Rules
from trialsim.engine.curves import Curves
from trialsim.figures.ranges import Ranges
from trialsim.results import Results
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario

if TYPE_CHECKING:
    import pandas as pd


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

    @cached_property
    def trial(self) -> Compiled:
        """The scenario compiled."""
        return Compiled(self.scenario, self.rules)
