"""Two doses in turn after the first was left: the chain of ``dose_law.py`` with both doses going on."""

from __future__ import annotations

from trialsim.kernels.jit import kernel


@kernel
def both_doses(tables, cells, begun, carried, lowers, split, state, work, ends, stops, patients):  # type: ignore[no-untyped-def]
    """From patient ``begun`` + 1 on, with ``carried`` responses as far as looks tell them apart.

    cells : (2, M, 4) probabilities of patient i = 1..M at each dose: no response without, with toxicity; response.
    lowers : (M - begun,) whether each of those patients gets the lower dose.
    split : the last interim look. Responses at the higher dose after it decide nothing before the last look, and
        nothing at the lower dose hangs on them: they are left out here.
    state, work : (higher + 1, lower + 1, T + 1): responses at the higher dose, responses and toxicities at the lower;
        ``state`` zeros but for 1 at the first entry.
    ends : zeros (looks, higher + 1, lower + 1), receives P(the look ends the trial at these responses); at the last
        look that is every trial that gets there.
    stops : zeros (M + 1,), receives P(the trial is stopped for toxicity after this patient).
    patients : (2, M + 1), is added P(patient i is treated) at the dose of patient i.
    """
    planned = tables.look_n[-1]
    look, last_look, last_t = 0, tables.look_n.shape[0] - 1, state.shape[2] - 1
    while tables.look_n[look] <= begun:
        look += 1
    higher = lower = 0
    for i in range(begun + 1, planned + 1):
        low = lowers[i - begun - 1]
        p = cells[1 if low else 0, i - 1]
        top_t = min(lower, last_t)
        moves = low or i <= split
        treated = 0.0
        for y in range(higher + 1):
            for x in range(lower + 1):
                for t in range(top_t + 1):
                    treated += state[y, x, t]
                    if moves:
                        work[y, x, t] = state[y, x, t]
                        state[y, x, t] = 0.0
        patients[1 if low else 0, i] += treated
        if low:
            for cell in range(4):
                response, toxic = cell >> 1, cell & 1
                for y in range(higher + 1):
                    for x in range(lower + 1):
                        for t in range(top_t + 1):
                            state[y, x + response, min(t + toxic, last_t)] += p[cell] * work[y, x, t]
            lower += 1
        elif moves:
            no, yes = p[0] + p[1], p[2] + p[3]
            for y in range(higher + 1):
                for x in range(lower + 1):
                    for t in range(top_t + 1):
                        state[y, x, t] += no * work[y, x, t]
                        state[y + 1, x, t] += yes * work[y, x, t]
            higher += 1
        if low:
            bound = tables.stop_ge[1, lower]
            for y in range(higher + 1):
                for x in range(lower + 1):
                    for t in range(bound, min(lower, last_t) + 1):
                        stops[i] += state[y, x, t]
                        state[y, x, t] = 0.0
        if i == tables.look_n[look]:
            for y in range(higher + 1):
                for x in range(lower + 1):
                    if look < last_look and tables.look_next[look, carried + y + x] >= 0:
                        continue
                    for t in range(min(lower, last_t) + 1):
                        ends[look, y, x] += state[y, x, t]
                        state[y, x, t] = 0.0
            look += 1
