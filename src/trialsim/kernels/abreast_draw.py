"""Patients in calendar time, one in each lane: ``patient.treat`` without branches, for patients whose own dose stays.

Loops over lanes are innermost and short, each over a few rows of one array, so that the processor does 8 or 16 lanes
at once whatever the number of visits.
"""

from __future__ import annotations

import numpy as np

from trialsim.kernels.clock import _LN2, _LOG
from trialsim.kernels.jit import inline, kernel, leading_zeros
from trialsim.kernels.streams import DOMAIN_TRIAL, GROUP_COURSE, GROUP_EVENT, GROUP_OUTCOME, philox
from trialsim.kernels.tables import (
    EVALUABLE_IF_NOT,
    EVALUABLE_IF_SO,
    RESPONSE,
    SERIOUS,
    STABLE,
    TOXIC_IF_NOT,
    TOXIC_IF_SO,
)

TOXIC_BIT, RESPONSE_BIT, COUNTS_BIT = 0, 1, 2
CONTROLLED_SHIFT, SERIOUS_SHIFT = 10, 20
"""Where a drawn patient has its bits: toxic, response, then evaluable, controlled and serious ten bits apart, so that
sums of them can be read off."""

WORDS = 12
BITS, GAP, KNOWN, TOXICITY_KNOWN, COHORT, SCREENED, SCRATCH, SCRATCH_2, DRAWN = range(9)
"""What is drawn for a lane: bits; gap in 2**-20 of unit-rate time; ticks from arrival to the response outcome and to the
toxicity outcome; cohort; people screened."""

_OUTCOME = np.uint64((DOMAIN_TRIAL << 16) | GROUP_OUTCOME)
_COURSE = np.uint64((DOMAIN_TRIAL << 16) | GROUP_COURSE)
_EVENT = np.uint64((DOMAIN_TRIAL << 16) | GROUP_EVENT)
_LOW, _HIGH = np.uint64(0xFFFFFFFF), np.uint64(32)


@inline
def _reaches(word, threshold):  # type: ignore[no-untyped-def]
    """1 if a word is not below a threshold."""
    return np.int32(np.int64(word) >= threshold)


@kernel
def draw_words(words, width, trial, before, first, m, k0, k1):  # type: ignore[no-untyped-def]
    """Fill ``words`` (12, lanes) with the groups of the patient after ``before + m`` of every lane."""
    for lane in range(width):
        replicate = np.uint64(first + trial[lane])
        low, high = replicate & _LOW, replicate >> _HIGH
        index = np.uint64(before[lane] + m)
        w0, w1, w2, w3 = philox(low, high, index, _OUTCOME, k0, k1)
        words[0, lane], words[1, lane], words[2, lane], words[3, lane] = w0, w1, w2, w3
        w0, w1, w2, w3 = philox(low, high, index, _COURSE, k0, k1)
        words[4, lane], words[5, lane], words[6, lane], words[7, lane] = w0, w1, w2, w3
        w0, w1, w2, w3 = philox(low, high, index, _EVENT, k0, k1)
        words[8, lane], words[9, lane], words[10, lane], words[11, lane] = w0, w1, w2, w3


@kernel
def draw_gaps(word, gap, width):  # type: ignore[no-untyped-def]
    """The gaps before patients, as ``clock.unit_gap``."""
    for lane in range(width):
        v = np.uint64(max(word[lane], np.uint32(1)))
        zeros = np.int64(leading_zeros(v)) - 32
        f = np.int64((v << np.uint64(zeros + 1)) & _LOW)
        i = f >> 22
        low = np.int64(_LOG[i])
        e = (zeros + 1) * _LN2 - low - ((np.int64(_LOG[i + 1]) - low) * ((f >> 8) & 0x3FFF) >> 14)
        gap[lane] = (e + 32) >> 6


@kernel
def draw(calendar, p, varied, words, drawn, width):  # type: ignore[no-untyped-def]
    """Fill ``drawn`` (DRAWN, lanes) from ``words``; ``p`` is (S, 8), the thresholds of the level, and ``varied`` tells
    whether they differ between strata."""
    visits = calendar.visit.shape[0]
    last_chance = visits - 1 - calendar.confirmation
    bits, known, toxicity_known = drawn[BITS], drawn[KNOWN], drawn[TOXICITY_KNOWN]
    seen, missed, screened = drawn[SCRATCH], drawn[SCRATCH_2], drawn[SCREENED]
    draw_gaps(words[3], drawn[GAP], width)

    stratum = drawn[SCRATCH]
    for lane in range(width):
        stratum[lane] = 0
    for s in range(calendar.stratum_by.shape[0] - 1):
        limit = calendar.stratum_by[s]
        for lane in range(width):
            stratum[lane] += _reaches(words[7, lane], limit)
    if calendar.cohorts > 1:
        for lane in range(width):
            drawn[COHORT, lane] = calendar.cohort_of[stratum[lane]]

    # bits for now: toxic, responder, determined, stable, serious in turn
    if varied:
        for lane in range(width):
            q = p[stratum[lane]]
            responder = np.int64(words[0, lane]) < q[RESPONSE]
            toxic = np.int64(words[1, lane]) < (q[TOXIC_IF_SO] if responder else q[TOXIC_IF_NOT])
            determined = np.int64(words[2, lane]) < (q[EVALUABLE_IF_SO] if responder else q[EVALUABLE_IF_NOT])
            serious = toxic & (np.int64(words[8, lane]) < q[SERIOUS])
            stable = (not responder) & (np.int64(words[9, lane]) < q[STABLE])
            bits[lane] = toxic + 2 * responder + 4 * determined + 8 * stable + 16 * serious
    else:
        q0, q1, q2 = p[0, RESPONSE], p[0, TOXIC_IF_NOT], p[0, TOXIC_IF_SO]
        q3, q4, q5, q6 = p[0, EVALUABLE_IF_NOT], p[0, EVALUABLE_IF_SO], p[0, SERIOUS], p[0, STABLE]
        for lane in range(width):
            responder = np.int64(words[0, lane]) < q0
            toxic = np.int64(words[1, lane]) < (q2 if responder else q1)
            determined = np.int64(words[2, lane]) < (q4 if responder else q3)
            serious = toxic & (np.int64(words[8, lane]) < q5)
            stable = (not responder) & (np.int64(words[9, lane]) < q6)
            bits[lane] = toxic + 2 * responder + 4 * determined + 8 * stable + 16 * serious

    # the visit at which progression is found, in `known` for now
    for lane in range(width):
        known[lane] = 0
    for s in range(visits):
        without, within = calendar.progressed_by[0, s], calendar.progressed_by[1, s]
        for lane in range(width):
            known[lane] += _reaches(words[5, lane], within if bits[lane] & 10 else without)
    for lane in range(width):
        seen[lane] = calendar.confirmation
        missed[lane] = visits
    for s in range(visits - 1):
        limit = calendar.seen_by[s]
        for lane in range(width):
            seen[lane] += _reaches(words[11, lane], limit)
    if calendar.missed_by[visits - 1] > 0:
        for lane in range(width):
            missed[lane] = 0
        for s in range(visits):
            limit = calendar.missed_by[s]
            for lane in range(width):
                missed[lane] += _reaches(words[6, lane], limit)

    control_visit = calendar.control_visit
    reported = np.int32(control_visit < visits)
    for lane in range(width):
        b = bits[lane]
        evaluable = (b >> 2) & (missed[lane] > 0)
        response = (b >> 1) & evaluable & (missed[lane] > seen[lane])
        controlled = (
            evaluable & (response | (((b >> 1) | (b >> 3)) & (missed[lane] > control_visit))) & reported
        )
        visit = missed[lane] if b & 2 else min(min(known[lane], missed[lane]), last_chance)
        visit = seen[lane] if response else visit
        known[lane] = visit * evaluable
        bits[lane] = (
            (b & 1)
            | response << RESPONSE_BIT
            | (evaluable | controlled << CONTROLLED_SHIFT | (b >> 4) << SERIOUS_SHIFT) << COUNTS_BIT
        )
    # visits become ticks, from the last visit down
    for lane in range(width):
        seen[lane] = calendar.visit[0]
    for s in range(1, visits):
        step = calendar.visit[s] - calendar.visit[s - 1]
        for lane in range(width):
            seen[lane] += step * (known[lane] >= s)
    for lane in range(width):
        known[lane] = seen[lane]

    # the onset, as patient.onset_after
    half = calendar.window >> 1
    late, window, limit = calendar.window - half, calendar.window, calendar.early
    scale_early, scale_late = calendar.onset_scale[0], calendar.onset_scale[1]
    for lane in range(width):
        w = np.int64(words[4, lane])
        early = w < limit
        ticks = (w - (0 if early else limit)) * (scale_early if early else scale_late) >> 32
        onset = max(min(ticks, (half if early else late) - 1), 0) + (0 if early else half)
        toxicity_known[lane] = onset if bits[lane] & 1 else window

    for lane in range(width):
        screened[lane] = 1
    if calendar.screening[0] > 0:
        for s in range(calendar.screening.shape[0]):
            limit = calendar.screening[s]
            for lane in range(width):
                screened[lane] += 1 - _reaches(words[10, lane], limit)
