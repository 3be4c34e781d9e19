"""Whose sheet is asked for: that of the whole trial, or of a cohort by itself."""

from __future__ import annotations

from trialsim.errors import DesignError
from trialsim.scenario.compiled import Compiled


def asked_for(trial: Compiled, cohort: str | None) -> Compiled:
    """The trial that a sheet is made of: the whole, or that of a cohort by itself."""
    scenario, names = trial.scenario, ", ".join(trial.cohorts)
    if cohort is None:
        if scenario.designs:
            raise DesignError(
                f"`cohorts.designs`: cohorts have designs of their own; name the one whose sheet is wanted with "
                f"--cohort ({names})"
            )
        return trial
    if not scenario.apart:
        raise DesignError(
            f"--cohort {cohort}: a cohort has a sheet of its own only where cohorts share nothing (`monitor: own`)"
        )
    if cohort not in trial.cohorts:
        raise DesignError(f"--cohort {cohort}: no such cohort (those are: {names})")
    one = trial.of_cohort(cohort)
    return Compiled(one.scenario.model_copy(update={"name": f"{scenario.name}, cohort {cohort}"}), one.rules)
