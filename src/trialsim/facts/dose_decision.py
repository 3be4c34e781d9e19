"""The dose decision as facts: its rule, when it is applied, and how doses are given after the trigger."""

from __future__ import annotations

from dataclasses import dataclass

from trialsim.facts.design import Setting, settings
from trialsim.scenario.model import Scenario


@dataclass(frozen=True)
class Allocated:
    """Both doses after the trigger; ``ratio``: lower to higher; ``n_per_dose``: None where it goes on to the end."""

    allocation: str
    ratio: tuple[int, int]
    n_per_dose: int | None
    compared: str


@dataclass(frozen=True)
class DoseDecision:
    """Which of two doses goes forward; ``settings``: those of the rule.

    ``from_start``: both doses are given from the first patient on, each with the design by itself.
    """

    higher: str
    lower: str
    kind: str
    settings: tuple[Setting, ...]
    applies: str
    min_per_dose: int
    higher_selectable: bool
    reason: str | None
    allocated: Allocated | None
    from_start: bool = False


def dose_decision(scenario: Scenario) -> DoseDecision | None:
    """The dose decision of a scenario; None where it has none. What is right in truth is no part of a protocol."""
    stated = scenario.dose_decision
    if stated is None:
        return None
    after, (higher, lower) = stated.after_trigger, scenario.doses
    return DoseDecision(
        higher,
        lower,
        stated.rule.kind,
        tuple(settings(stated.rule, {"kind"})),
        stated.applies,
        stated.min_per_dose,
        stated.both_selectable,
        stated.reason,
        Allocated(after.allocation, after.ratio, after.n_per_dose, after.compared) if after else None,
        stated.from_start is not None,
    )
