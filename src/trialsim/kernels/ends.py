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
def end_of(decision, final):  # type: ignore[no-untyped-def]
    """The end (``codes``) that a decision below 0 brings at an interim look, or at the final one."""
    if decision == FUTILE:
        return FINAL_NO_GO if final else FUTILITY
    if decision == GO:
        return FINAL_GO if final else GO_EARLY
    if decision == TOO_TOXIC:
        return TOXICITY_AT_N if final else TOXICITY
    return FINAL_CONSIDER
