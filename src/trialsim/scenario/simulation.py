"""The block ``simulation`` of a scenario file: how much to simulate."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from trialsim.designs.spec import Spec, impossible
from trialsim.given import MAX_REPLICATES, MAX_SEED

Precision = Annotated[float, Field(ge=0.0001, le=0.1)]
"""The least needs 25 million replicates at a probability of .5."""


class Simulation(Spec):
    """How much to simulate."""

    replicates: Annotated[int, Field(ge=1, le=MAX_REPLICATES)] = Field(
        100_000,
        description="simulated trials a case",
        json_schema_extra={
            "x-above": "more would not finish; 1000000 give every probability a standard error of .0005 or less"
        },
    )
    precision: Annotated[dict[str, Precision], Field(min_length=1)] | None = Field(
        None,
        description="name of a probability -> largest Monte Carlo standard error wanted, such as {p_go: 0.001}, "
        "in place of `replicates` (default: none)",
    )
    seed: Annotated[int, Field(ge=0, lt=MAX_SEED + 1)] = Field(
        1, description="the same seed gives the same trials"
    )

    @model_validator(mode="after")
    def _possible(self) -> Simulation:
        if self.precision is None:
            return self
        from trialsim.quantities import is_probability, quantity_names
        from trialsim.scenario.words import meant

        if "replicates" in self.model_fields_set:
            raise impossible("precision", "state `replicates` or the `precision` wanted, not both")
        known = tuple(filter(is_probability, quantity_names(0)))
        for name in self.precision:
            if name not in known:
                raise impossible("precision", f"`{name}` is no probability of a trial{meant(name, known)}")
        return self
