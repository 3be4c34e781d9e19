"""The yardstick of the design search: Simon's two-stage search as one writes it with NumPy and scipy.stats."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

Design = tuple[int, int, int, int]
"""r1, n1, r, n."""


def search(p0: float, p1: float, alpha: float, beta: float, nmax: int) -> tuple[Design, Design]:
    """Optimal and minimax design among all with n <= nmax.

    For each n and n1 the chance to go is a matrix over every r1 and r at once.
    """
    sizes = range(nmax + 1)
    pmf = {p: [binom.pmf(np.arange(m + 1), m, p) for m in sizes] for p in (p0, p1)}
    above = {p: [binom.sf(np.arange(-nmax - 1, nmax + 1), m, p) for m in sizes] for p in (p0, p1)}
    best: list[tuple[float, Design]] = []  # the least EN(p0) of each n
    for n in range(2, nmax + 1):
        of_n = []
        for n1 in range(1, n):
            x, r = np.arange(n1 + 1), np.arange(n)
            still_needed = r[None, :] - x[:, None] + nmax + 1
            p_go = {}
            for p in (p0, p1):
                joint = pmf[p][n1][:, None] * above[p][n - n1][still_needed]
                p_go[p] = joint[::-1].cumsum(axis=0)[::-1][1:]  # row r1: the sum over x > r1
            good = (p_go[p0] <= alpha) & (p_go[p1] >= 1 - beta)
            for r1 in np.flatnonzero(good.any(axis=1))[-1:]:
                en = n1 + (1 - pmf[p0][n1][: r1 + 1].sum()) * (n - n1)
                of_n.append((en, (int(r1), n1, int(np.argmax(good[r1])), n)))
        if of_n:
            best.append(min(of_n))
    return min(best)[1], best[0][1]
