"""Patients of the NumPy yardstick, one in each of many trials: events as bytes, times as ticks in 32 bits."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from trialsim.kernels.tables import (
    EVALUABLE_IF_NOT,
    EVALUABLE_IF_SO,
    RESPONSE,
    SERIOUS,
    STABLE,
    TOXIC_IF_NOT,
    TOXIC_IF_SO,
    Calendar,
    Int64,
)

Words = NDArray[np.uint32]
Ticks = NDArray[np.int32]
Flags = NDArray[np.bool_]

FAR = 1 << 30
"""A tick that no trial reaches."""

RESPONSE_EVENT, EVALUABLE_EVENT, TOXIC_EVENT, CONTROLLED_EVENT, SERIOUS_EVENT = range(5)
"""Events of a patient in the order in which they are drawn and counted."""


class Drawing:
    """Draws patients, a 32-bit word a variable; ``events`` is how many events a patient has."""

    def __init__(self, calendar: Calendar, thresholds: Int64, bits: np.random.PCG64, most: int) -> None:
        self.calendar, self.bits = calendar, bits
        self.limits, self.progressed_by = _as_words(thresholds), _as_words(calendar.progressed_by)
        self.seen_by, self.stratum_by = _as_words(calendar.seen_by), _as_words(calendar.stratum_by)
        self.ticks_per_patient = int(calendar.ticks_per_unit[0]) / 256
        self.onset_lines = _onset_lines(calendar)
        self.scratch = np.empty((2, most), dtype=np.float32)
        self.events = 5 + 3 * (calendar.cohorts - 1)

    def _words(self, n: int) -> Words:
        return self.bits.random_raw((n + 1) // 2).view(np.uint32)[:n]

    def gaps(self, n: int) -> Ticks:
        """Exponential gaps in ticks, to the nearest."""
        words = self._words(n)
        words |= np.uint32(1)
        gaps = self.scratch[0, :n]
        np.copyto(gaps, words, casting="unsafe")
        np.log(gaps, out=gaps)
        gaps *= np.float32(-self.ticks_per_patient)
        gaps += np.float32(32 * math.log(2) * self.ticks_per_patient + 0.5)
        return gaps.astype(np.int32)

    def patients(self, arrival: Ticks, level: int) -> tuple[list[Flags], Ticks, Ticks]:
        """Events of the patients who arrive: response, evaluable, toxic, controlled, serious; then of each cohort from
        1 on, belongs to it, evaluable there, response there. When their response and toxicity outcomes are known."""
        calendar, n = self.calendar, len(arrival)
        p = self.limits[level].T
        among = self._strata(n) if len(self.stratum_by) > 1 else []
        response = _below(self._words(n), p[RESPONSE], among)
        toxic = _given(response, self._words(n), p[TOXIC_IF_NOT], p[TOXIC_IF_SO], among)
        evaluable = _given(response, self._words(n), p[EVALUABLE_IF_NOT], p[EVALUABLE_IF_SO], among)
        serious = _below(self._words(n), p[SERIOUS], among)
        serious &= toxic
        controlled = _below(self._words(n), p[STABLE], among)
        controlled |= response  # a responder or stable
        controlled &= evaluable
        response &= evaluable
        known = self._known(arrival, response, controlled, evaluable)
        toxicity_known = self._toxicity_known(arrival, toxic)
        if calendar.control_visit >= len(calendar.visit):
            controlled[:] = False
        events = [response, evaluable, toxic, controlled, serious]
        for c in range(1, calendar.cohorts):
            parts = [flags for flags, cohort in zip(among, calendar.cohort_of, strict=True) if cohort == c]
            here = np.logical_or.reduce(parts) if len(parts) > 1 else parts[0]
            events += [here, here & evaluable, here & response]
        return events, known, toxicity_known

    def _strata(self, n: int) -> list[Flags]:
        """Who is in each stratum."""
        words = self._words(n)
        reached = [np.ones(n, dtype=np.bool_), *(words >= limit for limit in self.stratum_by[:-1])]
        return [a & ~b for a, b in zip(reached, reached[1:], strict=False)] + reached[-1:]

    def _known(self, arrival: Ticks, response: Flags, control: Flags, evaluable: Flags) -> Ticks:
        """When the response outcome is known: one visit more for every reason to wait on."""
        visit, confirmation = self.calendar.visit, self.calendar.confirmation
        progression, sight = self._words(len(arrival)), self._words(len(arrival))
        known: Ticks = arrival + np.int32(visit[0])
        for v in range(1, len(visit)):
            waits = response
            if v > confirmation:
                waits = response & (sight >= self.seen_by[v - confirmation - 1])
            if v < len(visit) - confirmation:
                not_found = progression >= self.progressed_by[0, v - 1]
                not_found ^= (not_found ^ (progression >= self.progressed_by[1, v - 1])) & control
                waits = waits | (not_found & evaluable & ~response)
            known += np.multiply(waits, np.int32(visit[v] - visit[v - 1]), dtype=np.int32)
        return known

    def _toxicity_known(self, arrival: Ticks, toxic: Flags) -> Ticks:
        """When the toxicity outcome is known: at the onset, or at the end of the window."""
        at, other = self.scratch[:, : len(toxic)]
        np.copyto(at, self._words(len(toxic)).view(np.int32), casting="unsafe")
        (slope, intercept), *second = self.onset_lines
        if second:
            np.multiply(at, second[0][0], out=other)
            other += second[0][1]
        at *= slope
        at += intercept
        if second:
            (np.maximum if second[0][0] > slope else np.minimum)(at, other, out=at)
        at *= toxic  # below zero: before the end of the window
        found: Ticks = at.astype(np.int32)
        found += np.int32(self.calendar.window)
        found += arrival
        return found


def _as_words(thresholds: Int64) -> Words:
    """Thresholds as words; a probability of 1 falls short by 2**-32."""
    return np.minimum(thresholds, 2**32 - 1).astype(np.uint32)


def _onset_lines(calendar: Calendar) -> list[tuple[np.float32, np.float32]]:
    """Slope and intercept that turn a word, read as signed, into ticks from the end of the window to an onset.

    Truncated towards zero they are whole ticks from -window to -1. One line for each half of the window; a single one
    where they are the same.
    """
    window, half, early = calendar.window, calendar.window >> 1, calendar.early
    slopes = (half / early, (window - half) / (2**32 - early))
    lines = []
    for slope, word, tick in zip(slopes, (0, early), (0, half), strict=True):
        # words from -2**31 on, one tick further from zero, and clear of both ends of the window
        flat = slope * (1 - 0.02 / window)
        lines.append((np.float32(flat), np.float32(tick + flat * (2**31 - word) - window - 1 + 0.01)))
    return lines[:1] if slopes[0] == slopes[1] else lines


def _below(words: Words, limits: Words, among: list[Flags]) -> Flags:
    """Events whose threshold may depend on the stratum, without a branch or a copy of thresholds."""
    happens: Flags = words < limits[0]
    for limit, here in zip(limits[1:], among[1:], strict=True):
        if limit != limits[0]:
            happens ^= (happens ^ (words < limit)) & here
    return happens


def _given(response: Flags, words: Words, if_not: Words, if_so: Words, among: list[Flags]) -> Flags:
    """Events whose threshold depends on response."""
    happens = _below(words, if_not, among)
    if (if_not != if_so).any():
        happens ^= (happens ^ _below(words, if_so, among)) & response
    return happens
