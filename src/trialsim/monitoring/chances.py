"""What the responses so far say of the end: the probability of a go from every interim count on, by the design alone.

At a stated true rate it is the conditional power (Lan KKG, Simon R, Halperin M. Commun Stat C 1982;1:207-219);
averaged over what a Beta prior and the counts say of the rate, the predictive power (Herson J. Biometrics 1979;
35:775-783; Spiegelhalter DJ, Freedman LS, Blackburn PR. Control Clin Trials 1986;7:8-17; Lee JJ, Liu DD. Clin Trials
2008;5:93-106).
Toxicity is left out here; ``monitoring_rest.py`` has it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trialsim.codes import GO
from trialsim.designs.binomial import Float64
from trialsim.designs.rules import Looks

Chance = Callable[[int], "Float64 | float"]
"""P(the next patient responds | x responses among m patients), by m: one number, or one for each x = 0..m."""


def at_rate(p: float) -> Chance:
    """Every patient responds with probability p, whatever was seen before."""
    return lambda m: p  # noqa: ARG005 - the same after any number of patients


def by_prior(prior: tuple[float, float]) -> Chance:
    """The rate has a Beta(a, b) prior: after x of m the next patient responds with probability (a + x)/(a + b + m)."""
    a, b = prior

    def chance(m: int) -> Float64:
        return np.asarray((a + np.arange(m + 1)) / (a + b + m), dtype=np.float64)

    return chance


def at_looks(looks: Looks, chance: Chance, first: int = 0) -> tuple[Float64, ...]:
    """P(the trial ends in a go) from each look on, its decision taken: entry k has one value for x = 0..n[k].

    Looks before the ``first`` that is asked for are left empty.
    """
    found: list[Float64] = [np.zeros(0)] * len(looks.n)
    for k in range(len(looks.n) - 1, first - 1, -1):
        row = np.array(looks.next[k])
        value = (row == GO).astype(float)
        for later in np.unique(row[row >= 0]):
            value = np.where(row == later, back(found[later], looks.n[k], chance), value)
        found[k] = value
    return tuple(found)


def if_it_goes_on(looks: Looks, k: int, chance: Chance) -> Float64:
    """P(the trial ends in a go) if it goes on from look k, whatever the table says there, for x = 0..n[k].

    Where the table says so too, this is the conditional (or predictive) power; elsewhere it is what the decision gives
    up. The next look is the one that the table names, else the one after k, which must not be the last.
    """
    later = at_looks(looks, chance, k + 1)
    ahead = {
        d: back(later[d], looks.n[k], chance) for d in sorted({following(looks, k, d) for d in looks.next[k]})
    }
    return np.array([ahead[following(looks, k, d)][x] for x, d in enumerate(looks.next[k])])


def reachable(looks: Looks) -> tuple[frozenset[int], ...]:
    """The counts of responses with which each look can be met, the decisions of earlier looks being kept to."""
    found: list[set[int]] = [set() for _ in looks.n]
    found[0] = set(range(looks.n[0] + 1))
    for k, row in enumerate(looks.next):
        for x in found[k]:
            if (later := row[x]) >= 0:
                found[later].update(range(x, x + looks.n[later] - looks.n[k] + 1))
    return tuple(map(frozenset, found))


def following(looks: Looks, k: int, decision: int) -> int:
    """The look that follows look k if the trial goes on after this decision."""
    assert k + 1 < len(looks.n)
    return decision if decision >= 0 else k + 1


def from_the_start(looks: Looks, chance: Chance) -> float:
    """P(the trial ends in a go) before its first patient."""
    return float(back(at_looks(looks, chance)[0], 0, chance)[0])


def back(ahead: Float64, n: int, chance: Chance) -> Float64:
    """The mean of a value known by the responses at a later look, for x = 0..n responses among n patients now.

    One patient back at a time: v(m, x) = P(response | x of m) v(m + 1, x + 1) + P(none | x of m) v(m + 1, x).
    """
    for m in range(len(ahead) - 2, n - 1, -1):
        response = chance(m)
        ahead = response * ahead[1:] + (1 - response) * ahead[:-1]
    return ahead
