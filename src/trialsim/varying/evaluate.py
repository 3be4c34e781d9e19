"""From many changed scenarios to their operating characteristics: exact wherever that holds, simulated elsewhere.

Simulated points share their patients (random numbers are keyed by seed, replicate, patient and purpose), so that what
differs between two points is what was changed, and not chance.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from trialsim.designs.rules import Rules
from trialsim.engine.believed import OF_HISTORY, OF_PRIOR, believed
from trialsim.engine.dose_decisions import allocated, dose_values
from trialsim.engine.exact import distribution
from trialsim.engine.montecarlo import tallies
from trialsim.engine.operating import exact, not_exact
from trialsim.engine.paired import against, estimates
from trialsim.engine.paired_twins import beside
from trialsim.engine.quantities import Side
from trialsim.engine.timed import Timed
from trialsim.engine.trials import Untimed, untimed
from trialsim.engine.with_twin import apart
from trialsim.errors import TrialsimError
from trialsim.kernels.streams import STREAM_VERSION
from trialsim.kernels.tables import Calendar
from trialsim.results import Estimate
from trialsim.scenario import words
from trialsim.scenario.analyses import case_of
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.model import Scenario
from trialsim.scenario.sensitivity import Analysis, quantities_of
from trialsim.scenario.truth import Strata
from trialsim.varying.answered import AT_ONCE, EXACT, Answer, drawn
from trialsim.varying.kept_points import Kept
from trialsim.varying.points import Point, Points
from trialsim.varying.simulated_points import Pair, adjusted_beside, simulated
from trialsim.varying.twins import twin_of
from trialsim.version import __version__

EXACT_GROUP, EXACT_TASK = 512, 32
"""Exact points that are prepared together, and those that a thread works out before they are kept."""

PATIENTS_GROUP = 500_000_000
"""Patients simulated between two: a few seconds."""

WORDS_ALONE = {
    "name",
    "endpoint",
    "source",
    "sources",
    "observed",
    "related_trials",
    "question",
    "simulation",
}
"""What decides no number of a trial."""

Progress = Callable[[int], None]
"""Called with the number of points just finished."""

T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """Whose trials are looked at, and how they are worked out."""

    case: str
    engine: str = "stated"
    replicates: int | None = None
    seed: int | None = None
    believed: bool = False
    """Whether what follows from ``history`` and ``prior`` is watched: it takes a chain at many rates."""
    adjusted: bool = True
    """Whether simulated points are adjusted by their twins, each of which takes an exact answer."""

    @classmethod
    def by(cls, analysis: Analysis, scenario: Scenario) -> Asked:
        """What an analysis asks of its scenario."""
        watched = any(name in (*OF_HISTORY, *OF_PRIOR) for name in quantities_of(analysis))
        return cls(case_of(scenario, analysis), analysis.engine, believed=watched)


@dataclass(frozen=True)
class _Protocol:
    """What the trials of a scenario follow, whatever is true: its rules, its calendar (None without dates and cohorts),
    and why there is no exact answer even with outcomes known at once."""

    rules: Rules
    dates: Calendar | None
    why_not: str

    @classmethod
    def of(cls, scenario: Scenario) -> _Protocol:
        """The protocol of a scenario."""
        trial = Compiled.of(scenario)
        return cls(trial.rules, trial.calendar if trial.in_calendar else None, not_exact(trial))


@dataclass(frozen=True)
class _Work:
    """One point, ready to be worked out; ``why_not`` says why it has no exact answer, "" where it has one."""

    key: str
    scenario: Scenario
    protocol: _Protocol
    why_not: str


class Evaluator:
    """Works out points of one scenario, each once.

    Args:
        replicates, seed: of simulated points; default the scenario's.
        jobs: worker threads; default all processors, for simulated points also what ``joblib.parallel_config`` says.
        progress: called with the number of points just finished.
        kept: where finished points are kept, so that a run can be resumed.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        replicates: int | None = None,
        seed: int | None = None,
        jobs: int | None = None,
        progress: Progress | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.scenario = scenario
        self.replicates = scenario.simulation.replicates if replicates is None else replicates
        self.seed = scenario.simulation.seed if seed is None else seed
        self.jobs, self.progress = jobs, progress
        self.kept = Kept() if kept is None else kept
        self._points = Points(scenario)
        self._protocols: dict[str, _Protocol] = {}
        self._latest: tuple[tuple[object, ...], _Protocol | None] = ((), None)

    def __call__(self, asked: Asked, points: Sequence[Point]) -> list[Answer]:
        """The answer at every point, in order."""
        works = [self._work(asked, point) for point in points]
        fresh = {work.key: work for work in works if work.key not in self.kept.points}
        self._advance(len(works) - len(fresh))
        # what a worker that is still busy has not returned is simply worked out again in the next run
        for group in _groups([work for work in fresh.values() if not work.why_not], EXACT_GROUP, lambda _: 1):
            with ThreadPoolExecutor(self.jobs or os.cpu_count() or 1) as pool:
                parts = [group[k : k + EXACT_TASK] for k in range(0, len(group), EXACT_TASK)]
                for found in pool.map(lambda part: {work.key: _exact(work, asked) for work in part}, parts):
                    self._keep(found)
        pending = [_pair(work, asked) for work in fresh.values() if work.why_not]
        replicates = asked.replicates or self.replicates
        for some in _groups(pending, PATIENTS_GROUP, lambda pair: pair.patients * replicates):
            seed = self.seed if asked.seed is None else asked.seed
            cases = {pair.key: pair.trials for pair in some}
            counted = apart(tallies(cases, replicates, seed, jobs=self.jobs))
            self._keep(simulated(some, counted))
        return [self._found(work.key) for work in works]

    def beside(
        self, asked: Asked, points: Sequence[Point], quantities: Sequence[str]
    ) -> tuple[Answer, list[Answer], list[Answer]]:
        """The scenario as stated, every point, and their differences (point - as stated).

        Simulated points run beside the scenario in one pass over the same patients, and their differences have the
        error that this leaves; they are empty where one side is exact.
        """
        base, works = self._work(asked, {}), [self._work(asked, point) for point in points]
        if not base.why_not or not all(work.why_not for work in works):
            stated, *answers = self(asked, [{}, *points])
            return stated, answers, [Answer(EXACT, {})] * len(points)
        keys = {work.key: _digest("beside", base.key, work.key) for work in works}
        fresh = {work.key: work for work in works if keys[work.key] not in self.kept.points}
        self._advance(len(works) - len(fresh))
        one = _pair(base, asked)
        pending = [_pair(work, asked) for work in fresh.values()]
        for some in _groups(pending, PATIENTS_GROUP, lambda pair: pair.patients * self.replicates):
            together = beside(one.side, [pair.side for pair in some], [pair.twin for pair in (one, *some)])
            tally = tallies({asked.case: together}, self.replicates, self.seed, jobs=self.jobs)[asked.case]
            values, moves = adjusted_beside(tally, together, [one, *some])
            found = {_digest("beside", base.key): drawn(estimates(tally, 0), values[0])}
            for k, pair in enumerate(some, start=1):
                key = keys[pair.key]
                apart_from = {name: each.difference for name, each in against(tally, k).items()}
                found[key] = drawn(estimates(tally, k), values[k])
                found[_digest("apart", key)] = drawn(apart_from, moves[k])
            self._keep(found, len(some))
        stated = self._found(_digest("beside", base.key))
        answers = [self._found(keys[work.key]) for work in works]
        moved = [self._found(_digest("apart", keys[work.key])) for work in works]
        if any(name not in answer for name in quantities for answer in (stated, *answers)):
            stated, *answers = self(asked, [{}, *points])  # quantiles and the like are not paired
        return stated, answers, moved

    def _found(self, key: str) -> Answer:
        return Answer(**self.kept.points[key])

    def _work(self, asked: Asked, point: Point) -> _Work:
        try:
            scenario = self._points(point)
            protocol = self._protocol_of(scenario)
        except TrialsimError as error:
            at = words.listed(f"{path} = {words.shown(value)}" for path, value in point.items())
            raise TrialsimError(f"with {at}: {error}" if point else str(error)) from None
        scenario = scenario.model_copy(update={"truth": {asked.case: scenario.truth[asked.case]}})
        why_not = protocol.why_not or not_exact(Compiled(scenario, protocol.rules), asked.case)
        if asked.engine == "at_once" and why_not:
            raise TrialsimError(f"`engine: at_once` has no exact answer here: {why_not}")
        if asked.engine == "stated" and scenario.conduct is not None:
            why_not = f"calendar time decides{f'; {why_not}' if why_not else ''}"
        stated = scenario.model_dump_json(exclude=WORDS_ALONE, by_alias=True)
        how: tuple[Any, ...] = (asked.engine, *(("believed",) if asked.believed else ()))
        if why_not:
            seed = self.seed if asked.seed is None else asked.seed
            how = (*how, asked.replicates or self.replicates, seed, STREAM_VERSION)
            how = (*how, "adjusted") if asked.adjusted and scenario.conduct is not None else how
        return _Work(_digest(__version__, stated, asked.case, *how), scenario, protocol, why_not)

    def _protocol_of(self, scenario: Scenario) -> _Protocol:
        """What a scenario's trials follow, compiled once for all points that share it."""
        who = scenario.evaluability if scenario.evaluability.replaced else None
        parts = (
            scenario.design,
            scenario.doses,
            scenario.dose_reduction,
            scenario.cohorts,
            scenario.conduct,
            who,
            scenario.dose_decision and scenario.dose_decision.after_trigger,
        )
        before, protocol = self._latest
        if protocol is None or any(a is not b for a, b in zip(parts, before, strict=True)):
            key = scenario.model_dump_json(exclude=WORDS_ALONE | {"truth", "history", "prior"}, by_alias=True)
            protocol = self._protocols[key] = self._protocols.get(key) or _Protocol.of(scenario)
            self._latest = parts, protocol
        return protocol

    def _keep(self, found: dict[str, Answer], count: int | None = None) -> None:
        self.kept.add({key: dict(vars(answer)) for key, answer in found.items()})
        self._advance(len(found) if count is None else count)

    def _advance(self, count: int) -> None:
        if self.progress and count:
            self.progress(count)


def combined(one: Estimate, other: Estimate) -> Estimate:
    """other - one of two numbers that are exact, or whose errors are taken as independent."""
    value, mcse = other.estimate - one.estimate, (one.mcse**2 + other.mcse**2) ** 0.5
    return Estimate(value, mcse, value - 1.96 * mcse, value + 1.96 * mcse)


def _exact(work: _Work, asked: Asked) -> Answer:
    scenario, engine = work.scenario, EXACT if work.scenario.conduct is None else AT_ONCE
    if scenario.own_rules:
        found = exact(scenario, totals=False)[asked.case]
        known = (found.at_once or found).exact
        assert known is not None
        values = known.values
    else:
        rules, dates = work.protocol.rules, work.protocol.dates
        trial = Compiled(scenario, rules)
        truth = trial.rates[asked.case] if dates is None else trial.strata[asked.case].effective(dates)
        if rules.randomise is not None:
            values = allocated(trial, asked.case, truth).values
        else:
            values = {**distribution(rules, truth).values, **dose_values(trial, asked.case, truth)}
    return Answer(engine, {**values, **_believed(work, asked)})


def _believed(work: _Work, asked: Asked) -> dict[str, float]:
    """What follows from the history and prior of a point; nothing where nobody watches it."""
    return believed(Compiled(work.scenario, work.protocol.rules), asked.case) if asked.believed else {}


def _trials(work: _Work, case: str) -> Timed | Untimed:
    """What is simulated at a point."""
    rules, dates = work.protocol.rules, work.protocol.dates
    if dates is None:
        trial = Compiled(work.scenario, rules)
        return untimed(rules, {case: trial.rates[case]}, {case: trial.choice(case)})[case]
    choice = Compiled(work.scenario, rules).choice(case)
    truth = Strata.of(work.scenario, case, rules.looks.planned_n)
    return Timed.of(rules, dates, truth.thresholds(), choice, daily=truth.daily)


def _pair(work: _Work, asked: Asked) -> Pair:
    """What is simulated at a point."""
    side = Side.of(_trials(work, asked.case), dated=work.scenario.conduct is not None)
    trial = Compiled(work.scenario, work.protocol.rules)
    twin = twin_of(trial, asked.case, side) if asked.adjusted else None
    believes = _believed(work, asked)
    # as any exact answer at a point, but for what is believed, which stands beside
    known = _exact(work, replace(asked, believed=False)).values if twin else {}
    means = {name: value for name, value in known.items() if isinstance(value, int | float)}
    return Pair(work.key, side, twin, means, believes)


def _groups(items: Sequence[T], most: float, size: Callable[[T], float]) -> Iterator[list[T]]:
    """The items in order, in groups that add up to ``most`` at most, or of one item that is larger."""
    group: list[T] = []
    total = 0.0
    for item in items:
        if group and total + size(item) > most:
            yield group
            group, total = [], 0.0
        group.append(item)
        total += size(item)
    if group:
        yield group


def _digest(*parts: Any) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
