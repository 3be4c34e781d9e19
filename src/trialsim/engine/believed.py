"""What ``history`` and ``prior`` make of one case, as operating characteristics: for what-ifs and sensitivity.

As conducted, with every outcome known at once, wherever the scenario has a calendar or not.
"""

from __future__ import annotations

from trialsim.engine.along_rates import go_along, groups_of, why_not
from trialsim.engine.bayesian import over_prior
from trialsim.quantities import quantity_names
from trialsim.scenario.compiled import Compiled

OF_HISTORY = quantity_names(0, needs=("history",))
OF_PRIOR = quantity_names(0, needs=("prior",))


def believed(trial: Compiled, case: str) -> dict[str, float]:
    """The quantities that follow from the scenario's history and prior; those that do not exist are left out."""
    found: dict[str, float | None] = {}
    if (history := trial.scenario.history) is not None and not why_not(trial):
        (group,) = (each for each in groups_of(trial) if case in each.cases)
        go, _, _ = go_along(trial, group)
        found["mean_type_i_error"] = go.mean(history.distribution)
    if (over := over_prior(trial)) is not None:
        for of, numbers in over.conducted:
            if of is None or case in of.cases:
                found |= {name: getattr(numbers, name) for name in OF_PRIOR}
    return {name: value for name, value in found.items() if value is not None}
