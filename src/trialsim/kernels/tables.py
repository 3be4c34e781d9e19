"""Rules as plain arrays, the only form in which kernels see a trial."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trialsim.codes import NEW_DOSE_ONLY as NEW_DOSE_ONLY
from trialsim.codes import POOLED as POOLED
from trialsim.codes import RESTART as RESTART

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


class Tables(NamedTuple):
    """Rules as arrays: L looks, K dose levels, M = the largest number of treated patients (at each dose if looks
    begin again there)."""

    look_n: Int32
    """(L,) patients known at each look."""
    look_next: Int32
    """(L, planned n + 1) decision by responses; entries beyond the patients of a look are never read."""
    toxic_ge: Int32
    """(L,) toxicities among the patients of the look that stop the trial there, NEVER where the look does not ask."""
    final: Bool
    """(L,) whether the look always ends the trial."""
    at_n: Bool
    """(L,) whether an end at the look is one at the planned n, not an early one (``Looks.ends_early``)."""
    act_ge: Int32
    """(K, M + 1) toxicities at the level that trigger action, by patients at the level."""
    at_enrolled: Int32
    """(K,) leave the level after this many patients of the trial; 0 = never."""
    action: Int32
    """(K,) what the boundary does at the level."""
    stop_ge: Int32
    """(K, M + 1) toxicities at the level that stop the trial, ``act_ge`` or more; NEVER where none do."""
    replaced: bool
    """Whether looks count evaluable patients."""
    on_dose_change: int
    """POOLED, NEW_DOSE_ONLY or RESTART."""
    attained_ge: Int32
    """(planned n + 1,) least responses for a go by number of patients analysed, NEVER where no count suffices; empty
    where not stated."""
    randomise: Int32
    """(4,) how the doses are allocated once the first was left (0: they are not), patients at the lower and at the
    higher one of so many, patients at each with which allocation ends (0: the planned n)."""


CARRY_NOTHING, CARRY_RESPONSES, CARRY_TOXICITIES, CARRY_BOTH = range(4)
"""The total that the chain carries along: none, all responses, all toxicities; all toxicities again where what it
receives is to be by responses (which then must not saturate)."""

CONTINUE_ACCRUAL, PAUSE, EARLY_DECISION = range(3)
"""What accrual does at an interim look."""

OLD_DOSE, HOLD, SWITCH = range(3)
"""What accrual does between the trigger of a dose reduction and the amendment."""

RESPONSE, TOXIC_IF_NOT, TOXIC_IF_SO, EVALUABLE_IF_NOT, EVALUABLE_IF_SO, SERIOUS, STABLE, TOXIC = range(8)
"""Thresholds of a dose level and stratum: response; toxicity and evaluable, given no response and given response;
serious event given toxicity; stable disease given no response; toxicity whatever the response."""


class Weighing(NamedTuple):
    """How interim looks weigh pending patients (docs/conduct.md): L looks, Q nodes of the exact posterior."""

    on: bool
    """Whether looks weigh them; False: they wait for every outcome."""
    allowed: Int64
    """(L,) pending patients with whom a look may be taken."""
    minimum: int
    """Ticks since the enrolment of its last patient before a look is taken."""
    window: int
    """Ticks of follow-up without response that make a non-response."""
    credit: Int64
    """(V,) ticks of follow-up that count from a visit on; empty: the ticks since enrolment."""
    doubt: int
    """Ticks of follow-up without response that an unconfirmed response counts for."""
    futile_from: Int64
    """(L, R + 1, n + 1) least ticks of follow-up without response, non-responses included, that are futile with so many
    responses and so many unconfirmed ones; more than R responses never are."""
    node: Float64
    """(Q,) response rates at which the exact posterior is worked out; empty where ``futile_from`` decides."""
    gain: Float64
    """(L, Q) weight of each: what the posterior probability gains there, less the cut-off of the look."""
    unconfirmed: Float64
    """(n + 1, Q) likelihood of so many unconfirmed responses."""


_WHOLE, _REAL = np.zeros(0, dtype=np.int64), np.zeros((0, 0))

WAIT = Weighing(
    False, _WHOLE, 0, 1, _WHOLE, 0, np.zeros((0, 0, 0), dtype=np.int64), _REAL.ravel(), _REAL, _REAL
)
"""Looks wait until every outcome is known."""


class Calendar(NamedTuple):
    """Conduct in ticks of 1/1024 day (docs/conduct.md): J pieces of the accrual curve, V visits, S strata."""

    piece_tick: Int64
    """(J,) where each piece of the accrual curve starts."""
    piece_unit: Int64
    """(J,) unit-rate time there, 2**-20."""
    ticks_per_unit: Int64
    """(J,) 256 times the ticks a patient takes."""
    units_per_tick: Int64
    """(J,) 2**36 / ticks a patient."""
    screening: Int64
    """(64,) thresholds of k or more screening failures before a patient, k = 1..64."""
    visit: Int64
    """(V,) ticks after the start of treatment, increasing (all 0 where outcomes are known at once)."""
    seen_by: Int64
    """(V,) thresholds of a response first seen at this visit or before."""
    confirmation: int
    """Visits from first sight of a response to its confirmation: 1, or 0."""
    missed_by: Int64
    """(V,) thresholds of withdrawal before this visit."""
    progressed_by: Int64
    """(2, V) thresholds of progression found at this visit or before, without and with disease control."""
    control_visit: int
    """Index of the visit that decides disease control; V if none."""
    window: int
    """Ticks within which a toxicity counts."""
    early: int
    """Threshold of an onset in the first half of the window."""
    onset_scale: Int64
    """(2,) A and B: ticks in a half per word, times 2**32."""
    interim: int
    """CONTINUE_ACCRUAL, PAUSE or EARLY_DECISION."""
    review_lag: int
    as_it_happens: bool
    """Whether the toxicity rule counts what was seen so far, or waits for complete outcomes."""
    lag: int
    """Ticks from trigger to switch."""
    during_lag: int
    """OLD_DOSE, HOLD or SWITCH."""
    amended_at: Int64
    """(K,) tick at which a level is left whatever was seen; 0 = never."""
    exclude: bool
    """Whether overrun patients are left out of what is reported."""
    after_change: int
    """POOLED, NEW_DOSE_ONLY or RESTART."""
    attained_ge: Int32
    """(planned n + 1,) least responses for a go by number of patients analysed; NEVER where no count suffices."""
    stratum_by: Int64
    """(S,) thresholds of belonging to this stratum or an earlier one."""
    cohort_of: Int32
    """(S,) cohort of each stratum."""
    cohorts: int
    own: bool
    """Whether each cohort has its own looks."""
    max_arrivals: int
    """No patient arrives after so many; the largest number of treated patients unless cohorts have their own rules."""
    max_reductions: int
    """Dose reductions of one patient at most; -1 = no patient-level rule."""
    hold: int
    """Ticks without treatment after toxicity, before the patient goes on at a lower dose."""
    amounts: Int64
    """(K,) dose amounts in whole thousandths, starting dose first."""
    exposure: int
    """Threshold of the exposure weight."""
    apart: bool = False
    """Whether each cohort has a dose and a toxicity boundary of its own: such trials are put together from runs of one
    cohort each (``engine.apart``)."""
    only: int = -1
    """The one cohort whose patients are enrolled, in a trial of its own; -1: all. Its ticks count from the opening of
    accrual, and its column PAUSED holds the arrival of its first patient."""
    weighing: Weighing = WAIT


def threshold(probability: float) -> int:
    """The integer t with P(32-bit word < t) = probability, to 2**-33; 1 gives 2**32, which every word is below."""
    return int(np.floor(probability * 4294967296.0 + 0.5))
