"""Every two-stage and single-stage cut-off of one n at once, under a toxicity rule that lowers the dose or stops.

The toxicity rule does not read responses. So what happens up to the first look, pushed forward, and what can still
happen after it, worked out backward, are each computed once; put together at each n1 they give P(go) for all r1 and r.

State after a patient: dose level, row, toxicities at the level t; beside it, forward, the responses x, and backward
the responses still needed k. At the starting level the row is the number of inevaluable patients so far (its patients
less the evaluable ones), at a lower level the number of patients at that level.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trialsim.kernels.jit import kernel, plain


def every_cut_off(bound: Any, cells: Any, n: int, r_max: int) -> tuple[Any, Any, Any, Any]:
    """P(go) and expected patients of all designs of n patients with r <= r_max, exactly.

    Args:
        bound: (K, M + 1, 2) least toxicities among the first m patients at a level that end it, and the trial with it;
            at the last level both are one. M is the largest number of treated patients.
        cells: (K, 6) probabilities of a patient at each level, as ``kernels.chain.propagate`` takes them; looks count
            evaluable patients.

    Returns:
        go: (n, r_max + 1, r_max + 1) P(go) of r1/n1 r/n by n1, r1, r, for 1 <= n1 < n and r1 <= r (0 elsewhere).
        en: (n, r_max + 1) expected treated patients by n1, r1.
        at_n: (r_max + 2,) P(n patients are evaluable, no toxicity stop, x responses), more counted as r_max + 1.
        treated: (n + 1,) expected patients until so many are evaluable or toxicity stops the trial.
    """
    shape = _shape(bound, n)
    needed, onward = np.zeros((n + 1, *shape, r_max + 2)), np.zeros((n + 1, *shape))
    _backward(bound, cells, n, needed, onward)
    go, en = np.zeros((n, r_max + 1, r_max + 1)), np.zeros((n, r_max + 1))
    at_n, treated = np.zeros(r_max + 2), np.zeros(n + 1)
    _forward(bound, cells, n, True, needed, onward, go, en, at_n, treated)
    return go, en, at_n, treated


def every_single_stage(bound: Any, cells: Any, n: int, r_max: int) -> tuple[Any, Any]:
    """``at_n`` and ``treated`` of ``every_cut_off`` alone, which is all that one stage needs."""
    shape = _shape(bound, n)
    at_n, treated = np.zeros(r_max + 2), np.zeros(n + 1)
    nothing = np.zeros((1, *shape, r_max + 2)), np.zeros((1, *shape)), np.zeros((1, 1, 1)), np.zeros((1, 1))
    _forward(bound, cells, n, False, *nothing, at_n, treated)
    return at_n, treated


def work_space(bound: Any, n: int, r_max: int) -> int:
    """Doubles that ``every_cut_off`` needs."""
    return (n + 1) * int(np.prod(_shape(bound, n))) * (r_max + 3)


def _shape(bound: Any, n: int) -> tuple[int, int, int]:
    """Levels, rows a level, counts of toxicities: more than the highest cut-off are as good as that."""
    levels, most = bound.shape[0], bound.shape[1] - 1
    reachable = bound[bound <= np.arange(most + 1)[:, None]]
    return levels, most - n + 1 if levels == 1 else most + 1, int(reachable.max(initial=0)) + 1


@plain
def _next(bound, level, m, t, last_t):  # type: ignore[no-untyped-def]
    """Level, patients and toxicities there after the m-th patient at a level, t toxicities among them; -1: stopped."""
    if t < bound[level, m, 0]:
        return level, m, min(t, last_t)
    if t >= bound[level, m, 1] or level + 1 == bound.shape[0]:
        return -1, 0, 0
    return level + 1, 0, 0


@kernel
def _backward(bound, cells, n, needed, onward):  # type: ignore[no-untyped-def]
    """needed[e, level, row, t, k] = P(no stop until n are evaluable, k responses or more from here on), onward[...] =
    expected further patients, when e patients are evaluable."""
    levels, rows, last_t = needed.shape[1], needed.shape[2], needed.shape[3] - 1
    most, width = bound.shape[1] - 1, needed.shape[4]
    needed[n, :, :, :, 0] = 1.0
    for e in range(n - 1, -1, -1):
        for level in range(levels - 1, -1, -1):
            shift = e if level == 0 else 0
            for row in range(min(rows, most - shift) - 1, -1, -1):
                if level > 0 and row > e + most - n:
                    continue
                m = row + shift
                for t in range(min(last_t, m, bound[level, m, 0] - 1 if m > 0 else 0) + 1):
                    here = needed[e, level, row, t]
                    onward[e, level, row, t] = 1.0
                    for cell in range(6):
                        p = cells[level, cell]
                        if p == 0.0:
                            continue
                        toxic, response, seen = cell & 1, cell >> 2, 1 if cell >= 2 else 0
                        level_new, m_new, t_new = _next(bound, level, m + 1, t + toxic, last_t)
                        if level_new < 0:
                            continue
                        row_new = m_new - (e + seen) if level_new == 0 else m_new
                        if row_new >= rows:
                            continue
                        later = needed[e + seen, level_new, row_new, t_new]
                        onward[e, level, row, t] += p * onward[e + seen, level_new, row_new, t_new]
                        if response == 0:
                            for k in range(width):
                                here[k] += p * later[k]
                        else:
                            here[0] += p * later[0]
                            for k in range(1, width):
                                here[k] += p * later[k - 1]


@kernel
def _forward(bound, cells, n, close, needed, onward, go, en, at_n, treated):  # type: ignore[no-untyped-def]
    """Push all probability from the first patient on and, whenever one more is evaluable, close with ``_backward``."""
    levels, rows, last_t = needed.shape[1], needed.shape[2], needed.shape[3] - 1
    most, last_x = bound.shape[1] - 1, needed.shape[4] - 1
    now = np.zeros((levels, rows, last_t + 1, last_x + 1))
    then = np.zeros_like(now)
    joint = np.zeros((last_x + 1, last_x + 1))
    further = np.zeros(last_x + 1)
    now[0, 0, 0, 0] = 1.0
    for e in range(n):
        treated[e + 1] = treated[e]
        then[:] = 0.0
        for level in range(levels):
            shift = e if level == 0 else 0
            for row in range(min(rows, most - shift)):
                if level > 0 and row > e + most - n:
                    break
                m = row + shift
                for t in range(min(last_t, m, bound[level, m, 0] - 1 if m > 0 else 0) + 1):
                    here = now[level, row, t]
                    mass = here.sum()
                    if mass == 0.0:
                        continue
                    treated[e + 1] += mass
                    for cell in range(6):
                        p = cells[level, cell]
                        if p == 0.0:
                            continue
                        toxic, response, seen = cell & 1, cell >> 2, 1 if cell >= 2 else 0
                        level_new, m_new, t_new = _next(bound, level, m + 1, t + toxic, last_t)
                        if level_new < 0:
                            continue
                        row_new = m_new - (e + seen) if level_new == 0 else m_new
                        if row_new >= rows:
                            continue
                        # an inevaluable patient leads to a state that this loop has yet to come to
                        target = then[level_new, row_new, t_new] if seen else now[level_new, row_new, t_new]
                        if response == 0:
                            for x in range(last_x + 1):
                                target[x] += p * here[x]
                        else:
                            for x in range(last_x):
                                target[x + 1] += p * here[x]
                            target[last_x] += p * here[last_x]
        now, then = then, now
        if e + 1 == n or not close:
            continue
        _close(now, needed[e + 1], onward[e + 1], joint, further)
        _cut(joint, further, treated[e + 1], go[e + 1], en[e + 1])
    for level in range(levels):
        for row in range(rows):
            for t in range(last_t + 1):
                at_n += now[level, row, t]


@kernel
def _close(now, needed, onward, joint, further):  # type: ignore[no-untyped-def]
    """joint[x, k] = P(x responses at the look, k or more after it, no stop); further[x]: expected patients after it."""
    last_x = joint.shape[0] - 1
    joint[:] = 0.0
    further[:] = 0.0
    for level in range(now.shape[0]):
        for row in range(now.shape[1]):
            for t in range(now.shape[2]):
                later, patients = needed[level, row, t], onward[level, row, t]
                for x in range(last_x + 1):
                    mass = now[level, row, t, x]
                    if mass == 0.0:
                        continue
                    further[x] += mass * patients
                    for k in range(last_x - x + 1):
                        joint[x, k] += mass * later[k]


@kernel
def _cut(joint, further, treated, go, en):  # type: ignore[no-untyped-def]
    """Add up what passes each r1, for each r."""
    most_r = go.shape[1] - 1
    for r in range(most_r + 1):
        total = 0.0
        for x in range(most_r + 1, -1, -1):
            # x is above r1 = x - 1
            total += joint[x, max(r + 1 - x, 0)]
            if 1 <= x <= r + 1:
                go[x - 1, r] = total
    total = treated
    for x in range(most_r + 1, 0, -1):
        total += further[x]
        en[x - 1] = total
