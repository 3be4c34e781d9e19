"""The pictures of sensitivity analyses: each kind of analysis to its figures."""

from __future__ import annotations

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
    found: list[tuple[int, Drawn]] = []
    with matplotlib.rc_context(RC):
        for k, result in enumerate(results.analyses):
            number = k + 1
            if isinstance(result, TornadoResult):
                for p, panel in enumerate(result.panels, start=1):
                    found.append((k, tornado.draw(result, panel, scenario, f"tornado_{number}_{p}")))
            elif isinstance(result, GridResult):
                picture = sweep if len(result.axes) == 1 else two_way
                found.append(
                    (k, picture.draw(result, scenario, f"{'sweep' if picture is sweep else 'map'}_{number}"))
                )
            elif isinstance(result, AssuranceResult):
                found.append((k, sobol.draw(result, scenario, f"priors_{number}")))
            elif isinstance(result, ThresholdResult):
                found.append((k, sweep.draw_threshold(result, scenario, f"threshold_{number}")))
    return found
