"""P(go) of a running trial at many response rates side by side, and its mean over the posterior of the rate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from trialsim.codes import GO
from trialsim.designs.rules import Looks
from trialsim.kernels.tables import Float64
from trialsim.ongoing.pending import Convention, Nature, Outcome
from trialsim.ongoing.posterior import RatePosterior
from trialsim.ongoing.seen import Seen

Chances = tuple[Float64, Float64, Float64]
"""By rate: P(a counted response), P(a counted non-response), P(leaves the count)."""


def predictive(
    nature: Nature, looks: Looks, patients: Sequence[Seen], today: date, belief: RatePosterior
) -> float:
    """P(go) averaged over the posterior of the rate, toxicity left out.

    Args:
        nature: of the case.
        looks: of the rules.
        patients: everybody so far in enrolment order.
        today: the cut-off day.
        belief: the posterior; of one from known patients only, pending patients respond at the rate.
    """
    convention: Convention = "at_rate" if belief.known_only else "follow_up"
    so_far = [_given(nature.response_of(each, today, convention), belief.rate) for each in patients]
    yes, no, _ = _given(nature.outcome(0, -1), belief.rate)
    by_rate = go_by_rate(looks, so_far, yes / (yes + no))
    return float(np.dot(belief.weight, by_rate))


def _given(outcome: Outcome, rate: Float64) -> Chances:
    """``Outcome.given`` at every rate."""
    three = [np.broadcast_to(part, rate.shape) for part in outcome.at(rate)]  # type: ignore[arg-type]
    total = three[0] + three[1] + three[2]
    possible = total > 0
    safe = np.where(possible, total, 1.0)
    unknown = (rate, 1 - rate, np.zeros_like(rate))
    yes, no, leaves = (
        np.where(possible, part / safe, other) for part, other in zip(three, unknown, strict=True)
    )
    return yes, no, leaves


def go_by_rate(looks: Looks, patients: Sequence[Chances], rate: Float64) -> Float64:
    """(Q,) P(go) by the looks; chances of those enrolled, and (Q,) P(response) of everybody else counted."""
    go = np.zeros_like(rate)
    first = np.zeros((looks.planned_n + 2, len(rate)))
    first[0] = 1.0
    states = {(0, 0): first}
    i = 0
    while states:
        yes, no, leaves = patients[i] if i < len(patients) else (rate, 1 - rate, np.zeros_like(rate))
        i += 1
        after: dict[tuple[int, int], Float64] = {}
        for (look, counted), mass in states.items():
            if leaves.any():
                after[look, counted] = after.get((look, counted), 0.0) + leaves * mass
            moved = no * mass
            moved[1:] += yes * mass[:-1]
            if counted + 1 < looks.n[look]:
                after[look, counted + 1] = after.get((look, counted + 1), 0.0) + moved
                continue
            for x, decision in enumerate(looks.next[look]):
                if decision == GO:
                    go += moved[x]
                elif decision >= 0:
                    on = after.setdefault((decision, counted + 1), np.zeros_like(moved))
                    on[x] += moved[x]
        states = {key: mass for key, mass in after.items() if mass.any()}
    return go
