"""The same trial as a Markov chain: every probability at once instead of one path at a time.

State: dose level, patient after which it began, pending look, inevaluable patients, one carried total that decides
nothing (all responses, or all toxicities), toxicities at the level, responses. Decisions depend on no more than
that, so the chain is exact. Counts saturate where no decision tells them apart any longer. Where patients at earlier
doses are not analysed, pending look, inevaluable patients and responses begin anew with the level. A look that asks
for toxicities at every dose takes them from the carried total; with one level they are the toxicities at the level.
"""

from __future__ import annotations

from trialsim.codes import (
    ACCRUAL,
    CONTINUE,
    FUTILE,
    GO,
    NEW_DOSE_ONLY,
    POOLED,
    REDUCE,
    RESTART,
    TOXICITY,
    TOXICITY_AT_N,
)
from trialsim.kernels.ends import end_of
from trialsim.kernels.jit import kernel
from trialsim.kernels.tables import CARRY_BOTH, CARRY_NOTHING, CARRY_RESPONSES, CARRY_TOXICITIES


@kernel
def _treat(block, work, cells, top):  # type: ignore[no-untyped-def]
    """Add one patient to every state of a block (V, 1, T, X); return the probability that the patient is treated.

    ``top`` holds the largest v, t, x that can be occupied before this patient. Pushing out of a copy keeps the
    innermost loop over neighbouring responses, which is what makes it quick.
    """
    top_v, top_t, top_x = top
    last_v, last_t, last_x = block.shape[0] - 1, block.shape[2] - 1, block.shape[3] - 1
    treated = 0.0
    for v in range(top_v + 1):
        for t in range(top_t + 1):
            for x in range(top_x + 1):
                here = block[v, 0, t, x]
                treated += here
                work[v, 0, t, x] = here
                block[v, 0, t, x] = 0.0
    for cell in range(6):
        p = cells[cell]
        if p == 0.0:
            continue
        toxic, response, inevaluable = cell & 1, cell >> 2, cell < 2
        for v in range(top_v + 1):
            v_new = min(v + 1, last_v) if inevaluable else v
            for t in range(top_t + 1):
                source = work[v, 0, t]
                target = block[v_new, 0, min(t + toxic, last_t)]
                if response == 0:
                    for x in range(top_x + 1):
                        target[x] += p * source[x]
                else:
                    for x in range(min(top_x + 1, last_x)):
                        target[x + 1] += p * source[x]
                    if top_x == last_x:
                        target[last_x] += p * source[last_x]
    return treated


@kernel
def _between(carry, z, last_z, before, top):  # type: ignore[no-untyped-def]
    """Least and largest t and x beside a carried total z; ``before``: its least and largest part at earlier levels that
    is not counted in them; ``top``: the largest t and x that can be occupied."""
    top_t, top_x = top
    if carry >= CARRY_TOXICITIES and z == last_z:  # it may have been larger
        return 0, top_t, 0, top_x
    low, high = max(z - before[1], 0), z - before[0]
    if carry == CARRY_RESPONSES:
        return 0, top_t, min(low, top_x), min(high, top_x)
    return min(low, top_t), min(high, top_t), 0, top_x


@kernel
def _treat_beside(block, work, cells, carry, top, top_z, before):  # type: ignore[no-untyped-def]
    """The same for a block (V, Z, T, X) where a total is carried: it leaves few t or x to a z (``_between``)."""
    top_v, top_t, top_x = top
    last_v, last_z = block.shape[0] - 1, block.shape[1] - 1
    last_t, last_x = block.shape[2] - 1, block.shape[3] - 1
    treated = 0.0
    for v in range(top_v + 1):
        for z in range(top_z + 1):
            t0, t1, x0, x1 = _between(carry, z, last_z, before, (top_t, top_x))
            for t in range(t0, t1 + 1):
                for x in range(x0, x1 + 1):
                    here = block[v, z, t, x]
                    treated += here
                    work[v, z, t, x] = here
                    block[v, z, t, x] = 0.0
    for cell in range(6):
        p = cells[cell]
        if p == 0.0:
            continue
        toxic, response, inevaluable = cell & 1, cell >> 2, cell < 2
        more = response if carry == CARRY_RESPONSES else toxic
        for v in range(top_v + 1):
            v_new = min(v + 1, last_v) if inevaluable else v
            for z in range(top_z + 1):
                z_new = min(z + more, last_z)
                t0, t1, x0, x1 = _between(carry, z, last_z, before, (top_t, top_x))
                for t in range(t0, t1 + 1):
                    t_new = min(t + toxic, last_t)
                    for x in range(x0, x1 + 1):
                        block[v_new, z_new, t_new, min(x + response, last_x)] += p * work[v, z, t, x]
    return treated


@kernel
def propagate(  # type: ignore[no-untyped-def]
    tables, pending, cells, carry, first, last, state, work, before, ends, carried, patients, moved, triggered
):
    """Push all probability through patients ``first`` to ``last``, of M at most: from 1 to M to the ends of the trial.

    pending : (planned n + 1,) the look that is due at or after this many counted patients, if no decision skips a
        look (then state has one slot for looks); empty otherwise.
    cells : (K, I, 6) probabilities of patient 1, ... I (and of everybody after) at each level, in the order inevaluable
        without and with toxicity, then evaluable: no response without and with toxicity, response without and with.
    state : (K, starts, slots, V + 1, Z + 1, T + 1, X + 1), where the probability is: before the first patient
        all of it is at the first entry. Starts is 1 for one level, otherwise one
        for each number of patients after which a level can begin; V largest inevaluable count; Z the largest carried
        count, or saturation of toxicities; T, X saturation of toxicities at the level and of responses.
    work : (V + 1, Z + 1, T + 1, X + 1), work space.
    before : (K, starts, 2) int32, least and largest part of the carried total that is not in t or x; at first (0, 0) at
        the first entry, elsewhere a least one above the largest.
    ends : zeros (M + 1, 8), receives P(end after n treated, why).
    carried : zeros (M + 1, Z + 1), receives P(end after n treated, carried total); (M + 1, X + 1) if CARRY_BOTH.
    patients : zeros (K, M + 1), receives P(patient i is treated at the level).
    moved : zeros (K, M + 1), receives P(patients after i start one level below the level).
    triggered : zeros (1,), receives P(a dose reduction is triggered at least once).
    """
    max_treated = tables.act_ge.shape[1] - 1
    levels, starts, slots = state.shape[0], state.shape[1], state.shape[2]
    last_v, last_z = state.shape[3] - 1, state.shape[4] - 1
    last_t, last_x = state.shape[5] - 1, state.shape[6] - 1
    sequential = pending.shape[0] > 0
    pooled = levels > 1 and tables.on_dose_change == POOLED
    by_responses = carry == CARRY_BOTH
    x_goes_on = carry == CARRY_RESPONSES and tables.on_dose_change == POOLED
    for i in range(first, last + 1):
        top_z = min(last_z, i - 1)
        whose = min(i, cells.shape[1]) - 1
        for level in range(levels):
            leave = 0 < tables.at_enrolled[level] <= i
            reduces = tables.action[level] == REDUCE
            new_dose_only = level > 0 and tables.on_dose_change == NEW_DOSE_ONLY
            # at the starting level every trial began after patient 0; below, one row for each switching patient
            last_start = min(i - 1, starts - 1) if level > 0 else 0
            for start in range(level, last_start + 1):
                if level > 0 and moved[level - 1, start] == 0.0:
                    continue
                m = i - start
                if m > max_treated:
                    continue
                enrolled = m if tables.on_dose_change == RESTART else i  # since looks began
                top_v, top_x = min(last_v, enrolled - 1), min(last_x, enrolled - 1)
                bound, stop_from = tables.act_ge[level, m], tables.stop_ge[level, m]
                top_t = min(last_t, m - 1)
                if tables.action[level] != CONTINUE:
                    top_t = min(top_t, tables.act_ge[level, m - 1] - 1 if m > 1 else 0)
                # a look only leads to later looks: walking down, no probability is treated twice for one patient
                for slot in range(slots - 1, -1, -1):
                    block = state[level, start, slot]
                    top, p = (top_v, top_t, top_x), cells[level, whose]
                    part = before[level, start, 0], before[level, start, 1]
                    if carry == CARRY_NOTHING:
                        treated = _treat(block, work, p, top)
                    else:
                        treated = _treat_beside(block, work, p, carry, top, top_z, part)
                    if treated == 0.0:
                        continue
                    patients[level, i] += treated

                    crossable = tables.action[level] != CONTINUE and bound <= min(last_t, top_t + 1)
                    for v in range(min(last_v, enrolled) + 1):
                        counted = enrolled - v if tables.replaced else enrolled
                        if counted > tables.look_n[-1]:
                            continue
                        look = pending[counted] if sequential else slot
                        # a state that was looked at before is looked at again to no effect: it goes on as it did
                        due = counted == (tables.look_n[-1] if new_dose_only else tables.look_n[look])
                        everybody = leave or due or enrolled == max_treated
                        if not (crossable or everybody):
                            continue
                        at_n = new_dose_only or tables.at_n[look]
                        from_t = 0 if everybody else min(bound, stop_from)
                        now = min(last_t, top_t + 1), min(last_x, enrolled)
                        for z in range(min(last_z, i) + 1):
                            t0, t1 = 0, now[0]
                            if carry != CARRY_NOTHING:
                                t0, t1, _, _ = _between(carry, z, last_z, part, now)
                            for t in range(max(t0, from_t), t1 + 1):
                                stopped = crossable and t >= stop_from
                                lowered = not stopped and (leave or (reduces and crossable and t >= bound))
                                too_toxic = due and (z if pooled else t) >= tables.toxic_ge[look]
                                for x in range(now[1] + 1):
                                    mass = block[v, z, t, x]
                                    if mass == 0.0:
                                        continue
                                    end = -1
                                    slot_new = slot
                                    if stopped:
                                        end = TOXICITY_AT_N if due and at_n else TOXICITY
                                    elif too_toxic:
                                        end = TOXICITY_AT_N if at_n else TOXICITY
                                    elif due:
                                        if new_dose_only:
                                            decision = GO if x >= tables.attained_ge[m] else FUTILE
                                        else:
                                            decision = tables.look_next[look, x]
                                        if decision >= 0:
                                            slot_new = 0 if sequential else decision
                                        else:
                                            end = end_of(decision, at_n)
                                    if end < 0 and enrolled == max_treated:
                                        end = ACCRUAL
                                    if lowered and level == 0:
                                        triggered[0] += mass
                                    if end >= 0:
                                        ends[i, end] += mass
                                        carried[i, x if by_responses else z] += mass
                                    elif lowered:
                                        moved[level, i] += mass
                                        apart = 0 if x_goes_on else z
                                        entry = before[level + 1, i]
                                        entry[0], entry[1] = min(entry[0], apart), max(entry[1], apart)
                                        if tables.on_dose_change == POOLED:
                                            state[level + 1, i, slot_new, v, z, 0, x] += mass
                                        else:
                                            state[level + 1, i, 0, 0, z, 0, 0] += mass
                                    elif slot_new != slot:
                                        state[level, start, slot_new, v, z, t, x] += mass
                                    else:
                                        continue
                                    block[v, z, t, x] = 0.0
