"""What a case assumes to be true, as facts: the rates by dose, of everybody or by stratum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from trialsim.scenario.model import Scenario


@dataclass(frozen=True)
class Rates:
    """True rates by dose of the patients of a stratum; ``stratum``: None where they are those of everybody.

    ``toxicity``, ``odds_ratio`` and ``stable_disease`` (given no response) are None where the case states no such rate.
    """

    stratum: str | None
    response: tuple[float, ...]
    toxicity: tuple[float, ...] | None
    odds_ratio: float | None
    stable_disease: tuple[float, ...] | None


@dataclass(frozen=True)
class Drift:
    """By how much the response rate changes; over so many months, or over the planned patients where that is None."""

    change: float
    months: float | None


@dataclass(frozen=True)
class Truth:
    """The rates of a case, one entry for everybody or one a stratum, and the drift of its response rate."""

    rates: tuple[Rates, ...]
    drift: Drift | None


def truth(scenario: Scenario, case: str) -> Truth:
    """What a case of the scenario assumes to be true."""
    stated = scenario.truth[case]
    drift = Drift(stated.change, getattr(stated.drift, "months", None)) if stated.change else None
    every = tuple(_rates(scenario, case))
    alike = {replace(rates, stratum=None) for rates in every}
    return Truth(every if len(alike) > 1 else tuple(alike), drift)


def _rates(scenario: Scenario, case: str) -> Iterator[Rates]:
    levels = len(scenario.doses)
    for stratum in scenario.strata:
        here = scenario.truth[case].within(stratum.name, stratum.cohort_name)
        toxicity = here.by_dose("toxicity", levels)
        yield Rates(
            stratum.name,
            here.by_dose("response", levels) or (),
            toxicity,
            here.odds_ratio if toxicity else None,
            here.by_dose("stable_disease", levels),
        )
