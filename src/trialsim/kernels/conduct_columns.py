"""What a simulated trial in calendar time leaves behind: one row of whole numbers."""

from __future__ import annotations

(
    END,
    N,
    EVALUABLE,
    REDUCED_AFTER,
    TRIGGERED,
    TREATED,
    OVERRUN,
    SCREENED,
    CONTROLLED,
    SERIOUS_N,
    DURATION,
    PAUSED,
    WAITING,
    TRIGGERED_AT,
    DECIDED_AT,
    REDUCED_N,
    OFF_N,
    INTENSITY,
    GO_EVALUABLE,
    LEVELS,
) = range(20)
"""Columns of a replicate. Up to TRIGGERED as in ``trial.py``; N, EVALUABLE, CONTROLLED, SERIOUS_N, REDUCED_N, OFF_N,
INTENSITY and the blocks are of the reported patients (overrun left out where the scenario excludes it).

TREATED, OVERRUN, SCREENED: patients. CONTROLLED: with disease control. SERIOUS_N: with a serious event. DURATION,
PAUSED, WAITING: ticks. TRIGGERED_AT, DECIDED_AT: ticks from the first patient to the first trigger of a dose reduction
(0: none, or at once) and to the decision that ended the trial. REDUCED_N, OFF_N: patients whose own dose was reduced,
who went off treatment for toxicity. INTENSITY: sum of relative dose intensities, 2**-16. GO_EVALUABLE: 1 if the
responses among evaluable patients reach the cut-off for their number (early ends keep their verdict). From LEVELS on,
patients, responses and toxicities of each level in turn; then, for each cohort, its end (0 unless it has its own
rules), patients, evaluable patients and responses; last, where the doses are allocated once the first was left,
patients, responses and toxicities at the first dose since then.
"""

PATIENT_FIELDS = (
    "arrival", "level", "stratum", "responder", "toxic", "evaluable", "response", "serious", "controlled",
    "known", "onset", "toxicity_known", "first_sight", "ended", "reductions", "off", "intensity", "reported",
    "sighted",
)  # fmt: skip
"""Fields of a treated patient in enrolment order. Ticks since accrual opened: arrival, known (response outcome),
onset (first course; -1: none), toxicity_known, first_sight (-1: no counted response), ended (treatment), sighted (first
sight of a response whether or not it is confirmed; -1: none). ``level`` counts from 0, ``intensity`` is 2**-16, the
others are 0 or 1 or counts."""


def columns(levels: int, cohorts: int, randomised: bool = False) -> int:
    """Number of columns of a replicate; ``randomised``: the doses are allocated once the first was left."""
    return LEVELS + 3 * levels + 4 * cohorts + (3 if randomised else 0)
