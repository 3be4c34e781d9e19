"""Run a scenario: simulate, calculate, check, and choose what will be shown; numbers only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from trialsim.answers import Answer
from trialsim.errors import TrialsimError
from trialsim.given import takes
from trialsim.running.inputs import text_of
from trialsim.scenario.compiled import Compiled

if TYPE_CHECKING:
    from trialsim.checks import Checks
    from trialsim.designs.rules import Rules
    from trialsim.engine.bayesian import OverPrior
    from trialsim.engine.dose_decisions import DoseDecisions
    from trialsim.engine.history import OverHistory
    from trialsim.engine.ledger import Ledger
    from trialsim.engine.montecarlo import Progress
    from trialsim.engine.pictured import Pictured
    from trialsim.engine.power_ledger import PowerLedgers
    from trialsim.facts.protocol import Facts
    from trialsim.results import Results
    from trialsim.scenario.model import Scenario
    from trialsim.varying.assess import SensitivityResults


@dataclass(frozen=True, repr=False, eq=False)
class Run(Answer):
    """Everything that was found out about a scenario.

    Attributes:
        facts: what its protocol fixes.
        pictured: the numbers of its figures.
        history, prior: what the scenario's blocks of these names make of the type I error and of a go; None without.
        text: the scenario as its file has it.
        dose: what its dose decision comes to.
        seconds: wall time by part of the work; the one thing here that differs from run to run.
    """

    kind: ClassVar[str] = "run"

    compiled: Compiled
    results: Results
    checks: Checks
    facts: Facts
    power: PowerLedgers
    pictured: Pictured
    text: str
    sensitivity: SensitivityResults | None = None
    dose: DoseDecisions | None = None
    history: OverHistory | None = None
    prior: OverPrior | None = None
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def scenario(self) -> Scenario:
        """The scenario that was run."""
        return self.compiled.scenario

    @property
    def rules(self) -> Rules:
        """What its trial does."""
        return self.compiled.rules

    @property
    def called(self) -> str:
        """The name of the scenario."""
        return self.scenario.name

    @property
    def seed(self) -> int:
        """The seed of everything that is simulated."""
        return self.pictured.seed

    @property
    def disagreements(self) -> tuple[str, ...]:
        """Where simulation and exact calculation differ by more than chance allows."""
        return self.results.disagreements

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict a case and quantity."""
        return (row for oc in self.results.cases for row in oc.rows())

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, without the words of its report."""
        return self._content

    @cached_property
    def _content(self) -> dict[str, Any]:
        from trialsim.running.content import content

        return content(self)


@takes
def run(
    scenario: Scenario | Compiled,
    *,
    replicates: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    exact: bool = False,
    sensitivity: bool = False,
    progress: Progress | None = None,
    ledger: Ledger | None = None,
    results: Results | None = None,
    checks: Checks | None = None,
    text: str | None = None,
) -> Run:
    """Work out everything about a scenario: operating characteristics, checks, examples.

    Args:
        scenario: a scenario, or the path of its file.
        replicates, seed, jobs, progress, ledger: as for ``simulate``.
        exact: simulate nothing where an exact answer exists.
        sensitivity: also the analyses of the scenario's block ``sensitivity``.
        results, checks: what was already found for this scenario, in place of finding it again.
        text: the scenario as its file has it; default: written anew.

    Returns:
        The answer: ``found.results``, ``.checks``, ``.power``, ``.report()``, ``.figures()``.

    Raises:
        TrialsimError: results of another scenario; a case that ``exact`` leaves without an answer.

    Examples:
        >>> path = trialsim.examples("teaching")
        >>> found = trialsim.run(path, replicates=200, seed=1)
        >>> round(found.results["active"].exact.values["p_go"], 4)
        0.8028
    """
    from trialsim.checks import check
    from trialsim.engine import operating
    from trialsim.engine.bayesian import over_prior
    from trialsim.engine.dose_decisions import dose_decisions
    from trialsim.engine.history import over_history
    from trialsim.engine.pictured import pictured
    from trialsim.engine.power_ledger import power_ledgers
    from trialsim.facts.protocol import facts
    from trialsim.scenario.digest import digest
    from trialsim.timing import Clock

    clock = Clock()
    trial = Compiled.of(scenario)
    scenario = trial.scenario
    text = text_of(scenario, text)
    if results is None:
        with clock("simulate_and_exact"):
            results = (
                operating.exact(trial)
                if exact
                else operating.simulate(
                    trial, replicates=replicates, seed=seed, jobs=jobs, progress=progress, ledger=ledger
                )
            )
    if results.digest != digest(scenario):
        raise TrialsimError("the results given are those of another scenario")
    for oc in results.cases:
        if oc.exact is None and oc.simulated is None:
            raise TrialsimError(f"case {oc.case} has no exact answer ({oc.not_exact}): simulate it")
    if checks is None:
        with clock("check"):
            checks = check(
                trial, seed=results.seed, replicates=results.replicates, jobs=jobs, progress=progress
            )
    analysed = None
    if sensitivity:
        from trialsim.varying.assess import assess

        with clock("sensitivity"):
            analysed = assess(scenario, replicates=replicates, seed=seed, jobs=jobs, progress=progress)
    with clock("power_ledger"):
        power = power_ledgers(trial, results, jobs=jobs)
    with clock("dose_decision"):
        dose = dose_decisions(trial)
    with clock("figures_numbers"):
        shown = pictured(trial, results, jobs=jobs)
    with clock("history_and_prior"):
        believed = over_history(trial), over_prior(trial)
    return Run(
        trial, results, checks, facts(trial), power, shown, text, analysed, dose, *believed, clock.seconds
    )
