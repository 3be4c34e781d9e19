"""The mean type I error of designs that were found, over what the control's rate may be."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from trialsim.designs.by_rate import go_by_rate, too_many_counts
from trialsim.designs.mixtures import JEFFREYS, Mixture
from trialsim.errors import DesignError
from trialsim.given import clip

if TYPE_CHECKING:
    from trialsim.designs.finding import FoundDesigns

MEAN_TYPE_I = "mean_type_i_error"


def counted(history: str | None) -> Mixture | None:
    """What ``1/20``, 1 response among 20 patients, leaves of Jeffreys' prior of the control's rate; None of None.

    Raises:
        DesignError: it is no count of patients.
    """
    if history is None:
        return None
    found = re.fullmatch(r"\s*(\d{1,7})\s*/\s*(\d{1,7})\s*", history)
    if found is None:
        raise DesignError(
            f"history = {clip(repr(history))} must be responses/patients of the control in whole numbers, such as 1/20"
        )
    responses, patients = map(int, found.groups())
    if not 0 <= responses <= patients or not 1 <= patients <= 1_000_000:
        raise DesignError(f"history = {history}: {responses} responses among {patients} patients")
    a, b = JEFFREYS
    return Mixture.of((1, a + responses, b + patients - responses))


def told(found: FoundDesigns, history: str | None) -> FoundDesigns:
    """The same designs, each with its mean type I error; those that look at toxicity, or too often, without."""
    control = counted(history)
    if control is None or history is None:
        return found
    designs = []
    for design in found.designs:
        details = dict(design.details)
        if design.looks is not None and not too_many_counts(design.looks):
            details[MEAN_TYPE_I] = go_by_rate(design.looks).mean(control)
        designs.append(replace(design, details=details))
    return replace(found, designs=tuple(designs), history=f"{history.strip()}: {control}")
