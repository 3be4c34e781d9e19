"""How often patients were harmed: of treated patients, with an interval that no stopping rule enters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trialsim.designs.binomial import clopper_pearson
from trialsim.errors import DesignError

if TYPE_CHECKING:
    from trialsim.scenario.observed import Observed

HARM_WORDS = {"toxicities": "Patients with toxicity", "serious": "Patients with serious adverse events"}


@dataclass(frozen=True)
class HarmRate:
    """Treated patients with toxicity, or with a serious adverse event (``what``); at one dose, or at all (None)."""

    what: str
    dose: str | None
    count: int
    treated: int
    low: float
    high: float

    def row(self) -> dict[str, Any]:
        """The row of the table of all numbers."""
        return {
            "patients": self.dose or "All treated patients",
            "n": self.treated,
            "count": self.count,
            "kind": self.what,
            "name": "clopper_pearson",
            "value": self.count / self.treated,
            "low": self.low,
            "high": self.high,
        }


def harm_rate(what: str, count: int, treated: int, confidence: float, dose: str | None = None) -> HarmRate:
    """The rate of a harm with its Clopper-Pearson interval."""
    if not 0 <= count <= treated:
        raise DesignError(f"{count} patients with toxicity among {treated} treated patients cannot be")
    return HarmRate(what, dose, count, treated, *clopper_pearson(count, treated, confidence))


def observed_harms(observed: Observed, doses: Sequence[str], confidence: float) -> Iterator[HarmRate]:
    """Toxicity and serious adverse events as far as they are reported, toxicity by dose where it is."""
    if observed.treated is None:
        return
    known = observed.toxicity_candidates()
    if len(known) == 1:
        yield harm_rate("toxicities", known[0], observed.treated, confidence)
    if observed.toxicities_by_dose is not None and observed.treated_by_dose is not None:
        for dose, count, n in zip(doses, observed.toxicities_by_dose, observed.treated_by_dose, strict=True):
            if n:
                yield harm_rate("toxicities", count, n, confidence, dose)
    if observed.serious is not None:
        yield harm_rate("serious", observed.serious, observed.treated, confidence)
