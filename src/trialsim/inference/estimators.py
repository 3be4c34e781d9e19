"""Estimates of the response rate that know how the trial could have ended.

Each function gives the estimate at every outcome of a design, so that its bias is a sum over all of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trialsim.designs.binomial import Float64
from trialsim.inference.orderings import at_least, first_rate, ranks
from trialsim.inference.outcomes import Outcomes


def mle(outcomes: Outcomes) -> Float64:
    """The observed proportion: the maximum likelihood estimate, whatever the stopping rule."""
    return outcomes.x / outcomes.n


def expected(outcomes: Outcomes, values: Float64, p: Float64) -> Float64:
    """The mean of an estimator over all outcomes at each response rate."""
    return outcomes.pmf(p) @ values


def bias_adjusted(outcomes: Outcomes) -> Float64:
    """The rate at which the mean of the observed proportion is the one observed (Whitehead, Biometrika 1986)."""
    observed = mle(outcomes)
    return first_rate(lambda p: expected(outcomes, observed, p)[:, None] - observed)


def bias_subtracted(outcomes: Outcomes) -> Float64:
    """The observed proportion less the bias it would have if it were the true rate."""
    observed = mle(outcomes)
    return 2 * observed - expected(outcomes, observed, observed)


def umvue(outcomes: Outcomes) -> Float64:
    """The unbiased estimate of least variance: the mean stage 1 rate given how the trial ended (Jung & Kim 2004)."""
    return outcomes.first_rate


def umvcue(outcomes: Outcomes) -> Float64:
    """Unbiased among trials that reach the last look: the mean last-stage rate there (Pepe et al. 2009).

    At an earlier look it is the observed proportion.
    """
    return np.where(_at_last(outcomes), outcomes.last_rate, mle(outcomes))


def conditional(outcomes: Outcomes) -> Float64:
    """Maximum likelihood among trials that reach the last look; at an earlier look the observed proportion."""
    last = _at_last(outcomes)
    estimate = mle(outcomes)
    if not last.any():
        return estimate
    x = outcomes.x[last]

    def excess(p: Float64) -> Float64:
        # the likelihood equation: the mean number of responses of trials that reach the look is the observed one
        inside = np.clip(p, 1e-300, 1 - 1e-16)
        logged = np.log(np.maximum(outcomes.pmf(inside)[:, last], 1e-320))
        weight = np.exp(logged - logged.max(axis=1, keepdims=True))
        mean = weight @ x / weight.sum(axis=1)
        mean = np.where(p <= 0, x.min(), np.where(p >= 1, x.max(), mean))
        return np.asarray(mean[:, None] - x)

    estimate[last] = first_rate(excess)
    return estimate


def median_unbiased(outcomes: Outcomes) -> Float64:
    """The rate at which an outcome at least as much in favour has probability one half (stagewise; Koyama & Chen)."""
    place = ranks(outcomes)
    return first_rate(lambda p: at_least(outcomes.pmf(p), place) - 0.5)


def _at_last(outcomes: Outcomes) -> NDArray[np.bool_]:
    last = len(outcomes.looks.n) - 1
    return np.asarray((outcomes.look == last) & (last > 0))


ESTIMATORS: dict[str, Callable[[Outcomes], Float64]] = {
    "mle": mle,
    "bias_adjusted": bias_adjusted,
    "bias_subtracted": bias_subtracted,
    "umvue": umvue,
    "umvcue": umvcue,
    "conditional": conditional,
    "median_unbiased": median_unbiased,
}

ESTIMATOR_WORDS = {
    "mle": "Observed proportion (MLE)",
    "bias_adjusted": "Bias-adjusted (Whitehead)",
    "bias_subtracted": "Bias-subtracted",
    "umvue": "UMVUE (Jung & Kim)",
    "umvcue": "UMVCUE: given the last look was reached",
    "conditional": "Conditional MLE: given the last look was reached",
    "median_unbiased": "Median unbiased (stagewise; Koyama & Chen)",
}
