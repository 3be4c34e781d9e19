"""What may be written under ``sensitivity``: which inputs to move, how far, and what to watch.

Every analysis has a name of the user's. Inputs are paths as in ``scenario.changes``; whether they lead anywhere, and
whether each value is possible there, is for ``scenario.analyses`` to say, which knows the rest of the scenario.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from trialsim.designs.spec import AsTuple, OpenProbability, Probability, Spec, impossible
from trialsim.scenario.values import CaseName, VariantName

KINDS = ("tornado", "grids", "priors", "thresholds", "worst_case")
"""The kinds of analysis, as they are written and in the order in which they are run."""

MAX_POINTS = 40_000
"""Points of one grid: a map of 200 by 200."""
MAX_STEPS = 1000
MAX_ANALYSES = 20

Number = Annotated[int | float, Field(ge=-1_000_000, le=1_000_000)]
"""Whole numbers stay whole: an input may be a number of patients."""
Positive = Annotated[float, Field(gt=0, le=1e6)]
Quantity = Annotated[str, Field(min_length=1, max_length=60)]


class Analysis(Spec):
    """What all kinds of analysis have in common."""

    case: CaseName | None = Field(
        None, description="the case whose trials are looked at; may be left out where there is only one"
    )
    engine: Literal["stated", "at_once"] = Field(
        "stated",
        description="stated: the trial of the scenario, simulated where calendar time decides; at_once: the same "
        "trial with every outcome known at once, which has an exact answer",
    )


Ends = Annotated[tuple[Number, Number], AsTuple]


class Tornado(Analysis):
    """Each input low and high by itself, all others as stated."""

    quantities: Annotated[tuple[Quantity, ...], AsTuple, Field(min_length=1, max_length=6)] = Field(
        ("p_go",), description="operating characteristics to watch, such as [p_go, en]"
    )
    inputs: Annotated[
        dict[str, Annotated[tuple[JsonValue, JsonValue], AsTuple]], Field(min_length=1, max_length=40)
    ] = Field(description="path of an input -> [low, high]")


class Steps(Spec):
    """Evenly spaced values from one end to the other."""

    from_: Number = Field(alias="from", description="first value")
    to: Number = Field(description="last value")
    steps: Annotated[int, Field(ge=2, le=MAX_STEPS)] = Field(
        description="number of values, both ends included"
    )
    scale: Literal["linear", "log"] = Field("linear", description="log: evenly spaced ratios")

    @model_validator(mode="after")
    def _possible(self) -> Steps:
        if not self.from_ < self.to:
            raise impossible("to", f"{self.to:g} is not above `from`, {self.from_:g}")
        if self.scale == "log" and self.from_ <= 0:
            raise impossible("from", f"{self.from_:g}: a log scale needs values above 0")
        return self

    def values(self) -> tuple[float, ...]:
        """The values, in 12 digits so that .3 is .3, and whole where both ends are."""
        last, whole = self.steps - 1, isinstance(self.from_, int) and isinstance(self.to, int)
        if self.scale == "log":
            ratio = self.to / self.from_
            found = [self.from_ * ratio ** (k / last) for k in range(self.steps)]
        else:
            found = [self.from_ + (self.to - self.from_) * k / last for k in range(self.steps)]
        found[0], found[-1] = self.from_, self.to
        neat = [float(f"{value:.12g}") for value in found]
        return tuple(int(value) if whole and value.is_integer() else value for value in neat)


Listed = Annotated[tuple[Number, ...], AsTuple, Field(min_length=2, max_length=MAX_STEPS)]


class Grid(Analysis):
    """One quantity over the values of one input, or of two together."""

    quantity: Quantity = Field("p_go", description="operating characteristic to watch")
    over: Annotated[dict[str, Steps | Listed], Field(min_length=1, max_length=2)] = Field(
        description="path of an input -> {from, to, steps} or a list of values; a second path makes a map"
    )

    @model_validator(mode="after")
    def _possible(self) -> Grid:
        for path, axis in self.over.items():
            if isinstance(axis, tuple) and any(a >= b for a, b in zip(axis, axis[1:], strict=False)):
                raise impossible("over", f"the values of {path} must increase")
        if (points := math.prod(map(len, self.axes().values()))) > MAX_POINTS:
            raise impossible("over", f"{points:,} points; at most {MAX_POINTS:,}")
        return self

    def axes(self) -> dict[str, tuple[float, ...]]:
        """The values of each input."""
        return {path: axis if isinstance(axis, tuple) else axis.values() for path, axis in self.over.items()}


class Prior(Spec):
    """What is believed of an input: one distribution."""

    beta: Annotated[tuple[Positive, Positive], AsTuple] | None = Field(
        None, description="[a, b]: the belief left by a responses and b non-responses"
    )
    uniform: Ends | None = Field(None, description="[lowest, highest]")
    log_uniform: Annotated[tuple[Positive, Positive], AsTuple] | None = Field(
        None, description="[lowest, highest], every doubling equally likely: for ratios and speeds"
    )
    triangular: Annotated[tuple[Number, Number, Number], AsTuple] | None = Field(
        None, description="[lowest, most likely, highest]"
    )
    logit_normal: Annotated[tuple[OpenProbability, Positive], AsTuple] | None = Field(
        None, description="[median, standard deviation of the logit]"
    )

    @property
    def kind(self) -> str:
        """The distribution's name."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def numbers(self) -> tuple[float, ...]:
        """The distribution's numbers, in the order in which they are written."""
        found: tuple[float, ...] = getattr(self, self.kind)
        return found

    @model_validator(mode="after")
    def _possible(self) -> Prior:
        stated = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(stated) != 1:
            which = ", ".join(type(self).model_fields)
            raise impossible("", f"one distribution is needed, {len(stated)} are stated (allowed: {which})")
        numbers = self.numbers
        if self.kind in ("uniform", "log_uniform", "triangular") and (
            list(numbers) != sorted(numbers) or numbers[0] == numbers[-1]
        ):
            raise impossible(self.kind, "the numbers must increase from the lowest value to the highest")
        return self


class Priors(Analysis):
    """Inputs that nobody knows, by what is believed of them: assurance, and which belief matters."""

    quantity: Quantity = Field("p_go", description="operating characteristic to average")
    inputs: Annotated[dict[str, Prior], Field(min_length=1, max_length=12)] = Field(
        description="path of an input -> its prior, such as {beta: [6, 34]}; inputs are independent of each other"
    )
    at_least: Probability = Field(
        0.8,
        description="the probability that the quantity is at least this is printed too (probabilities only)",
    )
    draws: Literal[64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384] = Field(
        1024, description="draws of each of two samples; with k inputs (k + 2) x draws trials are worked out"
    )
    replicates: Annotated[int, Field(ge=100, le=10_000_000)] = Field(
        1000, description="simulated trials a draw, where there is no exact answer"
    )


class Threshold(Analysis):
    """How far an input may go before a quantity passes a limit."""

    quantity: Quantity = Field("p_go", description="operating characteristic to watch")
    input: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="path of the input")
    from_: Number = Field(alias="from", description="where to begin")
    to: Number = Field(description="where to end; may be lower than `from`")
    below: Number | None = Field(None, description="where is the quantity first below this?")
    above: Number | None = Field(None, description="where is the quantity first above this?")

    @model_validator(mode="after")
    def _possible(self) -> Threshold:
        if self.from_ == self.to:
            raise impossible("to", f"{self.to:g} is where the search begins too; nothing lies between")
        if (self.below is None) == (self.above is None):
            raise impossible("", "one limit is needed: `below` or `above`")
        return self

    @property
    def limit(self) -> float:
        """The limit, whichever side is asked for."""
        found = self.below if self.below is not None else self.above
        assert found is not None
        return found


class WorstCase(Analysis):
    """The least favourable values of inputs within their ranges."""

    quantity: Quantity = Field("p_go", description="operating characteristic to watch")
    worst: Literal["highest", "lowest"] = Field(
        description="which end is unfavourable: highest for P(go) of an inactive drug, lowest for an active one"
    )
    over: Annotated[dict[str, Ends], Field(min_length=1, max_length=5)] = Field(
        description="path of an input -> [lowest, highest]"
    )

    @model_validator(mode="after")
    def _possible(self) -> WorstCase:
        for path, (low, high) in self.over.items():
            if not low < high:
                raise impossible("over", f"{path}: {high:g} is not above {low:g}")
        return self


class Sensitivity(Spec):
    """What the answers hang on; ``trialsim sensitivity`` works it out."""

    tornado: Annotated[dict[VariantName, Tornado], Field(max_length=MAX_ANALYSES)] = Field(
        {}, description="name -> inputs moved one at a time"
    )
    grids: Annotated[dict[VariantName, Grid], Field(max_length=MAX_ANALYSES)] = Field(
        {}, description="name -> a quantity over one input, or a map over two"
    )
    priors: Annotated[dict[VariantName, Priors], Field(max_length=MAX_ANALYSES)] = Field(
        {}, description="name -> inputs with priors: assurance (expected power) and Sobol indices"
    )
    thresholds: Annotated[dict[VariantName, Threshold], Field(max_length=MAX_ANALYSES)] = Field(
        {}, description="name -> how far an input may go before a quantity passes a limit"
    )
    worst_case: Annotated[dict[VariantName, WorstCase], Field(max_length=MAX_ANALYSES)] = Field(
        {}, description="name -> the least favourable values of inputs within ranges"
    )

    @model_validator(mode="after")
    def _possible(self) -> Sensitivity:
        if not any(True for _ in self.all()):
            raise impossible("", f"no analysis is stated (allowed: {', '.join(KINDS)})")
        return self

    def all(self) -> Iterator[tuple[str, str, Analysis]]:
        """(kind, name, analysis) of every analysis, in the order in which they are run."""
        for kind in KINDS:
            for name, analysis in getattr(self, kind).items():
                yield kind, name, analysis


def quantities_of(analysis: Analysis) -> tuple[str, ...]:
    """The operating characteristics that an analysis watches."""
    if isinstance(analysis, Tornado):
        return analysis.quantities
    return (getattr(analysis, "quantity"),)  # noqa: B009 - every other kind has one
