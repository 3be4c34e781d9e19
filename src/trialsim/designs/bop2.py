"""BOP2 for one endpoint: cut-offs of the posterior probability that grow with the share of patients seen.

Zhou H, Lee JJ, Yuan Y. BOP2: Bayesian optimal design for phase II clinical trials. Stat Med 2017;36:3302-3314;
with an early go: Zhao Y et al. BOP2-FE. J Biopharm Stat 2023.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.alone import cut_off_looks
from trialsim.designs.bayes import LookSizes, posterior_above
from trialsim.designs.error_rates import Candidates, ErrorRates
from trialsim.designs.rules import Looks
from trialsim.designs.spec import OpenProbability, Prior, impossible
from trialsim.errors import DesignError

LAMBDAS = (0.5, 0.995, 0.005)
GAMMAS = (0.0, 1.0, 0.05)
ETAS = (0.1, 3.0, 0.1)
"""First, last and step of what a search tries."""


class Bop2(ErrorRates):
    """Futile if P(p > p0) < lambda (m/N)^gamma; go if it is above 1 - (1 - lambda)(m/N)^eta."""

    default_criterion: ClassVar[str] = "most_power"

    kind: Literal["bop2"]
    criterion: Literal["most_power"] | None = Field(
        None,
        description="most_power: the largest power at p1 among cut-offs whose exact level is at most alpha",
    )
    looks: LookSizes = Field(description="patients at each look, the planned n last")
    prior: Prior | None = Field(None, description="[a, b] of the Beta prior (default p0, 1 - p0)")
    lambda_: OpenProbability | None = Field(None, alias="lambda", description="cut-off at the last look")
    gamma: float | None = Field(None, ge=0, le=10, description="how fast the futility cut-off grows")
    eta: float | None = Field(
        None, gt=0, le=10, description="how fast the go cut-off falls (none: no early go)"
    )
    efficacy_stop: bool = Field(False, description="search cut-offs for an early go too")

    @model_validator(mode="after")
    def _possible(self) -> Bop2:
        check_stated(self, "`alpha` and `efficacy_stop`", self.efficacy_stop)
        return self

    @property
    def response_prior(self) -> tuple[float, float]:
        """The Beta prior of the rule: as stated, else worth one patient with mean p0."""
        assert self.p0 is not None
        return self.prior or (self.p0, 1 - self.p0)

    def compile(self) -> Looks:
        """One look for each number of patients stated."""
        assert self.p0 is not None
        prior = self.response_prior
        if self.lambda_ is not None and self.gamma is not None:
            return looks_of(self.looks, self.p0, prior, self.lambda_, self.gamma, self.eta)
        return self._found(prior).looks()

    def candidates(self) -> Candidates:
        """The cut-offs with the largest power."""
        return Candidates((("most_power", self._found(self.response_prior)),))

    def _found(self, prior: tuple[float, float]) -> Bop2Design:
        assert self.p0 is not None and self.p1 is not None and self.alpha is not None
        found = search(self.looks, self.p0, self.p1, self.alpha, prior, efficacy_stop=self.efficacy_stop)
        check_power(self, found.power)
        return found


def check_stated(spec: Any, what: str, searches: bool = False) -> None:
    """Refuse cut-offs that are half stated, or both stated and searched for (by ``what``)."""
    if spec.p0 is None:
        raise impossible("p0", "the cut-offs are about P(response > p0): state p0")
    if spec.nmax is not None:
        raise impossible("nmax", "the looks state the largest n")
    stated = spec.lambda_ is not None
    if stated != (spec.gamma is not None):
        raise impossible("", "cut-offs stated outright need lambda and gamma")
    if stated and (spec.alpha is not None or spec.beta is not None or searches):
        raise impossible("alpha", f"{what} belong to a search; lambda and gamma are stated")
    if not stated and (spec.p1 is None or spec.alpha is None):
        raise impossible("", "to find cut-offs state p0, p1 and alpha; or state lambda and gamma")


def check_power(spec: Any, power: float) -> None:
    """Refuse looks with which no cut-offs have the power that is asked for."""
    if spec.beta is not None and power < 1 - spec.beta:
        raise DesignError(
            f"with looks at {', '.join(map(str, spec.looks))} the largest power at alpha = {spec.alpha:g} is "
            f"{power:.4f}, less than {1 - spec.beta:g}: more patients are needed"
        )


def looks_of(
    at: tuple[int, ...],
    p0: float,
    prior: tuple[float, float],
    lambda_: float,
    gamma: float,
    eta: float | None,
) -> Looks:
    """The design as Looks; at the last look a go needs a probability above lambda."""
    stop, go = [], []
    for m in at:
        share = m / at[-1]
        values = posterior_above(m, prior, p0)
        stop.append(int((values < lambda_ * share**gamma).sum()) - 1)
        high = 2.0 if eta is None else 1 - (1 - lambda_) * share**eta
        go.append(int((values <= (lambda_ if m == at[-1] else high)).sum()))
    stop[-1] = go[-1] - 1
    return cut_off_looks(at, tuple(stop), tuple(go))


@dataclass(frozen=True)
class Bop2Design:
    """Cut-offs and their exact operating characteristics; ``eta`` is None without an early go."""

    at: tuple[int, ...]
    p0: float
    prior: tuple[float, float]
    lambda_: float
    gamma: float
    eta: float | None
    en_p0: float
    en_p1: float
    pet_p0: float
    type_i_error: float
    power: float

    @property
    def n(self) -> int:
        """The planned number of patients."""
        return self.at[-1]

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return looks_of(self.at, self.p0, self.prior, self.lambda_, self.gamma, self.eta)


def search(
    at: tuple[int, ...],
    p0: float,
    p1: float,
    alpha: float,
    prior: tuple[float, float] | None = None,
    *,
    efficacy_stop: bool = False,
) -> Bop2Design:
    """The cut-offs with the largest power at p1 (then the least EN(p0)) whose exact level is at most alpha.

    Tried: lambda from .5 to .995 by .005, gamma from 0 to 1 by .05 and, with an early go, eta from .1 to 3 by .1.
    """
    import numpy as np

    from trialsim.kernels.sequential import best_bop2

    prior = prior or (p0, 1 - p0)
    size = np.array(at)
    above = np.ones((len(at), at[-1] + 1))
    for k, m in enumerate(at):
        above[k, : m + 1] = posterior_above(m, prior, p0)
    axes = [np.round(np.arange(lo, hi + step / 2, step), 9) for lo, hi, step in (LAMBDAS, GAMMAS, ETAS)]
    axes[2] = axes[2] if efficacy_stop else np.array([-1.0])
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
    out = np.zeros((2, 4))
    row = best_bop2(size, above, np.array([p0, p1]), alpha, grid, out)
    if row < 0:
        raise DesignError(
            f"no cut-off up to lambda = {LAMBDAS[1]:g} keeps alpha = {alpha:g} with these looks"
        )
    lambda_, gamma, eta = (float(value) for value in grid[row])
    null, alternative = out.tolist()
    return Bop2Design(
        at, p0, prior, lambda_, gamma, eta if eta >= 0 else None,
        null[2], alternative[2], null[3], null[0], alternative[0],
    )  # fmt: skip
