"""Designs of two or three stages that may also stop for a go: exact, complete searches."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.kernels.doubts import (
    BEST,
    FOUND,
    LEVEL,
    LOST,
    NO_GO,
    POWER,
    ROUNDING,
    START,
    filled,
    holds,
    offer,
)
from trialsim.kernels.jit import kernel
from trialsim.kernels.search import _p_go, _strictest, _tables

AT_P0, AT_P1, LARGEST = range(3)
"""Whose EN is to be least: at p0, at p1, or the largest between them."""

FREE, EQUAL, ENSIGN = range(3)
"""Three stages: any; of equal size; with r1 = 0."""


def two_stages_both_ways(
    rates: tuple[float, float],
    errors: tuple[float, float],
    nmax: int,
    book: Any,
    least: int,
    every_n: bool = False,
) -> tuple[Any, bool]:
    """(candidates, 6) of r1, a1, n1, r, n (go after stage 1 if responses > a1), EN; and whether no n > nmax has less.

    Among the candidates of an n is the one of least EN, as far as EN falls as n grows; rounding may add others.
    ``least`` is AT_P0, AT_P1 or LARGEST. ``every_n`` gives the best of every n instead. ``book``: doubts of 5 columns.
    """
    asked = (*rates, *errors, nmax, least, every_n, book)
    return filled(lambda state, out: _both_ways(*asked, state, out), 6, nmax)


def three_stages(
    rates: tuple[float, float],
    errors: tuple[float, float],
    nmax: int,
    book: Any,
    go_early: bool,
    least: int,
    shape: int,
) -> tuple[Any, bool]:
    """The same of n1, n2, n3, r1, r2, r3, a1, a2 (a = n: no early go), EN; ``book``: doubts of 8 columns."""
    asked = (*rates, *errors, nmax, go_early, least, shape, book)
    return filled(lambda state, out: _three(*asked, state, out), 9, nmax)


@kernel
def _lenient(above0, alpha_target, nmax):  # type: ignore[no-untyped-def]
    """The least count a of each n1 with P(X1 > a | p0) <= alpha: a go after fewer responses breaks the level alone."""
    lenient = np.zeros(nmax + 1, dtype=np.int64)
    a = 0
    for n1 in range(1, nmax + 1):
        while above0[n1, a] > alpha_target:
            a += 1
        lenient[n1] = a
    return lenient


@kernel
def _largest_en(n1, r1, a1, n, p0, p1):  # type: ignore[no-untyped-def]
    """Largest EN(p), p0 <= p <= p1: P(r1 < X1 <= a1) has one maximum, where its two ends change alike."""
    # log of C(n1 - 1, r1) / C(n1 - 1, a1)
    log_ratio = 0.0
    for x in range(r1 + 1, a1 + 1):
        log_ratio += np.log(x) - np.log(n1 - x)
    p = 1.0 if a1 >= n1 else 1 / (1 + np.exp(-log_ratio / max(a1 - r1, 1)))
    p = min(max(p, p0), p1)
    total, term = 0.0, (1 - p) ** n1
    for x in range(min(a1, n1) + 1):
        if x > r1:
            total += term
        term *= (n1 - x) / (x + 1) * p / (1 - p)
    return n1 + total * (n - n1)


@kernel
def _either(pmf, above, n1, a1, n, r):  # type: ignore[no-untyped-def]
    """P(X1 > a1 or X > r)."""
    total = above[n1, min(a1, n1)]
    for x in range(min(a1, n1) + 1):
        total += pmf[n1, x] * (above[n - n1, min(r - x, n - n1)] if x <= r else 1.0)
    return total


@kernel
def _both_ways(p0, p1, alpha, beta, nmax, least, every_n, book, state, out):  # type: ignore[no-untyped-def]
    pmf0, above0 = _tables(p0, nmax)
    pmf1, above1 = _tables(p1, nmax)
    on = above1 if least == AT_P1 else above0
    # nothing that keeps its error rates is beyond these
    power_loose, alpha_loose = 1 - beta - ROUNDING * nmax, alpha + ROUNDING * nmax
    strictest = _strictest(above1, power_loose, nmax)
    lenient = _lenient(above0, alpha_loose, nmax)
    # P(X > r and X1 = x1) and its complement given x1, from the right: sums over x1 > r1, and over x1 > a1
    go0, go1 = np.zeros(nmax + 2), np.zeros(nmax + 2)
    lost0, lost1 = np.zeros(nmax + 2), np.zeros(nmax + 2)
    state[BEST], complete = np.inf, False
    for n in range(2, nmax + 1):
        if every_n:
            state[BEST] = np.inf
        state[START] = state[FOUND]
        bound, close = np.inf, ROUNDING * n * n
        for n1 in range(1, n):
            r1_most, a1_least = strictest[n1], lenient[n1]
            going = on[n1, r1_most] - on[n1, max(a1_least, r1_most)] if r1_most >= 0 else 1 - on[n1, a1_least]
            lowest = n1 + going * (n - n1)
            bound = min(bound, lowest)
            if lowest > state[BEST] + close or r1_most < 0:
                continue
            n2 = n - n1
            # no cut-off at the end can be larger than the one that has the power after the earliest possible go
            most_r = 0
            while most_r + 1 < n and _either(pmf1, above1, n1, a1_least, n, most_r + 1) >= power_loose:
                most_r += 1
            for r in range(most_r, -1, -1):
                go0[n1 + 1] = go1[n1 + 1] = lost0[n1 + 1] = lost1[n1 + 1] = 0.0
                for x in range(n1, -1, -1):
                    t0, t1 = (
                        (above0[n2, min(r - x, n2)], above1[n2, min(r - x, n2)]) if x <= r else (1.0, 1.0)
                    )
                    go0[x] = go0[x + 1] + pmf0[n1, x] * t0
                    go1[x] = go1[x + 1] + pmf1[n1, x] * t1
                    lost0[x] = lost0[x + 1] + pmf0[n1, x] * (1 - t0)
                    lost1[x] = lost1[x + 1] + pmf1[n1, x] * (1 - t1)
                top = min(r1_most, r)
                if go0[top + 1] > alpha_loose:
                    break  # and so with every smaller r
                a1 = min(r, n1)
                for r1 in range(top + 1):
                    if not holds(alpha - go0[r1 + 1], n, LEVEL, (r1, min(r, n1), n1, r, n), book):
                        continue
                    # the earliest go that keeps the level has the least EN at every rate and the largest power
                    while a1 > r1 and holds(
                        alpha - go0[r1 + 1] - lost0[a1], n, LEVEL, (r1, a1 - 1, n1, r, n), book
                    ):
                        a1 -= 1
                    a1 = max(a1, r1)
                    if not holds(
                        go1[r1 + 1] + lost1[a1 + 1] - (1 - beta), n, POWER, (r1, a1, n1, r, n), book
                    ):
                        continue
                    en = n1 + (on[n1, r1] - on[n1, a1]) * n2
                    if least == LARGEST:
                        en = _largest_en(n1, r1, a1, n, p0, p1)
                    offer(en, close, (r1, a1, n1, r, n), state, out)
        if state[FOUND] > 0 and bound > state[BEST] + close and not every_n:
            complete = True
            break
    return complete


@kernel
def _second_look_limits(pmf0, above0, pmf1, above1, loose, n1, n2, r1, a1):  # type: ignore[no-untyped-def]
    """The largest r2 that may have the power and the least a2 that may keep the level, r1 and a1 at their limits."""
    alpha_loose, power_loose = loose
    r2 = 0
    while r2 + 1 < n2 and _either(pmf1, above1, n1, a1, n2, r2 + 1) >= power_loose:
        r2 += 1
    if _either(pmf1, above1, n1, a1, n2, 0) < power_loose:
        return -1, n2
    a2 = n2
    while a2 > 0:
        p_go = 0.0
        for x in range(r1 + 1, n1 + 1):
            p_go += pmf0[n1, x] * (above0[n2 - n1, min(a2 - 1 - x, n2 - n1)] if x < a2 else 1.0)
        if p_go > alpha_loose:
            break
        a2 -= 1
    return r2, a2


@kernel
def _between(pmf, n1, n2, r1, a1, r2, a2):  # type: ignore[no-untyped-def]
    """P(r1 < X1 <= a1 and r2 < X2 <= a2)."""
    total = 0.0
    for x1 in range(r1 + 1, a1 + 1):
        for x in range(max(r2 + 1, x1), min(a2, x1 + n2 - n1) + 1):
            total += pmf[n1, x1] * pmf[n2 - n1, x - x1]
    return total


@kernel
def _second_look(pmf, n1, n2, r1, a1, state):  # type: ignore[no-untyped-def]
    """Fill ``state`` with P(r1 < X1 <= a1 and X2 = x) for x = 0..n2."""
    for x in range(n2 + 1):
        state[x] = 0.0
        for x1 in range(max(r1 + 1, x - n2 + n1), min(a1, x) + 1):
            state[x] += pmf[n1, x1] * pmf[n2 - n1, x - x1]


@kernel
def _last_stage(state, above, n2, r, n, go, lost):  # type: ignore[no-untyped-def]
    """Sums from the right over responses at the second look: go[x] then a go at the end, lost[x] then none."""
    go[n2 + 1] = lost[n2 + 1] = 0.0
    for x in range(n2, -1, -1):
        t = above[n - n2, min(r - x, n - n2)] if x <= r else 1.0
        go[x] = go[x + 1] + state[x] * t
        lost[x] = lost[x + 1] + state[x] * (1 - t)


@kernel
def _three(p0, p1, alpha, beta, nmax, go_early, least, shape, book, state, out):  # type: ignore[no-untyped-def]
    pmf0, above0 = _tables(p0, nmax)
    pmf1, above1 = _tables(p1, nmax)
    pmf, on = (pmf1, above1) if least == AT_P1 else (pmf0, above0)
    # nothing that keeps its error rates is beyond these
    power_loose, alpha_loose = 1 - beta - ROUNDING * nmax, alpha + ROUNDING * nmax
    strictest = _strictest(above1, power_loose, nmax)
    lenient = _lenient(above0, alpha_loose, nmax) if go_early else np.arange(nmax + 1)
    # by n1 and n2: the least P(a third stage) of any design, and its largest r2
    third = np.full((nmax + 1, nmax + 1), -1.0)
    r2_most = np.zeros((nmax + 1, nmax + 1), dtype=np.int64)
    f0, f1 = np.zeros(nmax + 2), np.zeros(nmax + 2)
    go0, go1 = np.zeros(nmax + 2), np.zeros(nmax + 2)
    lost0, lost1 = np.zeros(nmax + 2), np.zeros(nmax + 2)
    state[BEST], complete = np.inf, False
    for n in range(3, nmax + 1):
        if shape == EQUAL and n % 3 > 0:
            continue
        state[START], close = state[FOUND], ROUNDING * n * n
        most_r = n - 1
        while not go_early and most_r >= 0 and above1[n, most_r] < power_loose:
            most_r -= 1
        bound = n / 3 if shape == EQUAL else float(n)
        for n1 in range(1, n - 1):
            if strictest[n1] < 0 or (shape == EQUAL and 3 * n1 != n):
                continue
            r1_most = 0 if shape == ENSIGN else strictest[n1]
            second = on[n1, r1_most] - on[n1, max(lenient[n1], r1_most)]
            bound = min(bound, n1 + second * (n - n1))
            for n2 in range(n1 + 1, n):
                if shape == EQUAL and 3 * n2 != 2 * n:
                    continue
                if third[n1, n2] < 0:
                    r2, a2 = _second_look_limits(
                        pmf0, above0, pmf1, above1, (alpha_loose, power_loose), n1, n2, r1_most, lenient[n1]
                    )
                    r2_most[n1, n2] = r2
                    third[n1, n2] = _between(pmf, n1, n2, r1_most, lenient[n1], r2, a2 if go_early else n2)
                lowest = n1 + second * (n2 - n1) + third[n1, n2] * (n - n2)
                bound = min(bound, lowest)
                if lowest > state[BEST] + close or r2_most[n1, n2] < 0:
                    continue
                for r1 in range(r1_most, -1, -1):
                    # a1 = n1: nobody goes after stage 1
                    for a1 in range(max(lenient[n1], r1), n1 + 1):
                        en2 = n1 + (on[n1, r1] - on[n1, a1]) * (n2 - n1)
                        if en2 + third[n1, n2] * (n - n2) > state[BEST] + close:
                            break
                        _second_look(pmf0, n1, n2, r1, a1, f0)
                        _second_look(pmf1, n1, n2, r1, a1, f1)
                        weighed = f1 if least == AT_P1 else f0
                        early0, early1 = above0[n1, a1], above1[n1, a1]
                        for r in range(most_r, r1 - 1, -1):
                            _last_stage(f1, above1, n2, r, n, go1, lost1)
                            a2_least = r1 if go_early else n2
                            if early1 + go1[r1 + 1] + lost1[a2_least + 1] < power_loose:
                                continue
                            _last_stage(f0, above0, n2, r, n, go0, lost0)
                            top = min(r2_most[n1, n2], r)
                            if early0 + go0[top + 1] > alpha_loose:
                                break  # and so with every smaller r
                            for r2 in range(top, r1 - 1, -1):
                                room = alpha - early0 - go0[r2 + 1]
                                if not holds(room, n, LEVEL, (n1, n2, n, r1, r2, r, a1, n2), book):
                                    break
                                # the earliest go that keeps the level is the best, as with two stages
                                a2 = n2
                                while (
                                    go_early
                                    and a2 > r2
                                    and holds(
                                        room - lost0[a2], n, LEVEL, (n1, n2, n, r1, r2, r, a1, a2 - 1), book
                                    )
                                ):
                                    a2 -= 1
                                power = early1 + go1[r2 + 1] + lost1[a2 + 1]
                                design = (n1, n2, n, r1, r2, r, a1, a2)
                                if not holds(power - (1 - beta), n, POWER, design, book):
                                    continue
                                en = en2
                                for x in range(r2 + 1, a2 + 1):
                                    en += weighed[x] * (n - n2)
                                offer(en, close, design, state, out)
                                if not go_early:
                                    break  # a smaller r2 only costs patients
        if state[FOUND] > 0 and bound > state[BEST] + close:
            complete = True
            break
    return complete


def three_outcomes(
    rates: tuple[float, float], errors: tuple[float, float, float, float], nmax: int, book: Any
) -> tuple[Any, bool]:
    """(candidates, 6) of r1, n1, r, s, n, EN(p0), as ``two_stages_both_ways`` (errors: alpha, beta, eta, pi).

    ``book``: doubts of 4 columns, r1, n1, a cut-off at the end and n.
    """
    return filled(lambda state, out: _outcomes(*rates, *errors, nmax, book, state, out), 6, nmax)


@kernel
def _outcomes(p0, p1, alpha, beta, eta, pi, nmax, book, state, out):  # type: ignore[no-untyped-def]
    pmf0, above0 = _tables(p0, nmax)
    pmf1, above1 = _tables(p1, nmax)
    # what stage 1 must let through at p1
    strictest = _strictest(above1, max(pi, 1 - beta) - ROUNDING * nmax, nmax)
    state[BEST], complete = np.inf, False
    for n in range(2, nmax + 1):
        state[START], close = state[FOUND], ROUNDING * n * n
        bound = float(n)
        for n1 in range(1, n):
            if strictest[n1] < 0:
                continue
            lowest = n1 + above0[n1, strictest[n1]] * (n - n1)
            bound = min(bound, lowest)
            r1 = strictest[n1]
            # the largest r1 that works has the least EN
            while r1 >= 0 and n1 + above0[n1, r1] * (n - n1) <= state[BEST] + close:
                last = r1  # s - 1: a go as soon as alpha allows it, and the share of no goes at p0
                while last < n:
                    level, cuts = _p_go(pmf0, above0, r1, n1, last, n), (r1, n1, last, n)
                    if holds(alpha - level, n, LEVEL, cuts, book) and holds(
                        1 - level - eta, n, NO_GO, cuts, book
                    ):
                        break
                    last += 1
                if holds(_p_go(pmf1, above1, r1, n1, last, n) - pi, n, POWER, (r1, n1, last, n), book):
                    r = last  # as many no goes as beta allows
                    while r >= r1 and not holds(
                        _p_go(pmf1, above1, r1, n1, r, n) - (1 - beta), n, LOST, (r1, n1, r, n), book
                    ):
                        r -= 1
                    if r >= r1 and holds(
                        1 - _p_go(pmf0, above0, r1, n1, r, n) - eta, n, NO_GO, (r1, n1, r, n), book
                    ):
                        offer(n1 + above0[n1, r1] * (n - n1), close, (r1, n1, r, last + 1, n), state, out)
                        break
                r1 -= 1
        if state[FOUND] > 0 and bound > state[BEST] + close:
            complete = True
            break
    return complete
