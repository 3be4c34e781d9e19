"""A scenario compiled: what its trial does and what nature is taken to do, as numbers, each worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from trialsim.codes import FROM_START
from trialsim.designs.dose_choice import DoseChoice, DoseRule
from trialsim.designs.rules import Rules
from trialsim.kernels.tables import Calendar
from trialsim.scenario.boundaries import Boundary
from trialsim.scenario.calendar import calendar
from trialsim.scenario.compiling import compile_rules, of_a_cohort, rules_by_dose
from trialsim.scenario.every_design import of_cohort
from trialsim.scenario.model import Scenario
from trialsim.scenario.truth import Cells, Rates, Strata
from trialsim.timing import meanwhile


@dataclass(frozen=True, eq=False)
class Compiled:
    """A scenario with its rules, and with its calendar and truths as soon as they are asked for."""

    scenario: Scenario
    rules: Rules

    @classmethod
    def of(cls, scenario: Scenario | Compiled) -> Compiled:
        """A scenario compiled; what is compiled already is handed back.

        Raises:
            DesignError: no design is found, or its rules cannot be applied.
        """
        if isinstance(scenario, Compiled):
            return scenario
        return cls(scenario, meanwhile(lambda: compile_rules(scenario)))

    @cached_property
    def toxicity_rules(self) -> tuple[tuple[Boundary, ...], ...]:
        """By dose the toxicity rules that hold there, each by itself; engines take them together (``rules``)."""
        return rules_by_dose(self.scenario, self.rules.looks.planned_n, self.rules.max_treated)

    @cached_property
    def calendar(self) -> Calendar:
        """The conduct in ticks; without a ``conduct`` block all outcomes are known at once.

        Raises:
            DesignError: the trial would take too long, or screen too many patients.
        """
        return calendar(self.scenario, self.rules)

    @property
    def dated(self) -> bool:
        """Whether there is a calendar, so that outcomes are waited for."""
        return self.scenario.conduct is not None

    @property
    def in_calendar(self) -> bool:
        """Whether trials are simulated with dates or cohorts, or with doses that are allocated."""
        return self.dated or self.scenario.cohorts is not None or self.rules.randomise is not None

    @property
    def cohorts(self) -> tuple[str, ...]:
        """The cohorts by name; none where there is one group of patients."""
        return self.scenario.cohorts.names if self.scenario.cohorts else ()

    @property
    def arms(self) -> bool:
        """Whether the cohorts are two doses, each with the design by itself."""
        return self.rules.randomise is not None and self.rules.randomise.how == FROM_START

    @property
    def withdraws(self) -> bool:
        """Whether patients withdraw from assessments."""
        return self.scenario.conduct is not None and self.scenario.conduct.withdrawal_per_month > 0

    @cached_property
    def rates(self) -> dict[str, Rates]:
        """The truth of every case as numbers by dose level, without regard to strata and withdrawal."""
        s = self.scenario
        levels, n = len(s.doses), self.rules.looks.planned_n
        return {name: Rates.of(case, s.evaluability, levels, n) for name, case in s.truth.items()}

    @cached_property
    def strata(self) -> dict[str, Strata]:
        """What nature does in each stratum, by case."""
        n = self.rules.looks.planned_n
        return {name: Strata.of(self.scenario, name, n) for name in self.scenario.truth}

    def truth(self, case: str) -> Rates | Cells:
        """What a patient of a case amounts to in an exact calculation."""
        return self.strata[case].effective(self.calendar) if self.in_calendar else self.rates[case]

    def choice(self, case: str, rule: DoseRule | None = None) -> DoseChoice | None:
        """What the dose decision (or another rule in its place) makes of a case; None where there is none."""
        stated, p0 = self.scenario.dose_decision, getattr(self.scenario.design, "p0", None)
        return stated.choice(self.scenario.truth[case], p0, rule) if stated else None

    def of_cohort(self, cohort: str) -> Compiled:
        """The trial of a cohort by itself, where cohorts share nothing."""
        number = self.cohorts.index(cohort)
        rules = of_a_cohort(self.rules, len(self.cohorts), number)
        return Compiled(of_cohort(self.scenario, cohort), rules)

    @cached_property
    def by_design(self) -> dict[tuple[str, ...], Compiled]:
        """Where some cohorts have designs of their own: those with the same design, and the trial of the first."""
        together: dict[tuple[Rules, str], list[str]] = {}
        for cohort, rules, design in zip(
            self.cohorts, self.rules.each, self.scenario.designs.values(), strict=False
        ):
            together.setdefault((rules, design.model_dump_json()), []).append(cohort)
        return {tuple(names): self.of_cohort(names[0]) for names in together.values()}

    def by_cohort(self, case: str) -> list[Cells]:
        """The same for a patient of each cohort."""
        if self.arms:
            everybody = self.strata[case].effective(self.calendar).table
            return [Cells((everybody[dose],)) for dose in range(len(self.cohorts))]
        members = [[s.cohort_name == cohort for s in self.scenario.strata] for cohort in self.cohorts]
        return [self.strata[case].only(which).effective(self.calendar) for which in members]

    def false_go(self, case: str) -> int:
        """The set of cohorts (bit c for cohort c) in which no dose has a response rate above p0, that of its design."""
        p0 = getattr(self.scenario.design, "p0", None)
        if not self.cohorts:
            return 0
        if self.arms:
            by_dose = self.rates[case].response
            return sum((rate <= p0) << dose for dose, rate in enumerate(by_dose)) if p0 is not None else 0
        no_better = dict.fromkeys(self.cohorts, p0)
        no_better |= {name: getattr(design, "p0", None) for name, design in self.scenario.designs.items()}
        best = dict.fromkeys(self.cohorts, 0.0)
        for stratum, rates in zip(self.scenario.strata, self.strata[case].rates, strict=True):
            best[stratum.cohort_name] = max(best[stratum.cohort_name], *rates.response)
        bounds = no_better.values()
        return sum(
            (b is not None and rate <= b) << c
            for c, (rate, b) in enumerate(zip(best.values(), bounds, strict=True))
        )
