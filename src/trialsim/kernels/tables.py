"""Rules as plain arrays, the only form in which kernels see a trial."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


class Tables(NamedTuple):
    """Rules as arrays: L looks, K dose levels, M = the largest number of treated patients."""

    look_n: Int32
    """(L,) patients known at each look."""
    look_next: Int32
    """(L, planned n + 1) decision by responses; entries beyond the patients of a look are never read."""
    final: Bool
    """(L,) whether the look always ends the trial."""
    act_ge: Int32
    """(K, M + 1) toxicities at the level that trigger action, by patients at the level."""
    at_enrolled: Int32
    """(K,) leave the level after this many patients of the trial; 0 = never."""
    action: Int32
    """(K,) what the boundary does at the level."""
    replaced: bool
    """Whether looks count evaluable patients."""
