"""Looks as a list of numbers of patients or as a range of them: either way they are kept as the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, model_validator

from trialsim.designs.bayes import LookSizes
from trialsim.designs.spec import Patients, Spec, impossible


class LookRange(Spec):
    """Looks from one number of patients to another in even steps, e.g. ``{from: 6, to: 30, every: 3}``."""

    from_: Patients = Field(
        alias="from", description="patients at the first look", title="first look at toxicity"
    )
    to: Patients = Field(description="patients at the last look", title="last look at toxicity")
    every: Patients = Field(
        1, description="patients from one look to the next", title="patients between looks at toxicity"
    )

    @model_validator(mode="after")
    def _possible(self) -> LookRange:
        if self.to < self.from_:
            raise impossible("to", f"{self.to} is below `from`, {self.from_}")
        if over := (self.to - self.from_) % self.every:
            raise impossible(
                "to",
                f"looks every {self.every} patients from {self.from_} on do not come to {self.to}; they come to "
                f"{self.to - over} and {self.to - over + self.every}",
            )
        if len(self.sizes()) > 2000:
            raise impossible("to", f"{len(self.sizes()):,} looks; at most 2,000")
        return self

    def sizes(self) -> tuple[int, ...]:
        """Patients at each look."""
        return tuple(range(self.from_, self.to + 1, self.every))


def _listed(looks: tuple[int, ...] | LookRange) -> tuple[int, ...]:
    return looks.sizes() if isinstance(looks, LookRange) else looks


if TYPE_CHECKING:
    LookSizesOrRange = tuple[int, ...]
else:
    LookSizesOrRange = Annotated[LookSizes | LookRange, AfterValidator(_listed)]
