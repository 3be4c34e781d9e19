"""The least possible EN(p0) by its dual: errors are paid for at two prices, and every pair of prices gives a bound.

A trial that looks at fixed numbers of patients costs one for each patient, ``price`` for a go at p0, and earns
``worth`` for a go at p1. The least cost by dynamic programming, less what the error rates allow, is at most EN(p0) of
every design with these looks that keeps them, randomised or not; it is concave in the prices.
"""

from __future__ import annotations

import numpy as np

from trialsim.kernels.jit import kernel

STEPS = 200
"""Pairs of prices that are tried at most; each cut leaves at most 1 - 1/e of the area where the best can be."""


@kernel
def tables(p0, p1, nmax):  # type: ignore[no-untyped-def]
    """P(X = x) of n patients at p0 and at p1, and the likelihood ratio of x responses among n, by n and x."""
    size = nmax + 1
    null, good, ratio = np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, size))
    null[0, 0] = good[0, 0] = ratio[0, 0] = 1.0
    for n in range(1, size):
        for x in range(n + 1):
            null[n, x] = null[n - 1, x] * (1 - p0)
            good[n, x] = good[n - 1, x] * (1 - p1)
            if x > 0:
                null[n, x] += null[n - 1, x - 1] * p0
                good[n, x] += good[n - 1, x - 1] * p1
        ratio[n, 0] = ratio[n - 1, 0] * (1 - p1) / (1 - p0)
        for x in range(1, n + 1):
            ratio[n, x] = ratio[n - 1, x - 1] * p1 / p0
    return null, good, ratio


@kernel
def dual(at, early, prices, errors, null, ratio, onward, work):  # type: ignore[no-untyped-def]
    """The bound that two prices give, and P(go) at p0 and at p1 of the trial of least cost.

    ``at``: patients at each look; ``early``: whether a go is possible before the last. ``onward[k, x]`` is filled with
    what going on from x responses at look k costs. ``work``: (3, nmax + 1).
    """
    price, worth = prices
    last = len(at) - 1
    for x in range(at[last] + 1):
        go = price - worth * ratio[at[last], x]
        goes = 1.0 if go < 0 else 0.0
        work[0, x], work[1, x], work[2, x] = min(go, 0.0), goes, goes * ratio[at[last], x]
    for k in range(last - 1, -1, -1):
        m, more = at[k], at[k + 1] - at[k]
        for x in range(m + 1):
            cost, level, power = float(more), 0.0, 0.0
            for y in range(more + 1):
                cost += null[more, y] * work[0, x + y]
                level += null[more, y] * work[1, x + y]
                power += null[more, y] * work[2, x + y]
            onward[k, x] = cost
            go = price - worth * ratio[m, x]
            if cost >= 0 and (not early or go >= 0):
                cost, level, power = 0.0, 0.0, 0.0
            elif early and go <= cost:
                cost, level, power = go, 1.0, ratio[m, x]
            work[0, x], work[1, x], work[2, x] = cost, level, power
    value, level, power = float(at[0]), 0.0, 0.0
    for x in range(at[0] + 1):
        value += null[at[0], x] * work[0, x]
        level += null[at[0], x] * work[1, x]
        power += null[at[0], x] * work[2, x]
    return value - price * errors[0] + worth * (1 - errors[1]), level, power


@dual.alone
def _by_rows(at, early, prices, errors, null, ratio, onward, work):  # type: ignore[no-untyped-def]
    """The same by whole rows: each number is made by the same operations in the same order."""
    price, worth = prices
    sizes = at.tolist()
    last = sizes[-1]
    going = np.stack((price - worth * ratio, np.ones_like(ratio), ratio))
    dear = going[0] >= 0
    np.minimum(going[0, last], 0.0, out=work[0])
    np.less(going[0, last], 0.0, out=work[1])
    np.multiply(work[1], ratio[last], out=work[2])
    found, begun = work, np.zeros((3, 1))
    for k in range(len(sizes) - 2, -1, -1):
        end, more = sizes[k] + 1, sizes[k + 1] - sizes[k]
        begun[0] = more
        chances, later = null[more].tolist(), found
        found = begun + chances[0] * later[:, :end]
        for y in range(1, more + 1):
            found += chances[y] * later[:, y : y + end]
        cost = found[0]
        onward[k, :end] = cost
        stops = cost >= 0
        if early:
            stops &= dear[sizes[k], :end]
            gone = going[:, sizes[k], :end]
            np.copyto(found, gone, where=gone[0] <= cost)
        np.copyto(found, 0.0, where=stops)
    work[:, : sizes[0] + 1] = found[:, : sizes[0] + 1]
    value, level, power = float(at[0]), 0.0, 0.0
    for x in range(at[0] + 1):
        value += null[at[0], x] * work[0, x]
        level += null[at[0], x] * work[1, x]
        power += null[at[0], x] * work[2, x]
    return value - price * errors[0] + worth * (1 - errors[1]), level, power


@kernel
def highest(at, early, box, errors, enough, near, null, ratio, onward, work):  # type: ignore[no-untyped-def]
    """The highest bound over prices in a box (least and most of each), and its prices; ``onward`` is filled for them.

    It ends at the first bound of ``enough`` or more, or where no other is higher by more than ``near``. What is left of
    the box is cut through its centre of gravity: the derivative there tells on which side the highest bound lies.
    """
    xs, ys = np.zeros(STEPS + 8), np.zeros(STEPS + 8)
    other_xs, other_ys = np.zeros(STEPS + 8), np.zeros(STEPS + 8)
    xs[0], xs[1], xs[2], xs[3] = box[0], box[1], box[1], box[0]
    ys[0], ys[1], ys[2], ys[3] = box[2], box[2], box[3], box[3]
    corners, best, price, worth, ceiling = 4, -np.inf, box[0], box[2], np.inf
    for _ in range(STEPS):
        area, cx, cy = 0.0, 0.0, 0.0
        for k in range(1, corners - 1):
            ax, ay, bx, by = xs[k] - xs[0], ys[k] - ys[0], xs[k + 1] - xs[0], ys[k + 1] - ys[0]
            part = ax * by - ay * bx
            area, cx, cy = area + part, cx + part * (ax + bx) / 3, cy + part * (ay + by) / 3
        if corners < 3 or not area > 1e-18:
            break
        cx, cy = xs[0] + cx / area, ys[0] + cy / area
        value, level, power = dual(at, early, (cx, cy), errors, null, ratio, onward, work)
        if value > best:
            best, price, worth = value, cx, cy
        slope_x, slope_y = level - errors[0], 1 - errors[1] - power
        top = value
        for k in range(corners):
            top = max(top, value + slope_x * (xs[k] - cx) + slope_y * (ys[k] - cy))
        ceiling = min(ceiling, top)
        if best >= enough or ceiling - best <= near:
            break
        kept = 0
        for k in range(corners):
            j = (k + 1) % corners
            here = slope_x * (xs[k] - cx) + slope_y * (ys[k] - cy)
            there = slope_x * (xs[j] - cx) + slope_y * (ys[j] - cy)
            if here >= 0:
                other_xs[kept], other_ys[kept] = xs[k], ys[k]
                kept += 1
            if (here > 0 and there < 0) or (here < 0 and there > 0):
                share = here / (here - there)
                other_xs[kept] = xs[k] + share * (xs[j] - xs[k])
                other_ys[kept] = ys[k] + share * (ys[j] - ys[k])
                kept += 1
        xs, other_xs, ys, other_ys, corners = other_xs, xs, other_ys, ys, kept
    value, _, _ = dual(at, early, (price, worth), errors, null, ratio, onward, work)
    return value, price, worth
