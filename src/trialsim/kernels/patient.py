"""One patient in calendar time: from random words to what happens at which visit (docs/conduct.md, "A patient")."""

from __future__ import annotations

import numpy as np

from trialsim.kernels.jit import inline, part, plain
from trialsim.kernels.streams import (
    DOMAIN_TRIAL,
    GROUP_COURSE,
    GROUP_EVENT,
    GROUP_OUTCOME,
    philox,
)
from trialsim.kernels.tables import (
    EVALUABLE_IF_NOT,
    EVALUABLE_IF_SO,
    RESPONSE,
    SERIOUS,
    STABLE,
    TOXIC,
    TOXIC_IF_NOT,
    TOXIC_IF_SO,
)

(
    STARTED,
    LEVEL,
    STRATUM,
    RESPONDER,
    IS_TOXIC,
    IS_EVALUABLE,
    IS_RESPONSE,
    IS_SERIOUS,
    IS_CONTROLLED,
    KNOWN,
    ONSET,
    TOXICITY_KNOWN,
    FIRST_SIGHT,
    ENDED,
    REDUCTIONS,
    OFF,
    RELATIVE_INTENSITY,
    REPORTED,
    SIGHTED,
    FIELDS,
) = range(20)
"""Fields of a patient, as ``conduct_columns.PATIENT_FIELDS`` names them."""

FULL_INTENSITY = 1 << 16
_LOW, _HIGH = np.uint64(0xFFFFFFFF), np.uint64(32)


@inline
def words_of(replicate, index, course, group, k0, k1):  # type: ignore[no-untyped-def]
    """The four words of an arrival (0 = the first), treatment course and group of purposes."""
    r = np.uint64(replicate)
    return philox(
        r & _LOW,
        (r >> _HIGH) | (np.uint64(course) << np.uint64(16)),
        np.uint64(index),
        np.uint64((DOMAIN_TRIAL << 16) | group),
        k0,
        k1,
    )


@inline
def first_below(word, thresholds):  # type: ignore[no-untyped-def]
    """Index of the first threshold that the word is below; their number if none."""
    v = 0
    while v < thresholds.shape[0] and np.int64(word) >= thresholds[v]:
        v += 1
    return v


@inline
def onset_after(calendar, word):  # type: ignore[no-untyped-def]
    """Ticks from the start of a course to the onset of its toxicity."""
    w = np.int64(word)
    half = calendar.window >> 1
    if w < calendar.early:
        return max(min(w * calendar.onset_scale[0] >> 32, half - 1), 0)
    late = (w - calendar.early) * calendar.onset_scale[1] >> 32
    return half + max(min(late, calendar.window - half - 1), 0)


@part
def stratum_of(calendar, replicate, index, k0, k1):  # type: ignore[no-untyped-def]
    """The stratum of an arrival."""
    _, _, _, w3 = words_of(replicate, index, 0, GROUP_COURSE, k0, k1)
    return min(first_below(w3, calendar.stratum_by), calendar.stratum_by.shape[0] - 1)


@part
def screened_for(calendar, replicate, index, k0, k1):  # type: ignore[no-untyped-def]
    """People screened up to and including an arrival since the one before: 1 and its screening failures."""
    if calendar.screening[0] == 0:
        return 1
    _, _, w2, _ = words_of(replicate, index, 0, GROUP_EVENT, k0, k1)
    failures = 0
    while failures < calendar.screening.shape[0] and np.int64(w2) < calendar.screening[failures]:
        failures += 1
    return 1 + failures


@part
def treat(calendar, thresholds, patient, row, replicate, index, k0, k1):  # type: ignore[no-untyped-def]
    """Fill in what becomes of a patient whose STARTED and LEVEL are set.

    ``thresholds`` (K, R, 8): those of the patient are ``thresholds[level, row]``.
    """
    start, level = patient[STARTED], patient[LEVEL]
    p = thresholds[level, row]
    visits = calendar.visit.shape[0]
    responds, toxicity, determined, _ = words_of(replicate, index, 0, GROUP_OUTCOME, k0, k1)
    onset_word, progresses, withdraws, _ = words_of(replicate, index, 0, GROUP_COURSE, k0, k1)
    grave, is_stable, _, sight = words_of(replicate, index, 0, GROUP_EVENT, k0, k1)

    responder = np.int64(responds) < p[RESPONSE]
    toxic = np.int64(toxicity) < (p[TOXIC_IF_SO] if responder else p[TOXIC_IF_NOT])
    evaluable = np.int64(determined) < (p[EVALUABLE_IF_SO] if responder else p[EVALUABLE_IF_NOT])
    stable = not responder and np.int64(is_stable) < p[STABLE]
    seen = min(first_below(sight, calendar.seen_by), visits - 1)
    confirmed = seen + calendar.confirmation
    last_chance = visits - 1 - calendar.confirmation
    missed = first_below(withdraws, calendar.missed_by)
    found = first_below(progresses, calendar.progressed_by[1 if responder or stable else 0])
    if responder:
        found = max(found, confirmed + 1)
    until = calendar.visit[min(min(found, missed), visits - 1)]  # on treatment at most so long

    onset = onset_after(calendar, onset_word) if toxic else np.int64(-1)
    patient[ENDED] = start + until
    patient[REDUCTIONS] = 0
    patient[OFF] = 0
    patient[RELATIVE_INTENSITY] = FULL_INTENSITY
    lost = False
    if calendar.max_reductions >= 0 and toxic:
        before_sight = _follow_courses(
            calendar, thresholds, patient, row, replicate, index, until, onset, calendar.visit[seen], k0, k1
        )
        if responder and before_sight < FULL_INTENSITY:
            exposed, _, _, _ = words_of(replicate, index, 1, GROUP_OUTCOME, k0, k1)
            lost = np.int64(exposed) >= 4294967296 - (
                calendar.exposure * (FULL_INTENSITY - before_sight) >> 16
            )

    evaluable = evaluable and missed > 0
    response = responder and not lost and evaluable and missed > confirmed
    if not evaluable:
        known = 0
    elif response:
        known = confirmed
    elif lost:
        known = min(missed, last_chance)
    elif responder:
        known = missed
    else:
        known = min(min(found, missed), last_chance)
    controlled = evaluable and (
        response or (((responder and not lost) or stable) and missed > calendar.control_visit)
    )
    patient[RESPONDER] = responder and not lost
    patient[IS_TOXIC] = toxic
    patient[IS_EVALUABLE] = evaluable
    patient[IS_RESPONSE] = response
    patient[IS_SERIOUS] = toxic and np.int64(grave) < p[SERIOUS]
    patient[IS_CONTROLLED] = controlled and calendar.control_visit < visits
    patient[KNOWN] = start + calendar.visit[known]
    patient[ONSET] = start + onset if toxic else -1
    patient[TOXICITY_KNOWN] = start + (onset if toxic else calendar.window)
    patient[FIRST_SIGHT] = start + calendar.visit[seen] if response else -1
    patient[SIGHTED] = (
        start + calendar.visit[seen] if patient[RESPONDER] and evaluable and missed > seen else -1
    )


@plain
def _follow_courses(  # type: ignore[no-untyped-def]
    calendar, thresholds, patient, row, replicate, index, until, onset, sight, k0, k1
):
    """Hold, go on one level lower, or go off treatment at each toxicity; the intensity up to ``sight`` or the end of
    treatment by visit, if that is earlier."""
    level = patient[LEVEL]
    last = calendar.amounts.shape[0] - 1
    planned = calendar.amounts[level]
    begin, course, received, received_to_sight = np.int64(0), 0, np.int64(0), np.int64(0)
    sight = min(sight, until)
    ended = until
    while True:
        toxic_in_time = 0 <= onset <= until - begin
        stop = begin + onset if toxic_in_time else until
        received += calendar.amounts[level] * (stop - begin)
        received_to_sight += calendar.amounts[level] * max(min(stop, sight) - begin, 0)
        if not toxic_in_time:
            break
        if course == calendar.max_reductions or level == last:
            patient[OFF] = 1
            ended = stop
            break
        if stop + calendar.hold > until:
            break
        course += 1
        level += 1
        begin = stop + calendar.hold
        patient[REDUCTIONS] = course
        _, toxicity, _, _ = words_of(replicate, index, course, GROUP_OUTCOME, k0, k1)
        onset_word, _, _, _ = words_of(replicate, index, course, GROUP_COURSE, k0, k1)
        toxic = np.int64(toxicity) < thresholds[level, row, TOXIC]
        onset = onset_after(calendar, onset_word) if toxic else np.int64(-1)
    patient[ENDED] = patient[STARTED] + ended
    if until > 0:
        patient[RELATIVE_INTENSITY] = received * FULL_INTENSITY // (planned * until)
    return received_to_sight * FULL_INTENSITY // (planned * sight) if sight > 0 else np.int64(FULL_INTENSITY)
