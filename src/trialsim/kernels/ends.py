"""How a look ends a trial."""

from __future__ import annotations

from trialsim.codes import (
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILE,
    FUTILITY,
    GO,
    GO_EARLY,
    TOO_TOXIC,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.kernels.jit import part


@part
def end_of(decision, at_n):  # type: ignore[no-untyped-def]
    """The end (``codes``) that a decision below 0 brings before the planned n, or at it."""
    if decision == FUTILE:
        return FINAL_NO_GO if at_n else FUTILITY
    if decision == GO:
        return FINAL_GO if at_n else GO_EARLY
    if decision == TOO_TOXIC:
        return TOXICITY_AT_N if at_n else TOXICITY
    return FINAL_CONSIDER
