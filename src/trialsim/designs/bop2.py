"""BOP2 for one endpoint: cut-offs of the posterior probability that grow with the share of patients seen.

Zhou H, Lee JJ, Yuan Y. BOP2: Bayesian optimal design for phase II clinical trials. Stat Med 2017;36:3302-3314;
with an early go: Zhao Y et al. BOP2-FE. J Biopharm Stat 2023.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.alone import cut_off_looks
from trialsim.designs.bayes import LookSizes, posterior_above, posterior_is, power
from trialsim.designs.error_rates import Candidates, ErrorRates
from trialsim.designs.exactly import NEAR, alone, beside, decimal
from trialsim.designs.growing import LEAST, MOST, STEP
from trialsim.designs.growing import search as search_cut_offs
from trialsim.designs.rules import Looks
from trialsim.designs.spec import OpenProbability, Prior, impossible
from trialsim.designs.target import NoDesign

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64

GAMMA_MOST: Any = Field(
    1.0, gt=0, le=MOST, description="largest gamma to search (10 where beta cannot be kept otherwise)"
)


class Bop2(ErrorRates):
    """Futile if P(p > p0) < lambda (m/N)^gamma; go if it is above 1 - (1 - lambda)(m/N)^eta."""

    default_criterion: ClassVar[str] = "most_power"
    needs: ClassVar[tuple[str, ...]] = ("p0", "p1", "alpha")

    kind: Literal["bop2"]
    criterion: Literal["most_power", "optimal"] | None = Field(
        None,
        description="among cut-offs whose exact level is at most alpha, most_power: the largest power at p1; "
        "optimal: with beta, the least EN(p0) of those that keep it",
    )
    gamma_most: float = GAMMA_MOST
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
        check_stated(self, "`alpha`, `efficacy_stop` and `gamma_most`", self.efficacy_stop)
        return self

    @property
    def response_prior(self) -> tuple[float, float]:
        """The Beta prior of the rule: as stated, else worth one patient with mean p0."""
        assert self.p0 is not None
        return self.prior or (self.p0, 1 - self.p0)

    def constants(self) -> dict[str, float]:
        """lambda and gamma of the cut-offs, as stated or as searched for."""
        if self.lambda_ is not None and self.gamma is not None:
            return {"lambda": self.lambda_, "gamma": self.gamma}
        found: Bop2Design = self.chosen()
        return found.constants

    def compile(self) -> Looks:
        """One look for each number of patients stated."""
        assert self.p0 is not None
        prior = self.response_prior
        if self.lambda_ is not None and self.gamma is not None:
            return looks_of(self.looks, self.p0, prior, self.lambda_, self.gamma, self.eta)
        return self.best()

    def held(self) -> dict[str, Any]:
        """With the prior, which is the rule's own where none is stated."""
        own = {"prior": self.response_prior, "efficacy_stop": self.efficacy_stop}
        return searched_for(super().held()) | own

    def candidates(self) -> Candidates:
        """The cut-offs with the largest power and, where beta is stated, with the least EN(p0)."""
        assert self.p0 is not None and self.p1 is not None and self.alpha is not None
        at, rates, alpha, prior = self.looks, (self.p0, self.p1), self.alpha, self.prior

        def within(largest: float) -> dict[str, Bop2Design]:
            return search(
                at, *rates, alpha, self.beta, prior, efficacy_stop=self.efficacy_stop, largest=largest
            )

        return widened(self, within)


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
    if stated and spec.gamma_most != 1:
        raise impossible("gamma_most", "`gamma_most` belongs to a search; lambda and gamma are stated")
    if spec.criterion == "optimal" and spec.beta is None:
        raise impossible("criterion", "`criterion: optimal` is about designs that keep beta: state it")
    if not stated and (spec.p1 is None or spec.alpha is None):
        raise impossible("", "to find cut-offs state p0, p1 and alpha; or state lambda and gamma")


def searched_for(held: dict[str, Any]) -> dict[str, Any]:
    """What is held without what ``widened`` says is searched."""
    return {key: value for key, value in held.items() if key != "gamma_most"}


def widened(spec: Any, within: Callable[[float], dict[str, Any]]) -> Candidates:
    """What is found up to the largest gamma that is stated; beyond it where beta cannot be kept otherwise.

    Args:
        within: largest gamma -> designs by criterion.

    Raises:
        NoDesign: with these looks no cut-offs keep alpha and beta.
    """
    largest, wanted = spec.gamma_most, 0.0 if spec.beta is None else 1 - spec.beta
    found = within(largest)
    if largest < MOST and (not found or found["most_power"].power < wanted):
        found, largest = within(MOST), MOST
    looks = f"with looks at {', '.join(map(str, spec.looks))}"
    if not found:
        raise NoDesign(f"{looks} no cut-offs keep alpha = {spec.alpha:g}, whatever lambda and gamma")
    best = found["most_power"]
    if best.power < wanted:
        raise NoDesign(
            f"{looks} the largest power at alpha = {spec.alpha:g} is {best.power:.4f}, over every lambda and every "
            f"gamma to {MOST:g}, less than {wanted:g}: more patients are needed"
        )
    names = found if spec.criterion is None else (spec.criterion,)
    lambdas = (
        f"every lambda from {LEAST:g}"
        if best.complete
        else f"lambda by {STEP:g}, and each cut-off at the end"
    )
    early = f", every eta to {MOST:g}" if getattr(spec, "efficacy_stop", False) else ""
    covered = f"{lambdas}, every gamma from 0 to {largest:g}{early}"
    return Candidates(tuple((name, found[name]) for name in names), covered=covered)


def looks_of(
    at: tuple[int, ...],
    p0: float,
    prior: tuple[float, float],
    lambda_: float,
    gamma: float,
    eta: float | None,
) -> Looks:
    """The design as Looks; at the last look a go needs a probability above lambda."""
    above = [posterior_above(m, prior, p0) for m in at]
    untie(at, above, lambda x, m: posterior_is(x, m, prior, decimal(p0)), lambda_, gamma, eta)
    return cut_off_looks(at, *cut_offs(at, above, lambda_, gamma, eta))


def untie(
    at: tuple[int, ...],
    above: Sequence[Float64],
    exact: Callable[[int, int], Fraction | None],
    lambda_: float,
    gamma: float,
    eta: float | None = None,
) -> None:
    """Change the posterior probabilities that are close to a threshold so that they compare as fractions do."""
    import numpy as np

    n, shape = at[-1], (decimal(lambda_), decimal(gamma), None if eta is None else decimal(eta))
    for m, values in zip(at, above, strict=True):
        low, high = _thresholds(m / n, m == n, lambda_, gamma, eta)
        limits = _exact_thresholds(Fraction(m, n), *shape)
        for cut, limit in zip((low, high), limits, strict=True):
            for x in np.flatnonzero(np.abs(values - cut) <= NEAR).tolist():
                values[x] = beside(float(values[x]), cut, exact(x, m), limit)


def cut_offs(
    at: tuple[int, ...], above: Sequence[Float64], lambda_: float, gamma: float, eta: float | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """By look: stop if responses <= the first, go if >= the second; ``above`` is P(p > p0 | x), x = 0..m, of each."""
    stop, go = [], []
    for m, values in zip(at, above, strict=True):
        low, high = _thresholds(m / at[-1], m == at[-1], lambda_, gamma, eta)
        stop.append(int(values.searchsorted(low)) - 1)
        go.append(int(values.searchsorted(high, "right")))
    stop[-1] = go[-1] - 1
    return tuple(stop), tuple(go)


def _thresholds(
    share: float, last: bool, lambda_: float, gamma: float, eta: float | None
) -> tuple[float, float]:
    """Futile below the first, go above the second."""
    high = 2.0 if eta is None else 1 - (1 - lambda_) * share**eta
    return lambda_ * share**gamma, lambda_ if last else high


def _exact_thresholds(
    share: Fraction, lambda_: Fraction, gamma: Fraction, eta: Fraction | None
) -> tuple[Fraction | None, Fraction | None]:
    """The same as fractions; None where one is none, which no attained fraction equals."""
    grown, fallen = power(share, gamma), None if eta is None else power(share, eta)
    low = None if grown is None else lambda_ * grown
    if share == 1:
        return low, lambda_
    return low, None if fallen is None else 1 - (1 - lambda_) * fallen


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
    complete: bool = True
    largest: float = MOST

    @property
    def constants(self) -> dict[str, float]:
        """What the cut-offs come from."""
        early = {} if self.eta is None else {"eta": self.eta}
        return {"lambda": self.lambda_, "gamma": self.gamma} | early

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
    beta: float | None = None,
    prior: tuple[float, float] | None = None,
    *,
    efficacy_stop: bool = False,
    largest: float = MOST,
) -> dict[str, Bop2Design]:
    """Of the cut-offs whose exact level is at most alpha: ``most_power`` (then the least EN(p0)); with beta also
    ``optimal``, the least EN(p0) of those that keep it.

    Of all lambda from .01, all gamma to the largest, and all eta to 10 for an early go; where those are too many,
    ``complete`` is False.
    """
    import numpy as np

    from trialsim.kernels.sequential import sequential

    prior = prior or (p0, 1 - p0)
    above = [posterior_above(m, prior, p0) for m in at]
    size, out, rates, wanted = np.array(at), np.zeros(4), (p0, p1), (alpha, 1 - (beta or 0.0))
    exact_rates = decimal(p0), decimal(p1)
    limits = decimal(alpha), None if beta is None else 1 - decimal(beta)

    def outcome(lambda_: float, gamma: float, eta: float | None, which: int) -> tuple[float, float, float]:
        stop, go = cut_offs(at, above, lambda_, gamma, eta)
        sequential(size, np.array(stop), np.array(go), rates[which], out)
        p_go, limit = float(out[0]), limits[which]
        if limit is not None and abs(p_go - float(limit)) <= NEAR:
            p_go = beside(
                p_go, wanted[which], alone(cut_off_looks(at, stop, go), exact_rates[which]).p_go, limit
            )
        return p_go, float(out[2]), float(out[3])

    early = above if efficacy_stop else ()
    best, complete = search_cut_offs(at, above, outcome, alpha, beta, early, largest)
    return {
        name: Bop2Design(
            at, p0, prior, d.lambda_, d.gamma, d.eta,
            d.null[1], d.alternative[1], d.null[2], d.null[0], d.alternative[0], complete, largest,
        )
        for name, d in best.items()
    }  # fmt: skip
