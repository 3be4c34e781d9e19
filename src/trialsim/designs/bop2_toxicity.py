"""BOP2 for response and toxicity: both posterior probabilities are watched against the same growing cut-off.

Zhou H, Lee JJ, Yuan Y. BOP2: Bayesian optimal design for phase II clinical trials with simple and complex endpoints.
Stat Med 2017;36:3302-3314. A Dirichlet prior of the four outcomes of a patient makes each rate Beta, and a decision
needs no more than these two posteriors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.alone import written
from trialsim.designs.bayes import LookSizes, posterior_above, posterior_is
from trialsim.designs.bop2 import GAMMA_MOST, check_stated, searched_for, untie, widened
from trialsim.designs.bryant_day import TwoRates, patient
from trialsim.designs.ends import p_go_is
from trialsim.designs.error_rates import Candidates, ErrorRates
from trialsim.designs.exactly import NEAR, beside, decimal
from trialsim.designs.growing import MOST
from trialsim.designs.growing import search as search_cut_offs
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.spec import OpenProbability, Prior, impossible

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64

MAX_N = 200
"""Largest planned n: a search takes time as n^3 for each of some thousand cut-offs."""


class Bop2Toxicity(ErrorRates):
    """Stop if P(response > p0) or P(toxicity < unacceptable) is below lambda (m/N)^gamma; else go at the end.

    Found: among cut-offs with P(go) at most alpha where both rates are bad, those with the largest P(go) where both are
    good; with beta also those with the least EN where both are bad that keep it.
    """

    default_criterion: ClassVar[str] = "most_power"
    needs: ClassVar[tuple[str, ...]] = ("p0", "p1", "alpha")
    written_as: ClassVar[str] = (
        "written r/n (toxic < b), one a look: stop if responses <= r or toxicities >= b; at the end go otherwise; "
        "alpha where both rates are bad, power where both are good"
    )

    watches_toxicity: ClassVar[bool] = True

    kind: Literal["bop2_toxicity"]
    criterion: Literal["most_power", "optimal"] | None = Field(
        None,
        description="most_power: the largest P(go) where both rates are good; optimal: with beta, the least EN where "
        "both are bad of the designs that keep it",
    )
    gamma_most: float = GAMMA_MOST
    looks: LookSizes = Field(description="patients at each look, the planned n last")
    toxicity: TwoRates = Field(description="unacceptable and acceptable toxicity rate")
    odds_ratio: float = Field(
        1.0, gt=0, le=1e6, description="association of response and toxicity in a search"
    )
    prior: Prior | None = Field(None, description="[a, b] of the Beta prior of response (default p0, 1 - p0)")
    prior_toxicity: Prior | None = Field(
        None,
        description="[a, b] of the Beta prior of toxicity (default t, 1 - t for the unacceptable rate t)",
    )
    lambda_: OpenProbability | None = Field(None, alias="lambda", description="cut-off at the last look")
    gamma: float | None = Field(None, ge=0, le=10, description="how fast the cut-off grows")

    @model_validator(mode="after")
    def _possible(self) -> Bop2Toxicity:
        if self.looks[-1] > MAX_N:
            raise impossible("looks", f"the planned n = {self.looks[-1]} must be at most {MAX_N}")
        check_stated(self, "`alpha`, `beta` and `gamma_most`")
        return self

    def compile(self) -> Looks:
        """One look for each number of patients stated."""
        if self.lambda_ is not None and self.gamma is not None:
            return self._stated(self.lambda_, self.gamma)
        return self.best()

    def held(self) -> dict[str, Any]:
        """With the priors, which are the rule's own where none are stated."""
        assert self.p0 is not None
        (p0, limit) = self.p0, self.toxicity[0]
        own = {
            "prior": self.prior or (p0, 1 - p0),
            "prior_toxicity": self.prior_toxicity or (limit, 1 - limit),
        }
        return searched_for(super().held()) | own

    def candidates(self) -> Candidates:
        """The cut-offs with the largest power and, where beta is stated, with the least EN."""
        assert self.p0 is not None and self.p1 is not None and self.alpha is not None
        seen, rates, alpha = self._watched(), (self.p0, self.p1), self.alpha

        def within(largest: float) -> dict[str, Bop2ToxicityDesign]:
            return search(
                self.looks,
                seen,
                rates,
                self.toxicity,
                alpha,
                self.odds_ratio,
                beta=self.beta,
                largest=largest,
            )

        return widened(self, within)

    @property
    def response_prior(self) -> tuple[float, float]:
        """The Beta prior of response: as stated, else worth one patient with mean p0."""
        assert self.p0 is not None
        return self.prior or (self.p0, 1 - self.p0)

    def _priors(self) -> tuple[tuple[float, float], tuple[float, float]]:
        limit = self.toxicity[0]
        return self.response_prior, self.prior_toxicity or (limit, 1 - limit)

    def _watched(self) -> tuple[tuple[Float64, Float64], ...]:
        assert self.p0 is not None
        return watched(self.looks, (self.p0, self.toxicity[0]), self._priors())

    def _stated(self, lambda_: float, gamma: float) -> Looks:
        """The looks of stated constants, posterior probabilities at a cut-off compared as fractions."""
        assert self.p0 is not None
        seen, (prior, (a, b)) = self._watched(), self._priors()
        rates = decimal(self.p0), 1 - decimal(self.toxicity[0])
        for values, own, rate in zip(zip(*seen, strict=True), (prior, (b, a)), rates, strict=True):
            untie(self.looks, values, partial(posterior_is, prior=own, rate=rate), lambda_, gamma)
        return looks_of(self.looks, seen, lambda_, gamma)


def watched(
    at: tuple[int, ...],
    limits: tuple[float, float],
    priors: tuple[tuple[float, float], tuple[float, float]],
) -> tuple[tuple[Float64, Float64], ...]:
    """By look: P(response > limit | x of m), x = 0..m, and P(toxicity < limit | y free of toxicity), y = 0..m.

    Both grow with the count: freedom from toxicity is the good outcome, with the prior turned around.
    """
    (low, high), (prior, (a, b)) = limits, priors
    return tuple((posterior_above(m, prior, low), posterior_above(m, (b, a), 1 - high)) for m in at)


def cut_offs(
    at: tuple[int, ...], seen: tuple[tuple[Float64, Float64], ...], lambda_: float, gamma: float
) -> tuple[tuple[int, int], ...]:
    """By look: stop if responses <= the first or toxicities >= the second; a go at the end needs more than lambda."""
    found = []
    for m, values in zip(at, seen, strict=True):
        cut, side = lambda_ * (m / at[-1]) ** gamma, "right" if m == at[-1] else "left"
        too_few, few_free = (int(value.searchsorted(cut, side)) for value in values)  # type: ignore[call-overload]
        # fewer than few_free of m free are m - few_free + 1 toxicities or more; where even m are too few, all stop
        found.append((too_few - 1, m - few_free + 1) if few_free <= m else (m, m + 1))
    return tuple(found)


def looks_of(
    at: tuple[int, ...], seen: tuple[tuple[Float64, Float64], ...], lambda_: float, gamma: float
) -> Looks:
    """The design as Looks, one at each number of patients; ``seen`` as ``watched`` gives it."""
    return _looks(at, cut_offs(at, seen, lambda_, gamma))


def _looks(at: tuple[int, ...], cuts: tuple[tuple[int, int], ...]) -> Looks:
    """Looks that decide nothing are left out, but the last."""
    kept = [(m, r, b) for m, (r, b) in zip(at, cuts, strict=True) if r >= 0 or b <= m or m == at[-1]]
    n, stop, toxic = zip(*kept, strict=True)
    return two_way(n, stop, (*(None for _ in n[:-1]), stop[-1]), toxic)


@dataclass(frozen=True)
class Bop2ToxicityDesign:
    """Cut-offs and their exact operating characteristics: ``type_i_error``, ``en_p0``, ``pet_p0`` where both rates are
    bad, ``power`` and ``en_p1`` where both are good."""

    at: tuple[int, ...]
    cuts: tuple[tuple[int, int], ...]
    lambda_: float
    gamma: float
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
        return {"lambda": self.lambda_, "gamma": self.gamma}

    @property
    def n(self) -> int:
        """The planned number of patients."""
        return self.at[-1]

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return _looks(self.at, self.cuts)

    def __str__(self) -> str:
        """``r/n (toxic < b)`` of each look."""
        return written(self.looks())


def search(
    at: tuple[int, ...],
    seen: tuple[tuple[Float64, Float64], ...],
    response: tuple[float, float],
    toxicity: tuple[float, float],
    alpha: float,
    odds_ratio: float = 1.0,
    *,
    beta: float | None = None,
    largest: float = MOST,
) -> dict[str, Bop2ToxicityDesign]:
    """The cut-offs with the largest P(go) where both rates are good (then the least EN where both are bad); with beta
    also the ``optimal`` ones, of the least EN that keep it.

    P(go) where both are bad is at most alpha. Of all lambda from .01 and all gamma to the largest; where those are too
    many, ``complete`` is False.

    Args:
        response, toxicity: the bad rate and the good one, (p0, p1) and (unacceptable, acceptable).
        odds_ratio: association of response and toxicity, the same under both hypotheses.
    """
    import numpy as np

    from trialsim.kernels.two_endpoints import by_looks

    # both endpoints are compared with the same cut-off
    attained = [np.concatenate(values) for values in seen]
    cells = [np.array(patient(p, t, odds_ratio)) for p, t in zip(response, toxicity, strict=True)]
    size, out = np.array(at), np.zeros(3)

    wanted = decimal(alpha), None if beta is None else 1 - decimal(beta)

    def outcome(lambda_: float, gamma: float, _eta: float | None, which: int) -> tuple[float, float, float]:
        cuts = cut_offs(at, seen, lambda_, gamma)
        stop, toxic = zip(*cuts, strict=True)
        by_looks(cells[which], size, np.array(stop), np.array(toxic), out)
        p_go, limit = float(out[0]), wanted[which]
        if limit is not None and abs(p_go - float(limit)) <= NEAR:
            rates = decimal(response[which]), decimal(toxicity[which]), decimal(odds_ratio)
            p_go = beside(p_go, (alpha, 1 - (beta or 0.0))[which], p_go_is(_looks(at, cuts), *rates), limit)
        return p_go, float(out[1]), float(out[2])

    best, complete = search_cut_offs(at, attained, outcome, alpha, beta, largest=largest)
    return {
        name: Bop2ToxicityDesign(
            at, cut_offs(at, seen, d.lambda_, d.gamma), d.lambda_, d.gamma,
            d.null[1], d.alternative[1], d.null[2], d.null[0], d.alternative[0], complete, largest,
        )
        for name, d in best.items()
    }  # fmt: skip
