"""What was found by asking what if: a scenario and its variants, side by side, as an object that prints itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trialsim.checks.rows import Check as Row
from trialsim.quantities import is_probability, label, per
from trialsim.results import digits12
from trialsim.scenario.files import digest
from trialsim.scenario.model import Scenario
from trialsim.varying import against_observed, sentences
from trialsim.varying.change_words import Change
from trialsim.varying.effects import Effect, Number, digits, shown
from trialsim.varying.sentences import Words

MAIN = ("p_go", "en")
"""Columns of every table of variants; a third is what else changes most."""

THIRD = (
    "duration_months", "p_dose_reduced", "p_false_go", "p_stop_toxicity", "toxicities", "pet",
    "relative_dose_intensity",
)  # fmt: skip
"""What the further columns are chosen from."""


@dataclass(frozen=True)
class Variant:
    """One variant: what it changes, and by case what that does to every quantity that both trials have.

    Attributes
    ----------
    scenario : the variant itself.
    effects : case -> quantity -> effect, of the cases in both.
    only_here, only_there : cases that only the variant, or only the scenario, has.
    notes : what is not compared, and why.
    """

    name: str
    changes: tuple[Change, ...]
    scenario: Scenario
    effects: dict[str, dict[str, Effect]]
    only_here: tuple[str, ...]
    only_there: tuple[str, ...]
    notes: tuple[str, ...]
    changed: str
    did: str

    @property
    def sentence(self) -> str:
        """What was changed, and what it did."""
        return f"{self.changed} {self.did}"

    def to_dict(self) -> dict[str, Any]:
        """The variant as it stands in JSON."""
        return {
            "name": self.name,
            "digest": digest(self.scenario),
            "changes": [change.to_dict() for change in self.changes],
            "changed": self.changed,
            "did": self.did,
            "notes": list(self.notes),
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

    @property
    def words(self) -> str:
        """The same as a clause."""
        if not self.comparisons:
            return "nothing to compare"
        return (
            f"over {self.comparisons} comparisons of values and differences the two are at most "
            f"{self.largest_z:.2f} standard errors apart"
        )


@dataclass(frozen=True)
class WhatIf:
    """A scenario and its variants, side by side.

    Attributes
    ----------
    file : how messages and reports call the scenario: its file, else its name.
    base : case -> quantity -> value, of the scenario as stated.
    not_exact : case -> why its values are simulated; "" where they are exact.
    disagreements : where exact and simulated differ by more than chance allows.
    observed : the counts of the observed trial, if the scenario states one, under each of its cases.
    """

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

    def __str__(self) -> str:
        from trialsim.varying.printing import printed

        return printed(self)

    @property
    def words(self) -> Words:
        """The names that sentences and labels need."""
        return Words.of(self.scenario)

    def label(self, quantity: str) -> str:
        """The words for a quantity; those by dose are numbered as the scenario's own doses."""
        words = self.words
        return label(quantity, words.doses, words.cohorts, own=words.own)

    @property
    def answer(self) -> str:
        """The short answer: the sentence of the most telling variant, or what the scenario itself gives."""
        if not self.variants:
            return " ".join(filter(None, (plain_answer(self), self.observed_words)))
        most = max(self.variants, key=lambda each: sentences.telling(each.effects))
        return f"“{most.name}”: {sentences.did(most.effects, self.words, 1)}"

    @property
    def observed_words(self) -> str:
        """How surprising the observed counts would be, in words; "" without an observed trial."""
        return against_observed.in_words(self.observed)

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
        """Everything as plain data, floats to 12 digits."""
        from trialsim.varying.printing import how

        content = {
            "file": self.file,
            "name": self.scenario.name,
            "question": self.scenario.question,
            "answer": self.answer,
            "digest": digest(self.scenario),
            "seed": self.seed,
            "replicates": self.replicates,
            "doses": list(self.scenario.doses),
            "columns": list(self.columns),
            "labels": {name: self.label(name) for name in self.quantities},
            "not_exact": self.not_exact,
            "disagreements": list(self.disagreements),
            "check": {"comparisons": self.check.comparisons, "largest_z": self.check.largest_z},
            "how": how(self),
            "observed": [against_observed.to_dict(row) for row in self.observed],
            "observed_words": self.observed_words,
            "base": {
                case: {name: number.to_dict() for name, number in numbers.items()}
                for case, numbers in self.base.items()
            },
            "variants": [each.to_dict() for each in self.variants],
        }
        plain: dict[str, Any] = digits12(content)
        return plain

    def _largest(self, quantity: str) -> float:
        found = [
            effects[quantity].size
            for each in self.variants
            for effects in each.effects.values()
            if quantity in effects and effects[quantity].is_real
        ]
        return max(found, default=0.0)


def plain_answer(found: WhatIf) -> str:
    """What a scenario gives that is asked a question without a variant, case by case."""
    words = found.words
    told = []
    for case, numbers in found.base.items():
        chances = [
            "p_go",
            *(q for q in numbers if per(q) == "cohort" and is_probability(q)),
            "p_false_go",
            "p_dose_reduced",
        ]
        means = {"en": "patients", "responses": "responses", "toxicities": "patients with toxicity",
                 "duration_months": "months"}  # fmt: skip
        first = [
            f"{words.spoken(q)} {shown(numbers[q].value, digits(q, numbers[q].value))}"
            for q in chances
            if q in numbers and q in found.quantities
        ]
        second = [
            f"{shown(numbers[q].value, 1)} {unit}" for q, unit in means.items() if q in found.quantities
        ]
        told.append(f"If “{case}” is true: {', '.join(first)}; expected are {', '.join(second)}.")
    return " ".join(told)
