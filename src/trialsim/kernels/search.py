"""The search for two-stage designs: exact, complete, and only over what can still win."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.kernels.jit import kernel

ROUNDING = 1e-12
"""Error rates that exceed their target by less are at the target."""


def two_stage(p0: float, p1: float, alpha: float, beta: float, nmax: int) -> tuple[Any, bool]:
    """(designs, 4) array of r1, n1, r, n with strictly falling EN(p0) as n grows, and whether no n > nmax has less."""
    out = np.zeros((nmax + 1, 4), dtype=np.int64)
    found, complete = _two_stage(p0, p1, alpha, beta, nmax, out)
    return out[:found], bool(complete)


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
def _p_go(pmf, above, r1, n1, r, n):  # type: ignore[no-untyped-def]
    """P(X1 > r1 and X > r)."""
    total = above[n1, max(r, r1)] if max(r, r1) < n1 else 0.0
    for x in range(r1 + 1, min(r, n1) + 1):
        total += pmf[n1, x] * above[n - n1, min(r - x, n - n1)]
    return total


@kernel
def _two_stage(p0, p1, alpha, beta, nmax, out):  # type: ignore[no-untyped-def]
    pmf0, above0 = _tables(p0, nmax)
    pmf1, above1 = _tables(p1, nmax)
    power_target = 1 - beta - ROUNDING
    alpha_target = alpha + ROUNDING

    # the strictest stage 1 of each size that still passes with probability 1 - beta at p1: no r1 can be larger
    strictest = np.full(nmax + 1, -1)
    for n1 in range(1, nmax + 1):
        r1 = strictest[n1 - 1]
        while r1 + 1 < n1 and above1[n1, r1 + 1] >= power_target:
            r1 += 1
        strictest[n1] = r1

    found = 0
    best = np.inf
    complete = False
    for n in range(2, nmax + 1):
        bound = np.inf  # no design of this n, or of a larger one, has a smaller EN(p0)
        most_r = -1
        while most_r + 1 < n and above1[n, most_r + 1] >= power_target:
            most_r += 1
        improved = False
        for n1 in range(1, n):
            least = n1 + above0[n1, strictest[n1]] * (n - n1) if strictest[n1] >= 0 else float(n)
            bound = min(bound, least)
            if least >= best or strictest[n1] < 0:
                continue
            # type I error falls with r1 and with r: below the first r that works at the strictest r1, none does
            r = most_r
            while r >= 0 and _p_go(pmf0, above0, min(strictest[n1], r), n1, r, n) <= alpha_target:
                r1 = min(strictest[n1], r)
                while r1 >= 0 and _p_go(pmf1, above1, r1, n1, r, n) < power_target:
                    r1 -= 1
                if r1 >= 0:
                    en = n1 + above0[n1, r1] * (n - n1)
                    if en < best and _p_go(pmf0, above0, r1, n1, r, n) <= alpha_target:
                        best = en
                        improved = True
                        out[found, 0], out[found, 1], out[found, 2], out[found, 3] = r1, n1, r, n
                r -= 1
        found += improved
        if found > 0 and bound >= best:
            complete = True
            break
    return found, complete
