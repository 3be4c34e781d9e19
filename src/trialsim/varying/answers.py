"""What was found by asking what if: a scenario and its variants, side by side, as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from trialsim.answers import Answer
from trialsim.checks.rows import CaseCheck as Row
from trialsim.kernels.streams import STREAM_VERSION
from trialsim.quantities import label, per, short
from trialsim.scenario.files import digest
from trialsim.scenario.model import Scenario
from trialsim.varying import against_observed
from trialsim.varying.effects import Effect, Number

MAIN = ("p_go", "en")
"""Columns of every table of variants; a third is what else changes most."""

THIRD = (
    "duration_months", "p_dose_reduced", "p_false_go", "p_stop_toxicity", "toxicities", "pet",
    "relative_dose_intensity", "mean_type_i_error", "p_active_given_go",
)  # fmt: skip
"""What the further columns are chosen from."""


@dataclass(frozen=True)
class Variant:
    """One variant: what it changes, and by case what that does to every quantity that both trials have.

    Attributes:
        changes: path of an input -> its value in the variant.
        scenario: the variant itself.
        effects: case -> quantity -> effect, of the cases in both.
        only_here, only_there: cases that only the variant, or only the scenario, has.
    """

    name: str
    changes: Mapping[str, Any]
    scenario: Scenario
    effects: dict[str, dict[str, Effect]]
    only_here: tuple[str, ...]
    only_there: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The variant as plain data."""
        return {
            "name": self.name,
            "digest": digest(self.scenario),
            "cases_only_in_variant": list(self.only_here),
            "cases_only_in_scenario": list(self.only_there),
            "cases": {
                case: {quantity: effect.to_dict() for quantity, effect in effects.items()}
                for case, effects in self.effects.items()
            },
        }


@dataclass(frozen=True)
class Check:
    """Exact against simulated: how many numbers were held against each other, and the largest |z| of all."""

    comparisons: int
    largest_z: float


@dataclass(frozen=True, repr=False)
class WhatIf(Answer):
    """A scenario and its variants, side by side.

    Attributes:
        file: how messages and reports call the scenario: its file, else its name.
        base: case -> quantity -> value, of the scenario as stated.
        not_exact: case -> why its values are simulated; "" where they are exact.
        disagreements: where exact and simulated differ by more than chance allows.
        observed: the counts of the observed trial, if the scenario states one, under each of its cases.
    """

    kind: ClassVar[str] = "whatif"

    file: str
    scenario: Scenario
    seed: int
    replicates: int
    base: dict[str, dict[str, Number]]
    not_exact: dict[str, str]
    variants: tuple[Variant, ...]
    disagreements: tuple[str, ...]
    observed: tuple[Row, ...] = ()

    def __getitem__(self, name: str) -> Variant:
        for each in self.variants:
            if each.name == name:
                return each
        raise KeyError(f"{name!r} is no variant; those are {', '.join(v.name for v in self.variants)}")

    @property
    def called(self) -> str:
        """The name of the scenario."""
        return self.scenario.name

    @property
    def questions(self) -> tuple[WhatIf, ...]:
        """Itself, as one of several."""
        return (self,)

    def label(self, quantity: str) -> str:
        """The words for a quantity; those by dose are numbered as the scenario's own doses."""
        cohorts = self.scenario.cohorts.names if self.scenario.cohorts else ()
        return label(quantity, self.scenario.doses, cohorts, own=self.scenario.own_rules)

    def short(self, quantity: str) -> str:
        """A quantity as the heading of a column."""
        cohorts = self.scenario.cohorts.names if self.scenario.cohorts else ()
        return short(quantity, self.scenario.doses, cohorts, self.scenario.own_rules)

    @property
    def adjusted(self) -> bool:
        """Whether numbers are told that are adjusted by the trial with outcomes known at once."""
        return any(number.is_adjusted for of in self.base.values() for number in of.values())

    @property
    def check(self) -> Check:
        """What is exact, held against its simulated twin."""
        numbers = [n for of in self.base.values() for n in of.values()]
        numbers += [e.difference for v in self.variants for of in v.effects.values() for e in of.values()]
        found = [abs(n.z) for n in numbers if n.z is not None]
        return Check(len(found), max(found, default=0.0))

    @property
    def quantities(self) -> tuple[str, ...]:
        """Every quantity that is not zero throughout, in reading order."""
        seen: dict[str, bool] = {}
        for case, numbers in self.base.items():
            for name, number in numbers.items():
                seen[name] = seen.get(name, False) or number.value != 0
            for each in self.variants:
                for name, effect in each.effects.get(case, {}).items():
                    seen[name] = seen.get(name, False) or effect.other.value != 0
        single = len(self.scenario.doses) == 1
        return tuple(name for name, some in seen.items() if some and not (single and per(name) == "dose"))

    @property
    def columns(self) -> tuple[str, ...]:
        """The main quantities: P(go), EN, and the other one that changes most (without variants: two more)."""
        there = [name for name in THIRD if name in self.quantities]
        if not self.variants:
            return (*MAIN, *there[:2])
        sizes = {name: self._largest(name) for name in there}
        best = max(there, key=lambda name: sizes[name], default=None)
        return MAIN if best is None else (*MAIN, best)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "file": self.file,
            "name": self.scenario.name,
            "question": self.scenario.question,
            "digest": digest(self.scenario),
            "seed": self.seed,
            "replicates": self.replicates,
            "doses": list(self.scenario.doses),
            "columns": list(self.columns),
            "labels": {name: self.label(name) for name in self.quantities},
            "not_exact": self.not_exact,
            "disagreements": list(self.disagreements),
            "check": {"comparisons": self.check.comparisons, "largest_z": self.check.largest_z},
            "observed": [against_observed.to_dict(row) for row in self.observed],
            "base": {
                case: {name: number.to_dict() for name, number in numbers.items()}
                for case, numbers in self.base.items()
            },
            "variants": [each.to_dict() for each in self.variants],
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a case, variant ("" as stated) and quantity."""
        for about, number, _ in self._numbers():
            yield {**about, **number.row(), **number.adjusted_row()}

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """``values`` and ``differences``; where exact, the simulated difference stands beside it."""
        differences = []
        for about, other, effect in self._numbers():
            if effect is not None:
                difference = effect.difference
                drawn = difference.drawn
                differences.append(
                    {
                        **about,
                        "as_stated": effect.base.value,
                        "changed": other.value,
                        **difference.row("difference"),
                        "simulated_difference": drawn.estimate if drawn else None,
                        "simulated_mcse": drawn.mcse if drawn else None,
                        "z": difference.z,
                        "variance_factor": effect.variance_factor,
                        **difference.adjusted_row(),
                    }
                )
        return {"values": list(self.rows()), "differences": differences}

    def _numbers(self) -> Iterator[tuple[dict[str, Any], Number, Effect | None]]:
        """Every number with what it is, and the effect it belongs to (None: as stated)."""
        names = {quantity: self.label(quantity) for quantity in self.quantities}

        def about(case: str, variant: str, quantity: str) -> dict[str, Any]:
            told = {"quantity": quantity, "label": names[quantity]}
            return {"file": self.file, "case": case, "variant": variant, **told}

        for case, base in self.base.items():
            for quantity in names:
                if quantity in base:
                    yield about(case, "", quantity), base[quantity], None
        for variant in self.variants:
            for case, effects in variant.effects.items():
                for quantity in names:
                    if quantity in effects:
                        effect = effects[quantity]
                        yield about(case, variant.name, quantity), effect.other, effect

    def _largest(self, quantity: str) -> float:
        found = [
            effects[quantity].size
            for each in self.variants
            for effects in each.effects.values()
            if quantity in effects and effects[quantity].is_real
        ]
        return max(found, default=0.0)


@dataclass(frozen=True, repr=False)
class WhatIfs(Answer):
    """Several what-ifs, whose common trials were simulated once."""

    kind: ClassVar[str] = "whatif"

    questions: tuple[WhatIf, ...]

    @property
    def called(self) -> str:
        """The name of the scenario, or how many there are."""
        return self.questions[0].called if len(self.questions) == 1 else f"{len(self.questions)} questions"

    @property
    def disagreements(self) -> tuple[str, ...]:
        """Where exact and simulated differ by more than chance allows."""
        return tuple(f"{each.file}: {what}" for each in self.questions for what in each.disagreements)

    def to_dict(self) -> dict[str, Any]:
        """``results.json`` but for its sentences."""
        return {"streams": STREAM_VERSION, "questions": [each.to_dict() for each in self.questions]}

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a file, case, variant ("" as stated) and quantity."""
        for each in self.questions:
            yield from each.rows()

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """``values`` and ``differences`` of all."""
        found = [each.tables() for each in self.questions]
        return {name: [row for each in found for row in each[name]] for name in found[0]}
