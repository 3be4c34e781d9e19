"""What a scenario may state and its author is unlikely to mean: told when it is read, and run all the same."""

from __future__ import annotations

from collections.abc import Iterator

from trialsim.scenario.model import Scenario

FEW_EVALUABLE = 0.5
"""Below this share of evaluable patients the share of inevaluable ones was probably meant."""


def doubts(scenario: Scenario) -> Iterator[str]:
    """One sentence each."""
    evaluable = scenario.evaluability.probability
    if evaluable < FEW_EVALUABLE:
        yield (
            f"evaluability.probability is {evaluable:g}, so that {1 - evaluable:.0%} of patients would be inevaluable; "
            f"if {evaluable:.0%} are, write {1 - evaluable:g}"
        )
    for name, case in scenario.truth.items():
        rates = case.by_dose("toxicity", len(scenario.doses)) or ()
        for k, (higher, lower) in enumerate(zip(rates, rates[1:], strict=False)):
            if lower > higher:
                yield (
                    f"truth.{name}.toxicity rises from {higher:g} at {scenario.doses[k]} to {lower:g} at "
                    f"{scenario.doses[k + 1]}, the lower dose"
                )
