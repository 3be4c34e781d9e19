"""What every part of a scenario file has in common: strict, frozen, and unknown keys refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

MAX_PATIENTS = 10_000
"""Largest planned number of patients a scenario may state: a hundred phase 2 trials."""

TESTS_NOTHING = ("gehan", "posterior_probability")
"""Kinds of designs that do not test a null hypothesis."""

MAX_PRIOR = 1_000_000
"""Largest parameter of a Beta prior: a belief worth a million patients; far beyond it densities are lost."""


class Spec(BaseModel):
    """A block of a scenario file."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    def stated_size(self) -> int | None:
        """Of a design its planned n where that is stated; None where it is searched for or follows from other keys."""
        sizes = getattr(self, "n", None) or getattr(self, "looks", None)
        last = sizes[-1] if isinstance(sizes, tuple) else sizes
        return getattr(last, "n", last)


def impossible(key: str, message: str) -> PydanticCustomError:
    """The error of a rule between keys; ``key`` is the one that the message should point to in the file."""
    return PydanticCustomError("impossible", "{message}", {"key": key, "message": message})


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


AsTuple = BeforeValidator(_as_tuple)
"""YAML writes sequences as lists; frozen models keep tuples."""


def growing(what: str) -> AfterValidator:
    """Refuses numbers of patients that do not grow; ``what`` are looks or stages."""

    def check(sizes: tuple[int, ...]) -> tuple[int, ...]:
        for earlier, later in pairwise(sizes):
            if later <= earlier:
                raise impossible("", f"{what} must grow: {later} follows {earlier}")
        return sizes

    return AfterValidator(check)


def prior_fault(prior: tuple[float, float]) -> str:
    """Why two numbers are not a and b of a Beta prior that can be computed with; "" where they are."""
    if all(0 < part <= MAX_PRIOR for part in prior):
        return ""
    stated = " and ".join(f"{part:g}" for part in prior)
    return f"a Beta prior needs two numbers above 0 and at most {MAX_PRIOR:,}, not {stated}"


def _positive(prior: tuple[float, float]) -> tuple[float, float]:
    if fault := prior_fault(prior):
        raise impossible("", fault)
    return prior


Prior = Annotated[tuple[float, float], AsTuple, AfterValidator(_positive)]
Probability = Annotated[float, Field(ge=0, le=1)]
OpenProbability = Annotated[float, Field(gt=0, lt=1)]
Patients = Annotated[int, Field(ge=1, le=MAX_PATIENTS)]
CutOff = Annotated[int, Field(ge=0, le=MAX_PATIENTS)]
