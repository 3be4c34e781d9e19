"""Thall and Simon's design: stop, or go, when the posterior probability of being better than standard says so.

Thall PF, Simon R. Practical Bayesian guidelines for phase IIB clinical trials. Biometrics 1994;50:337-349.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.codes import CONSIDER, FUTILE, GO
from trialsim.designs.bayes import (
    above,
    below,
    looks_at,
    posterior_above,
    posterior_above_standard,
    posterior_is,
    same_where_equal,
)
from trialsim.designs.error_rates import Candidates, ErrorRates
from trialsim.designs.exactly import SAME, decimal
from trialsim.designs.growing import short
from trialsim.designs.rules import Looks
from trialsim.designs.spec import OpenProbability, Patients, Prior, Probability, impossible
from trialsim.designs.target import Target

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64

SEARCH_LIMIT = 150


class PosteriorProbability(ErrorRates):
    """Futile if P(p > standard + delta) < p_l, go if P(p > standard) > p_u; no crossing by the end: consider."""

    default_criterion: ClassVar[str] = "smallest"
    outright: ClassVar[tuple[str, ...]] = ("n", "p_u")
    written_as: ClassVar[str] = (
        "written r:a/n, one a look: stop if responses <= r (-: no stop), go if > a; at the last look, between the two, "
        "consider"
    )
    searched: ClassVar[str] = "every n and p_u"

    kind: Literal["posterior_probability"]
    criterion: Literal["smallest"] | None = Field(
        None, description="smallest: least n at which some p_u keeps alpha and beta, with p_l as stated"
    )
    n: Patients | None = Field(None, description="patients at most", title="planned n")
    prior: Prior = Field(description="[a, b] of the Beta prior of the response rate")
    standard: OpenProbability | None = Field(
        None, description="response rate of the standard treatment (default p0)"
    )
    standard_prior: Prior | None = Field(
        None, description="[a, b]: the standard's rate is itself uncertain, with this Beta distribution"
    )
    delta: Probability = Field(0.0, description="gain over the standard that futility is about")
    p_l: Probability = Field(description="stop if P(p > standard + delta) is below this (0: never)")
    p_u: Probability | None = Field(None, description="go if P(p > standard) is above this (1: never)")
    min_n: Patients = Field(1, description="patients at the first look")
    every: Patients = Field(1, description="patients from one look to the next")

    @model_validator(mode="after")
    def _possible(self) -> PosteriorProbability:
        self.stated_outright()
        if self.standard is not None and self.standard_prior is not None:
            raise impossible("standard_prior", "state `standard` or `standard_prior`, not both")
        if self.standard is None and self.standard_prior is None and self.p0 is None:
            raise impossible(
                "standard", "state the standard's response rate: `standard`, `standard_prior` or p0"
            )
        rate = self.standard or self.p0
        if self.standard_prior is None and rate is not None and rate + self.delta >= 1:
            raise impossible("delta", "the standard's rate and delta together must stay below 1")
        return self

    def compile(self) -> Looks:
        """A look from min_n on, with the counts that are futile or enough."""
        standard = self.standard_prior or self.standard or self.p0
        assert standard is not None
        if self.n is None or self.p_u is None:
            return self.best()
        at = looks_at(self.n, self.min_n, self.every)
        return looks_of(at, self.prior, standard, self.delta, self.p_l, self.p_u)

    def held(self) -> dict[str, Any]:
        """With the standard, which is p0 where nothing else is stated."""
        standard = {} if self.standard_prior else {"standard": self.standard or self.p0}
        return super().held() | standard | {"delta": self.delta}

    def candidates(self) -> Candidates:
        """The smallest design."""
        standard = self.standard_prior or self.standard or self.p0
        assert standard is not None
        found = search(
            self.target, prior=self.prior, standard=standard, delta=self.delta, p_l=self.p_l,
            min_n=self.min_n, every=self.every,
        )  # fmt: skip
        return Candidates((("smallest", found),))


Standard = float | tuple[float, float]


def _probability(m: int, prior: tuple[float, float], standard: Standard, delta: float) -> Float64:
    if isinstance(standard, tuple):
        return posterior_above_standard(m, prior, standard, delta)
    return posterior_above(m, prior, standard + delta)


def bounds(
    m: int, prior: tuple[float, float], standard: Standard, delta: float, p_l: float, p_u: float
) -> tuple[int, int]:
    """Of m patients: stop if responses <= the first (-1: never), go if responses >= the second (m + 1: never)."""

    def exact(x: int, gain: float) -> Callable[[], Fraction | None]:
        return lambda: _exactly(x, m, prior, standard, gain)

    better = _probability(m, prior, standard, delta).tolist()
    good = _probability(m, prior, standard, 0.0).tolist() if delta else better
    low, high = -1, m + 1
    while low < m and below(better[low + 1], p_l, exact(low + 1, delta)):
        low += 1
    while high > 0 and above(good[high - 1], p_u, exact(high - 1, 0.0)):
        high -= 1
    return low, high


def _exactly(
    x: int, m: int, prior: tuple[float, float], standard: Standard, gain: float = 0.0
) -> Fraction | None:
    """P(p > standard + gain | x of m) as a fraction where it is one."""
    if isinstance(standard, tuple):
        return None
    return posterior_is(x, m, prior, decimal(standard) + decimal(gain))


def looks_of(
    at: tuple[int, ...], prior: tuple[float, float], standard: Standard, delta: float, p_l: float, p_u: float
) -> Looks:
    """The design as Looks: at the last one, what neither stops nor goes is to be considered."""
    cuts = [bounds(m, prior, standard, delta, p_l, p_u) for m in at]
    return _looks(at, cuts)


def _looks(at: tuple[int, ...], cuts: list[tuple[int, int]]) -> Looks:
    """A count that would both stop and go stops."""
    keep = [k for k, (low, high) in enumerate(cuts) if low >= 0 or high <= at[k] or k == len(at) - 1]
    rows = []
    for index, k in enumerate(keep):
        (low, high), onward = cuts[k], CONSIDER if k == len(at) - 1 else index + 1
        rows.append(tuple(FUTILE if x <= low else GO if x >= high else onward for x in range(at[k] + 1)))
    return Looks(tuple(at[k] for k in keep), tuple(rows))


@dataclass(frozen=True)
class PosteriorDesign:
    """A design and its exact operating characteristics; any p_u in the range gives the same design."""

    n: int
    p_u: tuple[float, float]
    at: tuple[int, ...]
    cuts: tuple[tuple[int, int], ...]
    en_p0: float
    en_p1: float
    pet_p0: float
    type_i_error: float
    power: float

    @property
    def constants(self) -> dict[str, float]:
        """One p_u of the range."""
        return {"p_u": short(*self.p_u)}

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return _looks(self.at, list(self.cuts))


def search(
    target: Target,
    *,
    prior: tuple[float, float],
    standard: Standard,
    p_l: float,
    delta: float = 0.0,
    min_n: int = 1,
    every: int = 1,
) -> PosteriorDesign:
    """The least n at which some p_u keeps both error rates: for each n the smallest attained p_u that keeps alpha.

    P(go) falls as p_u rises at every rate, so that p_u has the largest power; it is found by bisection.
    """
    import numpy as np

    from trialsim.kernels.sequential import sequential

    limit = target.nmax or SEARCH_LIMIT
    target.check_reach("posterior-probability design", limit)
    null, alternative = np.zeros(4), np.zeros(4)
    futile: dict[int, int] = {}
    known: dict[int, Float64] = {}
    for n in range(2, limit + 1):
        at = looks_at(n, min_n, every)
        for m in at:
            if m not in known:
                futile[m] = bounds(m, prior, standard, delta, p_l, 1.0)[0]
                known[m] = _probability(m, prior, standard, 0.0)
        size, stop = np.array(at), np.array([futile[m] for m in at])

        def go(p_u: float, at=at, stop=stop):  # type: ignore[no-untyped-def]
            cut = [int(np.searchsorted(known[m], p_u, side="right")) for m in at]
            return np.maximum(cut, stop + 1)

        def looks(p_u: float, at=at, stop=stop, go=go) -> Looks:  # type: ignore[no-untyped-def]
            return _looks(at, list(zip(stop.tolist(), go(p_u).tolist(), strict=True)))

        p_u, upper = _least_that_keeps_alpha(target, known, at, size, stop, go, looks, prior, standard)
        sequential(size, stop, go(p_u), target.p1, alternative)
        if target.has(float(alternative[0]), looks(p_u)):
            sequential(size, stop, go(p_u), target.p0, null)
            cuts = tuple(zip(stop.tolist(), go(p_u).tolist(), strict=True))
            return PosteriorDesign(
                n, (p_u, upper), at, cuts, float(null[2]), float(alternative[2]), float(null[3]),
                float(null[0]), float(alternative[0]),
            )  # fmt: skip
    raise target.none_found("posterior-probability design", limit)


def _least_that_keeps_alpha(
    target: Target,
    known: dict[int, Float64],
    at: tuple[int, ...],
    size: Any,
    stop: Any,
    go: Callable[[float], Any],
    looks: Callable[[float], Looks],
    prior: tuple[float, float],
    standard: Standard,
) -> tuple[float, float]:
    """The least attained p_u that keeps alpha, and the next larger one (1 where there is none)."""
    import numpy as np

    from trialsim.kernels.sequential import sequential

    null = np.zeros(4)
    while True:
        values = np.unique(np.concatenate([known[m] for m in at])).tolist()
        low, high = 0, len(values) - 1  # values[high] keeps alpha: nothing is above it
        while low < high:
            middle = (low + high) // 2
            sequential(size, stop, go(values[middle]), target.p0, null)
            keeps = target.keeps(float(null[0]), lambda: looks(values[middle]))  # noqa: B023 - asked at once
            low, high = (low, middle) if keeps else (middle + 1, high)
        around = np.array(values[max(low - 1, 0) : low + 2])
        apart = np.diff(around) > SAME * around[1:]
        if apart.all() or not same_where_equal(
            known, values[low], lambda x, m: _exactly(x, m, prior, standard)
        ):
            return values[low], values[low + 1] if low + 1 < len(values) else 1.0
