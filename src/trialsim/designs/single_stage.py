"""Single stage: n patients, go if responses > r, with r the least cut-off that keeps the type I error.

Fleming TR. Biometrics 1982;38:143-151. A'Hern RP. Stat Med 2001;20:859-866.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from trialsim.designs.simon import check_rates, refuse_search_keys, require_error_rates
from trialsim.designs.spec import CutOff, OpenProbability, Patients, Spec, impossible


class SingleStage(Spec):
    """One stage: found from p0, p1, alpha, beta, or stated as n and r."""

    kind: Literal["single_stage"]
    p0: OpenProbability | None = Field(None, description="unacceptable response rate (H0)")
    p1: OpenProbability | None = Field(None, description="desirable response rate (H1)")
    alpha: OpenProbability | None = Field(None, description="largest type I error to accept")
    beta: OpenProbability | None = Field(None, description="largest type II error to accept")
    criterion: Literal["first", "stable"] | None = Field(
        None,
        description="first (default): smallest n that works; stable: smallest n from which every larger n works too",
    )
    nmax: Patients | None = Field(None, description="largest n to search (default: none needed)")
    n: Patients | None = Field(None, description="patients")
    r: CutOff | None = Field(None, description="go if responses > r of n")

    @model_validator(mode="after")
    def _possible(self) -> SingleStage:
        check_rates(self.p0, self.p1)
        if self.n is None and self.r is None:
            require_error_rates(self, "n and r")
            return self
        if self.n is None or self.r is None:
            raise impossible("", "a design stated outright needs both n and r")
        refuse_search_keys(self, "n and r")
        if self.r > self.n:
            raise impossible("r", f"r = {self.r} cannot exceed n = {self.n}")
        return self
