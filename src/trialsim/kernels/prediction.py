"""Counts of a trial whose sizes are fixed as observed: no design, no stopping, only the truth."""

from __future__ import annotations

import numpy as np

from trialsim.kernels.jit import kernel
from trialsim.kernels.streams import DOMAIN_PREDICTION, GROUP_EVENT, GROUP_OUTCOME, philox

RESPONSES, DISEASE_CONTROL, TOXICITIES, SERIOUS, STAGE1_RESPONSES, BY_DOSE = range(6)
"""Columns of a replicate; from BY_DOSE on, the responses at each dose."""

_OUTCOME = np.uint64((DOMAIN_PREDICTION << 16) | GROUP_OUTCOME)
_EVENT = np.uint64((DOMAIN_PREDICTION << 16) | GROUP_EVENT)
_LOW, _HIGH = np.uint64(0xFFFFFFFF), np.uint64(32)


LANES = 512
"""Replicates side by side: the processor draws several at once. No result depends on it."""


@kernel
def predict(evaluable, treated, stage1, thresholds, k0, k1, first, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (replicates, BY_DOSE + K) with the counts of replicates ``first``, ``first + 1``, ...

    evaluable, treated : (K,) patients at each dose, the first evaluable ones of the treated being evaluable.
    stage1 : evaluable patients of stage 1, in the order of the doses.
    thresholds : (K, 5) int64 for response; toxicity given no response, given response; serious event given
        toxicity; disease control given no response.
    """
    words = np.empty((4, LANES), dtype=np.uint64)
    counts = np.empty((out.shape[1], LANES), dtype=np.int64)
    for start in range(0, out.shape[0], LANES):
        width = min(LANES, out.shape[0] - start)
        counts[:] = 0
        patient, seen = 0, 0
        for level in range(treated.shape[0]):
            likely, without, given, serious, controlled = thresholds[level]
            for k in range(treated[level]):
                for lane in range(width):
                    r = np.uint64(first + start + lane)
                    c0, c1 = r & _LOW, r >> _HIGH
                    w0, w1, _, _ = philox(c0, c1, np.uint64(patient), _OUTCOME, k0, k1)
                    words[0, lane], words[1, lane] = w0, w1
                for lane in range(width):
                    r = np.uint64(first + start + lane)
                    c0, c1 = r & _LOW, r >> _HIGH
                    e0, e1, _, _ = philox(c0, c1, np.uint64(patient), _EVENT, k0, k1)
                    words[2, lane], words[3, lane] = e0, e1
                counted, in_stage1 = k < evaluable[level], k < evaluable[level] and seen < stage1
                for lane in range(width):
                    response = np.int64(np.int64(words[0, lane]) < likely)
                    toxic = np.int64(np.int64(words[1, lane]) < (given if response else without))
                    control = response | np.int64(np.int64(words[3, lane]) < controlled)
                    counts[TOXICITIES, lane] += toxic
                    counts[SERIOUS, lane] += toxic & np.int64(np.int64(words[2, lane]) < serious)
                    counts[RESPONSES, lane] += response & counted
                    counts[DISEASE_CONTROL, lane] += control & counted
                    counts[STAGE1_RESPONSES, lane] += response & in_stage1
                    counts[BY_DOSE + level, lane] += response & counted
                seen += counted
                patient += 1
        for lane in range(width):  # to compile an assignment of slices takes numba as long as all the rest
            for column in range(out.shape[1]):
                out[start + lane, column] = counts[column, lane]
