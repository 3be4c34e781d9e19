"""What may be written in a scenario file. The YAML keys are the Python names."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from trialsim.designs import Design, ToxicityRule
from trialsim.designs.spec import AsTuple, Patients, Probability, Spec, impossible

MAX_DOSES = 8
MAX_CASES = 50
MAX_REPLICATES = 1_000_000_000

Text = Annotated[str, Field(min_length=1, max_length=300)]
CaseName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Rates = Probability | Annotated[tuple[Probability, ...], AsTuple, Field(min_length=1, max_length=MAX_DOSES)]
"""One rate for every dose, or a list with one rate a dose, starting dose first."""
Counts = Annotated[tuple[Count, ...], AsTuple, Field(min_length=1, max_length=MAX_DOSES)]


class DoseReduction(Spec):
    """What toxicity at a dose does to the patients who come after."""

    rule: ToxicityRule
    at_lowest_dose: Literal["stop", "continue"] = Field(
        "stop", description="when the rule acts at the last dose: stop the trial, or go on"
    )


class Evaluability(Spec):
    """Which treated patients have a determined outcome."""

    probability: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="probability that a treated patient is evaluable for response"
    )
    replaced: bool = Field(
        False,
        description="false: looks count treated patients and an inevaluable one is a non-response; "
        "true: looks count evaluable patients and accrual goes on until there are n",
    )
    inevaluable: Literal["independent", "nonresponders"] = Field(
        "independent",
        description="independent: being evaluable says nothing about response; "
        "nonresponders: inevaluable patients would not have responded",
    )


class Case(Spec):
    """One assumed truth: rates by dose and their association."""

    response: Rates = Field(
        description="true response rate of treated patients, one for all doses or one a dose"
    )
    toxicity: Rates | None = Field(None, description="true toxicity rate, one for all doses or one a dose")
    odds_ratio: Annotated[float, Field(gt=0, le=1e6)] = Field(
        1.0, description="association of response and toxicity (Plackett's global cross ratio); 1 = none"
    )
    stable_disease: Rates | None = Field(
        None,
        description="P(stable disease at 16 weeks or later | no response), for disease control in the check",
    )
    serious: Rates | None = Field(
        None,
        description="true rate of patients with a serious adverse event, nested in toxicity, for the check",
    )
    note: Text | None = None

    def by_dose(self, key: str, levels: int) -> tuple[float, ...] | None:
        """The rates ``key`` as one number a dose level, or None where the case does not state them."""
        value = getattr(self, key)
        if value is None:
            return None
        return value if isinstance(value, tuple) else (value,) * levels


class Stage1(Spec):
    """What was seen at the end of stage 1."""

    evaluable: Patients
    responses: Count

    @model_validator(mode="after")
    def _possible(self) -> Stage1:
        if self.responses > self.evaluable:
            raise impossible(
                "responses", f"{self.responses} responses among {self.evaluable} evaluable patients"
            )
        return self


class Observed(Spec):
    """The trial that really happened, as published; what is unreported is left out."""

    treated: Patients | None = None
    evaluable: Patients | None = None
    responses: Count | None = None
    disease_control: Count | None = None
    toxicities: Count | None = Field(None, description="treated patients with the toxicity of `truth`")
    toxicity_percent: Annotated[int, Field(ge=0, le=100)] | Annotated[float, Field(ge=0, le=100)] | None = (
        Field(
            None, description="published percentage of treated patients with toxicity, to its printed digits"
        )
    )
    serious: Count | None = Field(None, description="treated patients with a serious adverse event")
    dose_reduced: bool | None = Field(
        None, description="whether the starting dose was reduced during the trial"
    )
    treated_by_dose: Counts | None = Field(
        None, description="treated patients by starting dose, in order of `doses`"
    )
    evaluable_by_dose: Counts | None = Field(None, description="evaluable patients by starting dose")
    responses_by_dose: Counts | None = Field(None, description="responses by starting dose")
    stage1: Stage1 | None = None

    @model_validator(mode="after")
    def _possible(self) -> Observed:
        self._needs("treated", "toxicities", "toxicity_percent", "serious", "treated_by_dose")
        self._needs("evaluable", "responses", "disease_control", "evaluable_by_dose", "stage1")
        self._needs("evaluable_by_dose", "responses_by_dose")
        self._within("evaluable", "treated")
        for key in ("responses", "disease_control"):
            self._within(key, "evaluable")
        for key in ("toxicities", "serious"):
            self._within(key, "treated")
        self._within("responses", "disease_control")
        if self.toxicities is not None and self.toxicity_percent is not None:
            raise impossible("toxicity_percent", "state toxicities or toxicity_percent, not both")
        if self.toxicity_percent is not None and not self.toxicity_candidates():
            nearest = round(float(self.toxicity_percent) * self._treated / 100)
            around = ", ".join(
                f"{k} of {self._treated} is {100 * k / self._treated:.4g}%"
                for k in range(max(nearest - 1, 0), min(nearest + 1, self._treated) + 1)
            )
            raise impossible(
                "toxicity_percent", f"no count of {self._treated} gives {self.toxicity_percent:g}% ({around})"
            )
        if (
            self.serious is not None
            and self.toxicity_candidates()
            and self.serious > max(self.toxicity_candidates())
        ):
            raise impossible(
                "serious",
                f"{self.serious} patients with serious events among fewer with toxicity: they must be nested",
            )
        self._adds_up("treated_by_dose", "treated")
        self._adds_up("evaluable_by_dose", "evaluable")
        self._adds_up("responses_by_dose", "responses")
        self._each_within("evaluable_by_dose", "treated_by_dose")
        self._each_within("responses_by_dose", "evaluable_by_dose")
        if self.stage1 is not None:
            if self.evaluable is not None and self.stage1.evaluable > self.evaluable:
                raise impossible(
                    "stage1.evaluable", f"stage 1 has more patients than the trial ({self.evaluable})"
                )
            if self.responses is not None and self.stage1.responses > self.responses:
                raise impossible(
                    "stage1.responses", f"more responses in stage 1 than in the trial ({self.responses})"
                )
        return self

    @property
    def _treated(self) -> int:
        assert self.treated is not None
        return self.treated

    def toxicity_candidates(self) -> tuple[int, ...]:
        """The counts of patients with toxicity that the file allows: one, or all that round to the percentage."""
        if self.toxicities is not None:
            return (self.toxicities,)
        if self.toxicity_percent is None:
            return ()
        return counts_rounding_to(self.toxicity_percent, self._treated)

    def _needs(self, base: str, *keys: str) -> None:
        for key in keys:
            if getattr(self, key) is not None and getattr(self, base) is None:
                raise impossible(key, f"`{key}` needs `{base}`, its denominator")

    def _within(self, part: str, whole: str) -> None:
        a, b = getattr(self, part), getattr(self, whole)
        if a is not None and b is not None and a > b:
            raise impossible(part, f"{part} = {a} cannot exceed {whole} = {b}")

    def _adds_up(self, parts: str, total: str) -> None:
        a, b = getattr(self, parts), getattr(self, total)
        if a is not None and b is not None and sum(a) != b:
            raise impossible(parts, f"{parts} adds up to {sum(a)}, but {total} = {b}")

    def _each_within(self, parts: str, wholes: str) -> None:
        a, b = getattr(self, parts), getattr(self, wholes)
        if (
            a is not None
            and b is not None
            and (len(a) != len(b) or any(x > y for x, y in zip(a, b, strict=True)))
        ):
            raise impossible(parts, f"{parts} = {list(a)} does not fit within {wholes} = {list(b)}")


class RelatedTrial(Spec):
    """Another trial of the same drug, from which this one is predicted without any assumed rate."""

    name: Text
    evaluable: Patients
    responses: Count
    source: Text | None = None

    @model_validator(mode="after")
    def _possible(self) -> RelatedTrial:
        if self.responses > self.evaluable:
            raise impossible(
                "responses", f"{self.responses} responses among {self.evaluable} evaluable patients"
            )
        return self


class Source(Spec):
    """Where an input comes from."""

    source: Text | None = Field(None, description="publication, registry, data")
    assumed: bool = Field(False, description="true where no publication states it")
    fitted: bool | None = Field(
        None, description="whether a rate was set from the observed count it would be checked against"
    )
    note: Text | None = None


class Simulation(Spec):
    """How much to simulate."""

    replicates: Annotated[int, Field(ge=1, le=MAX_REPLICATES)] = Field(
        100_000,
        description="simulated trials a case",
        json_schema_extra={
            "x-above": "more would not finish; 1000000 give every probability a standard error of .0005 or less"
        },
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(1, description="the same seed gives the same trials")


class Scenario(Spec):
    """Everything a user states about one trial."""

    schema_: Literal[1] = Field(alias="schema", description="version of this file format")
    name: Text
    endpoint: Text = Field(description="the primary endpoint in words")
    source: Text | None = Field(None, description="the publication or protocol this scenario follows")
    design: Design
    doses: Annotated[tuple[Text, ...], AsTuple, Field(min_length=1, max_length=MAX_DOSES)] = Field(
        ("single dose",), description="dose levels, starting dose first"
    )
    dose_reduction: DoseReduction | None = None
    evaluability: Evaluability = Evaluability()
    truth: dict[CaseName, Case] = Field(min_length=1, max_length=MAX_CASES, description="named cases")
    observed: Observed | None = None
    related_trials: Annotated[tuple[RelatedTrial, ...], AsTuple, Field(max_length=20)] = ()
    sources: dict[str, Source] = Field(
        default_factory=dict, description="path of an input -> where it comes from"
    )
    simulation: Simulation = Simulation()

    @field_validator("doses")
    @classmethod
    def _distinct(cls, doses: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(doses)) != len(doses):
            raise impossible("", "each dose must have its own name")
        return doses

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        levels = len(self.doses)
        self._check_rule(levels)
        for name, case in self.truth.items():
            self._check_case(f"truth.{name}", case, levels)
        if self.observed is not None:
            for key in ("treated_by_dose", "evaluable_by_dose", "responses_by_dose"):
                counts = getattr(self.observed, key)
                if counts is not None and len(counts) != levels:
                    raise impossible(
                        f"observed.{key}", f"{len(counts)} counts for {levels} doses ({_list(self.doses)})"
                    )
        return self

    def _check_rule(self, levels: int) -> None:
        if self.dose_reduction is None or self.dose_reduction.rule.kind != "amendment":
            return
        key = "dose_reduction.rule.after_patient"
        after = self.dose_reduction.rule.after_patient
        patients = after if isinstance(after, tuple) else (after,)
        if levels == 1:
            raise impossible(
                key, "an amendment moves to the next dose, but only one dose is listed in `doses`"
            )
        if len(patients) > levels - 1:
            raise impossible(key, f"{len(patients)} amendments for {levels} doses; at most {levels - 1}")
        if any(a >= b for a, b in zip(patients, patients[1:], strict=False)):
            raise impossible(key, "amendments must come after increasing numbers of patients")

    def _check_case(self, path: str, case: Case, levels: int) -> None:
        for key in ("response", "toxicity", "stable_disease", "serious"):
            rates = getattr(case, key)
            if isinstance(rates, tuple) and len(rates) != levels:
                raise impossible(
                    f"{path}.{key}", f"{len(rates)} rates for {levels} doses ({_list(self.doses)})"
                )
        rule = self.dose_reduction.rule.kind if self.dose_reduction else "none"
        if case.toxicity is None and rule not in ("none", "amendment"):
            raise impossible(path, f"the toxicity rule `{rule}` needs a toxicity rate in every case")
        if case.toxicity is None and case.odds_ratio != 1:
            raise impossible(f"{path}.odds_ratio", "an odds ratio needs a toxicity rate")
        serious, toxicity = case.by_dose("serious", levels), case.by_dose("toxicity", levels)
        if serious is not None:
            if toxicity is None:
                raise impossible(
                    f"{path}.serious", "serious events are nested in toxicity: state its rate too"
                )
            if any(s > t for s, t in zip(serious, toxicity, strict=True)):
                raise impossible(
                    f"{path}.serious", "the rate of serious events cannot exceed that of toxicity"
                )
        if self.evaluability.inevaluable == "nonresponders":
            highest = max(case.by_dose("response", levels) or (0.0,))
            if highest > self.evaluability.probability:
                raise impossible(
                    f"{path}.response",
                    f"response rate {highest:g} exceeds the evaluable share {self.evaluability.probability:g}, "
                    "although inevaluable patients are all non-responders",
                )


def counts_rounding_to(percent: int | float, denominator: int) -> tuple[int, ...]:
    """Every count k whose percentage 100 k / denominator, rounded half up to the digits of ``percent``, prints as it.

    ``percent`` written as a whole number (37) is read as rounded to whole percents, 28.57 as rounded to two decimals.
    """
    stated = Decimal(str(percent))
    unit = Decimal(1).scaleb(min(int(stated.as_tuple().exponent), 0))
    centre = int(percent * denominator / 100)
    reach = int(float(unit) * denominator / 100) + 2
    around = range(max(centre - reach, 0), min(centre + reach, denominator) + 1)
    with localcontext(prec=400):  # no float has more decimals: 1e-300 must not overflow the rounding
        return tuple(
            k
            for k in around
            if (Decimal(100 * k) / Decimal(denominator)).quantize(unit, rounding=ROUND_HALF_UP) == stated
        )


def _list(items: tuple[Any, ...]) -> str:
    return ", ".join(map(str, items))
