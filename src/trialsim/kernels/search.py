"""The search for two-stage designs: exact, complete, and only over what can still win."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.kernels.doubts import (
    BEST,
    FOUND,
    LEVEL,
    PET,
    POWER,
    ROUNDING,
    START,
    filled,
    holds,
    offer,
)
from trialsim.kernels.jit import kernel

COLUMNS = 10
"""Columns of what a search finds: r1, n1, r, n; type I error, power, PET(p0), EN(p0), EN(p1), EN of the criterion."""

Limits = tuple[int, int, int, int, float]
"""n1, r1, n and r where fixed, else -1; least PET(p0)."""

ANYTHING: Limits = (-1, -1, -1, -1, 0.0)


def two_stage(
    rates: tuple[float, float],
    errors: tuple[float, float],
    nmax: int,
    book: Any,
    limits: Limits = ANYTHING,
    share: Any = None,
    weight_p1: float = 0.0,
    prior: tuple[float, float] | None = None,
    every_n: bool = False,
) -> tuple[Any, bool]:
    """(candidates, COLUMNS) for the least EN of each n, as far as it falls; and whether no n > nmax has less.

    Among the candidates of an n is the best; rounding may add others. EN is (1 - weight_p1) EN(p0) + weight_p1 EN(p1),
    or its mean over a Beta prior. ``share``: (2, nmax + 1) least and largest n1 of each n. ``every_n`` gives the best
    of every n, whether EN falls or not. ``book``: the doubts of the search (``doubts.empty_book(4)``).
    """
    on = _over_prior(*prior, nmax) if prior else np.zeros((1, 1))
    share = np.zeros((2, 0), dtype=np.int64) if share is None else share
    asked = (*rates, *errors, nmax, limits, share, weight_p1, on, every_n, book)
    return filled(lambda state, out: _two_stage(*asked, state, out), COLUMNS, nmax)


@kernel
def _tables(p, nmax):  # type: ignore[no-untyped-def]
    """pmf[n, x] = P(X = x) and above[n, x] = P(X > x) for all n <= nmax, by adding one patient at a time."""
    pmf = np.zeros((nmax + 1, nmax + 2))
    above = np.zeros((nmax + 1, nmax + 2))
    pmf[0, 0] = 1.0
    for n in range(1, nmax + 1):
        pmf[n, 0] = pmf[n - 1, 0] * (1 - p)
        for x in range(1, n + 1):
            pmf[n, x] = pmf[n - 1, x] * (1 - p) + pmf[n - 1, x - 1] * p
        for x in range(n - 1, -1, -1):
            above[n, x] = above[n, x + 1] + pmf[n, x + 1]
    return pmf, above


@kernel
def _over_prior(a, b, nmax):  # type: ignore[no-untyped-def]
    """above[n, x] = P(X > x) where the response rate has a Beta(a, b) prior: an urn, one patient at a time."""
    pmf = np.zeros((nmax + 1, nmax + 2))
    above = np.zeros((nmax + 1, nmax + 2))
    pmf[0, 0] = 1.0
    for n in range(1, nmax + 1):
        for x in range(n):
            response = (a + x) / (a + b + n - 1)
            pmf[n, x] += pmf[n - 1, x] * (1 - response)
            pmf[n, x + 1] += pmf[n - 1, x] * response
        for x in range(n - 1, -1, -1):
            above[n, x] = above[n, x + 1] + pmf[n, x + 1]
    return above


@kernel
def _strictest(above1, power_target, nmax):  # type: ignore[no-untyped-def]
    """The largest r1 of each n1 that is passed with the power at p1, -1 if none: no design can have a larger one."""
    strictest = np.full(nmax + 1, -1)
    for n1 in range(1, nmax + 1):
        r1 = strictest[n1 - 1]
        while r1 + 1 < n1 and above1[n1, r1 + 1] >= power_target:
            r1 += 1
        strictest[n1] = r1
    return strictest


@kernel
def _p_go(pmf, above, r1, n1, r, n):  # type: ignore[no-untyped-def]
    """P(X1 > r1 and X > r)."""
    total = above[n1, max(r, r1)] if max(r, r1) < n1 else 0.0
    for x in range(r1 + 1, min(r, n1) + 1):
        total += pmf[n1, x] * above[n - n1, min(r - x, n - n1)]
    return total


@kernel
def _two_stage(p0, p1, alpha, beta, nmax, limits, share, weight_p1, on, every_n, book, state, out):  # type: ignore[no-untyped-def]
    pmf0, above0 = _tables(p0, nmax)
    pmf1, above1 = _tables(p1, nmax)
    if on.shape[0] == 1:  # P(stage 2 | n1, r1) that the criterion weighs n2 with
        on = above0 if weight_p1 == 0.0 else (1 - weight_p1) * above0 + weight_p1 * above1
    fixed_n1, fixed_r1, fixed_n, fixed_r, least_pet = limits
    # nothing that keeps its error rates is beyond these
    slack = ROUNDING * nmax
    power_loose, alpha_loose = 1 - beta - slack, alpha + slack
    strictest = _strictest(above1, power_loose, nmax)
    least_r1 = max(fixed_r1, 0)
    if fixed_r1 >= 0:
        for n1 in range(nmax + 1):  # numba takes two seconds to compile np.where
            strictest[n1] = fixed_r1 if strictest[n1] >= fixed_r1 else -1

    state[BEST] = np.inf
    complete = 0 < fixed_n <= nmax
    most_r = -1
    for n in range(2, nmax + 1):
        while most_r + 1 < n and above1[n, most_r + 1] >= power_loose:
            most_r += 1
        if fixed_n > 0 and n != fixed_n:
            continue
        if every_n:
            state[BEST] = np.inf
        state[START] = state[FOUND]
        close = ROUNDING * n * n  # of two EN
        bound = np.inf  # no design of this n, or of a larger one, has a smaller EN
        first, last = (share[0, n], share[1, n]) if share.shape[1] > 0 else (1, n - 1)
        for n1 in range(first, n):
            if fixed_n1 > 0 and n1 != fixed_n1:
                continue
            least = n1 + on[n1, strictest[n1]] * (n - n1) if strictest[n1] >= 0 else float(n)
            bound = min(bound, least)
            if least > state[BEST] + close or strictest[n1] < 0 or n1 > last:
                continue
            # type I error falls with r1 and with r: below the first r that works at the strictest r1, none does
            r = most_r if fixed_r < 0 else min(most_r, fixed_r)
            last_r = max(fixed_r, least_r1)
            while r >= last_r and _p_go(pmf0, above0, min(strictest[n1], r), n1, r, n) <= alpha_loose:
                r1 = min(strictest[n1], r)
                power, limit = _p_go(pmf1, above1, r1, n1, r, n), state[BEST] + close
                while (
                    r1 >= least_r1
                    and n1 + on[n1, r1] * (n - n1) <= limit
                    and not holds(power - (1 - beta), n, POWER, (r1, n1, r, n), book)
                ):
                    power += pmf1[n1, r1] * above1[n - n1, min(r - r1, n - n1)]
                    r1 -= 1
                # the largest r1 with the power has the least EN at every rate, the largest PET, the least alpha
                en = n1 + on[n1, max(r1, 0)] * (n - n1)
                if (
                    r1 >= least_r1
                    and en <= limit
                    and (
                        least_pet == 0.0
                        or holds(1 - above0[n1, r1] - least_pet, n1, PET, (r1, n1, r, n), book)
                    )
                    and holds(alpha - _p_go(pmf0, above0, r1, n1, r, n), n, LEVEL, (r1, n1, r, n), book)
                ):
                    offer(en, close, (r1, n1, r, n), state, out)
                r -= 1
        if state[FOUND] > 0 and bound > state[BEST] + close and not every_n:
            complete = True
            break
    for k in range(int(state[FOUND])):
        r1, n1, r, n = int(out[k, 0]), int(out[k, 1]), int(out[k, 2]), int(out[k, 3])
        out[k, 4] = _p_go(pmf0, above0, r1, n1, r, n)
        out[k, 5] = _p_go(pmf1, above1, r1, n1, r, n)
        out[k, 6] = 1 - above0[n1, r1]
        out[k, 7] = n1 + above0[n1, r1] * (n - n1)
        out[k, 8] = n1 + above1[n1, r1] * (n - n1)
        out[k, 9] = n1 + on[n1, r1] * (n - n1)
    return complete
