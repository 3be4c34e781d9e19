"""Patients in calendar time, one in each lane: ``patient.treat`` without branches, for patients whose own dose stays.

Loops over lanes are innermost and short, so that the processor does 8 or 16 lanes at once whatever the number of
visits. The rows of ``state`` are parts of one flat array: their distances are known when the loops are compiled, and
no loop has to ask whether what it writes is what it reads. Arithmetic is in 32 bits where the values allow it, and
says so at every step with ``Tick``, since numba widens whatever it is not told to keep.
"""

from __future__ import annotations

import numpy as np

from trialsim.kernels.clock import _LN2, _LOG, ticks_of
from trialsim.kernels.jit import inline, leading_zeros, part, widest_vectors
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
from trialsim.kernels.trial import LANES

MOVED, ROWS = 11, 20
(
    TRIAL,
    BEFORE,
    NEXT,
    RESPONSES,
    TOXIC_N,
    COUNTS,
    SCREENED_N,
    REACH,
    TOXIC_REACH,
    ALARM,
    REOPENED,
    BITS,
    GAP,
    ARRIVAL,
    KNOWN,
    TOXICITY_KNOWN,
    COHORT,
    SCREENED,
    SEEN,
    MISSED,
) = range(0, ROWS * LANES, LANES)
"""Where the rows of ``state`` begin. The first MOVED are what a trial takes along to another lane: its row of ``out``;
patients before this level; the least patient at the level with whom something is due; responses; toxicities at the
level (far below zero once the rule has acted); evaluable, controlled and serious patients, ten bits each; people
screened; tick by which all responses, and all toxicities at the level, are known; tick of the next thing the trial
waits for; tick to which accrual was closed. The others are of the patient just drawn: bits; gap in 2**-20 of unit-rate
time; tick of arrival; ticks from there to the response outcome and to the toxicity outcome; cohort; people screened;
the visits of sight or confirmation and of withdrawal."""

STRATUM = COHORT
"""Strata until the cohorts are known from them."""

ONSET = SEEN
"""Ticks of toxicities when the visits are no longer needed."""

TOXIC_BIT, RESPONSE_BIT, COUNTS_BIT = 0, 1, 2
CONTROLLED_SHIFT, SERIOUS_SHIFT = 10, 20
"""Where a drawn patient has its bits: toxic, response, then evaluable, controlled and serious ten bits apart, so that
sums of them can be read off."""

WORDS = 12
(
    RESPONSE_WORD,
    TOXICITY_WORD,
    EVALUABLE_WORD,
    GAP_WORD,
    ONSET_WORD,
    PROGRESSION_WORD,
    WITHDRAWAL_WORD,
    STRATUM_WORD,
    SERIOUS_WORD,
    STABLE_WORD,
    SCREENING_WORD,
    SIGHT_WORD,
) = range(0, WORDS * LANES, LANES)
"""Where the rows of ``words`` begin."""

_OUTCOME = np.uint64((DOMAIN_TRIAL << 16) | GROUP_OUTCOME)
_COURSE = np.uint64((DOMAIN_TRIAL << 16) | GROUP_COURSE)
_EVENT = np.uint64((DOMAIN_TRIAL << 16) | GROUP_EVENT)
_LOW, _HIGH = np.uint64(0xFFFFFFFF), np.uint64(32)

ALL_GROUPS = 1 << GROUP_OUTCOME | 1 << GROUP_COURSE | 1 << GROUP_EVENT

_CERTAIN = 1 << 32
"""The threshold of what is certain."""

_LOGARITHMS = _LOG[:-1] + (np.diff(_LOG).astype(np.int64) << 32)
"""Logarithms with their differences above them: one look-up instead of two."""

Tick = np.int32
Word = np.uint32


@part
def draw_words(words, state, width, needed, first, m, k0, k1):  # type: ignore[no-untyped-def]
    """Fill ``words`` with the groups of the patient after the first m at the level of every lane."""
    widest_vectors()
    if needed == ALL_GROUPS:  # in one loop, where the groups share their address
        for lane in range(width):
            replicate = np.uint64(first + state[TRIAL + lane])
            low, high = replicate & _LOW, replicate >> _HIGH
            index = np.uint64(state[BEFORE + lane] + m)
            w0, w1, w2, w3 = philox(low, high, index, _OUTCOME, k0, k1)
            words[RESPONSE_WORD + lane], words[TOXICITY_WORD + lane] = w0, w1
            words[EVALUABLE_WORD + lane], words[GAP_WORD + lane] = w2, w3
            w0, w1, w2, w3 = philox(low, high, index, _COURSE, k0, k1)
            words[ONSET_WORD + lane], words[PROGRESSION_WORD + lane] = w0, w1
            words[WITHDRAWAL_WORD + lane], words[STRATUM_WORD + lane] = w2, w3
            w0, w1, w2, w3 = philox(low, high, index, _EVENT, k0, k1)
            words[SERIOUS_WORD + lane], words[STABLE_WORD + lane] = w0, w1
            words[SCREENING_WORD + lane], words[SIGHT_WORD + lane] = w2, w3
        return
    for group in range(GROUP_OUTCOME, GROUP_EVENT + 1):
        if needed >> group & 1:
            for lane in range(width):
                replicate = np.uint64(first + state[TRIAL + lane])
                index = np.uint64(state[BEFORE + lane] + m)
                address = _OUTCOME + np.uint64(group)
                w0, w1, w2, w3 = philox(replicate & _LOW, replicate >> _HIGH, index, address, k0, k1)
                at = 4 * group * LANES + lane
                words[at], words[at + LANES] = w0, w1
                words[at + 2 * LANES], words[at + 3 * LANES] = w2, w3


@part
def needed_groups(calendar, thresholds):  # type: ignore[no-untyped-def]
    """The groups of words on which something hangs, as bits: a trial without toxicities needs no months to them."""
    last, events, courses = calendar.seen_by.shape[0] - 1, False, False
    for level in range(thresholds.shape[0]):
        for s in range(thresholds.shape[1]):
            p = thresholds[level, s]
            events = events or p[SERIOUS] > 0 or p[STABLE] > 0
            courses = courses or p[TOXIC_IF_NOT] > 0 or p[TOXIC_IF_SO] > 0
    events = events or calendar.screening[0] > 0 or (last > 0 and calendar.seen_by[0] < _CERTAIN)
    courses = courses or calendar.missed_by[last] > 0 or last > calendar.confirmation
    courses = courses or calendar.stratum_by.shape[0] > 1
    return 1 << GROUP_OUTCOME | courses << GROUP_COURSE | events << GROUP_EVENT


@inline
def _limit(threshold):  # type: ignore[no-untyped-def]
    """A threshold in 32 bits: the last word below it, and whether there is one."""
    return Word(max(threshold, 1) - 1), threshold > 0


@inline
def _below(word, limit):  # type: ignore[no-untyped-def]
    """Whether a word is below a threshold."""
    return (word <= limit[0]) & limit[1]


@part
def draw_arrivals(calendar, words, state, unit, width):  # type: ignore[no-untyped-def]
    """Gaps before patients, as ``clock.unit_gap``, and the ticks at which they arrive."""
    widest_vectors()
    one, ln2, fraction = Word(1), Tick(_LN2), Word(0x3FFF)
    for lane in range(width):
        v = max(words[GAP_WORD + lane], one)
        zeros = leading_zeros(Word(v))
        f = Word(Word(v << zeros) << one)
        logarithm = _LOGARITHMS[f >> Word(22)]
        between = Tick(Tick(logarithm >> 32) * Tick(Word(f >> Word(8)) & fraction)) >> 14
        e = Tick(Tick(Tick(zeros + one) * ln2) - Tick(logarithm)) - between
        state[GAP + lane] = Tick(Tick(e) + Tick(32)) >> 6
    for lane in range(width):
        unit[lane] += state[GAP + lane]
    if calendar.piece_unit.shape[0] == 1:
        scale = calendar.ticks_per_unit[0]
        for lane in range(width):
            state[ARRIVAL + lane] = max(Tick(unit[lane] * scale >> 28), state[REOPENED + lane])
    else:
        for lane in range(width):
            state[ARRIVAL + lane] = max(ticks_of(calendar, unit[lane]), state[REOPENED + lane])


@part
def draw_strata(calendar, words, state, width):  # type: ignore[no-untyped-def]
    """The stratum of every patient."""
    widest_vectors()
    for lane in range(width):
        state[STRATUM + lane] = 0
    for s in range(calendar.stratum_by.shape[0] - 1):
        limit = _limit(calendar.stratum_by[s])
        for lane in range(width):
            state[STRATUM + lane] += Tick(not _below(words[STRATUM_WORD + lane], limit))


TOXIC, RESPONDER, DETERMINED, STABLE_DISEASE, GRAVE = 1, 2, 4, 8, 16
"""Bits for now."""


@part
def draw_bits(words, state, width, p, s):  # type: ignore[no-untyped-def]
    """What patients are by the thresholds of stratum s and the later ones; p is (S, 8)."""
    widest_vectors()
    responds, if_not, if_so = _limit(p[s, RESPONSE]), _limit(p[s, TOXIC_IF_NOT]), _limit(p[s, TOXIC_IF_SO])
    known_if_not, known_if_so = _limit(p[s, EVALUABLE_IF_NOT]), _limit(p[s, EVALUABLE_IF_SO])
    serious, stable = _limit(p[s, SERIOUS]), _limit(p[s, STABLE])
    for lane in range(width):
        if state[STRATUM + lane] >= s:
            responder = _below(words[RESPONSE_WORD + lane], responds)
            word = words[TOXICITY_WORD + lane]
            toxic = (_below(word, if_so) & responder) | (_below(word, if_not) & (not responder))
            word = words[EVALUABLE_WORD + lane]
            determined = (_below(word, known_if_so) & responder) | (
                _below(word, known_if_not) & (not responder)
            )
            grave = _below(words[SERIOUS_WORD + lane], serious) & toxic
            is_stable = _below(words[STABLE_WORD + lane], stable) & (not responder)
            state[BITS + lane] = (
                (Tick(TOXIC) if toxic else Tick(0))
                | (Tick(RESPONDER) if responder else Tick(0))
                | (Tick(DETERMINED) if determined else Tick(0))
                | (Tick(STABLE_DISEASE) if is_stable else Tick(0))
                | (Tick(GRAVE) if grave else Tick(0))
            )


@part
def draw_visits(calendar, words, state, width):  # type: ignore[no-untyped-def]
    """The visits of sight or confirmation (SEEN), of withdrawal (MISSED) and of progression (KNOWN for now), which is
    only counted up to the last that matters."""
    widest_vectors()
    last = calendar.seen_by.shape[0] - 1
    sights = 1
    while sights < last and calendar.seen_by[sights] < _CERTAIN:
        sights += 1
    for s in range(max(sights, last - calendar.confirmation)):
        without, within = _limit(calendar.progressed_by[0, s]), _limit(calendar.progressed_by[1, s])
        limit = _limit(calendar.seen_by[s] if s < min(sights, last) else _CERTAIN)
        # nothing is kept of what the rows held before the first visit
        keep, seen = Tick(-1 if s > 0 else 0), Tick(0 if s > 0 else calendar.confirmation)
        for lane in range(width):
            word = words[PROGRESSION_WORD + lane]
            control = state[BITS + lane] & Tick(RESPONDER | STABLE_DISEASE) != 0
            found = (_below(word, within) & control) | (_below(word, without) & (not control))
            state[KNOWN + lane] = Tick(state[KNOWN + lane] & keep) + Tick(not found)
            unseen = Tick(not _below(words[SIGHT_WORD + lane], limit))
            state[SEEN + lane] = Tick(Tick(state[SEEN + lane] & keep) + seen) + unseen
    if calendar.missed_by[last] > 0:
        for s in range(last + 1):
            limit, keep = _limit(calendar.missed_by[s]), Tick(-1 if s > 0 else 0)
            for lane in range(width):
                missed = Tick(not _below(words[WITHDRAWAL_WORD + lane], limit))
                state[MISSED + lane] = Tick(state[MISSED + lane] & keep) + missed


@part
def draw_outcomes(calendar, state, width):  # type: ignore[no-untyped-def]
    """Final bits, and ticks from arrival to the response outcome (KNOWN)."""
    widest_vectors()
    visits = calendar.visit.shape[0]
    last_chance = Tick(visits - 1 - calendar.confirmation)
    control_visit = Tick(calendar.control_visit)
    reported = Tick(control_visit < visits)
    earliest, step = Tick(calendar.visit[0]), Tick(calendar.visit[min(1, visits - 1)] - calendar.visit[0])
    for lane in range(width):
        b, seen, missed = state[BITS + lane], state[SEEN + lane], state[MISSED + lane]
        evaluable = Tick(Tick(b >> 2) & Tick(missed > 0))
        response = Tick(Tick(b >> 1) & evaluable) & Tick(missed > seen)
        benefits = Tick(Tick(b >> 1) | Tick(b >> 3)) & Tick(missed > control_visit)
        controlled = Tick(Tick(response | benefits) & evaluable) & reported
        known = missed if b & Tick(RESPONDER) != 0 else min(min(state[KNOWN + lane], missed), last_chance)
        known = seen if response != 0 else known
        known = known if evaluable != 0 else Tick(0)
        state[SEEN + lane] = known
        state[KNOWN + lane] = Tick(earliest + (step if known > Tick(0) else Tick(0)))
        counts = Tick(evaluable | Tick(controlled << CONTROLLED_SHIFT)) | Tick(Tick(b >> 4) << SERIOUS_SHIFT)
        state[BITS + lane] = Tick(Tick(b & Tick(TOXIC)) | Tick(response << RESPONSE_BIT)) | Tick(
            counts << COUNTS_BIT
        )
    for s in range(2, visits):
        step, at = Tick(calendar.visit[s] - calendar.visit[s - 1]), Tick(s)
        for lane in range(width):
            state[KNOWN + lane] += step if state[SEEN + lane] >= at else Tick(0)


@part
def draw_onsets(calendar, words, state, width):  # type: ignore[no-untyped-def]
    """Ticks from arrival to the toxicity outcome, as ``patient.onset_after``."""
    widest_vectors()
    half, limit = calendar.window >> 1, calendar.early
    scale_early, scale_late = calendar.onset_scale[0], calendar.onset_scale[1]
    last_early, last_late = max(half - 1, 0), max(calendar.window - half - 1, 0)
    window = Tick(calendar.window)
    for lane in range(width):
        w = np.int64(words[ONSET_WORD + lane])
        early = w < limit
        ticks = (w if early else w - limit) * (scale_early if early else scale_late) >> 32
        onset = Tick(min(ticks, last_early) if early else min(ticks, last_late) + half)
        state[TOXICITY_KNOWN + lane] = onset if state[BITS + lane] & Tick(TOXIC) != 0 else window


@part
def draw_screened(calendar, words, state, width):  # type: ignore[no-untyped-def]
    """People screened for every patient: one, and the failures before."""
    widest_vectors()
    for lane in range(width):
        state[SCREENED + lane] = 1
    for s in range(calendar.screening.shape[0]):
        limit = _limit(calendar.screening[s])
        for lane in range(width):
            state[SCREENED + lane] += Tick(_below(words[SCREENING_WORD + lane], limit))
