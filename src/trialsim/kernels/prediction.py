"""Counts of a trial whose sizes are fixed as observed: no design, no stopping, only the truth."""

from __future__ import annotations

import numpy as np

from trialsim.kernels.jit import kernel
from trialsim.kernels.streams import DOMAIN_PREDICTION, GROUP_EVENT, GROUP_OUTCOME, philox

RESPONSES, DISEASE_CONTROL, TOXICITIES, SERIOUS, STAGE1_RESPONSES, BY_DOSE = range(6)
"""Columns of a replicate; from BY_DOSE on, the responses at each dose."""

_OUTCOME = np.uint64((DOMAIN_PREDICTION << 16) | GROUP_OUTCOME)
_EVENT = np.uint64((DOMAIN_PREDICTION << 16) | GROUP_EVENT)
_LOW = np.uint64(0xFFFFFFFF)


@kernel
def predict(evaluable, treated, stage1, thresholds, k0, k1, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (replicates, BY_DOSE + K) with counts.

    evaluable, treated : (K,) patients at each dose, the first evaluable ones of the treated being evaluable.
    stage1 : evaluable patients of stage 1, in the order of the doses.
    thresholds : (K, 5) int64 for response; toxicity given no response, given response; serious event given
        toxicity; disease control given no response.
    """
    for row in range(out.shape[0]):
        counts = out[row]
        counts[:] = 0
        c0 = np.uint64(row) & _LOW
        c1 = np.uint64(row) >> np.uint64(32)
        patient, seen = 0, 0
        for level in range(treated.shape[0]):
            for k in range(treated[level]):
                w0, w1, _, _ = philox(c0, c1, np.uint64(patient), _OUTCOME, k0, k1)
                e0, e1, _, _ = philox(c0, c1, np.uint64(patient), _EVENT, k0, k1)
                response = np.int64(w0) < thresholds[level, 0]
                toxic = np.int64(w1) < thresholds[level, 1 + response]
                counts[TOXICITIES] += toxic
                counts[SERIOUS] += toxic and np.int64(e0) < thresholds[level, 3]
                if k < evaluable[level]:
                    counts[RESPONSES] += response
                    counts[DISEASE_CONTROL] += response or np.int64(e1) < thresholds[level, 4]
                    counts[STAGE1_RESPONSES] += response and seen < stage1
                    counts[BY_DOSE + level] += response
                    seen += 1
                patient += 1
