"""Two-stage designs as they are under full curtailment: every one that keeps its error rates."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.kernels.doubts import LEVEL, POWER, ROUNDING, holds
from trialsim.kernels.jit import kernel
from trialsim.kernels.search import _p_go, _strictest, _tables


def feasible(rates: tuple[float, float], errors: tuple[float, float], nmax: int, book: Any) -> Any:
    """Every two-stage design with n <= nmax and the error rates, as it is under full curtailment.

    Columns: r1, n1, r, n, EN(p0), EN(p1), PET(p0), type I error, power. ``book``: doubts of 4 columns.
    """
    size = _feasible(*rates, *errors, nmax, book, np.zeros((0, 9)))
    out = np.zeros((size, 9))
    _feasible(*rates, *errors, nmax, book, out)
    return out


@kernel
def _curtailed_en(p, r1, n1, r, n, state):  # type: ignore[no-untyped-def]
    """EN and P(end before n) of a two-stage design that ends as soon as its outcome is certain."""
    state[:] = 0.0
    state[0] = 1.0
    en, ended = 0.0, 0.0
    for m in range(1, n + 1):
        for x in range(min(m, r + 1), 0, -1):
            state[x] = state[x] * (1 - p) + state[x - 1] * p
        state[0] *= 1 - p
        for x in range(min(m, r + 1) + 1):
            certain = x > r or x + n - m <= r or (m <= n1 and x + n1 - m <= r1)
            if certain and state[x] > 0.0:
                en += m * state[x]
                ended += state[x] if m < n else 0.0
                state[x] = 0.0
    return en, ended


@kernel
def _feasible(p0, p1, alpha, beta, nmax, book, out):  # type: ignore[no-untyped-def]
    pmf0, above0 = _tables(p0, nmax)
    pmf1, above1 = _tables(p1, nmax)
    state = np.zeros(nmax + 2)
    power_loose = 1 - beta - ROUNDING * nmax
    strictest = _strictest(above1, power_loose, nmax)
    found = 0
    for n in range(2, nmax + 1):
        for r in range(n):
            if above1[n, r] < power_loose:
                break
            for n1 in range(1, n):
                for r1 in range(min(strictest[n1], r), -1, -1):
                    power = _p_go(pmf1, above1, r1, n1, r, n)
                    level = _p_go(pmf0, above0, r1, n1, r, n)
                    if not holds(alpha - level, n, LEVEL, (r1, n1, r, n), book):
                        break
                    if not holds(power - (1 - beta), n, POWER, (r1, n1, r, n), book):
                        continue
                    if out.shape[0] > 0:
                        en0, pet = _curtailed_en(p0, r1, n1, r, n, state)
                        en1, _ = _curtailed_en(p1, r1, n1, r, n, state)
                        out[found, 0], out[found, 1], out[found, 2], out[found, 3] = r1, n1, r, n
                        out[found, 4], out[found, 5], out[found, 6] = en0, en1, pet
                        out[found, 7], out[found, 8] = level, power
                    found += 1
    return found
