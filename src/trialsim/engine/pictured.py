"""Every number that the figures of a run show beyond its results and checks, worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trialsim.engine.as_conducted import Along, AsConducted, as_conducted
from trialsim.engine.boundary_runs import BoundaryRuns, boundary_runs
from trialsim.engine.curves import Curves, HeatMap, curves, heat_map
from trialsim.engine.over_time import OverTime, over_time
from trialsim.engine.ranges import Ranges, ranges
from trialsim.engine.threads import side_by_side
from trialsim.engine.waiting import Waiting, waiting_cost
from trialsim.results import Results
from trialsim.scenario.compiled import Compiled


@dataclass(frozen=True)
class Pictured:
    """What figures draw; None or empty where a scenario has no such thing.

    ``seed`` is that of every simulated number here; ``over_time`` goes by case.
    """

    seed: int
    ranges: Ranges
    curves: Curves
    as_conducted: AsConducted
    heat_map: HeatMap | None
    boundary_runs: BoundaryRuns | None
    over_time: dict[str, OverTime]
    waiting: tuple[Waiting, ...]

    @property
    def conducted(self) -> tuple[Along, ...]:
        """P(go) along response rates: the trial as conducted first."""
        return self.as_conducted.curves(self.curves)


def pictured(
    trial: Compiled, results: Results, *, seed: int | None = None, jobs: int | None = None
) -> Pictured:
    """Work out the numbers of every figure of a run.

    Args:
        results: of this scenario; where it has no simulated side, nothing is shown that only simulation gives.
        seed: of what is simulated here; default that of the results, else of the scenario.
        jobs: threads; default all processors. No number depends on it.
    """
    if seed is None:
        seed = trial.scenario.simulation.seed if results.seed is None else results.seed
    shown, chosen = ranges(trial), seed
    replicates = results.replicates or trial.scenario.simulation.replicates
    # the longest first
    parts: dict[str, Any] = {
        "heat_map": lambda: heat_map(trial, shown.response, shown.toxicity),
        "waiting": lambda: waiting_cost(trial, chosen, results.replicates or 0),
        "curves": lambda: curves(
            trial,
            between=shown.response,
            marked=shown.marked,
            rates=shown.simulated,
            replicates=replicates,
            seed=chosen,
        ),
        "over_time": lambda: over_time(trial, chosen) if results.replicates else {},
        "as_conducted": lambda: as_conducted(trial, results, shown, replicates, chosen),
        "boundary_runs": lambda: boundary_runs(trial, chosen),
    }
    found = side_by_side(parts.values(), jobs)
    return Pictured(seed, shown, **dict(zip(parts, found, strict=True)))
