"""Replicates planned from a pilot run, so that stated Monte Carlo standard errors are reached."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

from trialsim.engine.controls import LEAST, fewest
from trialsim.engine.montecarlo import tallies
from trialsim.engine.quantities import Side
from trialsim.engine.trials import Trials
from trialsim.engine.with_twin import Sides, WithTwin, adjustments, apart, sums_of
from trialsim.errors import TrialsimError
from trialsim.given import MAX_REPLICATES
from trialsim.results import Estimate, Exact, Planned

PILOT = 20_000
"""Replicates of the pilot run, a case."""

STEP = 1_000
"""Planned replicates are a multiple of it."""


def pilot_seed(seed: int) -> int:
    """The seed of the pilot run, so that its trials are none of the run's."""
    return int.from_bytes(hashlib.sha256(f"trialsim pilot {seed}".encode("ascii")).digest()[:7], "little")


def plan(
    trials: Mapping[str, Trials],
    wanted: Mapping[str, float],
    seed: int,
    jobs: int | None = None,
    known: Mapping[str, Exact | None] = {},
) -> Planned:
    """The replicates at which every case's standard error is at most the wanted one.

    From the pilot's 95% interval of each probability the value nearest to 1/2 is taken, so that the plan errs on the
    side of too many. Where a probability is adjusted by the twin of its trials, whose answer is ``known``, the error
    is that of the adjusted number. The plan depends on scenario and seed alone; nothing of the pilot enters the
    results.

    Raises TrialsimError when more than MAX_REPLICATES would be needed.
    """
    drawn = tallies(trials, PILOT, pilot_seed(seed), jobs=jobs)
    needed = 1.0
    for case, each in trials.items():
        exact = known.get(case)
        both = each if isinstance(each, WithTwin) else None
        side, tally = (both.one if both else Side.of(each)), apart({case: drawn[case]})
        values = side.simulated(tally[case]).values
        counted = Sides.of(both.one, both.twin, case, tally) if both and exact else None
        for name, mcse in wanted.items():
            estimate = values[name]
            p = min(max(0.5, estimate.low), estimate.high)
            replicates = p * (1 - p) / mcse**2
            if counted and exact and (fewer := _adjusted(counted, name, estimate, mcse, exact)):
                replicates = min(fewer, replicates)
            if replicates > MAX_REPLICATES:
                raise TrialsimError(
                    f"simulation.precision.{name} = {mcse:g}: case {case} would need {replicates:,.0f} replicates, "
                    f"more than {MAX_REPLICATES:,}; {mcse * math.sqrt(replicates / MAX_REPLICATES):.2g} is possible"
                )
            needed = max(needed, replicates)
    return Planned(dict(wanted), PILOT, math.ceil(needed / STEP) * STEP)


def _adjusted(counted: Sides, name: str, plain: Estimate, mcse: float, exact: Exact) -> float | None:
    """The replicates at which the adjusted number has the wanted error; None where it may not be adjusted.

    What is left of its variance comes from the trials that differ from their twins. The pilot's number of them varies
    as a count does, so that twice its relative error is added. A run must have twice the events that an adjusted number
    takes, or the plain one might be given for want of a few.
    """
    found = adjustments(counted, {name: plain}, exact.values)[name]
    known = sums_of(counted, name, exact.values)
    if found.plain_because or known is None:
        return None
    sums, _ = known
    differ = counted.replicates if sums.apart is None else sums.apart
    replicates = (1 + 2 / math.sqrt(differ)) * counted.replicates * (found.mcse / mcse) ** 2
    return max(replicates, 2 * LEAST * counted.replicates / min(fewest(sums), differ))
