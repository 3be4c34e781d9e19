"""Interim looks at patients whose outcome is pending: the posterior probability that they leave, and what is futile.

A patient without a response so long after enrolment is part of a non-response: with weight w = P(a response would have
been seen by then | it comes). The likelihood of y responses, m non-responses and pending patients with weights w_i is
p^y (1 - p)^m prod (1 - w_i p). ``exact`` integrates it; ``beta`` takes (1 - p)^w for 1 - w p, so that the posterior is
Beta(a + y, b + m + sum w), as in time-to-event weighting: Lin R, Coffey R, Yuan Y. TOP: time-to-event Bayesian
optimal phase II trial design for cancer immunotherapy. J Natl Cancer Inst 2020;112:38-45.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trialsim.designs.binomial import Float64

Posterior = Literal["beta", "exact"]

MOST_EXACT = 100.0
"""Largest parameter of a prior with which the exact posterior is integrated; nodes are placed for priors that are weak
beside the data."""

NEVER_FUTILE = 1 << 61
"""Follow-up without response that no trial reaches; kernels' NEVER_TICK is beyond it."""


@lru_cache(maxsize=64)
def nodes(p0: float, prior: tuple[float, float], most: int) -> tuple[Float64, Float64]:
    """Rates and weights that integrate a polynomial of degree ``most`` against the density of a Beta prior, up to a
    factor; every rate is on one side of p0."""
    import numpy as np
    from scipy.special import roots_jacobi

    a, b = prior
    size = 48 + most // 2
    # the density is smooth on either side of p0, but for its power at 0 and at 1, which the weights take
    t, w = roots_jacobi(size, 0.0, a - 1)
    low = p0 * (1 + t) / 2
    of_low = w * (p0 / 2) ** a * (1 - low) ** (b - 1)
    t, w = roots_jacobi(size, b - 1, 0.0)
    high = 1 - (1 - p0) * (1 - t) / 2
    of_high = w * ((1 - p0) / 2) ** b * high ** (a - 1)
    return np.concatenate([low, high]), np.concatenate([of_low, of_high])


def above(
    p0: float,
    prior: tuple[float, float],
    responses: float,
    failures: float,
    weights: Sequence[float] = (),
    posterior: Posterior = "beta",
) -> float:
    """P(p > p0 | data) with pending patients of these weights.

    ``responses`` and ``failures`` need not be whole: an unconfirmed response is part of each.
    """
    import numpy as np

    if posterior == "beta":
        from scipy.special import betaincc

        return float(betaincc(prior[0] + responses, prior[1] + failures + sum(weights), p0))
    most = int(responses + failures) + len(weights) + 2
    rate, mass = nodes(p0, prior, most)
    with np.errstate(divide="ignore"):
        log = responses * np.log(rate) + failures * np.log1p(-rate)
    for weight in weights:
        log = log + np.log1p(-weight * rate)
    mass = mass * np.exp(log - log.max())
    return float(mass[rate > p0].sum() / mass.sum())


@dataclass(frozen=True)
class Look:
    """An interim look: n patients, futile with r responses or fewer (r = -1: never) once all outcomes are known, that
    is if P(p > p0 | responses of n) is below ``cut_off``."""

    n: int
    r: int
    cut_off: float


def cut_off_range(n: int, r: int, p0: float, prior: tuple[float, float]) -> tuple[float, float]:
    """P(p > p0) with r and with r + 1 responses of n: a cut-off above the one, at most the other, says what r does."""
    return above(p0, prior, r, n - r), above(p0, prior, r + 1, n - r - 1)


def futile_from(
    looks: Sequence[Look], p0: float, prior: tuple[float, float], window: int, confirms: float
) -> NDArray[np.int64]:
    """(L, R + 1, n + 1) least ticks of follow-up without response that are futile, by look, responses y and unconfirmed
    responses u; ``window`` ticks are a non-response, and an unconfirmed response is ``confirms`` of a response.

    A non-response counts as ``window`` ticks. Found by bisection: the posterior probability falls as they grow.
    """
    import numpy as np
    from scipy.special import betaincc

    most, n = max((look.r for look in looks), default=-1), max((look.n for look in looks), default=0)
    y, u = np.arange(most + 1)[:, None], np.arange(n + 1)[None, :]
    table = np.full((len(looks), most + 1, n + 1), NEVER_FUTILE, dtype=np.int64)
    for k, look in enumerate(looks):
        if look.r < 0:
            continue
        a = prior[0] + y + confirms * u
        low, high = np.full(a.shape, -1, dtype=np.int64), np.full(a.shape, look.n * window, dtype=np.int64)

        def futile(ticks: NDArray[np.int64], a: Float64 = a, c: float = look.cut_off) -> NDArray[np.bool_]:
            return np.asarray(betaincc(a, prior[1] + ticks / window, p0) < c)

        reached = futile(high)
        while (high - low > 1).any():
            middle = (low + high) // 2
            at = futile(middle)
            low, high = np.where(at, low, middle), np.where(at, middle, high)
        table[k] = np.where(reached & (y <= look.r), high, NEVER_FUTILE)
    return table
