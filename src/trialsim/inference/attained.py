"""Two-stage trials whose stages were not of the planned size: what each published method makes of them.

A method gives cut-offs for the attained sizes, so what it decides and its true error rates follow exactly, with
the attained sizes taken as fixed: they must not have depended on the responses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trialsim.codes import FUTILE, GO
from trialsim.designs.binomial import Float64, binomial_pmf, upper_tail
from trialsim.designs.rules import Looks, two_way
from trialsim.designs.toxicity import Level, Tails
from trialsim.inference.orderings import at_least, first_rate, last_rate, ranks
from trialsim.inference.outcomes import outcomes_of
from trialsim.inference.posterior import JEFFREYS, above

STAGE1_LEVEL, FINAL_LEVEL = 0.02, 0.055
"""Green & Dahlberg: stop where p1 is rejected at the first level; go where p0 is rejected at the second."""

METHOD_WORDS = {
    "planned_cut_offs": "Planned cut-offs, attained sizes",
    "koyama_chen": "Koyama & Chen: conditional type I error kept",
    "green_dahlberg": "Green & Dahlberg: p1 at .02, p0 at .055",
    "li": "Li, Mick & Heitjan: same posterior probability",
}


@dataclass(frozen=True)
class TwoStage:
    """Stop after stage 1 if responses <= r1 of n1; go if responses > r of n."""

    r1: int
    n1: int
    r: int
    n: int

    @property
    def looks(self) -> Looks:
        """The same as Looks."""
        return two_way((self.n1, self.n), (self.r1, self.r), (None, self.r))


@dataclass(frozen=True)
class Attained:
    """What happened: n patients with x responses in all, n1 in stage 1 with x1 (None: unreported); n = n1: stopped."""

    n1: int
    n: int
    x: int
    x1: int | None = None


@dataclass(frozen=True)
class Reading:
    """One method at the attained sizes.

    ``r1``, ``r``: its cut-offs there (of Koyama & Chen r is for the responses seen in stage 1); ``alpha`` and
    ``power``: P(go) at p0 and p1 under its rule; ``interval``, ``median``: of its own p-value, where it has one.
    """

    method: str
    r1: int
    r: int | None
    decision: str
    ordering: str
    p_value: float | None
    alpha: float | None
    power: float | None
    interval: tuple[float, float] | None = None
    median: float | None = None


def two_stage(looks: Looks) -> TwoStage | None:
    """The design as two stages that stop early for futility only; None where it is another one."""
    if len(looks.n) != 2 or set(looks.next[0]) != {FUTILE, 1} or set(looks.next[1]) != {FUTILE, GO}:
        return None
    return TwoStage(looks.next[0].index(1) - 1, looks.n[0], looks.next[1].index(GO) - 1, looks.n[1])


def readings(
    planned: TwoStage,
    seen: Attained,
    p0: float,
    p1: float | None,
    *,
    prior: tuple[float, float] = JEFFREYS,
    confidence: float = 0.95,
) -> Iterator[Reading]:
    """Every method that applies; those that need p1 or the stage 1 responses are left out without them."""
    n = planned.n if seen.n == seen.n1 else seen.n
    yield _by_cut_offs("planned_cut_offs", TwoStage(planned.r1, seen.n1, planned.r, n), seen, p0, p1)
    if seen.n > seen.n1 == planned.n1 and seen.x1 is not None and seen.x1 > planned.r1:
        yield _conditional(planned, seen, seen.x1, p0, p1, confidence)
    if p1 is not None:
        r1 = int(np.searchsorted(np.cumsum(binomial_pmf(seen.n1, p1)), STAGE1_LEVEL, side="right")) - 1
        r = int(np.sum(upper_tail(n, p0) > FINAL_LEVEL)) - 1
        yield _by_cut_offs("green_dahlberg", TwoStage(r1, seen.n1, r, n), seen, p0, p1)
    cut_offs = (
        same_posterior(p0, planned.n1, planned.r1, seen.n1, prior),
        same_posterior(p0, planned.n, planned.r, n, prior),
    )
    yield _by_cut_offs("li", TwoStage(cut_offs[0], seen.n1, cut_offs[1], n), seen, p0, p1)


def same_posterior(rate: float, n: int, r: int, attained: int, prior: tuple[float, float] = JEFFREYS) -> int:
    """The cut-off at another size: r of n read as P(p > rate | data) at most halfway between those of r and r + 1."""
    limit = (above(rate, n, r, prior) + above(rate, n, r + 1, prior)) / 2 if r >= 0 else -1.0
    return sum(above(rate, attained, x, prior) <= limit for x in range(attained + 1)) - 1


def _by_cut_offs(method: str, rule: TwoStage, seen: Attained, p0: float, p1: float | None) -> Reading:
    stopped = seen.n == seen.n1
    decision = "go" if seen.x > rule.r else "no go"
    if stopped:
        decision = "stop" if seen.x <= rule.r1 else "stage 2 was due"
    elif seen.x <= rule.r1 or (seen.x1 is not None and seen.x1 <= rule.r1):
        decision = "stage 2 was not due"
    outcomes = outcomes_of(rule.looks)
    found = outcomes.find(0 if stopped else 1, seen.x)
    p_value = None
    if found >= 0 and not decision.startswith("stage 2"):
        p_value = float(at_least(outcomes.pmf(p0), ranks(outcomes))[0, found])
    alpha, power = (None if p is None else _p_go(rule, p) for p in (p0, p1))
    return Reading(method, rule.r1, rule.r, decision, "stagewise", p_value, alpha, power)


def _p_go(rule: TwoStage, p: float) -> float:
    outcomes = outcomes_of(rule.looks)
    gone = (outcomes.look == 1) & (outcomes.x > rule.r)
    return float(outcomes.pmf(p)[0, gone].sum())


def _conditional(
    planned: TwoStage, seen: Attained, x1: int, p0: float, p1: float | None, confidence: float
) -> Reading:
    """Koyama & Chen (2008), section 4: the second stage keeps the conditional type I error it was planned with."""
    n2 = seen.n - seen.n1
    least = conditional_cut_off(planned, n2, x1, p0)
    tail = (1 - confidence) / 2

    def p_value(p: Float64) -> Float64:
        return conditional_p_value(planned, n2, x1, seen.x - x1, p)[:, None]

    passing = range(planned.r1 + 1, planned.n1 + 1)

    def p_go(p: float) -> float:
        weight, beyond = binomial_pmf(planned.n1, p), np.append(upper_tail(n2, p), 0.0)
        return float(sum(weight[k] * beyond[conditional_cut_off(planned, n2, k, p0)] for k in passing))

    possible = planned.r + 1 - x1 <= planned.n - planned.n1
    return Reading(
        "koyama_chen",
        planned.r1,
        x1 + least - 1,
        "go" if seen.x - x1 >= least else "no go",
        "conditional on stage 1",
        float(p_value(np.array([p0]))[0, 0]) if possible else None,
        p_go(p0),
        None if p1 is None else p_go(p1),
        (
            float(first_rate(lambda p: p_value(p) - tail)[0]),
            float(last_rate(lambda p: 1 - tail - p_value(p))[0]),
        )
        if possible
        else None,
        float(first_rate(lambda p: p_value(p) - 0.5)[0]) if possible else None,
    )


def conditional_cut_off(planned: TwoStage, n2: int, x1: int, p0: float) -> int:
    """Least stage 2 responses of n2 whose tail at p0 is within the conditional type I error planned after x1."""
    needed = planned.r + 1 - x1
    if needed <= 0:
        return 0
    planned_n2 = planned.n - planned.n1
    if needed > planned_n2:
        return n2 + 1
    planned_tails = Tails(p0, [planned_n2])
    spend = Level(float(planned_tails.values[0][needed]), lambda: planned_tails.exact(planned_n2, needed))
    return min(Tails(p0, [n2]).first_below(spend)[0], n2 + 1)


def conditional_p_value(planned: TwoStage, n2: int, x1: int, x2: int, p: Float64) -> Float64:
    """P(a stage 1 and conditional evidence at least as strong) at each rate.

    The stage 2 tail of x2 among n2 patients is matched by a rate at which the planned stage 2 had that conditional
    power; the other stage 1 results are weighed with their conditional power at the same rate.
    """
    from scipy.special import bdtrc, betaincinv

    planned_n2, needed = planned.n - planned.n1, planned.r + 1 - x1
    tail = bdtrc(x2 - 1, n2, p) if x2 > 0 else np.ones_like(p)
    # once stage 1 alone makes a go, every stage 2 has the planned conditional power of 1
    matched = betaincinv(needed, planned_n2 - needed + 1, tail) if needed > 0 else np.zeros_like(p)
    total = np.zeros_like(p)
    stage1 = np.array([binomial_pmf(planned.n1, rate) for rate in p])
    for k in range(planned.r1 + 1, planned.n1 + 1):
        rest = planned.r + 1 - k
        if rest <= planned_n2:
            total += stage1[:, k] * (bdtrc(rest - 1, planned_n2, matched) if rest > 0 else 1.0)
    return total
