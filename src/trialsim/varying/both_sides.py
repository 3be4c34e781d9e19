"""Numbers of two scenarios as they stand beside each other: exact where both are, else simulated, and adjusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trialsim.engine.paired import Difference
from trialsim.quantities import found as entry
from trialsim.results import Adjusted, Estimate, Exact
from trialsim.scenario.model import Scenario
from trialsim.varying.effects import Effect, Number


class AdjustedSides(NamedTuple):
    """By quantity the adjusted numbers of the one, of the other, and of their difference."""

    one: Mapping[str, Adjusted] = {}
    other: Mapping[str, Adjusted] = {}
    difference: Mapping[str, Adjusted] = {}


def dose_places(base: Sequence[str], doses: Sequence[str]) -> tuple[int, ...]:
    """For each dose, which of the base scenario's it is, by name (from 1; 0: none of them)."""
    return tuple(list(base).index(dose) + 1 if dose in base else 0 for dose in doses)


def exact_values(known: Exact, base: Scenario, scenario: Scenario) -> dict[str, float]:
    """The exact values, those by dose under the number that the dose has in the base scenario."""
    places, values = dose_places(base.doses, scenario.doses), {}
    for name, value in known.values.items():
        quantity, level = entry(name)
        if quantity.per != "dose":
            values[name] = value
        elif place := places[level - 1]:
            there = quantity.names(len(base.doses))[place - 1]
            values[there] = values.get(there, 0.0) + value
    return values


def numbers(
    known: Exact | None,
    drawn: Mapping[str, Estimate],
    base: Scenario,
    scenario: Scenario,
    replicates: int,
    adjusted: Mapping[str, Adjusted],
) -> dict[str, Number]:
    """Every simulated quantity, exact where that is known, in calendar time with the number adjusted by its twin."""
    values = exact_values(known, base, scenario) if known else {}
    return {
        name: (
            Number(values[name], drawn=estimate, replicates=replicates)
            if name in values
            else Number.simulated(estimate, adjusted.get(name))
        )
        for name, estimate in drawn.items()
    }


def exact_effects(here: Mapping[str, float], there: Mapping[str, float]) -> dict[str, Effect]:
    """Quantities of both that are exact and simulated on neither side."""
    return {
        name: Effect(name, Number(here[name]), Number(there[name]), Number(there[name] - here[name]))
        for name in here
        if name in there
    }


def effects_of(
    known: Exact | None,
    known_other: Exact | None,
    apart: Mapping[str, Difference],
    base: Scenario,
    scenario: Scenario,
    replicates: int,
    adjusted: AdjustedSides,
) -> dict[str, Effect]:
    """Every quantity of both; exact where both are, else simulated on both sides so that the difference adds up."""
    one = exact_values(known, base, base) if known and known_other else {}
    other = exact_values(known_other, base, scenario) if known and known_other else {}
    effects = {}
    for name, found in apart.items():
        factor = found.variance_factor if found.difference.mcse > 0 else None
        if name in one and name in other:
            a = Number(one[name], drawn=found.one, replicates=replicates)
            b = Number(other[name], drawn=found.other, replicates=replicates)
            difference = Number(other[name] - one[name], drawn=found.difference, replicates=replicates)
        else:
            a = Number.simulated(found.one, adjusted.one.get(name))
            b = Number.simulated(found.other, adjusted.other.get(name))
            difference = Number.simulated(found.difference, adjusted.difference.get(name))
        effects[name] = Effect(name, a, b, difference, factor)
    return effects
