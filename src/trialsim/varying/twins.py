"""The twins of trials that are compared: outcomes known at once, their exact means, and the check of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from trialsim.engine.operating import FALSE_ALARM, disagrees, exact_sides, not_exact
from trialsim.engine.quantities import Side, estimate_of
from trialsim.engine.timed import Timed, at_once
from trialsim.engine.trials import Untimed
from trialsim.results import Adjusted, Estimate, Exact
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import digest
from trialsim.scenario.model import Scenario


def twin_of(trial: Compiled, case: str, side: Side) -> Side | None:
    """The same trials with outcomes known at once; None where dates decide nothing, or these have no exact answer."""
    if not trial.dated or not isinstance(side.trials, Timed) or not_exact(trial, case):
        return None
    known: Timed | Untimed = at_once(trial, side.trials)
    return Side(known, side.doses, side.of_doses, side.false_go, dated=False)


class KnownTwins:
    """The exact answers of twins, worked out once a scenario."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Exact | None]] = {}

    def __call__(self, scenario: Scenario, case: str) -> Exact | None:
        """The exact answer of a case with outcomes known at once; None where there is none."""
        mark = digest(scenario)
        if mark not in self._known:
            self._known[mark] = exact_sides(Compiled.of(scenario), totals=False)
        return self._known[mark][case]


class Counted(NamedTuple):
    """A twin as it was simulated (sum and sum of squares of each quantity), and what its means should be."""

    totals: Mapping[str, tuple[int, int]]
    replicates: int
    patients: int
    means: Mapping[str, float]


Which = TypeVar("Which")


def disagreements(twins: Mapping[Which, Counted]) -> dict[Which, list[str]]:
    """By twin the quantities on which it and its exact answer differ by more than chance allows in all of them."""
    both = {which: [q for q in twin.totals if q in twin.means] for which, twin in twins.items()}
    chance = FALSE_ALARM / max(sum(map(len, both.values())), 1)
    found: dict[Which, list[str]] = {}
    for which, twin in twins.items():
        for q in both[which]:
            estimate = estimate_of(q, *twin.totals[q], twin.replicates)
            if disagrees(q, twin.means[q], estimate, twin.replicates, twin.patients, chance):
                found.setdefault(which, []).append(q)
    return found


def told(wrong: Iterable[str]) -> list[str]:
    """Quantities of a twin as a warning names them."""
    return [f"{quantity} (outcomes known at once)" for quantity in wrong]


@dataclass(frozen=True)
class Told(Adjusted):
    """An adjusted number, as it is told, with the ``plain`` one that it comes from."""

    plain: Estimate = field(kw_only=True)

    def to_dict(self) -> dict[str, Any]:
        """The adjusted number as it stands in JSON."""
        return {name: value for name, value in vars(self).items() if name != "plain"}


def unadjusted(estimate: Estimate) -> Estimate:
    """A number before it was adjusted, if it was."""
    return estimate.plain if isinstance(estimate, Told) else estimate
