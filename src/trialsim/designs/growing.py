"""Cut-offs lambda (m/N)^gamma of posterior probabilities: every way in which they can fall between attained values.

For one lambda both P(go) grow with gamma, as fewer counts stop: the best gamma is the largest that keeps alpha, found
by bisection. As lambda moves, what gamma can do changes only where the cut-off meets an attained probability at gamma 0
or the largest, or two of them at one gamma; one lambda between two such neighbours stands for all between them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trialsim.designs.binomial import Float64

MOST = 10.0
"""The largest gamma, and eta, that may be stated."""

LEAST = 0.01
"""The smallest lambda that is tried."""

EVERY_LAMBDA = 4000
"""So many different lambda are tried; where there are more, those of a grid by STEP."""

STEP = 0.0025
MOST_LINES = 600
SAME = 1e-9
"""Lambdas, or gammas, closer than this are one."""


def lambdas(
    at: Sequence[int], stop: Sequence[Float64], go: Sequence[Float64] = (), largest: float = MOST
) -> tuple[list[float], bool]:
    """One lambda for each way in which cut-offs can fall, few decimals first; and whether those are all.

    Args:
        at: patients at each look.
        stop: by look, the posterior probabilities that are compared with lambda (m/N)^gamma.
        go: by look, those that are compared with 1 - (1 - lambda)(m/N)^eta; empty where no look is.
        largest: the largest gamma.
    """
    import numpy as np

    last = np.concatenate([stop[-1], *go[-1:]])
    met = [_meetings(at, stop, largest)]
    if len(go):
        falling = _meetings(at, [1 - values for values in go], MOST)
        met.append(None if falling is None else 1 - falling)
    edges = [found for found in met if found is not None]
    between = _between(np.concatenate([last, *edges]))
    every = len(edges) == len(met) and len(between) <= EVERY_LAMBDA
    if not every:
        grid = np.round(np.arange(LEAST, 1, STEP), 9).tolist()
        between = [*grid, *_between(last)]
    return sorted(set(between), key=lambda value: (len(repr(value)), value)), every


def _between(edges: Float64) -> list[float]:
    """A number with few decimals between each two neighbours in 0 to 1."""
    import numpy as np

    inside = np.unique(edges[(edges > LEAST) & (edges < 1)])
    ends = np.concatenate([[LEAST], inside, [1.0]])
    return [short(a, b) for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True) if b - a > SAME]


def _meetings(at: Sequence[int], values: Sequence[Float64], largest: float) -> Float64 | None:
    """The lambda at which lambda (m/N)^gamma attains two probabilities at one gamma, or one at 0 or the largest."""
    import numpy as np

    log, slope = [], []
    for m, attained in zip(at[:-1], values[:-1], strict=True):
        inside = np.log(attained[(attained > 0) & (attained < 1)])
        inside = inside[inside > largest * np.log(m / at[-1]) + np.log(LEAST)]
        log.append(inside)
        slope.append(np.full(len(inside), -np.log(m / at[-1])))
    if not log:
        return np.zeros(0)
    a, b = np.concatenate(log), np.concatenate(slope)
    if len(a) > MOST_LINES:
        return None
    first, second = np.triu_indices(len(a), 1)
    crossing = b[first] != b[second]
    first, second = first[crossing], second[crossing]
    meet = (a[first] * b[second] - a[second] * b[first]) / (b[second] - b[first])
    gamma = (meet - a[first]) / b[first]
    meet = meet[(gamma > 0) & (gamma < largest)]
    every = np.concatenate([a, a + largest * b, meet])
    return np.asarray(np.exp(every[every < 0]))


def gammas(at: Sequence[int], values: Sequence[Float64], lambda_: float, largest: float) -> list[float]:
    """A gamma for each way in which lambda (m/N)^gamma can fall between attained probabilities, growing."""
    import numpy as np

    edges = [np.array([0.0, largest])]
    for m, attained in zip(at[:-1], values[:-1], strict=True):
        inside = attained[(attained > 0) & (attained < lambda_)]
        edges.append(np.log(inside / lambda_) / np.log(m / at[-1]))
    every = np.unique(np.concatenate(edges))
    ends = every[every <= largest].tolist()
    return [short(low, high) for low, high in zip(ends[:-1], ends[1:], strict=True) if high - low > SAME]


def short(low: float, high: float) -> float:
    """A number with few decimals between two others."""
    middle = (low + high) / 2
    return next((v for d in range(16) if low < (v := round(middle, d)) < high), middle)


@dataclass(frozen=True)
class Best:
    """The cut-offs with the largest power, and what they do at p0 and p1 (as the outcome function gives it)."""

    lambda_: float
    gamma: float
    eta: float | None
    null: Any
    alternative: Any


SAME_POWER = 1e-12
"""Powers closer than this are one."""

Outcome = Callable[[float, float, float | None, int], Sequence[float]]
"""lambda, gamma, eta, 0 (where all is bad) or 1 (where all is good) -> P(go) and EN."""


def search(
    at: Sequence[int],
    stop: Sequence[Float64],
    outcome: Outcome,
    alpha: float,
    beta: float | None,
    go: Sequence[Float64] = (),
    largest: float = MOST,
) -> tuple[dict[str, Best], bool]:
    """Of the cut-offs whose level is at most alpha: ``most_power``, and ``optimal``; whether every lambda was tried.

    The largest P(go) where all is good, then the least EN where all is bad; with beta the least EN of those that keep
    it. ``stop``, ``go``, ``largest`` as for ``lambdas``.
    """
    tried, every = lambdas(at, stop, go, largest)
    best: dict[str, Best] = {}
    wanted = 2.0 if beta is None else 1 - beta
    for lambda_ in tried:
        middle = gammas(at, stop, lambda_, largest)
        early: list[float | None] = [None]
        if len(go):
            early = [*gammas(at, [1 - values for values in go], 1 - lambda_, MOST)]
        for eta in early:

            def does(
                gamma: float, which: int, lambda_: float = lambda_, eta: float | None = eta
            ) -> Sequence[float]:
                return outcome(lambda_, gamma, eta, which)

            power = best["most_power"].alternative[0] if best else 0.0
            if does(middle[-1], 1)[0] < min(power - SAME_POWER, wanted) or does(middle[0], 0)[0] > alpha:
                continue
            # fewer counts stop as gamma grows: both P(go) grow, and EN
            keeps = bisect_left(middle, True, key=lambda g: does(g, 0)[0] > alpha) - 1
            most = does(middle[keeps], 1)[0]
            for name, least in (("most_power", most - SAME_POWER), ("optimal", wanted)):
                if most < least or (name == "most_power" and most < power - SAME_POWER):
                    continue
                gamma = middle[bisect_left(middle, True, hi=keeps, key=lambda g: does(g, 1)[0] >= least)]
                found = Best(lambda_, gamma, eta, does(gamma, 0), does(gamma, 1))
                before = best.get(name)
                more = name == "most_power" and found.alternative[0] > power + SAME_POWER
                if before is None or more or found.null[1] < before.null[1] - SAME:
                    best[name] = found
    return best, every
