"""One scenario under the truth of another: its own design, rules and conduct, the other's cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialsim.errors import TrialsimError
from trialsim.scenario.changes import ChangeError, changed
from trialsim.scenario.model import Case, Scenario


def under(name: str, scenario: Scenario, truth_name: str, truth: Scenario) -> Scenario:
    """A scenario with the cases of another, at the doses that it has."""
    levels = _levels(name, scenario, truth_name, truth)
    cases = {case: _case(stated, levels, len(truth.doses)) for case, stated in truth.truth.items()}
    doses = [truth.doses[level] for level in levels]
    try:
        return changed(scenario, {"doses": doses, "truth": cases, "observed": None})
    except ChangeError as error:
        raise TrialsimError(f"{name} under the truth of {truth_name}: {error}") from None


def _levels(name: str, scenario: Scenario, truth_name: str, truth: Scenario) -> list[int]:
    """Which dose of the truth each dose is: by name, else in their order where there are as many.

    A scenario that names no dose has one, and treats everybody at the starting dose.
    """
    if all(dose in truth.doses for dose in scenario.doses):
        return [truth.doses.index(dose) for dose in scenario.doses]
    if "doses" not in scenario.model_fields_set:
        return [0]
    if len(scenario.doses) != len(truth.doses):
        raise TrialsimError(
            f"{name}: its doses ({', '.join(scenario.doses)}) are not those of the truth in {truth_name} "
            f"({', '.join(truth.doses)}), nor as many; give them the names of doses of the truth"
        )
    return list(range(len(truth.doses)))


def _case(case: Case, levels: Sequence[int], doses: int) -> dict[str, Any]:
    """A case as plain data with its rates at the chosen doses."""
    stated = case.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    for key in ("response", "toxicity", "stable_disease", "serious"):
        rates = case.by_dose(key, doses)
        if rates is not None and not isinstance(getattr(case, key), float):
            stated[key] = [rates[level] for level in levels]
        for group in stated.get("cohorts", {}).values():
            if isinstance(group.get(key), list):
                group[key] = [group[key][level] for level in levels]
    return stated
