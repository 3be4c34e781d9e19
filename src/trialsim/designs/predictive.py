"""Lee and Liu's design: stop when a final success has become too unlikely, go when it is as good as certain.

Lee JJ, Liu DD. A predictive probability design for phase II cancer clinical trials. Clin Trials 2008;5:93-106.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from trialsim.designs.alone import cut_off_looks
from trialsim.designs.bayes import (
    above,
    below,
    looks_at,
    posterior_above,
    posterior_is,
    predictive,
    predictive_is,
    same_where_equal,
)
from trialsim.designs.error_rates import Candidates, ErrorRates
from trialsim.designs.exactly import SAME, best_by_value, decimal, en_at, p_go_at
from trialsim.designs.front import Front
from trialsim.designs.growing import short
from trialsim.designs.rules import Looks
from trialsim.designs.spec import Patients, Prior, Probability, impossible
from trialsim.designs.target import Target

if TYPE_CHECKING:
    from fractions import Fraction

    from trialsim.designs.binomial import Float64
    from trialsim.kernels.tables import Int64

SEARCH_LIMIT = 100


class PredictiveProbability(ErrorRates):
    """Futile if PP < theta_l, go if PP > theta_u, success at the end if P(p > p0 | data) > theta_t: all strict."""

    default_criterion: ClassVar[str] = "optimal"
    outright: ClassVar[tuple[str, ...]] = ("n", "theta_l", "theta_t")
    searched: ClassVar[str] = "every n, theta_l and theta_t"

    kind: Literal["predictive_probability"]
    criterion: Literal["optimal", "minimax"] | None = Field(
        None,
        description="of the designs without an early go. optimal: least EN(p0); minimax: least n, then least EN(p0)",
    )
    n: Patients | None = Field(None, description="patients at most", title="planned n")
    theta_l: Probability | None = Field(None, description="stop if the predictive probability is below this")
    theta_u: Probability = Field(
        1.0, description="go if the predictive probability is above this (1: never early)"
    )
    theta_t: Probability | None = Field(
        None, description="success if P(p > p0 | data) is above this at the end"
    )
    prior: Prior = Field(description="[a, b] of the Beta prior of the response rate")
    min_n: Patients = Field(1, description="patients at the first look")
    every: Patients = Field(1, description="patients from one look to the next")

    @model_validator(mode="after")
    def _possible(self) -> PredictiveProbability:
        if not self.stated_outright():
            if self.theta_u < 1:
                raise impossible(
                    "theta_u", "only designs without an early go are searched; state n, theta_l and theta_t"
                )
            return self
        assert self.theta_l is not None
        if self.p0 is None:
            raise impossible("p0", "success at the end is P(p > p0 | data) > theta_t: state p0")
        if self.theta_l > self.theta_u:
            raise impossible("theta_l", f"theta_l = {self.theta_l:g} exceeds theta_u = {self.theta_u:g}")
        return self

    def compile(self) -> Looks:
        """A look from min_n on, with the counts that are futile or enough."""
        if self.n is None or self.theta_l is None or self.theta_t is None:
            return self.best()
        assert self.p0 is not None
        at = looks_at(self.n, self.min_n, self.every)
        return looks_of(at, self.p0, (self.theta_l, self.theta_u, self.theta_t), self.prior)

    def held(self) -> dict[str, Any]:
        """With the looks, and no early go."""
        return super().held() | {"theta_u": self.theta_u}

    def candidates(self) -> Candidates:
        """The designs that a search finds, and whether it ended at its bound."""
        least = self.criterion == "minimax"
        found = search(self.target, prior=self.prior, min_n=self.min_n, every=self.every, only_minimax=least)
        return Candidates.of(self.criterion, found, self.nmax or SEARCH_LIMIT)


def looks_of(
    at: tuple[int, ...], p0: float, thetas: tuple[float, float, float], prior: tuple[float, float]
) -> Looks:
    """The design as Looks, ties decided in rational arithmetic."""
    theta_l, theta_u, theta_t = thetas
    n = at[-1]
    r = final_cut_off(n, p0, theta_t, prior)
    chance = predictive(n, r, prior)

    def exact(x: int, m: int) -> Callable[[], Fraction]:
        return lambda: predictive_is(x, m, n, r, prior)

    stop, go = [], []
    for m in at[:-1]:
        low, high, values = -1, m + 1, chance[m].tolist()
        while low < m and below(values[low + 1], theta_l, exact(low + 1, m)):
            low += 1
        while high > 0 and above(values[high - 1], theta_u, exact(high - 1, m)):
            high -= 1
        stop.append(low)
        go.append(high if high <= m else None)
    return cut_off_looks(at, (*stop, r), (*go, r + 1))


def final_cut_off(n: int, p0: float, theta_t: float, prior: tuple[float, float]) -> int:
    """r: success at the end if responses > r, where P(p > p0 | x of n) > theta_t; n if no count is enough."""
    values, rate = posterior_above(n, prior, p0).tolist(), decimal(p0)
    r = n
    while r >= 0 and above(values[r], theta_t, lambda: posterior_is(r, n, prior, rate)):  # noqa: B023 - asked at once
        r -= 1
    return r


@dataclass(frozen=True)
class Predictive:
    """A design and its exact operating characteristics; any theta_l and theta_t in the ranges give the same design."""

    n: int
    r: int
    theta_l: tuple[float, float]
    theta_t: tuple[float, float]
    at: tuple[int, ...]
    stop_le: tuple[int, ...]
    en_p0: float
    en_p1: float
    pet_p0: float
    type_i_error: float
    power: float
    weights: tuple[float, float] | None = None

    @property
    def constants(self) -> dict[str, float]:
        """One theta_l and one theta_t of the ranges."""
        return {"theta_l": short(*self.theta_l), "theta_t": short(*self.theta_t)}

    def looks(self) -> Looks:
        """The design as Rules take it."""
        return _looks(self.at, self.stop_le)


def search(
    target: Target,
    *,
    prior: tuple[float, float],
    min_n: int = 1,
    every: int = 1,
    only_minimax: bool = False,
) -> Front[Predictive]:
    """Designs without an early go, EN(p0) falling as n grows: the first is minimax, the last optimal, up to nmax.

    For each n and each final cut-off every attained predictive probability is a threshold to try; error rates and
    EN fall as it rises, so the largest that keeps the power is the best, found by bisection. Of designs of one n and EN
    the one with the largest power is taken.
    """
    import numpy as np

    from trialsim.kernels.sequential import sequential

    limit = target.nmax or SEARCH_LIMIT
    target.check_reach("predictive-probability design", limit)
    found: list[Predictive] = []
    values = (lambda d: d.en_p0), en_at(target.p0)
    powers = (lambda d: d.power), p_go_at(target.p1)
    null, alternative = np.zeros(4), np.zeros(4)

    for n in range(2, limit + 1):
        at = looks_at(n, min_n, every)
        size = np.array(at)
        posterior = posterior_above(n, prior, target.p0)
        same_n: list[Predictive] = []
        for r in range(n):
            go = np.array([*at[:-1], r]) + 1

            def has_power(stop: Int64, go=go, at=at, size=size) -> bool:  # type: ignore[no-untyped-def]
                sequential(size, stop, go, target.p1, alternative)
                return target.has(float(alternative[0]), lambda: _looks(at, stop.tolist()))

            if not has_power(np.array([*(-1,) * (len(at) - 1), r])):
                break
            chance = predictive(n, r, prior)
            stop, theta_l = _most_futile(chance, at, r, prior, has_power)
            sequential(size, stop, go, target.p0, null)
            if not target.keeps(float(null[0]), partial(_looks, at, stop.tolist())):
                continue
            sequential(size, stop, go, target.p1, alternative)
            design = Predictive(
                n, r, theta_l, (float(posterior[r]), float(posterior[r + 1])), at, tuple(stop.tolist()),
                float(null[2]), float(alternative[2]), float(null[3]), float(null[0]), float(alternative[0]),
            )  # fmt: skip
            same_n.append(design)
        found = best_by_value([*found, *same_n], lambda d: d.n, values, powers)
        if found and only_minimax:
            break
    if not found:
        raise target.none_found("predictive-probability design", limit)
    return Front.of(found, [(d.n, d.en_p0) for d in found], only_minimax, values[1])


def _most_futile(
    chance: list[Float64],
    at: tuple[int, ...],
    r: int,
    prior: tuple[float, float],
    has_power: Callable[[Int64], bool],
) -> tuple[Int64, tuple[float, float]]:
    """The largest futile counts of each look that leave the power, and the theta_l that give them."""
    import numpy as np

    n = at[-1]
    for m in at[:-1]:
        chance[m] = np.maximum.accumulate(chance[m])  # they grow with x, but for rounding near 1
    while True:
        values = np.unique(np.concatenate([[0.0], *(chance[m] for m in at[:-1])]))
        low, high = 0, len(values) - 1  # values[low] keeps the power
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (
                (middle, high) if has_power(_futile(chance, at, r, values[middle])) else (low, middle - 1)
            )
        around = values[max(low - 1, 0) : low + 2]
        apart = np.diff(around) > SAME * around[1:]
        if apart.all() or not same_where_equal(
            {m: chance[m] for m in at[:-1]}, float(values[low]), lambda x, m: predictive_is(x, m, n, r, prior)
        ):
            return _futile(chance, at, r, values[low]), (float(values[max(low - 1, 0)]), float(values[low]))


def _looks(at: tuple[int, ...], stop_le: Sequence[int]) -> Looks:
    """No early go; at the end a go above the last cut-off."""
    return cut_off_looks(at, tuple(stop_le), (*(None,) * (len(at) - 1), stop_le[-1] + 1))


def _futile(chance: list[Float64], at: tuple[int, ...], r: int, theta: float) -> Int64:
    """Largest futile count of each look where the predictive probability must reach theta, r at the end."""
    import numpy as np

    return np.array([*(int(chance[m].searchsorted(theta)) - 1 for m in at[:-1]), r], dtype=np.int64)
