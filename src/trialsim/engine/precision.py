"""Replicates planned from a pilot run, so that stated Monte Carlo standard errors are reached."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

from trialsim.engine.montecarlo import tallies
from trialsim.engine.quantities import Side
from trialsim.engine.trials import Trials
from trialsim.errors import TrialsimError
from trialsim.given import MAX_REPLICATES
from trialsim.results import Planned

PILOT = 20_000
"""Replicates of the pilot run, a case."""

STEP = 1_000
"""Planned replicates are a multiple of it."""


def pilot_seed(seed: int) -> int:
    """The seed of the pilot run, so that its trials are none of the run's."""
    return int.from_bytes(hashlib.sha256(f"trialsim pilot {seed}".encode("ascii")).digest()[:7], "little")


def plan(
    trials: Mapping[str, Trials], wanted: Mapping[str, float], seed: int, jobs: int | None = None
) -> Planned:
    """The replicates at which every case's standard error is at most the wanted one.

    From the pilot's 95% interval of each probability the value nearest to 1/2 is taken, so that the plan errs on the
    side of too many. The plan depends on scenario and seed alone; nothing of the pilot enters the results.

    Raises TrialsimError when more than MAX_REPLICATES would be needed.
    """
    drawn = tallies(trials, PILOT, pilot_seed(seed), jobs=jobs)
    needed = 1.0
    for case, tally in drawn.items():
        values = Side.of(trials[case]).simulated(tally).values
        for name, mcse in wanted.items():
            estimate = values[name]
            p = min(max(0.5, estimate.low), estimate.high)
            replicates = p * (1 - p) / mcse**2
            if replicates > MAX_REPLICATES:
                raise TrialsimError(
                    f"simulation.precision.{name} = {mcse:g}: case {case} would need {replicates:,.0f} replicates, "
                    f"more than {MAX_REPLICATES:,}; {math.sqrt(p * (1 - p) / MAX_REPLICATES):.2g} is possible"
                )
            needed = max(needed, replicates)
    return Planned(dict(wanted), PILOT, math.ceil(needed / STEP) * STEP)
