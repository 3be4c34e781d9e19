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
