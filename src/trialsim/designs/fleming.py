"""Fleming's multi-stage test: cut-offs from the normal approximation, at stated numbers of patients.

Fleming TR. One-sample multiple testing procedure for phase II clinical trials. Biometrics 1982;38:143-151.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Annotated, Literal

from pydantic import Field, model_validator

from trialsim.designs.error_rates import check_rates
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import AsTuple, OpenProbability, Patients, Spec, growing, impossible


class Fleming(Spec):
    """K looks with Fleming's nominal boundaries; the level attained may exceed alpha a little, and is reported."""

    kind: Literal["fleming"]
    p0: OpenProbability = Field(description="unacceptable response rate (H0)")
    p1: OpenProbability | None = Field(None, description="desirable response rate, for the report")
    alpha: OpenProbability = Field(description="nominal type I error")
    n: Annotated[tuple[Patients, ...], AsTuple, Field(min_length=1, max_length=50), growing("stages")] = (
        Field(description="patients by the end of each stage", title="planned n")
    )

    @model_validator(mode="after")
    def _possible(self) -> Fleming:
        check_rates(self.p0, self.p1)
        if self.compile().next[-1][-1] != -2:
            raise impossible("n", f"no count of {self.n[-1]} patients rejects p0 = {self.p0:g}")
        return self

    def compile(self) -> Looks:
        """Look k: go from the nominal rejection number on, stop up to the nominal acceptance number."""
        stop, go = boundaries(self.n, self.p0, self.alpha)
        return two_way(self.n, stop, tuple(cut - 1 for cut in go))


def boundaries(n: tuple[int, ...], p0: float, alpha: float) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Stop if responses <= the first, go if responses >= the second (Fleming 1982, equations 2.2 and 2.3)."""
    z, total = NormalDist().inv_cdf(1 - alpha), n[-1]
    # the alternative that the last look tells from p0
    p_a = (math.sqrt(total * p0) + z * math.sqrt(1 - p0)) ** 2 / (total + z**2)
    spread_0, spread_a = (z * math.sqrt(total * p * (1 - p)) for p in (p0, p_a))
    # rounded to the nearest whole number, as published
    go = [math.floor(m * p0 + spread_0 + 0.5) + 1 for m in n]
    stop = [math.floor(m * p_a - spread_a + 0.5) for m in n[:-1]]
    stop = [max(-1, min(low, high - 1)) for low, high in zip(stop, go, strict=False)]
    return (*stop, go[-1] - 1), tuple(go)
