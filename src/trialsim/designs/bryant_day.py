"""Bryant and Day's design: two stages that look at responses and at toxicities.

Bryant J, Day R. Incorporating toxicity considerations into the design of two-stage phase II clinical trials.
Biometrics 1995;51:1372-1383.

A decision here depends on responses and toxicities together, which the Rules of this version (decisions by responses,
a boundary for toxicities) cannot say; the design is found and its operating characteristics are exact, but it is not
simulated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.error_rates import Candidates, ErrorRates
from trialsim.designs.simon import weights_of
from trialsim.designs.spec import AsTuple, OpenProbability, impossible
from trialsim.errors import DesignError

SEARCH_LIMIT = 80


class BryantDayErrors(ErrorRates):
    """What a search is told; p0, p1, alpha are those of the response. Not a block of a scenario file (see above)."""

    default_criterion: ClassVar[str] = "optimal"

    kind: Literal["bryant_day"]
    criterion: Literal["optimal", "minimax"] | None = Field(
        None, description="optimal: least larger EN of the two nulls; minimax: least n, then that"
    )
    toxicity: Annotated[tuple[OpenProbability, OpenProbability], AsTuple] = Field(
        description="unacceptable and acceptable toxicity rate"
    )
    alpha_toxicity: OpenProbability | None = Field(
        None, description="largest P(go) where toxicity is unacceptable (default: alpha)"
    )
    odds_ratio: float = Field(1.0, gt=0, le=1e6, description="association of response and toxicity")

    @model_validator(mode="after")
    def _possible(self) -> BryantDayErrors:
        if self.toxicity[1] >= self.toxicity[0]:
            raise impossible("toxicity", "the unacceptable rate comes first and is the higher one")
        return self

    def candidates(self) -> Candidates:
        """The designs that a search finds, and whether it ended at its bound."""
        p0, p1, alpha, beta = self.four()
        level = self.alpha_toxicity or alpha
        found = search(
            (p0, p1), self.toxicity, alpha, level, beta, odds_ratio=self.odds_ratio, nmax=self.nmax
        )
        return Candidates.of(self.criterion, found.admissible, found.complete, self.nmax or SEARCH_LIMIT)


@dataclass(frozen=True)
class BryantDay:
    """A design: stop after stage 1 if responses <= r1 or toxicities >= b1; go if responses > r and toxicities < b.

    ``type_i_response`` is P(go) where response is poor and toxicity acceptable, ``type_i_toxicity`` where response is
    good and toxicity unacceptable, ``power`` where both are good; ``en_*`` the expected n there, ``en_neither`` where
    both are bad. ``weights`` as for Simon's designs, with the larger EN of the two nulls.
    """

    n1: int
    r1: int
    b1: int
    n: int
    r: int
    b: int
    type_i_response: float
    type_i_toxicity: float
    power: float
    en_poor_response: float
    en_toxic: float
    en_good: float
    en_neither: float
    weights: tuple[float, float] | None = None

    @property
    def en_p0(self) -> float:
        """The larger EN of the two nulls, under the name that tables of designs have for it."""
        return self.en

    @property
    def en(self) -> float:
        """The larger EN of the two nulls: what is least for the optimal design."""
        return max(self.en_poor_response, self.en_toxic)

    def __str__(self) -> str:
        """Responses and toxicities of each stage."""
        return f"stop <= {self.r1} or >= {self.b1} toxic /{self.n1}, go > {self.r} and < {self.b} toxic /{self.n}"


@dataclass(frozen=True)
class BryantDaySearch:
    """Every admissible design, from minimax to optimal; not ``complete`` where a larger n may have less EN."""

    admissible: tuple[BryantDay, ...]
    complete: bool

    @property
    def minimax(self) -> BryantDay:
        """Least n, then least EN."""
        return self.admissible[0]

    @property
    def optimal(self) -> BryantDay:
        """Least larger EN of the two nulls."""
        return self.admissible[-1]


def patient(response: float, toxicity: float, odds_ratio: float) -> tuple[float, float, float, float]:
    """P(no response, toxic), P(no response, free), P(response, toxic), P(response, free of toxicity): Plackett."""
    s = 1 + (response + toxicity) * (odds_ratio - 1)
    root = math.sqrt(s * s - 4 * odds_ratio * (odds_ratio - 1) * response * toxicity)
    both = 2 * odds_ratio * response * toxicity / (s + root)
    return toxicity - both, 1 - response - toxicity + both, both, response - both


def search(
    response: tuple[float, float],
    toxicity: tuple[float, float],
    alpha_response: float,
    alpha_toxicity: float,
    beta: float,
    *,
    odds_ratio: float = 1.0,
    nmax: int | None = None,
) -> BryantDaySearch:
    """Optimal, minimax and every admissible design among all n1 < n and all cut-offs, for one odds ratio.

    Parameters
    ----------
    response : unacceptable and desirable response rate.
    toxicity : unacceptable and acceptable toxicity rate.
    odds_ratio : association of response and toxicity, the same under every hypothesis.
    nmax : largest n; without it the search ends when no larger n can be better, or at SEARCH_LIMIT.

    Raises
    ------
    DesignError : impossible rates, or no design within nmax.
    """
    from trialsim.kernels import two_endpoints

    (r0, r1), (t0, t1) = response, toxicity
    named = {
        "unacceptable response": r0, "desirable response": r1, "unacceptable toxicity": t0, "acceptable toxicity": t1,
        "alpha for response": alpha_response, "alpha for toxicity": alpha_toxicity, "beta": beta,
    }  # fmt: skip
    for name, value in named.items():
        if not 0 < value < 1:
            hint = f"; did you mean {value / 100:g}?" if 1 < value < 100 else ""
            raise DesignError(f"{name} = {value:g} must lie between 0 and 1{hint}")
    if r1 <= r0:
        raise DesignError(f"the desirable response rate {r1:g} must be above the unacceptable one, {r0:g}")
    if t1 >= t0:
        raise DesignError(f"the acceptable toxicity rate {t1:g} must be below the unacceptable one, {t0:g}")
    if odds_ratio <= 0:
        raise DesignError(f"an odds ratio is above 0, not {odds_ratio:g}")
    cells = [patient(r, t, odds_ratio) for r, t in ((r0, t1), (r1, t0), (r1, t1))]
    limit = nmax or SEARCH_LIMIT
    size = min(limit, 40)
    while True:
        rows, complete = two_endpoints.search(cells, (alpha_response, alpha_toxicity, 1 - beta), size)
        if complete or size >= limit:
            break
        size = min(limit, 2 * size)
    if not len(rows):
        raise DesignError(
            f"no design with n <= {limit} keeps both alphas and beta for response {r0:g} and {r1:g}, "
            f"toxicity {t0:g} and {t1:g}"
        )
    designs = [characteristics(tuple(row), response, toxicity, odds_ratio) for row in rows.tolist()]
    kept = weights_of([(design.n, design.en) for design in designs])
    return BryantDaySearch(
        tuple(replace(designs[k], weights=(low, high)) for k, low, high in kept), bool(complete)
    )


def characteristics(
    cuts: tuple[int, int, int, int, int, int],
    response: tuple[float, float],
    toxicity: tuple[float, float],
    odds_ratio: float = 1.0,
) -> BryantDay:
    """A design and its OCs; ``cuts`` are n1, n and the least responses and patients without toxicity of each stage."""
    import numpy as np

    from trialsim.kernels.two_endpoints import joint

    n1, n, responses_1, free_1, responses, free = cuts
    (r0, r1), (t0, t1) = response, toxicity
    go, en = [], []
    for rates in ((r0, t1), (r1, t0), (r1, t1), (r0, t0)):
        pmf, tail = joint(np.array(patient(*rates, odds_ratio)), max(n1, n - n1))
        first = pmf[n1, responses_1 : n1 + 1, free_1 : n1 + 1]
        left = np.clip(responses - np.arange(responses_1, n1 + 1), 0, n - n1 + 1)
        right = np.clip(free - np.arange(free_1, n1 + 1), 0, n - n1 + 1)
        size = n - n1 + 2
        later = np.zeros((size, size))
        later[:-1, :-1] = tail[n - n1, : size - 1, : size - 1]
        go.append(float((first * later[np.ix_(left, right)]).sum()))
        en.append(n1 + float(first.sum()) * (n - n1))
    return BryantDay(
        n1, responses_1 - 1, n1 - free_1 + 1, n, responses - 1, n - free + 1,
        go[0], go[1], go[2], en[0], en[1], en[2], en[3],
    )  # fmt: skip
