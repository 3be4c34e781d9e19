"""What may be written in a scenario file. The YAML keys are the Python names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from trialsim.designs.registry import Design
from trialsim.designs.spec import AsTuple, Spec, impossible
from trialsim.scenario.believed import DrugPrior, History, check_prior
from trialsim.scenario.cases import Case, Slope
from trialsim.scenario.cohorts import EVERYBODY, Cohorts, Stratum
from trialsim.scenario.conduct import Conduct
from trialsim.scenario.dose_decision import DoseDecision, check_dose_decision
from trialsim.scenario.dose_reduction import DoseReduction
from trialsim.scenario.drift import check_drift
from trialsim.scenario.every_design import check_design, check_designs
from trialsim.scenario.observed import Observed, RelatedTrial, counts_rounding_to
from trialsim.scenario.pending import check_pending
from trialsim.scenario.sensitivity import Sensitivity
from trialsim.scenario.simulation import Simulation
from trialsim.scenario.values import (
    FALLING,
    MAX_DOSES,
    CaseName,
    Rates,
    Text,
    VariantName,
    listed,
    rising,
)

__all__ = [
    "MAX_CASES",
    "MAX_DOSES",
    "Case",
    "Cohorts",
    "Conduct",
    "DoseReduction",
    "Evaluability",
    "Observed",
    "Rates",
    "RelatedTrial",
    "Scenario",
    "Simulation",
    "Source",
    "Stratum",
    "counts_rounding_to",
]

MAX_CASES = 50
MAX_VARIANTS = 50

Amount = Annotated[float, Field(ge=0.001, le=30_000)]
"""Kept in whole thousandths; relative dose intensities over ten years still fit 64 bits."""

Changes = Annotated[dict[str, JsonValue], Field(min_length=1, max_length=50)]
"""Path of an input -> its value; ``scenario.changes`` says whether it leads anywhere."""


class Evaluability(Spec):
    """Which treated patients have a determined outcome."""

    probability: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        description="probability that a treated patient is evaluable for response",
        title="evaluable share of the patients",
    )
    replaced: bool = Field(
        False,
        description="false: looks count treated patients and an inevaluable one is a non-response; "
        "true: looks count evaluable patients and accrual goes on until there are n",
        title="replacement of inevaluable patients",
    )
    inevaluable: Literal["independent", "nonresponders"] = Field(
        "independent",
        description="independent: being evaluable says nothing about response; "
        "nonresponders: inevaluable patients would not have responded",
        title="response of inevaluable patients",
    )


class CountedToxicity(Spec):
    """What counts as a toxicity, wherever one is counted; for the protocol, no calculation uses it."""

    name: Text = Field(
        description="what is counted, such as: dose-limiting toxicity (CTCAE v5 grade 3-4)",
        title="name of the toxicity that is counted",
    )
    counted_by: Text | None = Field(
        None,
        description="who decides whether one has occurred",
        title="who decides that a toxicity has occurred",
    )


class Source(Spec):
    """Where an input comes from."""

    source: Text | None = Field(None, description="publication, registry, data")
    assumed: bool = Field(False, description="true where no publication states it")
    fitted: bool | None = Field(
        None, description="whether a rate was set from the observed count it would be checked against"
    )
    note: Text | None = None


class Scenario(Spec):
    """Everything a user states about one trial."""

    schema_: Literal[1] = Field(alias="schema", description="version of this file format")
    name: Text
    endpoint: Text = Field(description="the primary endpoint in words", title="primary endpoint")
    toxicity: CountedToxicity | None = Field(
        None,
        description="what counts as a toxicity, in words (default: the plain word)",
        title="what counts as a toxicity",
    )
    source: Text | None = Field(None, description="the publication or protocol this scenario follows")
    design: Design
    doses: Annotated[tuple[Text, ...], AsTuple, Field(min_length=1, max_length=MAX_DOSES)] = Field(
        ("single dose",), description="dose levels, starting dose first"
    )
    dose_amounts: Annotated[tuple[Amount, ...], AsTuple, Field(min_length=1, max_length=MAX_DOSES)] | None = (
        Field(
            None,
            description="amount of each dose in one unit, such as mg a day, in order of `doses`; slopes and reductions "
            "of single patients need it",
        )
    )
    dose_reduction: DoseReduction | None = Field(None, title="toxicity rule")
    dose_decision: DoseDecision | None = Field(
        None,
        description="which of the two doses goes forward after a go",
        title="dose decision",
    )
    evaluability: Evaluability = Evaluability()
    cohorts: Cohorts | None = None
    conduct: Conduct | None = Field(None, title="calendar time")
    truth: dict[CaseName, Case] = Field(min_length=1, max_length=MAX_CASES, description="named cases")
    history: History | None = Field(None, title="what is known of the control's response rate")
    prior: DrugPrior | None = Field(None, title="what the drug may be, and how probable that is")
    observed: Observed | None = None
    related_trials: Annotated[tuple[RelatedTrial, ...], AsTuple, Field(max_length=20)] = ()
    sources: dict[str, Source] = Field(
        default_factory=dict, description="path of an input -> where it comes from"
    )
    simulation: Simulation = Simulation()
    question: Text | None = Field(None, description="the question that this scenario is run to answer")
    variants: Annotated[dict[VariantName, Changes], Field(max_length=MAX_VARIANTS)] = Field(
        {},
        description="name of a variant -> what it changes: path of an input -> its value there; "
        "`trialsim whatif` runs each beside the scenario itself",
    )
    sensitivity: Sensitivity | None = Field(
        None, description="inputs to move and what to watch; `trialsim sensitivity` works it out"
    )

    @field_validator("doses")
    @classmethod
    def _distinct(cls, doses: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(doses)) != len(doses):
            raise impossible("", "each dose must have its own name")
        return doses

    @property
    def strata(self) -> tuple[Stratum, ...]:
        """The strata that arrive; one of everybody where none are stated."""
        return self.cohorts.strata if self.cohorts else (EVERYBODY,)

    @property
    def own_rules(self) -> bool:
        """Whether each cohort runs the design by itself."""
        return self.cohorts is not None and self.cohorts.rules == "own"

    @property
    def from_start(self) -> bool:
        """Whether patients are randomised between two doses from the first one on; the doses are then the cohorts."""
        return self.dose_decision is not None and self.dose_decision.from_start is not None

    @property
    def apart(self) -> bool:
        """Whether each cohort has looks, a dose and a toxicity boundary of its own: only arrivals are shared."""
        return self.cohorts is not None and self.cohorts.monitor == "own"

    @property
    def designs(self) -> dict[str, Design]:
        """The design of each cohort, where some have their own; {} where one design is everybody's."""
        if self.cohorts is None or not self.cohorts.designs:
            return {}
        return {name: self.cohorts.designs.get(name, self.design) for name in self.cohorts.names}

    @property
    def every_design(self) -> dict[str, Design]:
        """Every design that is stated, by its place."""
        own = self.cohorts.designs if self.cohorts else {}
        return {"design": self.design, **{f"cohorts.designs.{name}": each for name, each in own.items()}}

    @property
    def on_dose_change(self) -> str:
        """Who is analysed after a dose change: pooled, new_dose_only or restart."""
        return self.dose_reduction.on_dose_change if self.dose_reduction else "pooled"

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        self._check_amounts()
        if self.dose_reduction:
            self.dose_reduction.check(self.doses)
        self._check_amendment()
        for place, design in self.every_design.items():
            check_design(self, place, design)
        self._check_dose_change()
        for name, case in self.truth.items():
            self._check_case(f"truth.{name}", case)
        self._check_conduct()
        check_prior(self)
        self._check_observed()
        check_dose_decision(self)
        if self.dose_decision is not None and self.dose_decision.from_start is not None:
            # to everything that runs trials the doses are cohorts; they are not stated, and nothing writes them out
            self.__dict__["cohorts"] = self.dose_decision.from_start.arms(*self.doses)
        check_drift(self)
        check_pending(self)
        check_designs(self)
        return self

    def _check_amounts(self) -> None:
        amounts = self.dose_amounts
        if amounts is not None and len(amounts) != len(self.doses):
            raise impossible(
                "dose_amounts", f"{len(amounts)} amounts for {len(self.doses)} doses ({listed(self.doses)})"
            )
        if amounts is None and (found := rising(self.doses)):
            raise impossible("doses", f"{found[0]} comes before {found[1]}: {FALLING}")
        for before, after in zip(amounts or (), (amounts or ())[1:], strict=False):
            if after > before:
                raise impossible("dose_amounts", f"{before:g} comes before {after:g}: {FALLING}")
        for name, case in self.truth.items():
            self.truth[name] = case.dosed(amounts or ())

    def _check_amendment(self) -> None:
        rule = self.dose_reduction.rule if self.dose_reduction else None
        if rule is None or rule.kind != "amendment":
            return
        if self.apart:
            raise impossible(
                "cohorts.monitor",
                "an amendment is one of the whole trial; with `monitor: own` each cohort has a dose of its own",
            )
        levels = len(self.doses)
        unit = "month" if rule.after_patient is None else "patient"
        key = f"dose_reduction.rule.after_{unit}"
        after = rule.patients() or rule.months()
        if unit == "month" and self.conduct is None:
            raise impossible(key, "months need the `conduct` block; without it there is no calendar")
        if levels == 1:
            raise impossible(
                key, "an amendment moves to the next dose, but only one dose is listed in `doses`"
            )
        if len(after) > levels - 1:
            raise impossible(key, f"{len(after)} amendments for {levels} doses; at most {levels - 1}")
        if any(a >= b for a, b in zip(after, after[1:], strict=False)):
            numbers = "months" if unit == "month" else "numbers of patients"
            raise impossible(key, f"amendments must come after increasing {numbers}")

    def _check_dose_change(self) -> None:
        key, what = "dose_reduction.on_dose_change", self.on_dose_change
        if what == "pooled":
            return
        if len(self.doses) == 1:
            raise impossible(key, f"`{what}` needs a second dose, but only one is listed in `doses`")
        if self.own_rules:
            raise impossible(key, f"`{what}` is not possible with `cohorts.rules: own`; only pooled is")
        if what == "restart":
            return
        if self.evaluability.replaced:
            raise impossible(key, f"`{what}` is not possible where inevaluable patients are replaced")
        missing = [name for name in ("p0", "alpha") if getattr(self.design, name, None) is None]
        if missing:
            raise impossible(
                key,
                f"`{what}` takes its cut-off from p0 and alpha of the design; not stated: {', '.join(missing)}",
            )

    def _check_case(self, path: str, case: Case) -> None:
        for name, group in case.cohorts.items():
            if self.cohorts is None:
                raise impossible(
                    f"{path}.cohorts", "rates by cohort need the block `cohorts` with its strata"
                )
            if not self.cohorts.knows(name):
                raise impossible(
                    f"{path}.cohorts.{name}",
                    f"`{name}` is neither a stratum nor a cohort (those are: {self.cohorts.all_names()})",
                )
            self._check_lists(f"{path}.cohorts.{name}", dict(group))
        self._check_lists(path, dict(case))
        for stratum in self.strata:
            self._check_stratum(path, case, stratum)

    def _check_lists(self, path: str, stated: dict[str, object]) -> None:
        for key, rates in stated.items():
            if isinstance(rates, tuple) and len(rates) != len(self.doses):
                raise impossible(
                    f"{path}.{key}", f"{len(rates)} rates for {len(self.doses)} doses ({listed(self.doses)})"
                )
            if isinstance(rates, Slope) and self.dose_amounts is None:
                raise impossible(f"{path}.{key}", "a slope needs `dose_amounts`, the amount of each dose")

    def _check_stratum(self, path: str, case: Case, stratum: Stratum) -> None:
        levels, names = len(self.doses), (stratum.name, stratum.cohort_name)
        here = case.within(*names)
        rule = self.dose_reduction.kind if self.dose_reduction else "none"
        if here.toxicity is None and rule not in ("none", "amendment"):
            raise impossible(path, f"the toxicity rule `{rule}` needs a toxicity rate in every case")
        design = self.designs.get(stratum.cohort_name, self.design)
        if here.toxicity is None and getattr(design, "watches_toxicity", False):
            raise impossible(path, f"the design `{design.kind}` needs a toxicity rate in every case")
        if here.toxicity is None and here.odds_ratio != 1:
            raise impossible(
                f"{path}.{case.place('odds_ratio', *names)}", "an odds ratio needs a toxicity rate"
            )
        serious, toxicity = here.by_dose("serious", levels), here.by_dose("toxicity", levels)
        if serious is not None:
            at = f"{path}.{case.place('serious', *names)}"
            if toxicity is None:
                raise impossible(at, "serious events are nested in toxicity: state its rate too")
            if any(s > t for s, t in zip(serious, toxicity, strict=True)):
                raise impossible(at, "the rate of serious events cannot exceed that of toxicity")
        if self.evaluability.inevaluable == "nonresponders":
            highest = max(here.by_dose("response", levels) or (0.0,))
            if highest > self.evaluability.probability:
                raise impossible(
                    f"{path}.{case.place('response', *names)}",
                    f"response rate {highest:g} exceeds the evaluable share {self.evaluability.probability:g}, "
                    "although inevaluable patients are all non-responders",
                )

    def _check_conduct(self) -> None:
        if self.conduct is None:
            return
        toxic = any(
            case.within(stratum.name, stratum.cohort_name).toxicity is not None
            for case in self.truth.values()
            for stratum in self.strata
        )
        if toxic and self.conduct.toxicity_window_weeks is None:
            raise impossible(
                "conduct.toxicity_window_weeks",
                "missing: the truth states toxicity, so the weeks within which it counts are needed",
            )
        if self.conduct.patient_reductions is not None:
            key = "conduct.patient_reductions"
            if self.dose_amounts is None:
                raise impossible(
                    key, "dose reductions of patients need `dose_amounts`, the amount of each dose"
                )
            if not toxic:
                raise impossible(key, "patients' doses are reduced for toxicity, but no case states any")
        for design in self.every_design.values():
            n = design.stated_size()
            if n is not None and (why := self.conduct.accrual.too_slow(n)):
                raise impossible("conduct.accrual", why)

    def _check_observed(self) -> None:
        if self.observed is None:
            return
        for key in ("treated_by_dose", "evaluable_by_dose", "responses_by_dose", "toxicities_by_dose"):
            counts = getattr(self.observed, key)
            if counts is not None and len(counts) != len(self.doses):
                raise impossible(
                    f"observed.{key}",
                    f"{len(counts)} counts for {len(self.doses)} doses ({listed(self.doses)})",
                )
        cohorts = self.cohorts.names if self.cohorts else ()
        for i, cell in enumerate(self.observed.cells):
            if cell.cohort is not None and cell.cohort not in cohorts:
                those = f"those are: {listed(cohorts)}" if cohorts else "the block `cohorts` names them"
                raise impossible(f"observed.cells.{i}.cohort", f"`{cell.cohort}` is no cohort ({those})")
            if cell.dose is not None and cell.dose not in self.doses:
                raise impossible(
                    f"observed.cells.{i}.dose",
                    f"`{cell.dose}` is none of the doses (those are: {listed(self.doses)})",
                )
