"""The best design with a few looks: which schedules can still win, and the cut-offs of one by branch and bound."""

from __future__ import annotations

import numpy as np

from trialsim.kernels.doubts import LEVEL, POWER, ROUNDING, holds
from trialsim.kernels.jit import kernel
from trialsim.kernels.multipliers import highest

CLOSE = 1e-10
"""A bound is dropped when it is above the best EN by more than this, far more than rounding can move it."""

BEST, FOUND, NODES, LACKING, OPEN = range(5)
"""Of a search: the least EN so far, designs that have it, nodes so far; 1 where there was no room for another design;
schedules that the limit of nodes left open."""

WIDE = 4.0
"""The prices of a schedule are looked for within a quarter to four times those of the pass before."""

NEAR = 1e-3
"""A bound so near to the highest will do for a branch and bound."""


@kernel
def bounds(looks, nmax, early, prices, errors, null, ratio, below, out, values):  # type: ignore[no-untyped-def]
    """The bound of every schedule of so many looks at one pair of prices, in one pass from the last look to the first.

    Those under ``below`` are written to ``out`` and ``values`` as far as there is room. Returns how many there are, the
    least bound, and its schedule.
    """
    price, worth = prices
    constant = worth * (1 - errors[1]) - price * errors[0]
    at, best_at = np.zeros(looks, dtype=np.int64), np.zeros(looks, dtype=np.int64)
    # of each look: the cost by responses; the largest count that stops, and that does not go, for certain
    cost, low, high = (
        np.zeros((looks, nmax + 1)),
        np.zeros(looks, dtype=np.int64),
        np.zeros(looks, dtype=np.int64),
    )
    count, least = 0, np.inf
    k = looks - 1
    at[k] = k
    while True:
        at[k] += 1
        if at[k] > (nmax if k == looks - 1 else at[k + 1] - 1):
            k += 1
            if k == looks:
                break
            continue
        m = at[k]
        low[k], high[k] = -1, m
        for x in range(m, -1, -1):
            go = price - worth * ratio[m, x]
            if k == looks - 1:
                here = min(go, 0.0)
            elif early and x > high[k + 1]:
                here = go
            else:
                more = at[k + 1] - m
                here = float(more)
                if x + more <= low[k + 1]:
                    here = 0.0
                else:
                    for y in range(max(0, low[k + 1] + 1 - x), more + 1):
                        here += null[more, y] * cost[k + 1, x + y]
                    here = min(here, 0.0)
                    if early:
                        here = min(here, go)
            cost[k, x] = here
            if early and high[k] == x and here == go:
                high[k] = x - 1
            if here == 0.0:
                low[k] = x
                break
        for x in range(low[k]):
            cost[k, x] = 0.0
        if k > 0:
            k -= 1
            at[k] = k
            continue
        value = m + constant
        for x in range(low[k] + 1, m + 1):
            value += null[m, x] * cost[k, x]
        if value < least:
            least = value
            best_at[:] = at
        if value < below:
            if count < len(values):
                values[count] = value
                out[count] = at
            count += 1
    return count, least, best_at


@kernel
def _offer(en, at, stop, go, state, out):  # type: ignore[no-untyped-def]
    """Keep a design unless another's EN is smaller, rounding aside: n, stop and go of each look, then EN."""
    close = ROUNDING * at[-1] * at[-1]
    if en > state[BEST] + close:
        return
    if en < state[BEST] - close:
        state[FOUND] = 0
    state[BEST] = min(state[BEST], en)
    row, looks = int(state[FOUND]), len(at)
    if row == len(out):
        state[LACKING] = 1
        return
    for k in range(looks):
        out[row, k], out[row, looks + k], out[row, 2 * looks + k] = at[k], stop[k], go[k]
    out[row, 3 * looks] = en
    state[FOUND] = row + 1


@kernel
def branch(at, early, prices, errors, null, good, onward, limit, state, out, book):  # type: ignore[no-untyped-def]
    """The cut-offs of one schedule by branch and bound in the order of its looks; whether it was settled.

    A node is a pair of cut-offs; its bound is EN so far, what errors so far cost, and what going on costs at least
    (``onward``). Dropped where the bound is above the best EN, where alpha is used up, or where the power is lost.
    """
    price, worth = prices
    alpha, power_wanted = errors[0], 1 - errors[1]
    constant = worth * power_wanted - price * alpha
    looks, n = len(at), at[-1]
    slack = ROUNDING * n
    # by look: P(x responses and still going on) at p0 and at p1; the counts with any; EN, P(go) at p0 and at p1 so far
    f0, f1 = np.zeros((looks, n + 1)), np.zeros((looks, n + 1))
    least, most = np.zeros(looks, dtype=np.int64), np.zeros(looks, dtype=np.int64)
    en, level, power = np.zeros(looks), np.zeros(looks), np.zeros(looks)
    stop, go = np.zeros(looks, dtype=np.int64), np.zeros(looks, dtype=np.int64)
    room = (n + 2) * (n + 2)
    bound, pair, used, done = (
        np.zeros((looks, room)),
        np.zeros((looks, room), dtype=np.int64),
        np.zeros(looks, dtype=np.int64),
        np.zeros(looks, dtype=np.int64),
    )
    design = np.zeros(3 * looks, dtype=np.int64)
    stops, goes = np.zeros(n + 2), np.zeros(n + 2)
    k = 0
    most[0], en[0] = at[0], at[0]
    for x in range(at[0] + 1):
        f0[0, x], f1[0, x] = null[at[0], x], good[at[0], x]
    fresh = True
    while k >= 0:
        if fresh and k == looks - 1:
            # the least cut-off that keeps alpha has the most power, and EN is the same
            r, p_null, p_good = most[k], level[k], power[k]
            while r >= least[k] and p_null + f0[k, r] <= alpha + slack:
                stop[k], go[k] = r - 1, r - 1
                if not _keeps(LEVEL, alpha - p_null - f0[k, r], at, stop, go, design, book):
                    break
                p_null, p_good, r = p_null + f0[k, r], p_good + f1[k, r], r - 1
            stop[k], go[k] = r, r
            if p_good > power_wanted - slack and _keeps(
                POWER, p_good - power_wanted, at, stop, go, design, book
            ):
                _offer(en[k], at, stop, go, state, out)
            k -= 1
            fresh = False
            continue
        if fresh:
            # what it costs to stop up to x, and to go above x, more than going on: the bound is a sum of two parts
            base = constant + en[k] + price * level[k] - worth * power[k]
            lo, hi = least[k], most[k]
            for x in range(lo, hi + 1):
                base += f0[k, x] * onward[k, x]
            stops[lo] = 0.0
            for x in range(lo, hi + 1):
                stops[x + 1] = stops[x] - f0[k, x] * onward[k, x]
            goes[hi + 1] = 0.0
            p_null, reach = level[k], hi + 1
            for x in range(hi, lo - 1, -1):
                p_null += f0[k, x]
                if not early or p_null > alpha + slack:
                    break
                goes[x] = goes[x + 1] + price * f0[k, x] - worth * f1[k, x] - f0[k, x] * onward[k, x]
                reach = x
            cheapest = 0.0
            for x in range(reach, hi + 2):
                cheapest = min(cheapest, goes[x])
            alive = power[k]
            for x in range(lo, hi + 1):
                alive += f1[k, x]
            count = 0
            for a in range(lo, hi + 1):  # the first count that does not stop
                if alive < power_wanted - slack:
                    break
                if base + stops[a] + cheapest <= state[BEST] + CLOSE:
                    for b in range(max(a, reach), hi + 2):  # the first count that goes
                        value = base + stops[a] + goes[b]
                        if value <= state[BEST] + CLOSE:
                            place = count  # by bound; of equals the first
                            while place > 0 and bound[k, place - 1] > value:
                                bound[k, place], pair[k, place] = bound[k, place - 1], pair[k, place - 1]
                                place -= 1
                            bound[k, place], pair[k, place] = value, a * (n + 2) + b
                            count += 1
                alive -= f1[k, a]
            used[k], done[k] = count, 0
        if done[k] == used[k] or bound[k, done[k]] > state[BEST] + CLOSE:
            k -= 1
            fresh = False
            continue
        if state[NODES] >= limit:
            return False
        state[NODES] += 1
        a, b = pair[k, done[k]] // (n + 2), pair[k, done[k]] % (n + 2)
        done[k] += 1
        stop[k], go[k] = a - 1, b - 1
        p_null, p_good, on = level[k], power[k], 0.0
        for x in range(b, most[k] + 1):
            p_null, p_good = p_null + f0[k, x], p_good + f1[k, x]
        if a == b:  # nobody goes on: this is the last look
            for j in range(k + 1, looks):
                stop[j], go[j] = -1, -1
            if (
                p_null < alpha + slack
                and p_good > power_wanted - slack
                and _keeps(LEVEL, alpha - p_null, at, stop, go, design, book)
                and _keeps(POWER, p_good - power_wanted, at, stop, go, design, book)
            ):
                _offer(en[k], at, stop, go, state, out)
            fresh = False
            continue
        more = at[k + 1] - at[k]
        least[k + 1], most[k + 1] = a, b - 1 + more
        for x in range(a, b + more):
            f0[k + 1, x] = f1[k + 1, x] = 0.0
        for x in range(a, b):
            on += f0[k, x]
            for y in range(more + 1):
                f0[k + 1, x + y] += f0[k, x] * null[more, y]
                f1[k + 1, x + y] += f1[k, x] * good[more, y]
        en[k + 1], level[k + 1], power[k + 1] = en[k] + more * on, p_null, p_good
        k += 1
        fresh = True
    return True


@kernel
def _keeps(what, gap, at, stop, go, design, book):  # type: ignore[no-untyped-def]
    """Whether a design keeps an error rate; where rounding leaves that open, by the book of doubts."""
    looks = len(at)
    for k in range(looks):
        design[k], design[looks + k], design[2 * looks + k] = at[k], stop[k], go[k]
    return holds(gap, at[-1], what, design, book)


@kernel
def settle(schedules, values, early, prices, errors, null, good, ratio, limit, state, out, book):  # type: ignore[no-untyped-def]
    """The best design of these schedules, whose bounds grow: each is discarded by its highest bound, or searched."""
    looks, nmax = schedules.shape[1], len(null) - 1
    onward, work = np.zeros((looks, nmax + 1)), np.zeros((3, nmax + 1))
    box = (prices[0] / WIDE, prices[0] * WIDE, prices[1] / WIDE, prices[1] * WIDE)
    for s in range(len(values)):
        if values[s] > state[BEST] + CLOSE:
            break
        if state[NODES] >= limit:
            state[OPEN] += 1
            continue
        state[NODES] += 1
        enough = state[BEST] + 2 * CLOSE
        value, price, worth = highest(
            schedules[s], early, box, errors, enough, NEAR, null, ratio, onward, work
        )
        if value >= enough:
            continue
        if not branch(
            schedules[s], early, (price, worth), errors, null, good, onward, limit, state, out, book
        ):
            state[OPEN] += 1


@kernel
def _does(at, stop, go, f0, f1, null, good):  # type: ignore[no-untyped-def]
    """EN at p0, P(go) at p0 and at p1 of a design that looks after every patient; ``f0``, ``f1`` are worked in."""
    en, level, power = 0.0, 0.0, 0.0
    lo, hi = 0, 0
    f0[0] = f1[0] = 1.0
    for k in range(len(at)):
        here = 0.0
        for x in range(lo, hi + 1):
            here += f0[x]
        if hi < lo:
            break
        en += here
        f0[hi + 1] = f1[hi + 1] = 0.0
        for x in range(hi, lo - 1, -1):
            f0[x + 1] += f0[x] * null[1, 1]
            f1[x + 1] += f1[x] * good[1, 1]
            f0[x] *= null[1, 0]
            f1[x] *= good[1, 0]
        hi += 1
        while hi >= lo and hi > go[k]:
            level, power, hi = level + f0[hi], power + f1[hi], hi - 1
        while lo <= hi and lo <= stop[k]:
            lo += 1
    return en, level, power


@kernel
def improve(at, early, stop, go, prices, errors, null, good, limit, state, out, book):  # type: ignore[no-untyped-def]
    """Move one cut-off or two of a design by one as long as that saves patients; looks are after every patient.

    Error rates that are not kept cost their ``prices``, so that the start need not keep them.
    """
    looks, n = len(at), at[-1]
    alpha, power_wanted = errors[0], 1 - errors[1]
    slack = ROUNDING * n
    f0, f1 = np.zeros(n + 2), np.zeros(n + 2)
    design = np.zeros(3 * looks, dtype=np.int64)
    en, level, power = _does(at, stop, go, f0, f1, null, good)
    best = en + prices[0] * max(0.0, level - alpha) + prices[1] * max(0.0, power_wanted - power)
    moves = 4 * looks - 2  # the last look has one cut-off
    since, first = 0, 0
    while since < moves:
        moved = False
        if _moved(first, at, early, stop, go, 1):
            for second in range(first, moves):  # the first move again: alone
                if second != first and not _moved(second, at, early, stop, go, 1):
                    continue
                state[NODES] += 1
                en, level, power = _does(at, stop, go, f0, f1, null, good)
                cost = en + prices[0] * max(0.0, level - alpha) + prices[1] * max(0.0, power_wanted - power)
                if cost < best - CLOSE:
                    best, moved = cost, True
                    if (
                        level <= alpha + slack
                        and power >= power_wanted - slack
                        and _keeps(LEVEL, alpha - level, at, stop, go, design, book)
                        and _keeps(POWER, power - power_wanted, at, stop, go, design, book)
                    ):
                        _offer(en, at, stop, go, state, out)
                    break
                if second != first:
                    _moved(second, at, early, stop, go, -1)
            if not moved:
                _moved(first, at, early, stop, go, -1)
        if state[NODES] >= limit:
            return
        since = 0 if moved else since + 1
        first = (first + 1) % moves


@kernel
def _moved(move, at, early, stop, go, way):  # type: ignore[no-untyped-def]
    """Carry out a move, or take it back (``way`` -1); False where the cut-offs would cross or leave the counts."""
    k, what = move // 4, move % 4
    last = k == len(at) - 1
    by = way * (1 if what % 2 else -1)
    if last:
        stop[k] += by
        go[k] = stop[k]
        if way < 0 or -1 <= stop[k] <= at[k]:
            return True
        stop[k] -= by
        go[k] = stop[k]
        return False
    if what > 1 and not early:
        return False
    cuts = stop if what < 2 else go
    cuts[k] += by
    if way < 0 or (-1 <= stop[k] <= go[k] <= at[k]):
        return True
    cuts[k] -= by
    return False
