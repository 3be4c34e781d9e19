"""Two stages that look at responses and toxicities together (Bryant and Day): exact, complete search."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.kernels.doubts import (
    BEST,
    FOUND,
    LEVEL,
    LEVEL_TOXIC,
    POWER,
    ROUNDING,
    START,
    filled,
    holds,
    offer,
)
from trialsim.kernels.jit import kernel

COLUMNS = 6
"""n1, n; go on if responses >= and patients without toxicity >= after stage 1; the same at the end."""


def search(cells: Any, errors: tuple[float, float, float], nmax: int, book: Any) -> tuple[Any, bool]:
    """(candidates, COLUMNS + 1), the larger EN at the two nulls last; and whether no n > nmax has less.

    Among the candidates of an n is the one of least EN, as far as EN falls as n grows; rounding may add others.

    cells : (3, 4) probabilities of a patient without and with response, each without and with freedom from toxicity,
        where response is poor and toxicity acceptable; response good and toxicity unacceptable; both good.
    errors : alpha for response, alpha for toxicity, power.
    book : doubts of COLUMNS columns.
    """
    asked = (np.asarray(cells, dtype=float), *errors, nmax, book)
    return filled(lambda state, out: _search(*asked, state, out), COLUMNS + 1, nmax)


@kernel
def joint(cells, nmax):  # type: ignore[no-untyped-def]
    """P(X = x, Y = y) of n patients, and P(X >= x, Y >= y), for all n <= nmax: (n, x, y) each."""
    size = nmax + 1
    pmf, tail = np.zeros((size, size, size)), np.zeros((size, size + 1, size + 1))
    pmf[0, 0, 0] = 1.0
    tail[0, 0, 0] = 1.0
    for n in range(1, size):
        for x in range(n + 1):
            for y in range(n + 1):
                p = cells[0] * pmf[n - 1, x, y]
                if y > 0:
                    p += cells[1] * pmf[n - 1, x, y - 1]
                if x > 0:
                    p += cells[2] * pmf[n - 1, x - 1, y]
                    if y > 0:
                        p += cells[3] * pmf[n - 1, x - 1, y - 1]
                pmf[n, x, y] = p
        for x in range(n, -1, -1):
            row = 0.0
            for y in range(n, -1, -1):
                row += pmf[n, x, y]
                tail[n, x, y] = tail[n, x + 1, y] + row
    return pmf, tail


@kernel
def by_looks(cells, n, stop_le, toxic_ge, out):  # type: ignore[no-untyped-def]
    """out[:] = P(go), EN, P(end before the planned n); a trial that has passed the last look is a go.

    At look k, after n[k] patients, it ends if responses <= stop_le[k] or toxicities >= toxic_ge[k].
    """
    planned = n[-1]
    state = np.zeros((planned + 2, planned + 2))  # row and column 0 stay empty: x - 1 and t - 1 always exist
    state[1, 1] = 1.0
    out[:] = 0.0
    k = 0
    for m in range(1, planned + 1):
        for x in range(m + 1, 0, -1):
            for t in range(m + 1, 0, -1):
                state[x, t] = (
                    state[x, t] * cells[1]
                    + state[x, t - 1] * cells[0]
                    + state[x - 1, t] * cells[3]
                    + state[x - 1, t - 1] * cells[2]
                )
        if n[k] != m:
            continue
        for x in range(m + 1):
            for t in range(m + 1):
                ends = x <= stop_le[k] or t >= toxic_ge[k]
                if not ends and m < planned:
                    continue
                mass = state[x + 1, t + 1]
                out[0] += 0.0 if ends else mass
                out[1] += m * mass
                out[2] += mass if m < planned else 0.0
                state[x + 1, t + 1] = 0.0
        k += 1


@kernel
def _accept(pmf, tail, n1, n, c, d, out):  # type: ignore[no-untyped-def]
    """out[a, b] = P(X1 >= a, Y1 >= b, X >= c, Y >= d) for all a, b = 0..n1 + 1."""
    out[n1 + 1, : n1 + 2] = 0.0
    for x in range(n1, -1, -1):
        out[x, n1 + 1] = 0.0
        row = 0.0
        for y in range(n1, -1, -1):
            left, free = max(c - x, 0), max(d - y, 0)
            if left <= n - n1 and free <= n - n1:
                row += pmf[n1, x, y] * tail[n - n1, left, free]
            out[x, y] = out[x + 1, y] + row


@kernel
def _most(tail, power_target, nmax):  # type: ignore[no-untyped-def]
    """The largest cut-offs of each endpoint alone that leave the power, by n."""
    responses, free = np.zeros(nmax + 1, dtype=np.int64), np.zeros(nmax + 1, dtype=np.int64)
    for n in range(1, nmax + 1):
        while responses[n] < n and tail[n, responses[n] + 1, 0] >= power_target:
            responses[n] += 1
        while free[n] < n and tail[n, 0, free[n] + 1] >= power_target:
            free[n] += 1
    return responses, free


@kernel
def _search(cells, alpha_r, alpha_t, power, nmax, book, state, out):  # type: ignore[no-untyped-def]
    pmf_r, tail_r = joint(cells[0], nmax)
    pmf_t, tail_t = joint(cells[1], nmax)
    pmf_1, tail_1 = joint(cells[2], nmax)
    # nothing that keeps its error rates is beyond these
    slack = ROUNDING * nmax
    power_loose, loose_r, loose_t = power - slack, alpha_r + slack, alpha_t + slack
    responses, free = _most(tail_1, power_loose, nmax)
    go_r, go_t = np.zeros((nmax + 2, nmax + 2)), np.zeros((nmax + 2, nmax + 2))
    go_1 = np.zeros((nmax + 2, nmax + 2))
    state[BEST], complete = np.inf, False
    for n in range(2, nmax + 1):
        state[START], close = state[FOUND], ROUNDING * n * n
        bound = float(n)
        for n1 in range(1, n):
            a_most, b_most = responses[n1], free[n1]
            on = max(tail_r[n1, a_most, b_most], tail_t[n1, a_most, b_most])
            bound = min(bound, n1 + on * (n - n1))
            if n1 + on * (n - n1) > state[BEST] + close:
                continue
            for c in range(responses[n], -1, -1):
                # both stages as strict as can be: the level is least, and it grows as c falls
                _accept(pmf_r, tail_r, n1, n, c, free[n], go_r)
                if go_r[min(a_most, c), min(b_most, free[n])] > loose_r:
                    break
                for d in range(free[n], -1, -1):
                    if tail_1[n, c, d] < power_loose:
                        continue
                    a_top, b_top = min(a_most, c), min(b_most, d)
                    _accept(pmf_r, tail_r, n1, n, c, d, go_r)
                    # and it grows as d falls
                    if go_r[a_top, b_top] > loose_r:
                        break
                    _accept(pmf_t, tail_t, n1, n, c, d, go_t)
                    if go_t[a_top, b_top] > loose_t:
                        break
                    _accept(pmf_1, tail_1, n1, n, c, d, go_1)
                    for a in range(a_top, -1, -1):
                        for b in range(b_top, -1, -1):
                            en = n1 + max(tail_r[n1, a, b], tail_t[n1, a, b]) * (n - n1)
                            if en > state[BEST] + close:
                                break
                            design = (n1, n, a, b, c, d)
                            if not holds(go_1[a, b] - power, n, POWER, design, book):
                                continue
                            if not holds(alpha_r - go_r[a, b], n, LEVEL, design, book):
                                break
                            if not holds(alpha_t - go_t[a, b], n, LEVEL_TOXIC, design, book):
                                break
                            offer(en, close, design, state, out)
        if state[FOUND] > 0 and bound > state[BEST] + close:
            complete = True
            break
    return complete
