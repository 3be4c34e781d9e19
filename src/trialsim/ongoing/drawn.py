"""The patients so far as the kernel takes them: what is known is fixed, what is pending drawn until it agrees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from trialsim.codes import TICKS_PER_DAY
from trialsim.errors import DesignError
from trialsim.kernels import patient as field
from trialsim.kernels.jit import kernel
from trialsim.kernels.patient import first_below, treat, words_of
from trialsim.kernels.streams import GROUP_EVENT, philox
from trialsim.kernels.tables import TOXIC_IF_NOT, TOXIC_IF_SO, Calendar, Int64
from trialsim.ongoing.seen import Seen

DOMAIN_FORECAST = 2
"""Domain of the words that draw the rates of a replicate; those of patients are the trial's own."""

ATTEMPTS = 200_000
"""Draws of a patient after which what is known of her is taken to be impossible under the truth."""

(
    ENROLLED,
    LEVEL,
    RESPONDED,
    RESPONSE_KNOWN,
    INEVALUABLE,
    UNCONFIRMED,
    TOXIC,
    TOXICITY_KNOWN,
    RESPONSE_OVERDUE,
    TOXICITY_OVERDUE,
    FIRST_SEEN,
    KNOWN_FIELDS,
) = range(12)
"""What is known of a patient as whole numbers: ticks since the first patient's day; -1: not known."""


def known_of(patients: Sequence[Seen], visits: Int64, origin: date | None = None) -> Int64:
    """(G, KNOWN_FIELDS) what is known of each patient; an unconfirmed response by the index of its visit.

    Ticks run from ``origin``, the day of the first patient unless stated.
    """
    first = origin or patients[0].enrolled

    def tick(day: date | None) -> int:
        return -1 if day is None else (day - first).days * TICKS_PER_DAY

    rows = []
    for s in patients:
        visit = -1
        if s.unconfirmed is not None:
            visit = int(np.argmin(np.abs(visits - (s.unconfirmed - s.enrolled).days * TICKS_PER_DAY)))
        known = s.inevaluable or s.responded is not None
        rows.append(
            [
                tick(s.enrolled),
                s.level,
                int(bool(s.responded)) if known else -1,
                tick(s.response_known) if known else -1,
                int(s.inevaluable),
                visit,
                -1 if s.toxic is None else int(s.toxic),
                tick(s.toxicity_known) if s.toxic is not None else -1,
                int(s.response_overdue),
                int(s.toxicity_overdue),
                tick(s.sighted),
            ]
        )
    return np.array(rows, dtype=np.int64).reshape(len(rows), KNOWN_FIELDS)


@kernel
def draw_given(calendar, thresholds, k0, k1, replicate, known, today, most, attempts, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (G, FIELDS) with patients who agree with what is known of them at the end of ``today``.

    Attempt t of patient i has the words of arrival i + t ``most``, which no arrival of the trial has. Returns -1,
    or the index of a patient with whom no attempt agreed.
    """
    later = today + TICKS_PER_DAY
    for i in range(known.shape[0]):
        row, patient = known[i], out[i]
        level = row[LEVEL]
        patient[field.STARTED], patient[field.LEVEL], patient[field.STRATUM] = row[ENROLLED], level, 0
        p = thresholds[level, thresholds.shape[1] - 1]
        tied = p[TOXIC_IF_NOT] != p[TOXIC_IF_SO]
        done = row[RESPONDED] >= 0 and row[TOXIC] >= 0
        agreed = False
        for attempt in range(attempts):
            index = i + attempt * most
            treat(calendar, thresholds, patient, thresholds.shape[1] - 1, replicate, index, k0, k1)
            if done:
                agreed = True
                break
            fits = True
            if row[RESPONDED] >= 0:
                fits = not tied or patient[field.RESPONDER] == row[RESPONDED]
            elif row[UNCONFIRMED] >= 0:
                _, _, _, sight = words_of(replicate, index, 0, GROUP_EVENT, k0, k1)
                seen = first_below(sight, calendar.seen_by)
                # a withdrawal before the first sight would have left nothing to see
                fits = patient[field.RESPONDER] > 0 and seen == row[UNCONFIRMED]
                fits = fits and patient[field.KNOWN] > row[ENROLLED] + calendar.visit[seen]
            elif not row[RESPONSE_OVERDUE]:
                fits = patient[field.KNOWN] >= later
                if fits and patient[field.RESPONDER] > 0:
                    _, _, _, sight = words_of(replicate, index, 0, GROUP_EVENT, k0, k1)
                    fits = row[ENROLLED] + calendar.visit[first_below(sight, calendar.seen_by)] >= later
            if row[TOXIC] >= 0:
                fits = fits and (not tied or patient[field.IS_TOXIC] == row[TOXIC])
            elif not row[TOXICITY_OVERDUE] and patient[field.IS_TOXIC]:
                fits = fits and patient[field.ONSET] >= later
            if fits:
                agreed = True
                break
        if not agreed:
            return i
        if row[RESPONDED] >= 0:
            patient[field.IS_RESPONSE] = patient[field.RESPONDER] = row[RESPONDED]
            patient[field.IS_EVALUABLE] = 1 - row[INEVALUABLE]
            patient[field.KNOWN] = row[RESPONSE_KNOWN]
            patient[field.SIGHTED] = row[FIRST_SEEN]
        else:
            # what should be known by now is known tomorrow at the earliest
            patient[field.KNOWN] = max(patient[field.KNOWN], later)
            if row[FIRST_SEEN] >= 0:
                patient[field.SIGHTED] = row[FIRST_SEEN]
        if row[TOXIC] >= 0:
            patient[field.IS_TOXIC] = row[TOXIC]
            patient[field.ONSET] = row[TOXICITY_KNOWN] if row[TOXIC] else -1
            patient[field.TOXICITY_KNOWN] = row[TOXICITY_KNOWN]
        else:
            if patient[field.IS_TOXIC]:
                patient[field.ONSET] = max(patient[field.ONSET], later)
            patient[field.TOXICITY_KNOWN] = max(patient[field.TOXICITY_KNOWN], later)
    return -1


@kernel
def _rate_words(k0, k1, replicate):  # type: ignore[no-untyped-def]
    first, second, _, _ = philox(
        np.uint64(replicate), np.uint64(0), np.uint64(0), np.uint64(DOMAIN_FORECAST << 16), k0, k1
    )
    return np.int64(first), np.int64(second)


def words_of_rates(k0: np.uint64, k1: np.uint64, replicate: int) -> tuple[int, int]:
    """The 32-bit words that draw a replicate's rate of accrual and of response."""
    first, second = _rate_words(k0, k1, replicate)
    return int(first), int(second)


def drawn(
    calendar: Calendar,
    thresholds: Int64,
    key: tuple[np.uint64, np.uint64],
    replicate: int,
    known: Int64,
    today: int,
) -> Int64:
    """(G, FIELDS) the patients so far in one replicate.

    Raises:
        DesignError: what is known of a patient cannot happen under the truth and the conduct.
    """
    out = np.zeros((len(known), field.FIELDS), dtype=np.int64)
    failed = draw_given(
        calendar, thresholds, *key, replicate, known, today, calendar.max_arrivals, ATTEMPTS, out
    )
    if failed >= 0:
        raise DesignError(
            f"patient {failed + 1} in order of enrolment: what is known of her does not happen under the truth and "
            f"the conduct of the scenario ({ATTEMPTS:,} draws)"
        )
    return out
