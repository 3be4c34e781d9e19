"""A patient of a trial under way, as she is seen at the end of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Seen:
    """What is known of a treated patient at the end of the cut-off day, as the protocol knows it.

    Attributes:
        id: as the file has it.
        row: line of the file, from 1 (the header); in a frame the place of the row, from 1.
        enrolled: day of the first dose.
        level: dose level of the first dose, 0 for the starting dose.
        cohort: the patient's cohort, or stratum; "" where the scenario has none.
        responded: whether she responded, confirmed where the protocol confirms; None while it is not known. A patient
            who is not evaluable and not replaced has False.
        response_known: the day from which ``responded``, or that she is not evaluable, is known.
        inevaluable: known not to be evaluable.
        sighted: the day a response was first seen, whether or not it is confirmed by now; None without one.
        unconfirmed: the day a response was first seen, where its confirmation is awaited; None elsewhere.
        toxic: whether she had toxicity within the window; None while it is not known.
        toxicity_known: the day from which ``toxic`` is known: the onset, or the end of the window.
        response_overdue: the response is pending past the last day on which it can become known.
        toxicity_overdue: the toxicity is pending past the end of its window.
        off_treatment: the day she went off treatment, by the cut-off; None where it is not stated.
    """

    id: str
    row: int
    enrolled: date
    level: int
    cohort: str = ""
    responded: bool | None = None
    response_known: date | None = None
    inevaluable: bool = False
    unconfirmed: date | None = None
    toxic: bool | None = None
    toxicity_known: date | None = None
    response_overdue: bool = False
    toxicity_overdue: bool = False
    off_treatment: date | None = None
    sighted: date | None = None
