"""Several designs on the same truth: what each does in every case, and which are dominated by another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from trialsim.answers import Answer
from trialsim.designs.alone import alone, written
from trialsim.designs.rules import Looks
from trialsim.engine.montecarlo import Progress
from trialsim.errors import TrialsimError
from trialsim.given import takes
from trialsim.inference.stated import as_scenario
from trialsim.kernels.streams import STREAM_VERSION
from trialsim.quantities import label, short
from trialsim.scenario import words as near
from trialsim.scenario.compiling import compile_rules
from trialsim.scenario.files import digest
from trialsim.scenario.model import Scenario
from trialsim.varying.effects import Effect, Number
from trialsim.varying.same_truth import under
from trialsim.varying.side_by_side import Compared, Found, Ledgers, Prepared

YARDSTICKS = {
    "alpha": ("type I error", -1),
    "power": ("power", 1),
    "en_p0": ("EN at p0", -1),
    "en_p1": ("EN at p1", -1),
    "n": ("largest n", -1),
}
"""By what one design dominates another: name -> label, and whether more (1) or less (-1) is better."""

COLUMNS = (
    *("p_go", "en", "pet", "toxicities", "better_dose", "p_dose_correct", "p_dose_wrong", "duration_months"),
    *("p_go_all", "p_false_go"),
)
"""What is tabulated of every case, where the designs have it."""

MAKES_NO_DIFFERENCE = 1e-9
"""Exact values closer than this are equal."""


@dataclass(frozen=True)
class DesignAlone:
    """A design by itself, exact at p0 and p1 of the comparison: every patient evaluable, no toxicity rule.

    ``dominated_by``: designs that are no worse by any of ``YARDSTICKS`` and better by one. None where p0 or p1 is
    not stated.
    """

    name: str
    scenario: Scenario
    looks: Looks
    alpha: float | None
    power: float | None
    en_p0: float | None
    en_p1: float | None
    pet_p0: float | None
    dominated_by: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """The planned number of patients."""
        return self.looks.planned_n

    def to_dict(self) -> dict[str, Any]:
        """The design as it stands in JSON."""
        values = {name: getattr(self, name) for name in (*YARDSTICKS, "pet_p0")}
        about = {"name": self.name, "kind": self.scenario.design.kind, "design": written(self.looks)}
        by = {"digest": digest(self.scenario), **values, "dominated_by": list(self.dominated_by)}
        return about | by


@dataclass(frozen=True, repr=False)
class Comparison(Answer):
    """Designs under the truth of one of them.

    Attributes:
        truth: what the truth is called: the file it comes from.
        first: the design that differences are taken from; its own truth may have been replaced.
        p0, p1: those of the first design that states them.
        values: case -> design -> quantity -> value (on the same patients in every design).
        effects: case -> design (not the first) -> quantity -> effect, as what the design does in place of the first.
        better_dose: case -> name of the dose with the highest true response rate; None where doses respond alike.
    """

    kind: ClassVar[str] = "compare"

    truth: str
    first: Scenario
    designs: tuple[DesignAlone, ...]
    p0: float | None
    p1: float | None
    values: dict[str, dict[str, dict[str, Number]]]
    effects: dict[str, dict[str, dict[str, Effect]]]
    not_exact: dict[str, str]
    better_dose: dict[str, str | None]
    replicates: int
    seed: int
    disagreements: tuple[str, ...]

    @property
    def called(self) -> str:
        """How many designs, and whose truth."""
        return f"{len(self.designs)} designs under the truth of {self.truth}"

    def __getitem__(self, name: str) -> DesignAlone:
        for design in self.designs:
            if design.name == name:
                return design
        raise KeyError(f"{name!r} is no design; those are {', '.join(d.name for d in self.designs)}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The quantities that are tabulated: those that any design has, and that are not zero throughout."""
        there = {
            q
            for of in self.values.values()
            for found in of.values()
            for q, n in found.items()
            if n.value != 0
        }
        return tuple(name for name in COLUMNS if name in there)

    @property
    def adjusted(self) -> bool:
        """Whether numbers are told that are adjusted by the trial with outcomes known at once."""
        return any(n.is_adjusted for of in self.values.values() for d in of.values() for n in d.values())

    def label(self, quantity: str) -> str:
        """The words for a quantity."""
        cohorts = self.first.cohorts.names if self.first.cohorts else ()
        return label(quantity, self.first.doses, cohorts, own=self.first.own_rules)

    def short(self, quantity: str) -> str:
        """A quantity as the heading of a column."""
        if quantity == "better_dose":
            return "Patients at better dose"
        cohorts = self.first.cohorts.names if self.first.cohorts else ()
        return short(quantity, self.first.doses, cohorts, self.first.own_rules)

    def share(self, case: str, design: str) -> float | None:
        """Share of the patients treated at the better dose, a ratio of two expected numbers."""
        found = self.values[case][design]
        return found["better_dose"].value / found["en"].value if "better_dose" in found else None

    def to_dict(self) -> dict[str, Any]:
        """``results.json`` but for its sentences."""
        return {
            "streams": STREAM_VERSION,
            "seed": self.seed,
            "replicates": self.replicates,
            "truth": self.truth,
            "p0": self.p0,
            "p1": self.p1,
            "designs": [design.to_dict() for design in self.designs],
            "columns": list(self.columns),
            "better_dose": self.better_dose,
            "not_exact": self.not_exact,
            "disagreements": list(self.disagreements),
            "cases": {
                case: {
                    name: {
                        "values": {q: number.to_dict() for q, number in found.items()},
                        "differences": {
                            q: effect.difference.to_dict()
                            for q, effect in self.effects[case].get(name, {}).items()
                        },
                        "share_at_better_dose": self.share(case, name),
                    }
                    for name, found in of.items()
                }
                for case, of in self.values.items()
            },
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a case, design and quantity, with the difference from the first design."""
        for case, of in self.values.items():
            for design, numbers in of.items():
                effects = self.effects[case].get(design, {})
                for quantity, number in numbers.items():
                    effect = effects.get(quantity)
                    apart = effect.difference.row() if effect else {}
                    yield {
                        "case": case,
                        "design": design,
                        "quantity": quantity,
                        "label": self.label(quantity),
                        **number.row(),
                        "difference": apart.pop("value", None),
                        **{f"difference_{key}": apart.get(key) for key in ("exact", "mcse", "low", "high")},
                        **number.adjusted_row(),
                        **(effect.difference.adjusted_row("difference_") if effect else {}),
                    }

    def tables(self) -> dict[str, Iterable[dict[str, Any]]]:
        """``designs`` by themselves, and ``cases``."""
        return {"designs": [design.to_dict() for design in self.designs], "cases": self.rows()}


class Designs:
    """A comparison that is ready to run."""

    def __init__(
        self,
        designs: Mapping[str, Scenario],
        truth: tuple[str, Scenario] | None = None,
        *,
        cases: Sequence[str] | None = None,
        replicates: int | None = None,
        seed: int | None = None,
        jobs: int | None = None,
    ) -> None:
        if len(designs) < 2:
            raise TrialsimError("a comparison needs two designs at least")
        names = list(designs)
        self.truth, of = truth or (names[0], designs[names[0]])
        for case in cases or ():
            if case not in of.truth:
                raise TrialsimError(f"{self.truth}: `truth` has no case `{case}`{near.meant(case, of.truth)}")
        self.scenarios = {
            name: scenario if scenario is of else under(name, scenario, self.truth, of)
            for name, scenario in designs.items()
        }
        first, *others = self.scenarios
        base = self.scenarios[first]
        compared = Compared(
            first, base, {name: self.scenarios[name] for name in others}, tuple(cases) if cases else None
        )
        self.prepared = Prepared([compared], replicates=replicates, seed=seed, jobs=jobs)

    def run(
        self,
        *,
        jobs: int | None = None,
        progress: Progress | None = None,
        ledgers: Ledgers | None = None,
    ) -> Comparison:
        """The comparison; the same bits for any number of jobs."""
        return self._compared(*self.prepared.run(jobs=jobs, progress=progress, ledgers=ledgers))

    def sharpening(self, marks: Sequence[int]) -> Iterator[Comparison | None]:
        """The same with growing replicates, as ``Prepared.sharpening`` has them."""
        left = list(marks)
        for found in self.prepared.sharpening(marks):
            yield None if found is None else self._compared(*found, at_most=left.pop(0) if left else None)

    def _compared(self, found: dict[str, Found], *, at_most: int | None = None) -> Comparison:
        first = next(iter(self.scenarios.values()))
        p0, p1 = (
            next(
                (p for s in self.scenarios.values() if (p := getattr(s.design, key, None)) is not None), None
            )
            for key in ("p0", "p1")
        )
        better = {case: _better(first, case) for case in found}
        replicates, seed = self.prepared.runs[0]
        return Comparison(
            truth=self.truth,
            first=first,
            designs=_dominance([_alone(name, s, p0, p1) for name, s in self.scenarios.items()]),
            p0=p0,
            p1=p1,
            values={case: self._values(first, each, better[case]) for case, each in found.items()},
            effects={case: each.others for case, each in found.items()},
            not_exact={case: each.not_exact for case, each in found.items()},
            better_dose=better,
            replicates=min(at_most or replicates, replicates),
            seed=seed,
            disagreements=tuple(f"{case}: {w}" for case, each in found.items() for w in each.disagreements),
        )

    def _values(self, first: Scenario, found: Found, better: str | None) -> dict[str, dict[str, Number]]:
        """Every quantity of every design, that of the better dose under a name of its own."""
        names = list(self.scenarios)
        numbers = {names[0]: dict(found.base)}
        for name, effects in found.others.items():
            numbers[name] = {quantity: effect.other for quantity, effect in effects.items()}
        if better is not None:
            for of in numbers.values():
                of["better_dose"] = of[f"patients_dose_{first.doses.index(better) + 1}"]
        return numbers


@takes
def compare(
    designs: Mapping[str, Scenario] | None = None,
    truth: Scenario | None = None,
    *,
    design: Sequence[str] | None = None,
    p0: float | None = None,
    p1: float | None = None,
    rates: Sequence[float] = (),
    cases: Sequence[str] | None = None,
    replicates: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Several designs on the same truth: operating characteristics side by side, dominated designs marked.

    Args:
        designs: name -> scenario, two at least, or a list of them; each a scenario or the path of its file. Differences
            are taken from the first.
        truth: a scenario, or the path of its file, whose cases are put under every design; default the first's.
            Everything else (design, toxicity rule, evaluability, conduct) stays each scenario's own.
        design: in place of scenarios, designs as ``oc`` takes them, such as ``["1/10 5/29", "1/15 5/25"]``.
        p0, p1, rates: with ``design``: unacceptable and desirable response rate, and further ones.
        cases, replicates, seed, jobs, progress: as for ``whatif``.

    Returns:
        Each design by itself, and the values and differences of all by case.

    Raises:
        TrialsimError: a truth that does not fit a design, such as another number of doses; fewer than two designs.

    Examples:
        >>> paths = [trialsim.examples("teaching"), trialsim.examples("simon-constrained")]
        >>> found = trialsim.compare(paths, replicates=200)
        >>> round(found["teaching"].power, 4), found["teaching"].n
        (0.8051, 29)
    """
    if design:
        if designs or truth:
            raise TrialsimError("design stands in place of scenarios: give one or the other")
        designs, _ = stated_designs(design, p0, p1, rates)
    elif p0 is not None or p1 is not None or rates:
        raise TrialsimError("p0, p1 and rates go with design; scenarios state their own")
    named = None if truth is None else (truth.name, truth)
    prepared = Designs(designs or {}, named, cases=cases, replicates=replicates, seed=seed, jobs=jobs)
    return prepared.run(jobs=jobs, progress=progress)


def stated_designs(
    written: Sequence[str], p0: float | None, p1: float | None, rates: Sequence[float] = ()
) -> tuple[dict[str, Scenario], dict[str, str]]:
    """Scenarios of designs that are written, by what was written; and their texts by the names they are kept under."""
    if len(set(written)) < len(written):
        raise TrialsimError("a design is given twice; give each once")
    read = {design: as_scenario(design, p0, p1, list(rates)) for design in written}
    scenarios = {scenario.name: scenario for scenario, _ in read.values()}
    return scenarios, {
        f"scenarios/design-{k}.yaml": text for k, (_, text) in enumerate(read.values(), start=1)
    }


def _alone(name: str, scenario: Scenario, p0: float | None, p1: float | None) -> DesignAlone:
    looks = compile_rules(scenario).looks
    null = None if p0 is None else alone(looks, p0)
    active = None if p1 is None else alone(looks, p1)
    return DesignAlone(
        name,
        scenario,
        looks,
        alpha=null.p_go if null else None,
        power=active.p_go if active else None,
        en_p0=null.en if null else None,
        en_p1=active.en if active else None,
        pet_p0=null.pet if null else None,
    )


def _dominance(designs: Sequence[DesignAlone]) -> tuple[DesignAlone, ...]:
    """The designs, each with those that dominate it."""
    return tuple(
        replace(one, dominated_by=tuple(other.name for other in designs if _dominates(other, one)))
        for one in designs
    )


def _dominates(other: DesignAlone, one: DesignAlone) -> bool:
    """Whether a design is no worse by any yardstick and better by one."""
    gains: list[float] = []
    for name, (_, sign) in YARDSTICKS.items():
        a, b = getattr(one, name), getattr(other, name)
        if a is None or b is None:
            return False
        gains.append(sign * (b - a))
    return min(gains) >= -MAKES_NO_DIFFERENCE and max(gains) > MAKES_NO_DIFFERENCE


def _better(scenario: Scenario, case: str) -> str | None:
    """The dose with the highest true response rate, averaged over strata; None where there are several."""
    levels = len(scenario.doses)
    if levels == 1:
        return None
    rates = [0.0] * levels
    for stratum in scenario.strata:
        here = scenario.truth[case].within(stratum.name, stratum.cohort_name)
        for level, p in enumerate(here.by_dose("response", levels) or rates):
            rates[level] += stratum.share * p
    best = [level for level, p in enumerate(rates) if p > max(rates) - MAKES_NO_DIFFERENCE]
    return scenario.doses[best[0]] if len(best) == 1 else None
