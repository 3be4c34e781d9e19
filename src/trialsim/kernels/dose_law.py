"""Two doses apart: the chain of ``chain.py`` with responses and toxicities kept by dose.

Nothing that happens at the lower dose changes what was seen at the higher one, and what was seen there enters later
only through the responses that the looks still to come can tell apart. So the higher dose is one chain, and the lower
dose one for each number of patients at which it began and each class of responses carried into it. Every outcome is
known before the next patient, nobody is replaced, looks come one after another and ask for responses alone.
"""

from __future__ import annotations

from trialsim.codes import CONTINUE, NEVER, REDUCE
from trialsim.kernels.jit import kernel


@kernel
def _treat(state, work, cells, top_x, top_t):  # type: ignore[no-untyped-def]
    """Add one patient to every state (X, T): ``cells`` (4,) without response, without and with toxicity; with response.

    ``top_x`` and ``top_t`` are the largest counts that can be occupied before. Counts of toxicity saturate.
    """
    last_t = state.shape[1] - 1
    for x in range(top_x + 1):
        for t in range(top_t + 1):
            work[x, t] = state[x, t]
            state[x, t] = 0.0
    for cell in range(4):
        p = cells[cell]
        if p == 0.0:
            continue
        response, toxic = cell >> 1, cell & 1
        for x in range(top_x + 1):
            for t in range(top_t + 1):
                state[x + response, min(t + toxic, last_t)] += p * work[x, t]


@kernel
def higher_dose(tables, cells, state, work, left, ends):  # type: ignore[no-untyped-def]
    """The first dose, from the first patient until the dose is left or the trial ends.

    cells : (M, 4) probabilities of patient i = 1..M at this dose.
    state, work : (M + 1, T + 1), ``state`` zeros but for 1 at the first entry.
    left : zeros (M + 1, M + 1, T + 1), receives P(left after n1 patients, x1 responses, t1 toxicities, going on).
    ends : zeros (M + 1, M + 1, T + 1, 4), receives P(end there) by 0 stop for toxicity, 1 the same at the planned n, 2
        an end by the look, 3 the same after the boundary for a reduction was reached.
    """
    planned = tables.look_n[-1]
    look = 0
    last_t = state.shape[1] - 1
    for i in range(1, planned + 1):
        _treat(state, work, cells[i - 1], i - 1, min(i - 1, last_t))
        due = i == tables.look_n[look]
        leaves = 0 < tables.at_enrolled[0] <= i
        bound = tables.act_ge[0, i]
        for x in range(i + 1):
            for t in range(min(i, last_t) + 1):
                mass = state[x, t]
                if mass == 0.0:
                    continue
                crossed = tables.action[0] != CONTINUE and t >= bound
                if t >= tables.stop_ge[0, i]:
                    ends[i, x, t, 1 if i == planned else 0] += mass
                elif due and tables.look_next[look, x] < 0:
                    ends[i, x, t, 3 if (crossed or leaves) else 2] += mass
                elif leaves or (crossed and tables.action[0] == REDUCE):
                    left[i, x, t] += mass
                else:
                    continue
                state[x, t] = 0.0
        if due:
            look += 1


@kernel
def lower_dose(tables, cells, begun, carried, state, work, ends):  # type: ignore[no-untyped-def]
    """The second dose, begun after ``begun`` patients with ``carried`` responses, as far as looks tell them apart.

    cells : (M, 4) probabilities of patient i = 1..M at this dose.
    state, work : (M - begun + 1, T + 1), ``state`` zeros but for 1 at the first entry.
    ends : zeros (M - begun + 1, M - begun + 1, T + 1 or 1, 3), receives P(end after n2 patients, x2 responses, t2
        toxicities; of any number if there is one place for them) by 0 stop for toxicity, 1 the same at the planned n,
        2 an end by the look. At the last look that is every trial that gets there: what it decides hangs on all
        responses, which are not known here.
    """
    planned = tables.look_n[-1]
    look = 0
    while tables.look_n[look] <= begun:
        look += 1
    last_look, last_t, told = tables.look_n.shape[0] - 1, state.shape[1] - 1, ends.shape[2] - 1
    for i in range(begun + 1, planned + 1):
        m = i - begun
        _treat(state, work, cells[i - 1], m - 1, min(m - 1, last_t))
        due = i == tables.look_n[look]
        bound = tables.stop_ge[1, m]
        stops = bound < NEVER
        if not (due or stops):
            continue
        for x in range(m + 1):
            for t in range(min(m, last_t) + 1):
                mass = state[x, t]
                if mass == 0.0:
                    continue
                if stops and t >= bound:
                    ends[m, x, min(t, told), 1 if i == planned else 0] += mass
                elif due and (look == last_look or tables.look_next[look, carried + x] < 0):
                    ends[m, x, min(t, told), 2] += mass
                else:
                    continue
                state[x, t] = 0.0
        if due:
            look += 1
