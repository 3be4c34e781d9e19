"""A trial that looks at responses after stated numbers of patients: exact, and quick enough to search with."""

from __future__ import annotations

import numpy as np

from trialsim.kernels.jit import kernel

P_GO, P_STOP, EN, PET = range(4)
"""What ``sequential`` fills in: P(go), P(futile), EN, P(end before the planned n); some may end with neither."""


@kernel
def sequential(n, stop_le, go_ge, p, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (4,): at look k after n[k] patients stop if responses <= stop_le[k], go if >= go_ge[k]."""
    planned = n[-1]
    state = np.zeros(planned + 1)
    state[0] = 1.0
    out[:] = 0.0
    k = 0
    for m in range(1, planned + 1):
        for x in range(m, 0, -1):
            state[x] = state[x] * (1 - p) + state[x - 1] * p
        state[0] *= 1 - p
        if n[k] != m:
            continue
        for x in range(m + 1):
            if stop_le[k] < x < go_ge[k] and m < planned:
                continue
            out[P_GO] += state[x] if x >= go_ge[k] else 0.0
            out[P_STOP] += state[x] if x <= stop_le[k] else 0.0
            out[PET] += state[x] if m < planned else 0.0
            out[EN] += m * state[x]
            state[x] = 0.0
        k += 1


@kernel
def best_bop2(n, above, rates, alpha, grid, out):  # type: ignore[no-untyped-def]
    """Search lambda, gamma, eta for the largest power at p1 among designs whose exact level is at most alpha.

    above : (looks, planned n + 1) P(p > p0 | x of n[k]), increasing in x.
    grid : (designs, 3) lambda, gamma, eta in order of preference among equals; eta < 0: no early go.
    out : (2, 4) receives ``sequential`` at p0 and p1 of the best; returned: its row of the grid, -1 if none.
    """
    looks = n.shape[0]
    stop, go = np.zeros(looks, dtype=np.int64), np.zeros(looks, dtype=np.int64)
    last_stop, last_go = np.full(looks, -9), np.full(looks, -9)
    trial = np.zeros(4)
    best, power = -1, 0.0
    for row in range(grid.shape[0]):
        same = True
        for k in range(looks):
            share = n[k] / n[-1]
            low = grid[row, 0] * share ** grid[row, 1]
            high = 1 - (1 - grid[row, 0]) * share ** grid[row, 2] if grid[row, 2] >= 0 else 2.0
            if k == looks - 1:
                high = grid[row, 0]
            x = 0
            while x <= n[k] and above[k, x] < low:
                x += 1
            stop[k] = x - 1
            while x <= n[k] and above[k, x] <= high:
                x += 1
            go[k] = x
            same = same and stop[k] == last_stop[k] and go[k] == last_go[k]
        if same:
            continue
        last_stop[:], last_go[:] = stop, go
        sequential(n, stop, go, rates[0], trial)
        if trial[0] > alpha:
            continue
        en = trial[2]
        sequential(n, stop, go, rates[1], trial)
        better = trial[0] > power + 1e-12
        if better or (best >= 0 and trial[0] > power - 1e-12 and en < out[0, 2] - 1e-9):
            best, power = row, trial[0]
            out[1] = trial
            sequential(n, stop, go, rates[0], out[0])
    return best
