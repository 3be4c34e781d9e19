"""Designs of two or three stages that may also stop for a go: exact, complete searches."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.kernels.jit import kernel
from trialsim.kernels.search import ROUNDING, _p_go, _strictest, _tables

AT_P0, AT_P1, LARGEST = range(3)
"""Whose EN is to be least: at p0, at p1, or the largest between them."""

FREE, EQUAL, ENSIGN = range(3)
"""Three stages: any; of equal size; with r1 = 0."""


def two_stages_both_ways(
    rates: tuple[float, float], errors: tuple[float, float], nmax: int, least: int, every_n: bool = False
) -> tuple[Any, bool]:
    """(designs, 5) of r1, a1, n1, r, n (go after stage 1 if responses > a1), EN falling as n grows; whether complete.

    ``least`` is AT_P0, AT_P1 or LARGEST. ``every_n`` gives the best design of every n instead.
    """
    out = np.zeros((nmax + 1, 5), dtype=np.int64)
    found, complete = _both_ways(*rates, *errors, nmax, least, every_n, out)
    return out[:found], bool(complete)


def three_stages(
    rates: tuple[float, float], errors: tuple[float, float], nmax: int, go_early: bool, least: int, shape: int
) -> tuple[Any, bool]:
    """(designs, 8) of n1, n2, n3, r1, r2, r3, a1, a2 (a = n: no early go), EN falling with n3; whether complete."""
    out = np.zeros((nmax + 1, 8), dtype=np.int64)
    found, complete = _three(*rates, *errors, nmax, go_early, least, shape, out)
    return out[:found], bool(complete)


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
def _both_ways(p0, p1, alpha, beta, nmax, least, every_n, out):  # type: ignore[no-untyped-def]
    pmf0, above0 = _tables(p0, nmax)
    pmf1, above1 = _tables(p1, nmax)
    on = above1 if least == AT_P1 else above0
    power_target, alpha_target = 1 - beta - ROUNDING, alpha + ROUNDING
    strictest = _strictest(above1, power_target, nmax)
    lenient = _lenient(above0, alpha_target, nmax)
    # P(X > r and X1 = x1) and its complement given x1, from the right: sums over x1 > r1, and over x1 > a1
    go0, go1 = np.zeros(nmax + 2), np.zeros(nmax + 2)
    lost0, lost1 = np.zeros(nmax + 2), np.zeros(nmax + 2)
    found = 0
    best, complete = np.inf, False
    for n in range(2, nmax + 1):
        if every_n:
            best = np.inf
        bound, improved = np.inf, False
        for n1 in range(1, n):
            r1_most, a1_least = strictest[n1], lenient[n1]
            going = on[n1, r1_most] - on[n1, max(a1_least, r1_most)] if r1_most >= 0 else 1 - on[n1, a1_least]
            lowest = n1 + going * (n - n1)
            bound = min(bound, lowest)
            if lowest >= best or r1_most < 0:
                continue
            n2 = n - n1
            # no cut-off at the end can be larger than the one that has the power after the earliest possible go
            most_r = 0
            while most_r + 1 < n and _either(pmf1, above1, n1, a1_least, n, most_r + 1) >= power_target:
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
                if go0[top + 1] > alpha_target:
                    break  # and so with every smaller r
                a1 = min(r, n1)
                for r1 in range(top + 1):
                    if go0[r1 + 1] > alpha_target:
                        continue
                    # the earliest go that keeps the level has the least EN at every rate and the largest power
                    while a1 > r1 and go0[r1 + 1] + lost0[a1] <= alpha_target:
                        a1 -= 1
                    a1 = max(a1, r1)
                    if go1[r1 + 1] + lost1[a1 + 1] < power_target:
                        continue
                    en = n1 + (on[n1, r1] - on[n1, a1]) * n2
                    if least == LARGEST:
                        en = _largest_en(n1, r1, a1, n, p0, p1)
                    if en < best:
                        best, improved = en, True
                        out[found, 0], out[found, 1], out[found, 2] = r1, a1, n1
                        out[found, 3], out[found, 4] = r, n
        found += improved
        if found > 0 and bound >= best and not every_n:
            complete = True
            break
    return found, complete


@kernel
def _second_look_limits(pmf0, above0, pmf1, above1, errors, n1, n2, r1, a1):  # type: ignore[no-untyped-def]
    """The largest r2 that may have the power and the least a2 that may keep the level, r1 and a1 at their limits."""
    alpha_target, power_target = errors
    r2 = 0
    while r2 + 1 < n2 and _either(pmf1, above1, n1, a1, n2, r2 + 1) >= power_target:
        r2 += 1
    if _either(pmf1, above1, n1, a1, n2, 0) < power_target:
        return -1, n2
    a2 = n2
    while a2 > 0:
        p_go = 0.0
        for x in range(r1 + 1, n1 + 1):
            p_go += pmf0[n1, x] * (above0[n2 - n1, min(a2 - 1 - x, n2 - n1)] if x < a2 else 1.0)
        if p_go > alpha_target:
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
def _three(p0, p1, alpha, beta, nmax, go_early, least, shape, out):  # type: ignore[no-untyped-def]
    pmf0, above0 = _tables(p0, nmax)
    pmf1, above1 = _tables(p1, nmax)
    pmf, on = (pmf1, above1) if least == AT_P1 else (pmf0, above0)
    power_target, alpha_target = 1 - beta - ROUNDING, alpha + ROUNDING
    strictest = _strictest(above1, power_target, nmax)
    lenient = _lenient(above0, alpha_target, nmax) if go_early else np.arange(nmax + 1)
    # by n1 and n2: the least P(a third stage) of any design, and its largest r2
    third = np.full((nmax + 1, nmax + 1), -1.0)
    r2_most = np.zeros((nmax + 1, nmax + 1), dtype=np.int64)
    f0, f1 = np.zeros(nmax + 2), np.zeros(nmax + 2)
    go0, go1 = np.zeros(nmax + 2), np.zeros(nmax + 2)
    lost0, lost1 = np.zeros(nmax + 2), np.zeros(nmax + 2)
    found = 0
    best, complete = np.inf, False
    for n in range(3, nmax + 1):
        if shape == EQUAL and n % 3 > 0:
            continue
        most_r = n - 1
        while not go_early and most_r >= 0 and above1[n, most_r] < power_target:
            most_r -= 1
        bound, improved = n / 3 if shape == EQUAL else float(n), False
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
                        pmf0, above0, pmf1, above1, (alpha_target, power_target), n1, n2, r1_most, lenient[n1]
                    )
                    r2_most[n1, n2] = r2
                    third[n1, n2] = _between(pmf, n1, n2, r1_most, lenient[n1], r2, a2 if go_early else n2)
                lowest = n1 + second * (n2 - n1) + third[n1, n2] * (n - n2)
                bound = min(bound, lowest)
                if lowest >= best or r2_most[n1, n2] < 0:
                    continue
                for r1 in range(r1_most, -1, -1):
                    # a1 = n1: nobody goes after stage 1
                    for a1 in range(max(lenient[n1], r1), n1 + 1):
                        en2 = n1 + (on[n1, r1] - on[n1, a1]) * (n2 - n1)
                        if en2 + third[n1, n2] * (n - n2) >= best:
                            break
                        _second_look(pmf0, n1, n2, r1, a1, f0)
                        _second_look(pmf1, n1, n2, r1, a1, f1)
                        weighed = f1 if least == AT_P1 else f0
                        early0, early1 = above0[n1, a1], above1[n1, a1]
                        for r in range(most_r, r1 - 1, -1):
                            _last_stage(f1, above1, n2, r, n, go1, lost1)
                            a2_least = r1 if go_early else n2
                            if early1 + go1[r1 + 1] + lost1[a2_least + 1] < power_target:
                                continue
                            _last_stage(f0, above0, n2, r, n, go0, lost0)
                            top = min(r2_most[n1, n2], r)
                            if early0 + go0[top + 1] > alpha_target:
                                break  # and so with every smaller r
                            for r2 in range(top, r1 - 1, -1):
                                room = alpha_target - early0 - go0[r2 + 1]
                                if room < 0:
                                    break
                                # the earliest go that keeps the level is the best, as with two stages
                                a2 = n2
                                while go_early and a2 > r2 and lost0[a2] <= room:
                                    a2 -= 1
                                if early1 + go1[r2 + 1] + lost1[a2 + 1] < power_target:
                                    continue
                                en = en2
                                for x in range(r2 + 1, a2 + 1):
                                    en += weighed[x] * (n - n2)
                                if en < best:
                                    best, improved = en, True
                                    out[found, 0], out[found, 1], out[found, 2] = n1, n2, n
                                    out[found, 3], out[found, 4], out[found, 5] = r1, r2, r
                                    out[found, 6], out[found, 7] = a1, a2
                                if not go_early:
                                    break  # a smaller r2 only costs patients
        found += improved
        if found > 0 and bound >= best:
            complete = True
            break
    return found, complete


def three_outcomes(
    rates: tuple[float, float], errors: tuple[float, float, float, float], nmax: int
) -> tuple[Any, bool]:
    """(designs, 5) of r1, n1, r, s, n, EN(p0) falling as n grows (errors: alpha, beta, eta, pi); whether complete."""
    out = np.zeros((nmax + 1, 5), dtype=np.int64)
    found, complete = _outcomes(*rates, *errors, nmax, out)
    return out[:found], bool(complete)


@kernel
def _outcomes(p0, p1, alpha, beta, eta, pi, nmax, out):  # type: ignore[no-untyped-def]
    pmf0, above0 = _tables(p0, nmax)
    pmf1, above1 = _tables(p1, nmax)
    passing = max(pi, 1 - beta) - ROUNDING  # what stage 1 must let through at p1
    strictest = _strictest(above1, passing, nmax)
    found, best, complete = 0, np.inf, False
    for n in range(2, nmax + 1):
        bound, improved = float(n), False
        for n1 in range(1, n):
            if strictest[n1] < 0:
                continue
            lowest = n1 + above0[n1, strictest[n1]] * (n - n1)
            bound = min(bound, lowest)
            r1 = strictest[n1]
            # the largest r1 that works has the least EN
            while r1 >= 0 and n1 + above0[n1, r1] * (n - n1) < best:
                s = r1 + 1
                while s < n and _p_go(pmf0, above0, r1, n1, s - 1, n) > alpha + ROUNDING:
                    s += 1
                if _p_go(pmf1, above1, r1, n1, s - 1, n) >= pi - ROUNDING:
                    r = s - 1  # as many no goes as beta allows
                    while r >= r1 and 1 - _p_go(pmf1, above1, r1, n1, r, n) > beta + ROUNDING:
                        r -= 1
                    level = _p_go(pmf0, above0, r1, n1, s - 1, n)
                    no_go = 1 - _p_go(pmf0, above0, r1, n1, r, n)
                    if r >= r1 and no_go >= eta - ROUNDING and level <= alpha + ROUNDING:
                        best, improved = n1 + above0[n1, r1] * (n - n1), True
                        out[found, 0], out[found, 1] = r1, n1
                        out[found, 2], out[found, 3], out[found, 4] = r, s, n
                        break
                r1 -= 1
        found += improved
        if found > 0 and bound >= best:
            complete = True
            break
    return found, complete


def feasible(rates: tuple[float, float], errors: tuple[float, float], nmax: int) -> Any:
    """Every two-stage design with n <= nmax and the error rates, as it is under full curtailment.

    Columns: r1, n1, r, n, EN(p0), EN(p1), PET(p0), type I error, power, where only the largest r1 and those whose EN
    may be less are kept: every r1 with the error rates.
    """
    size = _feasible(*rates, *errors, nmax, np.zeros((0, 9)))
    out = np.zeros((size, 9))
    _feasible(*rates, *errors, nmax, out)
    return out


@kernel
def _curtailed_en(p, r1, n1, r, n, state):  # type: ignore[no-untyped-def]
    """EN and P(end before n) of a two-stage design that ends as soon as its outcome is certain."""
    state[:] = 0.0
    state[0] = 1.0
    en, ended = 0.0, 0.0
    for m in range(1, n + 1):
        for x in range(min(m, r + 1), 0, -1):
            state[x] = state[x] * (1 - p) + state[x - 1] * p
        state[0] *= 1 - p
        for x in range(min(m, r + 1) + 1):
            certain = x > r or x + n - m <= r or (m <= n1 and x + n1 - m <= r1)
            if certain and state[x] > 0.0:
                en += m * state[x]
                ended += state[x] if m < n else 0.0
                state[x] = 0.0
    return en, ended


@kernel
def _feasible(p0, p1, alpha, beta, nmax, out):  # type: ignore[no-untyped-def]
    pmf0, above0 = _tables(p0, nmax)
    pmf1, above1 = _tables(p1, nmax)
    state = np.zeros(nmax + 2)
    strictest = _strictest(above1, 1 - beta - ROUNDING, nmax)
    found = 0
    for n in range(2, nmax + 1):
        for r in range(n):
            if above1[n, r] < 1 - beta - ROUNDING:
                break
            for n1 in range(1, n):
                for r1 in range(min(strictest[n1], r), -1, -1):
                    power = _p_go(pmf1, above1, r1, n1, r, n)
                    level = _p_go(pmf0, above0, r1, n1, r, n)
                    if level > alpha + ROUNDING:
                        break
                    if power < 1 - beta - ROUNDING:
                        continue
                    if out.shape[0] > 0:
                        en0, pet = _curtailed_en(p0, r1, n1, r, n, state)
                        en1, _ = _curtailed_en(p1, r1, n1, r, n, state)
                        out[found, 0], out[found, 1], out[found, 2], out[found, 3] = r1, n1, r, n
                        out[found, 4], out[found, 5], out[found, 6] = en0, en1, pet
                        out[found, 7], out[found, 8] = level, power
                    found += 1
    return found
