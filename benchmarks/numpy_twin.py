"""The yardstick: the trial of the Monte Carlo kernel, simulated as well as NumPy allows.

A loop over patients, arrays over the trials that still run. It draws what the kernel draws (response, toxicity
and evaluability of every patient, each from a 32-bit word of its own, against the same integer thresholds) and
fills the same columns: the two differ in nothing but the generator and the speed.

What makes it quick: PCG64's raw 64-bit words taken as two 32-bit ones (``Generator.integers`` and ``random`` cost
about twice as much a word, Philox twice as much again); thresholds beside each trial that change only when its
dose does; counts in one byte; one table look-up a patient for the boundary; ended trials only marked, and swept
out once they are one in eight.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trialsim.codes import (
    CONTINUE,
    FINAL_CONSIDER,
    FINAL_GO,
    FINAL_NO_GO,
    FUTILE,
    FUTILITY,
    GO,
    GO_EARLY,
    NEVER,
    STOP,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.designs.rules import Rules
from trialsim.kernels.trial import END, EVALUABLE, LEVELS, REDUCED_AFTER, TRIGGERED, N, columns
from trialsim.scenario.truth import Rates

BLOCK = 65536
"""Trials simulated at once: 32,768 to 131,072 are equally quick, smaller blocks pay for NumPy's calls."""

SWEEP = 8
"""Ended trials are swept out when they are one in so many."""


def simulate(rules: Rules, rates: Rates, seed: int, replicates: int) -> NDArray[np.int32]:
    """(replicates, columns) as ``trialsim.kernels.trial.simulate`` fills them, from other random numbers."""
    bits = np.random.PCG64(seed)
    out = np.zeros((columns(rules.levels), replicates), dtype=np.int32)
    for first in range(0, replicates, BLOCK):
        _block(rules, rates, bits, out[:, first : first + BLOCK])
    return out.T


def _block(rules: Rules, rates: Rates, bits: np.random.PCG64, out: NDArray[np.int32]) -> None:
    """Fill ``out`` (columns, replicates)."""
    if rules.replaced:
        raise ValueError("the yardstick does not replace inevaluable patients")
    looks, monitor, most = rules.looks, rules.monitor, rules.max_treated
    count: Any = np.int8 if most < 127 else np.int16
    # an event happens when its word is below the threshold; a probability of 1 falls short by 2**-32
    thresholds = np.minimum(rates.thresholds(), 2**32 - 1).astype(np.uint32)
    # cut-offs of all levels in a row; a boundary that is only watched has no consequence
    bounds = np.where(np.array(monitor.action)[:, None] == CONTINUE, NEVER, np.array(monitor.act_ge))
    monitored = bool((bounds[:, 1:] <= np.arange(1, most + 1)).any())
    bounds = np.minimum(bounds, np.iinfo(count).max).astype(count).ravel()
    amended = any(monitor.at_enrolled)
    look_of = {n: k for k, n in enumerate(looks.n)}
    next_of = [np.array(row) for row in looks.next]

    size = out.shape[1]
    rows = np.arange(size)
    level, look = np.zeros(size, dtype=np.int8), np.zeros(size, dtype=np.int8)  # look -1: the trial has ended
    toxic_n, response_n, evaluable_n, response_above = np.zeros((4, size), dtype=count)
    bound = np.zeros(size, dtype=np.intp)  # where the cut-off of the next count is
    since = np.zeros(size, dtype=count)  # last patient at the level above
    limits = np.repeat(thresholds[0][:, None], size if rules.levels > 1 else 1, axis=1)
    ended = 0

    def write_level(which: NDArray[np.intp], i: int) -> None:
        for d in range(rules.levels):
            here = which[level[which] == d] if rules.levels > 1 else which
            to, own = rows[here], out[LEVELS + 3 * d :]
            own[0, to] = i - since[here]
            own[1, to] = response_n[here] - response_above[here]
            own[2, to] = toxic_n[here]

    def lower(which: NDArray[np.intp], i: int) -> None:
        write_level(which, i)
        out[TRIGGERED, rows[which]] = 1
        out[REDUCED_AFTER, rows[which[level[which] == 0]]] = i
        level[which] += 1
        since[which], response_above[which], toxic_n[which] = i, response_n[which], 0
        bound[which] = (most + 1) * level[which].astype(np.intp)
        for field, of_level in zip(limits, thresholds.T, strict=True):
            field[which] = of_level[level[which]]

    def finish(which: NDArray[np.intp], i: int, end: NDArray[np.intp]) -> None:
        nonlocal ended
        write_level(which, i)
        to = rows[which]
        out[END, to], out[N, to], out[EVALUABLE, to] = end, i, evaluable_n[which]
        if rules.levels > 1:
            out[REDUCED_AFTER, to] %= i  # a reduction after the last patient reaches nobody
        look[which], toxic_n[which] = -1, np.iinfo(count).min
        ended += len(which)

    for i in range(1, most + 1):
        n = len(rows)
        words = bits.random_raw((3 * n + 1) // 2).view(np.uint32)
        response = words[:n] < limits[0]
        toxic = _given(response, words[n : 2 * n], limits[1], limits[2])
        evaluable = _given(response, words[2 * n : 3 * n], limits[3], limits[4])
        response &= evaluable
        response_n += response.view(np.int8)
        evaluable_n += evaluable.view(np.int8)
        toxic_n += toxic.view(np.int8)
        bound += 1

        k = look_of.get(i, -2)
        if monitored:
            hits = np.flatnonzero(toxic_n >= bounds.take(bound))
            if len(hits):
                stops = np.array(monitor.action)[level[hits]] == STOP
                due = (look[hits[stops]] == k) & (k >= 0 and looks.is_final(k))
                finish(hits[stops], i, np.where(due, TOXICITY_AT_N, TOXICITY))
                lower(hits[~stops], i)
        if amended:
            at = np.array(monitor.at_enrolled)[level]
            lower(np.flatnonzero((at > 0) & (at <= i) & (look >= 0) & (since < i)), i)
        if k >= 0:
            due = np.flatnonzero(look == k)
            decision = next_of[k][response_n[due]]
            look[due] = np.maximum(decision, 0)
            final = looks.is_final(k)
            ends = {
                FUTILE: FINAL_NO_GO if final else FUTILITY,
                GO: FINAL_GO if final else GO_EARLY,
            }
            over = decision < 0
            end = np.select([decision == code for code in ends], list(ends.values()), FINAL_CONSIDER)
            finish(due[over], i, end[over])

        if ended * SWEEP >= n:
            kept = np.flatnonzero(look >= 0)
            rows, bound, level, look = rows[kept], bound[kept], level[kept], look[kept]
            toxic_n, evaluable_n = toxic_n[kept], evaluable_n[kept]
            response_n, response_above, since = response_n[kept], response_above[kept], since[kept]
            limits = limits.take(kept, axis=1) if rules.levels > 1 else limits
            ended = 0
            if not len(rows):
                return


def _given(
    response: NDArray[np.bool_],
    words: NDArray[np.uint32],
    if_not: NDArray[np.uint32],
    if_so: NDArray[np.uint32],
) -> NDArray[np.bool_]:
    """Events whose threshold depends on response, without a branch or a copy of thresholds."""
    happens = words < if_not
    happens ^= (happens ^ (words < if_so)) & response
    return happens
