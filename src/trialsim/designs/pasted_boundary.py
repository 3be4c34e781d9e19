"""A toxicity boundary pasted from a protocol: looks after stated numbers of patients at the dose, and at no other."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from trialsim.codes import NEVER
from trialsim.designs.spec import Patients, Spec, impossible
from trialsim.designs.toxicity import Action, Levels
from trialsim.errors import DesignError


def by_count(value: Any) -> Any:
    """JSON has no whole numbers for keys: there ``{"6": 4}`` stands for ``{6: 4}``."""
    if not isinstance(value, dict):
        return value
    return {int(key) if isinstance(key, str) and key.isdecimal() else key: to for key, to in value.items()}


class PastedBoundary(Spec):
    """Act when so many toxicities are reached at one of the stated numbers of patients at the dose."""

    kind: Literal["pasted"]
    boundary: Annotated[
        dict[int, Patients], BeforeValidator(by_count), Field(min_length=1, max_length=2000)
    ] = Field(
        description="patients at the dose at a look -> toxicities among them at which the rule acts, such as "
        "{6: 4, 12: 6}; there is no look between",
        title="pasted toxicity boundary",
    )
    action: Action = None
    levels: Levels = None

    @model_validator(mode="after")
    def _possible(self) -> PastedBoundary:
        for earlier, later in pairwise(self.boundary):
            if later <= earlier:
                raise impossible("boundary", f"looks must grow: {later} follows {earlier}")
        for m, b in self.boundary.items():
            if m < 1:
                raise impossible("boundary", f"a look needs at least 1 patient, not {m}")
            if b > m:
                raise impossible("boundary", f"{b} toxicities cannot occur among {m} patients")
        return self

    @property
    def last_look(self) -> int:
        """Patients at the last look."""
        return max(self.boundary)

    def compile(self, planned_n: int, most: int) -> tuple[int, ...]:  # noqa: ARG002 - one signature for all rules
        """The cut-offs at the stated numbers of patients, NEVER between."""
        if self.last_look > most:
            raise DesignError(
                f"a look at {self.last_look} patients at a dose, but a trial treats {most} at most"
            )
        return tuple(self.boundary.get(m, NEVER) for m in range(most + 1))
