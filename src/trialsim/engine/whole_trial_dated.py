"""Designs whose error rates hold in the scenario's own trial in calendar time: screened exactly, then simulated.

With every outcome known at once P(go) is exact for every cut-off (``whole_trial_search``). Calendar time moves it by an
amount that hardly differs between neighbouring designs. So the exact search is run with alpha and power moved by that
amount; the designs it finds are simulated, which gives the amount anew; and so on, until neither what is put forward
nor the best that was kept gives an amount that was not tried. P(go) in calendar time is the exact one plus the
difference on the same patients, in which the chance of who responds cancels. The design that is chosen is simulated
once more, with other patients: that it was the luckiest of many does not enter what is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from trialsim.designs.rules import Looks
from trialsim.designs.target import Target
from trialsim.engine.exact import distribution
from trialsim.engine.montecarlo import tallies
from trialsim.engine.paired import Together, against, estimates
from trialsim.engine.precision import pilot_seed
from trialsim.engine.quantities import Side
from trialsim.engine.timed import Timed, at_once
from trialsim.engine.whole_trial_found import ROOM, InCalendarTime, Robust
from trialsim.engine.whole_trial_search import Search
from trialsim.results import Estimate
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario

MOST_ROUNDS = 8
"""Searches at most; three or four are enough where calendar time moves P(go) alike in neighbouring designs."""

SCREENED = 20_000
"""Simulated trials a case of every design that is looked at; the chosen ones get as many as the scenario asks for."""

BEST = {"optimal": 6, "minimax": 3, "first": 3}
"""Designs simulated a round: those of least EN, or of least n."""


@dataclass(frozen=True)
class Confirmed:
    """A design with what it does in calendar time in every case that was asked for."""

    design: Robust
    cases: tuple[InCalendarTime, ...]

    def of(self, role: str) -> list[InCalendarTime]:
        """Its cases of one role."""
        return [case for case in self.cases if case.role == role]

    @property
    def alpha(self) -> float:
        """Largest P(go) over the null cases."""
        return max(case.p_go.estimate for case in self.of("null"))

    @property
    def power(self) -> float:
        """Least P(go) over the alternatives."""
        return min(case.p_go.estimate for case in self.of("alternative"))

    @property
    def moved(self) -> tuple[float, float]:
        """By how much calendar time moves P(go): the most in a null case, the least in an alternative."""
        null, good = (
            [case.p_go.estimate - case.at_once for case in self.of(role)] for role in ("null", "alternative")
        )
        return max(null), min(good)

    def value(self, criterion: str, weight_p1: float) -> tuple[float, float]:
        """What a criterion minimises, then what decides among equals."""
        en = (1 - weight_p1) * self.of("null")[0].en.estimate
        en += weight_p1 * self.of("alternative")[0].en.estimate if weight_p1 else 0.0
        return (en, self.design.n) if criterion == "optimal" else (self.design.n, en)


class DatedSearch:
    """The searches and simulations of one question.

    Attributes:
        searched: the range of n of the last exact search, and why it ended before the n asked for (``stopped``).
        rounds: exact searches that were needed.
        settled: whether no design that was put forward or kept gives another amount to search with.
        screened: designs that were simulated.
    """

    def __init__(
        self,
        scenario: Scenario,
        spec: Any,
        roles: tuple[tuple[str, ...], tuple[str, ...]],
        target: Target,
        outright: Callable[[Looks], Any],
        *,
        replicates: int,
        seed: int,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.scenario, self.spec, self.roles, self.target = scenario, spec, roles, target
        self.outright, self.replicates, self.seed, self.progress = outright, replicates, seed, progress
        self.screened: dict[Looks, Confirmed] = {}
        self.searched, self.stopped = (0, 0), ""
        self.rounds, self.settled = 0, False
        self.weight_p1 = float(getattr(spec, "en_weight_p1", None) or 0.0)

    def best(self, criteria: Iterable[str]) -> dict[str, Confirmed]:
        """The best design by each criterion among those that keep alpha and power in calendar time, by estimates."""
        criteria = tuple(criteria)
        moved: tuple[float, float] | None = (0.0, 0.0)
        tried: set[tuple[float, float]] = set()
        while self.rounds < MOST_ROUNDS and moved is not None:
            self.rounds += 1
            tried.add(moved)
            rows = self._search(moved)
            asked = [d for criterion in criteria for d in self._in_order(rows, criterion)[: BEST[criterion]]]
            new = [d for d in dict.fromkeys(asked) if d.looks() not in self.screened]
            for design in new:
                self.screened[design.looks()] = self.simulated(design, SCREENED, pilot_seed(self.seed))
            moved = next((each for each in self._amounts(asked, criteria) if each not in tried), None)
        self.settled = moved is None
        chosen = {}
        for criterion in criteria:
            if (found := self._chosen(criterion)) is not None:
                chosen[criterion] = found
        return chosen

    def _amounts(self, asked: list[Robust], criteria: Iterable[str]) -> Iterator[tuple[float, float]]:
        """By what amounts to search next: those of the design that was put forward, then of the best that were kept."""
        if asked:
            yield self.screened[asked[0].looks()].moved
        elif not self.screened:
            yield ROOM
        for criterion in criteria:
            able = [found for found in self.screened.values() if self.keeps(found)]
            if able:
                yield min(able, key=lambda f: f.value(criterion, self.weight_p1)).moved

    def _search(self, moved: tuple[float, float]) -> list[Robust]:
        """The best design of every n, with alpha and power moved."""
        null, good = moved
        alpha = min(max(self.target.alpha - null, 1e-9), 1 - 1e-9)
        beta = min(max(self.target.beta + good, 1e-9), 1 - 1e-9)
        target = replace(self.target, alpha=alpha, beta=beta)
        search = Search(self.scenario, self.spec, *self.roles, target, self.progress)
        rows = list(search.best_of_each_n())
        self.searched, self.stopped = search.range, search.stopped
        return rows

    def _in_order(self, rows: list[Robust], criterion: str) -> list[Robust]:
        return sorted(rows, key=lambda d: (d.en, d.n) if criterion == "optimal" else (d.n, d.en))

    def _chosen(self, criterion: str) -> Confirmed | None:
        """The best of the designs that were simulated, confirmed with as many trials as the scenario asks for."""
        able = [found for found in self.screened.values() if self.keeps(found)]
        for found in sorted(able, key=lambda f: f.value(criterion, self.weight_p1)):
            confirmed = self.simulated(found.design, self.replicates, self.seed)
            if self.keeps(confirmed):
                return replace(confirmed, design=replace(found.design, criterion=criterion))
        return None

    def keeps(self, found: Confirmed) -> bool:
        """Whether the estimates keep alpha in every null case and the power in every alternative."""
        return found.alpha <= self.target.alpha and found.power >= 1 - self.target.beta

    def simulated(self, design: Robust, replicates: int, seed: int) -> Confirmed:
        """What a design does in calendar time in the null cases and the alternatives."""
        null, alternative = self.roles
        rates = {"p0": self.target.p0, "p1": self.target.p1}  # looks that weigh pending patients ask for p0
        outright = self.outright(design.looks()).model_copy(update=rates)
        trial = Compiled.of(self.scenario.model_copy(update={"design": outright}))
        cases = dict.fromkeys(null, "null") | dict.fromkeys(alternative, "alternative")
        return Confirmed(design, tuple(in_calendar_time(trial, cases, replicates, seed)))


def in_calendar_time(
    trial: Compiled, roles: dict[str, str], replicates: int, seed: int
) -> Iterable[InCalendarTime]:
    """P(go), patients and months of the cases in calendar time: the exact answer at once, plus the difference of both
    trials on the same patients."""
    pairs, exactly = {}, {}
    for case in roles:
        timed = Timed.of_case(trial, case)
        pairs[case] = Together(Side.of(at_once(trial, timed)), (Side.of(timed),))
        exactly[case] = distribution(trial.rules, trial.truth(case)).values
    for case, tally in tallies(pairs, replicates, seed).items():
        found, exact = against(tally, 1), exactly[case]
        yield InCalendarTime(
            case,
            roles[case],
            float(exact["p_go"]),
            _plus(float(exact["p_go"]), found["p_go"].difference),
            _plus(float(exact["en"]), found["en"].difference),
            estimates(tally, 1)["duration_months"],
        )


def _plus(exact: float, difference: Estimate) -> Estimate:
    return Estimate(
        exact + difference.estimate, difference.mcse, exact + difference.low, exact + difference.high
    )
