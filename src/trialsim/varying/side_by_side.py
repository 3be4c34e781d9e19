"""Scenarios side by side: every case exact where an exact answer exists, and simulated on the same patients.

What is equal is worked out once: trials with the same rules and rates are the same trials, whatever file, variant or
case they come from. All variants of a trial are simulated in one pass beside it (``engine.paired``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from trialsim.engine.believed import believed
from trialsim.engine.ledger import Ledger
from trialsim.engine.montecarlo import Progress, tallies
from trialsim.engine.operating import DISAGREE, FALSE_ALARM, exact
from trialsim.engine.paired import Together, against, estimates
from trialsim.engine.paired_twins import Means, TwinSums, WithTwins, beside
from trialsim.engine.precision import plan
from trialsim.engine.quantities import Side
from trialsim.engine.sharpening import Drawn
from trialsim.engine.tally import Tally
from trialsim.engine.timed import Timed, timed
from trialsim.engine.trials import Trials, Untimed, fingerprint, untimed
from trialsim.errors import TrialsimError
from trialsim.quantities import is_probability
from trialsim.results import Exact
from trialsim.scenario.compiled import Compiled
from trialsim.scenario.files import digest
from trialsim.scenario.model import Scenario
from trialsim.varying.both_sides import (
    AdjustedSides,
    dose_places,
    effects_of,
    exact_effects,
    exact_values,
    numbers,
)
from trialsim.varying.effects import Effect, Number
from trialsim.varying.twins import Counted, KnownTwins, disagreements, told, twin_of

_Drawn = Mapping[tuple[int, int], Mapping[str, Tally]]
"""By group and bundle, what was simulated."""

_Which = tuple[int, str, str]
"""A comparison, a name in it ("": as stated), and a case."""

Ledgers = Callable[[int], Ledger]
"""The ledger, held by the caller, of the k-th group of trials: those with one seed and number of replicates."""


@dataclass(frozen=True)
class Compared:
    """A scenario, and others to be held against it.

    Attributes:
        name: what messages call it.
        cases: those that are looked at; None: all.
    """

    name: str
    base: Scenario
    others: Mapping[str, Scenario]
    cases: tuple[str, ...] | None = None

    def case_names(self, scenario: Scenario) -> list[str]:
        """The cases of a scenario that are looked at."""
        return [name for name in scenario.truth if self.cases is None or name in self.cases]


@dataclass(frozen=True)
class Found:
    """One case of a comparison: every quantity as stated, and for each of the others what changes.

    ``not_exact`` says why the stated values are simulated; "" where they are exact.
    """

    base: dict[str, Number]
    others: dict[str, dict[str, Effect]]
    not_exact: str
    disagreements: tuple[str, ...] = ()


@dataclass(eq=False)
class _Bundle:
    """A trial and all that is simulated beside it, each under its fingerprint; "" is the one in ``twins``."""

    name: str
    one: Side
    others: dict[str, Side] = field(default_factory=dict)
    twins: dict[str, Side | None] = field(default_factory=dict)

    @cached_property
    def together(self) -> Together | WithTwins:
        """What is simulated, once all of it is known."""
        return beside(self.one, list(self.others.values()), [self.twins[key] for key in ("", *self.others)])

    def place(self, other: str) -> int:
        """Which of the trials one is, by its fingerprint ("": the one)."""
        return ["", *self.others].index(other)


@dataclass(frozen=True)
class _Place:
    """Where a case of a scenario is simulated: its group and bundle, and its fingerprint there ("" for the one)."""

    group: tuple[int, int]
    bundle: str
    other: str = ""


class _Held(NamedTuple):
    """What was counted of a trial in calendar time, beside others and with its twin, and the known means of that."""

    sums: TwinSums
    k: int
    means: Means
    patients: int

    @property
    def twin(self) -> Counted:
        """The twin by itself."""
        return Counted(self.sums.twin(self.k), self.sums.tally.replicates, self.patients, self.means)


class Prepared:
    """Comparisons that are ready to run: what there is to simulate is known, nothing has been simulated.

    Args:
        compared: what is compared with what.
        replicates, seed: in place of those of each scenario.
        jobs: worker threads, also of the pilot runs of scenarios that ask for a precision.
    """

    def __init__(
        self,
        compared: Sequence[Compared],
        *,
        replicates: int | None = None,
        seed: int | None = None,
        jobs: int | None = None,
    ) -> None:
        self.compared = tuple(compared)
        self._exact: dict[str, dict[str, tuple[Exact | None, str]]] = {}
        self._beliefs: dict[tuple[str, str], dict[str, float]] = {}
        self._twins = KnownTwins()
        self._groups: dict[tuple[int, int], dict[str, _Bundle]] = {}
        self._places: list[dict[tuple[str, str], _Place]] = []
        self.runs: list[tuple[int, int]] = []
        for each in self.compared:
            self._add(each, replicates, seed, jobs)

    @property
    def replicates(self) -> int:
        """How many rounds a progress bar counts: replicates of every bundle."""
        return sum(group[0] * len(bundles) for group, bundles in self._groups.items())

    def run(
        self,
        *,
        jobs: int | None = None,
        progress: Progress | None = None,
        ledgers: Ledgers | None = None,
    ) -> list[dict[str, Found]]:
        """The cases of every comparison, in the order given; the same bits for any number of jobs."""
        drawn: dict[tuple[int, int], dict[str, Tally]] = {}
        for k, (group, bundles) in enumerate(self._groups.items()):
            ledger = None if ledgers is None else ledgers(k)
            found = tallies(_together(bundles), *group, jobs=jobs, progress=progress, ledger=ledger)
            drawn[group] = {key: found[bundle.name] for key, bundle in bundles.items()}
        return self._all(drawn)

    def sharpening(self, marks: Sequence[int]) -> Iterator[list[dict[str, Found]] | None]:
        """The same with so many replicates at first, and with those that were asked for in the end.

        None is a pause in which the work can be called off. The last answer is that of ``run`` to the last bit.

        Args:
            marks: growing numbers of replicates at which to answer; larger ones than asked for are left out.
        """
        parts = {group: Drawn(_together(bundles), group[1]) for group, bundles in self._groups.items()}
        most = max(replicates for replicates, _ in self._groups)
        for mark in [*(m for m in marks if m < most), most]:
            for group, part in parts.items():
                while part.replicates < min(mark, group[0]):
                    part.more(min(mark, group[0]))
                    yield None
            tallied = {
                group: {key: parts[group].tallies[bundle.name] for key, bundle in bundles.items()}
                for group, bundles in self._groups.items()
            }
            yield self._all(tallied)

    # -- what there is to do

    def _add(self, each: Compared, replicates: int | None, seed: int | None, jobs: int | None) -> None:
        scenario = each.base
        sides = self._sides(each, scenario)
        seed = scenario.simulation.seed if seed is None else seed
        if replicates is None and (precision := scenario.simulation.precision):
            pilot = {name: side.trials for name, side in sides.items()}
            replicates = plan(pilot, precision, seed, jobs).replicates
        count = scenario.simulation.replicates if replicates is None else replicates
        group = (count, seed)
        bundles = self._groups.setdefault(group, {})
        places: dict[tuple[str, str], _Place] = {}
        trial = Compiled.of(scenario)
        for case, side in sides.items():
            key = _mark(side)
            if key not in bundles:
                bundles[key] = _Bundle(f"{each.name}: {case}", side, twins={"": twin_of(trial, case, side)})
            places["", case] = _Place(group, key)
        for name, other in each.others.items():
            sides_there = self._sides(each, other, name)
            trial = Compiled.of(other)
            for case, side in sides_there.items():
                if case not in sides:
                    continue
                home, key = places["", case].bundle, _mark(side)
                if key == home:
                    places[name, case] = _Place(group, home)
                    continue
                if bundles[home].others.setdefault(key, side) is side:
                    bundles[home].twins[key] = twin_of(trial, case, side)
                places[name, case] = _Place(group, home, key)
        self._places.append(places)
        self.runs.append(group)

    def _sides(self, each: Compared, scenario: Scenario, variant: str = "") -> dict[str, Side]:
        """What is simulated of every case, and on the way its exact answer."""
        try:
            trial = Compiled.of(scenario)
            trials: Mapping[str, Timed | Untimed]
            choices = {name: trial.choice(name) for name in trial.rates}
            trials = timed(trial) if trial.in_calendar else untimed(trial.rules, trial.rates, choices)
        except TrialsimError as error:
            where = f"{each.name}: variant “{variant}”" if variant else each.name
            raise TrialsimError(f"{where}: {error}") from None
        places = dose_places(each.base.doses, scenario.doses)
        return {
            case: Side(
                trials[case],
                places,
                len(each.base.doses),
                trial.false_go(case),
                trial.dated,
            )
            for case in each.case_names(scenario)
        }

    # -- what was found

    def _all(self, drawn: _Drawn) -> list[dict[str, Found]]:
        held = {place: self._held(*place, drawn) for place in self._with_twins()}
        wrong = disagreements({which: each.twin for which, each in held.items()})
        pieces = [self._found(k, drawn, held, wrong) for k in range(len(self.compared))]
        return self._checked(pieces, drawn)

    def _with_twins(self) -> Iterator[_Which]:
        """Every comparison, name in it ("": as stated) and case whose trial has a twin."""
        for k, places in enumerate(self._places):
            for (name, case), place in places.items():
                if self._groups[place.group][place.bundle].twins[place.other] is not None:
                    yield k, name, case

    def _held(self, k: int, name: str, case: str, drawn: _Drawn) -> _Held:
        each, place = self.compared[k], self._places[k][name, case]
        bundle = self._groups[place.group][place.bundle]
        twin, together = bundle.twins[place.other], bundle.together
        scenario = each.others[name] if name else each.base
        known = self._twins(scenario, case)
        assert twin is not None and known is not None and isinstance(together, WithTwins)
        sums = TwinSums(drawn[place.group][place.bundle], together.of)
        means = exact_values(known, each.base, scenario)
        return _Held(sums, bundle.place(place.other), means, twin.trials.patients)

    def _found(
        self,
        k: int,
        drawn: _Drawn,
        held: Mapping[_Which, _Held],
        wrong: Mapping[_Which, Sequence[str]],
    ) -> dict[str, Found]:
        each, places = self.compared[k], self._places[k]
        found, why_not = {}, DISAGREE if wrong else ""
        for case in each.case_names(each.base):
            place = places["", case]
            tally = drawn[place.group][place.bundle]
            known, not_exact = self._known(each.base, case)
            stated = held.get((k, "", case))
            ours = stated.sums.values(0, stated.means, why_not) if stated else {}
            base = numbers(known, estimates(tally, 0), each.base, each.base, tally.replicates, ours)
            here = self._believed(each.base, case)
            base |= {name: Number(value) for name, value in here.items()}
            others, flagged = {}, told(wrong.get((k, "", case), ()))
            for name, scenario in each.others.items():
                if (name, case) not in places:
                    continue
                there = places[name, case]
                apart_exactly = exact_effects(here, self._believed(scenario, case))
                if there.other == "":
                    same = {
                        q: Effect(q, value, value, Number(0.0)) for q, value in base.items() if q not in here
                    }
                    others[name] = same | apart_exactly
                    continue
                bundle = self._groups[there.group][there.bundle]
                at = bundle.place(there.other)
                exact_there, _ = self._known(scenario, case)
                sides, changed = AdjustedSides(ours), held.get((k, name, case))
                if changed:
                    flagged += [f"{name}: {quantity}" for quantity in told(wrong.get((k, name, case), ()))]
                    theirs, sums = changed.sums.values(at, changed.means, why_not), changed.sums
                    both = sums.differences(at, stated.means, changed.means, why_not) if stated else {}
                    sides = AdjustedSides(ours, theirs, both)
                beside = against(tally, at)
                others[name] = effects_of(
                    known, exact_there, beside, each.base, scenario, tally.replicates, sides
                )
                others[name] |= apart_exactly
            found[case] = Found(base, others, not_exact, tuple(flagged))
        return found

    def _known(self, scenario: Scenario, case: str) -> tuple[Exact | None, str]:
        """The exact answer of a case, or why there is none; worked out once a scenario."""
        if scenario.conduct is not None:
            return None, "calendar time decides"
        mark = digest(scenario)
        if mark not in self._exact:
            results = exact(scenario, totals=False)
            self._exact[mark] = {oc.case: (oc.exact, oc.not_exact) for oc in results.cases}
        return self._exact[mark][case]

    def _believed(self, scenario: Scenario, case: str) -> dict[str, float]:
        """What follows from the history and prior of a scenario; worked out once a scenario and case."""
        if scenario.history is None and scenario.prior is None:
            return {}
        mark = (digest(scenario), case)
        if mark not in self._beliefs:
            self._beliefs[mark] = believed(Compiled.of(scenario), case)
        return self._beliefs[mark]

    def _checked(self, pieces: list[dict[str, Found]], drawn: _Drawn) -> list[dict[str, Found]]:
        """The same, each case with the quantities on which exact and simulated differ by more than chance allows."""
        numbers = sum(
            len(found.base) * (1 + len(found.others)) for piece in pieces for found in piece.values()
        )
        chance = FALSE_ALARM / max(numbers, 1)
        checked = []
        for k, piece in enumerate(pieces):
            replicates = next(iter(drawn[self.runs[k]].values())).replicates
            most = max(self._most(k, case) for case in piece) if piece else 0
            cases = {}
            for case, found in piece.items():
                wrong = [*found.disagreements]
                wrong += [q for q, n in found.base.items() if n.disagrees(_span(q, most), replicates, chance)]
                wrong += [
                    f"{name}: {q}"
                    for name, effects in found.others.items()
                    for q, effect in effects.items()
                    if effect.difference.disagrees(2 * _span(q, most), replicates, chance)
                ]
                cases[case] = Found(found.base, found.others, found.not_exact, tuple(wrong))
            checked.append(cases)
        return checked

    def _most(self, k: int, case: str) -> int:
        """Most patients that any trial of a case can treat."""
        place = self._places[k]["", case]
        bundle = self._groups[place.group][place.bundle]
        return max(side.trials.patients for side in (bundle.one, *bundle.others.values()))


def _together(bundles: Mapping[str, _Bundle]) -> dict[str, Trials]:
    """What is simulated side by side, by name."""
    return {bundle.name: bundle.together for bundle in bundles.values()}


def _mark(side: Side) -> str:
    return fingerprint(Together(side, ()))


def _span(quantity: str, most: int) -> float:
    return 1.0 if is_probability(quantity) else float(most)
