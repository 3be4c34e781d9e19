"""Confidence intervals for the response rate, each with the coverage it really has."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trialsim.designs.binomial import Float64, clopper_pearson
from trialsim.inference.orderings import (
    BY_MLE,
    STAGEWISE,
    at_least,
    at_most,
    first_rate,
    last_rate,
    ranks,
    tied,
)
from trialsim.inference.outcomes import Outcomes

Limits = tuple[Float64, Float64]
"""Lower and upper limit at every outcome; nan where there is no interval."""

Method = Callable[[Outcomes, float], Limits]
"""Limits at every outcome, by the confidence."""

LIMITS = ("lower", "upper")
"""The limit that a one-sided interval keeps."""

BETWEEN = (0.05, 0.95)
"""Response rates over which the least coverage is printed."""

GRID = np.arange(1, 1000) / 1000
NUDGE = 1e-9


def exact(outcomes: Outcomes, confidence: float, ordering: str = STAGEWISE) -> Limits:
    """The rates that neither one-sided test at half the level rejects."""
    place, tail = ranks(outcomes, ordering), (1 - confidence) / 2
    return (
        first_rate(lambda p: at_least(outcomes.pmf(p), place) - tail),
        last_rate(lambda p: at_most(outcomes.pmf(p), place) - tail),
    )


def mid_p(outcomes: Outcomes, confidence: float, ordering: str = STAGEWISE) -> Limits:
    """As ``exact``, the observed outcome counting half: covers the level on average, not always."""
    place, tail = ranks(outcomes, ordering), (1 - confidence) / 2

    def upper(p: Float64) -> Float64:
        pmf = outcomes.pmf(p)
        return at_least(pmf, place) - tied(pmf, place) / 2 - tail

    def lower(p: Float64) -> Float64:
        pmf = outcomes.pmf(p)
        return at_most(pmf, place) - tied(pmf, place) / 2 - tail

    return first_rate(upper), last_rate(lower)


def clopper_pearson_limits(outcomes: Outcomes, confidence: float) -> Limits:
    """The interval of a trial of fixed size, which this was not."""
    pairs = [
        clopper_pearson(x, n, confidence)
        for x, n in zip(outcomes.x.tolist(), outcomes.n.tolist(), strict=True)
    ]
    low, high = np.array(pairs).T
    return low, high


def koyama_chen(outcomes: Outcomes, confidence: float) -> Limits:
    """The rates whose stagewise p-value lies between half the level and one less half the level.

    The p-value counts the observed outcome, so the upper limit is the exact one of the outcome below, and at the
    least outcome there is none.
    """
    place, tail = ranks(outcomes), (1 - confidence) / 2
    low = first_rate(lambda p: at_least(outcomes.pmf(p), place) - tail)
    high = last_rate(lambda p: 1 - tail - at_least(outcomes.pmf(p), place))
    return np.where(np.isnan(high), np.nan, low), high


def koyama_chen_coded(outcomes: Outcomes, confidence: float) -> Limits:
    """The same on a grid of .0001, rounded inwards, as clinfun and PhIIdesign have it."""
    low, high = koyama_chen(outcomes, confidence)
    return np.ceil(low * 1e4) / 1e4, np.floor(high * 1e4) / 1e4


INTERVALS: dict[str, Method] = {
    "stagewise": exact,
    "stagewise_mid_p": mid_p,
    "mle_ordering": lambda outcomes, confidence: exact(outcomes, confidence, BY_MLE),
    "clopper_pearson": clopper_pearson_limits,
    "koyama_chen": koyama_chen,
    "koyama_chen_coded": koyama_chen_coded,
}
"""The intervals by name; the first is the default everywhere."""

INTERVAL_WORDS = {
    "stagewise": "Exact, stagewise ordering (default)",
    "stagewise_mid_p": "Mid-p, stagewise ordering",
    "mle_ordering": "Exact, MLE ordering",
    "clopper_pearson": "Clopper-Pearson: as if of fixed size",
    "koyama_chen": "Koyama-Chen, as published: upper limit of x - 1",
    "koyama_chen_coded": "Koyama-Chen, as coded: grid of .0001 inwards",
}


def one_sided(method: Method, limit: str) -> Method:
    """A method with one limit only, which may then err as often as both together: the level 1 - 2 (1 - confidence).

    ``limit``: of ``LIMITS``; "" leaves the method as it is.
    """
    if not limit:
        return method

    def alone(outcomes: Outcomes, confidence: float) -> Limits:
        low, high = method(outcomes, 2 * confidence - 1)
        none = np.isnan(low) | np.isnan(high)
        if limit == "lower":
            return low, np.where(none, np.nan, 1.0)
        return np.where(none, np.nan, 0.0), high

    return alone


def coverage(outcomes: Outcomes, limits: Limits, p: Float64) -> Float64:
    """P(the interval contains p) at each response rate, by enumeration of every outcome.

    An outcome without an interval counts as covered, the reading most favourable to a method that gives none.
    """
    low, high = limits
    rate = np.atleast_1d(p)[:, None]
    return np.asarray(np.sum(outcomes.pmf(p) * ~((rate < low) | (rate > high)), axis=1))


def least_coverage(outcomes: Outcomes, limits: Limits, between: tuple[float, float] = BETWEEN) -> float:
    """The least coverage over a range of rates: on a grid, and on both sides of every limit, where it jumps."""
    ends = np.concatenate(limits)
    ends = ends[np.isfinite(ends)]
    around = np.concatenate([GRID, ends - NUDGE, ends + NUDGE])
    around = around[(around >= between[0]) & (around <= between[1]) & (around > 0) & (around < 1)]
    return float(coverage(outcomes, limits, around).min())
