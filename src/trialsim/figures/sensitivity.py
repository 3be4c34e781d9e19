"""The pictures of sensitivity analyses: each kind of analysis to its figures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import matplotlib

from trialsim.figures import map as two_way
from trialsim.figures import sobol, sweep, tornado
from trialsim.figures.drawn import Drawn
from trialsim.figures.style import RC
from trialsim.scenario.model import Scenario
from trialsim.varying.assess import SensitivityResults
from trialsim.varying.assurance import AssuranceResult
from trialsim.varying.grids import GridResult
from trialsim.varying.thresholds import ThresholdResult
from trialsim.varying.tornado import TornadoResult


def draw(results: SensitivityResults, scenario: Scenario) -> list[tuple[int, Drawn]]:
    """(number of the analysis, figure), in order; a worst case has none.

    Names are ``kind_number``, never what a user wrote.
    """
    return [
        (k, drawer())
        for k, result in enumerate(results.analyses)
        for drawer in drawers(result, scenario, str(k + 1))
    ]


def drawers(result: Any, scenario: Scenario, number: str) -> list[Callable[[], Drawn]]:
    """What draws each figure of an analysis, to be called when it is wanted."""
    found: list[Callable[[], Drawn]] = []
    if isinstance(result, TornadoResult):
        found = [
            partial(tornado.draw, result, panel, scenario, f"tornado_{number}_{p}")
            for p, panel in enumerate(result.panels, start=1)
        ]
    elif isinstance(result, GridResult):
        one_way = len(result.axes) == 1
        drawer = sweep.draw if one_way else two_way.draw
        found = [partial(drawer, result, scenario, f"{'sweep' if one_way else 'map'}_{number}")]
    elif isinstance(result, AssuranceResult):
        found = [partial(sobol.draw, result, scenario, f"priors_{number}")]
    elif isinstance(result, ThresholdResult):
        found = [partial(sweep.draw_threshold, result, scenario, f"threshold_{number}")]
    return [partial(_styled, each) for each in found]


def _styled(drawer: Callable[[], Drawn]) -> Drawn:
    with matplotlib.rc_context(RC):
        return drawer()
