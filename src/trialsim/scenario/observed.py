"""What may be stated of the trial that really happened, and of others of the same drug."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Annotated

from pydantic import Field, model_validator

from trialsim.designs.spec import AsTuple, Patients, Spec, impossible
from trialsim.scenario.values import Count, Counts, GroupName, Text


def _check_responses(responses: int, evaluable: int) -> None:
    if responses > evaluable:
        raise impossible("responses", f"{responses} responses among {evaluable} evaluable patients")


class Stage1(Spec):
    """What was seen at the end of stage 1."""

    evaluable: Patients
    responses: Count

    @model_validator(mode="after")
    def _possible(self) -> Stage1:
        _check_responses(self.responses, self.evaluable)
        return self


class Cell(Spec):
    """What was seen in one cohort at one dose; what is left out is all of them."""

    cohort: GroupName | None = Field(None, description="cohort of the patients (default: all cohorts)")
    dose: Text | None = Field(None, description="starting dose of the patients (default: all doses)")
    evaluable: Patients = Field(description="evaluable patients")
    responses: Count | None = Field(None, description="responses among them (default: unreported)")

    @model_validator(mode="after")
    def _possible(self) -> Cell:
        if self.responses is not None:
            _check_responses(self.responses, self.evaluable)
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
    toxicities_by_dose: Counts | None = Field(
        None, description="treated patients with toxicity by starting dose"
    )
    stage1: Stage1 | None = None
    cells: Annotated[tuple[Cell, ...], AsTuple, Field(max_length=100)] = Field(
        (), description="patients and responses by cohort and starting dose, as far as published"
    )

    @model_validator(mode="after")
    def _possible(self) -> Observed:
        self._needs("treated", "toxicities", "toxicity_percent", "serious", "treated_by_dose")
        self._needs("evaluable", "responses", "disease_control", "evaluable_by_dose", "stage1")
        self._needs("evaluable_by_dose", "responses_by_dose")
        self._needs("treated_by_dose", "toxicities_by_dose")
        self._needs("toxicities", "toxicities_by_dose")
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
        self._adds_up("toxicities_by_dose", "toxicities")
        self._each_within("evaluable_by_dose", "treated_by_dose")
        self._each_within("responses_by_dose", "evaluable_by_dose")
        self._each_within("toxicities_by_dose", "treated_by_dose")
        if self.stage1 is not None:
            if self.evaluable is not None and self.stage1.evaluable > self.evaluable:
                raise impossible(
                    "stage1.evaluable", f"stage 1 has more patients than the trial ({self.evaluable})"
                )
            if self.responses is not None and self.stage1.responses > self.responses:
                raise impossible(
                    "stage1.responses", f"more responses in stage 1 than in the trial ({self.responses})"
                )
        self._check_cells()
        return self

    def _check_cells(self) -> None:
        seen: set[tuple[str | None, str | None]] = set()
        for i, cell in enumerate(self.cells):
            if (cell.cohort, cell.dose) in seen:
                raise impossible(f"cells.{i}", "an earlier cell has the same cohort and dose")
            seen.add((cell.cohort, cell.dose))
            for key in ("evaluable", "responses"):
                part, whole = getattr(cell, key), getattr(self, key)
                if part is not None and whole is not None and part > whole:
                    raise impossible(f"cells.{i}.{key}", f"{key} = {part} cannot exceed the trial's {whole}")

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
        _check_responses(self.responses, self.evaluable)
        return self


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
