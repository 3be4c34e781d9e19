"""What if: a scenario and variants of it, side by side on the same patients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trialsim.engine.montecarlo import Progress
from trialsim.errors import TrialsimError
from trialsim.given import takes
from trialsim.scenario import words as near
from trialsim.scenario.changes import ChangeError, variant
from trialsim.scenario.model import Scenario
from trialsim.varying.against_observed import given_sizes
from trialsim.varying.answers import Variant, WhatIf, WhatIfs
from trialsim.varying.side_by_side import Compared, Found, Ledgers, Prepared

CHANGED = "changed"
"""The name of the variant that is given with ``changes`` (``--set``)."""


@dataclass(frozen=True)
class Asked:
    """A scenario with the changes of each variant, and the cases to look at (None: all)."""

    file: str
    scenario: Scenario
    variants: Mapping[str, Mapping[str, Any]]
    cases: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        changes: Mapping[str, Any] | None = None,
        *,
        more: Mapping[str, Mapping[str, Any]] | None = None,
        file: str = "",
        cases: Sequence[str] | None = None,
    ) -> Asked:
        """The variants that the scenario states, ``more`` of them, and ``changes`` as another.

        Raises TrialsimError where there is neither variant nor question, or no such case.
        """
        variants: dict[str, Mapping[str, Any]] = dict(scenario.variants)
        for stated, its_changes in (more or {}).items():
            variants[_free(stated, variants)] = its_changes
        if changes:
            variants[_free(CHANGED, variants)] = changes
        name = file or scenario.name
        if not variants and scenario.question is None:
            raise TrialsimError(
                f"{name}: nothing is asked: it has no `variants` and no `question`; change an input with "
                "--set PATH=VALUE, or name variants with --variant"
            )
        for case in cases or ():
            if case not in scenario.truth:
                raise TrialsimError(f"{name}: `truth` has no case `{case}`{near.meant(case, scenario.truth)}")
        return cls(name, scenario, variants, tuple(cases) if cases else None)


class Questions:
    """Several what-ifs, ready to run; what they have in common is simulated once."""

    def __init__(
        self,
        asked: Sequence[Asked],
        *,
        replicates: int | None = None,
        seed: int | None = None,
        jobs: int | None = None,
    ) -> None:
        self.asked = tuple(asked)
        self._others = [_others(each) for each in self.asked]
        self.prepared = Prepared(
            [
                Compared(each.file, each.scenario, others, each.cases)
                for each, others in zip(self.asked, self._others, strict=True)
            ],
            replicates=replicates,
            seed=seed,
            jobs=jobs,
        )

    def run(
        self,
        *,
        jobs: int | None = None,
        progress: Progress | None = None,
        ledgers: Ledgers | None = None,
    ) -> WhatIfs:
        """Every what-if, in the order given."""
        return self._answered(self.prepared.run(jobs=jobs, progress=progress, ledgers=ledgers))

    def sharpening(self, marks: Sequence[int]) -> Iterator[WhatIfs | None]:
        """The same with growing replicates, as ``Prepared.sharpening`` has them."""
        left = list(marks)
        for found in self.prepared.sharpening(marks):
            yield None if found is None else self._answered(found, left.pop(0) if left else None)

    def _answered(self, found: Sequence[Mapping[str, Found]], at_most: int | None = None) -> WhatIfs:
        everything = zip(self.asked, self._others, found, self.prepared.runs, strict=True)
        return WhatIfs(
            tuple(
                _answered(asked, others, cases, min(at_most or replicates, replicates), seed)
                for asked, others, cases, (replicates, seed) in everything
            )
        )


@takes
def whatif(
    scenario: Scenario,
    changes: Mapping[str, Any] | None = None,
    *,
    variants: Mapping[str, Mapping[str, Any]] | None = None,
    replicates: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    cases: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> WhatIf:
    """What changing an assumption does: the scenario and each of its variants on the same patients.

    Args:
        scenario: a scenario, or the path of its file.
        changes: path of an input -> its value there, such as ``{"truth.active.toxicity[0]": 0.6}``: one variant, beside
            those that the scenario states.
        variants: name -> changes of more variants.
        replicates, seed: default to the scenario's ``simulation`` block.
        jobs, progress: as for ``simulate``; the same bits for any number of jobs.
        cases: those to look at; default all.

    Returns:
        Exact values and differences where outcomes are known at once, with the simulated ones as a check; in
        calendar time paired differences, each with its own standard error (common random numbers).

    Raises:
        ChangeError: a path that leads nowhere, an impossible value, or a variant that changes nothing.

    Examples:
        >>> path = trialsim.examples("teaching")
        >>> found = trialsim.whatif(path, {"truth.active.toxicity[0]": 0.6}, replicates=200)
        >>> round(found["changed"].effects["active"]["p_go"].difference.value, 4)
        -0.0093
    """
    asked = Asked.of(scenario, changes, more=variants, cases=cases)
    questions = Questions([asked], replicates=replicates, seed=seed, jobs=jobs)
    return questions.run(jobs=jobs, progress=progress).questions[0]


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """``name``, with a number where a variant of that name is there already."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free


def _others(asked: Asked) -> dict[str, Scenario]:
    """Every variant as a scenario."""
    found = {}
    for name, changes in asked.variants.items():
        try:
            found[name] = variant(asked.scenario, changes)
        except ChangeError as error:
            where = f"{asked.file}: " if asked.file != asked.scenario.name else ""
            named = f"variant “{name}”: " if name in asked.scenario.variants else ""
            raise ChangeError("", f"{where}{named}{error}") from None
    return found


def _answered(
    asked: Asked, others: Mapping[str, Scenario], cases: Mapping[str, Found], replicates: int, seed: int
) -> WhatIf:
    variants = []
    for name, other in others.items():
        effects = {case: found.others[name] for case, found in cases.items() if name in found.others}
        looked = [case for case in other.truth if asked.cases is None or case in asked.cases]
        only_here = tuple(case for case in looked if case not in effects)
        only_there = tuple(case for case in cases if case not in effects)
        variants.append(Variant(name, asked.variants[name], other, effects, only_here, only_there))
    return WhatIf(
        file=asked.file,
        scenario=asked.scenario,
        seed=seed,
        replicates=replicates,
        base={case: found.base for case, found in cases.items()},
        not_exact={case: found.not_exact for case, found in cases.items()},
        variants=tuple(variants),
        disagreements=tuple(
            f"{case}: {what}" for case, found in cases.items() for what in found.disagreements
        ),
        observed=given_sizes(asked.scenario, tuple(cases), seed),
    )
